"""Options that change a scenario: chip, controller, preset, world."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from insectbot.scenario_models import Scenario


@dataclass(frozen=True)
class Choice:
    """What a command line says about a scenario; None leaves the scenario as it is.

    Attributes
    ----------
    scenario : str
        Name or path of the scenario.
    chip, controller, preset, env : str or None
        Names or references instead of the scenario's.
    replace : tuple of str
        ``KEY=VALUE`` pairs, the value in TOML (a bare word is a string).
    """

    scenario: str
    chip: str | None = None
    controller: str | None = None
    preset: str | None = None
    env: str | None = None
    replace: tuple[str, ...] = ()

    def load(self, **more: Any) -> Scenario:
        """Return the scenario with the choices in it.

        Parameters
        ----------
        **more
            Further overrides; a double underscore stands for the dot of a key path.

        Raises
        ------
        UnknownNameError, ConfigurationError
            A name is not known or a value is not accepted.
        """
        from insectbot import plugins, scenario

        overrides: dict[str, Any] = {key.replace("__", "."): value for key, value in more.items()}
        if self.chip is not None:
            overrides["chip"] = self.chip
        if self.controller is not None and self.controller != scenario.load(self.scenario).controller.name:
            overrides |= {"controller.name": self.controller, "controller.options": {}}
        if self.env is not None:
            overrides |= self._other_world(scenario.load(self.scenario))
        if self.preset is not None:
            overrides |= {"env.preset": self.preset, "training.preset": self.preset}
            overrides["evaluation.presets"] = [self.preset]
        for pair in self.replace:
            overrides |= parse_pair(pair)
        chosen = scenario.load(self.scenario, overrides)
        for kind, name in (("chip", chosen.chip), ("controller", chosen.controller.name)):
            plugins.resolve(kind, name)
        return chosen

    def _other_world(self, given: Scenario) -> dict[str, Any]:
        """Return the overrides for another world: options that it does not take are dropped, and said."""
        from insectbot import plugins
        from insectbot.cli.console import say

        factory = _env_factory(str(self.env))
        overrides: dict[str, Any] = {"env.id": self.env}
        for section in ("env", "training", "evaluation"):
            options = getattr(given, section).options
            kept = {key: value for key, value in options.items() if plugins.accepts(factory, key)}
            overrides[f"{section}.options"] = kept
            for key in options.keys() - kept.keys():
                say(f"{self.env} does not take {section}.options.{key}: left out")
        known = getattr(factory, "presets", None)
        asked = {given.env.preset, given.training.preset, *given.evaluation.presets} - {None}
        if not plugins.accepts(factory, "preset") or (known is not None and not asked <= set(known)):
            overrides |= {"env.preset": None, "training.preset": None, "evaluation.presets": []}
        return overrides


def _env_factory(ref: str) -> Any:
    """Return the class or function that makes an environment."""
    import gymnasium
    from gymnasium.envs.registration import load_env_creator

    from insectbot import plugins

    if ref in gymnasium.registry and not plugins.is_file_reference(ref):
        entry = gymnasium.registry[ref].entry_point
        if isinstance(entry, str):
            return load_env_creator(entry)
        return entry
    return plugins.resolve("env", ref)


def parse_pair(pair: str) -> dict[str, Any]:
    """Return ``"training.episodes=3"`` as ``{"training.episodes": 3}``; raises ConfigurationError."""
    import tomllib

    from insectbot.errors import ConfigurationError

    key, equals, value = (part.strip() for part in pair.partition("="))
    if not (key and equals and value):
        raise ConfigurationError(f"--set {pair!r}: must be KEY=VALUE, such as training.episodes=3")
    try:
        return {key: tomllib.loads(f"value = {value}")["value"]}
    except tomllib.TOMLDecodeError:
        return {key: value}


def parse_seeds(text: str | None) -> int | list[int] | None:
    """Return ``"8"`` as a number of seeds and ``"1,2,3"`` as a list.

    Raises
    ------
    ConfigurationError
        The text is neither.
    """
    from insectbot.errors import ConfigurationError

    if text is None:
        return None
    words = [word.strip() for word in text.split(",")]
    if not all(word.isdecimal() for word in words):
        raise ConfigurationError(f"--seeds {text!r}: must be a number of seeds (8) or a list of seeds (1,2,3)")
    numbers = [int(word) for word in words]
    if len(numbers) == 1:
        return numbers[0]
    if len(set(numbers)) < len(numbers):
        raise ConfigurationError(f"--seeds {text!r}: lists a seed twice, give each once")
    return numbers
