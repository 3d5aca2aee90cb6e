"""The ``dpi_analog`` family: currents of differential-pair integrators, stepped by forward Euler in float64.

One step of ``dt`` (Rockpool ``devices/dynapse/simulation/dynapsim.py``, chips sheet 7.1), in this order::

    I_syn  <- I_syn exp(-dt / tau_syn) + x           x: (1 - exp(-t_pulse / tau_syn)) max(Io, gain I_w) per spike
    I_ahp  <- I_ahp exp(-dt / tau_ahp)
    I_leak  = I_tau + I_ahp
    I_in    = max(Io, I_exc - I_inh - I_leak + I_dc);  Io while refractory
    I_inf   = (I_gain / I_tau) (I_in - I_leak)
    I_fb    = Io (I_mem / Io)^(kappa / (kappa + 1))  SE2; G / (1 + exp(-(I_mem - I_th) / I_norm)) where FB_GAIN > 0, SE1
    f       = I_fb / I_leak (I_mem + I_gain)
    I_mem  <- max(Io, I_mem + dt I_mem / (tau (I_mem + I_gain)) (I_inf + f - I_mem (1 + I_ahp / I_tau)))
    spike     if I_mem > I_spkthr: I_mem = Io, refractory for HOLD steps, I_ahp += jump

with tau = C Ut / (kappa I_leak). Currents are in units of the dark current Io, so that Io = 1; times in seconds.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from insectbot.chips.dpi_power import power
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
from insectbot.core.library import exp_f8
from insectbot.jit import kernel

# Parameters, one row each, one column per neuron. CHARGE is C Ut / kappa [s in units of Io].
KEEP_EXC, KEEP_INH, KEEP_AHP, AHP_JUMP, I_TAU, I_GAIN, CHARGE, I_DC, THRESHOLD, HOLD = range(10)
POWER, FB_GAIN, FB_THRESHOLD, FB_NORM = range(10, 14)
N_PARAMETERS = 14
# State.
I_MEM, I_EXC, I_INH, I_AHP, HELD, X_EXC, X_INH = range(7)
N_STATE = 7
N_COUNTS = N_COMMON


@kernel(error_model="numpy")
def feedback(i_mem: Any, j: Any, p: Any) -> Any:
    """Return the positive feedback of a neuron at a membrane current."""
    if p[FB_GAIN, j] > 0.0:
        return p[FB_GAIN, j] / (1.0 + exp_f8(-(i_mem - p[FB_THRESHOLD, j]) / p[FB_NORM, j]))
    return power(i_mem, p[POWER, j])


@kernel(error_model="numpy")
def step(j: Any, p: Any, s: Any, x_exc: Any, x_inh: Any, dt: Any) -> Any:
    """Advance neuron ``j`` by one step; returns whether it spikes."""
    i_exc = s[I_EXC, j] * p[KEEP_EXC, j] + x_exc
    i_inh = s[I_INH, j] * p[KEEP_INH, j] + x_inh
    i_ahp = s[I_AHP, j] * p[KEEP_AHP, j]
    s[I_EXC, j] = i_exc
    s[I_INH, j] = i_inh
    i_mem, i_tau, i_gain = s[I_MEM, j], p[I_TAU, j], p[I_GAIN, j]
    leak = i_tau + i_ahp
    i_in = max(1.0, i_exc - i_inh - leak + p[I_DC, j])
    if s[HELD, j] > 0.0:
        s[HELD, j] -= 1.0
        i_in = 1.0
    i_inf = i_gain / i_tau * (i_in - leak)
    # The published form with leak / (I_mem + I_gain) taken out of f: one division less.
    pull = leak / (i_mem + i_gain) * (i_inf - i_mem * (1.0 + i_ahp / i_tau))
    i_mem = max(1.0, i_mem + dt / p[CHARGE, j] * i_mem * (pull + feedback(i_mem, j, p)))
    spike = i_mem > p[THRESHOLD, j]
    if spike:
        i_mem = 1.0
        s[HELD, j] = p[HOLD, j]
        i_ahp += p[AHP_JUMP, j]
    s[I_MEM, j] = i_mem
    s[I_AHP, j] = i_ahp
    return spike


@kernel(error_model="numpy")
def replay(parameters: Any, state: Any, x: Any, dt: Any, trace: Any, spikes: Any) -> None:
    """Run neurons on arrivals ``x`` [steps, 2, n]; fills ``trace`` [steps, 4, n] (mem, exc, inh, ahp) and spikes."""
    for t in range(x.shape[0]):
        for j in range(x.shape[2]):
            spikes[t, j] = step(j, parameters, state, x[t, 0, j], x[t, 1, j], dt)
            for k in range(4):
                trace[t, k, j] = state[k, j]


@kernel(error_model="numpy")
def steady_rate(parameters: Any, current: Any, dt: Any, steps: Any, state: Any) -> Any:
    """Return the rate [1/s] of the one neuron at a constant synaptic current: whole intervals of ``steps`` steps."""
    state[:, 0] = 0.0
    state[I_MEM, 0] = 1.0
    first, last, n = -1, -1, 0
    for t in range(steps):
        state[I_EXC, 0] = 0.0
        if step(0, parameters, state, current, 0.0, dt):
            first = t if first < 0 else first
            last = t
            n += 1
    return (n - 1) / ((last - first) * dt) if n > 1 else 0.0


@kernel(error_model="numpy")
def advance(substeps: Any, dt: Any, parameters: Any, state: Any, fired: Any) -> Any:
    """Advance all neurons by a tick; fills ``fired``, returns their number. A neuron spikes at most once in a tick."""
    n_fired = 0
    for j in range(state.shape[1]):
        x_exc, x_inh, spiked = state[X_EXC, j], state[X_INH, j], False
        state[X_EXC, j] = 0.0
        state[X_INH, j] = 0.0
        for k in range(substeps):
            if step(j, parameters, state, x_exc, x_inh, dt):
                spiked = True
                state[HELD, j] = max(state[HELD, j], substeps - 1.0 - k)
            x_exc, x_inh = 0.0, 0.0
        if spiked:
            fired[n_fired] = j
            n_fired += 1
    return n_fired


@kernel(error_model="numpy")
def feedbacks(p: Any, s: Any, logistic: Any, out: Any) -> None:
    """Fill ``out`` with the positive feedback of all neurons."""
    i_mem = s[I_MEM]
    if logistic:
        for j in range(i_mem.size):
            out[j] = p[FB_GAIN, j] / (1.0 + exp_f8(-(i_mem[j] - p[FB_THRESHOLD, j]) / p[FB_NORM, j]))
    else:
        for j in range(i_mem.size):
            out[j] = power(i_mem[j], p[POWER, j])


@kernel(error_model="numpy")
def advance_plain(substeps: Any, dt: Any, p: Any, s: Any, fired: Any, scratch: Any) -> Any:
    """Do the same as :func:`advance` without adaptation, bit for bit, neurons side by side, all with one feedback.

    ``scratch`` holds one float64 per neuron.
    """
    n = s.shape[1]
    logistic = n > 0 and p[FB_GAIN, 0] > 0.0
    fired[:n] = 0
    for k in range(substeps):
        feedbacks(p, s, logistic, scratch)
        left = substeps - 1.0 - k
        for j in range(n):
            i_mem, leak, i_gain, held = s[I_MEM, j], p[I_TAU, j], p[I_GAIN, j], s[HELD, j]
            i_exc = s[I_EXC, j] * p[KEEP_EXC, j] + s[X_EXC, j]
            i_inh = s[I_INH, j] * p[KEEP_INH, j] + s[X_INH, j]
            s[X_EXC, j] = 0.0
            s[X_INH, j] = 0.0
            s[I_EXC, j] = i_exc
            s[I_INH, j] = i_inh
            i_in = max(1.0, i_exc - i_inh - leak + p[I_DC, j])
            i_in = 1.0 if held > 0.0 else i_in
            held = held - 1.0 if held > 0.0 else held
            pull = leak / (i_mem + i_gain) * (i_gain / leak * (i_in - leak) - i_mem)
            i_mem = max(1.0, i_mem + dt / p[CHARGE, j] * i_mem * (pull + scratch[j]))
            spike = i_mem > p[THRESHOLD, j]
            s[I_MEM, j] = 1.0 if spike else i_mem
            s[HELD, j] = max(p[HOLD, j], left) if spike else held
            fired[j] |= np.int64(spike)
    n_fired = 0
    for j in range(n):
        if fired[j]:
            fired[n_fired] = j
            n_fired += 1
    return n_fired


@kernel(error_model="numpy")
def deliver(unit: Any, synapses: Any, state: Any) -> Any:
    """Let a spike's pulses add to what arrives in the next tick; returns how many CAM words matched."""
    row, target, kind, code, words, pulse = synapses
    total = 0
    for m in range(row[unit], row[unit + 1]):
        j = target[m]
        if kind[m] == 0:
            state[X_EXC, j] += pulse[0, j, code[m]]
        else:
            state[X_INH, j] += pulse[1, j, code[m]]
        total += words[m]
    return total


@kernel(error_model="numpy")
def window(
    n_ticks: Any, recording: Any, counts: Any, sources: Any, neurons: Any, synapses: Any, meter: Any, out: Any
) -> Any:
    """Run one control window; returns 1 for a bad drive.

    ``neurons`` is (parameters, state, fired, core, output, (substeps, dt, adaptation), scratch), ``synapses`` (row,
    target, kind, code, CAM words, pulse [kind, neuron, code]).
    """
    parameters, state, fired, core_of, output_of, setup, scratch = neurons
    work, firing, n_inputs = meter[4], sources[7], sources[0].size
    if begin(sources, out, counts):
        return 1
    substeps, dt = int(setup[0]), setup[1]
    start = counts[TICK]
    for tick in range(start, start + n_ticks):
        n_in = emit_inputs(tick, sources)
        if setup[2] > 0.0:
            n_fired = advance(substeps, dt, parameters, state, fired)
        else:
            n_fired = advance_plain(substeps, dt, parameters, state, fired, scratch)
        counts[INPUT_SPIKES] += n_in
        counts[SPIKES] += n_fired
        for s in range(n_in + n_fired):
            u = firing[s] if s < n_in else n_inputs + fired[s - n_in]
            counts[SYNOPS] += deliver(u, synapses, state)
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
