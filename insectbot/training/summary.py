"""``summary.json``: tables, learning curve, how long it took."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from insectbot.scenario import Scenario
from insectbot.training.episodes import Row
from insectbot.training.online import SeedResult
from insectbot.training.statistics import per_seed

_SMALL = 500
"""Synapses of a projection up to which all its weights go into the summary."""


def _curve(results: Sequence[SeedResult], metric: str) -> list[list[float]]:
    """Return the metric for each seed after 0, 1, ... episodes, averaged over the validation worlds."""

    def mean(rows: Sequence[Row]) -> float:
        return per_seed([(0, row.metrics) for row in rows], metric)[0]

    return [[mean(rows) for rows in result.probes] for result in results]


def learning_curve(scenario: Scenario, results: Sequence[SeedResult]) -> dict[str, Any] | None:
    """Return success and SPT of frozen copies against training episodes, per seed; None without probes.

    Entry 0 is the untrained network. The worlds are validation worlds: neither trained nor finally judged on.
    """
    probed = [result for result in results if result.probes and result.probes[0]]
    if not probed:
        return None
    names = {name for result in probed for rows in result.probes for row in rows for name in row.metrics}
    return {
        "episode": list(range(max(len(result.probes) for result in probed))),
        "success": _curve(probed, "success") if "success" in names else None,
        "SPT": _curve(probed, "SPT") if "SPT" in names else None,
        "preset": scenario.training.preset or scenario.env.preset or "",
        "n_worlds": scenario.training.probe_worlds,
    }


def weight_changes(results: Sequence[SeedResult]) -> dict[str, dict[str, list[list[float]]]]:
    """Return the weights of every seed before and after, by projection, of small projections that have changed."""
    found = {}
    for name, weights in results[0].weights.items() if results else ():
        before, after = ([getattr(r, key)[name] for r in results] for key in ("initial", "weights"))
        changed = any((b != a).any() for b, a in zip(before, after, strict=True))
        if changed and weights.size <= _SMALL:
            found[name] = {"before": [b.tolist() for b in before], "after": [a.tolist() for a in after]}
    return found


def summarise_run(
    scenario: Scenario,
    results: Sequence[SeedResult],
    evaluation: Sequence[dict[str, Any]],
    bench: Sequence[dict[str, Any]],
    wall_seconds: float,
) -> dict[str, Any]:
    """Return the content of ``summary.json`` (format: :mod:`insectbot.training.summary` and the report).

    Parameters
    ----------
    scenario : Scenario
        What was run.
    results : sequence of SeedResult
        Trained seeds.
    evaluation, bench : sequence of dict
        Table rows.
    wall_seconds : float
        Duration of everything [s].
    """
    return {
        "scenario": scenario.name,
        "title": scenario.title or scenario.name,
        "seeds": [result.seed for result in results],
        "training_episodes": scenario.training.episodes,
        "training_steps": sum(row.steps for result in results for row in result.episodes),
        "tables": {"evaluation": list(evaluation), "bench": list(bench)},
        "learning_curve": learning_curve(scenario, results),
        "weights": weight_changes(results),
        "wall_seconds": wall_seconds,
    }
