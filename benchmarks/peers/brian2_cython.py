"""Brian2, cython runtime: the loop is closed by a network operation in every step of one run.

(A ``run`` per step costs about 95 ms, whatever the network.)
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from brian2_networks import build
from harness import Task, arguments, need, report
from networks import w1_drive
from standard import Standard
from timing import STEPS, WARM, Measured, measured_loop, open_loop, per_synapse, rss


def closed(b2: Any, task: Task, net: Standard, network: Any, neurons: Any) -> Measured:
    """Time from one network operation to the next: it reads the last step's spikes and sets the next drive."""
    steps = WARM + (task.steps or STEPS)
    drives = iter(np.vstack([w1_drive(steps), np.zeros((2, 8), np.float32)]))
    current = neurons.variables["i_ext"].get_value()
    space = neurons.variables["_spikespace"].get_value()  # spikes of the step in ascending order; their number is last
    edges = np.array([net.outputs[0].start, *(s.stop for s in net.outputs)])
    stamps, cpu = np.empty(steps + 1, np.int64), np.empty(steps + 1)
    counted, k = np.zeros(len(net.outputs)), 0

    @b2.network_operation(when="start")
    def control() -> None:
        nonlocal counted, k
        counts = np.diff(np.searchsorted(space[: space[-1]], edges))
        np.multiply(net.gain, next(drives)[net.channel], out=current)
        if k:
            counted += counts
        stamps[k] = time.perf_counter_ns()
        cpu[k] = time.process_time()
        k += 1

    network.add(control)
    network.run((steps + 1) * net.dt * b2.ms)
    return measured_loop(net, np.diff(stamps), counted.sum(), cpu[-1] - cpu[WARM])


def main() -> None:
    """Run one network."""
    task = arguments("brian2_cython")
    b2 = need(task, "brian2", "pip install 'brian2==2.9.0' 'numpy<2.3' cython")
    b2.prefs.codegen.target = "cython"
    net = task.network()
    began, before = time.perf_counter(), rss()
    network, neurons = build(b2, net)
    if task.net == "w1":
        network.run(0 * b2.ms)  # compiles
        built = time.perf_counter() - began
        result = closed(b2, task, net, network, neurons)
    else:
        counter = b2.SpikeMonitor(neurons, record=False)
        network.add(counter)
        network.run(0 * b2.ms)
        built = time.perf_counter() - began
        result = open_loop(net, lambda ms: network.run(ms * b2.ms), lambda: counter.num_spikes, task.seconds)
    report(task, net, b2.__version__, built, result, per_synapse(net, before, rss()))


if __name__ == "__main__":
    main()
