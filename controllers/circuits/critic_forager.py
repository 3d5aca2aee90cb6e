"""The critic forager: the forager's circuit, taught by a value it learns itself (for rewards that come at the end)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from insectbot.controllers.circuits.rstdp_forager import rstdp_forager
from insectbot.controllers.rewards import ValueCritic
from insectbot.controllers.spiking import Arrays, SpikingController


class CriticController(SpikingController):
    """A spiking actor whose modulator is the surprise of a critic that watches the observation.

    The surprise of a step needs the observation after it, so it is told with the next window (or, at the end of an
    episode, at once). A frozen controller does not ask the critic.

    Parameters
    ----------
    actor : SpikingController
        The controller to teach, before it is attached.
    critic : ValueCritic
        Reward and observation to modulator.
    """

    def __init__(self, actor: SpikingController, critic: ValueCritic) -> None:
        super().__init__(actor.network, actor._encoder, actor._decoder, actor._reward, unit_names=actor.unit_names)
        self.critic = critic
        self._gain = 0.0

    def reset(self, seed: int) -> None:
        """Start an episode: clear dynamic state, keep weights and values."""
        super().reset(seed)
        self.critic.begin()
        self._gain = 0.0

    def act(self, observation: Any) -> npt.NDArray[np.float32]:
        """Judge where the last action has led, run one window and return the action."""
        if self.learning:
            self._tell(self.critic(self._gain, observation))
        return super().act(observation)

    def learn(self, reward: float, terminated: bool) -> None:
        """Keep the reward of the last action until its result is seen; judge at once if the episode is over."""
        self._gain = reward
        if terminated:
            self._tell(self.critic(reward, None))
            self._flush()

    def state(self) -> Arrays:
        """Return everything that decides the future."""
        own = {f"critic/{name}": array for name, array in self.critic.state().items()}
        return super().state() | own | {"gain": np.array([self._gain])}

    def load_state(self, state: Mapping[str, npt.NDArray]) -> None:
        """Restore what :meth:`state` returned."""
        super().load_state(state)
        self.critic.load_state({k.removeprefix("critic/"): v for k, v in state.items() if k.startswith("critic/")})
        self._gain = float(state["gain"][0])

    def _tell(self, modulator: float) -> None:
        self.modulator = modulator
        self._pulse[:] = modulator
        self._due = self._pulse


def critic_forager(
    *,
    seed: int = 0,
    learning_rate: float = 0.002,
    discount: float = 0.998,
    memory: float = 0.99,
    value_rate: float = 0.1,
    fields: int = 5,
    dopamine: float = 3.0,
    antenna_limit: float = 0.2,
    eligibility_decay: float = 0.5,
    sigma: float = 0.1,
) -> CriticController:
    """Learns to forage from a single reward at the target: :func:`rstdp_forager` with a critic of the target cue.

    Parameters
    ----------
    seed : int
        Seed of the initial weights.
    learning_rate, eligibility_decay, sigma, antenna_limit
        As in :func:`rstdp_forager`.
    discount, memory, value_rate, fields, dopamine
        ``discount``, ``memory``, ``rate``, ``fields``, ``scale`` of :class:`ValueCritic`, which sees channels 2 and 3.

    Raises
    ------
    ConfigurationError
        If a value is out of range.
    """
    actor = rstdp_forager(
        seed=seed,
        learning_rate=learning_rate,
        antenna_limit=antenna_limit,
        eligibility_decay=eligibility_decay,
        sigma=sigma,
    )
    critic = ValueCritic((2, 3), fields=fields, discount=discount, memory=memory, rate=value_rate, scale=dopamine)
    return CriticController(actor, critic)
