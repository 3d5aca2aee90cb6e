"""How figures look, and how they enter a page: one style, no pyplot, SVG whose ink follows the page's theme."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from io import BytesIO
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import numpy as np
import numpy.typing as npt

from insectbot.view.palette import HAIRLINE, INK, MUTED, SERIES, hex_colour

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

P = ParamSpec("P")
R = TypeVar("R")

WIDTH = 9.2
"""Width of a full figure [inch]."""
_N_BOOT = 2000


def _style() -> Any:
    from cycler import cycler

    ink, muted, hairline = hex_colour(INK), hex_colour(MUTED), hex_colour(HAIRLINE)
    return {
        "font.family": "DejaVu Sans",
        "font.size": 8.5,
        "axes.titlesize": 9,
        "axes.titleweight": "bold",
        "axes.titlelocation": "left",
        "axes.titlepad": 7,
        "axes.labelsize": 8.5,
        "axes.edgecolor": muted,
        "axes.labelcolor": ink,
        "axes.linewidth": 0.8,
        "axes.facecolor": "none",
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": False,
        "axes.prop_cycle": cycler(color=[hex_colour(c) for c in SERIES]),
        "text.color": ink,
        "xtick.color": muted,
        "ytick.color": muted,
        "xtick.labelcolor": ink,
        "ytick.labelcolor": ink,
        "xtick.labelsize": 8,
        "ytick.labelsize": 8,
        "grid.color": hairline,
        "legend.frameon": False,
        "legend.fontsize": 8,
        "figure.facecolor": "none",
        "savefig.facecolor": "none",
        "savefig.dpi": 150,
        "svg.fonttype": "none",
        "svg.hashsalt": "insectbot",
        "image.interpolation": "nearest",
    }


@contextmanager
def style() -> Iterator[None]:
    """Hold matplotlib's settings of insectbot's figures while drawing or saving."""
    import matplotlib

    with matplotlib.rc_context(_style()):
        yield


def styled(draw: Callable[P, R]) -> Callable[P, R]:
    """Run a drawing function under :func:`style`."""

    @wraps(draw)
    def inside(*args: P.args, **kwargs: P.kwargs) -> R:
        with style():
            return draw(*args, **kwargs)

    return inside


def new_figure(height: float, width: float = WIDTH) -> Figure:
    """Return an empty figure [inch] that lays itself out and is drawn by Agg, without pyplot and without a display."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def bare(axes: Axes) -> None:
    """Take ticks and frame away."""
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)


def interval(values: npt.ArrayLike) -> tuple[npt.NDArray, npt.NDArray, npt.NDArray]:
    """Return mean and 95 % percentile-bootstrap interval over axis 0 (NaN left out; fixed random stream).

    Parameters
    ----------
    values : array_like, shape (n_seeds, k)
        One row per seed. With one seed the interval is the mean.

    Returns
    -------
    mean, low, high : ndarray, shape (k,)
    """
    rows = np.asarray(values, float)
    pick = np.random.default_rng(0).integers(0, len(rows), (_N_BOOT, len(rows)))
    finite = np.isfinite(rows)
    filled = np.where(finite, rows, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = filled.sum(0) / finite.sum(0)
        means = filled[pick].sum(1) / finite[pick].sum(1)
    means = np.where(np.isfinite(means), means, mean)
    low, high = np.quantile(means, (0.025, 0.975), axis=0)
    return mean, low, high


def to_svg(figure: Figure, label: str) -> str:
    """Return a figure as an ``<svg>`` element for a page.

    Prolog, metadata and namespace addresses are left out (HTML needs none), the text stays text, and the colours of
    ink, grey and hairlines become the page's CSS variables ``--ink, --muted, --hairline``.

    Parameters
    ----------
    figure : Figure
        The figure.
    label : str
        Plain text for readers who do not see it.
    """
    from html import escape

    buffer = BytesIO()
    with style():
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    text = buffer.getvalue().decode()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'\sxmlns(:\w+)?="[^"]*"', "", text, count=2)
    text = re.sub(r'width="[\d.]+pt" height="[\d.]+pt"', "", text, count=1)
    text = re.sub(r"#([0-9a-f]{6})", lambda m: _VARIABLES.get(m[0], m[0]), text)
    text = text.replace("'DejaVu Sans'", "var(--sans)")
    return _own_names(text, label).replace("<svg", f'<svg role="img" aria-label="{escape(label)}"', 1)


_VARIABLES: dict[str, str] = {
    hex_colour(INK): "var(--ink)",
    hex_colour(MUTED): "var(--muted)",
    hex_colour(HAIRLINE): "var(--hairline)",
}


def _own_names(svg: str, label: str) -> str:
    """Keep the ids that something refers to, with a prefix, so that figures of a page do not mix up clip paths."""
    prefix = re.sub(r"\W+", "-", label.lower())[:24]
    used = set(re.findall(r'(?:url\(|href=")#([^")]+)', svg))
    svg = re.sub(r'\sid="([^"]+)"', lambda m: f' id="{prefix}-{m[1]}"' if m[1] in used else "", svg)
    svg = re.sub(r"url\(#([^)]+)\)", rf"url(#{prefix}-\1)", svg)
    return re.sub(r'href="#([^"]+)"', rf'href="#{prefix}-\1"', svg)


def png_uri(figure: Figure) -> str:
    """Return a figure as a ``data:image/png`` address."""
    buffer = BytesIO()
    with style():
        figure.savefig(buffer, format="png", facecolor="white")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
