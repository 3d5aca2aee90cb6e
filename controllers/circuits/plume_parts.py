"""What the spiking plume trackers share: wind and odor to spikes, spikes to a turn, weights as currents."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from insectbot.controllers.decoder import Decoder, Values
from insectbot.errors import ShapeError
from insectbot.protocols import Readout
from insectbot.snn import LIF, Delta, Exponential, NeuronModel, PoissonBackground, Population

Weights = npt.NDArray[np.float64]

N_WIND: Final = 16
"""Wind cells, spread evenly around the head."""
MAX_SPEED: Final = 2.5
"""Speed through the air at command 1 [m/s]."""
GROUPS: Final = ("surge L", "surge R", "left L", "left R", "right L", "right R")
"""Steering cells: while surging, on a cast to the left, on a cast to the right; each turns left or right."""
INPUT_RATE: Final = 0.2
"""Rate of an input at drive 1 [spikes per ms]."""
CELL_RATE: Final = 0.1
"""Usual rate of a cell [spikes per ms]."""
TAU: Final = 5.0
"""Time constant of fast synapses [ms]."""
TAU_M: Final = 10.0
"""Time constant of membranes [ms]."""
T_REF: Final = 2.0
"""Refractory time [ms]."""
TONIC: Final = 3.0
"""Current of the tonic input [thresholds]."""
RIVAL: Final = 6.0
"""Current by which one half of a flip-flop holds down the other [thresholds]."""
STOP: Final = 12.0
"""Current by which cells silence others for certain [thresholds]."""
DOWN: Final = 4.0
"""Current of steering cells into the descending neurons [thresholds]."""
NOISE: Final = PoissonBackground(1000.0, 0.02, "noise")
"""Small spikes from elsewhere."""
STEERING_CELL: Final = LIF(TAU_M, v_rest=0.6, t_ref=T_REF)
"""Model of the steering cells: tense, so that they answer small errors."""
_KAPPA: Final = 4.0  # sharpness of the wind cells
WIND_ANGLES: Final = 2.0 * np.pi * np.arange(N_WIND) / N_WIND
"""Preferred directions of the wind cells, to the left of the head [rad]."""
TUNING: Final = np.exp(_KAPPA * (np.cos(WIND_ANGLES) - 1.0))
"""Drives of all wind cells while the wind comes from the direction of the first."""


class WindEncoder:
    """Wind and odor to the drives of 16 wind cells, of the odor cells and of tonic cells.

    A wind cell answers ``exp(4 (cos d - 1))`` where d is the angle from its direction to that the wind comes from. The
    own speed, known from the command, is added to the wind ahead: while the body flies at its one speed that is exact.

    Parameters
    ----------
    speed : float
        Speed through the air [m/s].
    tonic : int
        Number of tonic channels, at the end.
    """

    def __init__(self, speed: float, tonic: int = 1) -> None:
        self._speed = speed
        self._drive = np.zeros(N_WIND + 1 + tonic, np.float32)
        self._drive[N_WIND + 1 :] = 1.0

    @property
    def n_inputs(self) -> int:
        """Length of the drive."""
        return self._drive.size

    def __call__(self, observation: Any) -> npt.NDArray[np.float32]:
        """Return the drive, float32 of shape (n_inputs,); the array is reused by the next call.

        Raises
        ------
        ShapeError
            Unless the observation is that of PlumeTrack.
        """
        if np.shape(observation) != (3,):
            raise ShapeError(f"WindEncoder: an observation of shape {np.shape(observation)}, must be (3,)")
        ahead, left, odor = map(float, observation)
        upwind = math.atan2(-left, -(ahead + self._speed))
        self._drive[:N_WIND] = np.exp(_KAPPA * (np.cos(upwind - WIND_ANGLES) - 1.0))
        self._drive[N_WIND] = 1.0 if odor > 0.0 else 0.0
        return self._drive


class TurnDecoder(Decoder):
    """Spikes of the descending neurons to a turn; the speed is constant.

    Parameters
    ----------
    copies : int
        Neurons of each side, left ones first.
    gain : float
        Turn per difference of the mean rates [1 / (spike per ms)].
    forward : float
        Speed command.
    """

    def __init__(self, copies: int, gain: float, forward: float) -> None:
        super().__init__(2 * copies, 1.0, size=2)
        self._copies, self._turn = copies, gain
        self._values = np.array([forward, 0.0])

    def values(self, readout: Readout) -> Values:
        """Return the speed, and the turn to the left."""
        left = float(readout.counts[: self._copies].sum())
        right = float(readout.counts[self._copies :].sum())
        self._values[1] = self._turn * (left - right) / (self._copies * self._window)
        return self._values


def group_weights(current: float, copies: int, post_pre: Sequence[Sequence[float]], tau: float = TAU) -> Weights:
    """Return weights between groups of ``copies`` neurons: at its usual rate a group gives its targets a current."""
    one = np.full((copies, copies), current / (copies * CELL_RATE * tau))
    return np.block([[one * part for part in row] for row in post_pre])


def input_weights(current: float, n: int, tau: float = TAU) -> Weights:
    """Return weights of one input channel onto n neurons: at drive 1 it gives a current."""
    return np.full((n, 1), current / (INPUT_RATE * tau))


def cells(name: str, n: int, model: NeuronModel, rng: np.random.Generator, tau: float = TAU) -> Population:
    """Return n neurons with an exponential synapse ``input``, a little noise and random initial potentials."""
    ports = {"input": Exponential(tau), "noise": Delta()}
    return Population(name, n, model, receptors=ports, background=NOISE, initial={"v": rng.random(n)})
