"""Where a population is in a NIR graph: its nodes, and by which factors weights go into them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from insectbot.snn.network import Population
from insectbot.snn.nir.dialect import Grid

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Gate:
    """Where signals enter a node.

    Attributes
    ----------
    node : str
        Name of the node.
    event : ndarray
        What makes a weight of spikes one of the file, per neuron.
    hold : ndarray
        What makes a weight of signals that are there in every step one of the file.
    """

    node: str
    event: Floats
    hold: Floats


@dataclass
class Site:
    """The nodes that stand for a population.

    Attributes
    ----------
    nodes : dict of str to object
        NIR nodes by name; the first spikes (or makes the signal).
    gates : dict of str to Gate
        Entrance per receptor.
    current : Gate or None
        Entrance of analog currents, by ``hold``; None if the nodes have none.
    edges : list of (str, str)
        Edges among the nodes.
    lost : list of str
        What the nodes do not say.
    """

    nodes: dict[str, Any]
    gates: dict[str, Gate] = field(default_factory=dict)
    current: Gate | None = None
    edges: list[tuple[str, str]] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)

    def all_ports(self, population: Population) -> Site:
        """Let receptors without an entrance use the first, and return the site."""
        for port, _ in population.ports:
            self.gates.setdefault(port, next(iter(self.gates.values())))
        return self


class Pen:
    """A population's numbers as NIR wants them: float64 per neuron, times in the file's unit.

    Parameters
    ----------
    population : Population
        The population.
    name : str
        Name of its node.
    grid : Grid
        How the file will be read, and the step.
    analog : bool
        Whether analog currents go into it.
    taken : collection of str
        Names of nodes that exist already.
    """

    def __init__(
        self, population: Population, name: str, grid: Grid, analog: bool = False, taken: Collection[str] = ()
    ) -> None:
        self.population, self.name, self.grid, self.analog, self.taken = population, name, grid, analog, taken
        self.model, self.n = population.model, population.n
        self.where = f"population {population.name!r}"
        self.one = np.ones(self.n)

    def get(self, name: str, default: float = 0.0) -> Floats:
        """Return a parameter of the model."""
        return self.full(self.model.values().get(name, default))

    def full(self, value: Any) -> Floats:
        """Return one number per neuron."""
        return np.array(np.broadcast_to(np.asarray(value, np.float64), self.n))

    def time(self, tau: Floats) -> Floats:
        """Return a time constant [ms] in the file's unit."""
        return tau / self.grid.unit

    def spiking(self, rest: Floats | float = 0.0) -> dict[str, Any]:
        """Return threshold and reset."""
        th = self.grid.below(self.get("v_th", 1.0), rest)
        return {"v_threshold": th, "v_reset": self.get("v_reset")}

    def gain(self, event: Floats, wanted: Floats | float = 1.0) -> tuple[Floats, Floats]:
        """Return gain and factor of weights with which a spike that adds ``event`` adds ``wanted``.

        All of it is the gain; all of it the factor, if the reader ignores gains.
        """
        needed = self.full(wanted) / event
        return (self.one, needed) if self.grid.dialect.folded else (needed, self.one)
