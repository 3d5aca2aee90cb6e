"""Wrappers in scenarios: sections, phases, plugins, mistakes, checkpoints, the page, and the noisy forager."""

import inspect
import re
from pathlib import Path

import gymnasium
import numpy as np
import pytest
from cli_help import FAKES, FAST, CommandLine

from insectbot import plugins, scenario
from insectbot.envs.wrappers import ActuatorLag, SensorLatency, SensorNoise
from insectbot.errors import ConfigurationError
from insectbot.loop import checkpoint
from insectbot.loop.episode import run_episode
from insectbot.seeding import derive
from insectbot.training import world_state
from insectbot.training.evaluate import evaluation_worlds
from insectbot.training.online import checkpoint_path

PAGE = (Path(__file__).parents[1] / "docs" / "wrappers.md").read_text("utf-8")
TOML = re.findall(r"^```toml\n(.*?)^```", PAGE, flags=re.S | re.M)
PYTHON = re.findall(r"^```python\n(.*?)^```", PAGE, flags=re.S | re.M)
NOISE = '\n[[env.wrappers]]\nname = "sensor-noise"\noptions = { sd = 0.1 }\n'
LATE = '\n[[env.wrappers]]\nname = "sensor-latency"\noptions = { steps = 2 }\n'


@pytest.fixture
def cli(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "250")
    return CommandLine(tmp_path, capsys)


def layers(env):
    """Return the wrappers of a world, from the inside."""
    found = []
    while isinstance(env, gymnasium.Wrapper):
        found.insert(0, env)
        env = env.env
    return found


def kinds(env):
    return [type(one) for one in layers(env)]


def line(text=""):
    return scenario.loads(FAST.replace("[controller]", f"{text}[controller]"))


def test_the_first_is_nearest_to_the_world():
    env = scenario.make_env(line(NOISE + LATE))
    assert kinds(env) == [SensorNoise, SensorLatency]
    assert isinstance(env.unwrapped, gymnasium.Env)
    assert scenario.control_period(line(NOISE), env) == 0.05


@pytest.mark.parametrize("phase", ["run", "train", "probe", "tune", "evaluate"])
def test_phases(phase):
    text = NOISE + 'phases = ["train"]\n' + LATE + 'phases = ["evaluate"]\n'
    expected = SensorNoise if phase in ("run", "train") else SensorLatency
    assert kinds(scenario.make_env(line(text), phase)) == [expected]
    assert kinds(scenario.make_env(line(NOISE + LATE), phase)) == [SensorNoise, SensorLatency]


@pytest.mark.parametrize("name", [n for n in plugins.names("scenario") if n != "noisy"])
def test_other_scenarios_have_none(name):
    what = scenario.load(name)
    assert what.env.wrappers == []
    for phase in ("train", "evaluate"):
        assert all(kind.__module__.startswith("gymnasium.") for kind in kinds(scenario.make_env(what, phase)))


def test_wrappers_survive_dumps():
    what = line(NOISE + LATE)
    assert scenario.loads(scenario.dumps(what)) == what
    clean = scenario.loads(scenario.dumps(what), overrides={"env.wrappers": []})
    assert clean == line()


def test_the_scenarios_control_period_reaches_the_wrapper():
    text = 'control_period = 0.1\n[[env.wrappers]]\nname = "actuator-lag"\noptions = { tau = 0.2 }\n'
    env = scenario.make_env(line(text))
    (lag,) = layers(env)
    assert isinstance(lag, ActuatorLag)
    env.reset(seed=0)
    before = env.unwrapped.x
    env.step(np.ones(1))
    assert env.unwrapped.x - before == pytest.approx(0.1 * (1 - np.exp(-0.5)))


MISTAKES = {
    '[[env.wrappers]]\nname = "sensor-nois"': "wrapper 'sensor-nois' is not known: did you mean 'sensor-noise'?",
    '[[env.wrappers]]\nname = "./none.py:Wrapper"': "cannot be read",
    '[[env.wrappers]]\nname = "sensor-noise"\noptions = { sdd = 1 }': "option 'sdd' is not known (known: dropout",
    '[[env.wrappers]]\nname = "sensor-noise"\noptions = { sd = -0.5 }': "sensor-noise: sd = -0.5, must be finite",
    '[[env.wrappers]]\nname = "sensor-latency"\noptions = { steps = 0.5 }': "steps = 0.5, must be whole numbers",
    '[[env.wrappers]]\nname = "sensor-noise"\nphases = ["play"]': "phases.0 = 'play': must be 'train' or 'evaluate'",
    '[[env.wrappers]]\nname = "sensor-noise"\nphases = []': "phases = []: ",
    '[[env.wrappers]]\nname = "sensor-noise"\nfases = []': "unknown key, did you mean 'phases'? (known: name, options",
    "[[env.wrappers]]\noptions = {}": "env.wrappers.0.name is missing",
    '[env.wrappers]\nname = "sensor-noise"': "env.wrappers = {'name': 'sensor-noise'}: must be a valid list",
    f'[[env.wrappers]]\nname = "{FAKES}:LineEnv"\noptions = {{ colour = 1 }}': "option 'colour' is not known",
    '[[env.wrappers]]\nname = "builtins:len"': "does not take its options (none)",
    '[[env.wrappers]]\nname = "builtins:repr"': "made a str, must be a gymnasium.Wrapper",
}


@pytest.mark.parametrize("text", MISTAKES)
def test_mistakes_end_in_one_sentence_and_exit_code_2(cli, text):
    path = cli.write("mine.toml", FAST.replace("[controller]", f"{text}\n[controller]"))
    result = cli("run", f"./{path}")
    assert result.code == 2
    assert MISTAKES[text] in result.err.splitlines()[-1]
    assert "Traceback" not in result.err


def test_a_world_of_another_kind_is_refused():
    text = f"{NOISE}[controller]"
    discrete = FAST.replace(f'"{FAKES}:LineEnv"', '"FrozenLake-v1"').replace("[controller]", text)
    with pytest.raises(ConfigurationError, match=r"the observation space is Discrete\(16\), must be a Box"):
        scenario.make_env(scenario.loads(discrete))


def test_list_names_them(cli):
    result = cli("list", "wrappers")
    assert result.code == 0
    for name in ("sensor-noise", "sensor-latency", "actuator-lag", "domain-randomisation"):
        assert name in result.out
        assert plugins.available("wrapper")[name] == plugins.resolve("wrapper", name).__doc__.partition("\n")[0]


def finished(folder):
    (run,) = folder.glob("runs/line/2*")
    found = [checkpoint.load(checkpoint_path(run, seed)) for seed in (1, 2)]
    return [({k: v.tobytes() for k, v in one.arrays.items()}, repr(one.meta)) for one in found]


def test_a_resumed_training_is_bit_identical(cli, tmp_path, monkeypatch):
    luck = '\n[[env.wrappers]]\nname = "domain-randomisation"\noptions = { sensor_sd = { uniform = [0.0, 0.2] } }\n'
    text = FAST.replace("[controller]", f"{NOISE}{LATE}{luck}[controller]")
    outcomes = []
    for name, steps in (("whole", [6]), ("parts", [2, 6])):
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        (tmp_path / name / "line.toml").write_text(text)
        for k, n in enumerate(steps):
            rest = ["--workers", "1", "--no-bench", "--no-report", "-n", str(n)]
            words = ["--resume", "runs/line/latest"] if k else ["./line.toml"]
            assert cli("train", *words, *rest).code == 0
        outcomes.append(finished(tmp_path / name))
    assert outcomes[0] == outcomes[1]
    assert "'episode': 5" in outcomes[0][0][1]
    assert any(key.startswith("env/sensor-noise.0.") for key in outcomes[0][0][0])


def test_world_state_keeps_wrappers_in_mid_episode():
    what = scenario.load("noisy")
    env, other = scenario.make_env(what, "train"), scenario.make_env(what, "train")
    env.reset(seed=3)
    for _ in range(9):
        env.step(np.array([1.0, 0.3]))
    world_state.write(other, *world_state.read(env))
    for _ in range(9):
        np.testing.assert_array_equal(other.step(np.array([1.0, 0.3]))[0], env.step(np.array([1.0, 0.3]))[0])


def test_everything_in_the_loop_sees_the_world_below(cli):
    """Planner (binds the world), recorder (scene, pose), film."""
    words = ["run", "noisy", "-n", "1", "--controller", "planner", "--set", "env.options.time_limit=3.0", "--json"]
    assert cli(*words, "--video", "film.gif").code == 0
    assert "film.gif" in cli.files()
    what = scenario.load("noisy")
    env = scenario.make_env(what, "evaluate")
    result = run_episode(env, scenario.make_controller(what, env, 0, name="planner"), seed=5, learn=False)
    assert result.metrics["success"] == 1.0
    assert result.metrics["SPT"] < 1.0


def test_the_page_names_every_wrapper_and_option():
    for name in plugins.BUILTIN["wrapper"]:
        factory = plugins.resolve("wrapper", name)
        assert f"`{name}` | `{factory.__name__}`" in PAGE
        for option in list(inspect.signature(factory).parameters)[1:]:
            assert f"`{option}" in PAGE, option


def test_the_scenario_of_the_page_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    what = scenario.loads(TOML[0])
    assert len(kinds(scenario.make_env(what, "train"))) == len(kinds(scenario.make_env(what, "evaluate"))) + 1
    env = scenario.make_env(what, "train")
    controller = scenario.make_controller(what, env, 1)
    assert run_episode(env, controller, seed=1, learn=True).steps > 10
    assert (env.drawn()["actuator_gain"] < 1.0).all()


def test_the_python_of_the_page_runs(tmp_path, monkeypatch):
    exec(compile(PYTHON[0], "page", "exec"), {})
    (tmp_path / "my_wrapper.py").write_text(PYTHON[1])
    text = FAST.replace("[controller]", TOML[1].replace("[0, 1]", "[0]") + "[controller]")
    (tmp_path / "mine.toml").write_text(text)
    monkeypatch.chdir(Path("/"))  # a reference is read relative to the scenario file
    what = scenario.load(tmp_path / "mine.toml")
    assert Path(what.env.wrappers[0].name.rpartition(":")[0]).is_absolute()
    env = scenario.make_env(what)
    assert env.reset(seed=1)[0].tolist() == [0.0]
    assert env.unwrapped.x != 0.0


@pytest.mark.slow
def test_the_forager_learns_through_noise_delay_and_lag():
    """Two seeds, 15 episodes each; judged frozen on 60 worlds, beside the same brains before training."""
    what = scenario.load("noisy")

    def judge(controller, env, seed, worlds):
        runs = [
            run_episode(env, controller, seed=w, controller_seed=derive("brain", w, seed), learn=False) for w in worlds
        ]
        return np.mean([r.metrics["success"] for r in runs])

    for seed in (1, 2):
        train, test = scenario.make_env(what, "train"), scenario.make_env(what, "evaluate")
        learner = scenario.make_controller(what, train, seed)
        untrained = judge(scenario.make_controller(what, test, seed), test, seed, evaluation_worlds(what, 20))
        for episode in range(what.training.episodes):
            world = derive("train", what.training.world_seed, seed, episode)
            run_episode(train, learner, seed=world, controller_seed=derive("brain", world, seed), learn=True)
        frozen = scenario.make_controller(what, test, seed)
        frozen.set_weights(learner.weights())
        assert untrained < 0.4
        assert judge(frozen, test, seed, evaluation_worlds(what, 60)) > 0.95
