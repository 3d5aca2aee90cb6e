"""The emulated IBM TrueNorth: backend ``truenorth``."""

from __future__ import annotations

from typing import Any

from insectbot.chips.chip import Chip
from insectbot.chips.inputs import input_features
from insectbot.chips.truenorth_executable import TrueNorthExecutable
from insectbot.chips.truenorth_place import Placement, place
from insectbot.chips.truenorth_quantise import QuantNetwork, neuron_features, quantise
from insectbot.chips.truenorth_values import MAX_BITS, require_bits
from insectbot.errors import DoesNotFit
from insectbot.snn.network import Network


class TrueNorth(Chip[QuantNetwork, Placement]):
    """Backend ``truenorth``: quantises, places and runs a frozen network.

    A neuron has four values, and the type of an axon chooses among them. Where a population has at most four distinct
    weights, each is a value and a source takes one axon. Else weights are two's complement numbers, and a source is
    delivered on one axon per binary digit (more for 5 bits and up: three positive values share them).

    Parameters
    ----------
    weight_bits : int, optional
        Bits of a weight where a population has more than four of them, 2..8; default as many as the axons of one core
        have room for, and four where a network needs several cores.
    clip_delays : bool
        Shorten delays beyond 15 ticks, counted in the report, rather than refuse them.
    **common
        As in :class:`~insectbot.chips.chip.Chip`.

    Raises
    ------
    ConfigurationError, UnknownNameError
        If an option is not accepted.
    """

    default = "truenorth"
    fidelity = (
        "Exact by the published neuron equation (Cassidy et al. 2013): 9-bit values by axon type, 20-bit saturating V, "
        "leak with reversal, inclusive threshold, three reset modes and two negative ones, 16-tick schedulers in which "
        "spikes to one axon merge, delays to 15 ticks. Random synapses, leaks and jitter exist in the register-level "
        "replay only, by counter-based numbers and not by the chip's own LFSR. A neuron has one target axon: fan-out "
        "takes clones, which are counted and simulated once. Modelled: LIF's exponential leak as a linear one that "
        "loses as much at half the threshold; refractory time as a reset below rest that the leak makes good (inputs "
        "of that time are not lost); the reset level as +-(2^k - 1); energy by the affine fit to measured power, ticks "
        "of 1 ms. IF is exact but for the widths. Left out: exponential synapses, analog input, learning, splitter "
        "neurons, neurons with more than 256 axons, delivery that takes longer than a tick."
    )

    def __init__(self, *, weight_bits: int | None = None, clip_delays: bool = False, **common: Any) -> None:
        super().__init__(**common)
        require_bits(self.name, weight_bits)
        self.weight_bits, self.clip_delays = weight_bits, clip_delays

    def features(self, network: Network) -> list[str]:
        """Return every feature of a network that does not exist on the chip."""
        found = input_features(network, self.name, currents=False)
        for p in network.populations:
            found += neuron_features(self.name, p, network.dt)
        return found

    def limits(self, network: Network) -> list[str]:
        """Return every limit that a network exceeds before placement."""
        longest, found = self.sheet.int("delay.max"), []
        most = self.sheet.int("limits.core.neurons") * self.sheet.int("limits.chip.cores")
        if network.n_neurons > most:
            found.append(f"{self.name}: chip: neurons {network.n_neurons} > {most}; use fewer")
        for q in network.projections:
            ticks = q.max_ticks(network.dt)
            if ticks > longest and not self.clip_delays:
                found.append(
                    f"{self.name}: projection {q.name!r}: delay {ticks} ticks > {longest}; "
                    "shorten it or set clip_delays"
                )
        return found

    def quantised(self, network: Network) -> QuantNetwork:
        """Return the network in integers, with its report."""
        if self.weight_bits is not None:
            return quantise(network, self.sheet, self.weight_bits)
        few = self.sheet.int("weight.default_bits")
        quant = quantise(network, self.sheet, few)
        core = self.sheet.int("limits.core.neurons")
        if network.n_neurons > core or not any(p.table.bits for p in quant.populations):
            return quant
        for bits in range(MAX_BITS, few, -1):
            trial = quantise(network, self.sheet, bits)
            try:
                if self.place(trial).n_cores == 1:
                    return trial
            except DoesNotFit:
                continue
        return quant

    def place(self, quant: QuantNetwork) -> Placement:
        """Return the placement on cores; raises DoesNotFit naming the resource, the core and by how much."""
        return place(quant, self.sheet)

    def program(self, network: Network, *, seed: int) -> TrueNorthExecutable:
        """Return an executable; it refuses to learn."""
        return TrueNorthExecutable(self, network, seed=seed)
