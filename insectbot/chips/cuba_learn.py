"""Learning engine of the ``cuba_int`` family: traces, sum-of-products microcode, host passes, as numba kernels.

Order of a tick that learns, after its spikes have been delivered (``loihi_replay.py`` documents the arithmetic):

1. every trace decays by one step; y traces are noted, then spikes add their impulses, then x traces are noted: a
   dependency reads x with the spikes of its tick and y without them (presynaptic spikes come first);
2. the tick of a neuron's last spike in the epoch is kept;
3. at the end of an epoch, every synapse of a neuron that spiked in it (and, where a product depends on ``u_k``, every
   synapse each ``2^k`` epochs) adds its products to ``w << 7`` and ``t << 7``, is rounded and cut.

A host pass (reward, new exploration noise) is an epoch of its own without spikes: only its own products act.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from insectbot.chips.cuba_int import REWARD_CLIPS, TAG_CLIPS, TRACE_CLIPS
from insectbot.chips.engine import UPDATES, W_UPDATES
from insectbot.jit import kernel
from insectbot.randomness import draw

STOCHASTIC, NEAREST, FLOOR = range(3)
DEP_X, DEP_Y, DEP_U, DEP_REWARD, DEP_NOISE = range(5)
X1, X2, Y1, Y2, Y3, WEIGHT, TAG, CONSTANT = range(8)
TO_WEIGHT, TO_TAG = range(2)

TRACE_BITS, SYNAPSE_BITS, CONSTANT_BITS, MANTISSA_BITS, ACCUMULATOR_BITS = 7, 9, 8, 4, 15
TRACE_MAX = (1 << TRACE_BITS) - 1
TAG_MAX = (1 << (SYNAPSE_BITS - 1)) - 1
UP = ACCUMULATOR_BITS + 1 - SYNAPSE_BITS
ACC_MAX = (1 << ACCUMULATOR_BITS) - 1
KEEP_BITS, IMPULSE_BITS = 16, 8
KEEP_ONE = 1 << KEEP_BITS
DRAW_BITS = SHARE_BITS = 16
U32, U48 = np.uint64(32), np.uint64(48)
GOLDEN = np.uint64(0x9E3779B97F4A7C15)

# Parameters of a rule: impulses (8 fractional bits) and decays (of 2^16) of x1 x2 y1 y2 y3, then these.
(P_EPOCH, P_ROUND, P_STEP, P_LOW, P_HIGH, P_SHIFT, P_HOST_LOW, P_HOST_HIGH, P_NEAREST, P_MODULATOR, P_GROUPS,
 P_EXPLORER, P_NEEDS) = range(10, 23)  # fmt: skip
N_PARAMETERS = 23
# Columns of a product; then pairs of a factor and the constant added to it.
TARGET, DEPENDENCY, EVERY, MANTISSA, EXPONENT, SHIFT, N_FACTORS, FACTORS = range(8)
MOST_FACTORS = 3
N_PRODUCT = FACTORS + 2 * MOST_FACTORS
KEY_TRACE, KEY_SYNAPSE, KEY_PASS = 0, 5, 6
N_KEYS = 7


@kernel(error_model="numpy")
def rounded(value: Any, bits: Any, mode: Any, random: Any) -> Any:
    """Return ``value`` / 2^bits, rounded stochastically (with ``random`` bits), to nearest or down."""
    one = np.int64(1) << bits
    if mode == STOCHASTIC:
        return (value + (random & (one - 1))) >> bits
    return (value + (one >> 1)) >> bits if mode == NEAREST else value >> bits


@kernel(error_model="numpy")
def base(key: Any, tick: Any) -> Any:
    """Return 64 random bits of a tick; neuron or synapse i takes ``base + i * GOLDEN``, top bits first (Weyl)."""
    return (draw(key, tick, 0) << U32) | draw(key, tick, 1)


@kernel(error_model="numpy")
def part(word: Any, shift: Any) -> Any:
    """Return 16 of 64 random bits, from bit ``shift`` on."""
    return np.int64((word >> shift) & np.uint64(0xFFFF))


@kernel(error_model="numpy")
def clip(value: Any, low: Any, high: Any) -> Any:
    """Return a value cut to low..high."""
    return min(max(value, low), high)


@kernel(error_model="numpy")
def product(table: Any, r: Any, values: Any) -> Any:
    """Return a product of the microcode at accumulator scale; ``values`` holds x1 x2 y1 y2 y3 w t and 0."""
    total = table[r, MANTISSA]
    for f in range(table[r, N_FACTORS]):
        code = table[r, FACTORS + 2 * f]
        limit = 1 << TRACE_BITS if code < WEIGHT else (1 << CONSTANT_BITS if code == CONSTANT else 1 << SYNAPSE_BITS)
        total *= clip(values[code] + table[r, FACTORS + 2 * f + 1], -limit, limit - 1)
    total >>= table[r, SHIFT]
    exponent = table[r, EXPONENT]
    total = total << exponent if exponent >= 0 else total >> -exponent
    return clip(total, -ACC_MAX - 1, ACC_MAX)


@kernel(error_model="numpy")
def step_traces(tick: Any, par: Any, which: Any, start: Any, stop: Any, keys: Any, trace: Any, noted: Any) -> None:
    """Decay the x (``which`` 0) or y (2) traces of a rule by a step, and note them for this tick of the epoch."""
    moment, mode = tick % par[P_EPOCH], par[P_ROUND]
    for j in range(trace.shape[0]):
        impulse, keep = par[which + j], np.int32(par[5 + which + j])
        values, notes = trace[j], noted[moment, j]
        if impulse == 0 and keep == KEEP_ONE:
            if (par[P_NEEDS] >> (which + j)) & 1:
                notes[start:stop] = values[start:stop]
        elif mode == STOCHASTIC:
            word = base(keys[KEY_TRACE + which + j], tick)
            for i in range(start, stop):
                dither = np.int32((word + np.uint64(i) * GOLDEN) >> U48)
                value = np.int32(np.int32(values[i] * keep) + dither) >> KEEP_BITS
                values[i] = value
                notes[i] = value
        else:
            add = np.int32(KEEP_ONE >> 1 if mode == NEAREST else 0)
            for i in range(start, stop):
                value = np.int32(np.int32(values[i] * keep) + add) >> KEEP_BITS
                values[i] = value
                notes[i] = value


@kernel(error_model="numpy")
def add_impulses(
    tick: Any, which: Any, parameters: Any, keys: Any, rule: Any, hits: Any, trace: Any, noted: Any, when: Any,
    spiked: Any, counts: Any,
) -> None:  # fmt: skip
    """Add the impulses of the neurons in ``hits``; keep the time; list who spiked first in this epoch.

    Lists hold their length in entry 0. x traces (``which`` 0) are noted with their impulses.
    """
    for m in range(1, hits[0] + 1):
        i = hits[m]
        par = parameters[rule[i]]
        moment = tick % par[P_EPOCH]
        for j in range(trace.shape[0]):
            impulse = par[which + j]
            if impulse != 0:
                word = base(keys[KEY_TRACE + which + j], tick) + np.uint64(i) * GOLDEN
                value = trace[j, i] + rounded(impulse, IMPULSE_BITS, par[P_ROUND], part(word, U32))
                if value > TRACE_MAX:
                    counts[TRACE_CLIPS] += 1 - par[P_NEAREST]
                    value = np.int64(TRACE_MAX)
                trace[j, i] = value
                if which == 0:
                    noted[moment, j, i] = value
        if when[i] == 0:
            spiked[0] += 1
            spiked[spiked[0]] = i
        when[i] = moment + 1
    hits[0] = 0


@kernel(error_model="numpy")
def collect(tick: Any, rules: Any, traces: Any, wires: Any) -> Any:
    """List the synapses that an epoch concerns, each once; returns their number."""
    parameters, table, row, first_x, _, _, pending, _, _, rule_x, rule_y, every = rules
    starts, _, origin, column, synapse = wires
    when_x, spiked_x, spiked_y = traces[6], traces[8], traces[9]
    epoch, n = tick // parameters[0, P_EPOCH] + 1, 0
    for p in range(parameters.shape[0]):
        every[p] = 0
        for r in range(row[p], row[p + 1]):
            if table[r, DEPENDENCY] == DEP_U and epoch % table[r, EVERY] == 0:
                every[p] = 1
        if every[p] != 0:
            for k in range(starts[first_x[p]], starts[first_x[p + 1]]):
                pending[n] = k
                n += 1
    for m in range(1, spiked_x[0] + 1):
        a = spiked_x[m]
        if every[rule_x[a]] == 0:
            for k in range(starts[a], starts[a + 1]):
                pending[n] = k
                n += 1
    for m in range(1, spiked_y[0] + 1):
        b = spiked_y[m]
        if every[rule_y[b]] == 0:
            for c in range(column[b], column[b + 1]):
                if when_x[origin[synapse[c]]] == 0:
                    pending[n] = synapse[c]
                    n += 1
    return n


@kernel(error_model="numpy")
def close_epoch(tick: Any, n: Any, rules: Any, traces: Any, wires: Any, synapse: Any, busy: Any, counts: Any) -> None:
    """Apply the products of an epoch to ``n`` pending synapses; ``synapse`` is (weight, tag, slot, contribution)."""
    parameters, table, row, _, _, keys, pending, values, core, rule_x, _, _ = rules
    noted_x, noted_y, when_x, when_y = traces[2], traces[3], traces[6], traces[7]
    target, origin = wires[1], wires[2]
    weight, tag, slot, amount = synapse
    last, word = parameters[0, P_EPOCH] - 1, base(keys[KEY_SYNAPSE], tick)
    epoch = tick // parameters[0, P_EPOCH] + 1
    for m in range(n):
        k = pending[m]
        a, b, seen = origin[k], target[k], -1
        p = rule_x[a]
        needs, mode = parameters[p, P_NEEDS], parameters[p, P_ROUND]
        w, t, over = np.int64(weight[k]) << UP, np.int64(tag[k]) << UP, False
        values[WEIGHT], values[TAG] = weight[k], tag[k]
        for r in range(row[p], row[p + 1]):
            dependency = table[r, DEPENDENCY]
            moment = -1
            if dependency == DEP_X:
                moment = when_x[a] - 1
            elif dependency == DEP_Y:
                moment = when_y[b] - 1
            elif dependency == DEP_U and epoch % table[r, EVERY] == 0:
                moment = last
            if moment >= 0:
                if moment != seen:
                    for j in range(2):
                        if (needs >> j) & 1:
                            values[j] = noted_x[moment, j, a]
                    for j in range(3):
                        if (needs >> (Y1 + j)) & 1:
                            values[Y1 + j] = noted_y[moment, j, b]
                    seen = moment
                change = product(table, r, values)
                if table[r, TARGET] == TO_WEIGHT:
                    w = clip(w + change, -ACC_MAX - 1, ACC_MAX)
                else:
                    over |= abs(t + change) > ACC_MAX
                    t = clip(t + change, -ACC_MAX - 1, ACC_MAX)
        random = word + np.uint64(k) * GOLDEN
        step = parameters[p, P_STEP]
        new = rounded(w, UP + step, mode, part(random, U48)) << step
        shift = parameters[p, P_SHIFT]
        set_weight(k, clip(new, parameters[p, P_LOW], parameters[p, P_HIGH]), shift, weight, slot, amount)
        set_tag(k, rounded(t, UP, mode, part(random, U32)), over, tag, counts)
        busy[core[b], W_UPDATES] += 1
    counts[UPDATES] += n


@kernel(error_model="numpy")
def set_weight(k: Any, value: Any, shift: Any, weight: Any, slot: Any, amount: Any) -> None:
    """Program the weight of a synapse: mantissa and contribution."""
    if weight[k] != value:
        weight[k] = value
        amount[slot[k]] = value << shift if shift >= 0 else value >> -shift


@kernel(error_model="numpy")
def set_tag(k: Any, value: Any, over: Any, tag: Any, counts: Any) -> None:
    """Store a tag, cut to 9 bits; ``over`` tells that its accumulator was cut."""
    kept = clip(value, -TAG_MAX - 1, TAG_MAX)
    counts[TAG_CLIPS] += over or kept != value
    tag[k] = kept


@kernel(error_model="numpy")
def learn_tick(tick: Any, rules: Any, traces: Any, wires: Any, synapse: Any, busy: Any, counts: Any) -> None:
    """Advance all rules by one tick; spikes have been marked by :func:`mark`.

    ``rules`` is (parameters, table, row of products, first x, first y, keys, pending, values, core of y, rule of x,
    rule of y, scratch); ``traces`` is (x, y, noted x, noted y, hits x, hits y, time x, time y, spiked x, spiked y);
    ``wires`` is (row, target, origin, column, synapse). All rules have the same epoch.
    """
    parameters, _, _, first_x, first_y, keys, _, _, _, rule_x, rule_y, _ = rules
    x, y, noted_x, noted_y, hits_x, hits_y, when_x, when_y, spiked_x, spiked_y = traces
    for p in range(parameters.shape[0]):
        step_traces(tick, parameters[p], 0, first_x[p], first_x[p + 1], keys, x, noted_x)
        step_traces(tick, parameters[p], 2, first_y[p], first_y[p + 1], keys, y, noted_y)
    add_impulses(tick, 0, parameters, keys, rule_x, hits_x, x, noted_x, when_x, spiked_x, counts)
    add_impulses(tick, 2, parameters, keys, rule_y, hits_y, y, noted_y, when_y, spiked_y, counts)
    if parameters.shape[0] > 0 and (tick + 1) % parameters[0, P_EPOCH] == 0:
        n = collect(tick, rules, traces, wires)
        close_epoch(tick, n, rules, traces, wires, synapse, busy, counts)
        for m in range(1, spiked_x[0] + 1):
            when_x[spiked_x[m]] = 0
        for m in range(1, spiked_y[0] + 1):
            when_y[spiked_y[m]] = 0
        spiked_x[0] = 0
        spiked_y[0] = 0


@kernel(error_model="numpy")
def mark(unit: Any, units: Any, traces: Any) -> None:
    """Note a spike of a unit for all rules it takes part in; ``units`` is (x row, x number, y row, y number)."""
    x_row, x_number, y_row, y_number = units
    hits_x, hits_y = traces[4], traces[5]
    for m in range(x_row[unit], x_row[unit + 1]):
        hits_x[0] += 1
        hits_x[hits_x[0]] = x_number[m]
    for m in range(y_row[unit], y_row[unit + 1]):
        hits_y[0] += 1
        hits_y[hits_y[0]] = y_number[m]


@kernel(error_model="numpy")
def host_pass(tick: Any, p: Any, cause: Any, y2: Any, y3: Any, rules: Any, traces: Any, wires: Any, synapse: Any,
              fresh: Any, counts: Any) -> None:  # fmt: skip
    """Apply the products of a host pass (``cause`` DEP_REWARD or DEP_NOISE) to all synapses of rule ``p``.

    In a reward pass ``y2`` and ``y3`` are what the host has written into these traces. New weights go to ``fresh``.
    """
    parameters, table, row, first_x, _, keys, _, values, _, _, _, _ = rules
    par, word = parameters[p], base(keys[KEY_PASS] + np.uint64(2 * cause), tick)
    weight, tag = synapse[0], synapse[1]
    start, stop = wires[0][first_x[p]], wires[0][first_x[p + 1]]
    for k in range(start, stop):
        w, t, over = np.int64(weight[k]) << UP, np.int64(tag[k]) << UP, False
        values[WEIGHT], values[TAG] = weight[k], tag[k]
        values[X1], values[X2] = traces[0][0, wires[2][k]], traces[0][1, wires[2][k]]
        values[Y1], values[Y2], values[Y3] = traces[1][0, wires[1][k]], y2, y3
        for r in range(row[p], row[p + 1]):
            if table[r, DEPENDENCY] == cause:
                change = product(table, r, values)
                if table[r, TARGET] == TO_WEIGHT:
                    w = clip(w + change, -ACC_MAX - 1, ACC_MAX)
                else:
                    over |= abs(t + change) > ACC_MAX
                    t = clip(t + change, -ACC_MAX - 1, ACC_MAX)
        random = word + np.uint64(k) * GOLDEN
        new = rounded(w, UP + par[P_STEP], par[P_ROUND], part(random, U48)) << par[P_STEP]
        fresh[k] = clip(new, par[P_LOW], par[P_HIGH])
        set_tag(k, rounded(t, UP, par[P_ROUND], part(random, U32)), over, tag, counts)
    counts[UPDATES] += stop - start


@kernel(error_model="numpy")
def share(par: Any, start: Any, stop: Any, group: Any, weight: Any, fresh: Any, sums: Any, carry: Any) -> None:
    """Let the embedded processor give tied synapses the mean of their changes, so that they stay equal.

    It keeps the remainder (``carry``, in 2^-16 of a step) for the next reward.
    """
    sums[:] = 0
    for k in range(start, stop):
        sums[0, group[k]] += fresh[k] - weight[k]
        sums[1, group[k]] += 1
    step = par[P_STEP]
    for g in range(par[P_GROUPS]):
        if sums[1, g] > 0:
            total = (sums[0, g] << SHARE_BITS) // sums[1, g] + carry[g]
            whole = total >> (SHARE_BITS + step)
            carry[g] = total - (whole << (SHARE_BITS + step))
            sums[0, g] = whole << step
    for k in range(start, stop):
        fresh[k] = weight[k] + sums[0, group[k]]


@kernel(error_model="numpy")
def reward_pass(tick: Any, p: Any, strength: Any, rules: Any, traces: Any, wires: Any, synapse: Any, host: Any,
                counts: Any) -> None:  # fmt: skip
    """Run a reward pass; then the embedded processor averages tied synapses and keeps weights within bounds.

    ``strength`` is signed: positive reward goes to y2, negative to y3. ``host`` is (group, fresh, sums, carry).
    """
    group, fresh, sums, carry = host
    par, first_x = rules[0][p], rules[3]
    start, stop = wires[0][first_x[p]], wires[0][first_x[p + 1]]
    y2, y3 = max(strength, 0), max(-strength, 0)
    host_pass(tick, p, DEP_REWARD, y2, y3, rules, traces, wires, synapse, fresh, counts)
    if par[P_GROUPS] > 0:
        share(par, start, stop, group, synapse[0], fresh, sums, carry[p])
    for k in range(start, stop):
        value = clip(np.int64(fresh[k]), par[P_HOST_LOW], par[P_HOST_HIGH])
        set_weight(k, value, par[P_SHIFT], synapse[0], synapse[2], synapse[3])


@kernel(error_model="numpy")
def reward_of(value: Any, gain: Any, step: Any, tick: Any, p: Any, key: Any, counts: Any) -> Any:
    """Return a third factor as the host writes it: stochastically rounded to a multiple of ``step``, within 127."""
    scaled = np.floor(value * gain / step * 65536.0 + 0.5)
    most = TRACE_MAX // step
    level = rounded(np.int64(clip(scaled, -65536.0 * 128, 65536.0 * 128)), DRAW_BITS, STOCHASTIC,
                    np.int64(draw(key, tick, (1 << 20) + p)))  # fmt: skip
    counts[REWARD_CLIPS] += abs(level) > most
    return clip(level, -most, most) * step
