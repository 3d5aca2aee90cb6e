"""The rule-level entry point of the learning engine: raw spikes and host writes in, integer traces and weights out.

Order of a tick in :func:`run_learning`:

1. Host passes, if any: the reward pass (y2 holds a positive, y3 a negative reward while it lasts), then the noise pass
   (its products act on the traces of now; then the noise is written into y2 where positive and y3 where negative).
2. Every trace decays by one step: ``round(trace * keep / 2^16)`` with ``keep = nearest(2^16 * exp(-1 / tau))``.
3. The y traces are noted for this tick of the epoch. A spike adds ``round(impulse)`` (8 fractional bits); a trace is
   cut at 127. The x traces are noted then: presynaptic spikes come first on a tie.
4. The tick of a neuron's last spike in the epoch is kept.
5. At the end of an epoch of ``t_epoch`` ticks each synapse takes its products, if its source or its target spiked, or
   a product with ``u_k`` is due (epochs count from 1; due where 2^k divides them).

A synapse starts from ``w << 7`` and ``t << 7``. For each product in order: multiply mantissa and factors (each variable
plus its constant, cut to -2^n .. 2^n - 1 with n = 7 bits for traces, 9 for w and t, 8 for a constant), shift right
(floor) by ``max(0, sum of n + 4 - 15)``, shift left by the exponent (right if negative), cut to -2^15 .. 2^15 - 1, add
to the accumulator, cut that alike. Products with ``x0`` read the traces noted at the last spike of the source, with
``y0`` at that of the target, with ``u_k`` at the last tick of the epoch. Then w is rounded by 7 bits plus the low bits
that the stored weight does not have, t by 7 bits; w is cut to the sign mode, t to -256..255.

Rounding: ``floor(x + r)`` with ``r`` uniform (stochastic), 1/2 (nearest) or 0 (floor). Random bits: per use and tick 64
bits of Squares (:mod:`insectbot.randomness`: the draws of units 0 and 1), to which neuron or synapse i (numbered by
source, then target) adds i times 0x9E3779B97F4A7C15. A trace takes the top 16 of the sum for its decay and the lowest 8
of the next 16 for its impulse, a synapse the top 16 for w and the next 16 for t (low bits of them where fewer count).
Keys are ``stream_key(seed, 5000 + i)``: 0..4 for x1 x2 y1 y2 y3, 5 for epochs, 6 for host passes (plus 6
for a reward, 8 for noise).

After a reward pass the embedded processor gives synapses of a group the mean of their changes, rounded down to what can
be stored; it keeps the remainder, in 2^-16, for the next reward. Then it cuts weights to ``bounds``.

Lava's connection process (tagged bit-approximate) decays a trace over several ticks with one rounding, lets y traces
take part with the spikes of their tick, and leaves the 4 bits of the mantissa out of the shift.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from insectbot.chips import cuba_int
from insectbot.chips import cuba_learn as k
from insectbot.chips.engine import W_UPDATES
from insectbot.chips.loihi_microcode import Microcode
from insectbot.chips.loihi_plastic import STREAM, traces_of, wires_of
from insectbot.core.random import stream_key
from insectbot.errors import ShapeError

Ints = npt.NDArray[np.integer]


@dataclass(frozen=True)
class LearningTrace:
    """What :func:`run_learning` returns.

    Attributes
    ----------
    weights, tags : ndarray of int32, shape (ticks, n_post, n_pre)
        Mantissas and tags at the end of each tick; 0 where there is no synapse.
    x : ndarray of int32, shape (ticks, 2, n_pre)
        Traces x1 and x2 at the end of each tick.
    y : ndarray of int32, shape (ticks, 3, n_post)
        Traces y1, y2 and y3.
    updates, tag_clips, trace_clips : int
        Synapse updates; tags and traces that were cut.
    """

    weights: npt.NDArray[np.int32]
    tags: npt.NDArray[np.int32]
    x: npt.NDArray[np.int32]
    y: npt.NDArray[np.int32]
    updates: int
    tag_clips: int
    trace_clips: int


@dataclass(frozen=True)
class Host:
    """What the host and the embedded processors do in :func:`run_learning`.

    Attributes
    ----------
    rewards : array_like of int, shape (ticks,), or None
        Reward written before each tick, -127..127; 0 for none.
    noise : array_like of int, shape (ticks, n_post), or None
        Exploration signal, -127..127; written before the ticks that ``noise_period`` divides.
    noise_period : int
        Ticks between noise passes.
    bounds : (int, int) or None
        What weights are cut to after a reward; None for the ends of the mantissa.
    groups : array_like of int, shape (n_post, n_pre), or None
        Synapses of a group change by their mean change at a reward.
    """

    rewards: npt.ArrayLike | None = None
    noise: npt.ArrayLike | None = None
    noise_period: int = 1
    bounds: tuple[int, int] | None = None
    groups: npt.ArrayLike | None = None


def run_learning(
    rule: Microcode,
    pre: npt.ArrayLike,
    post: npt.ArrayLike,
    weights: npt.ArrayLike,
    *,
    tags: npt.ArrayLike = 0,
    ends: tuple[int, int] = (-256, 255),
    step: int = 0,
    host: Host | None = None,
    seed: int = 0,
) -> LearningTrace:
    """Run a rule on raw spikes; the module's docstring gives the arithmetic.

    Parameters
    ----------
    rule : Microcode
        Products, traces, epoch, rounding.
    pre, post : array_like of bool, shape (ticks, n_pre), (ticks, n_post)
        Spikes.
    weights : array_like of int, shape (n_post, n_pre)
        Mantissas, within ``ends``, multiples of 2^step.
    tags : int or array_like of int, shape (n_post, n_pre)
        Initial tags, -256..255.
    ends : (int, int)
        Ends of the mantissa: -256, 255 with mixed signs, 0, 255 excitatory, -255, 0 inhibitory.
    step : int
        Low bits that the stored weight does not have, 0..8.
    host : Host, optional
        Rewards, noise, shared weights; default none.
    seed : int
        Seed of the rounding.

    Raises
    ------
    ShapeError
        If a value is out of range or shapes do not fit.
    """
    host = host or Host()
    x_hit, y_hit, w, t, pay, signal = _checked(pre, post, weights, tags, host, (*ends, step))
    engine = _Engine(rule, w, t, ends, step, host, seed)
    kind = np.int32
    out = [np.zeros((x_hit.shape[0], *a.shape), kind) for a in (w, w, *engine.traces[:2])]
    for tick in range(x_hit.shape[0]):
        if pay[tick]:
            engine.reward(tick, int(pay[tick]))
        if signal is not None and tick % host.noise_period == 0:
            engine.noise(tick, signal[tick])
        engine.step(tick, x_hit[tick], y_hit[tick])
        now = (*(s.reshape(w.T.shape).T for s in engine.synapse[:2]), *engine.traces[:2])
        for store, values in zip(out, now, strict=True):
            store[tick] = values
    updates, tag_clips, trace_clips = (int(engine.counts[i]) for i in (k.UPDATES, k.TAG_CLIPS, k.TRACE_CLIPS))
    return LearningTrace(out[0], out[1], out[2], out[3], updates, tag_clips, trace_clips)


class _Engine:
    """One rule between all sources and all targets, as the kernels take it."""

    def __init__(
        self, rule: Microcode, w: Ints, t: Ints, ends: tuple[int, int], step: int, host: Host, seed: int
    ) -> None:
        n_post, n_pre = w.shape
        target, origin = (a.ravel() for a in np.meshgrid(np.arange(n_post), np.arange(n_pre)))
        self.wires = wires_of(origin, target, n_pre, n_post)
        parameters, kind = rule.parameters, np.int32
        parameters[k.P_STEP], parameters[[k.P_LOW, k.P_HIGH]] = step, ends
        parameters[[k.P_HOST_LOW, k.P_HOST_HIGH]] = host.bounds or ends
        group = np.zeros(w.size, np.int64) if host.groups is None else np.asarray(host.groups, np.int64).T.ravel()
        parameters[k.P_GROUPS] = 0 if host.groups is None else int(group.max()) + 1
        keys = np.array([stream_key(seed, STREAM + i) for i in range(k.N_KEYS)], np.uint64)
        table, pending = rule.table, np.zeros(w.size, kind)
        ranges = [np.array([0, n]) for n in (table.shape[0], n_pre, n_post)]
        owners = (np.zeros(n, np.int64) for n in (n_post, n_pre, n_post, 1))
        self.rules = (parameters[None], table, *ranges, keys, pending, np.zeros(8, np.int64), *owners)
        self.traces = traces_of(n_pre, n_post, rule.t_epoch)
        slot = np.arange(w.size, dtype=kind)
        self.synapse = (w.T.ravel().copy(), t.T.ravel().copy(), slot, np.zeros(w.size, kind))
        n_groups = int(group.max(initial=0)) + 1
        sums, carry = np.zeros((2, n_groups), np.int64), np.zeros((1, n_groups), np.int64)
        self.host = (group, np.zeros(w.size, kind), sums, carry)
        self.counts, self.busy = np.zeros(cuba_int.N_COUNTS, np.int64), np.zeros((1, W_UPDATES + 1), np.int64)

    def reward(self, tick: int, strength: int) -> None:
        """Run a reward pass."""
        k.reward_pass(tick, 0, strength, self.rules, self.traces, self.wires, self.synapse, self.host, self.counts)

    def noise(self, tick: int, signal: Ints) -> None:
        """Run a noise pass and write the signal."""
        k.host_pass(
            tick, 0, k.DEP_NOISE, 0, 0, self.rules, self.traces, self.wires, self.synapse, self.host[1], self.counts
        )
        self.traces[1][1:] = np.maximum(signal, 0), np.maximum(-signal, 0)

    def step(self, tick: int, pre: Ints, post: Ints) -> None:
        """Advance by a tick."""
        for hits, spikes in ((self.traces[4], pre), (self.traces[5], post)):
            who = np.flatnonzero(spikes)
            hits[0], hits[1 : who.size + 1] = who.size, who
        k.learn_tick(tick, self.rules, self.traces, self.wires, self.synapse, self.busy, self.counts)


def _checked(
    pre: npt.ArrayLike,
    post: npt.ArrayLike,
    weights: npt.ArrayLike,
    tags: npt.ArrayLike,
    host: Host,
    ends: tuple[int, int, int],
) -> tuple[Ints, Ints, Ints, Ints, Ints, Ints | None]:
    x, y, w = (np.asarray(a) for a in (pre, post, weights))
    if x.ndim != 2 or y.ndim != 2 or w.shape != (y.shape[1], x.shape[1]) or x.shape[0] != y.shape[0]:
        raise ShapeError(
            f"loihi learning: pre {x.shape} and post {y.shape} must be [ticks, n], weights {w.shape} [n_post, n_pre]"
        )
    low, high, step = ends
    if not (-256 <= low <= 0 <= high <= 255 and 0 <= step <= 8):
        raise ShapeError(f"loihi learning: ends {low}, {high} and step = {step} must lie in -256..0, 0..255, 0..8")
    pay = np.zeros(x.shape[0], np.int64) if host.rewards is None else np.asarray(host.rewards)
    signal = None if host.noise is None else np.asarray(host.noise)
    t = np.broadcast_to(np.asarray(tags), w.shape)
    limits = [("weights", w, low, high), ("tags", t, -256, 255), ("rewards", pay, -127, 127)]
    limits += [] if signal is None else [("noise", signal, -127, 127)]
    for name, array, least, most in limits:
        if array.dtype.kind not in "iu" or (array.size and (array.min() < least or array.max() > most)):
            raise ShapeError(f"loihi learning: {name} must be integers {least}..{most}")
    if pay.shape != x.shape[:1] or (signal is not None and signal.shape != y.shape) or (w & ((1 << step) - 1)).any():
        raise ShapeError(
            f"loihi learning: rewards {pay.shape} must be [ticks], noise [ticks, n_post], weights multiples of "
            f"{1 << step}"
        )
    return x.astype(np.int32), y.astype(np.int32), w.astype(np.int32), t.astype(np.int32), pay, signal
