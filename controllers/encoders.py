"""Observation to drive in [0, 1]."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from insectbot.controllers.tuning import field_centres, field_width, gaussian_fields
from insectbot.errors import ConfigurationError, ShapeError


class Encoder(Protocol):
    """What a spiking controller asks of an encoder: an observation becomes the drive of the input channels."""

    @property
    def n_inputs(self) -> int:
        """Length of the drive."""
        ...

    def __call__(self, observation: Any) -> npt.NDArray[np.float32]:
        """Return the drive, float32 of shape (n_inputs,)."""
        ...


class ChannelEncoder:
    """Takes some channels of the observation as they are, and appends constant drives.

    Parameters
    ----------
    channels : int
        The first ``channels`` entries of the observation drive as many input channels; they should lie in
        [0, 1] (spiking inputs clip).
    constants : sequence of float
        Constant drives after them, such as 1.0 for a tonic input.
    copies : int
        How often the channels come, one set after the other: 2 for codes of change, which speak of one direction.
    """

    def __init__(self, channels: int, constants: Sequence[float] = (), copies: int = 1) -> None:
        if channels < 0 or copies < 1:
            raise ConfigurationError(
                f"ChannelEncoder: channels = {channels}, must be at least 0, and copies = {copies} at least 1"
            )
        self._channels = channels
        self._drive = np.zeros(copies * channels + len(constants), np.float32)
        self._drive[copies * channels :] = constants
        sets = self._drive[: copies * channels].reshape(copies, channels)
        self._sensed, self._copies = sets[0], sets[1:]

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
            raise _refusal(observation, self._channels) from None
        if self._copies.size:
            self._copies[:] = self._sensed
        return self._drive


class GaussianReceptiveFieldEncoder:
    """Spreads each channel over a population of bell-shaped receptive fields (Bohte, La Poutre & Kok 2002).

    Field i of a channel is driven by ``exp(-(x - mu_i)^2 / (2 sigma^2))`` with the centres and the width of
    :func:`~insectbot.controllers.tuning.field_centres` and ``field_width``: radial basis functions of the channel.
    Feeding :class:`~insectbot.snn.codes.LatencyInput`, the nearest fields spike first; feeding
    :class:`~insectbot.snn.inputs.PoissonInput`, most.

    Parameters
    ----------
    channels : int
        The first ``channels`` entries of the observation are spread.
    fields : int
        Fields per channel, >= 3; the drive holds them channel by channel.
    low, high : float
        Range of a channel.
    beta : float
        Narrowness: spacing of the centres over their width, > 0.
    cutoff : float
        Drives up to here become 0, which silences late spikes, in [0, 1).
    constants : sequence of float
        Constant drives after them.
    """

    def __init__(
        self,
        channels: int,
        fields: int = 8,
        low: float = 0.0,
        high: float = 1.0,
        beta: float = 1.5,
        cutoff: float = 0.0,
        constants: Sequence[float] = (),
    ) -> None:
        if channels < 1 or not 0.0 <= cutoff < 1.0:
            raise ConfigurationError(
                f"GaussianReceptiveFieldEncoder: channels = {channels}, must be at least 1, and cutoff = {cutoff} "
                "in [0, 1)"
            )
        self._channels, self._cutoff = channels, cutoff
        self.centres = field_centres(fields, low, high)
        self.width = field_width(fields, low, high, beta)
        self._drive = np.zeros(channels * fields + len(constants), np.float32)
        self._drive[channels * fields :] = constants
        self._fields = self._drive[: channels * fields].reshape(channels, fields)

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
        drive = gaussian_fields(_channels(observation, self._channels), self.centres, self.width)
        self._fields[:] = np.where(drive > self._cutoff, drive, 0.0)
        return self._drive


def _channels(observation: Any, channels: int) -> npt.NDArray:
    """Return the first entries of an observation."""
    try:
        sensed = np.asarray(observation[:channels], np.float64)
        if sensed.shape != (channels,):
            raise ValueError
    except (TypeError, ValueError, IndexError):
        raise _refusal(observation, channels) from None
    return sensed


def _refusal(observation: Any, channels: int) -> ShapeError:
    return ShapeError(f"observation has shape {np.shape(observation)}, must be a vector of at least {channels} numbers")
