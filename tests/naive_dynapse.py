"""Plain-Python oracle of the DPI neuron and its synapses, from the published equations, in ampere and seconds."""

import math

IO, KAPPA, UT = 0.5e-12, 0.705, 0.025


def dpi(x_exc, x_inh, *, dt, tau_syn, tau_ahp, i_tau, i_gain, c_mem, i_dc, threshold, hold, jump, logistic=None):
    """Return per step (I_mem, I_exc, I_inh, I_ahp, spike); ``logistic`` is (gain, threshold, norm) of DYNAP-SE1."""
    mem, exc, inh, ahp, left, trace = IO, 0.0, 0.0, 0.0, 0, []
    for xe, xi in zip(x_exc, x_inh, strict=True):
        exc = exc * math.exp(-dt / tau_syn) + xe
        inh = inh * math.exp(-dt / tau_syn) + xi
        ahp = ahp * math.exp(-dt / tau_ahp)
        leak = i_tau + ahp
        into = max(IO, exc - inh - leak + i_dc)
        if left:
            left, into = left - 1, IO
        inf = i_gain / i_tau * (into - leak)
        if logistic:
            back = logistic[0] / (1 + math.exp(-(mem - logistic[1]) / logistic[2]))
        else:
            v = UT / KAPPA * math.log(mem / IO)
            back = IO * math.exp(KAPPA**2 / (KAPPA + 1) * v / UT)
        f = back / leak * (mem + i_gain)
        tau = c_mem * UT / (KAPPA * leak)
        mem = max(IO, mem + dt * mem / (tau * (mem + i_gain)) * (inf + f - mem * (1 + ahp / i_tau)))
        spike = mem > threshold
        if spike:
            mem, left, ahp = IO, hold, ahp + jump
        trace.append((mem, exc, inh, ahp, spike))
    return trace


def rate(current, seconds, **neuron):
    """Return the rate [1/s] at a constant current: whole intervals only."""
    n = int(seconds / neuron["dt"])
    decay = math.exp(-neuron["dt"] / neuron["tau_syn"])
    x = [current, *([current * (1 - decay)] * (n - 1))]
    times = [t for t, row in enumerate(dpi(x, [0.0] * n, **neuron)) if row[4]]
    return (len(times) - 1) / ((times[-1] - times[0]) * neuron["dt"]) if len(times) > 1 else 0.0
