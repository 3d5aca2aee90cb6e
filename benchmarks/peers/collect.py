"""Run the peers' scripts in their interpreters, interleaved, and keep what they print."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cases import PEERS, Case
from harness import NOT_INSTALLED, UNSUPPORTED

HERE = Path(__file__).parent
Result = dict[str, Any]


@dataclass(frozen=True)
class Plan:
    """How to run: an interpreter for each peer, repeats, time limit [s], options that every script gets."""

    pythons: dict[str, str]
    repeats: int
    timeout: float
    options: list[str] = field(default_factory=list)


@dataclass
class Collected:
    """Results by (case, peer), one for each repeat, and why the others are missing."""

    results: dict[tuple[Case, str], list[Result]] = field(default_factory=dict)
    skipped: dict[tuple[Case, str], str] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)
    """Peer -> why it is not there at all."""

    def peers(self) -> list[str]:
        """Return the peers that ran anything, in the order of the columns."""
        ran = {peer for _, peer in self.results}
        return [peer for peer in PEERS if peer in ran]

    def reasons(self) -> list[str]:
        """Return why something is missing, each reason once, with the networks it concerns."""
        labels: dict[str, list[str]] = {}
        for (case, peer), why in self.skipped.items():
            if peer not in self.absent:
                labels.setdefault(why, []).append(case.label)
        return [*self.absent.values(), *(f"{why} ({', '.join(cases)})" for why, cases in labels.items())]


def collect(chosen: list[Case], plan: Plan) -> Collected:
    """Run every case in every peer, ``repeats`` times: the peers alternate, so that a busy spell hits all of them."""
    found = Collected()
    for repeat in range(plan.repeats):
        for case, peer in _open(chosen, plan, found):
            print(f"[{repeat + 1}/{plan.repeats}] {case.label}: {peer} ... ", end="", file=sys.stderr, flush=True)
            code, output = _run(case, peer, plan)
            if code == 0:
                found.results.setdefault((case, peer), []).append(json.loads(output))
                print("done", file=sys.stderr)
            else:
                print(output, file=sys.stderr)
                found.skipped[case, peer] = output
            if code == NOT_INSTALLED:
                found.absent[peer] = output
    return found


def _open(chosen: list[Case], plan: Plan, found: Collected) -> Iterator[tuple[Case, str]]:
    """Go through what is still worth running."""
    for case in chosen:
        for peer in plan.pythons:
            if peer not in found.absent and (case, peer) not in found.skipped:
                yield case, peer


def _run(case: Case, peer: str, plan: Plan) -> tuple[int, str]:
    """Return the exit code and the result line, or what went wrong in one sentence."""
    command = [plan.pythons[peer], str(HERE / PEERS[peer]), *case.arguments(), *plan.options]
    environment = os.environ | {"PYTHONWARNINGS": "ignore"}
    # A session of its own, so that compilers and programs that the script started can be stopped with it.
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, start_new_session=True
    ) as child:
        try:
            output, errors = child.communicate(timeout=plan.timeout)
        except BaseException as stopped:
            os.killpg(child.pid, signal.SIGKILL)
            if isinstance(stopped, subprocess.TimeoutExpired):
                return 1, f"{peer}: stopped after {plan.timeout:.0f} s"
            raise
    if child.returncode == 0:
        return 0, output
    last = (errors.strip().splitlines() or ["no message"])[-1]
    if child.returncode in (NOT_INSTALLED, UNSUPPORTED):
        return child.returncode, last
    return child.returncode, f"{peer}: failed: {last}"
