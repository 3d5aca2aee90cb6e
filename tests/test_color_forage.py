"""ColorForage: the body, the eye, the patches; SpikingLab9: its latency code, its plasticity, and what it learns."""

import math

import gymnasium
import naive_color as naive
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insectbot import scenario
from insectbot.controllers.circuits.spikinglab import PLASTIC, spikinglab9
from insectbot.controllers.circuits.spikinglab_rule import ClearedSTDP, DistanceLatencyEncoder
from insectbot.errors import ConfigurationError, ShapeError
from insectbot.loop.episode import run_episode


def compiled(network):
    """Return the network on the reference backend."""
    return scenario.make_backend("ideal").compile(network, seed=1)


def make(preset="classic", **kwargs):
    return gymnasium.make("insectbot/ColorForage-v0", preset=preset, disable_env_checker=True, **kwargs).unwrapped


def patches(env):
    """Return {(x, y): colour} from the scene."""
    marks = [m for m in env.scene()["marks"] if m.get("label", "black") != "black"]
    return {(int(x), int(y)): m["label"].partition(":")[0] for m in marks for x, y in m["xy"]}


@pytest.mark.parametrize("preset", ["classic", "open"])
def test_the_arena_is_that_of_the_page(preset):
    env, shares = make(preset), {"red": [], "green": []}
    for seed in range(30):
        env.reset(seed=seed)
        cells = patches(env)
        border = [(x, y) for x in range(80, 121) for y in range(1, 61) if x in (80, 120) or y in (1, 60)]
        assert all(cells[place] == "white" for place in border)
        columns = [p for p, c in cells.items() if c == "white" and p not in set(border)]
        assert all(p[0] in range(88, 119, 6) and p[1] >= 4 for p in columns)
        assert (len(columns) > 200) == (preset == "classic")
        for name, found in shares.items():
            found.append(sum(c == name for c in cells.values()) / (39 * 58))
    assert np.mean(shares["red"]) == pytest.approx(0.1, abs=0.005)
    assert np.mean(shares["green"]) == pytest.approx(0.09, abs=0.005)


def test_every_tick_is_that_of_plain_python():
    """Pose, what is seen ahead, pain, food and the shove, over random spikes."""
    env, rng = make(), np.random.default_rng(1)
    pains = foods = 0
    for seed in range(6):
        obs, _ = env.reset(seed=seed)
        cells = patches(env)
        for _ in range(300):
            x, y, heading = env.pose
            spikes = rng.random(2) < (0.3, 0.5)
            obs, reward, *_ = env.step(spikes.astype(float))
            x, y, heading = naive.moved(x, y, heading, *spikes)
            under = cells.get(tuple(math.floor(v + 0.5) for v in naive.inside(x, y)))
            pain, food = under in ("white", "red"), under == "green"
            if pain:
                x, y = x + 0.5 * math.cos(heading), y + 0.5 * math.sin(heading)
            x, y = naive.inside(x, y)
            np.testing.assert_allclose(env.pose[:2], (x, y), atol=1e-8)
            assert (obs[3], obs[4], reward) == (pain, food, float(food) - float(pain))
            here = (math.floor(x + 0.5), math.floor(y + 0.5))
            seen = {}
            for i in range(1, 12):
                p, q = x + 0.34 * i * math.cos(heading), y + 0.34 * i * math.sin(heading)
                if (math.floor(p + 0.5), math.floor(q + 0.5)) == here:
                    continue
                colour = cells.get(tuple(math.floor(v + 0.5) for v in naive.inside(p, q)))
                if colour:
                    seen[colour] = 0.34 * i
                    break
            np.testing.assert_allclose(obs[:3], [seen.get(c, 5.0) for c in ("white", "red", "green")], atol=1e-6)
            pains, foods = pains + pain, foods + food
    assert pains > 100
    assert foods > 30


def test_metrics_count_steps_onto_patches():
    env, rng = make(time_limit=6.0), np.random.default_rng(2)
    obs, _ = env.reset(seed=3)
    hurt = fed = moves = 0
    truncated, info = False, {}
    while not truncated:
        before, action = obs, (rng.random(2) < (0.2, 0.4)).astype(float)
        obs, _, _, truncated, info = env.step(action)
        hurt, fed, moves = hurt + (obs[3] > before[3]), fed + (obs[4] > before[4]), moves + int(action[1])
    assert info["noxious"] == pytest.approx(hurt * 5000 / 6000)
    assert info["food"] == pytest.approx(fed * 5000 / 6000)
    assert info["moves"] == moves
    assert info["noxious_per_move"] == pytest.approx(hurt / moves)
    assert 0 < info["noxious_first"] <= hurt


def test_without_push_pain_holds_the_insect():
    """The trap of the sheet: it turns on the spot for ever, since pain inhibits its forward motor."""
    stuck = []
    for push in (True, False):
        env = make(push=push, time_limit=20.0)
        brain = scenario.make_controller(scenario.load("color_forage"), env, 1)
        run_episode(env, brain, seed=4, learn=False)
        row = env.get_state()["row"]
        stuck.append(row[8])
    assert stuck == [0.0, 1.0]


def test_the_swap_changes_what_red_and_green_mean():
    env, twin = make("swap", swap_after=0.5, time_limit=3.0), make(time_limit=3.0)
    rng = np.random.default_rng(5)
    for e in (env, twin):
        e.reset(seed=6)
    assert any("later feeds" in m.get("label", "") for m in env.scene()["marks"])
    differs = []
    for t in range(3000):
        action = (rng.random(2) < (0.1, 0.4)).astype(float)
        a, b = env.step(action)[0], twin.step(action)[0]
        differs.append(bool((a[3:] != b[3:]).any()))
        if not differs[-1]:
            continue
        assert t >= 500
        assert a[3] + a[4] == b[3] + b[4] == 1
        break
    assert differs[-1]


@pytest.mark.parametrize("heading", ["north", math.inf, True])
def test_a_bad_heading_is_one_sentence(heading):
    with pytest.raises(ConfigurationError, match=r"reset option heading = .*, must be a finite number"):
        make().reset(options={"heading": heading})


def test_distance_becomes_latency():
    """A patch at d patches makes a pulse every round(d) ticks; out of sight, the count starts anew."""
    encoder, far = DistanceLatencyEncoder(), 5.0
    pulses = [encoder([3.0, far, far, 0, 0]).copy()[0] for _ in range(9)]
    assert pulses == [0, 0, 1] * 3
    encoder.reset()
    assert [encoder([far, 0.3, far, 0, 0]).copy()[1] for _ in range(3)] == [1, 1, 1]
    encoder.reset()
    seen = [2.0, far, 2.0, 2.0, 2.0]
    assert [encoder([far, far, d, 0, 0]).copy()[2] for d in seen] == [0, 0, 0, 1, 0]
    encoder.reset()
    first, second = encoder([far, far, far, 1, 0]).copy(), encoder([far, far, far, 0, 1]).copy()
    assert first.tolist() == [0, 0, 0, 1, 0, 1]
    assert second.tolist() == [0, 0, 0, 0, 1, 0]
    with pytest.raises(ShapeError, match=r"must be \(5,\)"):
        encoder(np.zeros(3))


TICKS = st.lists(st.integers(0, 200), max_size=25, unique=True).map(sorted)


@settings(max_examples=150)
@given(arrivals=TICKS, posts=TICKS)
def test_plasticity_is_that_of_plain_python(arrivals, posts):
    if not arrivals + posts:
        return
    rule, w = ClearedSTDP(2, 2, 0.045, 0.045, 1.0, 9.0), np.full((2, 2), 5.0)
    for t in range(201):
        rule(w, t, np.array([t in arrivals, False]), np.array([t in posts, False]))
    assert w[0, 0] == pytest.approx(naive.weights((arrivals, posts), 5.0), abs=1e-12)
    assert w[0, 1] == w[1, 0] == w[1, 1] == 5.0


SETS = st.lists(st.tuples(st.frozensets(st.integers(0, 2)), st.frozensets(st.integers(0, 1))), max_size=120)


@settings(max_examples=100)
@given(ticks=SETS, forget=st.sampled_from([0.0, 0.01]), loss=st.sampled_from([0.5, 1.05]))
def test_the_kernel_has_the_bits_of_plain_python(ticks, forget, loss):
    w = np.full((3, 2), 5.0, np.float32)
    rule = ClearedSTDP(3, 2, 0.6, 0.6 * loss, 1.0, 9.0, forget=forget, rest=5.0)
    plain = naive.Plasticity(w, 0.6, 0.6 * loss, forget=forget)
    for t, (pre, post) in enumerate(ticks):
        if not pre and not post:
            continue
        before = w.copy()
        changed = rule(w, t, np.array([j in pre for j in range(3)]), np.array([i in post for i in range(2)]))
        assert changed or (w == before).all()
        plain.tick(t, pre, post)
        assert w.tolist() == plain.w


@pytest.mark.parametrize("options", [{}, {"forget": 0.5}, {"loss": 1.0, "pacemaker": 3.5, "rate": 3.0}])
def test_a_life_has_the_bits_of_plain_python(options):
    """Eye, nine neurons, plasticity and actions, tick by tick in the world; stored half-way and taken up again."""
    env, brain, other = make(time_limit=8.0), *(spikinglab9(**options) for _ in range(2))
    for one in (brain, other):
        one.attach(compiled(one.network), 1)
        one.reset(1)
    gain = 0.045 * options.get("rate", 2 / 3)
    loss, forget = gain * options.get("loss", 1.05), options.get("forget", 0.0) / 1000
    rule = naive.Plasticity(np.full((3, 2), 5.0), gain, loss, forget=forget)
    plain = naive.Brain(rule, options.get("pacemaker", 4.2))
    seen, _ = env.reset(seed=7)
    spikes = np.zeros(2)
    for t in range(6000):
        if t == 3000:
            other.load_state(brain.state())
            brain = other
        action = brain.act(seen)
        assert action.tolist() == plain.tick(seen.tolist())
        spikes += action
        seen = env.step(action)[0]
    assert brain.weights()[PLASTIC].reshape(3, 2).tolist() == rule.w
    assert (np.abs(np.array(rule.w) - 5.0) > 0.02).sum() >= 5
    assert (spikes > 20).all()


def test_frozen_it_learns_nothing():
    env, brain = make(time_limit=5.0), spikinglab9()
    brain.attach(compiled(brain.network), 1)
    run_episode(env, brain, seed=7, learn=False)
    assert (brain.weights()[PLASTIC] == 5.0).all()
    run_episode(env, brain, seed=7, learn=True)
    assert (brain.weights()[PLASTIC] != 5.0).any()


def test_forgetting_brings_weights_back():
    """After one second of silence, exp(-1) of what was learned is left."""
    rule, w = ClearedSTDP(1, 1, 0.0, 0.0, 1.0, 9.0, forget=0.001, rest=5.0), np.array([[9.0]])
    assert rule(w, 1000, np.array([True]), np.array([False]))
    assert w[0, 0] == pytest.approx(5.0 + 4.0 * 0.999**1000)


@pytest.mark.parametrize("option", ["rate", "loss", "forget", "pacemaker"])
def test_numbers_below_zero_are_one_sentence(option):
    with pytest.raises(ConfigurationError, match=option):
        spikinglab9(**{option: -1.0})


def test_forgetting_all_at_once_is_one_sentence():
    with pytest.raises(ConfigurationError, match=r"forget must lie in \[0, 1\) per tick"):
        spikinglab9(forget=1000.0)


def test_it_has_nine_neurons_and_the_published_numbers():
    network = spikinglab9().network
    assert network.n_neurons == 9
    assert network.n_inputs == 6
    lif = network.population("motors").model
    assert math.exp(-1 / lif.tau_m) == pytest.approx(0.92)
    assert (lif.v_rest, lif.v_th, lif.v_reset, lif.t_ref) == (-65, -55, -75, 3)
    found = {p.name: (sorted(set(p.weight.tolist())), sorted(set(p.delay.tolist()))) for p in network.projections}
    assert found["motors->motors"] == ([-22, -8], [3])
    inhibition = network.projection("motors->motors")
    assert dict(zip(inhibition.pre.tolist(), inhibition.weight.tolist(), strict=True)) == {0: -22, 1: -8}
    assert found["pacemaker->pacemaker"] == ([15], [2, 3])
    assert found["pacemaker->motors"] == ([pytest.approx(4.2)], [1])
    assert found["eye->afferents"][1] == [3]
    assert set(spikinglab9(pacemaker=3.5).network.projection("pacemaker->motors").weight) == {3.5}


def test_the_pacemaker_charges_as_that_of_the_source():
    """4.2 every 5 ticks here, 3.5 every 4 there, to within 0.3 %."""
    network = spikinglab9().network
    period = network.projection("pacemaker->pacemaker").delay.sum()
    drive = network.projection("pacemaker->motors").weight[0]
    assert period == 5
    assert drive / (1 - 0.92**period) == pytest.approx(3.5 / (1 - 0.92**4), rel=0.003)


def test_signs_after_one_life():
    """50,000 ticks of a seed that is not in any table: colours that hurt turn it, the one that feeds draws it on."""
    env = make(time_limit=60.0)
    brain = scenario.make_controller(scenario.load("color_forage"), env, 1)
    run_episode(env, brain, seed=90_000, learn=True)
    w = brain.weights()["afferents->motors"].reshape(3, 2)
    assert (np.sign(w[:, 0] - w[:, 1]) == (1, 1, -1)).all()
    frozen = {}
    for label, options in (("naive", {}), ("grown", {"learned": True})):
        env = make(time_limit=30.0)
        other = scenario.make_controller(scenario.load("color_forage"), env, 1, options=options)
        frozen[label] = run_episode(env, other, seed=90_001, learn=False).metrics["noxious"]
    assert frozen["grown"] <= 0.3 * frozen["naive"]
