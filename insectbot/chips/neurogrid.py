"""The emulated Neurogrid: backend ``neurogrid``."""

from __future__ import annotations

from typing import Any

from insectbot.chips.analog_chip import AnalogChip
from insectbot.chips.analog_wiring import Placement
from insectbot.chips.neurogrid_arbor import MOST_ENTRIES, neighbours
from insectbot.chips.neurogrid_executable import NeurogridExecutable
from insectbot.chips.neurogrid_quantise import QuantNetwork, place, quantise, soma_of
from insectbot.errors import ConfigurationError
from insectbot.snn.lif import LIF
from insectbot.snn.network import Network, Population
from insectbot.snn.quadratic import QIF
from insectbot.snn.synapses import Delta
from insectbot.snn.validate import require_not_negative


class Neurogrid(AnalogChip[QuantNetwork, Placement]):
    """Backend ``neurogrid``: a million quadratic neurons with shared dendrites in real time, one die of many; frozen.

    Parameters
    ----------
    weight_bits : int, optional
        Bits of the probability that stands for a weight, 1 or more; default the datasheet's.
    clip_delays : bool
        Run longer delays as one tick, counted in the report; False refuses them.
    mismatch : float
        Factor of the datasheet's mismatch, >= 0; 0 makes all circuits alike.
    spread : float
        Decay length of the shared dendrite [distances between neurons], 0 to the datasheet's largest; 0, the default,
        switches it off, as a network lists its synapses one by one. Neurons of a Neurocore lie in rows of a hexagonal
        grid that is as square as can be.
    substeps : int
        Least number of integration steps per tick; a step is at most 0.1 ms in any case.
    **common
        As in :class:`~insectbot.chips.chip.Chip`; ``die`` chooses the die, by default the seed does.

    Raises
    ------
    ConfigurationError, UnknownNameError
        If an option is not accepted.
    """

    default = "neurogrid"
    fidelity = (
        "Steps the published dimensionless equations (Gao, Benjamin & Boahen 2012, from memory) in float64 at 0.1 ms "
        "or finer: quadratic soma, adaptation, dendrite, four saturating synapse populations per Neurocore, and the "
        "shared dendrite as exp(-r / length) on a hexagonal grid (option spread; off by default). Log-normal mismatch "
        "of currents is drawn once per die, with an assumed spread. There is no weight per synapse: a connection is "
        "an entry of a list in memory, with a synapse population (two excitatory, two inhibitory strengths per "
        "network population, fitted for least noise) and a probability of delivery, drawn spike by spike from a "
        "stream of its own. Modelled: LIF neurons by their rheobase and their rate at twice it (a quadratic neuron "
        "has another curve, and no v_min); QIF neurons as they are; an input spikes at a random "
        "step within its tick; a spike arrives one tick later, and a neuron spikes at most once per tick; pulses "
        "that overlap at a synapse merge, and are counted; messages climb to the common ancestor and take each link "
        "down once. Left out: delays, analog input, the flood to leaves without targets, the size of the memory, "
        "thermal noise, calibration, learning (there is none on the chip). Energy is the board's power over time."
    )

    def __init__(
        self,
        *,
        weight_bits: int | None = None,
        clip_delays: bool = True,
        mismatch: float = 1.0,
        spread: float = 0.0,
        substeps: int = 1,
        **common: Any,
    ) -> None:
        super().__init__(clip_delays=clip_delays, mismatch=mismatch, substeps=substeps, **common)
        longest = float(self.sheet["dendrite.length_max"].value)
        require_not_negative(self.name, spread=spread)
        if spread > longest:
            raise ConfigurationError(f"{self.name}: spread = {spread} must be 0 to {longest:g}")
        self.weight_bits, self.spread = self.bits_of(weight_bits), spread

    def limits(self, network: Network) -> list[str]:
        """Return every limit that a network exceeds before placement."""
        found, most = [], self.sheet.int("limits.core.neurons") * self.sheet.int("limits.chip.cores")
        if network.n_neurons > most:
            found.append(f"{self.name}: board: neurons {network.n_neurons} > {most}; use fewer")
        low, high = (float(self.sheet[f"neuron.tau_{end}"].value) for end in ("min", "max"))
        entries = network.n_neurons * neighbours(self.spread)
        if entries > MOST_ENTRIES:
            found.append(
                f"{self.name}: shared dendrite: entries {entries:.3g} > {MOST_ENTRIES:.3g}, the emulator's most; use a "
                "shorter spread or fewer neurons"
            )
        for p in network.populations:
            if self.neuron_features(p):
                continue
            soma = soma_of(p, self.sheet)
            for name in ("tau_s", "tau_d", "tau_c"):
                tau = getattr(soma, name)
                if not low <= tau <= high:
                    found.append(
                        f"{self.name}: population {p.name!r}: {name} {tau:.3g} ms on the chip is outside {low:g} to "
                        f"{high:g}; change its time constants"
                    )
        return found

    def quantised(self, network: Network) -> QuantNetwork:
        """Return the network in the chip's numbers, with its report."""
        return quantise(network, self.sheet, self.weight_bits)

    def place(self, quant: QuantNetwork) -> Placement:
        """Return the placement on Neurocores; raises DoesNotFit naming the resource, the place and by how much."""
        return place(quant, self.sheet)

    def program(self, network: Network, *, seed: int) -> NeurogridExecutable:
        """Return an executable on one die."""
        return NeurogridExecutable(self, network, seed=seed)

    def neuron_features(self, population: Population) -> list[str]:
        """Return what the chip lacks for a population of LIF or QIF neurons, one sentence each."""
        p = population
        model, where = p.model, f"{self.name}: population {p.name!r}"
        if not isinstance(model, QIF):
            found = super().neuron_features(p)
            found = [text.replace("is not LIF", "is not LIF or QIF") for text in found]
            if isinstance(model, LIF) and not found and model.v_reset != model.v_rest:
                found.append(
                    f"{where}: LIF.v_reset = {model.v_reset} is not v_rest = {model.v_rest}; the chip has no other"
                )
            return found
        found = [f"{where}: QIF.{name} differs between neurons; give one number" for name in model.lengths()]
        if found:
            return found
        if model.v_c <= model.v_rest:
            found.append(f"{where}: QIF.v_c = {model.v_c} must lie above v_rest = {model.v_rest}")
        if model.v_reset != model.v_rest:
            found.append(
                f"{where}: QIF.v_reset = {model.v_reset} is not v_rest = {model.v_rest}; the chip has no other"
            )
        if any(not isinstance(receptor, Delta) for _, receptor in p.ports):
            found.append(f"{where}: receptors {p.ports} are not delta synapses")
        if p.initial:
            found.append(f"{where}: starts elsewhere than at v_rest")
        return found
