"""Pair STDP as the device does it: the window is that of the junction, a rule chooses voltages and the scale of time.

How a :class:`~insectbot.snn.plasticity.PairSTDP` is mapped. Of a window (the change by one pair, by delay) two numbers
are taken, for each sign: its area, and its mean delay. A rule's exponential has area ``a tau`` and mean delay tau. The
device's are those of one pair from s = 1/2, as a fraction of the range [w_min, w_max]. They grow with the voltage where
the spikes overlap, which is the front on one line plus the back on the other: ``A_plus`` (post front, pre back) for
potentiation, ``A_minus`` (pre front, post back) for depression, each split evenly. So

- ``time_scale`` [ns of the device per ms], one for the chip, makes the mean delay ``tau_plus`` of the first rule;
- ``A_plus`` and ``A_minus`` make the areas those of the rule;
- ``tau_minus``, and the time constants of further rules, must lie within ``learning.tolerance`` of what results.

Not taken from the rule: the shape of the window, the dependence on the weight (soft bounds of the device stand for
``mu_plus`` and ``mu_minus``), and the pairing (a new spike restarts the shape on its line: the nearest one counts).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from insectbot.chips.datasheet import Datasheet
from insectbot.chips.ftj_replay import Junction, Shape, stdp_window
from insectbot.snn.network import Network
from insectbot.snn.plasticity import PairSTDP
from insectbot.snn.projection import Projection

_SPACING = 5.0
"""Spacing of the delays at which a window is measured [ns]."""
_HALVINGS = 40


@cache
def window_of(junction: Junction, shape: Shape, sign: int, amplitude: float) -> tuple[float, float]:
    """Return (area [ns], mean delay [ns]) of a junction's window from s = 1/2, in magnitudes and parts of the range.

    Parameters
    ----------
    junction, shape : Junction, Shape
        The device, and the times of a spike.
    sign : int
        +1 for potentiation, -1 for depression.
    amplitude : float
        Front of one line plus back of the other [V].
    """
    delays = np.arange(_SPACING / 2, shape.length, _SPACING)
    change = np.abs(
        stdp_window(sign * delays, junction=junction, shape=shape.pair(amplitude / 2, amplitude / 2))
    ) / (junction.g_on - junction.g_off)  # fmt: skip
    area = float(change.sum()) * _SPACING
    return area, float(change @ delays) * _SPACING / area if area else 0.0


@dataclass(frozen=True)
class Range:
    """Voltages that the overlap of two spikes may have, of one sign: from ``low`` to ``high`` [V]."""

    sign: int
    low: float
    high: float


def ranges(sheet: Datasheet) -> tuple[Range, Range]:
    """Return the voltages of potentiation and depression: two spikes together switch, one alone does not."""
    j, margin = Junction.of(sheet), float(sheet["learning.margin"].value)
    over = 1.0 + float(sheet["learning.overdrive"].value)
    low, high = (j.v_plus, j.v_minus), 2.0 * (1.0 - margin)
    return Range(1, low[0] * over, low[0] * high), Range(-1, low[1] * over, low[1] * high)


@dataclass(frozen=True)
class Drive:
    """What the lines of a plastic projection are driven with.

    Attributes
    ----------
    pre, post : Shape
        Shape of a spike on its word lines, and on its columns.
    tau_plus, tau_minus : float
        Mean delays of the two sides of the window [ms of the network]; 0 for a side that is off.
    """

    pre: Shape
    post: Shape
    tau_plus: float
    tau_minus: float


@dataclass(frozen=True, eq=False)
class Translation:
    """The learning of a network in the device's terms.

    Attributes
    ----------
    drives : dict of str to Drive
        Plastic projection -> its shapes; those that are refused are not in it.
    time_scale : float
        Device time per network time [ns/ms].
    refused : tuple of str
        What the device cannot do, one phrase each.
    """

    drives: dict[str, Drive]
    time_scale: float
    refused: tuple[str, ...]


class _CannotSay(Exception):
    pass


def translate(network: Network, sheet: Datasheet, time_scale: float | None) -> Translation:
    """Translate the learning rules of a network.

    Parameters
    ----------
    network : Network
        The network.
    sheet : Datasheet
        Of the chip.
    time_scale : float, optional
        Device time per network time [ns/ms]; default what the first rule asks for.
    """
    refused = [f"exploration noise of {p.name!r}" for p in network.populations if p.exploration]
    drives: dict[str, Drive] = {}
    for q in network.plastic():
        rule = q.plasticity
        if not isinstance(rule, PairSTDP):
            refused.append(f"{type(rule).__name__} of {q.name!r}")
            continue
        try:
            scale = _time_scale(q, rule, sheet) if time_scale is None else time_scale
            drives[q.name] = _drive(q, rule, sheet, scale, network.dt)
            time_scale = scale
        except _CannotSay as error:
            refused.append(f"PairSTDP of {q.name!r}: {error}")
    default = float(sheet["learning.time_scale"].value)
    return Translation(drives, default if time_scale is None else time_scale, tuple(refused))


def _sides(rule: PairSTDP, sheet: Datasheet) -> Iterable[tuple[str, float, float, Range]]:
    """Yield (name, amplitude as a fraction of the range, tau [ms], voltages) of both sides of a rule."""
    plus, minus = ranges(sheet)
    span = rule.w_max - rule.w_min
    yield "plus", rule.a_plus / span, rule.tau_plus, plus
    yield "minus", rule.a_minus / span, rule.tau_minus, minus


def _solve(q: Projection, name: str, wanted: float, side: Range, sheet: Datasheet, mean: bool) -> float:
    """Return the voltage at which a window has the area (over its mean delay, if ``mean``) that is wanted."""
    junction, shape = Junction.of(sheet), Shape.of(sheet)

    def size(amplitude: float) -> float:
        area, delay = window_of(junction, shape, side.sign, amplitude)
        return area / delay if mean else area

    low, high = side.low, side.high
    if not size(low) <= wanted <= size(high):
        what = f"a_{name} = {wanted:.3g}" if mean else f"a_{name} tau_{name} = {wanted:.3g} ns"
        raise _CannotSay(
            f"{what} of its range must lie in {size(low):.3g} to {size(high):.3g}, what spikes of "
            f"{low / 2:.3g} to {high / 2:.3g} V give"
        )
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if size(middle) < wanted else (low, middle)
    return 0.5 * (low + high)


def _time_scale(q: Projection, rule: PairSTDP, sheet: Datasheet) -> float:
    """Return the time scale at which the first side that is on has its mean delay at the rule's time constant."""
    junction, shape = Junction.of(sheet), Shape.of(sheet)
    for name, amplitude, tau, side in _sides(rule, sheet):
        if amplitude > 0:
            return window_of(junction, shape, side.sign, _solve(q, name, amplitude, side, sheet, True))[1] / tau
    return float(sheet["learning.time_scale"].value)


def _drive(q: Projection, rule: PairSTDP, sheet: Datasheet, scale: float, dt: float) -> Drive:
    junction, shape = Junction.of(sheet), Shape.of(sheet)
    tolerance, longest = float(sheet["learning.tolerance"].value), float(sheet["learning.tick_max"].value)
    if scale * dt > longest:
        raise _CannotSay(f"a tick lasts {scale * dt:.3g} ns on the device, longer than {longest:g}; use a smaller dt")
    volts, taus = [], []
    for name, amplitude, tau, side in _sides(rule, sheet):
        if amplitude < 0:
            raise _CannotSay(f"a_{name} = {getattr(rule, f'a_{name}')} is negative, and the window is Hebbian")
        if amplitude == 0:
            volts.append(0.0)
            taus.append(0.0)
            continue
        volts.append(_solve(q, name, amplitude * tau * scale, side, sheet, False))
        taus.append(window_of(junction, shape, side.sign, volts[-1])[1] / scale)
        if abs(taus[-1] / tau - 1.0) > tolerance:
            raise _CannotSay(
                f"tau_{name} = {tau:g} ms, but the device's window is {taus[-1]:.3g} ms wide at {scale:.3g} ns/ms; use "
                f"about that, or time_scale = {scale * taus[-1] / tau:.3g}"
            )
    plus, minus = volts[0] / 2, volts[1] / 2
    return Drive(shape.pair(minus, plus), shape.pair(plus, minus), taus[0], taus[1])


def shapes(drives: Iterable[Drive]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return the shapes of word lines and columns as the kernel takes them, shape (n_drives, 4) each."""
    pairs = [(x.pre.array, x.post.array) for x in drives]
    return np.array([p for p, _ in pairs]).reshape(-1, 4), np.array([p for _, p in pairs]).reshape(-1, 4)
