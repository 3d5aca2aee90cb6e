"""Scenarios: load and save them, and make their worlds and brains. Names become objects here."""

from __future__ import annotations

import inspect
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import gymnasium
import tomli_w
from gymnasium.envs.registration import load_env_creator

from insectbot import plugins
from insectbot.errors import ConfigurationError, UnknownNameError
from insectbot.protocols import Backend, Controller
from insectbot.scenario_models import Scenario, WrapperSection, parse

EnvPhase = Literal["run", "train", "probe", "tune", "evaluate"]
"""Worlds of "run" and "train" take ``training.options``, the others ``evaluation.options``."""


def loads(text: str, label: str = "scenario", overrides: Mapping[str, Any] | None = None) -> Scenario:
    """Parse TOML text; ``overrides`` maps key paths such as ``"training.episodes"`` to values."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{label}: not valid TOML: {error}") from None
    for path, value in (overrides or {}).items():
        *sections, key = path.split(".")
        table = data
        for section in sections:
            table = table.setdefault(section, {})
            if not isinstance(table, dict):
                raise ConfigurationError(f"{label}: {path}: {section!r} is a value, not a section")
        table[key] = value
    return parse(data, label)


def dumps(scenario: Scenario) -> str:
    """Return the resolved scenario as TOML; :func:`loads` gives an equal scenario back."""
    return tomli_w.dumps(scenario.model_dump(exclude_none=True))


def _absolute(ref: str, folder: Path) -> str:
    """Return a file reference as an absolute one: relative to the scenario file, else to the working folder."""
    ref, at, chip_options = ref.partition("@")
    if ref.endswith((".toml", ".chip")):
        beside = folder / Path(ref).expanduser()
        return str((beside if beside.exists() else Path(ref).expanduser()).resolve()) + at + chip_options
    if not plugins.is_file_reference(ref):
        return ref + at + chip_options
    file, _, attribute = ref.rpartition(":")
    path = Path(file).expanduser()
    beside = folder / path
    return f"{(beside if beside.exists() else path).resolve()}:{attribute}{at}{chip_options}"


def home_of(controller: str, default: str = "foraging") -> Scenario:
    """Return the first scenario whose brain or baseline has this name.

    Else one with a controller of the same module, or of the name that this one extends (``aplysia-srm1`` for
    ``aplysia-srm1-stdp``); ``default`` where there is none.
    """
    known = plugins.BUILTIN["controller"]
    module = known.get(controller, "").partition(":")[0]
    relatives = [name for name, target in known.items() if target.partition(":")[0] == module]
    parents = [name for name in known if controller.startswith(f"{name}-")]
    found = [load(name) for name in (default, *plugins.names("scenario"))]
    for names in ([controller], relatives, parents):
        for one in found:
            if not {one.controller.name, *one.evaluation.baselines}.isdisjoint(names):
                return one
    return found[0]


def load(ref: str | Path, overrides: Mapping[str, Any] | None = None) -> Scenario:
    """Load a scenario by name (those that ship with insectbot or are installed) or from a TOML file.

    Parameters
    ----------
    ref : str or Path
        Name such as ``"foraging"``, or a path that ends in ``.toml``.
    overrides : mapping or None
        Key path -> value, such as ``{"training.episodes": 3}``.

    Raises
    ------
    UnknownNameError
        No such name or file.
    ConfigurationError
        The content is not accepted.
    """
    is_path = isinstance(ref, Path) or ref.endswith(".toml")
    path = Path(ref).expanduser() if is_path else plugins.resolve("scenario", str(ref))
    label = str(ref) if is_path else f"scenario {ref!r}"
    try:
        text = Path(path).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        cause = getattr(error, "strerror", None) or "not text"
        raise UnknownNameError(f"scenario file {str(path)!r} cannot be read: {cause}") from None
    scenario = loads(text, label, overrides)
    return _with_absolute_files(scenario, Path(path).resolve().parent)


def _with_absolute_files(s: Scenario, folder: Path) -> Scenario:
    """Return a copy that means the same files from any working folder."""
    chips = [_absolute(chip, folder) for chip in s.bench.chips]
    baselines = [_absolute(baseline, folder) for baseline in s.evaluation.baselines]
    wrappers = [one.model_copy(update={"name": _absolute(one.name, folder)}) for one in s.env.wrappers]
    update = {
        "env": s.env.model_copy(update={"id": _absolute(s.env.id, folder), "wrappers": wrappers}),
        "controller": s.controller.model_copy(update={"name": _absolute(s.controller.name, folder)}),
        "chip": _absolute(s.chip, folder),
        "evaluation": s.evaluation.model_copy(update={"baselines": baselines}),
        "bench": s.bench.model_copy(update={"chips": chips}),
    }
    return s.model_copy(update=update)


def _short(error: BaseException) -> str:
    return " ".join(str(error).split())


def _gymnasium_make(ref: str, options: dict[str, Any]) -> gymnasium.Env:
    """Make a registered environment; an unknown id lists the known ones."""
    if plugins.is_file_reference(ref):
        return plugins.resolve("env", ref)(**options)
    try:
        gymnasium.spec(ref)
    except (gymnasium.error.Error, ImportError) as error:
        known = plugins.names("env")
        if ref not in known:
            return plugins.resolve("env", ref)(**options)
        raise UnknownNameError(f"env {ref!r} is not registered: {_short(error)}") from error
    return gymnasium.make(ref, disable_env_checker=True, **options)


def _merged(general: Mapping[str, Any], special: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of both; the special ones win, table by table, so that nothing general is lost unseen."""
    merged = {**general, **special}
    for key in general.keys() & special.keys():
        if isinstance(general[key], Mapping) and isinstance(special[key], Mapping):
            merged[key] = _merged(general[key], special[key])
    return merged


def make_env(
    scenario: Scenario,
    phase: EnvPhase = "run",
    *,
    preset: str | None = None,
    render_mode: str | None = None,
) -> gymnasium.Env:
    """Make the world of a scenario, and put its wrappers of the phase around it.

    Its options are ``env.options`` and, over them, those of the phase; tables among the options are merged.

    Parameters
    ----------
    scenario : Scenario
        The scenario.
    phase : str
        Decides which options and preset hold, see :data:`EnvPhase`.
    preset : str or None
        Overrides the scenario's preset.
    render_mode : str or None
        Gymnasium's render mode.

    Raises
    ------
    UnknownNameError
        The environment, the preset or a wrapper is not known.
    ConfigurationError
        The environment or a wrapper does not take an option.
    """
    learning = phase in ("run", "train")
    section = scenario.training if learning else scenario.evaluation
    options = _merged(scenario.env.options, section.options)
    if preset is None and phase == "train":
        preset = scenario.training.preset
    preset = preset or scenario.env.preset
    extra = {"preset": preset, "render_mode": render_mode}
    options |= {key: value for key, value in extra.items() if value is not None}
    try:
        env = _gymnasium_make(scenario.env.id, options)
    except TypeError as error:
        spec = gymnasium.registry.get(scenario.env.id)
        if spec is not None and isinstance(spec.entry_point, str):
            _refuse_unknown_options(f"env {scenario.env.id!r}", load_env_creator(spec.entry_point), options)
        raise _not_taken(f"env {scenario.env.id!r}", options, error) from error
    for section in scenario.env.wrappers:
        if ("train" if learning else "evaluate") in section.phases:
            env = _wrapped(env, section, scenario.env.control_period)
    return env


def _wrapped(env: gymnasium.Env, section: WrapperSection, period: float | None) -> gymnasium.Env:
    """Put one wrapper around a world; a wrapper that takes a control period is told the scenario's."""
    label, options = f"wrapper {section.name!r}", {**section.options}
    factory = plugins.resolve("wrapper", section.name)
    if period is not None and plugins.accepts(factory, "control_period"):
        options.setdefault("control_period", period)
    try:
        made = factory(env, **options)
    except TypeError as error:
        _refuse_unknown_options(label, factory, options, hidden=1)
        raise _not_taken(label, options, error) from error
    if not isinstance(made, gymnasium.Env):
        raise ConfigurationError(f"{label} made a {type(made).__name__}, must be a gymnasium.Wrapper")
    return made


def _not_taken(label: str, options: Mapping[str, Any], error: TypeError) -> ConfigurationError:
    given = ", ".join(sorted(options)) or "none"
    return ConfigurationError(f"{label} does not take its options ({given}): {_short(error)}")


def _refuse_unknown_options(label: str, factory: Any, options: Mapping[str, Any], hidden: int = 0) -> None:
    """Raise ConfigurationError for an option that a factory does not name; its ``hidden`` first arguments are ours."""
    if not callable(factory):
        return
    parameters = list(inspect.signature(factory).parameters.values())[hidden:]
    if any(p.kind is p.VAR_KEYWORD for p in parameters):
        return
    known = sorted(p.name for p in parameters)
    for name in sorted(options.keys() - set(known)):
        raise ConfigurationError(f"{label}: option {name!r} is not known (known: {', '.join(known)})")


def control_period(scenario: Scenario, env: gymnasium.Env) -> float:
    """Return the control period of a world [s].

    Raises
    ------
    ConfigurationError
        Neither the scenario nor the environment says it.
    """
    period = scenario.env.control_period or getattr(env.unwrapped, "control_period", None)
    if period is None:
        raise ConfigurationError(
            f"env {scenario.env.id!r} has no control_period: give env.control_period in seconds in the scenario"
        )
    return float(period)


def ticks_per_step(period: float, dt: float) -> int:
    """Return the whole number of simulation steps in one control period.

    Parameters
    ----------
    period : float
        Control period [s].
    dt : float
        Simulation step [ms].

    Raises
    ------
    ConfigurationError
        The period is not a whole number of dt.
    """
    ticks = period * 1000.0 / dt
    if round(ticks) < 1 or abs(ticks - round(ticks)) > 1e-6 * ticks:
        raise ConfigurationError(
            f"control_period = {period * 1000:g} ms is not a whole number of dt = {dt:g} ms: change one of them"
        )
    return round(ticks)


def make_backend(chip: str) -> Backend:
    """Return the backend of a chip name or reference.

    Raises
    ------
    UnknownNameError
        The chip is not known.
    """
    found = plugins.resolve("chip", chip)
    return found if hasattr(found, "compile") and not isinstance(found, type) else found()


def make_controller(
    scenario: Scenario,
    env: gymnasium.Env,
    seed: int,
    *,
    name: str | None = None,
    options: Mapping[str, Any] | None = None,
    chip: str | None = None,
) -> Controller:
    """Make a controller and, if it has a network, compile that for a chip and attach it.

    Parameters
    ----------
    scenario : Scenario
        Names controller and chip.
    env : gymnasium.Env
        The world it will live in.
    seed : int
        Decides its initial weights: passed to factories that take a ``seed``, and to the backend.
    name, options, chip : optional
        Instead of the scenario's; a name without options takes no options.

    Raises
    ------
    UnknownNameError
        The controller or the chip is not known.
    ConfigurationError
        An option is not accepted, or the control period is not a whole number of dt.
    DoesNotFit, Unsupported
        The chip cannot run the network.
    """
    if options is None:
        options = scenario.controller.options if name in (None, scenario.controller.name) else {}
    ref = name or scenario.controller.name
    factory = plugins.resolve("controller", ref)
    given = {**options}
    if plugins.accepts(factory, "seed"):
        given.setdefault("seed", seed)
    made: Any = plugins.as_controller(factory, given, ref)
    if hasattr(made, "bind"):
        made.bind(env)
    if hasattr(made, "network"):
        n_ticks = ticks_per_step(control_period(scenario, env), made.network.dt)
        executable = make_backend(chip or scenario.chip).compile(made.network, seed=seed)
        made.attach(executable, n_ticks)
    return made
