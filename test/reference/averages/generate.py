"""Runs torch.optim.swa_utils.AveragedModel and writes what came out: goldens.json beside itself.

Run it with Python 3, NumPy and torch 2.6: python3 test/reference/averages/generate.py
"""

import base64
import hashlib
import json
import sys
import zlib
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import torch
from torch.optim import swa_utils

from inputs import KINDS, values

NAN = 0x7FC00000
LENGTHS = [0, 1, 5, 16, 33, 70, 3001]
VECTOR_LOOP = 64
"""Torch works on multiples of this without its scalar tail, whatever the processor."""
DECAYS = [0, 0.25, 0.5, 0.51, 0.9, 0.999, 0.99999, 1]

AVERAGES = {
    "get_ema_avg_fn": lambda decay: {"avg_fn": swa_utils.get_ema_avg_fn(decay)},
    "get_ema_multi_avg_fn": lambda decay: {"multi_avg_fn": swa_utils.get_ema_multi_avg_fn(decay)},
    "get_swa_avg_fn": lambda _: {"avg_fn": swa_utils.get_swa_avg_fn()},
    "get_swa_multi_avg_fn": lambda _: {"multi_avg_fn": swa_utils.get_swa_multi_avg_fn()},
    "AveragedModel": lambda _: {},
}


def cases():
    """Every function with values of every kind; the seed hangs on the name."""
    mixed = [["normal", 6], ["scaled", 3], ["denormal", 2]]
    mixed += [["zero", 1], ["normal", 1], ["special", 1]]
    for function in AVERAGES:
        for decay in DECAYS if "ema" in function else [None]:
            yield case(function, decay, "mixed", mixed)
            for kind in KINDS:
                yield case(function, decay, kind, [[kind, 8]])
        yield case(function, 0.99 if "ema" in function else None, "long", [["normal", 1200]])


def case(function, decay, name, kinds):
    """Kinds: of the parameters' values, each with the number of updates that it lasts."""
    seed = zlib.crc32(f"{function} {decay} {name}".encode())
    lengths = [1, 19] if name == "long" else LENGTHS
    return {"function": function, "decay": decay, "name": name, "seed": seed, "kinds": kinds,
            "lengths": lengths}


def parameter(length, kind, seed, update, number):
    """Padded, so that every element goes through torch's vector loop."""
    array = values(length, kind, seed, update, number)
    return torch.nn.Parameter(torch.from_numpy(np.pad(array, (0, -len(array) % VECTOR_LOOP))))


def bits(tensor, length):
    """A NaN equals any NaN, so all of them are written as one."""
    found = tensor.detach().numpy()[:length].view(np.uint32).copy()
    found[(found & 0x7FFFFFFF) > 0x7F800000] = NAN
    return found.astype("<u4").tobytes()


def digest(parts):
    return hashlib.sha256(b"".join(parts)).hexdigest()[:8]


def run(case):
    kinds = [kind for kind, updates in case["kinds"] for _ in range(updates)]
    model = torch.nn.ParameterList(
        parameter(length, kinds[0], case["seed"], 0, number)
        for number, length in enumerate(case["lengths"])
    )
    average = swa_utils.AveragedModel(model, **AVERAGES[case["function"]](case["decay"]))
    snapshot = lambda: [bits(p, n) for p, n in zip(average.module, case["lengths"])]
    trace = [digest(snapshot())]
    for update, kind in enumerate(kinds, 1):
        with torch.no_grad():
            for number, length in enumerate(case["lengths"]):
                model[number].copy_(parameter(length, kind, case["seed"], update, number))
        average.update_parameters(model)
        trace.append(digest(snapshot()))
    end = base64.b64encode(b"".join(snapshot()[:3])).decode()
    return {**case, "trace": "".join(trace), "end": end}


def write():
    lines = ",\n".join(json.dumps(run(case)) for case in cases())
    path = Path(__file__).with_name("goldens.json")
    path.write_text(f'{{"torch": "{torch.__version__}", "cases": [\n{lines}\n]}}\n')


write()
