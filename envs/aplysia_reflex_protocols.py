"""Protocols of the reflex experiments as lists of events, and what is computed from the responses."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt

from insectbot.envs.aplysia_reflex_kernels import best_fit

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
SIPHON, MANTLE, SHOCK = 0, 1, 2
LEARNED: Final = 0.2
"""Gain of the first stimulus from which on a share of it is worth computing."""


@dataclass
class Protocol:
    """Events in order of time.

    Attributes
    ----------
    times : list of float
        When [s].
    stimuli : list of (float, float, float)
        Touch of the siphon, touch of the mantle, shock of the tail: intensities in [0, 1].
    names : dict of str to int
        Events whose response is asked for by name.
    """

    times: list[float] = field(default_factory=list)
    stimuli: list[tuple[float, float, float]] = field(default_factory=list)
    names: dict[str, int] = field(default_factory=dict)

    def add(self, time: float, *sites: int, name: str = "") -> float:
        """Append an event that stimulates some sites; return its time."""
        if name:
            self.names[name] = len(self.times)
        self.times.append(time)
        self.stimuli.append((float(SIPHON in sites), float(MANTLE in sites), float(SHOCK in sites)))
        return time


Settings = Mapping[str, float]
Score = Callable[[Protocol, Sequence[float]], dict[str, float]]


def _touches(p: Protocol, n: int, interval: float, site: int = SIPHON) -> float:
    return [p.add(k * interval, site, name=f"touch {k + 1}") for k in range(n)][-1]


def habituation(s: Settings) -> Protocol:
    """Touch the siphon again and again."""
    p = Protocol()
    _touches(p, int(s["trials"]), s["interval"])
    return p


def recovery(s: Settings) -> Protocol:
    """Habituate, rest, touch again."""
    p = Protocol()
    p.add(_touches(p, int(s["trials"]), s["interval"]) + s["delay"], SIPHON, name="test")
    return p


def dishabituation(s: Settings) -> Protocol:
    """Habituate, shock the tail, touch again."""
    p = Protocol()
    end = _touches(p, int(s["trials"]), s["interval"])
    p.add(end + s["interval"], SHOCK)
    p.add(end + 2 * s["interval"], SIPHON, name="test")
    return p


def sensitisation(s: Settings) -> Protocol:
    """Touch once, shock, touch after a delay."""
    p = Protocol()
    p.add(0.0, SIPHON, name="touch 1")
    p.add(5 * MINUTE, SHOCK)
    p.add(5 * MINUTE + s["delay"], SIPHON, name="test")
    return p


def specificity(s: Settings) -> Protocol:
    """Touch the mantle once, habituate the siphon, touch the mantle."""
    p = Protocol()
    p.add(-1 * HOUR, MANTLE, name="before")
    p.add(_touches(p, int(s["trials"]), s["interval"]) + s["interval"], MANTLE, name="test")
    return p


def _in_order(events: Sequence[tuple[float, tuple[int, ...]]]) -> Protocol:
    """Return events in order of time; what happens at the same time is one event."""
    p = Protocol()
    together: dict[float, tuple[int, ...]] = {}
    for time, sites in events:
        together[time] = (*together.get(time, ()), *sites)
    for time in sorted(together):
        p.add(time, *together[time])
    return p


def _differential(s: Settings, extra: bool) -> Protocol:
    events: list[tuple[float, tuple[int, ...]]] = []
    for k in range(int(s["trials"])):
        start = k * s["trial_interval"]
        events += [(start, (SIPHON,)), (start + s["isi"], (SHOCK,))]
        events += [(start + 0.25 * s["trial_interval"], (SHOCK,))] if extra else []
        events += [(start + 0.5 * s["trial_interval"], (MANTLE,))]
    p = _in_order(events)
    end = p.times[-1] + s["delay"]
    p.add(end, SIPHON, name="test CS+")
    p.add(end + 10 * MINUTE, MANTLE, name="test CS-")
    return p


def conditioning(s: Settings) -> Protocol:
    """Pair siphon touch (CS+) with tail shock, mantle touch (CS-) with nothing; test after a delay."""
    return _differential(s, extra=False)


def contingency(s: Settings) -> Protocol:
    """The same pairings with one more shock, unpaired, after each of them."""
    return _differential(s, extra=True)


def _compound(s: Settings, first: bool) -> Protocol:
    events: list[tuple[float, tuple[int, ...]]] = []
    start, n = 0.0, int(s["trials"])
    for k in range(0 if first else n, 2 * n):  # the control group rests at first
        start = k * s["trial_interval"]
        events += [(start, (SIPHON,) if k < n else (SIPHON, MANTLE)), (start + s["isi"], (SHOCK,))]
    p = _in_order(events)
    p.add(start + s["delay"], MANTLE, name="test")
    p.add(start + s["delay"] + 10 * MINUTE, SIPHON, name="test first")
    return p


def blocking(s: Settings) -> Protocol:
    """Siphon and shock, then siphon with mantle and shock; test the mantle."""
    return _compound(s, first=True)


def overshadowing(s: Settings) -> Protocol:
    """The control of blocking: siphon with mantle and shock only."""
    return _compound(s, first=False)


@cache
def _declines(n: int) -> npt.NDArray[np.float64]:
    """Return ``exp(-k / n0)``, k = 0 .. n - 1, less its mean and of length 1, for 200 values of n0, shape (200, n)."""
    shapes = np.exp(-np.arange(n) / np.geomspace(0.3, 60.0, 200)[:, None])
    shapes -= shapes.mean(axis=1, keepdims=True)
    return shapes / np.sqrt((shapes**2).sum(axis=1, keepdims=True))


def exponential_fit(values: Sequence[float]) -> float:
    """Return R^2 of the best ``a + b exp(-n / n0)`` through two or more values n = 0, 1, ... (n0 scanned)."""
    y = np.array(values, float)
    y -= y.mean()
    spread = float((y**2).sum())
    return best_fit(_declines(y.size), y) / spread if spread > 0 else 1.0


def _ratio(a: float, b: float) -> float:
    return a / b if b > 0 else math.nan


def score(name: str, p: Protocol, r: Sequence[float]) -> dict[str, float]:
    """Return the numbers of a protocol from the responses to its events."""
    at = {key: r[index] for key, index in p.names.items()}
    touches = [at[key] for key in at if key.startswith("touch ")]
    if name == "habituation":
        last = at["touch 10"] if "touch 10" in at else touches[-1]
        return {"ratio": _ratio(last, touches[0]), "fit": exponential_fit(touches)}
    if name in ("recovery", "sensitisation"):
        return {"ratio": _ratio(at["test"], touches[0])}
    if name == "dishabituation":
        before, after = _ratio(touches[-1], touches[0]), _ratio(at["test"], touches[0])
        return {"ratio": after, "before": before, "gain": _ratio(after, before)}
    if name == "specificity":
        return {"ratio": _ratio(at["test"], at["before"])}
    if name in ("conditioning", "isi", "unpaired", "contingency"):
        return {"ratio": _ratio(at["test CS+"], at["test CS-"])}
    gains = at["test"] - 1.0, at["test first"] - 1.0
    share = gains[0] / gains[1] if gains[1] >= LEARNED else math.nan
    return {"ratio": at["test"], "first": at["test first"], "share": share}


@dataclass(frozen=True)
class Preset:
    """A protocol with its settings, and the range of a metric (``judged``) that counts as success."""

    build: Callable[[Settings], Protocol]
    settings: Mapping[str, float]
    low: float
    high: float
    judged: str = "ratio"


_TRIALS: Final = {"trials": 15, "interval": 30.0}
_PAIRS: Final = {"trials": 5, "isi": 0.5, "trial_interval": 5 * MINUTE, "delay": DAY}
PRESETS: Final[Mapping[str, Preset]] = {
    "habituation": Preset(habituation, _TRIALS, 0.25, 0.55),
    "recovery": Preset(recovery, {**_TRIALS, "delay": 20 * MINUTE}, 0.65, 0.9),
    "dishabituation": Preset(dishabituation, _TRIALS, 0.5, 1.1),
    "sensitisation": Preset(sensitisation, {"delay": 30.0}, 1.2, 2.0),
    "specificity": Preset(specificity, _TRIALS, 0.98, 1.02),
    "conditioning": Preset(conditioning, _PAIRS, 1.3, math.inf),
    "isi": Preset(conditioning, {**_PAIRS, "isi": 1.0}, 1.02, math.inf),
    "unpaired": Preset(conditioning, {**_PAIRS, "isi": 75.0}, 0.9, 1.1),
    "contingency": Preset(contingency, _PAIRS, 0.0, 1.1),
    "blocking": Preset(blocking, {**_PAIRS, "trials": 20}, -math.inf, 0.15, "share"),
    "overshadowing": Preset(overshadowing, {**_PAIRS, "trials": 20}, 0.5, 2.0, "share"),
}
"""Experiments; the ranges are those of the published results (see the page of the world)."""
