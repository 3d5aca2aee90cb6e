"""Correlation sensors and the plasticity processor (PPU) of BrainScaleS-2, as numba kernels.

Every plastic synapse has two analog sensors (chips sheet 5.5). A postsynaptic spike adds
``gain exp(-(t_post - t_pre) / tau_plus)`` for the last presynaptic spike to the causal one, a presynaptic spike
``gain exp(-(t_pre - t_post) / tau_minus)`` for the last postsynaptic spike to the anti-causal one; both saturate at
what 8 bits read. A program reads them periodically, resets them, and changes 6-bit weights by stochastic rounding.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from insectbot.chips.engine import UPDATES
from insectbot.jit import kernel
from insectbot.randomness import uniform

PAIR, REWARD, PERTURB = 0, 1, 2
# Parameters, one row each, one column per plastic synapse.
GAIN_PLUS, GAIN_MINUS, TAU_PLUS, TAU_MINUS, A_PLUS, A_MINUS, FADE, RATE, W_LOW, W_HIGH = range(10)
N_PARAMETERS = 10
SENSOR_MAX = 255.0
E_LIMIT = 32767.0
E_FRACTION = 16.0
"""Eligibility in the PPU's memory counts sixteenths of an LSB of the sensors."""
NEVER = -(1 << 60)


@kernel(error_model="numpy")
def jitter(bits: Any) -> Any:
    """Return a number of mean 0 and variance 1 from 32 random bits: the sum of four uniform bytes."""
    total = (bits & 255) + ((bits >> 8) & 255) + ((bits >> 16) & 255) + (bits >> 24)
    return (float(total) - 510.0) / 147.79935859
    # 147.799 = sqrt(4 (256^2 - 1) / 12)


@kernel(error_model="numpy")
def mark_pre(unit: Any, tick: Any, plastic: Any) -> None:
    """Take a presynaptic spike: an anti-causal pair with the last postsynaptic one, before those of this tick.

    ``plastic`` is (parameters, kind, modulator, position, pre unit, post neuron, row by unit, row by neuron, order by
    neuron, sensors, eligibility, last spike of units, last spike of neurons, key, (period, dt, full counter), spike
    counter by unit, counter as last read, group, change of groups, noise by neuron, relays by unit); synapses are
    sorted by pre unit.
    """
    p, post, row, sensors = plastic[0], plastic[5], plastic[6], plastic[9]
    last_pre, last_post, dt = plastic[11], plastic[12], plastic[14][1]
    for s in range(row[unit], row[unit + 1]):
        last = last_post[post[s]]
        if last >= 0:
            pair = p[GAIN_MINUS, s] * math.exp(-(tick - last) * dt / p[TAU_MINUS, s])
            sensors[1, s] = min(sensors[1, s] + pair, SENSOR_MAX)
    last_pre[unit] = tick
    plastic[15][unit] += 1


@kernel(error_model="numpy")
def mark_post(neuron: Any, tick: Any, plastic: Any) -> None:
    """Take a postsynaptic spike: causal pairs with the last presynaptic one, also of this tick."""
    p, pre, row, order, sensors = plastic[0], plastic[4], plastic[7], plastic[8], plastic[9]
    last_pre, last_post, dt = plastic[11], plastic[12], plastic[14][1]
    for k in range(row[neuron], row[neuron + 1]):
        s = order[k]
        last = last_pre[pre[s]]
        if last >= 0:
            pair = p[GAIN_PLUS, s] * math.exp(-(tick - last) * dt / p[TAU_PLUS, s])
            sensors[0, s] = min(sensors[0, s] + pair, SENSOR_MAX)
    last_post[neuron] = tick


@kernel(error_model="numpy")
def write(s: Any, change: Any, tick: Any, plastic: Any, weight: Any, counts: Any, clips: Any) -> None:
    """Change a weight by a number of steps, rounded stochastically, within the bounds of its rule."""
    if change == 0.0:
        return
    steps = math.floor(change + uniform(plastic[13][0], tick, s))
    write_steps(s, steps, plastic, weight, counts, clips)


@kernel(error_model="numpy")
def write_steps(s: Any, steps: Any, plastic: Any, weight: Any, counts: Any, clips: Any) -> None:
    """Change a weight by a whole number of steps within the bounds of its rule."""
    p, m = plastic[0], plastic[3][s]
    new = weight[m] + steps
    if new < p[W_LOW, s] or new > p[W_HIGH, s]:
        new = min(max(new, p[W_LOW, s]), p[W_HIGH, s])
        counts[clips] += 1
    if new != weight[m]:
        counts[UPDATES] += 1
    weight[m] = np.int64(new)


@kernel(error_model="numpy")
def read_sensors(tick: Any, periodic: Any, plastic: Any, weight: Any, counts: Any, w_clips: Any, s_clips: Any) -> None:
    """Run the program: read and reset all sensors; rewarded synapses keep an eligibility, the others change weight."""
    p, kind, sensors, e, setup = plastic[0], plastic[1], plastic[9], plastic[10], plastic[14]
    if periodic and (tick == 0 or tick % np.int64(setup[0]) != 0):
        return
    for s in range(kind.size):
        causal, acausal = np.rint(sensors[0, s]), np.rint(sensors[1, s])
        counts[s_clips] += (causal >= SENSOR_MAX) + (acausal >= SENSOR_MAX)
        sensors[0, s] = 0.0
        sensors[1, s] = 0.0
        if kind[s] == PERTURB:
            continue
        total = p[A_PLUS, s] * causal - p[A_MINUS, s] * acausal
        if kind[s] == PAIR:
            write(s, p[RATE, s] * total, tick, plastic, weight, counts, w_clips)
        else:
            kept = np.rint(e[s] * p[FADE, s]) if periodic else float(e[s])
            e[s] = np.int64(min(max(kept + np.rint(E_FRACTION * total), -E_LIMIT), E_LIMIT))


@kernel(error_model="numpy")
def reward(tick: Any, pulse: Any, plastic: Any, weight: Any, counts: Any, w_clips: Any, s_clips: Any) -> None:
    """Take third factors: read the sensors at once, then change weights by rate * modulator * eligibility."""
    p, kind, modulator, e = plastic[0], plastic[1], plastic[2], plastic[10]
    read_sensors(tick, False, plastic, weight, counts, w_clips, s_clips)
    for s in range(kind.size):
        if kind[s] == REWARD:
            change = p[RATE, s] * pulse[modulator[s]] * e[s]
            write(s, change, tick, plastic, weight, counts, w_clips)
