"""Runs every case under PyTorch and writes what came out: sgd.json, adam.json, ... beside itself.

    python3 generate.py           all optimizers
    python3 generate.py Adam      one of them
"""

import base64
import hashlib
import inspect
import json
import re
import struct
import sys
from pathlib import Path

sys.dont_write_bytecode = True

import numpy as np
import torch

from cases import cases_of
from inputs import values
from optimizers import ROWS

NAN = 0x7FC00000
BITS_PER_CASE = 80
"""So many values of a case are written out in full; of the others a digest."""
TRACE_DIGITS = 8
"""Of the digest after each step, which tells where a run leaves the path."""
VECTOR_LOOP = 64
"""Torch works on multiples of this without its scalar tail, whatever the processor."""


def snake(name):
    return re.sub("[A-Z]", lambda letter: "_" + letter[0].lower(), name)


def camel(name):
    return re.sub("_(.)", lambda letter: letter[1].upper(), name)


def to_torch(options):
    """JSON has lists where torch has tuples."""
    return {
        snake(name): tuple(value) if isinstance(value, list) else value
        for name, value in options.items()
    }


def padded(array, multiple):
    """A tensor of the array with zeros behind it, up to a multiple."""
    return torch.from_numpy(np.pad(array, (0, -len(array) % multiple)))


def float32_bits(tensor, length):
    """A NaN equals any NaN, so all of them are written as one."""
    bits = tensor.detach().numpy()[:length].view(np.uint32).copy()
    bits[(bits & 0x7FFFFFFF) > 0x7F800000] = NAN
    return bits.astype("<u4").tobytes()


class Run:
    """One case under torch: an optimizer, its parameters, and the number of steps made.

    Tensors are padded to the given multiple; what is beyond their length is never looked at.
    """

    def __init__(self, row, case, multiple):
        self.row, self.case, self.multiple = row, case, multiple
        self.parameters, self.lengths = [], []
        self.step = 0
        build = getattr(torch.optim, row.name)
        # The plain path: one operation after the other, as documented.
        plain = {"foreach", "fused"} & inspect.signature(build).parameters.keys()
        groups = [self.make_group(group) for group in case["groups"]]
        options = to_torch(case["defaults"]) | dict.fromkeys(plain, False)
        self.optimizer = build(groups, **options)

    def make_group(self, group):
        made = []
        for length in group["lengths"]:
            number = len(self.parameters)
            data = values(length, group["values"], self.case["seed"], 0, number)
            made.append(torch.nn.Parameter(padded(data, self.multiple)))
            self.parameters.append(made[-1])
            self.lengths.append(length)
        return {"params": made, **to_torch(group["options"])}

    def play(self, phase):
        """Makes the steps of a phase, and yields a digest after each."""
        for group in phase.get("groups", []):
            self.optimizer.add_param_group(self.make_group(group))
            for parameter in self.optimizer.param_groups[-1]["params"]:
                self.row.eager(self.optimizer, parameter)
        for edit in phase.get("edits", []):
            self.optimizer.param_groups[edit["group"]].update(to_torch(edit["options"]))
        self.add_late_state()
        for _ in range(phase["steps"]):
            self.step += 1
            self.set_gradients(phase["grads"], phase.get("without", []))
            self.optimizer.step()
            yield digest(*self.snapshots())[:TRACE_DIGITS]

    def set_gradients(self, kind, without):
        for number, parameter in enumerate(self.parameters):
            parameter.grad = None
            if number not in without:
                length = self.lengths[number]
                grad = values(length, kind, self.case["seed"], self.step, number)
                parameter.grad = padded(grad, self.multiple)

    def add_late_state(self):
        """What torch forgets when an option is switched on after a parameter's first step."""
        for group in self.optimizer.param_groups:
            for option, name in self.row.late_state.items():
                for parameter in group["params"] if group[option] else []:
                    state = self.optimizer.state.get(parameter)
                    if state and name not in state:
                        state[name] = torch.zeros_like(parameter)

    def snapshots(self):
        return [self.snapshot(*pair) for pair in zip(self.parameters, self.lengths)]

    def snapshot(self, parameter, length):
        """The data and state of a parameter by name: numbers, and bytes of float32 bits."""
        parts = {"data": float32_bits(parameter, length)}
        state = self.optimizer.state.get(parameter, {})
        begun = float(state.get("step", 1)) > 0  # Adagrad has zeros even before
        for name, part in state.items() if begun else []:
            if part is not None:
                number = part.dim() == 0
                parts[camel(name)] = part.item() if number else float32_bits(part, length)
        return parts


def digest(*snapshots):
    """Sixty-four bits of a SHA-256: of all names in order, then of all values as float32."""
    parts = [pair for snapshot in snapshots for pair in sorted(snapshot.items())]
    sha = hashlib.sha256(",".join(name for name, _ in parts).encode())
    for _, part in parts:
        sha.update(part if isinstance(part, bytes) else struct.pack("<f", part))
    return sha.hexdigest()[:16]


def written(snapshots):
    """The last snapshots for the file: full bits as long as the case's share of them lasts."""
    left = BITS_PER_CASE
    for snapshot in snapshots:
        length = len(snapshot["data"]) // 4
        if length <= left:
            left -= length
            yield {
                name: base64.b64encode(part).decode() if isinstance(part, bytes) else part
                for name, part in snapshot.items()
            }
        else:
            yield digest(snapshot)


def run_case(row, case, multiple):
    run = Run(row, case, multiple)
    trace = "".join(digits for phase in case["phases"] for digits in run.play(phase))
    return {**case, "trace": trace, "parameters": list(written(run.snapshots()))}


def run_both_ways(row, case):
    """The golden case is what torch's vector loop gives; says so if its scalar tail does not."""
    golden = run_case(row, case, VECTOR_LOOP)
    if run_case(row, case, 1) != golden:
        print(f"{row.name}: torch's tail differs from its loop in '{case['name']}'")
    return golden


def write(row):
    """One line per part of a case, so that a change shows where it is."""
    cases = [run_both_ways(row, case) for case in cases_of(row)]
    assert len({case["name"] for case in cases}) == len(cases), "two cases of one name"
    lines = []
    for case in cases:
        parts = (f'"{name}": {json.dumps(part)}' for name, part in case.items())
        lines.append("{" + ",\n ".join(parts) + "}")
    head = f'"torch": "{torch.__version__}",\n"optimizer": "{row.name}",\n"cases": [\n'
    path = Path(__file__).with_name(f"{row.name.lower()}.json")
    path.write_text("{" + head + ",\n".join(lines) + "\n]}\n")
    print(f"{path.name}: {len(cases)} cases, {path.stat().st_size} bytes")


if __name__ == "__main__":
    torch.set_num_threads(1)
    for row in ROWS:
        if row.name in (sys.argv[1:] or [row.name]):
            write(row)
