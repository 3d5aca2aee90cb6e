"""Tuning curves: how units of a population divide a range among them, and the weights that read it back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from insectbot.errors import ConfigurationError, ShapeError
from insectbot.snn.validate import require_finite, require_positive

Reals = npt.NDArray[np.float64]


def field_centres(fields: int, low: float = 0.0, high: float = 1.0) -> Reals:
    """Return the centres of receptive fields: ``low + (2 i - 3) / 2 (high - low) / (fields - 2)``, i = 1 .. fields.

    After Bohte, La Poutre & Kok (2002); the outermost centres lie half a spacing outside the range.

    Parameters
    ----------
    fields : int
        Number of fields, >= 3.
    low, high : float
        Range to cover.

    Raises
    ------
    ConfigurationError
        If there are fewer fields, or the range is empty.
    """
    require_finite("receptive fields", low=low, high=high)
    if fields < 3 or not low < high:
        raise ConfigurationError(f"receptive fields: {fields} from {low} to {high}, must be 3 or more and rise")
    return low + (2.0 * np.arange(1, fields + 1) - 3.0) / 2.0 * (high - low) / (fields - 2)


def field_width(fields: int, low: float = 0.0, high: float = 1.0, beta: float = 1.5) -> float:
    """Return the standard deviation of receptive fields: ``(high - low) / (beta (fields - 2))``."""
    require_positive("receptive fields", beta=beta)
    return (high - low) / (beta * (fields - 2))


def gaussian_fields(x: npt.ArrayLike, centres: Reals, width: float) -> Reals:
    """Return ``exp(-(x - mu)^2 / (2 sigma^2))``, with a last axis for the fields."""
    return np.exp(-0.5 * ((np.asarray(x, np.float64)[..., None] - centres) / width) ** 2)


@dataclass(frozen=True, eq=False)
class LIFTuning:
    """Rates of leaky neurons that represent a vector x: ``r = 1 / (t_ref + tau_m ln(1 + 1 / (J - 1)))``, 0 up to J = 1.

    ``J = gain (encoder . x) + bias`` is the steady current (Eliasmith & Anderson 2003). A population of
    :class:`~insectbot.snn.lif.LIF` (threshold 1, same constants) has these rates if its current inputs carry x with
    weights ``gain * encoder`` and a constant 1 with weights ``bias``.

    Parameters
    ----------
    encoders : ndarray, shape (n, d)
        Preferred direction of each neuron, of length 1.
    gain, bias : ndarray, shape (n,)
        Slope and offset of the current [thresholds].
    t_ref, tau_m : float
        Refractory time and membrane time constant [ms].
    """

    encoders: Reals
    gain: Reals
    bias: Reals
    t_ref: float = 2.0
    tau_m: float = 20.0

    @classmethod
    def random(
        cls,
        n: int,
        dimensions: int = 1,
        *,
        seed: int = 0,
        max_rate: tuple[float, float] = (100.0, 200.0),
        intercept: tuple[float, float] = (-1.0, 0.95),
        t_ref: float = 2.0,
        tau_m: float = 20.0,
    ) -> LIFTuning:
        """Return a random population.

        Parameters
        ----------
        n, dimensions : int
            Number of neurons, length of x.
        seed : int
            Seed of the draws.
        max_rate : tuple of float
            Range of the rate at ``encoder . x = 1`` [Hz], below ``1 / t_ref``.
        intercept : tuple of float
            Range of ``encoder . x`` at which a neuron begins to spike, below 1.
        t_ref, tau_m : float
            Refractory time and membrane time constant [ms].

        Raises
        ------
        ConfigurationError
            If a rate or an intercept cannot be.
        """
        require_positive("LIFTuning", n=n, dimensions=dimensions, tau_m=tau_m, max_rate=min(max_rate))
        if max(max_rate) * t_ref >= 1000.0 or max(intercept) >= 1.0:
            raise ConfigurationError(
                f"LIFTuning: max_rate {max_rate} Hz must lie below 1 / ({t_ref} ms), intercept {intercept} below 1"
            )
        rng = np.random.default_rng(seed)
        encoders = rng.standard_normal((n, dimensions))
        encoders /= np.linalg.norm(encoders, axis=1, keepdims=True)
        peak, zero = rng.uniform(*max_rate, n), rng.uniform(*intercept, n)
        # J at the highest rate, from the rate equation.
        top = 1.0 / -np.expm1((t_ref - 1000.0 / peak) / tau_m)
        gain = (top - 1.0) / (1.0 - zero)
        return cls(encoders, gain, 1.0 - gain * zero, t_ref, tau_m)

    def rates(self, x: npt.ArrayLike) -> Reals:
        """Return the steady rates [Hz].

        Parameters
        ----------
        x : array_like, shape (m,) or (m, d)
            What is represented; a vector of m numbers if d = 1.

        Returns
        -------
        ndarray, shape (m, n)
        """
        points = np.asarray(x, np.float64).reshape(-1, self.encoders.shape[1])
        excess = self.gain * (points @ self.encoders.T) + self.bias - 1.0
        active = excess > 0.0
        wait = self.tau_m * np.log1p(1.0 / np.where(active, excess, 1.0))
        return np.where(active, 1000.0 / (self.t_ref + wait), 0.0)


def least_squares_weights(activities: npt.ArrayLike, targets: npt.ArrayLike, noise: float = 0.1) -> Reals:
    """Return decoding weights ``d = (A'A + m s^2 I)^-1 A'f``, with ``s = noise max(A)``.

    The ridge is what independent noise of standard deviation ``s`` on every activity adds (Eliasmith & Anderson 2003).

    Parameters
    ----------
    activities : array_like, shape (m, n)
        Activity A of n units at m points.
    targets : array_like, shape (m,) or (m, k)
        What to decode at these points, f.
    noise : float
        Share of the highest activity, > 0.

    Returns
    -------
    ndarray, shape (n,) or (n, k)

    Raises
    ------
    ConfigurationError, ShapeError
        If no unit is active, or the rows do not match.
    """
    require_positive("least_squares_weights", noise=noise)
    a, f = np.asarray(activities, np.float64), np.asarray(targets, np.float64)
    if a.ndim != 2 or f.ndim not in (1, 2) or len(a) != len(f):
        raise ShapeError(f"least_squares_weights: activities {a.shape} and targets {f.shape} must have a row per point")
    if not a.max(initial=0.0) > 0.0:
        raise ConfigurationError("least_squares_weights: no unit is active at any point")
    ridge = len(a) * (noise * a.max()) ** 2
    return np.linalg.solve(a.T @ a + ridge * np.eye(a.shape[1]), a.T @ f)
