"""Unsupervised learning on the array, after Boyn et al. 2017, Fig. 4b: nine inputs, five outputs, three noisy patterns.

A picture of 3 x 3 pixels is shown by the order of spikes: bright pixels spike at once, dark ones :data:`LATE` ms later.
The outputs inhibit each other, so that the first to spike wins; its junctions then feel bright pixels before it and
dark ones after it. Nobody tells an output what to learn. The published figure gives sizes and outcome (three outputs
specialise, one per pattern, two stay spare); pictures, code and times here are insectbot's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from insectbot.chips.ftj import FTJArray
from insectbot.protocols import Executable
from insectbot.snn.inputs import RegularInput
from insectbot.snn.network import Input, Network, Population
from insectbot.snn.neurons import LIF
from insectbot.snn.plasticity import PairSTDP
from insectbot.snn.projection import Projection

Floats = npt.NDArray[np.float64]

PATTERNS: Floats = np.array(
    [
        [0, 0, 0, 1, 1, 1, 0, 0, 0],
        [0, 1, 0, 0, 1, 0, 0, 1, 0],
        [1, 0, 0, 0, 1, 0, 0, 0, 1],
    ],
    np.float64,
)
"""A row, a column and a diagonal, which share the pixel in the middle; shape (3, 9)."""
N_OUTPUTS = 5
LATE = 25.0
"""Time from bright to dark pixels [ms]."""
JITTER = 2.0
"""Spikes come up to this much later [ms]."""
PERIOD = 150.0
"""Time between pictures [ms]: the shapes of all spikes are over."""
_DT = 0.1
_INHIBITION = np.arange(0.1, 60.0, 3.0)


def pattern_network(seed: int, rule: PairSTDP | None = None) -> Network:
    """Return the network: nine pixels, five outputs that inhibit each other for 60 ms, 45 plastic synapses.

    Parameters
    ----------
    seed : int
        Seed of the initial weights, uniform in 0.35 to 0.65.
    rule : PairSTDP, optional
        Default 0.3 of the range per pair, for both signs, 15 ms.
    """
    weight = np.random.default_rng([seed, 0xF7]).uniform(0.35, 0.65, (N_OUTPUTS, 9))
    learning = rule or PairSTDP(a_plus=0.3, a_minus=0.3, tau_plus=15.0, tau_minus=15.0)
    post, pre = np.nonzero(1 - np.eye(N_OUTPUTS))
    n = _INHIBITION.size
    return Network(
        inputs=(Input("pixels", 9, RegularInput(1000.0 / _DT)),),
        populations=(
            Population("outputs", N_OUTPUTS, LIF(tau_m=20.0, tau_syn=5.0, v_th=0.12, v_min=0.0, t_ref=100.0)),
        ),
        projections=(
            Projection.dense("pixels", "outputs", weight, delay=_DT, plasticity=learning),
            Projection.sparse(
                "outputs",
                "outputs",
                pre=np.repeat(pre, n),
                post=np.repeat(post, n),
                weight=-10.0,
                delay=np.round(np.tile(_INHIBITION, pre.size), 1),
            ),
        ),
        outputs=("outputs",),
        dt=_DT,
        name="ftj-patterns",
    )


def show(executable: Executable, picture: npt.NDArray, rng: np.random.Generator) -> int:
    """Show a picture (1 bright, 0 dark) once; returns the output that spiked first, -1 for none."""
    jitter = rng.uniform(0.0, JITTER, picture.size)
    ticks = np.rint((np.where(picture > 0, 0.0, LATE) + jitter) / _DT).astype(int)
    winner, clock = -1, 0
    for tick in [*np.unique(ticks).tolist(), round(PERIOD / _DT)]:
        for drive, n_ticks in ((np.zeros(picture.size), tick - clock), ((ticks == tick).astype(float), 1)):
            first = executable.window(drive, n_ticks).first
            if winner < 0 and (first >= 0).any():
                winner = int(np.argmin(np.where(first >= 0, first, np.iinfo(np.int32).max)))
        clock = tick + 1
    return winner


@dataclass(frozen=True, eq=False)
class Outcome:
    """What the array learned.

    Attributes
    ----------
    before, after : ndarray, shape (5, 9)
        Weights, in 0 to 1.
    winners : tuple of int
        For each pattern the output that won most of ten showings without wrong pixels and learning; -1 for none.
    wins : tuple of float
        How often it did.
    correlation : tuple of float
        Between each pattern and the weights of its winner; 0 without one.
    energy : float
        Dissipated by writing, in all of the learning [J].
    """

    before: Floats
    after: Floats
    winners: tuple[int, ...]
    wins: tuple[float, ...]
    correlation: tuple[float, ...]
    energy: float

    @property
    def distinct(self) -> bool:
        """Whether each pattern has an output of its own."""
        return -1 not in self.winners and len(set(self.winners)) == len(self.winners)


def learn_patterns(seed: int, *, pictures: int = 90, flip: float = 0.05, learning: bool = True, **chip: Any) -> Outcome:
    """Let the array look at noisy pictures, in random order, then judge it.

    Parameters
    ----------
    seed : int
        Of the initial weights, the die, the order of the pictures and their noise.
    pictures : int
        Pictures shown.
    flip : float
        Chance that a pixel is wrong.
    learning : bool
        Whether junctions learn; False is the control.
    **chip
        Options of :class:`~insectbot.chips.ftj.FTJArray`.
    """
    rng = np.random.default_rng([seed, 0xF8])
    executable = FTJArray(**chip).compile(pattern_network(seed), seed=seed)
    before = executable.effective_weights()["pixels->outputs"]
    executable.learning = learning
    for _ in range(pictures):
        picture = PATTERNS[rng.integers(len(PATTERNS))]
        show(executable, np.where(rng.random(9) < flip, 1.0 - picture, picture), rng)
    energy = executable.array_energy()["write"]
    executable.learning = False
    after = executable.effective_weights()["pixels->outputs"]
    before, after = (w.reshape(9, N_OUTPUTS).T for w in (before, after))
    winners, wins, correlation = [], [], []
    for pattern in PATTERNS:
        seen = [show(executable, pattern, rng) for _ in range(10)]
        winners.append(max(sorted(set(seen)), key=seen.count))
        wins.append(seen.count(winners[-1]) / len(seen))
        correlation.append(float(np.corrcoef(pattern, after[winners[-1]])[0, 1]) if winners[-1] >= 0 else 0.0)
    return Outcome(before, after, tuple(winners), tuple(wins), tuple(correlation), energy)
