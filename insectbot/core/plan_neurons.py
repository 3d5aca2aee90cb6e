"""What the kernel of a population depends on: its model's functions, its receptors, which numbers are per neuron."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np

from insectbot.core.coefficients import Numbers, coefficients, inject_name, port_name, propagate_name
from insectbot.core.inline import Function, parse, source_text
from insectbot.core.plan_synapses import ProjectionPlan
from insectbot.errors import Unsupported
from insectbot.snn.model import NeuronModel
from insectbot.snn.network import Network, Population
from insectbot.snn.synapses import Receptor

BLOCK = 64
"""Neurons of a block: every row of state holds so many lanes, one vector loop at a time."""
Terms = tuple[tuple[str, str, str], ...]


@dataclass(frozen=True)
class PortPlan:
    """One receptor: ``kind`` is "delta", "linear" (part of the propagator) or "function"."""

    kind: str
    name: str
    states: tuple[str, ...]
    into: str
    fed: bool
    named: bool
    conductance: bool
    arrive: tuple[tuple[str, str], ...] = ()
    update: Function | None = None
    current: Function | None = None


@dataclass(frozen=True)
class PopulationPlan:
    """One population. ``scalars`` are coefficients in registers, ``arrays`` those with one value per neuron."""

    model: str
    states: tuple[str, ...]
    ports: tuple[PortPlan, ...]
    scalars: tuple[str, ...]
    arrays_: tuple[str, ...]
    propagate: Terms | None
    """(to, by, coefficient; "" for 1), with the diagonal first in each row; None for models with ``update``."""
    inject: tuple[tuple[str, Terms], ...]
    """Per state with analog current: its terms (state, "", coefficient); one scalar term is premultiplied."""
    roles: tuple[tuple[str, Function], ...]
    counts: tuple[tuple[str, int], ...]
    held: tuple[str, ...]
    spiking: bool
    refractory: bool
    noise: bool
    output: bool
    graded: bool
    background: int
    """Number of the receptor with Poisson background; -1 for none."""

    @property
    def shareable(self) -> bool:
        """Whether one loop can run several populations of this kind."""
        return not self.noise

    @property
    def kind(self) -> PopulationPlan:
        """The plan itself: populations are of one kind if nothing in their text differs."""
        return self

    @property
    def role(self) -> dict[str, Function]:
        """Functions by role."""
        return dict(self.roles)

    @property
    def rows(self) -> tuple[str, ...]:
        """Names of what a block of 64 neurons holds: states, receptor states, per-neuron coefficients."""
        ports = [s for port in self.ports for s in port.states]
        return (*self.states, *ports, *(f"={a}" for a in self.arrays_))

    @property
    def premultiplied(self) -> bool:
        """Whether analog current can be held as what it adds to the one state that it changes."""
        if self.propagate is None or len(self.inject) > 1:
            return False
        return not self.inject or (len(self.inject[0][1]) == 1 and self.inject[0][1][0][2] in self.scalars)

    @property
    def flagged(self) -> bool:
        """Whether the spike test cannot be repeated on the stored states."""
        f = self.role.get("threshold")
        return f is not None and (
            bool(f.calls & {"uniform", "normal"}) or any(a.startswith("old_") for a in f.arguments)
        )

    @property
    def random(self) -> bool:
        """Whether a function draws random numbers."""
        return any(f.calls & {"uniform", "normal"} for _, f in self.roles)

    def arrays(self, threads: bool) -> tuple[tuple[str, str], ...]:
        """(name, type code) of its arrays; ``fF`` is the network's float type."""
        out = [("state", "fF"), ("spikes", "i4")]
        out += [(f"ring{q}", "fF") for q, port in enumerate(self.ports) if port.fed]
        out += [(f"add{m}", "fF") for m in range(len(self.inject))]
        out += [("push", "fF")] if self.noise else []
        out += [("xi", "fF"), ("key", "u8")] if self.noise else []
        out += [("draws", "u8")] if self.random else []
        out += [("rain", "u8"), ("bits", "i4"), ("limit", "i4")] if self.background >= 0 else []
        out += [("until", "i4")] if self.refractory else []
        out += [("flag", "i4")] if self.spiking else []
        out += [("channel", "i4")] if self.output else []
        out += [("value", "fF")] if self.graded else []
        out += [("lists", "i8"), ("all", "i4")] if threads else []
        return tuple(out)

    @property
    def reals(self) -> tuple[str, ...]:
        """Names of its float parameters."""
        rain = ("rain_weight",) if self.background >= 0 else ()
        return (*self.scalars, *(("memory", "sigma") if self.noise else ()), *rain)

    @property
    def sizes(self) -> tuple[str, ...]:
        """Names of its integer parameters."""
        extra = (*(("period",) if self.noise else ()), *(("limits",) if self.background >= 0 else ()))
        return ("n", "base", "unit", "group", "blocks", "mask", "bytes", *extra)


def population_plan(
    network: Network, number: int, population: Population, projections: tuple[ProjectionPlan, ...]
) -> PopulationPlan:
    """Return the plan of a population; raises Unsupported naming what the core cannot run."""
    model = population.model
    if not isinstance(model, NeuronModel):
        raise Unsupported(f"ideal: {population.name!r}: {type(model).__name__} is no neuron model")
    mine = [(k, p) for k, p in enumerate(projections) if p.target == number]
    injected = _injected(population, mine)
    numbers = coefficients(population, network.dt, injected)
    per_neuron = {k for k, v in numbers.items() if np.ndim(v)}
    linear = any(name.startswith("from_") for name in numbers)
    roles = _roles(model, linear)
    ports = _ports(population, mine, roles, linear)
    states = tuple(model.states)
    all_states = (*states, *(s for p in ports for s in p.states))
    propagate = _propagate(numbers, states, ports) if linear else None
    inject = tuple((into, _inject(numbers, into, all_states) if linear else ()) for into in injected)
    refractory = bool(np.any(np.asarray(numbers.get("t_ref", 0.0)) > 0))
    used = _used(model, roles, ports, numbers, states)
    used |= {c for _, _, c in propagate or () if c} | {c for _, terms in inject for _, _, c in terms if c}
    used |= {"t_ref"} if refractory else set()
    return PopulationPlan(
        model=type(model).__name__,
        states=states,
        ports=ports,
        scalars=tuple(sorted(used - per_neuron)),
        arrays_=tuple(sorted(used & per_neuron)),
        propagate=propagate,
        inject=inject,
        roles=tuple(roles.items()),
        counts=tuple((f.name, v) for f in fields(model) if type(v := getattr(model, f.name)) is int),
        held=tuple(s for s in model.held if s in states),
        spiking=model.spiking,
        refractory=refractory,
        noise=population.exploration is not None,
        output=any(r.population == population.name for r in network.readouts),
        graded=any(p.graded and p.source == number + len(network.inputs) for p in projections),
        background=-1 if population.background is None else population.port(population.background.receptor),
    )


def _injected(population: Population, mine: list[tuple[int, ProjectionPlan]]) -> tuple[str, ...]:
    """Return the states that take analog current, in order of first use."""
    injected: list[str] = []
    for _, plan in mine:
        if plan.rule == "current":
            into = population.ports[plan.port][1].into or next(iter(population.model.states))
            injected += [] if into in injected else [into]
    return tuple(injected)


def _roles(model: NeuronModel, linear: bool) -> dict[str, Function]:
    owner = type(model).__name__
    roles = {role: parse(source_text(f), f"{owner}.{role}") for role, f in model.functions().items()}
    if linear:
        roles.pop("update", None)
    elif "update" not in roles:
        raise Unsupported(f"ideal: {owner} has no function update() (and with these receptors no linear system)")
    if model.spiking:
        for role in ("threshold", "reset"):
            if role not in roles:
                raise Unsupported(f"ideal: {owner} has no function {role}(); set spiking = False if it never spikes")
    return roles


def _ports(
    population: Population, mine: list[tuple[int, ProjectionPlan]], roles: Mapping[str, Function], linear: bool
) -> tuple[PortPlan, ...]:
    update = roles.get("update")
    takes = update.arguments if update else ()
    summed = {"g_sum", "g_rev"} <= set(takes)
    out = []
    for q, (name, receptor) in enumerate(population.ports):
        into = receptor.into or next(iter(population.model.states))
        if into not in population.model.states:
            raise Unsupported(f"ideal: receptor {name!r} of {population.name!r} goes into {into!r}, which is no state")
        background = population.background
        fed = any(p.port == q and p.rule != "current" for _, p in mine)
        fed = fed or (background is not None and population.port(background.receptor) == q)
        states, named = tuple(f"{q}.{s}" for s in receptor.states), name in takes
        if not receptor.states:
            out.append(PortPlan("delta", name, (), into, fed, named, False))
        elif linear:
            arrive = receptor.linear()
            pairs = tuple(
                (f"{q}.{s}", "" if np.all(np.asarray(v) == 1.0) else port_name(q, f"arrive_{s}"))
                for s, v in (arrive[2] if arrive else {}).items()
            )
            out.append(PortPlan("linear", name, states, into, fed, named, False, pairs))
        else:
            out.append(_function_port(q, name, receptor, into, fed, named, summed))
    return tuple(out)


def _function_port(q: int, name: str, receptor: Receptor, into: str, fed: bool, named: bool, summed: bool) -> PortPlan:
    owner = type(receptor).__name__
    found = {role: parse(source_text(f), f"{owner}.{role}") for role, f in receptor.functions().items()}
    for role in ("update", "current"):
        if role not in found:
            raise Unsupported(f"ideal: receptor {owner} has no function {role}()")
    conductance = summed and not named and receptor.reversal is not None and "g" in receptor.states
    states = tuple(f"{q}.{s}" for s in receptor.states)
    return PortPlan("function", name, states, into, fed, named, conductance, (), found["update"], found["current"])


def _propagate(numbers: Numbers, states: tuple[str, ...], ports: tuple[PortPlan, ...]) -> Terms:
    every = (*states, *(s for p in ports for s in p.states))
    terms: list[tuple[str, str, str]] = []
    for to in every:
        for by in (to, *(s for s in every if s != to)):
            name = propagate_name(to, by)
            if name in numbers:
                value = numbers[name]
                terms.append((to, by, "" if np.ndim(value) == 0 and value == 1.0 else name))
    return tuple(terms)


def _inject(numbers: Numbers, into: str, states: tuple[str, ...]) -> Terms:
    return tuple((to, "", name) for to in states if (name := inject_name(into, to)) in numbers)


def _used(
    model: NeuronModel,
    roles: Mapping[str, Function],
    ports: tuple[PortPlan, ...],
    numbers: Numbers,
    states: tuple[str, ...],
) -> set[str]:
    """Return the coefficients that functions take; raises Unsupported for names that nothing gives."""
    owner = type(model).__name__
    whole = {f.name for f in fields(model) if type(getattr(model, f.name)) is int}
    given = {"i", "g_sum", "g_rev", *whole, *states, *(f"old_{s}" for s in states), *(p.name for p in ports)}
    used: set[str] = set()
    for role, f in roles.items():
        for a in f.arguments:
            if a not in given and a not in numbers:
                known = ", ".join(sorted(n for n in numbers if not n.startswith(("from_", "inject_", "r0", "r1"))))
                raise Unsupported(f"{owner}.{role}: takes {a!r}, which is no state or parameter; it may take {known}")
            if a not in given:
                used.add(a)
        wrong = [] if f.expression or role == "threshold" else [r for r in f.returns if r not in states]
        if wrong and role != "output":
            raise Unsupported(f"{owner}.{role}: returns {wrong[0]!r}, which is no state ({', '.join(states)})")
    for q, port in enumerate(ports):
        own = {s.split(".", 1)[1] for s in port.states} | {"arrived", "v"}
        for f in (port.update, port.current):
            for a in f.arguments if f else ():
                name = port_name(q, a)
                if a not in own and name not in numbers and a != "dt":
                    raise Unsupported(f"receptor {port.name!r} of {owner}: takes {a!r}, which is no state or parameter")
                if a not in own:
                    used.add("dt" if a == "dt" and name not in numbers else name)
        used |= {c for _, c in port.arrive if c}
        used |= {port_name(q, "e_rev")} if port.conductance else set()
    return used


__all__ = ["PopulationPlan", "PortPlan", "population_plan"]
