"""Controllers without a brain, to stand beside every learned result: random, walk, taxis, Braitenberg, planner.

All read the observation of ``insectbot/Foraging-v0`` (roughness left and right, target cue left and right, roughness
under the body) and return two wheel commands, left and right. Their constants are designs of this project.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from insectbot.errors import ConfigurationError

Action = npt.NDArray[np.float32]


def wheels(left: float, right: float) -> Action:
    """Return two wheel commands, each clipped to [-1, 1]."""
    return np.array((min(max(left, -1.0), 1.0), min(max(right, -1.0), 1.0)), np.float32)


class Baseline:
    """Shared manners: nothing to learn, nothing to remember.

    ``learn`` exists because every controller has it; ``learning`` is False for ever.
    """

    learning = False

    def reset(self, seed: int) -> None:
        """Start an episode."""

    def learn(self, reward: float, terminated: bool) -> None:
        """Take no notice of the reward."""


class Random(Baseline):
    """Uniform wheel commands, new at every step.

    Parameters
    ----------
    low : float
        Least command; the most is 1. Foraging clips commands below -0.2.
    """

    def __init__(self, low: float = -1.0) -> None:
        self.low = low
        self._rng = np.random.default_rng(0)

    def reset(self, seed: int) -> None:
        """Start an episode: the commands depend on the seed alone."""
        self._rng = np.random.default_rng(seed)

    def act(self, observation: npt.ArrayLike) -> Action:
        """Return two commands in [low, 1]."""
        return self._rng.uniform(self.low, 1.0, 2).astype(np.float32)


class CorrelatedRandomWalk(Baseline):
    """Full speed ahead, with a turn that wanders: ``w <- 0.9 w + N(0, 0.25)``, wheels ``1 - w`` and ``1 + w``.

    Parameters
    ----------
    persistence : float
        Factor on the turn from one step to the next, [0, 1).
    sd : float
        Standard deviation of its change, >= 0.
    """

    def __init__(self, persistence: float = 0.9, sd: float = 0.25) -> None:
        if not 0.0 <= persistence < 1.0:
            raise ConfigurationError(f"CorrelatedRandomWalk: persistence = {persistence}, must lie in [0, 1)")
        self.persistence, self.sd = persistence, sd
        self._turn = 0.0
        self._rng = np.random.default_rng(0)

    def reset(self, seed: int) -> None:
        """Start an episode straight ahead: the turns depend on the seed alone."""
        self._turn = 0.0
        self._rng = np.random.default_rng(seed)

    def act(self, observation: npt.ArrayLike) -> Action:
        """Return the commands of the next turn."""
        self._turn = self.persistence * self._turn + self._rng.normal(0.0, self.sd)
        return wheels(1.0 - self._turn, 1.0 + self._turn)


class Braitenberg(Baseline):
    """A vehicle of kind 2 and 3 (Braitenberg 1984): crossed target wires, uncrossed terrain wires.

    ``left = bias + target * cue_R + terrain * rough_L - terrain * rough_R`` and mirrored: each side's roughness drives
    its own wheel and brakes the other, so the body turns away from rough ground and towards the stronger cue.

    Parameters
    ----------
    target, terrain, bias : float
        Weights of the target cue and the roughness, and the command without any sense.
    """

    def __init__(self, target: float = 1.2, terrain: float = 1.5, bias: float = 0.8) -> None:
        self.target, self.terrain, self.bias = target, terrain, bias

    def act(self, observation: npt.ArrayLike) -> Action:
        """Return the two wheel commands for one observation."""
        rough_left, rough_right, cue_left, cue_right = np.asarray(observation, np.float64)[:4].tolist()
        turn = self.target * (cue_left - cue_right) - self.terrain * (rough_left - rough_right)
        return wheels(self.bias - turn, self.bias + turn)


class Taxis(Braitenberg):
    """The same vehicle without its terrain wires: straight up the target cue, whatever the ground.

    Parameters
    ----------
    target, bias : float
        As in :class:`Braitenberg`.
    """

    def __init__(self, target: float = 1.2, bias: float = 0.8) -> None:
        super().__init__(target, 0.0, bias)


class Planner(Baseline):
    """Privileged: knows the whole world. Follows ``env.unwrapped.optimal_path()`` by pure pursuit, reading the pose.

    Parameters
    ----------
    lookahead : float or None
        How far ahead on the path it aims [mm], > 0; None takes what costs least: 16, on a map 5.
    """

    def __init__(self, lookahead: float | None = None) -> None:
        if lookahead is not None and lookahead <= 0.0:
            raise ConfigurationError(f"Planner: lookahead = {lookahead} mm, must be above 0")
        self.lookahead = lookahead
        self._env: Any = None
        self._path: npt.NDArray[np.float64] | None = None
        self._progress = 0

    def bind(self, env: Any) -> None:
        """Take the env whose path to follow: it must offer ``optimal_path()`` and ``pose``.

        Raises
        ------
        ConfigurationError
            If the env does not plan.
        """
        base = env.unwrapped
        if not hasattr(base, "optimal_path"):
            raise ConfigurationError(
                f"Planner: env {type(base).__name__} has no optimal_path(), use insectbot/Foraging-v0"
            )
        self._env = base
        if self.lookahead is None:
            self.lookahead = 5.0 if "metres_per_unit" in base.scene() else 16.0

    def reset(self, seed: int) -> None:
        """Start an episode; the path is asked for at the first action, when the world stands."""
        self._path = None
        self._progress = 0

    def act(self, observation: npt.ArrayLike) -> Action:
        """Return the commands that turn towards the aim, the outer wheel at full speed."""
        if self._env is None:
            raise ConfigurationError("Planner: no env, call bind(env) before the first episode")
        if self._path is None:
            self._path = _resampled(self._env.optimal_path())
        x, y, heading = self._env.pose.tolist()
        aim_x, aim_y = self._aim(x, y)
        error = math.remainder(math.atan2(aim_y - y, aim_x - x) - heading, 2.0 * math.pi)
        # Wheels that differ by 1 turn 0.1 rad in a step on smooth ground: this halves the error at best.
        difference = error / 0.2
        return wheels(max(1.0 - max(difference, 0.0), -0.2), max(1.0 + min(difference, 0.0), -0.2))

    def _aim(self, x: float, y: float) -> tuple[float, float]:
        assert self._path is not None
        window = self._path[self._progress : self._progress + 60]
        self._progress += int(np.argmin(np.hypot(window[:, 0] - x, window[:, 1] - y)))
        aim = self._path[min(self._progress + round(self.lookahead or 16.0), len(self._path) - 1)]
        return float(aim[0]), float(aim[1])


def _resampled(path: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the path with a point at every mm of its length."""
    along = np.concatenate(([0.0], np.cumsum(np.hypot(*np.diff(path, axis=0).T))))
    at = np.append(np.arange(0.0, along[-1], 1.0), along[-1])
    return np.column_stack([np.interp(at, along, path[:, k]) for k in range(2)])
