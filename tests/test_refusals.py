"""Mistakes that a first user made: each is one sentence, and nothing is half-written."""

import signal

import gymnasium
import pytest
from cli_help import FAST, CommandLine

import insectbot
from insectbot.cli.run import MAX_SEED
from insectbot.cli.train import remembered_interrupt
from insectbot.errors import ConfigurationError, ShapeError
from insectbot.scenario import load, make_env


@pytest.fixture
def cli(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    return CommandLine(tmp_path, capsys)


@pytest.mark.parametrize("command", ["run", "play"])
def test_a_seed_that_no_file_can_hold(cli, command):
    result = cli(command, "foraging", "--seed", str(MAX_SEED + 1))
    assert result.code == 2
    assert f"must be from 0 to {MAX_SEED}" in result.err
    assert not (cli.folder / "runs").exists()


def test_a_training_seed_that_no_file_can_hold():
    with pytest.raises(ConfigurationError, match=r"training\.seeds"):
        load("foraging", {"training.seeds": [MAX_SEED + 1]})


def test_play_films_one_episode_where_no_number_is_given(cli):
    cli.write("brain.py", "def ahead(observation):\n    return [1.0, 1.0]\n")
    options = ("--controller", "./brain.py:ahead", "--set", "env.options.time_limit=1.0", "--video", "film.gif")
    result = cli("play", "foraging", *options)
    assert result.code == 0, result.err
    assert "ep 1/1" in result.out
    assert (cli.folder / "film.gif").stat().st_size > 1000


def test_an_option_the_world_does_not_have():
    with pytest.raises(ConfigurationError, match=r"option 'antenna' is not known \(known: .*preset") as caught:
        make_env(load("foraging", {"env.options.antenna": 3}), "run")
    assert len(str(caught.value).splitlines()) == 1


def test_an_action_that_is_no_number():
    env = gymnasium.make("insectbot/Foraging-v0").unwrapped
    env.reset(seed=1)
    for action in ("left", None, {"left": 1.0}, [1.0, [2.0]]):
        with pytest.raises(ShapeError, match="must be"):
            env.step(action)


def test_an_interrupt_is_remembered_even_where_python_drops_the_exception():
    class Finaliser:
        def __del__(self):
            try:
                signal.raise_signal(signal.SIGINT)
            except KeyboardInterrupt:
                return  # what the interpreter does with it, less its message

    before = signal.getsignal(signal.SIGINT)
    with remembered_interrupt() as interrupted:
        assert not interrupted()
        thing = Finaliser()
        del thing
        assert interrupted()
    assert signal.getsignal(signal.SIGINT) is before


def test_the_figure_says_what_is_drawn():
    figure = insectbot.run("foraging", episodes=2, controller="taxis").plot()
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["rough ground", "target", "path", "start"]
    assert figure.axes[0].get_ylabel() == "y [mm]"


def test_latest_resumes_the_last_training_also_after_an_episode_was_run(cli):
    cli.write("line.toml", FAST)
    assert cli("train", "line.toml", "--workers", "1", "--no-report", "--no-bench").code == 0
    assert cli("run", "line.toml").code == 0
    finished = cli("train", "--resume", "latest")
    assert finished.code == 2
    assert "is finished: train it longer with -n" in finished.err
