"""The emulated DYNAP-SE1 and DYNAP-SE2: backends ``dynapse1`` and ``dynapse2``."""

from __future__ import annotations

from typing import Any

from insectbot.chips.analog_chip import AnalogChip
from insectbot.chips.analog_wiring import Placement
from insectbot.chips.dynapse_executable import DynapseExecutable
from insectbot.chips.dynapse_quantise import QuantNetwork, place, quantise
from insectbot.errors import ConfigurationError
from insectbot.snn.network import Network


class Dynapse(AnalogChip[QuantNetwork, Placement]):
    """Backends ``dynapse1`` and ``dynapse2``: sub-threshold analog neurons in real time, one die of many; frozen.

    Parameters
    ----------
    weight_bits : int, optional
        Base currents in use, 1..4 (default all); not on a chip whose weights are repeated CAM words.
    clip_delays : bool
        Run longer delays as one tick, counted in the report; False refuses them.
    mismatch : float
        Factor of the datasheet's mismatch, >= 0; 0 makes all circuits alike.
    substeps : int
        Least number of integration steps per tick; a step is at most 0.2 ms in any case.
    **common
        As in :class:`~insectbot.chips.chip.Chip`; ``die`` chooses the die, by default the seed does.

    Raises
    ------
    ConfigurationError, UnknownNameError
        If an option is not accepted.
    """

    default = "dynapse2"
    fidelity = (
        "Steps the published equations in float64 at 0.2 ms or finer: DPI synapses, adaptation, and a membrane "
        "with positive feedback, by Rockpool's DynapSim (SE2) or with a logistic feedback by a public Brian2 "
        "model (SE1). Biases per core come from a coarse and fine generator (its currents are from memory); log- "
        "normal mismatch per neuron and bias is drawn once per die. 256 neurons per core, 64 CAM words per "
        "neuron, tags, 4 destinations; weights are sums of four currents per core (SE2) or repeated words (SE1). "
        "Modelled: LIF neurons by their rate at two constant drives; delta synapses as exponential ones of the "
        "same charge; a spike reaches its targets one tick later, and a neuron spikes at most once per tick. "
        "Inhibition subtracts from the input current, and the membrane cannot fall below rest: v_min and v_reset "
        "have no other meaning. Left out: delays, NMDA and shunting gates, short-term plasticity, trial noise, "
        "analog input, learning (there is none on the chip). Energy per event is from memory; a broadcast is "
        "charged per destination core."
    )

    def __init__(
        self,
        *,
        weight_bits: int | None = None,
        clip_delays: bool = True,
        mismatch: float = 1.0,
        substeps: int = 5,
        **common: Any,
    ) -> None:
        super().__init__(clip_delays=clip_delays, mismatch=mismatch, substeps=substeps, **common)
        self.multiplicity = self.sheet["weight.kind"].value == "multiplicity"
        most = self.sheet.int("weight.bits")
        if weight_bits is not None and (self.multiplicity or weight_bits not in range(1, most + 1)):
            raise ConfigurationError(
                f"{self.name}: weight_bits = {weight_bits} "
                + ("does not exist; weights are repeated CAM words" if self.multiplicity else f"must be 1 to {most}")
            )
        self.bits = weight_bits or most
        if not self.multiplicity:
            self.weight_bits = self.bits

    def limits(self, network: Network) -> list[str]:
        """Return every limit that a network exceeds before placement."""
        most = self.sheet.int("limits.core.neurons") * self.sheet.int("limits.chip.cores")
        most *= self.sheet.int("limits.board.columns") * self.sheet.int("limits.board.rows")
        if network.n_neurons > most:
            return [f"{self.name}: board: neurons {network.n_neurons} > {most}; use fewer"]
        return []

    def quantised(self, network: Network) -> QuantNetwork:
        """Return the network in the chip's numbers, with its report."""
        return quantise(network, self.sheet, self.bits, network.dt * 1e-3 / self.substeps_of(network.dt))

    def place(self, quant: QuantNetwork) -> Placement:
        """Return the placement on cores; raises DoesNotFit with the vendor's text, the place and by how much."""
        return place(quant, self.sheet)

    def program(self, network: Network, *, seed: int) -> DynapseExecutable:
        """Return an executable on one die."""
        return DynapseExecutable(self, network, seed=seed)
