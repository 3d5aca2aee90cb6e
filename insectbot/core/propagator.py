"""Exact propagators of linear subthreshold systems (Rotter & Diesmann 1999): ``y(t + dt) = P y(t) + Q i``."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from insectbot.snn.model import LinearNeuron, Value
from insectbot.snn.network import Population

Matrix = npt.NDArray[np.float64]
_TERMS = 18


def expm(a: Matrix) -> Matrix:
    """Return the matrix exponential of a stack of small matrices, shape (..., k, k).

    Scaling and squaring of a Taylor series of norm <= 1/2: the error is at rounding level for the small, mostly
    triangular matrices of neurons; diagonal entries of decoupled states are exact exponentials.
    """
    norm = np.abs(a).sum(axis=-1).max() if a.size else 0.0
    squarings = max(0, int(np.ceil(np.log2(max(norm, 1e-300)))) + 1)
    x = a / 2.0**squarings
    out = np.broadcast_to(np.eye(a.shape[-1]), a.shape).copy()
    term = out.copy()
    for n in range(1, _TERMS):
        term = term @ x / n
        out += term
    for _ in range(squarings):
        out = out @ out
    return out


def couple(tau_m: float, tau_syn: float, dt: float) -> float:
    """Return P21 of a LIF with an exponential current: what a unit of ``i_syn`` adds to v in one step (R = 1).

    ``tau_syn / (tau_syn - tau_m) * (exp(-dt/tau_syn) - exp(-dt/tau_m))``; its limit where they coincide
    (models sheet A1, Rotter & Diesmann 1999).
    """
    if abs(tau_m - tau_syn) < 1e-6 * tau_m:
        return dt / tau_m * math.exp(-dt / tau_m)
    return tau_syn / (tau_syn - tau_m) * (math.exp(-dt / tau_syn) - math.exp(-dt / tau_m))


@dataclass(frozen=True)
class LinearSystem:
    """The joint system of a population and its linear receptors.

    Attributes
    ----------
    states : tuple of str
        Neuron states, then ``"<port number>.<state>"``.
    matrix : ndarray, shape (k, k) or (n, k, k)
        ``A`` [1/ms], one per neuron where a parameter is.
    gains : dict of str to Value
        State -> factor of the current that is injected into it [1/ms].
    """

    states: tuple[str, ...]
    matrix: Matrix
    gains: dict[str, Value]

    @classmethod
    def of(cls, population: Population) -> LinearSystem | None:
        """Return the joint system, or None if the model or a receptor is not linear."""
        model = population.model
        if not isinstance(model, LinearNeuron):
            return None
        entries: dict[tuple[str, str], Value] = {}
        gains: dict[str, Value] = {}
        for (to, by), value in model.system().items():
            if by == "i":
                gains[to] = value
            else:
                entries[to, by] = value
        states = list(model.states)
        for number, (_, receptor) in enumerate(population.ports):
            if not receptor.states:
                continue
            linear = receptor.linear()
            if linear is None:
                return None
            into = receptor.into or states[0]
            states += [f"{number}.{s}" for s in receptor.states]
            entries |= {(f"{number}.{to}", f"{number}.{by}"): v for (to, by), v in linear[0].items()}
            for s, weight in linear[1].items():
                entries[into, f"{number}.{s}"] = np.asarray(gains.get(into, 1.0)) * weight
        lead = (population.n,) if any(np.ndim(v) for v in entries.values()) else ()
        matrix = np.zeros((*lead, len(states), len(states)))
        for (to, by), value in entries.items():
            matrix[..., states.index(to), states.index(by)] = value
        return cls(tuple(states), matrix, gains)

    def propagate(self, dt: float) -> dict[tuple[str, str], Value]:
        """Return the nonzero entries of ``P = expm(A dt)``; values equal in all neurons become one number."""
        p = _chains(self.matrix, dt)
        return _entries(p, self.states, self.states)

    def inject(self, into: str, dt: float) -> dict[str, Value]:
        """Return what a unit of held current into a state adds to each state over ``dt``.

        The last column of the exponential of the system extended by a constant input (no inverse of A is needed).
        """
        gain = np.asarray(self.gains.get(into, 1.0))
        k = len(self.states)
        lead = np.broadcast_shapes(self.matrix.shape[:-2], gain.shape)
        extended = np.zeros((*lead, k + 1, k + 1))
        extended[..., :k, :k] = self.matrix
        extended[..., self.states.index(into), k] = gain
        p = _chains(extended, dt)[..., :k, k:]
        return {to: v for (to, _), v in _entries(p, self.states, ("i",)).items()}


def _chains(matrix: Matrix, dt: float) -> Matrix:
    """Return ``expm(matrix dt)``, with diagonal entries of triangular systems replaced by exact exponentials."""
    p = expm(matrix * dt)
    k = matrix.shape[-1]
    order = np.arange(k)
    reach = (np.abs(matrix.reshape(-1, k, k)).max(axis=0) > 0) & (order[:, None] != order)
    for _ in range(k):
        reach |= (reach.astype(int) @ reach.astype(int)) > 0
    for s in order[~np.diag(reach)]:  # a state that no loop leads back to
        p[..., s, s] = np.exp(matrix[..., s, s] * dt)
    return np.where(reach | np.eye(k, dtype=bool), p, 0.0)


def _entries(p: Matrix, rows: tuple[str, ...], columns: tuple[str, ...]) -> dict[tuple[str, str], Value]:
    out: dict[tuple[str, str], Value] = {}
    for a, to in enumerate(rows):
        for b, by in enumerate(columns):
            value = p[..., a, b]
            if np.any(value != 0.0):
                flat = np.asarray(value)
                out[to, by] = float(flat.flat[0]) if flat.ndim == 0 or (flat == flat.flat[0]).all() else flat
    return out
