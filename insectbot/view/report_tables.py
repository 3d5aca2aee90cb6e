"""The tables of the report: results, chips, environment."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from insectbot.view.labels import chip_label
from insectbot.view.markup import MISSING, Html, estimate, join, mapping, number, quantity, safe, table, tag
from insectbot.view.run_data import RunData

_METRICS = (
    ("success", "Success [%]", 0, 100.0),
    ("SPT", "SPT", 2, 1.0),
    ("T_ratio", "T / T<sub>opt</sub>", 2, 1.0),
    ("cost_ratio", "Cost ratio", 2, 1.0),
    ("exposure", "Exposure", 2, 1.0),
    ("collisions", "Collisions", 1, 1.0),
)

_ASIDE = ("reward", "time", "path", "T_opt", "cost", "cost_opt", "steps")

RESULT_NOTE = (
    "Mean with its 95 % interval. Success: share of unseen worlds in which the target was reached. SPT: success "
    "weighted by optimal time over time taken, 1 is optimal. T / T_opt: time over the planner's optimal time, of the "
    "successful episodes. Cost ratio: walking cost of the path over the best route's. Exposure: mean roughness along "
    "the path. Collisions: per episode. Failed seeds: seeds with a success below 95 %."
)


def result_table(run: RunData) -> Html:
    """Return all controllers by preset, with the trained one marked."""
    rows = sorted(run.rows, key=lambda row: _position(run, row))
    present = {key for row in rows for key in mapping(row.get("metrics"))}
    # Where cost counts, the time taken is a choice and not a result.
    hidden = {"T_ratio"} if "cost_ratio" in present else set()
    shown = [m for m in _METRICS if m[0] in present - hidden]
    order = dict.fromkeys(key for row in rows for key in mapping(row.get("metrics")))
    own = [key for key in order if key not in _ASIDE and key not in {m[0] for m in _METRICS}]
    shown += [(key, safe(key.replace("_", " ").capitalize()), 2, 1.0) for key in own][: max(0, 7 - len(shown))]
    columns: list[tuple[str, str]] = [("Controller", "text"), ("World", "text")]
    columns += [(Html(heading), "number") for _, heading, _, _ in shown]
    columns += [("Worlds", "number"), ("Seeds", "number"), ("Failed", "number")]
    body = [
        [
            row.get("controller", MISSING),
            row.get("preset") or MISSING,
            *(estimate(mapping(row.get("metrics")).get(key), digits, scale) for key, _, digits, scale in shown),
            _worlds(row),
            number(row.get("n_seeds"), 0),
            number(row.get("n_failed_seeds"), 0),
        ]
        for row in rows
    ]
    return table(columns, body, [row.get("controller") == run.learner for row in rows])


def _worlds(row: Mapping[str, Any]) -> str:
    """Return the number of worlds per seed."""
    episodes, seeds = row.get("n_episodes"), row.get("n_seeds")
    if not isinstance(episodes, int | float) or not isinstance(seeds, int | float) or not seeds:
        return MISSING
    return number(episodes / seeds, 0)


def _position(run: RunData, row: Mapping[str, Any]) -> tuple[int, int]:
    """Return the sorting key: presets in order of appearance; the trained controller, then untrained, then others."""
    presets = list(dict.fromkeys(r.get("preset") for r in run.rows))
    name = row.get("controller")
    rank = 0 if name == run.learner else 1 if "untrained" in str(name) else 2
    return presets.index(row.get("preset")), rank


def chip_table(run: RunData) -> Html:
    """Return one row per chip and preset, then what each chip's numbers rest on."""
    columns: list[tuple[str, str]] = [
        ("Chip", "text"),
        ("World", "text"),
        ("Fits", "text"),
        ("Cores", "number"),
        ("Success [%]", "number"),
        ("SPT", "number"),
        ("Loss [points]", "number"),
        ("Spike match", "number"),
        ("Energy per decision", "number"),
        ("in real time", "number"),
        ("Chip time", "number"),
        ("Ticks / s", "number"),
        ("Synops", "number"),
        ("Host latency", "number"),
    ]
    body = [_chip_row(row) for row in run.bench]
    return join([table(columns, body, dense=True), _statements(run)])


def _chip_row(row: Mapping[str, Any]) -> list[Any]:
    metrics, host = (mapping(row.get(k)) for k in ("metrics", "host_latency_us"))
    mark = "\N{DAGGER}" if row.get("dagger") and not _daggers(row) else ""
    joule, second = ("\N{DAGGER}" if _daggers(row).get(kind) else "" for kind in ("energy", "time"))
    p50, p99 = (quantity(host[p] * 1e-6, "s") if p in host else MISSING for p in ("p50", "p99"))
    latency = join([p50, tag("span", f"p99 {p99}", class_="terms")]) if host else MISSING
    speed = row.get("steps_per_second")
    return [
        tag("strong", f"{chip_label(str(row.get('chip', MISSING)))}{mark}"),
        row.get("preset") or MISSING,
        _fits(row),
        _cores(row),
        estimate(metrics.get("success"), 0, 100.0),
        estimate(metrics.get("SPT")),
        number(row.get("success_loss"), 1, 100.0),
        number(row.get("spike_match"), 3),
        _energy(mapping(row.get("energy_per_decision")), joule),
        _energy(mapping(row.get("energy_realtime")), joule),
        _marked(quantity(row.get("chip_time_per_decision"), "s"), second),
        _marked(quantity(speed, "").strip(), second) if speed is not None else MISSING,
        number(row.get("synops_per_decision"), 0),
        latency,
    ]


def _daggers(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return which prices of the chip are memory or assumption: kind -> paths in its datasheet."""
    return {kind: paths for kind, paths in mapping(row.get("daggers")).items() if paths}


def _marked(text: str, mark: str) -> str:
    return text if text == MISSING else text + mark


def _energy(energy: Mapping[str, Any], mark: str = "") -> Html:
    """Return the sum and, below it, static + events + host."""
    terms: list[Any] = [energy.get(term) for term in ("static", "events", "host")]
    if not all(isinstance(term, int | float) for term in terms):
        return safe(MISSING)
    parts = " + ".join(quantity(term, "J") for term in terms)
    return join([quantity(math.fsum(terms), "J") + mark, tag("span", parts, class_="terms")])


def _fits(row: Mapping[str, Any]) -> Html:
    if row.get("fits"):
        return safe("yes")
    return join([tag("strong", "no"), tag("span", f" {row.get('cause') or ''}", class_="cause")])


def _cores(row: Mapping[str, Any]) -> str:
    """Return used and available cores from the usage rows [resource, used, limit, where]."""
    for entry in row.get("usage") or ():
        if isinstance(entry, list | tuple) and len(entry) >= 3 and str(entry[0]).startswith("cores"):
            return f"{number(entry[1], 0)} / {number(entry[2], 0)}" if entry[2] is not None else number(entry[1], 0)
    return MISSING


def _published(entry: Mapping[str, Any]) -> str:
    """Return a published figure in words."""
    doubt = "\N{DAGGER}" if entry.get("evidence") in ("memory", "assumed") else ""
    return f"{entry.get('what')} {entry.get('value')} {entry.get('unit')}{doubt} ({entry.get('source')})"


def _statements(run: RunData) -> Html:
    """Return fidelity, fullest resources, soft failures and lost bits of each chip."""
    parts: list[Html] = []
    seen: dict[Any, Any] = {}
    told: dict[str, str] = {}
    for row in run.bench:
        seen.setdefault(row.get("chip"), row)
    for chip, row in seen.items():
        doubtful = _daggers(row)
        mark = "\N{DAGGER}" if row.get("dagger") and not doubtful else ""
        fidelity = str(row.get("fidelity") or "No statement of fidelity.")
        lines: list[Any] = [f"As {chip_label(told[fidelity])}." if fidelity in told else fidelity]
        told.setdefault(fidelity, str(chip))
        fullest = _fullest(row)
        if fullest:
            lines.append(f" Fullest resources: {fullest}.")
        if row.get("bits_lost") is not None:
            lines.append(f" Lost to quantisation: {_plain(row['bits_lost'])}.")
        soft = {k: v for k, v in mapping(row.get("soft_failures")).items() if v}
        if soft:
            lines.append(f" Soft failures: {_plain(soft)}.")
        for kind, paths in doubtful.items():
            names = ", ".join(str(path).rpartition(".")[2].replace("_", " ") for path in paths)
            lines.append(f" \N{DAGGER} From memory or assumed, of the prices in {kind}: {names}.")
        if published := [_published(mapping(entry)) for entry in row.get("literature") or ()]:
            lines.append(f" Literature, not this run: {'; '.join(published)}.")
        parts.append(join([tag("dt", f"{chip_label(str(chip))}{mark}"), tag("dd", *lines)]))
    note = Html("")
    if any(row.get("dagger") for row in run.bench):
        text = "\N{DAGGER} Rests on figures from memory or assumption; the chip's datasheet gives the source of each."
        note = tag("p", text, class_="note")
    return join([tag("dl", *parts), note])


def _fullest(row: Mapping[str, Any], most: int = 3) -> str:
    """Return the resources nearest to their limits as text."""
    shares = {}
    for entry in row.get("usage") or ():
        if not (isinstance(entry, list | tuple) and len(entry) >= 3):
            continue
        name, used, limit = entry[:3]
        if not (isinstance(used, int | float) and isinstance(limit, int | float) and limit > 0):
            continue
        found = (used / limit, f"{name} {number(used, 0)} of {number(limit, 0)}")
        shares[name] = max(found, shares.get(name, found))
    ranked = sorted(shares.values(), key=lambda s: -s[0])
    return ", ".join(text for _, text in ranked[:most])


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{k} {_plain(v)}" for k, v in value.items())
    if isinstance(value, float):
        return f"{value:.3g}"
    return str(value)


def environment_table(run: RunData) -> Html:
    """Return versions, processor and state of the checkout."""
    env = run.environment
    git = mapping(env.get("git"))
    changed = ", with changes" if git.get("changed") else ""
    commit = f"{str(git.get('commit', ''))[:12]}{changed}" if git.get("commit") else None
    count = env.get("cpu_count")
    cpu = f"{env['cpu']}{f', {count} logical processors' if count else ''}" if env.get("cpu") else None
    facts = [("Python", env.get("python")), ("System", env.get("system")), ("Processor", cpu), ("Commit", commit)]
    known = {"python", "system", "cpu", "cpu_count", "git", "versions"}
    facts += [(key, _plain(value)) for key, value in env.items() if key not in known]
    facts += list(mapping(env.get("versions")).items())
    cells = [tag("div", tag("dt", key), tag("dd", value)) for key, value in facts if value not in (None, "")]
    return tag("dl", *cells, class_="facts")
