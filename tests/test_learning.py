"""The claims of the README, on worlds that no training has used: all seeds, with controls."""

from __future__ import annotations

import numpy as np
import pytest

from insectbot.loop.runfolder import RunFolder
from insectbot.scenario import dumps, load
from insectbot.training.evaluate import Entry, evaluate
from insectbot.training.online import train


def learned(tmp_path, name, seeds, **overrides):
    """Train a shipped scenario without probes; return it and the brains."""
    changes = {"training.seeds": seeds, "training.probe_worlds": 0, "record.train": 0} | overrides
    scenario = load(name, changes)
    run = RunFolder.create(scenario.name, dumps(scenario), 1, root=tmp_path)
    return scenario, {result.seed: result.weights for result in train(scenario, run)}


def per_seed(rows, label, preset, metric):
    """Return the mean of a metric for each seed."""
    groups = {}
    for row in rows:
        if (row.label.controller, row.label.preset) == (label, preset):
            groups.setdefault(row.label.seed, []).append(row.metrics[metric])
    return np.array([np.mean(values) for values in groups.values()])


@pytest.mark.slow
def test_twenty_seeds_learn_to_forage_and_beat_braitenberg(tmp_path):
    """Issue bars: success .95, SPT .60, exposure .34 on smooth; zero-shot cluttered .95, .55, 10 collisions."""
    scenario, brains = learned(tmp_path, "foraging", 20)
    entries = [
        Entry("learned", "rstdp-forager", brains),
        Entry("untrained", "rstdp-forager", {seed: {} for seed in range(1, 11)}),
        Entry("braitenberg", "braitenberg"),
    ]
    rows = evaluate(scenario, entries, presets=["smooth", "cluttered"], episodes=[200, 40, 200])
    smooth = per_seed(rows, "learned", "smooth", "success")
    assert smooth.size == 20
    assert (smooth >= 0.95).sum() >= 19
    assert per_seed(rows, "learned", "cluttered", "success").mean() >= 0.95
    assert per_seed(rows, "learned", "smooth", "exposure").mean() <= 0.34
    assert per_seed(rows, "learned", "cluttered", "collisions").mean() <= 10
    assert per_seed(rows, "untrained", "smooth", "success").mean() <= 0.12  # 400 episodes; 0.08 over 2000
    for preset in ("smooth", "cluttered"):
        spt = per_seed(rows, "learned", preset, "SPT").mean()
        assert spt > per_seed(rows, "braitenberg", preset, "SPT").mean() + 0.03


@pytest.mark.slow
def test_the_learned_brain_forages_as_well_on_the_emulated_loihi(tmp_path):
    scenario, brains = learned(tmp_path, "foraging", 4)
    entries = [Entry(chip, "rstdp-forager", brains, chip=chip) for chip in ("ideal", "loihi")]
    rows = evaluate(scenario, entries, presets=["smooth", "cluttered"], episodes=50)
    for preset in ("smooth", "cluttered"):
        ideal, loihi = (per_seed(rows, chip, preset, "success").mean() for chip in ("ideal", "loihi"))
        assert ideal - loihi <= 0.02


@pytest.mark.slow
def test_real_mountains_cost_at_most_a_fifth_more_than_the_best_route(tmp_path):
    scenario, brains = learned(tmp_path, "dem", 4)
    rows = evaluate(scenario, [Entry("learned", "rstdp-forager", brains), Entry("planner", "planner")])
    assert per_seed(rows, "learned", "dem", "success").min() == 1.0
    assert per_seed(rows, "learned", "dem", "cost_ratio").mean() <= 1.20
    assert per_seed(rows, "planner", "dem", "cost_ratio").mean() <= 1.02
