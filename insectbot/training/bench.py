"""The same trained brains on every chip, in the same closed loop."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from insectbot.scenario import Scenario
from insectbot.training.bench_probe import Brains, probe, tape_of
from insectbot.training.episodes import Row
from insectbot.training.evaluate import Entry, evaluate, table
from insectbot.training.progress import Tell, silent

_TERMS = ("static", "events", "host")


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
    tape = tape_of(scenario, brains)
    facts = {chip: probe(scenario, chip, brains, tape) for chip in names}
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
