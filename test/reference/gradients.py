"""Clips gradients and scales losses under PyTorch; writes gradients/clipping.json and
gradients/grad-scaler.json.

    python3 gradients.py
"""

import hashlib
import json
import math
import sys
from pathlib import Path

sys.dont_write_bytecode = True

import numpy as np
import torch
from torch.nn.utils import clip_grad_norm_, clip_grad_value_

from inputs import values

LENGTHS = [5, 1, 70, 1000]
KINDS = ["normal", "scaled", "special", "huge", "denormal", "zero"]
ORDERS = [2.0, 1.0, math.inf, -math.inf, 0.0, 3.0, 0.5, -1.0]
MAX_NORMS = [1.0, 0.7, 0.0, 1e6, math.inf, 1e39]
CLIP_VALUES = [0.1, 1.0, 0.0, math.inf]

PROGRAMS = [
    {
        "name": "grows and backs off",
        "options": {"initScale": 1024, "growthInterval": 3},
        "optimizers": [["SGD", {"lr": 0.1, "momentum": 0.9}, [0, 1, 2]]],
        "steps": [{"bad": [1] if i in (4, 5, 13) else []} for i in range(20)],
    },
    {
        "name": "odd factors, two optimizers, unscaled before the step",
        "options": {
            "initScale": 1000.1,
            "growthFactor": 1.7,
            "backoffFactor": 0.3,
            "growthInterval": 2,
        },
        "optimizers": [
            ["Adam", {"lr": 0.01}, [0, 3]],
            ["SGD", {"lr": 0.5, "weightDecay": 0.01}, [1, 2]],
        ],
        "steps": [
            {"bad": [2] if i % 7 == 3 else [0, 1] if i == 8 else [], "unscale": i % 3 == 0}
            for i in range(24)
        ],
    },
    {
        "name": "never grows past float32, and takes a scale by hand",
        "options": {"initScale": 1e38, "growthFactor": 3, "growthInterval": 1},
        "optimizers": [["SGD", {"lr": 0.1}, [0]]],
        "steps": [
            {"bad": [], "newScale": 12.3} if i == 5 else {"bad": [0] if i == 3 else []}
            for i in range(10)
        ],
    },
    {
        "name": "a scale of 1 leaves gradients as they are",
        "options": {"initScale": 1, "growthInterval": 100},
        "optimizers": [["SGD", {"lr": 0.1}, [0, 1]]],
        "steps": [{"bad": [0] if i == 2 else []} for i in range(4)],
    },
]


def digest(tensors):
    """Of all bits; a NaN equals any NaN, so all of them are written as one."""
    bits = np.concatenate([t.detach().numpy().view(np.uint32) for t in tensors])
    bits[(bits & 0x7FFFFFFF) > 0x7F800000] = 0x7FC00000
    return hashlib.sha256(bits.astype("<u4").tobytes()).hexdigest()[:16]


def bits_of(scalar):
    """A float32 as hexadecimal digits: JSON has no infinities and no NaN."""
    word = int(scalar.reshape(1).numpy().view(np.uint32)[0])
    return "7fc00000" if word & 0x7FFFFFFF > 0x7F800000 else f"{word:08x}"


def plain(number):
    return number if math.isfinite(number) else str(number)


def parameters(seed, kind):
    made = []
    for i, length in enumerate(LENGTHS):
        made.append(torch.nn.Parameter(torch.zeros(length)))
        made[-1].grad = torch.from_numpy(values(length, kind, seed, 1, i))
    return made


def clip_cases():
    for seed, kind in enumerate(KINDS):
        for order in ORDERS:
            for max_norm in MAX_NORMS:
                made = parameters(seed, kind)
                total = clip_grad_norm_(made, max_norm, order)
                yield {
                    "seed": seed,
                    "kind": kind,
                    "normType": plain(order),
                    "maxNorm": plain(max_norm),
                    "total": bits_of(total),
                    "clipped": digest([p.grad for p in made]),
                }


def clamp_cases():
    for seed, kind in enumerate(KINDS):
        for bound in CLIP_VALUES:
            made = parameters(seed, kind)
            clip_grad_value_(made, bound)
            clamped = digest([p.grad for p in made])
            yield {"seed": seed, "kind": kind, "clipValue": plain(bound), "clamped": clamped}


def error_message():
    try:
        clip_grad_norm_(parameters(0, "special"), 1.0, error_if_nonfinite=True)
    except RuntimeError as error:
        return str(error)


def snake(options):
    letters = lambda name: "".join("_" + c.lower() if c.isupper() else c for c in name)
    return {letters(name): value for name, value in options.items()}


def play(program, seed):
    """Yields, after every iteration, what the scaler and the parameters became."""
    scaler = torch.amp.GradScaler("cpu", **snake(program["options"]))
    made = [torch.nn.Parameter(torch.from_numpy(values(n, "normal", seed, 0, i)))
            for i, n in enumerate(LENGTHS)]
    optimizers = [
        getattr(torch.optim, name)([made[i] for i in which], foreach=False, **snake(options))
        for name, options, which in program["optimizers"]
    ]
    for number, step in enumerate(program["steps"]):
        factor = scaler.scale(torch.ones(()))
        for i, (parameter, length) in enumerate(zip(made, LENGTHS)):
            parameter.grad = torch.from_numpy(values(length, "normal", seed, number + 1, i)) * factor
            if i in step["bad"]:
                parameter.grad[length // 2] = math.nan if number % 2 else math.inf
        for optimizer in optimizers:
            if step.get("unscale"):
                scaler.unscale_(optimizer)
            scaler.step(optimizer)
        scaler.update(step.get("newScale"))
        state = scaler.state_dict()
        yield [state["scale"], state["_growth_tracker"], digest(made), digest([p.grad for p in made])]


def write(name, content):
    text = ",\n".join(
        f"{json.dumps(key)}: " + ("[\n" + ",\n".join(map(json.dumps, value)) + "\n]"
                                  if isinstance(value, list) else json.dumps(value))
        for key, value in content.items()
    )
    folder = Path(__file__).parent / "gradients"
    folder.mkdir(exist_ok=True)
    (folder / name).write_text("{\n" + text + "\n}\n")


def main():
    write("clipping.json", {
        "lengths": LENGTHS,
        "error": error_message(),
        "clip": list(clip_cases()),
        "clamp": list(clamp_cases()),
    })
    programs = [program | {"seed": 100 + i, "trace": list(play(program, 100 + i))}
                for i, program in enumerate(PROGRAMS)]
    write("grad-scaler.json", {"lengths": LENGTHS, "programs": programs})


if __name__ == "__main__":
    main()
