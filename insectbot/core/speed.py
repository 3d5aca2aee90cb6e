"""How fast the core is here and now, on the standard networks (W1, W2, W3), beside what the machine itself can do."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from insectbot.core.ceilings import accumulate_ns, memory_gb_s
from insectbot.core.simulator import CoreExecutable
from insectbot.core.standard import w1, w1_drive, w2, w3
from insectbot.snn.network import Network

EVENT_SIZES = (10_000, 100_000, 1_000_000, 10_000_000)
"""Synapses of the networks on which the cost of one synaptic event is measured."""
WARM = 200


@dataclass(frozen=True)
class Latency:
    """Times of single steps called from Python [us], and the mean firing rate [Hz]."""

    median: float
    p99: float
    process: float
    rate: float


@dataclass(frozen=True)
class Throughput:
    """An open-loop run: process time over biological time, its wall twin, construction [s], mean rate [Hz], events."""

    rtf: float
    wall: float
    build: float
    rate: float
    events: float
    bytes_per_synapse: float


def closed_loop(n: int, *, plastic: bool, steps: int = 2000, repeats: int = 3) -> Latency:
    """Time single 1 ms steps of W1: set 8 drives, run, read 4 pools; the median repeat counts.

    Parameters
    ----------
    n : int
        Neurons.
    plastic : bool
        Whether the excitatory synapses learn.
    steps, repeats : int
        Steps in a repeat (the first 200 are left out), and repeats.
    """
    executable, drives = CoreExecutable(w1(n, plastic=plastic)), w1_drive(steps)
    start, found = executable.weights(), []
    times = np.zeros(steps, np.int64)
    window, now = executable.window, time.perf_counter_ns
    for _ in range(repeats):
        executable.set_weights(start)
        executable.reset(0)
        process = time.thread_time()
        for k in range(steps):
            began = now()
            window(drives[k], 1).counts.tolist()
            times[k] = now() - began
        process = (time.thread_time() - process) / steps * 1e6
        us = times[WARM:] / 1e3
        rate = executable.counters().spikes / n / (steps * 1e-3)
        found.append((float(np.median(us)), float(np.percentile(us, 99)), process, rate))
    return Latency(*sorted(found)[len(found) // 2])


def open_loop(make: Callable[[], Network], *, seconds: float = 0.5, threads: int = 1, repeats: int = 3) -> Throughput:
    """Time a network that runs by itself, after 0.1 s of warm-up; the median repeat counts.

    Parameters
    ----------
    make : callable
        Builds the network (construction is timed apart, kernel compilation left out).
    seconds : float
        Biological time of a repeat [s].
    threads, repeats : int
        Threads of the executable, and repeats.
    """
    CoreExecutable(make(), threads=threads)  # compiles
    gc.collect()
    resident, began = resident_bytes(), time.perf_counter()
    network = make()
    executable = CoreExecutable(network, threads=threads)
    build = time.perf_counter() - began
    drive, ticks = np.ones(network.n_inputs), round(seconds * 1e3 / network.dt)
    executable.window(drive, round(100.0 / network.dt))
    grown = (resident_bytes() - resident) / max(network.n_synapses, 1)
    found = []
    # The process also counts threads of others: those of numpy's BLAS spin for half a second after a call.
    clock = time.thread_time if threads == 1 else time.process_time
    for _ in range(repeats):
        before = executable.counters()
        process, wall = clock(), time.perf_counter()
        executable.window(drive, ticks)
        process, wall = clock() - process, time.perf_counter() - wall
        after = executable.counters()
        rate = (after.spikes - before.spikes) / network.n_neurons / seconds
        found.append((process / seconds, wall / seconds, rate, (after.synops - before.synops) / seconds))
    rtf, wall, rate, events = sorted(found)[len(found) // 2]
    return Throughput(rtf, wall, build, rate, events, grown)


def resident_bytes() -> int:
    """Return the memory of this process that is in use now [bytes]; 0 where the system does not say."""
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * 4096
    except OSError:
        return 0


def event_costs(sizes: tuple[int, ...] = EVENT_SIZES) -> list[dict[str, float]]:
    """Return what one synaptic event costs in static networks of growing size, beside the machine's own cost.

    Every network has 1000 synapses to a source, or as many as it has neurons; neurons are 10 000 or fewer. A Poisson
    input drives them to spike, and the cost of a run without synapses is taken off.

    Returns
    -------
    list of dict
        ``synapses``, ``ns``: cost of an event; ``machine_ns``: of adding to a sorted list of 16-bit targets in
        memory of the same size.
    """
    out = []
    for n_synapses in sizes:
        n = int(min(10_000, max(100, np.sqrt(n_synapses * 10))))
        k = n_synapses // n
        costs = [_pulsed(n, k), _pulsed(n, 0)]
        ns = (costs[0][0] - costs[1][0]) / costs[0][1] * 1e9
        out.append({"synapses": float(n * k), "ns": ns, "machine_ns": accumulate_ns(n, n * k)})
    return out


def _pulsed(n: int, k: int) -> tuple[float, float]:
    """Return (process time [s], synaptic events) per tick of ``n`` neurons at about 180 Hz with ``k`` synapses each."""
    from insectbot.snn import LIF, FixedOutDegree, PoissonInput, Population, Projection
    from insectbot.snn.network import Input

    drive = Input("drive", n, PoissonInput(200.0))
    relay = Population("relay", n, LIF(tau_m=10.0, v_th=1.0))
    sink = Population("sink", n, LIF(tau_m=10.0, v_th=1e9))
    links = [Projection.sparse("drive", "relay", pre=np.arange(n), post=np.arange(n), weight=2.0)]
    if k:
        links.append(Projection.connect(relay, sink, FixedOutDegree(k), weight=0.1, delay=1.0))
    executable = CoreExecutable(Network((drive,), (relay, sink), tuple(links), ()))
    ones, ticks = np.ones(n, np.float32), max(100, min(20_000, 600_000_000 // (n * max(k, 30))))
    executable.window(ones, 100)
    times, events = [], 0.0
    for _ in range(3):
        before, began = executable.counters().synops, time.thread_time()
        executable.window(ones, ticks)
        times.append((time.thread_time() - began) / ticks)
        events = (executable.counters().synops - before) / ticks
    return float(np.median(times)), events


def realtime(seconds: float = 60.0, n: int = 10_000, period_ms: float = 1.0) -> dict[str, float]:
    """Hold W1 (plastic) to real time: one step each period, as a robot would; returns when each step was done.

    Parameters
    ----------
    seconds, period_ms : float
        Length of the run [s], and control period [ms].
    n : int
        Neurons.

    Returns
    -------
    dict
        ``p50_ms, p99_ms, p999_ms, max_ms``: time from the start of a period to its result; ``late``: steps that
        took longer than the period; ``steps``; ``rate_hz``; ``idle_late, idle_max_ms``: the same of the loop without a
        network, for as long (10 s at most) right after: what the machine itself misses, scaled to ``steps``.
    """
    steps = round(seconds * 1e3 / period_ms)
    executable, drives = CoreExecutable(w1(n, plastic=True)), w1_drive(min(steps, 10_000))
    executable.window(drives[0], 100)
    executable.reset(0)
    took = _paced(lambda k: executable.window(drives[k % len(drives)], 1).counts.tolist(), steps, period_ms)
    rate = executable.counters().spikes / n / (steps * period_ms * 1e-3)
    idle = _paced(lambda k: None, min(steps, round(1e4 / period_ms)), period_ms)
    p50, p99, p999 = np.percentile(took, [50, 99, 99.9])
    figures = {"p50_ms": p50, "p99_ms": p99, "p999_ms": p999, "max_ms": took.max(), "idle_max_ms": idle.max()}
    counts = {"late": (took > period_ms).sum(), "idle_late": (idle > period_ms).mean() * steps, "steps": steps}
    return {k: float(v) for k, v in (figures | counts).items()} | {"rate_hz": rate}


def _paced(step: Callable[[int], object], steps: int, period_ms: float) -> npt.NDArray[np.float64]:
    """Call ``step`` once in each period; return the time from the start of the period to its end [ms]."""
    took, period = np.zeros(steps), period_ms * 1e-3
    start = time.perf_counter()
    for k in range(steps):
        due = start + k * period
        while (now := time.perf_counter()) < due:
            if due - now > 3e-4:
                time.sleep(due - now - 2e-4)
        step(k)
        took[k] = time.perf_counter() - due
    return took * 1e3


def measure(n: int = 1000, repeats: int = 3) -> dict[str, float]:
    """Return the figures of ``insectbot speed``: W1 at three sizes and W2, within a few seconds.

    Parameters
    ----------
    n : int
        Neurons of the middle size.
    repeats : int
        Repeats; the median counts.
    """
    out: dict[str, float] = {}
    for size, label in ((100, "100"), (n, "1000"), (10 * n, "10000")):
        for plastic, kind in ((False, "static"), (True, "plastic")):
            found = closed_loop(size, plastic=plastic, steps=2000 if size <= n else 600, repeats=repeats)
            out |= {f"{kind}_{label}_us": found.median, f"{kind}_{label}_p99_us": found.p99}
            out["rate_hz"] = found.rate
    for kind in ("cuba", "coba"):
        found = open_loop(lambda kind=kind: w2(kind), seconds=0.3, repeats=repeats)
        out |= {f"{kind}_rtf": found.rtf, f"{kind}_rate_hz": found.rate}
    out["memory_gb_s"] = memory_gb_s(200_000)
    return out


def measure_plastic(repeats: int = 3) -> dict[str, float]:
    """Return the figures of W3 (10 million synapses), static and plastic, with one and with two threads."""
    out: dict[str, float] = {}
    for plastic, kind in ((False, "static"), (True, "plastic")):
        for threads in (1, 2):
            found = open_loop(lambda plastic=plastic: w3(plastic=plastic), threads=threads, repeats=repeats)
            out |= {f"{kind}_rtf_{threads}": found.wall, f"{kind}_cpu_{threads}": found.rtf}
            out |= {f"{kind}_build_s": found.build, f"{kind}_rate_hz": found.rate}
            if threads == 1:
                out[f"{kind}_bytes_per_synapse"] = found.bytes_per_synapse
    return out
