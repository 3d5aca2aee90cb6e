"""Plain-Python oracles of BrainScaleS-1, from the chips sheet: the conductance neuron, and which synapses are lost."""

import math
from collections import Counter


def adex(x_exc, x_inh, *, dt, terms, c, g_l, v_l, threshold, reset, hold, d_t, v_t, tau_exc, tau_inh, e_exc, e_inh,
         tau_w, a, b, floor, ceiling):  # fmt: skip
    """Return per step (v, g_exc, g_inh, w, spike)."""
    v, ge, gi, w, left, trace = v_l, 0.0, 0.0, 0.0, 0, []
    for xe, xi in zip(x_exc, x_inh, strict=True):
        ge = ge * (1 - dt / tau_exc) + xe
        gi = gi * (1 - dt / tau_inh) + xi
        spike = False
        if left:
            left -= 1
        else:
            total = ge * (e_exc - v) + gi * (e_inh - v) - w
            if "leak" in terms:
                total += g_l * (v_l - v)
            if "exponential" in terms:
                total += g_l * d_t * math.exp(min((v - v_t) / d_t, 6.0))
            v = min(max(v + dt / c * total, floor), ceiling)
            spike = v > threshold
        if "adaptation" in terms:
            w += dt / tau_w * (a * (v - v_l) - w) + (b if spike else 0.0)
        if spike:
            v, left = reset, hold
        trace.append((v, ge, gi, w, spike))
    return trace


def held(synapses, share, *, drivers=224, half_rows=4, chain=5, addresses=59, pattern=16):
    """Return how many of the synapses (source, target, inhibitory) of one HICANN its array holds, and its drivers.

    Sources are numbered over the network; each bus carries as many as it has addresses.
    """
    demand = Counter()
    for source, target, down in synapses:
        bus, slot = divmod(source, addresses)
        demand[bus, slot // pattern, down, target] += 1
    rows = {}
    for (bus, bits, down, _target), wanted in demand.items():
        level = 0
        while wanted > 0:
            rows.setdefault(bus, Counter())[bits, down, level] += min(wanted, share)
            wanted, level = wanted - share, level + 1
    worth = []
    for counter in rows.values():
        gains = sorted(counter.values(), reverse=True)
        groups = [sum(gains[i : i + half_rows]) for i in range(0, len(gains), half_rows)]
        worth += groups[:chain]
    best = sorted(worth, reverse=True)[:drivers]
    return sum(best), len(best)
