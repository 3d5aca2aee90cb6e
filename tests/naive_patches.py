"""The preset patches in plain Python, written from the page of ForagingEnv: slow, obvious, no kernel."""

import math

from naive_foraging import NaiveWorld

from insectbot.envs import patches_row as p


class NaivePatches(NaiveWorld):
    """One world of patches, read from a state row just after its reset (the first odor draws are replayed)."""

    def __init__(self, row, first_draw):
        super().__init__(row)
        self.draws = first_draw
        self.nest = (float(row[p.NEST]), float(row[p.NEST + 1]))
        self.target = self.nest
        n = int(row[p.N_PATCHES])
        self.places = [(row[p.PATCH_X + i], row[p.PATCH_Y + i], math.sqrt(row[p.PATCH_R2 + i])) for i in range(n)]
        self.food = [float(f) for f in row[p.PATCH_FOOD : p.PATCH_FOOD + n]]
        self.most = list(self.food)
        self.regrowth, self.noise = float(row[p.REGROWTH]), float(row[p.NOISE])
        self.weights = [float(w) for w in row[p.WEIGHT : p.WEIGHT + 10]]
        self.load = self.taste = self.delivered = self.gathered = 0.0
        self.energy = 1.0
        self.smell = 0.0
        self.seen = self.observe()

    def scent(self, x, y):
        total = sum(
            f / (f + 0.5) * math.exp(-math.hypot(x - px, y - py) / 120.0)
            for (px, py, _), f in zip(self.places, self.food, strict=True)
        )
        return total / (total + 0.2)

    def bearing(self):
        """Return the bearing of the nest; its very centre counts as straight ahead."""
        return super().bearing() if self.distance() > 0.0 else 0.0

    def tips(self):
        angle, length = math.radians(35), 40.0
        return [
            (self.x + length * math.cos(self.heading + s * angle), self.y + length * math.sin(self.heading + s * angle))
            for s in (1, -1)
        ]

    def observe(self):
        """Return the ten senses; draws the noise of the odor, left first."""
        shares = [self.scent(*tip) for tip in self.tips()]
        self.smell = sum(shares)
        noisy = []
        for share in shares:
            kick = sum(self.uniform() for _ in range(12)) - 6.0 if self.noise > 0.0 else 0.0
            noisy.append(min(max(share + self.noise * kick, 0.0), 1.0))
        home = [
            (0.5 + 0.5 * math.cos(self.bearing() - s * math.pi / 4)) ** 2 / (1 + self.distance() / 1000)
            for s in (1, -1)
        ]
        rough = [self.felt(*tip) for tip in self.tips()]
        return [*rough, *noisy, self.ground(self.x, self.y), *home, self.load, self.energy, self.taste]

    def feed(self):
        self.food = [min(f + self.regrowth * 0.05, most) for f, most in zip(self.food, self.most, strict=True)]
        self.taste = taken = 0.0
        for i, (px, py, radius) in enumerate(self.places):
            if math.hypot(self.x - px, self.y - py) < radius:
                self.taste = self.food[i] / (self.food[i] + 0.5)
                taken = min(0.15 * 0.05 * self.taste, self.food[i], 1.0 - self.load)
                self.food[i] -= taken
        self.load += taken
        self.gathered += taken
        return taken

    def unload(self):
        given = min(self.load, 0.05) if self.distance() < 30.0 else 0.0
        self.load -= given
        self.delivered += given
        return given

    def drive(self, left, right):
        """Move as on the page of the env; return (mm walked, whether it collided)."""
        left, right = (min(max(v, -0.2), 1.0) for v in (left, right))
        speed = 40.0 * (1 - 0.8 * self.seen[4])
        self.heading += speed * (right - left) / 10.0 * 0.5 * 0.05
        forward = speed * (left + right) / 2 * 0.05
        x, y = self.x + forward * math.cos(self.heading), self.y + forward * math.sin(self.heading)
        if self.clamp:
            x, y = min(max(x, 0.0), self.size[0]), min(max(y, 0.0), self.size[1])
        if self.blocked(x, y):
            self.heading += self.kick * (sum(self.uniform() for _ in range(12)) - 6.0)
            self.collisions += 1
            return 0.0, True
        moved = math.hypot(x - self.x, y - self.y)
        self.x, self.y = x, y
        return moved, False

    def step(self, left, right):
        """Return (observation, reward, starved, over)."""
        before, load, taste, smell = self.seen, self.load, self.taste, self.smell
        d, b = self.distance(), math.cos(self.bearing())
        moved, collided = self.drive(left, right)
        taken = self.feed()
        given = self.unload()
        self.energy = min(self.energy - 0.05 / 150 - moved / 8000 + 0.5 * given, 1.0)
        starved = self.energy <= 0.0
        self.energy = max(self.energy, 0.0)
        self.steps += 1
        self.seen = after = self.observe()
        self.path += moved
        self.exposure += moved * (before[4] + after[4]) / 2
        terms = (
            given,
            taken,
            (1 - load) * (self.smell - smell) if taste == 0.0 and self.taste == 0.0 else 0.0,
            load * (d - self.distance()),
            load * (math.cos(self.bearing()) - b),
            moved,
            after[4],
            after[0] + after[1] - before[0] - before[1],
            float(collided),
            float(starved),
        )
        reward = sum(w * t for w, t in zip(self.weights, terms, strict=True))
        return after, reward, starved, self.steps >= self.limit and not starved
