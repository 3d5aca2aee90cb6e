"""Deferred STDP of SpiNNaker, bit for bit: weights change when a presynaptic spike fetches their row.

Sources: sPyNNaker ``synapse_dynamics_stdp_mad_impl.c``, ``timing_pair_impl.h``, ``weight_additive_one_term_impl.h``,
``post_events.h``; with a third factor ``synapse_dynamics_stdp_izhikevich_neuromodulation.c`` (chips sheet 4.3).
Traces and decays are fixed point with 11 fraction bits, weights are s16.15 (16 bits << shift), products floor.

Of each postsynaptic neuron a history of 16 events is kept (entry 0 is a placeholder at time 0, the oldest goes first);
a reward is an event, too, and adds to a dopamine trace that every event carries.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from insectbot.chips.s1615 import FRACTION, HISTORY_DROPS, PLASTIC_EVENTS, TRACE_WRAPS, add
from insectbot.jit import kernel

POINT = 11
ONE_STDP = 1 << POINT
TO_ACCUM = FRACTION - POINT
HISTORY = 16

(A_PLUS, A_MINUS, W_LOW, W_HIGH, E_LOW, E_HIGH, SHIFT, REWARDED, FACTOR, SHIFT_C, SHIFT_D, BACKPROP) = range(12)
N_PARAMETERS = 12
PLUS, MINUS, TAU_C, TAU_D = range(4)


@kernel(error_model="numpy")
def low16(x: Any) -> Any:
    """Return the low 16 bits of a number, with sign, as the chip's 16-bit multiply reads them."""
    return np.int64(np.int16(x))


@kernel(error_model="numpy")
def times(a: Any, b: Any) -> Any:
    """Multiply two numbers with 11 fraction bits of which 16 bits are read; floors."""
    return (low16(a) * low16(b)) >> POINT


@kernel(error_model="numpy")
def scaled(a: Any, x: Any) -> Any:
    """Multiply an accum by a number with 11 fraction bits; floors."""
    return np.int64(np.int32((a * (x << TO_ACCUM)) >> FRACTION))


@kernel(error_model="numpy")
def decay(time: Any, lut: Any, shift: Any) -> Any:
    """Return the decay over ``time`` ticks from a table; 0 beyond its end."""
    k = time >> shift
    return np.int64(lut[k]) if k < lut.size else np.int64(0)


@kernel(error_model="numpy")
def raised(trace: Any, time: Any, lut: Any, counts: Any) -> Any:
    """Return a trace decayed over ``time`` and raised by one, in 16 bits."""
    total = times(trace, decay(time, lut, 0)) + ONE_STDP
    kept = low16(total)
    counts[TRACE_WRAPS] += kept != total
    return kept


@kernel(error_model="numpy")
def note(i: Any, time: Any, post: Any, dopamine: Any, rewarded: Any, history: Any, counts: Any) -> None:
    """Append an event (time, traces, whether it is a reward) to the history of a neuron."""
    last, times_, posts, dopamines, rewards = history
    if last[i] < HISTORY - 1:
        last[i] += 1
    else:
        for e in range(2, HISTORY):
            times_[i, e - 1], posts[i, e - 1] = times_[i, e], posts[i, e]
            dopamines[i, e - 1], rewards[i, e - 1] = dopamines[i, e], rewards[i, e]
        counts[HISTORY_DROPS] += 1
    e = last[i]
    times_[i, e], posts[i, e], dopamines[i, e], rewards[i, e] = time, post, low16(dopamine), rewarded


@kernel(error_model="numpy")
def post_spike(i: Any, time: Any, luts: Any, rule: Any, history: Any, counts: Any) -> None:
    """Take a spike of neuron ``i`` into its history."""
    last, times_, posts, dopamines, _ = history
    e = last[i]
    since = time - times_[i, e]
    trace = raised(posts[i, e], since, luts[MINUS], counts)
    note(i, time, trace, times(dopamines[i, e], decay(since, luts[TAU_D], rule[SHIFT_D])), 0, history, counts)


@kernel(error_model="numpy")
def reward_event(i: Any, time: Any, concentration: Any, luts: Any, rule: Any, history: Any, counts: Any) -> None:
    """Take a reward (concentration with 11 fraction bits, negative for punishment) into the history of neuron ``i``."""
    last, times_, posts, dopamines, _ = history
    e = last[i]
    since = time - times_[i, e]
    trace = times(posts[i, e], decay(since, luts[MINUS], 0))
    level = times(dopamines[i, e], decay(since, luts[TAU_D], rule[SHIFT_D])) + concentration
    note(i, time, trace, level, 1, history, counts)


@kernel(error_model="numpy")
def window_of(i: Any, begin: Any, end: Any, history: Any) -> Any:
    """Return (event before the window, first event after it): events with begin < time <= end lie between.

    Entry 0, the placeholder, is never an event.
    """
    last, times_ = history[0], history[1]
    stop = last[i] + 1
    e = stop
    while True:
        if e <= last[i] and times_[i, e] > end:
            stop = e
        e -= 1
        if times_[i, e] <= begin or e <= 0:
            break
    return e, stop


@kernel(error_model="numpy")
def bounded(x: Any, low: Any, high: Any) -> Any:
    """Clip."""
    return min(max(x, low), high)


@kernel(error_model="numpy")
def pair_update(weight: Any, i: Any, time: Any, pre: Any, delay_back: Any, luts: Any, rule: Any, history: Any) -> Any:
    """Return the 16-bit weight of a synapse after a presynaptic spike; ``pre`` is (last time and trace, new trace)."""
    _, times_, posts, _, _ = history
    w = weight << rule[SHIFT]
    before, stop = window_of(i, max(pre[0] - delay_back, 0), max(time - delay_back, 0), history)
    for e in range(before + 1, stop):
        since = times_[i, e] + delay_back - pre[0]
        if since > 0:
            trace = times(pre[1], decay(since, luts[PLUS], 0))
            w = bounded(w + scaled(rule[A_PLUS], trace), rule[W_LOW], rule[W_HIGH])
    e = stop - 1
    if e > 0:
        since = time - (times_[i, e] + delay_back)
        if since > 0:
            trace = times(posts[i, e], decay(since, luts[MINUS], 0))
            w = bounded(w - scaled(rule[A_MINUS], trace), rule[W_LOW], rule[W_HIGH])
    return w >> rule[SHIFT]


@kernel(error_model="numpy")
def gained(elapsed: Any, dopamine: Any, eligibility: Any, luts: Any, rule: Any) -> Any:
    """Return the weight that eligibility times dopamine makes while both decay for ``elapsed`` ticks."""
    both = times(decay(elapsed, luts[TAU_C], rule[SHIFT_C]), decay(elapsed, luts[TAU_D], rule[SHIFT_D]))
    product = scaled(eligibility, dopamine)
    return (scaled(product, low16(both - ONE_STDP)) * rule[FACTOR]) >> FRACTION


@kernel(error_model="numpy")
def reward_update(
    weight: Any, tag: Any, i: Any, time: Any, pre: Any, delay_back: Any, luts: Any, rule: Any, history: Any
) -> Any:
    """Return (weight, eligibility), 16 bits each, of a synapse after a presynaptic spike, with a third factor."""
    _, times_, posts, dopamines, rewards = history
    w, c = weight << rule[SHIFT], tag << rule[SHIFT]
    before, stop = window_of(i, max(pre[0] - delay_back, 0), max(time - delay_back, 0), history)
    there, level = pre[0], np.int64(0)
    if before > 0:
        level = times(dopamines[i, before], decay(pre[0] - times_[i, before], luts[TAU_D], rule[SHIFT_D]))
    for e in range(before + 1, stop):
        now = times_[i, e] + delay_back
        if level != 0:
            w += gained(now - there, level, c, luts, rule)
        c = scaled(c, decay(now - there, luts[TAU_C], rule[SHIFT_C]))
        if rewards[i, e] == 0 and now - pre[0] > 0:
            trace = times(pre[1], decay(now - pre[0], luts[PLUS], 0))
            c = bounded(c + scaled(rule[A_PLUS], trace), rule[E_LOW], rule[E_HIGH])
        level, there = np.int64(dopamines[i, e]), now
    e = stop - 1
    if e > 0:
        if level != 0:
            w += gained(time - there, level, c, luts, rule)
        c = scaled(c, decay(time - there, luts[TAU_C], rule[SHIFT_C]))
        since = time - (times_[i, e] + delay_back)
        if since > 0:
            trace = times(posts[i, e], decay(since, luts[MINUS], 0))
            c = bounded(c - scaled(rule[A_MINUS], trace), rule[E_LOW], rule[E_HIGH])
    return bounded(w, rule[W_LOW], rule[W_HIGH]) >> rule[SHIFT], c >> rule[SHIFT]


@kernel(error_model="numpy")
def fetch(
    first: Any,
    last: Any,
    row: Any,
    time: Any,
    synapses: Any,
    ring: Any,
    luts: Any,
    rule: Any,
    learned: Any,
    counts: Any,
) -> Any:
    """Update the plastic synapses ``first`` to ``last`` of a row and deliver their new weights.

    ``learned`` is (last time, trace) per row, eligibility per synapse, and the history. Returns the changed weights.
    """
    target, weight, delays = synapses
    row_time, row_trace, tags, history = learned
    mask, n = ring.shape[0] - 1, ring.shape[1] // 2
    before = np.int64(row_time[row])
    trace = raised(row_trace[row], time - before, luts[PLUS], counts)
    pre = (before, np.int64(row_trace[row]), trace)
    row_time[row], row_trace[row] = time, trace
    changed = 0
    for k in range(first, last):
        i = target[k] % n
        back = np.int64(delays[k]) * rule[BACKPROP]
        old = np.int64(weight[k])
        if rule[REWARDED]:
            new, tag = reward_update(old, np.int64(tags[k]), i, time, pre, back, luts, rule, history)
            tags[k] = tag
        else:
            new = pair_update(old, i, time, pre, back, luts, rule, history)
        changed += new != old
        weight[k] = new
        add(ring, (time + delays[k]) & mask, target[k], new, counts)
    counts[PLASTIC_EVENTS] += last - first
    return changed
