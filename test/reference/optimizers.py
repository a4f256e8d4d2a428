"""The table: one row per optimizer, with the options that its cases go through.

Options have gradstep's names; `generate.py` translates them. A new optimizer is a new row.
"""

from dataclasses import dataclass, field
from typing import Callable

import torch


@dataclass(frozen=True)
class Row:
    name: str
    """The class, in torch.optim as in gradstep."""
    grid: list
    """Sets of options, each of which runs over all lengths."""
    corners: list
    """Sets of options that run over every kind of value, together in groups, and for long."""
    choices: dict
    """What random programs and edits between steps draw from."""
    valid: Callable = lambda options: True
    """Whether a full set of options is one that the optimizer accepts."""
    eager: Callable = lambda optimizer, parameter: None
    """Makes the state that torch forgets for parameters of a group that is added later."""
    late_state: dict = field(default_factory=dict)
    """State that torch lacks (KeyError) when the option is switched on after the first step."""


def nesterov_has_momentum(options):
    return not options.get("nesterov") or (
        options.get("momentum", 0) > 0 and options.get("dampening", 0) == 0
    )


SGD = Row(
    name="SGD",
    grid=[
        {},
        {"lr": 0.01},
        {"lr": 0.01, "weightDecay": 0.5},
        {"lr": 0.01, "momentum": 0.9},
        {"lr": 0.01, "weightDecay": 0.1, "maximize": True},
        {"lr": 0.01, "momentum": 0.9, "dampening": 0.5},
        {"lr": 0.01, "momentum": 0.9, "weightDecay": 0.1},
        {"lr": 0.01, "momentum": 0.9, "nesterov": True, "weightDecay": 0.1},
        {"lr": 0.01, "maximize": True},
        {"lr": 0.01, "momentum": 0.3, "nesterov": True, "maximize": True},
        {"lr": 0.1, "momentum": 0.9, "dampening": 0.1, "weightDecay": 0.01, "maximize": True},
        {"lr": 0.1, "dampening": 0.5},
        {"lr": 0.3, "momentum": 1.0, "dampening": 1.0},
        {"lr": 0.1, "momentum": 0.5, "dampening": -0.7},
        {"lr": 1e-28, "momentum": 0.9},
        {"lr": 1e-42, "weightDecay": 1e-40},
        {"lr": 0.0, "momentum": 0.9, "weightDecay": 0.1},
    ],
    corners=[
        {},
        {"lr": 0.1, "momentum": 0.9, "dampening": 0.5, "weightDecay": 0.1, "maximize": True},
        {"lr": 0.0, "maximize": True},
        {"lr": 0.01, "momentum": 0.99, "nesterov": True, "weightDecay": 0.01},
    ],
    choices={
        "lr": [0.0, 1e-28, 1e-3, 0.01, 0.1, 0.3, 1.7],
        "momentum": [0, 0.1, 0.5, 0.9, 0.99],
        "dampening": [0, 0.1, 0.5, 1.0],
        "weightDecay": [0, 1e-4, 0.1, 0.5],
        "nesterov": [False, True],
        "maximize": [False, True],
    },
    valid=nesterov_has_momentum,
)

ADAM_GRID = [
    {},
    {"lr": 0.01},
    {"lr": 0.01, "weightDecay": 0.1},
    {"lr": 0.01, "weightDecay": 0.1, "maximize": True},
    {"lr": 0.01, "weightDecay": 0.1, "amsgrad": True},
    {"lr": 0.01, "weightDecay": 0.1, "amsgrad": True, "maximize": True},
    {"lr": 0.01, "amsgrad": True},
    {"weightDecay": 0},
    {"betas": [0.5, 0.9]},
    # 1 - beta1 is below 0.5 in double and is 0.5 in float32, where lerp decides.
    {"betas": [0.50000001, 0.9]},
    {"betas": [0.5001, 0.9]},
    {"betas": [0.4, 0.95]},
    {"betas": [0.0, 0.0]},
    {"betas": [0.0, 0.999], "weightDecay": 0.1},
    {"betas": [0.9, 0.999999]},
    {"betas": [0.999999, 0.5], "amsgrad": True},
    {"lr": 0.01, "eps": 0},
    {"lr": 0.01, "eps": 1.0},
    {"lr": 0.01, "eps": 1e-42},
    {"lr": 1e-28},
    {"lr": 0.0, "weightDecay": 0.1},
    # The factor of decoupled decay is zero, then negative.
    {"lr": 10.0, "weightDecay": 0.1},
    {"lr": 2.0, "weightDecay": 1.5},
]

ADAM_CORNERS = [
    {},
    {"lr": 0.01, "weightDecay": 0.1, "amsgrad": True, "maximize": True, "betas": [0.937, 0.9273]},
    {"lr": 0.0, "eps": 0, "betas": [0.4, 0.999999]},
]

ADAM_CHOICES = {
    "lr": [0.0, 1e-28, 3e-4, 1e-3, 0.01, 0.1, 1.7],
    "betas": [[0.9, 0.999], [0.5, 0.9], [0.4, 0.99], [0.0, 0.5], [0.8, 0.0], [0.95, 0.999999]],
    "eps": [0, 1e-12, 1e-8, 1e-3, 1.0],
    "weightDecay": [0, 1e-4, 0.1, 0.5],
    "amsgrad": [False, True],
    "maximize": [False, True],
}

RMSPROP = Row(
    name="RMSprop",
    grid=[
        {},
        {"lr": 0.01},
        {"lr": 1e-3, "weightDecay": 0.1},
        {"maximize": True},
        {"weightDecay": 0.1, "centered": True},
        {"weightDecay": 0.1, "maximize": True},
        {"weightDecay": 0.1, "centered": True, "momentum": 0.1},
        {"weightDecay": 0.1, "centered": True, "momentum": 0.1, "maximize": True},
        {"alpha": 0.4, "centered": True},
        {"alpha": 0.5, "momentum": 0.9},
        {"alpha": 1.5},
        {"eps": 0},
        {"lr": 1e-28, "eps": 1.0},
    ],
    corners=[
        {},
        {"momentum": 0.9, "centered": True, "weightDecay": 0.01, "alpha": 0.3},
        {"eps": 1e-3, "maximize": True},
    ],
    choices={
        "lr": [0.0, 1e-3, 0.01, 0.1],
        "momentum": [0, 0.1, 0.9],
        "alpha": [0.0, 0.4, 0.5, 0.9, 0.99],
        "eps": [1e-12, 1e-8, 1e-3, 1.0],
        "centered": [False, True],
        "weightDecay": [0, 1e-4, 0.1],
        "maximize": [False, True],
    },
    late_state={"momentum": "momentum_buffer", "centered": "grad_avg"},
)

def make_sum(optimizer, parameter):
    """Adagrad makes its state in the constructor alone, and fails after add_param_group."""
    initial = optimizer.defaults["initial_accumulator_value"]
    sums = torch.full_like(parameter, initial).detach()
    optimizer.state[parameter] = {"step": torch.tensor(0.0), "sum": sums}


ADAGRAD = Row(
    name="Adagrad",
    eager=make_sum,
    grid=[
        {},
        {"lr": 0.1},
        {"weightDecay": 0.1},
        {"weightDecay": 0.1, "maximize": True},
        {"initialAccumulatorValue": 0.1, "weightDecay": 0.1},
        {"lr": 0.1, "lrDecay": 0.5, "weightDecay": 0.1},
        {"eps": 0, "initialAccumulatorValue": 1.0},
        {"eps": 1.0},
    ],
    corners=[{}, {"lr": 0.1, "lrDecay": 0.01, "weightDecay": 0.01}, {"maximize": True}],
    choices={
        "lr": [0.0, 1e-3, 0.01, 0.1, 1.7],
        "lrDecay": [0, 0.01, 0.5],
        "eps": [1e-10, 1e-3, 1.0],
        "weightDecay": [0, 1e-4, 0.1],
        "maximize": [False, True],
    },
)

ADADELTA = Row(
    name="Adadelta",
    grid=[
        {},
        {"lr": 0.01},
        {"weightDecay": 0.1},
        {"maximize": True},
        {"weightDecay": 0.1, "maximize": True},
        {"rho": 0.95, "weightDecay": 0.9},
        {"rho": 0.0},
        {"rho": 1.0, "eps": 1e-3},
    ],
    corners=[{}, {"rho": 0.95, "weightDecay": 0.01, "maximize": True}, {"eps": 1.0, "lr": 0.1}],
    choices={
        "lr": [0.0, 0.01, 0.5, 1.0],
        "rho": [0.0, 0.3, 0.9, 0.99, 1.0],
        "eps": [1e-12, 1e-6, 1e-3, 1.0],
        "weightDecay": [0, 1e-4, 0.1],
        "maximize": [False, True],
    },
)

ADAMAX = Row(
    name="Adamax",
    grid=[
        {},
        {"lr": 0.1},
        {"weightDecay": 0.1},
        {"weightDecay": 0.1, "maximize": True},
        {"maximize": True},
        {"betas": [0.4, 0.95]},
        {"betas": [0.999999, 0.0]},
        {"eps": 0},
        {"eps": 1.0},
    ],
    corners=[{}, {"betas": [0.5, 0.9], "weightDecay": 0.1, "maximize": True}, {"lr": 0.1, "eps": 1e-3}],
    choices={
        "lr": [0.0, 1e-3, 0.01, 0.1],
        "betas": [[0.9, 0.999], [0.5, 0.9], [0.4, 0.99], [0.95, 0.999999]],
        "eps": [1e-12, 1e-8, 1e-3, 1.0],
        "weightDecay": [0, 1e-4, 0.1],
        "maximize": [False, True],
    },
)

RADAM = Row(
    name="RAdam",
    grid=[
        {},
        {"lr": 2e-3},
        {"eps": 1e-6},
        {"weightDecay": 0.1},
        {"weightDecay": 0.1, "decoupledWeightDecay": True},
        {"weightDecay": 0.1, "maximize": True},
        {"betas": [0.4, 0.95]},
        # The average never becomes long enough to be rectified.
        {"betas": [0.9, 0.5]},
        {"betas": [0.9, 0.999999]},
        {"eps": 1.0, "lr": 0.1},
    ],
    corners=[
        {},
        {"betas": [0.5, 0.9], "weightDecay": 0.1, "maximize": True},
        {"betas": [0.8, 0.99], "weightDecay": 0.1, "decoupledWeightDecay": True, "lr": 0.1},
    ],
    choices={
        "lr": [0.0, 1e-3, 0.01, 0.1],
        "betas": [[0.9, 0.999], [0.5, 0.9], [0.4, 0.99], [0.95, 0.999999], [0.8, 0.6]],
        "eps": [1e-12, 1e-8, 1e-3, 1.0],
        "weightDecay": [0, 1e-4, 0.1],
        "decoupledWeightDecay": [False, True],
        "maximize": [False, True],
    },
)

RPROP = Row(
    name="Rprop",
    grid=[
        {},
        {"lr": 2e-4},
        {"etas": [0.5, 1.5]},
        {"stepSizes": [2e-6, 100]},
        {"maximize": True},
        {"stepSizes": [0.009, 0.011], "etas": [0.1, 3.0]},
    ],
    corners=[{}, {"lr": 0.1, "etas": [0.3, 1.7], "maximize": True}, {"stepSizes": [1e-3, 0.02]}],
    choices={
        "lr": [1e-3, 0.01, 0.1],
        "etas": [[0.5, 1.2], [0.3, 1.7], [0.9, 1.01]],
        "stepSizes": [[1e-6, 50], [1e-3, 0.02], [0, 1.0]],
        "maximize": [False, True],
    },
)

NADAM = Row(
    name="NAdam",
    grid=[
        {},
        {"lr": 1e-3},
        {"momentumDecay": 6e-3},
        {"weightDecay": 0.1},
        {"weightDecay": 0.1, "momentumDecay": 6e-3},
        {"weightDecay": 0.1, "momentumDecay": 6e-3, "decoupledWeightDecay": True},
        {"weightDecay": 0.1, "maximize": True},
        {"betas": [0.4, 0.95], "momentumDecay": 0.0},
        {"betas": [0.999999, 0.5], "momentumDecay": 1.7},
        {"eps": 0},
        {"eps": 1.0, "lr": 0.1, "momentumDecay": 1.0},
    ],
    corners=[
        {},
        {"betas": [0.5, 0.9], "weightDecay": 0.1, "momentumDecay": 0.37, "maximize": True},
        {"betas": [0.8, 0.99], "weightDecay": 0.1, "decoupledWeightDecay": True, "lr": 0.1},
    ],
    choices={
        "lr": [0.0, 1e-3, 0.01, 0.1],
        "betas": [[0.9, 0.999], [0.5, 0.9], [0.4, 0.99], [0.95, 0.999999], [0.8, 0.6]],
        "eps": [1e-12, 1e-8, 1e-3, 1.0],
        "weightDecay": [0, 1e-4, 0.1],
        "momentumDecay": [0.0, 4e-3, 0.1, 1.0, 2.3],
        "decoupledWeightDecay": [False, True],
        "maximize": [False, True],
    },
)

ASGD = Row(
    name="ASGD",
    grid=[
        {},
        {"lambd": 0.1},
        {"lr": 0.02},
        {"t0": 100},
        {"maximize": True},
        {"weightDecay": 0.1},
        {"weightDecay": 0.1, "maximize": True},
        # Averaging begins in the middle, or at once.
        {"t0": 5.5, "lr": 0.1, "lambd": 0.01},
        {"t0": 0, "alpha": 1.0, "lambd": 0.3},
        {"t0": -2, "alpha": -0.3},
        # The factor of the decay is zero, then negative.
        {"lr": 10.0, "lambd": 0.1, "alpha": 0.0},
        {"lr": 3.0, "lambd": 0.5, "alpha": 0.01},
    ],
    corners=[
        {},
        {"lr": 0.1, "lambd": 0.01, "t0": 4, "weightDecay": 0.01, "maximize": True},
        {"lr": 0.02, "lambd": 0.1, "t0": 700, "alpha": 0.66},
    ],
    choices={
        "lr": [0.0, 1e-3, 0.01, 0.1, 0.7],
        "lambd": [0.0, 1e-6, 1e-4, 0.1],
        "alpha": [0.0, 0.5, 0.75, 1.0, 2.0],
        "t0": [0, 3, 7.5, 1e6],
        "weightDecay": [0, 1e-4, 0.1],
        "maximize": [False, True],
    },
)

ROWS = [SGD] + [
    Row(
        name=name,
        grid=ADAM_GRID,
        corners=ADAM_CORNERS,
        choices=ADAM_CHOICES,
        late_state={"amsgrad": "max_exp_avg_sq"},
    )
    for name in ("Adam", "AdamW")
] + [RMSPROP, ADAGRAD, ADADELTA, ADAMAX, NADAM, RADAM, RPROP, ASGD]

ADAFACTOR = Row(
    name="Adafactor",
    grid=[],
    corners=[{}, {"weightDecay": 0.1, "eps": [1e-30, 0.01], "d": 1.5}, {"beta2Decay": -0.5}],
    choices={},
)

EXCHANGED = [*ROWS, ADAFACTOR]
"""Those that go over from PyTorch and back; the last ones agree to a tolerance (shaped/)."""
