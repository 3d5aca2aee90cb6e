"""A ring of threshold-linear units whose bump of activity remembers a heading and turns with an angular velocity.

Models sheet C21; Ben-Yishai, Bar-Or & Sompolinsky 1995 (the bump), Zhang 1996 (the rotation by odd weights).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from insectbot.errors import ConfigurationError
from insectbot.snn import CurrentInput, Delta, Input, Network, NeuronModel, PoissonInput, Population, Projection
from insectbot.snn.functions import maximum, where
from insectbot.snn.model import Coefficients, Real, parameter

Reals = npt.NDArray[np.float64]


@dataclass(frozen=True)
class RingUnit(NeuronModel):
    """Rate unit whose odd synapses are gated: ``tau dr/dt = -r + [bias + drive + i turn]_+``.

    ``drive`` and ``turn`` are receptors, sums of weights times what the sources transmit; ``i``, the analog current, is
    the angular velocity. Held over a tick, the input is integrated exactly, as in
    :class:`~insectbot.snn.graded.ThresholdLinear`.

    Parameters
    ----------
    tau : float
        Time constant [ms], > 0.
    bias : float
        Constant input.
    """

    states: ClassVar[dict[str, float | str]] = {"r": 0.0}
    spiking: ClassVar[bool] = False

    tau: float = parameter(10.0, "ms", above=0)
    bias: float = parameter(1.0, "")

    def default_receptors(self) -> tuple[tuple[str, Any], ...]:
        """Return even input and odd input."""
        return (("drive", Delta()), ("turn", Delta()))

    def coefficients(self, dt: float) -> Coefficients:
        """Return the part of the way that r goes in a tick."""
        return {"part": -np.expm1(-dt / np.asarray(self.tau))}

    @staticmethod
    def update(r: Real, i: Real, drive: Real, turn: Real, bias: Real, part: Real) -> Real:
        """Relax towards the rectified input; what is far below any bump is silence, which costs nothing to transmit."""
        r = r + part * (maximum(bias + drive + i * turn, 0.0) - r)
        r = where(r > 1e-12, r, 0.0)
        return r

    @staticmethod
    def output(r: Real) -> Real:
        """Transmit the rate."""
        return r


def ring_angles(n: int) -> Reals:
    """Return the preferred headings of n units, spread evenly from 0 [rad]."""
    return 2.0 * np.pi * np.arange(n) / n


def heading(activity: npt.ArrayLike) -> Reals:
    """Return the direction of the population vector [rad]; the last axis of ``activity`` is the ring."""
    values = np.asarray(activity, np.float64)
    return np.angle(values @ np.exp(1j * ring_angles(values.shape[-1])))


def threshold_linear_ring(
    n: int = 64,
    j0: float = -2.0,
    j1: float = 4.0,
    c: float = 1.0,
    *,
    start: float = 0.0,
    cues: int = 0,
    cue_rate: float = 200.0,
    tau: float = 10.0,
    dt: float = 1.0,
    precision: str = "float32",
) -> Network:
    """Build the ring: ``tau dr/dt = -r + [c + mean_j (j0 + j1 cos D + v j1 sin D) r_j + cue]_+``, D the angle i - j.

    A bump forms if ``j1 > 2``; its half width x solves ``j1 (x - sin(2 x) / 2) = 2 pi``, its peak is
    ``(1 - cos x) c / (-cos x - j0 (sin x - x cos x) / pi)``. The velocity turns it by v rad per ``tau``.

    The core holds the input for a step, which alone would turn the bump by ``v (1 - exp(-dt / tau)) tau / dt``. The
    gain of the velocity input makes up for that; a relative error of ``-v^2 dt / (2 tau)`` remains.

    Inputs, in the order of the drive: the velocity [rad per tau, any sign], then the cues, ``n`` Poisson units each: at
    drive 1 one adds 1 to the input of its unit. None of the units spikes: record ``r`` of population ``ring``.

    Parameters
    ----------
    n : int
        Units, >= 4. A multiple of 4 lets the bump rest at any angle; otherwise it creeps to the nearest stable one.
    j0, j1 : float
        Uniform and cosine part of the weights.
    c : float
        Constant input of every unit, > 0.
    start : float
        Angle at which the bump begins [rad].
    cues : int
        Number of cue populations.
    cue_rate : float
        Rate of a cue unit at drive 1 [Hz].
    tau, dt : float
        Time constant of a unit and step [ms].
    precision : {"float32", "float64"}
        Of the network.

    Raises
    ------
    ConfigurationError
        If there are fewer units, or a number is out of range.
    """
    if n < 4:
        raise ConfigurationError(f"threshold_linear_ring: n = {n}, must be at least 4")
    cell, names = RingUnit(tau, c), tuple(f"cue {k}" for k in range(cues))
    inputs = (Input("velocity", 1, CurrentInput()), *(Input(name, n, PoissonInput(cue_rate)) for name in names))
    ring = Population("ring", n, cell, initial={"r": 0.1 * c * (1.0 + np.cos(ring_angles(n) - start))})
    weight = 1.0 / -np.expm1(-cue_rate * dt / 1000.0)
    links = _recurrent(n, j0, j1, dt / tau / float(cell.coefficients(dt)["part"]), dt)
    links += [_one_to_one(name, n, weight, dt) for name in names]
    return Network(inputs, (ring,), tuple(links), (), dt=dt, name="ring-attractor", precision=precision)


def _recurrent(n: int, j0: float, j1: float, gain: float, dt: float) -> list[Projection]:
    """Return the even and the odd weights, and the velocity that gates the latter."""
    difference = ring_angles(n)[:, None] - ring_angles(n)[None, :]
    return [
        Projection.dense("ring", "ring", (j0 + j1 * np.cos(difference)) / n, delay=dt, name="even"),
        Projection.dense("ring", "ring", j1 * np.sin(difference) / n, delay=dt, receptor="turn", name="odd"),
        Projection.dense("velocity", "ring", np.full((n, 1), gain), delay=dt),
    ]


def _one_to_one(source: str, n: int, weight: float, dt: float) -> Projection:
    """Return one synapse from each unit of a cue to the ring unit of the same angle."""
    return Projection.sparse(source, "ring", pre=np.arange(n), post=np.arange(n), weight=weight, delay=dt)
