"""A tunnel junction by itself: voltages or spike times in, conductances out. The replay entry point of the family.

Order of operations of a step: the energy G V^2 dt is taken with the conductance before it; s is switched as
``nls_device.py`` says; G follows from s. Spikes on a line restart its shape (they do not add up). Steps of a spike
replay are at most ``dt`` long and take the voltage at their middle, so that no step lies on an edge of a shape whose
times are multiples of the step. s is kept in [1e-4, 1 - 1e-4]: it saturates, silently in the device as in the sheet.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from insectbot.chips import nls_device as d
from insectbot.chips.datasheet import Datasheet, load
from insectbot.errors import ShapeError

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Junction:
    """Parameters of a junction; the defaults of a datasheet by :meth:`of`.

    Attributes
    ----------
    v_plus, v_minus : float
        Thresholds to ON and to OFF [V].
    a_plus, a_minus : float
        Activation voltages [V].
    tau_inf : float
        Switching time at infinite voltage [ns].
    gamma : float
        Lorentzian width [V^2].
    g_on, g_off : float
        Conductances [uS].
    """

    v_plus: float
    v_minus: float
    a_plus: float
    a_minus: float
    tau_inf: float
    gamma: float
    g_on: float
    g_off: float

    @classmethod
    def of(cls, sheet: Datasheet | str = "ftj") -> Junction:
        """Read the junction off a datasheet."""
        figures = sheet if isinstance(sheet, Datasheet) else load(sheet)
        names = ("v_plus", "v_minus", "activation_plus", "activation_minus", "tau_inf", "gamma", "g_on", "g_off")
        return cls(*(float(figures[f"device.{name}"].value) for name in names))

    def columns(self, n: int) -> Floats:
        """Return the parameters of ``n`` equal junctions as the kernels take them, shape (8, n)."""
        row = (self.v_plus, self.v_minus, self.a_plus, self.a_minus, np.log10(self.tau_inf), self.gamma)
        return np.repeat(np.array([*row, self.g_on, self.g_off])[:, None], n, axis=1)


@dataclass(frozen=True)
class Shape:
    """The shape of a spike on a line: ``front`` volts for ``edge`` ns, then ``-back`` fading to 0 at ``length`` ns."""

    front: float
    back: float
    edge: float
    length: float

    @classmethod
    def of(cls, sheet: Datasheet | str = "ftj") -> Shape:
        """Read the shape off a datasheet."""
        figures = sheet if isinstance(sheet, Datasheet) else load(sheet)
        return cls(*(float(figures[f"spike.{name}"].value) for name in ("front", "back", "edge", "length")))

    def pair(self, front: float, back: float) -> Shape:
        """Return the same times with other voltages."""
        return replace(self, front=front, back=back)

    @property
    def array(self) -> Floats:
        """The shape as the kernels take it."""
        return np.array([self.front, self.back, self.edge, self.length])


@dataclass(frozen=True, eq=False)
class Replay:
    """What a replay gives.

    Attributes
    ----------
    conductance : ndarray of float64, shape (steps, n)
        After every step [uS].
    s : ndarray of float64, shape (n,)
        ON fractions at the end.
    energy : float
        Dissipated in all junctions [J].
    dt : float
        Duration of a step [ns].
    """

    conductance: Floats
    s: Floats
    energy: float
    dt: float


def replay(voltage: npt.ArrayLike, s: npt.ArrayLike, *, dt: float, junction: Junction | None = None) -> Replay:
    """Apply voltages to junctions.

    Parameters
    ----------
    voltage : array_like, shape (steps, n) or (steps,)
        Voltage of every step [V].
    s : array_like, shape (n,), or float
        ON fractions to start from, in [0, 1].
    dt : float
        Duration of a step [ns], > 0.
    junction : Junction, optional
        Default the datasheet's.

    Raises
    ------
    ShapeError
        If shapes do not agree, a voltage is not finite, a fraction is outside [0, 1], or dt is not positive.
    """
    volts = np.asarray(voltage, np.float64)
    volts = np.ascontiguousarray(volts[:, None] if volts.ndim == 1 else volts)
    start = np.array(np.broadcast_to(np.asarray(s, np.float64), volts.shape[1:]))
    good = volts.ndim == 2 and np.isfinite(volts).all() and ((start >= 0) & (start <= 1)).all() and dt > 0
    if not good:
        raise ShapeError(
            f"replay: voltages of shape {volts.shape} must be finite [steps, n], s in [0, 1], dt = {dt} positive"
        )
    start = np.clip(start, d.S_MIN, 1.0 - d.S_MIN)
    columns, trace = (junction or Junction.of()).columns(start.size), np.zeros(volts.shape)
    energy = d.replay(columns, volts, float(dt), start, trace)
    return Replay(trace, start, energy * 1e-15, float(dt))


def lines(times: npt.ArrayLike, spikes: npt.ArrayLike, shape: Shape) -> Floats:
    """Return the voltage of a line at ``times`` [ns], with rising spike times [ns]; each restarts the shape."""
    at, when = np.asarray(times, np.float64), np.asarray(spikes, np.float64)
    last = np.searchsorted(when, at, side="right") - 1
    age = np.where(last >= 0, at - when[np.maximum(last, 0)] if when.size else -1.0, -1.0)
    return np.array([d.line(a, shape.array) for a in age])


def replay_spikes(
    pre: npt.ArrayLike,
    post: npt.ArrayLike,
    s: float = 0.5,
    *,
    until: float | None = None,
    dt: float = 2.0,
    junction: Junction | None = None,
    shape: Shape | None = None,
    post_shape: Shape | None = None,
) -> Replay:
    """Let a junction between two lines feel spikes: V = V_post - V_pre.

    Parameters
    ----------
    pre, post : array_like
        Spike times of the word line and of the column [ns], rising, >= 0.
    s : float
        ON fraction to start from.
    until : float, optional
        End [ns]; default when the last spike is over.
    dt : float
        Step [ns].
    junction : Junction, optional
        Default the datasheet's.
    shape, post_shape : Shape, optional
        Shape of a spike on the word line and on the column; default the datasheet's on both.
    """
    before, after = shape or Shape.of(), post_shape or shape or Shape.of()
    last = max([0.0, *np.asarray(pre, np.float64).tolist(), *np.asarray(post, np.float64).tolist()])
    end = last + max(before.length, after.length) if until is None else until
    times = (np.arange(int(np.ceil(end / dt - 1e-9))) + 0.5) * dt
    voltage = lines(times, post, after) - lines(times, pre, before)
    return replay(voltage, s, dt=dt, junction=junction)


def stdp_window(
    delays: npt.ArrayLike,
    s: float = 0.5,
    *,
    dt: float = 2.0,
    junction: Junction | None = None,
    shape: Shape | None = None,
    post_shape: Shape | None = None,
) -> Floats:
    """Return the change of conductance [uS] by one pair of spikes, by delay [ns] of post after pre, shape of delays.

    Parameters
    ----------
    delays : array_like
        t_post - t_pre [ns].
    s : float
        ON fraction before.
    dt, junction, shape, post_shape
        As in :func:`replay_spikes`.
    """
    at, what = np.atleast_1d(np.asarray(delays, np.float64)), junction or Junction.of()
    pre, post = shape or Shape.of(), post_shape or shape or Shape.of()
    change = np.zeros(at.size)
    d.pair_sweep(what.columns(1), at, pre.array, post.array, float(dt), float(s), change)
    return change * (what.g_on - what.g_off)
