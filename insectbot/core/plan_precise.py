"""What a kernel depends on where spikes have exact times: populations of ``LIF(precise=True)`` and what meets them."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from insectbot.core.plan_inputs import InputPlan
from insectbot.core.plan_neurons import PopulationPlan, PortPlan
from insectbot.core.plan_synapses import ProjectionPlan
from insectbot.errors import Unsupported
from insectbot.snn.inputs import SpikeTimesInput
from insectbot.snn.lif import LIF
from insectbot.snn.network import Input, Network, Population, Projection
from insectbot.snn.synapses import Delta, Exponential

Arrays = tuple[tuple[str, str], ...]
MOST = 8
"""Spikes per neuron and tick for which there is room where nothing keeps a neuron from spiking again at once."""


@dataclass(frozen=True)
class TimedInput(InputPlan):
    """Given spike times that keep their offset within the tick."""

    @property
    def arrays(self) -> Arrays:
        """(name, type code) of its arrays."""
        return ("spikes", "i4"), ("offset", "f8"), ("time", "i8"), ("channel", "i4"), ("at", "f8")

    @property
    def sizes(self) -> tuple[str, ...]:
        """Names of its integer parameters."""
        return ("n", "unit", "group", "events")


@dataclass(frozen=True)
class PrecisePlan(PopulationPlan):
    """A population with exact spike times. All its numbers are float64, whatever the network's precision."""

    @property
    def rows(self) -> tuple[str, ...]:
        """Names of what a block of 64 neurons holds: v, a current per exponential receptor, end of refractory time."""
        return (*self.states, *(s for port in self.ports for s in port.states), "@tick", "@offset")

    def arrays(self, threads: bool) -> Arrays:
        """(name, type code) of its arrays."""
        out = [("state", "f8"), ("number", "f8"), ("add0", "f8"), ("local", "f8"), ("work", "f8"), ("flag", "i4")]
        out += [("spikes", "i4"), ("offset", "f8"), ("links", "i8")]
        out += [("ring_when", "f8"), ("ring_what", "i8"), ("ring_due", "i8")]
        return (*out, ("channel", "i4")) if self.output else tuple(out)

    @property
    def sizes(self) -> tuple[str, ...]:
        """Names of its integer parameters."""
        return ("n", "unit", "group", "mask", "rows", "stride", "ports", "wide", "double", "room", "limit")


@dataclass(frozen=True)
class PreciseProjection(ProjectionPlan):
    """A projection onto a precise population. ``timed``: the spikes of its source have offsets."""

    timed: bool = False

    @property
    def arrays(self) -> Arrays:
        """(name, type code) of its arrays."""
        return (*super().arrays, ("exact", "f8"))

    @property
    def sizes(self) -> tuple[str, ...]:
        """Names of its integer parameters."""
        return super().sizes if self.rule == "current" else ("n", "sources", "from", "mask", "room", "link")

    def borrowed(self, source: str, target: str) -> tuple[tuple[str, str, str], ...]:
        """Return (name, type code, array) of what it uses of its source and target."""
        if self.rule == "current":
            return (("add", "f8", f"{target}_add0"),)
        out = [(name, code, f"{target}_{name}") for name, code in _RING]
        out.append(("from_spikes", "i4", f"{source}_spikes"))
        return (*out, ("from_offset", "f8", f"{source}_offset")) if self.timed else tuple(out)


_RING = (("ring_when", "f8"), ("ring_what", "i8"), ("ring_due", "i8"))


def is_precise(group: Input | Population) -> bool:
    """Tell whether the neurons of a group have exact spike times."""
    return isinstance(group, Population) and getattr(group.model, "precise", False)


def timed_input(plan: InputPlan) -> InputPlan:
    """Return the plan of an input beside a precise population: given spike times stay exact."""
    return TimedInput("timed") if plan.kind == "times" else plan


def precise_plan(network: Network, population: Population) -> PrecisePlan:
    """Return the plan of a precise population; raises Unsupported naming what it cannot have."""
    model, name = population.model, population.name
    if type(model) is not LIF:
        raise _refused(name, f"the model {type(model).__name__}; use LIF")
    if model.v_min is not None:
        raise _refused(name, "a lower bound (v_min)")
    if population.exploration is not None:
        raise _refused(name, "exploration noise")
    if population.background is not None:
        raise _refused(name, "Poisson background; use a PoissonInput")
    return PrecisePlan(
        model="LIF",
        states=("v",),
        ports=tuple(_port(name, q, port, receptor) for q, (port, receptor) in enumerate(population.ports)),
        scalars=(),
        arrays_=(),
        propagate=None,
        inject=(("v", ()),),
        roles=(),
        counts=(),
        held=(),
        spiking=True,
        refractory=False,
        noise=False,
        output=any(r.population == name for r in network.readouts),
        graded=False,
        background=-1,
    )


def precise_projection(network: Network, p: Projection, plan: ProjectionPlan) -> ProjectionPlan:
    """Return the plan of a projection beside precise populations; raises Unsupported naming what it cannot have."""
    source, target = network.groups[plan.source], network.population(p.target)
    ends = [g.name for g in (source, target) if is_precise(g)]
    if not ends:
        return plan
    for what in ("plasticity", "short_term"):
        if getattr(p, what) is not None:
            kind = type(getattr(p, what)).__name__
            raise _refused(ends[0], f"plastic projections, but {p.name!r} has {kind}")
    if not is_precise(target):
        return plan
    if plan.graded:
        raise _refused(target.name, f"graded sources such as {source.name!r}")
    values = {f.name: getattr(plan, f.name) for f in fields(ProjectionPlan)}
    return PreciseProjection(**values, timed=source_is_timed(network, plan))


def source_is_timed(network: Network, plan: ProjectionPlan) -> bool:
    """Tell whether the spikes of a projection's source have offsets."""
    group = network.groups[plan.source]
    return isinstance(group.source, SpikeTimesInput) if isinstance(group, Input) else is_precise(group)


def _port(population: str, q: int, name: str, receptor: Any) -> PortPlan:
    """Return a receptor, or refuse it."""
    if type(receptor) not in (Delta, Exponential):
        raise _refused(population, f"receptor {name!r} of kind {type(receptor).__name__}; use Delta or Exponential")
    if receptor.reversal is not None:
        raise _refused(population, f"conductances such as receptor {name!r}; leave out e_rev")
    if receptor.into not in (None, "v"):
        raise Unsupported(f"ideal: receptor {name!r} of {population!r} goes into {receptor.into!r}, which is no state")
    states = tuple(f"{q}.{s}" for s in receptor.states)
    return PortPlan("linear" if states else "delta", name, states, "v", True, False, False)


def _refused(population: str, what: str) -> Unsupported:
    return Unsupported(f"ideal: population {population!r} has precise spike times, which know no {what}")
