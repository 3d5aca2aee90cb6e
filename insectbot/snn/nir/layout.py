"""What a NIR graph amounts to: groups, and the composed connections between them, still in the file's own terms."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from insectbot.errors import ConfigurationError
from insectbot.snn.inputs import CurrentInput, InputSource, RegularInput
from insectbot.snn.lif import LIF
from insectbot.snn.network import Input
from insectbot.snn.nir.dialect import Grid
from insectbot.snn.nir.entries import Entries
from insectbot.snn.nir.graph import SIZED, Flat
from insectbot.snn.nir.neurons import Cell, cell_of, relay
from insectbot.snn.nir.paths import Signal, incoming

BIAS = "bias"
"""Name of the unit that spikes in every step; biases are the weights of its synapses."""


@dataclass(frozen=True)
class Options:
    """How a graph is to be read: see :func:`insectbot.snn.nir.load`."""

    grid: Grid
    reset: str = "value"
    inputs: InputSource | Mapping[str, InputSource] | None = None
    round_delays: bool = False
    name: str = "network"


@dataclass(frozen=True)
class Part:
    """A connection. ``kind`` is "event" (spikes), "hold" (a signal in every step) or "current" (analog)."""

    source: str
    target: str
    kind: str
    entries: Entries


@dataclass
class Layout:
    """Groups and connections.

    Attributes
    ----------
    inputs : list of Input
        Input groups.
    cells : dict of str to Cell
        Populations, the relays among them.
    parts : list of Part
        Connections, those from the unit of the biases among them.
    outputs : list of str
        Populations that are read out.
    bias : str or None
        Name of the unit of the biases, if there are any.
    """

    inputs: list[Input]
    cells: dict[str, Cell]
    parts: list[Part] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    bias: str | None = None


def pacemaker(dt: float) -> LIF:
    """Return a neuron that spikes in every step of ``dt`` [ms], from the first on, without input."""
    return LIF(tau_m=dt, v_rest=1.0, v_th=0.5, v_reset=0.0)


def layout(flat: Flat, options: Options) -> Layout:
    """Return groups and connections of a graph."""
    names, ends = in_order(flat, *SIZED), in_order(flat, "Output")
    signals = incoming(flat, [*names, *ends])
    grid = options.grid
    cells = {n: cell_of(flat.kinds[n], n, flat.nodes[n], math.prod(flat.made[n]), grid, options.reset) for n in names}
    found = Layout(
        [Input(n, math.prod(flat.made[n]), source_of(flat, n, options)) for n in in_order(flat, "Input")], cells
    )
    for end in ends:
        signal = signals[end]
        direct = all(part.identity and source in names for source, part in signal.parts.items())
        if direct and signal.parts and not signal.constant.any():
            found.outputs += [n for n in signal.parts if n not in found.outputs]
        else:
            cells[end] = relay(signal.constant.size)
            found.outputs.append(end)
    if not ends:
        found.outputs = [n for n in names if not any(a == n for a, _ in flat.edges)]
    through = _relays(flat, found, signals, grid.dialect.aligned)
    for target in [n for n in signals if n in cells]:
        for source, entries in signals[target].parts.items():
            via = through.get(source, source)
            kind = "hold" if via in cells and not cells[via].model.spiking else "event"
            analog = via not in cells and source in through
            found.parts.append(Part(via, target, "current" if analog else kind, entries))
    _add_biases(flat, found, signals)
    return found


def in_order(flat: Flat, *kinds: str) -> list[str]:
    """Return nodes of some types by distance from the inputs, then by name: files keep no other order."""
    depth = dict.fromkeys(flat.of_kind("Input"), 0)
    front = list(depth)
    while front:
        reached = {b for a, b in flat.edges if a in front and b not in depth}
        depth |= dict.fromkeys(reached, 1 + max(depth.values()))
        front = list(reached)
    return sorted(flat.of_kind(*kinds), key=lambda name: (depth.get(name, len(flat.nodes)), name))


def source_of(flat: Flat, name: str, options: Options) -> InputSource:
    """Return what an Input becomes; by default a drive of 1 is a spike in every step."""
    given = options.inputs
    if isinstance(given, Mapping):
        if unknown := sorted(set(given) - set(flat.of_kind("Input"))):
            raise ConfigurationError(f"NIR graph: inputs names {unknown[0]!r}, which is no Input node")
        given = given.get(name)
    return RegularInput(rate=1000.0 / options.grid.dt) if given is None else given


def free(flat: Flat, name: str) -> str:
    """Return a name that no node has."""
    while name in flat.nodes:
        name += "_"
    return name


def _relays(flat: Flat, found: Layout, signals: Mapping[str, Signal], aligned: bool) -> dict[str, str]:
    """Add relays for analog inputs that cannot be plain currents; return analog input -> what to take its signal from.

    A current acts at once and cannot be delayed or filtered. A relay can, one step later.
    """
    through: dict[str, str] = {}
    for group in found.inputs:
        if not isinstance(group.source, CurrentInput):
            continue
        plain = all(
            found.cells[name].current is not None
            and not signal.parts[group.name].delay.any()
            and not (aligned and (len(signal.parts) > 1 or signal.constant.any()))
            for name, signal in signals.items()
            if name in found.cells and group.name in signal.parts
        )
        through[group.name] = group.name if plain else free(flat, f"{group.name}.relay")
        if not plain:
            found.cells[through[group.name]] = relay(group.n)
            identity = Entries.diagonal(np.ones(group.n))
            found.parts.append(Part(group.name, through[group.name], "current", identity))
    return through


def _add_biases(flat: Flat, found: Layout, signals: Mapping[str, Signal]) -> None:
    constants = {n: s.constant for n, s in signals.items() if n in found.cells and s.constant.any()}
    if constants:
        found.bias = free(flat, BIAS)
        for target, value in constants.items():
            entries = Entries.of((value.size, 1), np.arange(value.size), np.zeros(value.size), value)
            found.parts.append(Part(found.bias, target, "hold", entries))
