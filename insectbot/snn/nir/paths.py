"""Which populations of a NIR graph reach which others, and through what map: chains of linear nodes composed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from insectbot.errors import ConfigurationError
from insectbot.snn.nir.entries import Entries
from insectbot.snn.nir.graph import SIZED, Flat
from insectbot.snn.nir.linear import LINEAR, bias_of, entries_of


@dataclass(frozen=True)
class Signal:
    """A sum of mapped sources and a constant.

    Attributes
    ----------
    parts : mapping of str to Entries
        Source node -> map from its units.
    constant : ndarray of float64
        What is added; the sum of all biases on the way.
    """

    parts: Mapping[str, Entries]
    constant: npt.NDArray[np.float64]


def incoming(flat: Flat, names: Iterable[str]) -> dict[str, Signal]:
    """Return what each of some nodes takes, in terms of Inputs and populations.

    Raises
    ------
    ConfigurationError
        If linear nodes form a loop without a neuron in it.
    """
    walk = _Walk(flat)
    return {name: walk.into(name, ()) for name in names}


class _Walk:
    def __init__(self, flat: Flat) -> None:
        self.flat = flat
        self.known: dict[str, Signal] = {}

    def into(self, name: str, path: tuple[str, ...]) -> Signal:
        """Return the sum of what comes into a node."""
        n = math.prod(self.flat.taken[name])
        parts: dict[str, Entries] = {}
        constant = np.zeros(n)
        for before in self.flat.before(name):
            signal = self.out_of(before, path)
            constant = constant + signal.constant
            for source, part in signal.parts.items():
                parts[source] = parts[source].plus(part) if source in parts else part
        return Signal(parts, constant)

    def out_of(self, name: str, path: tuple[str, ...]) -> Signal:
        """Return what a node makes."""
        if name in path:
            loop = path[path.index(name) :]
            raise ConfigurationError(f"NIR nodes {', '.join(map(repr, loop))} form a loop without a neuron in it")
        if name not in self.known:
            self.known[name] = self._out_of(name, path)
        return self.known[name]

    def _out_of(self, name: str, path: tuple[str, ...]) -> Signal:
        kind, made = self.flat.kinds[name], self.flat.made[name]
        n = math.prod(made)
        if kind == "Input" or kind in SIZED:
            return Signal({name: Entries.diagonal(np.ones(n))}, np.zeros(n))
        signal = self.into(name, (*path, name))
        if kind not in LINEAR:
            return signal
        where = f"NIR {kind} {name!r}"
        own = entries_of(kind, where, self.flat.nodes[name], self.flat.taken[name], made)
        bias = bias_of(kind, where, self.flat.nodes[name], made)
        constant = own.of_constant(signal.constant)
        parts = {source: own.after(part) for source, part in signal.parts.items()}
        return Signal(parts, constant if bias is None else constant + bias)
