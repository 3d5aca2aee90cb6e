"""Name -> object: built-in name, entry point, ``"package.module:attr"`` or ``"./file.py:attr"``."""

from __future__ import annotations

import ast
import difflib
import hashlib
import importlib
import importlib.util
import inspect
import sys
from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any

from insectbot.errors import ConfigurationError, UnknownNameError
from insectbot.protocols import Controller

_FORAGER = "insectbot.controllers.circuits.rstdp_forager"
_BASELINES = "insectbot.controllers.baselines"
_PATCHES = "insectbot.controllers.patches_baselines"
_PLUME = "insectbot.controllers.plume_baselines"
_HOMING = "insectbot.controllers.path_baselines"
_CONDITIONING = "insectbot.controllers.conditioning"
_COLOR = "insectbot.controllers.color_baselines"
_ROBOT = "insectbot.controllers.aplysia_robot_baselines"
_RULES = "insectbot.snn.plasticity"
_WRAPPERS = "insectbot.envs.wrappers"

_MODELS = {
    "neuron": {
        "lif": ("LIF",),
        "integrators": ("IF", "LI", "CubaLIF", "McCullochPitts"),
        "adaptive": ("ALIF", "MAT"),
        "quadratic": ("QIF", "EIF", "AdEx"),
        "izhikevich": ("Izhikevich", "Izhikevich2007"),
        "hodgkin_huxley": ("HodgkinHuxley",),
        "oscillators": ("FitzHughNagumo", "HindmarshRose"),
        "srm": ("SRM0",),
        "pcnn": ("PCNN", "SCM"),
        "flexon": ("FlexonNeuron",),
        "compartments": ("TwoCompartment", "Dendrite"),
        "graded": ("ThresholdLinear", "LeakyReadout"),
    },
    "synapse": {"synapses": ("Delta", "Exponential", "Alpha", "TsodyksMarkram")},
    "code": {
        "codes_latency": ("LatencyInput", "LogLatencyInput", "LIFLatencyInput", "RankOrderInput"),
        "codes_phase": ("OscillationPhaseInput", "PhaseInput"),
        "codes_train": ("ISIInput", "BurstInput"),
        "codes_change": ("DeltaInput", "SendOnDeltaInput", "DVSInput", "ContrastInput"),
    },
}


def _models(kind: str) -> dict[str, str]:
    return {name: f"insectbot.snn.{file}:{name}" for file, listed in _MODELS[kind].items() for name in listed}


BUILTIN: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "controller": {
            "rstdp-forager": f"{_FORAGER}:rstdp_forager",
            "snn-fixed": f"{_FORAGER}:snn_fixed",
            "random-walk": f"{_BASELINES}:CorrelatedRandomWalk",
            "taxis": f"{_BASELINES}:Taxis",
            "braitenberg": f"{_BASELINES}:Braitenberg",
            "planner": f"{_BASELINES}:Planner",
            "random": f"{_BASELINES}:Random",
            "aplysia-srm1": "insectbot.controllers.circuits.aplysia_srm:aplysia_srm1",
            "aplysia-srm1-stdp": "insectbot.controllers.circuits.aplysia_srm_stdp:aplysia_srm1_stdp",
            "straight": f"{_ROBOT}:Straight",
            "obstacle-braitenberg": f"{_ROBOT}:ObstacleBraitenberg",
            "spikinglab9": "insectbot.controllers.circuits.spikinglab:spikinglab9",
            "random-spikes": f"{_COLOR}:RandomSpikes",
            "color-reflex": f"{_COLOR}:ColorReflex",
            "aplysia-reflex": "insectbot.controllers.circuits.aplysia_reflex:AplysiaReflexCircuit",
            "snmn-adpf": f"{_CONDITIONING}:SNMNADPF",
            "rescorla-wagner": f"{_CONDITIONING}:RescorlaWagner",
            "cx-rate": "insectbot.controllers.circuits.central_complex:cx_rate",
            "cx-lif": "insectbot.controllers.circuits.central_complex_lif:cx_lif",
            "random-homing": f"{_HOMING}:RandomHoming",
            "straight-homing": f"{_HOMING}:Straight",
            "vector-memory": f"{_HOMING}:VectorMemory",
            "patch-forager": "insectbot.controllers.circuits.patch_forager:patch_forager",
            "critic-forager": "insectbot.controllers.circuits.critic_forager:critic_forager",
            "trial-forager": "insectbot.controllers.circuits.trial_forager:TrialForager",
            "chip-forager": "insectbot.controllers.circuits.chip_forager:chip_forager",
            "mb-kc2000": "insectbot.controllers.circuits.mushroom_body:mb_kc2000",
            "mb-route": "insectbot.controllers.circuits.mb_route:mb_route",
            "odor-taxis": "insectbot.controllers.mb_baselines:OdorTaxis",
            "odor-planner": "insectbot.controllers.mb_baselines:OdorPlanner",
            "straight-on": "insectbot.controllers.mb_views:StraightOn",
            "view-memory": "insectbot.controllers.mb_views:ViewMemory",
            "plume-tracker": "insectbot.controllers.circuits.plume_tracker:plume_tracker",
            "plume-memory": "insectbot.controllers.circuits.plume_memory:plume_memory",
            "plume-random": f"{_PLUME}:RandomFlight",
            "plume-upwind": f"{_PLUME}:Upwind",
            "cast-and-surge": f"{_PLUME}:CastAndSurge",
            "trail-memory": f"{_PLUME}:TrailMemory",
            "patch-taxis": f"{_PATCHES}:PatchTaxis",
            "patch-braitenberg": f"{_PATCHES}:PatchBraitenberg",
            "patch-feeding": f"{_PATCHES}:FeedingBraitenberg",
            "patch-planner": f"{_PATCHES}:PatchPlanner",
            "virtual-insect": "insectbot.controllers.circuits.virtual_insect:virtual_insect",
        },
        "chip": {"ideal": "insectbot.core.simulator:Simulator"},
        "rule": {name: f"{_RULES}:{name}" for name in ("PairSTDP", "RewardSTDP", "NodePerturbation")},
        "neuron": _models("neuron"),
        "synapse": _models("synapse"),
        "code": _models("code"),
        "wrapper": {
            "sensor-noise": f"{_WRAPPERS}:SensorNoise",
            "sensor-latency": f"{_WRAPPERS}:SensorLatency",
            "actuator-lag": f"{_WRAPPERS}:ActuatorLag",
            "domain-randomisation": f"{_WRAPPERS}:DomainRandomisation",
        },
        "env": {},
        "scenario": {},
    }
)
"""Built-in names by kind; envs come from Gymnasium's registry, scenarios from the package folder."""

_ENV_NAMESPACE = "insectbot/"
_CATALOGUE = "insectbot.chips.catalogue"


def _fail(kind: str, name: str, known: Iterable[str]) -> UnknownNameError:
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    hint = f": did you mean {close[0]!r}?" if close else ""
    return UnknownNameError(f"{kind} {name!r} is not known{hint} (known: {', '.join(names) or 'none'})")


def scenario_folder() -> Path:
    """Return the folder of the scenarios that ship with insectbot."""
    import insectbot.scenarios

    return Path(next(iter(insectbot.scenarios.__path__)))


def _datasheet_folder() -> Path:
    """Return the folder of the datasheets that ship with insectbot."""
    return Path(__file__).parent / "chips" / "datasheets"


def _entry_points(kind: str) -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=f"insectbot.{kind}s")}


def _env_targets() -> dict[str, str]:
    import gymnasium

    specs = {i: s for i, s in gymnasium.registry.items() if i.startswith(_ENV_NAMESPACE)}
    return {i: s.entry_point if isinstance(s.entry_point, str) else "" for i, s in specs.items()}


def _targets(kind: str) -> dict[str, str]:
    """Return name -> ``module:attr`` (or the path of a scenario) of everything known by name."""
    if kind not in BUILTIN:
        raise _fail("plugin kind", kind, BUILTIN)
    targets = {name: point.value for name, point in _entry_points(kind).items()}
    if kind == "scenario":
        targets |= {path.stem: str(path) for path in sorted(scenario_folder().glob("*.toml"))}
    elif kind == "env":
        targets |= _env_targets()
    elif kind == "chip":
        targets |= {path.stem: f"{_CATALOGUE}:{path.stem}" for path in sorted(_datasheet_folder().glob("*.toml"))}
    return targets | dict(BUILTIN[kind])


def names(kind: str) -> list[str]:
    """Return the known names of a kind: one of :data:`BUILTIN`'s, such as "controller" or "neuron"."""
    return sorted(_targets(kind))


def _first_line(target: str) -> str:
    """Return the first docstring line of ``module:attr`` by parsing its source, so nothing heavy is imported."""
    module, _, attribute = target.partition(":")
    try:
        spec = importlib.util.find_spec(module)
        tree = ast.parse(Path(spec.origin).read_text("utf-8")) if spec and spec.origin else ast.Module([], [])
    except (ImportError, OSError, SyntaxError, ValueError):
        return ""
    for node in tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name == attribute:
            return (ast.get_docstring(node) or "").partition("\n")[0]
    return ""


def _scenario_line(path: str) -> str:
    import tomllib

    try:
        return str(tomllib.loads(Path(path).read_text("utf-8")).get("description", "")).partition("\n")[0]
    except (OSError, ValueError):
        return ""


def _chip_line(path: Path) -> str:
    import tomllib

    try:
        return str(tomllib.loads(path.read_text("utf-8"))["chip"]["summary"]["value"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def available(kind: str) -> dict[str, str]:
    """Return name -> one line of text for everything known by name.

    Parameters
    ----------
    kind : str
        One of :data:`BUILTIN`'s, such as "controller" or "neuron".

    Raises
    ------
    UnknownNameError
        The kind is none of these.
    """

    def describe(target: str) -> str:
        if kind == "scenario":
            return _scenario_line(target)
        module, _, name = target.partition(":")
        return _chip_line(_datasheet_folder() / f"{name}.toml") if module == _CATALOGUE else _first_line(target)

    return {name: describe(target) for name, target in sorted(_targets(kind).items())}


def _import_file(path: Path) -> ModuleType:
    """Import a file under a name made of its path, once per state of the file."""
    try:
        text = path.read_bytes()
    except OSError as error:
        raise UnknownNameError(f"plugin file {str(path)!r} cannot be read: {error.strerror or error}") from error
    digest = hashlib.sha256(str(path.resolve()).encode() + b"\0" + text).hexdigest()[:12]
    label = f"insectbot_plugin_{path.stem}_{digest}"
    if label in sys.modules:
        return sys.modules[label]
    spec = importlib.util.spec_from_file_location(label, path)
    if spec is None or spec.loader is None:
        raise UnknownNameError(f"plugin file {str(path)!r} is not a Python file: its name must end in .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[label] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[label]
        raise
    return module


def is_file_reference(ref: str) -> bool:
    """Return True for ``"./file.py:attr"`` (any path that ends in ``.py``)."""
    return ref.rpartition(":")[0].endswith(".py")


def _load(kind: str, ref: str) -> Any:
    """Import ``package.module:attr`` or ``./file.py:attr``."""
    location, _, attribute = ref.rpartition(":")
    try:
        module = _import_file(Path(location).expanduser()) if is_file_reference(ref) else _import_module(location)
    except UnknownNameError as error:
        raise UnknownNameError(f"{kind} {ref!r}: {error}") from error
    except Exception as error:
        cause = " ".join(str(error).split())
        raise ConfigurationError(f"{kind} {ref!r}: importing it raised {type(error).__name__}: {cause}") from error
    found: Any = module
    for part in attribute.split("."):
        if not hasattr(found, part):
            public = [n for n in vars(found) if not n.startswith("_")]
            raise _fail(f"{kind} {ref!r}: attribute", part, public)
        found = getattr(found, part)
    return found


def _import_module(name: str) -> ModuleType:
    try:
        found = importlib.util.find_spec(name)
    except ModuleNotFoundError:
        found = None
    if found is None:
        raise UnknownNameError(f"module {name!r} is not installed")
    return importlib.import_module(name)


def resolve(kind: str, ref: str) -> Any:
    """Return the object behind a reference.

    Order: built-in name, entry point of group ``insectbot.<kind>s``, ``"./file.py:attr"``, ``"package.module:attr"``.
    A chip is also a datasheet ``"./chip.toml"`` or a deployment file ``"./brain.chip"``, and may carry options:
    ``"loihi@weight_bits=4@anneal=true"``.

    Parameters
    ----------
    kind : str
        "controller", "chip", "env", "wrapper", "rule", "neuron", "synapse", "code" (a class or function) or
        "scenario" (a path).
    ref : str
        Name or reference.

    Raises
    ------
    UnknownNameError
        No such name, module, file or attribute; the message lists the known names and the nearest.
    ConfigurationError
        Importing the module raised.
    """
    if kind == "chip" and "@" in ref:
        return _chip_with_options(*ref.split("@", 1))
    targets = _targets(kind)
    if kind == "scenario":
        if ref not in targets:
            raise _fail(kind, ref, targets)
        return Path(targets[ref])
    if ref in targets:
        return _load(kind, targets[ref])
    if kind == "chip" and ref.endswith(".toml"):
        return _chip_of_file(Path(ref).expanduser())
    if kind == "chip" and ref.endswith(".chip"):
        from insectbot.chips.deploy import Deployed

        return Deployed(Path(ref).expanduser())
    if ":" in ref:
        return _load(kind, ref)
    raise _fail(kind, ref, targets)


def _chip_with_options(ref: str, text: str) -> Any:
    """Return the chip ``loihi@weight_bits=4@anneal=true`` made with its options, values as in TOML.

    Raises
    ------
    ConfigurationError
        An option is not known, or a value is not accepted.
    """
    import tomllib

    options: dict[str, Any] = {}
    for pair in text.split("@"):
        key, equals, value = (part.strip() for part in pair.partition("="))
        if not (key and equals and value):
            raise ConfigurationError(f"chip '{ref}@{text}': options must be NAME=VALUE, such as {ref}@weight_bits=4")
        try:
            options[key] = tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:
            options[key] = value
    if ref.endswith(".toml"):
        return _chip_of_file(Path(ref).expanduser(), options)
    found = resolve("chip", ref)
    try:
        return found(**options)
    except TypeError as error:
        cause = " ".join(str(error).split()).rpartition("() ")[2]
        raise ConfigurationError(f"chip '{ref}@{text}': {cause}") from error


def _chip_of_file(path: Path, options: Mapping[str, Any] | None = None) -> Any:
    """Return the chip of a user's datasheet; a family of the user's own is ``"./file.py:Class"`` beside it."""
    from insectbot.chips import catalogue, datasheet

    sheet = datasheet.read(path)
    family = str(sheet["chip.family"].value)
    if ":" not in family:
        return catalogue.make(sheet, **(options or {}))
    beside = path.parent / family.rpartition(":")[0]
    ref = f"{beside}:{family.rpartition(':')[2]}" if is_file_reference(family) and beside.exists() else family
    return _load("chip family", ref)(sheet=sheet, **(options or {}))


class FunctionController:
    """A plain function ``observation -> action`` as a controller; it neither remembers nor learns."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self.act = function

    def reset(self, seed: int) -> None:
        """Do nothing: a function has no state."""

    def learn(self, reward: float, terminated: bool) -> None:
        """Do nothing: a function does not learn."""


def as_controller(found: Any, options: Mapping[str, Any], ref: str) -> Any:
    """Return a controller made from what a reference resolved to.

    A class or a function without required arguments is a factory and is called with ``options``; a function
    of one argument (the observation) is wrapped in :class:`FunctionController`; a controller is taken as it is.

    Raises
    ------
    ConfigurationError
        The options are not accepted, or the result has no ``reset``, ``act`` and ``learn``.
    """
    from insectbot.snn.validate import require_flags

    if isinstance(found, Controller) and not isinstance(found, type):
        return found
    if not callable(found):
        raise ConfigurationError(f"controller {ref!r} is a {type(found).__name__}: must be a factory or a function")
    accepted = _parameters(found)
    required = [p.name for p in accepted if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD]
    if len(required) == 1 and not isinstance(found, type) and not options:
        return FunctionController(found)
    unknown = [o for o in options if o not in {p.name for p in accepted}]
    if unknown and not any(p.kind is p.VAR_KEYWORD for p in accepted):
        raise _fail(f"controller {ref!r}: option", unknown[0], (p.name for p in accepted))
    require_flags(f"controller {ref!r}", accepted, options)
    missing = [r for r in required if r not in options]
    if missing:
        raise ConfigurationError(f"controller {ref!r}: option {missing[0]!r} is missing, give it in controller.options")
    made = found(**options)
    if not isinstance(made, Controller):
        raise ConfigurationError(f"controller {ref!r} made a {type(made).__name__}: it needs reset, act and learn")
    return made


def accepts(factory: Any, option: str) -> bool:
    """Return True if a factory takes an argument of this name."""
    return callable(factory) and any(p.name == option for p in _parameters(factory))


def _parameters(factory: Callable[..., Any]) -> list[inspect.Parameter]:
    try:
        return list(inspect.signature(factory).parameters.values())
    except (TypeError, ValueError):
        return []
