"""The raw entry point of exploration noise and node perturbation: integers in, traces out, to replay them elsewhere.

Neither exists in stock sPyNNaker: both are types of this project in the same arithmetic. Order of a tick:

1. Dopamine packets: for every group of tied synapses (one alone is a group) ``share = (pulse * sum of its
   eligibilities) // members``, 64 bits, floor; ``weight = cut(weight + ((share + extra) >> bits), low, high)``, floor;
   ``extra`` is the lowest ``bits`` bits of the draw (last key, tick, group), or 2^bits >> 1 for "nearest".
2. Where ``tick % period == 0``: every eligibility becomes ``(e * fade + 2^14) >> 15``; then for every neuron
   ``xi = ((memory * xi + 2^14) >> 15) + ((sigma * z + 2^14) >> 15)``, in 32 bits that wrap (counted), and
   ``signal = cut(((n * xi - sum of xi) * gain + 2^31) >> 32, -32767, 32767)``.
   ``z`` is the sum of the two 16-bit halves of six draws (first key, tick, 6 * neuron + 0..5), less 6 * 2^16 - 6, then
   ``>> 1``, floor: an accum of mean 0 and variance 1.
3. ``xi`` is a current of the neurons' update at this and all later ticks of the period.
4. A presynaptic spike: ``e = cut(e + signal of the target, -32767, 32767)``; the weight goes to the ring buffer.

A draw is ``insectbot.randomness.draw``. Cuts of signals and eligibilities are counted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from insectbot.chips import s1615 as k
from insectbot.chips import s1615_explore as se
from insectbot.errors import ConfigurationError, ShapeError

Ints = npt.NDArray[np.int64]
RANGES = {
    "memory": (0, k.ONE - 1),
    "sigma": (0, k.INT_MAX),
    "gain": (0, (1 << 53) - 1),
    "fade": (0, k.ONE - 1),
    "bits": (0, 31),
    "low": (0, k.WEIGHT_MAX),
    "high": (0, k.WEIGHT_MAX),
}
"""Raw parameter -> (smallest, largest) value."""


@dataclass(frozen=True)
class PerturbTrace:
    """What :func:`run_perturbation` returns.

    Attributes
    ----------
    noise, signal : ndarray of int64, shape (ticks, n)
        Accums of xi, and signals, during each tick.
    eligibility, weight : ndarray of int64, shape (ticks, n_synapses)
        At the end of each tick.
    eligibility_clips, wraps : int
        Signals and eligibilities that were cut; noise that left 32 bits.
    """

    noise: Ints
    signal: Ints
    eligibility: Ints
    weight: Ints
    eligibility_clips: int
    wraps: int


def _vector(name: str, value: npt.ArrayLike, size: int, low: int, high: int) -> Ints:
    array = np.asarray(value)
    if array.shape != (size,) or (size and array.dtype.kind not in "iu"):
        raise ShapeError(f"spinnaker perturbation: {name} of shape {array.shape} must be {size} integers")
    if size and (array.min() < low or array.max() > high):
        worst = int(array.min() if array.min() < low else array.max())
        raise ShapeError(f"spinnaker perturbation: {name} = {worst} must lie in {low}..{high}")
    return array.astype(np.int64)


def _parameters(given: dict[str, int]) -> dict[str, int]:
    if set(given) != set(RANGES):
        wrong = sorted(set(given) ^ set(RANGES))[0]
        raise ConfigurationError(f"spinnaker perturbation: {wrong!r}: needed are {', '.join(RANGES)}")
    for name, value in given.items():
        low, high = RANGES[name]
        if not low <= value <= high:
            raise ConfigurationError(f"spinnaker perturbation: {name} = {value} must lie in {low}..{high}")
    return given


def _fired(spikes: npt.ArrayLike, n: int, period: int, rounding: str) -> npt.NDArray[np.bool_]:
    fired = np.asarray(spikes).astype(np.bool_)
    if fired.ndim != 2 or n < 1 or period < 1:
        raise ShapeError(f"spinnaker perturbation: spikes {fired.shape} must be [ticks, n_pre], n and period positive")
    if rounding not in ("stochastic", "nearest"):
        raise ConfigurationError(f"spinnaker perturbation: rounding = {rounding!r} must be stochastic or nearest")
    return fired


def run_perturbation(
    *,
    spikes: npt.ArrayLike,
    pre: npt.ArrayLike,
    post: npt.ArrayLike,
    weight: npt.ArrayLike,
    n: int,
    period: int,
    keys: tuple[int, int],
    pulses: dict[int, int] | None = None,
    group: npt.ArrayLike | None = None,
    rounding: str = "stochastic",
    **parameters: int,
) -> PerturbTrace:
    """Run the noise of a population and one rule onto it; the module's docstring gives the order of a tick.

    Parameters
    ----------
    spikes : array_like of bool, shape (ticks, n_pre)
        Presynaptic spikes.
    pre, post : array_like of int, shape (n_synapses,)
        Source and target of each synapse.
    weight : array_like of int, shape (n_synapses,)
        Weights, 0..65535.
    n : int
        Neurons of the population.
    period : int
        Ticks between draws.
    keys : (int, int)
        64-bit keys of the noise and of rounding.
    pulses : dict of int to int, optional
        Tick -> pulse of dopamine, 32 bits with sign.
    group : array_like of int, shape (n_synapses,), optional
        Number of the group of each synapse; default: none is tied.
    rounding : {"stochastic", "nearest"}
        Of weights.
    **parameters
        ``memory``, ``sigma`` [accum] and ``gain`` [u0.32] of the noise; ``fade`` [accum], ``bits``, ``low`` and
        ``high`` of the rule; all needed.

    Raises
    ------
    ShapeError, ConfigurationError
        If an array or a parameter is out of its range.
    """
    p, fired = _parameters(parameters), _fired(spikes, n, period, rounding)
    source = np.asarray(pre, np.int64)
    size = source.size
    source = _vector("pre", source, size, 0, fired.shape[1] - 1)
    target = _vector("post", post, size, 0, n - 1).astype(np.int32)
    amount = _vector("weight", weight, size, 0, k.WEIGHT_MAX).astype(np.int32)
    groups = np.arange(size) if group is None else _vector("group", group, size, 0, (1 << 24) - 1)
    order = np.argsort(source, kind="stable")
    explorers = _explorers(p, n, period, keys, order, groups, rounding == "stochastic")
    synapses = (target[order], amount[order], np.ones(size, np.int32))
    rows = np.searchsorted(source[order], np.arange(fired.shape[1] + 1))
    return _run(fired, rows, synapses, pulses or {}, explorers)


def _explorers(
    p: dict[str, int], n: int, period: int, keys: tuple[int, int], order: Ints, groups: Ints, stochastic: bool
) -> tuple[npt.NDArray, ...]:
    """Return the arrays of one population and one rule, whose synapses lie in memory in ``order``."""
    slot = np.empty(order.size, np.int64)
    slot[order] = np.arange(order.size)
    rule = [0, p["fade"], p["bits"], p["low"], p["high"], int(stochastic)]
    return (
        np.array([[0, n, period, 0]], np.int64),
        np.array([[p["memory"], p["sigma"], p["gain"]]], np.int64),
        np.array(keys, np.uint64),
        np.zeros(n, np.int64),
        np.zeros(n, np.int64),
        np.array([rule], np.int64),
        np.array([0, order.size], np.int64),
        slot,
        groups,
        np.zeros((2, int(groups.max(initial=0)) + 1), np.int64),
        np.zeros((1, 1, 2), np.int64),
    )


def _run(fired: npt.NDArray, rows: Ints, synapses: tuple, pulses: dict[int, int], explorers: tuple) -> PerturbTrace:
    n, slot, ticks = explorers[3].size, explorers[7], fired.shape[0]
    counts, tags = np.zeros(k.N_COUNTS, np.int64), np.zeros(slot.size, np.int32)
    state, work, place = np.zeros((k.N_STATE, n), np.int64), np.zeros((1, 6), np.int64), np.zeros((2, n), np.int64)
    noise, signal, eligibility, weight = (np.zeros((ticks, m), np.int64) for m in (n, n, slot.size, slot.size))
    ring = np.zeros((2, 2 * n), np.uint16)
    for tick in range(ticks):
        if tick in pulses:
            se.pay(tick, 0, pulses[tick], explorers, synapses[1], tags, work, counts)
        se.explore(tick, explorers, tags, state, place, work, counts)
        for j in np.flatnonzero(fired[tick]):
            se.perturb(rows[j], rows[j + 1], tick, synapses, ring, explorers[4], tags, counts)
        noise[tick], signal[tick] = state[k.NOISE], explorers[4]
        eligibility[tick], weight[tick] = tags[slot], synapses[1][slot]
    return PerturbTrace(noise, signal, eligibility, weight, int(counts[k.ELIGIBILITY_CLIPS]), int(counts[k.WRAPS]))
