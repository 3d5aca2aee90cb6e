"""Training: the same bits for any number of workers, in any process, after any interruption; honest tables."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from insectbot import scenario as scenarios
from insectbot.errors import RunFolderError, Unsupported
from insectbot.loop import checkpoint
from insectbot.loop.runfolder import RunFolder
from insectbot.training.evaluate import evaluation_worlds
from insectbot.training.experiment import run_experiment
from insectbot.training.online import checkpoint_path, train, trained

TOML = """
name = "line"
[env]
id = "loop_fakes:LineEnv"
preset = "plain"
[controller]
name = "loop_fakes:Learner"
[training]
episodes = 4
seeds = 3
probe_worlds = 3
[evaluation]
episodes = 60
baselines = ["loop_fakes:follow"]
untrained_episodes = 10
[record]
train = 2
evaluate = 2
"""

CHILD = """
import sys
from insectbot import scenario
from insectbot.loop.runfolder import RunFolder
from insectbot.training.online import train
s = scenario.loads(open(sys.argv[1]).read())
train(s, RunFolder.open(sys.argv[2]), workers=1, resume=True)
"""


def new_run(folder, text=TOML, seed=1):
    return RunFolder.create("line", scenarios.dumps(scenarios.loads(text)), seed, root=folder, command=["test"])


def arrays(run):
    return {seed: {k: v.tobytes() for k, v in w.items()} for seed, w in trained(run).items()}


def checkpoints(run, seeds=(1, 2, 3)):
    found = [checkpoint.load(checkpoint_path(run.path, seed)) for seed in seeds]
    return [(json.dumps(c.meta), {k: v.tobytes() for k, v in c.arrays.items()}) for c in found]


def test_one_and_two_workers_give_the_same_bytes(tmp_path):
    found = []
    for workers in (1, 2):
        run = new_run(tmp_path / str(workers))
        summary = run_experiment(scenarios.loads(TOML), run, workers=workers, with_bench=False)
        summary.pop("wall_seconds")
        found.append((run.read_text("metrics.csv"), json.dumps(summary), checkpoints(run)))
    assert found[0] == found[1]


def test_resume_after_sigkill_is_bit_identical(tmp_path):
    whole = new_run(tmp_path / "whole")
    train(scenarios.loads(TOML), whole, workers=1)
    broken = new_run(tmp_path / "broken")
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent), "LOOP_FAKES_NAP": "0.01"}
    command = [sys.executable, "-c", CHILD, str(broken.file("scenario.toml")), str(broken.path)]
    child = subprocess.Popen(command, env=environment)
    deadline = time.monotonic() + 60
    while not checkpoint_path(broken.path, 2).exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.3)
    child.send_signal(signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL
    done = [len(checkpoint.load(p).meta["episodes"]) for p in sorted(broken.path.glob("checkpoints/seed_*.npz"))]
    assert done[0] == 4
    assert sum(done) < 12
    subprocess.run(command, env={**environment, "LOOP_FAKES_NAP": "0"}, check=True, timeout=60)
    assert checkpoints(broken) == checkpoints(whole)


def test_more_episodes_continue_a_finished_run(tmp_path):
    long = TOML.replace("episodes = 4", "episodes = 6")
    whole, grown = new_run(tmp_path / "a", long), new_run(tmp_path / "b")
    train(scenarios.loads(long), whole, workers=1)
    train(scenarios.loads(TOML), grown, workers=1)
    train(scenarios.loads(long), grown, workers=1, resume=True)
    assert checkpoints(grown) == checkpoints(whole)


def test_a_used_folder_and_a_foreign_checkpoint_are_refused(tmp_path):
    run = new_run(tmp_path)
    train(scenarios.loads(TOML), run, workers=1)
    with pytest.raises(RunFolderError, match="already holds checkpoints"):
        train(scenarios.loads(TOML), run, workers=1)
    foreign = scenarios.loads(TOML.replace("probe_worlds = 3", "probe_worlds = 2"))
    with pytest.raises(RunFolderError, match="belongs to another scenario"):
        train(foreign, run, workers=1, resume=True)


def test_a_damaged_checkpoint_is_one_sentence(tmp_path):
    run = new_run(tmp_path)
    train(scenarios.loads(TOML), run, workers=1)
    path = checkpoint_path(run.path, 2)
    whole = path.read_bytes()
    for damaged in (whole[: len(whole) // 2], whole[:300] + b"\xff" + whole[301:], b"", b"hello"):
        path.write_bytes(damaged)
        with pytest.raises(RunFolderError, match=r"checkpoint .*seed_0002.npz is damaged") as caught:
            train(scenarios.loads(TOML), run, workers=1, resume=True)
        assert "\n" not in str(caught.value)


def test_tables_show_trained_untrained_and_baselines(tmp_path):
    run = new_run(tmp_path)
    told = []
    summary = run_experiment(scenarios.loads(TOML), run, workers=1, with_bench=True, progress=told.append)
    rows = {row["controller"]: row for row in summary["tables"]["evaluation"]}
    assert list(rows) == ["loop_fakes:Learner", "untrained", "loop_fakes:follow"]
    assert rows["loop_fakes:Learner"]["n_episodes"] == 180
    assert rows["untrained"]["n_episodes"] == 30
    assert rows["loop_fakes:follow"]["n_seeds"] == 1
    assert rows["loop_fakes:follow"]["chip"] == ""
    # Speed 1 reaches a target within 2 in 20 steps of 0.1; the untrained speed of 0.1 never does.
    assert rows["loop_fakes:follow"]["metrics"]["success"][0] == 1.0
    assert rows["untrained"]["metrics"]["success"][0] == 0.0
    assert rows["untrained"]["n_failed_seeds"] == 3
    assert rows["untrained"]["metrics"]["T_ratio"] == [None, None, None]
    assert rows["loop_fakes:Learner"]["metrics"]["success"][0] > 0.5
    curve = summary["learning_curve"]
    assert curve["episode"] == [0, 1, 2, 3, 4]
    assert np.shape(curve["success"]) == (3, 5)
    assert [c[0] for c in curve["success"]] == [0.0, 0.0, 0.0]
    assert curve["SPT"][0][-1] > 0
    assert {p.stage for p in told} >= {"compile", "train", "evaluate"}
    training = [p for p in told if p.stage == "train"]
    assert [p.done for p in training] == sorted(p.done for p in training)
    assert (training[-1].done, training[-1].total) == (12, 12)
    assert not list(run.path.glob("checkpoints/*.txt"))
    weights = summary["weights"]["w"]
    assert weights["before"] == [[pytest.approx(0.11)], [pytest.approx(0.12)], [pytest.approx(0.13)]]
    assert weights["after"] == [[pytest.approx(float(w["w"][0]))] for w in trained(run).values()]
    text = run.file("summary.json").read_text()
    assert "NaN" not in text
    assert json.loads(text) == summary
    lines = run.read_text("metrics.csv").splitlines()
    assert len(lines) == 1 + 12 + 3 * 5 * 3 + 180 + 30 + 60


def test_training_validation_and_evaluation_worlds_are_disjoint(tmp_path):
    run = new_run(tmp_path)
    run_experiment(scenarios.loads(TOML), run, workers=1, with_bench=False)
    import csv

    by_phase = {}
    for row in csv.DictReader(run.read_text("metrics.csv").splitlines()):
        by_phase.setdefault(row["phase"], set()).add(int(row["world"]))
    assert len(by_phase["train"]) == 12
    assert len(by_phase["probe"]) == 3
    assert by_phase["evaluate"] == set(evaluation_worlds(scenarios.loads(TOML)))
    assert {phase: {world >> 29 for world in found} for phase, found in by_phase.items()} == {
        "train": {1},
        "probe": {2},
        "evaluate": {4},
    }
    assert not by_phase["train"] & by_phase["probe"]
    assert not by_phase["train"] & by_phase["evaluate"]
    assert not by_phase["probe"] & by_phase["evaluate"]


def test_a_probe_does_not_disturb_learning(tmp_path):
    probed, blind = new_run(tmp_path / "a"), new_run(tmp_path / "b")
    train(scenarios.loads(TOML), probed, workers=1)
    train(scenarios.loads(TOML.replace("probe_worlds = 3", "probe_worlds = 0")), blind, workers=1)
    assert arrays(probed) == arrays(blind)


def test_the_real_forager_is_the_same_in_parts_and_in_parallel(tmp_path):
    short = {"training.seeds": [3, 5], "training.probe_worlds": 2, "training.options.time_limit": 6.0}
    whole = scenarios.load("foraging", short | {"training.episodes": 3})
    part = scenarios.load("foraging", short | {"training.episodes": 1})
    runs = [new_run(tmp_path / name) for name in "ab"]
    results = train(whole, runs[0], workers=2)
    train(part, runs[1], workers=1)
    again = train(whole, runs[1], workers=1, resume=True)
    assert checkpoints(runs[0], (3, 5)) == checkpoints(runs[1], (3, 5))
    for a, b in zip(results, again, strict=True):
        assert repr(a.episodes) == repr(b.episodes)
        assert all(np.array_equal(a.weights[k], b.weights[k]) for k in a.weights)
    for result in results:
        assert max(np.abs(result.weights[k] - result.initial[k]).max() for k in result.weights) > 1e-3


def test_the_flip_world_remembers_its_count_after_a_resume(tmp_path):
    flip = {"training.seeds": [1], "training.probe_worlds": 0, "training.preset": "flip", "training.episodes": 4}
    flip |= {"training.options": {"flip_after": 2, "time_limit": 5.0}, "record.train": 0}
    whole, part = (scenarios.load("foraging", flip | {"training.episodes": n}) for n in (4, 1))
    runs = [new_run(tmp_path / name) for name in "ab"]
    train(whole, runs[0], workers=1)
    train(part, runs[1], workers=1)
    train(whole, runs[1], workers=1, resume=True)
    assert checkpoints(runs[0], (1,)) == checkpoints(runs[1], (1,))


def test_a_controller_that_cannot_learn_is_judged_once(tmp_path):
    text = TOML.replace("loop_fakes:Learner", "loop_fakes:follow").replace("seeds = 3", "seeds = 1")
    run = new_run(tmp_path, text)
    summary = run_experiment(scenarios.loads(text), run, workers=1)
    rows = summary["tables"]["evaluation"]
    assert [(row["controller"], row["n_episodes"]) for row in rows] == [("loop_fakes:follow", 60)]
    assert summary["tables"]["bench"] == []
    assert summary["weights"] == {}


def test_an_error_in_a_worker_arrives_as_it_is(tmp_path):
    text = TOML.replace('preset = "plain"', 'options = { gain = "fast" }')
    run = new_run(tmp_path, text)
    with pytest.raises(TypeError):
        train(scenarios.loads(text), run, workers=2)
    frozen = scenarios.load("foraging", {"chip": "truenorth", "training.seeds": 2, "training.episodes": 1})
    with pytest.raises(Unsupported, match="frozen"):
        train(frozen, new_run(tmp_path), workers=2)
