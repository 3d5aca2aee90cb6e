"""The spiking controller: encoder, network, decoder, and a reward that becomes a modulator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from insectbot.controllers.decoder import Decoder
from insectbot.controllers.encoders import Encoder
from insectbot.controllers.rewards import PredictionError
from insectbot.errors import ConfigurationError
from insectbot.protocols import Executable
from insectbot.snn.network import Network

Arrays = dict[str, npt.NDArray]


class SpikingController:
    """A network in the loop: one window per control step, the reward as modulator of the next window.

    The network is compiled outside, for whatever chip the scenario names, and handed over by :meth:`attach`.

    Parameters
    ----------
    network : Network
        The brain; its output neurons feed the decoder in order.
    encoder : Encoder
        Observation to drive.
    decoder : Decoder
        Readout to action.
    reward : PredictionError
        Reward to modulator; the same value goes to all modulators of the network.
    unit_names : mapping of str to tuple of str
        Names of single units by group, for pictures; empty for numbers.

    Attributes
    ----------
    modulator : float
        The last third factor, for recordings.
    """

    def __init__(
        self,
        network: Network,
        encoder: Encoder,
        decoder: Decoder,
        reward: PredictionError,
        *,
        unit_names: Mapping[str, tuple[str, ...]] | None = None,
    ) -> None:
        if encoder.n_inputs != network.n_inputs:
            raise ConfigurationError(
                f"network {network.name!r} takes {network.n_inputs} inputs, its encoder gives {encoder.n_inputs}"
            )
        self.network = network
        self.unit_names = dict(unit_names or {})
        self.modulator = 0.0
        self._encoder, self._decoder, self._reward = encoder, decoder, reward
        self._executable: Executable | None = None
        self._n_ticks = 0
        self._pulse = np.zeros(network.n_modulators, np.float32)
        self._due: npt.NDArray[np.float32] | None = None
        self._last_drive = np.zeros(network.n_inputs, np.float32)

    @property
    def executable(self) -> Executable:
        """The compiled network.

        Raises
        ------
        ConfigurationError
            Before :meth:`attach`.
        """
        if self._executable is None:
            raise ConfigurationError(f"network {self.network.name!r} is not compiled: call attach(executable, n_ticks)")
        return self._executable

    def attach(self, executable: Executable, n_ticks: int) -> None:
        """Take the compiled network and the number of ticks per control step."""
        if n_ticks < 1:
            raise ConfigurationError(f"n_ticks = {n_ticks}: a control step needs at least one tick")
        self._executable, self._n_ticks = executable, n_ticks
        self._decoder.set_window(n_ticks * self.network.dt)

    @property
    def learning(self) -> bool:
        """Whether plasticity and exploration act; may be set."""
        return self.executable.learning

    @learning.setter
    def learning(self, value: bool) -> None:
        if self.executable.learning != value:
            self.executable.learning = value

    def reset(self, seed: int) -> None:
        """Start an episode: clear dynamic state, keep weights; first deliver a modulator that is still due."""
        self._flush()
        self.executable.reset(seed)
        self._decoder.reset()
        self.modulator = 0.0

    def act(self, observation: Any) -> npt.NDArray[np.float32]:
        """Run one window and return the action; the array is reused by the next call."""
        due, self._due = self._due, None
        return self._decoder(self.executable.window(self._encoder(observation), self._n_ticks, due))

    def learn(self, reward: float, terminated: bool) -> None:
        """Turn the reward of the last action into the modulator of the next window."""
        self.modulator = modulator = self._reward(reward)
        if self._pulse.size:
            self._pulse[:] = modulator
            self._due = self._pulse
            if terminated:
                self._flush()

    def weights(self) -> Arrays:
        """Return the weights by projection, in projection order."""
        return self.executable.weights()

    def set_weights(self, weights: Mapping[str, npt.ArrayLike]) -> None:
        """Replace weights by projection name."""
        self.executable.set_weights(weights)

    def state(self) -> Arrays:
        """Return everything that decides the future, for checkpoints between episodes or steps."""
        out = {f"network/{name}": array for name, array in self.executable.state().items()}
        out |= {f"decoder/{name}": array for name, array in self._decoder.state().items()}
        out |= {f"reward/{name}": array for name, array in self._reward.state().items()}
        due = np.full_like(self._pulse, np.nan) if self._due is None else self._due.copy()
        return out | {"due": due, "modulator": np.array([self.modulator])}

    def load_state(self, state: Mapping[str, npt.NDArray]) -> None:
        """Restore what :meth:`state` returned."""

        def part(prefix: str) -> Arrays:
            return {name[len(prefix) :]: array for name, array in state.items() if name.startswith(prefix)}

        self.executable.load_state(part("network/"))
        self._decoder.load_state(part("decoder/"))
        self._reward.load_state(part("reward/"))
        self.modulator = float(state["modulator"][0])
        self._pulse[:] = state["due"]
        self._due = None if np.isnan(self._pulse).all() else self._pulse

    def _flush(self) -> None:
        """Deliver a due modulator without running a tick, while the eligibility it belongs to is there."""
        if self._due is not None:
            self.executable.window(self._last_drive, 0, self._due)
            self._due = None
