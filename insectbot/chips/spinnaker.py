"""The emulated SpiNNaker (first generation): backends ``spinnaker``, ``spinnaker-4`` and ``spinnaker-48``."""

from __future__ import annotations

from typing import Any

from insectbot.chips.chip import Chip
from insectbot.chips.inputs import input_features
from insectbot.chips.spinnaker_executable import SpiNNakerExecutable
from insectbot.chips.spinnaker_explore import memory
from insectbot.chips.spinnaker_learning import refusals, registers, tables
from insectbot.chips.spinnaker_place import Layout, Learned, Placement, place
from insectbot.chips.spinnaker_program import Rules
from insectbot.chips.spinnaker_quantise import QuantNetwork, quantise
from insectbot.errors import ConfigurationError
from insectbot.snn.network import Network, Population
from insectbot.snn.neurons import LIF
from insectbot.snn.plasticity import NodePerturbation, PairSTDP, RewardSTDP
from insectbot.snn.validate import require_positive

LAYOUTS = ("tools", "dense")
ROUNDINGS = ("stochastic", "nearest")


class SpiNNaker(Chip[QuantNetwork, Placement]):
    """Backends ``spinnaker``, ``spinnaker-4`` and ``spinnaker-48``: neurons and plasticity as programs on ARM cores.

    Parameters
    ----------
    multiply : {"nearest", "truncate"}, optional
        Rounding of products in the membrane equation; default the datasheet's, "nearest". Old builds truncate.
    layout : {"tools", "dense"}
        Memory of a core: that of today's tools (256 neurons, 100 where they learn), or that of the published limit of
        1000 neurons per core with plastic synapses (Jin et al. 2008). The arithmetic is that of today's tools in both.
    tau_d : float, optional
        Time constant of dopamine [ms]; default the datasheet's, 200. The shorter, the more a reward is the pulse of
        :class:`~insectbot.snn.plasticity.RewardSTDP`.
    reward_max : float
        Modulator that dopamine must hold; larger ones are cut, and counted.
    signed_eligibility : bool
        Whether an eligibility has a sign, as the rule says; False cuts it at 0, as unsigned 16-bit words do.
    backprop_delay : bool
        Whether postsynaptic spikes reach a synapse after its delay (the default of sPyNNaker), or at once, as the
        rules of the kit say.
    rounding : {"stochastic", "nearest"}, optional
        Of weights in node perturbation; default the datasheet's, "stochastic".
    **common
        As in :class:`~insectbot.chips.chip.Chip`; the price list is ``"toolchain"``.

    Raises
    ------
    ConfigurationError, UnknownNameError
        If an option is not accepted.
    """

    default = "spinnaker"
    pacemakers = True
    fidelity = (
        "Bit-exact with the published arithmetic of sPyNNaker: s16.15 membrane in closed form with products rounded "
        "to nearest (or truncated), u0.32 decays that truncate, 16-bit ring buffers that saturate, weights scaled by "
        "the expected drive, deferred STDP with 16 events of history, 11-bit traces and decay tables, and the "
        "dopamine rule, given the tables and decay constants. Not stock sPyNNaker: exploration noise and "
        "NodePerturbation are a noise and a plasticity type of this project in the same arithmetic. When a period "
        "begins, a core multiplies its 16-bit eligibilities by an s16.15 factor (nearest) and draws s16.15 noise from "
        "a counter-based generator, which is a current of the neurons; a presynaptic spike adds to the eligibility "
        "the noise of its target less that of the others (16 bits); a dopamine packet multiplies eligibilities into "
        "16-bit weights, tied ones by the mean of their group, rounded stochastically (or to nearest) and cut at the "
        "bounds. Eligibilities and noise signals saturate, counted; noise wraps, counted; the cycles and bytes of all "
        "this are assumed. Delta synapses are those of IF_curr_delta; a lower bound of v is one comparison that the "
        "stock neuron lacks; signed plastic weights are a plastic excitatory and a static inhibitory synapse. "
        "Modelled: slices of populations on cores, DTCM, SDRAM, router entries, multicast on hexagons, cycles per "
        "tick and energy from a datasheet (daggers mark assumptions); the spikes of a tick arrive at once, so those "
        "beyond the queue of 256 are lost. Left out: clock drift between cores, dropped and reinjected packets, the "
        "cores of input sources, conductance and other neuron models, structural plasticity."
    )

    def __init__(
        self,
        *,
        multiply: str | None = None,
        layout: str = "tools",
        tau_d: float | None = None,
        reward_max: float = 1.0,
        signed_eligibility: bool = True,
        backprop_delay: bool = False,
        rounding: str | None = None,
        **common: Any,
    ) -> None:
        super().__init__(**common)
        self.multiply = multiply or str(self.sheet["neuron.multiply"].value)
        self.rounding = rounding or str(self.sheet["learning.rounding"].value)
        for name, value, known in (
            ("multiply", self.multiply, ("nearest", "truncate")),
            ("layout", layout, LAYOUTS),
            ("rounding", self.rounding, ROUNDINGS),
        ):
            if value not in known:
                raise ConfigurationError(f"{self.name}: {name} = {value!r} must be one of {', '.join(known)}")
        self.layout = Layout.of(self.sheet, layout == "dense")
        self.tau_d = float(self.sheet["learning.tau_d"].value) if tau_d is None else tau_d
        require_positive(self.name, tau_d=self.tau_d, reward_max=reward_max)
        self.reward_max, self.signed, self.backprop = reward_max, signed_eligibility, backprop_delay

    def features(self, network: Network) -> list[str]:
        """Return every feature of a network that does not exist on the chip."""
        found = input_features(network, self.name)
        for p in network.populations:
            found += _unknown(p, f"{self.name}: population {p.name!r}")
        return found

    def limits(self, network: Network) -> list[str]:
        """Return every limit that a network exceeds before placement."""
        found = []
        reach = self.layout.slots
        longest = reach * (1 + self.sheet.int("delay.stages_max"))
        late = {p.name: int(p.model.default_receptors() == p.ports and _decays(p)) for p in network.populations}
        for q in network.projections:
            ticks = q.max_ticks(network.dt) + late[q.target]
            if ticks > longest:
                found.append(f"{self.name}: projection {q.name!r}: delay {ticks} ticks > {longest}; shorten it")
            if q.plasticity is not None and ticks > reach and not refusals(network):
                found.append(
                    f"{self.name}: projection {q.name!r}: plastic, delay {ticks} ticks > {reach} of the ring buffer; "
                    "shorten it or make it static"
                )
        return found

    def quantised(self, network: Network, *, learning: bool = False) -> QuantNetwork:
        """Return the network in the chip's numbers; ``learning`` leaves room for weights to learn."""
        return quantise(network, self.sheet, learning=learning)

    def rules(self, quant: QuantNetwork) -> Rules:
        """Return the learning rules of a network that was quantised to learn."""
        network, found, seen, perturbed = quant.network, [], set(), set()
        populations = {p.name: p for p in quant.populations}
        plastic = {q.name for q in quant.projections if q.plastic}
        for p in network.plastic():
            rule = p.plasticity
            if p.name in plastic and p.target not in seen and isinstance(rule, PairSTDP | RewardSTDP):
                seen.add(p.target)
                values, dopamine = registers(
                    rule, populations[p.target], self.sheet, tau_d=self.tau_d, reward_max=self.reward_max,
                    signed=self.signed, backprop=self.backprop,
                )  # fmt: skip
                parts = tables(rule, network.dt, self.tau_d, self.sheet)
                found.append((p.target, values, parts, getattr(rule, "modulator", -1), dopamine))
            elif p.name in plastic and isinstance(rule, NodePerturbation):
                perturbed.add(p.target)
        return Rules.of(found, self.sheet.int("limits.memory.lut_bytes"), frozenset(perturbed))

    def place(self, quant: QuantNetwork) -> Placement:
        """Return the placement on cores; raises DoesNotFit naming the resource, the place and by how much."""
        plastic = {q.name for q in quant.projections if q.plastic}
        own = memory(quant.network, plastic, self.sheet)
        return place(quant, self.sheet, self.layout, Learned(self.rules(quant).bytes, own))

    def program(self, network: Network, *, seed: int) -> SpiNNakerExecutable:
        """Return an executable; its weights are frozen until ``learning`` is set."""
        return SpiNNakerExecutable(self, network, seed=seed)


def _decays(population: Population) -> bool:
    tau = getattr(population.model, "tau_syn", 0.0)
    return bool(max(tau) if isinstance(tau, tuple) else tau)


def _unknown(population: Population, where: str) -> list[str]:
    """Return what the chip lacks for a population, one sentence each."""
    model = population.model
    if not isinstance(model, LIF):
        return [f"{where}: neuron model {type(model).__name__} is not LIF"]
    found = []
    if population.ports != model.default_receptors():
        found.append(f"{where}: receptors {population.ports} are not the one that LIF.tau_syn describes")
    if model.precise:
        found.append(f"{where}: precise spike times do not exist on the chip; use LIF(precise=False)")
    if set(dict(population.initial)) - {"v"}:
        found.append(f"{where}: starts with a synaptic current; only v can be set")
    return found
