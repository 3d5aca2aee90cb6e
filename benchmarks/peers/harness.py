"""What every peer script shares: arguments, one thread, timing, and one line of JSON on standard output."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import sys
from dataclasses import dataclass
from types import ModuleType
from typing import NoReturn

import numpy as np
from networks import standard
from standard import Standard
from timing import Measured

NOT_INSTALLED, UNSUPPORTED = 3, 4
_SIZES = {"w1": 1000, "w2": 4000, "w3": 10_000}
_SECONDS = {"w2": 1.0, "w3": 0.5}

# One thread each: simulators are imported later, and size their thread pools then.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[_name] = "1"

# Simulators and compilers print to standard output: that goes to standard error, and the result to the real one.
_RESULT = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)


@dataclass(frozen=True)
class Task:
    """What to run: network, size, plasticity, kind of synapses of W2, and for how long."""

    peer: str
    net: str
    n: int
    plastic: bool
    kind: str | None
    steps: int | None
    seconds: float

    def network(self) -> Standard:
        """Build the network."""
        return standard(self.net, self.n, plastic=self.plastic, kind=self.kind)


def arguments(peer: str) -> Task:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=f"Run one standard network in {peer}; prints one line of JSON.")
    parser.add_argument("--net", choices=("w1", "w2", "w3"), required=True)
    parser.add_argument("--n", type=int, help="neurons (default 1000, 4000, 10000)")
    parser.add_argument("--plastic", action="store_true", help="pair STDP on the excitatory synapses (w1, w3)")
    parser.add_argument("--kind", choices=("cuba", "coba"), help="synapses of w2 (default cuba)")
    parser.add_argument("--steps", type=int, help="timed steps of w1 (default 2000)")
    parser.add_argument("--seconds", type=float, help="biological time of w2 and w3 (default 1, 0.5)")
    a = parser.parse_args()
    if a.plastic and a.net == "w2":
        parser.error("w2 has no plastic variant")
    kind = (a.kind or "cuba") if a.net == "w2" else None
    return Task(peer, a.net, a.n or _SIZES[a.net], a.plastic, kind, a.steps, a.seconds or _SECONDS.get(a.net, 0))


def need(task: Task, module: str, how: str) -> ModuleType:
    """Import a peer, or exit with one sentence."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        _leave(NOT_INSTALLED, f"{task.peer}: not installed: {how} ({error})")


def unsupported(task: Task, why: str) -> NoReturn:
    """Exit with one sentence, because the peer cannot run this network."""
    _leave(UNSUPPORTED, f"{task.peer}: not run: {why}")


def report(
    task: Task, net: Standard, version: str, build_s: float, m: Measured, bytes_per_synapse: float | None = None
) -> None:
    """Print the result."""
    us = None if m.step_ns is None else m.step_ns * 1e-3
    line = {
        "peer": task.peer,
        "version": version,
        "net": task.net,
        "n": net.n,
        "plastic": task.plastic,
        "kind": task.kind,
        "build_s": round(build_s, 3),
        "us_median": None if us is None else round(float(np.median(us)), 3),
        "us_p99": None if us is None else round(float(np.percentile(us, 99)), 3),
        "rtf": float(f"{m.wall_s / m.biological_s:.4g}"),
        "rate_hz": round(m.rate_hz, 3),
        "n_synapses": net.n_synapses,
        "wall_s": float(f"{m.wall_s:.4g}"),
        "cpu_s": float(f"{m.cpu_s:.4g}"),
        "bytes_per_synapse": bytes_per_synapse,
        "biological_s": m.biological_s,
        "python": platform.python_version(),
    }
    print(json.dumps(line), file=_RESULT, flush=True)


def _leave(code: int, why: str) -> NoReturn:
    print(" ".join(why.split()), file=sys.stderr)
    raise SystemExit(code)
