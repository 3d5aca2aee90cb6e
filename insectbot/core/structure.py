"""What a kernel depends on: kinds and flags of a network, never its sizes or values.

Networks of equal structure share one compiled kernel. The structure also fixes the order of the
address table, so that the generator and the memory layout agree.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from insectbot.errors import Unsupported
from insectbot.snn.inputs import CurrentInput, PoissonInput
from insectbot.snn.network import Network, Projection
from insectbot.snn.neurons import LIF
from insectbot.snn.plasticity import NodePerturbation, PairSTDP, RewardSTDP

BLOCK = 64


@dataclass(frozen=True)
class InputPlan:
    """One input group: ``kind`` is "poisson", "regular" or "current"."""

    kind: str


@dataclass(frozen=True)
class PopulationPlan:
    """One population: which terms its update needs, and whether it is read out."""

    exponential: bool
    refractory: bool
    floor: bool
    noise: bool
    output: bool
    currents: tuple[int, ...]
    """Numbers of the projections that carry analog current to it."""

    @property
    def state_vars(self) -> tuple[str, ...]:
        """Names of the per-neuron state variables, in block order."""
        return ("v", *(("syn",) if self.exponential else ()), *(("ref",) if self.refractory else ()))


@dataclass(frozen=True)
class ProjectionPlan:
    """One projection: groups by number, ``rule`` is "static", "current", "pair", "reward" or "perturb"."""

    source: int
    target: int
    rule: str
    wide: bool
    tied: bool = False
    modulator: int = 0


_RULES = {PairSTDP: "pair", RewardSTDP: "reward", NodePerturbation: "perturb"}
_DTYPES = {"f4": np.float32, "f8": np.float64, "i4": np.int32, "i8": np.int64, "u2": np.uint16, "u8": np.uint64}


@dataclass(frozen=True)
class Structure:
    """The structure of a network; hashable, and enough to generate its kernel."""

    inputs: tuple[InputPlan, ...]
    populations: tuple[PopulationPlan, ...]
    projections: tuple[ProjectionPlan, ...]

    @classmethod
    def of(cls, network: Network) -> Structure:
        """Read the structure off a network; raises Unsupported for what the core cannot run."""
        names = [g.name for g in network.groups]
        n_in = len(network.inputs)
        currents: dict[str, list[int]] = {}
        projections = []
        for number, projection in enumerate(network.projections):
            plan = _projection_plan(network, projection, names, n_in)
            if plan.rule == "current":
                currents.setdefault(projection.target, []).append(number)
            projections.append(plan)
        populations = []
        for p in network.populations:
            if not isinstance(p.model, LIF):
                raise Unsupported(f"ideal: neuron model {type(p.model).__name__} of {p.name!r} is not known; use LIF")
            populations.append(
                PopulationPlan(
                    exponential=p.model.tau_syn > 0,
                    refractory=p.model.t_ref > 0,
                    floor=p.model.v_min is not None,
                    noise=p.exploration is not None,
                    output=p.name in network.outputs,
                    currents=tuple(currents.get(p.name, ())),
                )
            )
        kinds = {PoissonInput: "poisson", CurrentInput: "current"}
        inputs = tuple(InputPlan(kinds.get(type(i.source), "regular")) for i in network.inputs)
        return cls(inputs, tuple(populations), tuple(projections))

    @cached_property
    def arrays(self) -> tuple[tuple[str, str], ...]:
        """(name, type code) of every array in the order of the address table."""
        out = [("clock", "i8"), ("real", "f4"), ("size", "i8"), ("drive", "f4"), ("modulators", "f4")]
        out += [("counts", "i4"), ("first", "i4"), ("interval", "i4"), ("last", "i8")]
        out += [("event_tick", "i8"), ("event_unit", "i4")]
        for k, plan in enumerate(self.inputs):
            if plan.kind != "current":
                out += [(f"in{k}_spikes", "i4"), (f"in{k}_key", "u8")]
                out += [(f"in{k}_threshold", "u8")] if plan.kind == "poisson" else [(f"in{k}_phase", "f8")]
        for k, plan in enumerate(self.populations):
            out += [(f"p{k}_state", "f4"), (f"p{k}_ring", "f4"), (f"p{k}_add", "f4"), (f"p{k}_spikes", "i4")]
            out += [(f"p{k}_xi", "f4"), (f"p{k}_key", "u8")] if plan.noise else []
        for k, plan in enumerate(self.projections):
            out += [(f"s{k}_segment", "i8"), (f"s{k}_start", "i8"), (f"s{k}_delay", "i8")]
            out += [(f"s{k}_target", "i4" if plan.wide else "u2"), (f"s{k}_w", "f4")]
            out += [(f"s{k}_{name}", code) for name, code in _RULE_ARRAYS.get(plan.rule, ())]
        return tuple(out)

    @cached_property
    def reals(self) -> tuple[str, ...]:
        """Names of the float32 parameters in the order of the array ``real``."""
        out: list[str] = []
        for k, plan in enumerate(self.inputs):
            out.append(f"in{k}_{'gain' if plan.kind == 'current' else 'rate'}")
        for k, plan in enumerate(self.populations):
            names = ["decay", "input", "v_th", "v_reset"]
            names += ["couple", "syn_decay"] if plan.exponential else []
            names += ["t_ref"] if plan.refractory else []
            names += ["v_min"] if plan.floor else []
            names += ["memory", "sigma"] if plan.noise else []
            out += [f"p{k}_{name}" for name in names]
        for k, plan in enumerate(self.projections):
            out += [f"s{k}_{name}" for name in _RULE_REALS.get(plan.rule, ())]
        return tuple(out)

    @cached_property
    def sizes(self) -> tuple[str, ...]:
        """Names of the integer parameters in the order of the array ``size``."""
        out = ["n_drive", "n_outputs"]
        for k in range(len(self.inputs)):
            out += [f"in{k}_n", f"in{k}_unit"]
        for k, plan in enumerate(self.populations):
            names = ["n", "unit", "blocks", "mask", "bytes"]
            names += ["period"] if plan.noise else []
            names += ["out"] if plan.output else []
            out += [f"p{k}_{name}" for name in names]
        for k, plan in enumerate(self.projections):
            names = ["n", *(["epoch", "cycle"] if plan.rule == "pair" else []), *(["groups"] if plan.tied else [])]
            out += [f"s{k}_{name}" for name in names]
        return tuple(out)

    def dtype(self, code: str) -> type:
        """Return the numpy type of a type code."""
        return _DTYPES[code]


_RULE_ARRAYS: dict[str, tuple[tuple[str, str], ...]] = {
    "pair": (("snap", "f4"), ("x", "f4"), ("seen", "i8"), ("post", "f4"), ("grow", "f4"), ("fade", "f4")),
    "reward": (
        ("e", "f4"),
        ("x", "f4"),
        ("y", "f4"),
        ("scale", "f8"),
        ("column", "i8"),
        ("row", "i4"),
        ("origin", "i4"),
    ),
    "perturb": (("e", "f4"), ("q", "f4"), ("group", "i4"), ("change", "f8"), ("share", "f8")),
}
_RULE_REALS: dict[str, tuple[str, ...]] = {
    "pair": ("a_plus", "a_minus", "w_min", "w_max", "rebase"),
    "reward": ("a_plus", "a_minus", "w_min", "w_max", "x_decay", "y_decay", "rate"),
    "perturb": ("w_min", "w_max", "rate", "gain", "memory"),
}


def _projection_plan(network: Network, p: Projection, names: list[str], n_in: int) -> ProjectionPlan:
    source, target = names.index(p.source), names.index(p.target) - n_in
    wide = padded(network.population(p.target).n) > 1 << 16
    if source < n_in and isinstance(network.inputs[source].source, CurrentInput):
        return ProjectionPlan(source, target, "current", wide)
    if p.plasticity is None:
        return ProjectionPlan(source, target, "static", wide)
    rule = _RULES.get(type(p.plasticity))
    if rule is None:
        known = ", ".join(sorted(t.__name__ for t in _RULES))
        raise Unsupported(f"ideal: learning rule {type(p.plasticity).__name__} of {p.name!r} is not one of {known}")
    tied = getattr(p.plasticity, "tie", None) is not None
    return ProjectionPlan(source, target, rule, wide, tied, getattr(p.plasticity, "modulator", 0))


def padded(n: int) -> int:
    """Round up to whole blocks."""
    return -(-n // BLOCK) * BLOCK
