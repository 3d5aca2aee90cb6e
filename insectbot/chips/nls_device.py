"""The ``nls_device`` family: ferroelectric tunnel junctions by nucleation-limited switching, as a mean field.

A junction is a fraction ``s`` of domains that are ON, in parallel with the rest: ``G = s G_on + (1 - s) G_off``. A step
of ``dt`` at a voltage V, in this order (Boyn et al. 2017; chips sheet 9)::

    unchanged             if 0 <= V <= V_plus or 0 >= V >= -V_minus               the thresholds
    m  = log10(tau_inf) + (V_a / |V|) log10(e)                                    Merz's law: median switching time
    g  = gamma / V^2                                                              Lorentzian width of log10(time)
    x  = s if V > 0 else 1 - s
    t  = 10^(m + g tan(pi (x - 1/2)))                                             time already spent at this V
    x' = 1/2 + atan((log10(t + dt) - m) / g) / pi;   x <- max(x, x')              mirrored for V < 0
    s  <- clip(s, S_MIN, 1 - S_MIN)

Everything is float64. Two steps at one voltage are one step of their total time. Voltages in V, times in ns,
conductances in uS; G V^2 dt then is in fJ.
"""

from __future__ import annotations

import math
from typing import Any

from insectbot.jit import kernel

# Parameters, one row each, one column per junction: thresholds, activation voltages, log10 of tau_inf [ns], gamma, G.
V_PLUS, V_MINUS, A_PLUS, A_MINUS, LOG_TAU, GAMMA, G_ON, G_OFF = range(8)
N_PARAMETERS = 8
S_MIN = 1e-4
LOG10_E = 0.4342944819032518
HIGHEST = 300.0
"""Largest power of ten that is computed: beyond, a time is for ever."""
# Shape of a spike on a line: front and back [V], their ends [ns].
FRONT, BACK, EDGE, LENGTH = range(4)


@kernel(error_model="numpy")
def converted(x: Any, size: Any, dt: Any, v_a: Any, log_tau: Any, gamma: Any) -> Any:
    """Return the converted fraction after ``dt`` at a voltage of magnitude ``size`` above its threshold."""
    m = log_tau + v_a / size * LOG10_E
    g = gamma / (size * size)
    t = 10.0 ** min(m + g * math.tan(math.pi * (x - 0.5)), HIGHEST)
    return max(x, 0.5 + math.atan((math.log10(t + dt) - m) / g) / math.pi)


@kernel(error_model="numpy")
def switch(s: Any, v: Any, dt: Any, j: Any, p: Any) -> Any:
    """Return the ON fraction of junction ``j`` after ``dt`` at voltage ``v``."""
    if v > p[V_PLUS, j]:
        s = converted(s, v, dt, p[A_PLUS, j], p[LOG_TAU, j], p[GAMMA, j])
    elif v < -p[V_MINUS, j]:
        s = 1.0 - converted(1.0 - s, -v, dt, p[A_MINUS, j], p[LOG_TAU, j], p[GAMMA, j])
    return min(max(s, S_MIN), 1.0 - S_MIN)


@kernel(error_model="numpy")
def conductance(s: Any, j: Any, p: Any) -> Any:
    """Return the conductance of junction ``j`` [uS]."""
    return s * p[G_ON, j] + (1.0 - s) * p[G_OFF, j]


@kernel(error_model="numpy")
def line(age: Any, shape: Any) -> Any:
    """Return the voltage of a line ``age`` ns after its last spike: a front, then a back that fades; else 0."""
    if age < 0.0 or age >= shape[LENGTH]:
        return 0.0
    if age < shape[EDGE]:
        return shape[FRONT]
    return -shape[BACK] * (1.0 - (age - shape[EDGE]) / (shape[LENGTH] - shape[EDGE]))


@kernel(error_model="numpy")
def replay(parameters: Any, voltage: Any, dt: Any, s: Any, trace: Any) -> Any:
    """Apply ``voltage`` [steps, n], each held for ``dt``; fills ``trace`` [steps, n] with G. Returns the energy [fJ].

    The energy of a step is G V^2 dt with the conductance before it.
    """
    total = 0.0
    for t in range(voltage.shape[0]):
        for j in range(s.size):
            v = voltage[t, j]
            total += conductance(s[j], j, parameters) * v * v * dt
            s[j] = switch(s[j], v, dt, j, parameters)
            trace[t, j] = conductance(s[j], j, parameters)
    return total


@kernel(error_model="numpy")
def pair_sweep(parameters: Any, delays: Any, pre: Any, post: Any, dt: Any, s0: Any, change: Any) -> None:
    """Fill ``change`` with the change of s from ``s0`` by one pair of spikes, post ``delays`` [ns] after pre."""
    for k in range(delays.size):
        delay, s = delays[k], s0
        first, last = min(0.0, delay), max(pre[LENGTH], post[LENGTH] + delay)
        for n in range(math.ceil((last - first) / dt - 1e-9)):
            t = first + (n + 0.5) * dt
            s = switch(s, line(t - delay, post) - line(t, pre), dt, 0, parameters)
        change[k] = s - s0
