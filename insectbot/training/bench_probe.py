"""What can be said of a chip before it is judged: does the brain fit, how late and how exact is it, what it sends."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter_ns
from typing import Any

import numpy as np
import numpy.typing as npt

from insectbot.errors import ConfigurationError, DoesNotFit, Unsupported
from insectbot.loop.episode import Step, run_episode
from insectbot.protocols import Backend, Executable, Readout, Usage, Vector
from insectbot.scenario import Scenario, control_period, make_backend, make_controller, make_env, ticks_per_step
from insectbot.snn.network import Network
from insectbot.snn.spike_metrics import spike_match
from insectbot.training.episodes import give_weights
from insectbot.training.evaluate import evaluation_worlds

Brains = Mapping[int, Mapping[str, npt.NDArray]]
_TOLERANCE = 2.0
_STEPS = 400


class TimedExecutable:
    """An executable that keeps how long each window took on the host.

    Parameters
    ----------
    executable : Executable
        What to time.

    Attributes
    ----------
    inner : Executable
        What is timed.
    nanoseconds : list of int
        Duration of each window.
    drives : list of ndarray
        Drive of each window.
    """

    def __init__(self, executable: Executable) -> None:
        self.inner = self._executable = executable
        self.nanoseconds: list[int] = []
        self.drives: list[npt.NDArray] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._executable, name)

    @property
    def learning(self) -> bool:
        """Learning switch of the executable; may be set."""
        return self._executable.learning

    @learning.setter
    def learning(self, value: bool) -> None:
        self._executable.learning = value

    def window(self, drive: Vector, n_ticks: int, modulators: Vector | None = None) -> Readout:
        """Run and time one window."""
        began = perf_counter_ns()
        readout = self._executable.window(drive, n_ticks, modulators)
        self.nanoseconds.append(perf_counter_ns() - began)
        self.drives.append(np.array(drive, np.float32))
        return readout


def usage_rows(usage: Sequence[Usage]) -> list[list[Any]]:
    """Return resources as lists [resource, used, limit, where]."""
    return [[u.resource, u.used, u.limit, u.where] for u in usage]


def _daggers(backend: Backend) -> dict[str, Any]:
    """Return whether any figure of the chip's datasheet is memory or assumption, and which of those price it."""
    figures = getattr(getattr(backend, "sheet", None), "figures", {})
    doubtful = [path for path, figure in figures.items() if figure.dagger and not path.startswith("literature.")]
    prices = f"prices.{getattr(getattr(backend, 'prices', None), 'name', '')}."
    kinds = {kind: [p for p in doubtful if p.startswith(f"{prices}{kind}.")] for kind in ("energy", "time")}
    return {"dagger": bool(doubtful), "daggers": kinds}


def _literature(backend: Backend) -> list[dict[str, Any]]:
    """Return what others published about the chip, from its datasheet: beside this emulator's figures, not of them."""
    figures = getattr(getattr(backend, "sheet", None), "figures", {})
    known = {path.partition(".")[2]: f for path, f in figures.items() if path.startswith("literature.")}
    return [
        {"what": name.replace("_", " "), "value": f.value, "unit": f.unit, "evidence": f.evidence, "source": f.source}
        for name, f in known.items()
    ]


def _quantisation(executable: Executable) -> dict[str, Any]:
    """Return what the chip's number formats cost: how many synapses were changed for good, and the full report."""
    report = getattr(getattr(executable, "quant", None), "report", None)
    if report is None:
        return {}
    return {"bits_lost": sum(report.losses.values()), "losses": dict(report.losses), "quantisation": str(report)}


@dataclass(frozen=True)
class Tape:
    """One episode of the float network: what its inputs were, and when its outputs spiked.

    Attributes
    ----------
    drives : list of ndarray
        Drive of every window.
    seed, n_ticks : int
        Seed of the input streams; ticks of a window.
    spikes : dict of int to ndarray
        Output unit -> spike times [ms].
    """

    drives: list[npt.NDArray]
    seed: int
    n_ticks: int
    spikes: dict[int, npt.NDArray]


def tape_of(scenario: Scenario, brains: Brains) -> Tape | None:
    """Run one episode of the first brain on ``ideal`` and keep its inputs and output spikes.

    Returns None for a controller without a network.
    """
    env = make_env(scenario, "evaluate", preset=scenario.presets[0])
    seed, weights = next(iter(brains.items()))
    controller: Any = make_controller(scenario, env, seed, chip="ideal")
    give_weights(controller, weights)
    if not hasattr(controller, "executable"):
        return None
    timed = TimedExecutable(controller.executable)
    n_ticks = ticks_per_step(control_period(scenario, env), controller.network.dt)
    controller.attach(timed, n_ticks)
    options = scenario.evaluation.reset_options(0)
    world = evaluation_worlds(scenario, 1)[0]
    run_episode(env, controller, seed=world, controller_seed=0, learn=False, options=options, viewer=_Short())
    env.close()
    return Tape(timed.drives, 0, n_ticks, _replay(controller.network, timed.inner, timed.drives, n_ticks))


class _Short:
    """Ends an episode after some hundred control steps: enough to measure on."""

    def start(self, env: Any, controller: Any, observation: Any) -> None:
        """See nothing."""

    def step(self, step: Step) -> bool:
        """Stop after :data:`_STEPS` steps."""
        return step.index + 1 >= _STEPS

    def end(self, result: Any) -> None:
        """See nothing."""


def _replay(network: Network, executable: Executable, drives: list[npt.NDArray], n_ticks: int) -> dict[int, Any]:
    """Run the drives of a tape, frozen, from a reset; return output unit -> spike times [ms]."""
    executable.learning, executable.recording = False, True
    executable.reset(0)
    ticks, units = [], []
    for drive in drives:
        executable.window(drive, n_ticks)
        tick, unit = executable.spikes()
        ticks.append(tick)
        units.append(unit)
    executable.recording = False
    tick, unit = np.concatenate(ticks), np.concatenate(units)
    slices = network.unit_slices()
    read = [slices[r.population].start + k for r in network.readouts for k in range(r.start, r.stop or 0)]
    return {u: tick[unit == u] * network.dt for u in read}


def spike_match_of(tape: Tape, network: Network, executable: Executable) -> float:
    """Return how many output spikes agree with the float network's, each within :data:`_TOLERANCE` ms."""
    mine = _replay(network, executable, tape.drives, tape.n_ticks)
    found = [spike_match(tape.spikes[u], mine[u], _TOLERANCE) for u in mine]
    return float(np.mean(found)) if found else math.nan


def _traffic(executable: Any) -> dict[str, Any] | None:
    """Return the load of the chip's mesh as plain numbers; None where there is no mesh."""
    read = getattr(executable, "traffic", None)
    if read is None:
        return None
    t = read()
    load = [[*a, *b, messages] for (a, b), messages in t.load.items()]
    return {
        "width": t.width,
        "height": t.height,
        "nodes": [list(node) for node in t.nodes],
        "load": load,
        "utilisation": t.utilisation,
        "hops_per_spike": t.hops_per_spike,
    }


def probe(scenario: Scenario, chip: str, brains: Brains, tape: Tape | None) -> dict[str, Any]:
    """Compile for a chip and run one episode.

    Returns
    -------
    dict
        ``fits`` or the ``cause`` why not; ``usage, fidelity, daggers``, what quantisation lost, ``host_latency_us``,
        ``spike_match`` with ``ideal`` in open loop, ``traffic`` of the mesh.
    """
    backend = make_backend(chip)
    facts: dict[str, Any] = {
        "fits": True,
        "cause": None,
        "usage": [],
        "fidelity": backend.fidelity,
        **_daggers(backend),
        "literature": _literature(backend),
        "host_latency_us": None,
        "bits_lost": None,
        "spike_match": None,
        "traffic": None,
    }
    env = make_env(scenario, "evaluate", preset=scenario.presets[0])
    seed, weights = next(iter(brains.items()))
    try:
        controller: Any = make_controller(scenario, env, seed, chip=chip)
        give_weights(controller, weights)
    except (DoesNotFit, Unsupported) as error:
        return {**facts, "fits": False, "cause": str(error).replace(f"; {backend.name}: ", "; ")}
    executable: Executable | None = getattr(controller, "executable", None)
    if executable is None:
        raise ConfigurationError(f"controller {scenario.controller.name!r} has no network: a chip has nothing to run")
    facts["usage"] = usage_rows(executable.usage)
    facts |= _quantisation(executable)
    timed = TimedExecutable(executable)
    controller.attach(timed, ticks_per_step(control_period(scenario, env), controller.network.dt))
    run_episode(env, controller, seed=evaluation_worlds(scenario, 1)[0], controller_seed=0, learn=False)
    p50, p99 = np.percentile(np.array(timed.nanoseconds) / 1e3, [50, 99])
    facts["host_latency_us"] = {"p50": float(p50), "p99": float(p99)}
    facts["traffic"] = _traffic(executable)
    if tape is not None:
        facts["spike_match"] = spike_match_of(tape, controller.network, executable)
    env.close()
    return facts
