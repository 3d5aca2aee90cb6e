"""Flip: probes follow the clock of the training world, and the forager learns its way back."""

import numpy as np

from insectbot import scenario as scenarios
from insectbot.loop.runfolder import RunFolder
from insectbot.training.evaluate import Entry, evaluate
from insectbot.training.online import train

AFTER, EPISODES = 3, 7
SMALL = {"env.options": {"flip_after": AFTER, "planner": False}, "record.train": 0, "training.probe_worlds": 6}


def run_folder(path, scenario):
    path.mkdir()
    return RunFolder.create("flip", scenarios.dumps(scenario), 1, root=path, command=["test"])


def flip(episodes=EPISODES, seeds=(1,), **more):
    return scenarios.load("flip", {**SMALL, "training.episodes": episodes, "training.seeds": list(seeds), **more})


def success(probes):
    return [float(np.mean([row.metrics["success"] for row in rows])) for rows in probes]


def test_a_forager_finds_its_way_back_after_the_flip(tmp_path):
    scenario = flip()
    (result,) = train(scenario, run_folder(tmp_path / "a", scenario), workers=1)
    curve = success(result.probes)
    assert curve[AFTER - 1] >= 0.9  # the old world, learned
    assert curve[AFTER] <= 0.4  # the same learner in the new world
    assert max(curve[AFTER + 1 :]) >= 0.9
    assert curve[-1] >= 0.8
    before = result.probes[AFTER - 1]
    assert [row.world for row in before] == [row.world for row in result.probes[-1]]
    signs = [np.sign(result.weights["target->motors"]).tolist()]
    assert signs == [[1.0, -1.0, -1.0, 1.0]]  # turns away from the cue


def test_probes_of_a_resumed_run_are_those_of_an_uninterrupted_one(tmp_path):
    quick = {"evaluation.options": {"time_limit": 20.0}, "training.options.time_limit": 5.0}
    runs = [run_folder(tmp_path / name, flip()) for name in "ab"]
    (whole,) = train(flip(5, **quick), runs[0], workers=1)
    for episodes in (1, 4):
        train(flip(episodes, **quick), runs[1], workers=1, resume=True)
    (part,) = train(flip(5, **quick), runs[1], workers=1, resume=True)
    assert repr(part.probes) == repr(whole.probes)
    assert repr(part.episodes) == repr(whole.episodes)


def test_reset_options_of_the_evaluation_still_rule_the_probes(tmp_path):
    def first(path, **more):
        scenario = flip(0, **{"controller.name": "taxis", "controller.options": {}, **more})
        (result,) = train(scenario, run_folder(path, scenario), workers=1)
        return success(result.probes)[0]

    assert first(tmp_path / "a") == 1.0
    assert first(tmp_path / "b", **{"evaluation.reset": {"flip": True}}) <= 0.35


def test_the_final_judgement_is_in_the_flipped_world():
    scenario = flip()
    rows = evaluate(scenario, [Entry("taxis", "taxis", options={})], episodes=6, workers=1)
    assert np.mean([row.metrics["success"] for row in rows]) <= 0.35
