"""Kernels: the partners of one unit under each connection rule.

A *unit* is a target and its partners are sources, or the other way round. Partners come as ``partner << 32 | k``,
where ``k`` tells the synapses of a unit apart. Each draw is Squares of ``unit << 32 | k``, so a unit's synapses do not
depend on any other unit. ``n`` counts the candidates; with ``alone`` the unit itself is not among them.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from insectbot.jit import kernel
from insectbot.randomness import squares32

ALL, ONE, DISTINCT, REPEATED, BERNOULLI, NEAR, TAPS = range(7)
U32 = np.uint64(32)
LOW = np.uint64(0xFFFFFFFF)
LOG_2 = math.log(2.0)
SQRT_HALF = int(np.float64(math.sqrt(0.5)).view(np.int64))


@kernel
def bits_of(key: Any, unit: Any, k: Any) -> Any:
    """Return the 32 random bits (as uint64) of the k-th synapse of a unit."""
    return squares32((np.uint64(unit) << U32) | np.uint64(k), key)


@kernel
def below(bits: Any, n: Any) -> Any:
    """Return a number in 0..n-1, uniform up to n / 2^32."""
    return np.int64((bits * np.uint64(n)) >> U32)


@kernel
def unit_interval(bits: Any) -> Any:
    """Return 32 random bits as a number in (0, 1)."""
    return (float(bits) + 0.5) * 2.0**-32


@kernel(error_model="numpy")
def log(x: Any) -> Any:
    """Return the natural logarithm of a float64 in [2^-1022, 1], to 1e-12; unlike the C library's it vectorises."""
    bits = np.float64(x).view(np.int64)
    exponent = (bits - SQRT_HALF) >> 52
    mantissa = np.int64(bits - (exponent << 52)).view(np.float64)
    s = (mantissa - 1.0) / (mantissa + 1.0)
    q = s * s
    series = 1.0 + q * (1 / 3 + q * (1 / 5 + q * (1 / 7 + q * (1 / 9 + q * (1 / 11 + q * (1 / 13))))))
    return float(exponent) * LOG_2 + 2.0 * s * series


@kernel
def pack(candidate: Any, k: Any, unit: Any, alone: Any) -> Any:
    """Return partner and k in one number; candidates from ``unit`` on move up by one if it is left out."""
    return ((candidate + (alone and candidate >= unit)) << 32) | k


@kernel
def distinct(unit: Any, n: Any, alone: Any, degree: Any, key: Any, mark: Any, found: Any) -> Any:
    """Draw ``degree`` different partners (Floyd's method; Bentley & Floyd 1987); ``mark`` remembers the drawn ones."""
    for k in range(degree):
        last = n - degree + k
        pick = below(bits_of(key, unit, k), last + 1)
        pick = last if mark[pick] == unit else pick
        mark[pick] = unit
        found[k] = pack(pick, k, unit, alone)
    return degree


@kernel
def bernoulli(unit: Any, n: Any, alone: Any, per_log: Any, key: Any, found: Any) -> Any:
    """Draw each partner with probability p by geometric jumps; ``per_log`` is 1 / log(1 - p)."""
    size, candidate = 0, 0
    while True:
        jump = log(unit_interval(bits_of(key, unit, size))) * per_log
        if jump >= n - candidate:
            return size
        candidate += int(jump)
        found[size] = pack(candidate, size, unit, alone)
        candidate += 1
        size += 1


@kernel
def squared_distance(here: Any, there: Any, extent: Any) -> Any:
    """Return the squared distance of two positions; along a dimension with an extent, the short way round."""
    total = 0.0
    for axis in range(here.size):
        step = here[axis] - there[axis]
        if extent[axis] > 0.0:
            step -= extent[axis] * math.floor(step / extent[axis] + 0.5)
        total += step * step
    return total


@kernel
def thin(
    unit: Any, size: Any, gaussian: Any, width: Any, key: Any, here: Any, there: Any, extent: Any, found: Any
) -> Any:
    """Keep of the found partners those that pass exp(-d^2 / width) (gaussian) or exp(-d / width)."""
    kept = 0
    for j in range(size):
        d = squared_distance(here[unit], there[found[j] >> 32], extent)
        chance = math.exp(-(d if gaussian else math.sqrt(d)) / width)
        if float(bits_of(key, unit, j)) < chance * 4294967296.0:
            found[kept] = found[j]
            kept += 1
    return kept


@kernel
def taps(unit: Any, shape: Any, found: Any) -> Any:
    """List what a unit of a convolution sees; k is the position in the flat kernel."""
    channels, height, width, k_high, k_wide, down, across, rim_y, rim_x, out_high, out_wide = (
        shape[0], shape[1], shape[2], shape[3], shape[4], shape[5], shape[6], shape[7], shape[8], shape[9], shape[10],
    )  # fmt: skip
    top = unit // out_wide % out_high * down - rim_y
    left = unit % out_wide * across - rim_x
    first = unit // (out_wide * out_high) * channels
    size = 0
    for channel in range(channels):
        for i in range(max(0, -top), min(k_high, height - top)):
            for j in range(max(0, -left), min(k_wide, width - left)):
                source = (channel * height + top + i) * width + left + j
                found[size] = (source << 32) | (((first + channel) * k_high + i) * k_wide + j)
                size += 1
    return size


@kernel
def partners(
    mode: Any, unit: Any, n: Any, alone: Any, degree: Any, whole: Any, real: Any, keys: Any, place: Any, mark: Any,
    found: Any,
) -> Any:  # fmt: skip
    """Write the partners of a unit to ``found`` and return their number."""
    if mode == DISTINCT:
        return distinct(unit, n, alone, degree[unit], keys[0], mark, found)
    if mode == REPEATED:
        for k in range(degree[unit]):
            found[k] = pack(below(bits_of(keys[0], unit, k), n), k, unit, alone)
        return degree[unit]
    if mode in (BERNOULLI, NEAR):
        size = bernoulli(unit, n, alone, real[0], keys[0], found)
        if mode == BERNOULLI:
            return size
        return thin(unit, size, whole[0] == 1, real[1], keys[1], place[0], place[1], place[2][0], found)
    if mode == TAPS:
        return taps(unit, whole, found)
    if mode == ONE:
        found[0] = np.int64(unit) << 32
        return 1
    for k in range(n):
        found[k] = pack(k, k, unit, alone)
    return n
