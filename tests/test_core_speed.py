"""The neuron loop must stay vectorised: nothing else tells when it goes scalar (6 to 9 times slower)."""

from __future__ import annotations

import time

import numpy as np

from insectbot.core.simulator import Simulator
from insectbot.core.standard import w1, w1_drive
from insectbot.snn import LIF, CurrentInput, Input, Network, Population, Projection


def median_time(function, repeats=15):
    times = []
    for _ in range(repeats):
        began = time.process_time()
        function()
        times.append(time.process_time() - began)
    return float(np.median(times))


def test_the_neuron_loop_is_vectorised():
    """Ratio in one run: a tick of 4096 silent neurons against one multiply-add of numpy on as many numbers.

    Measured: 0.45; and 2.4 with a float maximum as the spike test, which leaves the loop scalar.
    """
    n, ticks = 4096, 400
    network = Network(
        inputs=(Input("i", 1, CurrentInput()),),
        populations=(Population("n", n, LIF(t_ref=2.0, tau_syn=5.0, v_th=10.0)),),
        projections=(Projection.sparse("i", "n", pre=np.zeros(n), post=np.arange(n), weight=1.0),),
        outputs=("n",),
    )
    executable = Simulator().compile(network)
    a, b, out = (np.ones(n, np.float32) for _ in range(3))

    def reference():
        for _ in range(ticks):
            np.multiply(a, b, out=out)
            np.add(out, a, out=out)
            np.maximum(out, b, out=out)

    executable.window([0.5], 10)
    ratio = median_time(lambda: executable.window([0.5], ticks)) / median_time(reference)
    assert ratio < 1.2


def test_a_network_of_any_size_reuses_the_kernel_of_its_structure():
    small, large = Simulator().compile(w1(100)), Simulator().compile(w1(300))
    assert small._call is large._call
    counts = [executable.window(w1_drive(1)[0], 200).counts.sum() for executable in (small, large)]
    assert counts[1] > counts[0] > 0
