"""Sparse linear maps with delays, as lists of entries: what a chain of NIR's linear nodes amounts to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Entries:
    """A map ``y[post] += weight * x[pre](t - delay)``.

    Attributes
    ----------
    shape : tuple of int
        (number of outputs, number of inputs).
    post, pre : ndarray of int64
        Index of output and input.
    weight : ndarray of float64
        Weights.
    delay : ndarray of float64
        Delays [the file's unit of time].
    """

    shape: tuple[int, int]
    post: Index
    pre: Index
    weight: Floats
    delay: Floats

    @classmethod
    def of(cls, shape: tuple[int, int], post: npt.ArrayLike, pre: npt.ArrayLike, weight: npt.ArrayLike) -> Entries:
        """Build without delays; entries that are 0 are left out."""
        values = np.asarray(weight, np.float64).ravel()
        kept = np.flatnonzero(values)
        post_, pre_ = np.asarray(post, np.int64).ravel()[kept], np.asarray(pre, np.int64).ravel()[kept]
        return cls(shape, post_, pre_, values[kept], np.zeros(kept.size))

    @classmethod
    def diagonal(cls, weight: Floats, delay: Floats | None = None) -> Entries:
        """Build a one-to-one map."""
        index = np.arange(weight.size)
        return cls((weight.size, weight.size), index, index, weight, np.zeros(weight.size) if delay is None else delay)

    def after(self, first: Entries) -> Entries:
        """Return this map of the outputs of ``first``."""
        order = np.argsort(first.post, kind="stable")
        start = np.searchsorted(first.post[order], np.arange(first.shape[0] + 1))
        many = np.diff(start)[self.pre]
        # Entry k of this map meets all entries of `first` that end where it begins.
        mine = np.repeat(np.arange(self.pre.size), many)
        nth = np.arange(mine.size) - np.repeat(np.cumsum(many) - many, many)
        theirs = order[start[self.pre[mine]] + nth]
        return Entries(
            (self.shape[0], first.shape[1]),
            self.post[mine],
            first.pre[theirs],
            self.weight[mine] * first.weight[theirs],
            self.delay[mine] + first.delay[theirs],
        ).merged()

    def plus(self, other: Entries) -> Entries:
        """Return the sum of two maps."""
        pairs = ((getattr(self, k), getattr(other, k)) for k in ("post", "pre", "weight", "delay"))
        return Entries(self.shape, *(np.concatenate(pair) for pair in pairs)).merged()

    def merged(self) -> Entries:
        """Return the map with entries of equal place and delay added up, sorted by input, then delay, then output."""
        order = np.lexsort((self.post, self.delay, self.pre))
        post, pre, delay = self.post[order], self.pre[order], self.delay[order]
        new = np.ones(order.size, bool)
        new[1:] = (np.diff(post) != 0) | (np.diff(pre) != 0) | (np.diff(delay) != 0)
        first = np.flatnonzero(new)
        weight = np.add.reduceat(self.weight[order], first) if first.size else np.zeros(0)
        return Entries(self.shape, post[first], pre[first], weight, delay[first])

    def of_constant(self, signal: Floats) -> Floats:
        """Return the map of a constant signal; delays do not matter."""
        return np.bincount(self.post, self.weight * signal[self.pre], self.shape[0]).astype(np.float64)

    @property
    def identity(self) -> bool:
        """Whether the map changes nothing."""
        n = self.shape[0]
        return (
            self.shape == (n, n)
            and self.post.size == n
            and bool((np.sort(self.post) == np.arange(n)).all() and (self.post == self.pre).all())
            and bool((self.weight == 1.0).all() and not self.delay.any())
        )
