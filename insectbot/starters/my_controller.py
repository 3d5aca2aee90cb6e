"""my_controller: a small spiking brain. A starter of ``insectbot new controller``: change it into your own."""

from __future__ import annotations

import numpy as np

from insectbot.controllers.decoders import FilteredRateDecoder
from insectbot.controllers.encoders import ChannelEncoder
from insectbot.controllers.rewards import PredictionError
from insectbot.controllers.spiking import SpikingController
from insectbot.snn import LIF, Input, Network, NodePerturbation, OrnsteinUhlenbeck, PoissonInput, Population, Projection


def my_controller(*, seed: int = 0, learning_rate: float = 0.002, rate: float = 400.0) -> SpikingController:
    """Learns by reward: four senses and a tonic drive on two motor neurons, one per wheel.

    Parameters
    ----------
    seed : int
        Seed of the initial weights.
    learning_rate : float
        Of the three-factor rule: exploration noise x presynaptic spikes x reward error.
    rate : float
        Spikes per second of a sense at its greatest value.
    """
    rng = np.random.default_rng(seed)
    weight = 0.05 + 0.01 * rng.standard_normal((2, 4))  # [motor, sense]
    weight[1] = weight[0, [1, 0, 3, 2]]  # left and right begin as mirror images and stay so: ties, sense by sense
    rule = NodePerturbation(learning_rate=learning_rate, decay=0.5, w_min=-0.3, w_max=0.3, tie=(0, 1, 1, 0, 2, 3, 3, 2))
    network = Network(
        inputs=(Input("senses", 4, PoissonInput(rate)), Input("tonic", 1, PoissonInput(rate))),
        populations=(
            Population(
                "motors",
                2,
                LIF(tau_m=20.0, v_th=1.0, v_min=-1.0),
                OrnsteinUhlenbeck(sigma=0.1, decay=0.85, period=50.0),
            ),
        ),
        projections=(
            Projection.dense("senses", "motors", weight, plasticity=rule),
            Projection.dense("tonic", "motors", [[0.22], [0.22]]),
        ),
        outputs=("motors",),
        name="my-controller",
    )
    return SpikingController(
        network,
        ChannelEncoder(4, constants=(1.0,)),  # observation[:4] and a constant 1 drive the inputs
        FilteredRateDecoder(2, gain=0.2, tau=100.0),  # motor spikes -> two wheel commands
        PredictionError(0.01),  # reward -> third factor
        unit_names={"motors": ("left", "right")},
    )
