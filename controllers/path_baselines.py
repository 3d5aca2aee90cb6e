"""Controllers without a brain for ``insectbot/PathIntegration-v0``: straight, a random walk, an exact vector memory.

They read five numbers: compass (cosine, sine of the heading), optic flow left and right, phase (1: on the way home).
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from insectbot.controllers.baselines import Action, Baseline
from insectbot.errors import ConfigurationError

_HALF_ROOT = math.sqrt(0.5)


def _turn(angle: float) -> Action:
    return np.array([min(max(angle, -1.0), 1.0)], np.float32)


class Straight(Baseline):
    """Goes on in the direction in which the walk ended."""

    def act(self, observation: npt.ArrayLike) -> Action:
        """Return no turn."""
        return _turn(0.0)


class RandomHoming(Baseline):
    """Walks home as it walked out: turns ``w <- 0.4 w + e``, e von Mises with the given concentration.

    The control of Stone et al. (2017): how often chance alone finds the nest.

    Parameters
    ----------
    kappa : float
        Concentration, > 0.
    """

    def __init__(self, kappa: float = 100.0) -> None:
        if not kappa > 0.0:
            raise ConfigurationError(f"RandomHoming: kappa = {kappa}, must be above 0")
        self.kappa = kappa
        self._last = 0.0
        self._rng = np.random.default_rng(0)

    def reset(self, seed: int) -> None:
        """Start an episode: the turns depend on the seed alone."""
        self._last, self._rng = 0.0, np.random.default_rng(seed)

    def act(self, observation: npt.ArrayLike) -> Action:
        """Return the next turn [rad]."""
        self._last = 0.4 * self._last + self._rng.vonmises(0.0, self.kappa)
        return _turn(self._last)


class VectorMemory(Baseline):
    """Adds up its velocity as two exact numbers and steers against the sum: what a perfect memory could do.

    A privileged reference: unbounded, without noise of its own. Without noise of the senses it knows the way exactly;
    with it, errors of compass and flow add up as in any integrator.

    Parameters
    ----------
    gain : float
        Turn per angle between heading and home.
    """

    def __init__(self, gain: float = 0.3) -> None:
        self.gain = gain
        self._x = self._y = 0.0

    def reset(self, seed: int) -> None:
        """Start an episode in the nest."""
        self._x = self._y = 0.0

    @property
    def position(self) -> tuple[float, float]:
        """Where it believes to be, seen from the nest [steps]."""
        return self._x, self._y

    def act(self, observation: npt.ArrayLike) -> Action:
        """Add the last step to the sum; return a turn towards home [rad]."""
        c, s, flow_left, flow_right = (float(v) for v in np.asarray(observation, np.float64)[:4])
        length = math.hypot(c, s)
        if length > 0.0:
            c, s = c / length, s / length
        forward, left = _HALF_ROOT * (flow_left + flow_right), _HALF_ROOT * (flow_left - flow_right)
        self._x += forward * c - left * s
        self._y += forward * s + left * c
        ahead, side = -(self._x * c + self._y * s), self._x * s - self._y * c
        return _turn(self.gain * math.atan2(side, ahead))
