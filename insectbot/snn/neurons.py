"""Index of the neuron models, and the exploration noise that any of them can carry."""

from __future__ import annotations

from dataclasses import dataclass

from insectbot.errors import ConfigurationError
from insectbot.snn.adaptive import ALIF, MAT
from insectbot.snn.compartments import Dendrite, TwoCompartment
from insectbot.snn.flexon import FlexonNeuron
from insectbot.snn.graded import LeakyReadout, ThresholdLinear
from insectbot.snn.hodgkin_huxley import HodgkinHuxley
from insectbot.snn.integrators import IF, LI, CubaLIF, McCullochPitts
from insectbot.snn.izhikevich import Izhikevich, Izhikevich2007
from insectbot.snn.lif import LIF
from insectbot.snn.model import LinearNeuron, NeuronModel
from insectbot.snn.oscillators import FitzHughNagumo, HindmarshRose
from insectbot.snn.pcnn import PCNN, SCM
from insectbot.snn.quadratic import EIF, QIF, AdEx
from insectbot.snn.schemes import OdeNeuron
from insectbot.snn.srm import SRM0
from insectbot.snn.validate import require_not_negative, require_positive

__all__ = [
    "ALIF",
    "EIF",
    "IF",
    "LI",
    "LIF",
    "MAT",
    "PCNN",
    "QIF",
    "SCM",
    "SRM0",
    "AdEx",
    "CubaLIF",
    "Dendrite",
    "FitzHughNagumo",
    "FlexonNeuron",
    "HindmarshRose",
    "HodgkinHuxley",
    "Izhikevich",
    "Izhikevich2007",
    "LeakyReadout",
    "LinearNeuron",
    "McCullochPitts",
    "NeuronModel",
    "OdeNeuron",
    "OrnsteinUhlenbeck",
    "ThresholdLinear",
    "TwoCompartment",
]


@dataclass(frozen=True)
class OrnsteinUhlenbeck:
    """Exploration noise: a current that wanders, one value per neuron, held for ``period``.

    Every ``period`` ms: ``x = decay * x + sigma * N(0, 1)``; every tick ``x`` is added to ``v``.
    It acts only while the executable learns; a frozen network does not explore.

    Parameters
    ----------
    sigma : float
        Standard deviation of one innovation [unit of v per tick], >= 0.
    decay : float
        Memory per period, in [0, 1).
    period : float
        Time between updates [ms], a whole number of steps.
    """

    sigma: float = 0.05
    decay: float = 0.85
    period: float = 50.0

    def __post_init__(self) -> None:
        require_not_negative("OrnsteinUhlenbeck", sigma=self.sigma)
        require_positive("OrnsteinUhlenbeck", period=self.period)
        if not 0 <= self.decay < 1:
            raise ConfigurationError(f"OrnsteinUhlenbeck.decay = {self.decay}: must lie in [0, 1)")
