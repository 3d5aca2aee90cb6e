"""``insectbot new``: what it writes works at once, in a folder of the user's own."""

import subprocess
import sys
from importlib import resources

import numpy as np
import pytest

from insectbot import check, plugins, scenario
from insectbot.cli import main
from insectbot.cli.new import STARTERS, new
from insectbot.errors import ConfigurationError, UnknownNameError
from insectbot.loop.episode import run_episode

CASES = [("env", "glow-worm", "glow_worm.py:GlowWorm"), ("controller", "my_brain", "my_brain.py:my_brain")]
CASES += [("chip", "tiny", "tiny.toml")]


@pytest.mark.parametrize(("kind", "name", "ref"), CASES)
def test_a_starter_keeps_every_promise(tmp_path, monkeypatch, capsys, kind, name, ref):
    monkeypatch.chdir(tmp_path)
    assert main(["new", kind, name]) == 0
    printed = capsys.readouterr().out
    assert f"insectbot check ./{ref}" in printed
    assert main(["check", f"./{ref}"]) == 0
    text = (tmp_path / ref.partition(":")[0]).read_text()
    assert not any(word in text for word in ("MyEnv", "MyWorld", "my_env", "my_controller", "my_chip", "my-chip"))
    assert check.kind_of(f"./{ref}") == kind


def test_the_new_world_is_whole(tmp_path, monkeypatch):
    """It has a vector env, a picture, and a controller can live in it."""
    monkeypatch.chdir(tmp_path)
    new("env", "pond")
    module = sys.modules[plugins.resolve("env", "./pond.py:Pond").__module__]
    env, vector = module.Pond(render_mode="rgb_array"), module.PondVectorEnv(3)
    obs, _ = vector.reset(seed=4)
    np.testing.assert_array_equal(env.reset(seed=5)[0], obs[1])
    for _ in range(700):
        obs, _, terminated, truncated, info = env.step([0.5 + obs[1, 1] - obs[1, 0], 0.5])
        if terminated or truncated:
            break
        obs = np.tile(obs, (2, 1))
    assert set(info) == {"success", "time"}
    assert env.render().std() > 5
    assert main(["run", "foraging", "--controller", "random", "--env", "./pond.py:Pond"]) == 0


def test_the_new_brain_learns_something(tmp_path, monkeypatch):
    """Its weights leave their start, stay mirror images, and differ from seed to seed."""
    monkeypatch.chdir(tmp_path)
    new("controller", "brain")
    what = scenario.load("foraging", {"controller.name": "./brain.py:brain"})
    made = [scenario.make_controller(what, scenario.make_env(what), seed) for seed in (1, 2)]
    first, second = (m.weights()["senses->motors"] for m in made)
    assert not np.array_equal(first, second)
    env = scenario.make_env(what, "train")
    for world in range(2):
        run_episode(env, made[0], seed=world, learn=True)
    learned = made[0].weights()["senses->motors"]
    assert np.abs(learned - first).max() > 0.01
    np.testing.assert_array_equal(learned[[0, 1, 4, 5]], learned[[3, 2, 7, 6]])


@pytest.mark.parametrize(
    ("kind", "name", "error", "message"),
    [
        ("brain", "x", UnknownNameError, "no such kind, give one of env, controller, chip"),
        ("env", "2d world", ConfigurationError, "must be letters, digits and _"),
        ("env", "class", ConfigurationError, "must be letters, digits and _"),
        ("chip", "../evil", ConfigurationError, "must be letters, digits and _"),
    ],
)
def test_mistakes(tmp_path, kind, name, error, message):
    with pytest.raises(error, match=message):
        new(kind, name, tmp_path)
    assert not list(tmp_path.iterdir())


def test_nothing_is_overwritten(tmp_path):
    new("env", "pond", tmp_path)
    before = (tmp_path / "pond.py").read_text()
    with pytest.raises(ConfigurationError, match=r"pond\.py exists"):
        new("env", "pond", tmp_path)
    assert (tmp_path / "pond.py").read_text() == before
    with pytest.raises(ConfigurationError, match="cannot be written"):
        new("env", "lake", tmp_path / "no such folder")


def test_starters_are_packaged_and_listed():
    found = {entry.name for entry in resources.files("insectbot.starters").iterdir()}
    assert {starter.file for starter in STARTERS.values()} <= found


def test_a_chip_may_bring_its_own_arithmetic(tmp_path, monkeypatch):
    """A datasheet names a class in a file beside it; it is found from any working folder."""
    new("chip", "tiny", tmp_path)
    path = tmp_path / "tiny.toml"
    family = 'family = { value = "./mine.py:Mine", unit = "text", evidence = "assumed", source = "mine" }'
    path.write_text(path.read_text().replace("[limits.core]", f"{family}\n\n[limits.core]", 1))
    (tmp_path / "mine.py").write_text(
        'from insectbot.chips.loihi import Loihi\n\n\nclass Mine(Loihi):\n    fidelity = "Mine alone."\n'
    )
    made = plugins.resolve("chip", str(path))
    assert (made.name, made.fidelity) == ("tiny", "Mine alone.")
    assert made.sheet.int("limits.core.compartments") == 256
    text = path.read_text().replace("./mine.py:Mine", "no such family")
    path.write_text(text)
    with pytest.raises(ConfigurationError, match=r"must be one of .*cuba_int"):
        plugins.resolve("chip", str(path))


def test_the_command_says_what_to_do_next(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "insectbot", "new", "env", "pond"], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0
    assert done.stdout.startswith("written; try next:\n  insectbot check ./pond.py:Pond")
