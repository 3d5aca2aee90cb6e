"""What surrounds the mushroom body when it smells: antennal lobe, valence, dopamine, steering."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from insectbot.controllers.decoder import Decoder, Values
from insectbot.controllers.mb_baselines import N_CHANNELS, Nose, OdorSteering, senses
from insectbot.controllers.rewards import PredictionError
from insectbot.controllers.spiking import Arrays, SpikingController
from insectbot.protocols import Readout
from insectbot.snn import Network

SISTERS: Final = 4
"""Projection neurons that share a receptor channel."""
EXPONENT: Final = 1.5
HALF: Final = 0.1


def antennal_lobe(shares: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return the drive of the projection neurons, [0, 1]: receptors divided by what all of them say.

    ``p_i = s_i^1.5 / (0.1^1.5 + sum_j s_j^1.5)``, the form of Olsen, Bhandawat & Wilson (2010) with the exponent they
    measured and constants of this kit: the pattern of a blend outlasts its dilution.
    """
    power = np.asarray(shares, np.float64) ** EXPONENT
    return power / (HALF**EXPONENT + power.sum(-1, keepdims=True))


class OdorEncoder:
    """Observation of the preset ``odors`` to projection neurons: the mean of both antennae through the antennal lobe.

    Attributes
    ----------
    nose : Nose
        What the antennae smell, low-passed.
    """

    n_inputs = N_CHANNELS * SISTERS

    def __init__(self) -> None:
        self.nose = Nose()
        self._drive = np.zeros(self.n_inputs, np.float32)

    def reset(self) -> None:
        """Start an episode without odor."""
        self.nose = Nose()

    def __call__(self, observation: Any) -> npt.NDArray[np.float32]:
        """Return the drive, float32 of shape (24,); the array is reused by the next call."""
        self.nose(senses(observation, "mb-kc2000"))
        self._drive[:] = np.repeat(antennal_lobe(self.nose.smell.mean(axis=0)), SISTERS)
        return self._drive


class ValenceDecoder(Decoder):
    """What the odor is worth: ``(approach - avoid) / (approach + avoid + 3)``, of leaky spike counts.

    Parameters
    ----------
    tau : float
        Time constant of the leak [ms], > 0.
    """

    def __init__(self, tau: float = 100.0) -> None:
        super().__init__(2, size=1)
        self._tau = tau
        self._trace = self.remember("trace", 2)

    def values(self, readout: Readout) -> Values:
        """Return the valence, in (-1, 1)."""
        keep = math.exp(-self._window / self._tau)
        self._trace += (1.0 - keep) * (readout.counts - self._trace)
        approach, avoid = self._trace.tolist()
        return np.array([(approach - avoid) / (approach + avoid + 3.0)])


class OdorForager(SpikingController):
    """A mushroom body that tells its owner which odors to follow.

    The reward of a step becomes dopamine: reward depresses the avoidance synapses that were active and lets
    the approach synapses recover by ``recovery`` of that, punishment the other way round. Steering (not learned) turns
    up the odor gradient where ``innate + gain * valence`` is above 0, down where it is below.

    Parameters
    ----------
    network : Network
        From :func:`insectbot.controllers.circuits.mushroom_body.mushroom_body`.
    innate, gain : float
        Attraction of any odor, and attraction per valence.
    floor : float
        Least attraction, in [-1, 0]: how hard a bad odor repels.
    recovery : float
        Recovery of the opposite synapses, as a share of the depression, >= 0.

    Attributes
    ----------
    valence : float
        What the mushroom body thinks of the present odor, (-1, 1).
    """

    _encoder: OdorEncoder

    def __init__(
        self,
        network: Network,
        *,
        innate: float = 0.4,
        gain: float = 2.0,
        floor: float = -0.2,
        recovery: float = 0.5,
    ) -> None:
        super().__init__(network, OdorEncoder(), ValenceDecoder(), PredictionError(0.0))
        self.innate, self.gain, self.floor, self.recovery = innate, gain, floor, recovery
        self.valence = 0.0
        self._steer = OdorSteering()

    def reset(self, seed: int) -> None:
        """Start an episode without odor; the memory stays."""
        super().reset(seed)
        self._encoder.reset()
        self._steer.reset(seed)
        self.valence = 0.0

    def act(self, observation: Any) -> npt.NDArray[np.float32]:
        """Smell, judge and steer."""
        self.valence = float(super().act(observation)[0])
        attraction = min(max(self.innate + self.gain * self.valence, self.floor), 1.0)
        touch = np.asarray(observation, np.float64)[12:14].tolist()
        return self._steer(attraction, self._encoder.nose.contrast(), *touch)

    def learn(self, reward: float, terminated: bool) -> None:
        """Release dopamine: modulator 0 depresses approach (punishment), 1 avoidance (reward)."""
        self.modulator = reward
        if reward == 0.0:
            return
        good, bad = max(reward, 0.0), max(-reward, 0.0)
        self._pulse[:] = (bad - self.recovery * good, good - self.recovery * bad)
        self._due = self._pulse
        if terminated:
            self._flush()

    def state(self) -> Arrays:
        """Return everything that decides the future."""
        own = {"encoder/smell": self._encoder.nose.smell.copy(), "valence": np.array([self.valence])}
        return super().state() | own | {f"steering/{name}": array for name, array in self._steer.state().items()}

    def load_state(self, state: Mapping[str, npt.NDArray]) -> None:
        """Restore what :meth:`state` returned."""
        super().load_state(state)
        self._encoder.nose.smell[:] = state["encoder/smell"]
        self.valence = float(state["valence"][0])
        self._steer.load_state({k.removeprefix("steering/"): v for k, v in state.items() if k.startswith("steering/")})
