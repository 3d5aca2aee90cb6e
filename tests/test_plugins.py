"""Names become objects: built-in, entry point, module, file; suggestions; nothing heavy is imported to list."""

import subprocess
import sys
from importlib.metadata import EntryPoint

import pytest
from loop_fakes import Learner, LineEnv, follow

from insectbot import plugins
from insectbot.errors import ConfigurationError, UnknownNameError


@pytest.mark.parametrize("kind", ["controller", "chip", "rule"])
def test_every_built_in_resolves_and_has_a_line(kind):
    lines = plugins.available(kind)
    assert set(plugins.BUILTIN[kind]) <= set(lines)
    for name, line in lines.items():
        found = plugins.resolve(kind, name)
        assert callable(found)
        assert line
        assert line == found.__doc__.partition("\n")[0]


def test_listing_imports_nothing_heavy():
    code = (
        "import sys; from insectbot import plugins; [plugins.available(k) for k in plugins.BUILTIN];"
        "print([m for m in ('numba', 'pygame', 'matplotlib', 'nir', 'h5py') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_envs_and_scenarios_are_listed_with_text():
    assert plugins.available("env")["insectbot/Foraging-v0"]
    assert plugins.available("scenario")["foraging"]
    assert plugins.resolve("scenario", "foraging").name == "foraging.toml"


def test_modules_and_files(tmp_path):
    assert plugins.resolve("env", "loop_fakes:LineEnv") is LineEnv
    file = tmp_path / "mine.py"
    file.write_text("class Box:\n    depth = 3\n")
    assert plugins.resolve("controller", f"{file}:Box.depth") == 3
    assert plugins.resolve("controller", f"{file}:Box") is plugins.resolve("controller", f"{file}:Box")
    file.write_text("class Box:\n    depth = 4\n")
    assert plugins.resolve("controller", f"{file}:Box.depth") == 4


def test_entry_points(monkeypatch):
    def points(group):
        return [EntryPoint("mine", "loop_fakes:Learner", group)] if group == "insectbot.controllers" else []

    monkeypatch.setattr(plugins, "entry_points", points)
    assert plugins.resolve("controller", "mine") is Learner
    assert "mine" in plugins.names("controller")


def test_unknown_names_are_one_sentence(tmp_path):
    broken, other = tmp_path / "broken.py", tmp_path / "notes.txt"
    broken.write_text("raise RuntimeError('first\\nsecond')\n")
    other.write_text("x = 1\n")
    cases = {
        ("controller", "braitenburg"): "did you mean 'braitenberg'",
        ("controller", "xyzzy"): "(known: aplysia-reflex, aplysia-srm1, aplysia-srm1-stdp, braitenberg, ",
        ("chip", "lohi"): "did you mean 'loihi'",
        ("controller", "no_such_module:x"): "module 'no_such_module' is not installed",
        ("controller", "no.such.module:x"): "module 'no.such.module' is not installed",
        ("controller", "loop_fakes:Lerner"): "did you mean 'Learner'",
        ("controller", "./none.py:x"): "cannot be read",
        ("controller", f"{other}:x"): "is not installed",
        ("colour", "red"): "plugin kind 'colour' is not known",
    }
    for (kind, ref), text in cases.items():
        with pytest.raises(UnknownNameError) as caught:
            plugins.resolve(kind, ref)
        assert text in str(caught.value)
        assert "\n" not in str(caught.value)
    with pytest.raises(ConfigurationError) as raised:
        plugins.resolve("controller", f"{broken}:x")
    assert str(raised.value).endswith("importing it raised RuntimeError: first second")


def test_a_function_is_a_controller():
    brain = plugins.as_controller(follow, {}, "follow")
    brain.reset(1)
    assert brain.act(None) == [1.0]
    assert brain.learn(1.0, True) is None


def test_factories_take_their_options_and_no_other():
    assert plugins.as_controller(Learner, {"rate": 0.5}, "x").rate == 0.5
    ready = Learner()
    assert plugins.as_controller(ready, {}, "x") is ready
    with pytest.raises(ConfigurationError, match="must be a factory or a function"):
        plugins.as_controller(3, {}, "x")
    with pytest.raises(UnknownNameError, match="option 'rat' is not known: did you mean 'rate'"):
        plugins.as_controller(Learner, {"rat": 1}, "x")
    with pytest.raises(ConfigurationError, match="it needs reset, act and learn"):
        plugins.as_controller(lambda: 3, {}, "x")
    with pytest.raises(ConfigurationError, match="option 'a' is missing"):
        plugins.as_controller(lambda a, b: 3, {}, "x")


def test_file_reference():
    assert plugins.is_file_reference("./a.py:b")
    assert not plugins.is_file_reference("a.b:c")


def test_a_chip_may_carry_options(tmp_path):
    made = plugins.resolve("chip", "loihi@weight_bits=4@anneal=true")
    assert (made.options.weight_bits, made.anneal, made.name) == (4, True, "loihi")
    assert plugins.resolve("chip", "loihi@prices=nahuku").prices.name == "nahuku"
    for ref, message in (
        ("loihi@wings=2", r"chip 'loihi@wings=2': .*unexpected keyword argument 'wings'"),
        ("loihi@weight_bits", "options must be NAME=VALUE"),
        ("loihi@weight_bits=7", "weight_bits = 7 must be one of"),
    ):
        with pytest.raises(ConfigurationError, match=message):
            plugins.resolve("chip", ref)
    with pytest.raises(UnknownNameError, match="did you mean 'loihi'"):
        plugins.resolve("chip", "loihu@weight_bits=4")
