"""Does a chip, controller, world or scenario keep its contract? A kit for ``insectbot check`` and for tests."""

from __future__ import annotations

import copy
import difflib
import tomllib
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import numpy.typing as npt

from insectbot import plugins, scenario
from insectbot.check_backend import backend_promises
from insectbot.check_model import is_model, model_kind, model_promises
from insectbot.errors import InsectbotError, UnknownNameError
from insectbot.loop.episode import Step, run_episode
from insectbot.protocols import Controller
from insectbot.scenario_models import Scenario, parse

N_STEPS = 150
"""Control steps of each tried episode."""

Promises = dict[str, Callable[[], str]]


@dataclass(frozen=True)
class Finding:
    """One promise: what it says, whether it is kept, and what is wrong if not."""

    promise: str
    kept: bool
    detail: str = ""


def examine(promises: Promises) -> Iterator[Finding]:
    """Test promises one by one; an exception breaks its promise and stops nothing."""
    for promise, test in promises.items():
        try:
            wrong = test()
        except Exception as error:
            wrong = f"{type(error).__name__}: {' '.join(str(error).split())}"
        yield Finding(promise, not wrong, wrong)


@dataclass
class _Tape:
    """Observer that keeps the first steps of an episode and stops it."""

    actions: list[Any] = field(default_factory=list)
    rewards: list[float] = field(default_factory=list)
    observations: list[Any] = field(default_factory=list)

    def start(self, env: gymnasium.Env, controller: Controller, observation: Any) -> None:
        pass

    def step(self, step: Step) -> bool:
        self.observations.append(copy.deepcopy(step.observation))
        self.actions.append(copy.deepcopy(step.action))
        self.rewards.append(step.reward)
        return step.index + 1 >= N_STEPS

    def end(self, result: Any) -> None:
        pass

    def differs(self, other: _Tape) -> str:
        """Return what differs first, or an empty string."""
        for name in ("observations", "actions", "rewards"):
            mine, its = getattr(self, name), getattr(other, name)
            if len(mine) != len(its):
                return f"episodes of {len(mine)} and {len(its)} steps"
            for k, (a, b) in enumerate(zip(mine, its, strict=True)):
                if not _equal(a, b):
                    return f"{name} differ at step {k}"
        return ""


def _equal(a: Any, b: Any) -> bool:
    if isinstance(a, dict):
        return set(a) == set(b) and all(_equal(a[k], b[k]) for k in a)
    if isinstance(a, tuple | list):
        return len(a) == len(b) and all(_equal(x, y) for x, y in zip(a, b, strict=True))
    return np.array_equal(a, b)


def _weights(controller: Any) -> dict[str, npt.NDArray]:
    read = getattr(controller, "weights", None)
    return {name: np.array(w) for name, w in read().items()} if read is not None else {}


class _Subject:
    """Makes fresh pairs of world and controller of one scenario, and runs short episodes."""

    def __init__(self, what: Scenario, name: str | None, learn: bool) -> None:
        self.what, self.name, self.learn = what, name, learn

    def fresh(self) -> tuple[gymnasium.Env, Controller]:
        """Return a new world and a new controller."""
        env = scenario.make_env(self.what)
        return env, scenario.make_controller(self.what, env, 1, name=self.name)

    def episode(
        self, env: gymnasium.Env, controller: Controller, world: int = 5, *, learn: bool | None = None
    ) -> _Tape:
        """Run one short episode and return its tape."""
        tape = _Tape()
        run_episode(env, controller, seed=world, learn=self.learn if learn is None else learn, viewer=tape)
        return tape


def _same_seed(subject: _Subject) -> str:
    (env, a), (other, b) = subject.fresh(), subject.fresh()
    first, second = subject.episode(env, a), subject.episode(other, b)
    return first.differs(second) or ("" if _equal(_weights(a), _weights(b)) else "weights differ")


def _reset(subject: _Subject) -> str:
    env, controller = subject.fresh()
    first = subject.episode(env, controller, learn=False)
    subject.episode(env, controller, world=6, learn=False)
    return first.differs(subject.episode(env, controller, learn=False))


def _frozen(subject: _Subject) -> str:
    env, controller = subject.fresh()
    before = _weights(controller)
    subject.episode(env, controller, learn=False)
    return "" if _equal(before, _weights(controller)) else "weights change while frozen"


def _actions(subject: _Subject) -> str:
    env, controller = subject.fresh()
    space = env.action_space
    for k, action in enumerate(subject.episode(env, controller).actions):
        fits = np.asarray(action, space.dtype) if isinstance(space, gymnasium.spaces.Box) else action
        if not space.contains(fits):
            return f"action {action} of step {k} is not in {space}"
    return ""


def _learning_state(subject: _Subject) -> str:
    (env, first), (other, second) = subject.fresh(), subject.fresh()
    subject.episode(env, first, world=7)
    a: Any = first
    b: Any = second
    if not (hasattr(a, "state") and hasattr(a, "load_state")):
        return "it has weights but no state() and load_state(), so training cannot resume"
    b.load_state({name: np.array(value) for name, value in a.state().items()})
    return subject.episode(env, a).differs(subject.episode(other, b))


def controller_promises(what: Scenario, name: str | None = None) -> Promises:
    """Return the promises of a controller, tested in the world of a scenario.

    Parameters
    ----------
    what : Scenario
        World, chip, and the controller if ``name`` is None.
    name : str or None
        Controller name or reference.

    Raises
    ------
    InsectbotError
        The scenario's world or the controller cannot be made.
    """
    learning, frozen = _Subject(what, name, learn=True), _Subject(what, name, learn=False)
    _, made = frozen.fresh()
    promises: Promises = {
        "the same seed gives the same actions, twice (frozen)": partial(_same_seed, frozen),
        "the same seed gives the same actions and weights, twice (learning)": partial(_same_seed, learning),
        "reset really resets": partial(_reset, frozen),
        "its actions are in the action space": partial(_actions, frozen),
    }
    if hasattr(made, "weights"):
        promises["frozen weights stay"] = partial(_frozen, frozen)
        promises["its state round-trips"] = partial(_learning_state, learning)
    return promises


def _check_env(env: gymnasium.Env) -> str:
    from gymnasium.utils.env_checker import check_env

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # advice, not errors
        try:
            check_env(env.unwrapped, skip_render_check=True)
        except AssertionError as error:
            return " ".join(str(error).split())
    return ""


def _rollout(env: gymnasium.Env, world: int, n: int = N_STEPS) -> list[Any]:
    """Return (observation, reward, ends) of a random walk that the world's seed decides."""
    env.action_space.seed(world)
    seen: list[Any] = [(env.reset(seed=world)[0],)]
    for _ in range(n):
        observation, reward, terminated, truncated, _ = env.step(env.action_space.sample())
        seen.append((copy.deepcopy(observation), reward, terminated, truncated))
        if terminated or truncated:
            break
    return seen


def _env_same_seed(make: Callable[[], gymnasium.Env]) -> str:
    env = make()
    first, again, other = _rollout(env, 3), _rollout(env, 3), _rollout(make(), 3)
    if not _equal(first, again):
        return "a second reset with the same seed gives another episode"
    return "" if _equal(first, other) else "two environments with the same seed differ"


def _env_period(what: Scenario, make: Callable[[], gymnasium.Env]) -> str:
    return "" if scenario.control_period(what, make()) > 0 else "control_period must be above 0 s"


def _env_scene(make: Callable[[], gymnasium.Env]) -> str:
    env: Any = make()
    env.reset(seed=1)
    world = env.unwrapped
    if not hasattr(world, "scene"):
        return ""
    scene = world.scene()
    lacking = sorted({"extent", "unit"} - set(scene))
    if lacking:
        return f"scene() lacks {', '.join(lacking)}"
    for what, space in (("senses", env.observation_space), ("actions", env.action_space)):
        if what in scene and space.shape and len(scene[what]) != space.shape[0]:
            return f"scene()[{what!r}] has {len(scene[what])} names for {space.shape[0]} numbers"
    return "" if np.shape(world.pose) == (3,) else f"pose has shape {np.shape(world.pose)}, must be (3,)"


def _env_state(make: Callable[[], gymnasium.Env]) -> str:
    env: Any = make()
    if not env.has_wrapper_attr("get_state"):
        return ""
    get, put = env.get_wrapper_attr("get_state"), env.get_wrapper_attr("set_state")
    env.reset(seed=1)
    actions = [env.action_space.sample() for _ in range(20)]
    saved = copy.deepcopy(get())
    first = [env.step(a)[:2] for a in actions]
    put(saved)
    return "" if _equal(first, [env.step(a)[:2] for a in actions]) else "set_state(get_state()) continues otherwise"


def env_promises(what: Scenario) -> Promises:
    """Return the promises of the world of a scenario."""
    make = partial(scenario.make_env, what)
    make()
    return {
        "gymnasium's check_env passes": lambda: _check_env(make()),
        "the same seed gives the same episode, twice": partial(_env_same_seed, make),
        "it says its control period": partial(_env_period, what, make),
        "scene() and pose, if any, are complete": partial(_env_scene, make),
        "its state, if any, round-trips": partial(_env_state, make),
    }


def _round_trip(what: Scenario) -> str:
    return "" if scenario.loads(scenario.dumps(what)) == what else "dumps and loads give another scenario"


def scenario_promises(what: Scenario) -> Promises:
    """Return the promises of a scenario: its own, its world's and its controller's on its chip."""
    own: Promises = {"it survives dumps and loads": partial(_round_trip, what)}
    env = {f"env: {p}": t for p, t in env_promises(what).items()}
    return own | env | {f"controller: {p}": t for p, t in controller_promises(what).items()}


def kind_of(ref: str) -> str:
    """Return the kind of a reference: "scenario", "chip", "controller", "env", "neuron", "synapse" or "code".

    Raises
    ------
    UnknownNameError
        It is none of the known names, no file and no module.
    """
    if ref.endswith(".toml"):
        return "chip" if _is_datasheet(ref) else "scenario"
    kinds = ("scenario", "chip", "controller", "env", "neuron", "synapse", "code")
    for kind in kinds:
        if ref in plugins.names(kind):
            return kind
    if ":" in ref:
        found = plugins.resolve("controller", ref)
        if is_model(found):
            return model_kind(found)
        if hasattr(found, "compile"):
            return "chip"
        return "env" if isinstance(found, type) and issubclass(found, gymnasium.Env) else "controller"
    if ref in gymnasium.registry:
        return "env"
    close = difflib.get_close_matches(ref, [name for kind in kinds for name in plugins.names(kind)], n=1, cutoff=0.6)
    hint = f"did you mean {close[0]!r}? " if close else ""
    raise UnknownNameError(
        f"check {ref!r}: no scenario, chip, controller, env or model has this name; {hint}'insectbot list' names all"
    )


def _is_datasheet(path: str) -> bool:
    """Tell whether a TOML file describes a chip: it has a table ``chip``, where a scenario has a name."""
    try:
        return isinstance(tomllib.loads(Path(path).expanduser().read_text("utf-8")).get("chip"), dict)
    except (OSError, ValueError):
        return False


def promises_of(ref: str, where: str | None = None) -> tuple[str, Promises]:
    """Return the kind of a reference and its promises.

    Parameters
    ----------
    ref : str
        Name, path or ``file.py:attribute`` of a scenario, chip, controller, env, or neuron, synapse or code model.
    where : str, optional
        Scenario in whose world a controller is tried; default the first that uses it, else ``"foraging"``.

    Raises
    ------
    InsectbotError
        The reference is not known, or cannot be made.
    """
    kind = kind_of(ref)
    if kind == "scenario":
        return kind, scenario_promises(scenario.load(ref))
    if kind == "chip":
        return kind, backend_promises(scenario.make_backend(ref))
    if kind in ("neuron", "synapse", "code"):
        return kind, model_promises(plugins.resolve(kind, ref), ref)
    if kind == "controller":
        return kind, controller_promises(scenario.load(where) if where else scenario.home_of(ref), ref)
    return kind, env_promises(parse({"name": "check", "env": {"id": ref}, "controller": {"name": "random"}}))


def check(ref: str, where: str | None = None) -> list[Finding]:
    """Return a finding for every promise of a reference (see :func:`promises_of`)."""
    return list(examine(promises_of(ref, where)[1]))


def require(ref: str, where: str | None = None) -> None:
    """Raise InsectbotError naming the broken promises of a reference; for tests of plugins."""
    broken = [f"{f.promise} ({f.detail})" for f in check(ref, where) if not f.kept]
    if broken:
        raise InsectbotError(f"{ref}: {'; '.join(broken)}")
