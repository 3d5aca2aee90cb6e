"""Observation to drive in [0, 1]."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from insectbot.errors import ConfigurationError, ShapeError


class ChannelEncoder:
    """Takes some channels of the observation as they are, and appends constant drives.

    Parameters
    ----------
    channels : int
        The first ``channels`` entries of the observation drive as many input channels; they should lie in
        [0, 1] (spiking inputs clip).
    constants : sequence of float
        Constant drives after them, such as 1.0 for a tonic input.
    """

    def __init__(self, channels: int, constants: Sequence[float] = ()) -> None:
        if channels < 0:
            raise ConfigurationError(f"ChannelEncoder: channels = {channels}, must be at least 0")
        self._channels = channels
        self._drive = np.zeros(channels + len(constants), np.float32)
        self._drive[channels:] = constants
        self._sensed = self._drive[:channels]

    @property
    def n_inputs(self) -> int:
        """Length of the drive."""
        return self._drive.size

    def __call__(self, observation: Any) -> npt.NDArray[np.float32]:
        """Return the drive, float32 of shape (n_inputs,); the array is reused by the next call.

        Raises
        ------
        ShapeError
            If the observation has fewer entries than channels.
        """
        try:
            if len(observation) < self._channels:
                raise ValueError
            self._sensed[:] = observation[: self._channels]
        except (TypeError, ValueError, IndexError):
            raise ShapeError(
                f"observation has shape {np.shape(observation)}, must be a vector of at least {self._channels} numbers"
            ) from None
        return self._drive
