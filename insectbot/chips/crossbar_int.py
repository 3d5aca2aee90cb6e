"""The ``crossbar_int`` family: TrueNorth's integer neurons behind a binary crossbar, as numba kernels.

One tick (Cassidy et al., IJCNN 2013; chips sheet 3.2; widths in the datasheet):

    V = V + sum over active axons i with a synapse on j of s[type of i]       or F(s, rho) sgn(s) where b[type] is set
    V = V + Omega * (lambda, or F(lambda, rho) sgn(lambda) where c is set)    Omega = sgn(V) where eps is set, else 1
    V = 0 where eps is set and the leak changed the sign of V
    V is cut to +-ceiling; beyond +ceiling the neuron spikes whatever its threshold
    eta = rho & M
    V >= alpha + eta: spike, and V = R | V - (alpha + eta) | V                  for gamma = 0 | 1 | 2
    else V < -beta, kappa = 1: V = -beta
    else V < -(beta + eta), kappa = 0: V = -R | V + (beta + eta) | V            for gamma = 0 | 1 | 2

F(s, rho) = 1 where |s| >= rho, with rho drawn from 1..255. A spike sets one bit of a scheduler of ``slots`` ticks; two
spikes to one axon and tick are one (they merge). Random numbers are counter-based, keyed by core, so clones of a neuron
would part; IBM's LFSR sequence is not public.

Memory: neurons in blocks of ``LANES``, every field of a block side by side, so that one loop body without branches
updates a block in vector registers. Sums are 32-bit: 256 axons of 255 on a 20-bit V cannot overflow, so their order
does not matter.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from insectbot.chips.engine import (
    ACTIVE,
    INPUT_SPIKES,
    N_COMMON,
    SPIKES,
    SYNOPS,
    TICK,
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
from insectbot.randomness import draw

LANES = 16
LANE_BITS = 4
TYPES = 4
WORD_BITS = 6
(V, LEAK, REVERSE, RANDOM_LEAK, ALPHA, BETA, RESET, GAMMA, KAPPA, MASK, COUNT_LOW, SPIKED, ETA, PUSH, S) = range(15)
B = S + TYPES
FIELDS = B + TYPES

RANDOM_NEURON, RANDOM_SYNAPSE = 1, 2

V_HIGH, V_LOW, MERGED = range(N_COMMON, N_COMMON + 3)
N_COUNTS = N_COMMON + 3

RHO_RANGE = 255
PER_NEURON = 512
"""Draws of a neuron per tick: one per axon, then those below."""
DRAW_LEAK, DRAW_THRESHOLD = 256, 257

U1, U6, U32, U63 = np.uint64(1), np.uint64(WORD_BITS), np.uint64(32), np.uint64(63)
TO_RANDOM = np.uint64((B - S) * LANES)


@kernel(error_model="numpy")
def rho(key: Any, tick: Any, number: Any) -> Any:
    """Return a random number 1..255."""
    return np.int32((draw(key, tick, number) * np.uint64(RHO_RANGE)) >> U32) + np.int32(1)


@kernel(error_model="numpy")
def signum(x: Any) -> Any:
    """Return -1, 0 or 1."""
    return np.int32(x > 0) - np.int32(x < 0)


@kernel(error_model="numpy")
def draw_block(tick: Any, cell: Any, first: Any, core_of: Any, start: Any, keys: Any) -> None:
    """Draw jitter (ETA) and leak (PUSH) of a block with random neurons; elsewhere ETA is 0 and PUSH is LEAK."""
    for i in range(LANES):
        j = first + i
        if j >= core_of.size:
            break
        core = core_of[j]
        base = (j - start[core]) * PER_NEURON
        leak = cell[LEAK * LANES + i]
        if cell[RANDOM_LEAK * LANES + i] != 0:
            leak = signum(leak) if abs(leak) >= rho(keys[core], tick, base + DRAW_LEAK) else np.int32(0)
        mask = np.uint64(cell[MASK * LANES + i])
        cell[ETA * LANES + i] = np.int32(draw(keys[core], tick, base + DRAW_THRESHOLD) & mask)
        cell[PUSH * LANES + i] = leak


@kernel(error_model="numpy")
def update_block(cell: Any, ceiling: Any, counts: Any) -> Any:
    """Leak, threshold and reset of one block; returns (lanes with V != 0 before the reset, any spike)."""
    zero = np.int32(0)
    active, hit, low, high = zero, zero, zero, zero
    for i in range(LANES):
        v, leak, eta = cell[V * LANES + i], cell[PUSH * LANES + i], cell[ETA * LANES + i]
        sign = np.int32(np.int32(v > 0) - np.int32(v < 0))
        reverse = cell[REVERSE * LANES + i] != 0
        w = np.int32(v + (np.int32(leak * sign) if reverse else leak))
        turned = np.int32(np.int32(w > 0) - np.int32(w < 0)) != sign
        w = zero if (reverse & turned) else w
        over, under = w > ceiling, w < -ceiling
        w = min(max(w, np.int32(-ceiling)), ceiling)
        active += np.int32(w != 0)
        beta, gamma, reset = cell[BETA * LANES + i], cell[GAMMA * LANES + i], cell[RESET * LANES + i]
        top, floor = np.int32(cell[ALPHA * LANES + i] + eta), np.int32(beta + eta)
        saturating = cell[KAPPA * LANES + i] != 0
        spike = over | (w >= top)
        beyond = w < (np.int32(-beta) if saturating else np.int32(-floor))
        up = reset if gamma == 0 else (np.int32(w - top) if gamma == 1 else w)
        bounce = np.int32(-reset) if gamma == 0 else (np.int32(w + floor) if gamma == 1 else w)
        down = np.int32(-beta) if saturating else bounce
        cell[V * LANES + i] = up if spike else (down if beyond else w)
        cell[SPIKED * LANES + i] = np.int32(spike)
        high += np.int32(over)
        low += np.int32(under | beyond) & cell[COUNT_LOW * LANES + i]
        hit |= np.int32(spike)
    counts[V_HIGH] += high
    counts[V_LOW] += low
    return active, hit


@kernel(error_model="numpy")
def schedule(axon: Any, due: Any, scheduler: Any, counts: Any) -> None:
    """Set the bit of an axon for tick ``due``: spikes to one axon and tick merge.

    ``scheduler`` is (bits [slots, words], list of the axons of each slot, their number); slots are a power of two.
    """
    bits, waiting, n = scheduler
    slot, word = due & (bits.shape[0] - 1), axon >> WORD_BITS
    bit = U1 << (np.uint64(axon) & U63)
    old = bits[slot, word]
    if old & bit:
        counts[MERGED] += 1
    else:
        bits[slot, word] = old | bit
        waiting[slot, n[slot]] = axon
        n[slot] += 1


@kernel(error_model="numpy")
def deliver(units: Any, n_units: Any, tick: Any, targets: Any, scheduler: Any, counts: Any) -> None:
    """Schedule the spikes of some units on their axons; one per clone, or per packet of the host.

    The same as calling :func:`schedule` for each, without handing arrays over every time.
    """
    row, axon, delay = targets
    bits, waiting, n = scheduler
    mask, merged = bits.shape[0] - 1, 0
    for s in range(n_units):
        for m in range(row[units[s]], row[units[s] + 1]):
            a = np.int64(axon[m])
            slot, word = (tick + delay[m]) & mask, a >> WORD_BITS
            bit = U1 << (np.uint64(a) & U63)
            old = bits[slot, word]
            if old & bit:
                merged += 1
            else:
                bits[slot, word] = old | bit
                waiting[slot, n[slot]] = a
                n[slot] += 1
    counts[MERGED] += merged


@kernel(error_model="numpy")
def integrate(tick: Any, scheduler: Any, crossbar: Any, fabric: Any, counts: Any) -> None:
    """Add the synapses of the axons that are active at this tick to V; clears the slot."""
    cells, randoms, core_of, start, keys = fabric[:5]
    kind, row, target, local = crossbar
    bits, waiting, n = scheduler
    slot, synops, flat = tick & (bits.shape[0] - 1), 0, cells.reshape(-1)
    now, active = bits[slot], waiting[slot]
    random = False
    for b in range(randoms.size):
        random |= (randoms[b] & RANDOM_SYNAPSE) != 0
    # Unsigned indices spare the test for negative ones, a fifth of the time.
    for s in range(n[slot]):
        axon = np.uint64(active[s])
        now[axon >> U6] = 0
        field = np.uint64((S + kind[axon]) * LANES)
        low, high = row[axon], row[axon + U1]
        synops += high - low
        for k in range(low, high):
            j = np.int64(target[k])
            lane = np.uint64((j >> LANE_BITS) * (FIELDS * LANES) + (j & (LANES - 1)))
            value = flat[lane + field]
            if random and flat[lane + field + TO_RANDOM] != 0:
                core = core_of[j]
                number = (j - start[core]) * PER_NEURON + local[axon]
                value = signum(value) if abs(value) >= rho(keys[core], tick, number) else np.int32(0)
            flat[lane] += value
    n[slot] = 0
    counts[SYNOPS] += synops


@kernel(error_model="numpy")
def run_registers(
    injected: Any, scheduler: Any, crossbar: Any, targets: Any, fabric: Any, counts: Any, trace: Any
) -> None:
    """Run register-level vectors: ``injected`` [ticks, axons] are spikes of the host in the tick they are due.

    ``trace`` is (v, spikes), each [ticks, n].
    """
    cells, randoms, core_of, start, keys, top = fabric
    ceiling = np.int32(top[0])
    n = trace[0].shape[1]
    fired = np.empty(n, np.int64)
    for t in range(injected.shape[0]):
        for a in range(injected.shape[1]):
            if injected[t, a]:
                schedule(a, t, scheduler, counts)
        integrate(t, scheduler, crossbar, fabric, counts)
        n_fired = 0
        for b in range(cells.shape[0]):
            cell = cells[b]
            if randoms[b] & RANDOM_NEURON:
                draw_block(t, cell, b * LANES, core_of, start, keys)
            update_block(cell, ceiling, counts)
            for i in range(min(LANES, n - b * LANES)):
                j = b * LANES + i
                trace[0][t, j] = cells[b, V * LANES + i]
                trace[1][t, j] = cells[b, SPIKED * LANES + i]
                if cells[b, SPIKED * LANES + i]:
                    fired[n_fired] = j
                    n_fired += 1
        deliver(fired, n_fired, t, targets, scheduler, counts)


@kernel(error_model="numpy")
def fire(
    tick: Any, start: Any, recording: Any, timed: Any, fabric: Any, counts: Any, meter: Any, out: Any, fired: Any
) -> Any:
    """Update all neurons; fill ``fired`` with the units that spike and take them into counts. Returns their number."""
    cells, core_of, recent, output_of = fabric[0], fabric[2], fabric[6], fabric[7]
    now, ceiling = recent[tick & (recent.shape[0] - 1)], np.int32(fabric[5][0])
    unit_spikes, work, n_inputs = meter[2], meter[4], now.size - core_of.size
    n_fired, n_active = 0, 0
    for b in range(cells.shape[0]):
        cell = cells[b]
        active, hit = update_block(cell, ceiling, counts)
        n_active += active
        if hit != 0:
            for i in range(LANES):
                if cell[SPIKED * LANES + i] != 0:
                    j = b * LANES + i
                    u = j + n_inputs
                    now[u] = 1
                    fired[n_fired] = u
                    n_fired += 1
                    if timed:
                        work[core_of[j], W_SPIKES] += 1
                        send(u, core_of[j], meter)
                    else:
                        unit_spikes[u] += 1
                    if recording:
                        record(tick, u, counts, out)
                    if output_of[j] >= 0:
                        read_out(output_of[j], tick, start, out)
    counts[ACTIVE] += n_active
    counts[SPIKES] += n_fired
    return n_fired


@kernel(error_model="numpy")
def window(
    n_ticks: Any, recording: Any, timed: Any, counts: Any, sources: Any, scheduler: Any, crossbar: Any, targets: Any,
    fabric: Any, meter: Any, out: Any,
) -> Any:  # fmt: skip
    """Run one control window; the arguments are tuples of arrays (see ``engine.py``). Returns 1 for a bad drive.

    No neuron is random: clones would part. ``fabric`` is (cells, random blocks, core of neuron, first neuron of core,
    keys, ceiling, recent, outputs); ``crossbar`` (axon type, row, neuron, number of the axon on its core); ``targets``
    (row, axon, delay) by unit. Messages and the work of cores are followed only if they are ``timed``.
    """
    recent, unit_spikes, firing = fabric[6], meter[2], sources[7]
    fired = np.empty(fabric[2].size, np.int64)
    if begin(sources, out, counts):
        return 1
    start = counts[TICK]
    for tick in range(start, start + n_ticks):
        now = recent[tick & (recent.shape[0] - 1)]
        now[:] = 0
        n_in = emit_inputs(tick, sources)
        for s in range(n_in):
            u = firing[s]
            now[u] = 1
            if timed:
                send(u, -1, meter)
            else:
                unit_spikes[u] += 1
            if recording:
                record(tick, u, counts, out)
        counts[INPUT_SPIKES] += n_in
        deliver(firing, n_in, tick, targets, scheduler, counts)
        integrate(tick, scheduler, crossbar, fabric, counts)
        n_fired = fire(tick, start, recording, timed, fabric, counts, meter, out, fired)
        deliver(fired, n_fired, tick, targets, scheduler, counts)
        close_tick(meter)
    counts[TICK] = start + n_ticks
    counts[WINDOWS] += 1
    return 0
