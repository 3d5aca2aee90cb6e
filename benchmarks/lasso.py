"""LASSO on spiking chips: ``python benchmarks/lasso.py [--chips loihi,ideal] [--sizes 8x16] [--seeds 20]``.

Random problems of growing size are solved by the spiking locally competitive algorithm on the float core and on every
emulated chip that can say one of its circuits; a chip that cannot is quoted. Error and objective against the exact
optimum over the time T, spikes, synaptic operations, the chip's own model of time and energy, and the multiply-adds
that coordinate descent and FISTA need for the same error. Seeds 0 to 9 chose the rates; seeds from 100 on are judged.
Without options it writes benchmarks/results/lasso.json and docs/pictures/lasso.png; with some, only what --out names.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from insectbot.chips import datasheet
from insectbot.chips.catalogue import chip
from insectbot.controllers.circuits.lca import coefficients, drive, lca, lca_by_spikes
from insectbot.controllers.lasso import Lasso, coordinate_descent, fista, solve, sparse_problem, work_to
from insectbot.core.simulator import Simulator
from insectbot.errors import DoesNotFit, InsectbotError, UnknownNameError, Unsupported
from insectbot.loop.files import jsonable
from insectbot.protocols import Executable
from insectbot.snn import LIF, CurrentInput, Input, Network, Population, Projection
from insectbot.training.statistics import bootstrap

ROOT = Path(__file__).parents[1]
TIMES = (50, 100, 200, 500, 1000)
"""T: spikes of a unit whose coefficient is 1; the finest coefficient is 1 / T."""
SIZES = ("8x16", "64x128", "256x512")
FIRST_SEED, SEEDS, FEW = 100, 20, 5
"""First judged seed; how many; how many of problems with more than MANY elements."""
MANY = 256
SLOW_RATES, FAST_RATES = (1, 2, 5, 10, 20, 50, 100), (25, 50, 100, 200, 300, 400)
LONGEST_LEAK = {"spinnaker": 3.2e4}
"""Longest membrane time constant [ms] where a chip's numbers end below that of :func:`lca`."""


@dataclass(frozen=True)
class Form:
    """One circuit: how it is built for a problem and a chip, its rate of coefficient 1 [Hz], and its drive."""

    build: Callable[[Lasso, float, str], Network]
    rate: float
    analog: bool


def _zero(p: Lasso, rate: float, chip_name: str) -> Network:
    tau_m = LONGEST_LEAK.get(chip_name, 1e6)
    return lca(p.dictionary, p.penalty, rate=rate, reset="zero", tau_m=tau_m)


@cache
def takes_currents(name: str) -> bool:
    """Return whether a chip takes analog current, without which its clock is an input."""
    cell = Population("cell", 1, LIF())
    probe = Network((Input("in", 1, CurrentInput()),), (cell,), (Projection.dense("in", "cell", [[1.0]]),), ("cell",))
    return name == "ideal" or not any("CurrentInput" in reason for reason in chip(name).check(probe))


def _spikes(unit: str, words: int) -> Callable[[Lasso, float, str], Network]:
    def build(p: Lasso, rate: float, name: str) -> Network:
        clock = "neuron" if takes_currents(name) else "input"
        return lca_by_spikes(p.dictionary, p.signal, p.penalty, rate=rate, unit=unit, words=words, clock=clock)

    return build


FORMS = {
    "reset by subtraction": Form(lambda p, rate, _: lca(p.dictionary, p.penalty, rate=rate), 50.0, True),
    "reset to zero": Form(_zero, 5.0, True),
    "by spikes, subtraction": Form(_spikes("IF", 1), 200.0, False),
    "in the current": Form(_spikes("current", 1), 200.0, False),
    "in the current, two words": Form(_spikes("current", 2), 200.0, False),
}
"""The circuits of controllers/circuits/lca.py by name."""


def backend(name: str) -> Any:
    """Return the float core or a chip; raises UnknownNameError."""
    return Simulator() if name == "ideal" else chip(name)


def compiled(name: str, network: Network, seed: int) -> Executable:
    """Return a network on a chip, its die drawn from the seed; raises Unsupported or DoesNotFit with all reasons."""
    target = backend(name)
    if name != "ideal" and (reasons := target.check(network)):
        raise Unsupported("; ".join(reasons))
    return target.compile(network, seed=seed)


def spent(executable: Executable) -> list[float]:
    """Return what was spent so far, in the order of SPENT."""
    c = executable.counters()
    joules = (0.0, 0.0, 0.0) if c.energy is None else (c.energy.static, c.energy.events, c.energy.host)
    return [c.ticks, c.spikes, c.synops, sum(c.soft_failures.values()), c.chip_time or 0.0, *joules]


def run(name: str, form: Form, problem: Lasso, best: npt.NDArray, seed: int, rate: float | None = None) -> list[Any]:
    """Run a circuit to every T; return rows (largest error, relative excess of the objective, *spent)."""
    f = rate or form.rate
    executable = compiled(name, form.build(problem, f, name), seed)
    values = drive(problem.signal) if form.analog else [1.0]
    floor, counts, done, rows = problem.objective(best), np.zeros(best.size), 0, []
    for t in TIMES:
        ticks = round(1000.0 * t / f) - done
        counts = counts + executable.window(values, ticks).counts
        done += ticks
        a = coefficients(counts, done, f)
        rows.append([np.abs(a - best).max(), problem.objective(a) / floor - 1.0, *spent(executable)])
    return rows


SPENT = ("ticks", "spikes", "synops", "soft_failures", "chip_s", "static_J", "events_J", "host_J")


def table_row(name: str, form: str, rows: npt.NDArray, works: npt.NDArray) -> dict[str, Any]:
    """Return the numbers of a chip and a circuit; ``rows`` [seeds, times, values], ``works`` [seeds, times, 2]."""
    errors = rows[:, :, 0]
    intervals = [bootstrap(errors[:, k]) for k in range(len(TIMES))]
    means = {key: rows[:, :, 2 + k].mean(0) for k, key in enumerate(SPENT)}
    work = {method: np.rint(works[:, :, k].mean(0)).astype(int) for k, method in enumerate(("descent", "fista"))}
    return {
        "chip": name,
        "circuit": form,
        "rate_Hz": FORMS[form].rate,
        "error": [[round(v, 5) for v in i] for i in intervals],
        "worst_error": errors.max(0).round(5),
        "error_by_seed": errors[:, -1].round(5),
        "excess": [float(f"{v:.3g}") for v in rows[:, :, 1].mean(0)],
        **{key: [float(f"{v:.4g}") for v in mean] for key, mean in means.items()},
        "multiply_adds_to_this_error": work,
        **doubt(name),
    }


def doubt(name: str) -> dict[str, Any]:
    """Return whether prices of energy and of time rest on memory or assumption (a dagger)."""
    if name == "ideal":
        return {}
    target = chip(name)
    start = f"prices.{target.prices.name}."
    found = [path for path, figure in target.sheet.figures.items() if figure.dagger]
    return {f"{kind}_dagger": any(p.startswith(start + kind) for p in found) for kind in ("energy", "time")}


def measure(size: str, names: Sequence[str], n_seeds: int) -> dict[str, Any]:
    """Return all rows of one size of problem, and what chips refuse."""
    m, n = (int(v) for v in size.split("x"))
    seeds = range(FIRST_SEED, FIRST_SEED + n_seeds)
    problems = [sparse_problem(m, n, seed=s) for s in seeds]
    bests = [solve(p) for p in problems]
    rows, refused = [], {}
    for name in names:
        causes = {}
        for label, form in FORMS.items():
            try:
                found = np.array([run(name, form, p, b, s) for p, b, s in zip(problems, bests, seeds, strict=True)])
            except (Unsupported, DoesNotFit) as error:
                causes[label] = str(error)
                continue
            works = [[_work(p, b, e) for e in f[:, 0]] for p, b, f in zip(problems, bests, found, strict=True)]
            rows.append(table_row(name, label, found, np.array(works)))
            e = rows[-1]["error"][-1]
            print(f"{size:>8} {name:<12} {label:<26} error {e[0]:.4f} [{e[1]:.4f}, {e[2]:.4f}]", flush=True)
        if causes:
            refused[name] = {label: shortened(cause) for label, cause in causes.items()}
        if len(causes) == len(FORMS):
            nearest = min(causes.values(), key=lambda cause: cause.count("; "))
            print(f"{size:>8} {name:<12} cannot: {shortened(nearest)}", flush=True)
    active = [int((b > 0).sum()) for b in bests]
    return {
        "size": size,
        "seeds": [seeds.start, seeds.stop - 1],
        "active": [min(active), max(active)],
        "violation": max(p.violation(b) for p, b in zip(problems, bests, strict=True)),
        "setup_multiply_adds": problems[0].setup,
        "rows": rows,
        "refused": refused,
    }


def _work(problem: Lasso, best: npt.NDArray, error: float) -> list[int]:
    return [work_to(method(problem), best, max(error, 1e-9)) for method in (coordinate_descent, fista)]


def shortened(cause: str, most: int = 240) -> str:
    """Return what fits of a refusal."""
    return cause if len(cause) <= most else cause[: most - 3] + "..."


def resets(n_seeds: int) -> list[dict[str, Any]]:
    """Return the error at the longest T against the rate: what a reset to zero loses, on Loihi and without its bits."""
    out = []
    problems = [sparse_problem(8, 16, seed=FIRST_SEED + k) for k in range(n_seeds)]
    bests = [solve(p) for p in problems]
    for label, rates in (("reset to zero", SLOW_RATES), ("in the current, two words", FAST_RATES)):
        for name in ("ideal", "loihi"):
            for rate in rates:
                found = [
                    run(name, FORMS[label], p, b, FIRST_SEED, rate)[-1] for p, b in zip(problems, bests, strict=True)
                ]
                error = [round(v, 5) for v in bootstrap(row[0] for row in found)]
                out.append({"chip": name, "circuit": label, "rate_Hz": rate, "ticks": found[0][2], "error": error})
    return out


def parsed(arguments: Sequence[str]) -> argparse.Namespace:
    """Return the options; raises UnknownNameError or InsectbotError for one that is not accepted."""
    families = [name for name in datasheet.names() if "-" not in name]
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0], allow_abbrev=False)
    parser.add_argument(
        "--chips", default=",".join(["ideal", *families]), help="comma-separated (default: %(default)s)"
    )
    parser.add_argument("--sizes", default=",".join(SIZES), help="signal x dictionary, comma-separated (%(default)s)")
    parser.add_argument(
        "--seeds", type=int, default=SEEDS, help=f"problems (%(default)s); {FEW} beyond {MANY} elements"
    )
    parser.add_argument("--out", type=Path, help="JSON file to write")
    options = parser.parse_args(arguments)
    options.chips, options.sizes = options.chips.split(","), options.sizes.split(",")
    for name in options.chips:
        if name != "ideal" and name not in datasheet.names():
            known = ", ".join(["ideal", *datasheet.names()])
            raise UnknownNameError(f"--chips: {name!r} is not known, only {known}")
    for size in options.sizes:
        if not re.fullmatch(r"[1-9]\d{0,3}x[1-9]\d{0,3}", size) or int(size.split("x")[1]) < 2:
            raise InsectbotError(
                f"--sizes: {size!r} is no size; write signal x dictionary, 2 elements or more, as 8x16"
            )
    if options.out is not None and not options.out.absolute().parent.is_dir():
        raise InsectbotError(f"--out: there is no folder {options.out.parent}")
    if not 1 <= options.seeds <= 1000:
        raise InsectbotError(f"--seeds: {options.seeds} must lie between 1 and 1000")
    return options


def main(arguments: Sequence[str]) -> int:
    """Run the benchmark; 2 for an option that is not accepted."""
    try:
        options = parsed(arguments)
        sizes = []
        for size in options.sizes:
            big = int(size.split("x")[1]) > MANY
            sizes.append(measure(size, options.chips, min(options.seeds, FEW) if big else options.seeds))
        result = {"times": TIMES, "sizes": sizes}
        if not arguments:
            result["resets"] = resets(options.seeds)
            from lasso_figure import draw

            draw(result, ROOT / "docs" / "pictures" / "lasso.png")
        out = options.out or (None if arguments else ROOT / "benchmarks" / "results" / "lasso.json")
        if out is not None:
            text = json.dumps(jsonable(result), separators=(",", ":"))
            out.write_text(re.sub(r'(,)(\{"chip"|\{"size"|"refused")', r"\1\n\2", text) + "\n", "utf-8")
            print(f"wrote {out}")
    except (InsectbotError, OSError) as error:
        print(f"lasso: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
