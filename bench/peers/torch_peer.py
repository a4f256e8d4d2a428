"""Times torch.optim for bench/peers/torch.ts.

The one argument is a job as JSON; every line printed is one timing as JSON.
"""

import json
import sys
import time

import torch

BURST = 2e6  # nanoseconds that a burst aims at
FEWEST_STEPS = 50  # of a step below a millisecond
MOST_STEPS = 100
FEWEST_BURSTS = 3


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


def burst(optimizer, steps):
    optimizer.step()
    start = time.perf_counter_ns()
    for _ in range(steps):
        optimizer.step()
    return (time.perf_counter_ns() - start) / steps


def rounds_of(optimizer, seconds):
    optimizer.step()
    once = burst(optimizer, 1)
    steps = min(MOST_STEPS, int(BURST / once) + 1)
    if once < 1e6:
        steps = max(FEWEST_STEPS, steps)
    end = time.perf_counter() + seconds
    rounds = []
    while len(rounds) < FEWEST_BURSTS or time.perf_counter() < end:
        rounds.append(round(burst(optimizer, steps), 1))
    return rounds


def main():
    job = json.loads(sys.argv[1])
    for name in job["optimizers"]:
        for variant in job["variants"]:
            for threads in job["threads"]:
                torch.set_num_threads(threads)
                optimizer = make(name, variant, parameters_of(job["lengths"]), job["settings"][name])
                rounds = rounds_of(optimizer, job["seconds"])
                timing = {"optimizer": name, "variant": variant, "threads": threads}
                print(json.dumps({**timing, "rounds": rounds}), flush=True)


main()
