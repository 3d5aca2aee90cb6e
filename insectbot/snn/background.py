"""Background activity: independent Poisson spikes into every neuron of a population, drawn inside the core."""

from __future__ import annotations

from dataclasses import dataclass

from insectbot.snn.model import Model, parameter


@dataclass(frozen=True)
class PoissonBackground(Model):
    """The spikes of many unmodelled neurons: a Poisson number of them arrives at each neuron in each step.

    Several spikes can arrive in one step, so the rate may exceed ``1 / dt``. Each neuron has its own stream.

    Parameters
    ----------
    rate : float
        Spikes per second into one neuron [Hz], > 0; one number.
    weight : float
        Weight of each of them, as of a synapse onto the receptor.
    receptor : str or None
        Name of the receptor; None for the first.
    """

    rate: float = parameter(8000.0, "Hz", above=0)
    weight: float = parameter(0.1, "")
    receptor: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require(not self.lengths(), "rate", "be one number, as must the weight")
