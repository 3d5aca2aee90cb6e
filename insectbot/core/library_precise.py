"""Jitted integration of LIF neurons with exact spike times; its text is part of the kernels that need it.

Neurons live in blocks of 64 lanes: a view ``y`` or ``c`` of a neuron has its values 64 places apart. State: v, one
current per exponential receptor, then the end of the refractory time as tick and offset in it [ms]. Numbers: the rows
named below, then three per receptor (rate of decay, its factor over a tick, what a current of 1 adds to v in a tick).
Between events, over ``h`` ms, ``v(h) = i + (v - i) exp(-h / tau_m) + sum of g_q coupling_q(h)``, exactly.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from insectbot.core.library import ONE, ZERO, exp_f8, f4, f8, i4, i8, lowest_bit, set_bits, u2, wide

RATE, THRESHOLD, RESET, T_REF, KEEP, GAIN, STEP, FIRST = 0, 64, 128, 192, 256, 320, 384, 448
NEAR = 1e-12
"""A crossing is found when the next step towards it is shorter [ms]; steps shrink as squares."""
TINY = 1e-290
"""Below this a value is 0, before it gets so small that arithmetic gets slow."""


@njit
def coupling(e: float, d: float, x: float) -> float:
    """Return ``(d - e) / x`` for ``e = exp(-a)``, ``d = exp(-b)``, ``x = a - b``, also where a and b are nearly equal.

    Times ``h / tau_m``, with a and b the time h in units of tau_m and of tau, it is what a current of 1 adds to v.
    """
    if abs(x) >= 0.05:
        return (d - e) / x
    p = 1.0 / 5040.0 + x * (1.0 / 40320.0 + x * (1.0 / 362880.0))
    p = 1.0 / 24.0 + x * (1.0 / 120.0 + x * (1.0 / 720.0 + x * p))
    return e * (1.0 + x * (0.5 + x * (1.0 / 6.0 + x * p)))


@njit
def potential(y: Any, c: Any, ports: int, current: float, h: float) -> float:
    """Return v after ``h`` ms without a spike."""
    e = exp_f8(-h * c[RATE])
    v = current + (y[0] - current) * e
    for q in range(ports):
        slow = c[FIRST + 192 * q]
        v += y[64 + 64 * q] * h * c[RATE] * coupling(e, exp_f8(-h * slow), h * (c[RATE] - slow))
    return v


@njit
def fade(y: Any, c: Any, ports: int, h: float) -> None:
    """Let the synaptic currents decay for ``h`` ms."""
    for q in range(ports):
        y[64 + 64 * q] *= exp_f8(-h * c[FIRST + 192 * q])


@njit
def crossing(y: Any, c: Any, ports: int, current: float, h: float) -> float:
    """Return when v, now below threshold, first reaches it within ``h`` ms; -1 if it does not.

    Between a and b the currents stay below ``up`` (excitatory ones as at a, inhibitory ones as at b), so v cannot reach
    the threshold in less than ``tau_m log(1 + x)`` with ``x = (th - v) / (up - th)``, nor in the smaller
    ``tau_m 2 x / (2 + x)``. Going on by that never passes the first crossing, whatever v does, and close to
    it is Newton's method: the gap shrinks as squares.
    """
    a, step, v = 0.0, h, y[0]
    while a < h:
        b = min(a + step, h)
        up = current
        for q in range(ports):
            g = y[64 + 64 * q]
            up += g * exp_f8(-c[FIRST + 192 * q] * (a if g > 0.0 else b))
        gap, above = c[THRESHOLD] - v, up - c[THRESHOLD]
        safe = 2.0 * gap / (c[RATE] * (2.0 * above + gap)) if above > 0.0 else h + h
        if safe >= b - a:
            a, step = b, 4.0 * step
        elif safe < NEAR:
            return a + safe
        else:
            a, step = a + safe, 2.0 * safe
        v = potential(y, c, ports, current, a)
        if v >= c[THRESHOLD]:
            return a
    return -1.0


@njit
def highest(y: Any, c: Any, ports: int, current: float, h: float) -> float:
    """Return a bound of v over the next ``h`` ms: excitatory currents stay as they are, inhibitory ones count for 0."""
    e = exp_f8(-h * c[RATE])
    up = current
    for q in range(ports):
        up += max(y[64 + 64 * q], 0.0)
    return max(y[0], y[0] * e + up * (1.0 - e))


@njit
def resting(y: Any, ports: int, tick: int, at: float) -> bool:
    """Tell whether a neuron is refractory at an offset in a tick; at the very end of that time it still is."""
    until = y[64 + 64 * ports]
    return until > tick or (until == tick and y[128 + 64 * ports] >= at)


@njit
def advance(
    y: Any, c: Any, ports: int, current: float, tick: int, start: float, stop: float, i: Any, out: Any, count: int
) -> int:
    """Move a neuron from one offset in a tick to a later one; append its spikes to ``out``, return their number.

    ``out`` is (spikes, offsets, room, due, full): beyond ``room`` spikes the neuron waits at its reset for the end of
    the tick, and ``due[full]`` is set.
    """
    spikes, offsets, room, due, full = out
    while True:
        if resting(y, ports, tick, start):
            end = stop if y[64 + 64 * ports] > tick else min(y[128 + 64 * ports], stop)
            fade(y, c, ports, end - start)
            start = end
            if resting(y, ports, tick, stop):
                return count
        h = stop - start
        found = 0.0 if y[0] >= c[THRESHOLD] else -1.0
        if found < 0.0 and highest(y, c, ports, current, h) >= c[THRESHOLD]:
            found = crossing(y, c, ports, current, h)
        if found < 0.0:
            y[0] = potential(y, c, ports, current, h)
            fade(y, c, ports, h)
            return count
        fade(y, c, ports, found)
        start = min(start + found, stop)
        y[0] = c[RESET]
        if count == room:
            due[full] = 1
            fade(y, c, ports, stop - start)
            return count
        spikes[count], offsets[count] = i, start
        count += 1
        if c[T_REF] > 0.0:
            y[64 + 64 * ports], y[128 + 64 * ports] = tick + c[T_REF], start


@njit
def quiet_block(s: Any, c: Any, add: Any, local: Any, work: Any, flag: Any, ports: int, tick: int) -> Any:
    """Step 64 neurons over a whole tick, but for those flagged: moved already, getting free, or perhaps to spike.

    v stays below ``v exp(-dt / tau_m) + up (1 - exp(-dt / tau_m))``, with ``up`` as in :func:`crossing`.
    """
    wide()
    until = 64 + 64 * ports
    now = float(tick)
    for i in range(64):
        work[i] = s[i] * c[KEEP + i] + add[i] * c[GAIN + i]
        work[64 + i] = add[i]
    for q in range(ports):
        g, k = 64 + 64 * q, FIRST + 192 * q
        for i in range(64):
            work[i] += s[g + i] * c[k + 128 + i]
            work[64 + i] += max(s[g + i], s[g + i] * c[k + 64 + i])
    busy = np.int32(0)
    for i in range(64):
        bound = max(s[i], s[i] * c[KEEP + i] + work[64 + i] * c[GAIN + i])
        near = np.int32(bound >= c[THRESHOLD + i]) & np.int32(s[until + i] <= now)
        x = near | np.int32(s[until + i] == now) | np.int32(local[i] > 0.0)
        flag[i] = x
        busy |= x
    for i in range(64):
        v = work[i] if abs(work[i]) > TINY else 0.0
        v = s[i] if s[until + i] > now else v
        s[i] = s[i] if flag[i] != 0 else v
    for q in range(ports):
        g, k = 64 + 64 * q, FIRST + 192 * q
        for i in range(64):
            x = s[g + i] * c[k + 64 + i]
            x = x if abs(x) > TINY else 0.0
            s[g + i] = s[g + i] if flag[i] != 0 else x
    return busy


@njit
def deliver(
    table: Any, link: Any, m: int, at: float, moving: bool, places: Any, shape: Any, tick: int, out: Any, count: int
) -> int:
    """Let the synapses of segment ``m`` of a projection arrive at an offset in the tick; return the number of spikes.

    ``moving`` is False at the end of the tick, where the neurons are already.
    """
    state_a, number_a, add, local = places
    rows, stride, ports, wide_targets, double = shape
    start, target_a, weight_a, row = i8(table[link[0]]), table[link[1]], table[link[2]], link[3]
    for k in range(start[m], start[m + 1]):
        i = np.int64(i4(target_a)[k]) if wide_targets else np.int64(u2(target_a)[k])
        w = f8(weight_a)[k] if double else np.float64(f4(weight_a)[k])
        y = f8(state_a + 8 * (i // 64 * 64 * rows + i % 64))
        if moving and local[i] < at:
            c = f8(number_a + i // 64 * stride + 8 * (i % 64))
            count = advance(y, c, ports, add[i], tick, local[i], at, i, out, count)
            local[i] = at
        if row > 0 or not resting(y, ports, tick, at):
            y[row] += w
    return count


@njit
def in_order(when: Any, what: Any, a: int, b: int) -> bool:
    """Tell whether entry ``a`` belongs before ``b``: by time, at equal times by synapses."""
    return when[a] < when[b] or (when[a] == when[b] and what[a] <= what[b])


@njit
def sift(when: Any, what: Any, root: int, n: int) -> None:
    """Let an entry sink in a heap whose largest is first."""
    while 2 * root + 1 < n:
        child = 2 * root + 1
        if child + 1 < n and in_order(when, what, child, child + 1):
            child += 1
        if in_order(when, what, child, root):
            return
        when[root], when[child] = when[child], when[root]
        what[root], what[child] = what[child], what[root]
        root = child


@njit
def sort_entries(when: Any, what: Any, n: int) -> None:
    """Sort the entries of a slot in place: heapsort, unless they are in order already."""
    k = 1
    while k < n and in_order(when, what, k - 1, k):
        k += 1
    if k >= n:
        return
    for root in range(n // 2 - 1, -1, -1):
        sift(when, what, root, n)
    for last in range(n - 1, 0, -1):
        when[0], when[last] = when[last], when[0]
        what[0], what[last] = what[last], what[0]
        sift(when, what, 0, last)


@njit
def precise_tick(table: Any, tick: int, n: int, entries: Any, links: Any, places: Any, shape: Any, out: Any) -> int:
    """Run one tick of a population; return the number of its spikes, which stand in ``out``.

    Spikes that arrive within the tick go first, in the order of time, each moving its targets up to it; then all
    neurons move to the end of the tick; then come the spikes that arrive there, as all do from the grid.
    """
    when, what, n_entries, work, flag, flag_a = entries
    state_a, number_a, add, local = places
    rows, stride, ports, _, _ = shape
    step = f8(number_a)[STEP]
    sort_entries(when, what, n_entries)
    count, e = 0, 0
    while e < n_entries and when[e] < step:
        link = i8(links + 32 * (what[e] >> 32))
        count = deliver(table, link, what[e] & 0xFFFFFFFF, when[e], True, places, shape, tick, out, count)
        e += 1
    for b in range((n + 63) // 64):
        s, c = f8(state_a + 512 * rows * b), f8(number_a + stride * b)
        a, moved = add[64 * b :], local[64 * b :]
        if quiet_block(s, c, a, moved, work, flag, ports, tick):
            mask = set_bits(flag_a)
            while mask != ZERO:
                i = lowest_bit(mask)
                mask &= mask - ONE
                if 64 * b + i < n:
                    y, numbers = s[i:], c[i:]
                    count = advance(y, numbers, ports, a[i], tick, moved[i], step, 64 * b + i, out, count)
                    moved[i] = 0.0
    kicked = False
    for k in range(e, n_entries):
        link = i8(links + 32 * (what[k] >> 32))
        kicked |= link[3] == 0
        count = deliver(table, link, what[k] & 0xFFFFFFFF, when[k], False, places, shape, tick, out, count)
    for i in range(n if kicked else 0):
        y = f8(state_a + 8 * (i // 64 * 64 * rows + i % 64))
        c = f8(number_a + i // 64 * stride + 8 * (i % 64))
        if y[0] >= c[THRESHOLD]:
            count = advance(y, c, ports, add[i], tick, step, step, i, out, count)
    return count
