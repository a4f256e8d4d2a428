"""Plays scenarios.py under PyTorch and writes every lr and momentum that came out: values.json.

Run it with Python 3 and torch >= 2.6. Of long runs only some steps are written (`sampled`).
"""

import json
import math
import sys
import warnings
from pathlib import Path

sys.dont_write_bytecode = True
warnings.simplefilter("ignore")

import torch
from torch.optim import lr_scheduler
from torch.optim.swa_utils import SWALR

import scenarios

FUNCTIONS = {
    "decay": lambda epoch: 1 / (1 + 0.01 * epoch),
    "nearly_one": lambda epoch: 1 - 1 / (epoch + 50),
    "sine": lambda x: 0.5 * (1 + math.sin(x * math.pi / 7)),
}

METRICS = {
    "rising": lambda i: 1 + 0.005 * i,
    "falling": lambda i: 10 - 0.0165 * i,
    "noisy": lambda i: 2 / (1 + 0.002 * i) + 0.4 * ((i * 7919) % 101) / 101,
    "nan": lambda i: math.nan if i % 3 else 1 - 0.001 * i,
}


def sampled(steps):
    """The first 200 steps, the last 50, every 37th between; all of a short run."""
    return [i for i in range(steps + 1) if i < 200 or i > steps - 50 or i % 37 == 0]


def value_of(argument):
    if isinstance(argument, list):
        return [value_of(item) for item in argument]
    if isinstance(argument, str) and argument.startswith("named:"):
        return FUNCTIONS[argument.removeprefix("named:")]
    return argument


def build(optimizer, name, arguments):
    arguments = dict(arguments)
    inner = arguments.pop("schedulers", None)
    values = {key: value_of(value) for key, value in arguments.items()}
    if name == "ChainedScheduler":
        return lr_scheduler.ChainedScheduler([build(optimizer, *one) for one in inner], **values)
    if inner is not None:
        values["schedulers"] = [build(optimizer, *one) for one in inner]
    kind = SWALR if name == "SWALR" else getattr(lr_scheduler, name)
    return kind(optimizer, **values)


def resumed(scheduler, last_epoch):
    """The same, with `last_epoch` for each that takes it."""
    name, arguments = scheduler
    if name != "ChainedScheduler":
        return [name, {**arguments, "last_epoch": last_epoch}]
    return [name, {"schedulers": [resumed(one, last_epoch) for one in arguments["schedulers"]]}]


def group_of(group):
    betas = {"betas": tuple(group["betas"])} if "betas" in group else {}
    return {"params": [torch.nn.Parameter(torch.zeros(1))], **group, **betas}


def momentum_of(group):
    return group["betas"][0] if "betas" in group else group["momentum"]


def play(case):
    """Yields (lr, momentum) of every group at step 0, and after every step."""
    optimizer = getattr(torch.optim, case["optimizer"])([group_of(g) for g in case["groups"]])
    main = build(optimizer, *case["scheduler"])
    beside = [build(optimizer, *one) for one in case.get("beside", [])]
    switch, epochs, add = case.get("switch"), case.get("epochs", []), case.get("add")
    resume = case.get("resume")
    metric = METRICS.get(case.get("metrics"))
    read = lambda: [[g["lr"], momentum_of(g)] for g in optimizer.param_groups]
    yield read()
    for i in range(case["steps"]):
        arguments = [metric(i)] if metric else []
        if epochs:
            if i >= len(epochs):
                return
            arguments = [] if epochs[i] is None else [epochs[i]]
        optimizer.step()
        if switch is None:
            main.step(*arguments)
            for scheduler in beside:
                scheduler.step()
        else:
            (main if i < switch else beside[0]).step()
        for edit in case.get("edits", []):
            if edit["after"] == i:
                optimizer.param_groups[edit["group"]]["lr"] = edit["lr"]
        if add and add["after"] == i:
            optimizer.add_param_group(group_of(add["group"]))
        if resume and resume["after"] == i:
            for group, lr in zip(optimizer.param_groups, resume["lrs"]):
                group["lr"] = lr
            main = build(optimizer, *resumed(case["scheduler"], i + 1))
        yield read()


def main():
    lines = []
    for case in scenarios.SCENARIOS:
        rows = list(play(case))
        keep = [rows[i] for i in sampled(len(rows) - 1)]
        lines.append(f"{json.dumps(case['name'])}: {json.dumps(keep, separators=(',', ':'))}")
    text = ",\n".join([f'"torch": {json.dumps(torch.__version__)}', *lines])
    Path(__file__).with_name("values.json").write_text("{\n" + text + "\n}\n")


if __name__ == "__main__":
    main()
