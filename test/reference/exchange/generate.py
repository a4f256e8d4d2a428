"""Runs that go over from PyTorch to gradstep and back, for the test that needs no Python.

    python3 generate.py

writes from-torch/ROW-N.safetensors, a run of each optimizer after its first steps, then reads
from-gradstep/ROW-N.safetensors, which `test/state-dict/torch-exchange.test.ts` has written, makes
the rest of the steps of both, and writes what came out: results.json.
"""

import base64
import json
import re
import sys
from pathlib import Path

here = Path(__file__).resolve().parent if "__file__" in globals() else Path("exchange")
sys.dont_write_bytecode = True
sys.path[:0] = [str(here), str(here.parent)]

import numpy as np
import torch

from exchange import load, save
from inputs import values
from optimizers import EXCHANGED

SHAPES = {"body.weight": [5, 7], "body.bias": [5], "head.scale": [], "late": [3]}
CUT, END = 4, 9
"""Steps 1 to CUT come before the file, those to END after it."""
SEED = 11


def to_torch(options):
    names = {re.sub("[A-Z]", lambda c: "_" + c[0].lower(), name): v for name, v in options.items()}
    return {name: tuple(v) if isinstance(v, list) else v for name, v in names.items()}


class Run:
    """An optimizer over two groups of named parameters; the last one begins after the cut."""

    def __init__(self, row, options):
        self.model = {}
        for i, (name, shape) in enumerate(SHAPES.items()):
            data = torch.from_numpy(values(int(np.prod(shape)), "normal", SEED, 0, i))
            self.model[name] = data.reshape(shape).requires_grad_()
        named = list(self.model.items())
        groups = [{"params": named[:2]}, {"params": named[2:], "lr": 0.015625}]
        build = getattr(torch.optim, row.name)
        plain = {"foreach": False}
        if row.name in ("SGD", "Adam", "AdamW", "Adagrad"):
            plain["fused"] = False
        self.optimizer = build(groups, **to_torch(options), **plain)

    def steps(self, first, last):
        for step in range(first, last + 1):
            for i, parameter in enumerate(self.model.values()):
                late = i == 3 and step <= CUT
                grad = values(parameter.numel(), "normal", SEED, step, i)
                parameter.grad = None if late else torch.from_numpy(grad).reshape(parameter.shape)
            self.optimizer.step()

    def bits(self):
        """All values, then all state in the order of its names, as base64 of float32."""
        tensors = list(self.model.values())
        for parameter in self.model.values():
            state = self.optimizer.state.get(parameter, {})
            tensors += [state[key] for key in sorted(state) if state[key] is not None]
        parts = [t.detach().float().numpy().astype("<f4").tobytes() for t in tensors]
        return base64.b64encode(b"".join(parts)).decode()


def go_on(path, row, options):
    """A new run that takes over a file and makes the rest of the steps."""
    run = Run(row, {})
    load(path, run.model, run.optimizer)
    run.steps(CUT + 1, END)
    return run.bits()


def main():
    results = []
    (here / "from-torch").mkdir(exist_ok=True)
    for row in EXCHANGED:
        for i, options in enumerate(row.corners):
            name = f"{row.name.lower()}-{i}"
            run = Run(row, options)
            torch.optim.lr_scheduler.LambdaLR(run.optimizer, lambda epoch: 1)  # leaves initial_lr
            run.steps(1, CUT)
            save(here / "from-torch" / f"{name}.safetensors", run.model, run.optimizer)
            run.steps(CUT + 1, END)
            back = here / "from-gradstep" / f"{name}.safetensors"
            result = {"name": name, "optimizer": row.name, "options": options, "end": run.bits()}
            if back.exists():
                result["back"] = go_on(back, row, options)
            own = go_on(here / "from-torch" / f"{name}.safetensors", row, options)
            assert own == result["end"], f"{name} is not resumed by PyTorch itself"
            results.append(result)
    lines = ",\n".join(json.dumps(result) for result in results)
    torch_version = torch.__version__.split("+")[0]
    text = f'{{"torch": "{torch_version}", "cases": [\n{lines}\n]}}\n'
    (here / "results.json").write_text(text)


main()
