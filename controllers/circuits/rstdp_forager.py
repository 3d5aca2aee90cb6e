"""The forager: five sensors, two motor neurons, ten synapses, eight of them plastic (recipe ``RSTDP-diff``)."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from insectbot.controllers.decoders import FilteredRateDecoder
from insectbot.controllers.encoders import ChannelEncoder
from insectbot.controllers.rewards import PredictionError
from insectbot.controllers.spiking import SpikingController
from insectbot.errors import ConfigurationError
from insectbot.snn import LIF, Input, Network, NodePerturbation, OrnsteinUhlenbeck, PoissonInput, Population, Projection

# Projection order is by sensor, then motor; mirror symmetry maps left to right in both.
_MIRROR = (0, 1, 1, 0)


def _network(
    weight: npt.NDArray,
    tonic: float,
    rate: float,
    rules: tuple[NodePerturbation, NodePerturbation] | tuple[None, None],
    sigma: float,
) -> Network:
    """Build the circuit; ``weight`` is [motor, (antenna left, antenna right, target left, target right)]."""
    noise = None if rules[0] is None else OrnsteinUhlenbeck(sigma=sigma, decay=0.85, period=50.0)
    source = PoissonInput(rate)
    return Network(
        inputs=(Input("antennae", 2, source), Input("target", 2, source), Input("tonic", 1, source)),
        populations=(Population("motors", 2, LIF(tau_m=20.0, v_th=1.0, v_min=-1.0), noise),),
        projections=(
            Projection.dense("antennae", "motors", weight[:, :2], plasticity=rules[0]),
            Projection.dense("target", "motors", weight[:, 2:], plasticity=rules[1]),
            Projection.dense("tonic", "motors", [[tonic], [tonic]]),
        ),
        outputs=("motors",),
        name="rstdp-forager" if noise else "snn-fixed",
    )


def _controller(network: Network, gain: float, reward_rate: float) -> SpikingController:
    return SpikingController(
        network,
        ChannelEncoder(4, constants=(1.0,)),
        FilteredRateDecoder(2, gain=gain, tau=100.0),
        PredictionError(reward_rate),
        unit_names={"antennae": ("left", "right"), "target": ("left", "right"), "motors": ("left", "right")},
    )


def random_weights(
    seed: int, mean: float = 0.05, spread: float = 0.01, *, mirror: bool = True
) -> npt.NDArray[np.float64]:
    """Return normal sensor weights, shape (motor, (antenna left, antenna right, target left, target right)).

    Parameters
    ----------
    seed : int
        Seed of the draws.
    mean, spread : float
        Mean and standard deviation.
    mirror : bool
        Whether the right motor has the weights of the left one, with the sides of the sensors exchanged.
    """
    weight = mean + spread * np.random.default_rng([seed, 0x1B07]).standard_normal((2, 4))
    if mirror:
        weight[1] = weight[0, [1, 0, 3, 2]]
    return weight


def frozen_forager(
    weight: npt.NDArray, *, tonic: float = 0.22, rate: float = 400.0, gain: float = 0.2
) -> SpikingController:
    """Return the circuit with given sensor weights (shape as :func:`random_weights`), without plasticity and noise.

    Parameters
    ----------
    weight : ndarray, shape (2, 4)
        Sensor weights by motor.
    tonic, rate, gain : float
        As in :func:`rstdp_forager`.
    """
    return _controller(_network(weight, tonic, rate, (None, None), 0.0), gain, 0.01)


def rstdp_forager(
    *,
    seed: int = 0,
    learning_rate: float = 0.002,
    symmetry: Literal["mirror", "free"] = "mirror",
    tonic: float = 0.22,
    w_init: float = 0.05,
    w_spread: float = 0.01,
    antenna_limit: float = 0.36,
    target_limit: float = 0.26,
    sigma: float = 0.1,
    eligibility_decay: float = 0.5,
    rate: float = 400.0,
    gain: float = 0.2,
    reward_rate: float = 0.01,
) -> SpikingController:
    """Learns to forage by three-factor plasticity: exploration noise x presynaptic spikes x reward error.

    Four Poisson sensors (two antennae, two target lobes) and a tonic input drive two LIF motor neurons, one per
    wheel; a motor rate of 50 Hz is full speed. The eight sensor synapses learn (:class:`NodePerturbation`).

    Parameters
    ----------
    seed : int
        Seed of the initial weights.
    learning_rate, eligibility_decay, sigma : float
        Of the rule, and of the exploration noise [threshold per ms].
    symmetry : {"mirror", "free"}
        Mirror: the two motors share weights, as the sides of a body do. Free: all eight synapses learn alone.
    tonic : float
        Weight of the tonic input, which sets the cruising speed.
    w_init, w_spread, antenna_limit, target_limit : float
        Mean and standard deviation of the initial sensor weights; bounds of their absolute values.
    rate, gain : float
        Sensor rate at drive 1 [Hz]; wheel command per motor spike in 100 ms.
    reward_rate : float
        Rate of the running mean of the reward.

    Raises
    ------
    ConfigurationError
        If a value is out of range.
    """
    if symmetry not in ("mirror", "free"):
        raise ConfigurationError(f"rstdp-forager: symmetry = {symmetry!r}, must be 'mirror' or 'free'")
    weight = random_weights(seed, w_init, w_spread, mirror=symmetry == "mirror")
    antenna_rule, target_rule = (
        NodePerturbation(
            learning_rate=learning_rate,
            decay=eligibility_decay,
            w_min=-limit,
            w_max=limit,
            tie=_MIRROR if symmetry == "mirror" else None,
        )
        for limit in (antenna_limit, target_limit)
    )
    return _controller(_network(weight, tonic, rate, (antenna_rule, target_rule), sigma), gain, reward_rate)


def snn_fixed(
    *, target: float = 0.2, roughness: float = 0.3, tonic: float = 0.2, rate: float = 400.0, gain: float = 0.2
) -> SpikingController:
    """The same circuit with hand-set weights: crossed excitation by the target, uncrossed by rough ground.

    Parameters
    ----------
    target, roughness : float
        Size of the target and roughness weights (Braitenberg's sign pattern).
    tonic, rate, gain : float
        As in :func:`rstdp_forager`.
    """
    weight = np.array([[roughness, -roughness, -target, target], [-roughness, roughness, target, -target]])
    return frozen_forager(weight, tonic=tonic, rate=rate, gain=gain)
