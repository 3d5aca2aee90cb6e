"""The network as data: inputs, populations, projections, outputs. Immutable and hashable."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from insectbot.errors import ConfigurationError, ShapeError
from insectbot.snn.background import PoissonBackground
from insectbot.snn.inputs import CurrentInput, InputSource
from insectbot.snn.model import NeuronModel
from insectbot.snn.neurons import LIF, OrnsteinUhlenbeck
from insectbot.snn.plasticity import NodePerturbation
from insectbot.snn.projection import Projection
from insectbot.snn.synapses import Receptor
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
        lengths: dict[str, int] = getattr(self.source, "lengths", dict)()
        for name, length in lengths.items():
            if length != self.n:
                source = type(self.source).__name__
                raise ShapeError(f"Input {self.name!r}: {source}.{name} has {length} values for {self.n} channels")


@dataclass(frozen=True)
class Population:
    """A group of ``n`` neurons that share a model.

    Parameters
    ----------
    name : str
        Name, unique in the network.
    n : int
        Number of neurons, >= 1.
    model : NeuronModel
        Neuron model with its parameters; a parameter may be one number or one per neuron.
    exploration : OrnsteinUhlenbeck or None
        Noise current while learning; None for none.
    receptors : mapping of str to Receptor
        Ports on which synapses end, by name; empty for the model's own default.
    background : PoissonBackground or None
        Independent Poisson spikes into each neuron.
    initial : mapping of str to (float or sequence of float)
        State variables that start elsewhere than the model says, one value or one per neuron.
    sign : int
        Dale's principle: +1 if all outgoing weights are excitatory, -1 if inhibitory, 0 if both are allowed.
    """

    name: str
    n: int
    model: NeuronModel = field(default_factory=LIF)
    exploration: OrnsteinUhlenbeck | None = None
    receptors: Mapping[str, Receptor] | tuple[tuple[str, Receptor], ...] = ()
    background: PoissonBackground | None = None
    initial: Mapping[str, Any] | tuple[tuple[str, Any], ...] = ()
    sign: int = 0

    def __post_init__(self) -> None:
        where = f"Population {self.name!r}"
        starts = dict(self.initial)
        for name, value in starts.items():
            if name not in self.model.states:
                known = ", ".join(self.model.states)
                raise ConfigurationError(
                    f"{where}: initial {name!r} is no state of {type(self.model).__name__} ({known})"
                )
            values = np.asarray(value, np.float64)
            if values.shape not in ((), (self.n,)) or not np.isfinite(values).all():
                raise ShapeError(f"{where}: initial {name!r} must be one finite number or {self.n} of them")
            starts[name] = float(values) if values.ndim == 0 else tuple(values.tolist())
        object.__setattr__(self, "initial", tuple(starts.items()))
        if self.n < 1:
            raise ConfigurationError(f"{where}: n = {self.n}, must be at least 1")
        if self.sign not in (-1, 0, 1):
            raise ConfigurationError(f"{where}: sign = {self.sign}, must be +1, -1 or 0")
        given = tuple(self.receptors.items() if isinstance(self.receptors, Mapping) else self.receptors)
        object.__setattr__(self, "receptors", given or self.model.default_receptors())
        for model in (self.model, *(r for _, r in self.ports)):
            for name, length in model.lengths().items():
                if length != self.n:
                    raise ShapeError(f"{where}: {type(model).__name__}.{name} has {length} values for {self.n} neurons")
        if self.background is not None:
            self.port(self.background.receptor)

    @property
    def ports(self) -> tuple[tuple[str, Receptor], ...]:
        """The receptors as (name, model) pairs; the first is the default of a projection."""
        return tuple(self.receptors.items() if isinstance(self.receptors, Mapping) else self.receptors)

    def port(self, receptor: str | None) -> int:
        """Return the number of a receptor by name (None for the first).

        Raises
        ------
        ConfigurationError
            If there is none of that name.
        """
        names = [name for name, _ in self.ports]
        if receptor is None or receptor in names:
            return 0 if receptor is None else names.index(receptor)
        raise ConfigurationError(
            f"Population {self.name!r} has no receptor {receptor!r}, only {', '.join(map(repr, names))}"
        )


@dataclass(frozen=True)
class Output:
    """Neurons that are read out: each alone, or all as one channel.

    Parameters
    ----------
    population : str
        Name of the population.
    start, stop : int, int or None
        First neuron, and last + 1; None for the end.
    pooled : bool
        Whether the neurons share one channel of the readout, which counts the spikes of all.
    """

    population: str
    start: int = 0
    stop: int | None = None
    pooled: bool = False


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
    outputs : tuple of str or Output
        What is read out, in order: names of populations, or parts of them.
    dt : float
        Simulation step [ms], > 0.
    name : str
        Label in reports.
    precision : {"float32", "float64"}
        Of states and weights in the core.
    """

    inputs: tuple[Input, ...]
    populations: tuple[Population, ...]
    projections: tuple[Projection, ...]
    outputs: tuple[str | Output, ...]
    dt: float = 1.0
    name: str = "network"
    precision: str = "float32"

    def __post_init__(self) -> None:
        if self.precision not in ("float32", "float64"):
            raise ConfigurationError(
                f"Network {self.name!r}: precision = {self.precision!r}, must be 'float32' or 'float64'"
            )
        require_positive(f"Network {self.name!r}", dt=self.dt)
        names = [g.name for g in self.groups]
        twice = sorted({n for n in names if names.count(n) > 1})
        if twice:
            raise ConfigurationError(f"Network {self.name!r}: the name {twice[0]!r} is used twice")
        labels = [p.name for p in self.projections]
        if len(set(labels)) != len(labels):
            raise ConfigurationError(f"Network {self.name!r}: projection names must differ, got {labels}")
        self._check_outputs()
        for population in self.populations:
            if getattr(population.model, "double", False) and self.precision != "float64":
                raise ConfigurationError(
                    f"Population {population.name!r}: {type(population.model).__name__} as it is needs precision = "
                    "'float64'"
                )
            t_ref = getattr(population.model, "t_ref", 0.0)
            for value in set(t_ref) if isinstance(t_ref, tuple) else (t_ref,):
                whole_ticks(f"Population {population.name!r}", "t_ref", value, self.dt)
            if population.exploration:
                whole_ticks(f"Population {population.name!r}", "noise period", population.exploration.period, self.dt)
        object.__setattr__(self, "projections", tuple(p.on_grid(self.dt) for p in self.projections))
        for projection in self.projections:
            self._check_projection(projection)

    def _check_outputs(self) -> None:
        read: dict[str, set[int]] = {}
        for output in self.outputs:
            name = output if isinstance(output, str) else output.population
            if name not in {p.name for p in self.populations}:
                raise ConfigurationError(f"Network {self.name!r}: output {name!r} is not a population")
        for r in self.readouts:
            stop, n = r.stop or 0, self.population(r.population).n
            if not 0 <= r.start < stop <= n:
                raise ConfigurationError(
                    f"Network {self.name!r}: output {r.population!r} from {r.start} to {stop} is outside 0..{n}"
                )
            seen = read.setdefault(r.population, set())
            if seen & set(range(r.start, stop)):
                raise ConfigurationError(f"Network {self.name!r}: output {r.population!r} reads some neurons twice")
            seen.update(range(r.start, stop))

    def _check_projection(self, p: Projection) -> None:
        where = f"projection {p.name!r}"
        groups = {g.name: g for g in self.groups}
        if p.source not in groups:
            raise ConfigurationError(f"{where}: source {p.source!r} is not a group of the network")
        target = groups.get(p.target)
        if not isinstance(target, Population):
            raise ConfigurationError(f"{where}: target {p.target!r} is not a population of the network")
        target.port(p.receptor)
        source = groups[p.source]
        p.check_sizes(source.n, target.n)
        p.max_ticks(self.dt)
        signs = [s for s in p.weight_bounds if s]
        if isinstance(source, Population) and source.sign and any(s * source.sign < 0 for s in signs):
            kind = "excitatory" if source.sign > 0 else "inhibitory"
            raise ConfigurationError(f"{where}: weights of both signs, but its source {p.source!r} is {kind} (Dale)")
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
        return sum(1 if r.pooled else (r.stop or 0) - r.start for r in self.readouts)

    @cached_property
    def readouts(self) -> tuple[Output, ...]:
        """The outputs with their bounds filled in."""
        listed = [o if isinstance(o, Output) else Output(o) for o in self.outputs]
        return tuple(o if o.stop is not None else replace(o, stop=self.population(o.population).n) for o in listed)

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

    def checked_weights(self, weights: Mapping[str, npt.ArrayLike]) -> dict[str, npt.NDArray]:
        """Return copies of weight vectors (by projection name, in projection order) after checking them.

        Raises
        ------
        ConfigurationError, ShapeError
            If a projection is unknown, or a vector has the wrong length or a value that is not finite.
        """
        checked = {}
        for name, values in weights.items():
            vector, shape = np.array(values, self.precision), (self.projection(name).n_synapses,)
            if vector.shape != shape or not np.isfinite(vector).all():
                raise ShapeError(f"projection {name!r}: weights of shape {vector.shape} must be {shape}, finite")
            checked[name] = vector
        return checked

    def with_weights(self, weights: Mapping[str, npt.ArrayLike]) -> Network:
        """Return a copy with other initial weights; raises as :meth:`checked_weights`."""
        checked = self.checked_weights(weights)
        changed = (p.with_weights(checked[p.name]) if p.name in checked else p for p in self.projections)
        return replace(self, projections=tuple(changed))

    @cached_property
    def digest(self) -> str:
        """SHA-256 of everything the network is made of."""
        return hashlib.sha256(repr(canonical(self)).encode()).hexdigest()

    def __hash__(self) -> int:
        return hash(self.digest)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Network) and self.digest == other.digest
