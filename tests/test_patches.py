"""The preset patches: kernels against plain Python and closed forms, manners, pictures."""

import json
import math

import gymnasium
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_patches import NaivePatches

from insectbot.envs import foraging_row as r
from insectbot.envs import patches_row as p
from insectbot.envs.foraging import ForagingEnv
from insectbot.envs.patches_kernels import odor, patch_at, reset, step
from insectbot.envs.patches_settings import PatchSettings, template
from insectbot.envs.patches_world import PatchesWorld
from insectbot.envs.world import FAILED, NO_DATA, RUNNING, TRUNCATED
from insectbot.errors import ConfigurationError, ShapeError, UnknownNameError

ID = "insectbot/Foraging-v0"
STILL = np.zeros(2, np.float32)
SENSES = [
    r.RHO_LEFT,
    r.RHO_RIGHT,
    p.ODOR_LEFT,
    p.ODOR_RIGHT,
    r.RHO,
    p.HOME_LEFT,
    p.HOME_RIGHT,
    p.LOAD,
    p.ENERGY,
    p.TASTE,
]
ALL_WEIGHTS = {
    **{"food": 3.0, "intake": 7.0, "odor": 5.0, "home": 0.5, "bearing": 2.0},
    **{"walk": -0.1, "roughness": -0.3, "antennae": -4.0, "collision": -1.5, "starved": -9.0},
}


def world(key, start=None, **kwargs):
    row = template(PatchSettings(**kwargs))
    if start is not None:
        row[r.WISH : r.WISH + 3] = start
    row[r.KEY_HIGH], row[r.KEY_LOW] = key >> 32, key & 0xFFFFFFFF
    obs = np.empty(10, np.float32)
    reset(row, NO_DATA, obs)
    return row, obs


def put(row, x, y, heading=0.0):
    row[r.X], row[r.Y], row[r.HEADING] = x, y, heading
    row[r.COS], row[r.SIN] = math.cos(heading), math.sin(heading)


def commands(seed, n):
    """Smooth random wheel commands, with pauses."""
    rng = np.random.default_rng(seed)
    turn, out = 0.0, []
    for k in range(n):
        turn = 0.9 * turn + rng.normal(0.0, 0.3)
        out.append((0.0, 0.0) if k % 100 > 70 else (1.0 - turn, 1.0 + turn))
    return np.array(out, np.float32)


@pytest.mark.parametrize(
    "kwargs",
    [
        {},
        {"reward": "local", "odor_noise": 0.0, "patches": 8},
        {"reward_weights": ALL_WEIGHTS, "regrowth": 0.5, "odor_noise": 0.3},
        {"walls": "clamp", "patches": 1, "reward": "sparse", "reward_weights": ALL_WEIGHTS},
    ],
)
def test_step_equals_plain_python(kwargs):
    """Positions, senses, food, energy, rewards and ends agree, from the wild, from the nest and from a patch."""
    gathered = delivered = collisions = 0.0
    for key in (1, 2**63 + 12345, 987654321987654321, 5, 6):
        start = (15.0, 12.0, -2.3) if key == 5 else None
        row, obs = world(key, start, **kwargs)
        if key == 6:
            row, obs = world(key, (*row[[p.PATCH_X, p.PATCH_Y]], 0.5), **kwargs)
        naive = NaivePatches(row, int(row[r.DRAWS]) - (24 if row[p.NOISE] > 0 else 0))
        np.testing.assert_allclose(obs, naive.seen, atol=1e-6)
        row[p.LOAD] = naive.load = 0.5 if key == 1 else 0.0
        for action in commands(key % 1000, 500):
            reward, code = step(row, NO_DATA, action, obs)
            senses, expected, starved, over = naive.step(*action.tolist())
            assert reward == pytest.approx(expected, abs=1e-7)
            assert (code == FAILED, code == TRUNCATED) == (starved, over)
            np.testing.assert_allclose(row[SENSES], senses, atol=1e-8)
            np.testing.assert_array_equal(obs, row[SENSES].astype(np.float32))
        np.testing.assert_allclose(row[:2], (naive.x, naive.y), atol=1e-6)
        np.testing.assert_allclose(row[p.PATCH_FOOD :][: len(naive.food)], naive.food, atol=1e-9)
        assert row[[p.FOOD, p.GATHERED]] == pytest.approx([naive.delivered, naive.gathered])
        assert row[[r.PATH, r.EXPOSURE]] == pytest.approx([naive.path, naive.exposure])
        assert row[r.COLLISIONS] == naive.collisions
        gathered, delivered, collisions = (
            gathered + naive.gathered,
            delivered + naive.delivered,
            collisions + naive.collisions,
        )
    assert gathered > 0.15
    assert delivered > 0.3
    assert collisions > 0 or kwargs.get("walls") == "clamp"


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**64 - 1), st.integers(1, 8))
def test_every_world_obeys_the_description(key, n):
    """Places, radii and food of any key lie in the stated ranges."""
    row, obs = world(key, patches=n)
    assert ((obs >= 0) & (obs <= 1)).all()
    nest = row[p.NEST : p.NEST + 2]
    assert ((nest >= 250) & (nest <= 750)).all()
    np.testing.assert_array_equal(row[:2], nest)
    xy = np.column_stack((row[p.PATCH_X :][:n], row[p.PATCH_Y :][:n]))
    assert ((xy >= 60) & (xy <= 940)).all()
    assert (np.hypot(*(xy - nest).T) > 200).all()
    assert all(np.hypot(*(a - b)) > 130 for i, a in enumerate(xy) for b in xy[:i])
    radius, food = np.sqrt(row[p.PATCH_R2 :][:n]), row[p.PATCH_FOOD :][:n]
    assert ((radius >= 25) & (radius <= 40) & (food >= 1) & (food <= 4)).all()
    np.testing.assert_array_equal(food, row[p.PATCH_MOST :][:n])
    assert (row[p.PATCH_R2 + n : p.PATCH_R2 + 8] == -1).all()
    assert (row[p.PATCH_FOOD + n : p.PATCH_FOOD + 8] == 0).all()


def test_intake_follows_its_closed_form():
    """Resting on food: ``f + 0.5 ln f = f0 + 0.5 ln f0 - 0.15 t`` while the crop has room; then nothing more."""
    row, obs = world(3, regrowth=0.0)
    put(row, row[p.PATCH_X], row[p.PATCH_Y])
    row[p.PATCH_FOOD] = first = 1.2
    for k in range(1, 700):
        before = row[p.LOAD]
        step(row, NO_DATA, STILL, obs)
        food = row[p.PATCH_FOOD]
        if row[p.LOAD] < 1.0:
            assert food + 0.5 * math.log(food) == pytest.approx(first + 0.5 * math.log(first) - 0.0075 * k, abs=0.01)
            assert before < row[p.LOAD]
    assert row[p.LOAD] == pytest.approx(1.0, abs=1e-12)
    assert row[p.PATCH_FOOD] == pytest.approx(0.2)
    assert row[p.TASTE] == pytest.approx(0.2 / 0.7)


def test_food_is_neither_made_nor_lost():
    """What the patches lost is in the crop or in the nest; with regrowth they fill up to what they held."""
    row, obs = world(4, regrowth=0.0)
    before = row[p.PATCH_FOOD : p.PATCH_FOOD + 6].sum()
    for place in (p.PATCH_X, p.NEST, p.PATCH_X + 1):
        put(row, row[place], row[place + 8] if place != p.NEST else row[place + 1])
        for _ in range(60):
            step(row, NO_DATA, STILL, obs)
    lost = before - row[p.PATCH_FOOD : p.PATCH_FOOD + 6].sum()
    assert row[p.FOOD] > 0.3
    assert lost == pytest.approx(row[p.GATHERED])
    assert row[p.GATHERED] == pytest.approx(row[p.FOOD] + row[p.LOAD])
    row[p.REGROWTH] = 10.0
    put(row, row[p.NEST], row[p.NEST + 1])
    for _ in range(20):
        step(row, NO_DATA, STILL, obs)
    np.testing.assert_array_equal(row[p.PATCH_FOOD : p.PATCH_FOOD + 8], row[p.PATCH_MOST : p.PATCH_MOST + 8])


@pytest.mark.parametrize(("command", "life"), [(0.0, 150.0), (1.0, 600.0 / 7.0)])
def test_a_store_without_food_lasts_as_long_as_stated(command, life):
    """1/150 per second at rest, and 40 mm/s of 1/8000 per mm more at full speed on smooth ground."""
    row, obs = world(5)
    row[r.BUMP_A : r.BUMP_A + 16] = row[p.PATCH_FOOD : p.PATCH_FOOD + 8] = row[p.PATCH_MOST : p.PATCH_MOST + 8] = 0.0
    row[r.RHO] = 0.0
    row[r.WIDTH] = row[r.HEIGHT] = 1e6
    put(row, 5e5, 5e5)
    steps, code = 0, RUNNING
    while code == RUNNING:
        code = step(row, NO_DATA, np.full(2, command, np.float32), obs)[1]
        steps += 1
    assert code == FAILED
    assert abs(steps * 0.05 - life) <= 0.1
    assert row[p.ENERGY] == 0.0
    info = PatchesWorld().metrics(row, code)
    assert info["success"] is False
    assert info["survival"] == pytest.approx(life / 300.0, abs=0.001)


def test_the_nest_turns_food_into_energy():
    """A full crop is unloaded in a second and gives half a store; the store holds 1."""
    row, obs = world(6)
    row[p.LOAD], row[p.ENERGY] = 1.0, 0.3
    for _ in range(21):
        step(row, NO_DATA, STILL, obs)
    assert row[p.FOOD] == pytest.approx(1.0)
    assert row[p.LOAD] == pytest.approx(0.0, abs=1e-12)
    assert row[p.ENERGY] == pytest.approx(0.8 - 21 * 0.05 / 150)
    row[p.LOAD] = 1.0
    row[p.ENERGY] = 0.9
    for _ in range(21):
        step(row, NO_DATA, STILL, obs)
    assert 0.999 < row[p.ENERGY] <= 1.0


def test_odor_of_one_patch():
    """Half strength at half a unit of food, 1/e at 120 mm, and nothing from an empty patch."""
    row, _ = world(7, patches=1)
    x, y = row[p.PATCH_X], row[p.PATCH_Y]
    row[p.PATCH_FOOD] = 0.5
    assert odor(row, x, y) == pytest.approx(0.5, abs=1e-9)
    assert odor(row, x + 72.0, y - 96.0) == pytest.approx(0.5 / math.e, abs=1e-9)
    row[p.PATCH_FOOD] = 0.0
    assert odor(row, x, y) == 0.0
    assert patch_at(row, x, y) == 0
    assert patch_at(row, x + math.sqrt(row[p.PATCH_R2]) + 0.01, y) == -1


def test_odor_noise_has_the_stated_size():
    """At rest the two antennae scatter about the true share with the set deviation, independently."""
    row, obs = world(8, regrowth=0.0, odor_noise=0.05)
    quiet = world(8, regrowth=0.0, odor_noise=0.0)[1]
    put(row, row[p.PATCH_X] - 60.0, row[p.PATCH_Y])
    twin = row.copy()
    twin[p.NOISE] = 0.0
    step(twin, NO_DATA, STILL, quiet)
    seen = []
    for _ in range(2000):
        step(row, NO_DATA, STILL, obs)
        seen.append(obs[2:4].astype(float))
    error = np.array(seen) - quiet[2:4]
    assert np.abs(error.mean(0)).max() < 4 * 0.05 / math.sqrt(2000)
    np.testing.assert_allclose(error.std(0), 0.05, rtol=4 / math.sqrt(4000))
    assert abs(np.corrcoef(error.T)[0, 1]) < 4 / math.sqrt(2000)


def mirrored(row):
    """Return the world reflected at x = width / 2."""
    out = np.concatenate((r.mirrored(row[: r.SIZE]), row[r.SIZE :]))
    for first, n in ((p.NEST, 1), (p.PATCH_X, int(row[p.N_PATCHES]))):
        out[first : first + n] = row[r.WIDTH] - row[first : first + n]
    return out


def test_mirror_symmetry():
    """A reflected world driven with swapped wheels gives the reflected path, swapped senses and equal food."""
    for key in (5, 6, 7):
        row, obs = world(key, odor_noise=0.0)
        if key == 7:
            row, obs = world(key, (*row[[p.PATCH_X, p.PATCH_Y]], 0.3), odor_noise=0.0)
        other, seen = mirrored(row), np.empty(10, np.float32)
        for action in commands(key, 400):
            reward, code = step(row, NO_DATA, action, obs)
            twin_reward, twin_code = step(other, NO_DATA, action[::-1].copy(), seen)
            assert code == twin_code
            assert twin_reward == pytest.approx(reward, abs=1e-9)
            assert other[r.X] == pytest.approx(1000.0 - row[r.X], abs=1e-9)
            np.testing.assert_allclose(seen, obs[[1, 0, 3, 2, 4, 6, 5, 7, 8, 9]], atol=1e-7)
            assert other[p.GATHERED] == pytest.approx(row[p.GATHERED], abs=1e-9)


def test_home_cue_points_to_the_nest():
    env = ForagingEnv("patches")
    obs, _ = env.reset(seed=1, options={"start": [500, 500, 0], "nest": [500, 800]})
    assert obs[5] == pytest.approx((0.5 + 0.5 * math.cos(math.pi / 4)) ** 2 / 1.3, abs=1e-6)
    assert obs[6] == pytest.approx((0.5 - 0.5 * math.cos(math.pi / 4)) ** 2 / 1.3, abs=1e-6)
    obs, _ = env.reset(seed=1, options={"nest": [700, 300]})
    np.testing.assert_array_equal(env.pose[:2], [700, 300])
    assert np.hypot(*(env.patches()[:, :2] - [700, 300]).T).min() > 200


def test_an_episode_through_gymnasium():
    """Its metrics are plain numbers that agree with each other; the time limit is 300 s unless another is given."""
    env = gymnasium.make(ID, preset="patches", time_limit=4.0)
    assert env.observation_space.shape == (10,)
    env.reset(seed=1)
    over, steps, info = False, 0, {}
    while not over:
        assert info == {}
        _, _, terminated, over, info = env.step([0.8, 1.0])
        assert not terminated
        steps += 1
    assert steps == 80
    assert info["success"] is True
    assert info["survival"] == 1.0
    assert info["time"] == pytest.approx(4.0)
    assert info["food_per_metre"] == 1000.0 * info["food"] / info["path"]
    assert all(type(v) in (bool, int, float) for v in info.values())
    assert not info.keys() & {"T_opt", "SPT"}
    json.dumps(info)
    assert PatchesWorld().template()[r.MAX_STEPS] == 6000
    assert ForagingEnv().world.template()[r.MAX_STEPS] == 2400


def test_the_vector_env_has_the_preset():
    vector = gymnasium.make_vec(ID, num_envs=3, vectorization_mode="vector_entry_point", preset="patches", patches=4)
    single = gymnasium.make(ID, preset="patches", patches=4)
    obs, _ = vector.reset(seed=5)
    np.testing.assert_array_equal(obs[2], single.reset(seed=7)[0])
    for action in commands(1, 50):
        batch = vector.step(np.tile(action, (3, 1)))
        one = single.step(action)
        np.testing.assert_array_equal(batch[0][2], one[0])
        assert batch[1][2] == one[1]


@pytest.mark.parametrize(
    ("kwargs", "error", "text"),
    [
        ({"preset": "patch"}, UnknownNameError, "did you mean 'patches'"),
        ({"reward": "cheap"}, UnknownNameError, "reward 'cheap' is not one of dense, sparse, local"),
        ({"reward_weights": {"goal": 1.0}}, UnknownNameError, "reward_weights key 'goal' is not one of food"),
        ({"reward_weights": {"food": math.nan}}, ConfigurationError, "must be a finite number"),
        ({"walls": "soft"}, UnknownNameError, "walls 'soft'"),
        ({"patches": 9}, ConfigurationError, "patches = 9, must be a whole number from 1 to 8"),
        ({"patches": 2.0}, ConfigurationError, "must be a whole number from 1 to 8"),
        ({"regrowth": -1.0}, ConfigurationError, "regrowth"),
        ({"odor_noise": 1.5}, ConfigurationError, "odor_noise = 1.5, must be in"),
        ({"time_limit": 0.01}, ConfigurationError, "at least one control period"),
    ],
)
def test_wrong_arguments_are_refused(kwargs, error, text):
    with pytest.raises(error, match=text):
        ForagingEnv(**{"preset": "patches", **kwargs})


def test_wrong_options_and_actions_are_refused():
    env = ForagingEnv("patches")
    with pytest.raises(
        UnknownNameError, match="reset option of the preset 'patches' 'target' is not one of start, nest"
    ):
        env.reset(seed=1, options={"target": [1, 2]})
    with pytest.raises(ConfigurationError, match="lies outside the arena"):
        env.reset(seed=1, options={"nest": [-1, 2]})
    env.reset(seed=1)
    before = env.get_state()["row"]
    with pytest.raises(ShapeError, match="must be 2 finite numbers"):
        env.step([math.nan, 0.0])
    np.testing.assert_array_equal(env.get_state()["row"], before)
    assert ForagingEnv("smooth").patches().shape == (0, 5)


def test_the_best_round_trip():
    """No other patch gives more for the way there and home."""
    env = ForagingEnv("patches")
    env.reset(seed=3)
    there, patch, nest = env.optimal_path()
    np.testing.assert_array_equal(there, nest)
    table = env.patches()
    pays = np.minimum(table[:, 3], 1.0) / np.hypot(*(table[:, :2] - nest).T)
    np.testing.assert_array_equal(patch, table[np.argmax(pays), :2])


def test_the_picture_shows_what_is_left():
    """The disc of a patch has the area of what is left; a frame changes when it is eaten."""
    env = ForagingEnv("patches", render_mode="rgb_array")
    env.reset(seed=2)
    frame = env.render()
    row = env.get_state()
    whole = env.overlay()[1]["size"].copy()
    row["row"][p.PATCH_FOOD] *= 0.25
    env.set_state(row)
    assert env.overlay()[1]["size"][0] == pytest.approx(0.5 * whole[0])
    np.testing.assert_array_equal(env.overlay()[1]["size"][1:], whole[1:])
    assert (env.render() != frame).any()
    assert {mark.get("label") for mark in [*env.scene()["marks"], *env.overlay()]} >= {
        "nest",
        "patch",
        "food left",
        "odor",
    }
    env.close()
