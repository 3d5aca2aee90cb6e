"""One spiking neuron decides what large sigmoidal networks must count for (models sheet C22; Maass 1997)."""

from __future__ import annotations

import numpy as np
import pytest

from insectbot.core.simulator import Simulator
from insectbot.snn import LIF, Input, Network, Population, Projection
from insectbot.snn.inputs import SpikeTimesInput

# A spike counts 1 of 1.5 thresholds and is forgotten, to 1e-2, when the next moment comes: only two at once suffice.
MOMENT = 3.0
NEURON = LIF(tau_m=0.6, v_th=1.5)


def spikes_per_case(times, delays, case):
    """Return how often the neuron spiked in each case of length ``case`` [ms]; ``times`` are those of each synapse."""
    n = len(times)
    link = Projection.sparse("x", "neuron", pre=np.arange(n), post=np.zeros(n, int), weight=1.0, delay=delays)
    source, neuron = Input("x", n, SpikeTimesInput(times)), Population("neuron", 1, NEURON)
    executable = Simulator().compile(Network((source,), (neuron,), (link,), ("neuron",)))
    cases = int(max(max(t, default=0.0) for t in times) // case) + 1
    return np.array([executable.window(np.zeros(n), round(case)).counts[0] for _ in range(cases)])


@pytest.mark.parametrize("n", [1, 10, 1000])
def test_one_neuron_decides_coincidence_detection(n):
    # CD_n(a, b): is there an i with a_i = b_i = 1? Delays give every i a moment of its own.
    rng, cases, case = np.random.default_rng(n), 60, MOMENT * (n + 2)
    a, b = rng.random((2, cases, n)) < np.sqrt(0.7 / n)
    a[-1, 0] = True  # so that every case is run
    starts = case * np.arange(cases)
    times = tuple(tuple(starts[bits[:, i]].tolist()) for bits in (a, b) for i in range(n))
    found = spikes_per_case(times, np.tile(MOMENT * (1 + np.arange(n)), 2), case)
    wanted = (a & b).sum(axis=1)
    np.testing.assert_array_equal(found, wanted)
    assert 0.2 < np.mean(wanted > 0) < 0.9


def test_one_neuron_decides_element_distinctness():
    # ED_n(x): do two of n numbers coincide? Each number is the time of a spike; equal or at least a moment apart.
    # At least (n - 4) / 2 - 1 hidden sigmoidal units are needed, 497 of them for n = 1000.
    rng, cases, n = np.random.default_rng(5), 40, 1000
    case = MOMENT * 2 * n
    x = np.array([rng.choice(2 * n, n, replace=False) for _ in range(cases)])
    for k in np.flatnonzero(rng.random(cases) < 0.5):
        one, other = rng.choice(n, 2, replace=False)
        x[k, one] = x[k, other]
    wanted = np.array([len(set(row)) < n for row in x.tolist()])
    times = tuple(tuple((case * np.arange(cases) + MOMENT * x[:, i]).tolist()) for i in range(n))
    found = spikes_per_case(times, 1.0, case)
    np.testing.assert_array_equal(found > 0, wanted)
    assert 5 < wanted.sum() < 35
    assert (n - 4) / 2 - 1 == 497
