"""The digital host of the array as its kernel takes it: LIF neurons in float64, and currents that stay digital."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from insectbot.chips import ftj_window as k
from insectbot.chips.analog_wiring import Floats, values
from insectbot.chips.ftj_quantise import on_host
from insectbot.snn.network import Network

Array = npt.NDArray


def neurons(network: Network) -> Floats:
    """Return the parameters of all host neurons, potentials from rest, shape (9, n_neurons).

    The propagators are exact (Rotter & Diesmann 1999): a current i of time constant tau_s moves v in a step by
    ``i tau_s / (tau_m - tau_s) (exp(-dt / tau_m) - exp(-dt / tau_s))``.
    """
    found = np.zeros((k.N_PARAMETERS, network.n_neurons))
    for p in network.populations:
        first = network.unit_slices()[p.name].start - network.n_inputs
        at = slice(first, first + p.n)
        tau_m, tau_s, rest = values(p, "tau_m"), values(p, "tau_syn"), values(p, "v_rest")
        keep = np.exp(-network.dt / tau_m)
        delta = ~np.broadcast_to(np.any(tau_s > 0), tau_s.shape)
        safe = np.where(tau_s > 0, tau_s, 1.0)
        keep_syn = np.where(delta, 0.0, np.exp(-network.dt / safe))
        apart = tau_m - safe
        near = np.abs(apart) < 1e-9 * tau_m
        cross = np.where(near, network.dt / tau_m * keep, safe / np.where(near, 1.0, apart) * (keep - keep_syn))
        found[k.KEEP, at], found[k.KEEP_SYN, at], found[k.GAIN, at] = keep, keep_syn, -np.expm1(-network.dt / tau_m)
        found[k.CROSS, at], found[k.DELTA, at] = np.where(delta, 0.0, cross), delta
        found[k.THRESHOLD, at], found[k.RESET, at] = values(p, "v_th") - rest, values(p, "v_reset") - rest
        found[k.HOLD, at] = np.rint(values(p, "t_ref") / network.dt)
        v_min = getattr(p.model, "v_min", None)
        found[k.FLOOR, at] = -np.inf if v_min is None else values(p, "v_min") - rest
    return found


def currents(network: Network) -> tuple[Array, Array, Array]:
    """Return (channel, neuron, weight) of the projections that start at current inputs."""
    channel, neuron, weight = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)], [np.zeros(0)]
    slices = network.unit_slices()
    for q in network.projections:
        if on_host(network, q):
            channel.append(q.pre.astype(np.int64) + slices[q.source].start)
            neuron.append(q.post.astype(np.int64) + slices[q.target].start - network.n_inputs)
            weight.append(q.weight.astype(np.float64))
    return np.concatenate(channel), np.concatenate(neuron), np.concatenate(weight)
