"""NIR graphs in few words, and networks run in the core step by step."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import nir
import numpy as np

from insectbot.core.simulator import Simulator
from insectbot.snn import LIF, Input, Network, Population, Projection, RegularInput


def shape_in(*shape):
    return nir.Input(input_type={"input": np.array(shape)})


def shape_out(*shape):
    return nir.Output(output_type={"output": np.array(shape)})


def graph(nodes, edges, **more):
    return nir.NIRGraph(nodes, edges, type_check=False, **more)


def chain(*nodes, n_in, n_out):
    """Return input -> 0 -> 1 -> ... -> output."""
    names = ["input", *map(str, range(len(nodes))), "output"]
    ends = (shape_in(*np.atleast_1d(n_in)), *nodes, shape_out(*np.atleast_1d(n_out)))
    return graph(dict(zip(names, ends, strict=True)), list(pairwise(names)))


def neuron(kind, n, strength=1.0, seed=2, rest=0.1):
    """Return a node with times per neuron, on which a weight of 1 adds about ``strength`` per step of 1 ms."""
    z = np.zeros(n)
    tau = np.random.default_rng(seed).uniform(0.004, 0.02, n)
    r, fast = strength * tau / 0.001, strength * 1000.0
    makers = {
        "LIF": lambda: nir.LIF(tau, r, rest + z, 1.0 + z, -0.2 + z),
        "LI": lambda: nir.LI(tau, r, rest + z),
        "IF": lambda: nir.IF(z + fast, 1.0 + z, -rest + z),
        "I": lambda: nir.I(z + fast),
        "CubaLIF": lambda: nir.CubaLIF(tau / 3, tau, 3.0 + z, rest + z, 1.0 + z, 0.05 + z, strength * 2 + z),
        "CubaLI": lambda: nir.CubaLI(tau / 3, tau, 3.0 + z, rest + z, strength * 2 + z),
        "Threshold": lambda: nir.Threshold(0.4 + z),
    }
    return makers[kind]()


KINDS = ("LIF", "IF", "CubaLIF", "Threshold", "LI", "I", "CubaLI")


def random_spikes(n, ticks=60, p=0.4, seed=3):
    return (np.random.default_rng(seed).random((ticks, n)) < p).astype(float)


def run(network, inputs, extra=0):
    """Return group -> what it made per step: spikes, or the state of units that do not spike.

    ``inputs`` are input group -> [ticks, n]; ``extra`` steps without input follow.
    """
    executable = Simulator().compile(network, seed=0)
    executable.recording = True
    graded = {p.name: [next(iter(p.model.states))] for p in network.populations if not p.model.spiking}
    if graded:
        executable.record(graded)
    drive = np.concatenate([inputs[g.name] for g in network.inputs], axis=1)
    drive = np.concatenate([drive, np.zeros((extra, drive.shape[1]))])
    raster = np.zeros((len(drive), sum(g.n for g in network.groups)))
    values = {name: [] for name in graded}
    for x in drive:
        executable.window(x, 1)
        raster[executable.spikes()] = 1.0
        if graded:
            for (name, _), seen in executable.states().items():
                values[name].append(seen[0])
    spikes = {name: raster[:, where] for name, where in network.unit_slices().items()}
    return spikes | {name: np.array(seen) for name, seen in values.items()}


def layered(dt=1.0, **models):
    """Return input -> a -> b with a loop and several delays, of models by population."""
    rng = np.random.default_rng(5)
    groups = (Population("a", 6, models.get("a", LIF())), Population("b", 3, models.get("b", LIF())))
    wires = (
        Projection.dense("in", "a", rng.normal(0.3, 0.3, (6, 4)), delay=dt),
        Projection.dense("a", "b", rng.normal(0.3, 0.3, (3, 6)), delay=3 * dt),
        Projection.sparse("b", "a", pre=[0, 1, 2], post=[0, 3, 3], weight=0.5, delay=[dt, 2 * dt, 4 * dt]),
    )
    return Network((Input("in", 4, RegularInput(1000 / dt)),), groups, wires, ("b",), dt=dt)


def changed(network, name, values):
    groups = tuple(replace(p, **({"receptors": ()} | values)) if p.name == name else p for p in network.populations)
    wires = tuple(replace(p, **values) if p.name == name else p for p in network.projections)
    return replace(network, populations=groups, projections=wires)
