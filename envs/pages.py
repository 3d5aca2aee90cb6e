"""The page of a world, made from its docstring, so that the two cannot differ."""

from __future__ import annotations

import inspect
import re
from typing import Any, Final

from gymnasium.envs.registration import load_env_creator

from insectbot.envs.registry import ENVS

_HEADINGS: Final = ("Parameters", "Raises", "Notes", "Examples", "See Also", "References")


def file_of(env_id: str) -> str:
    """Return the file name of a page: ``"aplysia_robot.md"`` for ``"insectbot/AplysiaRobot-v0"``."""
    name = env_id.partition("/")[2].rpartition("-")[0]
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower() + ".md"


def page(env_id: str) -> str:
    """Return the page of a world in Markdown: picture, spaces, and its docstring with numpydoc sections as headings."""
    env_class: Any = load_env_creator(f"{ENVS[env_id]}Env")
    text = inspect.getdoc(env_class) or ""
    first, _, rest = text.partition("\n")
    picture = file_of(env_id).removesuffix(".md") + ".png"
    head = [
        f"# {env_id}",
        "",
        first,
        "",
        f"![{env_id}](../pictures/envs/{picture})",
        "",
        "```python",
        f'env = gymnasium.make("insectbot:{env_id}", preset="{env_class.presets[0]}")',
        "```",
        "",
        f"Presets: {', '.join(f'`{name}`' for name in env_class.presets)}. "
        f"Time between two actions: {env_class.control_period:g} s.",
        "",
        "",
    ]
    return "\n".join(head) + _markdown(rest.strip("\n")) + "\n"


def _markdown(text: str) -> str:
    """Turn numpydoc into Markdown: headings, parameter lists, double backquotes, doctests."""
    lines = text.split("\n")
    made: list[str] = []
    section = ""
    for k, line in enumerate(lines):
        following = lines[k + 1] if k + 1 < len(lines) else ""
        if following and set(following) == {"-"} and line in _HEADINGS:
            section = line
            made += [f"## {line}"]
        elif set(line) == {"-"} and k and lines[k - 1] in _HEADINGS:
            made += [""]
        elif section in ("Parameters", "Raises") and line and not line.startswith(" "):
            name, colon, kind = line.partition(" : ")
            made.append(f"- **`{name}`**" + (f" ({kind})" if colon else ""))
        elif section == "Examples" and line.startswith((">>> ", "... ")):
            made.append(f"    {line}")
        else:
            made.append(line)
    return re.sub(r"``([^`]+)``", r"`\1`", re.sub(r":class:`[.~\w]*?(\w+)`", r"`\1`", "\n".join(made)))
