"""Biases on the way out: what the unit that spikes in every step adds to others becomes a constant again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from insectbot.snn.network import Network, Population, Projection
from insectbot.snn.nir.layout import pacemaker
from insectbot.snn.nir.neurons import STEADY, within_step
from insectbot.snn.synapses import Delta, Exponential

Floats = npt.NDArray[np.float64]


def beats(network: Network) -> set[str]:
    """Return the units that only serve as biases: they spike in every step, take nothing and are not read out."""
    busy = {p.target for p in network.projections} | {r.population for r in network.readouts}
    beat = pacemaker(network.dt)
    return {p.name for p in network.populations if p.model == beat and p.n == 1 and p.name not in busy and _plain(p)}


def _plain(population: Population) -> bool:
    return (
        population.exploration is None
        and not population.initial
        and population.ports == population.model.default_receptors()
    )


def port_of(network: Network, projection: Projection) -> str:
    """Return the name of the receptor of a projection."""
    target = network.population(projection.target)
    return target.ports[target.port(projection.receptor)][0]


def steady(network: Network, sources: set[str], population: Population, port: str) -> Floats:
    """Return what some units that spike in every step add to a port, per step and neuron."""
    total = np.zeros(population.n)
    for p in network.projections:
        if p.source in sources and p.target == population.name and port_of(network, p) == port:
            total += np.bincount(p.post, p.weight.astype(np.float64), population.n)
    return total


def without_steady(network: Network, sources: set[str], population: Population) -> Population:
    """Return a population without the port for steady signals, if these are those of a bias through its synapse."""
    ports = dict(population.ports)
    port, synapse = population.ports[0]
    users = {p.source for p in network.projections if p.target == population.name and p.receptor == STEADY}
    if ports.get(STEADY) != Delta() or not isinstance(synapse, Exponential) or len(ports) != 2 or users - sources:
        return population
    tau, tau_syn = (np.asarray(m.values()[k]) for m, k in ((population.model, "tau_m"), (synapse, "tau")))
    ratio = within_step(tau, tau_syn, network.dt) / -np.expm1(-network.dt / tau_syn)
    expected = ratio * steady(network, sources, population, port)
    if not np.allclose(steady(network, sources, population, STEADY), expected, rtol=1e-5, atol=0.0):
        return population
    return replace(population, receptors={port: synapse})
