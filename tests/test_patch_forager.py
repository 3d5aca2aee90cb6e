"""Foragers of the preset patches: the baselines' rules and their table, the learned circuit."""

import math

import gymnasium
import numpy as np
import pytest

from insectbot.controllers.baselines import CorrelatedRandomWalk
from insectbot.controllers.circuits.patch_forager import patch_forager
from insectbot.controllers.patches_baselines import FeedingBraitenberg, Mood, PatchBraitenberg, PatchPlanner, PatchTaxis
from insectbot.controllers.patches_coding import PatchEncoder, SteeringDecoder
from insectbot.core.simulator import Simulator
from insectbot.envs.registry import register_envs
from insectbot.errors import ConfigurationError, ShapeError
from insectbot.loop.episode import run_episode
from insectbot.protocols import Controller, Readout
from insectbot.seeding import derive, worlds

register_envs()
#        rough L, R, odor L, R, body, home L, R, load, energy, taste
SEEKING = [0.3, 0.1, 0.50, 0.52, 0.2, 0.4, 0.1, 0.2, 0.7, 0.0]


def make_env(**kwargs):
    return gymnasium.make("insectbot/Foraging-v0", preset="patches", disable_env_checker=True, **kwargs)


def brain(seed=1, **kwargs):
    made = patch_forager(seed=seed, **kwargs)
    made.attach(Simulator().compile(made.network, seed=seed), 50)
    return made


def judge(controller, n):
    env = make_env()
    if hasattr(controller, "bind"):
        controller.bind(env)
    results = [run_episode(env, controller, seed=world, learn=False) for world in worlds("tune", n, 7)]
    return {key: np.array([result.metrics[key] for result in results]) for key in results[0].metrics}


def with_(**changes):
    names = ("rough_l", "rough_r", "odor_l", "odor_r", "body", "home_l", "home_r", "load", "energy", "taste")
    return [changes.get(name, value) for name, value in zip(names, SEEKING, strict=True)]


def test_mood_holds_between_full_and_empty():
    mood = Mood(0.9)
    assert [mood(load) for load in (0.0, 0.5, 0.89, 0.9, 0.5, 0.06, 0.05, 0.5)] == [False] * 3 + [True] * 3 + [
        False
    ] * 2
    with pytest.raises(ConfigurationError, match=r"full = 0\.01"):
        Mood(0.01)


def test_braitenberg_rule():
    """The wires by hand in both moods, the brake on food, and the mirror image."""
    vehicle = FeedingBraitenberg(odor=10.0, home=2.0, terrain=0.5, bias=0.6, brake=0.4, full=0.9)
    vehicle.reset(0)
    turn = 10.0 * (0.50 - 0.52) - 0.5 * (0.3 - 0.1)
    np.testing.assert_allclose(vehicle.act(SEEKING), [0.6 - turn, 0.6 + turn], rtol=1e-6)
    np.testing.assert_allclose(vehicle.act(with_(taste=0.5)), [0.4 - turn, 0.4 + turn], rtol=1e-6)
    mirrored = with_(rough_l=0.1, rough_r=0.3, odor_l=0.52, odor_r=0.50)
    np.testing.assert_allclose(vehicle.act(mirrored), [0.6 + turn, 0.6 - turn], rtol=1e-6)
    turn = 2.0 * (0.4 - 0.3) - 0.5 * (0.3 - 0.1)
    np.testing.assert_allclose(vehicle.act(with_(load=0.95, home_r=0.3)), [0.6 - turn, 0.6 + turn], rtol=1e-6)
    np.testing.assert_allclose(vehicle.act(with_(home_r=0.3, taste=0.5)), [0.6 - turn, 0.6 + turn], rtol=1e-6)
    vehicle.reset(1)
    np.testing.assert_allclose(vehicle.act(with_(rough_l=0.1, odor_r=0.5)), [0.6, 0.6], rtol=1e-6)


def test_planner_refusals():
    with pytest.raises(ConfigurationError, match=r"call bind\(env\)"):
        PatchPlanner().act(SEEKING)
    with pytest.raises(ConfigurationError, match="has no nest"):
        PatchPlanner().bind(gymnasium.make("insectbot/Foraging-v0"))
    with pytest.raises(ConfigurationError, match="leave = -1"):
        PatchPlanner(leave=-1.0)


def test_order_of_the_baselines():
    """30 worlds: planner > resting vehicle > vehicles that never rest > random walk in food per metre; who starves."""
    factories = (PatchPlanner, FeedingBraitenberg, PatchBraitenberg, PatchTaxis, CorrelatedRandomWalk)
    planner, resting, moving, taxis, walk = (judge(factory(), 30) for factory in factories)
    food = [table["food_per_metre"].mean() for table in (planner, resting, moving, taxis, walk)]
    assert food[0] > 1.7
    assert 1.2 < food[1] < 1.6
    assert min(food[2:4]) > 0.9
    assert max(food[2:4]) < 1.3
    assert food[4] < 0.05
    assert planner["survival"].mean() > 0.97
    assert resting["survival"].mean() > 0.88
    assert not walk["success"].any()


def test_encoder_gates_by_mood():
    """Odor and taste while seeking, home while homing; sides swap in the mirror; the stronger side alone drives."""
    encoder = PatchEncoder(contrast=5.0, smoothing=1.0, full=0.9)
    drive = encoder(with_(taste=0.4)).copy()
    np.testing.assert_allclose(drive, [0.3, 0.1, 0.0, 0.1, 0.0, 0.0, 0.4, 1.0], atol=1e-6)
    homing = encoder(with_(load=0.9, taste=0.4)).copy()
    np.testing.assert_allclose(homing, [0.3, 0.1, 0.0, 0.0, 0.4, 0.1, 0.0, 1.0], atol=1e-6)
    kept = encoder.state()
    assert encoder(with_(load=0.5))[4] > 0.0
    encoder.reset()
    assert encoder(with_(load=0.5))[4] == 0.0
    encoder.load_state(kept)
    assert encoder(with_(load=0.5))[4] > 0.0
    with pytest.raises(ShapeError, match=r"must be \(10,\)"):
        encoder([0.0] * 5)


def test_encoder_smooths_odor():
    """A step of odor arrives as ``1 - (1 - s)^k``."""
    encoder = PatchEncoder(contrast=1.0, smoothing=0.25)
    seen = [encoder(with_(odor_l=0.8, odor_r=0.0))[2] for _ in range(10)]
    np.testing.assert_allclose(seen, [0.8 * (1 - 0.75 ** (k + 1)) for k in range(10)], rtol=1e-5)


def test_decoder_reads_two_antagonist_pairs():
    """A steady rate reads as its spikes in 100 ms; the right neuron turns left, go drives both wheels, up to full."""
    decoder = SteeringDecoder(gain=0.1, tau=100.0)
    decoder.set_window(50.0)

    def steady(*counts):
        decoder.reset()
        empty = np.zeros(4, np.int32)
        readout = Readout(np.array(counts, np.int32), empty, empty)
        return [decoder(readout) for _ in range(40)][-1].copy()

    np.testing.assert_allclose(steady(0, 1, 3, 1), [0.4 - 0.2, 0.4 + 0.2], rtol=1e-3)
    np.testing.assert_allclose(steady(1, 0, 0, 1), [-0.2 + 0.2, -0.2 - 0.2], atol=1e-6)
    np.testing.assert_allclose(steady(0, 1, 20, 0), [1.0 - 0.2, 1.0], rtol=1e-3)


def test_circuit_starts_mirror_symmetric_and_learns_both_pairs():
    controller = brain(3)
    assert isinstance(controller, Controller)
    weights = controller.weights()
    for sensor in ("antennae", "odor", "home"):
        own_left, cross_right, cross_left, own_right = weights[f"{sensor}-steering"]
        assert (own_left, cross_left) == (own_right, cross_right)
    env = make_env(reward="local", time_limit=20.0)
    run_episode(env, controller, seed=5, learn=True)
    after = controller.weights()
    for name in ("odor-steering", "odor-pace"):
        assert (after[name] != weights[name]).any(), name
        groups = ((0, 3), (1, 2)) if name.endswith("steering") else ((0, 2), (1, 3))
        assert all(after[name][a] == after[name][b] for a, b in groups)
    np.testing.assert_array_equal(after["tonic->pace"], weights["tonic->pace"])
    controller.learning = False
    run_episode(env, controller, seed=6, learn=False)
    np.testing.assert_array_equal(controller.weights()["odor-steering"], after["odor-steering"])


def test_state_continues_the_same_life():
    """A copy from the state, in the mood to go home, acts the same."""
    first, second = brain(2), brain(2)
    for controller in (first, second):
        controller.reset(1)
        controller.learning = False
    for _ in range(5):
        first.act(np.array(with_(load=0.99), np.float32))
    second.load_state(first.state())
    for _ in range(20):
        np.testing.assert_array_equal(first.act(np.array(SEEKING)), second.act(np.array(SEEKING)))


@pytest.mark.slow
def test_ten_lives_teach_to_forage():
    """A brain that starves untrained lives, and brings home food as straight as a tuned vehicle."""
    controller = brain(1)
    untrained = judge(controller, 10)
    env = make_env(reward="local", walls="clamp")
    for episode in range(10):
        world = derive("train", 0, 1, episode)
        run_episode(env, controller, seed=world, controller_seed=derive("brain", world, 1), learn=True)
    trained = judge(controller, 10)
    assert untrained["food_per_metre"].mean() < 0.2
    assert trained["food_per_metre"].mean() > 1.15
    assert trained["survival"].mean() > untrained["survival"].mean() + 0.2
    assert math.isfinite(trained["energy"].sum())
