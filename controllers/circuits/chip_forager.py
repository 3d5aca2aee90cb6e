"""The forager for chips whose neurons differ: every motor is a pool of neurons, so that mismatch averages out."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from insectbot.controllers.circuits.rstdp_forager import random_weights
from insectbot.controllers.decoders import Decoder
from insectbot.controllers.encoders import ChannelEncoder
from insectbot.controllers.rewards import PredictionError
from insectbot.controllers.spiking import SpikingController
from insectbot.protocols import Readout
from insectbot.snn import LIF, Input, Network, NodePerturbation, OrnsteinUhlenbeck, PoissonInput, Population, Projection
from insectbot.snn.validate import require_positive


class PoolDecoder(Decoder):
    """Pools of neurons to one action each: the pool's mean spike count in an exponential window, times a gain.

    The window is that of :class:`~insectbot.controllers.decoders.FilteredRateDecoder`.

    Parameters
    ----------
    pools, copies : int
        Number of pools, one after the other among the outputs, and of neurons in each.
    gain : float
        Action per spike of the mean neuron in the window.
    tau : float
        Time constant of the window [ms], > 0.
    """

    def __init__(self, pools: int, copies: int, gain: float = 0.2, tau: float = 100.0) -> None:
        super().__init__(pools * copies, gain, size=pools)
        require_positive("PoolDecoder", tau=tau)
        self._shape, self._tau = (pools, copies), tau
        self._filtered = self.remember("filtered", pools)
        self._keep, self._take = 0.0, 1.0

    def set_window(self, duration: float) -> None:
        """Set the length of a window [ms]."""
        super().set_window(duration)
        self._keep = math.exp(-duration / self._tau)
        self._take = self._tau / duration * (1.0 - self._keep)

    def values(self, readout: Readout) -> npt.NDArray[np.float64]:
        """Return the filtered mean count of each pool."""
        self._filtered *= self._keep
        self._filtered += self._take * readout.counts.reshape(self._shape).mean(axis=1)
        return self._filtered


def chip_forager(
    *,
    seed: int = 0,
    copies: int = 4,
    learning_rate: float = 0.008,
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
    """The forager :func:`rstdp_forager` with a pool of neurons for each motor, alike in weights, apart in silicon.

    On an analog die two neurons of equal weights pull unequally, and the animal turns when it should go straight;
    the mean of a pool of ``copies`` deviates less by the square root of their number. All neurons of a side, and the
    other side with sensors exchanged, share their eight learned weights.

    Parameters
    ----------
    seed : int
        Seed of the initial weights.
    copies : int
        Neurons per motor, >= 1.
    learning_rate, eligibility_decay, sigma : float
        Of the rule (:class:`NodePerturbation`), and of the exploration noise of each neuron [threshold per ms].
    tonic, w_init, w_spread, antenna_limit, target_limit, rate, gain, reward_rate : float
        As in :func:`rstdp_forager`.

    Raises
    ------
    ConfigurationError
        If a value is out of range.
    """
    require_positive("chip-forager", copies=copies)
    weight = np.repeat(random_weights(seed, w_init, w_spread), copies, axis=0)
    # Projection order is by sensor, then motor; the right side has the groups of the left one exchanged.
    side = np.repeat([0, 1], copies)
    tie = tuple(np.concatenate([side, 1 - side]).tolist())
    rules = [
        NodePerturbation(learning_rate=learning_rate, decay=eligibility_decay, w_min=-limit, w_max=limit, tie=tie)
        for limit in (antenna_limit, target_limit)
    ]
    network = _network(weight, rules, OrnsteinUhlenbeck(sigma=sigma, decay=0.85, period=50.0), tonic, rate)
    names = tuple(f"{s} {k}" for s in ("left", "right") for k in range(copies))
    return SpikingController(
        network,
        ChannelEncoder(4, constants=(1.0,)),
        PoolDecoder(2, copies, gain=gain),
        PredictionError(reward_rate),
        unit_names={"antennae": ("left", "right"), "target": ("left", "right"), "motors": names},
    )


def _network(
    weight: npt.NDArray, rules: list[NodePerturbation], noise: OrnsteinUhlenbeck, tonic: float, rate: float
) -> Network:
    """Build the circuit; ``weight`` is [motor neuron, (antenna left, antenna right, target left, target right)]."""
    n, source = weight.shape[0], PoissonInput(rate)
    return Network(
        inputs=(Input("antennae", 2, source), Input("target", 2, source), Input("tonic", 1, source)),
        populations=(Population("motors", n, LIF(tau_m=20.0, v_th=1.0, v_min=-1.0), noise),),
        projections=(
            Projection.dense("antennae", "motors", weight[:, :2], plasticity=rules[0]),
            Projection.dense("target", "motors", weight[:, 2:], plasticity=rules[1]),
            Projection.dense("tonic", "motors", np.full((n, 1), tonic)),
        ),
        outputs=("motors",),
        name="chip-forager",
    )
