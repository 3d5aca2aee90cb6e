"""Populations as NIR nodes: one node each, or the nearest one for a model that NIR does not have."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import fields
from typing import Any

import numpy as np

from insectbot.snn.integrators import IF, LI, CubaLIF, McCullochPitts
from insectbot.snn.lif import LIF
from insectbot.snn.model import Model
from insectbot.snn.network import Population
from insectbot.snn.nir.dialect import Grid
from insectbot.snn.nir.models import EulerCubaLI, EulerCubaLIF, Integrator, Relay, SubtractLIF
from insectbot.snn.nir.sites import Gate, Pen, Site
from insectbot.snn.nir.writing_leaky import add_receptors, cuba, euler, li, lif

_SAID = ("name", "n", "model", "receptors")


def site_of(population: Population, name: str, grid: Grid, analog: bool, taken: Collection[str] = ()) -> Site:
    """Return the nodes of a population; the parameters are those of :class:`~insectbot.snn.nir.sites.Pen`."""
    pen = Pen(population, name, grid, analog, taken)
    model = population.model
    site = _MAKERS.get(type(model), _stand_in)(pen).all_ports(population)
    site.lost += [f"{type(model).__name__}.{k} of population {population.name!r}" for k in _unsaid(model)]
    for f in fields(population):
        value = getattr(population, f.name)
        if f.name not in _SAID and value not in (None, 0, ()):
            site.lost.append(f"{f.name} of population {population.name!r}")
    return site


def _unsaid(model: Any) -> list[str]:
    """Return the parameters that no node has."""
    found = ["t_ref"] if np.any(np.asarray(getattr(model, "t_ref", 0.0)) > 0) else []
    found += ["v_min"] if getattr(model, "v_min", None) is not None else []
    found += ["precise"] if getattr(model, "precise", False) else []
    found += ["drop"] if getattr(model, "drop", None) is not None else []
    return found + (["v_reset = None (reset by subtraction)"] if getattr(model, "v_reset", 0.0) is None else [])


def _integrate(pen: Pen) -> Site:
    """Write IF or Integrator."""
    import nir

    spiking = isinstance(pen.model, IF)
    event, hold = (pen.full(x) for x in pen.grid.ramp("IF" if spiking else "I"))
    r, factor = pen.gain(event)
    node: Any = nir.IF(r=r, **pen.spiking()) if spiking else nir.I(r=r)
    current = pen.get("r", 1.0) * pen.grid.dt / (r * hold)
    site = Site({pen.name: node}, current=Gate(pen.name, current, current))
    add_receptors(pen, site, Gate(pen.name, factor, 1.0 / (r * hold)), pen.one, current)
    return site


def _threshold(pen: Pen) -> Site:
    import nir

    gate = Gate(pen.name, pen.one, pen.one)
    site = Site({pen.name: nir.Threshold(threshold=pen.grid.below(pen.get("v_th", 1.0)))}, current=gate)
    add_receptors(pen, site, gate, pen.one)
    return site


def _relay(pen: Pen) -> Site:
    import nir

    gate = Gate(pen.name, pen.one, pen.one)
    return Site({pen.name: nir.Scale(scale=pen.one)}, {pen.population.ports[0][0]: gate}, gate)


def _stand_in(pen: Pen) -> Site:
    """Write the nearest node for a model that NIR does not have."""
    import nir

    tau = np.maximum(pen.get("tau_m", 20.0), pen.grid.dt)
    if pen.model.spiking:
        v_th, v_reset = pen.get("v_th", 1.0), pen.get("v_reset")
        v_th = np.where(v_reset < v_th, v_th, v_reset + 1.0)
        r, _ = pen.gain(pen.grid.event("LIF", pen.where, tau))
        node: Any = nir.LIF(pen.time(tau), r, pen.get("v_rest"), v_th, v_reset)
    else:
        node = nir.LI(pen.time(tau), pen.one, pen.get("v_rest"))
    gate = Gate(pen.name, pen.one, pen.one)
    site = Site({pen.name: node}, {pen.population.ports[0][0]: gate}, gate)
    stands = f"(a {type(node).__name__} node stands in)"
    site.lost.append(f"{type(pen.model).__name__} of population {pen.population.name!r} {stands}")
    return site


_MAKERS: dict[type[Model], Callable[[Pen], Site]] = {
    LIF: lif,
    SubtractLIF: lif,
    IF: _integrate,
    Integrator: _integrate,
    LI: li,
    CubaLIF: cuba,
    EulerCubaLI: euler,
    EulerCubaLIF: euler,
    McCullochPitts: _threshold,
    Relay: _relay,
}
