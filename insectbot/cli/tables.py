"""The tables of a summary as text."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from insectbot.cli.console import print_table

DASH = "\N{EN DASH}"
EVALUATION = {
    "success": ".3f",
    "SPT": ".3f",
    "T_ratio": ".2f",
    "cost_ratio": ".2f",
    "exposure": ".3f",
    "collisions": ".2f",
}
"""Metric -> format in the evaluation table."""


def number(value: Any, form: str = ".3g") -> str:
    """Return a number as text, a dash for none."""
    return DASH if value is None or (isinstance(value, float) and math.isnan(value)) else format(value, form)


def interval(values: Sequence[float | None] | None, form: str) -> str:
    """Return ``mean [low, high]``."""
    if not values or values[0] is None or math.isnan(values[0]):
        return DASH
    mean, low, high = values
    return f"{number(mean, form)} [{number(low, form)}, {number(high, form)}]"


def si(value: float | None, unit: str) -> str:
    """Return a quantity with a prefix from pico to mega: ``1.2 uJ``, ``3.4 MHz``."""
    if value is None or math.isnan(value):
        return DASH
    if value == 0:
        return f"0 {unit}"
    for power, prefix in ((6, "M"), (3, "k"), (0, ""), (-3, "m"), (-6, "\N{GREEK SMALL LETTER MU}"), (-9, "n")):
        if abs(value) >= 10**power:
            return f"{value / 10**power:.3g} {prefix}{unit}"
    return f"{value * 1e12:.3g} p{unit}"


def print_evaluation(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print who succeeded how often on worlds that no training has seen; 95 % intervals in brackets."""
    shown = [m for m in EVALUATION if any((row["metrics"].get(m) or [None])[0] is not None for row in rows)]
    columns = ("controller", "preset", "chip", "seeds", "failed", "episodes", *shown)
    cells = [
        (
            row["controller"],
            row["preset"] or DASH,
            row["chip"],
            str(row["n_seeds"]),
            str(row["n_failed_seeds"]),
            str(row["n_episodes"]),
            *(interval(row["metrics"].get(m), EVALUATION[m]) for m in shown),
        )
        for row in rows
    ]
    title = "Frozen, on unseen worlds: mean [95 % interval]; failed = seeds below 95 % success"
    print_table(columns, cells, title=title, right=columns[3:])


def _usage(row: Mapping[str, Any]) -> str:
    """Return the resource that is used most, in parts of its limit."""
    limited = [(used / limit, name, used, limit) for name, used, limit, _ in row.get("usage") or () if limit]
    if not limited:
        return DASH
    _, name, used, limit = max(limited)
    return f"{name} {used:g}/{limit:g}"


def print_bench(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print the same brain on every chip: does it fit, does it find food, what does a decision cost."""
    columns = ("chip", "preset", "fits (fullest)", "success", "SPT", "loss", "energy/decision", "static+events+host")
    columns += ("steps/s on chip", "host p50/p99", "synops/decision")
    cells = []
    for row in rows:
        name = row["chip"] + (" \N{DAGGER}" if row.get("dagger") else "")
        if not row["fits"]:
            cells.append((name, DASH, "no", *[DASH] * (len(columns) - 3)))
            continue
        metrics, energy, host = row["metrics"], row.get("energy_per_decision"), row.get("host_latency_us")
        terms = "+".join(si(energy[k], "J") for k in ("static", "events", "host")) if energy else DASH
        cells.append(
            (
                name,
                row["preset"] or DASH,
                f"yes ({_usage(row)})",
                interval(metrics.get("success"), ".3f"),
                interval(metrics.get("SPT"), ".3f"),
                number(row.get("success_loss"), ".3f"),
                si(sum(energy.values()), "J") if energy else DASH,
                terms,
                si(row.get("steps_per_second"), "Hz").removesuffix("Hz").strip(),
                f"{host['p50']:.1f}/{host['p99']:.1f} \N{GREEK SMALL LETTER MU}s" if host else DASH,
                number(row.get("synops_per_decision"), ".1f"),
            )
        )
    print_table(columns, cells, title="The same brains on every chip", right=columns[3:])
    for row in {row["chip"]: row for row in rows}.values():
        if not row["fits"]:
            print(f"{row['chip']} cannot run it: {row['cause']}")
        print(f"{row['chip']}: {row['fidelity']}")
    if any(row.get("dagger") for row in rows):
        print("\N{DAGGER} rests on figures from memory or assumption: see the datasheet")
