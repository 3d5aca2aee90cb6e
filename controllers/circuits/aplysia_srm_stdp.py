"""AplysiaSRM1 with spike pairs that only inhibit: learns once not to bump, and cannot unlearn."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from insectbot.controllers.circuits.aplysia_srm_circuit import CONTACT, FrontEncoder, terminals_network, wheels_of
from insectbot.controllers.rewards import PredictionError
from insectbot.controllers.spiking import SpikingController
from insectbot.snn import Projection, RewardSTDP

CALM = 0.1
"""Third factor of a step without contact; with contact it is 1."""


class ContactController(SpikingController):
    """A spiking controller whose third factor is the contact it feels; it takes no notice of rewards."""

    def act(self, observation: Any) -> npt.NDArray[np.float32]:
        """Run one window; contact of the last action acts on what the last windows made eligible."""
        if self.learning:
            self.modulator = 1.0 if observation[CONTACT] > 0 else CALM
            self._pulse[:] = self.modulator
            self._due = self._pulse
        return super().act(observation)

    def learn(self, reward: float, terminated: bool) -> None:
        """Take no notice: contact is in the next observation."""


def aplysia_srm1_stdp(
    *,
    seed: int = 0,
    learning_rate: float = 0.003,
    w_min: float = -3.0,
    hidden_rate: float = 150.0,
    sensor_rate: float = 200.0,
    hidden_weight: float = 1.2,
    reverse: float = 0.8,
) -> ContactController:
    """Learns from contact which wheel to brake, by STDP: the circuit of ``aplysia_srm1``, wired in advance.

    Each sensor modulates only the terminal of the other side's wheel. These synapses start at 0 and learn by
    reward-modulated STDP whose pairs all count as inhibition, with contact as third factor (1, otherwise 0.1). Unlike
    a gate that multiplies rates, a terminal saturates: it is silent at the latest when the sensor's spikes cancel a
    spike of H, which ends learning, too.

    The rule cannot unlearn. After left and right sensors change places the robot bumps no more only because it
    shuttles before the next wall: see ``coverage_last`` in the table of benchmarks/aplysia_robot.py.

    Parameters
    ----------
    seed : int
        Accepted for symmetry with other learners: all modulating weights start at 0.
    learning_rate : float
        Of the rule.
    w_min : float
        Most inhibitory weight of a sensor spike on a terminal [thresholds]; the most excitatory is 0.5.
    hidden_rate, sensor_rate : float
        Rate of the hidden neuron, and of a sensor at its greatest reading [Hz].
    hidden_weight : float
        What a spike of the hidden neuron adds to a terminal [thresholds].
    reverse : float
        Backward speed of a wheel whose motor is silent, as a share of the forward speed.

    Raises
    ------
    ConfigurationError
        If a value is out of range.
    """
    rule = RewardSTDP(learning_rate=-learning_rate, a_plus=1.0, a_minus=-1.0, tau_e=100.0, w_min=w_min, w_max=0.5)
    # Each sensor acts on the terminal of the other side's wheel.
    crossed = Projection.sparse("sensors", "terminals", pre=[0, 1], post=[1, 0], weight=[0.0, 0.0], plasticity=rule)
    network = terminals_network(crossed, None, hidden_rate, sensor_rate, hidden_weight, "aplysia-srm1-stdp")
    decoder, names = wheels_of(reverse, hidden_rate, 100.0)
    return ContactController(network, FrontEncoder(), decoder, PredictionError(0.0), unit_names=names)
