"""The window kernel of tunnel-junction arrays: word lines, column currents, host neurons, switching, tick by tick.

Order of a tick: inputs spike; word lines that are due are read, all of one tile at once, and the column currents go to
the host; host neurons step; while the array learns, all lines drive their spike shapes for the time that the tick
lasts on the device, and plastic junctions switch; spikes then set word lines due 1 tick or more ahead.

A line reads ``I = sum G V_read`` per column. Its noise is one normal number of the variance that independent noise of
every junction (relative ``N_JUNCTION``) and of every wire (relative ``N_WIRE``) sums to.
"""

from __future__ import annotations

import math
from typing import Any

from insectbot.chips.adex_analog import jitter
from insectbot.chips.engine import (
    ACTIVE,
    INPUT_SPIKES,
    N_COMMON,
    SPIKES,
    SYNOPS,
    TICK,
    UPDATES,
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
from insectbot.chips.nls_device import LENGTH, V_MINUS, V_PLUS, conductance, line, switch
from insectbot.jit import kernel
from insectbot.randomness import draw

# Host neurons: parameters (potentials from rest) and state.
KEEP, KEEP_SYN, CROSS, GAIN, THRESHOLD, RESET, FLOOR, HOLD, DELTA = range(9)
N_PARAMETERS = 9
V, I_SYN, HELD, X, EXTERNAL = range(5)
N_STATE = 5
# Setup: noise of junctions and wires (relative), steps per tick, their time on the device [ns].
N_JUNCTION, N_WIRE, STEPS, STEP = range(4)
# What costs energy: conductance that was read [uS], write pulses [fJ], charging of plastic junctions [fJ].
READ, WRITE, CHARGE = range(3)

CONVERSIONS, DISTURBS = range(N_COMMON, N_COMMON + 2)
N_COUNTS = N_COMMON + 2
NEVER = -(1 << 40)


@kernel(error_model="numpy")
def advance(p: Any, s: Any, fired: Any) -> Any:
    """Advance all host neurons by a tick (LIF, exact between spikes); fills ``fired``, returns their number."""
    n_fired = 0
    for j in range(s.shape[1]):
        v = s[V, j] * p[KEEP, j] + s[EXTERNAL, j] * p[GAIN, j] + s[I_SYN, j] * p[CROSS, j]
        s[I_SYN, j] = s[I_SYN, j] * p[KEEP_SYN, j] + s[X, j] * (1.0 - p[DELTA, j])
        v = max(v + s[X, j] * p[DELTA, j], p[FLOOR, j])
        s[X, j] = 0.0
        if s[HELD, j] > 0.0:
            s[HELD, j] -= 1.0
            continue
        if v >= p[THRESHOLD, j]:
            v = p[RESET, j]
            s[HELD, j] = p[HOLD, j]
            fired[n_fired] = j
            n_fired += 1
        s[V, j] = v
    return n_fired


@kernel(error_model="numpy")
def read(n_due: Any, due: Any, lines: Any, array: Any, sums: Any, setup: Any, energy: Any, counts: Any) -> Any:
    """Add the junctions of all word lines that are due to their column sums; returns how many blocks were read.

    ``lines`` is (first synapse, block), ``array`` (column, G [2, synapses], ...), ``sums`` (plus, minus, variance,
    touched block list, whether touched).
    """
    first, block_of = lines[0], lines[1]
    column, g, start, pair = array[0], array[1], array[2], array[3]
    plus, minus, variance, touched, is_touched = sums
    n_touched, noise = 0, setup[N_JUNCTION] * setup[N_JUNCTION]
    for r in range(n_due):
        b = block_of[due[r]]
        if not is_touched[b]:
            is_touched[b] = 1
            touched[n_touched] = b
            n_touched += 1
        at, both, drawn = start[b], pair[b], 0.0
        for k in range(first[due[r]], first[due[r] + 1]):
            a, high, low = at + column[k], g[0, k], g[1, k]
            plus[a] += high
            minus[a] += low
            variance[a] += noise * (high * high + both * low * low)
            drawn += high + both * low
        energy[READ] += drawn
        counts[SYNOPS] += first[due[r] + 1] - first[due[r]]
    return n_touched


@kernel(error_model="numpy")
def convert(tick: Any, n_touched: Any, key: Any, array: Any, sums: Any, setup: Any, state: Any, counts: Any) -> None:
    """Bring the column currents of the blocks that were read to the host, with noise, as weights; clears the sums."""
    start, pair, scale, target = array[2], array[3], array[4], array[5]
    plus, minus, variance, touched, is_touched = sums
    wire = setup[N_WIRE] * setup[N_WIRE]
    for n in range(n_touched):
        b = touched[n]
        is_touched[b] = 0
        counts[CONVERSIONS] += start[b + 1] - start[b]
        for a in range(start[b], start[b + 1]):
            high, low = plus[a], minus[a]
            if high == 0.0 and low == 0.0:
                continue
            sigma = math.sqrt(variance[a] + wire * (high * high + pair[b] * low * low))
            total = high - low
            if sigma > 0.0:
                total += sigma * jitter(draw(key, tick, a))
            state[X, target[b] + a - start[b]] += scale[b] * total
            plus[a] = 0.0
            minus[a] = 0.0
            variance[a] = 0.0


@kernel(error_model="numpy")
def learn(tick: Any, last: Any, n_inputs: Any, g: Any, plastic: Any, setup: Any, energy: Any, counts: Any) -> Any:
    """Let every plastic junction feel its two lines for a tick; returns how many changed.

    ``plastic`` is (parameters, s, synapse, source unit, target neuron, shape of the word line, of the column, junction
    -> shapes).
    """
    p, state, synapse, source, target, pre, post, shape_of = plastic
    steps, dt = int(setup[STEPS]), setup[STEP]
    changed = 0
    for k in range(state.size):
        q = shape_of[k]
        pre_age = float(tick - last[source[k]]) * steps * dt
        post_age = float(tick - last[n_inputs + target[k]]) * steps * dt
        pre_rests, post_rests = pre_age >= pre[q, LENGTH], post_age >= post[q, LENGTH]
        if pre_rests and post_rests:
            continue
        s = state[k]
        for n in range(steps):
            shift = (n + 0.5) * dt
            v = line(post_age + shift, post[q]) - line(pre_age + shift, pre[q])
            energy[WRITE] += conductance(s, k, p) * v * v * dt
            if v > p[V_PLUS, k] or v < -p[V_MINUS, k]:
                s = switch(s, v, dt, k, p)
        if s != state[k]:
            changed += 1
            counts[DISTURBS] += pre_rests or post_rests
            state[k] = s
            g[0, synapse[k]] = conductance(s, k, p)
    return changed


@kernel(error_model="numpy")
def charge(unit: Any, is_input: Any, charges: Any, energy: Any) -> None:
    """Add the energy that charges the plastic junctions of a unit's lines for one spike [fJ]."""
    energy[CHARGE] += charges[0, unit] + (0.0 if is_input else charges[1, unit])


@kernel(error_model="numpy")
def window(
    n_ticks: Any, recording: Any, learning: Any, counts: Any, sources: Any, neurons: Any, lines: Any, array: Any,
    sums: Any, plastic: Any, times: Any, setup: Any, energy: Any, meter: Any, out: Any,
) -> Any:  # fmt: skip
    """Run one control window; the arguments are tuples of arrays. Returns 1 for a bad drive.

    ``neurons`` is (parameters, state, fired, core, output); ``lines`` (first synapse, block, first line of unit, delay,
    due list [slot, line], due number [slot]); ``array`` (column, G, first sum, pair, scale, first target of block);
    ``times`` (last spike of unit, noise key, charge per unit).
    """
    parameters, state, fired, core_of, output_of = neurons
    unit_lines, delay, due, n_due = lines[2], lines[3], lines[4], lines[5]
    last, key, charges = times
    work, firing, n_inputs = meter[4], sources[7], sources[0].size
    if begin(sources, out, counts):
        return 1
    start, slots = counts[TICK], n_due.size
    for tick in range(start, start + n_ticks):
        n_in = emit_inputs(tick, sources)
        slot = tick % slots
        n_touched = read(n_due[slot], due[slot], lines, array, sums, setup, energy, counts)
        n_due[slot] = 0
        convert(tick, n_touched, key[0], array, sums, setup, state, counts)
        n_fired = advance(parameters, state, fired)
        counts[INPUT_SPIKES] += n_in
        counts[SPIKES] += n_fired
        counts[ACTIVE] += state.shape[1]
        for h in range(n_in + n_fired):
            u = firing[h] if h < n_in else n_inputs + fired[h - n_in]
            last[u] = tick
            if learning:
                charge(u, h < n_in, charges, energy)
            for r in range(unit_lines[u], unit_lines[u + 1]):
                to = (tick + delay[r]) % slots
                due[to, n_due[to]] = r
                n_due[to] += 1
            send(u, -1 if h < n_in else core_of[u - n_inputs], meter)
            if recording:
                record(tick, u, counts, out)
        for h in range(n_fired):
            j = fired[h]
            work[core_of[j], W_SPIKES] += 1
            if output_of[j] >= 0:
                read_out(output_of[j], tick, start, out)
        for c in range(work.shape[0]):
            work[c, W_ACTIVE] = meter[3][c]
        if learning:
            counts[UPDATES] += learn(tick, last, n_inputs, array[1], plastic, setup, energy, counts)
        close_tick(meter)
    counts[TICK] = start + n_ticks
    counts[WINDOWS] += 1
    return 0
