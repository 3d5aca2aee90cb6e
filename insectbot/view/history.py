"""What the window remembers between frames: the last spikes, the traces, the weights at the start."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from insectbot.view.frame import Frame

RASTER_SECONDS = 2.0
TRACE_SECONDS = 10.0


@dataclass
class History:
    """Events and traces of the running episode.

    Attributes
    ----------
    groups : dict of str to slice
        Global unit numbers of the groups of the network.
    dt : float
        Length of a tick [ms].
    synapses : dict
        Projection -> (source, target, pre, post); empty without a network.
    before : dict of str to ndarray
        Weights of the first frame.
    """

    groups: dict[str, slice] = field(default_factory=dict)
    dt: float | None = None
    synapses: dict[str, tuple[str, str, npt.NDArray, npt.NDArray]] = field(default_factory=dict)
    before: dict[str, npt.NDArray] = field(default_factory=dict)
    _spikes: deque[tuple[npt.NDArray, npt.NDArray]] = field(default_factory=deque)
    _traces: deque[tuple[float, float, float]] = field(default_factory=deque)
    _last: tuple[int, int] | None = None
    _sum: float = 0.0
    _seen: int = 0
    _complete: bool = True

    @classmethod
    def of(cls, network: Any | None) -> History:
        """Return an empty history for a network (a ``Network``) or none."""
        if network is None:
            return cls()
        synapses = {p.name: (p.source, p.target, np.asarray(p.pre), np.asarray(p.post)) for p in network.projections}
        return cls(dict(network.unit_slices()), float(network.dt), synapses)

    def add(self, frame: Frame) -> None:
        """Take a frame; the same step shown again adds nothing, an earlier step or another episode starts afresh."""
        now = (frame.episode, frame.step)
        if self._last is not None and (now[0] != self._last[0] or now[1] < self._last[1]):
            self._spikes.clear()
            self._traces.clear()
            self._sum, self._seen = 0.0, 0
        for name, values in frame.weights.items():
            self.before.setdefault(name, np.array(values, np.float32))
        if now == self._last:
            return
        self._last = now
        ticks, units = np.array(frame.spike_tick, np.int64), np.array(frame.spike_unit, np.int64)
        seconds = ticks * ((self.dt or frame.dt) / 1000)
        if seconds.size:
            self._spikes.append((seconds, units))
        while self._spikes and self._spikes[0][0].max() < frame.time - RASTER_SECONDS:
            self._spikes.popleft()
        self._add_traces(frame)
        while self._traces[0][0] < frame.time - TRACE_SECONDS:
            self._traces.popleft()

    def _add_traces(self, frame: Frame) -> None:
        reward, modulator = (np.atleast_1d(np.asarray(v, float)) for v in (frame.reward, frame.modulator))
        period = frame.time / frame.step if frame.step else 0.0
        for k, (r, m) in enumerate(zip(reward, np.broadcast_to(modulator, reward.shape), strict=True)):
            self._traces.append((frame.time - (reward.size - 1 - k) * period, r, m))
        if frame.step:
            self._sum += float(reward.sum())
            self._seen += reward.size
        self._complete = self._seen == frame.step

    @property
    def reward_sum(self) -> float | None:
        """Sum of the rewards of the episode; None when frames have skipped some of them."""
        return self._sum if self._complete else None

    def spikes(self, now: float) -> tuple[npt.NDArray, npt.NDArray]:
        """Return (age [s], unit) of the spikes of the last :data:`RASTER_SECONDS`."""
        if not self._spikes:
            return np.zeros(0), np.zeros(0, np.int64)
        seconds, units = (np.concatenate(part) for part in zip(*self._spikes, strict=True))
        age = now - seconds
        recent = (age >= 0) & (age <= RASTER_SECONDS)
        return age[recent], units[recent]

    def traces(self) -> npt.NDArray:
        """Return time [s], reward and modulator of the last :data:`TRACE_SECONDS`, shape (k, 3)."""
        return np.array(self._traces, float).reshape(-1, 3)


def nice_bound(values: npt.ArrayLike) -> float:
    """Return the smallest round number that no absolute value exceeds; 1 for zeros."""
    size = float(np.max(np.abs(np.nan_to_num(np.asarray(values, float))), initial=0.0))
    if size < 1e-12:
        return 1.0
    power = 10.0 ** np.floor(np.log10(size))
    return float(next(power * m for m in (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10) if power * m >= size * (1 - 1e-9)))
