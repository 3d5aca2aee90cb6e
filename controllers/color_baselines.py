"""Controllers without a brain for ``insectbot/ColorForage-v0``: random spikes, and a reflex that knows the colours."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from insectbot.controllers.baselines import Action, Baseline


class RandomSpikes(Baseline):
    """Rotates and moves by chance.

    Parameters
    ----------
    rotate, forward : float
        Probability of a spike per tick.
    """

    def __init__(self, rotate: float = 0.02, forward: float = 0.02) -> None:
        self.rate = (rotate, forward)
        self._rng = np.random.default_rng(0)

    def reset(self, seed: int) -> None:
        """Start an episode: the spikes depend on the seed alone."""
        self._rng = np.random.default_rng(seed)

    def act(self, observation: npt.ArrayLike) -> Action:
        """Return two spikes, 0 or 1."""
        return (self._rng.random(2) < self.rate).astype(np.float32)


class ColorReflex(Baseline):
    """Knows what the insect must learn: turns from white and red, goes on otherwise.

    Parameters
    ----------
    reach : float
        Distance below which it turns [patches].
    every : int
        Ticks from one move to the next, which makes it as slow as the insect.
    """

    def __init__(self, reach: float = 1.0, every: int = 40) -> None:
        self.reach, self.every = reach, every
        self._tick = 0

    def reset(self, seed: int) -> None:
        """Start an episode."""
        self._tick = 0

    def act(self, observation: npt.ArrayLike) -> Action:
        """Return two spikes, 0 or 1."""
        seen = np.asarray(observation, np.float64)
        bad = min(seen[0], seen[1]) <= self.reach
        self._tick += 1
        return np.array((bad, not bad and self._tick % self.every == 0), np.float32)
