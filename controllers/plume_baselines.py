"""Controllers without a brain for ``insectbot/PlumeTrack-v0``: random, always upwind, cast and surge.

They read three numbers: wind minus own velocity ahead and to the left [m/s], odor. The body's speed through the air is
what they commanded last, so adding it gives the wind itself.
"""

from __future__ import annotations

import cmath
import math

import numpy as np
import numpy.typing as npt

from insectbot.controllers.baselines import Action, Baseline
from insectbot.errors import ConfigurationError

MAX_SPEED = 2.5
"""Speed through the air at command 1 [m/s]."""
FULL_TURN = 3.125 * math.pi * 0.04
"""Turn of one control period at command 1 [rad]."""


class RandomFlight(Baseline):
    """Uniform speed and turn, new at every step."""

    def __init__(self) -> None:
        self._rng = np.random.default_rng(0)

    def reset(self, seed: int) -> None:
        """Start an episode: the commands depend on the seed alone."""
        self._rng = np.random.default_rng(seed)

    def act(self, observation: npt.ArrayLike) -> Action:
        """Return a speed in [0, 1] and a turn in [-1, 1]."""
        return self._rng.uniform((0.0, -1.0), (1.0, 1.0)).astype(np.float32)


class Upwind(Baseline):
    """Flies against the wind, odor or not.

    Parameters
    ----------
    speed : float
        Speed command, above 0 and at most 1.
    """

    def __init__(self, speed: float = 0.7) -> None:
        if not 0.0 < speed <= 1.0:
            raise ConfigurationError(f"{type(self).__name__}: speed = {speed}, must lie in (0, 1]")
        self.speed = speed
        self._flown = 0.0

    def reset(self, seed: int) -> None:
        """Start an episode at rest."""
        self._flown = 0.0

    def upwind(self, observation: npt.ArrayLike) -> float:
        """Return the angle from the heading to where the wind comes from [rad]."""
        ahead, left = (float(v) for v in np.asarray(observation, np.float64)[:2])
        return math.atan2(-left, -(ahead + self._flown))

    def towards(self, angle: float) -> Action:
        """Return the command that turns by an angle [rad], as far as it can in one step, and flies on."""
        self._flown = MAX_SPEED * self.speed
        turn = math.remainder(angle, 2.0 * math.pi) / FULL_TURN
        return np.array([self.speed, min(max(turn, -1.0), 1.0)], np.float32)

    def act(self, observation: npt.ArrayLike) -> Action:
        """Return a turn against the wind."""
        return self.towards(self.upwind(observation))


class CastAndSurge(Upwind):
    """Flies upwind while it smells the plume and shortly after; else across the wind, to and fro, in growing legs.

    The reflex of moths (Kennedy & Marsh 1974; Baker 1990). The numbers were chosen on tuning worlds.

    Parameters
    ----------
    speed : float
        Speed command, above 0 and at most 1.
    surge : int
        Steps without odor for which it still flies upwind.
    angle : float
        Angle of the cast from upwind [degrees].
    leg, growth : int
        Steps of the second leg (the first is half of it), and what each later one has more.
    """

    turn_back = True
    """Whether a new cast begins to the other side than the last leg went."""

    def __init__(self, speed: float = 1.0, surge: int = 4, angle: float = 90.0, leg: int = 8, growth: int = 6) -> None:
        super().__init__(speed)
        if surge < 0 or leg < 1 or growth < 0:
            raise ConfigurationError(
                f"CastAndSurge: surge = {surge}, leg = {leg}, growth = {growth}, must be at least 0, 1 and 0"
            )
        self.surge, self.angle, self.leg, self.growth = surge, math.radians(angle), leg, growth
        self.reset(0)

    def reset(self, seed: int) -> None:
        """Start an episode as if odor had just been lost; the side of the first leg depends on the seed."""
        super().reset(seed)
        self._side = 1.0 if seed % 2 else -1.0
        self._lost, self._legs, self._left = self.surge, 0, 0

    def act(self, observation: npt.ArrayLike) -> Action:
        """Return a turn upwind, or across the wind."""
        upwind = self.upwind(observation)
        self._lost = 0 if float(np.asarray(observation)[2]) > 0.0 else self._lost + 1
        if self._lost <= self.surge:
            self._legs = self._left = 0
            return self.towards(upwind)
        if self._left == 0:
            if self._legs > 0 or self.turn_back:
                self._side = -self._side
            self._left = self.leg // 2 if self._legs == 0 else self.leg + self.growth * (self._legs - 1)
            self._legs += 1
        self._left = max(self._left - 1, 0)
        return self.towards(upwind + self._side * self.angle)


class TrailMemory(CastAndSurge):
    """Casts about the direction of the trail that it remembers from its own way between whiffs, not about upwind.

    In the moving air the plume is a resting trail that the source has left behind, bent wherever the wind has turned.
    This controller adds up its own motion through the air, exactly and without noise, and takes the trail to run on as
    from one whiff to the next: a reference for what memory is worth. The numbers were chosen on tuning worlds.

    Parameters
    ----------
    speed, surge, angle, leg, growth
        As for :class:`CastAndSurge`.
    reach : float
        Distance between the places that tell the trail's direction [m].
    mix : float
        Share of a new direction in the remembered one.
    bias : float
        Share of the mean upwind direction in the direction flown.
    memory : float
        Steps over which the wind is averaged.
    """

    turn_back = False

    def __init__(
        self,
        speed: float = 1.0,
        surge: int = 2,
        angle: float = 104.0,
        leg: int = 9,
        growth: int = 7,
        *,
        reach: float = 0.6,
        mix: float = 0.7,
        bias: float = 0.6,
        memory: float = 80.0,
    ) -> None:
        self.reach, self.mix, self.bias, self.memory = reach, mix, bias, memory
        super().__init__(speed, surge, angle, leg, growth)

    def reset(self, seed: int) -> None:
        """Start an episode: no trail, no wind known yet."""
        super().reset(seed)
        # Places and directions are complex numbers; the first heading is 1.
        self._facing, self._place, self._anchor = 1.0 + 0.0j, 0.0j, 0.0j
        self._trail = self._mean = 0.0j

    def towards(self, angle: float) -> Action:
        """Return the command that turns by an angle, and add up the way through the air."""
        action = super().towards(angle)
        self._facing *= cmath.exp(1j * FULL_TURN * float(action[1]))
        self._place += 0.04 * self._flown * self._facing
        return action

    def upwind(self, observation: npt.ArrayLike) -> float:
        """Return the angle from the heading to where the trail is expected to go on [rad]."""
        wind = self._facing * cmath.exp(1j * super().upwind(observation))
        if self._mean == 0.0:
            self._trail = self._mean = wind
        self._mean += (wind - self._mean) / self.memory
        way = self._place - self._anchor
        if float(np.asarray(observation)[2]) > 0.0 and abs(way) > self.reach:
            new = way / abs(way)
            # A trail that seems to lead downwind is one followed the wrong way.
            if (new * self._mean.conjugate()).real > -0.5 * abs(self._mean):
                mixed = (1.0 - self.mix) * self._trail + self.mix * new
                self._trail = mixed / abs(mixed) if mixed else self._trail
            self._anchor = self._place - self.reach * new
        goal = (1.0 - self.bias) * self._trail + self.bias * self._mean / abs(self._mean)
        return cmath.phase(goal * self._facing.conjugate()) if goal else 0.0
