"""A whole network inside a NIR file's metadata: JSON, and arrays beside it. Other readers pass it over."""

from __future__ import annotations

import importlib
import json
import math
import pkgutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

import insectbot.snn
from insectbot.errors import ConfigurationError
from insectbot.snn.model import Model
from insectbot.snn.network import Network
from insectbot.snn.nir.dialect import Dialect
from insectbot.snn.nir.export import Written

KEY = "insectbot"
FORMAT = 1
LONG = 16
"""Tuples of more numbers than this become arrays."""
Arrays = dict[str, list[npt.NDArray[Any]]]


def pack(network: Network, dialect: Dialect) -> dict[str, Any]:
    """Return metadata from which :func:`unpack` makes the same network."""
    arrays: Arrays = {}
    text = json.dumps({"format": FORMAT, "dialect": _plain(dialect, arrays), "network": _plain(network, arrays)})
    # One data set per type: HDF5 takes kilobytes for each, and does not compress empty ones.
    joined = {kind: np.concatenate(parts) for kind, parts in arrays.items() if sum(a.size for a in parts)}
    return {"network": text, **({"arrays": joined} if joined else {})}


def unpack(metadata: Mapping[str, Any]) -> tuple[Network, Dialect]:
    """Return network and dialect of what :func:`pack` returned, possibly read from a file.

    Raises
    ------
    ConfigurationError
        If it is damaged, of a later format, or needs a model whose module is not imported.
    """
    try:
        text = metadata["network"]
        record = json.loads(text.decode() if isinstance(text, bytes) else text)
        if record["format"] > FORMAT:
            raise ConfigurationError(
                f"NIR metadata of insectbot: format {record['format']} is newer than {FORMAT}, the last known here; "
                "update insectbot, or take metadata=False"
            )
        arrays, known = metadata.get("arrays", {}), _classes()
        return _object(record["network"], arrays, known), _object(record["dialect"], arrays, known)
    except ConfigurationError:
        raise
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise ConfigurationError(
            f"NIR metadata of insectbot cannot be read ({type(error).__name__}: {error}); "
            "metadata=False takes the nodes alone"
        ) from None


def difference(written: Written, graph: Any) -> str | None:
    """Return what a graph has otherwise than it was written, such as ``"node 'a->b'"``, or None.

    NIR's own reader adds Inputs and Outputs at loose ends; these are no difference.
    """
    for name, node in written.nodes.items():
        other = graph.nodes.get(name)
        if other is None or not _equal(node, other):
            return f"node {name!r}"
    added = {n for n, node in graph.nodes.items() if n not in written.nodes and type(node).__name__ in _ENDS}
    if odd := sorted(set(graph.nodes) - set(written.nodes) - added):
        return f"node {odd[0]!r}"
    edges = {(a, b) for a, b in graph.edges if a not in added and b not in added}
    odd_edges = sorted(edges ^ set(written.edges))
    return f"edge {odd_edges[0][0]!r} -> {odd_edges[0][1]!r}" if odd_edges else None


_ENDS = ("Input", "Output")


def _equal(node: Any, other: Any) -> bool:
    if type(node).__name__ != type(other).__name__:
        return False
    mine, theirs = (x.to_dict() for x in (node, other))
    return all(np.array_equal(mine[k], theirs[k]) for k in mine if k != "metadata")


def _plain(value: Any, arrays: Arrays) -> Any:
    """Return a value as JSON has it; arrays go beside it."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, np.generic):
        return _plain(value.item(), arrays)
    if is_dataclass(value) and not isinstance(value, type):
        record = {f.name: _plain(getattr(value, f.name), arrays) for f in fields(value) if f.init}
        return {"class": _name(type(value)), "fields": record}
    if isinstance(value, np.ndarray):
        return {"array": _store(value, arrays)}
    if isinstance(value, tuple | list):
        kinds = {type(v) for v in value}
        if len(value) > LONG and kinds in ({int}, {float}):
            return {"tuple": _store(np.array(value, np.int64 if kinds == {int} else np.float64), arrays)}
        return [_plain(v, arrays) for v in value]
    if isinstance(value, Mapping):
        return {"mapping": [[_plain(k, arrays), _plain(v, arrays)] for k, v in value.items()]}
    raise ConfigurationError(f"{value!r} in a network is of type {type(value).__name__}, which no file can hold")


def _store(value: npt.NDArray[Any], arrays: Arrays) -> dict[str, Any]:
    """Put an array behind those of its type; return where it is."""
    kept = arrays.setdefault(value.dtype.str.lstrip("<|="), [])
    start = sum(a.size for a in kept)
    kept.append(value.ravel())
    return {"type": value.dtype.str.lstrip("<|="), "start": start, "shape": list(value.shape)}


def _object(value: Any, arrays: Mapping[str, Any], known: Mapping[str, type]) -> Any:
    """Undo :func:`_plain`."""
    if isinstance(value, list):
        return tuple(_object(v, arrays, known) for v in value)
    if not isinstance(value, dict):
        return value
    if "class" in value:
        made = {k: _object(v, arrays, known) for k, v in value["fields"].items()}
        return _class(value["class"], known)(**made)
    if "mapping" in value:
        return {_object(k, arrays, known): _object(v, arrays, known) for k, v in value["mapping"]}
    place = value["tuple"] if "tuple" in value else value["array"]
    size, start = math.prod(place["shape"]), place["start"]
    whole = np.asarray(arrays[place["type"]] if size else np.zeros(0, place["type"]))
    array = whole[start : start + size].reshape(place["shape"])
    if array.size != size:
        raise ValueError(f"{place['type']} values are missing")
    return tuple(array.tolist()) if "tuple" in value else array.copy()


def _name(kind: type) -> str:
    own = kind.__module__.startswith("insectbot.snn.")
    return kind.__name__ if own else f"{kind.__module__}:{kind.__qualname__}"


def _class(name: str, known: Mapping[str, type]) -> type:
    if name not in known:
        raise ConfigurationError(
            f"NIR metadata of insectbot: there is no {name}; import the module that defines it, "
            "or take metadata=False to have the nodes alone"
        )
    return known[name]


def _classes() -> dict[str, type]:
    """Return the classes that a file may name: those of this room, and models that are imported already.

    A file never makes Python import a module.
    """
    for module in pkgutil.iter_modules(insectbot.snn.__path__):
        importlib.import_module(f"insectbot.snn.{module.name}")
    modules = [m for n, m in list(sys.modules.items()) if n.startswith("insectbot.snn.")]
    own = (v for m in modules for v in vars(m).values() if isinstance(v, type) and is_dataclass(v))
    return {_name(k): k for k in (*own, *_below(Model)) if is_dataclass(k)}


def _below(kind: type) -> Iterator[type]:
    for child in kind.__subclasses__():
        yield child
        yield from _below(child)
