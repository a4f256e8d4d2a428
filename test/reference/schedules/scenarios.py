"""Writes scenarios.json: what generate.py plays under PyTorch and the tests play under gradstep.

A scheduler is written [class, arguments]; the schedulers inside one stand in its `schedulers`.
Arguments have torch's names. `named:x` stands for a function that both sides know as x.
"""

import json
from pathlib import Path

LONG = 10_000

ONE = {"optimizer": "SGD", "groups": [{"lr": 0.1, "momentum": 0.9}]}
TWO = {"optimizer": "SGD", "groups": [{"lr": 0.05, "momentum": 0.5}, {"lr": 0.5, "momentum": 0.7}]}
ADAM = {"optimizer": "Adam", "groups": [{"lr": 0.01}, {"lr": 0.003, "betas": [0.8, 0.99]}]}

PLATEAU = {"metrics": "noisy"}

LONG_RUNS = {
    "LambdaLR": [ONE, ["LambdaLR", {"lr_lambda": "named:decay"}]],
    "MultiplicativeLR": [ONE, ["MultiplicativeLR", {"lr_lambda": "named:nearly_one"}]],
    "StepLR": [ONE, ["StepLR", {"step_size": 900, "gamma": 0.3}]],
    "MultiStepLR": [ONE, ["MultiStepLR", {"milestones": [30, 31, 31, 4000, 9990], "gamma": 0.5}]],
    "ConstantLR": [ONE, ["ConstantLR", {"factor": 0.3, "total_iters": 4321}]],
    "LinearLR": [ONE, ["LinearLR", {"start_factor": 0.001, "end_factor": 0.7, "total_iters": 7001}]],
    "ExponentialLR": [ONE, ["ExponentialLR", {"gamma": 0.9991}]],
    "PolynomialLR": [ONE, ["PolynomialLR", {"total_iters": 9500, "power": 2.3}]],
    "CosineAnnealingLR": [ONE, ["CosineAnnealingLR", {"T_max": 777, "eta_min": 1e-3}]],
    "CosineAnnealingWarmRestarts": [
        TWO, ["CosineAnnealingWarmRestarts", {"T_0": 13, "T_mult": 2, "eta_min": 1e-4}]],
    "CyclicLR": [
        TWO, ["CyclicLR", {"base_lr": [0.01, 0.02], "max_lr": [0.1, 0.3], "step_size_up": 111,
                           "step_size_down": 300, "mode": "exp_range", "gamma": 0.9997}]],
    "OneCycleLR": [
        TWO, ["OneCycleLR", {"max_lr": [0.1, 0.7], "total_steps": LONG, "pct_start": 0.23}]],
    "ReduceLROnPlateau": [
        ONE, ["ReduceLROnPlateau", {"factor": 0.8, "patience": 40, "cooldown": 25,
                                    "min_lr": 1e-7, "threshold": 0.01}], PLATEAU],
    "SWALR": [ONE, ["SWALR", {"swa_lr": 0.003, "anneal_epochs": 8000}]],
    "SequentialLR": [
        ONE, ["SequentialLR", {
            "schedulers": [["LinearLR", {"start_factor": 0.01, "total_iters": 500}],
                           ["CosineAnnealingLR", {"T_max": 6000, "eta_min": 0.001}],
                           ["ExponentialLR", {"gamma": 0.9995}]],
            "milestones": [500, 6400]}]],
    "ChainedScheduler": [
        ONE, ["ChainedScheduler", {
            "schedulers": [["ConstantLR", {"factor": 0.1, "total_iters": 400}],
                           ["ExponentialLR", {"gamma": 0.9996}],
                           ["StepLR", {"step_size": 3000, "gamma": 0.5}]]}]],
}

EDITS = {"edits": [{"after": 4, "group": 0, "lr": 0.02}, {"after": 17, "group": 0, "lr": 0.4}]}


def edited(name):
    setup, scheduler, *rest = LONG_RUNS[name]
    return [setup, scheduler, {**(rest[0] if rest else {}), **EDITS}]


SHORT_RUNS = {
    "StepLR, defaults": [TWO, ["StepLR", {"step_size": 3}]],
    "ConstantLR, defaults": [TWO, ["ConstantLR", {}]],
    "LinearLR, defaults": [TWO, ["LinearLR", {}]],
    "LinearLR down to 0": [TWO, ["LinearLR", {"start_factor": 1.0, "end_factor": 0.0,
                                              "total_iters": 9}]],
    "PolynomialLR, defaults": [TWO, ["PolynomialLR", {}]],
    "PolynomialLR, root": [TWO, ["PolynomialLR", {"total_iters": 12, "power": 0.5}]],
    "CosineAnnealingLR, waves": [TWO, ["CosineAnnealingLR", {"T_max": 7}]],
    "CosineAnnealingLR, T_max 1": [TWO, ["CosineAnnealingLR", {"T_max": 1, "eta_min": 0.01}]],
    "CosineAnnealingWarmRestarts": [TWO, ["CosineAnnealingWarmRestarts", {"T_0": 5}]],
    "CosineAnnealingWarmRestarts, jumps": [
        TWO, ["CosineAnnealingWarmRestarts", {"T_0": 10, "T_mult": 3, "eta_min": 1e-3}],
        {"epochs": [0.1, 0.2, 9.9, 10, 12.5, 39.5, 41, 3, 3.5, 130.25, None, None, 0, None]}],
    "CyclicLR, triangular": [
        TWO, ["CyclicLR", {"base_lr": 0.01, "max_lr": 0.1, "step_size_up": 7}]],
    "CyclicLR, triangular2 on beta1": [
        ADAM, ["CyclicLR", {"base_lr": 0.001, "max_lr": [0.01, 0.02], "step_size_up": 4,
                            "step_size_down": 6, "mode": "triangular2",
                            "base_momentum": [0.7, 0.6], "max_momentum": 0.97}]],
    "CyclicLR, scale_fn by cycle": [
        TWO, ["CyclicLR", {"base_lr": 0.01, "max_lr": 0.1, "step_size_up": 5,
                           "scale_fn": "named:sine"}]],
    "CyclicLR, scale_fn by step, without momentum": [
        TWO, ["CyclicLR", {"base_lr": 0.01, "max_lr": 0.1, "step_size_up": 5,
                           "scale_fn": "named:sine", "scale_mode": "iterations",
                           "cycle_momentum": False}]],
    "OneCycleLR on beta1, to the last step": [
        ADAM, ["OneCycleLR", {"max_lr": 0.1, "total_steps": 60}]],
    "OneCycleLR, linear": [
        TWO, ["OneCycleLR", {"max_lr": [0.1, 0.2], "epochs": 8, "steps_per_epoch": 8,
                             "anneal_strategy": "linear", "div_factor": 10,
                             "final_div_factor": 3}]],
    "OneCycleLR, three phases": [
        TWO, ["OneCycleLR", {"max_lr": 0.1, "total_steps": 61, "three_phase": True,
                             "pct_start": 0.4, "base_momentum": [0.5, 0.6],
                             "max_momentum": [0.8, 0.99]}]],
    "OneCycleLR, three linear phases": [
        TWO, ["OneCycleLR", {"max_lr": 0.1, "total_steps": 61, "three_phase": True,
                             "anneal_strategy": "linear"}]],
    "OneCycleLR without momentum": [
        TWO, ["OneCycleLR", {"max_lr": 0.1, "total_steps": 70, "cycle_momentum": False}]],
    "ReduceLROnPlateau, defaults": [
        TWO, ["ReduceLROnPlateau", {"patience": 4}], {"metrics": "rising"}],
    "ReduceLROnPlateau, max abs": [
        TWO, ["ReduceLROnPlateau", {"mode": "max", "threshold_mode": "abs", "threshold": 0.3,
                                    "patience": 2, "cooldown": 3, "min_lr": [0.001, 0.02],
                                    "factor": 0.6}], PLATEAU],
    "ReduceLROnPlateau, max rel": [
        TWO, ["ReduceLROnPlateau", {"mode": "max", "threshold": 0.1, "patience": 3}],
        {"metrics": "rising"}],
    "ReduceLROnPlateau, min abs": [
        TWO, ["ReduceLROnPlateau", {"threshold_mode": "abs", "threshold": 0.1, "patience": 5}],
        {"metrics": "falling"}],
    "ReduceLROnPlateau, NaN": [
        TWO, ["ReduceLROnPlateau", {"patience": 3}], {"metrics": "nan"}],
    "SWALR, linear": [TWO, ["SWALR", {"swa_lr": [0.01, 0.2], "anneal_epochs": 12,
                                      "anneal_strategy": "linear"}]],
    "SWALR, at once": [TWO, ["SWALR", {"swa_lr": 0.01, "anneal_epochs": 0}]],
    "LambdaLR, one for each": [
        TWO, ["LambdaLR", {"lr_lambda": ["named:decay", "named:sine"]}]],
    "MultiplicativeLR, one for each": [
        TWO, ["MultiplicativeLR", {"lr_lambda": ["named:nearly_one", "named:sine"]}]],
    "SequentialLR of four": [
        TWO, ["SequentialLR", {
            "schedulers": [["ConstantLR", {"factor": 0.1, "total_iters": 3}],
                           ["ExponentialLR", {"gamma": 0.8}],
                           ["StepLR", {"step_size": 2}],
                           ["PolynomialLR", {"total_iters": 9, "power": 1.5}]],
            "milestones": [3, 9, 15]}]],
    "SequentialLR of closed forms": [
        TWO, ["SequentialLR", {
            "schedulers": [["LambdaLR", {"lr_lambda": "named:decay"}],
                           ["CosineAnnealingWarmRestarts", {"T_0": 4, "T_mult": 2}],
                           ["MultiStepLR", {"milestones": [0, 3, 6], "gamma": 0.5}],
                           ["CyclicLR", {"base_lr": 0.01, "max_lr": 0.1, "step_size_up": 4}]],
            "milestones": [6, 21, 30]}]],
    "SequentialLR without closed forms": [
        TWO, ["SequentialLR", {
            "schedulers": [["MultiplicativeLR", {"lr_lambda": "named:nearly_one"}],
                           ["SWALR", {"swa_lr": 0.01, "anneal_epochs": 9}],
                           ["MultiplicativeLR", {"lr_lambda": "named:nearly_one"}]],
            "milestones": [6, 24]}]],
    "SequentialLR that begins with a chain": [
        TWO, ["SequentialLR", {
            "schedulers": [["ChainedScheduler", {
                "schedulers": [["LinearLR", {"start_factor": 0.1, "total_iters": 5}],
                               ["ConstantLR", {"factor": 0.1, "total_iters": 5}]]}],
                           ["ConstantLR", {"factor": 0.5, "total_iters": 5}]],
            "milestones": [5]}]],
    "ChainedScheduler of three": [
        TWO, ["ChainedScheduler", {
            "schedulers": [["ExponentialLR", {"gamma": 0.9}],
                           ["ConstantLR", {"factor": 0.2, "total_iters": 4}],
                           ["StepLR", {"step_size": 3, "gamma": 0.1}]]}]],
    "ChainedScheduler with cosine": [
        TWO, ["ChainedScheduler", {
            "schedulers": [["CosineAnnealingLR", {"T_max": 10, "eta_min": 1e-10}],
                           ["LinearLR", {"start_factor": 0.4, "total_iters": 4}]]}]],
    "Several side by side": [
        TWO, ["ReduceLROnPlateau", {"patience": 5, "threshold_mode": "abs", "threshold": 0.1}],
        {"metrics": "falling", "beside": [["MultiStepLR", {"milestones": [3, 8, 12]}],
                                          ["LinearLR", {"start_factor": 0.4, "total_iters": 4}]]}],
    "SWALR late, after MultiplicativeLR": [
        TWO, ["MultiplicativeLR", {"lr_lambda": "named:nearly_one"}],
        {"beside": [["SWALR", {"swa_lr": [0.01, 0.02], "anneal_epochs": 5}]], "switch": 12}],
    **{f"{name}, edited": edited(name) for name in LONG_RUNS},
    **{f"{name}, a group added": [
        ONE, scheduler, {"add": {"after": 5, "group": {"lr": 0.25, "momentum": 0.3}}}]
       for name, scheduler in {
           "StepLR": ["StepLR", {"step_size": 3}],
           "MultiStepLR": ["MultiStepLR", {"milestones": [3, 7, 11]}],
           "ExponentialLR": ["ExponentialLR", {"gamma": 0.9}],
           "LinearLR": ["LinearLR", {"total_iters": 20}],
           "PolynomialLR": ["PolynomialLR", {"total_iters": 20}],
       }.items()},
    **{f"{name} by step(epoch)": [TWO, scheduler, {"epochs": [1, 2, 5, 5, 3, 0, 10, 40, 7]}]
       for name, scheduler in {
           "StepLR": ["StepLR", {"step_size": 3}],
           "MultiStepLR": ["MultiStepLR", {"milestones": [3, 7, 7, 11]}],
           "ConstantLR": ["ConstantLR", {"total_iters": 6}],
           "LinearLR": ["LinearLR", {"end_factor": 0.9, "total_iters": 20}],
           "ExponentialLR": ["ExponentialLR", {"gamma": 0.9}],
           "PolynomialLR": ["PolynomialLR", {"total_iters": 20, "power": 0.7}],
           "CosineAnnealingLR": ["CosineAnnealingLR", {"T_max": 9, "eta_min": 0.01}],
           "LambdaLR": ["LambdaLR", {"lr_lambda": "named:decay"}],
           "CyclicLR": ["CyclicLR", {"base_lr": 0.01, "max_lr": 0.1, "step_size_up": 4}],
       }.items()},
    "ConstantLR of no epochs": [TWO, ["ConstantLR", {"factor": 0.3, "total_iters": 0}]],
    "LinearLR of no epochs": [TWO, ["LinearLR", {"start_factor": 0.3, "total_iters": 0}]],
    "PolynomialLR of no epochs": [TWO, ["PolynomialLR", {"total_iters": 0}]],
    "CyclicLR, a sawtooth": [
        TWO, ["CyclicLR", {"base_lr": 0.01, "max_lr": 0.1, "step_size_up": 7,
                           "step_size_down": 0}]],
    **{f"{name}, resumed": [TWO, scheduler, {"resume": {"after": 6, "lrs": [0.037, 0.21]}}]
       for name, scheduler in {
           "LambdaLR": ["LambdaLR", {"lr_lambda": "named:decay"}],
           "MultiplicativeLR": ["MultiplicativeLR", {"lr_lambda": "named:nearly_one"}],
           "StepLR": ["StepLR", {"step_size": 7}],
           "MultiStepLR": ["MultiStepLR", {"milestones": [3, 7, 7, 11], "gamma": 0.3}],
           "ConstantLR": ["ConstantLR", {"total_iters": 9}],
           "LinearLR": ["LinearLR", {"end_factor": 0.9, "total_iters": 20}],
           "ExponentialLR": ["ExponentialLR", {"gamma": 0.9}],
           "PolynomialLR": ["PolynomialLR", {"total_iters": 20, "power": 0.7}],
           "CosineAnnealingLR": ["CosineAnnealingLR", {"T_max": 9, "eta_min": 0.01}],
           "CosineAnnealingWarmRestarts": [
               "CosineAnnealingWarmRestarts", {"T_0": 5, "T_mult": 2, "eta_min": 1e-3}],
           "CyclicLR": ["CyclicLR", {"base_lr": 0.01, "max_lr": 0.1, "step_size_up": 4,
                                     "mode": "exp_range", "gamma": 0.95}],
           "OneCycleLR": ["OneCycleLR", {"max_lr": [0.1, 0.7], "total_steps": 80}],
           "SWALR": ["SWALR", {"swa_lr": 0.01, "anneal_epochs": 9}],
           "ChainedScheduler": ["ChainedScheduler", {
               "schedulers": [["ExponentialLR", {"gamma": 0.9}], ["StepLR", {"step_size": 7}]]}],
       }.items()},
}


def scenario(name, steps, setup, scheduler, events=None):
    return {"name": name, "steps": steps, **setup, "scheduler": scheduler, **(events or {})}




SCENARIOS = [
    *(scenario(f"{name}, 10,000 steps", LONG - 1 if name == "OneCycleLR" else LONG, *run)
      for name, run in LONG_RUNS.items()),
    *(scenario(name, 60, *run) for name, run in SHORT_RUNS.items()),
]

if __name__ == "__main__":
    lines = ",\n".join(json.dumps(one) for one in SCENARIOS)
    Path(__file__).with_name("scenarios.json").write_text(f"[\n{lines}\n]\n")
