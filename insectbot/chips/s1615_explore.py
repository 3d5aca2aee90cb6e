"""Exploration noise and node perturbation as programs of a SpiNNaker core, bit for bit, as numba kernels.

Neither exists in stock sPyNNaker: they are a noise and a plasticity type of this project, in the same arithmetic
(s16.15 accums, u0.32 factors, 16-bit weights and eligibilities). ``spinnaker_replay_explore.py`` documents the order.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from insectbot.chips.engine import UPDATES, W_IN, W_UPDATES
from insectbot.chips.s1615 import ELIGIBILITY_CLIPS, FRACTION, HALF, NOISE, PLASTIC_EVENTS, WRAPS, add
from insectbot.jit import kernel
from insectbot.randomness import draw

E_MAX = (1 << 15) - 1
LOW_BITS, HIGH_SHIFT = np.uint64(0xFFFF), np.uint64(16)
N_DRAWS = 6
MEAN = 6 * (1 << 16) - 6
ROUND_HALF = 1 << 31

FIRST, SIZE, PERIOD, DRAW_COST = range(4)
MEMORY, SIGMA, GAIN = range(3)
(EXPLORER, FADE, BITS, LOW, HIGH, STOCHASTIC) = range(6)
N_PERTURB = 6
PERTURBED = -2
"""Rule of a core whose plastic rows are of this type."""


@kernel(error_model="numpy")
def normal(key: Any, tick: Any, unit: Any) -> Any:
    """Return a nearly normal accum of variance 1, within 6: the sum of twelve uniform 16-bit numbers, less its mean."""
    total = np.int64(-MEAN)
    for j in range(N_DRAWS):
        bits = draw(key, tick, N_DRAWS * unit + j)
        total += np.int64(bits & LOW_BITS) + np.int64(bits >> HIGH_SHIFT)
    return total >> 1


@kernel(error_model="numpy")
def saturated(x: Any, counts: Any) -> Any:
    """Cut a number to 16 bits with sign; what is cut is counted."""
    kept = min(max(x, -E_MAX), E_MAX)
    counts[ELIGIBILITY_CLIPS] += kept != x
    return kept


@kernel(error_model="numpy")
def tell(first: Any, n: Any, factor: Any, xi: Any, signal: Any, counts: Any) -> None:
    """Write the exploration signal of every neuron: its noise less the mean of the others', in units of sigma."""
    total = np.int64(0)
    for i in range(first, first + n):
        total += xi[i]
    for i in range(first, first + n):
        signal[i] = saturated(((n * xi[i] - total) * factor + ROUND_HALF) >> 32, counts)


@kernel(error_model="numpy")
def fade(s: Any, keep: Any, slot: Any, tags: Any) -> None:
    """Let the eligibility of synapse ``s`` of the list decay by a period; nearest."""
    tags[slot[s]] = (np.int64(tags[slot[s]]) * keep + HALF) >> FRACTION


@kernel(error_model="numpy")
def walk(p: Any, walks: Any, work: Any) -> None:
    """Charge the cores for fetching all rows of a rule: ``walks`` is (synapses, rows) by rule and core."""
    for c in range(work.shape[0]):
        work[c, W_UPDATES] += walks[p, c, 0]
        work[c, W_IN] += walks[p, c, 1]


@kernel(error_model="numpy")
def explore(tick: Any, explorers: Any, tags: Any, state: Any, place: Any, work: Any, counts: Any) -> None:
    """Begin the periods that begin at this tick: eligibilities fade, noise is drawn and becomes a current.

    ``explorers`` is (number [FIRST, SIZE, PERIOD, DRAW_COST] and factor [MEMORY, SIGMA, GAIN] by population, keys, the
    last of them for rounding, noise and signal by neuron, rules [N_PERTURB], first synapse by rule, place in memory and
    group by synapse, sums by group [2], walks).
    """
    number, factor, key, xi, signal, rules, first, slot, _, _, walks = explorers
    for k in range(number.shape[0]):
        if tick % number[k, PERIOD] != 0:
            continue
        low, n = number[k, FIRST], number[k, SIZE]
        for p in range(rules.shape[0]):
            if rules[p, EXPLORER] == k:
                for s in range(first[p], first[p + 1]):
                    fade(s, rules[p, FADE], slot, tags)
                walk(p, walks, work)
        for i in range(low, low + n):
            z = normal(key[k], tick, i - low)
            fresh = ((factor[k, MEMORY] * xi[i] + HALF) >> FRACTION) + ((factor[k, SIGMA] * z + HALF) >> FRACTION)
            xi[i] = np.int64(np.int32(fresh))
            counts[WRAPS] += xi[i] != fresh
            state[NOISE, i] = xi[i]
        tell(low, n, factor[k, GAIN], xi, signal, counts)
        # Every core of the population draws the noise of all of it, as counters allow: the mean needs no messages.
        for c in range(place[0, low], place[0, low + n - 1] + 1):
            work[c, W_UPDATES] += n * number[k, DRAW_COST]


@kernel(error_model="numpy")
def stand(on: Any, xi: Any, state: Any) -> None:
    """Let the noise act as a current, or take it away."""
    for i in range(xi.size):
        state[NOISE, i] = xi[i] if on else 0


@kernel(error_model="numpy")
def perturb(
    first: Any, last: Any, time: Any, synapses: Any, ring: Any, signal: Any, tags: Any, counts: Any
) -> None:  # fmt: skip
    """Take a presynaptic spike: eligibilities grow by the signals of their targets, weights go to the ring buffer."""
    target, weight, delay = synapses
    mask, n = ring.shape[0] - 1, ring.shape[1] // 2
    for k in range(first, last):
        tags[k] = saturated(tags[k] + signal[target[k] % n], counts)
        add(ring, (time + delay[k]) & mask, target[k], weight[k], counts)
    counts[PLASTIC_EVENTS] += last - first


@kernel(error_model="numpy")
def pay(tick: Any, p: Any, pulse: Any, explorers: Any, weight: Any, tags: Any, work: Any, counts: Any) -> None:
    """Take a dopamine packet: weights change by pulse * eligibility / 2^BITS, tied ones by the mean of their group."""
    _, _, key, _, _, rules, first, slot, group, sums, walks = explorers
    bits = rules[p, BITS]
    one = np.int64(1) << bits
    for s in range(first[p], first[p + 1]):
        sums[0, group[s]] = 0
        sums[1, group[s]] = 0
    for s in range(first[p], first[p + 1]):
        sums[0, group[s]] += tags[slot[s]]
        sums[1, group[s]] += 1
    changed = 0
    for s in range(first[p], first[p + 1]):
        g, k = group[s], slot[s]
        share = (pulse * sums[0, g]) // sums[1, g]
        extra = np.int64(draw(key[key.size - 1], tick, g)) & (one - 1) if rules[p, STOCHASTIC] else one >> 1
        new = min(max(np.int64(weight[k]) + ((share + extra) >> bits), rules[p, LOW]), rules[p, HIGH])
        changed += new != weight[k]
        weight[k] = new
    counts[UPDATES] += changed
    walk(p, walks, work)
