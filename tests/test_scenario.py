"""Scenarios: every shipped one loads and comes back equal; whatever is wrong is one sentence; worlds and brains."""

import string
import tomllib

import gymnasium
import pytest
from hypothesis import given
from hypothesis import strategies as st
from loop_fakes import LineEnv

from insectbot import plugins
from insectbot import scenario as scenarios
from insectbot.errors import ConfigurationError, InsectbotError, UnknownNameError
from insectbot.loop.episode import run_episode
from insectbot.seeding import derive, worlds
from insectbot.training.evaluate import Entry, evaluate

BASE = {"name": "line", "env": {"id": "loop_fakes:LineEnv"}, "controller": {"name": "loop_fakes:Learner"}}

names = st.text(string.ascii_letters + string.digits, min_size=1, max_size=8)
values = st.one_of(st.integers(-(2**40), 2**40), st.booleans(), st.text(max_size=8), st.floats(allow_nan=False))
options = st.dictionaries(names, st.one_of(values, st.lists(st.integers(0, 9), max_size=3)), max_size=3)
optional = st.none() | names
counts = st.integers(0, 1000)


def without_none(table):
    return {k: without_none(v) if isinstance(v, dict) else v for k, v in table.items() if v is not None}


documents = st.fixed_dictionaries(
    {
        "name": names,
        "title": st.text(max_size=10),
        "chip": names,
        "env": st.fixed_dictionaries({"id": names, "preset": optional, "options": options}),
        "controller": st.fixed_dictionaries({"name": names, "options": options}),
        "training": st.fixed_dictionaries(
            {
                "episodes": counts,
                "seeds": st.integers(1, 20) | st.lists(counts, min_size=1, max_size=4),
                "preset": optional,
                "options": options,
                "probe_worlds": counts,
            }
        ),
        "evaluation": st.fixed_dictionaries({"presets": st.lists(names, max_size=2), "baselines": st.lists(names)}),
        "record": st.fixed_dictionaries({"train": counts, "evaluate": counts}),
        "bench": st.fixed_dictionaries({"chips": st.lists(names, max_size=2)}),
    }
).map(without_none)


@given(documents)
def test_any_valid_document_survives_toml(document):
    parsed = scenarios.parse(document)
    again = scenarios.loads(scenarios.dumps(parsed))
    assert again == parsed
    assert scenarios.dumps(again) == scenarios.dumps(parsed)
    assert parsed.training.episodes == document["training"]["episodes"]


@given(documents, st.sampled_from(["name", "env", "training.seeds", "evaluation.presets", "bench.chips"]), values)
def test_any_value_is_taken_or_refused_in_one_sentence(document, path, value):
    text = scenarios.dumps(scenarios.parse(document))
    sentence = path
    try:
        scenarios.loads(text, overrides={path: value})
    except ConfigurationError as error:
        sentence = str(error)
    assert path in sentence
    assert "\n" not in sentence


@pytest.mark.parametrize("name", plugins.names("scenario"))
def test_every_shipped_scenario_loads_and_comes_back(name):
    loaded = scenarios.load(name)
    assert loaded.name == name
    assert loaded.description
    assert scenarios.loads(scenarios.dumps(loaded)) == loaded
    file = tomllib.loads((plugins.scenario_folder() / f"{name}.toml").read_text())
    assert loaded.env.id == file["env"]["id"]


SENTENCES = {
    "training.episode": (3, "training.episode: unknown key, did you mean 'episodes'?"),
    "trainin": ({}, "trainin: unknown key, did you mean 'training'?"),
    "training.episodes": ("x", "training.episodes = 'x': must be a valid integer"),
    "training.seeds": (0, "training.seeds = 0: must be a number of seeds from 1 to 100000, or a list of seeds"),
    "evaluation.episodes": (-1, "evaluation.episodes = -1: must be greater than or equal to 1"),
    "evaluation.presets": ("smooth", "evaluation.presets = 'smooth': must be a valid list"),
    "env.id": (3, "env.id = 3: must be a valid string"),
    "env": ({}, "env.id is missing"),
    "name": ("a/b", "name = 'a/b': must match pattern"),
    "env.control_period": (0.0, "env.control_period = 0.0: must be greater than 0"),
    "name.x": (1, "name.x: 'name' is a value, not a section"),
}


@pytest.mark.parametrize("path", SENTENCES)
def test_what_is_wrong_is_one_sentence(path):
    value, sentence = SENTENCES[path]
    with pytest.raises(ConfigurationError) as caught:
        scenarios.loads(scenarios.dumps(scenarios.parse(BASE)), "my.toml", {path: value})
    assert sentence in str(caught.value)
    assert str(caught.value).startswith("my.toml: ")
    assert "\n" not in str(caught.value)


def test_bad_toml_and_missing_files(tmp_path):
    with pytest.raises(ConfigurationError, match="not valid TOML"):
        scenarios.loads("name = ")
    with pytest.raises(UnknownNameError, match="cannot be read: No such file"):
        scenarios.load(tmp_path / "none.toml")
    with pytest.raises(UnknownNameError, match="did you mean 'foraging'"):
        scenarios.load("forraging")


def test_file_references_are_relative_to_the_scenario_file(tmp_path, monkeypatch):
    (tmp_path / "mine.py").write_text('def still(observation):\n    """Stand."""\n    return [0.0]\n')
    file = tmp_path / "s.toml"
    document = {**BASE, "controller": {"name": "./mine.py:still"}, "evaluation": {"baselines": ["mine.py:still"]}}
    file.write_text(scenarios.dumps(scenarios.parse(document)))
    monkeypatch.chdir("/")
    loaded = scenarios.load(str(file))
    env = scenarios.make_env(loaded)
    brain = scenarios.make_controller(loaded, env, 0)
    result = run_episode(env, brain, seed=0, learn=False)
    assert result.reward == 0.0
    assert loaded.evaluation.baselines == [f"{tmp_path.resolve()}/mine.py:still"]


def test_phase_decides_options_and_preset():
    document = BASE | {
        "env": {"id": "loop_fakes:LineEnv", "preset": "a", "options": {"gain": 0.2}},
        "training": {"preset": "b", "options": {"gain": 0.3}},
    }
    s = scenarios.parse(document)
    assert (scenarios.make_env(s, "train").preset, scenarios.make_env(s, "train").gain) == ("b", 0.3)
    assert (scenarios.make_env(s, "run").preset, scenarios.make_env(s, "run").gain) == ("a", 0.3)
    assert (scenarios.make_env(s, "evaluate").preset, scenarios.make_env(s, "evaluate").gain) == ("a", 0.2)
    assert scenarios.make_env(s, "evaluate", preset="c").preset == "c"


def test_tables_among_options_are_merged():
    document = BASE | {
        "env": {"id": "insectbot/Foraging-v0", "options": {"reward_weights": {"progress": 2.0, "goal": 1.0}}},
        "training": {"options": {"reward_weights": {"goal": 3.0}, "reward": "local"}},
    }
    env = scenarios.make_env(scenarios.parse(document), "train").unwrapped
    assert env.world.settings.reward_weights == {"progress": 2.0, "goal": 3.0}
    wrong = scenarios.load("foraging", {"env.options.reward_weights": {"progres": 1.0}})
    with pytest.raises(InsectbotError, match="progres"):
        scenarios.make_env(wrong, "run")


def test_reset_options_reach_the_judged_world():
    def success(flip):
        s = scenarios.load("foraging", {"env.preset": "flip", "evaluation.reset": {"flip": flip}})
        s = scenarios.loads(scenarios.dumps(s), overrides={"evaluation.options": {"planner": False}})
        rows = evaluate(s, [Entry("taxis", "taxis", options={})], presets=["flip"], episodes=4, workers=1)
        return [row.metrics["success"] for row in rows]

    assert success(False) == [1.0] * 4
    assert sum(success(True)) <= 1


def test_registered_ids_and_their_errors():
    s = scenarios.parse({**BASE, "env": {"id": "insectbot/Foraging-v0", "preset": "smooth"}})
    assert isinstance(scenarios.make_env(s), gymnasium.Env)
    with pytest.raises(UnknownNameError, match="smooth"):
        scenarios.make_env(s, preset="smoth")
    wrong = scenarios.parse({**BASE, "env": {"id": "insectbot/Foraging-v0", "options": {"colour": 1}}})
    with pytest.raises(ConfigurationError, match="option 'colour' is not known"):
        scenarios.make_env(wrong)
    unknown = scenarios.parse({**BASE, "env": {"id": "insectbot/Forager-v0"}})
    with pytest.raises(UnknownNameError, match="did you mean 'insectbot/Foraging-v0'"):
        scenarios.make_env(unknown)


@pytest.mark.parametrize(("dt", "period", "n"), [(1.0, 0.05, 50), (0.1, 0.05, 500), (0.5, 0.0125, 25)])
def test_whole_ticks(dt, period, n):
    assert scenarios.ticks_per_step(period, dt) == n


def test_a_control_period_that_is_not_whole_names_both():
    document = BASE | {
        "controller": {"name": "loop_fakes:Spiking", "options": {"dt": 0.3}},
        "env": {"id": "loop_fakes:LineEnv", "options": {"period": 0.05}},
    }
    s = scenarios.parse(document)
    with pytest.raises(ConfigurationError, match=r"control_period = 50 ms is not a whole number of dt = 0.3 ms"):
        scenarios.make_controller(s, scenarios.make_env(s), 1)


def test_a_world_without_a_control_period_needs_one():
    s = scenarios.parse({**BASE, "env": {"id": "CartPole-v1"}})
    env = scenarios.make_env(s)
    with pytest.raises(ConfigurationError, match=r"give env\.control_period"):
        scenarios.control_period(s, env)
    timed = scenarios.parse({**BASE, "env": {"id": "CartPole-v1", "control_period": 0.02}})
    assert scenarios.control_period(timed, env) == 0.02


def test_seed_reaches_factory_and_chip():
    s = scenarios.parse({**BASE, "controller": {"name": "loop_fakes:Spiking"}})
    env = LineEnv()
    brain = scenarios.make_controller(s, env, 7)
    assert brain.n_ticks == 50
    assert float(brain.w) == pytest.approx(0.17)
    with pytest.raises(UnknownNameError, match="chip 'lohi' is not known: did you mean 'loihi'"):
        scenarios.make_controller(s, env, 7, chip="lohi")


def test_worlds_of_phases_never_meet():
    phases = ("run", "train", "probe", "tune", "evaluate", "brain")
    ranges = {p: {derive(p, k) >> 29 for k in range(200)} for p in phases}
    assert sorted(v for values in ranges.values() for v in values) == list(range(6))
    assert all(0 <= derive(p, k) < 2**32 for p in phases for k in range(50))


def test_world_lists_are_fixed_distinct_and_nested():
    first = worlds("evaluate", 200, 0)
    assert first[:50] == worlds("evaluate", 50, 0)
    assert len(set(first)) == 200
    assert first != worlds("evaluate", 200, 1)
    assert first[:3] == [2413431275, 2409412903, 2537016590]


@given(st.integers(0, 2**31), st.integers(0, 2**31))
def test_different_keys_give_different_streams(a, b):
    if a != b:
        assert [derive("train", a, k) for k in range(3)] != [derive("train", b, k) for k in range(3)]


def test_errors_have_the_common_root():
    with pytest.raises(InsectbotError):
        derive("holiday", 1)
