"""What a kernel depends on: kinds, functions and flags of a network, never its sizes or values.

Populations of one kind, and projections of one kind, form a class: the kernel has one piece of text for it and loops
over its members, so the text grows with the number of kinds, not of populations. The structure also fixes the order of
the address table and of the parameter arrays, so that the generator and the memory layout agree.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from insectbot.core.plan_inputs import InputPlan, input_plan
from insectbot.core.plan_neurons import BLOCK, PopulationPlan, population_plan
from insectbot.core.plan_precise import (
    PrecisePlan,
    PreciseProjection,
    is_precise,
    precise_plan,
    precise_projection,
    timed_input,
)
from insectbot.core.plan_synapses import ProjectionPlan, projection_plan
from insectbot.snn.network import Network

_DTYPES = {"f4": np.float32, "f8": np.float64, "i4": np.int32, "i8": np.int64, "u2": np.uint16, "u8": np.uint64}
Entry = tuple[str, str, str]
"""Name in the text (without prefix), type code, name of the array."""


@dataclass(frozen=True)
class PlanClass:
    """Members that share a piece of text. ``prefix`` names it, such as ``pop0`` or ``syn1``.

    Attributes
    ----------
    plan : InputPlan, PopulationPlan or ProjectionPlan
        Plan of the first member.
    members : tuple of int
        Numbers of the members, rising.
    table, real, size : int
        Places of the first member's arrays, floats and integers.
    """

    prefix: str
    plan: Any
    members: tuple[int, ...]
    table: int
    real: int
    size: int

    @property
    def many(self) -> bool:
        """Whether the text is a loop over members."""
        return len(self.members) > 1


@dataclass(frozen=True)
class Structure:
    """The structure of a network; hashable, and enough to generate its kernel."""

    inputs: tuple[InputPlan, ...]
    populations: tuple[PopulationPlan, ...]
    projections: tuple[ProjectionPlan, ...]
    real: str = "f4"
    threads: bool = False

    @classmethod
    def of(cls, network: Network, threads: bool = False) -> Structure:
        """Read the structure off a network; raises Unsupported for what the core cannot run."""
        projections = tuple(precise_projection(network, p, projection_plan(network, p)) for p in network.projections)
        populations = tuple(
            precise_plan(network, p) if is_precise(p) else population_plan(network, number, p, projections)
            for number, p in enumerate(network.populations)
        )
        inputs = tuple(map(input_plan, network.inputs))
        if any(map(is_precise, network.populations)):
            inputs = tuple(map(timed_input, inputs))
        real = "f8" if network.precision == "float64" else "f4"
        return cls(inputs, populations, projections, real, threads)

    @cached_property
    def precise(self) -> bool:
        """Whether spikes of some population have exact times."""
        return any(isinstance(p, PrecisePlan) for p in self.populations)

    @cached_property
    def header(self) -> tuple[tuple[str, str], ...]:
        """(name, type code) of the arrays that are nobody's own, first in the table."""
        f = self.real
        out = [("clock", "i8"), ("real", f), ("size", "i8"), ("drive", f), ("modulators", f)]
        out += [("counts", "i4"), ("first", "i4"), ("interval", "i4"), ("last", "i8")]
        out += [("event_tick", "i8"), ("event_unit", "i4"), ("probe", "i8")]
        out += [("probed", "f8" if self.precise else f), ("count", "i8")]
        out += [("event_offset", "f8")] if self.precise else []
        out += [("sync", "i8"), ("total", "i8")] if self.threads else []
        return tuple(out)

    @cached_property
    def fixed_sizes(self) -> tuple[str, ...]:
        """Names of the integers that are nobody's own, first in ``size``."""
        return ("n_drive", "n_outputs", "n_probes", "thread", "n_threads")

    def entries(self, letter: str, k: int) -> tuple[Entry, ...]:
        """Return the table entries of one member: its own arrays, then those of others that it uses."""
        plan: Any = {"in": self.inputs, "p": self.populations, "s": self.projections}[letter][k]
        own = plan.arrays(self.threads) if letter == "p" else plan.arrays
        out = [(name, code.replace("fF", self.real), f"{letter}{k}_{name}") for name, code in own]
        if letter == "s":
            out += [(name, code.replace("fF", self.real), array) for name, code, array in self._borrowed(plan)]
        return tuple(out)

    def _borrowed(self, plan: ProjectionPlan) -> tuple[Entry, ...]:
        """Return the arrays of source and target that the text of a projection uses."""
        target, n_in = f"p{plan.target}", len(self.inputs)
        source = f"in{plan.source}" if plan.source < n_in else f"p{plan.source - n_in}"
        if isinstance(plan, PreciseProjection):
            return plan.borrowed(source, target)
        if plan.rule == "current":
            return (("add", "fF", f"{target}_add{plan.injected}"),)
        listed = "all" if self.threads and plan.source >= n_in else "spikes"
        out = [("ring", "fF", f"{target}_ring{plan.port}")]
        out.append(("value", "fF", f"{source}_value") if plan.graded else ("from_spikes", "i4", f"{source}_{listed}"))
        out += [("to_spikes", "i4", f"{target}_spikes")] if plan.rule in ("pair", "eager", "reward") else []
        return tuple(out)

    @cached_property
    def classes(self) -> tuple[PlanClass, ...]:
        """The classes: inputs (one each), populations, projections, with their places in table and parameters."""
        places = [len(self.header), 0, len(self.fixed_sizes)]
        out: list[PlanClass] = []
        for letter, prefix, plans in (
            ("in", "in", self.inputs),
            ("p", "pop", self.populations),
            ("s", "syn", self.projections),
        ):
            groups: dict[Any, list[int]] = {}
            for k, plan in enumerate(plans):
                alone = letter == "in" or not plan.shareable
                groups.setdefault(k if alone else plan.kind, []).append(k)
            for c, members in enumerate(groups.values()):
                plan = plans[members[0]]
                out.append(PlanClass(f"{prefix}{c}", plan, tuple(members), *places))
                places[0] += len(members) * len(self.entries(letter, members[0]))
                places[1] += len(members) * len(plan.reals)
                places[2] += 1 + len(members) * len(plan.sizes)
        return tuple(out)

    def of_kind(self, prefix: str) -> tuple[PlanClass, ...]:
        """Return the classes of "in", "pop" or "syn"."""
        return tuple(c for c in self.classes if c.prefix.startswith(prefix))

    @cached_property
    def table(self) -> tuple[tuple[str, str], ...]:
        """(array name, type code) of every entry of the address table; an array can stand in several."""
        out = list(self.header)
        for letter, k in self._members():
            out += [(array, code) for _, code, array in self.entries(letter, k)]
        return tuple(out)

    @cached_property
    def reals(self) -> tuple[str, ...]:
        """Names of the float parameters in the order of the array ``real``."""
        out: list[str] = []
        for c in self.classes:
            letter = _LETTER[c.prefix.rstrip("0123456789")]
            out += [f"{letter}{k}_{name}" for k in c.members for name in self._plan(letter, k).reals]
        return tuple(out)

    @cached_property
    def sizes(self) -> tuple[str, ...]:
        """Names of the integer parameters in the order of the array ``size``."""
        out = list(self.fixed_sizes)
        for c in self.classes:
            letter = _LETTER[c.prefix.rstrip("0123456789")]
            out.append(f"{c.prefix}_members")
            out += [f"{letter}{k}_{name}" for k in c.members for name in self._plan(letter, k).sizes]
        return tuple(out)

    @property
    def walk_order(self) -> tuple[int, ...]:
        """Projections in the order in which the spikes of a tick walk them."""
        return tuple(k for c in self.of_kind("syn") for k in c.members)

    @property
    def sorted_units(self) -> bool:
        """Whether the spikes of a tick are listed in the order of their units."""
        order = [k for c in self.of_kind("pop") for k in c.members]
        return order == sorted(order) and not self.precise

    def dtype(self, code: str) -> type:
        """Return the numpy type of a type code."""
        return _DTYPES[code]

    def _plan(self, letter: str, k: int) -> Any:
        return {"in": self.inputs, "p": self.populations, "s": self.projections}[letter][k]

    def _members(self) -> list[tuple[str, int]]:
        return [(_LETTER[c.prefix.rstrip("0123456789")], k) for c in self.classes for k in c.members]


_LETTER = {"in": "in", "pop": "p", "syn": "s"}


def padded(n: int) -> int:
    """Round up to whole blocks."""
    return -(-n // BLOCK) * BLOCK


__all__ = ["BLOCK", "InputPlan", "PlanClass", "PopulationPlan", "ProjectionPlan", "Structure", "padded"]
