"""Sparse reward: the critic against plain formulas, and the forager that it teaches."""

import numpy as np
import pytest

from insectbot.controllers.circuits.critic_forager import critic_forager
from insectbot.controllers.circuits.trial_forager import TrialForager
from insectbot.controllers.rewards import ValueCritic
from insectbot.core.simulator import Simulator
from insectbot.errors import ConfigurationError
from insectbot.loop.episode import run_episode
from insectbot.scenario import load, make_env
from insectbot.seeding import derive, worlds


def forager(seed=1, make=critic_forager, **options):
    brain = make(seed=seed, **options)
    brain.attach(Simulator().compile(brain.network, seed=seed), 50)
    return brain


def fields(observation, n, top):
    """Return the activity of the fields, one by one."""
    centres = [top * i / (n - 1) for i in range(n)]
    width = 0.8 * top / (n - 1)
    raw = [
        np.exp(-((observation[0] - a) ** 2 + (observation[1] - b) ** 2) / (2 * width**2))
        for a in centres
        for b in centres
    ]
    return np.array(raw) / sum(raw)


def test_surprises_and_values_follow_td_lambda():
    rng = np.random.default_rng(3)
    critic = ValueCritic((0, 1), fields=3, top=1.0, discount=0.9, memory=0.7, rate=0.3, scale=2.0)
    value, trace = np.zeros(9), np.zeros(9)
    for _ in range(3):
        seen, gains = rng.random((6, 2)), rng.random(6)
        critic.begin()
        trace[:] = 0.0
        assert critic(5.0, seen[0]) == 0.0  # no step came before
        for k in range(6):
            before = fields(seen[k], 3, 1.0)
            trace = 0.9 * 0.7 * trace + before
            last = k == 5
            promised = 0.0 if last else 0.9 * value @ fields(seen[k + 1], 3, 1.0)
            error = gains[k] + promised - value @ before
            told = critic(gains[k], None if last else seen[k + 1])
            assert told == pytest.approx(2.0 * error, abs=1e-12)
            value = value + 0.3 * error * trace
    assert critic.value(seen[2]) == pytest.approx(value @ fields(seen[2], 3, 1.0), abs=1e-12)


def test_values_of_a_walk_to_a_reward_become_its_discounted_worth():
    critic = ValueCritic((0, 1), fields=6, top=1.0, discount=0.8, memory=0.5, rate=0.5)
    path = [(i / 5, i / 5) for i in range(6)]
    for _ in range(400):
        critic.begin()
        critic(0.0, path[0])
        for place in path[1:]:
            critic(0.0, place)
        critic(1.0, None)
    assert [critic.value(p) for p in path] == pytest.approx([0.8 ** (5 - i) for i in range(6)], abs=0.02)
    critic.begin()
    critic(0.0, path[0])
    assert max(abs(critic(0.0, place)) for place in path[1:]) < 0.02  # what is expected does not surprise


@pytest.mark.parametrize(
    "wrong", [{"fields": 1}, {"discount": 0.0}, {"discount": 1.1}, {"memory": -0.1}, {"rate": -1.0}, {"top": 0.0}]
)
def test_a_critic_refuses_what_cannot_be(wrong):
    with pytest.raises(ConfigurationError, match="ValueCritic"):
        ValueCritic((0, 1), **wrong)


def test_modulators_reach_the_synapses_with_the_next_window_and_at_the_end():
    brain, seen = forager(dopamine=1.0), np.array([0.2, 0.1, 0.4, 0.6, 0.0], np.float32)
    brain.learning = True
    brain.reset(1)
    start = brain.weights()["target->motors"].copy()
    for _ in range(3):
        brain.act(seen)
        brain.learn(0.0, False)
        assert brain.modulator == 0.0
    assert np.array_equal(brain.weights()["target->motors"], start)
    brain.act(seen)
    brain.learn(1.0, True)
    assert brain.modulator == pytest.approx(1.0)  # nothing was promised
    assert not np.array_equal(brain.weights()["target->motors"], start)
    assert brain.critic.value(seen[:5]) > 0.0


def test_an_episode_that_was_stopped_does_not_reach_into_the_next():
    brain, seen = forager(), np.full(5, 0.5, np.float32)
    brain.learning = True
    brain.reset(1)
    brain.act(seen)
    brain.learn(1.0, True)  # now the value is not zero
    brain.reset(2)
    brain.act(seen)
    brain.learn(0.0, False)
    before = brain.critic.state()["value"]
    assert before.any()
    brain.reset(3)
    brain.act(0.5 * seen)
    assert brain.modulator == 0.0
    assert np.array_equal(brain.critic.state()["value"], before)


def test_a_frozen_forager_does_not_move_its_critic():
    brain, env = forager(), make_env(load("sparse", {"env.options": {"time_limit": 3.0}}), "train")
    run_episode(env, brain, seed=1, learn=False)
    assert not any(brain.critic.state()[name].any() for name in ("value", "trace", "running"))


@pytest.mark.parametrize("make", [critic_forager, TrialForager])
def test_a_checkpoint_in_mid_episode_continues_bit_for_bit(make):
    rng = np.random.default_rng(0)
    seen, gains = rng.random((30, 5)).astype(np.float32), rng.random(30)
    one, other = forager(make=make), forager(make=make)
    for brain in (one, other):
        brain.learning = True
        brain.reset(4)
    for k in range(15):
        one.act(seen[k])
        one.learn(gains[k], False)
    other.load_state(one.state())
    for k in range(15, 30):
        assert np.array_equal(one.act(seen[k]).copy(), other.act(seen[k]))
        for brain in (one, other):
            brain.learn(gains[k], k == 29)
        assert one.modulator == other.modulator
    for brain in (one, other):
        brain.reset(5)
    a, b = one.state(), other.state()
    assert a.keys() == b.keys()
    assert all(np.array_equal(a[k], b[k], equal_nan=True) for k in a)


def tied(brain):
    kept = brain.weights()
    return np.concatenate([kept["antennae->motors"][:2], kept["target->motors"][:2]]) / [0.2, 0.2, 0.26, 0.26]


def test_trials_move_the_centre_by_what_they_paid_more_than_usual():
    brain, seen = forager(2, TrialForager, spread=0.1, rate=0.3, mean_rate=0.25, discount=0.9), np.zeros(5, np.float32)
    brain.learning = True
    centre, mean = tied(brain), 0.0
    for paid, steps in ((1.0, 3), (0.0, 2), (2.0, 1), (0.5, 4)):
        brain.reset(1)
        trial = (tied(brain) - centre) / 0.1
        assert 0.05 < np.abs(trial).max() < 4.0
        for k in range(steps):
            brain.act(seen)
            brain.learn(paid if k == 0 else 0.0, k == steps - 1)
        surprise = paid * 0.9**steps - mean
        mean, centre = mean + 0.25 * surprise, centre + 0.3 * surprise * trial
        assert brain.modulator == pytest.approx(surprise)
        assert tied(brain) == pytest.approx(centre, abs=1e-4)
    kept = brain.weights()
    for name in ("antennae->motors", "target->motors"):
        a, b, c, d = kept[name]
        assert (a, b) == (d, c)


def test_a_frozen_trial_forager_keeps_its_weights():
    brain = forager(2, TrialForager)
    before = tied(brain)
    brain.learning = False
    brain.reset(1)
    assert np.array_equal(tied(brain), before)


def test_a_trial_forager_refuses_what_cannot_be():
    with pytest.raises(ConfigurationError, match="TrialForager"):
        TrialForager(spread=0.0)
    with pytest.raises(ConfigurationError, match="TrialForager"):
        TrialForager(rate=-1.0)


@pytest.mark.slow
@pytest.mark.parametrize("make", [critic_forager, TrialForager])
def test_a_single_reward_at_the_target_is_enough(make):
    scenario = load("sparse", {"env.options": {"planner": False}})
    env, test = make_env(scenario, "train"), make_env(scenario, "evaluate")
    brain, judged = forager(3, make), worlds("tune", 20)

    def success():
        results = [run_episode(test, brain, seed=w, controller_seed=w, learn=False) for w in judged]
        return np.mean([result.metrics["success"] for result in results])

    assert success() <= 0.3
    for episode in range(scenario.training.episodes):
        world = derive("train", 7, 3, episode)
        result = run_episode(env, brain, seed=world, controller_seed=world, learn=True)
        assert result.reward in (0.0, 1.0)
    assert success() >= 0.9
