"""A spiking plume tracker: it surges upwind on odor and casts across the wind without, side by side of a flip-flop."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from insectbot.controllers.decoder import Decoder, Values
from insectbot.controllers.rewards import PredictionError
from insectbot.controllers.spiking import SpikingController
from insectbot.errors import ShapeError
from insectbot.protocols import Readout
from insectbot.snn import (
    ALIF,
    LIF,
    Delta,
    Exponential,
    Input,
    Network,
    NeuronModel,
    PoissonBackground,
    Population,
    Projection,
    RegularInput,
)
from insectbot.snn.validate import require_not_negative, require_positive

Weights = npt.NDArray[np.float64]

N_WIND: Final = 16
"""Wind cells, spread evenly around the head."""
MAX_SPEED: Final = 2.5
"""Speed through the air at command 1 [m/s]."""
GROUPS: Final = ("surge L", "surge R", "left L", "left R", "right L", "right R")
"""Steering cells: while surging, on a cast to the left, on a cast to the right; each turns left or right."""
_KAPPA: Final = 4.0  # sharpness of the wind cells
_RATE, _CELL_RATE = 0.2, 0.1  # of an input at drive 1, usual one of a cell [spikes per ms]
_TAU, _TAU_M, _T_REF = 5.0, 10.0, 2.0  # of fast synapses, of membranes, refractory [ms]
_TENSION: Final = 0.6  # resting potential of the steering cells
# Currents [thresholds]: of tonic input, all wind cells, one half of the flip-flop onto the other, a stop, to motors.
_TONIC, _WIND_DRIVE, _RIVAL, _STOP, _DOWN = 3.0, 6.0, 6.0, 12.0, 4.0
_NOISE: Final = PoissonBackground(1000.0, 0.02, "noise")
_TUNING: Final = np.exp(_KAPPA * (np.cos(2.0 * np.pi * np.arange(N_WIND) / N_WIND) - 1.0))


class WindEncoder:
    """Wind and odor to the drives of 16 wind cells, of the odor cells and of a tonic cell.

    A wind cell answers ``exp(4 (cos d - 1))`` where d is the angle from its direction to that the wind comes from. The
    own speed, known from the command, is added to the wind ahead: while the body flies at its one speed that is exact.

    Parameters
    ----------
    speed : float
        Speed through the air [m/s].
    """

    n_inputs = N_WIND + 2

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self._angles = 2.0 * np.pi * np.arange(N_WIND) / N_WIND
        self._drive = np.zeros(self.n_inputs, np.float32)
        self._drive[-1] = 1.0

    def __call__(self, observation: Any) -> npt.NDArray[np.float32]:
        """Return the drive, float32 of shape (n_inputs,); the array is reused by the next call.

        Raises
        ------
        ShapeError
            Unless the observation is that of PlumeTrack.
        """
        if np.shape(observation) != (3,):
            raise ShapeError(f"plume-tracker: an observation of shape {np.shape(observation)}, must be (3,)")
        ahead, left, odor = map(float, observation)
        upwind = math.atan2(-left, -(ahead + self._speed))
        self._drive[:N_WIND] = np.exp(_KAPPA * (np.cos(upwind - self._angles) - 1.0))
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


def _steering(cast: float) -> Weights:
    """Return how strongly the wind cells drive the six groups of steering cells, [6, 16], at most 1.

    In proportion to the angle by which the body must turn to fly upwind, or ``cast`` [rad] beside it, up to 60 degrees.
    """
    wind = 2.0 * np.pi * np.arange(N_WIND) / N_WIND
    rows = []
    for goal in (0.0, cast, -cast):
        error = np.angle(np.exp(1j * (wind + goal)))
        profile = np.clip(error / (np.pi / 3.0), -1.0, 1.0)
        rows += [np.maximum(profile, 0.0), np.maximum(-profile, 0.0)]
    return np.array(rows)


def _groups(current: float, copies: int, post_pre: Sequence[Sequence[float]], tau: float = _TAU) -> Weights:
    """Return weights between groups of ``copies`` neurons: at its usual rate a group gives its targets a current."""
    one = np.full((copies, copies), current / (copies * _CELL_RATE * tau))
    return np.block([[one * part for part in row] for row in post_pre])


def _from(current: float, n: int, tau: float = _TAU) -> Weights:
    """Return weights of one input channel onto n neurons: at drive 1 it gives a current."""
    return np.full((n, 1), current / (_RATE * tau))


def _cells(name: str, n: int, model: NeuronModel, rng: np.random.Generator, tau: float = _TAU) -> Population:
    ports = {"input": Exponential(tau), "noise": Delta()}
    return Population(name, n, model, receptors=ports, background=_NOISE, initial={"v": rng.random(n)})


def tracker_network(
    copies: int = 4,
    *,
    cast: float = 89.0,
    surge: float = 200.0,
    tau_flip: float = 2000.0,
    fatigue: float = 0.042,
    smell: float = 8.0,
    seed: int = 0,
    dt: float = 1.0,
) -> Network:
    """Build the network of :func:`plume_tracker`; the arguments are explained there.

    Inputs, in the order of the drive: 16 wind cells, odor, tonic; regular spikes of 200 Hz at drive 1. Output:
    descending neurons, left ones first. All weights are currents [thresholds] that a source gives at its usual rate.

    Raises
    ------
    ConfigurationError
        If a number is out of range.
    """
    require_positive("plume-tracker", copies=copies, cast=cast, surge=surge, tau_flip=tau_flip, fatigue=fatigue, dt=dt)
    require_not_negative("plume-tracker", smell=smell)
    rng = np.random.default_rng([seed, 0x9105])
    cell, tense = LIF(_TAU_M, t_ref=_T_REF), LIF(_TAU_M, v_rest=_TENSION, t_ref=_T_REF)
    flip = ALIF(_TAU_M, tau_flip, fatigue, v_reset=0.0, t_ref=_T_REF)
    wind = np.repeat(_steering(math.radians(cast)), copies, axis=0) * _WIND_DRIVE / (_RATE * _TAU * _TUNING.sum())

    def link(pre: str, post: str, weights: Weights) -> Projection:
        return Projection.dense(pre, post, weights, delay=dt, name=f"{pre}-{post}")

    source = RegularInput(1000.0 * _RATE)
    return Network(
        inputs=(Input("wind", N_WIND, source), Input("odor", 1, source), Input("tonic", 1, source)),
        populations=(
            _cells("surge", copies, cell, rng, surge),
            _cells("search", copies, cell, rng),
            _cells("flip", 2 * copies, flip, rng),
            _cells("steer", len(GROUPS) * copies, tense, rng),
            _cells("descending", 2 * copies, cell, rng),
        ),
        projections=(
            link("odor", "surge", _from(smell, copies, surge)),
            link("tonic", "search", _from(_TONIC, copies)),
            link("tonic", "flip", _from(_TONIC, 2 * copies)),
            link("surge", "search", _groups(-_STOP, copies, [[1]])),
            link("flip", "flip", _groups(-_RIVAL, copies, [[0, 1], [1, 0]])),
            link("wind", "steer", wind),
            link("search", "steer", _groups(-_STOP, copies, [[1], [1], [0], [0], [0], [0]])),
            link("surge", "steer", _groups(-_STOP, copies, [[0], [0], [1], [1], [1], [1]])),
            link("flip", "steer", _groups(-_STOP, copies, [[0, 0], [0, 0], [0, 1], [0, 1], [1, 0], [1, 0]])),
            link("steer", "descending", _groups(_DOWN, copies, [[1, 0] * 3, [0, 1] * 3])),
        ),
        outputs=("descending",),
        dt=dt,
        name="plume-tracker",
    )


def plume_tracker(
    copies: int = 4,
    *,
    forward: float = 0.7,
    gain: float = 8.0,
    cast: float = 89.0,
    surge: float = 200.0,
    tau_flip: float = 2000.0,
    fatigue: float = 0.042,
    smell: float = 8.0,
    seed: int = 0,
) -> SpikingController:
    """Tracks an odor plume by two reflexes of moths, wired by hand: upwind with odor, to and fro without.

    Sixteen wind cells tell from where the wind comes. Three pairs of steering groups read them, each with its own
    goal: upwind, left across the wind, right across it; they drive the descending neurons that turn the body. Which
    pair may speak is decided by inhibition. Surge cells, whose slow synapse holds a whiff for a while, stop the casts
    and the search cells; search cells, tonic, stop the surge. Of the casts, the flip-flop lets one side through: two
    groups that inhibit each other and tire, as the neurons of the lateral accessory lobe that alternate in casting
    moths (Adden et al. 2022). Nothing is learned: the weights were chosen by hand, the arguments from ``forward`` to
    ``fatigue`` on tuning worlds.

    Parameters
    ----------
    copies : int
        Neurons per cell type.
    forward : float
        Speed command at all times, above 0 and at most 1.
    gain : float
        Turn per difference of the rates of both sides [1 / (spikes per ms)].
    cast : float
        Angle of a cast from upwind [degrees].
    surge : float
        Time constant of the slow synapse from odor [ms].
    tau_flip : float
        Time constant of fatigue of the flip-flop [ms].
    fatigue : float
        Rise of its threshold per spike.
    smell : float
        Current into the surge cells at lasting odor [thresholds]; 0 for a tracker that smells nothing.
    seed : int
        Seed of the initial potentials.
    """
    circuit = {"cast": cast, "surge": surge, "tau_flip": tau_flip, "fatigue": fatigue, "smell": smell}
    network = tracker_network(copies, seed=seed, **circuit)
    names = {"steer": tuple(f"{group} {i}" for group in GROUPS for i in range(copies))}
    names |= {group: tuple(f"{side} {i}" for side in "LR" for i in range(copies)) for group in ("flip", "descending")}
    encoder, decoder = WindEncoder(MAX_SPEED * forward), TurnDecoder(copies, gain, forward)
    return SpikingController(network, encoder, decoder, PredictionError(0.01), unit_names=names)
