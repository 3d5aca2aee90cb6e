"""A recipe translated into what the wiring kernels take: keys, modes, tables, scratch."""

from __future__ import annotations

import hashlib
import math
from typing import Any

import numpy as np
import numpy.typing as npt

from insectbot.errors import ConfigurationError
from insectbot.snn import wiring_kernels as kernels
from insectbot.snn import wiring_partners as modes
from insectbot.snn.connect import (
    AllToAll,
    Connector,
    FixedInDegree,
    FixedNumber,
    FixedOutDegree,
    FixedProbability,
    OneToOne,
)
from insectbot.snn.connect_space import Convolution, DistanceDependent
from insectbot.snn.recipe import Recipe
from insectbot.snn.validate import whole_ticks
from insectbot.snn.values import Constant, Uniform, Value

MOST_DELAYS = 10_000
"""Limit on the steps a random delay may span: every source counts its synapses for each of them."""
_EMPTY = np.zeros(1)


def delay_table(recipe: Recipe, dt: float) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint64]]:
    """Return the possible delays [steps], ascending, and for each the end of its share of the 2^32 draws.

    Drawn delays are rounded to the nearest step, those below one step to one.
    """
    value, where = recipe.delay, recipe.sizes.where
    if isinstance(value, Constant):
        ticks = whole_ticks(where, "a delay", value.value, dt)
        return np.array([ticks]), np.zeros(1, np.uint64)
    first, last = (max(1, round(bound / dt)) for bound in value.bounds())
    if last - first >= MOST_DELAYS:
        raise ConfigurationError(
            f"{where}: delays of {first} to {last} steps of dt = {dt} ms, at most {MOST_DELAYS} different ones; "
            "narrow them or take a larger dt"
        )
    ticks = np.arange(first, last + 1)
    share = [round(value.cumulative((tick + 0.5) * dt) * 2**32) for tick in range(first, last)]
    end = np.array([*share, 2**32], np.uint64)
    some = np.diff(end.astype(np.int64), prepend=0) > 0
    return ticks[some], end[some]


def key_of(recipe: Recipe, purpose: str) -> np.uint64:
    """Return the odd 64-bit key of one kind of draw (pair, thin, weight, delay, target) of a recipe."""
    text = f"insectbot {recipe.seed} {recipe.stream} {purpose}"
    return np.uint64(int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little") | 1)


class Walk:
    """A recipe translated into arguments of the kernel."""

    def __init__(self, recipe: Recipe, threshold: npt.NDArray[np.uint64], targets: tuple[int, int]) -> None:
        rule, sizes = recipe.rule, recipe.sizes
        keys = np.array([key_of(recipe, purpose) for purpose in ("pair", "thin", "weight", "delay")])
        units = (0, recipe.n_source) if rule.by_source else targets
        degree = _degree(recipe)
        pool = rule.pool(sizes)
        mode, whole, real, place, most = _mode(rule, pool, degree)
        kind, law, table = _law(rule, recipe.weight)
        guide = np.searchsorted(
            threshold, np.arange(1 << kernels.GUIDE_BITS, dtype=np.uint64) << kernels.GUIDE, "right"
        )
        # The scratch of a unit: a mark per candidate, its partners, their weights.
        self.arguments = (
            *(units, rule.by_source, *targets, mode, pool, rule.alone(sizes), degree, whole, real, keys, place),
            *(np.empty(max(pool, 1), np.int64), np.empty(max(most, 1), np.int64), np.empty(max(most, 1))),
            *(kind, law, table, threshold, guide.astype(np.uint16)),
        )

    def count(self, cursor: npt.NDArray[np.int64], target_type: Any = np.uint16, weight_type: Any = np.float32) -> None:
        """Count the synapses of each (source, delay) into ``cursor``; types are those of a later :meth:`fill`."""
        kernels.walk(*self.arguments, cursor, False, np.empty(0, target_type), np.empty(0, weight_type))

    def fill(self, cursor: npt.NDArray[np.int64], target: npt.NDArray[Any], weight: npt.NDArray[Any]) -> None:
        """Write targets and weights from where ``cursor`` says each (source, delay) starts."""
        kernels.walk(*self.arguments, cursor, True, target, weight)


def _degree(recipe: Recipe) -> npt.NDArray[np.int64]:
    """Return the number of partners of each unit, for rules that fix it."""
    rule = recipe.rule
    if isinstance(rule, FixedNumber):
        out = np.zeros(recipe.n_target, np.int64)
        kernels.degrees(rule.n, key_of(recipe, "target"), out)
        return out
    n_units = recipe.n_source if rule.by_source else recipe.n_target
    return np.full(n_units, rule.k if isinstance(rule, FixedInDegree | FixedOutDegree) else 0)


def _mode(rule: Connector, pool: int, degree: npt.NDArray[np.int64]) -> tuple[Any, ...]:
    """Return mode, whole and real parameters, positions, and the largest number of partners."""
    whole, real, nowhere = np.zeros(11, np.int64), np.zeros(2), np.zeros((1, 1))
    place, most = (nowhere, nowhere, nowhere), pool
    if isinstance(rule, AllToAll):
        mode = modes.ALL
    elif isinstance(rule, OneToOne):
        mode, most = modes.ONE, 1
    elif isinstance(rule, FixedInDegree | FixedOutDegree | FixedNumber):
        mode = modes.REPEATED if getattr(rule, "multapses", True) else modes.DISTINCT
        most = int(degree.max())
    elif isinstance(rule, FixedProbability):
        mode, real[0] = modes.BERNOULLI, _per_log(rule.p)
    elif isinstance(rule, DistanceDependent):
        gaussian = rule.kernel == "gaussian"
        mode, whole[0] = modes.NEAR, gaussian
        real[:] = _per_log(rule.p_max), 2.0 * rule.sigma**2 if gaussian else rule.sigma
        source, target = np.array(rule.source_positions), np.array(rule.target_positions)
        extent = np.zeros(source.shape[1]) if rule.extent is None else np.array(rule.extent)
        place = (target, source, extent[None])
    elif isinstance(rule, Convolution):
        shape = (*rule.shape, *np.shape(rule.kernel)[2:], *np.ravel(rule.stride), *np.ravel(rule.padding))
        mode, whole[:] = modes.TAPS, (*shape, *rule.output_shape[1:])
        most = int(np.prod(np.shape(rule.kernel)[1:]))
    else:
        raise ConfigurationError(f"{type(rule).__name__} is not a rule that can be drawn; list its synapses instead")
    return mode, whole, real, place, most


def _per_log(p: float) -> float:
    """Return 1 / log(1 - p), with the limits that make no jump at p = 1 and an endless one at p = 0."""
    return -math.inf if p == 0.0 else -0.0 if p == 1.0 else 1.0 / math.log1p(-p)


def _law(rule: Connector, weight: Value | None) -> tuple[int, npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return how weights are drawn: kind, parameters, table."""
    if weight is None:
        return kernels.TABLE, np.zeros(6), np.array(rule.weights(), np.float64)
    if isinstance(weight, Constant):
        return kernels.CONSTANT, np.zeros(6), _EMPTY
    if isinstance(weight, Uniform):
        return kernels.UNIFORM, np.array([weight.low, weight.high - weight.low, 0.0, 1.0, 0.0, 0.0]), _EMPTY
    below, above = weight.tails()
    low, high = weight.bounds()
    return kernels.NORMAL, np.array([weight.mean, weight.sd, below, above - below, low, high]), _EMPTY
