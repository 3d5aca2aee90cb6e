"""The window kernel of the ``cuba_int`` family: inputs, neurons, delivery, learning, tick by tick."""

from __future__ import annotations

from typing import Any

from insectbot.chips.cuba_explore import explore
from insectbot.chips.cuba_int import (
    DELAY_SLOTS,
    LANES,
    NOISE_OFF,
    SPIKED,
    deliver,
    draw_noise,
    update_block,
)
from insectbot.chips.cuba_learn import learn_tick, mark
from insectbot.chips.engine import (
    ACTIVE,
    INPUT_SPIKES,
    SPIKES,
    SYNOPS,
    TICK,
    W_ACTIVE,
    W_SPIKES,
    WINDOWS,
    begin,
    close_tick,
    emit_inputs,
    read_out,
    record,
    send,
)
from insectbot.jit import kernel


@kernel(error_model="numpy")
def window(
    n_ticks: Any, recording: Any, learning: Any, counts: Any, sources: Any, fabric: Any, synapses: Any, meter: Any,
    out: Any, plastic: Any, explorers: Any,
) -> Any:  # fmt: skip
    """Run one control window; the arguments are tuples of arrays (see ``engine.py``). Returns 1 for a bad drive.

    ``plastic`` is (rules, traces, wires, synapses, units) of ``cuba_learn.py``, ``explorers`` as in
    ``cuba_explore.py``; without ``learning`` they are not looked at.
    """
    cells, ring, block_core, unit_of, output_of, noise, key, push = fabric
    row, target, contribution, delay = synapses
    rules, traces, wires, learned, units = plastic
    work, firing = meter[4], sources[7]
    if begin(sources, out, counts):
        return 1
    start = counts[TICK]
    for tick in range(start, start + n_ticks):
        if learning:
            explore(tick, explorers, cells, rules, traces, wires, learned, counts)
        n_in = emit_inputs(tick, sources)
        for s in range(n_in):
            u = firing[s]
            counts[SYNOPS] += deliver(u, tick, row, target, contribution, delay, ring)
            send(u, -1, meter)
            if learning:
                mark(u, units, traces)
            if recording:
                record(tick, u, counts, out)
        counts[INPUT_SPIKES] += n_in
        slot = ring[tick & (DELAY_SLOTS - 1)]
        for b in range(cells.shape[0]):
            cell = cells[b]
            if noise[0] != NOISE_OFF:
                draw_noise(tick, unit_of[b * LANES :], noise, key[0], push)
            active, hit = update_block(cell, slot[b * LANES :], push, counts)
            core = block_core[b]
            work[core, W_ACTIVE] += active
            counts[ACTIVE] += active
            if hit != 0:
                for i in range(LANES):
                    if cell[SPIKED * LANES + i] != 0:
                        u = unit_of[b * LANES + i]
                        counts[SPIKES] += 1
                        work[core, W_SPIKES] += 1
                        counts[SYNOPS] += deliver(u, tick, row, target, contribution, delay, ring)
                        send(u, core, meter)
                        if learning:
                            mark(u, units, traces)
                        if recording:
                            record(tick, u, counts, out)
                        o = output_of[b * LANES + i]
                        if o >= 0:
                            read_out(o, tick, start, out)
        if learning:
            learn_tick(tick, rules, traces, wires, learned, work, counts)
        close_tick(meter)
    counts[TICK] = start + n_ticks
    counts[WINDOWS] += 1
    return 0
