"""The window kernel of the ``s1615`` family: neurons, spikes, rows, learning, tick by tick.

Order of a tick, as the chip's timer and packet interrupts have it: where a period of exploration begins, noise is
drawn; neurons take their ring-buffer slot and are updated; spikes of this tick (inputs first) then fetch their rows,
learn, and add to slots 1 tick or more ahead.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from insectbot.chips.engine import (
    ACTIVE,
    INPUT_SPIKES,
    SPIKES,
    SYNOPS,
    TICK,
    UPDATES,
    W_SPIKES,
    W_UPDATES,
    WINDOWS,
    begin,
    close_tick,
    emit_inputs,
    read_out,
    record,
    send,
)
from insectbot.chips.s1615 import FIRED, RING_SATURATIONS, SPIKES_LOST, WEIGHT_MAX, update
from insectbot.chips.s1615_explore import PERTURBED, explore, perturb, stand
from insectbot.chips.s1615_learn import fetch, post_spike, reward_event
from insectbot.jit import kernel


@kernel(error_model="numpy")
def serve(
    hits: Any, n_hits: Any, tick: Any, learning: Any, fabric: Any, rows: Any, plastic: Any, meter: Any, counts: Any
) -> None:  # fmt: skip
    """Serve the spikes of a tick on every core they reach; a core whose queue of incoming spikes is full loses them."""
    ring, queue, longest = fabric[2], fabric[3], fabric[5][1]
    first, plastic_first, target, weight, delay = rows
    rules, luts, rule_of_core, learned, explorers = plastic
    dest_row, dest, work = meter[0], meter[1], meter[4]
    mask = ring.shape[0] - 1
    queue[:] = 0
    synops, full = 0, 0
    for h in range(n_hits):
        for m in range(dest_row[hits[h]], dest_row[hits[h] + 1]):
            core = dest[m, 0]
            queue[core] += 1
            if queue[core] > longest:
                counts[SPIKES_LOST] += 1
                continue
            synops += first[m + 1] - first[m]
            split = plastic_first[m] if learning else first[m + 1]
            for k in range(first[m], split):
                slot = (tick + delay[k]) & mask
                total = np.int64(ring[slot, target[k]]) + weight[k]
                full += total > WEIGHT_MAX
                ring[slot, target[k]] = np.uint16(min(total, WEIGHT_MAX))
            if split < first[m + 1]:
                r = rule_of_core[core]
                work[core, W_UPDATES] += first[m + 1] - split
                synapses = (target, weight, delay)
                if r == PERTURBED:
                    perturb(split, first[m + 1], tick, synapses, ring, explorers[4], learned[2], counts)
                    continue
                changed = fetch(split, first[m + 1], m, tick, synapses, ring, luts[r], rules[r], learned, counts)
                counts[UPDATES] += changed
    counts[SYNOPS] += synops
    counts[RING_SATURATIONS] += full


@kernel(error_model="numpy")
def window(
    n_ticks: Any, recording: Any, learning: Any, counts: Any, sources: Any, fabric: Any, rows: Any, plastic: Any,
    meter: Any, out: Any,
) -> Any:  # fmt: skip
    """Run one control window; the arguments are tuples of arrays. Returns 1 for a drive that is not finite.

    ``fabric`` is (parameters, state, ring, queue per core, (core, output) of each neuron, (half, longest queue));
    ``rows`` is (first synapse, first plastic synapse of each message, target, weight, delay); ``plastic`` is (rules,
    decay tables, rule of each core, (row time, row trace, eligibility, history), explorers of ``s1615_explore.py``); a
    core without rule has -1, one of node perturbation PERTURBED.
    """
    p, state, ring, _, place, options = fabric
    rules, luts, rule_of_core, learned, explorers = plastic
    n, n_channels, firing, work = state.shape[1], sources[0].size, sources[7], meter[4]
    if begin(sources, out, counts):
        return 1
    stand(learning, explorers[3], state)
    start = counts[TICK]
    mask = ring.shape[0] - 1
    hits = np.empty(n_channels + n, np.int64)
    for tick in range(start, start + n_ticks):
        n_in = emit_inputs(tick, sources)
        counts[INPUT_SPIKES] += n_in
        if recording:
            for s in range(n_in):
                record(tick, firing[s], counts, out)
        if learning:
            explore(tick, explorers, learned[2], state, place, work, counts)
        fired = update(ring[tick & mask], p, state, options[0], counts)
        counts[ACTIVE] += n
        counts[SPIKES] += fired
        hits[:n_in] = firing[:n_in]
        n_hits = n_in
        for s in range(n_in):
            send(firing[s], -1, meter)
        if fired:
            for i in range(n):
                if state[FIRED, i]:
                    u, core = n_channels + i, place[0, i]
                    hits[n_hits] = u
                    n_hits += 1
                    work[core, W_SPIKES] += 1
                    send(u, core, meter)
                    if learning and rule_of_core[core] >= 0:
                        r = rule_of_core[core]
                        post_spike(i, tick, luts[r], rules[r], learned[3], counts)
                    if recording:
                        record(tick, u, counts, out)
                    if place[1, i] >= 0:
                        read_out(place[1, i], tick, start, out)
        serve(hits, n_hits, tick, learning, fabric, rows, plastic, meter, counts)
        close_tick(meter)
    counts[TICK] = start + n_ticks
    counts[WINDOWS] += 1
    return 0


@kernel(error_model="numpy")
def reward(cores: Any, time: Any, concentration: Any, place: Any, plastic: Any, counts: Any) -> None:
    """Give a reward to every neuron on the cores that are marked."""
    rules, luts, rule_of_core, learned, _ = plastic
    for i in range(place.shape[1]):
        core = place[0, i]
        if cores[core]:
            r = np.int64(rule_of_core[core])
            reward_event(i, time, concentration, luts[r], rules[r], learned[3], counts)
