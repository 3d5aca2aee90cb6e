"""Numerical schemes: a model that gives only its right-hand side gets an update by Euler, Heun or Runge-Kutta."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from insectbot.errors import ConfigurationError
from insectbot.snn.model import Coefficients, NeuronModel, Source

_NODES = {"euler": (), "heun": (1.0,), "rk4": (0.5, 0.5, 1.0)}
"""Where each later stage stands in the step; a stage uses the slope of the one before."""
_SUMS = {
    "euler": "{1}",
    "heun": "0.5 * ({1} + {2})",
    "rk4": "({1} + 2.0 * {2} + 2.0 * {3} + {4}) / 6.0",
}


@dataclass(frozen=True)
class OdeNeuron(NeuronModel):
    """Base of models that are given as differential equations.

    Instead of ``update`` they have ``slopes(...)``: it takes states, parameters, coefficients and ``i``, and returns
    the time derivatives of all ``states`` in their order [unit of the state per ms]. The update is written from it.
    Class attribute ``ceiling`` maps a state to the parameter that it never exceeds, neither within a step nor after:
    for models that blow up at a spike.

    Parameters
    ----------
    scheme : {"euler", "heun", "rk4"}
        Forward Euler, Heun's second-order, or the classical fourth-order Runge-Kutta scheme. ``i`` is held over a tick.
    substeps : int
        Equal steps per tick, >= 1. A spike is looked for at the end of the tick.
    """

    schemes: ClassVar[tuple[str, ...]] = tuple(_NODES)
    ceiling: ClassVar[dict[str, str]] = {}

    scheme: str = field(default="rk4", kw_only=True)
    substeps: int = field(default=1, kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        name = type(self).__name__
        if self.scheme not in self.schemes:
            raise ConfigurationError(f"{name}.scheme = {self.scheme!r}: must be one of {', '.join(self.schemes)}")
        if type(self.substeps) is not int or self.substeps < 1:
            raise ConfigurationError(f"{name}.substeps = {self.substeps!r}: must be a whole number of at least 1")

    def coefficients(self, dt: float) -> Coefficients:
        """Return ``step``, the length of a substep [ms]."""
        return {"step": dt / self.substeps}

    def functions(self) -> dict[str, Source]:
        """Return the functions, with the update of the chosen scheme."""
        found = super().functions()
        slopes = getattr(self, "slopes", None)
        if self.scheme in _NODES and slopes is not None:
            found["update"] = stepper(slopes, tuple(self.states), self.scheme, self.substeps, self.ceiling)
        return found


def stepper(
    slopes: Source, states: tuple[str, ...], scheme: str, substeps: int = 1, ceiling: Mapping[str, str] | None = None
) -> str:
    """Return the source text of an ``update`` that integrates ``slopes``.

    Parameters
    ----------
    slopes : function, or its source text
        Straight-line right-hand side; see :class:`OdeNeuron`.
    states : tuple of str
        The states whose derivatives it returns, in that order.
    scheme : {"euler", "heun", "rk4"}
        Numerical scheme; its step is the coefficient ``step``.
    substeps : int
        Steps per tick.
    ceiling : mapping of str to str, optional
        State -> name of its upper bound.

    Raises
    ------
    ConfigurationError
        If the function cannot be read, assigns to its arguments, or does not return one slope per state.
    """
    definition = _definition(slopes)
    taken = _assigned(definition.body) & {a.arg for a in definition.args.args}
    if taken:
        raise ConfigurationError(f"{definition.name}() must not assign to its argument {sorted(taken)[0]!r}")
    last = definition.body[-1]
    value = last.value if isinstance(last, ast.Return) else None
    items = value.elts if isinstance(value, ast.Tuple) else [value]
    if len(items) != len(states) or None in items:
        raise ConfigurationError(f"{definition.name}() must end by returning the slopes of {', '.join(states)}")
    top = ceiling or {}
    nodes = _NODES[scheme]
    lines = _stage(definition, states, 1)
    for k, node in enumerate(nodes, start=2):
        moved = {s: f"{s} + {'' if node == 1 else f'{node} * '}step * d{k - 1}_{s}" for s in states}
        lines += [f"{s}_{k} = {_below(moved[s], top.get(s))}" for s in states]
        lines += _stage(definition, states, k)
    for s in states:
        total = _SUMS[scheme].format("", *(f"d{k}_{s}" for k in range(1, len(nodes) + 2)))
        lines.append(f"{s} = {_below(f'{s} + step * {total}', top.get(s))}")
    arguments = dict.fromkeys([*states, *(a.arg for a in definition.args.args), *top.values(), "step"])
    loop = "\n".join([f"    for _ in range({substeps}):", *(" " * 8 + x for x in lines)])
    return f"def update({', '.join(arguments)}):\n{loop}\n    return {', '.join(states)}\n"


def _below(value: str, bound: str | None) -> str:
    return f"minimum({value}, {bound})" if bound else value


def _definition(slopes: Source) -> ast.FunctionDef:
    """Return the parsed function without its docstring."""
    try:
        text = slopes if isinstance(slopes, str) else inspect.getsource(slopes)
    except (OSError, TypeError) as error:
        raise ConfigurationError(f"{slopes!r}: its source cannot be read; put the model into a file") from error
    found = ast.parse(textwrap.dedent(text)).body[0]
    if not isinstance(found, ast.FunctionDef):
        raise ConfigurationError("slopes must be one function made with def")
    first = found.body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and len(found.body) > 1:
        found.body = found.body[1:]
    return found


def _assigned(body: list[ast.stmt]) -> set[str]:
    return {n.id for s in body for n in ast.walk(s) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}


class _Suffix(ast.NodeTransformer):
    def __init__(self, names: set[str], suffix: str) -> None:
        self.names, self.suffix = names, suffix

    def visit_Name(self, node: ast.Name) -> ast.Name:
        """Give the names of a stage their number."""
        return ast.Name(id=node.id + self.suffix, ctx=node.ctx) if node.id in self.names else node


def _stage(definition: ast.FunctionDef, states: tuple[str, ...], k: int) -> list[str]:
    """Return the statements that compute the slopes of stage ``k``, named ``d<k>_<state>``."""
    body = ast.parse("\n".join(ast.unparse(s) for s in definition.body)).body  # a fresh copy
    numbered = _assigned(body) | (set(states) if k > 1 else set())
    body = [_Suffix(numbered, f"_{k}").visit(s) for s in body]
    value = body[-1].value
    items = value.elts if isinstance(value, ast.Tuple) else [value]
    lines = [line for s in body[:-1] for line in ast.unparse(s).splitlines()]
    return lines + [f"d{k}_{s} = {ast.unparse(item)}" for s, item in zip(states, items, strict=True)]
