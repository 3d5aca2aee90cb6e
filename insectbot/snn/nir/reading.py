"""From a NIR graph to a network: weights in the units of the models, delays in steps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from insectbot.errors import ConfigurationError
from insectbot.snn.network import Network, Population, Projection
from insectbot.snn.nir.graph import Flat
from insectbot.snn.nir.layout import Layout, Options, Part, layout, pacemaker
from insectbot.snn.nir.neurons import STEADY, Cell
from insectbot.snn.nir.timing import Link, align
from insectbot.snn.synapses import Receptor

Ticks = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Imported:
    """What came out of a NIR file.

    Attributes
    ----------
    network : Network
        The network.
    late : mapping of str to int
        Population -> steps by which its spikes come later than in the simulator that wrote the file (about one per
        layer: here every connection takes a step). Empty where the file's delays were kept as they are.
    notes : tuple of str
        What is not exactly as the file says, a sentence each.
    """

    network: Network
    late: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def build(flat: Flat, options: Options) -> Imported:
    """Return the network of a graph laid flat."""
    plan = layout(flat, options)
    notes = list(flat.notes)
    ticks = [_ticks(part, options, notes) for part in plan.parts]
    late: dict[str, int] = {}
    if options.grid.dialect.aligned:
        late, ticks = _aligned(plan, ticks)
        notes += _early(plan, late)
    projections = [
        projection
        for part, delay in zip(plan.parts, ticks, strict=True)
        for projection in _projections(part, np.maximum(delay, 1), plan, options.grid.dt)
    ]
    network = Network(
        tuple(plan.inputs),
        tuple(_populations(plan, projections, options)),
        tuple(projections),
        tuple(plan.outputs),
        dt=options.grid.dt,
        name=options.name,
        precision=options.grid.precision,
    )
    return Imported(network, {name: late[name] for name in plan.cells} if late else {}, tuple(notes))


def _ticks(part: Part, options: Options, notes: list[str]) -> Ticks:
    """Return the delays of a connection in steps; 0 where the file has none."""
    steps = part.entries.delay * options.grid.unit / options.grid.dt
    whole = np.rint(steps)
    off = np.abs(steps - whole) > 1e-6 * np.maximum(1.0, steps)
    if off.any():
        where = f"NIR delay of {steps[off][0] * options.grid.dt:g} ms from {part.source!r} to {part.target!r}"
        if not options.round_delays:
            raise ConfigurationError(
                f"{where}: no whole number of steps of dt = {options.grid.dt:g} ms; "
                "take another dt, or round_delays=True to round delays up"
            )
        notes.append(f"{where}: rounded up to {np.ceil(steps[off][0]) * options.grid.dt:g} ms")
    return np.where(off, np.ceil(steps), whole).astype(np.int64)


def _aligned(plan: Layout, ticks: Sequence[Ticks]) -> tuple[dict[str, int], list[Ticks]]:
    """Return how late each group runs, and delays with which nothing but that differs."""
    groups = [*(g.name for g in plan.inputs), *plan.cells, *([plan.bias] if plan.bias else [])]
    # An analog current acts at once, and on nothing that other connections could make late.
    timed = [k for k, part in enumerate(plan.parts) if part.kind != "current" and part.entries.post.size]
    links = [Link(plan.parts[k].source, plan.parts[k].target, int(ticks[k].min())) for k in timed]
    timing = align(groups, links)
    out = list(ticks)
    for k, least, late in zip(timed, timing.least, timing.added, strict=True):
        out[k] = np.maximum(ticks[k], least) + late
    return timing.late, out


def _early(plan: Layout, late: Mapping[str, int]) -> list[str]:
    """Return a note per population that transmits something before the file's first step."""
    return [
        f"NIR node {name!r}: transmits its resting value for {late[name]} steps before the first step of the file"
        for name, cell in plan.cells.items()
        if late[name] and not cell.model.spiking and np.any(cell.model.values().get("v_rest", 0.0))
    ]


def _projections(part: Part, ticks: Ticks, plan: Layout, dt: float) -> Iterator[Projection]:
    """Yield the projections of a connection, one per receptor that it reaches."""
    cell = plan.cells[part.target]
    if part.kind == "current":
        ports = {"": np.ones(part.entries.shape[0]) if cell.current is None else cell.current}
    else:
        ports = cell.event if part.kind == "event" else cell.hold
    first = next(iter(ports))
    for port, factor in ports.items():
        weight = part.entries.weight * factor[part.entries.post]
        if weight.any():
            yield Projection.sparse(
                part.source,
                part.target,
                pre=part.entries.pre,
                post=part.entries.post,
                weight=weight,
                delay=ticks * dt,
                receptor=None if port == first else port,
                name=f"{part.source}->{part.target}" + ("" if port == first else f".{port}"),
            )


def _populations(plan: Layout, projections: Sequence[Projection], options: Options) -> Iterator[Population]:
    steady = {p.target for p in projections if p.receptor == STEADY}
    if plan.bias:
        yield Population(plan.bias, 1, pacemaker(options.grid.dt))
    for name, cell in plan.cells.items():
        yield Population(name, _size(cell), cell.model, receptors=_receptors(cell, name in steady))


def _size(cell: Cell) -> int:
    return next(iter(cell.event.values())).size


def _receptors(cell: Cell, steady: bool) -> dict[str, Receptor]:
    return {port: receptor for port, receptor in cell.receptors.items() if steady or port != STEADY}
