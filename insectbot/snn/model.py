"""What all models share: parameters with units, and functions whose source the core compiles into its kernel.

A model is one frozen dataclass. Its parameters are fields made by :func:`parameter`; its dynamics are plain static
functions whose *argument names* say what they take and whose *returned names* say what they change. The core copies
their bodies into the window kernel, so a user's model runs at a built-in's speed. A body is straight-line code:
assignments, arithmetic, comparisons, ``where(c, a, b)``, ``for _ in range(3)``, and what :mod:`insectbot.snn.functions`
offers; the last statement returns names (or, for ``threshold``, ``current`` and ``output``, one expression).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from insectbot.errors import ConfigurationError

Value = float | npt.NDArray[np.float64]
"""A parameter or coefficient: one number, or one per neuron."""
Coefficients = dict[str, Any]
"""Name -> number or array of one per neuron."""
Real = Any
"""A number inside a model function: float32 or float64, as the network says."""
Source = Callable[..., Any] | str
"""A function, or the source text of one, to be copied into the kernel."""


def parameter(
    default: Any, unit: str, *, above: float | None = None, at_least: float | None = None, below: float | None = None
) -> Any:
    """Declare a parameter of a model.

    Parameters
    ----------
    default : float
        Default value, in ``unit``.
    unit : str
        Unit, such as ``"ms"`` or ``"mV"``; ``""`` for a pure number.
    above, at_least, below : float, optional
        Bounds that every value must keep.
    """
    return field(default=default, metadata={"unit": unit, "above": above, "at_least": at_least, "below": below})


@dataclass(frozen=True)
class Model:
    """Base of all models: checks its parameters; arrays (one value per unit) become tuples, so it stays hashable."""

    def __post_init__(self) -> None:
        for f in fields(self):
            if "unit" in f.metadata:
                object.__setattr__(
                    self, f.name, _checked(type(self).__name__, f.name, getattr(self, f.name), f.metadata)
                )

    def values(self) -> dict[str, Value]:
        """Return every parameter, per-unit ones as float64 arrays; ``None`` is left out."""
        raw = {f.name: getattr(self, f.name) for f in fields(self) if "unit" in f.metadata}
        return {k: np.asarray(v) if isinstance(v, tuple) else float(v) for k, v in raw.items() if v is not None}

    def coefficients(self, dt: float) -> Coefficients:
        """Return what else the functions use by name, computed once from the parameters and ``dt`` [ms]."""
        return {}

    def lengths(self) -> dict[str, int]:
        """Return parameter -> number of values, for those that are given per unit."""
        given = ((f.name, getattr(self, f.name)) for f in fields(self) if "unit" in f.metadata)
        return {name: len(v) for name, v in given if isinstance(v, tuple)}

    def require(self, condition: Any, name: str, limit: str) -> None:
        """Raise ConfigurationError unless ``condition`` holds (everywhere) for the parameter ``name``."""
        if not np.all(condition):
            raise ConfigurationError(f"{type(self).__name__}.{name} = {getattr(self, name)}: must {limit}")


def _checked(owner: str, name: str, value: Any, bounds: Mapping[str, Any]) -> Any:
    """Return a parameter as float, tuple of floats or None, or raise one sentence."""
    if value is None:
        return None
    try:
        array = np.asarray(value, np.float64)
    except (TypeError, ValueError):
        array = np.array(np.nan)
    if array.ndim > 1 or array.size == 0 or not np.isfinite(array).all():
        raise ConfigurationError(f"{owner}.{name} = {value!r}: must be a finite number, or one per neuron")
    if bounds["above"] is not None and not (array > bounds["above"]).all():
        raise ConfigurationError(f"{owner}.{name} = {value!r}: must be above {bounds['above']:g}")
    if bounds["at_least"] is not None and not (array >= bounds["at_least"]).all():
        raise ConfigurationError(f"{owner}.{name} = {value!r}: must be at least {bounds['at_least']:g}")
    if bounds["below"] is not None and not (array < bounds["below"]).all():
        raise ConfigurationError(f"{owner}.{name} = {value!r}: must be below {bounds['below']:g}")
    return float(array) if array.ndim == 0 else tuple(array.tolist())


@dataclass(frozen=True)
class NeuronModel(Model):
    """Base of neuron models.

    Class attributes: ``states`` maps state variables to their values after a reset of the network (a number, or the
    name of a parameter or coefficient); ``spiking`` is False for units that never spike; ``held`` names the states
    that keep their value during the refractory time (parameter ``t_ref`` [ms]; models without it have none);
    ``relative`` maps states to the parameter from which memory measures them, where the float32 grid is finest;
    ``double`` is True where only a network of precision float64 will do.

    Functions of a model:

    ``update(...)``
        One tick. Takes states, parameters, coefficients, ``dt`` [ms], ``i`` (external current plus that of all
        receptors not named themselves), receptors by name (their current; for a delta receptor what arrived),
        ``uniform()``, ``normal()``. Returns the changed states. If it takes ``g_sum`` and ``g_rev``, conductance
        receptors are given as the sums of ``g`` and ``g e_rev`` instead of in ``i``.
    ``threshold(...)``
        True where the neuron spikes: takes the new states, ``old_<state>`` for values before the tick, ``uniform()``.
    ``reset(...)``
        Runs where it spiked; returns the changed states.
    ``output(...)``
        Of graded units: what their synapses transmit at every tick.

    The weights that arrive at a delta receptor are added to the first state (or ``into``) after ``update``, before
    ``threshold``.
    """

    states: ClassVar[dict[str, float | str]] = {"v": 0.0}
    spiking: ClassVar[bool] = True
    held: ClassVar[tuple[str, ...]] = ("v",)
    relative: ClassVar[dict[str, str]] = {}
    double: ClassVar[bool] = False

    def functions(self) -> dict[str, Source]:
        """Return role -> function: ``update`` (unless linear), ``threshold`` and ``reset`` (if spiking)."""
        found = {role: getattr(self, role, None) for role in ("update", "threshold", "reset", "output")}
        return {role: f for role, f in found.items() if f is not None}

    def default_receptors(self) -> tuple[tuple[str, Any], ...]:
        """Return the receptors of a population that names none: one delta port ``""``."""
        from insectbot.snn.synapses import Delta

        return (("", Delta()),)


@dataclass(frozen=True)
class LinearNeuron(NeuronModel):
    """Base of models whose subthreshold system is linear: stepped by its exact propagator (Rotter & Diesmann 1999).

    Instead of ``update`` they give :meth:`system`; the core adds the receptors' equations and takes ``expm``.
    """

    def system(self) -> dict[tuple[str, str], Value]:
        """Return the nonzero entries of ``A`` in ``y' = A y + b i`` [1/ms], keyed (state, state).

        ``("v", "i")`` is the entry of ``b``: how a unit of current drives a state. Constant terms belong into
        ``relative`` (states measured from rest).
        """
        raise ConfigurationError(f"{type(self).__name__}: a linear model must give system()")
