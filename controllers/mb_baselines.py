"""Controllers without a brain for the preset ``odors`` of ``insectbot/Foraging-v0``, and the steering they share.

They read the observation (six receptors left, six right, touch left and right, sugar, bitter); the planner knows more.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from insectbot.controllers.baselines import Action, Baseline, wheels
from insectbot.errors import ConfigurationError, ShapeError

Reals = npt.NDArray[np.float64]

N_CHANNELS = 6
N_SENSES = 2 * N_CHANNELS + 4


def senses(observation: Any, who: str) -> Reals:
    """Return the observation as numbers.

    Raises
    ------
    ShapeError
        If it is not that of the preset ``odors``.
    """
    if np.shape(observation) != (N_SENSES,):
        raise ShapeError(
            f"{who}: an observation of shape {np.shape(observation)}, must be ({N_SENSES},) of preset 'odors'"
        )
    return np.asarray(observation, np.float64)


class Nose:
    """Both antennae behind a low pass: ``s += smoothing (shares - s)``.

    Parameters
    ----------
    smoothing : float
        Share of a new sample, (0, 1].

    Attributes
    ----------
    smell : ndarray of float64, shape (2, 6)
        Left, then right antenna.
    """

    def __init__(self, smoothing: float = 0.3) -> None:
        if not 0.0 < smoothing <= 1.0:
            raise ConfigurationError(f"Nose: smoothing = {smoothing}, must lie in (0, 1]")
        self.smoothing = smoothing
        self.smell = np.zeros((2, N_CHANNELS))

    def __call__(self, observed: Reals) -> None:
        """Take the receptors of one observation."""
        self.smell += self.smoothing * (observed[: 2 * N_CHANNELS].reshape(2, N_CHANNELS) - self.smell)

    def contrast(self) -> float:
        """Return ``(left - right) / (left + right + 0.3)`` of the summed channels."""
        left, right = self.smell.sum(axis=1).tolist()
        return (left - right) / (left + right + 0.3)


class OdorSteering:
    """From how much an odor attracts to wheel commands: up or down its gradient, away from walls, wandering a little.

    ``turn = gain attraction contrast - touch (touch_L - touch_R) + w``, with ``w <- 0.9 w + N(0, wander)``; wheels
    ``bias -/+ turn``. Touch on both antennae turns on the spot.

    Parameters
    ----------
    gain, touch, wander, bias : float
        Turn per attraction and contrast, per touch, standard deviation of its change, and speed.
    """

    def __init__(self, gain: float = 5.0, touch: float = 1.0, wander: float = 0.1, bias: float = 0.8) -> None:
        self.gain, self.touch, self.wander, self.bias = gain, touch, wander, bias
        self.reset(0)

    def reset(self, seed: int) -> None:
        """Start an episode: the wandering depends on the seed alone."""
        self._seed, self._count, self._turn = seed, 0, 0.0
        self._rng = np.random.default_rng(seed)

    def __call__(self, attraction: float, contrast: float, touch_left: float, touch_right: float) -> Action:
        """Return the two wheel commands."""
        self._turn = 0.9 * self._turn + self.wander * self._rng.standard_normal()
        self._count += 1
        turn = self.gain * attraction * contrast + self._turn - self.touch * (touch_left - touch_right)
        if touch_left > 0.5 and touch_right > 0.5:
            return wheels(-0.2, 0.8)
        return wheels(self.bias - turn, self.bias + turn)

    def state(self) -> dict[str, npt.NDArray]:
        """Return seed and count of the draws, and the turn."""
        return {"draws": np.array([self._seed, self._count], np.int64), "turn": np.array([self._turn])}

    def load_state(self, state: Any) -> None:
        """Restore what :meth:`state` returned."""
        seed, count = (int(v) for v in state["draws"])
        self.reset(seed)
        self._rng.standard_normal(count)
        self._count, self._turn = count, float(state["turn"][0])


class OdorTaxis(Baseline):
    """Up the gradient of all odors, whatever they promise.

    Parameters
    ----------
    attraction : float
        How much every odor attracts; below 0 it repels.
    """

    def __init__(self, attraction: float = 1.0) -> None:
        self.attraction = attraction
        self._nose, self._steer = Nose(), OdorSteering()

    def reset(self, seed: int) -> None:
        """Start an episode."""
        self._nose = Nose()
        self._steer.reset(seed)

    def act(self, observation: npt.ArrayLike) -> Action:
        """Return the two wheel commands for one observation."""
        observed = senses(observation, "odor-taxis")
        self._nose(observed)
        return self._steer(self.attraction, self._nose.contrast(), *observed[12:14].tolist())


class OdorPlanner(Baseline):
    """Privileged: knows every source and its worth; walks to the nearest good one, around the bad ones.

    Parameters
    ----------
    berth : float
        Distance at which it begins to walk around a bad source [mm], > 0.
    """

    def __init__(self, berth: float = 60.0) -> None:
        if berth <= 0.0:
            raise ConfigurationError(f"OdorPlanner: berth = {berth} mm, must be above 0")
        self.berth = berth
        self._env: Any = None

    def bind(self, env: Any) -> None:
        """Take the env whose sources to know.

        Raises
        ------
        ConfigurationError
            If the env has no sources.
        """
        base = env.unwrapped
        if not hasattr(base, "sources") or len(base.sources()) == 0:
            raise ConfigurationError(
                f"OdorPlanner: env {type(base).__name__} has no sources, use insectbot/Foraging-v0 with preset 'odors'"
            )
        self._env = base

    def act(self, observation: npt.ArrayLike) -> Action:
        """Return the commands that turn towards the aim and walk."""
        if self._env is None:
            raise ConfigurationError("OdorPlanner: no env, call bind(env) before the first episode")
        table, (x, y, heading) = self._env.sources(), self._env.pose.tolist()
        good, bad = table[table[:, 3] == 1.0, :2] - (x, y), table[table[:, 3] == 0.0, :2] - (x, y)
        aim = good[int(np.argmin(np.hypot(*good.T)))]
        aim = aim / max(float(np.hypot(*aim)), 1e-9)
        for source in bad:
            distance = float(np.hypot(*source))
            away = source / max(distance, 1e-9)
            if distance < self.berth and float(aim @ away) > 0.0:
                aim = aim - (aim @ away) * away - 0.3 * (1.0 - distance / self.berth) * away
        error = math.remainder(math.atan2(aim[1], aim[0]) - heading, 2.0 * math.pi)
        if abs(error) > 0.3:
            return wheels(-0.2, 0.2) if error > 0.0 else wheels(0.2, -0.2)
        difference = error / 0.2
        return wheels(1.0 - max(difference, 0.0), 1.0 + min(difference, 0.0))
