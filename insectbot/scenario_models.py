"""What a scenario says: validated sections, and one sentence for whatever is not accepted."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from types import UnionType
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from insectbot.errors import ConfigurationError
from insectbot.seeding import MAX_SEED

Options = dict[str, Any]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class WrapperSection(_Section):
    """One wrapper around the world.

    Attributes
    ----------
    name : str
        Name such as ``"sensor-noise"``, or a reference to a ``gymnasium.Wrapper`` such as ``"./my.py:MyWrapper"``.
    options : dict
        Keyword arguments of the wrapper.
    phases : list of str
        Where it holds: "train" (training and free learning runs), "evaluate" (all judging of frozen brains, the
        learning curve included), or both.
    """

    name: str = Field(min_length=1)
    options: Options = Field(default_factory=dict)
    phases: list[Literal["train", "evaluate"]] = Field(default=["train", "evaluate"], min_length=1)


class EnvSection(_Section):
    """The world.

    Attributes
    ----------
    id : str
        Gymnasium id, or a reference to an environment class such as ``"./my_env.py:MyEnv"``.
    preset : str or None
        Variant of the world; None for an environment without presets.
    options : dict
        Keyword arguments of the environment.
    control_period : float or None
        Seconds of world time per step, for environments that do not say it themselves.
    wrappers : list of WrapperSection
        Put around the world in this order: the first is nearest to it.
    """

    id: str = Field(min_length=1)
    preset: str | None = None
    options: Options = Field(default_factory=dict)
    control_period: float | None = Field(default=None, gt=0)
    wrappers: list[WrapperSection] = Field(default_factory=list)


class ControllerSection(_Section):
    """The brain: a name or reference and the keyword arguments of its factory."""

    name: str = Field(min_length=1)
    options: Options = Field(default_factory=dict)


def _count_to_seeds(value: Any) -> Any:
    if isinstance(value, list):
        return value
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= 100_000:
        raise ValueError("must be a number of seeds from 1 to 100000, or a list of seeds")
    return list(range(1, value + 1))


Seeds = Annotated[list[Annotated[int, Field(ge=0, le=MAX_SEED)]], BeforeValidator(_count_to_seeds), Field(min_length=1)]
Episodes = Annotated[int, Field(ge=0)]


class TrainingSection(_Section):
    """Online learning.

    Attributes
    ----------
    episodes : int
        Episodes per seed; 0 trains nothing.
    seeds : list of int
        Training seeds; a number n in TOML means 1 to n.
    preset : str or None
        Preset while training; None takes ``env.preset``.
    world_seed : int
        Key of the training worlds.
    options : dict
        Environment options that hold only while training.
    probe_worlds : int
        Validation worlds on which a frozen copy is tried after each episode (the learning curve); 0 for none.
    """

    episodes: Episodes = 15
    seeds: Seeds = Field(default_factory=lambda: list(range(1, 9)))
    preset: str | None = None
    world_seed: int = Field(default=0, ge=0, le=MAX_SEED)
    options: Options = Field(default_factory=dict)
    probe_worlds: Episodes = 20


class EvaluationSection(_Section):
    """Judging brains, frozen unless ``learn``, on worlds that no training has seen.

    Attributes
    ----------
    episodes : int
        Worlds per preset, the same for every controller and seed.
    presets : list of str
        Presets to judge on; empty takes ``env.preset``.
    world_seed : int
        Key of the evaluation worlds.
    options : dict
        Environment options that hold only while judging.
    reset : dict
        Options given to each ``env.reset`` while judging, such as ``{flip = true}`` for a world whose episodes
        otherwise depend on how many came before.
    each : dict of list
        Reset options that change from world to world: world k takes element k of each list, cyclically.
    baselines : list of str
        Controllers shown beside the trained one.
    untrained : bool
        Also judge the network before training.
    untrained_episodes : int or None
        Worlds for the untrained network, whose failed episodes are the longest; None takes ``episodes``.
    learn : bool
        Let controllers learn within each judged episode, from the same start every time: for worlds in which learning
        is what is judged.
    """

    episodes: int = Field(default=200, ge=1)
    presets: list[str] = Field(default_factory=list)
    world_seed: int = Field(default=0, ge=0, le=MAX_SEED)
    options: Options = Field(default_factory=dict)
    reset: Options = Field(default_factory=dict)
    each: dict[str, Annotated[list[Any], Field(min_length=1)]] = Field(default_factory=dict)
    baselines: list[str] = Field(default_factory=lambda: ["random"])
    untrained: bool = True
    untrained_episodes: int | None = Field(default=None, ge=1)
    learn: bool = False

    def reset_options(self, k: int) -> Options | None:
        """Return the options for resetting world ``k``; None for none."""
        return {**self.reset, **{key: values[k % len(values)] for key, values in self.each.items()}} or None


class RecordSection(_Section):
    """How many episodes are recorded.

    Attributes
    ----------
    train : int
        Training episodes of the first seed, spread from the first to the last.
    evaluate : int
        Worlds per evaluated controller and preset, first seed.
    run : int
        Episodes of a free run.
    states : list of str
        State variables of the network that recorded episodes keep at every tick, such as ``["motors.v"]``.
    """

    train: Episodes = 3
    evaluate: Episodes = 3
    run: Episodes = 20
    states: list[str] = Field(default_factory=list)


class BenchSection(_Section):
    """Which chips are compared, and on how many of the evaluation worlds (None: all)."""

    chips: list[str] = Field(default_factory=lambda: ["ideal", "loihi"])
    episodes: int | None = Field(default=None, ge=1)


class Scenario(_Section):
    """Everything that decides a run. Immutable; equal scenarios give equal results.

    Attributes
    ----------
    name : str
        Label of the run folder: letters, digits, ``-``, ``_`` and ``.``.
    title, description : str
        Heading and one line of text for reports and lists.
    chip : str
        Backend on which the brain runs and learns.
    env, controller, training, evaluation, record, bench
        The sections.
    """

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    title: str = ""
    description: str = ""
    chip: str = "ideal"
    env: EnvSection
    controller: ControllerSection
    training: TrainingSection = Field(default_factory=TrainingSection)
    evaluation: EvaluationSection = Field(default_factory=EvaluationSection)
    record: RecordSection = Field(default_factory=RecordSection)
    bench: BenchSection = Field(default_factory=BenchSection)

    @property
    def presets(self) -> list[str | None]:
        """Presets to evaluate on."""
        return [*self.evaluation.presets] or [self.env.preset]


def _section_at(path: tuple[str | int, ...]) -> type[BaseModel] | None:
    """Return the model that the keys of ``path`` belong to."""
    model: type[BaseModel] = Scenario
    for key in path:
        if isinstance(key, int):  # an entry of a list of sections
            continue
        kind = model.model_fields[key].annotation if key in model.model_fields else None
        kind = get_args(kind)[0] if get_origin(kind) is list else kind
        if kind is None or isinstance(kind, UnionType) or not isinstance(kind, type) or not issubclass(kind, BaseModel):
            return None
        model = kind
    return model


def unknown_key(path: str, key: str, known: list[str]) -> str:
    """Return the sentence for a key that does not exist."""
    close = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
    hint = f"did you mean {close[0]!r}? " if close else ""
    return f"{path}: unknown key, {hint}(known: {', '.join(known)})"


def _sentence(label: str, error: ValidationError) -> str:
    """Turn the first validation error into one sentence: key path, value, what is accepted."""
    first = error.errors(include_url=False)[0]
    location = first["loc"]
    path = ".".join(map(str, location)) or "scenario"
    if first["type"] == "extra_forbidden":
        model = _section_at(location[:-1])
        return f"{label}: {unknown_key(path, str(location[-1]), list(model.model_fields) if model else [])}"
    if first["type"] == "missing":
        return f"{label}: {path} is missing, give it a value"
    accepted = (
        first["msg"].replace("Input should be", "must be").replace("Value error, ", "").replace("String should", "must")
    )
    shown = repr(first["input"])
    return f"{label}: {path} = {shown if len(shown) < 80 else shown[:77] + '...'}: {accepted}"


def parse(data: Mapping[str, Any], label: str = "scenario") -> Scenario:
    """Validate nested mappings (as TOML gives them) into a scenario.

    Raises
    ------
    ConfigurationError
        One sentence: key path, value, what is accepted.
    """
    try:
        return Scenario.model_validate(data)
    except ValidationError as error:
        raise ConfigurationError(_sentence(label, error)) from None
