"""The central complex as rates: the path integrator of the bee brain of Stone et al. (2017).

A compass ring (TL2, CL1, TB1) and speed neurons (TN2) charge a memory of columns (CPU4); memory, its opposite column
(pontine) and compass meet in CPU1, whose left and right halves steer. Wiring and constants are those of the paper's
model with pontine neurons, from its methods and published program (equations and numbers only).
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from insectbot.controllers.baselines import Action, Baseline
from insectbot.errors import ConfigurationError

Reals = npt.NDArray[np.float64]

N_COLUMNS: Final = 8
PREFERRED: Final[Reals] = 2.0 * np.pi * np.arange(N_COLUMNS) / N_COLUMNS
"""Preferred headings of the columns [rad]."""
TB1_INHIBITION: Final[Reals] = (1.0 - np.cos(PREFERRED[:, None] - PREFERRED[None, :])) / 2.0
"""Inhibition between TB1 neurons: none from the same column, full from the opposite one."""

CPU1_TB1: Final = np.array((1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7, 0))
"""Column of the TB1 neuron that inhibits each CPU1 neuron: 0 to 6 and 15 turn left, 7 to 14 right."""
CPU1_CPU4: Final = np.array((8, 9, 10, 11, 12, 13, 14, 1, 2, 3, 4, 5, 6, 7, 0, 15))
"""Memory neuron that excites each CPU1 neuron: to steer left, the memory of right flow, one column on."""
CPU1_PONTINE: Final = np.array((12, 13, 14, 15, 8, 9, 10, 5, 6, 7, 0, 1, 2, 3, 4, 11))
"""Pontine neuron that inhibits each CPU1 neuron: that of the opposite column."""
CPU1_SIDE: Final = np.array((1.0,) * 7 + (-1.0,) * 8 + (1.0,))
"""1 where a CPU1 neuron turns to the left, -1 to the right."""

SIGMOIDS: Final = {
    "TL2": (6.8, 3.0),
    "CL1": (3.0, -0.5),
    "TB1": (5.0, 0.0),
    "CPU4": (5.0, 2.5),
    "pontine": (5.0, 2.5),
    "CPU1": (7.5, -1.0),
}
"""Slope and bias of ``1 / (1 + exp(bias - slope x))`` by cell type."""
CL1_SHARE: Final = 0.667
MEMORY_LEAK: Final = 0.125
MOTOR_GAIN: Final = 0.25
"""Turn [rad] per summed difference of the CPU1 rates."""


def sigmoid(cells: str, x: npt.ArrayLike) -> Reals:
    """Return the rate of a cell type, 0 to 1, for its input."""
    slope, bias = SIGMOIDS[cells]
    return 1.0 / (1.0 + np.exp(bias - slope * np.asarray(x, np.float64)))


def compass_drive(cosine: float, sine: float) -> Reals:
    """Return the rates of the TL2 neurons of the eight columns for a compass reading."""
    return sigmoid("TL2", cosine * np.cos(PREFERRED) + sine * np.sin(PREFERRED))


class CXRate(Baseline):
    """The rate model, without learning: it reads compass and flow and returns a turn.

    Per step: ``TL2 = f(cos(heading - preferred))``, ``CL1 = f(-TL2)``, ``TB1 = f(.667 (CL1 + CL1) - .333 W TB1)``,
    ``TN2 = flow``, memory ``m += gain ([TN2 - TB1]_+ - .125)`` within [0, 1], ``CPU4 = f(m)``, ``P = f(CPU4)``,
    ``CPU1 = f(CPU4 / 2 - P / 2 - TB1)``, turn ``.25 (left - right)``. Noise is added to every output, then it is
    clipped to [0, 1].

    Parameters
    ----------
    noise : float
        Standard deviation of the noise on every neuron, in parts of its highest rate, >= 0.
    memory_gain : float
        Gain of the memory per step, > 0.

    Raises
    ------
    ConfigurationError
        For a number out of range.

    Attributes
    ----------
    tb1, memory : ndarray of float64
        The state: rates of the ring, shape (8,), and the memory, shape (16,), the left eight first.

    Notes
    -----
    The published simulation draws the noise of the pontine neurons twice, for CPU1a and for CPU1b; so does this.
    """

    def __init__(self, noise: float = 0.1, memory_gain: float = 0.0025) -> None:
        for name, value, good in (("noise", noise, noise >= 0.0), ("memory_gain", memory_gain, memory_gain > 0.0)):
            if not good:
                raise ConfigurationError(
                    f"cx-rate: {name} = {value}, must be {'at least' if name == 'noise' else 'above'} 0"
                )
        self.noise, self.memory_gain = noise, memory_gain
        self.tb1, self.memory = np.zeros(N_COLUMNS), np.full(2 * N_COLUMNS, 0.5)
        self._rng = np.random.default_rng(0)

    def reset(self, seed: int) -> None:
        """Start an episode in the nest: the ring silent, the memory at 0.5."""
        self.tb1, self.memory = np.zeros(N_COLUMNS), np.full(2 * N_COLUMNS, 0.5)
        self._rng = np.random.default_rng(seed)

    def _noisy(self, rates: Reals) -> Reals:
        if self.noise > 0.0:
            rates = rates + self.noise * self._rng.standard_normal(rates.shape)
        return np.clip(rates, 0.0, 1.0)

    def act(self, observation: npt.ArrayLike) -> Action:
        """Return the turn of the next step [rad]."""
        cosine, sine, *flow = np.asarray(observation, np.float64)[:4].tolist()
        tl2 = self._noisy(np.tile(compass_drive(cosine, sine), 2))
        cl1 = self._noisy(sigmoid("CL1", -tl2))
        drive = CL1_SHARE * (cl1[:N_COLUMNS] + cl1[N_COLUMNS:]) - (1.0 - CL1_SHARE) * TB1_INHIBITION @ self.tb1
        self.tb1 = self._noisy(sigmoid("TB1", drive))
        tn2 = self._noisy(np.array(flow))
        charge = np.clip(np.repeat(tn2, N_COLUMNS) - np.tile(self.tb1, 2), 0.0, 1.0)
        self.memory = np.clip(self.memory + self.memory_gain * (charge - MEMORY_LEAK), 0.0, 1.0)
        return np.array([np.clip(self._steer(), -1.0, 1.0)], np.float32)

    def _steer(self) -> float:
        """Return the turn that memory and compass ask for [rad]."""
        cpu4 = self._noisy(sigmoid("CPU4", self.memory))
        opposite = self._noisy(sigmoid("pontine", cpu4[CPU1_PONTINE]))
        cpu1 = self._noisy(sigmoid("CPU1", 0.5 * cpu4[CPU1_CPU4] - 0.5 * opposite - self.tb1[CPU1_TB1]))
        return MOTOR_GAIN * float(CPU1_SIDE @ cpu1)


def cx_rate(noise: float = 0.1, memory_gain: float = 0.0025) -> CXRate:
    """Return the rate model of the central complex (see :class:`CXRate`)."""
    return CXRate(noise, memory_gain)
