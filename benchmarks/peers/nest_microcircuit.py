"""The cortical microcircuit (W4) in NEST, one thread: ``python benchmarks/peers/nest_microcircuit.py --scale 0.1``."""

from __future__ import annotations

import argparse
import json
import math
import sys
import time

import numpy as np

SIZES = (20683, 5834, 21915, 5479, 4850, 1065, 14395, 2948)
EXTERNAL = (1600, 1500, 2100, 1900, 2000, 1900, 2900, 2100)
RATES = (0.971, 2.868, 4.746, 5.396, 8.142, 9.078, 0.991, 7.523)
PROBABILITY = (
    (0.1009, 0.1689, 0.0437, 0.0818, 0.0323, 0.0, 0.0076, 0.0),
    (0.1346, 0.1371, 0.0316, 0.0515, 0.0755, 0.0, 0.0042, 0.0),
    (0.0077, 0.0059, 0.0497, 0.135, 0.0067, 0.0003, 0.0453, 0.0),
    (0.0691, 0.0029, 0.0794, 0.1597, 0.0033, 0.0, 0.1057, 0.0),
    (0.1004, 0.0622, 0.0505, 0.0057, 0.0831, 0.3726, 0.0204, 0.0),
    (0.0548, 0.0269, 0.0257, 0.0022, 0.06, 0.3158, 0.0086, 0.0),
    (0.0156, 0.0066, 0.0211, 0.0166, 0.0572, 0.0197, 0.0396, 0.2252),
    (0.0364, 0.001, 0.0034, 0.0005, 0.0277, 0.008, 0.0658, 0.1443),
)
"""Potjans & Diesmann 2014, table 5, as in insectbot.core.cortex."""
CELL = {"C_m": 250.0, "tau_m": 10.0, "tau_syn_ex": 0.5, "tau_syn_in": 0.5, "t_ref": 2.0, "E_L": -65.0, "V_th": -50.0}
WEIGHT, G = 87.8085, -4.0


def build(nest: object, scale: float) -> object:
    """Create the populations, their background and all synapses; return a spike recorder of everything."""
    n, p = np.array(SIZES, float), np.array(PROBABILITY)
    indegree = np.log1p(-p) / np.log1p(-1.0 / np.outer(n, n)) / n[:, None]
    weight = np.tile(np.where(np.arange(8) % 2, G * WEIGHT, WEIGHT), (8, 1))
    weight[0, 2] *= 2.0
    root = math.sqrt(scale)
    recorder = nest.Create("spike_recorder")
    groups = []
    for t in range(8):
        rate = EXTERNAL[t] * 8.0
        lost = 0.5e-3 * (1.0 - root) * (float((weight[t] * indegree[t] * RATES).sum()) + WEIGHT * rate)
        group = nest.Create("iaf_psc_exp", round(SIZES[t] * scale), {**CELL, "V_reset": -65.0, "I_e": lost})
        group.V_m = nest.random.normal(-58.0, 10.0)
        source = nest.Create("poisson_generator", params={"rate": rate * scale})
        nest.Connect(source, group, syn_spec={"weight": WEIGHT / root, "delay": 1.5})
        nest.Connect(group, recorder)
        groups.append(group)
    for t, target in enumerate(groups):
        for s, source in enumerate(groups):
            number = round(indegree[t, s] * scale * len(target))
            if not number:
                continue
            mean, delay = weight[t, s] / root, (1.5, 0.75)[s % 2]
            limits = {"min": 0.0} if mean > 0 else {"max": 0.0}
            synapse = {
                "weight": nest.math.redraw(
                    nest.random.normal(mean, 0.1 * abs(mean)), **{"min": -np.inf, "max": np.inf, **limits}
                ),
                "delay": nest.math.redraw(nest.random.normal(delay, 0.5 * delay), min=0.1, max=np.inf),
            }
            nest.Connect(source, target, {"rule": "fixed_total_number", "N": number}, synapse)
    return recorder


def main() -> None:
    """Build, warm up for 0.1 s, time the rest, print one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=0.1)
    parser.add_argument("--seconds", type=float, default=1.0)
    options = parser.parse_args()
    try:
        import nest
    except ImportError:
        print("nest: not installed: pip install nest-simulator", file=sys.stderr)
        sys.exit(3)
    nest.set_verbosity("M_ERROR")
    nest.SetKernelStatus({"resolution": 0.1, "local_num_threads": 1, "rng_seed": 55})
    began = time.perf_counter()
    recorder = build(nest, options.scale)
    built = time.perf_counter() - began
    nest.Simulate(100.0)
    before, wall, cpu = recorder.n_events, time.perf_counter(), time.process_time()
    nest.Simulate(options.seconds * 1e3)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    rate = (recorder.n_events - before) / options.seconds / sum(round(s * options.scale) for s in SIZES)
    figures = {"rtf": cpu / options.seconds, "wall": wall / options.seconds, "build_s": built, "rate_hz": rate}
    print(json.dumps({"peer": "nest", "net": "w4", "scale": options.scale, **figures}))


if __name__ == "__main__":
    main()
