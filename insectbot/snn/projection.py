"""Synapses from one group to a population: listed, or generated from a rule when they are needed."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from insectbot.errors import ConfigurationError, ShapeError
from insectbot.snn.connect import Connector
from insectbot.snn.plasticity import LearningRule
from insectbot.snn.recipe import Group, Recipe, recipe
from insectbot.snn.synapses import ReleaseModel
from insectbot.snn.validate import require_positive, whole_ticks
from insectbot.snn.values import Constant, Value


def readonly(array: npt.NDArray) -> npt.NDArray:
    """Return a copy that cannot be written to."""
    array = np.array(array)
    array.setflags(write=False)
    return array


@dataclass(frozen=True, eq=False)
class Synapses:
    """Listed synapses in projection order; the arrays become read-only.

    Attributes
    ----------
    pre, post, weight, delay : ndarray
        As in :class:`Projection`.
    """

    pre: npt.NDArray[np.int32]
    post: npt.NDArray[np.int32]
    weight: npt.NDArray[np.float32]
    delay: npt.NDArray[np.float64]

    def __post_init__(self) -> None:
        for f in fields(self):
            getattr(self, f.name).setflags(write=False)


@dataclass(frozen=True, eq=False, init=False)
class Projection:
    """Synapses from one group to a population.

    Build it with :meth:`connect` (a rule), :meth:`dense` (a matrix) or :meth:`sparse` (lists). Synapses of a rule are
    drawn when they are needed: a simulator draws them straight into its own memory, ``pre``, ``post``, ``weight`` and
    ``delay`` list them on first use. These are sorted by source, then delay, then target: the *projection order* that
    every weight vector of this projection uses.

    Attributes
    ----------
    name, source, target : str
        Names of the projection, of its source group and of its target population.
    synapses : Synapses or Recipe
        The synapses as listed, or what they are generated from.
    plasticity : learning rule or None
        None for static synapses.
    receptor : str or None
        Name of the target's receptor; None for its first.
    short_term : ReleaseModel or None
        Short-term plasticity of the source, such as :class:`~insectbot.snn.synapses.TsodyksMarkram`.
    """

    name: str
    source: str
    target: str
    synapses: Synapses | Recipe
    plasticity: LearningRule | None = None
    receptor: str | None = None
    short_term: ReleaseModel | None = None

    def __init__(
        self,
        name: str,
        source: str,
        target: str,
        synapses: Synapses | Recipe,
        plasticity: LearningRule | None = None,
        receptor: str | None = None,
        short_term: ReleaseModel | None = None,
        *,
        weight: npt.ArrayLike | None = None,
    ) -> None:
        if weight is not None:
            # So that dataclasses.replace(projection, weight=...) works, although weight is no field.
            synapses = replace(_listed(synapses), weight=np.array(weight, np.float32))
        values = (name, source, target, synapses, plasticity, receptor, short_term)
        for f, value in zip(fields(self), values, strict=True):
            object.__setattr__(self, f.name, value)

    @classmethod
    def connect(
        cls,
        source: Group,
        target: Group,
        rule: Connector,
        *,
        weight: float | Value | None = None,
        delay: float | Value = 1.0,
        seed: int = 0,
        plasticity: LearningRule | None = None,
        receptor: str | None = None,
        short_term: ReleaseModel | None = None,
        name: str | None = None,
    ) -> Projection:
        """Build from a connection rule; nothing is drawn yet.

        The synapses are a function of the rule, the sizes of the groups, ``seed`` and the name of the projection.

        Parameters
        ----------
        source : Input or Population
            Where synapses start.
        target : Population
            Where they end.
        rule : Connector
            Which pairs are connected, such as ``FixedInDegree(100)``.
        weight : float, Constant, Normal, Uniform or None
            Weight of every synapse, or what each is drawn from; None for a Convolution, whose kernel holds them.
        delay : float, Constant, Normal or Uniform
            Delay [ms]: a number of whole steps, >= 1 step, or what each is drawn from; drawn ones are rounded to
            the nearest whole step of the network, at least one.
        seed : int
            Seed of the draws, any whole number.
        plasticity : learning rule, optional
            Default: static synapses.
        receptor : str, optional
            Name of the target's receptor; default: its first.
        short_term : ReleaseModel, optional
            Short-term plasticity of the source.
        name : str, optional
            Default: ``"source->target"``.

        Raises
        ------
        ConfigurationError, ShapeError
            If the rule does not suit the sizes of the groups, or a weight, delay or seed is not accepted.
        """
        label = name or f"{source.name}->{target.name}"
        made = recipe(label, source, target, rule, weight, delay, seed)
        return cls(label, source.name, target.name, made, plasticity, receptor, short_term)

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
        receptor: str | None = None,
        short_term: ReleaseModel | None = None,
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
        # Delays that differ by rounding errors only are the same number of steps: targets must ascend among them.
        order = np.lexsort((post_, np.round(delay_, 9), pre_))
        synapses = Synapses(pre_[order], post_[order], weight_[order], delay_[order])
        return cls(label, source, target, synapses, plasticity, receptor, short_term)

    @classmethod
    def dense(
        cls,
        source: str,
        target: str,
        weight: npt.ArrayLike,
        *,
        delay: float = 1.0,
        plasticity: LearningRule | None = None,
        receptor: str | None = None,
        short_term: ReleaseModel | None = None,
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
            receptor=receptor,
            short_term=short_term,
            name=name,
        )

    @cached_property
    def listed(self) -> Synapses:
        """The synapses as lists; those of a rule are drawn on first use and kept."""
        return _listed(self.synapses)

    @property
    def pre(self) -> npt.NDArray[np.int32]:
        """Index of the source unit, shape (n_synapses,)."""
        return self.listed.pre

    @property
    def post(self) -> npt.NDArray[np.int32]:
        """Index of the target unit, shape (n_synapses,)."""
        return self.listed.post

    @property
    def weight(self) -> npt.NDArray[np.float32]:
        """Initial weights, shape (n_synapses,) [unit of v for delta, of the current for exponential synapses]."""
        return self.listed.weight

    @property
    def delay(self) -> npt.NDArray[np.float64]:
        """Delays [ms], whole steps, at least one step, shape (n_synapses,)."""
        return self.listed.delay

    @cached_property
    def n_synapses(self) -> int:
        """Number of synapses; those of a rule are counted without being listed."""
        if isinstance(self.synapses, Synapses):
            return int(self.synapses.pre.size)
        known = self.synapses.rule.count(self.synapses.sizes)
        if known is None:
            from insectbot.snn import wiring

            return wiring.count(self.synapses)
        return known

    @property
    def weight_bounds(self) -> tuple[float, float]:
        """Smallest and largest weight; of a rule, those that could be drawn. (0, 0) if there are no synapses."""
        s = self.synapses
        if isinstance(s, Recipe) and s.weight is not None:
            return s.weight.bounds()
        weights: Any = s.weight if isinstance(s, Synapses) else s.rule.weights()
        return (float(np.min(weights)), float(np.max(weights))) if np.size(weights) else (0.0, 0.0)

    def on_grid(self, dt: float) -> Projection:
        """Return this projection with random delays fixed to steps of ``dt`` [ms]; a network does this by itself."""
        require_positive("Projection.on_grid", dt=dt)
        s = self.synapses
        if isinstance(s, Synapses) or isinstance(s.delay, Constant) or s.dt == dt:
            return self
        return replace(self, synapses=replace(s, dt=float(dt)))

    def max_ticks(self, dt: float) -> int:
        """Return the largest delay [steps of ``dt``]; of a rule, the largest that could be drawn. 0 if there is none.

        Raises
        ------
        ConfigurationError
            If a delay is no whole number of steps, or below one.
        """
        where, s = f"projection {self.name!r}", self.synapses
        if isinstance(s, Recipe) and not isinstance(s.delay, Constant):
            return max(1, round(s.delay.bounds()[1] / dt))
        largest = 0
        for delay in [s.delay.bounds()[0]] if isinstance(s, Recipe) else np.unique(s.delay).tolist():
            largest = max(largest, whole_ticks(where, "a delay", delay, dt))
            if largest < 1:
                raise ConfigurationError(f"{where}: a delay of {delay} ms is below one step of dt = {dt} ms")
        return largest

    def check_sizes(self, n_source: int, n_target: int) -> None:
        """Raise ShapeError unless the synapses lie within groups of these sizes."""
        where, s = f"projection {self.name!r}", self.synapses
        if isinstance(s, Recipe):
            for label, found, n in (("source", s.n_source, n_source), ("target", s.n_target, n_target)):
                if found != n:
                    raise ShapeError(f"{where}: connects {found} {label} units, but its {label} has {n}")
            return
        for label, index, n in (("pre", s.pre, n_source), ("post", s.post, n_target)):
            if index.size and (index.min() < 0 or index.max() >= n):
                raise ShapeError(f"{where}: {label} index {int(index.max())} is outside 0..{n - 1}")

    def with_weights(self, weight: npt.ArrayLike) -> Projection:
        """Return a copy with other initial weights, in projection order; synapses of a rule become listed."""
        return replace(self, synapses=replace(self.listed, weight=np.array(weight, np.float32)))

    def matrix(self, weight: npt.NDArray | None = None) -> npt.NDArray[np.float32]:
        """Return ``weight`` (default: the initial weights) as ``[post, pre]``; absent synapses are NaN.

        Of several synapses between two units the last one shows.
        """
        values = self.weight if weight is None else weight
        n_post = int(self.post.max()) + 1 if self.n_synapses else 0
        n_pre = int(self.pre.max()) + 1 if self.n_synapses else 0
        out = np.full((n_post, n_pre), np.nan, np.float32)
        out[self.post, self.pre] = values
        return out

    def __getstate__(self) -> dict[str, Any]:
        """Leave drawn lists behind: another process draws the same ones."""
        return {f.name: getattr(self, f.name) for f in fields(self)}


def _listed(synapses: Synapses | Recipe) -> Synapses:
    if isinstance(synapses, Synapses):
        return synapses
    from insectbot.snn import wiring

    return wiring.expand(synapses)
