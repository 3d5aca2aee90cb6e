"""Land from a user's file: what arrives in the world is what the file says, north up; mistakes are one sentence."""

import importlib.util
import pickle

import gymnasium
import imageio.v3 as iio
import numpy as np
import pytest

from insectbot import scenario
from insectbot.cli import main
from insectbot.envs.terrain import COLUMNS, ROWS, load_dem
from insectbot.envs.terrain_file import read_terrain
from insectbot.errors import ConfigurationError, MissingExtraError, UnknownNameError


def hill(ny=50, nx=60):
    """Return land that rises to the north and a little to the east [m]."""
    return np.add.outer(np.linspace(500.0, 0.0, ny), np.linspace(0.0, 50.0, nx))


def make(path, **kwargs):
    return gymnasium.make(
        "insectbot/Foraging-v0", preset="dem", terrain=str(path), disable_env_checker=True, **kwargs
    ).unwrapped


def test_an_array_keeps_its_corners_and_its_north(tmp_path):
    np.save(tmp_path / "land.npy", hill())
    env = make(tmp_path / "land.npy")
    env.reset(seed=1)
    land = env.scene()["elevation"]
    assert land.shape == (ROWS, COLUMNS)
    np.testing.assert_allclose(land[[0, -1, 0, -1], [0, 0, -1, -1]], [0.0, 500.0, 50.0, 550.0], atol=1e-3)
    np.testing.assert_allclose(land, hill(ROWS, COLUMNS)[::-1], atol=0.01)  # a plane stays one
    assert not land.flags.writeable


def test_the_built_in_map_comes_back_from_a_file(tmp_path):
    """Saved north up at its own size, it is the same map and the same episode, bit for bit."""
    np.save(tmp_path / "dem.npy", load_dem()[::-1])
    own, built_in = make(tmp_path / "dem.npy"), gymnasium.make("insectbot/Foraging-v0", preset="dem").unwrapped
    for env in (own, built_in):
        env.reset(seed=3)
    for _ in range(50):
        np.testing.assert_array_equal(own.step([1.0, 0.7])[0], built_in.step([1.0, 0.7])[0])
    np.testing.assert_array_equal(own.optimal_path(), built_in.optimal_path())


def test_an_image_is_grey_levels_times_relief(tmp_path):
    grey = np.zeros((40, 40), np.uint8)
    grey[:10] = 255  # a plateau in the north
    iio.imwrite(tmp_path / "land.png", grey)
    land = read_terrain(str(tmp_path / "land.png"), 300.0)
    assert land[0].max() == 0.0
    np.testing.assert_allclose(land[-1], 300.0, atol=1e-3)
    assert make(tmp_path / "land.png", relief=10.0).world.data.max() == pytest.approx(10.0)


def test_walking_uphill_is_slow(tmp_path):
    """North is uphill: the same command goes less far."""
    np.save(tmp_path / "land.npy", 8.0 * hill())
    far = []
    for heading in (np.pi / 2, 0.0):
        env = make(tmp_path / "land.npy")
        env.reset(seed=1, options={"start": [470, 500, heading], "target": [100, 100]})
        env.step([1.0, 1.0])
        far.append(np.hypot(*(env.pose[:2] - (470, 500))))
    assert far[0] < 0.8 * far[1]


def test_it_survives_pickling_and_takes_no_room_there(tmp_path):
    np.save(tmp_path / "land.npy", hill())
    env = make(tmp_path / "land.npy")
    env.reset(seed=1)
    data = pickle.dumps(env)
    assert len(data) < 20_000
    twin = pickle.loads(data)
    np.testing.assert_array_equal(twin.step([1, 1])[0], env.step([1, 1])[0])


@pytest.mark.parametrize(
    ("name", "content", "error", "message"),
    [
        ("none.npy", None, UnknownNameError, "cannot be read"),
        ("text.npy", b"hello", UnknownNameError, "cannot be read"),
        ("text.png", b"hello", UnknownNameError, "cannot be read"),
        ("land.csv", b"1,2", ConfigurationError, "must end in .png, .npy, .tif"),
        ("flat.npy", np.zeros((3, 9)), ConfigurationError, r"has shape \(3, 9\), must be at least 4 x 4"),
        ("cube.npy", np.zeros((5, 5, 5)), ConfigurationError, "has shape"),
        ("hole.npy", np.full((5, 5), np.nan), ConfigurationError, "not finite"),
        ("word.npy", np.array([["a", "b"]] * 9), UnknownNameError, "cannot be read"),
    ],
)
def test_mistakes(tmp_path, name, content, error, message):
    path = tmp_path / name
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        np.save(path, content)
    with pytest.raises(error, match=message) as caught:
        make(path)
    assert "\n" not in str(caught.value)


def test_other_mistakes(tmp_path):
    np.save(tmp_path / "land.npy", hill())
    with pytest.raises(ConfigurationError, match="needs the preset 'dem', not 'smooth'"):
        gymnasium.make("insectbot/Foraging-v0", preset="smooth", terrain=str(tmp_path / "land.npy"))
    with pytest.raises(ConfigurationError, match="relief = 0 m"):
        make(tmp_path / "land.npy", relief=0)
    if importlib.util.find_spec("rasterio") is None:
        (tmp_path / "land.tif").write_bytes(b"II*\0")
        with pytest.raises(MissingExtraError, match="pip install rasterio"):
            make(tmp_path / "land.tif")


def test_a_scenario_may_bring_its_land(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("land.npy", hill())
    what = scenario.load("dem", {"env.options": {"terrain": "land.npy", "time_limit": 2.0}})
    env = scenario.make_env(what)
    env.reset(seed=1)
    assert env.unwrapped.world.data[-1, 0] == pytest.approx(500.0)
    words = ["run", "dem", "--set", 'env.options={terrain="land.npy", time_limit=2.0}', "--controller", "taxis"]
    assert main(words) == 0
