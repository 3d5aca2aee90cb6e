"""How fast the emulated chips run on this machine (processor time of the one thread, median)."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import numpy as np

from insectbot.chips import catalogue
from insectbot.chips.loihi import Loihi
from insectbot.snn import LIF, Input, Network, PairSTDP, PoissonInput, Population, Projection


def benchmark_network(n: int = 1000, probability: float = 0.05, seed: int = 1) -> Network:
    """Return a sparse random network: 80 % excitatory, 20 % inhibitory, kept at about 10 Hz by Poisson input.

    Parameters
    ----------
    n : int
        Number of neurons, a multiple of 5.
    probability : float
        Chance of a connection between two neurons.
    seed : int
        Seed of the wiring.
    """
    rng = np.random.default_rng(seed)
    n_excitatory = n * 4 // 5
    model = LIF(tau_m=20.0, v_th=1.0, t_ref=2.0)
    groups = {"excitatory": (n_excitatory, 0.02), "inhibitory": (n - n_excitatory, -0.1)}
    projections = [
        Projection.sparse("drive", name, pre=np.arange(size), post=np.arange(size), weight=0.33)
        for name, (size, _) in groups.items()
    ]
    for source, (n_pre, weight) in groups.items():
        for target, (n_post, _) in groups.items():
            post, pre = np.nonzero(rng.random((n_post, n_pre)) < probability)
            delay = rng.integers(1, 6, pre.size).astype(float)
            projections.append(Projection.sparse(source, target, pre=pre, post=post, weight=weight, delay=delay))
    return Network(
        inputs=(Input("drive", n_excitatory, PoissonInput(105.0)),),
        populations=tuple(Population(name, size, model) for name, (size, _) in groups.items()),
        projections=tuple(projections),
        outputs=("excitatory",),
        name="chip-speed",
    )


def _forager() -> Network:
    """Return five Poisson inputs on two neurons, as the forager has."""
    return Network(
        inputs=(Input("sensors", 5, PoissonInput(200.0)),),
        populations=(Population("motors", 2, LIF(v_min=-1.0)),),
        projections=(Projection.dense("sensors", "motors", np.full((2, 5), 0.2)),),
        outputs=("motors",),
        name="chip-overhead",
    )


def _median(call: Callable[[], object], repeats: int, inner: int) -> float:
    """Return the median processor time of one call [s], of its thread alone: those of BLAS spin beside it."""
    times = []
    for _ in range(repeats):
        start = time.thread_time()
        for _ in range(inner):
            call()
        times.append((time.thread_time() - start) / inner)
    return statistics.median(times)


def measure(repeats: int = 7) -> dict[str, float]:
    """Measure the ``loihi`` backend.

    Parameters
    ----------
    repeats : int
        Timed repetitions; the median counts.

    Returns
    -------
    dict
        ``neuron_steps_per_second`` on 1000 neurons with 5 % connectivity, their mean ``rate_hz`` and number of
        ``synapses``, ``synops_per_second``, and ``window_us``: one window of 50 ticks of a 5-input, 2-neuron network.
    """
    network = benchmark_network()
    executable = Loihi().compile(network, seed=1)
    drive = np.ones(network.n_inputs, np.float32)
    executable.window(drive, 100)
    executable.reset(1)
    ticks = 1000
    seconds = _median(lambda: executable.window(drive, ticks), repeats, 1)
    counters = executable.counters()
    small = Loihi().compile(_forager(), seed=1)
    sensors = np.full(5, 0.5, np.float32)
    small.window(sensors, 50)
    return {
        "neuron_steps_per_second": network.n_neurons * ticks / seconds,
        "rate_hz": counters.spikes / network.n_neurons / counters.ticks * 1000,
        "synapses": network.n_synapses,
        "synops_per_second": counters.synops / counters.ticks * ticks / seconds,
        "window_us": _median(lambda: small.window(sensors, 50), repeats, 1000) * 1e6,
    }


SIZES: Final[dict[str, tuple[int, float]]] = {
    "loihi": (1000, 0.05),
    "truenorth": (1000, 0.05),
    "spinnaker": (1000, 0.05),
    "brainscales2": (500, 0.05),  # it has 512 circuits
    "dynapse1": (1000, 0.03),  # 5 % can exceed the 64 words of a neuron
    "dynapse2": (1000, 0.03),
}
"""Chip -> neurons and connectivity of the benchmark network that it can hold."""


def measure_chips(repeats: int = 5, ticks: int = 1000) -> dict[str, float]:
    """Measure every family of chips on the benchmark network.

    Parameters
    ----------
    repeats : int
        Timed repetitions; the median counts.
    ticks : int
        Ticks of each.

    Returns
    -------
    dict
        Neuron-steps per second of processor time, by chip; ``loihi learning``: with pair STDP on every synapse between
        neurons.
    """
    found = {
        name: _neuron_steps(catalogue.chip(name), benchmark_network(*size), repeats, ticks)
        for name, size in SIZES.items()
    }
    found["loihi learning"] = _neuron_steps(catalogue.chip("loihi"), plastic_network(), repeats, ticks, learning=True)
    return found


def plastic_network() -> Network:
    """Return :func:`benchmark_network` with pair STDP on all synapses between neurons."""
    rules = {
        "excitatory": PairSTDP(a_plus=0.0005, a_minus=0.000525, w_min=0.0, w_max=0.04),
        "inhibitory": PairSTDP(a_plus=0.0005, a_minus=0.000525, w_min=-0.2, w_max=0.0),
    }
    network = benchmark_network()
    plastic = (replace(p, plasticity=rules[p.source]) if p.source in rules else p for p in network.projections)
    return replace(network, projections=tuple(plastic))


def _neuron_steps(chip: Any, network: Network, repeats: int, ticks: int, *, learning: bool = False) -> float:
    executable = chip.compile(network, seed=1)
    if learning:
        executable.learning = True
    drive = np.ones(network.n_inputs, np.float32)
    executable.window(drive, 100)
    executable.reset(1)
    return network.n_neurons * ticks / _median(lambda: executable.window(drive, ticks), repeats, 1)
