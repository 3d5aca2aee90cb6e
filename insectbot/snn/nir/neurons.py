"""NIR's nodes with state as populations: models in ms, and what a unit of input adds to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from insectbot.errors import ConfigurationError
from insectbot.snn.functions import exprel
from insectbot.snn.integrators import IF, LI, McCullochPitts
from insectbot.snn.lif import LIF
from insectbot.snn.model import NeuronModel
from insectbot.snn.nir.dialect import Grid
from insectbot.snn.nir.linear import spread
from insectbot.snn.nir.models import EulerCubaLI, EulerCubaLIF, Integrator, Relay, SubtractLIF
from insectbot.snn.synapses import Delta, Exponential, Receptor

Floats = npt.NDArray[np.float64]
RESETS = ("value", "subtract", "subtract next step")
"""What a spike does: set v to ``v_reset``; take the threshold from v; take it in the next step, after the leak."""
STEADY = "steady"
"""Name of the port that takes what a steady signal does to v within a step, past the synapse."""


@dataclass(frozen=True)
class Cell:
    """A node with state, as a population runs it.

    Attributes
    ----------
    model : NeuronModel
        Its model.
    event : mapping of str to ndarray
        Receptor -> what a spike of weight 1 adds there, per neuron.
    hold : mapping of str to ndarray
        Receptor -> what a signal of 1 adds there in every step, per neuron.
    current : ndarray or None
        What a steady analog current of 1 is in the model's current, per neuron; None if the model filters currents.
    receptors : mapping of str to Receptor
        Ports; empty for the model's own. ``"steady"`` is left out where nothing uses it.
    """

    model: NeuronModel
    event: Mapping[str, Floats]
    hold: Mapping[str, Floats]
    current: Floats | None = None
    receptors: Mapping[str, Receptor] = field(default_factory=dict)


def cell_of(kind: str, name: str, node: Any, n: int, grid: Grid, reset: str = "value") -> Cell:
    """Return how a node is run.

    Parameters
    ----------
    kind, name, node : str, str, object
        Type, name and the node.
    n : int
        Number of units.
    grid : Grid
        How the file is meant, and the step.
    reset : str
        One of :data:`RESETS`.
    """
    where = f"NIR {kind} {name!r}"
    if reset not in RESETS:
        raise ConfigurationError(f"NIR reset {reset!r}: must be one of {', '.join(map(repr, RESETS))}")
    node_ = _Node(kind, where, node, n, grid, reset)
    try:
        return _MAKERS[kind](node_)
    except ConfigurationError as error:
        raise ConfigurationError(str(error) if str(error).startswith("NIR") else f"{where}: {error}") from None


def relay(n: int) -> Cell:
    """Return units that pass on what comes in: analog inputs, and outputs behind a linear node."""
    one = np.ones(n)
    return Cell(Relay(), {"": one}, {"": one}, one)


class _Node:
    """A node's parameters as float64 per neuron, times in ms."""

    def __init__(self, kind: str, where: str, node: Any, n: int, grid: Grid, reset: str) -> None:
        self.kind, self.where, self.node = kind, where, node
        self.n, self.grid, self.reset = n, grid, reset

    def __getitem__(self, name: str) -> Floats:
        value = getattr(self.node, name)
        return np.zeros(self.n) if value is None else spread(f"{self.where}: {name}", value, self.n)

    def time(self, name: str) -> Floats:
        tau = self[name] * self.grid.unit
        if (tau <= 0).any():
            raise ConfigurationError(f"{self.where}: {name} = {self[name].min():g} must be above 0")
        return tau

    def native(self, tau: Floats) -> Any:
        return one_or_each(self.grid.native(self.where, tau))

    def threshold(self, rest: Floats | float = 0.0) -> Any:
        return one_or_each(self.grid.above(self["v_threshold"], rest))

    def drop(self, decay: Floats) -> Any:
        """Return what a subtracting reset takes."""
        late = self.reset == "subtract next step"
        if late and (decay <= 0).any():
            raise ConfigurationError(f"{self.where}: a reset in the next step needs a leak that leaves something")
        return one_or_each(self["v_threshold"] / (decay if late else 1.0))


def one_or_each(values: Floats) -> Any:
    """Return one float where all are equal, else the array."""
    return float(values[0]) if (values == values[0]).all() else values


def _lif(node: _Node) -> Cell:
    tau, rest = node.time("tau"), node["v_leak"]
    settings: dict[str, Any] = {
        "tau_m": node.native(tau),
        "v_rest": one_or_each(rest),
        "v_th": node.threshold(rest),
        "v_reset": one_or_each(node["v_reset"]),
    }
    model = LIF(**settings)
    if node.reset != "value":
        model = SubtractLIF(**settings, drop=node.drop(node.grid.decay(node.where, tau)))
    return _leaky(model, node, tau)


def _leaky(model: NeuronModel, node: _Node, tau: Floats) -> Cell:
    """Return a cell whose potential takes spikes and signals itself."""
    event, hold = (f(node.kind, node.where, tau) * node["r"] for f in (node.grid.event, node.grid.hold))
    return Cell(model, {"": event}, {"": hold}, hold / node.grid.loss(node.where, tau))


def _li(node: _Node) -> Cell:
    tau = node.time("tau")
    return _leaky(LI(tau_m=node.native(tau), v_rest=one_or_each(node["v_leak"])), node, tau)


def _if(node: _Node) -> Cell:
    r, (event, hold) = node["r"], node.grid.ramp(node.kind)
    rate = one_or_each(r * hold / node.grid.dt)
    v_reset = one_or_each(node["v_reset"]) if node.reset == "value" else None
    model = IF(r=rate, v_th=node.threshold(), v_reset=v_reset)
    return Cell(model, {"": event * r}, {"": hold * r}, np.ones(node.n))


def _i(node: _Node) -> Cell:
    r, (event, hold) = node["r"], node.grid.ramp(node.kind)
    return Cell(Integrator(one_or_each(r * hold / node.grid.dt)), {"": event * r}, {"": hold * r}, np.ones(node.n))


def _threshold(node: _Node) -> Cell:
    one = np.ones(node.n)
    model = McCullochPitts(one_or_each(node.grid.above(node["threshold"])))
    return Cell(model, {"": one}, {"": one}, one)


def _cuba(node: _Node) -> Cell:
    """Return a CubaLI or CubaLIF."""
    spiking = hasattr(node.node, "v_threshold")
    tau, tau_syn, r, rest = node.time("tau_mem"), node.time("tau_syn"), node["r"], node["v_leak"]
    grid, where, w_in = node.grid, node.where, node["w_in"]
    settings: dict[str, Any] = {"v_rest": one_or_each(rest)}
    if spiking:
        settings |= {"v_th": node.threshold(rest), "v_reset": one_or_each(node["v_reset"])}
    subtracts: dict[str, Any] = {"drop": node.drop(grid.decay(where, tau))} if spiking and node.reset != "value" else {}
    gain, hold = (f(node.kind, where, tau_syn) * w_in for f in (grid.event, grid.hold))
    if grid.euler:
        settings |= {"tau_m": one_or_each(tau), "tau_syn": one_or_each(tau_syn), "r": one_or_each(r)}
        euler = EulerCubaLIF(**settings, **subtracts) if spiking else EulerCubaLI(**settings)
        return Cell(euler, {"events": gain}, {"events": hold})
    receptors = {"": Exponential(one_or_each(tau_syn)), STEADY: Delta()}
    settings["tau_m"] = one_or_each(tau)
    if not spiking:
        model = LI(**settings)
    else:
        model = (SubtractLIF if subtracts else LIF)(**settings, **subtracts, tau_syn=one_or_each(tau_syn))
    # A steady signal also moves v within the step in which it raises the current.
    within = w_in * r * within_step(tau, tau_syn, grid.dt)
    return Cell(model, {"": gain * r}, {"": hold * r, STEADY: within}, None, receptors)


def within_step(tau: Floats, tau_syn: Floats, dt: float) -> Floats:
    """Return what a signal of 1 adds to v within one step, through a synapse that starts from nothing."""
    a, b = dt / tau, dt / tau_syn
    return -np.expm1(-a) - a * np.exp(-a) * exprel(a - b)


_MAKERS = {
    "LIF": _lif,
    "LI": _li,
    "IF": _if,
    "I": _i,
    "Threshold": _threshold,
    "CubaLI": _cuba,
    "CubaLIF": _cuba,
}
