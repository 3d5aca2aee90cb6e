"""``insectbot new``: write a working one-file plugin to start from."""

from __future__ import annotations

import keyword
from importlib import resources
from pathlib import Path
from typing import NamedTuple

from insectbot.errors import ConfigurationError, UnknownNameError


class Starter(NamedTuple):
    """A file of ``insectbot.starters``: its name, what it is called in the file, and what to try next."""

    file: str
    attribute: str
    next_steps: tuple[str, ...]


STARTERS = {
    "env": Starter(
        "my_env.py",
        "MyEnv",
        (
            "insectbot check ./{file}:{attribute}",
            "insectbot run foraging --controller random --env ./{file}:{attribute}",
        ),
    ),
    "controller": Starter(
        "my_controller.py",
        "my_controller",
        (
            "insectbot check ./{file}:{attribute}",
            "insectbot play foraging --controller ./{file}:{attribute}",
            "insectbot train foraging --controller ./{file}:{attribute}",
        ),
    ),
    "chip": Starter(
        "my_chip.toml", "", ("insectbot check ./{file}", "insectbot bench foraging --chips ideal,./{file}")
    ),
}


def _camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


def new(kind: str, name: str, folder: Path = Path()) -> list[str]:
    """Write a starter and return the commands to try next.

    Parameters
    ----------
    kind : str
        ``"env"``, ``"controller"`` or ``"chip"``.
    name : str
        Name of the file without ending: letters, digits and ``_``, such as ``glow_worm``; ``-`` becomes ``_``.
    folder : Path
        Where the file goes.

    Raises
    ------
    UnknownNameError
        For another kind.
    ConfigurationError
        If the name is not a Python name, the file exists, or it cannot be written.
    """
    if kind not in STARTERS:
        raise UnknownNameError(f"new {kind!r}: there is no such kind, give one of {', '.join(STARTERS)}")
    stem = name.replace("-", "_").lower()
    if not stem.isidentifier() or keyword.iskeyword(stem):
        raise ConfigurationError(f"new {kind} {name!r}: the name must be letters, digits and _, such as glow_worm")
    starter = STARTERS[kind]
    suffix = Path(starter.file).suffix
    text = resources.files("insectbot.starters").joinpath(starter.file).read_text("utf-8")
    text = text.replace("MyEnv", _camel(stem)).replace("MyWorld", _camel(stem) + "World")
    text = text.replace("MyVectorEnv", _camel(stem) + "VectorEnv")
    for placeholder in ("my_env", "my_controller", "my_chip"):
        text = text.replace(placeholder, stem).replace(placeholder.replace("_", "-"), stem.replace("_", "-"))
    path = folder / (stem + suffix)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise ConfigurationError(f"new {kind} {name!r}: {path} exists, choose another name") from None
    except OSError as error:
        raise ConfigurationError(f"new {kind} {name!r}: {path} cannot be written: {error.strerror}") from None
    attribute = _camel(stem) if starter.attribute[:1].isupper() else stem
    return [line.format(file=path.name, attribute=attribute) for line in starter.next_steps]
