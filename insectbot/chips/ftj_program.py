"""What programming the array writes: junctions of one die, set to conductances, and what the writing costs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from insectbot.chips import nls_device as d
from insectbot.chips.adex_analog import jitter
from insectbot.chips.analog_wiring import Floats
from insectbot.chips.datasheet import Datasheet
from insectbot.chips.die import Die
from insectbot.chips.ftj_quantise import Lines, Target
from insectbot.chips.ftj_replay import Junction
from insectbot.jit import kernel
from insectbot.randomness import draw

_POINTS = 65
"""Points of a pulse at which its energy is integrated."""
_LEVELS = 257
"""ON fractions whose pulses are computed; those of others are interpolated."""


@kernel(error_model="numpy")
def write_errors(key: Any, junction: Any, bits: Any, out: Any) -> None:
    """Fill ``out`` with standard errors: a function of the key, the junction and the 32 bits of what is written."""
    for k in range(out.size):
        out[k] = jitter(draw(key, bits[k], junction[k]))


@dataclass(frozen=True)
class Written:
    """What programming some projections did.

    Attributes
    ----------
    junctions : int
        Junctions written.
    out_of_range : int
        Of these, junctions that do not reach their conductance to within the usual error of a write.
    energy : float
        Energy of the pulses, G V^2 over time [J].
    time : float
        Time, one word line after the other, each for its longest pulses [s].
    """

    junctions: int = 0
    out_of_range: int = 0
    energy: float = 0.0
    time: float = 0.0

    def __add__(self, other: Written) -> Written:
        """Return the sum of two acts of programming."""
        return Written(
            self.junctions + other.junctions,
            self.out_of_range + other.out_of_range,
            self.energy + other.energy,
            self.time + other.time,
        )


def pulse_cost(s: npt.ArrayLike, junction: Junction, volts: float, s_from: float) -> tuple[Floats, Floats]:
    """Return (energy [fJ], time [ns]) of erasing to nothing from ``s_from`` and of setting to ``s``, one entry each.

    Both pulses have ``volts``; the duration follows from the switching law, and the energy is the integral of G V^2.
    """
    goals = np.asarray(s, np.float64)
    total_energy, total_time = np.zeros(goals.shape), np.zeros(goals.shape)
    spread = junction.gamma / volts**2
    # Erasing starts at s_from and ends where setting to s_from would start, at 1 - s_from.
    for x0, x1, v_a, sign in (
        (1.0 - s_from, np.full(goals.shape, s_from), junction.a_minus, -1),
        (d.S_MIN, goals, junction.a_plus, 1),
    ):
        m = np.log10(junction.tau_inf) + v_a / volts * d.LOG10_E
        start, end = (10.0 ** (m + spread * np.tan(np.pi * (np.asarray(x) - 0.5))) for x in (x0, x1))
        time = np.maximum(end - start, 0.0)
        at = start + np.linspace(0.0, 1.0, _POINTS).reshape(-1, *[1] * goals.ndim) * time
        with np.errstate(divide="ignore"):
            x = 0.5 + np.arctan((np.log10(at) - m) / spread) / np.pi
        on = x if sign > 0 else 1.0 - x
        g = on * junction.g_on + (1.0 - on) * junction.g_off
        total_energy += 0.5 * (g[1:] + g[:-1]).mean(axis=0) * time * volts**2
        total_time += time
    return total_energy, total_time


class Junctions:
    """All junctions of one die: two per synapse, of which a plastic synapse uses the first.

    Parameters
    ----------
    sheet : Datasheet
        Junctions, and how they are written.
    die : Die
        Mismatch.
    lines : Lines
        Where synapses are.
    key : int
        Key of the errors of writing.
    noise : float
        Factor of these errors, >= 0.
    verify : bool
        Whether every write is read back and repeated until it is right to within the error; else the pulse that suits
        a nominal junction is trusted.

    Attributes
    ----------
    g : ndarray of float64, shape (2, n_synapses)
        Conductances, and the host's reference of a plastic synapse [uS].
    """

    def __init__(self, sheet: Datasheet, die: Die, lines: Lines, key: int, noise: float, verify: bool) -> None:
        self.nominal, self.lines, self.verify = Junction.of(sheet), lines, verify
        n = lines.column.size
        self.g_on = self.nominal.g_on * die.factors("g_on", 2 * n).reshape(2, n)
        self.g_off = self.nominal.g_off * die.factors("g_off", 2 * n).reshape(2, n)
        self.g = np.zeros((2, n))
        self._die, self._tolerance = die, float(sheet["write.noise"].value)
        self._noise = noise * self._tolerance
        self._key = np.uint64(key)
        self._s = float(sheet["write.s_low"].value), float(sheet["write.s_high"].value)
        self._levels = np.linspace(self._s[0], self._s[1], _LEVELS)
        self._cost = pulse_cost(self._levels, self.nominal, float(sheet["write.voltage"].value), self._s[1])

    def parameters(self, at: npt.NDArray[np.int64]) -> Floats:
        """Return the parameters of plastic junctions as the kernel takes them, shape (8, n)."""
        n, found = self.lines.column.size, self.nominal.columns(at.size)
        for row, name in ((d.V_PLUS, "v_plus"), (d.V_MINUS, "v_minus")):
            found[row] *= self._die.factors(name, n)[at]
        found[[d.A_PLUS, d.A_MINUS]] *= self._die.factors("activation", n)[at]
        found[d.G_ON], found[d.G_OFF] = self.g_on[0, at], self.g_off[0, at]
        return found

    def write(self, names: Iterable[str], targets: dict[str, Target]) -> Written:
        """Program projections; returns what it cost."""
        done = Written()
        for name in names:
            target, at = targets[name], self.lines.index[name]
            for side in (0,) if target.plastic else (0, 1):
                done += self._write(side, at, target.conductance[side])
            if target.plastic:
                self.g[1, at] = target.conductance[1]
        return done

    def on_fraction(self, at: npt.NDArray[np.int64]) -> Floats:
        """Return s of the first junctions of synapses."""
        on, off = self.g_on[0, at], self.g_off[0, at]
        return np.clip((self.g[0, at] - off) / (on - off), d.S_MIN, 1.0 - d.S_MIN)

    def _write(self, side: int, at: npt.NDArray[np.int64], wanted: Floats) -> Written:
        z = np.zeros(at.size)
        write_errors(self._key, 2 * at + side, wanted.astype(np.float32).view(np.uint32), z)
        on, off, (low, high) = self.g_on[side, at], self.g_off[side, at], self._s
        span = self.nominal.g_on - self.nominal.g_off
        s = (wanted - off) / (on - off) if self.verify else (wanted - self.nominal.g_off) / span
        reached = np.clip(s, low, high)
        error = self._noise * z * (span / (on - off) if self.verify else 1.0)
        s_real = np.clip(reached + error, low, high)
        self.g[side, at] = off + s_real * (on - off)
        energy, time = (np.interp(s_real, self._levels, cost) for cost in self._cost)
        line = np.searchsorted(self.lines.first, at, side="right") - 1
        longest = np.zeros(self.lines.first.size)
        np.maximum.at(longest, line, time)
        miss = int((np.abs(s - reached) * (on - off) > self._tolerance * span).sum())
        return Written(at.size, miss, float(energy.sum()) * 1e-15, float(longest.sum()) * 1e-9)
