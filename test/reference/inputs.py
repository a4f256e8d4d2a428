"""The numbers that a case starts from and steps with: the same, line for line, in `inputs.ts`.

Only integers are computed, so that no two languages can round differently: a random 32-bit word
gives a float32 its sign and mantissa, and the kind of the array decides the exponent.
"""

import numpy as np

SPECIALS = np.array(
    [
        0x7FC00000,  # NaN
        0x7F800000,  # Infinity
        0xFF800000,  # -Infinity
        0x00000000,  # 0
        0x80000000,  # -0
        0x7F61B1E6,  # 3e38
        0xFF61B1E6,  # -3e38
        0x7F7FFFFF,  # the largest finite number
        0xFF7FFFFF,
        0x00000001,  # the smallest denormal
        0x80000001,
        0x007FFFFF,  # the largest denormal
        0x00800000,  # the smallest normal number
        0x80800000,
        0x5F7FFFFF,  # just below 2^64: its square is just finite
        0xDF800000,  # -2^64: its square is infinite
        0x20000000,  # 2^-63: its square is the smallest normal number
        0x1F800000,  # 2^-64: its square is denormal
    ],
    np.uint32,
)


def words(key, indices):
    """Outputs of the mulberry32 generator that starts at `key`, at the given places."""
    a = np.uint32(key) + (np.asarray(indices, np.uint32) + np.uint32(1)) * np.uint32(0x6D2B79F5)
    t = (a ^ (a >> 15)) * (a | 1)
    t = t ^ (t + (t ^ (t >> 7)) * (t | 61))
    return t ^ (t >> 14)


def with_exponent(word, exponent):
    return (word & 0x807FFFFF) | (exponent << 23)


def normal(word, field):
    """Magnitudes from 2^-8 to 1."""
    return with_exponent(word, 119 + (field & 7))


def scaled(word, field):
    """Magnitudes from 2^-44 to 2^20."""
    return with_exponent(word, 83 + (field & 63))


def huge(word, field):
    """Magnitudes from 2^64 to the largest finite number: half of the squares overflow by far."""
    return with_exponent(word, 191 + (field & 63))


def denormal(word, field):
    """Every magnitude below the smallest normal number."""
    return (word & 0x80000000) | ((word & 0x007FFFFF) >> (field & 15))


def zero(word, field):
    """Zeros of both signs."""
    return word & 0x80000000


def special(word, field):
    """Normal, but for about one value in fourteen."""
    chosen = SPECIALS[np.minimum(field, len(SPECIALS) - 1)]
    return np.where(field < len(SPECIALS), chosen, normal(word, field))


KINDS = {f.__name__: f for f in (normal, scaled, huge, denormal, zero, special)}


def values(length, kind, seed, step, parameter):
    """The data (step 0) or the gradient (from step 1 on) of one parameter of a case."""
    key = words(words(seed, [step])[0], [parameter])[0]
    word = words(key, np.arange(length))
    return KINDS[kind](word, (word >> 23) & 255).astype(np.uint32).view(np.float32)
