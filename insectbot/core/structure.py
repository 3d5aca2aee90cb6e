"""What a kernel depends on: kinds, functions and flags of a network, never its sizes or values.

Networks of equal structure share one compiled kernel. The structure also fixes the order of the
address table, so that the generator and the memory layout agree.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from insectbot.core.inline import Function
from insectbot.core.plan_inputs import InputPlan, input_plan
from insectbot.core.plan_neurons import BLOCK, PopulationPlan, population_plan
from insectbot.core.plan_synapses import ProjectionPlan, projection_plan
from insectbot.snn.network import Network

_DTYPES = {"f4": np.float32, "f8": np.float64, "i4": np.int32, "i8": np.int64, "u2": np.uint16, "u8": np.uint64}
Arrays = tuple[tuple[str, str], ...]


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
        projections = tuple(projection_plan(network, p) for p in network.projections)
        populations = tuple(
            population_plan(network, number, p, projections) for number, p in enumerate(network.populations)
        )
        real = "f8" if network.precision == "float64" else "f4"
        return cls(tuple(map(input_plan, network.inputs)), populations, projections, real, threads)

    @cached_property
    def arrays(self) -> Arrays:
        """(name, type code) of every array in the order of the address table."""
        f = self.real
        out = [("clock", "i8"), ("real", f), ("size", "i8"), ("drive", f), ("modulators", f)]
        out += [("counts", "i4"), ("first", "i4"), ("interval", "i4"), ("last", "i8")]
        out += [("event_tick", "i8"), ("event_unit", "i4"), ("probe", "i8"), ("probed", f)]
        out += [("sync", "i8")] if self.threads else []
        for k, plan in enumerate(self.inputs):
            out += [(f"in{k}_{name}", code) for name, code in plan.arrays]
        for k, plan in enumerate(self.populations):
            out += [(f"p{k}_{name}", code.replace("fF", f)) for name, code in plan.arrays(self.threads)]
        for k, plan in enumerate(self.projections):
            out += [(f"s{k}_{name}", code.replace("fF", f)) for name, code in plan.arrays]
        return tuple(out)

    @cached_property
    def reals(self) -> tuple[str, ...]:
        """Names of the float parameters in the order of the array ``real``."""
        out: list[str] = []
        for letter, plans in (("in", self.inputs), ("p", self.populations), ("s", self.projections)):
            out += [f"{letter}{k}_{name}" for k, plan in enumerate(plans) for name in plan.reals]
        return tuple(out)

    @cached_property
    def sizes(self) -> tuple[str, ...]:
        """Names of the integer parameters in the order of the array ``size``."""
        out = ["n_drive", "n_outputs", "n_probes", "first_thread", "n_threads"]
        for letter, plans in (("in", self.inputs), ("p", self.populations), ("s", self.projections)):
            out += [f"{letter}{k}_{name}" for k, plan in enumerate(plans) for name in plan.sizes]
        return tuple(out)

    def dtype(self, code: str) -> type:
        """Return the numpy type of a type code."""
        return _DTYPES[code]


def padded(n: int) -> int:
    """Round up to whole blocks."""
    return -(-n // BLOCK) * BLOCK


__all__ = ["BLOCK", "Function", "InputPlan", "PopulationPlan", "ProjectionPlan", "Structure", "padded"]
