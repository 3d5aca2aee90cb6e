"""Wrappers against an oracle and closed forms: noise, latency, lag, drawn parameters; chance, copies, state."""

import copy
import json
import math
import pickle

import gymnasium
import numpy as np
import pytest
from gymnasium.envs.registration import EnvSpec
from gymnasium.vector import SyncVectorEnv
from helpers_wrappers import LUCK, Mirror, foraging, stack
from naive_wrappers import Move, Sense

from insectbot.envs.wrappers import ActuatorLag, DomainRandomisation, SensorLatency, SensorNoise
from insectbot.envs.wrappers_vector import DomainRandomisationVector
from insectbot.errors import ConfigurationError, ShapeError


def rollout(env, seed, n=120):
    """Return all that an episode shows to actions that the seed decides."""
    rng = np.random.default_rng(seed if seed is not None else 0)
    seen = [(env.reset(seed=seed)[0], 0.0, False, False)]
    for _ in range(n):
        if seen[-1][2] or seen[-1][3]:
            break
        seen.append(env.step(rng.uniform(-1, 1, env.action_space.shape).astype(np.float32))[:4])
    return [(o.tobytes(), o.dtype, float(r), *rest) for o, r, *rest in seen]


def test_senses_equal_the_oracle_bit_for_bit():
    rng = np.random.default_rng(1)
    script = rng.uniform(-10, 10, (26, 3))
    options = {"gain": [0.5, -2.0, 1.0], "offset": [0.0, 3.0, -1.0], "sd": [0.4, 5.0, 0.1], "dropout": [0.0, 0.2, 0.9]}
    env = SensorNoise(Mirror(script), **options)
    for episode in range(3):
        naive = Sense("sensor-noise.0", 7, [-10] * 3, [10] * 3, latency=[0] * 3, episode=episode, **options)
        obs, _ = env.reset(seed=None if episode else 7)
        for step in range(25):
            np.testing.assert_array_equal(obs, naive(script[(step + env.unwrapped.shift) % 26]))
            obs = env.step(np.zeros(3))[0]


@pytest.mark.parametrize("latency", [0, 1, [0, 2, 25]])
def test_latency_shows_the_past_and_at_first_the_first(latency):
    script = np.arange(78.0).reshape(26, 3) / 10
    env = SensorLatency(Mirror(script), latency)
    for seed in (3, None):
        obs, _ = env.reset(seed=seed)
        shown = [script[(t + env.unwrapped.shift) % 26] for t in range(26)]
        for t in range(25):
            for j, late in enumerate(np.broadcast_to(latency, 3)):
                assert obs[j] == shown[max(0, t - late)][j]
            obs = env.step(np.zeros(3))[0]


def test_actuators_equal_the_oracle():
    given = {"dead_zone": [0.3, 0.0, 0.2], "quantum": [0.0, 0.25, 0.1], "tau": [0.3, 0.0, 0.07], "dead_time": [0, 2, 3]}
    more = {"gain": [1.0, 1.5, -0.5], "offset": [0.2, 0.0, 0.1]}
    env = DomainRandomisation(Mirror(), **{f"actuator_{name}": value for name, value in (given | more).items()})
    for seed in (1, 2):
        env.reset(seed=seed)
        naive = [Move(-1, 1, 0.05, **{name: v[j] for name, v in (given | more).items()}) for j in range(3)]
        for action in np.random.default_rng(seed).uniform(-1.5, 1.5, (20, 3)):
            env.step(action)
            expected = [one(u) for one, u in zip(naive, action, strict=True)]
            np.testing.assert_allclose(env.unwrapped.told[-1], expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("tau", [0.02, 0.2, 3.0])
def test_lag_has_the_step_response_of_a_first_order_low_pass(tau):
    env = ActuatorLag(Mirror(), tau)
    env.reset(seed=0)
    for k in range(1, 25):
        env.step(np.ones(3))
        np.testing.assert_allclose(env.unwrapped.told[-1], 1.0 - math.exp(-k * 0.05 / tau), rtol=1e-9)


def test_noise_has_the_moments_it_says():
    env = SensorNoise(Mirror(k=200, high=1e3), 2.0, offset=5.0)
    silent = SensorNoise(Mirror(np.ones((26, 200)), k=200), dropout=0.3)
    values, lost = [], []
    for seed in range(20):
        for one, kept in ((env, values), (silent, lost)):
            kept.append(one.reset(seed=seed)[0])
            kept.extend(one.step(np.zeros(200))[0] for _ in range(24))
    noise = (np.array(values) - 5.0) / 2.0
    assert abs(noise.mean()) < 4 / math.sqrt(noise.size)
    assert abs(noise.var() - 1.0) < 4 * math.sqrt(2 / noise.size)
    assert np.abs(noise).max() <= 6.0
    assert abs(np.mean(np.array(lost) == 0.0) - 0.3) < 4 * math.sqrt(0.21 / noise.size)
    for other in (np.roll(noise, 1, axis=0), np.roll(noise, 1, axis=1)):  # steps and channels are independent
        assert abs(np.mean(noise * other)) < 4 / math.sqrt(noise.size)


@pytest.mark.parametrize("make", [foraging, lambda: gymnasium.make("Pendulum-v1"), lambda: Mirror(dtype=np.int64)])
def test_wrappers_without_strength_change_no_bit(make):
    def idle(env):
        env = SensorLatency(SensorNoise(env, gain=1, sd=0.0), 0)
        return DomainRandomisation(ActuatorLag(env, 0.0, quantum=0), sensor_gain=1.0)

    for seed in (0, 5):
        assert rollout(idle(make()), seed) == rollout(make(), seed)


def test_an_idle_wrapper_hands_on_the_action_itself():
    env = ActuatorLag(Mirror(), [0.0, 0.0, 0.0])
    env.reset(seed=0)
    action = [0.1, 0.2, 0.3]
    env.step(action)
    assert env.unwrapped.told[-1] is action


def test_neutral_channels_pass_even_out_of_bounds():
    script = np.array([[11.0, -0.0, 11.0]])
    obs, _ = SensorNoise(Mirror(script), offset=[0, 0, 1.0]).reset(seed=0)
    assert obs.tolist() == [11.0, 0.0, 10.0]
    assert math.copysign(1, obs[1]) == -1


def test_whole_numbers_stay_whole():
    script = np.full((26, 3), 9.0)
    obs, _ = SensorNoise(Mirror(script, dtype=np.int32), gain=[0.4, 0.35, 2.0]).reset(seed=0)
    assert obs.dtype == np.int32
    assert obs.tolist() == [4, 3, 10]


def test_the_world_is_the_same_with_any_wrapper():
    plain, wrapped = foraging(), stack(foraging())
    for seed in (4, None, None):
        plain.reset(seed=seed)
        wrapped.reset(seed=seed)
        assert plain.unwrapped.get_state()["np_random"] == wrapped.unwrapped.get_state()["np_random"]
        np.testing.assert_array_equal(plain.unwrapped.pose, wrapped.unwrapped.pose)


def test_the_seed_decides_every_bit():
    env = stack(foraging())
    first, second = rollout(env, 3), rollout(env, None)
    assert rollout(env, 4) != first != second
    again = stack(foraging())
    assert (rollout(again, 3), rollout(again, None)) == (first, second)


def test_two_of_a_kind_draw_differently():
    env = SensorNoise(SensorNoise(Mirror(), 1.0), 1.0)
    obs, _ = env.reset(seed=0)
    inner, _ = SensorNoise(Mirror(), 1.0).reset(seed=0)
    assert not np.isclose(obs, 2 * inner).any()


def test_copies_continue_alike():
    env = stack(foraging())
    env.reset(seed=2)
    action = np.array([1.0, 0.5], np.float32)
    for _ in range(7):
        env.step(action)
    others = [pickle.loads(pickle.dumps(env)), copy.deepcopy(env)]
    late = stack(foraging())
    late.reset(seed=77)
    late.set_state(env.get_state())
    for _ in range(20):
        expected = env.step(action)[0]
        for other in (*others, late):
            np.testing.assert_array_equal(other.step(action)[0], expected)
    for other in (*others, late):  # the episodes after it are the same, too
        np.testing.assert_array_equal(copy.deepcopy(other).reset()[0], copy.deepcopy(env).reset()[0])


def test_spec_survives_json():
    env = stack(foraging(preset="cluttered"))
    again = gymnasium.make(EnvSpec.from_json(env.spec.to_json()))
    assert rollout(again, 6) == rollout(env, 6)
    arrays = SensorNoise(foraging(), np.full(5, 0.1, np.float32), dropout=np.float64(0.1))
    assert json.loads(arrays.spec.to_json())["additional_wrappers"][0]["kwargs"]["dropout"] == 0.1


def test_foreign_state_is_refused():
    env = stack(foraging())
    env.reset(seed=0)
    with pytest.raises(ShapeError, match=r"sensor-noise.0: the state has no 'roots'"):
        env.set_state(env.unwrapped.get_state())


class Counting(Mirror):
    """A world whose state is one number."""

    def get_state(self):
        return len(self.told)

    def set_state(self, state):
        self.told = [None] * state


def test_a_state_of_any_kind_passes():
    env = SensorNoise(SensorNoise(Counting(), 1.0), 1.0)
    env.reset(seed=0)
    env.step(np.zeros(3))
    state = env.get_state()
    expected = env.step(np.zeros(3))[0]
    env.reset(seed=5)
    env.set_state(state)
    assert len(env.unwrapped.told) == 1
    env.unwrapped.shift = 0
    np.testing.assert_array_equal(env.step(np.zeros(3))[0], expected)


def test_every_episode_draws_anew_within_the_ranges():
    env = DomainRandomisation(foraging(), **LUCK)
    draws = []
    for episode in range(300):
        env.reset(seed=None if episode else 1)
        draws.append(env.drawn())
    gains, sds = np.array([d["actuator_gain"] for d in draws]), np.array([d["sensor_sd"] for d in draws])
    assert gains.shape == (300, 2)
    assert abs(gains.mean() - 0.85) < 4 * 0.3 / math.sqrt(12 * gains.size)
    assert 0.7 <= gains.min() < gains.max() <= 1.0
    assert abs(np.corrcoef(gains.T)[0, 1]) < 4 / math.sqrt(300)
    assert (sds == sds[:, :1]).all()  # together
    assert abs(np.log(sds[:, 0]).mean() - math.log(math.sqrt(1e-3))) < 4 * math.log(10) / math.sqrt(12 * 300)
    assert set(np.concatenate([d["sensor_latency"] for d in draws])) == {0, 1, 2, 3}
    normal = np.array([d["sensor_gain"] for d in draws])
    assert abs(normal.mean() - 1.0) < 4 * 0.1 / math.sqrt(normal.size)
    assert abs(normal.std() - 0.1) < 0.01


def test_what_is_drawn_is_what_acts():
    """A range equals plain numbers that are those it drew."""
    given = {"sensor_gain": LUCK["sensor_gain"], "sensor_latency": LUCK["sensor_latency"]}
    given |= {name: LUCK[name] for name in ("actuator_gain", "actuator_tau", "actuator_dead_time")}
    for seed in range(5):
        env = DomainRandomisation(foraging(), **given)
        seen = rollout(env, seed)
        plain = DomainRandomisation(foraging(), **{name: v.tolist() for name, v in env.drawn().items()})
        assert rollout(plain, seed) == seen


def test_a_range_leaves_the_draws_of_others_alone():
    env, other = (
        DomainRandomisation(foraging(), **LUCK),
        DomainRandomisation(foraging(), sensor_gain=LUCK["sensor_gain"]),
    )
    env.reset(seed=4)
    other.reset(seed=4)
    np.testing.assert_array_equal(env.drawn()["sensor_gain"], other.drawn()["sensor_gain"])


def test_a_range_of_noise_works_in_any_wrapper():
    env = SensorNoise(Mirror(k=3), {"uniform": [[0.0, 1.0, 2.0], [0.0, 1.0, 3.0]]})
    env.reset(seed=0)
    sd = env.drawn()["sd"]
    assert sd[:2].tolist() == [0.0, 1.0]
    assert 2.0 < sd[2] < 3.0


def test_reset_options_are_drawn_and_the_given_one_wins():
    env = DomainRandomisation(Mirror(), reset={"route": {"integers": [0, 19]}, "wind": {"uniform": [1, 2]}})
    routes = set()
    for episode in range(200):
        env.reset(seed=None if episode else 0)
        routes.add(env.unwrapped.options["route"])
        assert 1 <= env.unwrapped.options["wind"] < 2
    assert routes == set(range(20))
    env.reset(options={"route": 99})
    assert env.unwrapped.options["route"] == 99


BAD = [
    (lambda: SensorNoise(foraging(), -0.1), "sensor-noise: sd = -0.1, must be finite numbers, at least 0"),
    (
        lambda: SensorNoise(foraging(), [0.1, 0.2]),
        "sensor-noise: sd has 2 numbers, must have one, or one for each of 5",
    ),
    (lambda: SensorNoise(foraging(), "loud"), "sensor-noise: sd = 'loud', must be finite numbers, at least 0"),
    (lambda: SensorNoise(foraging(), [[1], [1, 2]]), "sensor-noise: sd = .*, must be finite numbers"),
    (lambda: SensorNoise(foraging(), True), "sensor-noise: sd = True"),
    (lambda: SensorNoise(foraging(), gain=math.nan), "sensor-noise: gain = nan, must be finite numbers"),
    (lambda: SensorNoise(foraging(), dropout=1.5), r"dropout = 1.5, must be finite numbers in \[0, 1\]"),
    (lambda: SensorLatency(foraging(), 1.5), "sensor-latency: steps = 1.5, must be whole numbers of control steps in"),
    (lambda: SensorLatency(foraging(), -1), "sensor-latency: steps = -1"),
    (lambda: SensorLatency(foraging(), {"uniform": [0, 2]}), "steps: a range of uniform, must be one of integers"),
    (lambda: SensorLatency(gymnasium.make("FrozenLake-v1")), r"observation space is Discrete\(16\), must be a Box"),
    (lambda: ActuatorLag(gymnasium.make("CartPole-v1"), 0.1), r"actuator-lag: the action space is Discrete\(2\)"),
    (lambda: ActuatorLag(Mirror(period=None), 0.1), "actuator-lag: tau is in seconds, but the world has no control"),
    (lambda: ActuatorLag(foraging(), 0.1, control_period=0), "control_period = 0, must be above 0 s"),
    (lambda: DomainRandomisation(foraging(), sensor_sd={"uniform": [2, 1]}), "must begin with the lower number"),
    (
        lambda: DomainRandomisation(foraging(), sensor_sd={"uniform": [-1, 1]}),
        r"sd: uniform = -1, must be .*at least 0",
    ),
    (lambda: DomainRandomisation(foraging(), sensor_sd={"log_uniform": [0, 1]}), "must be above 0"),
    (lambda: DomainRandomisation(foraging(), sensor_sd={"unifrom": [0, 1]}), "a range of unifrom, must be one of"),
    (lambda: DomainRandomisation(foraging(), sensor_sd={"uniform": 3}), "uniform = 3, must be a list of two"),
    (lambda: DomainRandomisation(foraging(), sensor_sd={"normal": [0, -1]}), "normal = -1, must be"),
    (
        lambda: DomainRandomisation(foraging(), sensor_sd={"uniform": [0, 1], "together": 1}),
        "together = 1, must be true",
    ),
    (lambda: DomainRandomisation(foraging(), sensor_gain={"integers": [0.5, 1]}), "must be whole numbers"),
    (lambda: DomainRandomisation(foraging(), reset={"flip": 1}), "reset.flip = 1, must be a range"),
    (lambda: DomainRandomisationVector(SyncVectorEnv([foraging]), reset={"x": {"uniform": [0, 1]}}), "leave reset out"),
]


@pytest.mark.parametrize(("make", "text"), BAD, ids=[text[:30] for _, text in BAD])
def test_mistakes_are_one_sentence(make, text):
    with pytest.raises(ConfigurationError, match=text) as caught:
        make()
    assert "\n" not in str(caught.value)


def test_a_wrong_action_changes_nothing():
    env, other = (ActuatorLag(foraging(), 0.2, dead_time=1) for _ in range(2))
    env.reset(seed=0)
    other.reset(seed=0)
    for wrong in ([0.1], [math.nan, 0.0], "left", [[0.1, 0.2], [0.1]]):
        with pytest.raises(ShapeError, match="actuator-lag: the action"):
            env.step(wrong)
    np.testing.assert_array_equal(env.step([1.0, 0.5])[0], other.step(np.array([1.0, 0.5]))[0])
