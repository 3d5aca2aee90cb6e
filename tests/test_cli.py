"""The commands of day one: what they print, keep and return."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from cli_help import FAST, CommandLine

from insectbot.cli.console import plain
from insectbot.cli.play import Switched
from insectbot.cli.run import episode_line, summarise
from insectbot.cli.tables import DASH, estimate, si
from insectbot.view.recording import Recording


@pytest.fixture
def cli(tmp_path, monkeypatch, capsys):
    """A command line in an empty folder that holds the fast scenario."""
    monkeypatch.chdir(tmp_path)
    line = CommandLine(tmp_path, capsys)
    line.write("line.toml", FAST)
    return line


def run_path(cli, result):
    return cli.folder / result.out.splitlines()[-1].removeprefix("run: ")


def process(folder, *words, **options):
    return subprocess.Popen(
        [sys.executable, "-m", "insectbot", *words],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def test_welcome_is_twelve_lines(cli):
    result = cli()
    assert result.code == 0
    assert len(result.out.splitlines()) == 12
    assert "insectbot train foraging" in result.out


@pytest.mark.parametrize("words", [[], ["--help"], ["list"]])
def test_first_contact_within_a_second(tmp_path, words):
    """Process time of a warm start; the wall clock of a shared machine is not ours to promise."""
    code = (
        "import sys, time; from insectbot.cli import main; main(sys.argv[1:]);"
        "sys.stderr.write(str(time.process_time()))"
    )
    command = [sys.executable, "-c", code, *words]
    times = [
        float(subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stderr)
        for _ in range(2)
    ]
    assert min(times) < 1.0


@pytest.mark.parametrize("words", [[], ["--help"], ["run", "--help"], ["list"], ["list", "chips", "--json"]])
def test_first_contact_imports_nothing_heavy(tmp_path, words):
    code = (
        "import sys; from insectbot.cli import main; main(sys.argv[1:]);"
        "sys.exit(str([m for m in ('numba', 'pygame', 'matplotlib', 'nir', 'joblib') if m in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", code, *words], cwd=tmp_path, capture_output=True, text=True)
    assert done.stderr.splitlines()[-1] == "[]"


def test_list(cli):
    found = json.loads(cli("list", "--json").out)
    kinds = {"scenarios", "envs", "controllers", "chips", "wrappers", "rules", "neurons", "synapses", "codes"}
    assert set(found) == kinds
    assert all(text for entries in found.values() for text in entries.values())
    assert "foraging" in found["scenarios"]
    assert json.loads(cli("list", "chips", "--json").out).keys() == {"chips"}
    assert "insectbot/Foraging-v0" in cli("list", "envs").out


def test_doctor(cli, monkeypatch):
    state = json.loads(cli("doctor", "--json").out)
    assert state["ready"] is True
    assert state["packages"]["numba"]
    assert cli("doctor").out.splitlines()[-1] == "ready"


def test_doctor_finds_two_pygames(cli, monkeypatch):
    from insectbot.cli import doctor

    monkeypatch.setattr(doctor, "installed", lambda name: "1.0")
    result = cli("doctor")
    assert result.code == 1
    assert doctor.PYGAME_FIX in result.out
    assert result.out.splitlines()[-1] == "not ready"


def test_doctor_knows_a_cold_cache(cli, monkeypatch):
    monkeypatch.setenv("INSECTBOT_CACHE_DIR", str(cli.folder / "cache"))
    cache = json.loads(cli("doctor", "--json").out)["kernel_cache"]
    assert cache["warm"] is False
    assert cache["folder"] == str(cli.folder / "cache")


def test_run_prints_a_line_per_episode_and_keeps_it(cli):
    result = cli("run", "foraging", "-n", "2", "--seed", "3", "--set", "env.options.time_limit=5.0")
    assert result.code == 0, result.err
    lines = result.out.splitlines()
    assert lines[0] == "foraging (smooth): rstdp-forager on ideal, learning, seed 3"
    assert lines[1].startswith("ep 1/2  ")
    assert lines[2].startswith("ep 2/2  ")
    for word in ("SPT", "time", "exposure", "collisions", "reward", "spikes", "x real time"):
        assert word in lines[1]
    assert "mean ± sd of 2: success" in lines[3]
    path = run_path(cli, result)
    assert {"scenario.toml", "command.txt", "environment.json", "metrics.csv", "recording.h5"} <= set(os.listdir(path))
    rows = list(csv.DictReader((path / "metrics.csv").read_text().splitlines()))
    assert [row["episode"] for row in rows] == ["0", "1"]
    episodes = Recording.open(path / "recording.h5").episodes()
    assert [e.metrics["steps"] for e in episodes] == [float(row["steps"]) for row in rows]


def test_same_seed_same_run(cli):
    words = ["run", "foraging", "-n", "2", "--json", "--set", "env.options.time_limit=10.0"]
    first, again, other = (json.loads(cli(*words, "--seed", seed).out)["episodes"] for seed in ("1", "1", "2"))
    for row in (*first, *again, *other):
        del row["wall_time"], row["speed"]
    assert first == again
    assert {row["world"] for row in first}.isdisjoint(row["world"] for row in other)


def test_run_json_is_pure(cli):
    document = json.loads(cli("run", "line.toml", "-n", "2", "--json").out)
    assert document["learning"] is True
    assert len(document["episodes"]) == 2
    assert document["summary"]["success"]["mean"] == np.mean([row["success"] for row in document["episodes"]])


def test_frozen_weights_stay_and_learning_ones_do_not(cli):
    def weights(*words):
        path = run_path(cli, cli("run", "line.toml", "-n", "2", *words))
        episode = Recording.open(path / "recording.h5").episodes()[-1]
        return episode.weights_before["w"], episode.weights_after["w"]

    before, after = weights("--frozen")
    assert before == after
    before, after = weights("--learn")
    assert before != after


def test_realtime_paces_and_tells(cli):
    began = time.monotonic()
    result = cli("run", "foraging", "--realtime", "--set", "env.options.time_limit=0.5")
    assert time.monotonic() - began >= 0.5
    assert "of 10 steps late (p50" in result.out


def test_run_with_files_of_the_user(cli):
    cli.write("brain.py", "def right(observation):\n    return [1.0]\n")
    cli.write(
        "world.py",
        "import gymnasium, numpy as np\n"
        "class World(gymnasium.Env):\n"
        "    control_period = 0.1\n"
        "    observation_space = gymnasium.spaces.Box(0, 1, (1,), np.float32)\n"
        "    action_space = gymnasium.spaces.Box(-1, 1, (1,), np.float32)\n"
        "    def reset(self, *, seed=None, options=None):\n"
        "        super().reset(seed=seed)\n"
        "        self.n = 0\n"
        "        return np.zeros(1, np.float32), {}\n"
        "    def step(self, action):\n"
        "        self.n += 1\n"
        "        return np.zeros(1, np.float32), 1.0, self.n == 7, False, {}\n",
    )
    result = cli("run", "foraging", "--env", "./world.py:World", "--controller", "./brain.py:right")
    assert result.code == 0, result.err
    assert "reward 7.0" in result.out
    assert "left out" in result.err


def test_video(cli):
    result = cli("run", "foraging", "--video", "film.gif", "--set", "env.options.time_limit=2.0")
    assert result.code == 0, result.err
    assert (cli.folder / "film.gif").read_bytes()[:3] == b"GIF"
    assert "video: film.gif (" in result.out
    assert not list(cli.folder.glob(".film*"))


def test_train_bench_report_and_reuse(cli):
    result = cli("train", "line.toml", "--workers", "1")
    assert result.code == 0, result.err
    assert "train: 4/4" in result.err
    assert "untrained" in result.out
    path = run_path(cli, result)
    assert (path / "report.html").exists()
    summary = json.loads((path / "summary.json").read_text())
    assert summary["seeds"] == [1, 2]
    assert cli("report", "line").out.strip() == str(path.resolve() / "report.html")
    trained = cli("run", "line.toml", "--weights", "latest", "--seed", "2")
    assert "frozen" in trained.out
    assert "weights of training seed 2" in trained.err


def test_train_options(cli):
    result = cli("train", "line.toml", "-n", "3", "--seeds", "4,5,6", "--workers", "1", "--json", "--no-report")
    summary = json.loads(result.out)
    assert summary["seeds"] == [4, 5, 6]
    assert summary["training_episodes"] == 3
    assert summary["report"] is None


def test_longer_training_of_a_finished_run(cli):
    path = run_path(cli, cli("train", "line.toml", "--workers", "1", "--no-report"))
    result = cli("train", "--resume", str(path), "-n", "4", "--workers", "1", "--json", "--no-report")
    straight = json.loads(cli("train", "line.toml", "-n", "4", "--workers", "1", "--json", "--no-report").out)
    longer = json.loads(result.out)
    assert longer["learning_curve"] == straight["learning_curve"]
    assert longer["tables"]["evaluation"] == straight["tables"]["evaluation"]


def test_ctrl_c_saves_and_says_how_to_go_on(cli):
    slow = FAST.replace("probe_worlds = 2", "probe_worlds = 60").replace(
        "episodes = 2\nseeds", "episodes = 4000\nseeds"
    )
    cli.write("slow.toml", slow)
    child = process(cli.folder, "train", "slow.toml", "--workers", "1", "--no-report")
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not list(cli.folder.glob("runs/line/2*/checkpoints/seed_0001.npz")):
        time.sleep(0.05)
    child.send_signal(signal.SIGINT)
    _, err = child.communicate(timeout=30)
    assert child.returncode == 130, err
    assert "Traceback" not in err
    resume = next(line for line in err.splitlines() if "resume: insectbot" in line).partition("resume: insectbot ")[2]
    words = [*resume.split(), "-n", "3000", "--workers", "1"]
    again = process(cli.folder, *words)
    time.sleep(1.5)
    again.send_signal(signal.SIGINT)
    _, err = again.communicate(timeout=30)
    assert again.returncode == 130, err


def test_bench_of_a_trained_scenario(cli):
    words = ["--set", "evaluation.episodes=3", "--set", "training.probe_worlds=1", "--no-report", "--no-bench"]
    words += ["--set", "evaluation.baselines=[]", "--set", "evaluation.untrained=false"]
    assert cli("train", "foraging", "-n", "1", "--seeds", "1", "--workers", "1", *words).code == 0
    result = cli("bench", "foraging", "--chips", "ideal,loihi", "--workers", "1")
    assert result.code == 0, result.err
    assert "loihi: it fits" in result.out
    assert "energy per decision as fast as it can" in result.out
    assert "energy per decision held to real time" in result.out
    assert 'aria-label="chips"' in Path("runs/foraging/latest/report.html").read_text()
    rows = json.loads(cli("bench", "latest", "--chips", "loihi", "--json", "--workers", "1").out)["bench"]
    assert {row["chip"] for row in rows} == {"loihi"}
    assert Path("runs/foraging/latest/bench.png").stat().st_size > 10_000
    both = json.loads(cli("bench", "latest", "foraging", "--json", "--workers", "1").out)
    assert both[0]["bench"][0]["metrics"] == both[1]["bench"][0]["metrics"]
    assert all(row["energy_realtime"]["static"] > row["energy_per_decision"]["static"] > 0 for row in rows)


def test_a_chip_that_cannot_learn_offers_to_be_frozen(cli):
    refused = cli("run", "foraging", "--chip", "truenorth")
    assert refused.code == 2
    assert refused.err.rstrip().endswith("deploy frozen: use --frozen, or --weights with a trained run")
    for chip in ("truenorth", "loihi"):
        assert cli("run", "foraging", "--chip", chip, "--frozen", "--set", "env.options.time_limit=1.0").code == 0


MEASURED = {
    "env": {"make": 1.2e6, "cartpole": 0.3e6, "vector": 4e6, "reset": 1e6},
    "loop": {"steps_per_second": 150e3},
    "core": {
        "plastic_100_us": 0.7,
        "plastic_1000_us": 3.0,
        "plastic_1000_p99_us": 6.0,
        "plastic_10000_us": 33.0,
        "cuba_rtf": 0.01,
        "coba_rtf": 0.02,
    },
    "chip": {"neuron_steps_per_second": 80e6},
}


def test_speed_compares_with_the_bars(cli, monkeypatch):
    from insectbot.cli import speed

    monkeypatch.setattr(speed, "measure_all", lambda repeats: asked.append(repeats) or MEASURED)
    asked = []
    result = cli("speed")
    assert result.code == 0
    assert "MISSED" not in result.out
    assert cli("speed", "--repeats", "7").code == 0
    assert asked == [3, 7]
    assert "--repeats 0: must be at least 1" in cli("speed", "--repeats", "0").err
    document = json.loads(cli("speed", "--json").out)
    assert [bar["figure"] for bar in document["bars"]] == pytest.approx(
        [1.2, 4.0, 4.0, 1.0, 150.0, 0.7, 3.0, 33.0, 2.0, 0.01, 0.02, 80.0]
    )
    monkeypatch.setitem(MEASURED["core"], "plastic_100_us", 1.1)
    missed = cli("speed")
    assert (missed.code, missed.out.count("MISSED")) == (0, 1)
    document = json.loads(cli("speed", "--json", "--out", "figures").out)
    assert json.loads(Path("figures/speed.json").read_text()) == document
    assert Path("figures/speed.png").stat().st_size > 10_000
    assert [bar["reached"] for bar in document["bars"]].count(False) == 1
    assert document["reached"] is False


def test_a_real_time_run_prints_its_latencies(cli):
    text = cli("speed", "--realtime", "0.05").out
    assert "50 steps at" in text
    assert all(word in text for word in ("p50", "p99", "p99.9", "max", "late"))
    assert "--realtime 0.0: must be above 0" in cli("speed", "--realtime", "0").err


def test_closed_loop_speed_is_measured():
    from insectbot.training.speed import measure

    figures = measure(episodes=2, repeats=1)
    assert figures["steps_per_second"] * figures["us_per_step"] == pytest.approx(1e6)
    assert figures["ticks_per_step"] == pytest.approx(50, rel=0.01)


def test_show_kernel(cli):
    text = cli("speed", "--show-kernel").out
    assert "def window(" in text
    compile(text, "kernel", "exec")


def test_episode_line_leaves_out_what_a_world_does_not_have():
    row = {"success": 1.0, "SPT": float("nan"), "reward": 2.0, "speed": 10.0}
    assert episode_line(row, 2, 10) == "ep  2/10  success  reward 2.0  10x real time"
    assert summarise([row, {**row, "reward": 4.0}])["reward"] == {"mean": 3.0, "sd": pytest.approx(2**0.5), "n": 2}


def test_numbers_as_text():
    assert si(1.19e-6, "J") == "1.19 μJ"
    assert si(7.3e6, "") == "7.3 M"
    assert si(None, "J") == DASH
    assert estimate([0.5, 0.25, 0.75], ".2f") == "0.50 [0.25 0.75]"
    assert estimate([None, None, None], ".2f") == DASH
    assert plain({"a": np.float32("nan"), "b": (np.int64(1), True)}) == {"a": None, "b": [1, True]}


def test_switched_controller_learns_only_when_on():
    class Brain:
        learning = True
        heard = 0

        def reset(self, seed):
            pass

        def act(self, observation):
            return observation

        def learn(self, reward, terminated):
            self.heard += 1

    brain = Brain()
    switched = Switched(brain, False)
    switched.learn(1.0, False)
    assert (brain.learning, brain.heard) == (False, 0)
    switched.learning = True
    switched.learn(1.0, False)
    assert (brain.learning, brain.heard) == (True, 1)


def test_every_world_has_its_bars() -> None:
    from insectbot.cli.bars import world_bars

    found = {"Foraging-v0 make": 0.5e6, "Foraging-v0 vector": 1.4e6}
    make, vector = world_bars(found)
    assert make.figure({"worlds": found}) == 0.5
    assert make.holds({"worlds": found})
    assert not vector.holds({"worlds": found})


def test_a_quantity_that_rounds_up_takes_the_next_prefix() -> None:
    from insectbot.cli.tables import si
    from insectbot.view.markup import quantity

    assert si(999_990.0, "Hz") == "1 MHz"
    assert si(999.4, "Hz") == "999 Hz"
    assert si(9.9996e-7, "J") == "1 \N{GREEK SMALL LETTER MU}J"
    assert quantity(999_990.0, "Hz") == "1.00\N{NO-BREAK SPACE}MHz"
    assert quantity(0.999, "J") == "999\N{NO-BREAK SPACE}mJ"
    assert quantity(1000.0, "J") == "1.00\N{NO-BREAK SPACE}kJ"


def test_dies_are_summed_up() -> None:
    from insectbot.cli.tables import _die_spread

    def row(chip, success):
        return {"chip": chip, "preset": "smooth", "fits": True, "metrics": {"success": [success, 0.0, 1.0]}}

    rows = [row("analog", 1.0), row("analog@die=1", 0.5), row("analog@die=2", 1.0), row("other@die=1", 0.9)]
    rows.append({"chip": "analog@die=3", "preset": None, "fits": False})
    assert _die_spread(rows, "success") == ["analog smooth: success 0.5 to 1, mean 0.75, 2 dies"]
