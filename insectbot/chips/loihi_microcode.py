"""Learning rules as Loihi's engine has them: sums of products over traces, weight and tag, as data.

``z += sum of mantissa * 2^exponent * dependency * prod(V + C)`` for the weight and the tag of a synapse (Davies et al.
2018; widths and shifts as in Lava's learning constants). Widths are in the datasheet, the arithmetic in
``loihi_replay.py``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from insectbot.chips import cuba_learn as k
from insectbot.errors import ConfigurationError

FACTORS = {"x1": k.X1, "x2": k.X2, "y1": k.Y1, "y2": k.Y2, "y3": k.Y3, "w": k.WEIGHT, "t": k.TAG, "c": k.CONSTANT}
TARGETS = {"w": k.TO_WEIGHT, "t": k.TO_TAG}
ROUNDINGS = {"stochastic": k.STOCHASTIC, "nearest": k.NEAREST, "floor": k.FLOOR}
TRACES = ("x1", "x2", "y1", "y2", "y3")
_DEPENDENCIES = {"x0": k.DEP_X, "y0": k.DEP_Y, "reward": k.DEP_REWARD, "noise": k.DEP_NOISE}
MOST_EPOCH, MOST_U, EXPONENTS = 63, 9, (-8, 7)
MANTISSAS = (-(1 << (k.MANTISSA_BITS - 1)), (1 << (k.MANTISSA_BITS - 1)) - 1)


@dataclass(frozen=True)
class Trace:
    """A 7-bit trace of a neuron, 0..127.

    Attributes
    ----------
    impulse : float
        Added per spike, 0..127, in steps of 1/256; the fraction is rounded as the rule says.
    tau : float
        Time constant of the decay [ticks]; infinity for a register that only the host changes.
    """

    impulse: float = 0.0
    tau: float = math.inf

    def __post_init__(self) -> None:
        if not 0 <= self.impulse <= k.TRACE_MAX or not self.tau > 0:
            raise ConfigurationError(
                f"loihi trace: impulse = {self.impulse} must lie in 0..{k.TRACE_MAX}, tau = {self.tau} above 0"
            )

    @property
    def registers(self) -> tuple[int, int]:
        """Impulse with 8 fractional bits, and the decay of 2^16 per tick."""
        return round(self.impulse * (1 << k.IMPULSE_BITS)), round(math.exp(-1 / self.tau) * k.KEEP_ONE)


@dataclass(frozen=True)
class Product:
    """One product of the microcode.

    Attributes
    ----------
    target : {"w", "t"}
        What it changes: weight or tag.
    dependency : str
        When it acts: ``"x0"`` or ``"y0"`` (once per epoch in which the neuron spiked, with the traces of its last
        spike), ``"u0"`` to ``"u9"`` (every 2^k epochs, traces at their end), ``"reward"`` or ``"noise"`` (a pass that
        the host starts).
    mantissa : int
        4 bits signed: -8..7.
    exponent : int
        -8..7; the product is shifted after it has been brought to the width of the accumulator.
    factors : tuple of (str, int)
        Up to three (variable, added constant): ``x1 x2 y1 y2 y3 w t``, or ``c`` for a constant alone.
    """

    target: str
    dependency: str
    mantissa: int
    exponent: int
    factors: tuple[tuple[str, int], ...] = ()

    def __post_init__(self) -> None:
        low, high = MANTISSAS
        lowest, highest = EXPONENTS
        known = self.dependency in (*_DEPENDENCIES, *(f"u{n}" for n in range(MOST_U + 1)))
        bad = next((f"factor {name!r}" for name, _ in self.factors if name not in FACTORS), "")
        bad = bad or next((f"constant {c} (-128..127)" for _, c in self.factors if not -128 <= c <= 127), "")
        bad = bad or ("" if self.target in TARGETS else f"target {self.target!r}")
        bad = bad or ("" if known else f"dependency {self.dependency!r}")
        bad = bad or ("" if low <= self.mantissa <= high else f"mantissa {self.mantissa} ({low}..{high})")
        bad = bad or ("" if lowest <= self.exponent <= highest else f"exponent {self.exponent} ({lowest}..{highest})")
        bad = bad or ("" if len(self.factors) <= k.MOST_FACTORS else f"{len(self.factors)} factors (at most 3)")
        if bad:
            raise ConfigurationError(f"loihi product: {bad} does not exist in the microcode")

    @property
    def shift(self) -> int:
        """Bits that the product is shifted right to fit the accumulator."""
        width = k.MANTISSA_BITS + sum(_width(FACTORS[name]) for name, _ in self.factors)
        return max(0, width - k.ACCUMULATOR_BITS)

    @property
    def row(self) -> list[int]:
        """The product as the kernel reads it."""
        every = 1 << int(self.dependency[1:]) if self.dependency[0] == "u" else 1
        row = [TARGETS[self.target], _DEPENDENCIES.get(self.dependency, k.DEP_U), every, self.mantissa, self.exponent]
        row += [self.shift, len(self.factors), *(number for name, c in self.factors for number in (FACTORS[name], c))]
        return row + [0] * (k.N_PRODUCT - len(row))

    def __str__(self) -> str:
        parts = [name if not c else (str(c) if name == "c" else f"({name}{c:+d})") for name, c in self.factors]
        return f"d{self.target} += {self.mantissa}*2^{self.exponent}*{'*'.join([self.dependency, *parts])}"


def _width(code: int) -> int:
    return k.TRACE_BITS if code < k.WEIGHT else (k.CONSTANT_BITS if code == k.CONSTANT else k.SYNAPSE_BITS)


@dataclass(frozen=True)
class Microcode:
    """A learning rule of one projection.

    Attributes
    ----------
    products : tuple of Product
        In the order in which they are added (the accumulator saturates after each).
    traces : dict of str to Trace
        Of ``x1 x2 y1 y2 y3``; others stay 0.
    t_epoch : int
        Ticks per learning epoch, 1..63.
    rounding : {"stochastic", "nearest", "floor"}
        Of trace decay, impulses, weights and tags.
    nearest : bool
        Whether traces saturate on purpose (nearest-neighbour pairing), so that this is no soft failure.
    """

    products: tuple[Product, ...]
    traces: dict[str, Trace] = field(default_factory=dict)
    t_epoch: int = 1
    rounding: str = "stochastic"
    nearest: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.t_epoch <= MOST_EPOCH:
            raise ConfigurationError(f"loihi learning: t_epoch = {self.t_epoch} must lie in 1..{MOST_EPOCH}")
        if self.rounding not in ROUNDINGS:
            raise ConfigurationError(
                f"loihi learning: rounding = {self.rounding!r} must be one of {', '.join(ROUNDINGS)}"
            )
        unknown = sorted(set(self.traces) - set(TRACES))
        if unknown:
            raise ConfigurationError(f"loihi learning: trace {unknown[0]!r} must be one of {', '.join(TRACES)}")

    @property
    def table(self) -> npt.NDArray[np.int64]:
        """Products as the kernel reads them."""
        return np.array([p.row for p in self.products], np.int64).reshape(-1, k.N_PRODUCT)

    @property
    def parameters(self) -> npt.NDArray[np.int64]:
        """Traces, epoch and rounding as the kernel reads them; the columns of the projection are 0."""
        out = np.zeros(k.N_PARAMETERS, np.int64)
        for j, name in enumerate(TRACES):
            out[j], out[5 + j] = self.traces.get(name, Trace()).registers
        out[k.P_EPOCH], out[k.P_ROUND] = self.t_epoch, ROUNDINGS[self.rounding]
        out[k.P_NEAREST], out[k.P_EXPLORER] = self.nearest, -1
        needed = {FACTORS[name] for product in self.products for name, _ in product.factors}
        out[k.P_NEEDS] = sum(1 << code for code in needed if code < k.WEIGHT)
        return out
