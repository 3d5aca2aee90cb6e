"""A NIR graph laid flat: nested graphs dissolved, every node known by type and shape, or refused by name."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike, fspath
from typing import Any

import numpy as np

from insectbot.errors import ConfigurationError, ShapeError, Unsupported
from insectbot.snn.nir.linear import LINEAR, Shape, shape_from, shape_of

SIZED = {
    "I": "r",
    "IF": "v_threshold",
    "LI": "tau",
    "LIF": "v_threshold",
    "CubaLI": "tau_mem",
    "CubaLIF": "v_threshold",
    "Threshold": "threshold",
}
"""Types of the nodes that become populations, and a parameter that has the shape of each."""
KNOWN = ("Input", "Output", *LINEAR, *SIZED, "NIRGraph")


@dataclass(frozen=True)
class Port:
    """What is left of an Input or Output of a nested graph: signals pass it unchanged."""

    shape: Shape | None


@dataclass(frozen=True)
class Flat:
    """A graph without nested graphs.

    Attributes
    ----------
    nodes : mapping of str to object
        Nodes by name; those of a nested graph are called ``graph.node``.
    kinds : mapping of str to str
        Their types; ``"Port"`` for what is left of the ports of nested graphs.
    edges : tuple of (str, str)
        From, to.
    taken, made : mapping of str to tuple of int
        Shape of what each node takes, and of what it makes.
    notes : tuple of str
        What was not taken as it is written, a sentence each.
    """

    nodes: Mapping[str, Any]
    kinds: Mapping[str, str]
    edges: tuple[tuple[str, str], ...]
    taken: Mapping[str, Shape]
    made: Mapping[str, Shape]
    notes: tuple[str, ...] = ()

    def of_kind(self, *kinds: str) -> tuple[str, ...]:
        """Return the names of all nodes of some types, in order."""
        return tuple(name for name, kind in self.kinds.items() if kind in kinds)

    def before(self, name: str) -> tuple[str, ...]:
        """Return the nodes whose output a node sums."""
        return tuple(a for a, b in self.edges if b == name)


def read(path: str | PathLike[str]) -> Any:
    """Return the graph in a file.

    Raises
    ------
    ConfigurationError, Unsupported
        If the file is missing or no NIR file, or has a node of a type that NIR does not know.
    """
    import nir

    try:
        return nir.read(fspath(path), type_check=False)
    except (OSError, KeyError, ValueError, AssertionError, TypeError, AttributeError) as error:
        _name_unknown(fspath(path))
        why = str(error) or type(error).__name__
        raise ConfigurationError(f"{fspath(path)} is no NIR file that can be read: {why}") from None


def _name_unknown(path: str) -> None:
    """Raise Unsupported if a file has a node of a type that is not known: NIR's reader does not say which."""
    import h5py

    def visit(name: str, item: Any) -> None:
        if name.rsplit("/", 1)[-1] == "type" and isinstance(item, h5py.Dataset) and item.shape == ():
            kind = item[()]
            kind = kind.decode() if isinstance(kind, bytes) else str(kind)
            if kind not in KNOWN:
                place = name.removesuffix("/type").removeprefix("node/nodes/").replace("/nodes/", ".")
                raise _refused(place, kind)

    try:
        with h5py.File(path, "r") as file:
            file.visititems(visit)
    except OSError:
        return


def _refused(name: str, kind: str) -> Unsupported:
    return Unsupported(f"NIR node {name!r} is of type {kind}: insectbot runs only {', '.join(KNOWN)}")


def flatten(graph: Any) -> Flat:
    """Return a graph laid flat, with all shapes known.

    Raises
    ------
    Unsupported
        If a node is of a type that insectbot cannot run.
    ConfigurationError, ShapeError
        If edges lead nowhere, or shapes do not fit or cannot be found out.
    """
    nodes, kinds, edges = _collect(graph, "")
    twice = sorted({e for e in edges if edges.count(e) > 1})
    if twice:
        raise ConfigurationError(f"NIR edge {twice[0][0]!r} -> {twice[0][1]!r} is given twice")
    for name, kind in kinds.items():
        if kind == "Input" and any(b == name for _, b in edges):
            raise ConfigurationError(f"NIR node {name!r}: an edge leads into an Input")
    taken, made = _shapes(nodes, kinds, edges)
    notes = _drop_batches(kinds, edges, taken, made)
    for a, b in edges:
        if math.prod(made[a]) != math.prod(taken[b]):
            raise ShapeError(f"NIR edge {a!r} -> {b!r}: {a!r} makes shape {made[a]}, {b!r} takes {taken[b]}")
    return Flat(nodes, kinds, tuple(edges), taken, made, tuple(notes))


def _drop_batches(
    kinds: Mapping[str, str], edges: list[tuple[str, str]], taken: dict[str, Shape], made: dict[str, Shape]
) -> list[str]:
    """Take Inputs without the dimensions of batch or time that exporters left in front; return notes."""
    notes = []
    for name in (n for n, kind in kinds.items() if kind == "Input"):
        shape, wanted = made[name], {taken[b] for a, b in edges if a == name}
        own = wanted.pop() if len(wanted) == 1 else shape
        if math.prod(own) != math.prod(shape) and shape[-len(own) :] == own:
            taken[name] = made[name] = own
            notes.append(f"NIR Input {name!r} of shape {shape}: taken as {own}, without dimensions of batch or time")
    return notes


def _collect(graph: Any, prefix: str) -> tuple[dict[str, Any], dict[str, str], list[tuple[str, str]]]:
    nodes: dict[str, Any] = {}
    kinds: dict[str, str] = {}
    edges: list[tuple[str, str]] = []
    ports: dict[str, dict[str, list[str]]] = {}
    for name, node in graph.nodes.items():
        full, kind = prefix + name, type(node).__name__
        if kind not in KNOWN:
            raise _refused(full, kind)
        inner, types = {full: node}, {full: kind}
        if kind == "NIRGraph":
            inner, types, more = _collect(node, full + ".")
            ports[name] = {k: [f"{full}.{n}" for n, x in node.nodes.items() if type(x).__name__ == k] for k in _ENDS}
            edges += more
        elif prefix and kind in _ENDS:
            shape = shape_from((node.input_type if kind == "Input" else node.output_type)[kind.lower()])
            inner, types = {full: Port(shape)}, {full: "Port"}
        if clash := sorted(set(inner) & set(nodes)):
            raise ConfigurationError(f"NIR node {clash[0]!r}: the name is used twice")
        nodes |= inner
        kinds |= types
    for a, b in graph.edges:
        for end in (a, b):
            if end not in graph.nodes:
                raise ConfigurationError(
                    f"NIR edge {prefix + a!r} -> {prefix + b!r}: there is no node {prefix + end!r}"
                )
        edges.append((_end(prefix + a, ports.get(a), "Output"), _end(prefix + b, ports.get(b), "Input")))
    return nodes, kinds, edges


_ENDS = ("Input", "Output")


def _end(name: str, ports: Mapping[str, list[str]] | None, side: str) -> str:
    """Return the node that an edge really meets: of a nested graph, its only Input or Output."""
    if ports is None:
        return name
    if len(ports[side]) != 1:
        raise ConfigurationError(
            f"NIR graph {name!r} has {len(ports[side])} {side} nodes: an edge can only mean it if there is one"
        )
    return ports[side][0]


def _shapes(
    nodes: Mapping[str, Any], kinds: Mapping[str, str], edges: list[tuple[str, str]]
) -> tuple[dict[str, Shape], dict[str, Shape]]:
    taken: dict[str, Shape] = {}
    made: dict[str, Shape] = {}

    def find(guess: bool) -> bool:
        found = False
        for name, kind in kinds.items():
            if name in made:
                continue
            given = next((made[a] for a, b in edges if b == name and a in made), None)
            shapes = _shape(kind, name, nodes[name], given, guess)
            if shapes is not None:
                (taken[name], made[name]), found = shapes, True
                if guess:
                    return True
        return found

    while len(made) < len(nodes):
        # Nodes with one value for all take the shape of what comes in; only if nothing does, they are one unit.
        if not find(False) and not find(True):
            missing = next(name for name in nodes if name not in made)
            raise ShapeError(f"NIR node {missing!r}: its shape cannot be found out; give the Input before it a shape")
    return taken, made


def _shape(kind: str, name: str, node: Any, given: Shape | None, guess: bool) -> tuple[Shape, Shape] | None:
    if kind in LINEAR:
        where = f"NIR {kind} {name!r}"
        shapes = shape_of(kind, where, node, given)
        if shapes is None and guess and kind in ("Scale", "Delay"):
            return shape_of(kind, where, node, (1,))
        return shapes
    if kind in SIZED:
        own = np.shape(getattr(node, SIZED[kind]))
        if math.prod(own) != 1:
            return own, own
        return (given, given) if given is not None else (((1,), (1,)) if guess else None)
    if kind == "Port":
        own = node.shape
    else:
        own = shape_from((node.input_type if kind == "Input" else node.output_type).get(kind.lower()))
    if kind == "Output" and given is None and not guess:
        return None  # what arrives says more than what exporters write there
    own = given if given is not None else own
    return None if own is None else (own, own)
