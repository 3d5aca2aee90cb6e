"""The emulated BrainScaleS-2: backend ``brainscales2``."""

from __future__ import annotations

from typing import Any

from insectbot.chips.analog_chip import AnalogChip
from insectbot.chips.analog_wiring import Placement
from insectbot.chips.brainscales_executable import BrainScaleS2Executable
from insectbot.chips.brainscales_quantise import QuantNetwork, place, quantise
from insectbot.snn.network import Network
from insectbot.snn.validate import require_not_negative, require_positive


class BrainScaleS2(AnalogChip[QuantNetwork, Placement]):
    """Backend ``brainscales2``: analog neurons a thousand times faster than real time, one die of many.

    Parameters
    ----------
    weight_bits : int
        Bits of a weight, 1..6.
    clip_delays : bool
        Run longer delays as one tick, counted in the report; False refuses them.
    mismatch : float
        Factor of the datasheet's mismatch, >= 0; 0 makes all circuits alike.
    noise : float
        Factor of trial noise (membranes and ADC), >= 0.
    substeps : int
        Least number of integration steps per tick; a step is at most 1 us on the chip in any case.
    period : float, optional
        Time between runs of the plasticity program [ms of the network]; default the datasheet's.
    **common
        As in :class:`~insectbot.chips.chip.Chip`; ``die`` chooses the die, by default the seed does.

    Raises
    ------
    ConfigurationError, UnknownNameError
        If an option is not accepted.
    """

    default = "brainscales2"
    alike = False
    fidelity = (
        "Steps the published AdEx reference (hxtorch) in float64 at 1 us of chip time or finer; every term can be "
        "switched off, and networks use its LIF part. 6-bit weights, a signed synapse on two rows, 256 rows and "
        "128 circuits per quadrant, 8-bit ADC. Mismatch of time constants, thresholds, synapses and sensors is "
        "drawn once per die, with assumed spreads of a calibrated chip; trial noise is apart. Modelled: delta "
        "synapses as short exponential ones of the same charge; a spike reaches its targets one tick later, and a "
        "neuron spikes at most once per tick; v_min as the supply rail; nearest-neighbour correlation sensors, "
        "read by a periodic program that keeps eligibilities as 16-bit integers and rounds weights "
        "stochastically; all-to-all pairing therefore is nearest-neighbour here. Exploration noise is drawn by the "
        "plasticity processor (the sum of four uniform bytes) and written as 6-bit weights into an excitatory and an "
        "inhibitory row that a background generator drives steadily; node perturbation multiplies it with 8-bit spike "
        "counters, for which every input that it counts takes a relay circuit. Left out: delays, conductance "
        "synapses, joined circuits, assignment of event labels, analog input, calibration itself, the time and memory "
        "of the program beyond eligibilities and noise. Energy is static power over chip time plus an assumed cost "
        "per synaptic event."
    )

    def __init__(
        self,
        *,
        weight_bits: int = 6,
        clip_delays: bool = True,
        mismatch: float = 1.0,
        noise: float = 1.0,
        substeps: int = 4,
        period: float | None = None,
        **common: Any,
    ) -> None:
        super().__init__(clip_delays=clip_delays, mismatch=mismatch, substeps=substeps, **common)
        self.weight_bits, self.noise = self.bits_of(weight_bits), noise
        require_not_negative(self.name, noise=noise)
        self.period = float(self.sheet["ppu.period"].value if period is None else period)
        require_positive(self.name, period=self.period)

    def limits(self, network: Network) -> list[str]:
        """Return every limit that a network exceeds before placement."""
        found = []
        most = self.sheet.int("limits.core.circuits") * self.sheet.int("limits.chip.cores")
        if network.n_neurons > most:
            found.append(f"{self.name}: chip: neurons {network.n_neurons} > {most}; use fewer")
        explorers = sum(p.n for p in network.populations if p.exploration)
        memory = 2 * (sum(q.n_synapses for q in network.plastic()) + explorers)
        room = self.sheet.int("limits.ppu.memory")
        if memory > room:
            found.append(
                f"{self.name}: plasticity processors: memory {memory} byte > {room}; make fewer synapses plastic"
            )
        return found + self.time_constants(network)

    def quantised(self, network: Network) -> QuantNetwork:
        """Return the network in the chip's numbers, with its report."""
        return quantise(network, self.sheet, self.weight_bits)

    def place(self, quant: QuantNetwork) -> Placement:
        """Return the placement on quadrants; raises DoesNotFit naming the resource, the place and by how much."""
        return place(quant, self.sheet)

    def program(self, network: Network, *, seed: int) -> BrainScaleS2Executable:
        """Return an executable on one die."""
        return BrainScaleS2Executable(self, network, seed=seed)
