"""insectbot's own side of the comparison: the reference core, one thread.

The file name ends in an underscore because ``insectbot.py`` would hide the package.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from harness import arguments, need, report
from standard import N_CHANNELS, Standard
from timing import closed_loop, open_loop, per_synapse, rss


def population(snn: Any, net: Standard) -> Any:
    """Return the neurons; receptors only where the two kinds of synapses differ."""
    values = {"tau_m": net.tau_m, "v_rest": net.v_rest, "v_th": net.v_th, "v_reset": net.v_reset, "t_ref": net.t_ref}
    receptors = {}
    if net.tau_exc == net.tau_inh and not net.coba:
        values["tau_syn"] = net.tau_exc
    else:
        receptors = {"exc": snn.Exponential(net.tau_exc, net.e_exc), "inh": snn.Exponential(net.tau_inh, net.e_inh)}
    return snn.Population("neurons", net.n, snn.LIF(**values), receptors=receptors, initial={"v": net.v0})


def inputs(snn: Any, net: Standard) -> tuple[tuple[Any, ...], list[Any]]:
    """Return the analog inputs and their synapses: eight channels, one constant drive, or none."""
    everyone = np.arange(net.n)
    if net.channel is not None:
        group, pre, gain = snn.Input("drive", N_CHANNELS, snn.CurrentInput()), net.channel, net.gain
    elif net.current:
        group, pre, gain = snn.Input("drive", 1, snn.CurrentInput()), np.zeros(net.n, np.int32), 1.0
    else:
        return (), []
    # A current acts at once, so this delay means nothing; it must be one that the network's step allows.
    synapses = snn.Projection.sparse("drive", "neurons", pre=pre, post=everyone, weight=gain, delay=net.dt)
    return (group,), [synapses]


def build(snn: Any, net: Standard) -> Any:
    """Return the network."""
    neurons = population(snn, net)
    groups, projections = inputs(snn, net)
    for half, part in net.halves:
        rule = None
        if net.stdp and half == "exc":
            rule = snn.PairSTDP(
                net.stdp.a_plus, net.stdp.a_minus, net.stdp.tau_plus, net.stdp.tau_minus, 0.0, net.stdp.w_max
            )
        projections.append(
            snn.Projection.sparse(
                "neurons",
                "neurons",
                pre=net.pre[part],
                post=net.post[part],
                weight=net.weight[part],
                delay=net.delay,
                plasticity=rule,
                receptor=half if len(neurons.receptors) > 1 else None,
                name=half,
            )
        )
    outputs = tuple(snn.Output("neurons", s.start, s.stop, pooled=True) for s in net.outputs)
    return snn.Network(groups, (neurons,), tuple(projections), outputs, dt=net.dt, name=net.name)


def main() -> None:
    """Run one network."""
    task = arguments("insectbot")
    package = need(task, "insectbot", "pip install insectbot")
    from insectbot import snn
    from insectbot.core.simulator import Simulator

    net = task.network()
    began, before = time.perf_counter(), rss()
    executable = Simulator().compile(build(snn, net))
    built = time.perf_counter() - began
    if task.net == "w1":
        result = closed_loop(net, lambda drive: executable.window(drive, 1).counts.tolist(), task.steps)
    else:
        drive = (net.current,) if net.current else ()

        def run(milliseconds: float) -> None:
            executable.window(drive, round(milliseconds / net.dt))

        result = open_loop(net, run, lambda: executable.counters().spikes, task.seconds)
    report(task, net, package.__version__, built, result, per_synapse(net, before, rss()))


if __name__ == "__main__":
    main()
