"""PlumeTrack in plain Python, written from its page: a list of puffs, each of them moved at every step."""

import math
from functools import cache

import numpy as np

MASK = (1 << 64) - 1
WALKS, PERIODS = 1024, 1024


def word53(key, counter):
    z = (key + (counter + 1) * 0x9E3779B97F4A7C15) & MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return (z ^ (z >> 31)) >> 11


def uniform(key, counter):
    return word53(key, counter) / 2**53


def gaussian(key, counter):
    return sum(uniform(key, counter + i) for i in range(12)) - 6.0


@cache
def walk(i, n):
    """Place of walk i after n control periods: n steps of 10 mm, added up."""
    key, place = 0x506C756D65, 0.0
    for m in range(1, n + 1):
        place += 0.01 * gaussian(key, 12 * (i * PERIODS + m))
    return float(np.float32(place))


def poisson(mean, share):
    n, term = 0, math.exp(-mean)
    total = term
    while share >= total and n < 20:
        n += 1
        term *= mean / n
        total += term
    return n


class Puff:
    """One puff: where the wind alone has carried it, and which walk it takes beside that."""

    def __init__(self, bits, n):
        self.sign = 1.0 if bits & 1 else -1.0
        self.walk = (bits >> 1) & (WALKS - 1)
        self.late = (bits >> 11) & 3
        self.n, self.x, self.y = n, 0.0, 0.0

    def place(self):
        return self.x, self.y + self.sign * walk(self.walk, min(self.n, PERIODS - 1))


class NaivePlume:
    """One world, from its key and preset on, without an agent; ``step`` lets 40 ms pass."""

    def __init__(self, key, preset="constant", growth=0.005):
        self.key, self.preset, self.growth = key, preset, growth
        self.mean = 1.6 if preset == "sparse" else 4.0
        self.steps, self.angle, self.turns = -1001, 0.0, 0
        self.next = self.turn_tick(0) if preset in ("once", "many") else math.inf
        self.broods, self.air = [], {self.steps: (0.0, 0.0)}
        while self.steps < 0:
            self.step()

    def turn_tick(self, k):
        if self.preset == "once":
            return 4 * math.floor(300 * uniform(self.key, 4) / 4)
        jitter = 30 * (2.0 * uniform(self.key, 2**30 + 16 * k) - 1.0)
        return 4 * math.floor((300 * (k - 15 + uniform(self.key, 4)) + jitter) / 4)

    def wind(self):
        return 0.5 * math.cos(self.angle), 0.5 * math.sin(self.angle)

    def turn(self):
        while self.next <= 4 * self.steps:
            if self.preset == "once":
                self.angle, self.next = math.pi / 4, math.inf
            else:
                normal = gaussian(self.key, 2**30 + 16 * self.turns + 1)
                self.angle = max(-math.pi / 3, min(math.pi / 3, math.pi / 4 * normal))
                self.turns += 1
                self.next = self.turn_tick(self.turns)

    def step(self):
        """Carry all puffs with the wind of the past 40 ms, add those born meanwhile, then let the wind turn."""
        self.steps += 1
        u, v = self.wind()
        x, y = self.air[self.steps - 1]
        self.air[self.steps] = x + 0.04 * u, y + 0.04 * v
        for _, brood in self.broods:
            for puff in brood:
                puff.n, puff.x, puff.y = puff.n + 1, puff.x + 0.04 * u, puff.y + 0.04 * v
        at = 2**40 + 8 * self.steps
        brood = []
        for j in range(poisson(self.mean, uniform(self.key, at))):
            puff = Puff(word53(self.key, at + 1 + j // 4) >> (13 * (j % 4)), 0)
            puff.x, puff.y = 0.01 * puff.late * u, 0.01 * puff.late * v
            brood.append(puff)
        self.broods.append((self.steps, brood))
        # A brood is gone when the air of its last moment is beyond 10 m.
        far = self.air[self.steps][0] - 10.0 + 1e-9
        self.broods = [(t, b) for t, b in self.broods if self.air[t][0] > far]
        self.turn()

    def puffs(self):
        return [(*p.place(), 0.01 + self.growth * (0.04 * p.n + 0.01 * p.late)) for _, b in self.broods for p in b]

    def odor(self, x, y):
        return sum((0.01 / r) ** 3 for px, py, r in self.puffs() if math.hypot(px - x, py - y) < r)

    def stray(self, x, y):
        return min((math.hypot(px - x, py - y) for px, py, _ in self.puffs()), default=math.hypot(x, y))
