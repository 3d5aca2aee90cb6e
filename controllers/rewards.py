"""Reward to modulator: what a learning rule is told."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from insectbot.snn.validate import require_finite, require_not_negative


class PredictionError:
    """Reward minus its running mean: ``m = r - mean``, then ``mean += rate * (r - mean)``.

    Without the mean, a rule of the form ``dw = m * e`` follows the average reward and not what the exploration
    changed (Fremaux & Gerstner 2016: ``<dw> = cov(m, e) + <m><e>``).

    Parameters
    ----------
    rate : float
        Weight of a new reward in the mean, in [0, 1].
    scale : float
        Factor on the result.
    """

    def __init__(self, rate: float = 0.01, scale: float = 1.0) -> None:
        require_not_negative("PredictionError", rate=rate)
        require_finite("PredictionError", scale=scale)
        self._rate, self._scale, self._mean = rate, scale, 0.0

    def __call__(self, reward: float) -> float:
        """Return the modulator of one reward and move the mean."""
        error = reward - self._mean
        self._mean += self._rate * error
        return self._scale * error

    def state(self) -> dict[str, npt.NDArray]:
        """Return the running mean."""
        return {"mean": np.array([self._mean])}

    def load_state(self, state: dict[str, npt.NDArray]) -> None:
        """Restore the running mean."""
        self._mean = float(state["mean"][0])
