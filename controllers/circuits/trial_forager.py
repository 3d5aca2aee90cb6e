"""The trial forager: other weights in every episode, and what paid more than usual is kept in part."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from insectbot.controllers.circuits.rstdp_forager import frozen_forager, random_weights
from insectbot.controllers.spiking import Arrays, SpikingController
from insectbot.snn.validate import require_not_negative, require_positive

Four = npt.NDArray[np.float64]
_TIED = (0, 1, 1, 0)  # a projection's synapses, by sensor, then motor: uncrossed, crossed, crossed, uncrossed


class TrialForager(SpikingController):
    """The forager's circuit with weights that are drawn anew around a centre for each learning episode.

    The four mirror-tied weights (antennae uncrossed and crossed, target likewise) are ``clip(c + spread n) * limit``
    with ``n ~ N(0, 1)`` held for an episode. Its return ``G = sum(reward) * discount ** steps`` moves the centre by
    ``rate * (G - mean) * n`` and the mean by ``mean_rate * (G - mean)``: weight perturbation, with the exploration
    among the parameters (Sehnke et al., Neural Networks 23, 551-559, 2010). Between episodes, and frozen, the weights
    are those of the centre. The rule acts from outside the network; a synapse needs only its ``n`` and ``G - mean``.

    Parameters
    ----------
    seed : int
        Seed of the initial weights and of the trials.
    spread : float
        Standard deviation of the trials, in units of the limits, > 0.
    rate, mean_rate : float
        Learning rates of the centre and of the mean return.
    discount : float
        Worth of a return that comes one step later, > 0; below 1 sooner is better.
    antenna_limit, target_limit : float
        Bounds of the absolute weights, > 0.

    Raises
    ------
    ConfigurationError
        If a value is out of range.
    """

    def __init__(
        self,
        *,
        seed: int = 0,
        spread: float = 0.5,
        rate: float = 0.4,
        mean_rate: float = 0.1,
        discount: float = 0.9985,
        antenna_limit: float = 0.2,
        target_limit: float = 0.26,
    ) -> None:
        require_positive(
            "TrialForager", spread=spread, discount=discount, antenna_limit=antenna_limit, target_limit=target_limit
        )
        require_not_negative("TrialForager", rate=rate, mean_rate=mean_rate)
        weight = random_weights(seed)
        circuit = frozen_forager(weight)
        super().__init__(
            circuit.network, circuit._encoder, circuit._decoder, circuit._reward, unit_names=circuit.unit_names
        )
        self._seed, self._spread, self._rate, self._mean_rate, self._discount = seed, spread, rate, mean_rate, discount
        self._limits = np.array([antenna_limit, antenna_limit, target_limit, target_limit])
        # Column s of `weight` is sensor s, row m motor m: the left sensors hold both members of a tied pair.
        self._centre: Four = np.array([weight[0, 0], weight[1, 0], weight[0, 2], weight[1, 2]]) / self._limits
        self._trial: Four = np.zeros(4)
        self._mean, self._return = 0.0, 0.0
        self._steps = self._episode = 0

    def reset(self, seed: int) -> None:
        """Start an episode; a learner draws its weights."""
        super().reset(seed)
        if self.learning:
            self._trial = np.random.default_rng([self._seed, 0x5EA7C4, self._episode]).standard_normal(4)
            self._steps, self._return = 0, 0.0
            self._take(self._centre + self._spread * self._trial)

    def learn(self, reward: float, terminated: bool) -> None:
        """Add up the reward; at the end of the episode move towards the trial if it paid, away from it if not."""
        self._steps += 1
        self._return += reward
        if terminated:
            self.modulator = surprise = self._return * self._discount**self._steps - self._mean
            self._mean += self._mean_rate * surprise
            self._centre = np.clip(self._centre + self._rate * surprise * self._trial, -1.0, 1.0)
            self._episode += 1
            self._take(self._centre)

    def state(self) -> Arrays:
        """Return everything that decides the future."""
        counts = np.array([self._steps, self._episode])
        own = {"centre": self._centre, "trial": self._trial, "returns": np.array([self._mean, self._return])}
        return super().state() | {name: array.copy() for name, array in own.items()} | {"counts": counts}

    def load_state(self, state: Mapping[str, npt.NDArray]) -> None:
        """Restore what :meth:`state` returned."""
        super().load_state(state)
        self._centre, self._trial = np.array(state["centre"]), np.array(state["trial"])
        self._mean, self._return = map(float, state["returns"])
        self._steps, self._episode = map(int, state["counts"])

    def _take(self, four: Four) -> None:
        """Set the weights of both motors."""
        bounded = np.clip(four, -1.0, 1.0) * self._limits
        pairs = {"antennae->motors": bounded[:2], "target->motors": bounded[2:]}
        self.set_weights({name: pair[list(_TIED)] for name, pair in pairs.items()})
