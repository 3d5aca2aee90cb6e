"""Populations as NIR nodes: which node stands for a model, and what a unit of its input adds to the model."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from insectbot.snn.functions import exprel
from insectbot.snn.integrators import IF, LI, CubaLIF, McCullochPitts
from insectbot.snn.lif import LIF
from insectbot.snn.model import Model
from insectbot.snn.network import Population
from insectbot.snn.nir_dialect import Grid
from insectbot.snn.nir_models import EulerCubaLI, EulerCubaLIF, Integrator, Relay, SubtractLIF
from insectbot.snn.synapses import Alpha, Delta, Exponential, Receptor

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Gate:
    """Where signals enter a node.

    Attributes
    ----------
    node : str
        Name of the node.
    event : ndarray
        What a spike of 1 in the file is as a weight here, per neuron.
    hold : ndarray
        What a signal of 1 in the file is as a weight that arrives in every step.
    """

    node: str
    event: Floats
    hold: Floats


@dataclass
class Site:
    """The nodes that stand for a population.

    Attributes
    ----------
    nodes : dict of str to object
        NIR nodes by name; the first spikes (or makes the signal).
    gates : dict of str to Gate
        Entrance per receptor.
    current : Gate or None
        Entrance of analog currents; ``hold`` is what a signal of 1 in the file is as a current here.
    edges : list of (str, str)
        Edges among the nodes.
    lost : list of str
        What the nodes do not say.
    """

    nodes: dict[str, Any]
    gates: dict[str, Gate] = field(default_factory=dict)
    current: Gate | None = None
    edges: list[tuple[str, str]] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)


def site_of(population: Population, name: str, grid: Grid, analog: bool, taken: Collection[str] = ()) -> Site:
    """Return the nodes of a population.

    Parameters
    ----------
    population : Population
        The population.
    name : str
        Name of its node.
    grid : Grid
        How the file will be read, and the step.
    analog : bool
        Whether analog currents go into it.
    taken : collection of str
        Names of nodes that exist already.
    """
    writer = _Writer(population, name, grid, analog, taken)
    model = population.model
    site = _MAKERS.get(type(model), _stand_in)(writer)
    site.lost += [f"{type(model).__name__}.{k} of population {population.name!r}" for k in _unsaid(model)]
    for f in fields(population):
        value = getattr(population, f.name)
        if f.name not in ("name", "n", "model", "receptors") and value not in (None, 0, ()):
            site.lost.append(f"{f.name} of population {population.name!r}")
    return site


def _unsaid(model: Any) -> list[str]:
    """Return the parameters that no node has."""
    found = ["t_ref"] if np.any(np.asarray(getattr(model, "t_ref", 0.0)) > 0) else []
    found += ["v_min"] if getattr(model, "v_min", None) is not None else []
    found += ["drop"] if getattr(model, "drop", None) is not None else []
    return found + (["v_reset = None (reset by subtraction)"] if getattr(model, "v_reset", 0.0) is None else [])


class _Writer:
    """A population's numbers as NIR wants them: float64 per neuron, times in the file's unit."""

    def __init__(self, population: Population, name: str, grid: Grid, analog: bool, taken: Collection[str]) -> None:
        self.population, self.name, self.grid, self.analog, self.taken = population, name, grid, analog, taken
        self.model, self.n = population.model, population.n
        self.where = f"population {population.name!r}"

    def get(self, name: str, default: float = 0.0) -> Floats:
        """Return a parameter of the model."""
        return self.full(self.model.values().get(name, default))

    def full(self, value: Any) -> Floats:
        """Return one number per neuron."""
        return np.array(np.broadcast_to(np.asarray(value, np.float64), self.n))

    def scaled(self, event: Floats) -> Floats:
        """Return the gain with which a spike that adds ``event`` adds 1 (1 if the reader ignores gains)."""
        return np.ones(self.n) if self.grid.dialect.folded else 1.0 / event

    def gate(self, event: Floats, hold: Floats, node: str | None = None) -> Gate:
        """Return an entrance."""
        return Gate(node or self.name, event, hold)

    def spiking(self, rest: Floats | float = 0.0) -> dict[str, Any]:
        """Return threshold and reset."""
        th = self.grid.below(self.get("v_th", 1.0), rest)
        return {"v_threshold": th, "v_reset": self.get("v_reset")}


def _lif(w: _Writer) -> Site:
    """Write LIF: as LIF for delta synapses, as CubaLIF for one exponential one, else with a node per receptor."""
    import nir

    receptors = [receptor for _, receptor in w.population.ports]
    if len(receptors) == 1 and isinstance(receptors[0], Exponential) and not w.analog:
        return _cuba_lif(w, receptors[0])
    tau, rest = w.grid.foreign(w.get("tau_m", 20.0)), w.get("v_rest")
    r = w.scaled(w.grid.event(w.where, tau)) if any(isinstance(x, Delta) for x in receptors) else np.ones(w.n)
    node = nir.LIF(tau=tau / w.grid.unit, r=r, v_leak=rest, **w.spiking(rest))
    site = Site({w.name: node}, current=w.gate(r, r))
    own = w.gate(w.grid.event(w.where, tau) * r, w.grid.hold(w.where, tau) * r)
    _add_receptors(w, site, own, r)
    return site


def _coupling(w: _Writer, tau: Floats, tau_syn: Floats, gain: Floats) -> tuple[Floats, Floats]:
    """Return ``r`` and what a current of 1 in the file is as a current here, for ``gain`` here.

    An Euler step lets the new current act at once and over the whole step, an exact one over what is left of it.
    """
    if not w.grid.euler:
        return gain, np.ones(w.n)
    a, b = w.grid.dt / tau, w.grid.dt / tau_syn
    r = w.scaled(-np.expm1(-a))
    return r, r * -np.expm1(-a) / (gain * a * np.exp(-a) * exprel(a - b))


def _cuba_lif(w: _Writer, receptor: Exponential) -> Site:
    import nir

    if receptor.e_rev is not None or receptor.into is not None:
        site = _cuba_lif(w, Exponential(receptor.tau))
        site.lost.append(_receptor_loss(w, receptor, w.population.ports[0][0]))
        return site
    here, syn_here = w.get("tau_m", 20.0), w.full(receptor.values()["tau"])
    tau, tau_syn, rest = w.grid.foreign(here), w.grid.foreign(syn_here), w.get("v_rest")
    event, hold = w.grid.event(w.where, tau_syn), w.grid.hold(w.where, tau_syn)
    w_in, (r, same) = w.scaled(event), _coupling(w, here, syn_here, np.ones(w.n))
    times = {"tau_syn": tau_syn / w.grid.unit, "tau_mem": tau / w.grid.unit}
    node = nir.CubaLIF(**times, r=r, v_leak=rest, w_in=w_in, **w.spiking(rest))
    return Site({w.name: node}, {w.population.ports[0][0]: w.gate(event * w_in * same, hold * w_in * same)})


def _add_receptors(w: _Writer, site: Site, own: Gate, r: Floats) -> None:
    """Add an LI node per exponential receptor, two per alpha; delta synapses enter the neuron itself."""
    for port, receptor in w.population.ports:
        tau = receptor.values().get("tau")
        simple = isinstance(receptor, Delta | Exponential | Alpha)
        if not simple or receptor.reversal is not None or receptor.into is not None:
            site.lost.append(_receptor_loss(w, receptor, port))
        if tau is None:
            site.gates[port] = own
        else:
            site.gates[port] = _synapse(w, site, port, w.full(tau), r, isinstance(receptor, Alpha))
    if w.grid.euler and len(site.nodes) > 1:
        site.lost.append(f"timing of the receptors of population {w.population.name!r}")


def _synapse(w: _Writer, site: Site, port: str, here: Floats, r: Floats, alpha: bool) -> Gate:
    """Add the nodes of a receptor whose current the neuron takes with gain ``r``."""
    import nir

    tau, base = w.grid.foreign(here), f"{w.name}.{port.replace('/', '_') or 'synapse'}"
    while any(n in w.taken or n in site.nodes for n in (base, f"{base}.rise")):
        base += "_"
    event, hold = w.grid.event(w.where, tau), w.grid.hold(w.where, tau)
    # An alpha function is two equal low-pass filters in a row; with the gain e its peak is the weight.
    names = [base, f"{base}.rise"] if alpha else [base]
    gains = [w.scaled(r), w.scaled(event / np.e)] if alpha else [w.scaled(r * event)]
    for name, gain in zip(names, gains, strict=True):
        site.nodes[name] = nir.LI(tau=tau / w.grid.unit, r=gain, v_leak=np.zeros(w.n))
    site.edges += [(base, w.name), *([(names[1], base)] if alpha else [])]
    total = r * np.prod(gains, axis=0) / (np.e if alpha else 1.0)
    return w.gate(total * event, total * hold, names[-1])


def _receptor_loss(w: _Writer, receptor: Receptor, port: str) -> str:
    which = f" {port!r}" if port else ""
    if receptor.reversal is not None:
        return f"conductance (e_rev) of receptor{which} of population {w.population.name!r}"
    return f"{type(receptor).__name__} receptor{which} of population {w.population.name!r}"


def _integrate(w: _Writer) -> Site:
    """Write IF or Integrator."""
    import nir

    event, hold = w.grid.ramp
    r, rate = w.scaled(w.full(event)), w.get("r", 1.0)
    if isinstance(w.model, IF):
        node: Any = nir.IF(r=r, **w.spiking())
    else:
        node = nir.I(r=r)
    site = Site({w.name: node}, current=w.gate(r, r * hold / (rate * w.grid.dt)))
    _add_receptors(w, site, w.gate(event * r, hold * r), r)
    return site


def _li(w: _Writer) -> Site:
    import nir

    receptors = [receptor for _, receptor in w.population.ports]
    tau, rest, gain = w.grid.foreign(w.get("tau_m")), w.get("v_rest"), w.get("r", 1.0)
    if len(receptors) == 1 and type(receptors[0]) is Exponential and receptors[0].e_rev is None and not w.analog:
        syn_here = w.full(receptors[0].values()["tau"])
        tau_syn = w.grid.foreign(syn_here)
        event, hold = w.grid.event(w.where, tau_syn), w.grid.hold(w.where, tau_syn)
        w_in, (r, same) = w.scaled(event), _coupling(w, w.get("tau_m"), syn_here, gain)
        node: Any = nir.CubaLI(tau_syn / w.grid.unit, tau / w.grid.unit, r, rest, w_in)
        return Site({w.name: node}, {w.population.ports[0][0]: w.gate(event * w_in * same, hold * w_in * same)})
    event, hold = w.grid.event(w.where, tau), w.grid.hold(w.where, tau)
    r = w.scaled(event)
    site = Site({w.name: nir.LI(tau / w.grid.unit, r, rest)}, current=w.gate(r, r / gain))
    _add_receptors(w, site, w.gate(event * r, hold * r), r / gain)
    return site


def _cuba(w: _Writer) -> Site:
    """Write CubaLIF, whose weights add to a trace of which the current is a part."""
    import nir

    here, syn_here, rest = w.get("tau_m"), w.get("tau_syn"), w.get("v_rest")
    tau, tau_syn = w.grid.foreign(here), w.grid.foreign(syn_here)
    event, hold = w.grid.event(w.where, tau_syn), w.grid.hold(w.where, tau_syn)
    unit = w.get("w_in", 1.0) / syn_here
    w_in, (r, same) = w.scaled(event / unit), _coupling(w, here, syn_here, w.get("r", 1.0))
    node = nir.CubaLIF(
        tau_syn=tau_syn / w.grid.unit,
        tau_mem=tau / w.grid.unit,
        r=r,
        v_leak=rest,
        v_threshold=w.get("v_th", 1.0),
        v_reset=w.get("v_reset"),
        w_in=w_in,
    )
    scale = w_in * same / unit
    gates = {"": w.gate(event * scale, hold * scale)}
    site = Site({w.name: node}, gates, w.gate(w_in, w_in * same / w.get("w_in", 1.0)))
    if tuple(w.population.ports) != tuple(w.model.default_receptors()):
        site.lost.append(f"receptors of population {w.population.name!r}")
    for port, _ in w.population.ports:
        site.gates.setdefault(port, gates[""])
    return site


def _euler(w: _Writer) -> Site:
    """Write what was read from a simulator with Euler steps."""
    import nir

    tau, tau_syn, rest = w.get("tau_m"), w.get("tau_syn"), w.get("v_rest")
    same = w.grid.euler
    event = np.ones(w.n) if w.grid.dialect.direct else w.grid.event(w.where, tau_syn)
    hold = np.ones(w.n) if w.grid.dialect.direct else w.grid.hold(w.where, tau_syn)
    w_in = w.scaled(event)
    times = {"tau_syn": tau_syn / w.grid.unit, "tau_mem": tau / w.grid.unit}
    make, more = (nir.CubaLIF, w.spiking(rest)) if isinstance(w.model, EulerCubaLIF) else (nir.CubaLI, {})
    node = make(**times, r=w.get("r", 1.0), v_leak=rest, w_in=w_in, **more)
    site = Site({w.name: node}, {"events": w.gate(event * w_in, hold * w_in)})
    for port, _ in w.population.ports:
        site.gates.setdefault(port, site.gates["events"])
    if not same:
        site.lost.append(f"Euler scheme of population {w.population.name!r}")
    return site


def _threshold(w: _Writer) -> Site:
    import nir

    one = np.ones(w.n)
    gate = w.gate(one, one)
    site = Site({w.name: nir.Threshold(threshold=w.grid.below(w.get("v_th", 1.0)))}, current=gate)
    _add_receptors(w, site, gate, one)
    return site


def _relay(w: _Writer) -> Site:
    import nir

    one = np.ones(w.n)
    gate = w.gate(one, one)
    return Site({w.name: nir.Scale(scale=one)}, {port: gate for port, _ in w.population.ports}, gate)


def _stand_in(w: _Writer) -> Site:
    """Write the nearest node for a model that NIR does not have."""
    import nir

    name = type(w.model).__name__
    if w.model.spiking:
        v_th, v_reset, rest = w.get("v_th", 1.0), w.get("v_reset"), w.get("v_rest")
        if (v_reset >= v_th).any():
            v_th = v_reset + 1.0
        tau = np.maximum(w.get("tau_m", 20.0), w.grid.dt)
        node: Any = nir.LIF(tau / w.grid.unit, w.scaled(w.grid.event(w.where, tau)), rest, v_th, v_reset)
    else:
        node = nir.LI(w.full(20.0 / w.grid.unit), np.ones(w.n), np.zeros(w.n))
    one = np.ones(w.n)
    gate = w.gate(one, one)
    site = Site({w.name: node}, {port: gate for port, _ in w.population.ports}, gate)
    site.lost.append(f"{name} of population {w.population.name!r} (a {type(node).__name__} node stands in)")
    return site


_MAKERS: dict[type[Model], Callable[[_Writer], Site]] = {
    LIF: _lif,
    SubtractLIF: _lif,
    IF: _integrate,
    Integrator: _integrate,
    LI: _li,
    CubaLIF: _cuba,
    EulerCubaLI: _euler,
    EulerCubaLIF: _euler,
    McCullochPitts: _threshold,
    Relay: _relay,
}
