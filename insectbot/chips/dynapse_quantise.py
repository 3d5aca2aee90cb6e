"""From LIF networks to DYNAP-SE: biases per population, weights as masks or multiplicities, neurons on cores, tags."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from insectbot.chips.analog_wiring import Floats, Placement, Vector, Wiring, edges_of
from insectbot.chips.datasheet import Datasheet
from insectbot.chips.dynapse_biases import Biases, biases_of, figure, generated
from insectbot.chips.dynapse_weights import BITS, fit_base, masks, multiplicities
from insectbot.chips.fill import Unfit, fill
from insectbot.chips.quant_report import PopulationReport, ProjectionReport, QuantReport
from insectbot.errors import DoesNotFit
from insectbot.protocols import Usage
from insectbot.snn.network import Network, Population, Projection
from insectbot.snn.neurons import LIF

EXCITATORY, INHIBITORY = 0, 1


@dataclass(frozen=True, eq=False)
class QuantNetwork:
    """A network in the chip's numbers.

    Attributes
    ----------
    network : Network
        What was quantised.
    wiring : Wiring
        Its synapses.
    biases : dict of str to Biases
        Population -> biases of its cores.
    base : dict of str to ndarray, shape (2, 4)
        Population -> currents of excitatory and inhibitory synapses [A]; with multiplicities the first alone counts.
    kind, code, words : ndarray of int64, shape (n_synapses,)
        0 excitatory, 1 inhibitory; mask or multiplicity; CAM words.
    per_weight : ndarray of float64, shape (n_synapses,)
        Current per unit of weight [A].
    report : QuantReport
        What quantisation changed.
    """

    network: Network
    wiring: Wiring
    biases: dict[str, Biases]
    base: dict[str, Floats]
    kind: Vector
    code: Vector
    words: Vector
    per_weight: Floats
    report: QuantReport

    def currents(self, population: str, multiplicity: bool) -> Floats:
        """Return the current of every code, shape (2, n_codes) [A], without mismatch."""
        base = self.base[population]
        return base[:, :1] * np.arange(65) if multiplicity else base @ BITS.T


def charge_per_current(biases: Biases, sheet: Datasheet) -> float:
    """Return the step of a synaptic current per weight current: (1 - exp(-t_pulse / tau_syn)) times the DPI's gain."""
    return -float(np.expm1(-figure(sheet, "bias.t_pulse") / biases.tau_syn)) * float(sheet["bias.gain_syn"].value)


def quantise(network: Network, sheet: Datasheet, bits: int, dt: float) -> QuantNetwork:
    """Return a network that passed the checks in the chip's numbers.

    Parameters
    ----------
    network : Network
        LIF populations.
    sheet : Datasheet
        Silicon and limits.
    bits : int
        Base currents in use, 1..4; a chip with multiplicities ignores it.
    dt : float
        Integration step [s], with which biases are calibrated.
    """
    wiring = Wiring.of(network)
    kind = np.where(wiring.weight < 0, INHIBITORY, EXCITATORY).astype(np.int64)
    code, per_weight = np.zeros(kind.size, np.int64), np.zeros(kind.size)
    multiplicity, limit = sheet["weight.kind"].value == "multiplicity", sheet.int("limits.neuron.cam")
    biases, base, populations = {}, {}, []
    for p in network.populations:
        assert isinstance(p.model, LIF)
        b = biases[p.name] = biases_of(p.model, sheet, dt, p.name)
        at = np.concatenate(
            [np.zeros(0, np.int64), *(wiring.index[q.name] for q in network.projections if q.target == p.name)]
        )
        # The same mean drive: a spike's charge tau_syn I equals that of the network, per_drive tau w.
        tau = (float(p.model.tau_syn) or float(p.model.tau_m)) * 1e-3
        per_weight[at] = b.per_drive * tau / b.tau_syn / charge_per_current(b, sheet)
        wanted = np.abs(wiring.weight[at]) * per_weight[at]
        code[at], base[p.name] = _codes(wanted, kind[at], wiring.target[at], sheet, multiplicity, bits, limit)
        populations.append(_population(p, b, sheet))
    words = code.copy() if multiplicity else (code > 0).astype(np.int64)
    width = 0 if multiplicity else bits
    quant = QuantNetwork(network, wiring, biases, base, kind, code, words, per_weight, QuantReport((), ()))
    projections = tuple(_projection(q, quant, width, multiplicity) for q in network.projections)
    report = QuantReport(tuple(populations), projections)
    return QuantNetwork(network, wiring, biases, base, kind, code, words, per_weight, report)


def _codes(
    wanted: Floats, kind: Vector, target: Vector, sheet: Datasheet, multiplicity: bool, bits: int, limit: int
) -> tuple[Vector, Floats]:
    """Return codes and base currents [A] after the bias generator, shape (2, 4)."""
    base = np.zeros((2, 4))
    if multiplicity:
        tops = np.array([float(wanted[kind == k].max(initial=0.0)) or 1.0 for k in (0, 1)])
        unit, code = multiplicities(wanted / tops[kind], target, limit)
        base[:, 0] = [generated(sheet, top * unit)[0] if (kind == k).any() else 0.0 for k, top in enumerate(tops)]
        return code, base
    base[:] = [generated(sheet, value)[0] if value > 0 else 0.0 for value in fit_base(wanted, bits)]
    return masks(wanted, base[0]), base


def weights_of(quant: QuantNetwork, projection: str, target: str, multiplicity: bool) -> Floats:
    """Return the weights of a projection as coded, in the network's unit."""
    at = quant.wiring.index[projection]
    current = quant.currents(target, multiplicity)[quant.kind[at], quant.code[at]]
    return np.where(quant.kind[at] == INHIBITORY, -current, current) / quant.per_weight[at]


def _population(p: Population, b: Biases, sheet: Datasheet) -> PopulationReport:
    model = p.model
    assert isinstance(model, LIF)
    floor = None if model.v_min is None else float(model.v_rest)
    return PopulationReport(
        p.name, b.per_drive / figure(sheet, "silicon.io"), 0.0, b.tau_m * 1e3, b.tau_syn * 1e3, floor, b.t_ref * 1e3
    )


def _projection(q: Projection, quant: QuantNetwork, bits: int, multiplicity: bool) -> ProjectionReport:
    at = quant.wiring.index[q.name]
    wanted = quant.wiring.weight[at]
    base = quant.base[q.target]
    smallest = float(base[base > 0].min(initial=np.inf)) if (base > 0).any() else 0.0
    return ProjectionReport.of(
        q.name,
        wanted,
        weights_of(quant, q.name, q.target, multiplicity),
        bits=bits,
        step=smallest / float(quant.per_weight[at][0]) if at.size else 0.0,
        zeroed=int(((quant.code[at] == 0) & (wanted != 0)).sum()),
        clipped_delays=int((quant.wiring.ticks[at] > 1).sum()),
    )


def place(quant: QuantNetwork, sheet: Datasheet) -> Placement:
    """Put populations on cores, each core for one population; check CAM, tags and destinations.

    Raises
    ------
    DoesNotFit
        With the texts of the vendor's toolchain, where, and by how much.
    """
    network, name, w = quant.network, sheet.name, quant.wiring
    cam, most = np.bincount(w.target, quant.words, network.n_neurons), sheet.int("limits.neuron.cam")
    for p in network.populations:
        first = network.unit_slices()[p.name].start - network.n_inputs
        need = int(cam[first : first + p.n].max(initial=0))
        if need > most:
            j = int(cam[first : first + p.n].argmax())
            raise DoesNotFit(
                f"{name}: neuron {j} of {p.name!r}: Maximum synapse limit per neuron reached! CAM words {need} > {most}"
            )
    order = np.argsort(w.target, kind="stable")
    unit, target, tags = w.unit[order], w.target[order], sheet.int("limits.core.tags")

    def excess(low: int, high: int) -> str:
        rows = slice(*np.searchsorted(target, [low, high]))
        need = np.unique(unit[rows]).size
        return f"There are not enough tags: {need} > {tags}" if need > tags else ""

    starts = [np.zeros(1, np.int64)]
    for p in network.populations:
        first = int(starts[-1][-1])
        try:
            found = fill(p.n, sheet.int("limits.core.neurons"), lambda low, high, f=first: excess(f + low, f + high))
        except Unfit as error:
            raise DoesNotFit(f"{name}: neuron {error.item} of {p.name!r}: {error.cause}") from None
        starts.append(found[1:] + first)
    start, cores = np.concatenate(starts), sheet.int("limits.chip.cores")
    total = cores * sheet.int("limits.board.columns") * sheet.int("limits.board.rows")
    if start.size - 1 > total:
        raise DoesNotFit(f"{name}: board: Maximum SRAM capacity exceeded! cores {start.size - 1} > {total}; use fewer")
    edges = edges_of(w, start)
    chips = np.unique(np.stack([edges[:, 0], edges[:, 1] // cores], axis=1), axis=0)
    own = chips[chips[:, 0] >= network.n_inputs, 0]
    fan, limit = int(np.bincount(own).max(initial=0)) if own.size else 0, sheet.int("limits.neuron.destinations")
    if fan > limit:
        raise DoesNotFit(f"{name}: neuron: Maximum destination limit reached! chips {fan} > {limit}")
    usage = [Usage("cam", float(cam.max(initial=0)), most, "fullest neuron")]
    usage += [Usage("destinations", float(fan), limit, "widest neuron")]
    for c in range(start.size - 1):
        usage.append(Usage("neurons", float(start[c + 1] - start[c]), sheet.int("limits.core.neurons"), f"core {c}"))
        usage.append(Usage("tags", float((edges[:, 1] == c).sum()), tags, f"core {c}"))
    usage.append(Usage("cores", start.size - 1, total, "board"))
    return Placement(start, edges, np.arange(start.size - 1), tuple(usage))


def tags_of(placement: Placement, n_units: int) -> Vector:
    """Return a tag for every unit that no other unit uses on the same core; -1 for units without targets."""
    used: list[set[int]] = [set() for _ in range(placement.n_cores)]
    tags = np.full(n_units, -1, np.int64)
    unit = placement.edges[:, 0]
    row = np.searchsorted(unit, np.arange(n_units + 1))
    for u in range(n_units):
        cores = placement.edges[row[u] : row[u + 1], 1].tolist()
        if not cores:
            continue
        tag = 0
        while any(tag in used[c] for c in cores):
            tag += 1
        tags[u] = tag
        for c in cores:
            used[c].add(tag)
    return tags
