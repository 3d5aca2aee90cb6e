"""Controllers without a brain for the preset ``patches`` of ``insectbot/Foraging-v0``, beside every learned result.

All but the planner read the observation alone: roughness, odor (2, 3), home cue (5, 6), load (7), taste (9). Like the
learned forager they are in one of two moods, seeking food or bringing it home, and change over by the same rule.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from insectbot.controllers.baselines import Action, Baseline
from insectbot.errors import ConfigurationError

EMPTY = 0.05
"""Load of the crop at which a forager goes out again."""


class Mood:
    """Whether a forager is homing: from a full crop on, until the crop is empty.

    Parameters
    ----------
    full : float
        Load at which it turns home, in (0.05, 1].

    Raises
    ------
    ConfigurationError
        If ``full`` is out of range.
    """

    def __init__(self, full: float = 0.95) -> None:
        if not EMPTY < full <= 1.0:
            raise ConfigurationError(f"Mood: full = {full}, must lie in ({EMPTY}, 1]")
        self.full = full
        self.homing = False

    def reset(self) -> None:
        """Start an episode seeking."""
        self.homing = False

    def __call__(self, load: float) -> bool:
        """Take the present load and return whether the forager is homing."""
        self.homing = load >= self.full or (self.homing and load > EMPTY)
        return self.homing


def _wheels(left: float, right: float) -> Action:
    return np.array((min(max(left, -1.0), 1.0), min(max(right, -1.0), 1.0)), np.float32)


class FeedingBraitenberg(Baseline):
    """A vehicle that rests on food: crossed odor and home wires, uncrossed terrain wires, a taste wire that brakes.

    Seeking: ``turn = odor (odor_L - odor_R) - terrain (rough_L - rough_R)``, speed ``bias - brake taste``. Homing: the
    home wires in place of the odor wires, no brake. Wheels: speed -/+ turn. Kinds 2 and 3 of Braitenberg (1984) and a
    feeding reflex; no search on worlds kept for tuning found better constants (``benchmarks/patches.py``).

    Parameters
    ----------
    odor, home, terrain : float
        Weights of the wires.
    bias, brake : float
        Speed without any sense, and what taste takes from it.
    full : float
        Load at which it turns home.
    """

    def __init__(
        self,
        odor: float = 4.97,
        home: float = 10.1,
        terrain: float = 0.263,
        bias: float = 0.435,
        brake: float = 0.565,
        full: float = 0.86,
    ) -> None:
        self.odor, self.home, self.terrain, self.bias, self.brake = odor, home, terrain, bias, brake
        self._mood = Mood(full)

    @property
    def full(self) -> float:
        """Load at which it turns home."""
        return self._mood.full

    def reset(self, seed: int) -> None:
        """Start an episode seeking food."""
        self._mood.reset()

    def act(self, observation: npt.ArrayLike) -> Action:
        """Return the two wheel commands for one observation."""
        rough_left, rough_right, left, right, _, home_left, home_right, load, _, taste = np.asarray(
            observation, np.float64
        ).tolist()
        turn = -self.terrain * (rough_left - rough_right)
        speed = self.bias
        if self._mood(load):
            turn += self.home * (home_left - home_right)
        else:
            turn += self.odor * (left - right)
            speed -= self.brake * taste
        return _wheels(speed - turn, speed + turn)


class PatchBraitenberg(FeedingBraitenberg):
    """The vehicle as Braitenberg (1984) drew it, kinds 2 and 3: it steers by its wires and never rests.

    Parameters
    ----------
    odor, home, terrain, bias, full : float
        As in :class:`FeedingBraitenberg`; the best of the same search without the brake.
    """

    def __init__(
        self, odor: float = 6.85, home: float = 9.84, terrain: float = 0.2, bias: float = 0.32, full: float = 0.45
    ) -> None:
        super().__init__(odor, home, terrain, bias, 0.0, full)


class PatchTaxis(PatchBraitenberg):
    """The same vehicle without terrain wires: straight up the odor, then home.

    Parameters
    ----------
    odor, home, bias, full : float
        As in :class:`FeedingBraitenberg`.
    """

    def __init__(self, odor: float = 6.85, home: float = 9.84, bias: float = 0.32, full: float = 0.45) -> None:
        super().__init__(odor, home, 0.0, bias, full)


class PatchPlanner(Baseline):
    """Privileged: knows every patch and what it holds, and walks straight to the one that pays most per mm.

    It values a patch by what it would bring home from there over the way there and back to the nest, rests on it until
    the crop is full or less than ``leave`` is left, and goes on or home, whichever pays more. Greedy, one patch ahead:
    an upper reference, not an optimum.

    Parameters
    ----------
    leave : float
        Food at which it leaves a patch [units], >= 0.
    """

    def __init__(self, leave: float = 0.1) -> None:
        if leave < 0.0:
            raise ConfigurationError(f"PatchPlanner: leave = {leave} units, must be at least 0")
        self.leave = leave
        self._mood = Mood()
        self._env: Any = None
        self._nest: npt.NDArray[np.float64] | None = None

    def bind(self, env: Any) -> None:
        """Take the env whose patches to know: it must offer ``patches()``, ``pose`` and a nest in its scene.

        Raises
        ------
        ConfigurationError
            If the env has no patches.
        """
        base = env.unwrapped
        if not hasattr(base, "patches") or "nest" not in base.scene():
            raise ConfigurationError(
                f"PatchPlanner: env {type(base).__name__} has no nest, use insectbot/Foraging-v0 with preset 'patches'"
            )
        self._env = base

    def reset(self, seed: int) -> None:
        """Start an episode; the nest is looked up at the first action, when the world stands."""
        self._mood.reset()
        self._nest = None

    def act(self, observation: npt.ArrayLike) -> Action:
        """Return the commands that turn towards the aim on the spot and then walk straight; 0 while feeding."""
        if self._env is None:
            raise ConfigurationError("PatchPlanner: no env, call bind(env) before the first episode")
        if self._nest is None:
            self._nest = np.asarray(self._env.scene()["nest"][:2], np.float64)
        load = float(np.asarray(observation)[7])
        x, y, heading = self._env.pose.tolist()
        aim = self._nest if self._mood(load) else self._patch(np.array((x, y)), load)
        if aim is None:
            return _wheels(0.0, 0.0)
        error = math.remainder(math.atan2(aim[1] - y, aim[0] - x) - heading, 2.0 * math.pi)
        if abs(error) > 0.3:
            return _wheels(-0.2, 0.2) if error > 0.0 else _wheels(0.2, -0.2)
        # Wheels that differ by 1 turn 0.1 rad in a step on smooth ground: this halves the error at best.
        difference = error / 0.2
        return _wheels(max(1.0 - max(difference, 0.0), -0.2), max(1.0 + min(difference, 0.0), -0.2))

    def _patch(self, here: npt.NDArray[np.float64], load: float) -> npt.NDArray[np.float64] | None:
        """Return where to go for food (the nest if that pays more); None while there is food underfoot."""
        assert self._nest is not None
        table = self._env.patches()
        away = np.hypot(*(table[:, :2] - here).T)
        inside = away < table[:, 2]
        if (inside & (table[:, 3] > self.leave)).any():
            return None
        back = np.hypot(*(table[:, :2] - self._nest).T)
        gain = np.where(table[:, 3] > self.leave, np.minimum(table[:, 3], 1.0 - load) + load, 0.0)
        best = int(np.argmax(gain / (np.maximum(away - table[:, 2], 0.0) + back)))
        homeward = load / max(float(np.hypot(*(self._nest - here))), 1.0)
        paying = gain[best] / (max(away[best] - table[best, 2], 0.0) + back[best])
        return self._nest if gain[best] <= 0.0 or homeward > paying else table[best, :2]
