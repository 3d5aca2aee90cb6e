"""Filling cores in order: as many items on each as its resources allow."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt


class Unfit(Exception):
    """An item that does not fit on a core of its own: which, on which core, and why."""

    def __init__(self, item: int, core: int, cause: str) -> None:
        super().__init__(cause)
        self.item, self.core, self.cause = item, core, cause


class Filled:
    """Base of the placements: core c holds neurons ``start[c]`` to ``start[c + 1]``."""

    start: npt.NDArray[np.int64]

    @property
    def n_cores(self) -> int:
        """Number of cores that hold neurons."""
        return self.start.size - 1

    def core_of(self, neurons: npt.NDArray[np.integer]) -> npt.NDArray[np.int64]:
        """Return the core of neurons (numbers without inputs)."""
        return np.searchsorted(self.start, neurons, side="right").astype(np.int64) - 1


def fill(n: int, cap: int, excess: Callable[[int, int], str]) -> npt.NDArray[np.int64]:
    """Return the first item of every core, and n: core c holds items ``start[c]`` to ``start[c + 1]``.

    Parameters
    ----------
    n : int
        Number of items, such as neurons.
    cap : int
        Most items per core.
    excess : callable
        (low, high) -> what items low to high need too much of on one core, as text; empty if they fit. What does not
        fit must not fit with more items either.

    Raises
    ------
    Unfit
        If one item alone does not fit.
    """
    start = [0]
    while start[-1] < n:
        low, full = start[-1], min(start[-1] + cap, n)
        good, bad = low, full + 1
        while bad - good > 1:
            # A whole core first: most are limited by the cap alone.
            middle = full if good == low and bad == full + 1 else (good + bad) // 2
            if excess(low, middle):
                bad = middle
            else:
                good = middle
        if good == low:
            raise Unfit(low, len(start) - 1, excess(low, low + 1))
        start.append(good)
    return np.array(start, np.int64)
