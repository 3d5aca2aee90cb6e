"""Indirect training: a trainer that never touches a weight, and makes spikes until STDP has made the behaviour.

Reconstructed from the abstracts of Zhang, Foderaro, Henriquez, VanDongen & Ferrari (2012), whose spike model comes
"from radial basis functions and a leaky integrate-and-fire sampler", and of Zhang, Xu, Henriquez & Ferrari (2013), who
train a virtual insect "without any prior control or navigation knowledge" by stimuli such as blue light. The choice of
pulses here is a design of this project.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt

from insectbot.errors import ConfigurationError, ShapeError
from insectbot.snn.validate import require_positive

Reals = npt.NDArray[np.float64]


class Preparation(Protocol):
    """All that a trainer sees of a network: light on single neurons, and the answer to a situation."""

    def stimulate(self, neuron: int, spike_times: Sequence[float]) -> None:
        """Make a neuron spike at these times [ms] from now, in the dark that comes before the next situation.

        Sensors are numbered first, then motors.
        """
        ...

    def respond(self, situation: Sequence[float]) -> Reals:
        """Show the sensors a situation, each in [0, 1]; return the rates of the motors [Hz]."""
        ...


@dataclass(frozen=True)
class RadialPulse:
    """A short pattern of spikes: a radial basis function through a leaky integrate-and-fire sampler.

    ``tau v' = -v + height exp(-(t - centre)^2 / (2 width^2))``; a spike at ``v >= 1``, then ``v = 0``.

    Parameters
    ----------
    width : float
        Standard deviation of the basis function [ms], > 0.
    height : float
        Its peak [thresholds of the sampler], > 0.
    tau : float
        Time constant of the sampler [ms], > 0.

    Raises
    ------
    ConfigurationError
        If a value is out of range, or so small that the sampler never spikes.
    """

    width: float = 3.0
    height: float = 6.0
    tau: float = 10.0
    offsets: tuple[float, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        require_positive("RadialPulse", width=self.width, height=self.height, tau=self.tau)
        offsets, v, step, reach = [], 0.0, self.width / 64.0, 256
        for k in range(-reach, reach + 1):
            drive = self.height * math.exp(-0.5 * ((k - 0.5) * step / self.width) ** 2)
            v = drive + (v - drive) * math.exp(-step / self.tau)
            if v >= 1.0:
                offsets.append(k * step)
                v = 0.0
        if not offsets:
            raise ConfigurationError(f"RadialPulse: height = {self.height} never brings the sampler to its threshold 1")
        object.__setattr__(self, "offsets", tuple(offsets))

    @property
    def span(self) -> float:
        """Time from the first spike to the last [ms]."""
        return self.offsets[-1] - self.offsets[0]

    def times(self, centre: float) -> list[float]:
        """Return the spike times [ms] of a pulse around ``centre``."""
        return [centre + offset for offset in self.offsets]


@dataclass(frozen=True)
class PulsePair:
    """One stimulus: a pulse on a sensor and one on a motor.

    Attributes
    ----------
    sensor, motor : int
        Which.
    lag : float
        Centre of the motor's pulse minus that of the sensor's [ms]; positive potentiates, negative depresses.
    """

    sensor: int
    motor: int
    lag: float


class IndirectTrainer:
    """Measures the behaviour, chooses a pulse pair, applies it, measures again; it knows no weight and sets none.

    A *probe* is a situation and the change of the motor rates that the task wants there, beside the rates without any
    sense. The error of a probe is shared among the sensors it shows: sensor i and motor j are blamed for
    ``b_ij = sum_s x_si e_sj / sum_s x_si^2``, the slope of the squared error along a synapse between them. The pair
    blamed most is treated: the sign of the lag is that of ``-b``, and the size of the change ``min(1, |b| / full)``,
    which falls with the lag as ``exp(-|lag| / window)``. If no blame reaches ``tolerance`` the trainer rests.

    Parameters
    ----------
    situations : array_like, shape (n_probes, n_sensors)
        What the sensors are shown, each in [0, 1]; every sensor must be shown somewhere.
    wishes : array_like, shape (n_probes, n_motors)
        Change of the motor rates that is wanted there [Hz].
    tolerance : float
        Blame that is good enough [Hz per unit of the sensor], > 0.
    full : float
        Blame from which a pair has its shortest lag [Hz per unit of the sensor], > 0.
    window : float
        What the trainer takes for the time constant of STDP [ms], > 0.
    pulse : RadialPulse
        The spikes of a pulse.

    Attributes
    ----------
    pairs : int
        Pulse pairs given so far.

    Raises
    ------
    ConfigurationError, ShapeError
        If a value is out of range, the shapes do not agree, or a sensor is never shown.
    """

    def __init__(
        self,
        situations: npt.ArrayLike,
        wishes: npt.ArrayLike,
        *,
        tolerance: float = 10.0,
        full: float = 60.0,
        window: float = 20.0,
        pulse: RadialPulse | None = None,
    ) -> None:
        require_positive("IndirectTrainer", tolerance=tolerance, full=full, window=window)
        self._situations, self._wishes = np.array(situations, np.float64), np.array(wishes, np.float64)
        if self._situations.ndim != 2 or self._wishes.ndim != 2 or len(self._situations) != len(self._wishes):
            raise ShapeError(
                f"IndirectTrainer: situations {self._situations.shape} and wishes {self._wishes.shape} must be tables "
                "with one line per probe"
            )
        self._shown = (self._situations**2).sum(axis=0)
        if not self._shown.all():
            raise ConfigurationError(f"IndirectTrainer: no situation shows sensor {int(np.argmin(self._shown))}")
        self._tolerance, self._full, self._window = tolerance, full, window
        self._pulse = pulse or RadialPulse()
        self.pairs = 0

    def blame(self, preparation: Preparation) -> Reals:
        """Measure the behaviour; return the blame of each sensor for each motor [Hz per unit of the sensor]."""
        silent = [0.0] * self._situations.shape[1]
        rest = preparation.respond(silent)
        rates = np.array([preparation.respond(s) for s in self._situations.tolist()])
        return self._situations.T @ (rates - rest - self._wishes) / self._shown[:, None]

    def choose(self, blame: Reals) -> PulsePair | None:
        """Return the pulse pair that should mend the largest error; None if all are small."""
        sensor, motor = divmod(int(np.argmax(np.abs(blame))), blame.shape[1])
        worst = float(blame[sensor, motor])
        if abs(worst) < self._tolerance:
            return None
        # Patterns that do not overlap: every spike of one comes before every spike of the other.
        shortest = self._pulse.span + 2.0
        lag = shortest + self._window * math.log(max(1.0, self._full / abs(worst)))
        return PulsePair(sensor, motor, math.copysign(lag, -worst))

    def apply(self, preparation: Preparation, pair: PulsePair) -> None:
        """Give one pulse pair, after a dark pause in which earlier spikes are forgotten."""
        centre = 10.0 * self._window + abs(pair.lag)
        preparation.stimulate(pair.sensor, self._pulse.times(centre))
        preparation.stimulate(self._situations.shape[1] + pair.motor, self._pulse.times(centre + pair.lag))
        self.pairs += 1

    def lesson(self, preparation: Preparation, pairs: int) -> Reals:
        """Give up to ``pairs`` pulse pairs, measuring after each; return the blame that is left."""
        blame = self.blame(preparation)
        for _ in range(pairs):
            pair = self.choose(blame)
            if pair is None:
                break
            self.apply(preparation, pair)
            blame = self.blame(preparation)
        return blame
