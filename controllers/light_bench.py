"""A network under the light: single neurons can be made to spike, situations shown, motors listened to; no more."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from insectbot.errors import ConfigurationError, ShapeError
from insectbot.snn.validate import require_not_negative

Drive = npt.NDArray[np.float32]

SETTLE, MEASURE = 100, 2000
"""How long a situation is shown before, and while, the motors are counted [ms]."""


class LightBench:
    """What a trainer may do with a network (:class:`~insectbot.controllers.indirect.Preparation`), in steps of 1 ms.

    It holds two functions of the network, none of which reads or sets a weight. STDP acts in the dark, when only light
    makes spikes, and is held while behaviour is measured: one switch for the whole network, which tells no synapse
    from another.

    Parameters
    ----------
    run : callable
        Takes a drive (sensors, one tonic input, light on each sensor, then on each motor) and a number of steps of
        1 ms; returns the spikes of each motor.
    plastic : callable
        Switches STDP.
    sensors, motors : int
        How many there are.

    Attributes
    ----------
    steps : int
        Steps that the network has lived here.
    """

    def __init__(
        self,
        run: Callable[[Drive, int], npt.NDArray[np.int32]],
        plastic: Callable[[bool], None],
        sensors: int,
        motors: int,
    ) -> None:
        self._run, self._plastic = run, plastic
        self._sensors, self._motors = sensors, motors
        self._due: dict[int, list[int]] = {}
        self.steps = 0

    def stimulate(self, neuron: int, spike_times: Sequence[float]) -> None:
        """Make a neuron spike at these times [ms] from now, in the dark that comes before the next situation.

        Parameters
        ----------
        neuron : int
            Sensors are numbered first, then motors.
        spike_times : sequence of float
            Times >= 0, rounded to steps.

        Raises
        ------
        ConfigurationError
            If there is no such neuron, or a time is negative.
        """
        if not 0 <= neuron < self._sensors + self._motors:
            raise ConfigurationError(f"stimulate: neuron {neuron}, must be 0 to {self._sensors + self._motors - 1}")
        for time in spike_times:
            require_not_negative("stimulate", spike_time=time)
            self._due.setdefault(round(time), []).append(neuron)

    def respond(self, situation: Sequence[float]) -> npt.NDArray[np.float64]:
        """Deliver the light that is due, then show the sensors a situation; return the rates of the motors [Hz].

        Raises
        ------
        ShapeError
            If the situation is not one number per sensor.
        """
        if len(situation) != self._sensors:
            raise ShapeError(f"respond: a situation of {len(situation)} numbers, must be {self._sensors}")
        if self._due:
            self._flash()
        drive = self._dark()
        drive[: self._sensors] = situation
        drive[self._sensors] = 1.0
        self._live(drive, SETTLE)
        return np.multiply(self._live(drive, MEASURE), 1000.0 / MEASURE, dtype=np.float64)

    def _flash(self) -> None:
        self._plastic(True)
        now = 0
        for step in sorted(self._due):
            self._live(self._dark(), step - now)
            lit = self._dark()
            lit[[self._sensors + 1 + neuron for neuron in self._due[step]]] = 1.0
            self._live(lit, 1)
            now = step + 1
        self._live(self._dark(), 2)  # the last light still has to reach its neuron
        self._due.clear()
        self._plastic(False)

    def _dark(self) -> Drive:
        return np.zeros(2 * self._sensors + 1 + self._motors, np.float32)

    def _live(self, drive: Drive, steps: int) -> npt.NDArray[np.int32]:
        self.steps += steps
        return self._run(drive, steps)
