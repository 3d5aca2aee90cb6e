"""Exploration noise that the plasticity processor of BrainScaleS-2 makes, and rules that learn from it, as kernels.

The neurons' own noise cannot be seen by a program. So a background generator drives an excitatory and an inhibitory row
steadily, and once per period the processor draws noise and writes it as 6-bit weights into these rows: a neuron is
pushed by what the program knows. Spike counters of the presynaptic circuits (an input gets a relay circuit, which
spikes with it) tell the other factor. What the program keeps are integers: noise in 1/256 LSB of the weight and
eligibilities of 16 bits, counters of 8.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from insectbot.chips.brainscales_ppu import E_LIMIT, FADE, PERTURB, RATE, jitter, write_steps
from insectbot.chips.engine import SYNOPS
from insectbot.jit import kernel
from insectbot.randomness import draw, uniform

FRACTION = 256.0
XI_LIMIT = 32767.0


@kernel(error_model="numpy")
def explore(tick: Any, explorers: Any, plastic: Any, counts: Any, clips: Any) -> None:
    """Draw new noise for the populations whose period begins at this tick.

    Before that, spike counters go into the eligibilities, which then fade. ``explorers`` is (first neuron, size, period
    [ticks], generator spikes per tick, by population; memory, sigma [LSB], by population; keys; xi, weight, weight less
    the mean of the others, by neuron; current per LSB [2, neuron]; largest weight).
    """
    number, real, key, xi, level, signal, _, largest = explorers
    for k in range(number.shape[0]):
        if tick % number[k, 2] != 0:
            continue
        first, last = number[k, 0], number[k, 0] + number[k, 1]
        take_counters(first, last, True, plastic, counts, clips)
        total = 0
        for j in range(first, last):
            z = jitter(draw(key[k], tick, j - first))
            fresh = np.rint(real[k, 0] * xi[j] + real[k, 1] * FRACTION * z)
            xi[j] = np.int64(min(max(fresh, -XI_LIMIT), XI_LIMIT))
            level[j] = min(max(np.int64(np.rint(xi[j] / FRACTION)), -largest[0]), largest[0])
            total += level[j]
        for j in range(first, last):
            others = (total - level[j]) / max(last - first - 1, 1)
            signal[j] = np.int64(np.rint(level[j] - others))


@kernel(error_model="numpy")
def take_counters(first: Any, last: Any, fading: Any, plastic: Any, counts: Any, clips: Any) -> None:
    """Add (spikes counted) x (noise of the target) to the eligibilities of the synapses onto some neurons.

    A synapse has its own copy of what a counter showed when it was read last, so that a counter serves many synapses.
    """
    p, kind, unit, post, e = plastic[0], plastic[1], plastic[4], plastic[5], plastic[10]
    counter, seen, signal, most = plastic[15], plastic[16], plastic[19], np.int64(plastic[14][2])
    for s in range(kind.size):
        if kind[s] == PERTURB and first <= post[s] < last:
            spikes = counter[unit[s]] - seen[s]
            seen[s] = counter[unit[s]]
            if spikes > most:
                spikes = most
                counts[clips] += 1
            fresh = float(e[s] + spikes * signal[post[s]])
            if fading:
                fresh = np.rint(fresh * p[FADE, s])
            e[s] = np.int64(min(max(fresh, -E_LIMIT), E_LIMIT))


@kernel(error_model="numpy")
def push(explorers: Any, exc: Any, inh: Any, counts: Any) -> None:
    """Let the generators' spikes of a tick arrive, in arrays of arrivals by neuron."""
    number, _, _, _, level, _, amplitude, _ = explorers
    for k in range(number.shape[0]):
        for j in range(number[k, 0], number[k, 0] + number[k, 1]):
            if level[j] > 0:
                exc[j] += number[k, 3] * level[j] * amplitude[0, j]
            elif level[j] < 0:
                inh[j] -= number[k, 3] * level[j] * amplitude[1, j]
            counts[SYNOPS] += number[k, 3]


@kernel(error_model="numpy")
def reinforce(tick: Any, pulse: Any, plastic: Any, weight: Any, counts: Any, w_clips: Any, s_clips: Any) -> None:
    """Take third factors: change weights by rate * modulator * eligibility, in groups by the mean of their changes."""
    p, kind, modulator, e = plastic[0], plastic[1], plastic[2], plastic[10]
    group, change = plastic[17], plastic[18]
    if change.size == 0:
        return
    take_counters(0, plastic[12].size, False, plastic, counts, s_clips)
    change[:] = 0.0
    for s in range(kind.size):
        if kind[s] == PERTURB:
            change[group[s]] += p[RATE, s] * pulse[modulator[s]] * e[s]
    for s in range(kind.size):
        if kind[s] == PERTURB and change[group[s]] != 0.0:
            steps = math.floor(change[group[s]] + uniform(plastic[13][0], tick, kind.size + group[s]))
            write_steps(s, steps, plastic, weight, counts, w_clips)
