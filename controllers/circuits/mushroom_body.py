"""The mushroom body as a spiking network: projection neurons, 2,000 Kenyon cells, one APL neuron, output neurons.

Each Kenyon cell (KC) listens to a few projection neurons drawn at random (Caron et al. 2013); the APL neuron collects
the spikes of all and inhibits all, so that about one KC in twenty is active (Lin et al. 2014). Their synapses onto the
mushroom body output neurons (MBONs) are depressed by dopamine where KC and MBON were active (Hige et al. 2015): reward
depresses those onto the MBON that stands for avoidance, punishment those onto the one for approach (Aso & Rubin 2016).
"""

from __future__ import annotations

from typing import Final

from insectbot.controllers.mb_coding import OdorEncoder, OdorForager
from insectbot.snn import (
    LIF,
    AllToAll,
    FixedInDegree,
    Input,
    Network,
    Population,
    Projection,
    RegularInput,
    RewardSTDP,
)

APPROACH, AVOID = "approach", "avoid"
"""Names of the two output neurons, in the order of the readout."""

PN_RATE: Final = 400.0
"""Rate of a projection neuron at drive 1 [Hz]."""
W_FLOOR: Final = 0.1
"""Least KC-MBON weight, as a share of the naive one: no memory silences an MBON for good."""


def mushroom_body(
    n_inputs: int,
    *,
    seed: int = 0,
    n_kc: int = 2000,
    claws: int = 7,
    w_pn: float = 0.075,
    w_apl: float = 0.03,
    w_inhibit: float = 0.4,
    w_mbon: float = 0.2,
    learning_rate: float = 0.001,
    tau_e: float = 500.0,
    outputs: tuple[str, ...] = (APPROACH, AVOID),
    name: str = "mb-kc2000",
) -> Network:
    """Return the circuit; the k-th output neuron's synapses listen to modulator k.

    Parameters
    ----------
    n_inputs : int
        Projection neurons.
    seed : int
        Seed of the random wiring.
    n_kc, claws : int
        Kenyon cells, and projection neurons that each listens to.
    w_pn, w_apl, w_inhibit, w_mbon : float
        Weights PN-KC, KC-APL, APL-KC (its size) and naive KC-MBON [thresholds].
    learning_rate : float
        Depression per unit of dopamine and eligibility, >= 0.
    tau_e : float
        Memory of the eligibility [ms].
    outputs : tuple of str
        Names of the output neurons.
    name : str
        Label of the network.
    """
    neuron = LIF(tau_m=20.0, v_th=1.0, v_min=-1.0)
    pn = Input("PN", n_inputs, RegularInput(PN_RATE))
    kc, apl = Population("KC", n_kc, neuron), Population("APL", 1, LIF(tau_m=10.0))
    mbons = tuple(Population(label, 1, LIF(tau_m=10.0, tau_syn=10.0)) for label in outputs)
    return Network(
        inputs=(pn,),
        populations=(kc, apl, *mbons),
        projections=(
            Projection.connect(pn, kc, FixedInDegree(claws), weight=w_pn, seed=seed, name="PN-KC"),
            Projection.connect(kc, apl, AllToAll(), weight=w_apl, name="KC-APL"),
            Projection.connect(apl, kc, AllToAll(), weight=-w_inhibit, name="APL-KC"),
            *(_learned(kc, mbon, w_mbon, learning_rate, tau_e, number) for number, mbon in enumerate(mbons)),
        ),
        outputs=outputs,
        name=name,
    )


def _learned(kc: Population, mbon: Population, weight: float, rate: float, tau_e: float, modulator: int) -> Projection:
    """Return the plastic synapses onto an output neuron: dopamine times what KC and MBON did together depresses."""
    rule = RewardSTDP(
        learning_rate=-rate,
        a_minus=0.0,
        tau_e=tau_e,
        w_min=W_FLOOR * weight,
        w_max=weight,
        modulator=modulator,
    )
    return Projection.connect(kc, mbon, AllToAll(), weight=weight, plasticity=rule, name=f"KC-{mbon.name}")


def mb_kc2000(
    *,
    seed: int = 0,
    learning_rate: float = 0.001,
    innate: float = 0.4,
    gain: float = 2.0,
    floor: float = -0.2,
    recovery: float = 0.5,
) -> OdorForager:
    """Learns which odors mean sugar in few contacts, and follows them (preset ``odors`` of Foraging).

    Parameters
    ----------
    seed : int
        Seed of the random wiring from projection neurons to Kenyon cells.
    learning_rate : float
        As in :func:`mushroom_body`; 0 for a mushroom body that never learns.
    innate, gain, floor, recovery : float
        As in :class:`~insectbot.controllers.mb_coding.OdorForager`.
    """
    network = mushroom_body(OdorEncoder.n_inputs, seed=seed, learning_rate=learning_rate)
    return OdorForager(network, innate=innate, gain=gain, floor=floor, recovery=recovery)
