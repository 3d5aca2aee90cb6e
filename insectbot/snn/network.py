"""The network as data: inputs, populations, projections, outputs. Immutable and hashable."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from insectbot.errors import ConfigurationError, ShapeError
from insectbot.snn.inputs import CurrentInput, InputSource
from insectbot.snn.neurons import LIF, OrnsteinUhlenbeck
from insectbot.snn.plasticity import LearningRule, NodePerturbation
from insectbot.snn.validate import canonical, require_positive, whole_ticks


@dataclass(frozen=True)
class Input:
    """A group of ``n`` input channels; each takes one entry of the drive.

    Parameters
    ----------
    name : str
        Name, unique in the network.
    n : int
        Number of channels, >= 1.
    source : PoissonInput, RegularInput or CurrentInput
        How a drive becomes spikes or current.
    """

    name: str
    n: int
    source: InputSource

    def __post_init__(self) -> None:
        if self.n < 1:
            raise ConfigurationError(f"Input {self.name!r}: n = {self.n}, must be at least 1")


@dataclass(frozen=True)
class Population:
    """A group of ``n`` neurons that share a model.

    Parameters
    ----------
    name : str
        Name, unique in the network.
    n : int
        Number of neurons, >= 1.
    model : LIF
        Neuron model with its parameters.
    exploration : OrnsteinUhlenbeck or None
        Noise current while learning; None for none.
    """

    name: str
    n: int
    model: LIF = field(default_factory=LIF)
    exploration: OrnsteinUhlenbeck | None = None

    def __post_init__(self) -> None:
        if self.n < 1:
            raise ConfigurationError(f"Population {self.name!r}: n = {self.n}, must be at least 1")


def _readonly(array: npt.NDArray) -> npt.NDArray:
    array = np.array(array)
    array.setflags(write=False)
    return array


@dataclass(frozen=True, eq=False)
class Projection:
    """Synapses from one group to a population, sorted by source, then delay, then target.

    Build it with :meth:`dense` or :meth:`sparse`. The order of ``pre``, ``post``, ``weight`` and ``delay``
    is the *projection order* that every weight vector of this projection uses.

    Attributes
    ----------
    name, source, target : str
        Names of the projection, of its source group and of its target population.
    pre, post : ndarray of int32, shape (n_synapses,)
        Index of the source and target unit.
    weight : ndarray of float32, shape (n_synapses,)
        Initial weights [unit of v for delta, of the current for exponential synapses].
    delay : ndarray of float64, shape (n_synapses,)
        Delays [ms], whole steps, at least one step.
    plasticity : learning rule or None
        None for static synapses.
    """

    name: str
    source: str
    target: str
    pre: npt.NDArray[np.int32]
    post: npt.NDArray[np.int32]
    weight: npt.NDArray[np.float32]
    delay: npt.NDArray[np.float64]
    plasticity: LearningRule | None = None

    @classmethod
    def sparse(
        cls,
        source: str,
        target: str,
        *,
        pre: npt.ArrayLike,
        post: npt.ArrayLike,
        weight: npt.ArrayLike,
        delay: npt.ArrayLike = 1.0,
        plasticity: LearningRule | None = None,
        name: str | None = None,
    ) -> Projection:
        """Build from explicit synapse lists (``weight`` and ``delay`` may be scalars)."""
        label = name or f"{source}->{target}"
        pre_ = np.asarray(pre, np.int32)
        post_ = np.asarray(post, np.int32)
        if pre_.ndim != 1 or pre_.shape != post_.shape:
            raise ShapeError(f"projection {label!r}: pre {pre_.shape} and post {post_.shape} must be equal vectors")
        weight_ = np.array(np.broadcast_to(np.asarray(weight, np.float32), pre_.shape))
        delay_ = np.array(np.broadcast_to(np.asarray(delay, np.float64), pre_.shape))
        if not np.isfinite(weight_).all():
            raise ShapeError(f"projection {label!r}: weights must be finite")
        order = np.lexsort((post_, delay_, pre_))
        arrays = (pre_, post_, weight_, delay_)
        pre_, post_, weight_, delay_ = (_readonly(a[order]) for a in arrays)
        return cls(label, source, target, pre_, post_, weight_, delay_, plasticity)

    @classmethod
    def dense(
        cls,
        source: str,
        target: str,
        weight: npt.ArrayLike,
        *,
        delay: float = 1.0,
        plasticity: LearningRule | None = None,
        name: str | None = None,
    ) -> Projection:
        """Build all-to-all synapses from a matrix ``weight[post, pre]``."""
        matrix = np.asarray(weight, np.float32)
        if matrix.ndim != 2:
            raise ShapeError(f"projection {source}->{target}: weight has shape {matrix.shape}, must be [post, pre]")
        post, pre = np.indices(matrix.shape)
        return cls.sparse(
            source,
            target,
            pre=pre.ravel(),
            post=post.ravel(),
            weight=matrix.ravel(),
            delay=delay,
            plasticity=plasticity,
            name=name,
        )

    @property
    def n_synapses(self) -> int:
        """Number of synapses."""
        return int(self.pre.size)

    def matrix(self, weight: npt.NDArray | None = None) -> npt.NDArray[np.float32]:
        """Return ``weight`` (default: the initial weights) as ``[post, pre]``; absent synapses are NaN."""
        values = self.weight if weight is None else weight
        n_post = int(self.post.max()) + 1 if self.n_synapses else 0
        n_pre = int(self.pre.max()) + 1 if self.n_synapses else 0
        out = np.full((n_post, n_pre), np.nan, np.float32)
        out[self.post, self.pre] = values
        return out


@dataclass(frozen=True, eq=False)
class Network:
    """A spiking network: what it is, not how it runs.

    Units are numbered globally: input channels first, then populations, both in order of declaration
    (:meth:`unit_slice`). A backend compiles a network into an executable.

    Parameters
    ----------
    inputs : tuple of Input
        Input groups; the drive is their channels in order.
    populations : tuple of Population
        Neuron groups.
    projections : tuple of Projection
        Synapses.
    outputs : tuple of str
        Names of the populations that are read out, in order.
    dt : float
        Simulation step [ms], > 0.
    name : str
        Label in reports.
    """

    inputs: tuple[Input, ...]
    populations: tuple[Population, ...]
    projections: tuple[Projection, ...]
    outputs: tuple[str, ...]
    dt: float = 1.0
    name: str = "network"

    def __post_init__(self) -> None:
        require_positive(f"Network {self.name!r}", dt=self.dt)
        names = [g.name for g in self.groups]
        twice = sorted({n for n in names if names.count(n) > 1})
        if twice:
            raise ConfigurationError(f"Network {self.name!r}: the name {twice[0]!r} is used twice")
        labels = [p.name for p in self.projections]
        if len(set(labels)) != len(labels):
            raise ConfigurationError(f"Network {self.name!r}: projection names must differ, got {labels}")
        for output in self.outputs:
            if output not in {p.name for p in self.populations}:
                raise ConfigurationError(f"Network {self.name!r}: output {output!r} is not a population")
        for population in self.populations:
            whole_ticks(f"Population {population.name!r}", "t_ref", population.model.t_ref, self.dt)
            if population.exploration:
                whole_ticks(f"Population {population.name!r}", "noise period", population.exploration.period, self.dt)
        for projection in self.projections:
            self._check_projection(projection)

    def _check_projection(self, p: Projection) -> None:
        where = f"projection {p.name!r}"
        groups = {g.name: g for g in self.groups}
        if p.source not in groups:
            raise ConfigurationError(f"{where}: source {p.source!r} is not a group of the network")
        target = groups.get(p.target)
        if not isinstance(target, Population):
            raise ConfigurationError(f"{where}: target {p.target!r} is not a population of the network")
        source = groups[p.source]
        for label, index, n in (("pre", p.pre, source.n), ("post", p.post, target.n)):
            if index.size and (index.min() < 0 or index.max() >= n):
                raise ShapeError(f"{where}: {label} index {int(index.max())} is outside 0..{n - 1}")
        for delay in np.unique(p.delay):
            if whole_ticks(where, "a delay", float(delay), self.dt) < 1:
                raise ConfigurationError(f"{where}: a delay of {delay} ms is below one step of dt = {self.dt} ms")
        rule = p.plasticity
        if rule is not None and isinstance(source, Input) and isinstance(source.source, CurrentInput):
            raise ConfigurationError(f"{where}: a current input has no spikes, so it cannot be plastic")
        if isinstance(rule, NodePerturbation):
            if target.exploration is None or target.n < 2:
                raise ConfigurationError(f"{where}: NodePerturbation needs >= 2 target neurons with exploration noise")
            if rule.tie is not None and len(rule.tie) != p.n_synapses:
                raise ShapeError(f"{where}: tie has {len(rule.tie)} entries for {p.n_synapses} synapses")

    @property
    def groups(self) -> tuple[Input | Population, ...]:
        """Inputs, then populations: everything that can be a source."""
        return (*self.inputs, *self.populations)

    @property
    def n_inputs(self) -> int:
        """Length of the drive."""
        return sum(i.n for i in self.inputs)

    @property
    def n_neurons(self) -> int:
        """Number of neurons (inputs not counted)."""
        return sum(p.n for p in self.populations)

    @property
    def n_outputs(self) -> int:
        """Length of a readout."""
        return sum(self.population(name).n for name in self.outputs)

    @property
    def n_synapses(self) -> int:
        """Number of synapses."""
        return sum(p.n_synapses for p in self.projections)

    @cached_property
    def n_modulators(self) -> int:
        """Number of modulators that the learning rules listen to."""
        used = [getattr(p.plasticity, "modulator", -1) for p in self.projections]
        return max(used, default=-1) + 1

    def population(self, name: str) -> Population:
        """Return a population by name."""
        for population in self.populations:
            if population.name == name:
                return population
        raise ConfigurationError(f"Network {self.name!r} has no population {name!r}")

    def projection(self, name: str) -> Projection:
        """Return a projection by name."""
        for projection in self.projections:
            if projection.name == name:
                return projection
        raise ConfigurationError(f"Network {self.name!r} has no projection {name!r}")

    def unit_slices(self) -> dict[str, slice]:
        """Return the range of global unit numbers of each group."""
        slices, start = {}, 0
        for group in self.groups:
            slices[group.name] = slice(start, start + group.n)
            start += group.n
        return slices

    def plastic(self) -> Iterator[Projection]:
        """Iterate over the plastic projections."""
        return (p for p in self.projections if p.plasticity is not None)

    def checked_weights(self, weights: Mapping[str, npt.ArrayLike]) -> dict[str, npt.NDArray[np.float32]]:
        """Return copies of weight vectors (by projection name, in projection order) after checking them.

        Raises
        ------
        ConfigurationError, ShapeError
            If a projection is unknown, or a vector has the wrong length or a value that is not finite.
        """
        checked = {}
        for name, values in weights.items():
            vector, shape = np.array(values, np.float32), self.projection(name).weight.shape
            if vector.shape != shape or not np.isfinite(vector).all():
                raise ShapeError(f"projection {name!r}: weights of shape {vector.shape} must be {shape}, finite")
            checked[name] = vector
        return checked

    def with_weights(self, weights: Mapping[str, npt.ArrayLike]) -> Network:
        """Return a copy with other initial weights; raises as :meth:`checked_weights`."""
        checked = self.checked_weights(weights)
        changed = (replace(p, weight=_readonly(checked.get(p.name, p.weight))) for p in self.projections)
        return replace(self, projections=tuple(changed))

    @cached_property
    def digest(self) -> str:
        """SHA-256 of everything the network is made of."""
        return hashlib.sha256(repr(canonical(self)).encode()).hexdigest()

    def __hash__(self) -> int:
        return hash(self.digest)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Network) and self.digest == other.digest
