"""The ``cuba_int`` family: integer current-based neurons of Loihi, bit for bit, as numba kernels.

One tick of a neuron (chips sheet 2.2; widths in the datasheet):

    q = wrap_22(sum of weight << (6 + exponent) of the spikes due [+ noise])
    u = wrap_24(trunc(u * (4096 - (decay_u + 1)) / 4096) + q)
    v = clip(trunc(v * (4096 - decay_v) / 4096) + wrap_24(u + bias [+ noise]), vmin, vmax);   v = 0 while refractory
    v > threshold: spike, v = 0, refractory counter = refract;   counter = max(counter - 1, 0)

Noise is trunc((x + 64 * offset) * 2^(exponent - 7)) with x uniform on -127..127; a core adds it either to u or to v.

Memory: neurons in blocks of ``LANES``, every field of a block side by side, so that one loop body without
branches updates a block in vector registers. ``a * keep >> 12`` is split into high and low half, which keeps
every intermediate within 32 bits and is exact.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from insectbot.chips.engine import N_COMMON, SYNOPS
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

Q_WRAPS, U_WRAPS, V_LOW, V_HIGH, BIAS_CLIPS, BIAS_WRITES, BIAS_WRAPS = range(N_COMMON, N_COMMON + 7)
TAG_CLIPS, TRACE_CLIPS, REWARD_CLIPS = range(N_COMMON + 7, N_COMMON + 10)
N_COUNTS = N_COMMON + 10

NOISE_OFF, NOISE_U, NOISE_V = range(3)
NOISE_SHIFT = 7
NOISE_SPAN = 127
OFFSET_STEP = 64


@kernel(error_model="numpy")
def scale_trunc(x: Any, keep: Any) -> Any:
    """Return ``trunc(x * keep / 4096)`` for |x| <= 2^23 and 0 <= keep <= 4096, in 32 bits."""
    a = np.int32(abs(x))
    high = np.int32(np.int32(a >> DECAY_BITS) * keep)
    low = np.int32(np.int32(np.int32(a & DECAY_MASK) * keep) >> DECAY_BITS)
    y = np.int32(high + low)
    return y if x >= 0 else np.int32(-y)


@kernel(error_model="numpy")
def draw_noise(tick: Any, units: Any, noise: Any, key: Any, push: Any) -> None:
    """Draw the noise of the units in a block into ``push`` (u, then v); ``noise`` is (target, exponent, offset)."""
    base = (noise[0] - NOISE_U) * LANES
    shift = noise[1] - NOISE_SHIFT
    for i in range(LANES):
        x = np.int64((draw(key, tick, units[i]) * np.uint64(2 * NOISE_SPAN + 1)) >> np.uint64(32)) - NOISE_SPAN
        x += OFFSET_STEP * noise[2]
        size = abs(x) << shift if shift >= 0 else abs(x) >> -shift
        value = np.int32(size if x >= 0 else -size)
        push[base + i] = value if units[i] >= 0 else np.int32(0)


@kernel(error_model="numpy")
def update_block(cell: Any, due: Any, push: Any, counts: Any) -> Any:
    """Advance one block by a tick; clears ``due``, adds to ``counts``, returns (active lanes, any spike).

    ``push`` holds the noise: LANES values for u (they go into the accumulator), then LANES for v.
    """
    zero, one = np.int32(0), np.int32(1)
    active, hit, q_wraps, u_wraps, low, high, bias_wraps = zero, zero, zero, zero, zero, zero, zero
    for i in range(LANES):
        total = np.int32(due[i] + push[i])
        due[i] = zero
        q = np.int32(np.int32(total << Q_SHIFT) >> Q_SHIFT)
        q_wraps += np.int32(q != total)
        sum_u = np.int32(scale_trunc(cell[U * LANES + i], cell[KEEP_U * LANES + i]) + q)
        u = np.int32(np.int32(sum_u << U_SHIFT) >> U_SHIFT)
        u_wraps += np.int32(u != sum_u)
        pushed = np.int32(np.int32(u + cell[BIAS * LANES + i]) + push[LANES + i])
        drive = np.int32(np.int32(pushed << U_SHIFT) >> U_SHIFT)
        bias_wraps += np.int32(drive != pushed)
        sum_v = np.int32(scale_trunc(cell[V * LANES + i], cell[KEEP_V * LANES + i]) + drive)
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
    counts[BIAS_WRAPS] += bias_wraps
    return active, hit


@kernel(error_model="numpy")
def deliver(unit: Any, tick: Any, row: Any, target: Any, contribution: Any, delay: Any, ring: Any) -> Any:
    """Add the synapses of a spiking unit to the accumulators of the ticks they are due."""
    for k in range(row[unit], row[unit + 1]):
        ring[(tick + delay[k]) & (DELAY_SLOTS - 1), target[k]] += contribution[k]
    return row[unit + 1] - row[unit]


@kernel(error_model="numpy")
def run_core(
    values: Any, injected: Any, pushes: Any, cells: Any, ring: Any, counts: Any, rows: Any, trace: Any
) -> None:
    """Run register-level vectors: ``values`` [ticks, n] into the accumulator, ``injected`` [ticks, n_in] spikes.

    ``pushes`` is the noise [ticks, blocks, 2 * LANES]; one of a single tick holds for all. ``rows`` is
    (row, target, contribution, delay); ``trace`` is (u, v, spikes), each [ticks, n].
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
            update_block(cell, slot[b * LANES :], pushes[t % pushes.shape[0], b], counts)
            for i in range(min(LANES, n - b * LANES)):
                trace[0][t, b * LANES + i] = cell[U * LANES + i]
                trace[1][t, b * LANES + i] = cell[V * LANES + i]
                trace[2][t, b * LANES + i] = cell[SPIKED * LANES + i]


@kernel(error_model="numpy")
def set_bias(value: Any, lane: Any, largest: Any, cells: Any, counts: Any) -> None:
    """Write a bias register: mantissa << exponent, nearest, saturating; a write that changes nothing costs nothing."""
    x = abs(value)
    exponent, mantissa = 0, np.floor(x + 0.5)
    while mantissa > largest[0] and exponent < largest[1]:
        exponent += 1
        mantissa = np.floor(x / (1 << exponent) + 0.5)
    if mantissa > largest[0]:
        counts[BIAS_CLIPS] += 1
        mantissa = float(largest[0])
    bias = np.int32(int(mantissa) << exponent)
    bias = bias if value >= 0 else np.int32(-bias)
    field = BIAS * LANES + lane % LANES
    if cells[lane // LANES, field] != bias:
        cells[lane // LANES, field] = bias
        counts[BIAS_WRITES] += 1


@kernel(error_model="numpy")
def write_bias(
    drive: Any, gain: Any, row: Any, slot: Any, weight: Any, largest: Any, cells: Any, counts: Any, acc: Any,
    standing: Any,
) -> None:  # fmt: skip
    """Write analog input, and the exploration noise that is ``standing`` [n_slots], into bias registers.

    ``largest`` holds (largest mantissa, largest exponent); ``acc`` [n_slots] keeps the input in membrane units.
    """
    acc[:] = 0.0
    for j in range(gain.size):
        for k in range(row[j], row[j + 1]):
            acc[slot[k]] += weight[k] * float(drive[j]) * gain[j]
    for s in range(acc.size):
        set_bias(acc[s] + standing[s], s, largest, cells, counts)
