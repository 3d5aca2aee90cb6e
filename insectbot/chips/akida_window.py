"""A network on Akida, as one numba kernel: the host counts and gives spikes, the chip turns counts into counts.

Frame f are ticks f F to f F + F - 1. At every tick:

1. Inputs spike, and the host counts them.
2. Every neuron gives the spikes of the activation y that it got in the last frame, evenly: with n = min(y, cap), at
   offset k there is one where ``floor((k + 1) n / F) > floor(k n / F)``. The last one is at offset F - 1.
3. At the last tick of a frame the counts, cut to the range of an input, go through the layers; they start anew from 0.

So a spike has an effect in the frame after its own, whatever the number of layers.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from insectbot.chips.akida_layers import FULL_BITS, STEP_ONE, activation
from insectbot.chips.engine import (
    ACTIVE,
    INPUT_SPIKES,
    N_COMMON,
    SPIKES,
    SYNOPS,
    T_BARRIER,
    T_FLOOR,
    T_IN,
    T_OUT,
    T_SYNOP,
    TICK,
    W_IN,
    W_OUT,
    W_SYNOPS,
    WINDOWS,
    begin,
    emit_inputs,
    read_out,
    record,
    send,
)
from insectbot.jit import kernel

CLIPPED, SATURATED, CUT, DROPPED, FRAMES = range(N_COMMON, N_COMMON + 5)
N_COUNTS = N_COMMON + 5


@kernel(error_model="numpy")
def infer(count: Any, value: Any, program: Any, counts: Any, meter: Any) -> None:
    """Run one frame: ``count`` of the inputs becomes ``value`` of the neurons, layer by layer; clears ``count``.

    ``program`` is (first neuron of layers, first weight of layers, weights, thresholds, steps, cap, unit of the
    network, [input bits, activation bits, lowest potential, highest potential]); neurons are numbered layer by layer.
    """
    start, row, weight, threshold, step, cap, number, widths = program
    most, bits, low, high = (np.int64(1) << widths[0]) - 1, widths[1], widths[2], widths[3]
    top = (np.int64(1) << bits) - 1
    n_inputs = count.size
    for i in range(n_inputs):
        counts[CLIPPED] += max(count[i] - most, 0)
        count[i] = min(count[i], most)
    for layer in range(start.size - 1):
        first, units = start[layer], start[layer + 1] - start[layer]
        before = n_inputs if layer == 0 else start[layer] - start[layer - 1]
        potential = np.zeros(units, np.int64)
        for i in range(before):
            x = np.int64(count[i]) if layer == 0 else np.int64(value[start[layer - 1] + i])
            if x != 0:
                unit = np.int64(i) if layer == 0 else number[start[layer - 1] + i]
                send(unit, layer - 1, meter)
                counts[SYNOPS] += units
                at = row[layer] + i * units
                for j in range(units):
                    potential[j] += x * np.int64(weight[at + j])
        for j in range(units):
            p, n = min(max(potential[j], low), high), first + j
            counts[SATURATED] += p != potential[j]
            y = activation(p, np.int64(threshold[n]), np.int64(step[n]), bits)
            counts[CUT] += STEP_ONE * (p - threshold[n]) > (top * step[n]) << (FULL_BITS - bits)
            counts[DROPPED] += max(y - cap[n], 0)
            counts[ACTIVE] += y != 0
            value[n] = y
    for n in range(start[start.size - 2], start[start.size - 1]):
        if value[n] != 0:
            send(number[n], start.size - 2, meter)
    count[:] = 0
    counts[FRAMES] += 1


@kernel(error_model="numpy")
def close(framed: Any, meter: Any) -> None:
    """Add the duration of this tick to ``elapsed`` (see ``engine.close_tick``): nothing, but for an inference.

    An inference passes the layers one after the other: the sum of their times, plus the longest way of a message.
    """
    work, times, tail, elapsed = meter[4], meter[5], meter[6], meter[7]
    for p in range(times.shape[0]):
        t, step = times[p], 0.0
        if framed:
            for c in range(work.shape[0]):
                step += work[c, W_IN] * t[T_IN] + work[c, W_SYNOPS] * t[T_SYNOP] + work[c, W_OUT] * t[T_OUT]
            step = max(step + tail[p, 0] + t[T_BARRIER], t[T_FLOOR])
        elapsed[p, 0] += step
        elapsed[p, 1] += max(step, elapsed[p, 2])
        elapsed[p, 3] = max(elapsed[p, 3], step)
        elapsed[p, 4] += step > elapsed[p, 2] * 1.000000001
        tail[p, 0] = 0.0
        tail[p, 1] = 0.0
    if framed:
        work[:, :] = 0


@kernel(error_model="numpy")
def window(
    n_ticks: Any, frame: Any, recording: Any, counts: Any, sources: Any, count: Any, value: Any, program: Any,
    outputs: Any, meter: Any, out: Any,
) -> Any:  # fmt: skip
    """Run one control window; the arguments are tuples of arrays (see ``engine.py``). Returns 1 for a bad drive.

    ``count`` are the spikes of the inputs in this frame, ``value`` the activations of the last; ``outputs`` the number
    of the output of each neuron, -1 for none. Neurons are numbered layer by layer.
    """
    firing, cap, number = sources[7], program[5], program[6]
    if begin(sources, out, counts):
        return 1
    start = counts[TICK]
    for tick in range(start, start + n_ticks):
        n_in = emit_inputs(tick, sources)
        for s in range(n_in):
            count[firing[s]] += 1
            if recording:
                record(tick, firing[s], counts, out)
        counts[INPUT_SPIKES] += n_in
        k = tick % frame
        for n in range(value.size):
            y = np.int64(min(value[n], cap[n]))
            if y != 0 and ((k + 1) * y) // frame > (k * y) // frame:
                counts[SPIKES] += 1
                if recording:
                    record(tick, number[n], counts, out)
                if outputs[n] >= 0:
                    read_out(outputs[n], tick, start, out)
        framed = k == frame - 1
        if framed:
            infer(count, value, program, counts, meter)
        close(framed, meter)
    counts[TICK] = start + n_ticks
    counts[WINDOWS] += 1
    return 0
