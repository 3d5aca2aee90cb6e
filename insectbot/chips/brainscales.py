"""The emulated BrainScaleS-2: backend ``brainscales2``."""

from __future__ import annotations

import math
from typing import Any

from insectbot.chips.analog_wiring import Placement, lif_features, long_delays, values
from insectbot.chips.brainscales_executable import BrainScaleS2Executable
from insectbot.chips.brainscales_quantise import QuantNetwork, place, quantise
from insectbot.chips.chip import Chip
from insectbot.chips.die import Die
from insectbot.chips.inputs import input_features
from insectbot.errors import ConfigurationError
from insectbot.snn.network import Network
from insectbot.snn.validate import require_not_negative, require_positive


class BrainScaleS2(Chip[QuantNetwork, Placement]):
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
        super().__init__(**common)
        widest = self.sheet.int("weight.bits")
        if weight_bits not in range(1, widest + 1):
            raise ConfigurationError(f"{self.name}: weight_bits = {weight_bits} must be one of 1 to {widest}")
        if substeps != int(substeps) or substeps < 1:
            raise ConfigurationError(f"{self.name}: substeps = {substeps} must be a whole number, at least 1")
        require_not_negative(self.name, mismatch=mismatch, noise=noise)
        self.period = float(self.sheet["ppu.period"].value if period is None else period)
        require_positive(self.name, period=self.period)
        self.weight_bits, self.clip_delays, self.substeps = weight_bits, clip_delays, int(substeps)
        self.mismatch, self.noise = mismatch, noise

    def die_of(self, seed: int) -> Die:
        """Return the die that ``compile`` with a seed programs."""
        return Die(self.sheet, seed if self.die is None else self.die, self.mismatch)

    def substeps_of(self, dt: float) -> int:
        """Return the integration steps per tick of ``dt`` [ms]."""
        on_chip = dt * 1e-3 / float(self.sheet["chip.speedup"].value)
        return max(self.substeps, math.ceil(on_chip / self.sheet["neuron.step_max"].si - 1e-9))

    def features(self, network: Network) -> list[str]:
        """Return every feature of a network that does not exist on the chip."""
        found = input_features(network, self.name, currents=False)
        for p in network.populations:
            found += lif_features(self.name, p, alike=False)
        return found + ([] if self.clip_delays else long_delays(self.name, network))

    def limits(self, network: Network) -> list[str]:
        """Return every limit that a network exceeds before placement."""
        found, scale = [], float(self.sheet["chip.speedup"].value) / 1000.0
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
        for p in network.populations:
            if lif_features(self.name, p, alike=False):
                continue
            for name in ("tau_m", "tau_syn"):
                tau = values(p, name) / scale
                low, high = (float(self.sheet[f"neuron.{name}_{end}"].value) for end in ("min", "max"))
                wrong = tau[(tau > 0) & ((tau < low) | (tau > high))]
                if wrong.size:
                    found.append(
                        f"{self.name}: population {p.name!r}: {name} {wrong[0]:g} us on the chip is outside {low:g} to "
                        f"{high:g}; change it"
                    )
        return found

    def quantised(self, network: Network) -> QuantNetwork:
        """Return the network in the chip's numbers, with its report."""
        return quantise(network, self.sheet, self.weight_bits)

    def place(self, quant: QuantNetwork) -> Placement:
        """Return the placement on quadrants; raises DoesNotFit naming the resource, the place and by how much."""
        return place(quant, self.sheet)

    def program(self, network: Network, *, seed: int) -> BrainScaleS2Executable:
        """Return an executable on one die."""
        return BrainScaleS2Executable(self, network, seed=seed)
