"""GeNN on its single-threaded CPU backend, single precision. It is not on PyPI: build pygenn 5 from its sources.

Written against the interface of pygenn 5.4, where no pygenn was to be had: never run. Check its rates before its times.

Closed loop: the drive is an array that every neuron indexes; four units count the spikes of the step before.
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

# The membrane moves only outside the refractory time; the exact step towards a target that is held for it.
_NEURON = """
if (Refractory > 0) {{
    Refractory -= 1;
}}
else {{
    V += Step * (Vrest + {drive} - V) + {synaptic};
}}
"""
_PARAMS = ["Step", "Vrest", "Vth", "Vreset", "Steps"]


def neuron(pygenn: Any, net: Standard) -> Any:
    """Return the neuron model."""
    variables = [("V", "scalar"), ("Refractory", "int"), ("Spikes", "unsigned int")]
    more: dict[str, Any] = {}
    drive = f"{net.current:.1f}f"
    if net.channel is not None:
        read_only = pygenn.VarAccess.READ_ONLY
        variables += [("Gain", "scalar", read_only), ("Channel", "unsigned int", read_only)]
        more["extra_global_params"] = [("Drive", "scalar*")]
        drive = "Gain * Drive[Channel]"
    return pygenn.create_neuron_model(
        "standard",
        params=_PARAMS,
        vars=variables,
        sim_code=_NEURON.format(drive=drive, synaptic="Isyn" if net.tau_exc == 0 else "Step * Isyn"),
        threshold_condition_code="Refractory <= 0 && V >= Vth",
        reset_code="V = Vreset; Refractory = (int)Steps; Spikes++;",
        **more,
    )


def pair_rule(pygenn: Any) -> Any:
    """Return additive pair STDP with traces that decay in every step, one for each neuron."""
    return pygenn.create_weight_update_model(
        "pair",
        params=["Aplus", "Aminus", "Wmax", "Xdecay", "Ydecay"],
        vars=[("g", "scalar")],
        pre_vars=[("X", "scalar")],
        post_vars=[("Y", "scalar")],
        pre_spike_syn_code="addToPost(g); g = fmax(0.0f, g - Aminus * Y);",
        post_spike_syn_code="g = fmin(Wmax, g + Aplus * X);",
        pre_spike_code="X += 1.0f;",
        pre_dynamics_code="X *= Xdecay;",
        post_spike_code="Y += 1.0f;",
        post_dynamics_code="Y *= Ydecay;",
    )


def add_neurons(pygenn: Any, model: Any, net: Standard) -> Any:
    """Add the neurons."""
    params = {"Step": float(-np.expm1(-net.dt / net.tau_m)), "Vrest": net.v_rest, "Vth": net.v_th}
    params |= {"Vreset": net.v_reset, "Steps": round(net.t_ref / net.dt)}
    start = {"V": net.v0, "Refractory": 0, "Spikes": 0}
    if net.channel is not None:
        start |= {"Gain": net.gain, "Channel": net.channel.astype(np.uint32)}
    neurons = model.add_neuron_population("neurons", net.n, neuron(pygenn, net), params, start)
    if net.channel is not None:
        neurons.extra_global_params["Drive"].set_init_values(np.zeros(N_CHANNELS, np.float32))
    return neurons


def add_synapses(pygenn: Any, model: Any, net: Standard, neurons: Any) -> None:
    """Add the recurrent synapses."""
    for half, part in net.halves:
        exc = half == "exc"
        if net.stdp and exc:
            rule = {"Aplus": net.stdp.a_plus, "Aminus": net.stdp.a_minus, "Wmax": net.stdp.w_max}
            rule |= {"Xdecay": float(np.exp(-net.dt / net.stdp.tau_plus))}
            rule |= {"Ydecay": float(np.exp(-net.dt / net.stdp.tau_minus))}
            update = pygenn.init_weight_update(pair_rule(pygenn), rule, {"g": net.weight[part]}, {"X": 0.0}, {"Y": 0.0})
        else:
            update = pygenn.init_weight_update("StaticPulse", {}, {"g": net.weight[part]})
        tau = net.tau_exc if exc else net.tau_inh
        if net.coba:
            reversal = {"tau": tau, "E": net.e_exc if exc else net.e_inh}
            shape = pygenn.init_postsynaptic("ExpCond", reversal, var_refs={"V": pygenn.create_var_ref(neurons, "V")})
        else:
            shape = pygenn.init_postsynaptic("ExpCurr", {"tau": tau}) if tau else pygenn.init_postsynaptic("DeltaCurr")
        synapses = model.add_synapse_population(half, "SPARSE", neurons, neurons, update, shape)
        synapses.set_sparse_connections(net.pre[part], net.post[part])
        synapses.axonal_delay_steps = round(net.delay / net.dt) - 1  # one step is there anyway


def add_counters(pygenn: Any, model: Any, net: Standard, neurons: Any) -> Any:
    """Add a unit for each output population whose ``Count`` is its spikes in the step before."""
    unit = pygenn.create_neuron_model("counter", vars=[("Count", "scalar")], sim_code="Count = Isyn;")
    counters = model.add_neuron_population("counters", len(net.outputs), unit, {}, {"Count": 0.0})
    one, sum_up = (
        pygenn.init_weight_update("StaticPulseConstantWeight", {"g": 1.0}),
        pygenn.init_postsynaptic("DeltaCurr"),
    )
    synapses = model.add_synapse_population("count", "SPARSE", neurons, counters, one, sum_up)
    index = np.repeat(np.arange(len(net.outputs)), [s.stop - s.start for s in net.outputs])
    synapses.set_sparse_connections(np.r_[net.outputs], index)
    return counters


def run(pygenn: Any, task: Task, directory: str) -> None:
    """Run one network."""
    net = task.network()
    began, before = time.perf_counter(), rss()
    model = pygenn.GeNNModel("float", "standard", backend="single_threaded_cpu", optimize_code=True)
    model.dt = net.dt
    neurons = add_neurons(pygenn, model, net)
    add_synapses(pygenn, model, net, neurons)
    counters = add_counters(pygenn, model, net, neurons) if net.outputs else None
    model.build(directory)
    model.load()
    built = time.perf_counter() - began
    if counters is not None:
        drive, count = neurons.extra_global_params["Drive"].view, counters.vars["Count"].view

        def step(levels: np.ndarray) -> list[float]:
            drive[:] = levels  # host memory is the device's on this backend
            model.step_time()
            return count.tolist()

        result = closed_loop(net, step, task.steps)
    else:

        def steps(milliseconds: float) -> None:
            for _ in range(round(milliseconds / net.dt)):
                model.step_time()

        result = open_loop(net, steps, lambda: int(neurons.vars["Spikes"].view.sum()), task.seconds)
    report(task, net, pygenn.__version__, built, result, per_synapse(net, before, rss()))


def main() -> None:
    """Read the arguments, find pygenn, let the compiler use this processor."""
    task = arguments("genn")
    pygenn = need(task, "pygenn", "build pygenn 5 from its sources, it is not on PyPI")
    os.environ.setdefault("CXX", "g++ -march=native")
    with tempfile.TemporaryDirectory() as directory:
        run(pygenn, task, directory)


if __name__ == "__main__":
    main()
