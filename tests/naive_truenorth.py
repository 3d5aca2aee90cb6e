"""Plain-Python oracle of TrueNorth's cores, written from the data sheet and nothing else."""

import numpy as np

from insectbot.core.random import stream_key
from insectbot.randomness import draw

CEILING = 524287


def sgn(x):
    return (x > 0) - (x < 0)


def rho(key, tick, number):
    return 1 + (int(draw(key, tick, number)) * 255 // 2**32)


def fires(size, key, tick, number):
    """Return F(s, rho)."""
    return 1 if abs(size) >= rho(key, tick, number) else 0


def neuron(v, n, eta, leak, ceiling):
    """Leak, threshold, reset of one neuron (a dict of registers); returns (v, spike, high, low)."""
    before = sgn(v)
    omega = sgn(v) if n["reverse"] else 1
    v = v + omega * leak
    if n["reverse"] and sgn(v) != before:
        v = 0
    high, low = v > ceiling, v < -ceiling
    v = max(-ceiling, min(ceiling, v))
    r = n["reset_sign"] * (2 ** n["reset_exponent"] - 1)
    if high or v >= n["threshold"] + eta:
        return {0: r, 1: v - (n["threshold"] + eta), 2: v}[n["gamma"]], True, high, low
    if n["kappa"]:
        if v < -n["floor"]:
            return -n["floor"], False, high, True
    elif v < -(n["floor"] + eta):
        return {0: -r, 1: v + (n["floor"] + eta), 2: v}[n["gamma"]], False, high, True
    return v, False, high, low


def run(neurons, axon_type, crossbar, target, injected, seed=0, ceiling=CEILING):
    """Run cores; ``neurons[c][j]`` are dicts. Returns (v, spikes) by [tick][core][neuron], and counts."""
    n_cores, ticks = len(neurons), len(injected)
    keys = [np.uint64(stream_key(seed, c)) for c in range(n_cores)]
    v = [[0] * len(core) for core in neurons]
    due = {}
    counts = {"synops": 0, "merged": 0, "v_high": 0, "v_low": 0}
    traces = ([], [])
    for t in range(ticks):
        active = due.pop(t, set())
        for c in range(n_cores):
            for a, given in enumerate(injected[t][c]):
                if given:
                    counts["merged"] += (c, a) in active
                    active.add((c, a))
        spikes = [[False] * len(core) for core in neurons]
        for c, core in enumerate(neurons):
            for j, n in enumerate(core):
                for a in range(len(axon_type[c])):
                    if (c, a) in active and crossbar[c][a][j]:
                        counts["synops"] += 1
                        g = axon_type[c][a]
                        s = n["values"][g]
                        v[c][j] += sgn(s) * fires(s, keys[c], t, 512 * j + a) if n["random_synapse"][g] else s
                leak = n["leak"]
                if n["random_leak"]:
                    leak = sgn(leak) * fires(leak, keys[c], t, 512 * j + 256)
                eta = int(draw(keys[c], t, 512 * j + 257)) % 2 ** n["jitter"]
                v[c][j], spikes[c][j], high, low = neuron(v[c][j], n, eta, leak, ceiling)
                counts["v_high"] += high
                counts["v_low"] += low
        for c, core in enumerate(spikes):
            for j, fired in enumerate(core):
                to, axon, delay = target[c][j]
                if fired and to >= 0:
                    waiting = due.setdefault(t + delay, set())
                    counts["merged"] += (to, axon) in waiting
                    waiting.add((to, axon))
        traces[0].append([list(core) for core in v])
        traces[1].append(spikes)
    return traces, counts
