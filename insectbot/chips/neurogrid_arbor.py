"""Neurogrid's shared dendrite: how conductance spreads between neighbours of a hexagonal grid."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import numpy.typing as npt

Vector = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Arbor = tuple[Vector, Vector, Floats]

REACH = 5.0
"""Lengths at which the spread is cut off."""
MOST_ENTRIES = 5e7
"""Pairs of neurons that an emulated shared dendrite may join."""
_CHUNK = 1 << 20


def neighbours(length: float) -> float:
    """Return how many neurons of an endless grid a decay length reaches, about: a disc on hexagons of area 0.866."""
    return math.pi * (REACH * length) ** 2 / math.sqrt(0.75)


def place_of(number: npt.ArrayLike, columns: int) -> tuple[Floats, Floats]:
    """Return (x, y) of neurons on the grid, in distances between neighbours: every second row is half a step right."""
    y, x = np.divmod(np.asarray(number, np.int64), columns)
    return x + 0.5 * (y % 2), y * math.sqrt(0.75)


def no_arbor() -> Arbor:
    """Return the arbor that is switched off."""
    return np.zeros(1, np.int64), np.zeros(0, np.int64), np.zeros(0)


def arbor_of(start: Vector, columns: int, length: float) -> Arbor:
    """Return the spread of a shared dendrite as (row, source, share): neuron j gathers entries row[j] to row[j + 1].

    The share falls as ``exp(-r / length)`` (chips sheet 6) and is normalised so that an endless grid keeps the whole
    current; what would go beyond the edge of the neurons in use is lost.

    Parameters
    ----------
    start : ndarray of int64, shape (n_cores + 1,)
        First neuron of every core; nothing spreads between cores.
    columns : int
        Neurons in a row of the grid.
    length : float
        Decay length in distances between neighbours; 0 switches the arbor off.
    """
    if length <= 0.0:
        return no_arbor()
    reach = math.ceil(REACH * length)
    dy, dx = (a.ravel() for a in np.mgrid[-reach - 1 : reach + 2, -reach - 1 : reach + 2])
    norm = _shares(dx + 0.5 * (dy % 2), dy * math.sqrt(0.75), length).sum()
    rows, sources, shares = [np.zeros(1, np.int64)], [], []
    size = max(_CHUNK // dx.size, 1)
    for first, last in pairwise(start.tolist()):
        for low in range(0, last - first, size):
            number = np.arange(low, min(low + size, last - first))
            y, x = np.divmod(number, columns)
            # Each row of the grid is shifted, so a neighbour's place depends on the row it is in.
            near_y, near_x = y[:, None] + dy, x[:, None] + dx
            near = near_y * columns + near_x
            inside = (near_y >= 0) & (near_x >= 0) & (near_x < columns) & (near < last - first)
            x1, y1 = place_of(np.where(inside, near, 0), columns)
            x0, y0 = place_of(number, columns)
            share = np.where(inside, _shares(x1 - x0[:, None], y1 - y0[:, None], length), 0.0) / norm
            keep = share > 0.0
            rows.append(rows[-1][-1] + np.cumsum(keep.sum(axis=1)))
            sources.append((first + near)[keep])
            shares.append(share[keep])
    return np.concatenate(rows), np.concatenate(sources).astype(np.int64), np.concatenate(shares)


def _shares(dx: npt.NDArray, dy: npt.NDArray, length: float) -> Floats:
    distance = np.hypot(dx, dy)
    return np.where(distance <= REACH * length + 1e-9, np.exp(-distance / length), 0.0)
