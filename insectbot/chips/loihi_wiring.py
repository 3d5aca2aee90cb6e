"""Synapses in blocks of targets: listed ones as they are, generated ones drawn block by block and never all at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from insectbot.snn.connect import FixedInDegree
from insectbot.snn.network import Network
from insectbot.snn.projection import Projection
from insectbot.snn.recipe import Recipe
from insectbot.snn.values import Constant
from insectbot.snn.wiring import rows

SPAN = 1 << 18
"""Targets per block of a generated projection."""


@dataclass(frozen=True, eq=False)
class Block:
    """Synapses of a projection onto some targets, by source, then delay, then target.

    Attributes
    ----------
    pre, post : ndarray of int32
        Source and target units.
    weight : ndarray of float32
        Weights.
    ticks : ndarray of int64
        Delays [steps].
    """

    pre: npt.NDArray
    post: npt.NDArray
    weight: npt.NDArray
    ticks: npt.NDArray


@dataclass(frozen=True, eq=False)
class Facts:
    """What the quantiser needs to know of all synapses of a projection.

    Attributes
    ----------
    n : int
        Number of synapses.
    low, high : float
        Smallest and largest weight; 0 without synapses.
    longest : int
        Longest delay [steps]; 0 without synapses.
    """

    n: int
    low: float
    high: float
    longest: int

    @property
    def top(self) -> float:
        """Largest absolute weight."""
        return max(-self.low, self.high, 0.0)

    @property
    def sign(self) -> str:
        """Sign mode of the weights: null, excitatory, inhibitory or mixed."""
        return sign_of(self.low, self.high)


def sign_of(low: float, high: float) -> str:
    """Return the sign mode of weights between two bounds."""
    return {(0, 0): "null", (1, 0): "excitatory", (0, 1): "inhibitory", (1, 1): "mixed"}[high > 0, low < 0]


def sizes(network: Network) -> dict[str, int]:
    """Return the number of units of every group."""
    return {g.name: g.n for g in network.groups}


def is_constant(projection: Projection) -> bool:
    """Tell whether all weights and delays of a generated projection are the same."""
    s = projection.synapses
    return isinstance(s, Recipe) and isinstance(s.weight, Constant) and isinstance(s.delay, Constant)


def block_of(projection: Projection, n_source: int, n_target: int, dt: float, low: int, high: int) -> Block:
    """Return the synapses onto targets ``low`` to ``high``; a generated projection draws them."""
    if isinstance(projection.synapses, Recipe):
        wide = high - low > 1 << 16
        found = rows(projection, n_source, n_target, dt, low=low, high=high, wide=wide)
        per_source = np.diff(found.start[found.segment])
        pre = np.repeat(np.arange(n_source, dtype=np.int32), per_source)
        post = found.target.astype(np.int32) + np.int32(low)
        return Block(pre, post, found.weight, np.repeat(found.delay, np.diff(found.start)))
    kept: slice | npt.NDArray = slice(None)
    if low > 0 or high < n_target:
        kept = np.flatnonzero((projection.post >= low) & (projection.post < high))
    ticks = np.rint(projection.delay[kept] / dt).astype(np.int64)
    return Block(projection.pre[kept], projection.post[kept], projection.weight[kept], ticks)


def span_of(projection: Projection, n_target: int) -> int:
    """Return how many targets to draw at a time: all at once where a rule draws the targets of each source."""
    s = projection.synapses
    return SPAN if isinstance(s, Recipe) and not s.rule.by_source else max(n_target, 1)


def blocks(projection: Projection, n_source: int, n_target: int, dt: float) -> Iterator[Block]:
    """Yield all synapses of a projection, block by block."""
    span = span_of(projection, n_target)
    for low in range(0, n_target, span):
        yield block_of(projection, n_source, n_target, dt, low, min(low + span, n_target))


def facts(projection: Projection, n_source: int, n_target: int, dt: float) -> Facts:
    """Return the facts of a projection; it is drawn only where its rule does not tell them."""
    s = projection.synapses
    if is_constant(projection) and isinstance(s, Recipe) and isinstance(s.weight, Constant):
        n, w = projection.n_synapses, float(np.float32(s.weight.value))
        return Facts(n, min(w, 0.0), max(w, 0.0), projection.max_ticks(dt)) if n else Facts(0, 0.0, 0.0, 0)
    n, low, high, longest = 0, 0.0, 0.0, 0
    for block in blocks(projection, n_source, n_target, dt):
        n += block.pre.size
        low = min(low, float(block.weight.min(initial=0.0)))
        high = max(high, float(block.weight.max(initial=0.0)))
        longest = max(longest, int(block.ticks.max(initial=0)))
    return Facts(n, low, high, longest)


def drive(
    projection: Projection, n_source: int, n_target: int, dt: float, factor: float, span: tuple[float, float] | None
) -> npt.NDArray[np.float64]:
    """Return the sum of positive weights and of negative weights (as positive numbers) of every target.

    Parameters
    ----------
    projection, n_source, n_target, dt
        As in :func:`block_of`.
    factor : float
        Multiplies every weight.
    span : (float, float) or None
        Take these as negative and positive weight of every synapse, as far as learning may drive it.
    """
    out = np.zeros((2, n_target))
    s = projection.synapses
    if isinstance(s, Recipe) and isinstance(s.rule, FixedInDegree) and (span is not None or is_constant(projection)):
        low, high = (float(np.float32(w)) for w in projection.weight_bounds) if span is None else span
        for row, value in enumerate((max(high * factor, 0.0), max(-low * factor, 0.0))):
            # One by one: the same rounding as for listed synapses.
            out[row] = sum([value] * s.rule.k, 0.0)
        return out
    for block in blocks(projection, n_source, n_target, dt):
        w = block.weight.astype(np.float64)
        low, high = (w, w) if span is None else (np.full(w.size, span[0]), np.full(w.size, span[1]))
        out[0] += np.bincount(block.post, np.maximum(high * factor, 0), n_target)
        out[1] += np.bincount(block.post, np.maximum(-low * factor, 0), n_target)
    return out
