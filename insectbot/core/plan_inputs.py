"""What the kernel of an input group depends on."""

from __future__ import annotations

from dataclasses import dataclass

from insectbot.core.inline import Function, parse, source_text
from insectbot.errors import Unsupported
from insectbot.snn.inputs import CodedInput, CurrentInput, PoissonInput, RegularInput, SpikeTimesInput
from insectbot.snn.network import Input

_KNOWN = {"x", "k", "dt", "rank"}


@dataclass(frozen=True)
class InputPlan:
    """One input group: ``kind`` is "poisson", "regular", "current", "times" or "coded"."""

    kind: str
    states: tuple[str, ...] = ()
    scalars: tuple[str, ...] = ()
    frame: Function | None = None
    emit: Function | None = None

    shareable = False

    @property
    def ranked(self) -> bool:
        """Whether the code needs the rank of each channel."""
        return self.frame is not None and "rank" in self.frame.arguments

    @property
    def arrays(self) -> tuple[tuple[str, str], ...]:
        """(name, type code) of its arrays."""
        if self.kind == "current":
            return ()
        out = [("spikes", "i4"), ("key", "u8")]
        out += [("threshold", "u8")] if self.kind == "poisson" else []
        out += [("phase", "f8")] if self.kind == "regular" else []
        out += [("time", "i8"), ("channel", "i4")] if self.kind == "times" else []
        out += [(f"state_{name}", "f8") for name in self.states]
        out += [("number", "f8")] if self.kind == "coded" else []
        out += [("rank", "f8")] if self.ranked else []
        return tuple(out)

    @property
    def reals(self) -> tuple[str, ...]:
        """Names of its float parameters (those of a code are float64 and stand in ``number``)."""
        return {"poisson": ("rate",), "regular": ("rate",)}.get(self.kind, ())

    @property
    def sizes(self) -> tuple[str, ...]:
        """Names of its integer parameters."""
        extra = {"coded": ("frame",), "times": ("events",)}.get(self.kind, ())
        return ("n", "unit", "group", *extra)


def input_plan(group: Input) -> InputPlan:
    """Return the plan of an input group; raises Unsupported naming what the core cannot run."""
    source = group.source
    for kind, cls in (("poisson", PoissonInput), ("regular", RegularInput), ("current", CurrentInput)):
        if type(source) is cls:
            return InputPlan(kind)
    if isinstance(source, SpikeTimesInput):
        return InputPlan("times")
    if not isinstance(source, CodedInput):
        raise Unsupported(f"ideal: input {group.name!r} has the source {type(source).__name__}, which is no code")
    owner = type(source).__name__
    found = {role: parse(source_text(f), f"{owner}.{role}") for role, f in source.functions().items()}
    if "emit" not in found:
        raise Unsupported(f"ideal: {owner} of input {group.name!r} has no function emit()")
    numbers = {**source.values(), **source.coefficients(1.0)}
    used = [a for f in found.values() for a in f.arguments]
    for name in used:
        if name not in _KNOWN and name not in source.states and name not in numbers:
            raise Unsupported(f"{owner}: takes {name!r}, which is no state, parameter or coefficient")
    scalars = tuple(sorted({a for a in used if a in numbers and a not in source.states}))
    return InputPlan("coded", tuple(source.states), scalars, found.get("frame"), found["emit"])
