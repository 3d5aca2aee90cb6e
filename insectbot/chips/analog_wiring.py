"""What the analog chips share: synapses by source unit, the LIF neurons they accept, neurons on cores."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from insectbot.chips.fill import Filled
from insectbot.protocols import Usage
from insectbot.snn.network import Network, Population
from insectbot.snn.neurons import LIF

Vector = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Wiring:
    """All synapses of a network, sorted by source unit.

    Attributes
    ----------
    row : ndarray of int64, shape (n_units + 1,)
        Unit u has synapses ``row[u]`` to ``row[u + 1]``.
    unit, target : ndarray of int64, shape (n_synapses,)
        Source unit, and target neuron (a number without inputs).
    weight : ndarray of float64
        Weights in the network's unit.
    ticks : ndarray of int64
        Delays [steps].
    index : dict of str to ndarray
        Projection -> its synapses in these arrays, in projection order.
    """

    row: Vector
    unit: Vector
    target: Vector
    weight: Floats
    ticks: Vector
    index: dict[str, Vector]

    @classmethod
    def of(cls, network: Network) -> Wiring:
        """List the synapses of a network."""
        slices, none = network.unit_slices(), np.zeros(0, np.int64)
        units, targets, weights, ticks = [none], [none], [np.zeros(0)], [none]
        for q in network.projections:
            units.append(q.pre.astype(np.int64) + slices[q.source].start)
            targets.append(q.post.astype(np.int64) + slices[q.target].start - network.n_inputs)
            weights.append(q.weight.astype(np.float64))
            ticks.append(np.rint(q.delay / network.dt).astype(np.int64))
        unit = np.concatenate(units)
        order = np.argsort(unit, kind="stable")
        back = np.empty(order.size, np.int64)
        back[order] = np.arange(order.size)
        bounds = np.cumsum([u.size for u in units])
        index = {q.name: back[bounds[k] : bounds[k + 1]] for k, q in enumerate(network.projections)}
        row = np.searchsorted(unit[order], np.arange(network.n_inputs + network.n_neurons + 1)).astype(np.int64)
        target, delay = np.concatenate(targets)[order], np.concatenate(ticks)[order]
        return cls(row, unit[order], target, np.concatenate(weights)[order], delay, index)


@dataclass(frozen=True, eq=False)
class Placement(Filled):
    """Neurons on cores.

    Attributes
    ----------
    start : ndarray of int64, shape (n_cores + 1,)
        Core c holds neurons ``start[c]`` to ``start[c + 1]``.
    edges : ndarray of int64, shape (n_edges, 3)
        (source unit, core, synapses), sorted by unit.
    position : ndarray of int64, shape (n_cores,)
        Place of each core on the chip.
    usage : tuple of Usage
        Resources and their limits.
    """

    start: Vector
    edges: Vector
    position: Vector
    usage: tuple[Usage, ...]


def edges_of(wiring: Wiring, start: Vector) -> Vector:
    """Return (source unit, core, synapses) of every pair that is connected, sorted by unit."""
    n = max(start.size - 1, 1)
    core = np.searchsorted(start, wiring.target, side="right") - 1
    pair, count = np.unique(wiring.unit * n + core, return_counts=True)
    return np.stack([pair // n, pair % n, count], axis=1).astype(np.int64)


def lif_features(chip: str, population: Population, *, alike: bool) -> list[str]:
    """Return what an analog chip lacks for a population, one sentence each.

    Parameters
    ----------
    chip : str
        Begins the sentences.
    population : Population
        What to look at.
    alike : bool
        Whether all neurons must have the same parameters.
    """
    model, where = population.model, f"{chip}: population {population.name!r}"
    if not isinstance(model, LIF):
        return [f"{where}: neuron model {type(model).__name__} is not LIF"]
    found = [f"{where}: LIF.{name} differs between neurons; give one number" for name in model.lengths() if alike]
    if population.ports != model.default_receptors() and not model.lengths():
        found.append(f"{where}: receptors {population.ports} are not the one that LIF.tau_syn describes")
    if model.precise:
        found.append(f"{where}: precise spike times do not exist on the chip; use LIF(precise=False)")
    if population.initial:
        found.append(f"{where}: starts elsewhere than at v_rest")
    return found


def long_delays(chip: str, network: Network) -> list[str]:
    """Return the projections whose delays are longer than one step, one sentence each."""
    return [
        f"{chip}: projection {q.name!r}: delay {q.max_ticks(network.dt)} ticks > 1, and the chip has no delays; "
        "shorten it or set clip_delays"
        for q in network.projections
        if q.max_ticks(network.dt) > 1
    ]


def values(population: Population, name: str) -> Floats:
    """Return a parameter of a LIF population, one number per neuron."""
    return np.broadcast_to(np.asarray(getattr(population.model, name), np.float64), (population.n,))
