"""The tables of a summary as text."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from insectbot.cli.console import is_narrow, print_table
from insectbot.view.labels import chip_label

DASH = "\N{EN DASH}"
EVALUATION = {
    "success": ("success [95 %]", ".3f", True),
    "SPT": ("SPT [95 %]", ".2f", True),
    "T_ratio": ("T/T_opt", ".2f", False),
    "cost_ratio": ("cost/opt", ".2f", False),
    "exposure": ("exposure", ".2f", False),
    "collisions": ("collisions", ".1f", False),
}
"""Metric -> heading, format, and whether the interval is shown (the report shows all)."""
_ASIDE = ("reward", "time", "path", "T_opt", "cost", "cost_opt", "steps")
_MOST = 6


def shown_metrics(rows: Sequence[Mapping[str, Any]]) -> dict[str, tuple[str, str, bool]]:
    """Return the metrics that a table has room for: those of :data:`EVALUATION`, then the world's own in its order."""
    present = [
        m for row in rows for m, values in (row.get("metrics") or {}).items() if (values or [None])[0] is not None
    ]
    found = {m: EVALUATION[m] for m in EVALUATION if m in present}
    for metric in dict.fromkeys(present):
        if metric not in found and metric not in _ASIDE and len(found) < _MOST:
            found[metric] = (metric.replace("_", " "), ".3g", len(found) < 3)
    return found


def number(value: Any, form: str = ".3g") -> str:
    """Return a number as text, a dash for none."""
    return DASH if value is None or (isinstance(value, float) and math.isnan(value)) else format(value, form)


def estimate(values: Sequence[float | None] | None, form: str, with_interval: bool = True) -> str:
    """Return ``mean [low high]``, or the mean alone."""
    if not values or values[0] is None or math.isnan(values[0]):
        return DASH
    mean, low, high = (number(v, form) for v in values)
    return f"{mean} [{low} {high}]" if with_interval else mean


def si(value: float | None, unit: str) -> str:
    """Return a quantity with a prefix from pico to mega: ``1.2 uJ``, ``3.4 MHz``."""
    if value is None or math.isnan(value):
        return DASH
    if value == 0:
        return f"0 {unit}"
    for power, prefix in ((6, "M"), (3, "k"), (0, ""), (-3, "m"), (-6, "\N{GREEK SMALL LETTER MU}"), (-9, "n")):
        if abs(value) >= 0.9995 * 10**power:  # what rounds to 1000 takes the next prefix
            return f"{value / 10**power:.3g} {prefix}{unit}"
    return f"{value * 1e12:.3g} p{unit}"


def _seeds(row: Mapping[str, Any]) -> str:
    """Return ``8`` or ``8, 1 failed``; a controller that does not train has no seeds."""
    failed = f", {row['n_failed_seeds']} failed" if row["n_failed_seeds"] else ""
    return f"{row['n_seeds']}{failed}" if row["n_seeds"] > 1 else DASH


_WIDE = 118
"""Columns from which a table has room for intervals."""


def print_evaluation(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print who succeeded how often on worlds that no training has seen."""
    narrow = is_narrow(_WIDE)
    known = shown_metrics(rows)
    shown = [m for m in known if not (narrow and m == "T_ratio")]
    columns = ["controller", "preset", "chip", "seeds", "episodes"][: 4 if narrow else 5]
    columns += [known[m][0].removesuffix(" [95 %]") if narrow else known[m][0] for m in shown]
    cells = []
    for row in rows:
        facts = [row["controller"], row["preset"] or DASH, chip_label(row["chip"] or DASH), _seeds(row)]
        facts += [] if narrow else [str(row["n_episodes"])]
        for m in shown:
            _, form, with_interval = known[m]
            facts.append(estimate(row["metrics"].get(m), form, with_interval and not narrow))
        cells.append(facts)
    print_table(columns, cells, title="Frozen, on worlds that no training has seen", right=columns[4:])


BENCH: tuple[str, ...] = (
    "loss",
    "match",
    "J/decision",
    "real time",
    "steps/s",
    "host \N{GREEK SMALL LETTER MU}s",
    "synops",
)
"""Columns of the chip table after chip, preset and two metrics: loss of success against the first chip, share of output
spikes in agreement with the float network's, energy of a decision on a chip that runs as fast
as it can and on one that is held to real time, time steps per second on the chip, median and 99th percentile of the
time of one window on the host, synaptic operations per decision."""

_WIDE_ONLY = ("real time", "synops")


def print_bench(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print the same brain on every chip: does it fit, does it find food, what does a decision cost."""
    intervals = not is_narrow(_WIDE)
    known = shown_metrics(rows)
    metrics = {name: known[name] for name in list(known)[:2]}
    costs = [name for name in BENCH if intervals or name not in _WIDE_ONLY]
    headings = [what if intervals else what.removesuffix(" [95 %]") for what, *_ in metrics.values()]
    columns = ["chip", "preset", *headings, *costs]
    cells = [_bench_cells(row, metrics, costs, intervals) for row in rows]
    print_table(columns, cells, title="The same brains on every chip", right=columns[2:])
    told: set[str] = set()
    for row in {row["chip"]: row for row in rows}.values():
        print(_bench_note(row))
        if row["fidelity"] not in told:
            told.add(row["fidelity"])
            print(f"  {_first_sentence(row['fidelity'])}")
    for line in _die_spread(rows, next(iter(metrics), "success")):
        print(line)
    if any(row.get("dagger") for row in rows):
        print("\N{DAGGER} rests on figures from memory or assumption (its chip's datasheet says which)")


def _die_spread(rows: Sequence[Mapping[str, Any]], metric: str) -> list[str]:
    """Return how far the dies of an analog chip lie apart, one line per chip and preset."""
    found: dict[tuple[str, str], list[float]] = {}
    for row in rows:
        chip, at, die = str(row["chip"]).rpartition("@die=")
        if at and die.isdecimal() and row["fits"] and metric in row["metrics"]:
            found.setdefault((chip, row["preset"]), []).append(float(row["metrics"][metric][0]))
    what = metric.replace("_", " ")
    return [
        f"{chip_label(chip)} {preset}: {what} {min(v):.3g} to {max(v):.3g}, mean {sum(v) / len(v):.3g}, {len(v)} dies"
        for (chip, preset), v in found.items()
        if len(v) > 1
    ]


def _first_sentence(text: str) -> str:
    """Return what comes before the first colon, semicolon or full stop; the report has all of it."""
    first = re.split(r"[:;](?=\s)|\.(?=\s+[A-Z]|$)", text, maxsplit=1)[0]
    return f"{first}. (The rest is in the report.)" if len(first) + 1 < len(text) else text


def _bench_cells(
    row: Mapping[str, Any], metrics: Mapping[str, tuple[str, str, bool]], costs: Sequence[str], intervals: bool
) -> list[str]:
    chip = chip_label(row["chip"])
    if not row["fits"]:
        return [chip, DASH, "does not fit", *[DASH] * (len(metrics) - 1 + len(costs))]
    host = row.get("host_latency_us")
    texts = (
        number(row.get("success_loss"), "+.3f"),
        number(row.get("spike_match"), ".3f"),
        _marked(_joule(row.get("energy_per_decision")), row, "energy"),
        _marked(_joule(row.get("energy_realtime")), row, "energy"),
        _marked(si(row.get("steps_per_second"), ""), row, "time"),
        f"{host['p50']:.1f}/{host['p99']:.1f}" if host else DASH,
        number(row.get("synops_per_decision"), ".1f"),
    )
    found: dict[str, str] = dict(zip(BENCH, texts, strict=True))
    values = [estimate(row["metrics"].get(m), form, intervals) for m, (_, form, _) in metrics.items()]
    return [chip, row["preset"] or DASH, *values, *(found[name] for name in costs)]


def _joule(energy: Mapping[str, float] | None) -> str:
    return si(sum(energy.values()), "J") if energy else DASH


def _marked(text: str, row: Mapping[str, Any], kind: str) -> str:
    """Return a figure with a dagger where prices of its kind are memory or assumption."""
    doubtful = (row.get("daggers") or {}).get(kind)
    return f"{text} \N{DAGGER}" if doubtful and text != DASH else text


def _bench_note(row: Mapping[str, Any]) -> str:
    """Return the lines about a chip: why not, or how full and where the energy goes."""
    if not row["fits"]:
        return f"{chip_label(row['chip'])} cannot run it: {row['cause']}"
    usage = row.get("usage") or ()
    facts = [f"{used:g} of {limit:g} cores" for name, used, limit, _ in usage if name == "cores" and limit]
    limited = [(used / limit, name, used, limit) for name, used, limit, _ in usage if limit]
    if limited:
        _, name, used, limit = max(limited)
        facts.append(f"fullest resource {name} {used:g} of {limit:g}")
    for key, how in (("energy_per_decision", "as fast as it can"), ("energy_realtime", "held to real time")):
        if energy := row.get(key):
            terms = " + ".join(f"{si(energy[k], 'J')} {k}" for k in ("static", "events", "host"))
            facts.append(f"energy per decision {how} {terms}")
    if soft := {k: v for k, v in (row.get("soft_failures") or {}).items() if v}:
        facts.append("soft failures " + ", ".join(f"{k} {v:g}" for k, v in soft.items()))
    return f"{chip_label(row['chip'])}: {'; '.join(['it fits', *facts])}"
