"""LASSO on a processor: random problems, the conditions of the optimum, coordinate descent and FISTA, counted.

``min over a >= 0 of 1/2 |x - D a|^2 + lambda sum a``; what spiking units find (controllers/circuits/lca.py) is measured
against it.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from insectbot.errors import ConfigurationError

Reals = npt.NDArray[np.float64]
Step = tuple[Reals, int]
"""Coefficients, and multiply-adds so far."""


@dataclass(frozen=True, eq=False)
class Lasso:
    """A problem: dictionary with columns of length 1 [m, n], signal [m], penalty >= 0.

    Attributes
    ----------
    dictionary : ndarray, shape (m, n)
        D.
    signal : ndarray, shape (m,)
        x.
    penalty : float
        lambda.
    """

    dictionary: Reals
    signal: Reals
    penalty: float

    def objective(self, a: npt.ArrayLike) -> float:
        """Return ``1/2 |x - D a|^2 + lambda sum |a|``."""
        a = np.asarray(a, np.float64)
        rest = self.signal - self.dictionary @ a
        return float(0.5 * rest @ rest + self.penalty * np.abs(a).sum())

    def violation(self, a: npt.ArrayLike) -> float:
        """Return by how much ``a >= 0`` misses the conditions of the optimum (Karush, Kuhn & Tucker), at worst.

        With ``c = D'(x - D a) - lambda`` they say ``c = 0`` where ``a > 0``, and ``c <= 0`` elsewhere.
        """
        a = np.asarray(a, np.float64)
        c = self.dictionary.T @ (self.signal - self.dictionary @ a) - self.penalty
        return float(np.where(a > 0, np.abs(c), np.maximum(c, 0.0)).max() + np.maximum(-a, 0.0).max())

    @property
    def setup(self) -> int:
        """Multiply-adds for the upper half of D'D and for D'x, which every method here needs before it starts."""
        m, n = self.dictionary.shape
        return m * n * (n + 1) // 2 + m * n


def closed_form(m: int = 8, n: int = 16) -> Lasso:
    """Return a problem without random numbers: ``D_ij = sin((i + 1)(j + 1))``, normalised, ``x = d_3 + d_10 / 2``."""
    d = np.sin(np.outer(np.arange(1, m + 1), np.arange(1, n + 1)))
    d = d / np.linalg.norm(d, axis=0)
    return Lasso(d, d[:, 3] + 0.5 * d[:, 10], 0.1)


def sparse_problem(m: int, n: int, *, seed: int, active: int | None = None, penalty: float = 0.1) -> Lasso:
    """Return a random problem: Gaussian columns, normalised; a signal of ``active`` of them.

    Parameters
    ----------
    m, n : int
        Length of the signal, elements of the dictionary.
    seed : int
        Of numpy's default generator.
    active : int, optional
        Elements in the signal, with weights uniform in [0.5, 1]; default ``m // 8``, at least 2.
    penalty : float
        lambda.

    Raises
    ------
    ConfigurationError
        If a size is below 1, or ``active`` is above n.
    """
    k = max(2, m // 8) if active is None else active
    if m < 1 or n < 1 or not 1 <= k <= n:
        raise ConfigurationError(f"sparse_problem: {m} x {n} with {k} active elements is no problem; 1 <= active <= n")
    rng = np.random.default_rng(seed)
    d = rng.standard_normal((m, n))
    d = d / np.linalg.norm(d, axis=0)
    chosen = rng.choice(n, k, replace=False)
    return Lasso(d, d[:, chosen] @ rng.uniform(0.5, 1.0, k), penalty)


def coordinate_descent(problem: Lasso) -> Iterator[Step]:
    """Yield the coefficients after each sweep over all coordinates, without end (Friedman et al. 2007).

    ``c = D'x - G a`` is kept up to date: a coordinate that changes costs n multiply-adds, one that stays costs none.
    """
    gram = problem.dictionary.T @ problem.dictionary
    c, n, work = problem.dictionary.T @ problem.signal, len(gram), 0
    a = np.zeros(n)
    while True:
        for i in range(n):
            change = max(0.0, a[i] + (c[i] - problem.penalty) / gram[i, i]) - a[i]
            if change:
                a[i] += change
                c -= change * gram[i]
                work += n
        yield a.copy(), work


def fista(problem: Lasso) -> Iterator[Step]:
    """Yield the coefficients after each step of accelerated proximal gradient descent, without end.

    Beck & Teboulle (2009), with ``a >= 0``; n^2 + n multiply-adds per step. Its step length needs the largest
    eigenvalue of G, which is not counted.
    """
    gram = problem.dictionary.T @ problem.dictionary
    b, n = problem.dictionary.T @ problem.signal - problem.penalty, len(gram)
    step, t = 1.0 / float(np.linalg.eigvalsh(gram)[-1]), 1.0
    a = ahead = np.zeros(n)
    for k in itertools.count(1):
        new = np.maximum(ahead + step * (b - gram @ ahead), 0.0)
        later = (1.0 + math.sqrt(1.0 + 4.0 * t * t)) / 2.0
        ahead = new + (t - 1.0) / later * (new - a)
        a, t = new, later
        yield a.copy(), k * (n * n + n)


def solve(problem: Lasso, tolerance: float = 1e-12) -> Reals:
    """Return the optimum by coordinate descent, exact to a violation of the conditions of ``tolerance``.

    Raises
    ------
    ConfigurationError
        If 100 000 sweeps do not get there.
    """
    for a, _ in itertools.islice(coordinate_descent(problem), 100_000):
        if problem.violation(a) <= tolerance:
            return a
    raise ConfigurationError(f"solve: 100000 sweeps do not reach tolerance = {tolerance:g}; ask for less")


def work_to(steps: Iterator[Step], target: Reals, error: float) -> int:
    """Return the multiply-adds after which no coefficient is further than ``error`` from ``target``.

    Raises
    ------
    ConfigurationError
        If 100 000 steps do not get there.
    """
    for a, work in itertools.islice(steps, 100_000):
        if np.abs(a - target).max() <= error:
            return work
    raise ConfigurationError(f"work_to: 100000 steps do not reach error = {error:g}; ask for less")
