"""Decoders of populations: many units say one number. What a unit says is left to another decoder, ``units``."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from insectbot.controllers.decoder import Decoder, Values
from insectbot.controllers.rate_decoders import FilteredRateDecoder, RateDecoder
from insectbot.controllers.tuning import field_centres, least_squares_weights
from insectbot.errors import ConfigurationError, ShapeError
from insectbot.protocols import Readout


class PopulationDecoder(Decoder):
    """Base of population decoders: holds the decoder of single units.

    Parameters
    ----------
    units : Decoder
        What each output neuron says, such as a :class:`RateDecoder`; its gain and offset are not used.
    size : int
        Length of the action.
    gain, offset : float
        Action per value, and at value 0.
    """

    def __init__(self, units: Decoder, size: int, gain: float, offset: float) -> None:
        super().__init__(units.n, gain, offset, size=size)
        self.units = units

    def set_window(self, duration: float) -> None:
        """Set the length of a window [ms]."""
        super().set_window(duration)
        self.units.set_window(duration)

    def reset(self) -> None:
        """Forget all spikes."""
        super().reset()
        self.units.reset()

    def state(self) -> dict[str, npt.NDArray]:
        """Return a copy of what is remembered, that of the units under ``units/``."""
        return super().state() | {f"units/{name}": array for name, array in self.units.state().items()}

    def load_state(self, state: Mapping[str, npt.NDArray]) -> None:
        """Restore what :meth:`state` returned."""
        super().load_state(state)
        self.units.load_state({name[6:]: array for name, array in state.items() if name.startswith("units/")})


class GaussianReceptiveFieldDecoder(PopulationDecoder):
    """Mean of the centres of receptive fields, weighted by what their units say: ``x = sum(v mu) / sum(v)``.

    The counterpart of :class:`~insectbot.controllers.encoders.GaussianReceptiveFieldEncoder`. While all fields of a
    channel are silent it keeps its value, the middle of the range after a reset.

    Parameters
    ----------
    units : Decoder
        Decoder of ``channels * fields`` output neurons, channel by channel.
    fields : int
        Fields per channel, >= 3.
    low, high : float
        Range of a channel.
    gain, offset : float
        Action per value, and at value 0.
    """

    def __init__(
        self,
        units: Decoder,
        fields: int = 8,
        low: float = 0.0,
        high: float = 1.0,
        gain: float = 1.0,
        offset: float = 0.0,
    ) -> None:
        self._centres = field_centres(fields, low, high)
        if units.n % fields:
            raise ConfigurationError(
                f"GaussianReceptiveFieldDecoder: {units.n} neurons are not a whole number of {fields} fields"
            )
        super().__init__(units, units.n // fields, gain, offset)
        self._middle = (low + high) / 2.0
        self._from_middle = self.remember("from_middle", units.n // fields)

    def values(self, readout: Readout) -> Values:
        """Return the value of each channel."""
        said = self.units.values(readout).reshape(-1, self._centres.size)
        total = said.sum(axis=1)
        heard = total > 0.0
        self._from_middle[heard] = (said[heard] @ self._centres) / total[heard] - self._middle
        return self._middle + self._from_middle


class PopulationVectorDecoder(PopulationDecoder):
    """Population vector: ``2 / n sum(v (cos phi, sin phi))`` of units with preferred directions (Georgopoulos 1986).

    With evenly spread directions and tuning ``v = b + cos(theta - phi)`` it is exactly the unit vector of theta from
    three units on; with half-rectified cosines its direction is exact for an even number of units, its length 1/2.

    Parameters
    ----------
    units : Decoder
        What each output neuron says.
    directions : array_like or None
        Preferred direction of each unit [rad]; None spreads them evenly from 0.
    gain, offset : float
        Action per value, and at value 0; the action is (x, y).
    """

    def __init__(
        self, units: Decoder, directions: npt.ArrayLike | None = None, gain: float = 1.0, offset: float = 0.0
    ) -> None:
        super().__init__(units, 2, gain, offset)
        even = 2.0 * np.pi * np.arange(units.n) / units.n
        angles = even if directions is None else np.asarray(directions, np.float64)
        if angles.shape != (units.n,):
            raise ShapeError(f"PopulationVectorDecoder: directions of shape {angles.shape}, must be ({units.n},)")
        self._axes = np.column_stack((np.cos(angles), np.sin(angles))) * (2.0 / units.n)
        self._vector = self.remember("vector", 2)

    @property
    def angle(self) -> float:
        """Direction of the last vector [rad], in (-pi, pi]."""
        return float(np.arctan2(self._vector[1], self._vector[0]))

    def values(self, readout: Readout) -> Values:
        """Return the vector (x, y)."""
        self._vector[:] = self.units.values(readout) @ self._axes
        return self._vector


class LeastSquaresDecoder(PopulationDecoder):
    """Weighted sum of rates, with weights that fit a function best (Eliasmith & Anderson 2003).

    Parameters
    ----------
    units : RateDecoder or FilteredRateDecoder
        Rate of each output neuron.
    weights : array_like, shape (n,) or (n, size)
        Weight of each unit's value in each entry of the action; :meth:`fit` finds them.
    gain, offset : float
        Action per value, and at value 0.
    """

    def __init__(
        self,
        units: RateDecoder | FilteredRateDecoder,
        weights: npt.ArrayLike,
        gain: float = 1.0,
        offset: float = 0.0,
    ) -> None:
        table = np.asarray(weights, np.float64)
        if table.ndim not in (1, 2) or len(table) != units.n or not np.isfinite(table).all():
            raise ShapeError(f"LeastSquaresDecoder: weights of shape {table.shape}, must be {units.n} rows of numbers")
        self.weights = table.reshape(units.n, -1)
        super().__init__(units, self.weights.shape[1], gain, offset)

    @classmethod
    def fit(
        cls,
        units: RateDecoder | FilteredRateDecoder,
        rates: npt.ArrayLike,
        targets: npt.ArrayLike,
        noise: float = 0.1,
        gain: float = 1.0,
        offset: float = 0.0,
    ) -> LeastSquaresDecoder:
        """Return the decoder that fits targets best, by :func:`~insectbot.controllers.tuning.least_squares_weights`.

        Parameters
        ----------
        units : RateDecoder or FilteredRateDecoder
            Rate of each output neuron.
        rates : array_like, shape (m, n)
            Rates of the neurons [Hz] at m points, such as those of :class:`~insectbot.controllers.tuning.LIFTuning`.
        targets : array_like, shape (m,) or (m, size)
            What to decode at these points.
        noise : float
            Standard deviation of the noise to withstand, as a share of the highest rate, > 0.
        gain, offset : float
            Action per value, and at value 0.
        """
        return cls(units, least_squares_weights(units.expected(rates), targets, noise), gain, offset)

    def values(self, readout: Readout) -> Values:
        """Return the weighted sums."""
        return self.units.values(readout) @ self.weights
