"""Connection rules as data: which source is wired to which target, without listing a synapse."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from insectbot.errors import ConfigurationError
from insectbot.snn.validate import canonical


@dataclass(frozen=True)
class Sizes:
    """Two groups that a rule connects.

    Attributes
    ----------
    where : str
        How errors name the projection.
    n_source, n_target : int
        Numbers of units.
    recurrent : bool
        Whether source and target are the same group, so that a unit could connect to itself.
    """

    where: str
    n_source: int
    n_target: int
    recurrent: bool


@dataclass(frozen=True, eq=False)
class Connector:
    """Base of connection rules. Rules with equal parameters are equal and hash alike, arrays included."""

    by_source: ClassVar[bool] = False
    """Whether a rule draws the targets of each source; else the sources of each target."""

    def __eq__(self, other: object) -> bool:
        return canonical(self) == canonical(other)

    def __hash__(self) -> int:
        return hash(canonical(self))

    def check(self, sizes: Sizes) -> None:
        """Raise ConfigurationError if the rule cannot connect groups of these sizes."""

    def count(self, sizes: Sizes) -> int | None:
        """Return the number of synapses, or None if only drawing them tells."""
        return None

    def weights(self) -> npt.NDArray[np.float64] | None:
        """Return the weights that the rule itself brings, or None if it brings none."""
        return None

    def alone(self, sizes: Sizes) -> bool:
        """Return whether a unit is left out of its own candidates."""
        return sizes.recurrent and not getattr(self, "self_connections", True)

    def pool(self, sizes: Sizes) -> int:
        """Return how many candidates a unit draws from."""
        return (sizes.n_target if self.by_source else sizes.n_source) - self.alone(sizes)


@dataclass(frozen=True, eq=False)
class AllToAll(Connector):
    """Every source to every target.

    Parameters
    ----------
    self_connections : bool
        Whether a unit connects to itself, where source and target are the same group.
    """

    self_connections: bool = True

    def count(self, sizes: Sizes) -> int:
        """Return the number of synapses."""
        return self.pool(sizes) * sizes.n_target


@dataclass(frozen=True, eq=False)
class OneToOne(Connector):
    """Source i to target i; both groups have the same size."""

    def check(self, sizes: Sizes) -> None:
        """Raise ConfigurationError unless both groups have the same size."""
        if sizes.n_source != sizes.n_target:
            raise ConfigurationError(
                f"{sizes.where}: OneToOne connects groups of equal size, not {sizes.n_source} to {sizes.n_target} units"
            )

    def count(self, sizes: Sizes) -> int:
        """Return the number of synapses."""
        return sizes.n_target


@dataclass(frozen=True, eq=False)
class FixedProbability(Connector):
    """Every pair independently with probability ``p`` (pairwise Bernoulli).

    Parameters
    ----------
    p : float
        Probability, in [0, 1].
    self_connections : bool
        Whether a unit may connect to itself, where source and target are the same group.
    """

    p: float
    self_connections: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "p", probability("FixedProbability.p", self.p))


@dataclass(frozen=True, eq=False)
class FixedInDegree(Connector):
    """Exactly ``k`` synapses onto each target, from sources drawn uniformly.

    Parameters
    ----------
    k : int
        Synapses per target, >= 0; without multapses at most the number of sources.
    multapses : bool
        Whether two units may have more than one synapse between them.
    self_connections : bool
        Whether a unit may connect to itself, where source and target are the same group.
    """

    k: int
    multapses: bool = False
    self_connections: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "k", whole("FixedInDegree.k", self.k, least=0))

    def check(self, sizes: Sizes) -> None:
        """Raise ConfigurationError if a target cannot get ``k`` synapses."""
        _check_degree(self, self.k, sizes, "sources")

    def count(self, sizes: Sizes) -> int:
        """Return the number of synapses."""
        return self.k * sizes.n_target


@dataclass(frozen=True, eq=False)
class FixedOutDegree(Connector):
    """Exactly ``k`` synapses from each source, onto targets drawn uniformly.

    Parameters
    ----------
    k : int
        Synapses per source, >= 0; without multapses at most the number of targets.
    multapses : bool
        Whether two units may have more than one synapse between them.
    self_connections : bool
        Whether a unit may connect to itself, where source and target are the same group.
    """

    by_source: ClassVar[bool] = True
    k: int
    multapses: bool = False
    self_connections: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "k", whole("FixedOutDegree.k", self.k, least=0))

    def check(self, sizes: Sizes) -> None:
        """Raise ConfigurationError if a source cannot have ``k`` synapses."""
        _check_degree(self, self.k, sizes, "targets")

    def count(self, sizes: Sizes) -> int:
        """Return the number of synapses."""
        return self.k * sizes.n_source


@dataclass(frozen=True, eq=False)
class FixedNumber(Connector):
    """Exactly ``n`` synapses, each between a source and a target drawn uniformly, with multapses.

    Parameters
    ----------
    n : int
        Number of synapses, >= 0.
    self_connections : bool
        Whether a unit may connect to itself, where source and target are the same group.
    """

    n: int
    self_connections: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "n", whole("FixedNumber.n", self.n, least=0))

    def check(self, sizes: Sizes) -> None:
        """Raise ConfigurationError if there is no pair to connect."""
        if self.n and self.pool(sizes) < 1:
            raise ConfigurationError(f"{sizes.where}: FixedNumber without self-connections needs two units, not 1")

    def count(self, sizes: Sizes) -> int:
        """Return the number of synapses."""
        return self.n


def whole(what: str, value: Any, least: int | None = None) -> int:
    """Return a whole number (of at least ``least``), or raise ConfigurationError."""
    try:
        number = operator.index(value)
    except TypeError:
        raise ConfigurationError(f"{what} = {value!r}: must be a whole number") from None
    if least is not None and number < least:
        raise ConfigurationError(f"{what} = {value!r}: must be at least {least}")
    return number


def probability(what: str, value: Any) -> float:
    """Return a probability as float, or raise ConfigurationError."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = -1.0
    if not 0.0 <= number <= 1.0:
        raise ConfigurationError(f"{what} = {value!r}: must lie in [0, 1]")
    return number


def matrix(what: str, value: npt.ArrayLike, ndim: int, meaning: str) -> npt.NDArray[np.float64]:
    """Return a read-only float64 array of ``ndim`` dimensions, or raise ConfigurationError."""
    try:
        array = np.array(value, np.float64)
    except (TypeError, ValueError):
        array = np.zeros(())
    if array.ndim != ndim or not array.size or not np.isfinite(array).all():
        raise ConfigurationError(f"{what}: must be finite numbers of shape {meaning}, got shape {array.shape}")
    array.setflags(write=False)
    return array


def _check_degree(rule: FixedInDegree | FixedOutDegree, k: int, sizes: Sizes, what: str) -> None:
    pool = rule.pool(sizes)
    if k > pool and (not rule.multapses or pool < 1):
        fix = "lower it or allow multapses" if pool else "allow self-connections"
        raise ConfigurationError(f"{sizes.where}: {type(rule).__name__}.k = {k} exceeds the {pool} {what}; {fix}")
