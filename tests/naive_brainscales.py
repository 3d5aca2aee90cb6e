"""Plain-Python oracle of the AdEx reference step and of the correlation sensors, written from the published text."""

import math


def adex(x_exc, x_inh, *, dt, tau_exc, tau_inh, c, g_l, v_l, d_t, v_t, threshold, reset, tau_w, a, b, hold, v0, terms):
    """Return per step (v, i_exc, i_inh, w, spike); ``terms`` is a set of "leak", "exp" and "adapt"."""
    v, ie, ii, w, left, trace = v0, 0.0, 0.0, 0.0, 0, []
    for xe, xi in zip(x_exc, x_inh, strict=True):
        ie = ie * (1 - dt / tau_exc) + xe
        ii = ii * (1 - dt / tau_inh) + xi
        z = False
        if left:
            left -= 1
        else:
            total = ie - ii - w
            if "leak" in terms:
                total += g_l * (v_l - v)
            if "exp" in terms:
                total += g_l * d_t * math.exp(min((v - v_t) / d_t, 6.0))
            v += dt / c * total
            z = v > threshold
        if "adapt" in terms:
            w = w + dt / tau_w * (a * (v - v_l) - w) + (b if z else 0.0)
        if z:
            v, left = reset, hold
        trace.append((v, ie, ii, w, z))
    return trace


def sensors(pre, post, tau_plus, tau_minus, gain):
    """Return (causal, anti-causal) after spikes of one synapse; ``pre`` and ``post`` are sets of ticks."""
    causal = acausal = 0.0
    last_pre = last_post = None
    for t in range(max([*pre, *post, 0]) + 1):
        if t in pre:
            if last_post is not None:
                acausal = min(acausal + gain * math.exp(-(t - last_post) / tau_minus), 255.0)
            last_pre = t
        if t in post:
            if last_pre is not None:
                causal = min(causal + gain * math.exp(-(t - last_pre) / tau_plus), 255.0)
            last_post = t
    return causal, acausal
