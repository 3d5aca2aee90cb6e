"""Rows of a projection as a simulator walks them: by source, cut into segments of equal delay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from insectbot.errors import ConfigurationError, ShapeError
from insectbot.snn.projection import Projection, Synapses
from insectbot.snn.recipe import Recipe
from insectbot.snn.values import Constant
from insectbot.snn.wiring_plan import Walk, delay_table


@dataclass(frozen=True, eq=False)
class Rows:
    """Synapses sorted by source, then delay, then target: source s owns segments ``segment[s] : segment[s + 1]``.

    Attributes
    ----------
    segment : ndarray of int64, shape (n_source + 1,)
        First segment of each source.
    start : ndarray of int64, shape (n_segments + 1,)
        First synapse of each segment.
    delay : ndarray of int64, shape (n_segments,)
        Delay of each segment [steps of dt], >= 1.
    target : ndarray of uint16 or int32, shape (n_synapses,)
        Target unit less ``low``; ascending in a segment.
    weight : ndarray of float32 or float64, shape (n_synapses,)
        Initial weights.
    """

    segment: npt.NDArray[np.int64]
    start: npt.NDArray[np.int64]
    delay: npt.NDArray[np.int64]
    target: npt.NDArray[Any]
    weight: npt.NDArray[Any]


def rows(
    projection: Projection,
    n_source: int,
    n_target: int,
    dt: float,
    *,
    low: int = 0,
    high: int | None = None,
    wide: bool = False,
    float64: bool = False,
) -> Rows:
    """Return the synapses of a projection onto the targets ``low <= i < high``, renumbered from ``low``.

    A generated projection is drawn here, twice, straight into its rows: beyond them it needs memory per source, delay
    and target, none per synapse. Its synapses do not depend on ``low`` and ``high``. Threads may call this at once.

    Parameters
    ----------
    projection : Projection
        What to lay out.
    n_source, n_target : int
        Numbers of units of its groups.
    dt : float
        Step [ms], > 0.
    low, high : int
        Range of targets; ``high`` = None for ``n_target``.
    wide : bool
        Whether targets are int32; else uint16, for at most 65 536 of them.
    float64 : bool
        Whether weights are float64; else float32.

    Raises
    ------
    ShapeError
        If the projection was generated for groups of other sizes, or the targets are too many for uint16.
    ConfigurationError
        If a delay is not a whole number of steps, or random delays span more than 10 000 steps.
    """
    high = n_target if high is None else high
    if not wide and high - low > 1 << 16:
        raise ShapeError(f"projection {projection.name!r}: {high - low} targets exceed 65536, ask for wide ones")
    kinds = np.dtype(np.int32 if wide else np.uint16), np.dtype(np.float64 if float64 else np.float32)
    if isinstance(projection.synapses, Recipe):
        projection.check_sizes(n_source, n_target)
        return _generated(projection.synapses, delay_table(projection.synapses, dt), (low, high), *kinds)
    return _listed(projection.synapses, n_source, dt, (low, high), *kinds)


def expand(recipe: Recipe) -> Synapses:
    """List the synapses of a recipe, in projection order."""
    if isinstance(recipe.delay, Constant):
        # One step of any length: the order does not depend on the grid.
        step, table = recipe.delay.value, (np.ones(1, np.int64), np.zeros(1, np.uint64))
    elif recipe.dt is None:
        raise ConfigurationError(
            f"{recipe.sizes.where}: random delays need the step of a network; put it in one or call on_grid(dt)"
        )
    else:
        step, table = recipe.dt, delay_table(recipe, recipe.dt)
    # The narrow type wherever it fits: then one compiled walk serves both lists and rows.
    index = np.dtype(np.uint16 if recipe.n_target <= 1 << 16 else np.int32)
    found = _generated(recipe, table, (0, recipe.n_target), index, np.dtype(np.float32))
    pre = np.repeat(np.arange(recipe.n_source, dtype=np.int32), np.diff(found.start[found.segment]))
    delay = np.repeat(found.delay.astype(np.float64) * step, np.diff(found.start))
    return Synapses(pre, found.target.astype(np.int32, copy=False), found.weight, delay)


def count(recipe: Recipe) -> int:
    """Return the number of synapses of a recipe, by drawing them if need be."""
    known = recipe.rule.count(recipe.sizes)
    if known is not None:
        return known
    cursor = np.zeros(recipe.n_source, np.int64)
    Walk(recipe, np.zeros(1, np.uint64), (0, recipe.n_target)).count(cursor)
    return int(cursor.sum())


def _generated(
    recipe: Recipe,
    delays: tuple[npt.NDArray[np.int64], npt.NDArray[np.uint64]],
    targets: tuple[int, int],
    target_type: np.dtype,
    weight_type: np.dtype,
) -> Rows:
    ticks, threshold = delays
    walk = Walk(recipe, threshold, targets)
    cursor = np.zeros(recipe.n_source * ticks.size, np.int64)
    walk.count(cursor, target_type, weight_type)
    filled = np.flatnonzero(cursor)
    start = np.append(0, np.cumsum(cursor[filled]))
    segment = np.searchsorted(filled, np.arange(recipe.n_source + 1) * ticks.size)
    cursor[filled] = start[:-1]
    target = np.empty(start[-1], target_type)
    if isinstance(recipe.weight, Constant):
        weight = np.full(start[-1], recipe.weight.value, weight_type)
    else:
        weight = np.empty(start[-1], weight_type)
    walk.fill(cursor, target, weight)
    return Rows(segment, start, ticks[filled % ticks.size], target, weight)


def _listed(
    lists: Synapses, n_source: int, dt: float, targets: tuple[int, int], target_type: np.dtype, weight_type: np.dtype
) -> Rows:
    low, high = targets
    pre, post, weight, delay = lists.pre, lists.post, lists.weight, lists.delay
    if post.size and (post.min() < low or post.max() >= high):
        kept = np.flatnonzero((post >= low) & (post < high))
        pre, post, weight, delay = pre[kept], post[kept], weight[kept], delay[kept]
    ticks = np.rint(delay / dt).astype(np.int64)
    new = np.ones(pre.size, bool)
    new[1:] = (np.diff(pre) != 0) | (np.diff(ticks) != 0)
    first = np.flatnonzero(new)
    segment = np.searchsorted(pre[first], np.arange(n_source + 1))
    start = np.append(first, pre.size)
    target = np.subtract(post, low, dtype=target_type, casting="unsafe")
    return Rows(segment, start, ticks[first], target, weight.astype(weight_type))
