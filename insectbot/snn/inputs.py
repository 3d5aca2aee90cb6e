"""Input sources: a drive in [0, 1] per channel becomes spikes or current inside the core."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from insectbot.errors import ConfigurationError
from insectbot.snn.model import Model, Source, parameter
from insectbot.snn.validate import require_finite, require_positive, whole_ticks


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
class SpikeTimesInput:
    """Spikes at given times, counted from the reset; the drive is not used.

    Parameters
    ----------
    times : tuple of tuple of float
        Spike times [ms] of each channel, >= 0 and rising; an empty tuple for a silent channel.
    """

    times: tuple[tuple[float, ...], ...]

    def __post_init__(self) -> None:
        try:
            times = tuple(tuple(float(t) for t in channel) for channel in self.times)
        except (TypeError, ValueError):
            raise ConfigurationError("SpikeTimesInput.times: must be a list of spike times per channel") from None
        object.__setattr__(self, "times", times)
        for number, channel in enumerate(times):
            rising = all(a < b for a, b in pairwise(channel))
            if not (rising and all(math.isfinite(t) and t >= 0 for t in channel)):
                raise ConfigurationError(
                    f"SpikeTimesInput.times[{number}]: must be finite times >= 0 ms in rising order"
                )

    def lengths(self) -> dict[str, int]:
        """Return the number of channels under ``"times"``."""
        return {"times": len(self.times)}

    def events(self, dt: float) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]:
        """Return (tick, channel) of all spikes on the nearest ticks of ``dt`` [ms], by tick, then channel.

        Raises
        ------
        ConfigurationError
            If two spikes of a channel fall on one tick.
        """
        channels = np.repeat(np.arange(len(self.times), dtype=np.int32), [len(c) for c in self.times])
        flat = np.array([t for channel in self.times for t in channel], np.float64)
        ticks = np.floor(flat / dt + 0.5).astype(np.int64)
        twice = np.flatnonzero((np.diff(ticks) == 0) & (np.diff(channels) == 0))
        if twice.size:
            raise ConfigurationError(
                f"SpikeTimesInput.times[{channels[twice[0]]}]: two spikes at {flat[twice[0]]:g} ms fall into one step "
                f"of dt = {dt:g} ms"
            )
        order = np.lexsort((channels, ticks))
        return ticks[order], channels[order]

    def exact_events(self, dt: float) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32], npt.NDArray[np.float64]]:
        """Return (tick, channel, offset [ms]) of all spikes, by tick, channel, offset; for precise spike times.

        A spike at ``t`` falls into the tick with ``tick dt < t <= (tick + 1) dt``, at ``t = tick dt + offset``; one at
        0 into the first. Up to rounding errors a time on the grid is at the end of its tick, offset ``dt``.
        """
        channels = np.repeat(np.arange(len(self.times), dtype=np.int32), [len(c) for c in self.times])
        flat = np.array([t for channel in self.times for t in channel], np.float64)
        steps = flat / dt
        whole = np.rint(steps)
        on_grid = (np.abs(steps - whole) <= 4.0 * np.spacing(steps)) & (whole > 0)
        ticks = np.maximum(np.where(on_grid, whole, np.ceil(steps)) - 1.0, 0.0).astype(np.int64)
        offsets = np.where(on_grid, dt, np.clip(flat - ticks * dt, 0.0, dt))
        order = np.lexsort((offsets, channels, ticks))
        return ticks[order], channels[order], offsets[order]


@dataclass(frozen=True)
class CodedInput(Model):
    """Base of input codes that work in frames: the drive is read at the start of each frame and turned into spikes.

    Frames start at multiples of ``period`` counted from the reset, whatever the control windows are. Class attribute
    ``states`` maps per-channel state variables to their values after a reset. All numbers are float64. Functions:

    ``frame(...)``
        At the first tick of a frame. Takes ``x`` (the drive, clipped to [0, 1]), states, parameters, coefficients,
        ``dt``, and ``rank`` (number of channels of the group with a larger drive, or an equal one and a smaller index,
        before clipping); returns the changed states.
    ``emit(...)``
        At every tick, after ``frame``. Takes ``k`` (ticks since the frame began), ``x`` (the drive at this tick),
        states, parameters, coefficients, ``dt``; returns ``spike``, whether the channel spikes, followed by the
        changed states.

    The codes themselves are in :mod:`insectbot.snn.codes`.

    Parameters
    ----------
    period : float
        Length of a frame [ms], a whole number of steps, > 0; one for all channels.
    """

    states: ClassVar[dict[str, float]] = {}
    period: float = parameter(50.0, "ms", above=0)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require(isinstance(self.period, float), "period", "be one number for all channels")

    def frame_ticks(self, dt: float) -> int:
        """Return the length of a frame in steps of ``dt`` [ms]; raises ConfigurationError if it is not whole."""
        return whole_ticks(type(self).__name__, "a period", self.period, dt)

    def functions(self) -> dict[str, Source]:
        """Return role -> function: ``frame`` and ``emit``."""
        found: dict[str, Any] = {role: getattr(self, role, None) for role in ("frame", "emit")}
        return {role: f for role, f in found.items() if f is not None}


InputSource = PoissonInput | RegularInput | CurrentInput | SpikeTimesInput | CodedInput
