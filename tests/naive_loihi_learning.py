"""Plain-Python oracle of Loihi's learning engine, written from the data sheet: one synapse, one product at a time."""

import math

MASK = (1 << 64) - 1
WIDTH = {"x1": 7, "x2": 7, "y1": 7, "y2": 7, "y3": 7, "w": 9, "t": 9, "c": 8}


def squares(counter, key):
    """Return 32 random bits (Squares, four rounds; Widynski 2020)."""
    x = y = counter * key & MASK
    z = (y + key) & MASK
    for add in (y, z, y):
        x = (x * x + add) & MASK
        x = (x >> 32 | x << 32) & MASK
    return ((x * x + z) & MASK) >> 32


def bits(key, tick, index):
    return squares(tick << 24 | index, key)


def word(key, tick, index):
    """Return the 64 random bits of a neuron or synapse at a tick."""
    return (bits(key, tick, 0) << 32 | bits(key, tick, 1)) + index * 0x9E3779B97F4A7C15 & MASK


def rounded(value, n, mode, random):
    add = {"stochastic": random & ((1 << n) - 1), "nearest": (1 << n) // 2, "floor": 0}[mode]
    return (value + add) >> n


def cut(value, low, high):
    return min(max(value, low), high)


def product(mantissa, exponent, factors, values):
    """Return one product at the scale of the accumulator (15 bits and a sign)."""
    total, width = mantissa, 4
    for name, constant in factors:
        n = WIDTH[name]
        total *= cut(values[name] + constant, -(2**n), 2**n - 1)
        width += n
    total >>= max(0, width - 15)
    return cut(total << exponent if exponent >= 0 else total >> -exponent, -(2**15), 2**15 - 1)


class Engine:
    """The engine of one projection, all to all; arguments as of ``run_learning``."""

    def __init__(self, rule, n_pre, n_post, weights, tags, low, high, step, keys):
        self.rule, self.mode, self.ends, self.step, self.keys = rule, rule.rounding, (low, high), step, keys
        self.w = [[int(weights[i][j]) for j in range(n_pre)] for i in range(n_post)]
        self.t = [[int(tags[i][j]) for j in range(n_pre)] for i in range(n_post)]
        self.x = [{"x1": 0, "x2": 0} for _ in range(n_pre)]
        self.y = [{"y1": 0, "y2": 0, "y3": 0} for _ in range(n_post)]
        self.noted, self.last, self.carry = {}, {}, {}
        self.updates = self.tag_clips = self.trace_clips = 0

    def step_trace(self, values, name, tick, index, spiked):
        """Decay and add the impulse; returns the value between the two."""
        trace = self.rule.traces.get(name)
        if trace is None:
            return values[name]
        keep = round(math.exp(-1 / trace.tau) * 2**16)
        random = word(self.keys[("x1", "x2", "y1", "y2", "y3").index(name)], tick, index)
        before = rounded(values[name] * keep, 16, self.mode, random >> 48)
        after = before
        if spiked:
            after += rounded(round(trace.impulse * 256), 8, self.mode, random >> 32)
            self.trace_clips += after > 127 and not self.rule.nearest
        values[name] = min(after, 127)
        return before

    def tick(self, tick, pre, post):
        """Advance by a tick: traces, then, at the end of an epoch, all synapses that it concerns."""
        moment = tick % self.rule.t_epoch
        for j, spiked in enumerate(pre):
            for name in self.x[j]:
                self.step_trace(self.x[j], name, tick, j, spiked)
                self.noted["x", j, name, moment] = self.x[j][name]
            if spiked:
                self.last["x", j] = moment
        for i, spiked in enumerate(post):
            for name in self.y[i]:
                self.noted["y", i, name, moment] = self.step_trace(self.y[i], name, tick, i, spiked)
            if spiked:
                self.last["y", i] = moment
        if moment == self.rule.t_epoch - 1:
            self.close(tick)
            self.last = {}

    def close(self, tick):
        epoch = tick // self.rule.t_epoch + 1
        due = {
            p.dependency
            for p in self.rule.products
            if p.dependency[0] == "u" and not epoch % 2 ** int(p.dependency[1:])
        }
        for i, row in enumerate(self.w):
            for j in range(len(row)):
                moments = {"x0": self.last.get(("x", j)), "y0": self.last.get(("y", i))}
                moments |= dict.fromkeys(due, self.rule.t_epoch - 1)
                if any(m is not None for m in moments.values()):
                    self.update(i, j, moments, word(self.keys[5], tick, j * len(self.w) + i))

    def update(self, i, j, moments, random):
        total = {"w": self.w[i][j] << 7, "t": self.t[i][j] << 7, "over": False}
        for p in self.rule.products:
            m = moments.get(p.dependency)
            if m is not None:
                values = {name: self.noted["x", j, name, m] for name in ("x1", "x2")}
                values |= {name: self.noted["y", i, name, m] for name in ("y1", "y2", "y3")}
                self.add(total, p, values | {"w": self.w[i][j], "t": self.t[i][j], "c": 0})
        self.store(i, j, self.new_weight(total["w"], random), total, random)

    def add(self, total, p, values):
        change = product(p.mantissa, p.exponent, p.factors, values)
        total["over"] |= p.target == "t" and abs(total["t"] + change) > 2**15 - 1
        total[p.target] = cut(total[p.target] + change, -(2**15), 2**15 - 1)

    def new_weight(self, total, random):
        return cut(rounded(total, 7 + self.step, self.mode, random >> 48) << self.step, *self.ends)

    def store(self, i, j, weight, total, random):
        self.w[i][j], new = weight, rounded(total["t"], 7, self.mode, random >> 32)
        self.t[i][j] = cut(new, -256, 255)
        self.tag_clips += total["over"] or new != self.t[i][j]
        self.updates += 1

    def host(self, tick, cause, y2, y3):
        """Run a host pass on the traces of now; returns the new weights."""
        fresh, key = [], self.keys[6] + 2 * {"reward": 3, "noise": 4}[cause]
        for i, row in enumerate(self.w):
            fresh.append([])
            for j, w in enumerate(row):
                total = {"w": w << 7, "t": self.t[i][j] << 7, "over": False}
                values = {**self.x[j], "y1": self.y[i]["y1"], "y2": y2, "y3": y3, "w": w, "t": self.t[i][j], "c": 0}
                for p in self.rule.products:
                    if p.dependency == cause:
                        self.add(total, p, values)
                random = word(key & MASK, tick, j * len(self.w) + i)
                fresh[-1].append(self.new_weight(total["w"], random))
                self.store(i, j, w, total, random)
        return fresh

    def reward(self, tick, value, bounds, groups):
        """Run a reward pass, share the changes within groups, keep to the bounds."""
        fresh = self.host(tick, "reward", max(value, 0), max(-value, 0))
        places = [(i, j) for i in range(len(self.w)) for j in range(len(self.w[0]))]
        for g in {int(v) for row in groups or () for v in row}:
            members = [(i, j) for i, j in places if groups[i][j] == g]
            total = (sum(fresh[i][j] - self.w[i][j] for i, j in members) << 16) // len(members) + self.carry.get(g, 0)
            self.carry[g] = total % (1 << 16 + self.step)
            for i, j in members:
                fresh[i][j] = self.w[i][j] + (total - self.carry[g] >> 16)
        for i, j in places:
            self.w[i][j] = cut(fresh[i][j], *bounds)
