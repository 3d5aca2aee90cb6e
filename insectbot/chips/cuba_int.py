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

from insectbot.chips.engine import (
    ACTIVE,
    INPUT_SPIKES,
    N_COMMON,
    SPIKES,
    SYNOPS,
    TICK,
    W_ACTIVE,
    W_SPIKES,
    WINDOWS,
    begin,
    close_tick,
    emit_inputs,
    read_out,
    record,
    send,
)
from insectbot.jit import kernel

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

Q_WRAPS, U_WRAPS, V_LOW, V_HIGH, BIAS_CLIPS, BIAS_WRITES = range(N_COMMON, N_COMMON + 6)
N_COUNTS = N_COMMON + 6


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
def window(
    n_ticks: Any, recording: Any, counts: Any, sources: Any, fabric: Any, synapses: Any, meter: Any, out: Any
) -> Any:
    """Run one control window; the arguments are tuples of arrays (see ``engine.py``). Returns 1 for a bad drive."""
    cells, ring, block_core, unit_of, output_of = fabric
    row, target, contribution, delay = synapses
    work, firing = meter[4], sources[7]
    if begin(sources, out, counts):
        return 1
    start = counts[TICK]
    for tick in range(start, start + n_ticks):
        n_in = emit_inputs(tick, sources)
        for s in range(n_in):
            u = firing[s]
            counts[SYNOPS] += deliver(u, tick, row, target, contribution, delay, ring)
            send(u, -1, meter)
            if recording:
                record(tick, u, counts, out)
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
                        counts[SPIKES] += 1
                        work[core, W_SPIKES] += 1
                        counts[SYNOPS] += deliver(u, tick, row, target, contribution, delay, ring)
                        send(u, core, meter)
                        if recording:
                            record(tick, u, counts, out)
                        o = output_of[b * LANES + i]
                        if o >= 0:
                            read_out(o, tick, start, out)
        close_tick(meter)
    counts[TICK] = start + n_ticks
    counts[WINDOWS] += 1
    return 0
