"""Input sources: a drive in [0, 1] per channel becomes spikes or current inside the core."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from insectbot.snn.functions import floor, where
from insectbot.snn.model import Coefficients, Model, Real, Source, parameter
from insectbot.snn.validate import require_finite, require_positive


@dataclass(frozen=True)
class PoissonInput:
    """Bernoulli-sampled Poisson spikes: ``p = 1 - exp(-rate * drive * dt)`` per tick.

    Parameters
    ----------
    rate : float
        Rate at drive 1 [Hz], > 0. At 1 / dt and above the code saturates.
    """

    rate: float = 200.0

    def __post_init__(self) -> None:
        require_positive("PoissonInput", rate=self.rate)


@dataclass(frozen=True)
class RegularInput:
    """Regular spikes: a phase grows by ``rate * drive * dt`` per tick and spikes when it reaches 1.

    Parameters
    ----------
    rate : float
        Rate at drive 1 [Hz], > 0, at most one spike per tick.
    """

    rate: float = 200.0

    def __post_init__(self) -> None:
        require_positive("RegularInput", rate=self.rate)


@dataclass(frozen=True)
class CurrentInput:
    """Analog current: ``i_ext[post] = sum(weight[post, pre] * gain * drive[pre])``, held for the window.

    The drive of a current input may be any finite number; its projections must be static and without delay.

    Parameters
    ----------
    gain : float
        Factor on the drive [mV, unit of v].
    """

    gain: float = 1.0

    def __post_init__(self) -> None:
        require_finite("CurrentInput", gain=self.gain)


@dataclass(frozen=True)
class CodedInput(Model):
    """Base of input codes that work in frames: the drive is read at the start of each frame and turned into spikes.

    Frames start at multiples of ``period`` counted from the reset, whatever the control windows are. Class attribute
    ``states`` maps per-channel state variables to their values after a reset. All numbers are float64. Functions:

    ``frame(...)``
        At the first tick of a frame. Takes ``x`` (the drive, clipped to [0, 1]), states, parameters, coefficients,
        ``dt``, and ``rank`` (number of channels of the group with a larger drive, or an equal one and a smaller index);
        returns the changed states.
    ``emit(...)``
        At every tick, after ``frame``. Takes ``k`` (ticks since the frame began), ``x``, states, parameters,
        coefficients, ``dt``; returns whether the channel spikes, followed by the changed states.

    Parameters
    ----------
    period : float
        Length of a frame [ms], a whole number of steps, > 0.
    """

    states: ClassVar[dict[str, float]] = {}
    period: float = parameter(50.0, "ms", above=0)

    def functions(self) -> dict[str, Source]:
        """Return role -> function: ``frame`` and ``emit``."""
        found: dict[str, Any] = {role: getattr(self, role, None) for role in ("frame", "emit")}
        return {role: f for role, f in found.items() if f is not None}


@dataclass(frozen=True)
class LatencyInput(CodedInput):
    """Time to first spike: one spike per frame at ``t_min + (t_max - t_min)(1 - x)``; x = 0 is silent (models sheet B).

    The spike falls on the nearest tick, so decoding errs by at most ``dt / 2 / (t_max - t_min)``.

    Parameters
    ----------
    period : float
        Length of a frame [ms].
    t_min : float
        Latency of the strongest drive [ms], >= 0.
    t_max : float or None
        Latency towards the weakest drive [ms], at most one step before the end of the frame; None for that.
    """

    states: ClassVar[dict[str, float]] = {"due": -1.0}
    t_min: float = parameter(0.0, "ms", at_least=0)
    t_max: float | None = parameter(None, "ms", above=0)

    def coefficients(self, dt: float) -> Coefficients:
        """Return first and last latency in ticks."""
        last = self.period - dt if self.t_max is None else self.t_max
        return {"first": self.t_min / dt, "span": (last - self.t_min) / dt}

    @staticmethod
    def frame(x: Real, first: Real, span: Real) -> Real:
        """Fix the tick of the spike."""
        due = where(x > 0.0, floor(first + span * (1.0 - x) + 0.5), -1.0)
        return due

    @staticmethod
    def emit(k: Real, due: Real) -> Real:
        """Spike when it is due."""
        spike = k == due
        return spike


InputSource = PoissonInput | RegularInput | CurrentInput | CodedInput
