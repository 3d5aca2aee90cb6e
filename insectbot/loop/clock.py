"""Real-time pacing that counts what it missed."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from insectbot.errors import ConfigurationError


@dataclass(frozen=True)
class Deadlines:
    """How a paced loop kept its deadlines.

    Attributes
    ----------
    steps, late : int
        Control steps, and how many of them ended after their deadline.
    p50, p99, max : float
        Lateness of all steps [s]; a step in time counts as 0.
    """

    steps: int
    late: int
    p50: float
    p99: float
    max: float

    def __str__(self) -> str:
        figures = ", ".join(
            f"{k} {1e3 * v:.2f} ms" for k, v in (("p50", self.p50), ("p99", self.p99), ("max", self.max))
        )
        return f"{self.late} of {self.steps} steps late ({figures})"


class Clock:
    """Makes each control step last one period of real time.

    Step k of an episode has the deadline ``start + (k + 1) * period / speed``. A step that ends later is
    counted as late and the deadlines after it are kept: the loop catches up without a sleep, so that time in
    the world does not drift from real time. After a pause call :meth:`resume`.

    Parameters
    ----------
    period : float
        Control period [s], > 0.
    speed : float
        Times real time, > 0; may be changed while running.
    now, sleep : callable
        Time source [s] and sleep, replaceable in tests.

    Raises
    ------
    ConfigurationError
        A period or speed that is not positive.
    """

    def __init__(
        self,
        period: float,
        speed: float = 1.0,
        now: Callable[[], float] = time.perf_counter,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        for name, value in (("period", period), ("speed", speed)):
            if not value > 0:
                raise ConfigurationError(f"Clock.{name} = {value}: must be above 0")
        self.period, self.speed = period, speed
        self._now, self._sleep = now, sleep
        self._lateness: list[float] = []
        self._deadline = 0.0

    def start(self) -> None:
        """Begin an episode: the first deadline is one period from now."""
        self._deadline = self._now()

    resume = start

    def wait(self) -> None:
        """End a control step: sleep until its deadline, or count it as late."""
        self._deadline += self.period / self.speed
        ahead = self._deadline - self._now()
        self._lateness.append(max(0.0, -ahead))
        if ahead > 0:
            self._sleep(ahead)

    def deadlines(self) -> Deadlines:
        """Return the statistics of all steps since the clock was made."""
        if not self._lateness:
            return Deadlines(0, 0, 0.0, 0.0, 0.0)
        late = np.array(self._lateness)
        p50, p99 = np.percentile(late, [50, 99])
        return Deadlines(late.size, int((late > 0).sum()), float(p50), float(p99), float(late.max()))
