"""Writes powers.json: what Python's ** (glibc's pow) gives where NAdam and ASGD use it, and for
the powers of general norms, and in the formulas of schedulers. Rows of base, exponent, power.

    python3 test/reference/powers/generate.py       on Linux with glibc
"""

import json
from pathlib import Path

STEPS = sorted({round(10 ** (9 * i / 39)) for i in range(40)})


def nadam():
    for momentum_decay in (1e-3, 4e-3, 6e-3, 0.1, 0.37, 1.7):
        for step in STEPS:
            yield 0.96, step * momentum_decay


def asgd():
    for lambd, lr in ((1e-4, 1e-2), (0.1, 0.02), (0.3, 1.0), (50.0, 10.0), (-1e-10, 0.1)):
        for alpha in (0.75, 0.5, 1.0, 2.0, -0.3):
            for step in STEPS[::3]:
                yield 1 + lambd * lr * step, alpha


def norms():
    for i in range(1, 60):
        for exponent in (0.5, 1.5, 3, 1 / 3):
            yield i * 1.37**i * 1e-6, exponent


def schedulers():
    for gamma in (0.1, 0.3, 0.5, 0.8, 0.9, 0.95, 0.97, 0.99, 0.994, 0.999, 0.9997, 1.01):
        for epoch in (*range(2, 20), *STEPS[10:19]):
            yield gamma, epoch
    for total in (7, 90, 1000):
        for exponent in (0.5, 0.9, 2.0, 2.3, 3.0):
            for epoch in range(1, total, total // 7 + 1):
                yield 1 - epoch / total, exponent
                yield (1 - epoch / total) / (1 - (epoch - 1) / total), exponent


def rows():
    for base, exponent in (*nadam(), *asgd(), *norms(), *schedulers()):
        power = base**exponent
        if power > 1e-300:
            yield [base, exponent, power]


text = ",\n".join(json.dumps(row) for row in rows())
Path(__file__).with_name("powers.json").write_text(f"[\n{text}\n]\n")
