"""Compare insectbot with its peers: ``python benchmarks/peers/run.py`` (see README.md)."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from cases import OURS, PEERS, Case, cases
from collect import Collected, Plan, collect
from compare import Row, compare
from table import text


def main() -> None:
    """Run, print the table, write ``peers.json`` and the figure."""
    args = _arguments()
    if args.cpu is not None:
        os.sched_setaffinity(0, {args.cpu})  # children inherit it
    began = os.getloadavg()
    chosen = cases(args.nets, args.sizes)
    options = ["--steps", str(args.steps)] if args.steps else []
    options += ["--seconds", str(args.seconds)] if args.seconds else []
    plan = Plan(_pythons(args), args.repeats, args.timeout, options)
    found = collect(chosen, plan)
    rows = compare(found, chosen)
    print(text(found, rows))
    args.out.mkdir(parents=True, exist_ok=True)
    record = _record(found, rows, args.repeats, began)
    (args.out / "peers.json").write_text(json.dumps(record, indent=1) + "\n")
    if rows:
        from picture import draw

        draw(rows, args.out)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nets", nargs="+", choices=("w1", "w2", "w3"), default=["w1", "w2", "w3"])
    parser.add_argument("--sizes", nargs="+", type=int, default=[100, 1000, 10_000], help="neurons of W1")
    parser.add_argument("--peers", nargs="+", choices=tuple(PEERS), default=list(PEERS))
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--python", default=sys.executable, help="interpreter with insectbot")
    parser.add_argument(
        "--peer-python",
        action="append",
        default=[],
        metavar="[PEER=]PATH",
        help="interpreter of all peers, or of one; may be repeated (default: --python)",
    )
    parser.add_argument("--steps", type=int, help="timed steps of W1")
    parser.add_argument("--seconds", type=float, help="biological seconds of W2 and W3")
    parser.add_argument("--timeout", type=float, default=1800, help="seconds for one run")
    parser.add_argument("--cpu", type=int, help="pin everything to this core (Linux)")
    parser.add_argument("--out", type=Path, default=Path("runs/peers"))
    args = parser.parse_args()
    for given in args.peer_python:
        peer, separator, _ = given.partition("=")
        if separator and peer not in PEERS:
            parser.error(f"--peer-python {given}: {peer!r} is not one of {', '.join(PEERS)}")
    return args


def _pythons(args: argparse.Namespace) -> dict[str, str]:
    """Return the interpreter of each chosen peer."""
    given = [g.rpartition("=") for g in args.peer_python]
    everyone = [path for peer, _, path in given if not peer]
    alone = {peer: path for peer, _, path in given if peer}
    default = everyone[-1] if everyone else args.python
    return {peer: args.python if peer == OURS else alone.get(peer, default) for peer in args.peers}


def _record(found: Collected, rows: dict[Case, Row], repeats: int, load: tuple[float, ...]) -> dict[str, Any]:
    return {
        "system": {
            "processor": _processor(),
            "cores": os.cpu_count(),
            "system": f"{platform.system()} {platform.machine()}",
            "load_before": round(load[0], 2),
            "load_after": round(os.getloadavg()[0], 2),
        },
        "repeats": repeats,
        "table": [
            {"case": case.label, "unit": case.unit, "peer": peer, **asdict(cell)}
            for case, row in rows.items()
            for peer, cell in row.items()
        ],
        "skipped": found.reasons(),
        "runs": [
            {"case": case.label, "repeat": k, **result}
            for (case, _), results in found.results.items()
            for k, result in enumerate(results)
        ],
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


if __name__ == "__main__":
    main()
