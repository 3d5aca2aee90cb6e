"""Codes of change: spikes where the drive moved (models sheet B; Petro, Kasabov & Kiss 2020; Lichtsteiner 2008).

Each takes one direction. For both, let two channels (or two input groups) read the same drive, one of polarity +1 and
one of -1 (``ChannelEncoder(..., copies=2)`` repeats the observation): every channel follows both directions, but only
speaks of its own. The drive is sampled every ``period``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from insectbot.snn.functions import log, where
from insectbot.snn.inputs import CodedInput
from insectbot.snn.model import Real, parameter


@dataclass(frozen=True)
class ChangeInput(CodedInput):
    """Base of codes of change: a threshold and a direction.

    Parameters
    ----------
    period : float
        Time between two samples of the drive [ms].
    threshold : float
        Change that makes a spike [unit of the drive], > 0.
    polarity : float
        +1 speaks of rises, -1 of falls.
    """

    period: float = parameter(1.0, "ms", above=0)
    threshold: float = parameter(0.1, "", above=0)
    polarity: float = parameter(1.0, "")

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require(np.equal(np.abs(self.polarity), 1.0), "polarity", "be +1 or -1")


@dataclass(frozen=True)
class DeltaInput(ChangeInput):
    """Step-forward delta modulation: one step of ``threshold`` per sample towards the drive.

    ``level`` counts the steps since the reset, so the receiver's copy of the drive is ``start + level threshold``.
    A sample beyond it by more than ``threshold`` moves it by one step, with a spike. Of a drive that changes by at
    most ``threshold`` per sample the copy errs by at most ``threshold``; a faster one leaves it behind (slew
    overload), as it does at a start that is not ``start``.

    Parameters
    ----------
    period, threshold, polarity
        As in :class:`ChangeInput`.
    start : float
        Drive that the copy begins at, in [0, 1].
    """

    states: ClassVar[dict[str, float]] = {"level": 0.0, "step": 0.0}
    start: float = parameter(0.0, "", at_least=0)

    @staticmethod
    def frame(x: Real, level: Real, threshold: Real, start: Real) -> tuple[Real, Real]:
        """Compare the sample with the copy and move the copy."""
        gap = x - start - level * threshold
        step = where(gap > threshold, 1.0, where(gap < -threshold, -1.0, 0.0))
        level = level + step
        return level, step

    @staticmethod
    def emit(k: Real, step: Real, polarity: Real) -> Real:
        """Spike at the sample, if the step has this channel's direction."""
        spike = where(k == 0.0, step, 0.0) == polarity
        return spike


@dataclass(frozen=True)
class CrossingInput(ChangeInput):
    """Base of codes in which every threshold crossed since the last sample makes a spike.

    A channel spikes at most once per tick, so a sample that crossed several thresholds sends them on as many ticks;
    what does not fit before the next sample stays pending and is sent then (or cancelled, if the drive came back).
    Nothing is lost: after the last spike of a sample the receiver's copy is nearer than ``threshold``.
    """

    states: ClassVar[dict[str, float]] = {"level": 0.0, "target": 0.0}
    period: float = parameter(10.0, "ms", above=0)

    @staticmethod
    def emit(target: Real, level: Real, threshold: Real, polarity: Real) -> tuple[Real, Real]:
        """Move the copy by one step towards the sample; spike if the step has this channel's direction."""
        gap = target - level * threshold
        step = where(gap >= threshold, 1.0, where(gap <= -threshold, -1.0, 0.0))
        level = level + step
        spike = step == polarity
        return spike, level


@dataclass(frozen=True)
class SendOnDeltaInput(CrossingInput):
    """Send on delta: one spike for every ``threshold`` between the drive and the copy ``start + level threshold``.

    With ``period`` of one tick it is step-forward that also spikes at equality; from ``1 / threshold`` ticks on, any
    change is told within its frame (Miskowicz 2006).

    Parameters
    ----------
    period, threshold, polarity
        As in :class:`ChangeInput`.
    start : float
        Drive that the copy begins at, in [0, 1].
    """

    start: float = parameter(0.0, "", at_least=0)

    @staticmethod
    def frame(x: Real, start: Real) -> Real:
        """Sample the drive."""
        target = x - start
        return target


@dataclass(frozen=True)
class DVSInput(CrossingInput):
    """Pixel of an event camera: every step of ``threshold`` in the log intensity ``ln(x + dark)`` is one spike.

    After Lichtsteiner, Posch & Delbruck (2008). The drive is the intensity. The pixel adapts to the first sample
    after a reset without a spike.

    Parameters
    ----------
    period, threshold, polarity
        As in :class:`ChangeInput`; the threshold is one of contrast.
    dark : float
        Dark level, in units of the drive, > 0: contrast fades below it.
    """

    states: ClassVar[dict[str, float]] = {**CrossingInput.states, "origin": 0.0, "seen": 0.0}
    threshold: float = parameter(0.15, "", above=0)
    dark: float = parameter(0.001, "", above=0)

    @staticmethod
    def frame(x: Real, origin: Real, seen: Real, dark: Real) -> tuple[Real, Real, Real]:
        """Sample the log intensity, relative to the first one."""
        here = log(x + dark)
        origin = where(seen > 0.0, origin, here)
        seen = 1.0
        target = here - origin
        return target, origin, seen


@dataclass(frozen=True)
class ContrastInput(ChangeInput):
    """Temporal contrast: a spike where the drive changed by more than ``threshold`` between two samples.

    It keeps no copy of the drive: steady small changes are never told and large ones only once, so it marks events
    and does not code a value. :func:`insectbot.controllers.signal_codes.contrast_threshold` fits a threshold.

    Parameters
    ----------
    period, threshold, polarity
        As in :class:`ChangeInput`.
    """

    states: ClassVar[dict[str, float]] = {"old": 0.0, "seen": 0.0, "change": 0.0}

    @staticmethod
    def frame(x: Real, old: Real, seen: Real) -> tuple[Real, Real, Real]:
        """Take the difference to the last sample; 0 at the first."""
        change = where(seen > 0.0, x - old, 0.0)
        old = x
        seen = 1.0
        return change, old, seen

    @staticmethod
    def emit(k: Real, change: Real, threshold: Real, polarity: Real) -> Real:
        """Spike at the sample, if the change is large enough in this channel's direction."""
        spike = where(k == 0.0, change * polarity, 0.0) > threshold
        return spike
