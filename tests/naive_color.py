"""ColorForage's body, SpikingLab9's plasticity and nine neurons in plain Python, from their descriptions."""

import math

import numpy as np


def moved(x, y, heading, rotate, forward):
    """Return the pose after the spikes of a tick, before any shove."""
    if rotate:
        heading -= math.radians(4)
    if forward:
        x, y = x + 0.4 * math.cos(heading), y + 0.4 * math.sin(heading)
    return x, y, heading


def inside(x, y):
    """Return a place on the torus of the arena."""
    return 79.5 + (x - 79.5) % 41, 0.5 + (y - 0.5) % 60


def weights(trains, w0, a=0.045):
    """Return one weight after arrivals and spikes: ``trains`` is (arrival ticks, post ticks), pair by pair."""
    arrivals, posts = trains
    w = w0
    for t in range(max(arrivals + posts) + 1):
        if t in arrivals:
            earlier = [p for p in posts if p < t]
            if earlier and t - earlier[-1] <= 75:
                w -= a * math.exp(-(t - earlier[-1]) / 18)
        if t in posts:
            before = max([p for p in posts if p < t], default=-math.inf)
            since = [s for s in arrivals if before < s <= t]
            w += sum(a * math.exp(-(t - s) / 11) for s in since[-30:] if t - s <= 50)
        w = min(max(w, 1), 9)
    return w


class Plasticity:
    """The rule for all synapses, spike by spike, from lists; weights are rounded to float32 at every change."""

    def __init__(self, w, gain, loss, low=1.0, high=9.0, forget=0.0, rest=5.0):
        self.w = [[float(x) for x in row] for row in w]
        self.gain, self.loss, self.low, self.high, self.forget, self.rest = gain, loss, low, high, forget, rest
        self.pulses = {(j, i): [] for j in range(len(w)) for i in range(len(w[0]))}
        self.spiked = [-math.inf] * len(w[0])
        self.now = 0

    def put(self, j, i, value):
        """Round, then bound."""
        self.w[j][i] = float(np.float32(value))

    def tick(self, t, pre, post):
        """Take the numbers of pre units whose pulses arrive at ``t`` and of post units that spike."""
        if not pre and not post:
            return
        synapses = list(self.pulses)
        if self.forget:
            keep = (1.0 - self.forget) ** (t - self.now)
            for j, i in synapses:
                self.put(j, i, self.rest + keep * (self.w[j][i] - self.rest))
        self.now = t
        for j, i in synapses:
            if j in pre:
                if t - self.spiked[i] <= 75:
                    self.put(j, i, self.w[j][i] - self.loss * math.exp(-(t - self.spiked[i]) / 18))
                self.pulses[j, i].append(t)
        for j, i in synapses:
            if i in post:
                near = [s for s in reversed(self.pulses[j, i][-30:]) if t - s <= 50]
                self.put(j, i, self.w[j][i] + sum(self.gain * math.exp(-(t - s) / 11) for s in near))
                self.pulses[j, i] = []
        for i in post:
            self.spiked[i] = t
        for j, i in synapses:
            self.put(j, i, min(max(self.w[j][i], self.low), self.high))


class Brain:
    """The circuit: units 0-2 afferents, 3 pain, 4 food, 5 rotate, 6 forward, 7 and 8 pacemakers."""

    def __init__(self, rule, pacemaker):
        self.rule, self.pacemaker, self.t = rule, pacemaker, 0
        self.v, self.silent, self.count = [-65.0] * 9, [-1] * 9, [0, 0, 0]
        self.due, self.pulses = {}, set()

    def send(self, delay, unit, weight):
        """Let a pulse arrive ``delay`` ticks from now."""
        at = self.due.setdefault(self.t + delay, [0.0] * 9)
        at[unit] += weight

    def tick(self, seen):
        """Return the spikes of rotate and forward."""
        for c in range(3):
            self.count[c] = self.count[c] + 1 if seen[c] < 5 else 0
            if self.count[c] and self.count[c] >= math.floor(seen[c] + 0.5):
                self.count[c] = 0
                self.send(3, c, 20.0)
        for unit, on in ((3, seen[3]), (4, seen[4]), (7, self.t == 0)):
            if on:
                self.send(1, unit, 20.0)
        arrived, fired = self.due.pop(self.t, [0.0] * 9), set()
        for u in range(9):
            if self.t <= self.silent[u]:
                continue
            self.v[u] = max(-65 + 0.92 * (self.v[u] + 65) + arrived[u], -75)
            if self.v[u] >= -55:
                fired.add(u)
                self.v[u], self.silent[u] = (-70, self.t + 1) if u > 6 else (-75, self.t + 3)
        for u in fired & {0, 1, 2}:
            for i in range(2):
                self.send(1, 5 + i, self.rule.w[u][i])
        wires = {3: [(1, 5, 20)], 4: [(1, 6, 20)], 5: [(3, 6, -22)], 6: [(3, 5, -8)]}
        wires |= {7: [(2, 8, 15), (1, 6, self.pacemaker)], 8: [(3, 7, 15)]}
        for u in fired & wires.keys():
            for wire in wires[u]:
                self.send(*wire)
        self.rule.tick(self.t, self.pulses, {u - 5 for u in fired & {5, 6}})
        self.pulses = fired & {0, 1, 2}
        self.t += 1
        return [5 in fired, 6 in fired]
