"""What Muon gives under PyTorch 2.6, which has no class of it: muon.json, beside this file.

    python3 muon.py

The operations are those that torch/optim/_muon.py (2.9 and later) documents, on bfloat16 tensors;
the products are PyTorch's own, so that the test compares to a tolerance.
"""

import base64
import json
import math
import sys
from pathlib import Path

here = Path(__file__).resolve().parent if "__file__" in globals() else Path("shaped")
sys.dont_write_bytecode = True
sys.path[:0] = [str(here), str(here.parent)]

import numpy as np
import torch

from inputs import values

SEED, STEPS = 15, 6
SHAPES = [[1, 1], [1, 9], [9, 1], [5, 7], [16, 16], [33, 20], [12, 40]]
CASES = [
    {},
    {"lr": 0.02, "momentum": 0.5, "nesterov": False},
    {"lr": 0.02, "weightDecay": 0, "adjustLrFn": "match_rms_adamw"},
    {"lr": 0.05, "nsSteps": 3, "nsCoefficients": [2.0, -1.5, 0.5], "weightDecay": 0.5},
]


def orthogonal(update, coefficients, steps, eps):
    a, b, c = coefficients
    x = update.to(torch.bfloat16)
    tall = x.shape[0] > x.shape[1]
    x = x.T if tall else x
    x = x / x.norm().clamp(min=eps)
    for _ in range(steps):
        gram = x @ x.T
        inner = torch.addmm(gram, gram, gram, beta=b, alpha=c)
        x = torch.addmm(x, inner, x, beta=a)
    return x.T if tall else x


def run(options):
    o = {"lr": 1e-3, "weightDecay": 0.1, "momentum": 0.95, "nesterov": True, "nsSteps": 5}
    o |= {"nsCoefficients": [3.4445, -4.775, 2.0315], "eps": 1e-7, "adjustLrFn": "original"} | options
    result = []
    for i, (rows, columns) in enumerate(SHAPES):
        draw = lambda step: torch.from_numpy(
            values(rows * columns, "normal", SEED, step, i)
        ).reshape(rows, columns)
        p, buffer = draw(0), torch.zeros(rows, columns)
        ratio = math.sqrt(max(1, rows / columns))
        if o["adjustLrFn"] == "match_rms_adamw":
            ratio = 0.2 * math.sqrt(max(rows, columns))
        for step in range(1, STEPS + 1):
            grad = draw(step)
            buffer.lerp_(grad, 1 - o["momentum"])
            update = grad.lerp(buffer, o["momentum"]) if o["nesterov"] else buffer
            update = orthogonal(update, o["nsCoefficients"], o["nsSteps"], o["eps"])
            if o["weightDecay"] != 0:
                p.mul_(1 - o["lr"] * o["weightDecay"])
            p.add_(update, alpha=-o["lr"] * ratio)
        result.append({"data": written(p), "momentumBuffer": written(buffer)})
    return result


def written(part):
    return base64.b64encode(part.numpy().astype("<f4").tobytes()).decode()


cases = [{"options": options, "parameters": run(options)} for options in CASES]
head = {"torch": torch.__version__, "seed": SEED, "steps": STEPS, "shapes": SHAPES}
lines = ",\n".join(json.dumps(case) for case in cases)
(here / "muon.json").write_text(json.dumps(head)[:-1] + f', "cases": [\n{lines}\n]}}\n')
