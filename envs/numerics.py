"""Elementary functions from plain multiplications and sums: the same bits on every machine, and they vectorise."""

from __future__ import annotations

import math

import numpy as np

from insectbot.jit import kernel

_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)


@kernel
def exp_negative(z: float) -> float:
    """Return ``exp(-z)`` for z >= 0 with an absolute error below 1e-11 (0 counts as exp(-40) and beyond).

    A Taylor polynomial of ``exp(-z / 64)``, squared six times: libm differs between systems, this does not.
    """
    u = min(z, 40.0) * 0.015625
    p = 1.0 - u * (1.0 - u * (0.5 - u * (1.0 / 6.0 - u * (1.0 / 24.0 - u * (1.0 / 120.0 - u * (1.0 / 720.0))))))
    p *= p
    p *= p
    p *= p
    p *= p
    p *= p
    return p * p


@kernel
def cos_sin(angle: float) -> tuple[float, float]:
    """Return (cos, sin) of an angle within +-2 pi [rad], to 1e-14."""
    x = angle * 0.25
    q = x * x
    c = 1.0 + q * (-1.0 / 2 + q * (1.0 / 24 + q * (-1.0 / 720 + q * (1.0 / 40320 + q * (-1.0 / 3628800)))))
    c += q**6 * (1.0 / 479001600 + q * (-1.0 / 87178291200 + q * (1.0 / 20922789888000)))
    s = 1.0 + q * (-1.0 / 6 + q * (1.0 / 120 + q * (-1.0 / 5040 + q * (1.0 / 362880 + q * (-1.0 / 39916800)))))
    s += q**6 * (1.0 / 6227020800 + q * (-1.0 / 1307674368000 + q * (1.0 / 355687428096000)))
    s *= x
    for _ in range(2):
        c, s = c * c - s * s, 2.0 * c * s
    return c, s


@kernel
def uniform(key: np.uint64, counter: int) -> float:
    """Return the ``counter``-th number of a stream, uniform in [0, 1).

    SplitMix64 (Steele, Lea & Flood 2014) read as a function of (key, counter).
    """
    z = key + (np.uint64(counter) + np.uint64(1)) * _GAMMA
    z = (z ^ (z >> np.uint64(30))) * _MIX_1
    z = (z ^ (z >> np.uint64(27))) * _MIX_2
    return ((z ^ (z >> np.uint64(31))) >> np.uint64(11)) * (1.0 / (1 << 53))


@kernel
def normal(key: np.uint64, counter: int) -> float:
    """Return a standard normal number from the 12 draws after ``counter`` (their sum minus 6: range +-6)."""
    total = -6.0
    for i in range(12):
        total += uniform(key, counter + i)
    return total


@kernel
def wrap(angle: float) -> float:
    """Return an angle within +-3 pi as the same direction in [-pi, pi] [rad]."""
    if angle > math.pi:
        return angle - 2.0 * math.pi
    if angle < -math.pi:
        return angle + 2.0 * math.pi
    return angle


@kernel
def word53(key: np.uint64, counter: int) -> np.uint64:
    """Return the 53 random bits that :func:`uniform` divides by 2^53."""
    z = key + (np.uint64(counter) + np.uint64(1)) * _GAMMA
    z = (z ^ (z >> np.uint64(30))) * _MIX_1
    z = (z ^ (z >> np.uint64(27))) * _MIX_2
    return (z ^ (z >> np.uint64(31))) >> np.uint64(11)
