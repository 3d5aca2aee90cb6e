"""The standard networks in Brian2, shared by its two ways of running: cython and C++ standalone.

The pair traces are variables of the neurons, because all synapses of a neuron share them: that needs neither the time
of the last event nor an exponential for each synapse, as the textbook form with event-driven traces does.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from standard import Standard

_CURRENT = """
dv/dt = (v_rest - v + i_ext + ge + gi) / tau_m : 1 (unless refractory)
dge/dt = -ge / tau_exc : 1
dgi/dt = -gi / tau_inh : 1
"""
_SHARED = """
dv/dt = (v_rest - v + i_ext + ge) / tau_m : 1 (unless refractory)
dge/dt = -ge / tau_exc : 1
"""
_CONDUCTANCE = """
dv/dt = (v_rest - v + i_ext + ge * (e_exc - v) + gi * (e_inh - v)) / tau_m : 1 (unless refractory)
dge/dt = -ge / tau_exc : 1
dgi/dt = -gi / tau_inh : 1
"""
_DELTA = "dv/dt = (v_rest - v + i_ext) / tau_m : 1 (unless refractory)\n"
_TRACES = """
dx/dt = -x / tau_plus : 1
dy/dt = -y / tau_minus : 1
"""


def build(b2: Any, net: Standard) -> tuple[Any, Any]:
    """Return the network and its neurons, in single precision as insectbot (Brian2's default is double)."""
    b2.prefs.core.default_float_dtype = np.float32
    b2.defaultclock.dt = net.dt * b2.ms
    neurons = b2.NeuronGroup(
        net.n,
        _equations(net),
        threshold="v >= v_th",
        reset="v = v_reset; x += 1; y += 1" if net.stdp else "v = v_reset",
        refractory=net.t_ref * b2.ms,
        method="exponential_euler" if net.coba else "exact",
        namespace=_namespace(b2, net),
        name="neurons",
    )
    neurons.v = net.v0
    neurons.i_ext = net.current
    synapses = [_synapses(b2, net, neurons, half, part) for half, part in net.halves]
    return b2.Network(neurons, *synapses), neurons


def _equations(net: Standard) -> str:
    if net.tau_exc == 0:
        text = _DELTA
    elif net.coba:
        text = _CONDUCTANCE
    else:
        text = _SHARED if net.tau_exc == net.tau_inh else _CURRENT
    return text + (_TRACES if net.stdp else "") + ("i_ext : 1\n" if net.channel is not None else "i_ext : 1 (shared)\n")


def _namespace(b2: Any, net: Standard) -> dict[str, Any]:
    space = {"v_rest": net.v_rest, "v_th": net.v_th, "v_reset": net.v_reset, "tau_m": net.tau_m * b2.ms}
    space |= {"tau_exc": net.tau_exc * b2.ms, "tau_inh": net.tau_inh * b2.ms, "e_exc": net.e_exc, "e_inh": net.e_inh}
    if net.stdp:
        space |= {"tau_plus": net.stdp.tau_plus * b2.ms, "tau_minus": net.stdp.tau_minus * b2.ms}
    return space


def _synapses(b2: Any, net: Standard, neurons: Any, half: str, part: slice) -> Any:
    target = "v" if net.tau_exc == 0 else "ge" if half == "exc" or net.tau_exc == net.tau_inh else "gi"
    deliver = f"{target}_post += w"  # Brian2 itself skips v where it is clamped
    rule = net.stdp if half == "exc" else None
    space = {"a_plus": rule.a_plus, "a_minus": rule.a_minus, "w_max": rule.w_max} if rule else {}
    synapses = b2.Synapses(
        neurons,
        neurons,
        "w : 1",
        on_pre=f"{deliver}\nw = clip(w - a_minus * y_post, 0, w_max)" if rule else deliver,
        on_post="w = clip(w + a_plus * x_pre, 0, w_max)" if rule else None,
        delay=0 * b2.ms if net.delay == net.dt < 1 else net.delay * b2.ms,
        namespace=space,
        name=half,
    )
    synapses.connect(i=net.pre[part], j=net.post[part])
    synapses.w = net.weight[part]
    return synapses
