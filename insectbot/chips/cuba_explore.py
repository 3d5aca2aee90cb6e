"""Exploration noise of the ``cuba_int`` family, which an embedded processor writes, as numba kernels.

The compartments' own noise cannot be seen by the learning engine. So once per period the embedded processor draws the
noise, adds it to the bias register, and writes what a rule needs of it into the post traces y2 (where positive) and y3
(where negative); before that, a host pass lets eligibilities decay.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from insectbot.chips.cuba_int import BIAS_WRITES, TRACE_CLIPS, set_bias
from insectbot.chips.cuba_learn import DEP_NOISE, P_EXPLORER, TRACE_MAX, host_pass
from insectbot.jit import kernel
from insectbot.randomness import standard_normal


@kernel(error_model="numpy")
def explore(
    tick: Any, explorers: Any, cells: Any, rules: Any, traces: Any, wires: Any, synapse: Any, counts: Any
) -> None:
    """Draw new noise for the populations whose period begins at this tick, and tell the rules.

    ``explorers`` is (first, size, period per population; memory, sigma per population; keys; lane, scale and noise
    per neuron; standing noise and analog input per lane; largest bias; gain per rule; scratch per synapse).
    """
    number, real, key, lane, scale, xi, standing, analog, largest, gain, fresh = explorers
    for e in range(number.shape[0]):
        first, n, period = number[e, 0], number[e, 1], number[e, 2]
        if tick % period == 0:
            mean = 0.0
            for i in range(n):
                xi[first + i] = real[e, 0] * xi[first + i] + real[e, 1] * standard_normal(key[e], tick, i)
                mean += xi[first + i]
                push(first + i, True, lane, scale, xi, standing, analog, largest, cells, counts)
            for p in range(rules[0].shape[0]):
                if rules[0][p, P_EXPLORER] == e:
                    host_pass(tick, p, DEP_NOISE, 0, 0, rules, traces, wires, synapse, fresh, counts)
                    tell(xi[first : first + n], mean, gain[p], rules[4][p], traces[1], counts)


@kernel(error_model="numpy")
def tell(xi: Any, mean: Any, gain: Any, first: Any, y: Any, counts: Any) -> None:
    """Write the noise of each neuron, less the mean of the others, into its traces y2 and y3."""
    for i in range(xi.size):
        others = (mean - xi[i]) / (xi.size - 1)
        level = np.floor(abs(xi[i] - others) * gain + 0.5)
        counts[TRACE_CLIPS] += level > TRACE_MAX
        counts[BIAS_WRITES] += 2
        value = np.int32(min(level, float(TRACE_MAX)))
        y[1, first + i] = value if xi[i] > others else 0
        y[2, first + i] = 0 if xi[i] > others else value


@kernel(error_model="numpy")
def push(i: Any, on: Any, lane: Any, scale: Any, xi: Any, standing: Any, analog: Any, largest: Any, cells: Any,
         counts: Any) -> None:  # fmt: skip
    """Write the noise of neuron ``i`` into its bias register, beside analog input; 0 unless ``on``."""
    standing[lane[i]] = xi[i] * scale[i] if on else 0.0
    set_bias(analog[lane[i]] + standing[lane[i]], lane[i], largest, cells, counts)


@kernel(error_model="numpy")
def push_all(on: Any, explorers: Any, cells: Any, counts: Any) -> None:
    """Write the noise of all neurons that explore, or take it away."""
    _, _, _, lane, scale, xi, standing, analog, largest, _, _ = explorers
    for i in range(xi.size):
        push(i, on, lane, scale, xi, standing, analog, largest, cells, counts)
