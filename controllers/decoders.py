"""Readout of a window to action."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from insectbot.protocols import Readout
from insectbot.snn.validate import require_finite, require_positive


class FilteredRateDecoder:
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
        require_positive("FilteredRateDecoder", tau=tau, n=n)
        require_finite("FilteredRateDecoder", gain=gain, offset=offset)
        self._n, self._gain, self._tau, self._offset = n, gain, tau, offset
        self._filtered = [0.0] * n
        self._action = np.zeros(n, np.float32)
        self._keep, self._take = 0.0, 1.0

    def set_window(self, duration: float) -> None:
        """Set the length of a window [ms]."""
        self._keep = math.exp(-duration / self._tau)
        self._take = self._tau / duration * (1.0 - self._keep)

    def reset(self) -> None:
        """Forget all spikes."""
        self._filtered = [0.0] * self._n

    def __call__(self, readout: Readout) -> npt.NDArray[np.float32]:
        """Return the action, float32 of shape (n,); the array is reused by the next call."""
        keep, take, gain, offset = self._keep, self._take, self._gain, self._offset
        self._filtered = filtered = [
            keep * f + take * c for f, c in zip(self._filtered, readout.counts.tolist(), strict=True)
        ]
        self._action[:] = [min(max(offset + gain * f, -1.0), 1.0) for f in filtered]
        return self._action

    def state(self) -> dict[str, npt.NDArray]:
        """Return the filtered counts."""
        return {"filtered": np.array(self._filtered)}

    def load_state(self, state: dict[str, npt.NDArray]) -> None:
        """Restore the filtered counts."""
        self._filtered = [float(f) for f in state["filtered"]]
