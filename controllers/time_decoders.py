"""Decoders of spike times: first spikes, their order, intervals. All count frames as the input codes do."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np
import numpy.typing as npt

from insectbot.controllers.decoder import Decoder, Values
from insectbot.errors import ConfigurationError
from insectbot.protocols import Readout
from insectbot.snn.codes import FirstSpikeInput, ISIInput, RankOrderInput
from insectbot.snn.encode import ranks
from insectbot.snn.validate import require_not_negative, require_positive, whole_ticks


class FrameDecoder(Decoder):
    """Base of decoders that read frames: waits for the first spike of each neuron in a frame.

    Frames start at the reset. A frame is a whole number of windows; between its ends the values stay.

    Parameters
    ----------
    n : int
        Number of output neurons.
    cycle : int
        Length of a frame [ticks].
    dt : float
        Step of the network [ms].
    gain, offset : float
        Action per value, and at value 0.
    """

    def __init__(self, n: int, cycle: int, dt: float, gain: float, offset: float) -> None:
        super().__init__(n, gain, offset)
        require_positive(type(self).__name__, dt=dt)
        self._cycle, self._dt, self._ticks = cycle, dt, 0
        self._tick = self.remember("tick", 1, np.int64)
        self._heard = self.remember("heard", n, np.bool_)
        self._time = self.remember("time", n, np.int64)
        self._values = self.remember("values", n)

    def set_window(self, duration: float) -> None:
        """Set the length of a window [ms].

        Raises
        ------
        ConfigurationError
            If frames do not begin with windows.
        """
        super().set_window(duration)
        name = type(self).__name__
        self._ticks = whole_ticks(name, "a window", duration, self._dt)
        if not self.fits(self._ticks):
            raise ConfigurationError(
                f"{name}: a frame of {self._cycle * self._dt:g} ms cannot be read in windows of {duration:g} ms"
            )

    def fits(self, ticks: int) -> bool:
        """Return whether windows of so many ticks can be read."""
        return self._cycle % ticks == 0

    def values(self, readout: Readout) -> Values:
        """Return what each neuron says; silence says 0."""
        start = int(self._tick[0])
        new = (readout.first >= 0) & ~self._heard
        self._time[new] = (start + readout.first[new]) % self._cycle
        self._heard |= new
        self._tick[0] = (start + self._ticks) % self._cycle
        ended = self._tick[0] == 0
        self.update(readout, new, bool(ended))
        if ended:
            self._heard[:] = False
        return self._values

    @abstractmethod
    def update(self, readout: Readout, new: npt.NDArray[np.bool_], ended: bool) -> None:
        """Change the values: ``new`` neurons spiked for the first time in this frame; ``ended`` closes it."""


class FirstSpikeDecoder(FrameDecoder):
    """Time to first spike, undone: the value whose latency the code says it is.

    A value changes as soon as its spike is there; a neuron silent through a frame says 0. Windows may also hold
    several frames: then the first spike of the window counts.

    Parameters
    ----------
    n : int
        Number of output neurons.
    code : FirstSpikeInput
        The code, linear, logarithmic, through a leaky neuron or in the phase of an oscillation.
    dt : float
        Step of the network [ms].
    delay : float
        Time that passes between the code's spike and the neuron's [ms], >= 0; a spike that it pushes over the end of
        the frame is taken for one of the next frame.
    gain, offset : float
        Action per value, and at value 0.
    """

    def __init__(
        self,
        n: int,
        code: FirstSpikeInput,
        dt: float = 1.0,
        delay: float = 0.0,
        gain: float = 1.0,
        offset: float = 0.0,
    ) -> None:
        require_not_negative("FirstSpikeDecoder", delay=delay)
        super().__init__(n, code.cycle_ticks(dt), dt, gain, offset)
        self._code, self._delay = code, delay

    def fits(self, ticks: int) -> bool:
        """Return whether a frame is a whole number of windows, or a window one of frames."""
        return self._cycle % ticks == 0 or ticks % self._cycle == 0

    def update(self, readout: Readout, new: npt.NDArray[np.bool_], ended: bool) -> None:
        """Decode new spikes at once."""
        latency = np.maximum(self._time * self._dt - self._delay, 0.0)
        self._values[:] = np.where(new, self._code.value(latency, self._dt), self._values)
        if ended:
            self._values[~self._heard] = 0.0


class RankOrderDecoder(FrameDecoder):
    """Order of first spikes: ``value = factor^rank`` at the end of the frame, 0 for the silent.

    After Thorpe & Gautrais (1998). Of spikes on one tick the smaller index comes first.

    Parameters
    ----------
    n : int
        Number of output neurons.
    code : RankOrderInput
        The code whose frames are read.
    factor : float
        How much less each later spike counts, in (0, 1).
    dt : float
        Step of the network [ms].
    gain, offset : float
        Action per value, and at value 0.
    """

    def __init__(
        self,
        n: int,
        code: RankOrderInput,
        factor: float = 0.9,
        dt: float = 1.0,
        gain: float = 1.0,
        offset: float = 0.0,
    ) -> None:
        if not 0.0 < factor < 1.0:
            raise ConfigurationError(f"RankOrderDecoder: factor = {factor}, must lie in (0, 1)")
        super().__init__(n, code.frame_ticks(dt), dt, gain, offset)
        self._factor = factor

    def update(self, readout: Readout, new: npt.NDArray[np.bool_], ended: bool) -> None:
        """Rank the spikes when the frame is over."""
        if ended:
            rank = ranks(-np.where(self._heard, self._time, self._cycle))
            self._values[:] = np.where(self._heard, self._factor**rank, 0.0)


class ISIDecoder(Decoder):
    """Interval between the last two spikes, undone; while a neuron is silent for longer, its silence.

    Parameters
    ----------
    n : int
        Number of output neurons.
    code : ISIInput
        The code.
    dt : float
        Step of the network [ms].
    gain, offset : float
        Action per value, and at value 0, which is also said before the second spike.
    """

    def __init__(self, n: int, code: ISIInput, dt: float = 1.0, gain: float = 1.0, offset: float = 0.0) -> None:
        super().__init__(n, gain, offset)
        require_positive("ISIDecoder", dt=dt)
        self._code, self._dt = code, dt
        self._silent = self.remember("silent", n)

    def values(self, readout: Readout) -> Values:
        """Return the value that each neuron's interval says."""
        self._silent[:] = np.where(readout.counts > 0, 0.0, self._silent + self._window)
        interval = np.maximum(readout.interval * self._dt, self._silent)
        return np.where(readout.interval >= 0, self._code.value(interval), 0.0)
