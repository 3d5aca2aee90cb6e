"""Input channels and outputs of a network as the window kernels take them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from insectbot.chips import engine as e
from insectbot.core.layout import rate_per_tick
from insectbot.snn.inputs import CurrentInput, PoissonInput, RegularInput
from insectbot.snn.network import Network

Array = npt.NDArray


def sources(network: Network) -> tuple[Array, ...]:
    """Return (drive, kind, index in group, key, rate, limit, phase, firing) of all input channels."""
    n = network.n_inputs
    kinds, index, rate = np.zeros(n, np.int64), np.zeros(n, np.int64), np.zeros(n, np.float32)
    start = 0
    for group in network.inputs:
        poisson, current = isinstance(group.source, PoissonInput), isinstance(group.source, CurrentInput)
        kinds[start : start + group.n] = e.POISSON if poisson else (e.CURRENT if current else e.REGULAR)
        index[start : start + group.n] = np.arange(group.n)
        rate[start : start + group.n] = rate_per_tick(group.source, network.dt)
        start += group.n
    drive, key, limit = np.zeros(n, np.float32), np.zeros(n, np.uint64), np.zeros(n, np.uint64)
    return drive, kinds, index, key, rate, limit, np.zeros(n), np.zeros(n, np.int64)


def output_units(network: Network) -> npt.NDArray[np.int64]:
    """Return the global units that are read out, in order of the outputs."""
    slices = network.unit_slices()
    out = [np.zeros(0, np.int64)]
    for r in network.readouts:
        first = slices[r.population].start
        out.append(np.arange(first + r.start, first + (r.stop or 0)))
    return np.concatenate(out)


def output_of(network: Network) -> npt.NDArray[np.int64]:
    """Return the number of the output that each neuron is, -1 for none, shape (n_neurons,)."""
    found, units = np.full(network.n_neurons, -1, np.int64), output_units(network)
    found[units - network.n_inputs] = np.arange(units.size)
    return found


def input_features(network: Network, chip: str, currents: bool = True) -> list[str]:
    """Return the inputs and outputs that no chip kernel knows, one sentence each.

    Parameters
    ----------
    network : Network
        What to run.
    chip : str
        Begins the sentences.
    currents : bool
        Whether the chip takes analog currents.
    """
    known = (PoissonInput, RegularInput, CurrentInput) if currents else (PoissonInput, RegularInput)
    found = [
        f"{chip}: input {group.name!r}: source {type(group.source).__name__} is not known"
        for group in network.inputs
        if not isinstance(group.source, known)
    ]
    found += [
        f"{chip}: output {r.population!r} is pooled; read its neurons one by one" for r in network.readouts if r.pooled
    ]
    found += [
        f"{chip}: projection {q.name!r}: short-term plasticity is not known"
        for q in network.projections
        if q.short_term is not None
    ]
    return found
