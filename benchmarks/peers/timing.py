"""Time and memory of a run."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from networks import w1_drive
from standard import Standard

WARM = 200
"""Steps of the closed loop that are run but not timed."""
STEPS = 2000
"""Timed steps of the closed loop, unless told otherwise."""
_MANY = 2_000_000
"""Synapses from which on memory growth says something about synapses."""


@dataclass(frozen=True)
class Measured:
    """Times of a run: nanoseconds per timed step (closed loop only), wall and process time [s], mean rate [Hz]."""

    wall_s: float
    cpu_s: float
    rate_hz: float
    biological_s: float
    step_ns: npt.NDArray[np.int64] | None = None


def closed_loop(net: Standard, step: Callable[[npt.NDArray], Sequence[int]], steps: int | None = None) -> Measured:
    """Time single steps from Python: ``step(drive) -> four counts``.

    The rate is that of the four output populations, so that no peer has to record more than the loop reads.
    """
    drives = w1_drive(WARM + (steps or STEPS))
    times = np.empty(len(drives), np.int64)
    counted = np.zeros(len(net.outputs))
    cpu, clock = 0.0, time.perf_counter_ns
    for k, row in enumerate(drives):
        if k == WARM:
            cpu = time.process_time()
        began = clock()
        counts = step(row)
        times[k] = clock() - began
        counted += counts
    cpu = time.process_time() - cpu
    return measured_loop(net, times, counted.sum(), cpu)


def measured_loop(net: Standard, step_ns: npt.NDArray[np.int64], spikes: float, cpu_s: float) -> Measured:
    """Summarise a closed loop from the times of all steps, the output spikes of all, the CPU time of the timed ones."""
    timed, observed = step_ns[WARM:], sum(s.stop - s.start for s in net.outputs)
    rate = spikes / observed / (step_ns.size * net.dt * 1e-3)
    return Measured(float(timed.sum()) * 1e-9, cpu_s, rate, timed.size * net.dt * 1e-3, timed)


def open_loop(net: Standard, run: Callable[[float], object], spikes: Callable[[], int], seconds: float) -> Measured:
    """Time one call ``run(milliseconds)``; ``spikes()`` is asked afterwards."""
    wall, cpu = time.perf_counter(), time.process_time()
    run(seconds * 1e3)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return Measured(wall, cpu, spikes() / net.n / seconds, seconds)


def rss() -> int | None:
    """Return the resident memory of this process [bytes]; None where the system does not tell."""
    try:
        with open("/proc/self/statm") as file:
            return resident(file.read())
    except OSError:
        return None


def resident(statm: str) -> int:
    """Return resident memory [bytes] from the text of Linux's ``statm``."""
    return int(statm.split()[1]) * os.sysconf("SC_PAGE_SIZE")


def per_synapse(net: Standard, before: int | None, after: int | None) -> float | None:
    """Return memory growth per synapse [bytes], or None where it is not known or the network is small."""
    if before is None or after is None or net.n_synapses < _MANY:
        return None
    return round((after - before) / net.n_synapses, 1)
