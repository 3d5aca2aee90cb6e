"""From LIF networks to BrainScaleS-2: potentials in LSB of the ADC, 6-bit weights, rows of the synapse array.

Rest is placed so that a lower bound ``v_min`` falls on the supply rail (0 LSB), at most at the default leak potential;
threshold keeps its default distance where it can. Time constants are met as they are. An exponential synapse of weight
w gets ``x = scale w``: the same charge, as both have the same time constant. A delta synapse becomes a short
exponential one of time constant tau_s = ``synapse.delta_tau`` with ``x = scale w tau_m / tau_s``, which moves v by w in
all, and by less at its peak (the leak acts meanwhile).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from insectbot.chips.analog_wiring import Floats, Placement, Vector, Wiring, edges_of, values
from insectbot.chips.datasheet import Datasheet
from insectbot.chips.fill import Unfit, fill
from insectbot.chips.quant_report import PopulationReport, ProjectionReport, QuantReport
from insectbot.errors import DoesNotFit
from insectbot.protocols import Usage
from insectbot.snn.network import Network, Population, Projection
from insectbot.snn.plasticity import NodePerturbation

REACH = 3.5
"""Standard deviations of exploration noise that the largest weight of a noise row covers, by enough spikes."""


@dataclass(frozen=True, eq=False)
class QuantNetwork:
    """A network in the chip's numbers.

    Attributes
    ----------
    network : Network
        What was quantised.
    wiring : Wiring
        Its synapses.
    weight : ndarray of int64, shape (n_synapses,)
        6-bit weights with sign, in the order of ``wiring``.
    step : dict of str to float
        Population -> weight per LSB of its synapses [unit of the weight].
    scale, rest : dict of str to float
        Population -> LSB of the ADC per unit of v, LSB at rest (of its first neuron).
    limit : int
        Largest weight [LSB].
    rows : ndarray of int64, shape (2, n_neurons)
        Excitatory and inhibitory rows that every neuron needs.
    report : QuantReport
        What quantisation changed.
    """

    network: Network
    wiring: Wiring
    weight: Vector
    step: dict[str, float]
    scale: dict[str, float]
    rest: dict[str, float]
    limit: int
    rows: npt.NDArray[np.int64]
    report: QuantReport


def operating_point(p: Population, sheet: Datasheet) -> tuple[float, float]:
    """Return (LSB per unit of v, LSB at v_rest): the threshold a default distance above rest, v_min on the rail."""
    leak, span = sheet.int("neuron.leak"), sheet.int("neuron.threshold") - sheet.int("neuron.leak")
    rest = values(p, "v_rest")
    scale = span / float((values(p, "v_th") - rest).max())
    if getattr(p.model, "v_min", None) is None:
        return scale, float(leak)
    depth = float((rest - values(p, "v_min")).max())
    if depth * scale > leak:
        scale = leak / depth
    return scale, depth * scale


def quantise(network: Network, sheet: Datasheet, bits: int) -> QuantNetwork:
    """Return a network that passed the checks in the chip's numbers.

    Parameters
    ----------
    network : Network
        LIF populations.
    sheet : Datasheet
        Widths and operating point.
    bits : int
        Bits of a weight, 1..6.
    """
    wiring, limit = Wiring.of(network), (1 << bits) - 1
    weight = np.zeros(wiring.weight.size, np.int64)
    step, scale, rest = {}, {}, {}
    for p in network.populations:
        incoming = [q for q in network.projections if q.target == p.name]
        tops = [float(np.abs(q.weight).max(initial=0.0)) for q in incoming]
        tops += [max(abs(q.plasticity.w_min), abs(q.plasticity.w_max)) for q in incoming if q.plasticity]
        step[p.name] = (max(tops, default=0.0) or reach(p)) / limit or 1.0
        scale[p.name], rest[p.name] = operating_point(p, sheet)
        for q in incoming:
            at = wiring.index[q.name]
            weight[at] = np.clip(np.rint(wiring.weight[at] / step[p.name]), -limit, limit)
    report = QuantReport(
        tuple(_population(p, sheet, scale[p.name]) for p in network.populations),
        tuple(_projection(q, wiring, weight, step[q.target], bits, limit) for q in network.projections),
    )
    return QuantNetwork(network, wiring, weight, step, scale, rest, limit, _rows(network, wiring), report)


def _population(p: Population, sheet: Datasheet, scale: float) -> PopulationReport:
    tau_syn = float(values(p, "tau_syn").mean()) or float(sheet["synapse.delta_tau"].value)
    v_min = None if getattr(p.model, "v_min", None) is None else float(values(p, "v_min").mean())
    return PopulationReport(
        p.name, scale, 0.0, float(values(p, "tau_m").mean()), tau_syn, v_min, float(values(p, "t_ref").mean())
    )


def _projection(q: Projection, wiring: Wiring, weight: Vector, step: float, bits: int, limit: int) -> ProjectionReport:
    at = wiring.index[q.name]
    wanted = wiring.weight[at]
    return ProjectionReport.of(
        q.name,
        wanted,
        weight[at] * step,
        bits=bits,
        step=step,
        zeroed=int(((weight[at] == 0) & (wanted != 0)).sum()),
        saturated=int((np.abs(np.rint(wanted / step)) > limit).sum()),
        clipped_delays=int((wiring.ticks[at] > 1).sum()),
    )


def _rows(network: Network, wiring: Wiring) -> npt.NDArray[np.int64]:
    """Return the rows of each sign that neurons need; a synapse that may change its sign takes one of either."""
    excitatory, inhibitory = wiring.weight > 0, wiring.weight < 0
    for q in network.plastic():
        at, rule = wiring.index[q.name], q.plasticity
        excitatory[at] |= rule is not None and rule.w_max > 0
        inhibitory[at] |= rule is not None and rule.w_min < 0
    n = network.n_neurons
    noise = np.concatenate(
        [np.zeros(0, np.int64), *(np.full(p.n, int(bool(p.exploration))) for p in network.populations)]
    )
    return np.stack([np.bincount(wiring.target[kind], minlength=n) + noise for kind in (excitatory, inhibitory)])


def relays(network: Network) -> npt.NDArray[np.int64]:
    """Return which units need a relay circuit, 1 or 0: inputs whose spikes node perturbation counts."""
    found = np.zeros(network.n_inputs + network.n_neurons, np.int64)
    for q in network.plastic():
        if isinstance(q.plasticity, NodePerturbation):
            found[q.pre + network.unit_slices()[q.source].start] = 1
    found[network.n_inputs :] = 0
    return found


def reach(p: Population) -> float:
    """Return the largest push per tick that exploration noise of a population must be able to give [unit of v]."""
    noise = p.exploration
    return 0.0 if noise is None else REACH * noise.sigma / math.sqrt(1.0 - noise.decay**2)


def place(quant: QuantNetwork, sheet: Datasheet) -> Placement:
    """Put neurons on the circuits of the quadrants, in order.

    A row of a quadrant is excitatory or inhibitory for all its circuits, so a quadrant needs as many rows of each kind
    as its neediest neuron.

    Raises
    ------
    DoesNotFit
        If the rows or the circuits do not suffice; the message names where and by how much.
    """
    name, rows = sheet.name, quant.rows
    n_relays = int(relays(quant.network).sum())
    most, circuits = sheet.int("limits.core.rows"), sheet.int("limits.core.circuits")

    def excess(low: int, high: int) -> str:
        need = [int(rows[k, low:high].max(initial=0)) for k in (0, 1)]
        return f"rows {sum(need)} ({need[0]} excitatory + {need[1]} inhibitory) > {most}" if sum(need) > most else ""

    try:
        start = fill(quant.network.n_neurons, circuits, excess)
    except Unfit as error:
        raise DoesNotFit(f"{name}: neuron {error.item}: {error.cause}; use fewer inputs per neuron") from None
    quadrants = sheet.int("limits.chip.cores")
    if start.size - 1 > quadrants:
        raise DoesNotFit(f"{name}: chip: quadrants {start.size - 1} > {quadrants}; use fewer neurons or inputs")
    usage = []
    for c in range(start.size - 1):
        low, high = start[c], start[c + 1]
        need = int(rows[:, low:high].max(axis=1, initial=0).sum())
        usage += [Usage("circuits", float(high - low), circuits, f"quadrant {c}")]
        usage += [Usage("rows", float(need), most, f"quadrant {c}")]
    if n_relays:
        room = quadrants * circuits - quant.network.n_neurons
        if n_relays > room:
            raise DoesNotFit(f"{name}: chip: relay circuits {n_relays} > {room}; count fewer inputs")
        usage.append(Usage("relay circuits", float(n_relays), room, "chip"))
    usage.append(Usage("quadrants", start.size - 1, quadrants, "chip"))
    return Placement(start, edges_of(quant.wiring, start), np.arange(start.size - 1), tuple(usage))


def amplitudes(quant: QuantNetwork, sheet: Datasheet, tau_m: Floats) -> Floats:
    """Return the current [LSB] that one LSB of weight adds, by synapse and without mismatch, order of the wiring."""
    network, found = quant.network, np.zeros(quant.weight.size)
    short, first = float(sheet["synapse.delta_tau"].value), network.unit_slices()
    for q in network.projections:
        p = network.population(q.target)
        tau_syn = values(p, "tau_syn")
        low = first[p.name].start - network.n_inputs
        gain = np.where(tau_syn > 0, 1.0, tau_m[low : low + p.n] / short)
        at = quant.wiring.index[q.name]
        found[at] = quant.scale[p.name] * quant.step[p.name] * gain[quant.wiring.target[at] - low]
    return found
