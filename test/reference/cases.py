"""Builds the cases of one row of the table: each is data that any language can replay.

A case has groups of parameters and phases of steps. A phase edits options and adds groups, then
makes its steps with one kind of gradient and with the same parameters left without a gradient.
"""

import random
import zlib

from inputs import KINDS

ALL_LENGTHS = [3001, 70, *range(70)]
LONG_RUN = 1500
RANDOM_PROGRAMS = 24


def cases_of(row):
    yield from grid_cases(row)
    yield from kind_cases(row)
    yield from long_cases(row)
    yield groups_case(row)
    yield skipped_case(row)
    yield edited_case(row)
    yield added_case(row)
    for index in range(RANDOM_PROGRAMS):
        yield random_case(row, index)


def case(name, groups, phases, defaults):
    """The seed hangs on the name alone, so that a new case leaves all others as they are."""
    seed = zlib.crc32(name.encode())
    return {"name": name, "seed": seed, "defaults": defaults, "groups": groups, "phases": phases}


def group(lengths, values="normal", **options):
    return {"lengths": lengths, "values": values, "options": options}


def phase(steps, grads="normal", **changes):
    """Changes: `without` (numbers of parameters), `edits` and `groups`."""
    return {"steps": steps, "grads": grads, **changes}


def title(options):
    return ", ".join(f"{name} {value}" for name, value in options.items()) or "defaults"


def grid_cases(row):
    kinds = [("normal", 8), ("scaled", 4), ("zero", 2), ("denormal", 2), ("special", 4)]
    phases = [phase(steps, kind) for kind, steps in kinds]
    for options in row.grid:
        yield case(f"{title(options)}, all lengths", [group(ALL_LENGTHS)], phases, options)


def kind_cases(row):
    for options in row.corners:
        for kind in KINDS:
            groups = [group([13, 70], values) for values in KINDS]
            yield case(f"{title(options)}, {kind} gradients", groups, [phase(12, kind)], options)


def long_cases(row):
    for options in row.corners:
        name = f"{title(options)}, {LONG_RUN} steps"
        yield case(name, [group([1, 5, 19])], [phase(LONG_RUN)], options)


def groups_case(row):
    groups = [group([5, 33, 17 + i], **options) for i, options in enumerate(row.corners)]
    return case("several groups", groups, [phase(15), phase(15, "scaled")], row.grid[1])


def skipped_case(row):
    """Parameter 0 is always stepped, 1 begins late, 2 never has a gradient, 3 comes and goes."""
    absent = [[1, 2], [1, 2, 3], [2], [2, 3], [0, 1, 2, 3], [2]]
    phases = [phase(3, without=numbers) for numbers in absent]
    return case("skipped parameters", [group([9, 21, 4, 33])], phases, row.corners[1])


def edited_case(row):
    """Every choice of every option is once set in the middle of the run."""
    groups = [group([7, 33]), group([18])]
    options = [{}, {}]
    phases = [phase(3)]
    for round, (name, choices) in enumerate(row.choices.items()):
        for value in choices:
            number = (round + len(phases)) % 2
            if row.valid(options[number] | {name: value}):
                options[number][name] = value
                phases.append(phase(2, edits=[{"group": number, "options": {name: value}}]))
    return case("edited options", groups, phases, {})


def added_case(row):
    later = [group([11, 3], **options) for options in row.corners]
    phases = [phase(4)] + [phase(4, groups=[added]) for added in later]
    return case("added groups", [group([17, 6])], phases, {})


def random_case(row, index):
    rng = random.Random(f"{row.name} {index}")
    defaults = random_options(row, rng, {})
    groups = [random_group(row, rng, defaults) for _ in range(rng.randint(1, 4))]
    live = list(groups)
    phases = [random_phase(row, rng, defaults, live) for _ in range(rng.randint(4, 9))]
    return case(f"random program {index}", groups, phases, defaults)


def random_options(row, rng, defaults):
    """Some of the options, such that they are valid over the defaults."""
    while True:
        names = [name for name in row.choices if rng.random() < 0.4]
        options = {name: rng.choice(row.choices[name]) for name in names}
        if row.valid(defaults | options):
            return options


def random_kind(rng):
    weights = {"normal": 8, "scaled": 4, "denormal": 1, "zero": 1, "special": 1, "huge": 0.3}
    return rng.choices(list(weights), list(weights.values()))[0]


def random_group(row, rng, defaults):
    lengths = [rng.randint(0, 70) for _ in range(rng.randint(1, 4))]
    if rng.random() < 0.1:
        lengths.append(rng.randint(1000, 5000))
    return group(lengths, random_kind(rng), **random_options(row, rng, defaults))


def random_phase(row, rng, defaults, live):
    """`live` holds the groups as they are by now; additions and edits are recorded there too."""
    changes = {}
    if rng.random() < 0.25:
        changes["groups"] = [random_group(row, rng, defaults)]
        live += changes["groups"]
    if rng.random() < 0.6:
        changes["edits"] = random_edits(row, rng, defaults, live)
    count = sum(len(each["lengths"]) for each in live)
    changes["without"] = [number for number in range(count) if rng.random() < 0.2]
    return phase(rng.randint(1, 8), random_kind(rng), **changes)


def random_edits(row, rng, defaults, live):
    edits = []
    for _ in range(rng.randint(1, 3)):
        number = rng.randrange(len(live))
        name = rng.choice(list(row.choices))
        change = {name: rng.choice(row.choices[name])}
        if row.valid(defaults | live[number]["options"] | change):
            live[number] = live[number] | {"options": live[number]["options"] | change}
            edits.append({"group": number, "options": change})
    return edits
