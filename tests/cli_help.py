"""Runs the command line in this process and keeps what it printed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from insectbot.cli import main

FAKES = Path(__file__).with_name("loop_fakes.py")

FAST = f"""\
name = "line"
title = "A point walks on a line"
chip = "ideal"
[env]
id = "{FAKES}:LineEnv"
[controller]
name = "{FAKES}:Learner"
[training]
episodes = 2
seeds = [1, 2]
probe_worlds = 2
[evaluation]
episodes = 4
baselines = []
untrained_episodes = 2
"""
"""A scenario that trains in milliseconds."""

NETWORK = '''
import numpy as np
from insectbot.snn import LIF, Input, Network, PoissonInput, Population, Projection


class Big:
    """A brain with {n_inputs} inputs for each of two neurons."""

    learning = False

    def __init__(self):
        self.network = Network(
            inputs=(Input("sense", {n_inputs}, PoissonInput(50.0)),),
            populations=(Population("motor", 2, LIF()),),
            projections=(Projection.dense("sense", "motor", np.full((2, {n_inputs}), 0.1)),),
            outputs=("motor",),
            dt=1.0,
        )

    def attach(self, executable, n_ticks):
        self.executable, self.n_ticks = executable, n_ticks

    def reset(self, seed):
        self.executable.reset(seed)

    def act(self, observation):
        counts = self.executable.window(np.full({n_inputs}, 0.5, np.float32), self.n_ticks).counts
        return np.clip(counts / 10, 0, 1)

    def learn(self, reward, terminated):
        pass
'''
"""Source of a controller plugin with a network of chosen size."""


@dataclass(frozen=True)
class Outcome:
    """Exit code and what was printed."""

    code: int
    out: str
    err: str


class CommandLine:
    """``cli("run", "foraging")`` in a temporary working folder.

    Paths are relative to that folder; ``write`` puts a file there.
    """

    def __init__(self, folder: Path, capsys) -> None:
        self.folder, self._capsys = folder, capsys

    def __call__(self, *words: str) -> Outcome:
        self._capsys.readouterr()
        code = main([str(word) for word in words])
        printed = self._capsys.readouterr()
        return Outcome(code, printed.out, printed.err)

    def write(self, name: str, text: str) -> str:
        (self.folder / name).write_text(text)
        return name

    def files(self) -> set[str]:
        return {
            str(path.relative_to(self.folder)) for path in self.folder.rglob("*") if "__pycache__" not in path.parts
        }
