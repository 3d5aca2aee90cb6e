"""``insectbot speed``: how fast everything is on this machine, beside the bars the project holds itself to."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from insectbot.cli.bars import BARS, FULL_BARS, Bar, world_bars
from insectbot.cli.console import announcing_compilation, print_json, print_table, say
from insectbot.errors import ConfigurationError, UnknownNameError

ROOMS = {
    "env": "insectbot.envs.speed",
    "core": "insectbot.core.speed",
    "chip": "insectbot.chips.speed",
    "loop": "insectbot.training.speed",
}
"""Room -> module whose ``measure()`` returns named figures (process time, medians of repeats)."""

REPEATS = 3
"""Default number of repeats: everything is measured in about half a minute."""
Measured = dict[str, dict[str, float]]
_LATENCIES = (("p50", "p50_ms"), ("p99", "p99_ms"), ("p99.9", "p999_ms"), ("max", "max_ms"))


def measure_all(repeats: int = REPEATS) -> Measured:
    """Return the figures of every room, each the median of some repeats, one after the other in this process."""
    measured = {}
    for room, module in ROOMS.items():
        say(f"measuring {room} ...")
        with announcing_compilation():
            measured[room] = importlib.import_module(module).measure(repeats=repeats)
    return measured


def measure_full(repeats: int = REPEATS) -> Measured:
    """Return what takes longer: 10 M plastic synapses, two threads, event costs, the microcircuit, worlds, chips."""
    from insectbot.chips.speed import measure_chips
    from insectbot.core import speed
    from insectbot.core.cortex import microcircuit
    from insectbot.core.startup import start_up
    from insectbot.envs.speed import measure_worlds

    measured: Measured = {}
    with announcing_compilation():
        say("measuring W3: 10 million synapses, one and two threads ...")
        measured["w3"] = speed.measure_plastic(repeats)
        say("measuring W4: the cortical microcircuit at 10 % ...")
        for threads in (1, 2):
            found = speed.open_loop(lambda: microcircuit(0.1), threads=threads, repeats=repeats)
            measured.setdefault("w4", {}).update({f"wall_{threads}": found.wall, "rate_hz": found.rate})
        say("measuring the cost of synaptic events ...")
        rows = speed.event_costs()
        say("measuring every world ...")
        worlds = measure_worlds(repeats)
        say("measuring every chip ...")
        measured["chips"] = measure_chips(repeats)
    measured["event"] = {f"{r['synapses']:.0e}": r["ns"] for r in rows}
    measured["event machine"] = {f"{r['synapses']:.0e}": r["machine_ns"] for r in rows}
    say("measuring start-up ...")
    measured["start"] = start_up()
    names = {env_id: env_id.partition("/")[2] for env_id in worlds}
    measured["worlds"] = {f"{names[w]} {key}": rate for w, found in worlds.items() for key, rate in found.items()}
    return measured


def speed(as_json: bool, repeats: int = REPEATS, *, full: bool = False, out: Path | None = None) -> None:
    """Measure, and print a table or JSON; a missed bar is named, it is not an error.

    Parameters
    ----------
    as_json : bool
        Whether to print JSON.
    repeats : int
        Repeats; the median counts.
    full : bool
        Whether to measure the large networks, threads, event costs, start-up, every world and chip too (minutes).
    out : Path, optional
        Folder to write ``speed.json`` and ``speed.png`` to.

    Raises
    ------
    ConfigurationError
        ``repeats`` is less than 1.
    """
    if repeats < 1:
        raise ConfigurationError(f"--repeats {repeats}: must be at least 1")
    measured = measure_all(repeats) | (measure_full(repeats) if full else {})
    bars = BARS + (FULL_BARS + world_bars(measured["worlds"]) if full else ())
    kept = all(bar.holds(measured) for bar in bars)
    rows = [asdict(bar) | {"figure": bar.figure(measured), "reached": bar.holds(measured)} for bar in bars]
    document = {"measured": measured, "bars": rows, "reached": kept}
    if out is not None:
        _write(out, document)
    if as_json:
        print_json(document)
        return
    columns = ("what", "measured", "bar", "unit", "")
    print_table(columns, [_cells(bar, measured) for bar in bars], right=columns[1:3])
    for room, figures in measured.items():
        print(f"{room}: " + ", ".join(f"{key} {value:.4g}" for key, value in figures.items()))
    print(f"medians of {repeats}; everything in one run on this machine, one thread where not said")
    if out is not None:
        print(f"written: {out / 'speed.json'}, {out / 'speed.png'}")


def _write(folder: Path, document: dict[str, Any]) -> None:
    from insectbot.loop.files import write_text
    from insectbot.view.plot_speed import plot_speed

    folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / "speed.json", json.dumps(document, indent=1))
    plot_speed(document["bars"], folder / "speed.png")


def _cells(bar: Bar, measured: Mapping[str, Mapping[str, float]]) -> tuple[str, ...]:
    sign = "\N{LESS-THAN OR EQUAL TO}" if bar.at_most else "\N{GREATER-THAN OR EQUAL TO}"
    verdict = "reached" if bar.holds(measured) else "MISSED"
    return bar.what, f"{bar.figure(measured):.3g}", f"{sign} {bar.limit:g}", bar.unit, verdict


def realtime(seconds: float, as_json: bool) -> None:
    """Hold 10 000 plastic neurons to a period of 1 ms and print when each step was done.

    Raises
    ------
    ConfigurationError
        ``seconds`` is not positive.
    """
    from insectbot.core.speed import realtime as hold

    if not seconds > 0:
        raise ConfigurationError(f"--realtime {seconds}: must be above 0")
    with announcing_compilation():
        hold(0.05)
    say(f"holding 10 000 plastic neurons to a period of 1 ms for {seconds:g} s ...")
    found = hold(seconds)
    if as_json:
        print_json(found)
        return
    times = ", ".join(f"{name} {found[key]:.3f} ms" for name, key in _LATENCIES)
    print(f"{found['steps']:.0f} steps at {found['rate_hz']:.1f} Hz: {times}; {found['late']:.0f} late")
    print(f"the same loop without a network: {found['idle_late']:.0f} late, max {found['idle_max_ms']:.3f} ms")


def peers(python: str | None, repeats: int) -> None:
    """Run the benchmark beside the peer simulators, from a source checkout.

    Raises
    ------
    UnknownNameError
        There is no checkout around this installation.
    """
    script = Path(__file__).resolve().parents[2] / "benchmarks" / "peers" / "run.py"
    if not script.exists():
        raise UnknownNameError(
            "speed --peers: needs a source checkout, whose benchmarks/peers/run.py it starts; clone it"
        )
    command = [sys.executable, str(script), "--repeats", str(repeats)]
    command += ["--peer-python", python] if python else []
    subprocess.run(command, check=False)


def show_kernel(scenario: str = "foraging") -> None:
    """Print the source that was generated for the network of a scenario."""
    from insectbot.core.generate import generate
    from insectbot.core.structure import Structure
    from insectbot.scenario import load, make_controller, make_env

    what = load(scenario)
    controller: Any = make_controller(what, make_env(what), 0)
    print(generate(Structure.of(controller.network)))
