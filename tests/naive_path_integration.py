"""PathIntegration and the rate model of the central complex in plain Python, written from their pages: no kernel."""

import cmath
import math

KNOTS = 2**40


def uniform(key, counter):
    """SplitMix64: the state after n calls is key + n * golden gamma."""
    mask = (1 << 64) - 1
    z = (key + (counter + 1) * 0x9E3779B97F4A7C15) & mask
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
    return ((z ^ (z >> 31)) >> 11) / 2**53


def gaussian(key, counter):
    return sum(uniform(key, counter + i) for i in range(12)) - 6.0


class NaiveWalk:
    """One world, from its key and settings on; positions and velocities are complex numbers."""

    def __init__(self, key, outbound, noise, vary):
        self.key, self.outbound, self.noise, self.vary = key, outbound, noise, vary
        self.angle = 2.0 * math.pi * uniform(key, 0) - math.pi
        self.draws, self.steps, self.turn = 1, 0, 0.0
        self.place = self.velocity = 0j
        self.out_path = self.home_path = self.distance = 0.0
        self.closest, self.reached, self.covered = math.inf, math.nan, math.nan
        self.seen = self.observe()

    def draw(self):
        value = gaussian(self.key, self.draws)
        self.draws += 12
        return value

    def observe(self):
        facing = cmath.exp(1j * self.angle)
        flow = [(self.velocity / (facing * cmath.exp(side * 0.25j * math.pi))).real for side in (1, -1)]
        senses = [facing.real, facing.imag, *flow]
        if self.noise:
            senses = [value + self.noise * self.draw() for value in senses]
        return [*senses, 1.0 if self.steps >= self.outbound else 0.0]

    def thrust(self):
        if not self.vary:
            return 0.15
        index, t = divmod(self.steps / 50, 1.0)
        points = [0.15 * uniform(self.key, KNOTS + int(index) + i) for i in range(4)]
        # Cubic Hermite curve between the two middle points, tangents from their neighbours.
        first, last = (points[2] - points[0]) / 2, (points[3] - points[1]) / 2
        value = (2 * t**3 - 3 * t**2 + 1) * points[1] + (t**3 - 2 * t**2 + t) * first
        return max(0.0, value + (3 * t**2 - 2 * t**3) * points[2] + (t**3 - t**2) * last)

    def move(self, turn, thrust):
        self.angle += turn
        self.velocity = 0.85 * (self.velocity + thrust * cmath.exp(1j * self.angle))
        self.place += self.velocity
        return abs(self.velocity)

    def step(self, action):
        reward = 0.0
        if self.steps < self.outbound:
            self.turn = 0.4 * self.turn + self.draw() / math.sqrt(99.5)
            self.out_path += self.move(self.turn, self.thrust())
            self.distance = self.closest = abs(self.place)
        else:
            before = abs(self.place)
            self.home_path += self.move(min(max(action, -1.0), 1.0), 0.1)
            reward = before - abs(self.place)
            self.closest = min(self.closest, abs(self.place))
            if math.isnan(self.reached) and abs(self.place) < 20.0:
                self.reached = self.home_path
            if math.isnan(self.covered) and self.home_path >= self.distance:
                self.covered = 1.0 - self.closest / self.distance
        self.steps += 1
        self.seen = self.observe()
        return reward


def squash(x):
    return 1.0 / (1.0 + math.exp(-x))


class NaiveRates:
    """The rate model without noise, cell by cell; left CPU1 cells read the right memory and the other way round."""

    def __init__(self):
        self.tb1 = [0.0] * 8
        self.memory = {(side, k): 0.5 for side in "LR" for k in range(8)}

    def act(self, heading, flow):
        angles = [k * math.pi / 4 for k in range(8)]
        tl2 = [squash(6.8 * math.cos(heading - a) - 3.0) for a in angles]
        cl1 = [squash(-3.0 * x + 0.5) for x in tl2]
        inhibition = [sum((1 - math.cos(a - b)) / 2 * r for b, r in zip(angles, self.tb1, strict=True)) for a in angles]
        self.tb1 = [squash(5.0 * (0.667 * 2 * c - 0.333 * i)) for c, i in zip(cl1, inhibition, strict=True)]
        for (side, k), value in self.memory.items():
            speed = min(max(flow["LR".index(side)], 0.0), 1.0)
            value += 0.0025 * (max(speed - self.tb1[k], 0.0) - 0.125)
            self.memory[side, k] = min(max(value, 0.0), 1.0)
        cpu4 = {cell: squash(5.0 * m - 2.5) for cell, m in self.memory.items()}
        pontine = {cell: squash(5.0 * r - 2.5) for cell, r in cpu4.items()}
        turn = 0.0
        for k in range(8):
            for sign, side, shift in ((1.0, "R", -1), (-1.0, "L", 1)):
                column = (k + shift) % 8
                x = 0.5 * cpu4[side, column] - 0.5 * pontine[side, (column + 4) % 8] - self.tb1[k]
                turn += sign * squash(7.5 * x + 1.0)
        return min(max(0.25 * turn, -1.0), 1.0)
