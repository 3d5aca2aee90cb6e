"""Trajectories on the terrain, before and after learning side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from insectbot.view.figure_style import WIDTH, bare, new_figure, styled
from insectbot.view.palette import GROUND, LAND, MUTED, OBSTACLE, PAPER, TARGET, TRAIL, hex_colour
from insectbot.view.plot_marks import draw_marks
from insectbot.view.recording import EpisodeData

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_WORLDS = 3


def drawable(episode: EpisodeData) -> bool:
    """Whether an episode has a scene and a path."""
    return "extent" in episode.scene and len(episode.pose) > 1 and bool(np.isfinite(episode.pose).any())


@styled
def trajectories(rows: Sequence[tuple[str, Sequence[EpisodeData]]]) -> Figure:
    """Draw paths on the ground: one row of maps per label, one column per world.

    Parameters
    ----------
    rows : sequence of (label, episodes)
        Such as ``[("before learning", [...]), ("after learning", [...])]``. Episodes of one world share a map (one
        path per seed); the first :data:`MOST_WORLDS` worlds of all rows are drawn, each in the same column.

    Returns
    -------
    Figure
        Maps with start (ring), target (green), a scale bar, and the colours of the ground.
    """
    kept = [(label, [e for e in episodes if drawable(e)]) for label, episodes in rows]
    kept = [(label, episodes) for label, episodes in kept if episodes]
    worlds = _worlds([episodes for _, episodes in kept])
    figure = new_figure(0.5 + 2.75 * max(1, len(kept)), WIDTH)
    if not kept:
        axes = figure.subplots()
        bare(axes)
        axes.text(0.5, 0.5, "no episode with a scene", ha="center", va="center")
        return figure
    grid = figure.subplots(len(kept), len(worlds), squeeze=False)
    image: Any = None
    for line, (label, episodes) in zip(grid, kept, strict=True):
        for k, (axes, world) in enumerate(zip(line, worlds, strict=True)):
            here = [e for e in episodes if e.world == world]
            bare(axes)
            if here:
                image = draw_map(axes, here, scale=k == 0)
            if k == 0:
                axes.set_ylabel(label, fontweight="bold", labelpad=8)
    if image is not None:
        bar = figure.colorbar(image, ax=grid, shrink=0.5 if len(kept) == 1 else 0.35, aspect=22, pad=0.02)
        first = next(e for _, episodes in kept for e in episodes)
        bar.set_label("elevation [m]" if "elevation" in first.scene else "roughness")
        bar.outline.set_visible(False)
    handles, labels = next(
        ax for ax in np.ravel(grid) if ax.patches or ax.lines or ax.images
    ).get_legend_handles_labels()
    if labels:
        figure.legend(handles, labels, loc="outside lower center", ncols=min(len(labels), 6), frameon=False)
    return figure


def _worlds(rows: list[list[EpisodeData]]) -> list[int]:
    """Return the worlds to draw: those that all rows have come first."""
    order = list(dict.fromkeys(e.world for episodes in rows for e in episodes))
    shared = [w for w in order if all(any(e.world == w for e in episodes) for episodes in rows)]
    return [*shared, *(w for w in order if w not in shared)][:MOST_WORLDS]


def draw_map(axes: Axes, episodes: Sequence[EpisodeData], scale: bool = False) -> Any:
    """Draw the world of the first episode and the paths of all; return the image of the ground."""
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.patches import Circle

    scene = episodes[0].scene
    x0, x1, y0, y1 = (float(v) for v in scene["extent"])
    on_map = "elevation" in scene
    ground = np.asarray(scene.get("elevation", scene.get("roughness", np.zeros((2, 2)))), float)
    stops = [hex_colour(c) for c in (LAND if on_map else GROUND)]
    shades = LinearSegmentedColormap.from_list("ground", stops)
    low, high = (None, None) if on_map else (0.0, 1.0)
    where = (x0, x1, y0, y1)
    image: Any = None
    if on_map or "roughness" in scene:
        image = axes.imshow(
            ground, origin="lower", extent=where, cmap=shades, interpolation="bilinear", vmin=low, vmax=high
        )
    draw_marks(axes, scene.get("marks", ()))
    for x, y, radius in np.asarray(scene.get("obstacles", ()), float).reshape(-1, 3):
        axes.add_patch(Circle((x, y), radius, facecolor=hex_colour(OBSTACLE), edgecolor="none"))
    for episode in episodes:
        path = _unbroken(episode.pose, where)
        axes.plot(path[:, 0], path[:, 1], color=hex_colour(PAPER), lw=2.2, alpha=0.6, solid_capstyle="round")
    for episode in episodes:
        path = _unbroken(episode.pose, where)
        axes.plot(path[:, 0], path[:, 1], color=hex_colour(TRAIL), lw=1.2, solid_capstyle="round")
        if "success" in episode.metrics and not episode.success:
            axes.plot(*path[-1, :2], marker="x", ms=6, mew=1.6, color=hex_colour(_DARK))
    _draw_ends(axes, scene)
    axes.set(xlim=(x0, x1), ylim=(y0, y1), aspect="equal")
    axes.set_title(_outcome(episodes), fontweight="normal", fontsize=8, color=hex_colour(MUTED))
    if scale:
        metres = scene.get("metres_per_unit")
        unit, per_unit = (str(scene.get("unit", "")), 1.0) if metres is None else ("km", float(metres) / 1000)
        _draw_scale(axes, (x0, x1, y0, y1), unit, per_unit)
    return image


def _unbroken(path: np.ndarray, extent: Sequence[float]) -> np.ndarray:
    """Return a path with NaN where it leaves a torus at one side and comes in at the other."""
    far = np.abs(np.diff(path[:, :2], axis=0)) > 0.5 * np.array([extent[1] - extent[0], extent[3] - extent[2]])
    cuts = np.flatnonzero(far.any(1)) + 1
    return np.insert(path.astype(float), cuts, np.nan, axis=0)


def _draw_ends(axes: Axes, scene: dict[str, Any]) -> None:
    if "start" in scene:
        x, y = np.asarray(scene["start"], float)[:2]
        axes.plot(x, y, "o", ms=6, mfc=hex_colour(PAPER), mec=hex_colour(_DARK), mew=1.4, zorder=5)
    if "target" in scene:
        x, y = np.asarray(scene["target"], float)[:2]
        axes.plot(x, y, "o", ms=10, mfc="none", mec=hex_colour(TARGET), mew=1.6, zorder=5)
        axes.plot(x, y, "o", ms=4, mfc=hex_colour(TARGET), mec="none", zorder=5)


def _outcome(episodes: Sequence[EpisodeData]) -> str:
    if not any("success" in e.metrics for e in episodes):
        return f"{np.median([e.duration for e in episodes]):g} s"
    reached = [e.duration for e in episodes if e.success]
    if len(episodes) == 1:
        return f"reached after {reached[0]:.0f} s" if reached else f"not reached in {episodes[0].duration:.0f} s"
    middle = f", median {np.median(reached):.0f} s" if reached else ""
    return f"{len(reached)} of {len(episodes)} reached{middle}"


def _draw_scale(axes: Axes, extent: tuple[float, float, float, float], unit: str, per_unit: float) -> None:
    """Draw a bar of a round length, about a fifth of the width, on a plate; ``per_unit`` converts scene to label."""
    from matplotlib.patches import Rectangle

    x0, x1, y0, y1 = extent
    width, height = x1 - x0, y1 - y0
    goal = width * per_unit / 4
    power = 10.0 ** np.floor(np.log10(goal))
    shown = float(max(power * m for m in (1, 2, 5) if power * m <= goal))
    length = shown / per_unit
    x, y, pad = x0 + 0.06 * width, y0 + 0.05 * height, 0.025 * width
    plate = Rectangle((x - pad, y - pad), length + 2 * pad, 0.11 * height, facecolor=hex_colour(PAPER), alpha=0.8, lw=0)
    axes.add_patch(plate)
    axes.plot([x, x + length], [y, y], color=hex_colour(_DARK), lw=1.6, solid_capstyle="butt")
    look: Any = {"ha": "center", "va": "bottom", "fontsize": 7.5, "color": hex_colour(_DARK)}
    axes.text(x + length / 2, y + 0.018 * height, f"{shown:g} {unit}".strip(), **look)


# Marks on a map keep their colour in the dark theme, where the page turns the ink light.
_DARK = (32, 36, 41)
