"""The house rules: sizes, docstrings, annotations, packaging, light imports, a README that is true."""

import ast
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import insectbot
from insectbot import plugins, scenario

ROOT = Path(__file__).parents[1]
ROOMS = ("insectbot", "envs", "controllers", "scenarios", "benchmarks")
MAX_FILE, MAX_FUNCTION = 450, 60
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def own(path):
    """Return whether a file is reached without a symlink, so that each is seen once."""
    relative = path.relative_to(ROOT)
    return not any(ROOT.joinpath(*relative.parts[:n]).is_symlink() for n in range(1, len(relative.parts) + 1))


SOURCES = sorted(p for room in ROOMS for p in (ROOT / room).rglob("*.py") if own(p))
TESTS = sorted((ROOT / "tests").glob("*.py"))
PACKAGED = [p for p in SOURCES if p.relative_to(ROOT).parts[0] != "benchmarks"]


def name_of(path):
    return str(path.relative_to(ROOT))


def parse(path):
    return ast.parse(path.read_text("utf-8"))


def public(node):
    """Yield public functions, classes and methods, with a dotted name."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (*FUNCTIONS, ast.ClassDef)) and not child.name.startswith("_"):
            yield child.name, child
            if isinstance(child, ast.ClassDef):
                yield from ((f"{child.name}.{name}", inner) for name, inner in public(child))


@pytest.mark.parametrize("path", SOURCES + TESTS, ids=name_of)
def test_files_are_short(path):
    assert len(path.read_text("utf-8").splitlines()) <= MAX_FILE


def length(function):
    """Return the lines of a function, its docstring included."""
    return function.end_lineno - function.lineno + 1


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_functions_are_short(path):
    functions = [node for node in ast.walk(parse(path)) if isinstance(node, FUNCTIONS)]
    assert not {f.name: length(f) for f in functions if length(f) > MAX_FUNCTION}


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_public_names_have_docstrings(path):
    tree = parse(path)
    assert ast.get_docstring(tree)
    overloads = {"overload", "setter", "getter"}
    for name, node in public(tree):
        decorators = {getattr(d, "attr", getattr(d, "id", "")) for d in node.decorator_list}
        if not decorators & overloads:
            assert ast.get_docstring(node), name


@pytest.mark.parametrize("path", PACKAGED, ids=name_of)
def test_public_functions_are_annotated(path):
    for name, node in public(parse(path)):
        if isinstance(node, ast.ClassDef):
            continue
        a = node.args
        arguments = [*a.posonlyargs, *a.args, *a.kwonlyargs, *filter(None, (a.vararg, a.kwarg))]
        bare = [x.arg for x in arguments if x.annotation is None and x.arg not in ("self", "cls")]
        kernel = any("kernel" in ast.dump(d) or "intrinsic" in ast.dump(d) for d in node.decorator_list)
        assert kernel or (node.returns is not None and not bare), (name, bare)


FORBIDDEN = {
    "unfinished": r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X)\b",
    "silenced linter": r"#\s*no" + r"qa|#\s*type:\s*ig" + r"nore|#\s*pyright:\s*ig" + r"nore",
    "stub": r"raise NotImplemented" + r"Error\b",
    "reordered sums": r"fastmath=Tr" + r"ue\b(?!\) reorders)",
    "test that does not run": r"pytest\.(mark\.)?(sk" + r"ip|xf" + r"ail|importor" + r"skip)",
    "path of a machine": r"/wo" + r"rk/|/ro" + r"ot/|/ho" + r"me/",
    "package registry": r"py" + r"pi\.org|pythonho" + r"sted",
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_forbidden_words(what):
    texts = [*SOURCES, *TESTS, ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "pyproject.toml", ROOT / ".ci" / "run"]
    texts += sorted((ROOT / "docs").rglob("*.md")) + sorted((ROOT / "scenarios").glob("*.toml"))
    pattern = re.compile(FORBIDDEN[what])
    found = [
        f"{name_of(path)}:{n}: {line.strip()}"
        for path in texts
        for n, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if pattern.search(line)
    ]
    assert not found


def test_packages_are_the_folders_on_disk():
    setup = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    listed = set(setup["packages"])
    found = {".".join(p.parent.relative_to(ROOT).parts) for p in SOURCES if p.name == "__init__.py"}
    found = {name if name.startswith("insectbot") else f"insectbot.{name}" for name in found}
    assert listed == found
    for name, folder in setup["package-dir"].items():
        assert (ROOT / folder / "__init__.py").exists(), name


@pytest.mark.parametrize("name", ["envs", "controllers", "scenarios"])
def test_links_lead_to_the_folders(name):
    assert (ROOT / "insectbot" / name).resolve() == ROOT / name


def python(code, folder):
    return subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize("room", ["envs", "controllers"])
def test_rooms_cannot_be_imported_twice(room):
    done = python(f"import sys; sys.path.insert(0, '.'); import {room}", ROOT)
    assert done.returncode == 1
    assert f"import insectbot.{room}, not {room}" in done.stderr


def test_a_users_own_envs_folder_is_left_alone(tmp_path):
    (tmp_path / "envs").mkdir()
    (tmp_path / "envs" / "__init__.py").write_text("mine = True\n")
    code = "import insectbot.envs.foraging, envs; assert envs.mine; assert 'insectbot' in insectbot.envs.__name__"
    assert python(code, tmp_path).stderr == ""


@pytest.mark.parametrize("module", ["insectbot", "insectbot.cli", "insectbot.view", "insectbot.errors"])
def test_light_imports(tmp_path, module):
    heavy = ("numba", "pygame", "matplotlib", "nir", "h5py", "joblib", "torch")
    done = python(f"import sys, {module}; print([m for m in {heavy} if m in sys.modules])", tmp_path)
    assert done.stdout.strip() == "[]", done.stderr


def test_version_is_said_once():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["version"] == insectbot.__version__
    assert f"version: {insectbot.__version__}" in (ROOT / "CITATION.cff").read_text()
    assert f"## [{insectbot.__version__}]" in (ROOT / "CHANGELOG.md").read_text()


@pytest.mark.parametrize("name", plugins.names("scenario"))
def test_scenarios_load_and_round_trip(name):
    what = scenario.load(name)
    assert scenario.loads(scenario.dumps(what)) == what
    assert what.description
    for chip in (what.chip, *what.bench.chips):
        plugins.resolve("chip", chip)
    for controller in (what.controller.name, *what.evaluation.baselines):
        plugins.resolve("controller", controller)


README = (ROOT / "README.md").read_text("utf-8")
DAY_ONE = (ROOT / "docs" / "day_one.md").read_text("utf-8")


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", README, flags=re.S | re.M)


@pytest.mark.parametrize("code", blocks("python"))
def test_readme_python_runs(tmp_path, code):
    done = python("import warnings; warnings.simplefilter('error')\n" + code, tmp_path)
    assert done.returncode == 0, done.stderr


def readme_commands():
    """Return the words of every ``insectbot ...`` command in the README and in day one."""
    lines = [line for block in blocks("sh") + blocks("console") for line in block.splitlines()]
    lines = [part.strip().removeprefix("$ ") for line in lines for part in line.split("&&")]
    lines += re.findall(r"`(insectbot [^`]*)`", README + DAY_ONE)
    return sorted(
        {line.removeprefix(".venv/bin/") for line in lines if re.match(r"(\.venv/bin/)?insectbot( |$)", line)}
    )


@pytest.mark.parametrize("command", readme_commands())
def test_readme_commands_exist(command, capsys):
    from insectbot.cli import main

    words = shlex.split(command)[1:]
    assert main([*words[:1], "--help"]) == 0
    text = capsys.readouterr().out
    for word in words[1:]:
        if word.startswith("-"):
            assert word in text


def test_readme_has_two_commands_and_ci_runs_the_second():
    install, test = blocks("sh")[:2]
    assert install.count("\n") == test.count("\n") == 1
    assert "insectbot train foraging" in install
    assert test.split("&&")[-1].strip() == ".venv/bin/pytest"
    assert re.search(r'^"\$bin/pytest"$', (ROOT / ".ci" / "run").read_text(), flags=re.M)
