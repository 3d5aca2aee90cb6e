"""SpiNNaker in plain Python, written from the published order of operations, one neuron and one synapse at a time."""

import math


def wrap32(x):
    return (x + (1 << 31)) % (1 << 32) - (1 << 31)


def low16(x):
    return (x + (1 << 15)) % (1 << 16) - (1 << 15)


class Neuron:
    """One neuron: accums as Python integers of 2^-15."""

    def __init__(self, v, half, **p):
        self.p, self.half = p, half
        self.current = {"exc": 0, "inh": 0}
        self.v, self.timer, self.wraps = v, 0, 0

    def keep(self, x):
        y = wrap32(x)
        self.wraps += y != x
        return y

    def step(self, arrived):
        p = self.p
        for kind in ("exc", "inh"):
            decayed = self.current[kind] * p[f"decay_{kind}"] // 2**32
            raw = arrived[kind] << p[f"shift_{kind}"]
            self.current[kind] = self.keep(decayed + raw * p[f"init_{kind}"] // 2**32)
        total = self.keep(self.current["exc"] - self.current["inh"] + p["i_offset"])
        if self.timer <= 0:
            before = self.wraps
            alpha = self.keep((total * p["r_membrane"] + self.half) // 2**15 + p["v_rest"])
            gap = self.keep(alpha - self.v)
            v = self.keep(alpha - (p["exp_tc"] * gap + self.half) // 2**15)
            self.wraps = before + (self.wraps > before)
            self.v = max(v, p["v_min"])
        else:
            self.timer -= 1
        spike = self.v >= p["v_thresh"]
        if spike:
            self.v, self.timer = p["v_reset"], p["t_refract"]
        return spike


def run(spikes, synapses, neurons, slots):
    """Run neurons; a synapse is (source, target, weight, delay, "exc" or "inh"). Returns rows and saturations."""
    n_in = len(spikes[0]) if spikes else 0
    ring = {}
    saturations, rows = 0, []
    for tick, row in enumerate(spikes):
        fired = list(row)
        for i, neuron in enumerate(neurons):
            arrived = {kind: ring.pop((tick, i, kind), 0) for kind in ("exc", "inh")}
            fired.append(neuron.step(arrived))
        for source, yes in enumerate(fired):
            for pre, post, weight, delay, kind in synapses:
                if yes and pre == source:
                    assert 1 <= delay <= slots
                    total = ring.get((tick + delay, post, kind), 0) + weight
                    saturations += total > 65535
                    ring[tick + delay, post, kind] = min(total, 65535)
        rows.append(
            [(x.current["exc"], x.current["inh"], x.v, bool(s)) for x, s in zip(neurons, fired[n_in:], strict=True)]
        )
    return rows, saturations


def table(tau, dt=1.0, shift=0):
    found, step = [], 0
    while (value := math.floor(math.exp(-(step << shift) * dt / tau) * 2048)) > 0:
        found.append(value)
        step += 1
    return found


def mul(a, b):
    return low16(a) * low16(b) >> 11


def accum_times(a, x):
    return wrap32(a * (x * 16) >> 15)


class Synapse:
    """A plastic synapse, deferred: it changes when its presynaptic neuron spikes."""

    def __init__(self, weight, rule, tables, shifts, delay_back=0):
        self.weight, self.tag, self.rule, self.back = weight, 0, rule, delay_back
        self.tables, self.shifts = tables, shifts
        self.last_pre, self.pre_trace = 0, 0
        self.events = [(0, 0, 0, False)]  # time, trace, dopamine, whether it is a reward

    def decay(self, which, time):
        k, lut = time >> self.shifts.get(which, 0), self.tables[which]
        return lut[k] if k < len(lut) else 0

    def note(self, event):
        self.events.append(event)
        if len(self.events) > 16:
            del self.events[1]

    def post(self, time):
        t, trace, dopamine, _ = self.events[-1]
        raised = low16(mul(trace, self.decay("minus", time - t)) + 2048)
        self.note((time, raised, low16(mul(dopamine, self.decay("d", time - t))), False))

    def reward(self, time, amount):
        t, trace, dopamine, _ = self.events[-1]
        level = low16(mul(dopamine, self.decay("d", time - t)) + amount)
        self.note((time, mul(trace, self.decay("minus", time - t)), level, True))

    def pre(self, time):
        new_trace = low16(mul(self.pre_trace, self.decay("plus", time - self.last_pre)) + 2048)
        begin, end = max(self.last_pre - self.back, 0), max(time - self.back, 0)
        real = self.events[1:]
        inside = [e for e in real if begin < e[0] <= end]
        before = [e for e in real if e[0] <= begin]
        if self.rule["rewarded"]:
            self.three_factors(time, before, inside)
        else:
            self.pairs(time, before, inside)
        self.last_pre, self.pre_trace = time, new_trace
        return self.weight, self.tag

    def pairs(self, time, before, inside):
        r = self.rule
        w = self.weight << r["shift"]
        for t, _, _, _ in inside:
            since = t + self.back - self.last_pre
            if since > 0:
                w = self.clip(w + accum_times(r["a_plus"], mul(self.pre_trace, self.decay("plus", since))))
        if before or inside:
            t, trace, _, _ = (before + inside)[-1]
            since = time - t - self.back
            if since > 0:
                w = self.clip(w - accum_times(r["a_minus"], mul(trace, self.decay("minus", since))))
        self.weight = w >> r["shift"]

    def clip(self, w, bounds=("w_low", "w_high")):
        return min(max(w, self.rule[bounds[0]]), self.rule[bounds[1]])

    def gain(self, since, level, c):
        both = low16(mul(self.decay("c", since), self.decay("d", since)) - 2048)
        return accum_times(accum_times(c, level), both) * self.rule["factor"] >> 15

    def three_factors(self, time, before, inside):
        r, eligibility = self.rule, ("e_low", "e_high")
        w, c = self.weight << r["shift"], self.tag << r["shift"]
        there, level = self.last_pre, 0
        if before:
            level = mul(before[-1][2], self.decay("d", self.last_pre - before[-1][0]))
        for t, _, dopamine, rewarded in inside:
            now = t + self.back
            if level:
                w += self.gain(now - there, level, c)
            c = accum_times(c, self.decay("c", now - there))
            since = now - self.last_pre
            if not rewarded and since > 0:
                c = self.clip(c + accum_times(r["a_plus"], mul(self.pre_trace, self.decay("plus", since))), eligibility)
            level, there = dopamine, now
        if before or inside:
            t, trace, _, _ = (before + inside)[-1]
            if level:
                w += self.gain(time - there, level, c)
            c = accum_times(c, self.decay("c", time - there))
            since = time - t - self.back
            if since > 0:
                c = self.clip(c - accum_times(r["a_minus"], mul(trace, self.decay("minus", since))), eligibility)
        self.weight, self.tag = self.clip(w) >> r["shift"], c >> r["shift"]


def squares(counter, key):
    """32 random bits: four rounds of squaring and exchanging the halves of 64 bits (Widynski 2020)."""
    full = (1 << 64) - 1
    x = y = counter * key & full
    z = (y + key) & full
    for add in (y, z, y):
        x = (x * x + add) & full
        x = (x >> 32 | x << 32) & full
    return (x * x + z & full) >> 32


def drawn(key, tick, unit):
    return squares(tick << 24 | unit, key)


def cut(x, low, high):
    return min(max(x, low), high)


class Perturbation:
    """Exploration noise of a population, and one rule of node perturbation onto it, in plain Python."""

    def __init__(self, n, period, keys, weight, pre, post, group, stochastic, **p):
        self.n, self.period, self.keys, self.p, self.stochastic = n, period, keys, p, stochastic
        self.weight, self.pre, self.post, self.group = list(weight), pre, post, group
        self.noise, self.signal, self.tag = [0] * n, [0] * n, [0] * len(pre)
        self.clips = self.wraps = 0

    def cut16(self, x):
        kept = cut(x, -32767, 32767)
        self.clips += kept != x
        return kept

    def pay(self, tick, pulse):
        bits, tags, weights = self.p["bits"], self.tag, self.weight
        shares = {}
        for g in set(self.group):
            members = [e for e, own in zip(tags, self.group, strict=True) if own == g]
            extra = drawn(self.keys[1], tick, g) % (1 << bits) if self.stochastic else (1 << bits) // 2
            shares[g] = (pulse * sum(members) // len(members) + extra) // (1 << bits)
        self.weight = [
            cut(w + shares[g], self.p["low"], self.p["high"]) for w, g in zip(weights, self.group, strict=True)
        ]

    def begin(self, tick):
        if tick % self.period:
            return
        p = self.p
        self.tag = [(e * p["fade"] + 16384) // 32768 for e in self.tag]
        for i in range(self.n):
            words = [drawn(self.keys[0], tick, 6 * i + j) for j in range(6)]
            z = (sum(w % 65536 + w // 65536 for w in words) - 6 * 65536 + 6) // 2
            fresh = (p["memory"] * self.noise[i] + 16384) // 32768 + (p["sigma"] * z + 16384) // 32768
            self.noise[i] = wrap32(fresh)
            self.wraps += self.noise[i] != fresh
        total = sum(self.noise)
        self.signal = [self.cut16(((self.n * x - total) * p["gain"] + 2**31) // 2**32) for x in self.noise]

    def spike(self, source):
        for s, (pre, post) in enumerate(zip(self.pre, self.post, strict=True)):
            if pre == source:
                self.tag[s] = self.cut16(self.tag[s] + self.signal[post])
