"""Free running: the world does not wait for the chip, so a decision that takes long acts late."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from insectbot.chips.executable import ChipExecutable
from insectbot.protocols import Counters, Readout, Vector

_DEEP = 64


class FreeRunning:
    """An executable whose read-outs arrive as late as the chip would give them.

    The world goes on: window k is asked for when its observation is there, and takes as long as the chip needs, its
    ticks held to real time where the chip runs in real time, plus ``host.round_trip``. Windows queue if the chip falls
    behind. What is returned for window k is the newest read-out that is ready by then, to the nearest window; before
    the first one is ready, no spike. So a chip that needs just real time decides one control step late, and an
    accelerated one at once.

    Parameters
    ----------
    executable : ChipExecutable
        The network on the chip, as in lock step.
    """

    def __init__(self, executable: ChipExecutable) -> None:
        self._inner = executable
        n = executable.network.n_outputs
        self._pending = np.zeros((_DEEP, 3, n), np.int32)
        self._due = np.full(_DEEP, -1, np.int64)
        self._clock = np.zeros(3)  # windows asked for, time at which the chip is free [s], late windows
        self._shown = np.zeros((3, n), np.int32)
        self._readout = Readout(*self._shown)
        self._forget()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._inner, name)

    @property
    def learning(self) -> bool:
        """Whether plasticity acts."""
        return self._inner.learning

    @learning.setter
    def learning(self, value: bool) -> None:
        self._inner.learning = value

    @property
    def recording(self) -> bool:
        """Whether windows keep a spike list."""
        return self._inner.recording

    @recording.setter
    def recording(self, value: bool) -> None:
        self._inner.recording = value

    def window(self, drive: Vector, n_ticks: int, modulators: Vector | None = None) -> Readout:
        """Run a window and return the newest read-out that is ready; a window of 0 ticks returns at once."""
        before = self._inner.held_time()
        found = self._inner.window(drive, n_ticks, modulators)
        if n_ticks == 0:
            return self._readout
        period = n_ticks * self._inner.network.dt * 1e-3
        k = int(self._clock[0])
        need = self._inner.held_time() - before + float(self._inner.sheet.value("host.round_trip", 0.0))
        ready = max(self._clock[1], k * period) + need
        self._clock[:2] = k + 1, ready
        # To the nearest window, so that a decision after a hundredth of the period is in time.
        due = max(k, round(ready / period))
        self._clock[2] += due > k + 1
        slot = k % _DEEP
        self._pending[slot] = found.counts, found.first, found.interval
        self._due[slot] = min(due, k + _DEEP - 1)
        for j in range(max(0, k - _DEEP + 1), k + 1):
            if self._due[j % _DEEP] == k:
                self._shown[...] = self._pending[j % _DEEP]
        return self._readout

    def reset(self, seed: int) -> None:
        """Clear all dynamic state; no read-out is ready."""
        self._inner.reset(seed)
        self._forget()

    def counters(self) -> Counters:
        """Return the counts since the last reset; windows more than one control step late are soft failures."""
        found = self._inner.counters()
        return replace(found, soft_failures={**found.soft_failures, "late_windows": int(self._clock[2])})

    def state(self) -> dict[str, npt.NDArray]:
        """Return a copy of everything that decides the future."""
        queue = {"pending": self._pending, "due": self._due, "clock": self._clock, "shown": self._shown}
        return self._inner.state() | {f"free/{name}": a.copy() for name, a in queue.items()}

    def load_state(self, state: Mapping[str, npt.NDArray]) -> None:
        """Restore what :meth:`state` returned; raises ConfigurationError for another network's."""
        self._inner.load_state({name: a for name, a in state.items() if not name.startswith("free/")})
        self._pending[...], self._due[...] = state["free/pending"], state["free/due"]
        self._clock[...], self._shown[...] = state["free/clock"], state["free/shown"]

    def _forget(self) -> None:
        self._pending[...] = 0
        self._due[...] = -1
        self._clock[...] = 0.0
        self._shown[0] = 0
        self._shown[1:] = -1
