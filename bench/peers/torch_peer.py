"""Steps torch.optim for bench/peers/torch.ts, which asks for every burst: lines of JSON both ways.

{"open": id, …}          makes an optimizer
{"run": id, "steps": n}  answers with the nanoseconds of n steps; one more comes first
{"close": id}            lets it go
"""

import json
import sys
import time

import torch


def parameters_of(runs):
    lengths = [length for length, count in runs for _ in range(count)]
    parameters = [torch.zeros(length, requires_grad=True) for length in lengths]
    for p in parameters:
        p.grad = (torch.rand_like(p) + 0.5) * 0.01
    return parameters


def make(name, variant, parameters, settings):
    ways = {"foreach": variant == "foreach", "fused": variant == "fused"}
    if name == "AdamW":
        return torch.optim.AdamW(
            parameters,
            lr=settings["lr"],
            betas=tuple(settings["betas"]),
            eps=settings["eps"],
            weight_decay=settings["weightDecay"],
            **ways,
        )
    return torch.optim.SGD(parameters, lr=settings["lr"], momentum=settings["momentum"], **ways)


def burst(optimizer, threads, steps):
    torch.set_num_threads(threads)
    optimizer.step()
    start = time.perf_counter_ns()
    for _ in range(steps):
        optimizer.step()
    return time.perf_counter_ns() - start


def answer(ask, optimizers):
    if "open" in ask:
        parameters = parameters_of(ask["lengths"])
        made = make(ask["optimizer"], ask["variant"], parameters, ask["settings"])
        optimizers[ask["open"]] = made, ask["threads"]
    elif "close" in ask:
        del optimizers[ask["close"]]
    else:
        return {"time": burst(*optimizers[ask["run"]], ask["steps"])}
    return {}


def main():
    print(json.dumps({"torch": torch.__version__}), flush=True)
    optimizers = {}
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line), optimizers)), flush=True)


main()
