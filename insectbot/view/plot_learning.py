"""The learning curve: success and SPT of frozen copies against training episodes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from insectbot.view.figure_style import interval, new_figure, styled
from insectbot.view.palette import BLUE, GREEN, HAIRLINE, MUTED, hex_colour

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_WHAT = (
    ("success", "Success", "share of worlds solved", GREEN),
    ("SPT", "SPT", "SPT (1 = optimal)", BLUE),
)


def by_seed(values: Any, n_episodes: int) -> npt.NDArray | None:
    """Return values as [seed, episode], NaN where a seed has no value; None where there is nothing to show."""
    if not values or not any(np.size(row) for row in values):
        return None
    rows = [np.array([np.nan if v is None else v for v in np.atleast_1d(row)], float) for row in values]
    table = np.full((len(rows), max(row.size for row in rows)), np.nan)
    for k, row in enumerate(rows):
        table[k, : row.size] = row
    table = table.T if table.shape[1] != n_episodes == table.shape[0] else table
    return table if table.shape[1] == n_episodes and np.isfinite(table).any() else None


@styled
def learning_curve(curve: Mapping[str, Any]) -> Figure:
    """Draw the learning curve with a thin line per seed and the 95 % bootstrap interval of the mean.

    Parameters
    ----------
    curve : mapping
        ``episode`` [k], and ``success`` and ``SPT`` as [seed][episode] in [0, 1] (or None), as in ``summary.json``.

    Returns
    -------
    Figure
        One panel per metric that is there; the y axis runs from 0 to 1.
    """
    episodes = np.asarray(curve.get("episode", ()), float)
    tables = [(w, by_seed(curve.get(w[0]), episodes.size)) for w in _WHAT]
    shown = [(w, table) for w, table in tables if table is not None]
    figure = new_figure(2.9)
    panels = figure.subplots(1, max(1, len(shown)), sharex=True, squeeze=False)[0]
    for axes, ((_, title, unit, hue), table) in zip(panels, shown, strict=False):
        _draw(axes, episodes, table, title, unit, hex_colour(hue))
    if not shown:
        panels[0].text(0.5, 0.5, "no values", ha="center", va="center", transform=panels[0].transAxes)
    return figure


def _draw(axes: Axes, episodes: npt.NDArray, table: npt.NDArray, title: str, unit: str, hue: str) -> None:
    from matplotlib.ticker import MaxNLocator

    mean, low, high = interval(table)
    axes.set_title(title)
    for level in (0.25, 0.5, 0.75, 1.0):
        axes.axhline(level, color=hex_colour(HAIRLINE), lw=0.7, zorder=0)
    seeds = [axes.plot(episodes, row, color=hex_colour(MUTED), lw=0.6, alpha=0.55, zorder=1)[0] for row in table]
    handles, names = [], []
    if len(table) > 1:
        handles.append(axes.fill_between(episodes, low, high, color=hue, alpha=0.22, lw=0, zorder=2))
        names.append("95 % interval of the mean")
    handles.append(axes.plot(episodes, mean, color=hue, lw=2, marker="o", ms=3.5, zorder=3)[0])
    names.append(f"mean of {len(table)} seeds" if len(table) > 1 else "the one seed")
    if len(table) > 1:
        handles.append(seeds[0])
        names.append("single seeds")
    axes.legend(handles[::-1], names[::-1], loc="lower right", handlelength=1.6)
    axes.set(xlabel="training episodes", ylabel=unit, ylim=(-0.02, 1.05), yticks=(0, 0.25, 0.5, 0.75, 1))
    axes.set_xlim(episodes[0] - 0.02 * np.ptp(episodes) - 0.1, episodes[-1] + 0.02 * np.ptp(episodes) + 0.1)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
