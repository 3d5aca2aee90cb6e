"""The numbers a population's update needs: parameters, derived coefficients and exact propagators, by kernel name."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from insectbot.core.propagator import LinearSystem
from insectbot.snn.model import Value
from insectbot.snn.network import Population

Numbers = dict[str, Value]


def kernel_word(name: str) -> str:
    """Return a state's or port's name as part of an identifier (``"0.g"`` becomes ``"r0_g"``)."""
    return f"r{name.replace('.', '_')}" if name[0].isdigit() else name


def propagate_name(to: str, by: str) -> str:
    """Return the name of an entry of P."""
    return f"from_{kernel_word(by)}_to_{kernel_word(to)}"


def inject_name(into: str, to: str) -> str:
    """Return the name of an entry of Q: what current held at ``into`` adds to ``to``."""
    return f"inject_{kernel_word(into)}_to_{kernel_word(to)}"


def port_name(number: int, name: str) -> str:
    """Return the name of a receptor's own parameter or coefficient."""
    return f"r{number}_{name}"


def coefficients(population: Population, dt: float, injected: tuple[str, ...]) -> Numbers:
    """Return name -> number (or one per neuron) of everything a population's functions may use.

    Parameters
    ----------
    population : Population
        Its model and receptors; potentials in ``model.relative`` are measured from their reference.
    dt : float
        Step [ms].
    injected : tuple of str
        States into which analog currents are injected.
    """
    model = population.model
    shift = references(population)
    out: Numbers = {"dt": dt}
    for name, value in {**model.values(), **model.coefficients(dt)}.items():
        out[name] = _plain(np.asarray(value) - shift[name] if name in shift else value)
    if "t_ref" in out:
        out["t_ref"] = _plain(np.rint(np.asarray(out["t_ref"]) / dt))
    for number, (_, receptor) in enumerate(population.ports):
        into = receptor.into or next(iter(model.states))
        for name, value in {**receptor.values(), **receptor.coefficients(dt)}.items():
            moved = np.asarray(value) - shift[into] if name == "e_rev" and into in shift else value
            out[port_name(number, name)] = _plain(moved)
    system = LinearSystem.of(population)
    if system is not None:
        out |= {propagate_name(to, by): v for (to, by), v in system.propagate(dt).items()}
        for into in injected:
            out |= {inject_name(into, to): v for to, v in system.inject(into, dt).items()}
        for number, (_, receptor) in enumerate(population.ports):
            linear = receptor.linear()
            if receptor.states and linear is not None:
                out |= {port_name(number, f"arrive_{s}"): _plain(v) for s, v in linear[2].items()}
    return out


def references(population: Population) -> Mapping[str, Value]:
    """Return name of a state or parameter -> value from which memory measures it."""
    values = population.model.values()
    return {name: values[reference] for name, reference in population.model.relative.items()}


def initial_states(population: Population, numbers: Numbers) -> Numbers:
    """Return state -> value after a reset, as memory holds it."""
    model, shift, out = population.model, references(population), {}
    for state, start in model.states.items():
        if isinstance(start, str):
            out[state] = numbers[start]  # a parameter that is relative is already shifted
            if start not in shift and state in shift:
                out[state] = np.asarray(numbers[start]) - shift[state]
        else:
            out[state] = start
    for state, value in dict(population.initial).items():
        out[state] = np.asarray(value) - shift.get(state, 0.0)
    return out


def _plain(value: Value) -> Value:
    """Return one number where all are equal, so that the kernel keeps it in a register."""
    flat = np.asarray(value, np.float64)
    if flat.ndim == 0:
        return float(flat)
    return float(flat[0]) if (flat == flat[0]).all() else flat
