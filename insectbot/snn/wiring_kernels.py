"""Kernels: walk all synapses of a rule, first counting, then filling rows; the draws are repeated, not stored."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from insectbot.jit import kernel
from insectbot.randomness import squares32
from insectbot.snn.wiring_partners import LOW, below, bits_of, log, partners, unit_interval

CONSTANT, UNIFORM, NORMAL, TABLE = range(4)
GUIDE_BITS = 12
GUIDE = np.uint64(32 - GUIDE_BITS)


@kernel(error_model="numpy")
def quantile(p: Any) -> Any:
    """Return the standard normal quantile of a probability in [2^-33, 1 - 2^-33], to an absolute error of 1e-8.

    The variable is that of Giles (2010), w = -log(4 p (1 - p)); the rational function was fitted for this kit.
    """
    tail = min(p, 1.0 - p)
    w = max(-log(4.0 * tail * (1.0 - tail)), 0.0)
    a = 1.2533141384 + w * (0.260081578787 + w * (0.0521487081318 + w * (
        0.00561866321211 + w * (0.00040012714903 + w * 1.14541010946e-05))))  # fmt: skip
    b = 1.0 + w * (0.195715711521 + w * (0.0396337018072 + w * (
        0.00415101745773 + w * (0.000292216741522 + w * 8.11265408282e-06))))  # fmt: skip
    z = math.sqrt(w) * a / b
    return z if p > 0.5 else -z


@kernel(error_model="numpy")
def draw_values(unit: Any, size: Any, found: Any, key: Any, kind: Any, law: Any, out: Any) -> None:
    """Draw a uniform or normal value for each found partner; ``law`` is offset, scale, p_low, p_span, low, high."""
    if kind == UNIFORM:
        for j in range(size):
            out[j] = law[0] + law[1] * unit_interval(bits_of(key, unit, np.uint64(found[j]) & LOW))
    else:
        for j in range(size):
            p = law[2] + law[3] * unit_interval(bits_of(key, unit, np.uint64(found[j]) & LOW))
            out[j] = min(max(law[0] + law[1] * quantile(p), law[4]), law[5])


@kernel
def delay_slot(bits: Any, threshold: Any, guide: Any) -> Any:
    """Return which delay 32 random bits stand for: the first threshold above them; a guide tells where to start."""
    slot = guide[bits >> GUIDE]
    while bits >= threshold[slot]:
        slot += 1
    return slot


@kernel
def degrees(n: Any, key: Any, out: Any) -> None:
    """Count how many of ``n`` synapses fall on each of ``out.size`` targets."""
    for k in range(n):
        out[below(squares32(np.uint64(k), key), out.size)] += 1


@kernel(nogil=True)
def walk(
    units: Any, by_source: Any, low: Any, high: Any, mode: Any, n: Any, alone: Any, degree: Any, whole: Any, real: Any,
    keys: Any, place: Any, mark: Any, found: Any, drawn: Any, kind: Any, law: Any, table: Any, threshold: Any,
    guide: Any, cursor: Any, filling: Any, target: Any, weight: Any,
) -> None:  # fmt: skip
    """Move the cursor of (source, delay) past each of its synapses; if ``filling``, write target and weight there.

    Units come in ascending order (or partners sorted), so targets ascend in every segment.
    """
    mark[:] = -1
    n_delays = threshold.size
    for unit in range(units[0], units[1]):
        size = partners(mode, unit, n, alone, degree, whole, real, keys, place, mark, found)
        if filling and by_source:
            found[:size].sort()
        if filling and kind in (UNIFORM, NORMAL):
            draw_values(unit, size, found, keys[2], kind, law, drawn)
        for j in range(size):
            partner, k = found[j] >> 32, np.uint64(found[j]) & LOW
            source, goal = (unit, partner) if by_source else (partner, unit)
            if goal < low or goal >= high:
                continue
            segment = source
            if n_delays > 1:
                segment = source * n_delays + delay_slot(bits_of(keys[3], unit, k), threshold, guide)
            position = cursor[segment]
            cursor[segment] = position + 1
            if filling:
                target[position] = goal - low
                if kind == TABLE:
                    weight[position] = table[k]
                elif kind != CONSTANT:
                    weight[position] = drawn[j]
