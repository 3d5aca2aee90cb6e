"""The same trained brains on every chip, in the same closed loop."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from time import perf_counter_ns
from typing import Any

import numpy as np
import numpy.typing as npt

from insectbot.errors import ConfigurationError, DoesNotFit, Unsupported
from insectbot.loop.episode import run_episode
from insectbot.protocols import Backend, Executable, Readout, Usage, Vector
from insectbot.scenario import Scenario, control_period, make_backend, make_controller, make_env, ticks_per_step
from insectbot.training.episodes import Row, give_weights
from insectbot.training.evaluate import Entry, evaluate, evaluation_worlds, table
from insectbot.training.progress import Tell, silent

Brains = Mapping[int, Mapping[str, npt.NDArray]]
_TERMS = ("static", "events", "host")


class TimedExecutable:
    """An executable that keeps how long each window took on the host.

    Parameters
    ----------
    executable : Executable
        What to time.

    Attributes
    ----------
    nanoseconds : list of int
        Duration of each window.
    """

    def __init__(self, executable: Executable) -> None:
        self._executable = executable
        self.nanoseconds: list[int] = []

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
        return readout


def usage_rows(usage: Sequence[Usage]) -> list[list[Any]]:
    """Return resources as lists [resource, used, limit, where]."""
    return [[u.resource, u.used, u.limit, u.where] for u in usage]


def _daggers(backend: Backend) -> dict[str, Any]:
    """Return whether any figure of the chip's datasheet is memory or assumption, and which of those price it."""
    figures = getattr(getattr(backend, "sheet", None), "figures", {})
    doubtful = [path for path, figure in figures.items() if figure.dagger]
    prices = f"prices.{getattr(getattr(backend, 'prices', None), 'name', '')}."
    kinds = {kind: [p for p in doubtful if p.startswith(f"{prices}{kind}.")] for kind in ("energy", "time")}
    return {"dagger": bool(doubtful), "daggers": kinds}


def _quantisation(executable: Executable) -> dict[str, Any]:
    """Return what the chip's number formats cost: how many synapses were changed for good, and the full report."""
    report = getattr(getattr(executable, "quant", None), "report", None)
    if report is None:
        return {}
    return {"bits_lost": sum(report.losses.values()), "losses": dict(report.losses), "quantisation": str(report)}


def _probe(scenario: Scenario, chip: str, brains: Brains) -> dict[str, Any]:
    """Compile for a chip and run one episode: usage, fidelity, host latency, or the cause why it does not run."""
    backend = make_backend(chip)
    facts: dict[str, Any] = {
        "fits": True,
        "cause": None,
        "usage": [],
        "fidelity": backend.fidelity,
        **_daggers(backend),
        "host_latency_us": None,
        "bits_lost": None,
    }
    env = make_env(scenario, "evaluate", preset=scenario.presets[0])
    seed, weights = next(iter(brains.items()))
    try:
        controller: Any = make_controller(scenario, env, seed, chip=chip)
        give_weights(controller, weights)
    except (DoesNotFit, Unsupported) as error:
        return {**facts, "fits": False, "cause": str(error)}
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
    env.close()
    return facts


def _costs(rows: Sequence[Row]) -> dict[str, Any]:
    """Return what a decision cost, from the counters of all episodes of a row."""

    def total(name: str) -> float:
        return float(sum(row.counters.get(name, math.nan) for row in rows))

    decisions, time = float(sum(row.steps for row in rows)), total("chip_time")

    def energy(prefix: str) -> dict[str, float] | None:
        terms = {term: total(f"{prefix}_{term}") / decisions for term in _TERMS}
        return None if math.isnan(sum(terms.values())) else terms

    soft: dict[str, float] = {}
    for row in rows:
        for name, n in row.counters.items():
            if name.startswith("soft_"):
                soft[name.removeprefix("soft_")] = soft.get(name.removeprefix("soft_"), 0.0) + n
    return {
        "energy_per_decision": energy("energy"),
        "energy_realtime": energy("energy_realtime"),
        "steps_per_second": total("ticks") / time if time > 0 else None,
        "chip_time_per_decision": None if math.isnan(time) else time / decisions,
        "synops_per_decision": total("synops") / decisions,
        "spikes_per_decision": total("spikes") / decisions,
        "soft_failures": soft,
    }


def _loss(row: Mapping[str, Any], reference: Mapping[str, Any]) -> float:
    """Return how much success a chip loses against the first chip; NaN for a world without success."""
    success, expected = (r["metrics"].get("success", (math.nan,))[0] for r in (row, reference))
    return expected - success


def bench(
    scenario: Scenario,
    brains: Brains,
    *,
    chips: Sequence[str] | None = None,
    workers: int | None = None,
    progress: Tell = silent,
    known: Sequence[Row] = (),
) -> tuple[list[dict[str, Any]], list[Row]]:
    """Run trained brains on every chip.

    Parameters
    ----------
    scenario : Scenario
        The closed loop; worlds and presets are those of the evaluation.
    brains : mapping
        Training seed -> weights by projection.
    chips : sequence of str or None
        Chips; None takes the scenario's. The first is what the others' loss of success is counted against.
    workers : int or None
        Processes; None takes all processors.
    progress : callable
        Told about each finished piece.
    known : sequence of Row
        Episodes of these brains that were evaluated before on the same worlds; they are not run again.

    Returns
    -------
    rows : list of dict
        Rows of ``summary.json``, one per chip and preset; a chip that cannot run the network has one row that says
        why. Host latency is measured in this process, alone, after the evaluation.
    episodes : list of Row
        All episodes.

    Raises
    ------
    ConfigurationError
        The controller has no network.
    UnknownNameError
        A chip is not known.
    """
    names = list(dict.fromkeys(scenario.bench.chips if chips is None else chips))
    n = scenario.bench.episodes or scenario.evaluation.episodes
    label = scenario.controller.name
    facts = {chip: _probe(scenario, chip, brains) for chip in names}
    have = {row.label.chip for row in known if row.label.controller == label}
    missing = [chip for chip in names if facts[chip]["fits"] and chip not in have]
    entries = [Entry(label, label, brains, chip=chip) for chip in missing]
    fresh = evaluate(scenario, entries, episodes=n, workers=workers, progress=progress, stage="bench")
    old = [row for row in known if row.label.controller == label and row.label.chip in names and row.label.episode < n]
    return _bench_rows(label, facts, [*old, *fresh]), [*old, *fresh]


def _bench_rows(label: str, facts: Mapping[str, dict[str, Any]], episodes: Sequence[Row]) -> list[dict[str, Any]]:
    rows = []
    references: dict[str, dict[str, Any]] = {}
    for chip, known in facts.items():
        if not known["fits"]:
            rows.append({"controller": label, "preset": None, "chip": chip, **known})
            continue
        members = [row for row in episodes if row.label.chip == chip]
        for row in table(members):
            same = [m for m in members if m.label.preset == row["preset"]]
            reference = references.setdefault(row["preset"], row)
            rows.append({**row, **_costs(same), "success_loss": _loss(row, reference), **known})
    return rows
