"""A spiking plume tracker: it surges upwind on odor and casts across the wind without, side by side of a flip-flop."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from insectbot.controllers.circuits.plume_parts import (
    DOWN,
    GROUPS,
    INPUT_RATE,
    MAX_SPEED,
    N_WIND,
    RIVAL,
    STEERING_CELL,
    STOP,
    T_REF,
    TAU,
    TAU_M,
    TONIC,
    TUNING,
    WIND_ANGLES,
    TurnDecoder,
    Weights,
    WindEncoder,
    cells,
    group_weights,
    input_weights,
)
from insectbot.controllers.rewards import PredictionError
from insectbot.controllers.spiking import SpikingController
from insectbot.snn import ALIF, LIF, Input, Network, Projection, RegularInput
from insectbot.snn.validate import require_not_negative, require_positive

_WIND_DRIVE: Final = 6.0  # current of all wind cells into a steering cell [thresholds]


def _steering(cast: float) -> Weights:
    """Return how strongly the wind cells drive the six groups of steering cells, [6, 16], at most 1.

    In proportion to the angle by which the body must turn to fly upwind, or ``cast`` [rad] beside it, up to 60 degrees.
    """
    rows = []
    for goal in (0.0, cast, -cast):
        error = np.angle(np.exp(1j * (WIND_ANGLES + goal)))
        profile = np.clip(error / (np.pi / 3.0), -1.0, 1.0)
        rows += [np.maximum(profile, 0.0), np.maximum(-profile, 0.0)]
    return np.array(rows)


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
    cell = LIF(TAU_M, t_ref=T_REF)
    flip = ALIF(TAU_M, tau_flip, fatigue, v_reset=0.0, t_ref=T_REF)
    wind = np.repeat(_steering(math.radians(cast)), copies, axis=0) * _WIND_DRIVE / (INPUT_RATE * TAU * TUNING.sum())

    def link(pre: str, post: str, weights: Weights) -> Projection:
        return Projection.dense(pre, post, weights, delay=dt, name=f"{pre}-{post}")

    source = RegularInput(1000.0 * INPUT_RATE)
    return Network(
        inputs=(Input("wind", N_WIND, source), Input("odor", 1, source), Input("tonic", 1, source)),
        populations=(
            cells("surge", copies, cell, rng, surge),
            cells("search", copies, cell, rng),
            cells("flip", 2 * copies, flip, rng),
            cells("steer", len(GROUPS) * copies, STEERING_CELL, rng),
            cells("descending", 2 * copies, cell, rng),
        ),
        projections=(
            link("odor", "surge", input_weights(smell, copies, surge)),
            link("tonic", "search", input_weights(TONIC, copies)),
            link("tonic", "flip", input_weights(TONIC, 2 * copies)),
            link("surge", "search", group_weights(-STOP, copies, [[1]])),
            link("flip", "flip", group_weights(-RIVAL, copies, [[0, 1], [1, 0]])),
            link("wind", "steer", wind),
            link("search", "steer", group_weights(-STOP, copies, [[1], [1], [0], [0], [0], [0]])),
            link("surge", "steer", group_weights(-STOP, copies, [[0], [0], [1], [1], [1], [1]])),
            link("flip", "steer", group_weights(-STOP, copies, [[0, 0], [0, 0], [0, 1], [0, 1], [1, 0], [1, 0]])),
            link("steer", "descending", group_weights(DOWN, copies, [[1, 0] * 3, [0, 1] * 3])),
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
