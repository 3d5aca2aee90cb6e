"""The ``adex_wafer`` family: the AdEx neuron of ``adex_analog.py`` with conductance synapses, as on BrainScaleS-1.

One step of ``dt`` (hxtorch's AdEx reference with conductances in the place of currents; chips sheet 5.1)::

    g <- g (1 - dt / tau_syn) + x              x: conductances of the spikes that arrive in this step; of each input
    v <- v + dt/C (g_l (v_l - v + D_T exp(min((v - v_T) / D_T, 6))) + g_exc (E_exc - v) + g_inh (E_inh - v) - w)
    z  = v > threshold                         the supply rails bound v first
    w <- w + dt/tau_w (a (v - v_l) - w) + b z
    v <- reset if z; then held at reset for HOLD steps, in which g and w go on

Everything is float64. Potentials are in LSB of the 10-bit floating gates, conductances in units of the leak.
"""

from __future__ import annotations

import math
from typing import Any

from insectbot.chips.adex_analog import (
    ADAPTATION_TERM,
    CEILING,
    D_T,
    EXP_LIMIT,
    EXPONENTIAL_TERM,
    FLOOR,
    G_L,
    HELD,
    HOLD,
    I_EXC,
    I_INH,
    K_EXC,
    K_INH,
    K_M,
    K_W,
    LEAK_TERM,
    NOISE,
    RESET,
    THRESHOLD,
    V_L,
    V_T,
    X_EXC,
    X_INH,
    A,
    B,
    V,
    W,
    deliver,
)
from insectbot.chips.adex_analog import N_PARAMETERS as N_CURRENT
from insectbot.chips.brainscales_ppu import jitter
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

# Two rows more than the current-based neuron has; I_EXC and I_INH of the state are the conductances.
E_EXC, E_INH = N_CURRENT, N_CURRENT + 1
N_PARAMETERS = N_CURRENT + 2
TINY = 1e-100
"""Conductance below which there is none: a silent synapse must not end among slow denormal numbers."""
V_LOW = N_COMMON
N_COUNTS = N_COMMON + 1


@kernel(error_model="numpy")
def step(j: Any, p: Any, s: Any, x_exc: Any, x_inh: Any, terms: Any) -> Any:
    """Advance neuron ``j`` by one step; returns 1 for a spike, 2 where a rail bound v, else 0."""
    g_exc = s[I_EXC, j] * (1.0 - p[K_EXC, j]) + x_exc
    g_inh = s[I_INH, j] * (1.0 - p[K_INH, j]) + x_inh
    s[I_EXC, j] = g_exc if g_exc > TINY else 0.0
    s[I_INH, j] = g_inh if g_inh > TINY else 0.0
    v, w, found = s[V, j], s[W, j], 0
    if s[HELD, j] > 0.0:
        s[HELD, j] -= 1.0
    else:
        drive = g_exc * (p[E_EXC, j] - v) + g_inh * (p[E_INH, j] - v) - w
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
    """Run neurons on arrivals ``x`` [steps, 2, n]; fills ``trace`` [steps, 4, n] (v, g_exc, g_inh, w) and spikes."""
    for t in range(x.shape[0]):
        for j in range(x.shape[2]):
            spikes[t, j] = step(j, parameters, state, x[t, 0, j], x[t, 1, j], terms) == 1
            for k in range(4):
                trace[t, k, j] = state[k, j]


@kernel(error_model="numpy")
def advance(tick: Any, substeps: Any, key: Any, p: Any, s: Any, fired: Any, counts: Any) -> Any:
    """Advance all neurons by a tick; fills ``fired``, returns their number. A neuron spikes at most once in a tick."""
    n_fired = 0
    for j in range(s.shape[1]):
        if p[NOISE, j] > 0.0 and s[HELD, j] <= 0.0:
            s[V, j] += p[NOISE, j] * jitter(draw(key, tick, j))
        x_exc, x_inh, spiked = s[X_EXC, j], s[X_INH, j], False
        s[X_EXC, j] = 0.0
        s[X_INH, j] = 0.0
        for k in range(substeps):
            found = step(j, p, s, x_exc, x_inh, LEAK_TERM)
            x_exc, x_inh = 0.0, 0.0
            if found == 1:
                spiked = True
                s[HELD, j] = max(s[HELD, j], substeps - 1.0 - k)
            elif found == 2:
                counts[V_LOW] += 1
        if spiked:
            fired[n_fired] = j
            n_fired += 1
    return n_fired


@kernel(error_model="numpy")
def window(
    n_ticks: Any, recording: Any, counts: Any, sources: Any, neurons: Any, synapses: Any, meter: Any, out: Any
) -> Any:
    """Run one control window; returns 1 for a bad drive.

    ``neurons`` is (parameters, state, fired, core, output, key, substeps), ``synapses`` (row, target, weight,
    amplitude).
    """
    parameters, state, fired, core_of, output_of, key, substeps = neurons
    row, target, weight, amplitude = synapses
    work, firing, n_inputs = meter[4], sources[7], sources[0].size
    if begin(sources, out, counts):
        return 1
    start = counts[TICK]
    for tick in range(start, start + n_ticks):
        n_in = emit_inputs(tick, sources)
        n_fired = advance(tick, substeps[0], key[0], parameters, state, fired, counts)
        counts[INPUT_SPIKES] += n_in
        counts[SPIKES] += n_fired
        for s in range(n_in + n_fired):
            u = firing[s] if s < n_in else n_inputs + fired[s - n_in]
            counts[SYNOPS] += deliver(u, row, target, weight, amplitude, state)
            send(u, -1 if s < n_in else core_of[u - n_inputs], meter)
            if recording:
                record(tick, u, counts, out)
        for s in range(n_fired):
            j = fired[s]
            work[core_of[j], W_SPIKES] += 1
            if output_of[j] >= 0:
                read_out(output_of[j], tick, start, out)
        close_tick(meter)
    counts[TICK] = start + n_ticks
    counts[WINDOWS] += 1
    return 0
