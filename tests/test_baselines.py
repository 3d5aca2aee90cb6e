"""Baseline controllers: their rules, and the table of figures they earn."""

import math

import gymnasium
import numpy as np
import pytest

from insectbot.controllers.baselines import Braitenberg, CorrelatedRandomWalk, Planner, Random, Taxis
from insectbot.envs.registry import register_envs
from insectbot.errors import ConfigurationError
from insectbot.protocols import Controller

register_envs()
ALL = [Random, CorrelatedRandomWalk, Braitenberg, Taxis, Planner]


def evaluate(controller, preset, seeds):
    """Run one episode for each seed; return the metrics as columns."""
    env = gymnasium.make("insectbot/Foraging-v0", preset=preset)
    if hasattr(controller, "bind"):
        controller.bind(env)
    infos = []
    for seed in seeds:
        obs, info = env.reset(seed=seed)
        controller.reset(seed)
        over = False
        while not over:
            obs, reward, terminated, truncated, info = env.step(controller.act(obs))
            over = terminated or truncated
            controller.learn(reward, over)
        infos.append(info)
    return {key: np.array([info[key] for info in infos], float) for key in infos[0]}


@pytest.mark.parametrize("factory", ALL)
def test_is_a_controller(factory):
    controller = factory()
    assert isinstance(controller, Controller)
    assert controller.learning is False


@pytest.mark.parametrize("factory", [Random, CorrelatedRandomWalk])
def test_same_seed_same_walk(factory):
    a, b, c = factory(), factory(), factory()
    a.reset(3), b.reset(3), c.reset(4)
    obs = np.zeros(5, np.float32)
    walks = [np.array([controller.act(obs) for _ in range(50)]) for controller in (a, b, c)]
    np.testing.assert_array_equal(walks[0], walks[1])
    assert (walks[0] != walks[2]).any()
    assert walks[0].dtype == np.float32
    assert np.abs(walks[0]).max() <= 1.0


def test_braitenberg_rule():
    """The wires by hand, and the mirror image."""
    obs = [0.3, 0.1, 0.5, 0.6, 0.9]
    turn = 1.2 * (0.5 - 0.6) - 1.5 * (0.3 - 0.1)
    np.testing.assert_allclose(Braitenberg().act(obs), [1.0, 0.8 + turn], rtol=1e-6)
    np.testing.assert_allclose(Braitenberg().act([0.1, 0.3, 0.6, 0.5, 0.9]), [0.8 + turn, 1.0], rtol=1e-6)
    np.testing.assert_allclose(Taxis().act(obs), [0.8 + 0.12, 0.8 - 0.12], rtol=1e-6)


def test_planner_errors():
    with pytest.raises(ConfigurationError, match=r"call bind\(env\)"):
        Planner().act(np.zeros(5))
    with pytest.raises(ConfigurationError, match=r"CartPoleEnv has no optimal_path\(\)"):
        Planner().bind(gymnasium.make("CartPole-v1"))
    with pytest.raises(ConfigurationError, match="lookahead"):
        Planner(lookahead=0.0)
    with pytest.raises(ConfigurationError, match="persistence"):
        CorrelatedRandomWalk(persistence=1.0)


@pytest.mark.parametrize("preset", ["smooth", "cluttered"])
def test_order_of_the_table(preset):
    """60 worlds: planner > Braitenberg > taxis > walk in SPT; nobody beats T_opt; terrain wires lower exposure."""
    seeds = range(500, 560)
    walk = evaluate(CorrelatedRandomWalk(), preset, seeds)
    taxis = evaluate(Taxis(), preset, seeds)
    braitenberg = evaluate(Braitenberg(), preset, seeds)
    planner = evaluate(Planner(), preset, seeds)
    spt = [table["SPT"].mean() for table in (walk, taxis, braitenberg, planner)]
    assert spt == sorted(spt)
    assert spt[0] < 0.05
    assert 0.45 < spt[1] < 0.68
    assert 0.60 < spt[2] < 0.76
    assert spt[3] > 0.90
    assert braitenberg["exposure"].mean() < taxis["exposure"].mean() - 0.04
    assert braitenberg["success"].mean() >= 0.95
    assert planner["success"].all()
    for table in (walk, taxis, braitenberg, planner):
        assert not (table["T_ratio"] < 1.0).any()
        assert ((table["exposure"] >= 0) & (table["exposure"] <= 1)).all()


def test_planner_on_the_map():
    """Following the planner's path costs a few per cent more than the path itself."""
    table = evaluate(Planner(), "dem", range(20))
    assert table["success"].all()
    assert 1.0 <= table["cost_ratio"].mean() < 1.12
    assert (table["cost_ratio"] > 0.97).all()
    assert math.isfinite(table["T_opt"].sum())
