"""The world PathIntegration against plain Python, closed forms and statistics; its controllers on the way home."""

import math

import gymnasium
import numpy as np
import pytest
from naive_path_integration import NaiveRates, NaiveWalk

from insectbot.controllers.circuits import central_complex as cx
from insectbot.controllers.circuits.central_complex import CXRate, cx_rate
from insectbot.controllers.circuits.central_complex_lif import MemoryNeuron, cx_lif
from insectbot.controllers.path_baselines import RandomHoming, Straight, VectorMemory
from insectbot.core.simulator import Simulator
from insectbot.envs import path_integration_kernels as k
from insectbot.errors import ConfigurationError, ShapeError, UnknownNameError
from insectbot.loop.episode import run_episode
from insectbot.seeding import derive, worlds
from insectbot.snn import CurrentInput, Exponential, Input, Network, Population, Projection

ID = "insectbot/PathIntegration-v0"
NO_TURN = np.zeros(1, np.float32)


def make(**settings):
    return gymnasium.make(ID, disable_env_checker=True, **settings).unwrapped


def row_of(env):
    return env.get_state()["row"]


def spiking(**options):
    made = cx_lif(**options)
    made.attach(Simulator().compile(made.network, seed=1), 20)
    return made


def homings(controller, n, **settings):
    """Return the metrics of n walks, as arrays by name."""
    env = make(**settings)
    found = [
        run_episode(env, controller, seed=w, controller_seed=derive("brain", w), learn=False).metrics
        for w in worlds("tune", n, 7)
    ]
    return {key: np.array([one[key] for one in found]) for key in found[0]}


@pytest.mark.parametrize("preset", ["n0", "n20"])
@pytest.mark.parametrize("vary", [True, False])
def test_it_is_what_its_page_says(preset, vary):
    """Every observation, reward and metric of an episode, beside plain Python."""
    env = make(preset=preset, outbound=170, vary_speed=vary, time_limit=0.02 * 480)
    obs, info = env.reset(seed=5)
    row = row_of(env)
    naive = NaiveWalk(int(row[k.KEY_HIGH]) << 32 | int(row[k.KEY_LOW]), 170, env.world.noise, vary)
    np.testing.assert_allclose(obs, naive.seen, atol=1e-6)
    # It turns back at once, so that it passes the nest.
    for step in range(480):
        home = math.atan2(-naive.place.imag, -naive.place.real) - naive.angle
        action = np.array([0.4 * math.remainder(home, 2 * math.pi)], np.float32)
        expected = naive.step(float(action[0]))
        obs, reward, terminated, truncated, info = env.step(action)
        np.testing.assert_allclose(obs, naive.seen, atol=1e-6)
        assert reward == pytest.approx(expected, abs=1e-9)
        assert (terminated, truncated) == (False, step == 479)
    straight = naive.distance - 20.0 if naive.distance >= 40.0 else math.nan
    expected = {
        "success": naive.closest < 20.0,
        "closest": naive.closest,
        "tortuosity": naive.reached / straight,
        "covered": naive.covered,
        "distance": naive.distance,
        "outbound_path": naive.out_path,
        "home_path": naive.home_path,
    }
    assert info == pytest.approx(expected, abs=1e-8, nan_ok=True)
    assert info["success"] is True


def test_speeds_settle_where_thrust_balances_drag():
    """``v = (1 - .15) (v + a)`` gives ``v = .85 a / .15``: 0.85 on the way out, 0.567 on the way home."""
    env = make(preset="n0", outbound=300, vary_speed=False, time_limit=12.0)
    env.reset(seed=1)
    before = after = np.zeros(2)
    for _ in range(600):
        before, (_, *_) = after, env.step(NO_TURN)
        after = env.pose[:2]
    assert np.hypot(*(after - before)) == pytest.approx(0.85 * 0.1 / 0.15, abs=1e-9)
    row = row_of(env)
    way = env.walk()
    # Turns make the body skid, so the walk is a little slower than a straight line.
    assert 0.8 < np.hypot(*np.diff(way[-200:], axis=0).T).mean() < 0.85
    assert row[k.OUT_PATH] == pytest.approx(np.hypot(*np.diff(way, axis=0).T).sum())


def test_flow_and_compass_tell_the_velocity():
    env = make(preset="n0")
    obs, _ = env.reset(seed=2)
    here = env.pose
    for _ in range(50):
        obs, *_ = env.step(NO_TURN)
        there = env.pose
        c, s, left, right, phase = obs.astype(float)
        forward, side = (left + right) / math.sqrt(2), (left - right) / math.sqrt(2)
        moved = [forward * c - side * s, forward * s + side * c]
        np.testing.assert_allclose(there[:2] - here[:2], moved, atol=1e-6)
        assert math.hypot(c, s) == pytest.approx(1.0, abs=1e-6)
        assert phase == 0.0
        here = there


@pytest.mark.parametrize(("preset", "noise"), [("n0", 0.0), ("n10", 0.1), ("n20", 0.2), ("n40", 0.4)])
def test_presets_are_levels_of_noise(preset, noise):
    env, clean = (make(preset=p, time_limit=40.0) for p in (preset, "n0"))
    env.reset(seed=3)
    errors = []
    for _ in range(1500):
        obs, *_ = env.step(NO_TURN)
        row = row_of(env)
        row[k.NOISE] = 0.0
        exact = np.zeros(5, np.float32)
        k.sense(row, exact)
        errors.append(obs - exact)
    sd = np.std(errors, axis=0)
    np.testing.assert_allclose(sd[:4], noise, rtol=0.08, atol=1e-7)
    assert sd[4] == 0.0
    assert clean.observation_space == env.observation_space


def test_turns_of_the_walk_are_von_mises_filtered():
    """Normal of the chosen width and von Mises of concentration 100 differ by less than 0.001 in distribution."""
    x = np.linspace(-math.pi, math.pi, 200_001)
    density = np.exp(100.0 * (np.cos(x) - 1.0))
    mises = np.cumsum(density) / density.sum()
    normal = np.array([0.5 * (1.0 + math.erf(v / k.TURN_SD / math.sqrt(2.0))) for v in x])
    assert np.abs(mises - normal).max() < 0.001
    env = make(preset="n0", outbound=20_000)
    env.reset(seed=4)
    turns = []
    for _ in range(20_000):
        env.step(NO_TURN)
        turns.append(row_of(env)[k.TURN])
    turns = np.array(turns)
    # An AR(1) of coefficient a has the variance of its noise over 1 - a^2, and its own coefficient as correlation.
    assert turns.std() == pytest.approx(0.1003 / math.sqrt(1.0 - 0.4**2), rel=0.02)
    assert np.corrcoef(turns[1:], turns[:-1])[0, 1] == pytest.approx(0.4, abs=0.02)


def test_no_action_changes_the_walk():
    env, other = make(outbound=100), make(outbound=100)
    env.reset(seed=6)
    other.reset(seed=6)
    way = env.walk()
    assert way.shape == (101, 2)
    for step in range(100):
        np.testing.assert_array_equal(way[step], other.pose[:2])
        env.step(np.array([0.9], np.float32))
        other.step(np.array([-0.9], np.float32))
    np.testing.assert_array_equal(env.pose, other.pose)
    env.step(np.array([0.9], np.float32))
    other.step(np.array([-0.9], np.float32))
    assert not np.array_equal(env.pose, other.pose)


def test_left_and_right_are_mirror_images():
    env = make(preset="n0", outbound=40)
    env.reset(seed=8)
    for _ in range(40):
        env.step(NO_TURN)
    row = row_of(env)
    other = row.copy()
    for slot in (k.Y, k.HEADING, k.SIN, k.VY, k.TURN):
        other[slot] = -row[slot]
    a, b = np.zeros(5, np.float32), np.zeros(5, np.float32)
    for turn in np.random.default_rng(1).uniform(-1, 1, 100).astype(np.float32):
        reward, _ = env.world.step_into(row, np.array([turn]), a)
        twin, _ = env.world.step_into(other, np.array([-turn]), b)
        assert twin == pytest.approx(reward, abs=1e-12)
        np.testing.assert_allclose(b, a[[0, 1, 3, 2, 4]] * [1, -1, 1, 1, 1], atol=1e-6)


def test_a_short_episode_has_no_way_home():
    env = make(outbound=100, time_limit=1.0)
    env.reset(seed=1)
    for _ in range(50):
        *_, truncated, info = env.step(NO_TURN)
    assert truncated
    assert info["success"] is False
    assert math.isnan(info["closest"])
    assert math.isnan(info["covered"])
    assert info["home_path"] == 0.0


def test_the_picture_shows_nest_way_out_and_turning_point():
    env = make(outbound=60)
    env.reset(seed=2)
    assert env.world.overlay(row_of(env)) == []
    x0, x1, y0, y1 = env.scene()["extent"]
    way = env.walk()
    assert ((way > [x0, y0]) & (way < [x1, y1])).all()
    for _ in range(30):
        env.step(NO_TURN)
    (line,) = env.world.overlay(row_of(env))
    np.testing.assert_array_equal(line["xy"], way[:31])
    for _ in range(40):
        env.step(NO_TURN)
    line, turned = env.world.overlay(row_of(env))
    np.testing.assert_array_equal(line["xy"], way)
    np.testing.assert_array_equal(turned["xy"][0], way[-1])
    assert env.world.status(row_of(env))[0].startswith("homing, nest ")


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({"preset": "n5"}, UnknownNameError),
        ({"outbound": 0}, ConfigurationError),
        ({"outbound": 10.5}, ConfigurationError),
        ({"outbound": "far"}, ConfigurationError),
    ],
)
def test_settings_are_checked(settings, error):
    with pytest.raises(error, match=r"^insectbot/PathIntegration: "):
        make(**settings)


# Controllers


def test_an_exact_memory_knows_where_it_is():
    env, memory = make(preset="n0", outbound=400), VectorMemory()
    obs, _ = env.reset(seed=3)
    memory.reset(0)
    for _ in range(900):
        action = memory.act(obs)
        np.testing.assert_allclose(memory.position, env.pose[:2], atol=1e-3)
        obs, *_ = env.step(action)
    assert np.hypot(*env.pose[:2]) < 5.0


def test_baselines_rank_as_they_must():
    settings = {"preset": "n0", "outbound": 600}
    exact, chance, ahead = (homings(c, 25, **settings) for c in (VectorMemory(), RandomHoming(), Straight()))
    assert exact["success"].all()
    assert 1.0 / exact["covered"].mean() < 1.1
    assert chance["success"].mean() < 0.6
    assert ahead["success"].mean() < 0.3
    with pytest.raises(ConfigurationError, match="kappa"):
        RandomHoming(0.0)


def test_the_rate_model_is_its_equations():
    """Without noise, beside the model written cell by cell with columns by arithmetic instead of tables."""
    model, naive = CXRate(noise=0.0), NaiveRates()
    model.reset(1)
    rng = np.random.default_rng(2)
    heading = 0.3
    for _ in range(200):
        heading += rng.normal(0.0, 0.3)
        flow = rng.uniform(-0.2, 1.1, 2)
        turn = model.act(np.array([math.cos(heading), math.sin(heading), *flow, 0.0]))
        assert turn[0] == pytest.approx(naive.act(heading, flow), abs=1e-6)
        np.testing.assert_allclose(model.tb1, naive.tb1, atol=1e-12)
    np.testing.assert_allclose(model.memory, list(naive.memory.values()), atol=1e-12)


def test_the_wiring_is_a_mirror_image_of_itself():
    """Reflect columns and exchange the sides: every left CPU1 neuron becomes a right one with the same partners."""

    def partners(i):
        return cx.CPU1_TB1[i], cx.CPU1_CPU4[i], cx.CPU1_PONTINE[i]

    def reflect(column):
        return -column % 8

    def other_side(cell):
        return reflect(cell % 8) + (0 if cell >= 8 else 8)

    left = {partners(i) for i in range(16) if cx.CPU1_SIDE[i] > 0}
    right = {partners(i) for i in range(16) if cx.CPU1_SIDE[i] < 0}
    assert len(left) == len(right) == 8
    assert {(reflect(t), other_side(c), other_side(p)) for t, c, p in left} == right


def test_the_rate_model_goes_home_as_published():
    """10 % noise, 1,500 steps: success 1.00, closest approach 2.24 in 60 published runs; here 12."""
    found = homings(cx_rate(), 12, preset="n0")
    assert found["success"].all()
    assert found["closest"].mean() < 6.0
    assert 1.0 / found["covered"].mean() < 1.4


@pytest.mark.parametrize(("name", "value"), [("noise", -0.1), ("memory_gain", 0.0)])
def test_rate_options_are_checked(name, value):
    with pytest.raises(ConfigurationError, match=f"cx-rate: {name}"):
        cx_rate(**{name: value})


def memory_run(current, ticks, **options):
    """Return calcium and spike count of one memory neuron under a constant dendritic current."""
    cell = Population("cell", 1, MemoryNeuron(**options), receptors={"dendrite": Exponential(5.0)})
    drive = Input("in", 1, CurrentInput())
    links = (Projection.dense("in", "cell", [[1.0]], receptor="dendrite"),) if current else ()
    network = Network((drive,), (cell,), links, ("cell",), precision="float64")
    executable = Simulator().compile(network, seed=1)
    executable.record({"cell": ["c"]})
    counts = executable.window([current], ticks).counts[0]
    return executable.states()["cell", "c"][:, 0], counts


def test_calcium_integrates_and_the_pump_takes_away():
    falling, _ = memory_run(0.0, 400, gain=1e-3, leak=0.5)
    np.testing.assert_allclose(falling, 0.5 - 5e-4 * np.arange(1, 401), atol=1e-9)
    empty, silent = memory_run(0.0, 1500, gain=1e-3, leak=0.5, drive=0.5)
    assert empty[-1] == 0.0
    assert silent == 0


def test_calcium_alone_keeps_it_firing():
    """Constant current I fires every ``t_ref + tau ln(I / (I - 1))`` ms; without leak calcium stays for ever."""
    calcium, spikes = memory_run(0.0, 4000, bias=1.0, drive=2.0, leak=0.0)
    assert (calcium == 0.5).all()
    assert spikes == pytest.approx(4000 / (2.0 + 20.0 * math.log(2.0 / 1.0)), rel=0.05)


def test_the_compass_bump_lies_opposite_the_heading():
    brain = spiking()
    brain.reset(1)
    brain.executable.recording = True
    total = np.zeros(8)
    for window in range(60):
        brain.act(np.array([math.cos(math.pi / 2), 1.0, 0.3, 0.3, 0.0], np.float32))
        if window >= 20:
            units = brain.executable.spikes()[1] - 4 * (8 + 2 + 16)
            total += np.bincount(units[(units >= 0) & (units < 32)] // 4, minlength=8)
    angle = np.angle(total @ np.exp(1j * cx.PREFERRED))
    assert math.remainder(angle - math.pi / 2 - math.pi, 2 * math.pi) == pytest.approx(0.0, abs=0.1)


def test_the_spiking_circuit_finds_home_and_needs_its_memory():
    found = homings(spiking(), 6, preset="n10")
    assert found["success"].all()
    assert 1.0 / found["covered"].mean() < 1.4
    lost = homings(spiking(memory_gain=1e-9), 6, preset="n10")
    assert lost["success"].mean() < 0.7
    assert lost["closest"].mean() > 3.0 * found["closest"].mean()


def test_its_state_holds_the_home_vector():
    env, brain = make(outbound=200), spiking()
    obs, _ = env.reset(seed=9)
    brain.reset(1)
    for _ in range(250):
        obs, *_ = env.step(brain.act(obs))
    saved = brain.state()
    expected = [brain.act(obs).copy() for _ in range(20)]
    brain.reset(2)
    assert not np.array_equal(brain.act(obs), expected[0])
    brain.load_state(saved)
    np.testing.assert_array_equal([brain.act(obs).copy() for _ in range(20)], expected)


def test_it_refuses_another_world():
    with pytest.raises(ShapeError, match="cx-lif"):
        spiking().act(np.zeros(4, np.float32))
