"""The routed mesh of a chip: which tiles are used, which links carry how much."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from insectbot.view.figure_style import bare, new_figure, styled
from insectbot.view.palette import BLUE, HAIRLINE, INK, MUTED, PANEL, VERMILION, hex_colour, mix

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MOST_NODES = 64


@styled
def mesh_figure(chips: Mapping[str, Mapping[str, Any]]) -> Figure:
    """Draw the mesh of every chip that has traffic.

    Parameters
    ----------
    chips : mapping of str to mapping
        Chip -> ``width, height, nodes`` [(x, y)], ``load`` [(x0, y0, x1, y1, messages per tick)], ``utilisation``,
        ``hops_per_spike``.

    Returns
    -------
    Figure
        One panel per chip: used nodes filled, links from blue (idle) to orange (the busiest), the busiest named.
    """
    n = max(len(chips), 1)
    columns = min(n, 3)
    rows = -(-n // columns)
    figure = new_figure(0.4 + 2.9 * rows)
    panels = np.ravel(figure.subplots(rows, columns, squeeze=False))
    for axes in panels:
        bare(axes)
    for axes, (chip, traffic) in zip(panels, chips.items(), strict=False):
        _draw(axes, chip, traffic)
    return figure


def _draw(axes: Axes, chip: str, traffic: Mapping[str, Any]) -> None:
    from matplotlib.patches import FancyArrowPatch, Rectangle

    nodes = {(int(x), int(y)) for x, y in traffic["nodes"]}
    load = [(int(a), int(b), int(c), int(d), float(value)) for a, b, c, d, value in traffic["load"]]
    busy = nodes | {(a, b) for a, b, *_ in load} | {(c, d) for _, _, c, d, _ in load}
    width, height = int(traffic["width"]), int(traffic["height"])
    # A large board is drawn as far as it is used.
    x1 = min(width, max((x for x, _ in busy), default=0) + 2) if width > 16 else width
    y1 = min(height, max((y for _, y in busy), default=0) + 2) if height > 16 else height
    if x1 * y1 <= _MOST_NODES * 16:
        for x in range(x1):
            for y in range(y1):
                used = (x, y) in nodes
                face = mix(BLUE, PANEL, 0.55) if used else PANEL
                edge = hex_colour(INK if used else HAIRLINE)
                axes.add_patch(Rectangle((x - 0.28, y - 0.28), 0.56, 0.56, facecolor=hex_colour(face), edgecolor=edge))
    most = max((value for *_, value in load), default=0.0)
    for a, b, c, d, value in sorted(load, key=lambda entry: entry[-1]):
        share = value / most
        arrow = FancyArrowPatch(
            (a, b),
            (c, d),
            arrowstyle="-|>",
            mutation_scale=7,
            shrinkA=9,
            shrinkB=9,
            connectionstyle="arc3,rad=0.18",
            linewidth=0.8 + 2.2 * share,
            color=hex_colour(mix(BLUE, VERMILION, share)),
        )
        axes.add_patch(arrow)
    axes.set(xlim=(-0.8, max(x1 - 0.2, 1.0)), ylim=(-0.8, max(y1 - 0.2, 1.0)), aspect="equal")
    axes.set_title(chip)
    axes.set_xlabel(_caption(load, traffic), fontsize=7.5, color=hex_colour(MUTED))


def _caption(load: list[tuple[int, int, int, int, float]], traffic: Mapping[str, Any]) -> str:
    if not load:
        return "no spike leaves its node"
    a, b, c, d, value = max(load, key=lambda entry: entry[-1])
    used = traffic.get("utilisation")
    share = "" if used is None or not np.isfinite(used) or used == 0 else f", {used:.2g} of what it carries"
    hottest = f"hottest ({a}, {b}) to ({c}, {d}): {value:.3g} messages per tick{share}"
    return f"{hottest}\n{traffic['hops_per_spike']:.2g} hops per spike"
