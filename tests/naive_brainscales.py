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


class Perturbation:
    """Node perturbation by the plasticity processor on the synapses of one projection, by the description alone.

    Parameters
    ----------
    weight : list of int
        6-bit weights.
    pre, post : list of int
        Presynaptic unit and target neuron of every synapse, in the order in which the chip stores them.
    group : list of int
        Which synapses share their weight.
    number : dict
        ``n`` neurons, ``period`` ticks, ``memory`` and ``sigma`` (LSB of weight) of the noise, ``limit`` weight,
        ``decay`` of eligibilities, ``rate`` steps per unit of eligibility and modulator, ``low`` and ``high``.
    draws : callable
        (tick, index) -> 32 random bits for the noise.
    uniform : callable
        (tick, index) -> number in (0, 1) for the rounding.
    """

    def __init__(self, weight, pre, post, group, number, draws, uniform):
        self.weight, self.pre, self.post, self.group = list(weight), pre, post, group
        self.number, self.draws, self.uniform = number, draws, uniform
        self.noise, self.level = [0] * number["n"], [0] * number["n"]
        self.signal = [0] * number["n"]
        self.spikes = [0] * len(weight)
        self.eligibility = [0] * len(weight)

    def collect(self, decay):
        for s, spikes in enumerate(self.spikes):
            e = self.eligibility[s] + min(spikes, 255) * self.signal[self.post[s]]
            if decay is not None:
                e = round(e * decay)
            self.eligibility[s] = max(-32767, min(32767, e))
        self.spikes = [0] * len(self.spikes)

    def begin_tick(self, tick):
        q = self.number
        if tick % q["period"]:
            return
        self.collect(q["decay"])
        for j in range(q["n"]):
            bits = self.draws(tick, j)
            z = (sum(bits >> shift & 255 for shift in (0, 8, 16, 24)) - 510) / 147.79935859
            fresh = round(q["memory"] * self.noise[j] + q["sigma"] * 256.0 * z)
            self.noise[j] = max(-32767, min(32767, fresh))
            self.level[j] = max(-q["limit"], min(q["limit"], round(self.noise[j] / 256)))
        for j in range(q["n"]):
            others = (sum(self.level) - self.level[j]) / (q["n"] - 1)
            self.signal[j] = round(self.level[j] - others)

    def spike(self, unit):
        for s, pre in enumerate(self.pre):
            self.spikes[s] += pre == unit

    def reward(self, tick, m):
        self.collect(None)
        q = self.number
        for g in set(self.group):
            members = [s for s in range(len(self.weight)) if self.group[s] == g]
            change = sum(q["rate"] / len(members) * m * self.eligibility[s] for s in members)
            steps = math.floor(change + self.uniform(tick, len(self.weight) + g)) if change else 0
            for s in members:
                self.weight[s] = max(q["low"], min(q["high"], self.weight[s] + steps))
