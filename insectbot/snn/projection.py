"""Synapses from one group to a population, as sorted lists."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from insectbot.errors import ShapeError
from insectbot.snn.plasticity import LearningRule
from insectbot.snn.synapses import ReleaseModel


def readonly(array: npt.NDArray) -> npt.NDArray:
    """Return a copy that cannot be written to."""
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
    receptor : str or None
        Name of the target's receptor; None for its first.
    short_term : ReleaseModel or None
        Short-term plasticity of the source, such as :class:`~insectbot.snn.synapses.TsodyksMarkram`.
    """

    name: str
    source: str
    target: str
    pre: npt.NDArray[np.int32]
    post: npt.NDArray[np.int32]
    weight: npt.NDArray[np.float32]
    delay: npt.NDArray[np.float64]
    plasticity: LearningRule | None = None
    receptor: str | None = None
    short_term: ReleaseModel | None = None

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
        order = np.lexsort((post_, delay_, pre_))
        arrays = (pre_, post_, weight_, delay_)
        pre_, post_, weight_, delay_ = (readonly(a[order]) for a in arrays)
        return cls(label, source, target, pre_, post_, weight_, delay_, plasticity, receptor, short_term)

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
