"""The ``cuba_int`` family: integer current-based neurons of Loihi, bit for bit, as numba kernels.

One tick of a neuron (chips sheet 2.2; widths in the datasheet):

    q = wrap_22(sum of weight << (6 + exponent) of the spikes due)
    u = wrap_24(trunc(u * (4096 - (decay_u + 1)) / 4096) + q)
    v = clip(trunc(v * (4096 - decay_v) / 4096) + u + bias, vmin, vmax);   v = 0 while refractory
    v > threshold: spike, v = 0, refractory counter = refract;   counter = max(counter - 1, 0)

Memory: neurons in blocks of ``LANES``, every field of a block side by side, so that one loop body without
branches updates a block in vector registers. ``a * keep >> 12`` is split into high and low half, which keeps
every intermediate within 32 bits and is exact.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from insectbot.core.library import spike_threshold
from insectbot.jit import kernel
from insectbot.randomness import draw

LANES = 16
DELAY_SLOTS = 64
(U, V, REF, KEEP_U, KEEP_V, BIAS, THRESHOLD, V_MIN, V_MAX, REFRACT, COUNT_LOW, SPIKED) = range(12)
FIELDS = 12

Q_SHIFT = 32 - 22
U_SHIFT = 32 - 24
DECAY_BITS = 12
DECAY_ONE = 1 << DECAY_BITS
DECAY_MASK = DECAY_ONE - 1
V_LIMIT = (1 << 23) - 1

# Entries of the int64 array of counts.
TICK, WINDOWS, INPUT_SPIKES, SPIKES, SYNOPS, ACTIVE, EVENTS = range(7)
Q_WRAPS, U_WRAPS, V_LOW, V_HIGH, BIAS_CLIPS, BIAS_WRITES = range(7, 13)
N_COUNTS = 13

# Columns of the time table (one row per price list) and of the work table (one row per core).
T_ACTIVE, T_IDLE, T_SPIKE, T_OUT, T_IN, T_SYNOP, T_HOP_X, T_HOP_Y, T_BARRIER, T_FLOOR = range(10)
W_ACTIVE, W_SPIKES, W_OUT, W_IN, W_SYNOPS = range(5)

POISSON, REGULAR, CURRENT = 0, 1, 2


@kernel(error_model="numpy")
def scale_trunc(x: Any, keep: Any) -> Any:
    """Return ``trunc(x * keep / 4096)`` for |x| <= 2^23 and 0 <= keep <= 4096, in 32 bits."""
    a = np.int32(abs(x))
    high = np.int32(np.int32(a >> DECAY_BITS) * keep)
    low = np.int32(np.int32(np.int32(a & DECAY_MASK) * keep) >> DECAY_BITS)
    y = np.int32(high + low)
    return y if x >= 0 else np.int32(-y)


@kernel(error_model="numpy")
def update_block(cell: Any, due: Any, counts: Any) -> Any:
    """Advance one block by a tick; clears ``due``, adds to ``counts``, returns (active lanes, any spike)."""
    zero, one = np.int32(0), np.int32(1)
    active, hit, q_wraps, u_wraps, low, high = zero, zero, zero, zero, zero, zero
    for i in range(LANES):
        total = due[i]
        due[i] = zero
        q = np.int32(np.int32(total << Q_SHIFT) >> Q_SHIFT)
        q_wraps += np.int32(q != total)
        sum_u = np.int32(scale_trunc(cell[U * LANES + i], cell[KEEP_U * LANES + i]) + q)
        u = np.int32(np.int32(sum_u << U_SHIFT) >> U_SHIFT)
        u_wraps += np.int32(u != sum_u)
        sum_v = np.int32(scale_trunc(cell[V * LANES + i], cell[KEEP_V * LANES + i]) + u)
        sum_v = np.int32(sum_v + cell[BIAS * LANES + i])
        low += np.int32(sum_v < cell[V_MIN * LANES + i]) & cell[COUNT_LOW * LANES + i]
        high += np.int32(sum_v > cell[V_MAX * LANES + i])
        v = min(max(sum_v, cell[V_MIN * LANES + i]), cell[V_MAX * LANES + i])
        active += np.int32(np.int32(u | v) != 0)
        ref = cell[REF * LANES + i]
        v = zero if ref > 0 else v
        spike = v > cell[THRESHOLD * LANES + i]
        ref = cell[REFRACT * LANES + i] if spike else ref
        cell[U * LANES + i] = u
        cell[V * LANES + i] = zero if spike else v
        cell[REF * LANES + i] = max(np.int32(ref - one), zero)
        cell[SPIKED * LANES + i] = np.int32(spike)
        hit |= np.int32(spike)
    counts[Q_WRAPS] += q_wraps
    counts[U_WRAPS] += u_wraps
    counts[V_LOW] += low
    counts[V_HIGH] += high
    return active, hit


@kernel(error_model="numpy")
def deliver(unit: Any, tick: Any, row: Any, target: Any, contribution: Any, delay: Any, ring: Any) -> Any:
    """Add the synapses of a spiking unit to the accumulators of the ticks they are due."""
    for k in range(row[unit], row[unit + 1]):
        ring[(tick + delay[k]) & (DELAY_SLOTS - 1), target[k]] += contribution[k]
    return row[unit + 1] - row[unit]


@kernel(error_model="numpy")
def send(unit: Any, core: Any, dest_row: Any, dest: Any, work: Any, times: Any, tail: Any) -> None:
    """Count the messages of a spiking unit and keep the latest arrival per price list (``core`` -1: the host)."""
    for m in range(dest_row[unit], dest_row[unit + 1]):
        to, synops = dest[m, 0], dest[m, 1]
        work[to, W_IN] += 1
        work[to, W_SYNOPS] += synops
        if core >= 0:
            work[core, W_OUT] += 1
        for p in range(times.shape[0]):
            t = times[p]
            hops = dest[m, 2] * t[T_HOP_X] + dest[m, 3] * t[T_HOP_Y]
            tail[p, 0] = max(tail[p, 0], hops)
            tail[p, 1] = max(tail[p, 1], hops + t[T_IN] + synops * t[T_SYNOP])


@kernel(error_model="numpy")
def close_tick(n_idle: Any, work: Any, times: Any, tail: Any, elapsed: Any) -> None:
    """Add the duration of this tick to ``elapsed`` [s], per price list; clears ``work`` and ``tail``.

    Busiest core (updates, spikes, messages, synaptic operations) plus the longest way through the mesh;
    or, where longer, the busiest sender plus its last message, with its way and its handling; plus the barrier;
    at least the floor of the price list.
    ``elapsed`` column 0 runs freely, column 1 is throttled to real time (column 2 holds the real-time step).
    """
    for p in range(times.shape[0]):
        t = times[p]
        busiest, sender = 0.0, 0.0
        for c in range(work.shape[0]):
            w = work[c]
            sending = n_idle[c] * t[T_IDLE] + w[W_ACTIVE] * (t[T_ACTIVE] - t[T_IDLE])
            sending += w[W_SPIKES] * t[T_SPIKE] + w[W_OUT] * t[T_OUT]
            sender = max(sender, sending)
            busiest = max(busiest, sending + w[W_IN] * t[T_IN] + w[W_SYNOPS] * t[T_SYNOP])
        step = max(max(busiest + tail[p, 0], sender + tail[p, 1]) + t[T_BARRIER], t[T_FLOOR])
        elapsed[p, 0] += step
        elapsed[p, 1] += max(step, elapsed[p, 2])
        elapsed[p, 3] = max(elapsed[p, 3], step)
        tail[p, 0] = 0.0
        tail[p, 1] = 0.0
    for c in range(work.shape[0]):
        for k in range(work.shape[1]):
            work[c, k] = 0


@kernel(error_model="numpy")
def run_core(values: Any, injected: Any, cells: Any, ring: Any, counts: Any, rows: Any, trace: Any) -> None:
    """Run register-level vectors: ``values`` [ticks, n] into the accumulator, ``injected`` [ticks, n_in] spikes.

    ``rows`` is (row, target, contribution, delay); ``trace`` is (u, v, spikes), each [ticks, n].
    """
    row, target, contribution, delay = rows
    n = trace[0].shape[1]
    for t in range(values.shape[0]):
        slot = ring[t & (DELAY_SLOTS - 1)]
        for j in range(injected.shape[1]):
            if injected[t, j]:
                counts[SYNOPS] += deliver(j, t, row, target, contribution, delay, ring)
        for i in range(n):
            slot[i] += values[t, i]
        for b in range(cells.shape[0]):
            cell = cells[b]
            update_block(cell, slot[b * LANES :], counts)
            for i in range(min(LANES, n - b * LANES)):
                trace[0][t, b * LANES + i] = cell[U * LANES + i]
                trace[1][t, b * LANES + i] = cell[V * LANES + i]
                trace[2][t, b * LANES + i] = cell[SPIKED * LANES + i]


@kernel(error_model="numpy")
def emit_inputs(
    tick: Any, drive: Any, kind: Any, index: Any, key: Any, rate: Any, limit: Any, phase: Any, out: Any
) -> Any:
    """Fill ``out`` with the input channels that spike at this tick; returns their number (as the core does)."""
    n = 0
    for u in range(kind.size):
        if kind[u] == POISSON:
            if draw(key[u], tick, index[u]) < limit[u]:
                out[n] = u
                n += 1
        elif kind[u] == REGULAR:
            level = float(min(max(drive[u], np.float32(0)), np.float32(1)))
            phase[u] += min(level * rate[u], 1.0)
            if phase[u] >= 1.0 - 1e-6:
                phase[u] -= 1.0
                out[n] = u
                n += 1
    return n


@kernel(error_model="numpy")
def write_bias(
    drive: Any, gain: Any, row: Any, slot: Any, weight: Any, largest: Any, cells: Any, counts: Any, acc: Any
) -> None:
    """Write analog input into bias registers: mantissa << exponent, nearest, saturating.

    ``largest`` holds (largest mantissa, largest exponent); ``acc`` [n_slots] is scratch, in membrane units.
    """
    mantissa_max, exponent_max = largest[0], largest[1]
    acc[:] = 0.0
    for j in range(gain.size):
        for k in range(row[j], row[j + 1]):
            acc[slot[k]] += weight[k] * float(drive[j]) * gain[j]
    for s in range(acc.size):
        x = abs(acc[s])
        exponent, mantissa = 0, np.floor(x + 0.5)
        while mantissa > mantissa_max and exponent < exponent_max:
            exponent += 1
            mantissa = np.floor(x / (1 << exponent) + 0.5)
        if mantissa > mantissa_max:
            counts[BIAS_CLIPS] += 1
            mantissa = float(mantissa_max)
        value = np.int32(int(mantissa) << exponent)
        value = value if acc[s] >= 0 else np.int32(-value)
        field = BIAS * LANES + s % LANES
        if cells[s // LANES, field] != value:
            cells[s // LANES, field] = value
            counts[BIAS_WRITES] += 1


@kernel(error_model="numpy")
def record(tick: Any, unit: Any, counts: Any, event_tick: Any, event_unit: Any) -> None:
    """Append one spike to the list of this window."""
    event_tick[counts[EVENTS]] = tick
    event_unit[counts[EVENTS]] = unit
    counts[EVENTS] += 1


@kernel(error_model="numpy")
def window(
    n_ticks: Any, recording: Any, counts: Any, sources: Any, fabric: Any, synapses: Any, meter: Any, out: Any
) -> Any:
    """Run one control window; the arguments are tuples of arrays (see ``loihi.py``). Returns 1 for a bad drive."""
    drive, kind, index, key, rate, limit, phase, firing = sources
    cells, ring, block_core, unit_of, output_of = fabric
    row, target, contribution, delay = synapses
    dest_row, dest, unit_spikes, n_idle, work, times, tail, elapsed = meter
    totals, first, interval, last, event_tick, event_unit = out
    for u in range(drive.size):
        if not np.isfinite(drive[u]):
            return 1
        if kind[u] == POISSON:
            limit[u] = spike_threshold(min(max(drive[u], np.float32(0)), np.float32(1)), rate[u])
    totals[:] = 0
    first[:] = -1
    counts[EVENTS] = 0
    start = counts[TICK]
    for tick in range(start, start + n_ticks):
        n_in = emit_inputs(tick, drive, kind, index, key, rate, limit, phase, firing)
        for s in range(n_in):
            u = firing[s]
            unit_spikes[u] += 1
            counts[SYNOPS] += deliver(u, tick, row, target, contribution, delay, ring)
            send(u, -1, dest_row, dest, work, times, tail)
            if recording:
                record(tick, u, counts, event_tick, event_unit)
        counts[INPUT_SPIKES] += n_in
        slot = ring[tick & (DELAY_SLOTS - 1)]
        for b in range(cells.shape[0]):
            cell = cells[b]
            active, hit = update_block(cell, slot[b * LANES :], counts)
            core = block_core[b]
            work[core, W_ACTIVE] += active
            counts[ACTIVE] += active
            if hit != 0:
                for i in range(LANES):
                    if cell[SPIKED * LANES + i] != 0:
                        u = unit_of[b * LANES + i]
                        unit_spikes[u] += 1
                        counts[SPIKES] += 1
                        work[core, W_SPIKES] += 1
                        counts[SYNOPS] += deliver(u, tick, row, target, contribution, delay, ring)
                        send(u, core, dest_row, dest, work, times, tail)
                        if recording:
                            record(tick, u, counts, event_tick, event_unit)
                        o = output_of[b * LANES + i]
                        if o >= 0:
                            if totals[o] == 0:
                                first[o] = tick - start
                            totals[o] += 1
                            if last[o] >= 0:
                                interval[o] = tick - last[o]
                            last[o] = tick
        close_tick(n_idle, work, times, tail, elapsed)
    counts[TICK] = start + n_ticks
    counts[WINDOWS] += 1
    return 0
