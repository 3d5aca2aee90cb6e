"""Spikes with rates, and weights before and after learning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from insectbot.view.figure_style import WIDTH, new_figure, styled
from insectbot.view.history import nice_bound
from insectbot.view.labels import unit_label
from insectbot.view.palette import HAIRLINE, MUTED, NEGATIVE, PAPER, POSITIVE, SERIES, hex_colour, mix
from insectbot.view.recording import EpisodeData, weight_matrix

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MOST_CELLS = 80
_MOST_SYNAPSES = 60
_FEW_GROUPS = 6  # whose names fit on one line
_MOST_TICKS = 20_000


@styled
def raster(episode: EpisodeData, start: float = 0.0, seconds: float = 4.0, smooth: float = 0.1) -> Figure:
    """Draw the spikes of a stretch of an episode and below them the mean rate of each group.

    Parameters
    ----------
    episode : EpisodeData
        With spikes and ``units``.
    start, seconds : float
        The stretch [s]; where nothing spikes in it, it begins at the first spike.
    smooth : float
        Standard deviation of the Gaussian that smooths the rates [s].
    """
    time = episode.spike_tick * (episode.dt / 1000)
    if time.size and time[0] >= start + seconds:
        start = float(time[0]) - 0.1
    stop = min(start + seconds, max(episode.duration, float(time.max(initial=0.0)), start + 1e-3))
    seen = (time >= start) & (time < stop)
    time, unit = time[seen], episode.spike_unit[seen]
    n_units = max([s.stop for s in episode.units.values()], default=int(unit.max(initial=0)) + 1)
    groups = episode.units or {"all units": slice(0, n_units)}
    more = 0 if len(groups) <= _FEW_GROUPS else 0.25 * -(-len(groups) // _FEW_GROUPS)
    figure = new_figure(1.9 + min(2.2, 0.6 + 0.1 * n_units) + more, WIDTH)
    top, below = figure.subplots(2, 1, sharex=True, height_ratios=(1.35, 1))
    edges = np.arange(start, stop + 0.01, 0.01)
    for k, (name, units) in enumerate(groups.items()):
        hue = hex_colour(SERIES[k % len(SERIES)])
        mine = (unit >= units.start) & (unit < units.stop)
        top.plot(*_ticks(time[mine], unit[mine]), color=hue, lw=0.7, rasterized=bool(mine.sum() > _MOST_TICKS))
        rate = np.histogram(time[mine], edges)[0] / 0.01 / (units.stop - units.start)
        below.plot(edges[:-1] + 0.005, _smoothed(rate, smooth / 0.01), color=hue, lw=1.3, label=name)
    middles = {name: (s.start + s.stop - 1) / 2 for name, s in groups.items()}
    named = _apart(middles, n_units / 16)
    top.set_yticks([middles[name] for name in named], named)
    top.tick_params(left=False)
    top.spines["left"].set_visible(False)
    for s in list(groups.values())[1:]:
        top.axhline(s.start - 0.5, color=hex_colour(HAIRLINE), lw=0.8)
    top.set(ylim=(n_units - 0.4, -0.6), xlim=(start, stop))
    below.set(xlabel="time [s]", ylabel="rate [Hz]", title="Mean rate per unit")
    below.set_ylim(bottom=0)
    if len(groups) <= _FEW_GROUPS:
        below.legend(ncols=len(groups), loc="upper right", borderaxespad=0, bbox_to_anchor=(1, 1.25))
    else:
        figure.legend(ncols=_FEW_GROUPS, loc="outside lower center")
    return figure


def _apart(middles: Mapping[str, float], least: float) -> list[str]:
    """Return the names that can stand beside their units without touching, in order."""
    named: list[str] = []
    for name, middle in sorted(middles.items(), key=lambda item: item[1]):
        if not named or middle - middles[named[-1]] >= least:
            named.append(name)
    return named


def _ticks(time: npt.NDArray, unit: npt.NDArray) -> tuple[npt.NDArray, npt.NDArray]:
    """Return one broken line that is a vertical tick per spike: much smaller on a page than a marker each."""
    x, y = np.repeat(time.astype(float), 3), np.repeat(unit.astype(float), 3)
    x[2::3] = np.nan
    y[0::3] -= 0.36
    y[1::3] += 0.36
    return x, y


def _smoothed(values: npt.NDArray, sigma: float) -> npt.NDArray:
    """Return values smoothed by a Gaussian [samples] whose weight at the ends is what is inside."""
    reach = int(4 * sigma) + 1
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    inside = np.convolve(np.ones(len(values)), kernel)[reach : reach + len(values)]
    return np.convolve(values, kernel)[reach : reach + len(values)] / inside


@styled
def weights(
    before: Mapping[int, Mapping[str, npt.ArrayLike]],
    after: Mapping[int, Mapping[str, npt.ArrayLike]],
    units: Mapping[str, slice],
    names: Mapping[str, Sequence[str]] | None = None,
) -> Figure:
    """Draw the weights before and after learning: matrices of the first seed, and all seeds synapse by synapse.

    Parameters
    ----------
    before, after : mapping of seed to mapping of projection to array_like
        Weights in projection order.
    units : mapping of str to slice
        Groups of the network, which give a dense projection ``"source->target"`` its shape.
    names : mapping of str to sequence of str, optional
        Names of the units of a group.

    Returns
    -------
    Figure
        The projection that learned most and those that learn onto the same target.
        Colours diverge around 0: blue inhibits, orange excites.
    """
    seeds = [s for s in after if s in before]
    shown = _learned(before, after, seeds)
    figure = new_figure(2.9, WIDTH)
    if not shown:
        figure.subplots().text(0.5, 0.5, "no weights", ha="center", va="center")
        return figure
    first, last = (np.asarray([_joined(w[s], shown) for s in seeds]) for w in (before, after))
    bound = nice_bound(np.concatenate([first, last]))
    labels = [_labels(p, units, names or {}) for p in shown]
    pre, post = [name for sources, _ in labels for name in sources], labels[0][1]
    parts: Any = figure.subfigures(1, 2, width_ratios=(1, 1.15))
    left, right = parts
    image: Any = None
    panels = left.subplots(2, 1, sharex=True)
    for axes, values, title in zip(panels, (before, after), ("before", "after"), strict=True):
        image = _matrix(axes, _joint_matrix(values[seeds[0]], shown, units), bound, pre, post)
        axes.set_title(f"{_pretty(shown)}, {title} (seed {seeds[0]})")
    panels[0].tick_params(labelbottom=False)
    bar = left.colorbar(image, ax=panels, shrink=0.8, aspect=18, pad=0.02)
    bar.set_label("weight")
    bar.outline.set_visible(False)
    pairs = [
        f"{a}\n\N{RIGHTWARDS ARROW}\N{NO-BREAK SPACE}{b}"
        for sources, targets in labels
        for a in sources
        for b in targets
    ]
    _strip(right.subplots(), first, last, bound, pairs)
    return figure


def _pretty(projections: Sequence[str]) -> str:
    """Return ``a, b -> c`` for the projections a->c and b->c, with an arrow."""
    sources = ", ".join(p.partition("->")[0] for p in projections)
    target = projections[0].partition("->")[2]
    return f"{sources} \N{RIGHTWARDS ARROW} {target}" if target else sources


def _learned(before: Mapping, after: Mapping, seeds: Sequence[int]) -> list[str]:
    """Return the projection whose weights changed most (the first if none did) and others onto the same target."""
    if not seeds:
        return []
    shared = [p for p in after[seeds[0]] if all(p in before[s] and p in after[s] for s in seeds)]

    def change(projection: str) -> float:
        return float(np.abs(np.subtract(after[seeds[0]][projection], before[seeds[0]][projection])).sum())

    most = max(shared, key=change, default=None)
    target = most.partition("->")[2] if most else ""
    return [p for p in shared if p == most or (target and p.partition("->")[2] == target and change(p) > 0)]


def _joined(weights_of: Mapping[str, npt.ArrayLike], projections: Sequence[str]) -> npt.NDArray:
    return np.concatenate([np.ravel(np.asarray(weights_of[p], float)) for p in projections])


def _joint_matrix(
    weights_of: Mapping[str, npt.ArrayLike], projections: Sequence[str], units: Mapping[str, slice]
) -> npt.NDArray:
    """Return the projections' matrices [post, pre] side by side; one row where their shape is not known."""
    matrices = [weight_matrix(p, np.ravel(np.asarray(weights_of[p], float)), units) for p in projections]
    known = [m for m in matrices if m is not None]
    return np.hstack(known) if len(known) == len(matrices) else _joined(weights_of, projections)[None]


def _labels(
    projection: str, units: Mapping[str, slice], names: Mapping[str, Sequence[str]]
) -> tuple[list[str], list[str]]:
    """Return the names of source and target units."""
    out = []
    for group in projection.split("->")[:2]:
        n = units[group].stop - units[group].start if group in units else 0
        out.append([unit_label(group, k, names, n) for k in range(n)])
    return out[0], out[-1]


def _matrix(axes: Axes, matrix: npt.NDArray, bound: float, pre: list[str], post: list[str]) -> Any:
    from matplotlib.colors import LinearSegmentedColormap

    stops = (NEGATIVE, mix(NEGATIVE, PAPER, 0.5), PAPER, mix(POSITIVE, PAPER, 0.5), POSITIVE)
    shades = LinearSegmentedColormap.from_list("signed", [hex_colour(c) for c in stops])
    image = axes.imshow(matrix, cmap=shades, vmin=-bound, vmax=bound, aspect="auto")
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.tick_params(length=0)
    n_post, n_pre = matrix.shape
    small = matrix.size <= _MOST_CELLS
    axes.set_xticks(range(n_pre), [p.replace(" ", "\n", 1) for p in pre]) if small and len(pre) == n_pre else None
    axes.set_yticks(range(n_post), [p.replace(" ", "\n", 1) for p in post]) if small and len(post) == n_post else None
    if small:
        for (row, column), value in np.ndenumerate(matrix):
            ink = "#ffffff" if abs(value) > 0.6 * bound else "#20242a"
            text = f"{value:.2f}".replace("-", "\N{MINUS SIGN}")
            axes.text(column, row, text, ha="center", va="center", fontsize=7.5, color=ink)
    else:
        axes.set(xlabel="source unit", ylabel="target unit")
    return image


def _strip(axes: Axes, first: npt.NDArray, last: npt.NDArray, bound: float, labels: list[str]) -> None:
    """Draw every seed's weights, synapse by synapse: rings before, dots after."""
    n_seeds, n = last.shape
    keep = np.arange(n) if n <= _MOST_SYNAPSES else np.linspace(0, n - 1, _MOST_SYNAPSES).astype(int)
    shift = np.linspace(-0.26, 0.26, n_seeds) if n_seeds > 1 else np.zeros(1)
    axes.axhline(0, color=hex_colour(MUTED), lw=0.8)
    x = np.arange(keep.size)[None] + shift[:, None]
    dots = np.where(last[:, keep] >= 0, hex_colour(POSITIVE), hex_colour(NEGATIVE))
    axes.scatter(
        x, first[:, keep], s=9, facecolors="none", edgecolors=hex_colour(MUTED), linewidths=0.7, label="before"
    )
    axes.scatter(x, last[:, keep], s=11, c=dots.ravel(), linewidths=0)
    axes.scatter([], [], s=11, color=hex_colour(POSITIVE), label="after, excites")
    axes.scatter([], [], s=11, color=hex_colour(NEGATIVE), label="after, inhibits")
    axes.set(ylim=(-1.25 * bound, 1.25 * bound), ylabel="weight")
    axes.set_title(f"each synapse, {n_seeds} seed{'s' if n_seeds > 1 else ''}")
    axes.legend(ncols=3, loc="upper left", borderaxespad=0, handletextpad=0.2, columnspacing=1)
    if len(labels) == n and n <= 12:
        axes.set_xticks(range(n), [label.replace(" ", "\n") for label in labels], fontsize=6)
    else:
        axes.set_xlabel("synapse, in projection order" + ("" if keep.size == n else f" ({keep.size} of {n})"))
