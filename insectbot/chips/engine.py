"""What every chip's window does alike, as numba kernels: inputs, read-out, spike lists, messages, the time of a tick.

A family writes its own loop over ticks (kernels cannot be passed to kernels without losing the cache) and calls these.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from insectbot.core.library import spike_threshold
from insectbot.jit import kernel
from insectbot.randomness import draw

# Entries of the int64 array of counts; a family's own follow from N_COMMON on.
TICK, WINDOWS, INPUT_SPIKES, SPIKES, SYNOPS, ACTIVE, EVENTS, UPDATES = range(8)
N_COMMON = 8

# Columns of the time table (one row per price list) and of the work table (one row per core).
T_ACTIVE, T_IDLE, T_SPIKE, T_OUT, T_IN, T_SYNOP, T_HOP_X, T_HOP_Y, T_BARRIER, T_FLOOR, T_HOP_CHIP, T_LEARN = range(12)
W_ACTIVE, W_SPIKES, W_OUT, W_IN, W_SYNOPS, W_UPDATES = range(6)

POISSON, REGULAR, CURRENT = 0, 1, 2


@kernel(error_model="numpy")
def begin(sources: Any, out: Any, counts: Any) -> Any:
    """Start a window: take the drive, clear the read-out and the spike list. Returns 1 for a drive that is not finite.

    ``sources`` is (drive, kind, index, key, rate, limit, phase, firing) of the input channels; ``out`` is
    (totals, first, interval, last, event tick, event unit).
    """
    drive, kind, _, _, rate, limit, _, _ = sources
    for u in range(drive.size):
        if not np.isfinite(drive[u]):
            return 1
        if kind[u] == POISSON:
            limit[u] = spike_threshold(min(max(drive[u], np.float32(0)), np.float32(1)), rate[u])
    out[0][:] = 0
    out[1][:] = -1
    counts[EVENTS] = 0
    return 0


@kernel(error_model="numpy")
def emit_inputs(tick: Any, sources: Any) -> Any:
    """Fill ``firing`` with the input channels that spike at this tick; returns their number (as the core does)."""
    drive, kind, index, key, rate, limit, phase, firing = sources
    n = 0
    for u in range(kind.size):
        if kind[u] == POISSON:
            if draw(key[u], tick, index[u]) < limit[u]:
                firing[n] = u
                n += 1
        elif kind[u] == REGULAR:
            level = float(min(max(drive[u], np.float32(0)), np.float32(1)))
            phase[u] += min(level * rate[u], 1.0)
            if phase[u] >= 1.0 - 1e-6:
                phase[u] -= 1.0
                firing[n] = u
                n += 1
    return n


@kernel(error_model="numpy")
def record(tick: Any, unit: Any, counts: Any, out: Any) -> None:
    """Append one spike to the list of this window."""
    out[4][counts[EVENTS]] = tick
    out[5][counts[EVENTS]] = unit
    counts[EVENTS] += 1


@kernel(error_model="numpy")
def read_out(o: Any, tick: Any, start: Any, out: Any) -> None:
    """Take a spike of output ``o`` into count, first tick and last interval."""
    totals, first, interval, last = out[0], out[1], out[2], out[3]
    if totals[o] == 0:
        first[o] = tick - start
    totals[o] += 1
    if last[o] >= 0:
        interval[o] = tick - last[o]
    last[o] = tick


@kernel(error_model="numpy")
def send(unit: Any, core: Any, meter: Any) -> None:
    """Count the messages of a spiking unit and keep the latest arrival per price list (``core`` -1: the host).

    ``meter`` is (row, messages [core, synapses, hops x, y, chip], unit spikes, neurons per core, work, times, tail,
    elapsed).
    """
    dest_row, dest, unit_spikes, _, work, times, tail, _ = meter
    unit_spikes[unit] += 1
    for m in range(dest_row[unit], dest_row[unit + 1]):
        to, synops = dest[m, 0], dest[m, 1]
        work[to, W_IN] += 1
        work[to, W_SYNOPS] += synops
        if core >= 0:
            work[core, W_OUT] += 1
        for p in range(times.shape[0]):
            t = times[p]
            hops = dest[m, 2] * t[T_HOP_X] + dest[m, 3] * t[T_HOP_Y] + dest[m, 4] * t[T_HOP_CHIP]
            tail[p, 0] = max(tail[p, 0], hops)
            tail[p, 1] = max(tail[p, 1], hops + t[T_IN] + synops * t[T_SYNOP])


@kernel(error_model="numpy")
def close_tick(meter: Any) -> None:
    """Add the duration of this tick to ``elapsed`` [s], per price list; clears ``work`` and ``tail``.

    Busiest core (updates, spikes, messages, synaptic operations, learning) plus the longest way through the mesh;
    or, where longer, the busiest sender plus its last message, with its way and its handling; plus the barrier;
    at least the floor of the price list.
    ``elapsed`` column 0 runs freely, column 1 is throttled to real time (column 2 holds the real-time step), column 3
    is the longest tick, column 4 counts those beyond real time.
    """
    _, _, _, n_idle, work, times, tail, elapsed = meter
    for p in range(times.shape[0]):
        t = times[p]
        busiest, sender = 0.0, 0.0
        for c in range(work.shape[0]):
            w = work[c]
            sending = n_idle[c] * t[T_IDLE] + w[W_ACTIVE] * (t[T_ACTIVE] - t[T_IDLE])
            sending += w[W_SPIKES] * t[T_SPIKE] + w[W_OUT] * t[T_OUT]
            sender = max(sender, sending)
            learning = w[W_UPDATES] * t[T_LEARN]
            busiest = max(busiest, sending + w[W_IN] * t[T_IN] + w[W_SYNOPS] * t[T_SYNOP] + learning)
        step = max(max(busiest + tail[p, 0], sender + tail[p, 1]) + t[T_BARRIER], t[T_FLOOR])
        elapsed[p, 0] += step
        elapsed[p, 1] += max(step, elapsed[p, 2])
        elapsed[p, 3] = max(elapsed[p, 3], step)
        elapsed[p, 4] += step > elapsed[p, 2] * 1.000000001
        tail[p, 0] = 0.0
        tail[p, 1] = 0.0
    for c in range(work.shape[0]):
        for k in range(work.shape[1]):
            work[c, k] = 0
