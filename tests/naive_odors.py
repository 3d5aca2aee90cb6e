"""The preset odors in plain Python, written from the page of ForagingEnv: slow, obvious, no kernel."""

import math

from naive_foraging import NaiveWorld

from insectbot.envs import odors_row as o
from insectbot.envs.odors_settings import BLENDS


class NaiveOdors(NaiveWorld):
    """One world of odors, read from a state row just after its reset (the first receptor draws are replayed)."""

    def __init__(self, row, first_draw):
        super().__init__(row)
        self.draws = first_draw
        n = int(row[o.N_SOURCES])
        self.places = [(float(row[o.SOURCE_X + i]), float(row[o.SOURCE_Y + i])) for i in range(n)]
        self.kinds, self.n_kinds = [int(row[o.SOURCE_KIND + i]) for i in range(n)], int(row[o.N_KINDS])
        self.good, self.reverse = int(row[o.REWARDED]), bool(row[o.REVERSE])
        self.noise = float(row[o.NOISE])
        self.weights = [float(w) for w in row[o.WEIGHT : o.WEIGHT + 4]]
        self.sugar = self.bitter = 0.0
        self.visits = []
        self.seen = self.observe()

    def observe(self):
        """Return the sixteen senses; draws the noise of the left antenna, then of the right one."""
        smell, touch = [], []
        for side in (1, -1):
            angle = self.heading + side * math.radians(35)
            x, y = self.x + 40 * math.cos(angle), self.y + 40 * math.sin(angle)
            touch.append(0.0 if 0 <= x <= self.size[0] and 0 <= y <= self.size[1] else 1.0)
            for channel in range(6):
                total = sum(
                    BLENDS[kind][channel] * math.exp(-math.hypot(x - px, y - py) / 80)
                    for (px, py), kind in zip(self.places, self.kinds, strict=True)
                )
                kick = sum(self.uniform() for _ in range(12)) - 6.0 if self.noise > 0 else 0.0
                smell.append(min(max(total / (total + 0.2) + self.noise * kick, 0.0), 1.0))
        return [*smell, *touch, self.sugar, self.bitter]

    def drive(self, left, right):
        """Move on flat ground; return (mm walked, whether it collided)."""
        left, right = (min(max(v, -0.2), 1.0) for v in (left, right))
        self.heading += 40.0 * (right - left) / 10.0 * 0.5 * 0.05
        forward = 40.0 * (left + right) / 2 * 0.05
        x, y = self.x + forward * math.cos(self.heading), self.y + forward * math.sin(self.heading)
        if self.clamp:
            x, y = min(max(x, 0.0), self.size[0]), min(max(y, 0.0), self.size[1])
        if not (0 <= x <= self.size[0] and 0 <= y <= self.size[1]):
            self.heading += self.kick * (sum(self.uniform() for _ in range(12)) - 6.0)
            return 0.0, True
        moved = math.hypot(x - self.x, y - self.y)
        self.x, self.y = x, y
        return moved, False

    def visit(self, late):
        self.sugar = self.bitter = 0.0
        for i, (px, py) in enumerate(self.places):
            if math.hypot(px - self.x, py - self.y) < 20:
                good = self.kinds[i] == self.good
                self.sugar, self.bitter = float(good), float(not good)
                self.visits.append((good, late))
                others = [place for j, place in enumerate(self.places) if j != i]
                while True:
                    x, y = 80 + (self.size[0] - 160) * self.uniform(), 80 + (self.size[1] - 160) * self.uniform()
                    if all(math.hypot(x - ox, y - oy) > 150 for ox, oy in [*others, (self.x, self.y)]):
                        break
                self.places[i] = (x, y)
                return

    def step(self, left, right):
        """Return (observation, reward, over)."""
        moved, collided = self.drive(left, right)
        self.steps += 1
        late = self.steps * 2 > self.limit
        if self.reverse and late:
            self.good, self.reverse = (self.good + 1) % self.n_kinds, False
        self.visit(late)
        self.seen = self.observe()
        terms = (self.sugar, self.bitter, moved, float(collided))
        reward = sum(w * t for w, t in zip(self.weights, terms, strict=True))
        return self.seen, reward, self.steps >= self.limit
