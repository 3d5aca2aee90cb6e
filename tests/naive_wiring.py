"""Connection rules in plain Python, from the same counter draws: the oracle of the jitted wiring."""

from __future__ import annotations

import itertools
import math
from statistics import NormalDist

import numpy as np

from insectbot.snn import (
    AllToAll,
    Constant,
    Convolution,
    DistanceDependent,
    FixedInDegree,
    FixedNumber,
    FixedOutDegree,
    FixedProbability,
    OneToOne,
    Uniform,
)
from insectbot.snn.wiring_plan import key_of

MASK = (1 << 64) - 1


def squares(counter, key):
    """Return 32 bits by Widynski's four rounds, in Python integers."""
    x = y = counter * key & MASK
    z = y + key & MASK
    for add in (y, z, y):
        x = x * x + add & MASK
        x = (x >> 32 | x << 32) & MASK
    return (x * x + z & MASK) >> 32


class Draws:
    """The draws of one recipe, by purpose, unit and k."""

    def __init__(self, recipe):
        self.keys = {p: int(key_of(recipe, p)) for p in ("pair", "thin", "weight", "delay", "target")}

    def bits(self, purpose, unit, k):
        return squares(unit << 32 | k, self.keys[purpose])

    def below(self, purpose, unit, k, n):
        return self.bits(purpose, unit, k) * n >> 32

    def chance(self, purpose, unit, k):
        return (self.bits(purpose, unit, k) + 0.5) / 2**32


def synapses(recipe, dt):
    """Return the synapses (source, ticks, target, weight) of a recipe in projection order."""
    draws, rule, found = Draws(recipe), recipe.rule, []
    for unit, partner, k in pairs(recipe, draws):
        source, target = (unit, partner) if isinstance(rule, FixedOutDegree) else (partner, unit)
        weight = (
            np.ravel(rule.kernel)[k]
            if isinstance(rule, Convolution)
            else value(recipe.weight, draws.chance("weight", unit, k))
        )
        delay = value(recipe.delay, draws.chance("delay", unit, k))
        found.append((source, max(1, round(delay / dt)), target, k, weight))
    return [(source, ticks, target, weight) for source, ticks, target, _, weight in sorted(found)]


def value(law, u):
    """Return the value of a law at probability u."""
    if isinstance(law, Constant):
        return law.value
    if isinstance(law, Uniform):
        return law.low + u * (law.high - law.low)
    below, above = law.tails()
    return law.mean + law.sd * NormalDist().inv_cdf(below + u * (above - below))


def pairs(recipe, draws):
    """Yield (unit, partner, k): units are targets, but sources for FixedOutDegree."""
    rule = recipe.rule
    n_units, n_partners = recipe.n_target, recipe.n_source
    if isinstance(rule, FixedOutDegree):
        n_units, n_partners = n_partners, n_units
    in_degree = [0] * n_units
    if isinstance(rule, FixedNumber):
        for k in range(rule.n):
            in_degree[draws.below("target", 0, k, n_units)] += 1
    for unit in range(n_units):
        candidates = [j for j in range(n_partners) if j != unit or not recipe.recurrent or allows(rule)]
        n = len(candidates)
        match rule:
            case AllToAll():
                chosen = enumerate(candidates)
            case OneToOne():
                chosen = [(0, unit)]
            case FixedInDegree() | FixedOutDegree() if not rule.multapses:
                chosen = enumerate(candidates[j] for j in floyd(rule.k, n, draws, unit))
            case FixedInDegree() | FixedOutDegree():
                chosen = enumerate(candidates[draws.below("pair", unit, k, n)] for k in range(rule.k))
            case FixedNumber():
                chosen = enumerate(candidates[draws.below("pair", unit, k, n)] for k in range(in_degree[unit]))
            case FixedProbability():
                chosen = enumerate(candidates[j] for j in jumps(rule.p, n, draws, unit))
            case DistanceDependent():
                drawn = enumerate(candidates[j] for j in jumps(rule.p_max, n, draws, unit))
                chosen = [(k, j) for k, j in drawn if draws.bits("thin", unit, k) / 2**32 < fall(rule, j, unit)]
            case Convolution():
                chosen = taps(rule, unit)
        yield from ((unit, partner, k) for k, partner in chosen)


def allows(rule):
    """Tell whether a rule lets a unit connect to itself."""
    return getattr(rule, "self_connections", True)


def floyd(degree, n, draws, unit):
    """Draw different numbers below n."""
    drawn = []
    for k in range(degree):
        pick = draws.below("pair", unit, k, n - degree + k + 1)
        drawn.append(n - degree + k if pick in drawn else pick)
    return drawn


def jumps(p, n, draws, unit):
    """Yield numbers below n, each with probability p."""
    at = -1
    for k in itertools.count():
        u = draws.chance("pair", unit, k)
        at += 1 + (0 if p == 1 else math.floor(min(math.log(u) / math.log1p(-p), n)) if p else n)
        if at >= n:
            return
        yield at


def fall(rule, source, target):
    """Return the probability of a pair relative to p_max."""
    step = np.subtract(rule.target_positions[target], rule.source_positions[source])
    if rule.extent is not None:
        images = [np.abs(step + shift * np.array(rule.extent)) for shift in (-1, 0, 1)]
        step = np.min(images, axis=0)
    d = math.sqrt(float(np.sum(step**2)))
    return math.exp(-(d**2) / (2 * rule.sigma**2)) if rule.kernel == "gaussian" else math.exp(-d / rule.sigma)


def taps(rule, unit):
    """Yield (kernel position, source) of what a unit of a convolution sees."""
    _, height, width = rule.shape
    out, y, x = np.unravel_index(unit, rule.output_shape)
    for k, (o, c, i, j) in enumerate(np.ndindex(rule.kernel.shape)):
        row, column = y * rule.stride[0] - rule.padding[0] + i, x * rule.stride[1] - rule.padding[1] + j
        if o == out and 0 <= row < height and 0 <= column < width:
            yield k, (c * height + row) * width + column
