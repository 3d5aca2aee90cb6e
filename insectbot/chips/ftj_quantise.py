"""From LIF networks to arrays: weights as conductances, spikes as word lines, projections on tiles of their own.

A word line carries the spikes of one source at one delay (the host holds them back that long); a projection's lines
and its target population's columns fill tiles of 64 x 64. A static synapse is two junctions in two tiles,
``w = scale (G_plus - G_minus)``, one of them at the lowest conductance that is written. A plastic synapse is one
junction, ``w = w_min + scale (G - G_off)``, and the host subtracts what stands for ``w_min``. A crosspoint that no
synapse uses has no junction. Projections of current inputs stay in float on the host.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

import numpy as np
import numpy.typing as npt

from insectbot.chips.analog_wiring import Floats, Placement, Vector, Wiring, edges_of, values
from insectbot.chips.datasheet import Datasheet
from insectbot.chips.ftj_learning import Translation
from insectbot.chips.ftj_replay import Junction
from insectbot.chips.quant_report import PopulationReport, ProjectionReport, QuantReport
from insectbot.errors import DoesNotFit
from insectbot.protocols import Usage
from insectbot.snn.inputs import CurrentInput
from insectbot.snn.network import Input, Network, Population, Projection


@dataclass(frozen=True, eq=False)
class Lines:
    """Word lines, sorted by source unit, and their synapses.

    Attributes
    ----------
    first : ndarray of int64, shape (n_lines + 1,)
        Line r has synapses ``first[r]`` to ``first[r + 1]``.
    of_unit : ndarray of int64, shape (n_units + 1,)
        Unit u drives lines ``of_unit[u]`` to ``of_unit[u + 1]``.
    delay, block : ndarray of int64, shape (n_lines,)
        Delay [ticks], and block: the tiles whose word lines it is among.
    unit, column : ndarray of int64, shape (n_synapses,)
        Source unit, and column: neuron of the target population.
    index : dict of str to ndarray
        Projection -> its synapses in these arrays, in projection order.
    start, target : ndarray of int64
        Columns of block b are sums ``start[b]`` to ``start[b + 1]``, of neurons from ``target[b]`` on.
    block_of : dict of str to slice
        Projection -> its blocks.
    """

    first: Vector
    of_unit: Vector
    delay: Vector
    block: Vector
    unit: Vector
    column: Vector
    index: dict[str, Vector]
    start: Vector
    target: Vector
    block_of: dict[str, slice]


@dataclass(frozen=True, eq=False)
class Target:
    """What a projection's junctions are to be.

    Attributes
    ----------
    conductance : ndarray of float64, shape (2, n_synapses)
        G_plus and G_minus [uS], in projection order; G_minus of a plastic one is the host's reference.
    scale : float
        Weight per uS.
    plastic : bool
        Whether there is one junction per synapse, which learns.
    clipped : int
        Weights beyond what is written.
    """

    conductance: Floats
    scale: float
    plastic: bool
    clipped: int


@dataclass(frozen=True, eq=False)
class QuantNetwork:
    """A network as word lines and conductances.

    Attributes
    ----------
    network : Network
        What was quantised.
    wiring : Wiring
        Its synapses, for the routes.
    lines : Lines
        Word lines.
    targets : dict of str to Target
        Projection -> conductances.
    learning : Translation
        What the device makes of the learning rules.
    report : QuantReport
        What quantisation changed, for ideal junctions.
    """

    network: Network
    wiring: Wiring
    lines: Lines
    targets: dict[str, Target]
    learning: Translation
    report: QuantReport


def on_host(network: Network, q: Projection) -> bool:
    """Return whether a projection starts at a current input."""
    source = next(g for g in network.groups if g.name == q.source)
    return isinstance(source, Input) and isinstance(source.source, CurrentInput)


def on_array(network: Network) -> list[Projection]:
    """Return the projections that are on the array."""
    return [q for q in network.projections if not on_host(network, q)]


def written(sheet: Datasheet) -> tuple[float, float]:
    """Return the lowest and the highest conductance that is written [uS]."""
    j = Junction.of(sheet)
    low, high = (j.g_off + float(sheet[f"write.s_{end}"].value) * (j.g_on - j.g_off) for end in ("low", "high"))
    return low, high


def line_of(network: Network, q: Projection) -> tuple[Vector, npt.NDArray[np.bool_]]:
    """Return delays [ticks] of synapses, and which of them start a new word line (they are sorted by it)."""
    ticks = np.rint(q.delay / network.dt).astype(np.int64)
    new = np.ones(ticks.size, bool)
    new[1:] = (np.diff(q.pre) != 0) | (np.diff(ticks) != 0)
    return ticks, new


def lines_of(network: Network, rows: int) -> Lines:
    """Lay out the word lines of a network on tiles of ``rows`` word lines."""
    slices, none = network.unit_slices(), np.zeros(0, np.int64)
    line_unit, line_delay, line_block, synapse_line, column = [none], [none], [none], [none], [none]
    start, target, block_of, sizes, n_lines = [0], [], {}, {}, 0
    for q in on_array(network):
        ticks, new = line_of(network, q)
        local, n = np.cumsum(new) - 1, int(new.sum())
        blocks, population = ceil(n / rows), network.population(q.target)
        line_unit.append(q.pre[new].astype(np.int64) + slices[q.source].start)
        line_delay.append(ticks[new])
        line_block.append(len(target) + np.arange(n) // rows)
        synapse_line.append(local + n_lines)
        column.append(q.post.astype(np.int64))
        block_of[q.name] = slice(len(target), len(target) + blocks)
        target += [slices[q.target].start - network.n_inputs] * blocks
        start += [start[-1] + population.n * (k + 1) for k in range(blocks)]
        sizes[q.name] = q.n_synapses
        n_lines += n
    unit, delay, block = np.concatenate(line_unit), np.concatenate(line_delay), np.concatenate(line_block)
    order = np.argsort(unit, kind="stable")
    rank = np.empty(order.size, np.int64)
    rank[order] = np.arange(order.size)
    line = rank[np.concatenate(synapse_line)] if n_lines else none
    by_line = np.argsort(line, kind="stable")
    back = np.empty(by_line.size, np.int64)
    back[by_line] = np.arange(by_line.size)
    bounds = np.cumsum([0, *sizes.values()])
    units = network.n_inputs + network.n_neurons
    return Lines(
        np.searchsorted(line[by_line], np.arange(n_lines + 1)).astype(np.int64),
        np.searchsorted(unit[order], np.arange(units + 1)).astype(np.int64),
        delay[order],
        block[order],
        unit[order][line[by_line]],
        np.concatenate(column)[by_line],
        {name: back[bounds[k] : bounds[k + 1]] for k, name in enumerate(sizes)},
        np.array(start, np.int64),
        np.array(target, np.int64),
        block_of,
    )


def target_of(q: Projection, plastic: bool, sheet: Datasheet) -> Target:
    """Return the conductances of a projection."""
    j, (low, high) = Junction.of(sheet), written(sheet)
    w = q.weight.astype(np.float64)
    if plastic:
        rule = q.plasticity
        assert rule is not None
        scale = (rule.w_max - rule.w_min) / (j.g_on - j.g_off)
        wanted, reference = j.g_off + (w - rule.w_min) / scale, j.g_off - rule.w_min / scale
        g = np.clip(wanted, low, high)
        return Target(np.stack([g, np.full(w.size, reference)]), scale, True, int((g != wanted).sum()))
    span = float(sheet["write.headroom"].value) * (high - low)
    scale = (float(np.abs(w).max(initial=0.0)) or 1.0) / span
    size = np.abs(w) / scale
    return Target(low + np.stack([np.where(w > 0, size, 0.0), np.where(w < 0, size, 0.0)]), scale, False, 0)


def quantise(network: Network, sheet: Datasheet, learning: Translation) -> QuantNetwork:
    """Return a network that passed the checks as word lines and conductances.

    Parameters
    ----------
    network : Network
        LIF populations.
    sheet : Datasheet
        Junctions and tiles.
    learning : Translation
        Which projections learn on the array.
    """
    targets = {q.name: target_of(q, q.name in learning.drives, sheet) for q in on_array(network)}
    report = QuantReport(
        tuple(_population(p) for p in network.populations),
        tuple(_projection(q, targets.get(q.name)) for q in network.projections),
    )
    lines = lines_of(network, sheet.int("limits.tile.rows"))
    return QuantNetwork(network, Wiring.of(network), lines, targets, learning, report)


def _population(p: Population) -> PopulationReport:
    v_min = None if getattr(p.model, "v_min", None) is None else float(values(p, "v_min").mean())
    tau_m, tau_syn, t_ref = (float(values(p, name).mean()) for name in ("tau_m", "tau_syn", "t_ref"))
    return PopulationReport(p.name, 1.0, 0.0, tau_m, tau_syn, v_min, t_ref)


def _projection(q: Projection, target: Target | None) -> ProjectionReport:
    if target is None:
        return ProjectionReport.host(q.name, q.n_synapses)
    w = q.weight.astype(np.float64)
    got = target.scale * (target.conductance[0] - target.conductance[1])
    sign = "plastic" if target.plastic else "pair"
    return ProjectionReport.of(q.name, w, got, bits=0, step=0.0, sign=sign, saturated=target.clipped)


def place(quant: QuantNetwork, sheet: Datasheet) -> Placement:
    """Count tiles, and put neurons on the lanes of the host, in order.

    Raises
    ------
    DoesNotFit
        If tiles or lanes do not suffice; the message names the largest projection and by how much.
    """
    network, name = quant.network, sheet.name
    rows, columns = sheet.int("limits.tile.rows"), sheet.int("limits.tile.columns")
    tiles, n_lines = {}, 0
    for q in on_array(network):
        n = int(line_of(network, q)[1].sum())
        across = ceil(network.population(q.target).n / columns)
        tiles[q.name] = ceil(n / rows) * across * (1 if quant.targets[q.name].plastic else 2)
        n_lines += n
    total, most = sum(tiles.values()), sheet.int("limits.chip.tiles")
    if total > most:
        largest = max(tiles, key=lambda key: tiles[key])
        raise DoesNotFit(
            f"{name}: chip: tiles {total} > {most} ({tiles[largest]} of them for projection {largest!r}); use fewer "
            "sources, targets or different delays"
        )
    per_lane, lanes = sheet.int("limits.core.neurons"), sheet.int("limits.chip.cores")
    start = np.append(np.arange(0, network.n_neurons, per_lane), network.n_neurons).astype(np.int64)
    if start.size - 1 > lanes:
        raise DoesNotFit(f"{name}: host: lanes {start.size - 1} > {lanes}; use fewer neurons")
    usage = [Usage("tiles", float(total), most, "chip"), Usage("lanes", float(start.size - 1), lanes, "host")]
    usage += [Usage("word lines", float(n_lines), most * rows, "chip")]
    return Placement(start, edges_of(quant.wiring, start), np.arange(start.size - 1), tuple(usage))
