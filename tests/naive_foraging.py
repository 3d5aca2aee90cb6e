"""Foraging in plain Python, written from the description in the docstring of ForagingEnv: slow, obvious, no kernel."""

import math

from insectbot.envs import foraging_row as r


class NaiveWorld:
    """One world without a map, read from a state row."""

    def __init__(self, row):
        self.size = (row[r.WIDTH], row[r.HEIGHT])
        self.x, self.y, self.heading = (float(v) for v in row[:3])
        self.target = (row[r.TARGET], row[r.TARGET + 1])
        self.bumps = [
            (row[r.BUMP_X + i], row[r.BUMP_Y + i], row[r.BUMP_K + i], row[r.BUMP_A + i])
            for i in range(int(row[r.N_BUMPS]))
        ]
        self.discs = [
            (row[r.DISC_X + i], row[r.DISC_Y + i], math.sqrt(row[r.DISC_R2 + i]))
            for i in range(int(row[r.N_OBSTACLES]))
        ]
        self.weights = [float(w) for w in row[r.WEIGHT : r.WEIGHT + 6]]
        self.clamp, self.valence = row[r.CLAMP] > 0, row[r.VALENCE]
        self.cue_range, self.kick = row[r.CUE_RANGE], row[r.KICK]
        self.key = (int(row[r.KEY_HIGH]) << 32) | int(row[r.KEY_LOW])
        self.draws = int(row[r.DRAWS])
        self.path = self.exposure = 0.0
        self.steps = self.collisions = 0
        self.limit = int(row[r.MAX_STEPS])

    def uniform(self):
        """SplitMix64: the state after n calls is key + n * golden gamma."""
        mask = (1 << 64) - 1
        self.draws += 1
        z = (self.key + self.draws * 0x9E3779B97F4A7C15) & mask
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
        return ((z ^ (z >> 31)) >> 11) / 2**53

    def ground(self, x, y):
        return min(1.0, sum(a * math.exp(-k * ((x - bx) ** 2 + (y - by) ** 2)) for bx, by, k, a in self.bumps))

    def blocked(self, x, y):
        outside = x < 0 or y < 0 or x > self.size[0] or y > self.size[1]
        return outside or any(math.hypot(x - dx, y - dy) < radius for dx, dy, radius in self.discs)

    def felt(self, x, y):
        return 1.0 if self.blocked(x, y) else self.ground(x, y)

    def distance(self):
        return math.hypot(self.target[0] - self.x, self.target[1] - self.y)

    def bearing(self):
        return math.atan2(self.target[1] - self.y, self.target[0] - self.x) - self.heading

    def observe(self):
        angle, length = math.radians(35), 40.0
        tips = [
            (self.x + length * math.cos(self.heading + s * angle), self.y + length * math.sin(self.heading + s * angle))
            for s in (1, -1)
        ]
        bearing = self.bearing() + (math.pi if self.valence < 0 else 0.0)
        cues = [0.0, 0.0]
        if self.distance() < self.cue_range:
            cues = [
                (0.5 + 0.5 * math.cos(bearing - s * math.pi / 4)) ** 2 / (1 + self.distance() / 1000) for s in (1, -1)
            ]
        return [self.felt(*tips[0]), self.felt(*tips[1]), *cues, self.ground(self.x, self.y)]

    def step(self, left, right):
        """Return (observation, reward, terminated, truncated)."""
        before, d, b = self.observe(), self.distance(), math.cos(self.bearing())
        left, right = (min(max(v, -0.2), 1.0) for v in (left, right))
        speed = 40.0 * (1 - 0.8 * before[4])
        self.heading += speed * (right - left) / 10.0 * 0.5 * 0.05
        forward = speed * (left + right) / 2 * 0.05
        x, y = self.x + forward * math.cos(self.heading), self.y + forward * math.sin(self.heading)
        if self.clamp:
            x, y = min(max(x, 0.0), self.size[0]), min(max(y, 0.0), self.size[1])
        collided = self.blocked(x, y)
        moved = 0.0
        if collided:
            self.heading += self.kick * (sum(self.uniform() for _ in range(12)) - 6.0)
            self.collisions += 1
        else:
            moved = math.hypot(x - self.x, y - self.y)
            self.x, self.y = x, y
        self.steps += 1
        after = self.observe()
        self.path += moved
        self.exposure += moved * (before[4] + after[4]) / 2
        reached = self.distance() < 20.0
        terms = (
            d - self.distance(),
            math.cos(self.bearing()) - b,
            after[4],
            after[0] + after[1] - before[0] - before[1],
            float(collided),
            float(reached),
        )
        reward = sum(w * t for w, t in zip(self.weights, terms, strict=True))
        return after, reward, reached, self.steps >= self.limit and not reached
