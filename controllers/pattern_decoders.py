"""Decoders of spike patterns: bits in phases, bursts, steps up and down."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from insectbot.controllers.decoder import Decoder, Values
from insectbot.controllers.time_decoders import FrameDecoder
from insectbot.errors import ConfigurationError
from insectbot.protocols import Readout
from insectbot.snn.codes import BurstInput, PhaseInput
from insectbot.snn.validate import require_finite, require_positive


class PhaseDecoder(FrameDecoder):
    """Weighted spikes: a spike in phase k of a frame is worth ``2^-(k+1)``; the value changes when the frame is over.

    A readout does not say in which phases of its window a neuron spiked, so a phase must be one window or several.

    Parameters
    ----------
    n : int
        Number of output neurons.
    code : PhaseInput
        The code.
    dt : float
        Step of the network [ms].
    gain, offset : float
        Action per value, and at value 0.
    """

    def __init__(self, n: int, code: PhaseInput, dt: float = 1.0, gain: float = 1.0, offset: float = 0.0) -> None:
        super().__init__(n, code.slot_ticks(dt), dt, gain, offset)
        self._code = code
        self._bits = self.remember("bits", (n, int(code.bits)))
        self._phase = self.remember("phase", 1, np.int64)

    def update(self, readout: Readout, new: npt.NDArray[np.bool_], ended: bool) -> None:
        """Note a bit at the end of its phase, and sum them after the last."""
        if not ended:
            return
        self._bits[:, self._phase[0]] = self._heard
        self._phase[0] = (self._phase[0] + 1) % self._bits.shape[1]
        if self._phase[0] == 0:
            self._values[:] = self._code.value(self._bits)


class BurstDecoder(FrameDecoder):
    """Bursts: spike count and last interval of a frame, undone together; the value changes when the frame is over.

    Parameters
    ----------
    n : int
        Number of output neurons.
    code : BurstInput
        The code.
    dt : float
        Step of the network [ms].
    gain, offset : float
        Action per value, and at value 0.
    """

    def __init__(self, n: int, code: BurstInput, dt: float = 1.0, gain: float = 1.0, offset: float = 0.0) -> None:
        super().__init__(n, code.frame_ticks(dt), dt, gain, offset)
        self._code = code
        self._count = self.remember("count", n, np.int64)

    def update(self, readout: Readout, new: npt.NDArray[np.bool_], ended: bool) -> None:
        """Count, and decode when the frame is over."""
        self._count += readout.counts
        if ended:
            self._values[:] = self._code.value(self._count, readout.interval * self._dt, self._dt)
            self._count[:] = 0


class DeltaDecoder(Decoder):
    """Staircase of steps: ``value = start + threshold (ups - downs)``, counted since the reset.

    The counterpart of :class:`~insectbot.snn.codes.DeltaInput` and :class:`~insectbot.snn.codes.SendOnDeltaInput`.
    The first half of the output neurons speaks of rises, the second of falls.

    Parameters
    ----------
    n : int
        Number of output neurons, even.
    threshold : float
        Height of a step, > 0.
    start : float
        Value at the reset.
    gain, offset : float
        Action per value, and at value 0.
    """

    def __init__(
        self, n: int, threshold: float = 0.1, start: float = 0.0, gain: float = 1.0, offset: float = 0.0
    ) -> None:
        super().__init__(n, gain, offset, size=n // 2)
        require_positive("DeltaDecoder", threshold=threshold)
        require_finite("DeltaDecoder", start=start)
        if n % 2:
            raise ConfigurationError(f"DeltaDecoder: n = {n}, must be even: rises, then falls")
        self._threshold, self._start = threshold, start
        self._level = self.remember("level", n // 2, np.int64)

    def values(self, readout: Readout) -> Values:
        """Return the height of each staircase."""
        half = self.n // 2
        self._level += readout.counts[:half]
        self._level -= readout.counts[half:]
        return self._start + self._threshold * self._level
