"""NEST: one thread; the loop sets 8 generators, runs 1 ms and reads 4 spike recorders.

COBA runs NEST's adaptive solver: it has no fixed-step conductance neuron. The file name ends in an underscore because
``nest.py`` would hide the package.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from harness import arguments, need, report
from standard import N_CHANNELS, Standard
from timing import closed_loop, open_loop, per_synapse, rss

CHUNK = 2_000_000
"""Synapses per call, which bounds the memory that NEST's Python layer needs for copies."""
EMPTY_EVERY = 50
"""Steps between emptying the recorders: reading a count copies all events kept."""


def model(net: Standard) -> tuple[str, dict[str, float]]:
    """Return the neuron model; capacitance tau_m [pF] and leak 1 nS make pA equal to mV."""
    params = {"V_th": net.v_th, "V_reset": net.v_reset, "E_L": net.v_rest, "t_ref": net.t_ref, "I_e": net.current}
    params["C_m"] = net.tau_m
    if net.stdp:
        params["tau_minus"] = net.stdp.tau_minus
    if net.tau_exc == 0:
        return "iaf_psc_delta", params | {"tau_m": net.tau_m}
    params |= {"tau_syn_ex": net.tau_exc, "tau_syn_in": net.tau_inh}
    if net.coba:
        return "iaf_cond_exp", params | {"g_L": 1.0, "E_ex": net.e_exc, "E_in": net.e_inh}
    return "iaf_psc_exp", params | {"tau_m": net.tau_m}


def build(nest: Any, net: Standard) -> Any:
    """Create neurons and synapses; return the neurons."""
    nest.ResetKernel()
    nest.set(resolution=net.dt, local_num_threads=1)
    name, params = model(net)
    neurons = nest.Create(name, net.n, params=params)
    neurons.V_m = net.v0.astype(float)
    synapses = {"exc": "static_synapse", "inh": "static_synapse"}
    if net.stdp:
        rule = {"lambda": net.stdp.a_plus / net.stdp.w_max, "alpha": net.stdp.a_minus / net.stdp.a_plus}
        rule |= {"mu_plus": 0.0, "mu_minus": 0.0, "Wmax": net.stdp.w_max, "tau_plus": net.stdp.tau_plus}
        nest.CopyModel("stdp_synapse_hom", "pair", rule)
        synapses["exc"] = "pair"
    for half, part in net.halves:
        sign = -1.0 if net.coba and half == "inh" else 1.0  # NEST tells inhibition by the sign
        for a in range(part.start, part.stop, CHUNK):
            cut = slice(a, min(a + CHUNK, part.stop))
            spec = {"synapse_model": synapses[half], "weight": sign * net.weight[cut].astype(float)}
            spec["delay"] = np.full(spec["weight"].size, net.delay)
            nest.Connect(net.pre[cut] + 1, net.post[cut] + 1, "one_to_one", syn_spec=spec)
    return neurons


def attach(nest: Any, net: Standard, neurons: Any) -> Any:
    """Connect drive and readout; return the function of one control step."""
    generators = nest.Create("dc_generator", N_CHANNELS)
    recorders = nest.Create("spike_recorder", len(net.outputs))
    sources = np.array(generators.tolist())[net.channel]
    spec = {"synapse_model": "static_synapse", "weight": net.gain.astype(float), "delay": np.full(net.n, net.dt)}
    nest.Connect(sources, np.arange(1, net.n + 1), "one_to_one", syn_spec=spec)
    for recorder, output in zip(recorders, net.outputs, strict=True):
        nest.Connect(neurons[output], recorder)
    nest.Prepare()
    steps, seen = 0, np.zeros(len(net.outputs), int)

    def step(drive: np.ndarray) -> np.ndarray:
        nonlocal steps, seen
        generators.set([{"amplitude": a} for a in drive.tolist()])  # a third cheaper than setting the attribute
        nest.Run(net.dt)
        total = np.array(recorders.n_events)
        counts, seen = total - seen, total
        steps += 1
        if steps % EMPTY_EVERY == 0:
            nest.Cleanup()  # recorders cannot be emptied between Prepare and Cleanup
            recorders.n_events = 0
            nest.Prepare()
            seen = np.zeros_like(seen)
        return counts

    return step


def main() -> None:
    """Run one network."""
    task = arguments("nest")
    nest = need(task, "nest", "pip install nest-simulator")
    nest.verbosity = nest.VerbosityLevel.ERROR
    net = task.network()
    began, before = time.perf_counter(), rss()
    neurons = build(nest, net)
    if task.net == "w1":
        step = attach(nest, net, neurons)
        built = time.perf_counter() - began
        result = closed_loop(net, step, task.steps)
        nest.Cleanup()
    else:
        nest.Prepare()
        built = time.perf_counter() - began
        result = open_loop(net, nest.Run, lambda: nest.local_spike_counter, task.seconds)
    report(task, net, nest.__version__, built, result, per_synapse(net, before, rss()))


if __name__ == "__main__":
    main()
