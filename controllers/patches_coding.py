"""What surrounds the circuit of the patch forager: senses gated by mood, descending commands, the controller."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from insectbot.controllers.decoder import Decoder, Values
from insectbot.controllers.patches_baselines import Mood
from insectbot.controllers.spiking import Arrays, SpikingController
from insectbot.errors import ShapeError
from insectbot.protocols import Readout


class PatchEncoder:
    """Observation of the preset ``patches`` to drive: antennae 2, odor 2, home 2, taste 1, tonic 1.

    The mood gates by inhibition: odor and taste are silent while homing, the home cue while seeking. Odor passes a
    receptor's low pass and lateral inhibition between the antennae: ``contrast * (own side - other side)``, rectified,
    as olfactory neurons of flies release more on their own side (Gaudry et al. 2013).

    Parameters
    ----------
    contrast : float
        Factor of the lateral inhibition.
    smoothing : float
        Share of a new odor sample in the low pass, (0, 1].
    full : float
        Load at which the mood turns to homing.
    """

    n_inputs = 8

    def __init__(self, contrast: float = 6.5, smoothing: float = 0.6, full: float = 0.85) -> None:
        self._contrast, self._smoothing = contrast, smoothing
        self._mood = Mood(full)
        self._odor = np.zeros(2)
        self._drive = np.zeros(self.n_inputs, np.float32)
        self._drive[7] = 1.0

    def reset(self) -> None:
        """Start an episode: seeking, no odor."""
        self._mood.reset()
        self._odor[:] = 0.0

    def __call__(self, observation: Any) -> npt.NDArray[np.float32]:
        """Return the drive, float32 of shape (8,); the array is reused by the next call.

        Raises
        ------
        ShapeError
            If the observation is not that of the preset ``patches``.
        """
        if np.shape(observation) != (10,):
            raise ShapeError(
                f"patch-forager: an observation of shape {np.shape(observation)}, must be (10,) of preset 'patches'"
            )
        rough_left, rough_right, left, right, _, home_left, home_right, load, _, taste = map(float, observation)
        self._odor += self._smoothing * (np.array((left, right)) - self._odor)
        drive = self._drive
        drive[0], drive[1] = rough_left, rough_right
        if self._mood(load):
            drive[2] = drive[3] = drive[6] = 0.0
            drive[4], drive[5] = home_left, home_right
        else:
            difference = self._contrast * (self._odor[0] - self._odor[1])
            drive[2], drive[3] = min(max(difference, 0.0), 1.0), min(max(-difference, 0.0), 1.0)
            drive[4] = drive[5] = 0.0
            drive[6] = taste
        return drive

    def state(self) -> Arrays:
        """Return mood and low pass."""
        return {"homing": np.array([self._mood.homing]), "odor": self._odor.copy()}

    def load_state(self, state: Mapping[str, npt.NDArray]) -> None:
        """Restore what :meth:`state` returned."""
        self._mood.homing = bool(state["homing"][0])
        self._odor[:] = state["odor"]


class SteeringDecoder(Decoder):
    """Descending commands: ``turn = gain (right - left)``, ``speed = gain (go - stop)``, wheels ``speed +/- turn``.

    Spikes of each neuron leak with ``tau``; a left steering neuron turns to the right by driving the left wheel. As
    descending neurons of flies: the difference between the sides steers (Rayshubskiy et al. 2020), others set the pace.

    Parameters
    ----------
    gain : float
        Wheel command per spike in ``tau``.
    tau : float
        Time constant of the leak [ms], > 0.
    """

    def __init__(self, gain: float = 0.2, tau: float = 100.0) -> None:
        super().__init__(4, gain, size=2)
        self._tau = tau
        self._trace = self.remember("trace", 4)

    def values(self, readout: Readout) -> Values:
        """Return left and right wheel in spikes."""
        keep = math.exp(-self._window / self._tau)
        self._trace *= keep
        # A steady rate reads as its spikes in tau.
        self._trace += readout.counts * ((1.0 - keep) * self._tau / self._window)
        left, right, go, stop = self._trace.tolist()
        # At full speed the inner wheel still gives way to a turn.
        turn, speed = right - left, min(go - stop, 1.0 / self._gain)
        return np.array((speed - turn, speed + turn))


class PatchForager(SpikingController):
    """A spiking controller whose encoder has a mood: reset, kept and restored with the rest."""

    _encoder: PatchEncoder

    def reset(self, seed: int) -> None:
        """Start an episode in the mood to seek."""
        super().reset(seed)
        self._encoder.reset()

    def state(self) -> Arrays:
        """Return everything that decides the future."""
        return super().state() | {f"encoder/{name}": array for name, array in self._encoder.state().items()}

    def load_state(self, state: Mapping[str, npt.NDArray]) -> None:
        """Restore what :meth:`state` returned."""
        super().load_state(state)
        self._encoder.load_state({name[8:]: array for name, array in state.items() if name.startswith("encoder/")})
