"""The ``s1615`` family: SpiNNaker's fixed-point current neurons, bit for bit, as numba kernels.

One tick of a neuron (chips sheet 4.2; sPyNNaker ``decay.h``, ``synapses.h``, ``neuron_model_lif_impl.h``). ``accum``
is s16.15 in 32 bits, decays are u0.32, a ring-buffer entry is an unsigned 16-bit weight sum:

    I_x = (I_x * d_x) >> 32  +  ((ring[t][x] << shift_x) * init_x) >> 32          x: excitatory, inhibitory
    not refractory:  alpha = round((I_exc - I_inh + I_offset) * R) + V_rest;  V = alpha - round(exp_tc * (alpha - V))
    refractory:      timer -= 1
    V >= V_thresh:   spike, V = V_reset, timer = T_refract

``round(a * b) = (a * b + half) >> 15``: half = 2^14 rounds to nearest, 0 truncates. A delta synapse (IF_curr_delta) has
d = 0 and init = 1. Sums that leave 32 bits wrap and are counted: the chip's code has no saturation there. Exploration
noise (``s1615_explore.py``; 0 where there is none) is a current beside I_offset.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from insectbot.chips.engine import N_COMMON
from insectbot.jit import kernel

FRACTION = 15
ONE = 1 << FRACTION
HALF = 1 << (FRACTION - 1)
U32_ONE = 1 << 32
INT_MIN, INT_MAX = -(1 << 31), (1 << 31) - 1
WEIGHT_MAX = (1 << 16) - 1

(DECAY_E, DECAY_I, INIT_E, INIT_I, SHIFT_E, SHIFT_I, GAIN, EXP_TC, REST, THRESHOLD, RESET, REFRACT, V_MIN, OFFSET) = (
    range(14)
)
PARAMETERS = ("decay_exc", "decay_inh", "init_exc", "init_inh", "shift_exc", "shift_inh", "r_membrane", "exp_tc")
PARAMETERS += ("v_rest", "v_thresh", "v_reset", "t_refract", "v_min", "i_offset")
I_EXC, I_INH, V, TIMER, FIRED, NOISE = range(6)
N_STATE = 6

RING_SATURATIONS, WRAPS, SPIKES_LOST, OFFSET_CLIPS, OFFSET_WRITES = range(N_COMMON, N_COMMON + 5)
HISTORY_DROPS, TRACE_WRAPS, REWARD_CLIPS, REWARD_WRITES, PLASTIC_EVENTS = range(N_COMMON + 5, N_COMMON + 10)
ELIGIBILITY_CLIPS, SHARE_WRITES = N_COMMON + 10, N_COMMON + 11
N_COUNTS = N_COMMON + 12


@kernel(error_model="numpy")
def update(slot: Any, p: Any, state: Any, half: Any, counts: Any) -> Any:
    """Advance all neurons by a tick and clear the ring-buffer ``slot`` [2 n]; returns the number of spikes.

    ``p`` [PARAMETERS, n] and ``state`` [N_STATE, n] hold accums and factors as int64; ``state[FIRED]`` is who spiked.
    """
    n = state.shape[1]
    wraps, fired = 0, 0
    for i in range(n):
        e = (state[I_EXC, i] * p[DECAY_E, i]) >> 32
        h = (state[I_INH, i] * p[DECAY_I, i]) >> 32
        e += ((np.int64(slot[i]) << p[SHIFT_E, i]) * p[INIT_E, i]) >> 32
        h += ((np.int64(slot[n + i]) << p[SHIFT_I, i]) * p[INIT_I, i]) >> 32
        exc, inh = np.int64(np.int32(e)), np.int64(np.int32(h))
        total = exc - inh + p[OFFSET, i] + state[NOISE, i]
        current = np.int64(np.int32(total))
        level = ((current * p[GAIN, i] + half) >> FRACTION) + p[REST, i]
        alpha = np.int64(np.int32(level))
        gap = alpha - state[V, i]
        distance = np.int64(np.int32(gap))
        moved = alpha - ((p[EXP_TC, i] * distance + half) >> FRACTION)
        v = np.int64(np.int32(moved))
        held = np.int64(state[TIMER, i] > 0)
        wraps += np.int64(e != exc) + np.int64(h != inh) + np.int64(total != current)
        wraps += np.int64((level != alpha) | (gap != distance) | (moved != v)) & (1 - held)
        v = state[V, i] if held else max(v, p[V_MIN, i])
        spike = np.int64(v >= p[THRESHOLD, i])
        state[I_EXC, i] = exc
        state[I_INH, i] = inh
        state[V, i] = p[RESET, i] if spike else v
        state[TIMER, i] = p[REFRACT, i] if spike else state[TIMER, i] - held
        state[FIRED, i] = spike
        fired += spike
        slot[i] = 0
        slot[n + i] = 0
    counts[WRAPS] += wraps
    return fired


@kernel(error_model="numpy")
def add(ring: Any, slot: Any, target: Any, weight: Any, counts: Any) -> None:
    """Add a weight to a ring-buffer entry; it saturates at 65535, which is counted."""
    total = np.int64(ring[slot, target]) + weight
    if total > WEIGHT_MAX:
        total = np.int64(WEIGHT_MAX)
        counts[RING_SATURATIONS] += 1
    ring[slot, target] = np.uint16(total)


@kernel(error_model="numpy")
def deliver_rows(first: Any, last: Any, tick: Any, synapses: Any, ring: Any, counts: Any) -> None:
    """Add synapses ``first`` to ``last`` of (target, weight, delay) to the ring buffer of the ticks they are due."""
    target, weight, delay = synapses
    mask = ring.shape[0] - 1
    for k in range(first, last):
        add(ring, (tick + delay[k]) & mask, target[k], weight[k], counts)


@kernel(error_model="numpy")
def write_offsets(drive: Any, gain: Any, row: Any, target: Any, weight: Any, acc: Any, p: Any, counts: Any) -> None:
    """Write analog input into I_offset (nearest, saturating, counted); a write that changes nothing costs nothing."""
    acc[:] = 0.0
    for j in range(gain.size):
        for k in range(row[j], row[j + 1]):
            acc[target[k]] += weight[k] * float(drive[j]) * gain[j]
    for i in range(acc.size):
        x = np.floor(acc[i] + 0.5)
        if x < INT_MIN or x > INT_MAX:
            counts[OFFSET_CLIPS] += 1
            x = min(max(x, float(INT_MIN)), float(INT_MAX))
        value = np.int64(x)
        if p[OFFSET, i] != value:
            p[OFFSET, i] = value
            counts[OFFSET_WRITES] += 1


@kernel(error_model="numpy")
def run_core(
    injected: Any, row: Any, synapses: Any, p: Any, state: Any, ring: Any, half: Any, counts: Any, trace: Any
) -> None:
    """Run raw vectors: neurons first, then the spikes ``injected`` [ticks, n_in] and those of the neurons themselves.

    ``row`` has n_in + n rows, sources in this order; ``trace`` is (I_exc, I_inh, V, spikes), each [ticks, n].
    """
    n, n_in = state.shape[1], injected.shape[1]
    for t in range(injected.shape[0]):
        update(ring[t & (ring.shape[0] - 1)], p, state, half, counts)
        for j in range(n_in):
            if injected[t, j]:
                deliver_rows(row[j], row[j + 1], t, synapses, ring, counts)
        for i in range(n):
            trace[0][t, i] = state[I_EXC, i]
            trace[1][t, i] = state[I_INH, i]
            trace[2][t, i] = state[V, i]
            trace[3][t, i] = state[FIRED, i]
            if state[FIRED, i]:
                deliver_rows(row[n_in + i], row[n_in + i + 1], t, synapses, ring, counts)
