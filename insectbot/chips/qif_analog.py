"""The ``qif_analog`` family: Neurogrid's quadratic somas and shared dendrites in float64 (chips sheet 6).

Dimensionless equations of Gao, Benjamin & Boahen (2012), all potentials in units of the leak level::

    tau_s dv/dt   = -v + v^2 / 2 + i_in + v_d - g_k v       spike at v >= v_pk, then v = 0 for HOLD steps
    tau_k dg_k/dt = -g_k + g_k_inf p(t)                     p: 1 for RESET_PULSE steps after a spike
    tau_d dv_d/dt = -v_d + i_d + sum_ch G_ch (e_ch - v_d)   four synapse populations ch
    tau_c dg_c/dt = -g_c + g_sat p_c(t)                     p_c: 1 for RISE steps after an arrival
    G_ch(x)       = sum_y arbor(x, y) g_ch(y)               the shared dendrite; G = g where the arbor is off

One step of ``dt``, in this order: arrivals start their pulses; g and g_k by implicit Euler, with the part of the step
for which p is 1; G; v_d by implicit Euler; v by explicit Euler with the new g_k and v_d. K_* are dt / time constant.

Spikes arrive one after the other, so pulses shorter than a step do not overlap until they fill it; a longer pulse that
is on starts anew. What overlaps has no effect: the spikes merge, as the conductance cannot pass g_sat.
"""

from __future__ import annotations

import math
from typing import Any

from insectbot.chips.engine import N_COMMON
from insectbot.jit import kernel

CHANNELS = 4
# Parameters, one row each, one column per neuron; K_C, G_SAT, RISE, REVERSAL: the first of four rows, one per channel.
K_S, I_IN, V_PK, HOLD, K_K, G_K_INF, RESET_PULSE, K_D, I_D = range(9)
K_C, G_SAT, RISE, REVERSAL = range(9, 25, CHANNELS)
N_PARAMETERS = 25
# State; G, PULSE and POOLED: the first of four rows. POOLED is scratch: what the arbor gathers.
V, G_K, V_D, HELD, ON_K = range(5)
G, PULSE, POOLED = range(5, 17, CHANNELS)
N_STATE = 17

OVERLAP = 1e-9
"""Overlap [steps] that is rounding."""

TINY = 1e-100

MERGED = N_COMMON
N_COUNTS = N_COMMON + 1


@kernel(error_model="numpy")
def flushed(x: Any) -> Any:
    """Return 0 for what is next to nothing: a silent circuit must not end among slow denormal numbers."""
    return x if abs(x) > TINY else 0.0


@kernel(error_model="numpy")
def conduct(j: Any, arrivals: Any, p: Any, s: Any) -> Any:
    """Advance the four conductances of neuron ``j`` by one step; returns how many arriving spikes merged."""
    merged = 0
    for c in range(CHANNELS):
        pulse, rise = s[PULSE + c, j], p[RISE + c, j]
        if arrivals[c, j] > 0:
            pulse += arrivals[c, j] * rise
            over = pulse - max(rise, 1.0)
            if over > OVERLAP:
                pulse -= over
                merged += math.ceil(over / rise - OVERLAP)
        g = s[G + c, j]
        if g == 0.0 and pulse == 0.0:
            continue
        on = min(pulse, 1.0)
        k = p[K_C + c, j]
        s[PULSE + c, j] = pulse - on
        s[G + c, j] = flushed((g + k * p[G_SAT + c, j] * on) / (1.0 + k))
    return merged


@kernel(error_model="numpy")
def gather(arbor: Any, s: Any) -> None:
    """Let conductances spread over the shared dendrite: POOLED = arbor G. ``arbor`` is (row, source, share)."""
    row, source, share = arbor
    for c in range(CHANNELS):
        for j in range(s.shape[1]):
            total = 0.0
            for m in range(row[j], row[j + 1]):
                total += share[m] * s[G + c, source[m]]
            s[POOLED + c, j] = total


@kernel(error_model="numpy")
def fire(j: Any, first: Any, p: Any, s: Any) -> Any:
    """Advance dendrite and soma of neuron ``j`` by one step; ``first`` is POOLED or G. Returns whether it spikes."""
    total, driven = 1.0, p[I_D, j]
    for c in range(CHANNELS):
        g = s[first + c, j]
        total += g
        driven += g * p[REVERSAL + c, j]
    v_d = (s[V_D, j] + p[K_D, j] * driven) / (1.0 + p[K_D, j] * total)
    g_k = s[G_K, j]
    if g_k > 0.0 or s[ON_K, j] > 0.0:
        if s[ON_K, j] > 0.0:
            s[ON_K, j] -= 1.0
            g_k += p[K_K, j] * p[G_K_INF, j]
        g_k /= 1.0 + p[K_K, j]
    v_d = flushed(v_d)
    s[V_D, j] = v_d
    s[G_K, j] = flushed(g_k)
    if s[HELD, j] > 0.0:
        s[HELD, j] -= 1.0
        return False
    v = s[V, j]
    v += p[K_S, j] * (-v + 0.5 * v * v + p[I_IN, j] + v_d - g_k * v)
    spike = v >= p[V_PK, j]
    if spike:
        v = 0.0
        s[HELD, j] = p[HOLD, j]
        s[ON_K, j] = p[RESET_PULSE, j]
    s[V, j] = flushed(v)
    return spike


@kernel(error_model="numpy")
def replay(parameters: Any, state: Any, arrivals: Any, arbor: Any, trace: Any, spikes: Any) -> Any:
    """Run neurons on spike counts ``arrivals`` [steps, 4, n]; returns the merged spikes.

    Fills ``trace`` [steps, 7, n] (v, g_k, v_d, g) and ``spikes``. An ``arbor`` without neighbours is off.
    """
    merged, n = 0, arrivals.shape[2]
    spread = arbor[1].size > 0
    for t in range(arrivals.shape[0]):
        for j in range(n):
            merged += conduct(j, arrivals[t], parameters, state)
        if spread:
            gather(arbor, state)
        for j in range(n):
            spikes[t, j] = fire(j, POOLED if spread else G, parameters, state)
            for k in range(3):
                trace[t, k, j] = state[k, j]
            for c in range(CHANNELS):
                trace[t, 3 + c, j] = state[G + c, j]
    return merged
