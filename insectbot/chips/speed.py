"""How fast the emulated chips run on this machine (process time, median)."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import numpy as np

from insectbot.chips.loihi import Loihi
from insectbot.snn import LIF, Input, Network, PoissonInput, Population, Projection


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
    """Return the median process time of one call [s]."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        for _ in range(inner):
            call()
        times.append((time.process_time() - start) / inner)
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
