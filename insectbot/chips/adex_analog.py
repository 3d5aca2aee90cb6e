"""The ``adex_analog`` family: adaptive exponential neurons in continuous time, as the published reference steps them.

One step of ``dt`` (electronicvisions/hxtorch ``functional/aelif.py``, chips sheet 5.1), in this order::

    i <- i (1 - dt / tau_syn) + x              x: weights of the spikes that arrive in this step; of each input
    v <- v + dt/C (g_l (v_l - v + D_T exp(min((v - v_T) / D_T, 6))) + i_exc - i_inh - w)
    z  = v > threshold                         the supply rails bound v first
    w <- w + dt/tau_w (a (v - v_l) - w) + b z
    v <- reset if z; then held at reset for HOLD steps, in which i and w go on

Everything is float64. Potentials are in LSB of the 8-bit ADC, times in microseconds of the chip.
"""

from __future__ import annotations

import math
from typing import Any

from insectbot.chips.brainscales_explore import explore, push
from insectbot.chips.brainscales_ppu import jitter, mark_post, mark_pre, read_sensors
from insectbot.chips.engine import (
    INPUT_SPIKES,
    N_COMMON,
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
from insectbot.jit import kernel
from insectbot.randomness import draw

# Parameters, one row each, one column per neuron; K_* are dt / time constant, K_M is dt / C.
K_EXC, K_INH, K_M, G_L, V_L, D_T, V_T, THRESHOLD, K_W, A, B, RESET, HOLD, FLOOR, NOISE, CEILING = range(16)
N_PARAMETERS = 16
# State.
V, I_EXC, I_INH, W, HELD, X_EXC, X_INH = range(7)
N_STATE = 7
LEAK_TERM, EXPONENTIAL_TERM, ADAPTATION_TERM = 1, 2, 4
EXP_LIMIT = 6.0

V_LOW, WEIGHT_CLIPS, SENSOR_CLIPS = range(N_COMMON, N_COMMON + 3)
N_COUNTS = N_COMMON + 3


@kernel(error_model="numpy")
def step(j: Any, p: Any, s: Any, x_exc: Any, x_inh: Any, terms: Any) -> Any:
    """Advance neuron ``j`` by one step; returns 1 for a spike, 2 where a rail bound v, else 0."""
    i_exc = s[I_EXC, j] * (1.0 - p[K_EXC, j]) + x_exc
    i_inh = s[I_INH, j] * (1.0 - p[K_INH, j]) + x_inh
    s[I_EXC, j] = i_exc
    s[I_INH, j] = i_inh
    v, w, found = s[V, j], s[W, j], 0
    held = s[HELD, j] > 0.0
    if held:
        s[HELD, j] -= 1.0
    else:
        drive = i_exc - i_inh - w
        if terms & LEAK_TERM:
            drive += p[G_L, j] * (p[V_L, j] - v)
        if terms & EXPONENTIAL_TERM:
            drive += p[G_L, j] * p[D_T, j] * math.exp(min((v - p[V_T, j]) / p[D_T, j], EXP_LIMIT))
        v += p[K_M, j] * drive
        if v < p[FLOOR, j]:
            v, found = p[FLOOR, j], 2
        v = min(v, p[CEILING, j])
        if v > p[THRESHOLD, j]:
            found = 1
    if terms & ADAPTATION_TERM:
        w += p[K_W, j] * (p[A, j] * (v - p[V_L, j]) - w)
        if found == 1:
            w += p[B, j]
        s[W, j] = w
    if found == 1:
        v = p[RESET, j]
        s[HELD, j] = p[HOLD, j]
    s[V, j] = v
    return found


@kernel(error_model="numpy")
def replay(parameters: Any, state: Any, x: Any, terms: Any, trace: Any, spikes: Any) -> None:
    """Run neurons on arrivals ``x`` [steps, 2, n]; fills ``trace`` [steps, 4, n] (v, i_exc, i_inh, w) and spikes."""
    for t in range(x.shape[0]):
        for j in range(x.shape[2]):
            spikes[t, j] = step(j, parameters, state, x[t, 0, j], x[t, 1, j], terms) == 1
            for k in range(4):
                trace[t, k, j] = state[k, j]


@kernel(error_model="numpy")
def deliver(unit: Any, row: Any, target: Any, weight: Any, amplitude: Any, state: Any) -> Any:
    """Add a spike's weights to what arrives next tick, by sign to one of the inputs; returns the synapses."""
    for m in range(row[unit], row[unit + 1]):
        w = weight[m]
        if w > 0:
            state[X_EXC, target[m]] += w * amplitude[0, m]
        else:
            state[X_INH, target[m]] -= w * amplitude[1, m]
    return row[unit + 1] - row[unit]


@kernel(error_model="numpy")
def advance(
    tick: Any, substeps: Any, terms: Any, key: Any, parameters: Any, state: Any, fired: Any, counts: Any
) -> Any:
    """Advance all neurons by a tick; fills ``fired``, returns their number. A neuron spikes at most once in a tick."""
    n_fired = 0
    for j in range(state.shape[1]):
        if parameters[NOISE, j] > 0.0 and state[HELD, j] <= 0.0:
            state[V, j] += parameters[NOISE, j] * jitter(draw(key, tick, j))
        x_exc, x_inh, spiked = state[X_EXC, j], state[X_INH, j], False
        state[X_EXC, j] = 0.0
        state[X_INH, j] = 0.0
        for k in range(substeps):
            found = step(j, parameters, state, x_exc, x_inh, terms)
            x_exc, x_inh = 0.0, 0.0
            if found == 1:
                spiked = True
                state[HELD, j] = max(state[HELD, j], substeps - 1.0 - k)
            elif found == 2:
                counts[V_LOW] += 1
        if spiked:
            fired[n_fired] = j
            n_fired += 1
    return n_fired


@kernel(error_model="numpy")
def advance_lif(tick: Any, substeps: Any, key: Any, p: Any, s: Any, fired: Any, counts: Any) -> Any:
    """Do the same as :func:`advance` with the leak term alone, bit for bit; the state stays in registers."""
    n_fired = 0
    for j in range(s.shape[1]):
        v, i_exc, i_inh, held = s[V, j], s[I_EXC, j], s[I_INH, j], s[HELD, j]
        keep_exc, keep_inh, k_m, g_l, v_l = 1.0 - p[K_EXC, j], 1.0 - p[K_INH, j], p[K_M, j], p[G_L, j], p[V_L, j]
        threshold, floor, ceiling = p[THRESHOLD, j], p[FLOOR, j], p[CEILING, j]
        if p[NOISE, j] > 0.0 and held <= 0.0:
            v += p[NOISE, j] * jitter(draw(key, tick, j))
        x_exc, x_inh, spiked, w = s[X_EXC, j], s[X_INH, j], False, s[W, j]
        s[X_EXC, j] = 0.0
        s[X_INH, j] = 0.0
        for k in range(substeps):
            i_exc = i_exc * keep_exc + x_exc
            i_inh = i_inh * keep_inh + x_inh
            x_exc, x_inh = 0.0, 0.0
            if held > 0.0:
                held -= 1.0
                continue
            v += k_m * (i_exc - i_inh - w + g_l * (v_l - v))
            if v < floor:
                v = floor
                counts[V_LOW] += 1
            v = min(v, ceiling)
            if v > threshold:
                v, spiked = p[RESET, j], True
                held = max(p[HOLD, j], substeps - 1.0 - k)
        s[V, j] = v
        s[I_EXC, j] = i_exc
        s[I_INH, j] = i_inh
        s[HELD, j] = held
        if spiked:
            fired[n_fired] = j
            n_fired += 1
    return n_fired


@kernel(error_model="numpy")
def window(
    n_ticks: Any, recording: Any, learning: Any, counts: Any, sources: Any, neurons: Any, synapses: Any, meter: Any,
    out: Any, plastic: Any, explorers: Any,
) -> Any:  # fmt: skip
    """Run one control window; returns 1 for a bad drive.

    ``neurons`` is (parameters, state, fired, core, output, key, (substeps, terms)), ``synapses`` (row, target, weight,
    amplitude), ``plastic`` as in ``brainscales_ppu.py``, ``explorers`` as in ``brainscales_explore.py``.
    """
    parameters, state, fired, core_of, output_of, key, setup = neurons
    row, target, weight, amplitude = synapses
    work, firing, n_inputs = meter[4], sources[7], sources[0].size
    substeps, terms, relays = setup[0], setup[1], plastic[20]
    if begin(sources, out, counts):
        return 1
    start = counts[TICK]
    for tick in range(start, start + n_ticks):
        if learning:
            read_sensors(tick, True, plastic, weight, counts, WEIGHT_CLIPS, SENSOR_CLIPS)
            explore(tick, explorers, plastic, counts, SENSOR_CLIPS)
            push(explorers, state[X_EXC], state[X_INH], counts)
        n_in = emit_inputs(tick, sources)
        if terms == LEAK_TERM:
            n_fired = advance_lif(tick, substeps, key[0], parameters, state, fired, counts)
        else:
            n_fired = advance(tick, substeps, terms, key[0], parameters, state, fired, counts)
        counts[INPUT_SPIKES] += n_in
        counts[SPIKES] += n_fired
        for s in range(n_in + n_fired):
            u = firing[s] if s < n_in else n_inputs + fired[s - n_in]
            counts[SYNOPS] += deliver(u, row, target, weight, amplitude, state)
            send(u, -1 if s < n_in else core_of[u - n_inputs], meter)
            if learning:
                mark_pre(u, tick, plastic)
                counts[SYNOPS] += relays[u]
            if recording:
                record(tick, u, counts, out)
        for s in range(n_fired):
            j = fired[s]
            work[core_of[j], W_SPIKES] += 1
            if learning:
                mark_post(j, tick, plastic)
            if output_of[j] >= 0:
                read_out(output_of[j], tick, start, out)
        close_tick(meter)
    counts[TICK] = start + n_ticks
    counts[WINDOWS] += 1
    return 0
