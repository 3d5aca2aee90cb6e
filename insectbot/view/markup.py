"""Small helpers that write HTML; everything that is not :class:`Html` is escaped."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

MISSING = "\N{EN DASH}"


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


def safe(value: Any) -> Html:
    """Return a value as HTML: escaped, unless it is :class:`Html`."""
    if isinstance(value, Html):
        return value
    text = "".join(c for c in str(value) if c >= " " or c in "\n\t")
    return Html(escape(text))


def tag(name: str, *content: Any, **attributes: Any) -> Html:
    """Return ``<name ...>content</name>``; a trailing ``_`` of an attribute is dropped, None leaves it out."""
    given = {key.rstrip("_").replace("_", "-"): value for key, value in attributes.items() if value is not None}
    shown = "".join(f' {key}="{safe(value)}"' for key, value in given.items())
    return Html(f"<{name}{shown}>{''.join(safe(c) for c in content)}</{name}>")


def join(parts: Iterable[Any]) -> Html:
    """Return parts one after the other."""
    return Html("".join(safe(part) for part in parts))


def table(
    columns: Sequence[tuple[str, str]], rows: Sequence[Sequence[Any]], marked: Sequence[bool] = (), dense: bool = False
) -> Html:
    """Return a table.

    Parameters
    ----------
    columns : sequence of (heading, kind)
        Kind ``"text"`` or ``"number"``; it becomes the class of the cells.
    rows : sequence of rows
        Cells.
    marked : sequence of bool
        Which rows stand out.
    dense : bool
        Smaller type, for many columns.
    """
    head = tag("tr", *(tag("th", heading, class_=kind, scope="col") for heading, kind in columns))
    body = [
        tag(
            "tr",
            *(tag("td", cell, class_=kind) for (_, kind), cell in zip(columns, row, strict=True)),
            class_="marked" if k < len(marked) and marked[k] else None,
        )
        for k, row in enumerate(rows)
    ]
    return tag(
        "div", tag("table", tag("thead", head), tag("tbody", *body)), class_="scroll dense" if dense else "scroll"
    )


def number(value: Any, digits: int = 2, scale: float = 1.0, unit: str = "") -> str:
    """Return a number with ``digits`` decimals, or a dash for None, NaN and what is no number."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return MISSING
    return f"{value * scale:.{digits}f}{unit}".replace("-", "\N{MINUS SIGN}")


def estimate(value: Any, digits: int = 2, scale: float = 1.0) -> Html:
    """Return ``mean`` with ``[low, high]`` small behind it."""
    if not isinstance(value, Sequence) or isinstance(value, str) or len(value) != 3:
        return safe(number(value, digits, scale))
    mean, low, high = (number(v, digits, scale) for v in value)
    if MISSING in (low, high) or mean == MISSING:
        return safe(mean)
    spread = tag("span", f"{low}{MISSING}{high}", class_="spread")
    return Html(f"{safe(mean)} {spread}")


def quantity(value: Any, unit: str) -> str:
    """Return a number of SI units with a prefix and three digits: ``1.23e-7, "J"`` gives ``123 nJ``."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return MISSING
    if value == 0:
        return f"0 {unit}"
    prefixes = {-15: "f", -12: "p", -9: "n", -6: "\N{MICRO SIGN}", -3: "m", 0: "", 3: "k", 6: "M", 9: "G", 12: "T"}
    rounded = float(f"{value:.3g}")  # what rounds to 1000 takes the next prefix
    power = min(12, max(-15, 3 * math.floor(math.log10(abs(rounded)) / 3 + 1e-12)))
    scaled = rounded / 10.0**power
    digits = max(0, 2 - math.floor(math.log10(abs(scaled)) + 1e-9))
    text = f"{scaled:.{digits}f}".replace("-", "\N{MINUS SIGN}")
    return f"{text}\N{NO-BREAK SPACE}{prefixes[power]}{unit}"


def mapping(value: Any) -> Mapping[str, Any]:
    """Return a mapping as it is and an empty one for anything else."""
    return value if isinstance(value, Mapping) else {}
