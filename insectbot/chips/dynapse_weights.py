"""Weights of DYNAP-SE: 4-bit masks that choose among four currents of a core (SE2), or repeated CAM words (SE1)."""

from __future__ import annotations

import numpy as np

from insectbot.chips.analog_wiring import Floats, Vector

MASKS = 16
BITS = np.array([[mask >> bit & 1 for bit in range(4)] for mask in range(MASKS)], np.float64)
_ROUNDS = 25


def masks(wanted: Floats, base: Floats) -> Vector:
    """Return the mask whose sum of base currents is nearest to every wanted current."""
    return np.argmin(np.abs(np.abs(wanted)[:, None] - (BITS @ base)[None, :]), axis=1).astype(np.int64)


def fit_base(wanted: Floats, bits: int = 4) -> Floats:
    """Return four currents whose subset sums come nearest to the wanted ones, by least squares, shape (4,).

    Starts from a binary scale and from the most frequent quantiles; in turn takes the nearest masks and solves for the
    currents; keeps the best. With fewer ``bits`` the other currents are 0.
    """
    size = np.abs(wanted)
    top = float(size.max(initial=0.0))
    if top == 0.0:
        return np.zeros(4)
    starts = [top * 2.0 ** np.arange(bits) / (2.0**bits - 1.0), np.quantile(size, np.linspace(0.1, 1.0, bits)) / 1.5]
    best, least = np.zeros(4), np.inf
    for start in starts:
        base = np.zeros(4)
        base[:bits] = start
        for _ in range(_ROUNDS):
            error = float(((BITS[masks(size, base)] @ base - size) ** 2).sum())
            if error < least:
                best, least = base.copy(), error
            chosen = BITS[masks(size, base)][:, :bits]
            solved = np.maximum(np.linalg.lstsq(chosen, size, rcond=None)[0], 0.0)
            unused = ~chosen.any(axis=0)
            solved[unused] = base[:bits][unused]
            if np.allclose(solved, base[:bits], rtol=1e-12, atol=0.0):
                break
            base[:bits] = solved
    return best


def multiplicities(wanted: Floats, target: Vector, words: int) -> tuple[float, Vector]:
    """Return (current per CAM word, words of every synapse): the finest with at most ``words`` per neuron."""
    size = np.abs(wanted)
    top = float(size.max(initial=0.0))
    if top == 0.0:
        return 1.0, np.zeros(size.size, np.int64)
    for most in range(words, 0, -1):
        count = np.rint(size / top * most).astype(np.int64)
        if int(np.bincount(target, count).max()) <= words:
            return top / most, count
    return top, np.rint(size / top).astype(np.int64)
