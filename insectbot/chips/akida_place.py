"""Akida's mapper for dense layers: one neural processor each, with its weights on the chip or in external memory.

As the package's mapper does in its strict mode: in order, the first free FNP3 where the weights fit, else an FNP2.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from insectbot.chips.akida_quantise import QuantLayer, QuantNetwork
from insectbot.chips.datasheet import Datasheet
from insectbot.errors import DoesNotFit
from insectbot.protocols import Usage

Vector = npt.NDArray[np.int64]


def unit_bytes(inputs: int, bits: int, sheet: Datasheet) -> int:
    """Return the memory of one unit of a dense layer [byte]."""
    planes = dict(sheet["limits.np.planes"].value)[bits]
    words = -(-inputs // sheet.int("limits.np.word_inputs"))
    return sheet.int("limits.np.unit_bytes") + 4 * planes * words


def on_chip(inputs: int, units: int, bits: int, sheet: Datasheet) -> bool:
    """Return whether the weights of a dense layer fit on an FNP3; else they need external memory."""
    return units * unit_bytes(inputs, bits, sheet) <= sheet.int("limits.np.weight_bytes")


@dataclass(frozen=True, eq=False)
class Placement:
    """Layers on processors.

    Attributes
    ----------
    start : ndarray of int64, shape (n_layers + 1,)
        First unit of every layer.
    layer : ndarray of int64, shape (n_neurons,)
        Layer of every neuron of the network, from 0.
    kind : tuple of str
        ``"fnp3"`` or ``"fnp2"``, by layer.
    node : tuple of (column, row, number)
        Processor, by layer.
    memory : ndarray of int64, shape (n_layers,)
        Weights [byte].
    position : ndarray of int64, shape (n_layers,)
        Number of the processor in the grid.
    edges : ndarray of int64, shape (n_messages, 3)
        (source unit, layer, units there), sorted.
    usage : tuple of Usage
        Resources.
    """

    start: Vector
    layer: Vector
    kind: tuple[str, ...]
    node: tuple[tuple[int, int, int], ...]
    memory: Vector
    position: Vector
    edges: npt.NDArray[np.int64]
    usage: tuple[Usage, ...]

    def core_of(self, neuron: npt.ArrayLike) -> Vector:
        """Return the layer of a neuron; of an input (a negative number), the first."""
        return self.layer[np.maximum(np.asarray(neuron, np.int64), 0)] * (np.asarray(neuron) >= 0)


def place(quant: QuantNetwork, sheet: Datasheet) -> Placement:
    """Return the placement of a quantised network.

    Raises
    ------
    DoesNotFit
        If there are too many inputs or layers, or a threshold is out of range; the message names every layer of it.
    """
    shapes = [layer.weight.shape for layer in quant.layers]
    wrong = [problem for number, layer in enumerate(quant.layers, 1) for problem in _registers(number, layer, sheet)]
    taken, nodes, memory = _processors(shapes, quant.bits, sheet, wrong)
    if wrong:
        raise DoesNotFit("; ".join(f"{sheet.name}: {problem}" for problem in wrong))
    rows, per_tile = sheet.int("limits.chip.rows"), sheet.int("limits.chip.cores_per_tile")
    position = [((x - 1) * rows + y - 1) * per_tile + number for x, y, number in nodes]
    start = np.append(0, np.cumsum([units for _, units in shapes])).astype(np.int64)
    n_inputs, neurons = quant.network.n_inputs, quant.neurons
    layer = np.zeros(neurons.size, np.int64)
    layer[neurons] = np.repeat(np.arange(len(shapes)), np.diff(start))
    # A source is an input, or a neuron that has a layer behind its own.
    ahead = np.flatnonzero(layer < len(shapes) - 1)
    unit = np.concatenate([np.arange(n_inputs), ahead + n_inputs])
    to = np.concatenate([np.zeros(n_inputs, np.int64), layer[ahead] + 1])
    edges = np.stack([unit, to, np.diff(start)[to]], axis=1)
    return Placement(
        start=start,
        layer=layer,
        kind=tuple(taken),
        node=tuple(nodes),
        memory=np.array(memory, np.int64),
        position=np.array(position, np.int64),
        edges=edges,
        usage=_usage(shapes, taken, nodes, memory, sheet),
    )


def _registers(number: int, layer: QuantLayer, sheet: Datasheet) -> list[str]:
    half = 1 << (sheet.int("neuron.threshold") - 1)
    worst = int(np.abs(layer.threshold).max(initial=0))
    return [f"layer {number}: threshold {worst} > {half - 1}; use shorter frames"] if worst >= half else []


def _processors(
    shapes: list[tuple[int, int]], bits: int, sheet: Datasheet, wrong: list[str]
) -> tuple[list[str], list[tuple[int, int, int]], list[int]]:
    """Return (kind, node, memory) of every layer; adds to ``wrong`` what does not fit."""
    free = {kind: [tuple(node) for node in sheet[f"limits.chip.{kind}"].value] for kind in ("fnp3", "fnp2")}
    total = {kind: len(nodes) for kind, nodes in free.items()}
    room, widest = sheet.int("limits.np.weight_bytes"), sheet.int("limits.np.inputs")
    taken, found, memory = [], [], []
    short, large = 0, 0
    for number, (inputs, units) in enumerate(shapes, 1):
        if inputs > widest:
            wrong.append(f"layer {number}: inputs {inputs} > {widest}")
        small = on_chip(inputs, units, bits, sheet)
        kind = "fnp3" if small and free["fnp3"] else "fnp2"
        memory.append(units * unit_bytes(inputs, bits, sheet))
        large += not small
        taken.append(kind)
        if free[kind]:
            found.append(free[kind].pop(0))
        else:
            short += 1
    if short:
        every = sum(total.values())
        if len(shapes) > every:
            wrong.append(f"chip: layers {len(shapes)} > {every} processors for dense layers")
        if large > total["fnp2"]:
            wrong.append(
                f"chip: layers of more than {room} byte {large} > {total['fnp2']} processors with memory outside"
            )
    return taken, found, memory


def _usage(
    shapes: list[tuple[int, int]],
    taken: list[str],
    nodes: list[tuple[int, int, int]],
    memory: list[int],
    sheet: Datasheet,
) -> tuple[Usage, ...]:
    found = []
    for (inputs, _), kind, node, need in zip(shapes, taken, nodes, memory, strict=True):
        where = f"{kind.upper()} {node}"
        found.append(Usage("inputs", inputs, sheet.int("limits.np.inputs"), where))
        limit = sheet.int("limits.np.weight_bytes") if kind == "fnp3" else None
        found.append(Usage("weight_bytes" if limit else "external_bytes", need, limit, where))
    for kind in ("fnp3", "fnp2"):
        found.append(Usage(kind, taken.count(kind), len(sheet[f"limits.chip.{kind}"].value), "chip"))
    return tuple(found)
