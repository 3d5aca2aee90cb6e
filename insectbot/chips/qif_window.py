"""One control window of Neurogrid: neurons, delivery by chance, messages; the equations are in ``qif_analog.py``."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from insectbot.chips.engine import (
    INPUT_SPIKES,
    SPIKES,
    SYNOPS,
    TICK,
    W_SPIKES,
    WINDOWS,
    begin,
    close_tick,
    emit_inputs,
    read_out,
    record,
    send,
)
from insectbot.chips.qif_analog import (
    CHANNELS,
    G_SAT,
    HELD,
    HOLD,
    I_D,
    I_IN,
    K_C,
    K_D,
    K_S,
    MERGED,
    OVERLAP,
    POOLED,
    PULSE,
    REVERSAL,
    RISE,
    TINY,
    V_D,
    V_PK,
    G,
    V,
    conduct,
    fire,
    gather,
)
from insectbot.jit import kernel
from insectbot.randomness import draw, uniform

BLOCK = 128
"""Neurons that are advanced side by side: their state stays in the first cache."""
MANY = 5
"""Neurons from which on that pays."""


@kernel(error_model="numpy")
def mark(j: Any, k: Any, steps: Any, when: Any, s: Any) -> Any:
    """Note the spike of neuron ``j`` in step ``k`` of a tick and hold it to the end of the tick; returns 1."""
    when[j] = k
    s[HELD, j] = max(s[HELD, j], steps - 1.0 - k)
    return 1


@kernel(error_model="numpy")
def advance(parameters: Any, state: Any, pending: Any, arbor: Any, when: Any, counts: Any) -> Any:
    """Advance all neurons by a tick; ``when`` becomes the step of a neuron's spike, or -1; returns the spikes.

    A neuron spikes at most once in a tick: it is held to the end of it. ``pending`` [steps, 4, n] is cleared.
    """
    steps, n, fired = pending.shape[0], state.shape[1], 0
    if arbor[1].size == 0:
        # Nobody meets anybody within a tick, so each neuron runs alone, its state at hand.
        for j in range(n):
            when[j] = -1
            for k in range(steps):
                counts[MERGED] += conduct(j, pending[k], parameters, state)
                if fire(j, G, parameters, state):
                    fired += mark(j, k, steps, when, state)
    else:
        when[:] = -1
        for k in range(steps):
            for j in range(n):
                counts[MERGED] += conduct(j, pending[k], parameters, state)
            gather(arbor, state)
            for j in range(n):
                if fire(j, POOLED, parameters, state):
                    fired += mark(j, k, steps, when, state)
    pending[:] = 0
    return fired


@kernel(error_model="numpy")
def arrive(arrivals: Any, rise: Any, pulse: Any) -> Any:
    """Start the pulses of a block's arrivals at one synapse population, as ``conduct`` does; returns what merged."""
    merged = 0
    for j in range(pulse.size):
        if arrivals[j] > 0:
            longer = pulse[j] + arrivals[j] * rise[j]
            over = longer - max(rise[j], 1.0)
            if over > OVERLAP:
                longer -= over
                merged += math.ceil(over / rise[j] - OVERLAP)
            pulse[j] = longer
    return merged


@kernel(error_model="numpy")
def conduct_block(k: Any, g_sat: Any, e: Any, pulse: Any, g: Any, total: Any, driven: Any) -> None:
    """Advance the conductances of a block at one synapse population and add them up."""
    for j in range(g.size):
        on = min(pulse[j], 1.0)
        pulse[j] -= on
        x = (g[j] + k[j] * g_sat[j] * on) / (1.0 + k[j])
        g[j] = x if x > TINY else 0.0
    for j in range(g.size):
        total[j] += g[j]
        driven[j] += g[j] * e[j]


@kernel(error_model="numpy")
def gather_block(k: Any, total: Any, driven: Any, v_d: Any) -> None:
    """Advance the dendrites of a block."""
    for j in range(v_d.size):
        x = (v_d[j] + k[j] * driven[j]) / (1.0 + k[j] * total[j])
        v_d[j] = x if abs(x) > TINY else 0.0


@kernel(error_model="numpy")
def fire_block(k: Any, i_in: Any, v_pk: Any, v_d: Any, held: Any, v: Any) -> Any:
    """Advance the somas of a block, which have no adaptation; returns whether one of them is at its peak."""
    hits = 0
    for j in range(v.size):
        x = v[j] + k[j] * (-v[j] + 0.5 * v[j] * v[j] + i_in[j] + v_d[j])
        x = x if abs(x) > TINY else 0.0
        waits = held[j] > 0.0
        v[j] = v[j] if waits else x
        held[j] = held[j] - 1.0 if waits else 0.0
        hits |= int(v[j] >= v_pk[j])
    return hits


@kernel(error_model="numpy")
def advance_blocks(p: Any, s: Any, pending: Any, when: Any, counts: Any) -> Any:
    """Do the same as :func:`advance` without arbor and adaptation, bit for bit, in loops over neurons side by side."""
    steps, n, fired = pending.shape[0], s.shape[1], 0
    total, driven, live = np.empty(BLOCK), np.empty(BLOCK), np.empty(CHANNELS, np.bool_)
    when[:] = -1
    for low in range(0, n, BLOCK):
        high = min(low + BLOCK, n)
        for c in range(CHANNELS):
            live[c] = (s[G + c, low:high] > 0.0).any() or (s[PULSE + c, low:high] > 0.0).any()
        v, held, v_d, v_pk, i_d = (
            s[V, low:high],
            s[HELD, low:high],
            s[V_D, low:high],
            p[V_PK, low:high],
            p[I_D, low:high],
        )
        for k in range(steps):
            for j in range(high - low):
                total[j] = 1.0
                driven[j] = i_d[j]
            for c in range(CHANNELS):
                arrivals, some = pending[k, c, low:high], 0
                for j in range(high - low):
                    some |= arrivals[j]
                if some:
                    live[c] = True
                    counts[MERGED] += arrive(arrivals, p[RISE + c, low:high], s[PULSE + c, low:high])
                if live[c]:
                    conduct_block(
                        p[K_C + c, low:high], p[G_SAT + c, low:high], p[REVERSAL + c, low:high],
                        s[PULSE + c, low:high], s[G + c, low:high], total, driven,
                    )  # fmt: skip
            gather_block(p[K_D, low:high], total, driven, v_d)
            if fire_block(p[K_S, low:high], p[I_IN, low:high], v_pk, v_d, held, v):
                for j in range(low, high):
                    if s[V, j] >= p[V_PK, j]:
                        s[V, j] = 0.0
                        s[HELD, j] = p[HOLD, j]
                        fired += mark(j, k, steps, when, s)
    pending[:] = 0
    return fired


@kernel(error_model="numpy")
def deliver(unit: Any, step: Any, tick: Any, key: Any, synapses: Any, pending: Any) -> Any:
    """Send a spike to its targets with their probabilities, at the same step of the next tick; returns how many."""
    row, target, channel, chance = synapses
    sent = 0
    for m in range(row[unit], row[unit + 1]):
        if chance[m] >= 1.0 or uniform(key, tick, m) < chance[m]:
            pending[step, channel[m], target[m]] += 1
            sent += 1
    return sent


@kernel(error_model="numpy")
def window(
    n_ticks: Any, recording: Any, counts: Any, sources: Any, neurons: Any, synapses: Any, meter: Any, out: Any
) -> Any:
    """Run one control window of neurons without adaptation; returns 1 for a bad drive.

    ``neurons`` is (parameters, state, pending, arbor, when, core, output, keys), ``synapses`` (row,
    target, channel, chance); keys are those of delivery and of the step within a tick at which an input spikes.
    """
    parameters, state, pending, arbor, when, core_of, output_of, keys = neurons
    work, firing, n_inputs = meter[4], sources[7], sources[0].size
    if begin(sources, out, counts):
        return 1
    start, steps = counts[TICK], pending.shape[0]
    for tick in range(start, start + n_ticks):
        n_in = emit_inputs(tick, sources)
        counts[INPUT_SPIKES] += n_in
        if arbor[1].size == 0 and when.size >= MANY:
            counts[SPIKES] += advance_blocks(parameters, state, pending, when, counts)
        else:
            counts[SPIKES] += advance(parameters, state, pending, arbor, when, counts)
        for s in range(n_in):
            u = firing[s]
            step = int(float(draw(keys[1], tick, u)) * 2.0**-32 * steps)
            counts[SYNOPS] += deliver(u, step, tick, keys[0], synapses, pending)
            send(u, -1, meter)
            if recording:
                record(tick, u, counts, out)
        for j in range(when.size):
            if when[j] < 0:
                continue
            counts[SYNOPS] += deliver(n_inputs + j, when[j], tick, keys[0], synapses, pending)
            send(n_inputs + j, core_of[j], meter)
            work[core_of[j], W_SPIKES] += 1
            if recording:
                record(tick, n_inputs + j, counts, out)
            if output_of[j] >= 0:
                read_out(output_of[j], tick, start, out)
        close_tick(meter)
    counts[TICK] = start + n_ticks
    counts[WINDOWS] += 1
    return 0
