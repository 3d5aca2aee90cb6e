"""What the kernel of a projection depends on."""

from __future__ import annotations

from dataclasses import dataclass, replace

from insectbot.core.inline import Function, parse, source_text
from insectbot.errors import Unsupported
from insectbot.snn.inputs import CurrentInput
from insectbot.snn.network import Input, Network, Projection
from insectbot.snn.plasticity import NodePerturbation, PairSTDP, RewardSTDP
from insectbot.snn.synapses import ReleaseModel

_RULES = {PairSTDP: "pair", RewardSTDP: "reward", NodePerturbation: "perturb"}
_ARRAYS: dict[str, tuple[tuple[str, str], ...]] = {
    "pair": (("snap", "fF"), ("x", "fF"), ("seen", "i8"), ("post", "fF"), ("grow", "fF"), ("fade", "fF")),
    "eager": (("x", "fF"), ("y", "fF"), ("column", "i8"), ("row", "i4"), ("origin", "i4")),
    "reward": (
        ("e", "fF"),
        ("x", "fF"),
        ("y", "fF"),
        ("scale", "f8"),
        ("column", "i8"),
        ("row", "i4"),
        ("origin", "i4"),
    ),
    "perturb": (("e", "fF"), ("q", "fF"), ("group", "i4"), ("change", "f8"), ("share", "f8")),
}
_REALS: dict[str, tuple[str, ...]] = {
    "pair": ("a_plus", "a_minus", "w_min", "w_max", "rebase"),
    "eager": ("a_plus", "a_minus", "w_min", "w_max", "x_decay", "y_decay", "mu_plus", "mu_minus", "span"),
    "reward": ("a_plus", "a_minus", "w_min", "w_max", "x_decay", "y_decay", "rate"),
    "perturb": ("w_min", "w_max", "rate", "gain", "memory"),
}


@dataclass(frozen=True)
class ProjectionPlan:
    """One projection: groups by number, ``rule`` is "static", "current", "pair", "eager", "reward" or "perturb"."""

    source: int
    target: int
    port: int
    rule: str
    wide: bool
    tied: bool = False
    modulator: int = 0
    graded: bool = False
    nearest: bool = False
    weighting: str = ""
    release: Function | None = None
    release_states: tuple[str, ...] = ()
    release_scalars: tuple[str, ...] = ()
    injected: int = 0

    @property
    def shareable(self) -> bool:
        """Whether one loop can run several projections of this kind."""
        return self.rule != "perturb"

    @property
    def kind(self) -> ProjectionPlan:
        """The plan without what is data to the text: whom it connects."""
        return replace(self, source=0, target=0, port=0, modulator=0, injected=0)

    @property
    def arrays(self) -> tuple[tuple[str, str], ...]:
        """(name, type code) of its arrays."""
        out = [("segment", "i8"), ("start", "i8"), ("delay", "i8"), ("target", "i4" if self.wide else "u2")]
        out.append(("w", "fF"))
        if self.release is not None:
            out += [("released", "i8"), *((f"release_{name}", "fF") for name in self.release_states)]
        return (*out, *_ARRAYS.get(self.rule, ()))

    @property
    def reals(self) -> tuple[str, ...]:
        """Names of its float parameters."""
        released = ("dt", *self.release_scalars) if self.release else ()
        if self.rule == "current":
            return ("gain", "factor")
        return (*_REALS.get(self.rule, ()), *(f"release_{name}" for name in released))

    @property
    def sizes(self) -> tuple[str, ...]:
        """Names of its integer parameters."""
        if self.rule == "current":
            return ("n", "sources", "unit")
        extra = ("epoch", "cycle") if self.rule == "pair" else ()
        extra += ("modulator",) if self.rule in ("reward", "perturb") else ()
        extra += ("groups",) if self.tied else ()
        return ("n", "sources", "from", "to", "to_n", "mask", "bytes", *extra)


def projection_plan(network: Network, p: Projection) -> ProjectionPlan:
    """Return the plan of a projection; raises Unsupported naming what the core cannot run."""
    names = [g.name for g in network.groups]
    source = names.index(p.source)
    target = network.population(p.target)
    number, port = names.index(p.target) - len(network.inputs), target.port(p.receptor)
    wide = target.n > 1 << 16
    group = network.groups[source]
    if isinstance(group, Input) and isinstance(group.source, CurrentInput):
        injected = _injected(network, p, target.ports[port][1].into)
        return ProjectionPlan(source, number, port, "current", wide, injected=injected)
    graded = not isinstance(group, Input) and not group.model.spiking
    if graded and (p.plasticity is not None or p.short_term is not None):
        raise Unsupported(f"ideal: projection {p.name!r} comes from graded units, which have no spikes to learn from")
    if p.plasticity is None:
        rule = "static"
    elif type(p.plasticity) in _RULES:
        rule = _RULES[type(p.plasticity)]
    else:
        known = ", ".join(sorted(t.__name__ for t in _RULES))
        raise Unsupported(f"ideal: learning rule {type(p.plasticity).__name__} of {p.name!r} is not one of {known}")
    weighting, nearest = "", False
    if isinstance(p.plasticity, PairSTDP):
        weighting, nearest = p.plasticity.weighting, p.plasticity.nearest
        rule = "eager" if weighting or nearest else "pair"
    tied = getattr(p.plasticity, "tie", None) is not None
    modulator = getattr(p.plasticity, "modulator", 0)
    release, states, scalars = _release(p.short_term)
    return ProjectionPlan(
        source, number, port, rule, wide, tied, modulator, graded, nearest, weighting, release, states, scalars
    )


def _injected(network: Network, p: Projection, into: str | None) -> int:
    """Return which of the target's injected states (in order of first use) an analog projection feeds."""
    target, seen = network.population(p.target), []
    first = next(iter(target.model.states))
    for q in network.projections:
        group = next(g for g in network.groups if g.name == q.source)
        if q.target == p.target and isinstance(group, Input) and isinstance(group.source, CurrentInput):
            state = target.ports[target.port(q.receptor)][1].into or first
            seen += [] if state in seen else [state]
    return seen.index(into or first)


def _release(model: ReleaseModel | None) -> tuple[Function | None, tuple[str, ...], tuple[str, ...]]:
    if model is None:
        return None, (), ()
    owner = type(model).__name__
    if model.lengths():
        name = next(iter(model.lengths()))
        raise Unsupported(f"ideal: {owner}.{name} must be one number; give each source group a projection of its own")
    source = getattr(model, "release", None)
    if source is None:
        raise Unsupported(f"ideal: {owner} has no function release()")
    function = parse(source_text(source), f"{owner}.release")
    numbers = {**model.values(), **model.coefficients(1.0)}
    for name in function.arguments:
        if name not in model.states and name not in numbers and name not in ("interval", "dt"):
            raise Unsupported(f"{owner}.release: takes {name!r}, which is no state, parameter or coefficient")
    scalars = tuple(sorted(a for a in function.arguments if a in numbers and a not in model.states))
    return function, tuple(model.states), scalars
