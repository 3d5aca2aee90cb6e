"""The emulated BrainScaleS-1 wafer: backend ``brainscales1``."""

from __future__ import annotations

from typing import Any

from insectbot.chips.analog_chip import AnalogChip
from insectbot.chips.analog_wiring import Placement
from insectbot.chips.brainscales1_executable import BrainScaleS1Executable
from insectbot.chips.brainscales1_place import WaferNetwork, place_wafer, quantise_wafer
from insectbot.errors import ConfigurationError
from insectbot.snn.network import Network
from insectbot.snn.validate import require_not_negative


class BrainScaleS1(AnalogChip[WaferNetwork, Placement]):
    """Backend ``brainscales1``: a wafer of analog neurons ten thousand times faster than real time; frozen.

    Parameters
    ----------
    weight_bits : int
        Bits of a weight, 1..4.
    clip_delays : bool
        Run longer delays as one tick, counted in the report; False refuses them.
    mismatch : float
        Factor of the datasheet's mismatch, >= 0; 0 makes all circuits alike.
    noise : float
        Factor of the membranes' trial noise, >= 0.
    circuits : int, optional
        Least number of circuits that are joined into a neuron, a power of two from 4 to 64, the datasheet's default: a
        neuron takes more where it has more inputs. More circuits hold more synapses per source, so that fewer are lost.
    allow_loss : float
        Part of the synapses that may be lost, 0 to 1; more is refused.
    substeps : int
        Least number of integration steps per tick; a step is at most 0.1 us on the chip in any case.
    **common
        As in :class:`~insectbot.chips.chip.Chip`; ``die`` chooses the die (the wafer), by default the seed does.

    Raises
    ------
    ConfigurationError, UnknownNameError
        If an option is not accepted.
    """

    default = "brainscales1"
    alike = False
    fidelity = (
        "Steps the published AdEx reference (hxtorch) in float64 at 0.1 us of chip time or finer, with conductance "
        "synapses; networks use its leak part alone. 4-bit weights, 512 circuits of 224 synapses per HICANN, "
        "joined by 4 to 64 into a neuron, 368 HICANNs. Synapses are lost as on the wafer: 59 sources per bus, 16 "
        "per half row, 4 half rows per driver, chains of at most 5 of the 224 drivers; the rule is the published "
        "one, applied to the network's own synapses (option allow_loss; lost synapses are counted). Mismatch of "
        "time constants, thresholds and synapses is drawn once per die, with assumed spreads of a calibrated chip; "
        "trial noise is apart. Modelled: a current synapse as a conductance that gives the same current two thirds "
        "of the way from rest to threshold; delta synapses as short exponential ones of the same charge; v_min as "
        "the rail, which is the inhibitory reversal; one synaptic gain per population; a spike reaches its targets "
        "one tick later, and a neuron spikes at most once per tick. Left out: routes of buses over the wafer and "
        "their limits, delays, conductance receptors of the network, adaptation and exponential term in networks, "
        "analog input, re-programming noise, the STDP controller: no learning. Power is that of the HICANNs in "
        "use."
    )

    def __init__(
        self,
        *,
        weight_bits: int = 4,
        clip_delays: bool = True,
        mismatch: float = 1.0,
        noise: float = 1.0,
        circuits: int | None = None,
        allow_loss: float = 0.0,
        substeps: int = 4,
        **common: Any,
    ) -> None:
        super().__init__(clip_delays=clip_delays, mismatch=mismatch, substeps=substeps, **common)
        self.weight_bits = self.bits_of(weight_bits)
        require_not_negative(self.name, noise=noise, allow_loss=allow_loss)
        if allow_loss > 1:
            raise ConfigurationError(f"{self.name}: allow_loss = {allow_loss} must be 0 to 1")
        least, most = self.sheet.int("neuron.circuits"), self.sheet.int("limits.neuron.circuits")
        sizes = [2**n for n in range(most.bit_length()) if 2**n >= least]
        if circuits is not None and circuits not in sizes:
            raise ConfigurationError(f"{self.name}: circuits = {circuits} must be one of {', '.join(map(str, sizes))}")
        self.circuits = circuits or least
        self.noise, self.allow_loss = noise, allow_loss

    def limits(self, network: Network) -> list[str]:
        """Return every limit that a network exceeds before placement."""
        found = []
        most = self.sheet.int("limits.core.circuits") // self.circuits * self.sheet.int("limits.chip.cores")
        if network.n_neurons > most:
            found.append(
                f"{self.name}: wafer: neurons {network.n_neurons} > {most} (of {self.circuits} circuits); use fewer"
            )
        return found + self.time_constants(network)

    def quantised(self, network: Network) -> WaferNetwork:
        """Return the network in the chip's numbers, with its report and what the synapse arrays lose."""
        return quantise_wafer(network, self.sheet, self.weight_bits, self.circuits)

    def place(self, quant: WaferNetwork) -> Placement:
        """Return the placement on HICANNs; raises DoesNotFit naming the resource, the place and by how much."""
        return place_wafer(quant, self.sheet, self.allow_loss)

    def program(self, network: Network, *, seed: int) -> BrainScaleS1Executable:
        """Return an executable on one die."""
        return BrainScaleS1Executable(self, network, seed=seed)
