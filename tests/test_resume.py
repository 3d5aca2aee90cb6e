"""Ctrl-C and ``kill -9`` in the middle of real training with two workers: a resumed run ends as if nothing had been."""

import os
import signal
import subprocess
import sys
import time

import pytest

from insectbot.loop import checkpoint
from insectbot.training.online import checkpoint_path

N_EPISODES = 120
TRAIN = ["train", "foraging", "-n", str(N_EPISODES), "--seeds", "2", "--workers", "2", "--no-bench", "--no-report"]
SMALL = {
    "training.options.time_limit": "4.0",
    "training.probe_worlds": "1",
    "evaluation.options.time_limit": "4.0",
    "evaluation.episodes": "3",
    "evaluation.presets": "['smooth']",
    "evaluation.baselines": "[]",
    "evaluation.untrained": "false",
}
TRAIN += [word for key, value in SMALL.items() for word in ("--set", f"{key}={value}")]
SEEDS = (1, 2)


def start(folder, *words):
    """Start insectbot in a process group of its own, as a shell does."""
    command = [sys.executable, "-m", "insectbot", *words]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, cwd=folder, text=True, start_new_session=True, **pipes)


def finish(folder, *words):
    child = start(folder, *words)
    _, err = child.communicate(timeout=120)
    assert child.returncode == 0, err


def episodes_done(run):
    """Return the number of episodes in the checkpoint of each seed."""
    paths = [checkpoint_path(run, seed) for seed in SEEDS]
    return [len(checkpoint.load(path).meta["episodes"]) if path.exists() else 0 for path in paths]


def run_in(folder):
    (run,) = folder.glob("runs/foraging/2*")
    return run


def halfway(folder):
    """Wait until both seeds have trained for some episodes; return the run folder."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if list(folder.glob("runs/foraging/2*")) and min(episodes_done(run_in(folder))) >= 4:
            return run_in(folder)
        time.sleep(0.01)
    raise AssertionError("training did not begin")


def outcome(run):
    """Return everything that may not depend on an interruption: all episodes, all checkpoints."""
    found = [checkpoint.load(checkpoint_path(run, seed)) for seed in SEEDS]
    brains = [({k: v.tobytes() for k, v in c.arrays.items()}, repr(c.meta)) for c in found]
    return (run / "metrics.csv").read_bytes(), brains


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The outcome of a run that nothing has interrupted."""
    folder = tmp_path_factory.mktemp("whole")
    finish(folder, *TRAIN)
    return outcome(run_in(folder))


def interrupt(child):
    os.killpg(child.pid, signal.SIGINT)  # a terminal sends Ctrl-C to the whole group


def kill(child):
    child.kill()  # only the parent: its workers have to notice


@pytest.mark.parametrize(("stop", "code"), [(interrupt, 130), (kill, -signal.SIGKILL)])
def test_a_resumed_run_of_the_forager_is_bit_identical(tmp_path, whole, stop, code):
    child = start(tmp_path, *TRAIN)
    run = halfway(tmp_path)
    stop(child)
    _, err = child.communicate(timeout=20)  # until the last worker has closed its end
    assert child.returncode == code, err
    assert "Traceback" not in err
    assert min(episodes_done(run)) < N_EPISODES
    finish(tmp_path, "train", "--resume", str(run), "--workers", "2", "--no-bench", "--no-report")
    assert episodes_done(run) == [N_EPISODES] * 2
    assert outcome(run) == whole
