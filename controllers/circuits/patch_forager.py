"""The patch forager: a steering pair and a pace pair learn when to turn and when to halt, between food and nest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from insectbot.controllers.patches_coding import PatchEncoder, PatchForager, SteeringDecoder
from insectbot.controllers.rewards import PredictionError
from insectbot.snn import (
    LIF,
    Input,
    Network,
    NodePerturbation,
    OrnsteinUhlenbeck,
    Population,
    Projection,
    RegularInput,
)

# Projection order is by sensor, then motor; mirror symmetry maps left to right in both.
_MIRROR = (0, 1, 1, 0)
# Both sides of a sensor share the weight onto a pace neuron.
_SIDES = (0, 1, 0, 1)
_SENSES = ("antennae", "odor", "home")


_STEERING_TONIC, _STOP_TONIC = 0.0625, 0.02


@dataclass(frozen=True)
class _Plastic:
    """Makes the plastic projections, drawing their weights in turn."""

    rng: np.random.Generator
    w_init: float
    limit: float
    antenna_limit: float
    steering_rate: float
    pace_rate: float

    def __call__(self, sensor: str, pair: str, size: int, tie: tuple[int, ...] | None) -> Projection:
        """Return all synapses from a sensor onto a pair, equal where they are tied."""
        bound = self.antenna_limit if sensor == "antennae" else self.limit
        weight = np.clip(self.w_init * (1.0 + 0.2 * self.rng.standard_normal((2, size))), -bound, bound)
        if tie is _MIRROR:
            weight[1] = weight[0, ::-1]
        elif tie is _SIDES:
            weight[:, 1] = weight[:, 0]
        rate = self.steering_rate if pair == "steering" else self.pace_rate
        rule = NodePerturbation(learning_rate=rate, w_min=-bound, w_max=bound, tie=tie)
        return Projection.dense(sensor, pair, weight, plasticity=rule, name=f"{sensor}-{pair}")


def _network(plastic: _Plastic, go_tonic: float, sigma: float, rate: float) -> Network:
    neuron, noise = LIF(tau_m=20.0, v_th=1.0, v_min=-1.0), OrnsteinUhlenbeck(sigma=sigma, decay=0.85, period=50.0)
    source = RegularInput(rate)
    return Network(
        inputs=(
            *(Input(name, 2, source) for name in _SENSES),
            *(Input(name, 1, source) for name in ("taste", "tonic")),
        ),
        populations=(Population("steering", 2, neuron, noise), Population("pace", 2, neuron, noise)),
        projections=(
            *(plastic(sensor, "steering", 2, _MIRROR) for sensor in _SENSES),
            *(plastic(sensor, "pace", 2, _SIDES) for sensor in ("odor", "home")),
            plastic("taste", "pace", 1, None),
            Projection.dense("tonic", "steering", [[_STEERING_TONIC], [_STEERING_TONIC]]),
            Projection.dense("tonic", "pace", [[go_tonic], [_STOP_TONIC]]),
        ),
        outputs=("steering", "pace"),
        name="patch-forager",
    )


def patch_forager(
    *,
    seed: int = 0,
    learning_rate: float = 0.001,
    pace_rate: float = 0.0005,
    w_init: float = 0.025,
    limit: float = 0.3,
    antenna_limit: float = 0.01,
    go_tonic: float = 0.075,
    sigma: float = 0.02,
    rate: float = 800.0,
    gain: float = 0.25,
    contrast: float = 6.5,
    smoothing: float = 0.6,
    full: float = 0.85,
    reward_rate: float = 0.01,
) -> PatchForager:
    """Learns to bring food home by three-factor plasticity: exploration noise x presynaptic spikes x reward error.

    Two antagonist pairs of LIF neurons command the body: steering (left, right) and pace (go, stop). Antennae, odor and
    home cue reach the first, odor, home cue and taste the second, by plastic synapses (:class:`NodePerturbation`; the
    difference of a pair is what its noise explores, what is decoded and what is credited). Steering weights are tied by
    mirror symmetry, pace weights by side. Neurons that halt a feeding fly: Sapkal et al. 2024.

    Parameters
    ----------
    seed : int
        Seed of the initial weights.
    learning_rate, pace_rate : float
        Learning rates of the synapses onto the steering and the pace pair.
    w_init : float
        Mean of the initial weights; their standard deviation is a fifth of it.
    limit, antenna_limit : float
        Bound of the absolute weights, that of the antennae's.
    go_tonic : float
        Fixed weight of the tonic input onto the go neuron, which sets the cruising speed.
    sigma : float
        Exploration noise [threshold per ms].
    rate, gain : float
        Sensor rate at drive 1 [Hz]; wheel command per motor spike in 100 ms.
    contrast, smoothing, full : float
        See :class:`~insectbot.controllers.patches_coding.PatchEncoder`.
    reward_rate : float
        Rate of the running mean of the reward.
    """
    plastic = _Plastic(np.random.default_rng([seed, 0x9A7C]), w_init, limit, antenna_limit, learning_rate, pace_rate)
    return PatchForager(
        _network(plastic, go_tonic, sigma, rate),
        PatchEncoder(contrast, smoothing, full),
        SteeringDecoder(gain),
        PredictionError(reward_rate),
        unit_names={**dict.fromkeys((*_SENSES, "steering"), ("left", "right")), "pace": ("go", "stop")},
    )
