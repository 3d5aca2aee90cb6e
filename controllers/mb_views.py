"""What surrounds the mushroom body when it remembers a route by its views, and controllers without a brain beside it.

All read the observation of the preset ``route`` of ``insectbot/Foraging-v0``: a panorama of 36 sectors (0 ahead, then
to the left), touch left and right, and whether the world leads.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from insectbot.controllers.baselines import Action, Baseline, wheels
from insectbot.controllers.decoder import Decoder, Values
from insectbot.controllers.rewards import PredictionError
from insectbot.controllers.spiking import Arrays, SpikingController
from insectbot.errors import ConfigurationError, ShapeError
from insectbot.protocols import Readout
from insectbot.snn import Network

Reals = npt.NDArray[np.float64]

N_SECTORS: Final = 36
TOTAL: Final = 5.4
"""Summed drive of the projection neurons of a view."""
BIAS: Final = 0.7
"""Wheel command without a turn."""


def view_of(observation: Any, who: str) -> Reals:
    """Return the panorama of an observation.

    Raises
    ------
    ShapeError
        If it is not that of the preset ``route``.
    """
    if np.shape(observation) != (N_SECTORS + 3,):
        raise ShapeError(
            f"{who}: an observation of shape {np.shape(observation)}, must be ({N_SECTORS + 3},) of preset 'route'"
        )
    return np.asarray(observation, np.float64)[:N_SECTORS]


def skyline(view: Reals) -> Reals:
    """Return the drive of the projection neurons: what stands above the mean of a blurred view, scaled to a fixed sum.

    Each sector is averaged with its two neighbours; ``max(v_i - mean, 0)`` then gets the same sum in every view, at
    most 1 per neuron.
    """
    blurred = (np.roll(view, 1) + view + np.roll(view, -1)) / 3.0
    out = np.maximum(blurred - blurred.mean(), 0.0)
    total = float(out.sum())
    return np.minimum(out * (TOTAL / total), 1.0) if total > 1e-6 else out


class ViewEncoder:
    """Panorama to projection neurons, seen as if the head were turned by ``shift`` sectors to the left."""

    n_inputs = N_SECTORS

    def __init__(self) -> None:
        self.shift = 0
        self._drive = np.zeros(self.n_inputs, np.float32)

    def __call__(self, observation: Any) -> npt.NDArray[np.float32]:
        """Return the drive, float32 of shape (36,); the array is reused by the next call."""
        self._drive[:] = np.roll(skyline(view_of(observation, "mb-route")), -self.shift)
        return self._drive


class NoveltyDecoder(Decoder):
    """Spikes of the output neuron in one window, divided by 50: how new the view is."""

    def __init__(self) -> None:
        super().__init__(1, gain=0.02)

    def values(self, readout: Readout) -> Values:
        """Return the spikes."""
        return readout.counts.astype(np.float64)


class RouteFollower(SpikingController):
    """A mushroom body that remembers a route from one trip and follows it by the novelty of the view.

    On the trip, every ``spacing`` steps, dopamine depresses the synapses of the Kenyon cells that the view activates.
    Later it scans: every ``hold`` steps the panorama is judged as if the head were turned by up to ``reach``
    sectors to either side, and the body turns towards the least new of these views, each judged with its neighbours
    (Ardin, Peng, Mangan, Lagogiannis & Webb 2016; here the head turns in thought, as the panorama is round).

    Parameters
    ----------
    network : Network
        From :func:`insectbot.controllers.circuits.mushroom_body.mushroom_body`, with one output.
    reach : int
        Sectors of 10 degrees, 1 to 17.
    spacing, hold : int
        Control steps between two remembered places, and between two scans, >= 1.
    gain : float
        Turn per rad between the body and the least new view.

    Attributes
    ----------
    novelty : ndarray of float64, shape (2 reach + 1,)
        Spikes of the output neuron in the last scan, from right to left.
    """

    _encoder: ViewEncoder

    def __init__(self, network: Network, *, reach: int = 6, spacing: int = 8, hold: int = 4, gain: float = 0.7) -> None:
        for name, value, most in (("reach", reach, 17), ("spacing", spacing, 10_000), ("hold", hold, 10_000)):
            if not 1 <= value <= most:
                raise ConfigurationError(f"mb-route: {name} = {value}, must be from 1 to {most}")
        super().__init__(network, ViewEncoder(), NoveltyDecoder(), PredictionError(0.0))
        self.reach, self.spacing, self.hold, self.gain = reach, spacing, hold, gain
        self.novelty = np.zeros(2 * reach + 1)
        self._step, self._error = 0, 0.0

    def reset(self, seed: int) -> None:
        """Start an episode; the memory stays."""
        super().reset(seed)
        self._step, self._error = 0, 0.0

    def act(self, observation: Any) -> npt.NDArray[np.float32]:
        """Remember the view while the world leads; else look around and turn towards what is least new."""
        guided = float(np.asarray(observation, np.float64)[-1]) > 0.5
        if guided:
            if self.learning and self._step % self.spacing == 0:
                self._remember(observation)
        elif self._step % self.hold == 0:
            self._error = self._scan(observation)
        self._step += 1
        return wheels(0.0, 0.0) if guided else steer(observation, self.gain * self._error)

    def learn(self, reward: float, terminated: bool) -> None:
        """Take no notice: the memory is of what was seen, not of what it brought."""

    def _remember(self, observation: Any) -> None:
        self._encoder.shift = 0
        self.executable.window(self._encoder(observation), self._n_ticks)
        self._pulse[:] = self.modulator = 1.0
        self.executable.window(self._last_drive, 0, self._pulse)

    def _scan(self, observation: Any) -> float:
        """Return where the least new view lies [rad, left is positive]; equally new ones are averaged."""
        shifts = range(-self.reach, self.reach + 1)
        for k, shift in enumerate(shifts):
            self._encoder.shift = shift
            self.novelty[k] = self.executable.window(self._encoder(observation), self._n_ticks).counts[0]
        # A view that is known has known neighbours: a lone dip is chance.
        padded = np.pad(self.novelty, 1, mode="edge")
        judged = padded[:-2] + 2.0 * padded[1:-1] + padded[2:]
        least = judged == judged.min()
        return float(np.mean(np.array(shifts)[least])) * 2.0 * math.pi / N_SECTORS

    def state(self) -> Arrays:
        """Return everything that decides the future."""
        return super().state() | {"step": np.array([self._step]), "error": np.array([self._error])}

    def load_state(self, state: Mapping[str, npt.NDArray]) -> None:
        """Restore what :meth:`state` returned."""
        super().load_state(state)
        self._step, self._error = int(state["step"][0]), float(state["error"][0])


def steer(observation: npt.ArrayLike, turn: float) -> Action:
    """Return the wheel commands of a turn (left is positive), away from what an antenna touches."""
    left, right = np.asarray(observation, np.float64)[N_SECTORS : N_SECTORS + 2].tolist()
    turn -= 0.5 * (left - right)
    return wheels(BIAS - turn, BIAS + turn)


class StraightOn(Baseline):
    """Goes on in the direction in which it was put down, turning only away from what it touches."""

    def act(self, observation: npt.ArrayLike) -> Action:
        """Return the two wheel commands."""
        view_of(observation, "straight-on")
        return steer(observation, 0.0)


class ViewMemory(Baseline):
    """Privileged: has every view of the route without noise, and turns as the most similar one says.

    A perfect memory (nearest neighbour): of all views and all 36 headings, the least squared difference wins.

    Parameters
    ----------
    gain : float
        Turn per rad of the heading's error.
    """

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = gain
        self._env: Any = None
        self._views: Reals | None = None

    def bind(self, env: Any) -> None:
        """Take the env whose route to know.

        Raises
        ------
        ConfigurationError
            If the env has no route.
        """
        base = env.unwrapped
        if not hasattr(base, "route_views") or base.observation_space.shape != (N_SECTORS + 3,):
            raise ConfigurationError(
                f"ViewMemory: env {type(base).__name__} has no route, use insectbot/Foraging-v0 with preset 'route'"
            )
        self._env = base

    def reset(self, seed: int) -> None:
        """Start an episode; the views are looked up at the first action, when the world stands."""
        self._views = None

    def act(self, observation: npt.ArrayLike) -> Action:
        """Return the two wheel commands."""
        if self._env is None:
            raise ConfigurationError("ViewMemory: no env, call bind(env) before the first episode")
        if self._views is None:
            self._views = np.asarray(self._env.route_views()[1], np.float64)
        view = view_of(observation, "view-memory")
        turned = np.array([np.roll(view, -k) for k in range(N_SECTORS)])
        squared = (turned**2).sum(1)[:, None] + (self._views**2).sum(1)[None] - 2.0 * turned @ self._views.T
        # The best match when turned by k sectors: the route lies k sectors to the left.
        sectors = int(np.argmin(squared.min(axis=1)))
        error = math.remainder(2.0 * math.pi * sectors / N_SECTORS, 2.0 * math.pi)
        return steer(observation, self.gain * error)
