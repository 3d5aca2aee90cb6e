"""AplysiaSRM1: a robot's reflex with one hidden neuron and presynaptic modulation, learned anew when senses change.

After Alnajjar & Murase (2008), of which only the abstract could be read: one hidden neuron H; its synapses onto the
motor neurons are modulated presynaptically by the sensory neurons, as in the withdrawal reflex of Aplysia; an
excitatory synapse may become an inhibitory one. Here a terminal of H is a unit of its own, T: every spike of H passes
through T to the motor unless spikes of a sensor hold it back.

The paper's rule is STDP. Pairs alone can brake, but not tell which wheel to brake, nor release a wrong one
(aplysia_srm_stdp.py). Here the terminals try: slow noise makes one wheel lag, and a synapse whose sensor fires
meanwhile changes by how that turned out (node perturbation, Fiete & Seung 2006). What is credited is the difference of
the two terminals: braking both wheels earns nothing, so that standing still is not learned.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from insectbot.controllers.circuits.aplysia_srm_circuit import CONTACT, FrontEncoder, terminals_network, wheels_of
from insectbot.controllers.rewards import PredictionError
from insectbot.controllers.spiking import Arrays, SpikingController
from insectbot.snn import NodePerturbation, OrnsteinUhlenbeck, Projection
from insectbot.snn.validate import require_not_negative

_MIRROR = (0, 1, 1, 0)
"""Groups of the synapses L->L, L->R, R->L, R->R: a synapse and its mirror image are equal."""
_NOISE_DECAY = 0.85
"""Memory of the terminals' noise per 50 ms: a try lasts about 0.3 s."""


class AplysiaController(SpikingController):
    """A spiking controller that feels how its own moves turn out; it takes no notice of rewards.

    The third factor of a step is by how much the two front drives fell together, minus ``contact_cost`` if the last
    move was blocked. There is none at the first step of an episode, and none while it does not learn.
    """

    contact_cost = 0.1
    _near = math.nan

    def reset(self, seed: int) -> None:
        """Start an episode: no step lies before it."""
        super().reset(seed)
        self._near = math.nan

    def act(self, observation: Any) -> npt.NDArray[np.float32]:
        """Run one window; what became of the last action acts on what the last windows made eligible."""
        drive = self._encoder(observation)
        near, before = float(drive[0] + drive[1]), self._near
        if self.learning and not math.isnan(before):
            self.modulator = before - near - (self.contact_cost if observation[CONTACT] > 0 else 0.0)
            self._pulse[:] = self.modulator
            self._due = self._pulse
        self._near = near
        return super().act(observation)

    def learn(self, reward: float, terminated: bool) -> None:
        """Take no notice: what became of an action is in the next observation."""

    def state(self) -> Arrays:
        """Return everything that decides the future."""
        return super().state() | {"near": np.array([self._near])}

    def load_state(self, state: Mapping[str, npt.NDArray]) -> None:
        """Restore what :meth:`state` returned."""
        super().load_state(state)
        self._near = float(state["near"][0])


def aplysia_srm1(
    *,
    seed: int = 0,
    learning_rate: float = 0.3,
    w_min: float = -1.6,
    sigma: float = 0.025,
    eligibility_decay: float = 0.3,
    contact_cost: float = 0.1,
    mirror: bool = True,
    hidden_rate: float = 150.0,
    sensor_rate: float = 200.0,
    hidden_weight: float = 1.2,
    reverse: float = 0.8,
    tau: float = 40.0,
) -> AplysiaController:
    """Learns which wheel to brake, and anew when its sensors are exchanged: one hidden neuron drives both wheels.

    Each of the two sensors (Poisson spikes) has a modulating synapse onto each of the two terminals; all four start at
    0. A synapse and its mirror image share their changes, as if the two sides of the animal were built alike. Without
    (``mirror = False``) the robot often learns to turn always to the same side, whatever the sensor.

    Parameters
    ----------
    seed : int
        Accepted for symmetry with other learners: all modulating weights start at 0.
    learning_rate, sigma, eligibility_decay : float
        Of the rule, of the noise of a terminal [thresholds per ms], and memory of the eligibility per 50 ms.
    w_min : float
        Most inhibitory weight of a sensor spike on a terminal [thresholds]; the greatest is 0.
    contact_cost : float
        Share of contact in the third factor, beside the fall of the drives (each 0 to 1), >= 0.
    mirror : bool
        Whether mirror images share their changes.
    hidden_rate, sensor_rate, hidden_weight, reverse, tau : float
        Rate of the hidden neuron, and of a sensor at its greatest reading [Hz]; what a spike of the hidden neuron adds
        to a terminal [thresholds]; backward speed of a wheel whose motor is silent, as a share of the forward speed;
        time constant of the wheels [ms].

    Raises
    ------
    ConfigurationError
        If a value is out of range.
    """
    require_not_negative("aplysia-srm1", contact_cost=contact_cost)
    tie = _MIRROR if mirror else None
    rule = NodePerturbation(learning_rate, eligibility_decay, w_min=w_min, w_max=0.0, tie=tie)
    modulation = Projection.dense("sensors", "terminals", np.zeros((2, 2)), plasticity=rule)
    noise = OrnsteinUhlenbeck(sigma=sigma, decay=_NOISE_DECAY, period=50.0)
    network = terminals_network(modulation, noise, hidden_rate, sensor_rate, hidden_weight, "aplysia-srm1")
    decoder, names = wheels_of(reverse, hidden_rate, tau)
    controller = AplysiaController(network, FrontEncoder(), decoder, PredictionError(0.0), unit_names=names)
    controller.contact_cost = contact_cost
    return controller
