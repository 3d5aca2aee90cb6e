"""Decoders of rates: spikes per window, plain or filtered."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from insectbot.controllers.decoder import Decoder, Values
from insectbot.protocols import Readout
from insectbot.snn.validate import require_positive


class RateDecoder(Decoder):
    """Spikes per window over those of a full rate: ``value = count / (rate T)``.

    Of a regular train at most ``1 / (rate T)`` is lost; of a Poisson train the standard deviation of the decoded rate
    is ``sqrt(f / T)``.

    Parameters
    ----------
    n : int
        Number of output neurons.
    rate : float
        Rate of value 1 [Hz], > 0.
    gain, offset : float
        Action per value, and at silence.
    """

    def __init__(self, n: int, rate: float = 100.0, gain: float = 1.0, offset: float = 0.0) -> None:
        super().__init__(n, gain, offset)
        require_positive("RateDecoder", rate=rate)
        self._rate = rate

    def values(self, readout: Readout) -> Values:
        """Return the rate of each neuron as a share of the full one."""
        return np.multiply(readout.counts, 1000.0 / (self._rate * self._window), dtype=np.float64)

    def expected(self, rate: npt.ArrayLike) -> Values:
        """Return the value of a steady rate [Hz]."""
        return np.asarray(rate, np.float64) / self._rate


class FilteredRateDecoder(Decoder):
    """Each output neuron's spikes in an exponential window, times a gain, plus an offset, saturating at [-1, 1].

    ``f = f exp(-T / tau) + k n`` with ``n`` spikes in a window of ``T`` and ``k = tau / T (1 - exp(-T / tau))``,
    so that a steady rate ``r`` gives ``f = r tau``: the spikes expected in ``tau``.

    Parameters
    ----------
    n : int
        Number of output neurons.
    gain : float
        Action per spike in the window.
    tau : float
        Time constant of the window [ms], > 0.
    offset : float
        Action at silence.
    """

    def __init__(self, n: int, gain: float = 0.2, tau: float = 100.0, offset: float = 0.0) -> None:
        super().__init__(n, gain, offset)
        require_positive("FilteredRateDecoder", tau=tau)
        self._tau = tau
        # Lists: for a few motors they are faster than arrays.
        self._filtered = [0.0] * n
        self._keep, self._take = 0.0, 1.0

    def set_window(self, duration: float) -> None:
        """Set the length of a window [ms]."""
        super().set_window(duration)
        self._keep = math.exp(-duration / self._tau)
        self._take = self._tau / duration * (1.0 - self._keep)

    def reset(self) -> None:
        """Forget all spikes."""
        self._filtered = [0.0] * self.n

    def values(self, readout: Readout) -> Values:
        """Return the filtered count of each neuron."""
        return np.array(self._filter(readout))

    def __call__(self, readout: Readout) -> npt.NDArray[np.float32]:
        """Return the action, float32 of shape (n,); the array is reused by the next call.

        Raises
        ------
        ShapeError
            If the readout is not of ``n`` neurons.
        """
        gain, offset = self._gain, self._offset
        self._action[:] = [min(max(offset + gain * f, -1.0), 1.0) for f in self._filter(readout)]
        return self._action

    def _filter(self, readout: Readout) -> list[float]:
        self.check(readout)
        keep, take = self._keep, self._take
        self._filtered = filtered = [
            keep * f + take * c for f, c in zip(self._filtered, readout.counts.tolist(), strict=True)
        ]
        return filtered

    def expected(self, rate: npt.ArrayLike) -> Values:
        """Return the value of a steady rate [Hz]."""
        return np.asarray(rate, np.float64) * (self._tau / 1000.0)

    def state(self) -> dict[str, npt.NDArray]:
        """Return the filtered counts."""
        return {"filtered": np.array(self._filtered)}

    def load_state(self, state: Mapping[str, npt.NDArray]) -> None:
        """Restore the filtered counts."""
        self._filtered = [float(f) for f in state["filtered"]]
