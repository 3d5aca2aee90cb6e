"""Reward to modulator: what a learning rule is told."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from insectbot.errors import ConfigurationError
from insectbot.snn.validate import require_finite, require_not_negative, require_positive


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


class ValueCritic:
    """Learns what a place is worth, and tells a surprise: ``m = r + discount * V(after) - V(before)``.

    A reward that comes once, at the end, thus becomes a reward for every step that improved the prospects. The value
    ``V(o) = v . f(o)`` is a weighted sum of the activity ``f`` of a grid of Gaussian fields over two channels of the
    observation, scaled to the sum 1, and learns from the same surprise: ``v += rate * m * z`` with the trace
    ``z <- discount * memory * z + f`` (TD(lambda): Sutton 1988; as the dopamine of a spiking actor: Fremaux, Sprekeler
    & Gerstner 2013).

    Parameters
    ----------
    channels : tuple of int
        The two channels of the observation that are judged.
    fields : int
        Fields per channel, >= 2, centres from 0 to ``top``.
    top : float
        Highest centre, > 0.
    discount : float
        Worth of a reward one step later, in (0, 1].
    memory : float
        Lambda, in [0, 1]: share of a surprise's credit that a state keeps per step.
    rate : float
        Learning rate of the value.
    scale : float
        Factor on the modulator that is returned.

    Raises
    ------
    ConfigurationError
        If a value is out of range.
    """

    def __init__(
        self,
        channels: tuple[int, int],
        *,
        fields: int = 5,
        top: float = 1.1,
        discount: float = 0.998,
        memory: float = 0.99,
        rate: float = 0.1,
        scale: float = 1.0,
    ) -> None:
        require_not_negative("ValueCritic", rate=rate)
        require_positive("ValueCritic", top=top)
        require_finite("ValueCritic", scale=scale)
        if fields < 2 or not 0.0 < discount <= 1.0 or not 0.0 <= memory <= 1.0:
            raise ConfigurationError(
                f"ValueCritic: fields = {fields}, discount = {discount}, memory = {memory}: must be at least 2,"
                " in (0, 1] and in [0, 1]"
            )
        self._channels, self._discount, self._memory, self._rate, self._scale = channels, discount, memory, rate, scale
        self._centres = np.linspace(0.0, top, fields)
        # Neighbouring fields overlap: a field is 0.8 of their distance wide.
        self._sharpness = 0.5 * ((fields - 1) / (0.8 * top)) ** 2
        self._value, self._trace, self._before = np.zeros((3, fields * fields))
        self._running = False

    def activity(self, observation: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return the activity of the fields, shape (fields ** 2,), of sum 1."""
        seen = np.asarray(observation, np.float64)[list(self._channels)]
        one, other = np.exp(-self._sharpness * (self._centres - seen[:, None]) ** 2)
        grid = np.multiply.outer(one, other).ravel()
        return grid / grid.sum()

    def value(self, observation: npt.ArrayLike) -> float:
        """Return what an observation is worth: the discounted reward it promises."""
        return float(self._value @ self.activity(observation))

    def begin(self) -> None:
        """Start an episode: forget what came before, keep the value."""
        self._trace[:] = 0.0
        self._running = False

    def __call__(self, reward: float, observation: npt.ArrayLike | None) -> float:
        """Return the modulator of one step and learn from it.

        Parameters
        ----------
        reward : float
            Reward of the step before ``observation``; it does not count at the first observation of an episode.
        observation : array_like or None
            What the step led to; None if the episode is over.
        """
        after = None if observation is None else self.activity(observation)
        error = 0.0
        if self._running:
            promised = 0.0 if after is None else self._discount * float(self._value @ after)
            error = reward + promised - float(self._value @ self._before)
            self._value += self._rate * error * self._trace
        if after is None:
            self.begin()
        else:
            self._trace *= self._discount * self._memory
            self._trace += after
            self._before, self._running = after, True
        return self._scale * error

    def state(self) -> dict[str, npt.NDArray]:
        """Return the value, the trace, and the activity of the last observation."""
        kept = {"value": self._value, "trace": self._trace, "before": self._before}
        return {name: array.copy() for name, array in kept.items()} | {"running": np.array([self._running])}

    def load_state(self, state: dict[str, npt.NDArray]) -> None:
        """Restore what :meth:`state` returned."""
        self._value[:], self._trace[:] = state["value"], state["trace"]
        self._before, self._running = np.array(state["before"]), bool(state["running"][0])
