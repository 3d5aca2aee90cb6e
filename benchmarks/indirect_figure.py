"""The picture of benchmarks/indirect.py: one pulse pair, the weights, the learning curve, a path before and after."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from insectbot.controllers.indirect import RadialPulse
from insectbot.view.figure_style import interval, new_figure, styled
from insectbot.view.palette import BLUE, HAIRLINE, INK, MUTED, PAPER, VERMILION, hex_colour
from insectbot.view.plot_world import draw_map
from insectbot.view.recording import EpisodeData, Recording


def _pulse_pair(axes: Any) -> None:
    """Draw the two basis functions, their spikes, and the window of STDP between them."""
    pulse, t = RadialPulse(), np.linspace(-12.0, 45.0, 600)
    lag = pulse.span + 2.0 + 20.0 * np.log(2.0)
    for row, (centre, name, hue) in enumerate(((0.0, "sensor", BLUE), (lag, "motor", VERMILION))):
        base = 1.6 * (1 - row)
        bell = np.exp(-((t - centre) ** 2) / (2 * pulse.width**2))
        axes.fill_between(t, base, base + bell, color=hex_colour(hue), alpha=0.18, lw=0)
        axes.vlines(pulse.times(centre), base, base + 1.0, color=hex_colour(hue), lw=1.8)
        x = 9.0 if row == 0 else -12.0
        axes.text(x, base + 0.06, f"light on the {name}", va="bottom", fontsize=8, color=hex_colour(hue))
    axes.annotate(
        "", (lag, 1.3), (0.0, 1.3), arrowprops={"arrowstyle": "<->", "color": hex_colour(INK), "lw": 1.0, "shrinkA": 0}
    )
    axes.text(lag / 2, 1.36, "lag", ha="center", va="bottom", fontsize=8)
    note = "sensor first: the synapse grows;\nmotor first: it shrinks.\nA long lag changes it less."
    axes.text(45.0, 2.72, note, ha="right", va="top", fontsize=8, color=hex_colour(MUTED), linespacing=1.4)
    axes.set(xlabel="time [ms]", ylim=(-0.05, 2.9), yticks=(), xlim=(-12.0, 46.0))
    axes.spines["left"].set_visible(False)
    axes.set_title("One pulse pair")


def _weights(axes: Any, traces: Sequence[npt.NDArray]) -> None:
    """Draw all weights of all seeds against pulse pairs, coloured by the sign that the task needs."""
    from insectbot.controllers.circuits.virtual_insect import SIGNS

    table = np.array(traces)
    x = np.arange(table.shape[1])
    axes.axhline(0.0, color=hex_colour(HAIRLINE), lw=1.0)
    for k, sign in enumerate(SIGNS):
        hue = hex_colour(VERMILION if sign > 0 else BLUE)
        axes.plot(x, table[:, :, k].T, color=hue, lw=0.5, alpha=0.18)
    for sign, hue, label in ((1, VERMILION, "must excite"), (-1, BLUE, "must inhibit")):
        mean = table[:, :, [k for k, s in enumerate(SIGNS) if s == sign]].mean(axis=(0, 2))
        axes.plot(x, mean, color=hex_colour(hue), lw=2.0)
        axes.text(x[-1], mean[-1] - 0.13 * sign, label, ha="right", va="center", fontsize=8, color=hex_colour(hue))
    axes.set(xlabel="pulse pairs", ylabel="weight [thresholds]", xlim=(0, x[-1]))
    axes.set_title(f"Eight weights, {len(table)} seeds")


def _curve(axes: Any, curve: dict[str, Any], pairs: int) -> None:
    """Draw SPT of frozen copies against the most pulse pairs given."""
    table = np.array(curve["SPT"], float)
    x = pairs * np.arange(table.shape[1])
    axes.plot(x, table.T, color=hex_colour(BLUE), lw=0.5, alpha=0.35)
    mean, low, high = interval(table)
    axes.fill_between(x, low, high, color=hex_colour(BLUE), alpha=0.2, lw=0)
    axes.plot(x, mean, color=hex_colour(BLUE), lw=2.0)
    axes.axhline(0.55, color=hex_colour(MUTED), lw=1.0, ls="--")
    axes.text(x[-1], 0.535, "bar 0.55", ha="right", va="top", fontsize=8, color=hex_colour(MUTED))
    axes.set(xlabel="pulse pairs, at most", ylabel="SPT", ylim=(0, 1), xlim=(0, x[-1]))
    axes.set_title(f"Behaviour on {curve['n_worlds']} validation worlds")


def _before_and_after(recording: Recording) -> list[EpisodeData]:
    """Return the same cluttered world walked by the untrained and by the taught brain."""
    shown = [e for e in recording.episodes("evaluate") if e.preset == "cluttered"]
    names = list(dict.fromkeys(e.controller for e in shown))
    learner = next(name for name in names if "insect" in name)
    pick = {name: [e for e in shown if e.controller == name] for name in ("untrained", learner)}
    world = pick["untrained"][0].world
    return [next(e for e in pick[name] if e.world == world) for name in ("untrained", learner)]


@styled
def draw(path: Path, traces: Sequence[npt.NDArray], curve: dict[str, Any], pairs: int, recording: Recording) -> None:
    """Draw the picture and write it to ``path``.

    Parameters
    ----------
    path : Path
        PNG file.
    traces : sequence of ndarray, shape (pairs + 1, 8)
        Weights after each pulse pair, per seed.
    curve : dict
        The learning curve of a run's summary.
    pairs : int
        Pulse pairs of an episode, at most.
    recording : Recording
        The run's recording, with evaluated episodes of the untrained and the taught network.
    """
    page: Any = new_figure(6.6)
    top, bottom = page.subfigures(2, 1, height_ratios=(1.0, 1.35))
    pair, weights, behaviour = top.subplots(1, 3)
    _pulse_pair(pair)
    _weights(weights, traces)
    _curve(behaviour, curve, pairs)
    for axes, episode, label in zip(
        bottom.subplots(1, 2), _before_and_after(recording), ("Before any light", "After the lessons"), strict=True
    ):
        axes.set_xticks([])
        axes.set_yticks([])
        for spine in axes.spines.values():
            spine.set_visible(False)
        draw_map(axes, [episode], scale=label.startswith("Before"))
        axes.set_title(f"{label}: {axes.get_title(loc='left')}", color=hex_colour(INK))
    page.savefig(path, dpi=130, facecolor=hex_colour(PAPER))
