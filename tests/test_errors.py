"""Whatever a user gets wrong: one sentence on stderr, exit code 2, no traceback, nothing half-written."""

import os
import subprocess
import sys

import pytest
from cli_help import FAKES, FAST, NETWORK, CommandLine

from insectbot.view.recording import Recording

BAD_BRAIN = """
import numpy as np
calls = 0

def nan(observation):
    return np.array([np.nan, 0.5])

def wide(observation):
    return np.zeros(3)

class Unfinished:
    def act(self, observation):
        return np.zeros(2)
"""


LATE = """
from insectbot.errors import ConfigurationError
n = 0

def late(observation):
    global n
    n += 1
    if n == 25:
        raise ConfigurationError("late = 25: enough, restart it")
    return [1.0]
"""


@pytest.fixture
def cli(tmp_path, monkeypatch, capsys):
    """A command line in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    return CommandLine(tmp_path, capsys)


def check(cli, words, *fragments, before=None):
    """Run a wrong command and assert what every wrong command must do."""
    files = cli.files() if before is None else before
    result = cli(*words)
    lines = [line for line in result.err.splitlines() if not line.startswith("compiling kernels")]
    assert result.code == 2, (result.code, result.err)
    assert len(lines) == 1, result.err
    assert lines[0].startswith("insectbot: ")
    for fragment in fragments:
        assert fragment in lines[0], lines[0]
    assert "Traceback" not in result.err + result.out
    assert cli.files() == files
    return lines[0]


WORDS = {
    "unknown command": (["fly"], "fly"),
    "nearest command": (["trian"], "train"),
    "unknown option": (["run", "foraging", "--sed", "1"], "--sed", "--seed"),
    "option without value": (["run", "foraging", "--seed"], "--seed"),
    "number expected": (["run", "foraging", "-n", "many"], "valid integer"),
    "missing argument": (["run"], "Missing argument"),
    "unknown kind of list": (["list", "animals"], "animals", "scenarios, envs, wrappers, controllers, chips, rules"),
    "unknown scenario": (["run", "forraging"], "forraging", "did you mean 'foraging'"),
    "missing scenario file": (["run", "nowhere.toml"], "nowhere.toml", "cannot be read"),
    "unknown preset": (["run", "foraging", "--preset", "smoth"], "smoth", "smooth"),
    "unknown preset to train on": (["train", "foraging", "--preset", "smoth"], "smoth", "smooth"),
    "unknown controller": (["run", "foraging", "--controller", "taxi"], "taxi", "did you mean 'taxis'"),
    "unknown chip": (["run", "foraging", "--chip", "lohi"], "lohi", "did you mean 'loihi'"),
    "unknown env": (["run", "foraging", "--env", "Foragin-v0"], "Foragin-v0"),
    "env in no module": (["run", "foraging", "--env", "nowhere.worlds:Env"], "nowhere.worlds"),
    "env in no file": (["run", "foraging", "--env", "./nowhere.py:Env"], "nowhere.py"),
    "no episodes": (["run", "foraging", "-n", "0"], "-n 0", "at least 1"),
    "negative episodes": (["run", "foraging", "-n", "-3"], "-n -3", "at least 1"),
    "negative training episodes": (["train", "foraging", "-n", "-3"], "training.episodes = -3"),
    "negative seed": (["run", "foraging", "--seed", "-1"], "--seed -1"),
    "bad seed list": (["train", "foraging", "--seeds", "1,x"], "1,x", "1,2,3"),
    "seed given twice": (["train", "foraging", "--seeds", "2,2"], "2,2", "twice"),
    "zero seeds": (["train", "foraging", "--seeds", "0"], "training.seeds"),
    "no workers": (["train", "foraging", "--workers", "0"], "--workers 0"),
    "train what": (["train"], "name a scenario"),
    "unknown video suffix": (["run", "foraging", "--video", "film.avi"], "film.avi", ".mp4 or .gif"),
    "video in no folder": (["run", "foraging", "--video", "nowhere/film.mp4"], "nowhere"),
    "no display": (["play", "foraging"], "no display", "--video out.mp4"),
    "report of nothing": (["report", "latest"], "no run", "insectbot train foraging"),
    "report of no folder": (["report", "runs/foraging"], "runs/foraging"),
    "resume nothing": (["train", "--resume", "runs/foraging/x"], "not a run folder"),
    "flag of a controller": (
        ["run", "aplysia_robot", "--set", "controller.options.mirror=maybe"],
        "mirror = 'maybe'",
        "true or false",
    ),
    "die of a chip": (["run", "foraging", "--chip", "dynapse2@die=x"], "die = 'x'", "whole number of at least 0"),
    "bench unknown chips": (["bench", "foraging", "--chips", "ideal,true-south"], "true-south", "truenorth"),
    "bench no chips": (["bench", "foraging", "--chips", ","], "--chips"),
    "bench unknown scenario": (["bench", "sailing"], "sailing"),
    "check unknown": (["check", "lohi-2"], "lohi-2", "loihi"),
    "check in unknown scenario": (["check", "taxis", "--scenario", "sailing"], "sailing"),
    "set without value": (["run", "foraging", "--set", "training.episodes"], "KEY=VALUE"),
    "set unknown key": (["run", "foraging", "--set", "training.episode=3"], "training.episode", "'episodes'"),
    "set wrong type": (["run", "foraging", "--set", "training.episodes=many"], "training.episodes", "many"),
    "set inside a value": (["run", "foraging", "--set", "chip.name=3"], "chip.name"),
    "unknown option of the env": (["run", "foraging", "--set", "env.options.wall=1"], "wall"),
    "unknown reward": (["run", "foraging", "--frozen", "--set", "env.options.reward=dens"], "dens", "dense"),
    "unknown reward weight": (
        ["run", "foraging", "--set", "env.options.reward_weights={progres = 1.0}"],
        "progres",
        "progress",
    ),
    "reward weight that is no number": (
        ["run", "foraging", "--set", "env.options.reward_weights={progress = 'high'}"],
        "progress",
    ),
    "bad time limit": (["run", "foraging", "--set", "env.options.time_limit=-1.0"], "time_limit"),
    "unknown option of the controller": (
        ["run", "foraging", "--set", "controller.options={colour = 'red'}"],
        "colour",
    ),
    "period not whole": (["run", "foraging", "--set", "env.control_period=0.0505"], "50.5 ms", "dt = 1 ms"),
    "weights of nobody": (["run", "foraging", "--weights", "latest"], "no run"),
}


@pytest.mark.parametrize("case", WORDS)
def test_wrong_words(cli, case):
    words, *fragments = WORDS[case]
    check(cli, words, *fragments)


TOML = {
    "syntax": ('name = "x"\n[env\n', "not valid TOML"),
    "unknown key": (FAST + "[bench]\nchps = []\n", "bench.chps", "did you mean 'chips'"),
    "unknown section": (FAST + "[colours]\n", "colours", "unknown key"),
    "wrong type": (FAST.replace("episodes = 2", "episodes = 'two'"), "training.episodes = 'two'"),
    "out of range": (FAST.replace("probe_worlds = 2", "probe_worlds = -2"), "training.probe_worlds = -2"),
    "missing key": (FAST.replace("id =", "preset ="), "env.id is missing"),
    "not finite": (FAST.replace("[controller]", "control_period = inf\n[controller]"), "env.control_period = inf"),
    "name with a slash": (FAST.replace('name = "line"', 'name = "../line"'), "../line"),
}


@pytest.mark.parametrize("case", TOML)
def test_wrong_scenario_file(cli, case):
    text, *fragments = TOML[case]
    check(cli, ["run", cli.write("mine.toml", text)], "mine.toml", *fragments)


def test_scenario_that_is_no_text(cli):
    (cli.folder / "mine.toml").write_bytes(b"\xff\xfe\x00")
    check(cli, ["run", "mine.toml"], "mine.toml", "not text")


PLUGINS = {
    "NaN action": ("brain.py:nan", "action", "finite"),
    "action of the wrong shape": ("brain.py:wide", "shape (3,)", "must be 2 finite numbers"),
    "not a controller": ("brain.py:Unfinished", "reset, act and learn"),
    "no such attribute": ("brain.py:nana", "did you mean 'nan'"),
    "raises at import": ("boom.py:brain", "ZeroDivisionError"),
    "syntax error": ("broken.py:brain", "SyntaxError"),
    "no such file": ("nobody.py:brain", "nobody.py", "cannot be read"),
    "no such module": ("nobody.brains:brain", "nobody.brains"),
    "number, not a controller": ("brain.py:calls", "int"),
}


@pytest.mark.parametrize("case", PLUGINS)
def test_wrong_plugin(cli, case):
    cli.write("brain.py", BAD_BRAIN)
    cli.write("boom.py", "1 / 0\n")
    cli.write("broken.py", "def brain(:\n")
    ref, *fragments = PLUGINS[case]
    check(cli, ["run", "foraging", "--controller", f"./{ref}"], *fragments)


def test_network_that_does_not_fit(cli):
    cli.write("big.py", NETWORK.replace("{n_inputs}", "5000"))
    words = ["run", "foraging", "--controller", "./big.py:Big", "--chip", "loihi", "--frozen"]
    check(cli, words, "loihi", "5000", "4096")


@pytest.mark.parametrize("words", [["run", "foraging", "--learn"], ["train", "foraging"]])
def test_learning_on_a_chip_that_cannot(cli, words):
    check(cli, [*words, "--chip", "truenorth"], "truenorth", "learning")


@pytest.mark.parametrize("words", [["run", "foraging"], ["train", "foraging"]])
def test_folder_that_cannot_be_written(cli, words):
    cli.write("file", "not a folder")
    check(cli, [*words, "--out", "file/runs"], "file/runs", "cannot be written")


@pytest.fixture
def trained(cli):
    """Path of a finished training run of the fast scenario."""
    cli.write("line.toml", FAST)
    result = cli("train", "line.toml", "--no-report", "--workers", "1")
    assert result.code == 0, result.err
    return result.out.splitlines()[-1].removeprefix("run: ")


def test_resume_of_a_finished_run(cli, trained):
    check(cli, ["train", "--resume", trained], "is finished", "-n")


def test_resume_of_a_run_that_never_trained(cli):
    cli.write("line.toml", FAST)
    path = cli("run", "line.toml").out.splitlines()[-1].removeprefix("run: ")
    check(cli, ["train", "--resume", path], "no checkpoints")
    check(cli, ["run", "line.toml", "--weights", path], "no trained weights")
    check(cli, ["bench", path], "no trained weights")


def test_damaged_checkpoint(cli, trained):
    checkpoint = cli.folder / trained / "checkpoints" / "seed_0001.npz"
    checkpoint.write_bytes(checkpoint.read_bytes()[:100])
    check(cli, ["run", "line.toml", "--weights", trained], "seed_0001.npz", "damaged")
    check(cli, ["bench", trained], "damaged")


def test_checkpoint_of_another_scenario(cli, trained):
    toml = cli.folder / trained / "scenario.toml"
    toml.write_text(toml.read_text().replace("world_seed = 0", "world_seed = 5"))
    result = cli("train", "--resume", trained, "-n", "3")
    assert result.code == 2
    assert result.err.splitlines()[-1].startswith("insectbot: checkpoint")
    assert "another scenario" in result.err


def test_weights_of_another_network(cli, trained):
    check(cli, ["run", "foraging", "--weights", trained], "projection", "'w'")


def test_weights_for_a_brain_without_any(cli, trained):
    check(cli, ["run", "line.toml", "--controller", f"{FAKES}:follow", "--weights", trained], "no weights to replace")


def test_report_of_a_folder_without_a_recording(cli):
    cli.write("line.toml", FAST)
    path = cli("run", "line.toml").out.splitlines()[-1].removeprefix("run: ")
    for name in ("recording.h5", "metrics.csv", "summary.json"):
        (cli.folder / path / name).unlink()
    check(cli, ["report", path], "nothing to report")


def test_failure_after_a_finished_episode_keeps_it(cli):
    """A brain that fails in its second episode leaves the first one whole."""
    cli.write("line.toml", FAST)
    cli.write("late.py", LATE)
    result = cli("run", "line.toml", "-n", "5", "--controller", "./late.py:late")
    assert (result.code, result.err) == (2, "insectbot: late = 25: enough, restart it\n")
    assert "ep 1/5" in result.out
    folder = next((cli.folder / "runs" / "line").glob("2*"))
    assert len((folder / "metrics.csv").read_text().splitlines()) == 2
    assert len(Recording.open(folder / "recording.h5").episodes()) == 1


@pytest.mark.parametrize("words", [["run", "forraging"], ["play", "foraging"], ["doctr"]])
def test_as_a_process(tmp_path, words):
    """The same from a shell, where libraries may print too."""
    env = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY")}
    done = subprocess.run(
        [sys.executable, "-m", "insectbot", *words], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []
