"""What PyTorch computes with rules that see shapes: adafactor.json, beside this file.

    python3 generate.py

Sums are in an order of PyTorch's own here, so that the test compares to a tolerance.
"""

import base64
import json
import re
import sys
from pathlib import Path

here = Path(__file__).resolve().parent if "__file__" in globals() else Path("shaped")
sys.dont_write_bytecode = True
sys.path[:0] = [str(here), str(here.parent)]

import numpy as np
import torch

from inputs import values

SEED, STEPS = 14, 12
SHAPES = [[], [1], [19], [70], [1, 1], [1, 9], [9, 1], [5, 7], [33, 16], [2, 3, 5], [3, 1, 4, 6]]

CASES = [
    {},
    {"weightDecay": 0.1, "lr": 0.01},
    {"weightDecay": 0.1, "maximize": True},
    {"beta2Decay": -1},
    {"d": 1.5},
    {"lr": 0.5, "beta2Decay": -0.3, "eps": [1e-30, 0.3]},
    {"lr": 2.0, "eps": [0.1, 1e-3], "d": 4.0},
]


def to_torch(options):
    names = {re.sub("[A-Z]", lambda c: "_" + c[0].lower(), name): v for name, v in options.items()}
    return {name: tuple(v) if isinstance(v, list) else v for name, v in names.items()}


def camel(name):
    return re.sub("_(.)", lambda letter: letter[1].upper(), name)


def tensor(shape, kind, step, number):
    size = int(np.prod(shape))
    return torch.from_numpy(values(size, kind, SEED, step, number)).reshape(shape)


def written(part):
    if part.dim() == 0 and part.item() == STEPS:
        return part.item()
    return base64.b64encode(part.detach().numpy().astype("<f4").tobytes()).decode()


def run(options, kind):
    params = [tensor(s, "normal", 0, i).requires_grad_() for i, s in enumerate(SHAPES)]
    optimizer = torch.optim.Adafactor(params, **to_torch(options), foreach=False)
    for step in range(1, STEPS + 1):
        for i, p in enumerate(params):
            p.grad = tensor(SHAPES[i], kind, step, i)
        optimizer.step()
    return [
        {"data": written(p.flatten())}
        | {camel(k): written(v) for k, v in optimizer.state[p].items() if v is not None}
        for p in params
    ]


cases = [
    {"options": options, "grads": kind, "parameters": run(options, kind)}
    for options in CASES
    for kind in ("normal", "scaled")
]
head = {"torch": torch.__version__, "seed": SEED, "steps": STEPS, "shapes": SHAPES}
lines = ",\n".join(json.dumps(case) for case in cases)
text = json.dumps(head)[:-1] + f', "cases": [\n{lines}\n]}}\n'
(here / "adafactor.json").write_text(text)
