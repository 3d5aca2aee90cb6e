"""What all decoders share: readout of a window to values, values to an action."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from insectbot.errors import ShapeError
from insectbot.protocols import Readout
from insectbot.snn.validate import require_finite, require_positive

Values = npt.NDArray[np.float64]


class Decoder(ABC):
    """Base of decoders: ``action = clip(offset + gain * value, -1, 1)``.

    A decoder of your own gives :meth:`values`. What it remembers from window to window goes into arrays made by
    :meth:`remember`; these are cleared by :meth:`reset` and kept in checkpoints.

    Parameters
    ----------
    n : int
        Number of output neurons.
    gain : float
        Action per unit of the value.
    offset : float
        Action at value 0.
    size : int or None
        Length of the action; None for ``n``.
    """

    def __init__(self, n: int, gain: float = 1.0, offset: float = 0.0, size: int | None = None) -> None:
        name = type(self).__name__
        require_positive(name, n=n)
        require_finite(name, gain=gain, offset=offset)
        self.n = n
        self._gain, self._offset = gain, offset
        self._window = 0.0
        self._memory: dict[str, npt.NDArray] = {}
        self._action = np.zeros(n if size is None else size, np.float32)

    def remember(self, name: str, shape: int | tuple[int, ...], dtype: type = np.float64) -> npt.NDArray:
        """Return a new array of zeros that lives until the reset."""
        self._memory[name] = array = np.zeros(shape, dtype)
        return array

    def set_window(self, duration: float) -> None:
        """Set the length of a window [ms], > 0; raises ConfigurationError if the decoder cannot use it."""
        require_positive(type(self).__name__, window=duration)
        self._window = duration

    def reset(self) -> None:
        """Forget all spikes."""
        for array in self._memory.values():
            array[...] = 0

    @abstractmethod
    def values(self, readout: Readout) -> Values:
        """Take one window and return what it says, one value per entry of the action; the array may be reused."""

    def __call__(self, readout: Readout) -> npt.NDArray[np.float32]:
        """Return the action, float32; the array is reused by the next call.

        Raises
        ------
        ShapeError
            If the readout is not of ``n`` neurons.
        """
        self.check(readout)
        self._action[:] = np.clip(self._offset + self._gain * self.values(readout), -1.0, 1.0)
        return self._action

    def check(self, readout: Readout) -> None:
        """Raise ShapeError unless the readout is of ``n`` neurons."""
        if len(readout.counts) != self.n:
            raise ShapeError(f"{type(self).__name__}: a readout of {len(readout.counts)} neurons, must be {self.n}")

    def state(self) -> dict[str, npt.NDArray]:
        """Return a copy of what is remembered."""
        return {name: array.copy() for name, array in self._memory.items()}

    def load_state(self, state: Mapping[str, npt.NDArray]) -> None:
        """Restore what :meth:`state` returned."""
        for name, array in self._memory.items():
            array[...] = state[name]
