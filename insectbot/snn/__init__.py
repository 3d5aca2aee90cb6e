"""What a spiking network is: pure data, validated and hashable. No kernel, no I/O."""

from insectbot.snn.inputs import CurrentInput, PoissonInput, RegularInput
from insectbot.snn.network import Input, Network, Population, Projection
from insectbot.snn.neurons import LIF, OrnsteinUhlenbeck
from insectbot.snn.plasticity import NodePerturbation, PairSTDP, RewardSTDP
from insectbot.snn.synapses import Alpha, Delta, Exponential, TsodyksMarkram

__all__ = [
    "LIF",
    "Alpha",
    "CurrentInput",
    "Delta",
    "Exponential",
    "Input",
    "Network",
    "NodePerturbation",
    "OrnsteinUhlenbeck",
    "PairSTDP",
    "PoissonInput",
    "Population",
    "Projection",
    "RegularInput",
    "RewardSTDP",
    "TsodyksMarkram",
]
