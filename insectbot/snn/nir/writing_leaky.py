"""Leaky populations as NIR nodes: LI and LIF, with a synapse CubaLI and CubaLIF, with several one LI node for each."""

from __future__ import annotations

from typing import Any

import numpy as np

from insectbot.snn.functions import exprel
from insectbot.snn.nir.models import EulerCubaLIF
from insectbot.snn.nir.sites import Floats, Gate, Pen, Site
from insectbot.snn.synapses import Alpha, Delta, Exponential, Receptor


def lif(pen: Pen) -> Site:
    """Write LIF."""
    import nir

    if _one_synapse(pen):
        return _filtered(pen, nir.CubaLIF, pen.one, pen.spiking(pen.get("v_rest")))
    tau, rest = pen.grid.foreign(pen.get("tau_m", 20.0)), pen.get("v_rest")
    event, hold = (f("LIF", pen.where, tau) for f in (pen.grid.event, pen.grid.hold))
    struck = any(isinstance(receptor, Delta) for _, receptor in pen.population.ports)
    r, factor = pen.gain(event) if struck else (pen.one, 1.0 / event)
    node = nir.LIF(tau=pen.time(tau), r=r, v_leak=rest, **pen.spiking(rest))
    site = Site({pen.name: node}, current=Gate(pen.name, 1.0 / r, 1.0 / r))
    add_receptors(pen, site, Gate(pen.name, factor, 1.0 / (r * hold)), r)
    return site


def li(pen: Pen) -> Site:
    """Write LI."""
    import nir

    gain = pen.get("r", 1.0)
    if _one_synapse(pen):
        return _filtered(pen, nir.CubaLI, gain, {})
    tau = pen.grid.foreign(pen.get("tau_m"))
    event, hold = (f("LI", pen.where, tau) for f in (pen.grid.event, pen.grid.hold))
    r, factor = pen.gain(event)
    site = Site({pen.name: nir.LI(pen.time(tau), r, pen.get("v_rest"))}, current=Gate(pen.name, gain / r, gain / r))
    add_receptors(pen, site, Gate(pen.name, factor, 1.0 / (r * hold)), r, gain)
    return site


def cuba(pen: Pen) -> Site:
    """Write CubaLIF, whose weights add to a trace of which the current is a part."""
    import nir

    w_in, r = pen.get("w_in", 1.0), pen.get("r", 1.0)
    spiking = {"v_threshold": pen.get("v_th", 1.0), "v_reset": pen.get("v_reset")}
    site = _filtered(pen, nir.CubaLIF, r, spiking, w_in / pen.get("tau_syn"))
    # Analog currents are filtered here, too; what they come to in the end must be the same.
    there = site.nodes[pen.name].w_in * site.nodes[pen.name].r
    analog = r * w_in / np.where(there == 0.0, 1.0, there)
    site.current = Gate(pen.name, analog, analog)
    if tuple(pen.population.ports) != tuple(pen.model.default_receptors()):
        site.lost.append(f"receptors of {pen.where}")
    return site


def euler(pen: Pen) -> Site:
    """Write what was read from a simulator with Euler steps."""
    import nir

    tau, tau_syn, rest = pen.get("tau_m"), pen.get("tau_syn"), pen.get("v_rest")
    make, kind = (nir.CubaLIF, "CubaLIF") if isinstance(pen.model, EulerCubaLIF) else (nir.CubaLI, "CubaLI")
    event, hold = (f(kind, pen.where, tau_syn) for f in (pen.grid.event, pen.grid.hold))
    w_in, factor = pen.gain(event)
    more = pen.spiking(rest) if pen.model.spiking else {}
    node = make(tau_syn=pen.time(tau_syn), tau_mem=pen.time(tau), r=pen.get("r", 1.0), v_leak=rest, w_in=w_in, **more)
    site = Site({pen.name: node}, {"events": Gate(pen.name, factor, 1.0 / (w_in * hold))})
    if not pen.grid.euler:
        site.lost.append(f"Euler scheme of {pen.where}")
    return site


def add_receptors(pen: Pen, site: Site, own: Gate, r: Floats, gain: Floats | None = None) -> None:
    """Add an LI node per exponential receptor, two per alpha; delta synapses enter the neuron itself.

    Parameters
    ----------
    pen, site : Pen, Site
        The population, and its nodes so far.
    own : Gate
        Entrance of the neuron itself.
    r : ndarray
        Gain of currents in the file.
    gain : ndarray, optional
        Gain of currents here; default: 1.
    """
    for port, receptor in pen.population.ports:
        tau = receptor.values().get("tau")
        simple = isinstance(receptor, Delta | Exponential | Alpha)
        if not simple or receptor.reversal is not None or receptor.into is not None:
            site.lost.append(_loss(pen, port, receptor))
        if tau is None:
            site.gates[port] = own
        else:
            needed = (pen.one if gain is None else gain) / r
            site.gates[port] = _synapse(pen, site, port, pen.full(tau), needed, isinstance(receptor, Alpha))
    if pen.grid.euler and len(site.nodes) > 1:
        site.lost.append(f"timing of the receptors of {pen.where}")


def _one_synapse(pen: Pen) -> bool:
    """Return whether the node with a synapse of its own says it all."""
    found = [receptor for _, receptor in pen.population.ports]
    plain = len(found) == 1 and isinstance(found[0], Exponential) and not pen.analog
    return plain and found[0].reversal is None and found[0].into is None


def _filtered(pen: Pen, make: Any, gain: Floats, more: dict[str, Any], unit: Floats | float = 1.0) -> Site:
    """Write a node with a synapse, in which a weight of 1 adds ``unit`` to a current of some ``gain``."""
    receptor = pen.population.ports[0][1]
    here, syn_here = pen.get("tau_m", 20.0), pen.full(receptor.values().get("tau", pen.get("tau_syn", 1.0)))
    tau, tau_syn = pen.grid.foreign(here), pen.grid.foreign(syn_here)
    event, hold = (f(make.__name__, pen.where, tau_syn) for f in (pen.grid.event, pen.grid.hold))
    w_in, factor = pen.gain(event, unit)
    r, felt = gain, pen.one
    if pen.grid.euler:
        # An Euler step lets the new current act at once and over the whole step, an exact one over what is left of it.
        a, b = pen.grid.dt / here, pen.grid.dt / syn_here
        r, felt = pen.gain(-np.expm1(-a))
        felt = felt * gain * a * np.exp(-a) * exprel(a - b)
    node = make(tau_syn=pen.time(tau_syn), tau_mem=pen.time(tau), r=r, v_leak=pen.get("v_rest"), w_in=w_in, **more)
    factor = factor * felt
    return Site({pen.name: node}, {pen.population.ports[0][0]: Gate(pen.name, factor, factor * event / hold)})


def _synapse(pen: Pen, site: Site, port: str, here: Floats, needed: Floats, alpha: bool) -> Gate:
    """Add the nodes of a receptor; what comes out of them must be ``needed`` times its current here."""
    import nir

    tau, base = pen.grid.foreign(here), f"{pen.name}.{port.replace('/', '_') or 'synapse'}"
    while any(n in pen.taken or n in site.nodes for n in (base, f"{base}.rise")):
        base += "_"
    event, hold = (f("LI", pen.where, tau) for f in (pen.grid.event, pen.grid.hold))
    # An alpha function is two equal low-pass filters in a row; with the gain e its peak is the weight.
    total, factor = pen.gain(event, needed * (np.e if alpha else 1.0))
    names = [base, f"{base}.rise"] if alpha else [base]
    for name in names:
        r = total if name == names[-1] else pen.one
        site.nodes[name] = nir.LI(tau=pen.time(tau), r=r, v_leak=np.zeros(pen.n))
    site.edges += [(base, pen.name), *([(names[1], base)] if alpha else [])]
    return Gate(names[-1], factor, factor * event / hold)


def _loss(pen: Pen, port: str, receptor: Receptor) -> str:
    which = f" {port!r}" if port else ""
    if receptor.reversal is not None:
        return f"conductance (e_rev) of receptor{which} of {pen.where}"
    return f"{type(receptor).__name__} receptor{which} of {pen.where}"
