"""Simulated annealing of where cores sit on the chip: fewer message hops, the same network."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from insectbot.chips.topology import Topology
from insectbot.jit import kernel
from insectbot.randomness import uniform

Vector = npt.NDArray[np.int64]


@kernel
def _swap_gain(a: int, b: int, position: Any, row: Any, other: Any, weight: Any, distance: Any) -> float:
    """Return by how much messages x hops fall if the cores at places ``a`` and ``b`` change places."""
    gain = 0.0
    for one, two in ((a, b), (b, a)):
        for k in range(row[one], row[one + 1]):
            if other[k] != two:
                there = position[other[k]]
                gain += weight[k] * (distance[position[one], there] - distance[position[two], there])
    return gain


@kernel
def _anneal(position: Any, row: Any, other: Any, weight: Any, distance: Any, key: Any, n: int, start: float) -> float:
    """Swap places ``n`` times, cooling from ``start`` to a thousandth of it; return the total gain."""
    total, cores = 0.0, position.size
    for step in range(n):
        a = int(uniform(key, step, 0) * cores)
        b = int(uniform(key, step, 1) * cores)
        if a == b:
            continue
        gain = _swap_gain(a, b, position, row, other, weight, distance)
        heat = start * 0.001 ** (step / n)
        if gain >= 0.0 or uniform(key, step, 2) < np.exp(gain / heat):
            position[a], position[b] = position[b], position[a]
            total += gain
    return total


def annealed(edges: Vector, n_cores: int, topology: Topology, *, seed: int = 0, sweeps: int = 1000) -> Vector:
    """Return the place of each core that makes messages x hops small.

    Parameters
    ----------
    edges : ndarray of int64, shape (n, 3)
        (source core, destination core, messages) between cores of the placement.
    n_cores : int
        Cores of the placement.
    topology : Topology
        The network; a core may sit on any place of it, also on one that the placement left empty.
    seed : int
        Of the swaps.
    sweeps : int
        Tried swaps per place.

    Returns
    -------
    ndarray of int64, shape (n_cores,)
        A placement is left as it is where annealing gains nothing.
    """
    places = topology.cores * topology.chip_columns * topology.chip_rows
    places = min(places, max(4 * n_cores, 64))  # a small network has no use for the far end of a large chip
    number = np.arange(places)
    distance = np.stack([sum(topology.hops(np.full(places, p), number)) for p in number]).astype(np.float64)
    off = edges[edges[:, 0] != edges[:, 1]]
    if not off.size:
        return np.arange(n_cores)
    both = np.concatenate([off, off[:, [1, 0, 2]]])
    both = both[np.argsort(both[:, 0], kind="stable")]
    row = np.searchsorted(both[:, 0], np.arange(places + 1)).astype(np.int64)
    position = np.arange(places)
    # A swap changes about what a core sends: hot enough that at first nearly every swap is taken.
    start = float(both[:, 2].sum()) / n_cores
    key = np.uint64((2 * seed + 1) * 0x9E3779B97F4A7C15 % (1 << 64))
    weight = both[:, 2].astype(np.float64)
    gained = _anneal(position, row, both[:, 1], weight, distance, key, sweeps * places, start)
    return position[:n_cores].copy() if gained > 0 else np.arange(n_cores)
