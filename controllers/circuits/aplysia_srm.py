"""AplysiaSRM1: a robot's reflex with one hidden neuron and presynaptic modulation, learned from contact."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from insectbot.controllers.decoders import FilteredRateDecoder
from insectbot.controllers.rewards import PredictionError
from insectbot.controllers.spiking import SpikingController
from insectbot.errors import ShapeError
from insectbot.snn import LIF, Input, Network, PoissonInput, Population, Projection, RegularInput, RewardSTDP

_N_IR = 8
CALM = 0.1
"""Third factor of a step without contact; with contact it is 1."""


class FrontEncoder:
    """Nine numbers of the robot to three drives: nearest obstacle in front left, in front right, and a constant 1.

    The left drive is the greatest reading at +10, +45 and +80 degrees, the right one at -10, -45 and -80.
    """

    n_inputs = 3

    def __init__(self) -> None:
        self._drive = np.array([0.0, 0.0, 1.0], np.float32)

    def __call__(self, observation: Any) -> npt.NDArray[np.float32]:
        """Return the drive, float32 of shape (3,); the array is reused by the next call.

        Raises
        ------
        ShapeError
            If the observation is no vector of nine numbers.
        """
        if np.shape(observation) != (_N_IR + 1,):
            raise ShapeError(f"AplysiaSRM1: an observation of shape {np.shape(observation)}, must be (9,)")
        self._drive[0], self._drive[1] = max(observation[1:4]), max(observation[4:7])
        return self._drive


class AplysiaController(SpikingController):
    """A spiking controller whose third factor is the contact it feels; it takes no notice of rewards."""

    def act(self, observation: Any) -> npt.NDArray[np.float32]:
        """Run one window; contact of the last action acts on what the last windows made eligible."""
        if self.learning:
            self.modulator = 1.0 if observation[_N_IR] > 0 else CALM
            self._pulse[:] = self.modulator
            self._due = self._pulse
        return super().act(observation)

    def learn(self, reward: float, terminated: bool) -> None:
        """Take no notice: contact is in the next observation."""


def _network(
    learning_rate: float, w_min: float, hidden_rate: float, sensor_rate: float, hidden_weight: float
) -> Network:
    rule = RewardSTDP(learning_rate=-learning_rate, a_plus=1.0, a_minus=-1.0, tau_e=100.0, w_min=w_min, w_max=0.5)
    cell = LIF(tau_m=10.0, v_th=1.0, v_min=-2.0)
    return Network(
        inputs=(Input("sensors", 2, PoissonInput(sensor_rate)), Input("tonic", 1, RegularInput(hidden_rate))),
        populations=(Population("hidden", 1, cell), Population("terminals", 2, cell), Population("motors", 2, cell)),
        projections=(
            Projection.dense("tonic", "hidden", [[1.5]]),
            Projection.dense("hidden", "terminals", [[hidden_weight]] * 2),
            # Each sensor acts on the terminal of the other side's wheel.
            Projection.sparse("sensors", "terminals", pre=[0, 1], post=[1, 0], weight=[0.0, 0.0], plasticity=rule),
            Projection.sparse("terminals", "motors", pre=[0, 1], post=[0, 1], weight=1.5),
        ),
        outputs=("motors",),
        name="aplysia-srm1",
    )


def aplysia_srm1(
    *,
    seed: int = 0,
    learning_rate: float = 0.003,
    w_min: float = -3.0,
    hidden_rate: float = 150.0,
    sensor_rate: float = 200.0,
    hidden_weight: float = 1.2,
    reverse: float = 0.8,
) -> AplysiaController:
    """Learns from contact which wheel to brake: one hidden neuron drives both, the sensors modulate its terminals.

    After Alnajjar & Murase (2008), of which only the abstract could be read: one hidden neuron H; its synapses onto the
    motor neurons are modulated presynaptically by the sensory neurons, as in the withdrawal reflex of Aplysia; weights
    change by STDP with the rates of the modulating and of the hidden neuron; an excitatory synapse may become an
    inhibitory one. Here a terminal of H is a unit of its own, T: every spike of H passes through T to the motor unless
    the sensor's spikes hold it back. The modulating synapses S -> T start at 0 and learn by reward-modulated STDP whose
    pairs all count as inhibition, with contact as third factor (1, otherwise 0.1). S is a Poisson spike source of up
    to 200 Hz, that is 0.2 spikes per ms. Unlike a gate that multiplies rates, a terminal saturates: it is silent at the
    latest when the sensor's spikes cancel a spike of H, which ends learning, too.

    The rule cannot unlearn: pairs only inhibit. After left and right sensors change places the robot bumps no more only
    because it shuttles before the next wall: see ``coverage_last`` in the table of benchmarks/aplysia_robot.py.

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
    network = _network(learning_rate, w_min, hidden_rate, sensor_rate, hidden_weight)
    tau = 100.0
    gain = (1.0 + reverse) / (hidden_rate * tau * 1e-3)  # all spikes of H through: full speed
    return AplysiaController(
        network,
        FrontEncoder(),
        FilteredRateDecoder(2, gain=gain, tau=tau, offset=-reverse),
        PredictionError(0.0),
        unit_names={"sensors": ("left", "right"), "terminals": ("left", "right"), "motors": ("left", "right")},
    )
