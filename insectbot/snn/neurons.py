"""Index of the neuron models, and the exploration noise that any of them can carry."""

from __future__ import annotations

from dataclasses import dataclass

from insectbot.errors import ConfigurationError
from insectbot.snn.lif import LIF
from insectbot.snn.model import LinearNeuron, NeuronModel
from insectbot.snn.validate import require_not_negative, require_positive

__all__ = ["LIF", "LinearNeuron", "NeuronModel", "OrnsteinUhlenbeck"]


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
