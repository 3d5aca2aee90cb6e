"""What a generated projection is made from: a rule, sizes, laws of weights and delays, a seed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from insectbot.errors import ConfigurationError
from insectbot.snn.connect import Connector, Sizes, whole
from insectbot.snn.values import Value, value_of


class Group(Protocol):
    """What a rule must know of an Input or a Population."""

    @property
    def name(self) -> str:
        """Name, unique in the network."""
        ...

    @property
    def n(self) -> int:
        """Number of units."""
        ...


@dataclass(frozen=True)
class Recipe:
    """Everything that determines the synapses of a generated projection.

    Attributes
    ----------
    rule : Connector
        Which pairs are connected.
    weight : Value or None
        From what their weights are drawn; None where the rule gives them.
    delay : Value
        From what their delays [ms] are drawn.
    seed : int
        Seed of all draws.
    stream : str
        Name that tells the draws of projections with the same seed apart.
    n_source, n_target : int
        Numbers of units of the groups.
    recurrent : bool
        Whether source and target are the same group.
    dt : float or None
        Grid of random delays [ms]; None before the projection is part of a network, and for constant delays.
    """

    rule: Connector
    weight: Value | None
    delay: Value
    seed: int
    stream: str
    n_source: int
    n_target: int
    recurrent: bool
    dt: float | None = None

    @property
    def sizes(self) -> Sizes:
        """The groups as the rule sees them."""
        return Sizes(f"projection {self.stream!r}", self.n_source, self.n_target, self.recurrent)


def recipe(label: str, source: Group, target: Group, rule: Connector, weight: Any, delay: Any, seed: Any) -> Recipe:
    """Return the recipe of a projection named ``label`` after checking every part.

    Raises
    ------
    ConfigurationError, ShapeError
        If the rule does not suit the sizes of the groups, or a weight, delay or seed is not accepted.
    """
    where = f"projection {label!r}"
    if not isinstance(rule, Connector):
        raise ConfigurationError(f"{where}: rule = {rule!r}, must be a connection rule such as FixedInDegree(100)")
    if (rule.weights() is None) != (weight is not None):
        fix = "must be given" if weight is None else "must be left out, the rule brings the weights"
        raise ConfigurationError(f"{where}: weight = {weight!r}, {fix}")
    weights = None if weight is None else value_of(where, "weight", weight)
    delays = value_of(where, "delay", delay)
    if delays.bounds()[1] <= 0:
        raise ConfigurationError(f"{where}: delay = {delay}, must be above 0 ms")
    number, recurrent = whole(f"{where}: seed", seed), source.name == target.name
    made = Recipe(rule, weights, delays, number, label, source.n, target.n, recurrent)
    rule.check(made.sizes)
    return made
