"""ANNarchy: generated C++, one thread, single precision.

Closed loop: eight units drive the neurons and four count their spikes, one step later, because arrays of all neurons
would cross to Python as lists. The pair traces are variables
of the neurons (see brian2_networks.py). The file name ends in an underscore for systems that do not tell case apart.
"""

from __future__ import annotations

import os
import tempfile
import time
from typing import Any

import numpy as np
from harness import Task, arguments, need, report
from standard import N_CHANNELS, Standard
from timing import closed_loop, open_loop, per_synapse, rss

BY_SOURCE = {"storage_format": "csr", "storage_order": "pre_to_post"}
"""By source: fastest of the formats for these networks."""


def neuron(ann: Any, net: Standard) -> Any:
    """Return the neuron model."""
    parameters = {"v_rest": net.v_rest, "tau_m": net.tau_m, "tau_exc": net.tau_exc, "tau_inh": net.tau_inh}
    drive = f"{net.current}" if net.channel is None else "g_drive"
    variables, synaptic = [], "g_exc + g_inh"
    if net.coba:
        synaptic = f"g_exc * ({net.e_exc} - v) + g_inh * ({net.e_inh} - v)"
    if net.tau_exc == 0:  # explicit Euler turns an input of tau_m / dt into a jump of one
        synaptic = f"(g_exc + g_inh) * {net.tau_m / net.dt}"
        variables.append(ann.Variable(f"tau_m * dv/dt = v_rest - v + {drive} + {synaptic}", method="explicit"))
    else:
        # With conductances the exponential scheme takes an exp for each neuron; at dt = 0.1 ms Euler's will do.
        method = "explicit" if net.coba else "exponential"
        variables.append(ann.Variable(f"tau_m * dv/dt = v_rest - v + {drive} + {synaptic}", method=method))
        variables.append(ann.Variable("tau_exc * dg_exc/dt = -g_exc", method="exponential"))
        variables.append(ann.Variable("tau_inh * dg_inh/dt = -g_inh", method="exponential"))
    reset = f"v = {net.v_reset}"
    if net.stdp:
        parameters |= {"tau_plus": net.stdp.tau_plus, "tau_minus": net.stdp.tau_minus}
        variables.append(ann.Variable("tau_plus * dx/dt = -x", method="exponential"))
        variables.append(ann.Variable("tau_minus * dy/dt = -y", method="exponential"))
        reset += "\nx += 1.0\ny += 1.0"
    return ann.Neuron(
        parameters=parameters, equations=variables, spike=f"v >= {net.v_th}", reset=reset, refractory=net.t_ref
    )


def synapse(ann: Any, net: Standard) -> Any:
    """Return the plastic synapse."""
    rule = net.stdp
    return ann.Synapse(
        parameters={"a_plus": rule.a_plus, "a_minus": rule.a_minus, "w_max": rule.w_max},
        pre_spike="g_target += w\nw = clip(w - a_minus * post.y, 0.0, w_max)",
        post_spike="w = clip(w + a_plus * pre.x, 0.0, w_max)",
    )


def connect(network: Any, pre: Any, post: Any, target: str, entries: tuple, *, delay: float, **more: Any) -> None:
    """Connect by lists: ``entries`` is (weights, (sources, targets))."""
    from scipy.sparse import csc_matrix  # a dependency of ANNarchy

    projection = network.connect(pre, post, target, more.pop("synapse", None))
    projection.from_sparse(csc_matrix(entries, shape=(pre.size, post.size)), delays=delay, **(more or BY_SOURCE))


def build(ann: Any, net: Standard, directory: str) -> tuple[Any, Any, Any]:
    """Return the compiled network, its drive, and what counts its spikes."""
    network, drive = ann.Network(dt=net.dt), None
    network.config(dtype=ann.float32, num_threads=1)
    neurons = network.create(net.n, neuron(ann, net))
    for half, part in net.halves:
        rule = synapse(ann, net) if net.stdp and half == "exc" else None
        entries = (net.weight[part], (net.pre[part], net.post[part]))
        connect(network, neurons, neurons, half, entries, delay=net.delay, synapse=rule)
    if net.outputs:
        drive, counter = ports(ann, net, network, neurons)
    else:
        counter = network.monitor(neurons, "spike")
    network.compile(directory=directory, silent=True)
    neurons.v = net.v0
    return network, drive, counter


def ports(ann: Any, net: Standard, network: Any, neurons: Any) -> tuple[Any, Any]:
    """Return eight units whose ``level`` drives the neurons, and four whose ``count`` is the spikes of a step ago."""
    unit = ann.Neuron(parameters={"level": ann.Parameter(0.0, locality="local")}, spike="level > 1e9", reset="")
    drive = network.create(N_CHANNELS, unit)
    analog = ann.Synapse(psp="w * pre.level")
    entries = (net.gain, (net.channel, np.arange(net.n)))
    connect(network, drive, neurons, "drive", entries, delay=net.dt, synapse=analog, storage_format="csr")
    unit = ann.Neuron(equations=[ann.Variable("count = g_count")], spike="count < 0", reset="")
    counter = network.create(len(net.outputs), unit)
    index = np.repeat(np.arange(len(net.outputs)), [s.stop - s.start for s in net.outputs])
    entries = (np.ones(index.size), (np.r_[net.outputs], index))
    connect(network, neurons, counter, "count", entries, delay=net.dt)
    return drive, counter


def run(ann: Any, task: Task, directory: str) -> None:
    """Run one network."""
    net = task.network()
    began, before = time.perf_counter(), rss()
    network, drive, counter = build(ann, net, directory)
    built = time.perf_counter() - began
    if task.net == "w1":

        def step(levels: np.ndarray) -> np.ndarray:
            drive.level = levels
            network.step()
            return counter.count

        result = closed_loop(net, step, task.steps)
    else:

        def count() -> int:
            return sum(len(times) for times in counter.get("spike").values())

        result = open_loop(net, network.simulate, count, task.seconds)
    report(task, net, ann.__release__, built, result, per_synapse(net, before, rss()))


def main() -> None:
    """Read the arguments and find the compiler's way to nanobind."""
    task = arguments("annarchy")
    ann = need(task, "ANNarchy", "pip install ANNarchy scipy")
    nanobind = need(task, "nanobind", "pip install nanobind")
    os.environ.update(nanobind_DIR=nanobind.cmake_dir())  # for CMake, which may look in another Python
    with tempfile.TemporaryDirectory() as directory:
        run(ann, task, directory)


if __name__ == "__main__":
    main()
