"""Figures of the report and the small helpers that set its text."""

import html
from dataclasses import replace

import numpy as np
import pytest
from helpers_view import PROJECTION, UNITS, summary, write_run
from hypothesis import given, settings
from hypothesis import strategies as st

from insectbot.view.figure_style import interval
from insectbot.view.figures import learning_curve, png_uri, raster, to_svg, trajectories, weights
from insectbot.view.labels import unit_label
from insectbot.view.markup import MISSING, Html, estimate, number, quantity, safe, table, tag
from insectbot.view.plot_learning import by_seed
from insectbot.view.recording import Recording
from insectbot.view.report_figures import weights_by_seed
from insectbot.view.run_data import RunData


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory):
    return write_run(tmp_path_factory.mktemp("figures"))


def test_interval_is_a_bootstrap_of_the_mean():
    rng = np.random.default_rng(1)
    values = rng.normal(3.0, 2.0, (400, 2))
    mean, low, high = interval(values)
    assert mean == pytest.approx(values.mean(0))
    half = 1.96 * values.std(0) / 20
    assert high - mean == pytest.approx(half, rel=0.15)
    assert mean - low == pytest.approx(half, rel=0.15)
    one = interval([[0.3, np.nan]])
    assert [part[0] for part in one] == [0.3] * 3
    assert np.isnan(one[0][1])


def test_by_seed_takes_both_orders_and_gaps():
    assert by_seed([[0, 1, None], [0, 1, 2]], 3).shape == (2, 3)
    assert by_seed([[0, 1], [0, 1], [0, 1]], 3).shape == (2, 3)
    assert by_seed([[0, 1], [0, 1, 2]], 3)[0, 2] != by_seed([[0, 1], [0, 1, 2]], 3)[0, 2]
    assert by_seed(None, 3) is None
    assert by_seed([[None, None]], 2) is None


def test_learning_curve_draws_mean_seeds_and_band():
    figure = learning_curve(summary()["learning_curve"])
    axes = figure.axes[0]
    drawn = [line.get_ydata() for line in axes.lines if len(line.get_ydata()) == 4]
    assert any(np.allclose(y, [0.05, 0.7, 0.95, 1.0]) for y in drawn)
    assert any(np.allclose(y, [0.1, 0.9, 1.0, 1.0]) for y in drawn)
    assert len(axes.collections) == 1
    assert (len(figure.axes), axes.get_xlabel()) == (2, "training episodes")
    assert len(learning_curve({"episode": [0, 1], "SPT": [[0.1, 0.2]]}).axes) == 1
    assert "no values" in to_svg(learning_curve({}), "empty")


def test_trajectories_put_the_same_world_in_the_same_column(run_folder):
    judged = Recording.open(run_folder).episodes("evaluate")
    before = [e for e in judged if e.controller == "untrained"]
    after = [e for e in judged if e.controller != "untrained"]
    figure = trajectories([("before", before), ("after", after[::-1]), ("none", [])])
    maps = [axes for axes in figure.axes if axes.images]
    assert [axes.get_title(loc="left") for axes in maps] == ["not reached in 2 s"] * 2 + ["reached after 2 s"] * 2
    for axes, episode in zip(maps, [*before, *after], strict=True):
        paths = [line.get_xydata() for line in axes.lines if len(line.get_xydata()) == 41]
        assert np.array_equal(paths[0], episode.pose[:, :2])
        assert np.array_equal(axes.images[0].get_array(), episode.scene["roughness"])
    assert "no episode" in to_svg(trajectories([]), "empty")


def test_a_map_with_elevation_is_measured_in_kilometres(run_folder):
    episode = Recording.open(run_folder).episodes()[0]
    height = np.linspace(200, 900, 441).reshape(21, 21)
    world = episode.scene | {"elevation": height, "metres_per_unit": 32.0}
    axes = trajectories([("", [replace(episode, scene=world)])]).axes[0]
    assert np.array_equal(axes.images[0].get_array(), height)
    assert [text.get_text() for text in axes.texts] == ["5 km"]
    bar = next(line for line in axes.lines if line.get_xydata().shape == (2, 2))
    assert np.ptp(bar.get_xdata()) == pytest.approx(5000 / 32.0)


def test_raster_rates_are_those_of_the_spikes(run_folder):
    episode = Recording.open(run_folder).episodes()[0]
    figure = raster(episode, seconds=2.0)
    top, below = figure.axes
    ticks = np.concatenate([line.get_xdata() for line in top.lines if np.isnan(line.get_xdata()).any()])
    assert np.allclose(np.sort(ticks[::3]), episode.spike_tick / 1000)
    motors = next(line for line in below.lines if line.get_label() == "motors")
    expected = np.isin(episode.spike_unit, [4, 5]).sum() / 2 / 2.0
    assert np.mean(motors.get_ydata()) == pytest.approx(expected, rel=0.1)


def test_weights_figure_shows_matrices_and_every_seed(run_folder):
    before, after = weights_by_seed(RunData.load(run_folder))
    units = {name: slice(*ends) for name, ends in UNITS.items()}
    figure = weights(before, after, units, {"motors": ["left", "right"]})
    images = [axes.images[0].get_array() for axes in figure.axes if axes.images]
    assert images[0].shape == (2, 4)
    assert np.allclose(images[1], np.reshape(after[1][PROJECTION], (4, 2)).T)
    text = to_svg(figure, "weights")
    assert all(f">{word}</tspan>" in text or f">{word}</text>" in text for word in ("left", "right", "sensors"))
    assert "sensors" in text
    strip = next(axes for axes in figure.axes if "2 seeds" in axes.get_title(loc="left"))
    assert len(strip.collections[1].get_offsets()) == 16
    assert "no weights" in to_svg(weights({}, {}, {}), "none")
    sparse = weights({1: {"x": np.zeros(500)}}, {1: {"x": np.ones(500)}}, {})
    assert png_uri(sparse).startswith("data:image/png;base64,")


def test_units_are_called_by_group_and_name():
    names = {"motors": ("left", "right"), "legs": ("legs front",)}
    assert [unit_label("motors", k, names, 3) for k in range(3)] == ["motors left", "motors right", "motors 2"]
    assert unit_label("legs", 0, names) == "legs front"
    assert [unit_label("tonic", 0, names, n) for n in (1, 2, None)] == ["tonic", "tonic 0", "tonic 0"]


def test_weights_figure_joins_what_learns_onto_the_same_target():
    units = {"a": slice(0, 2), "b": slice(2, 3), "tonic": slice(3, 4), "m": slice(4, 6)}
    old = {"a->m": np.zeros(4), "b->m": np.zeros(2), "tonic->m": np.ones(2), "a->b": np.zeros(2)}
    new = old | {"a->m": np.array([1.0, 2, 3, 4]), "b->m": np.array([0.5, 0.6]), "a->b": np.ones(2)}
    figure = weights({1: old}, {1: new}, units)
    images = [axes.images[0].get_array() for axes in figure.axes if axes.images]
    assert images[1].tolist() == [[1, 3, 0.5], [2, 4, 0.6]]
    title = next(axes.get_title(loc="left") for axes in figure.axes if axes.images)
    assert title.startswith("a, b \N{RIGHTWARDS ARROW} m, before")


def test_svg_is_a_bare_element_that_follows_the_theme():
    svg = to_svg(learning_curve(summary()["learning_curve"]), 'a "label"')
    assert svg.startswith('<svg role="img" aria-label="a &quot;label&quot;"')
    assert "xmlns" not in svg
    assert "<metadata" not in svg
    assert "var(--ink)" in svg
    assert "training episodes</text>" in svg


@settings(max_examples=200)
@given(st.text())
def test_safe_text_survives_unchanged_but_for_control_characters(text):
    shown = safe(text)
    assert "<" not in shown
    assert ">" not in shown
    kept = "".join(c for c in text if c >= " " or c in "\n\t")
    assert html.unescape(shown) == kept or "&" in text
    assert tag("p", text, title=text).count("<") == 2
    assert safe(Html("<b>")) == "<b>"


def test_numbers_read_well():
    assert (number(0.125, 2), number(-1.5, 1), number(0.98, 0, 100)) == ("0.12", "\N{MINUS SIGN}1.5", "98")
    for nothing in (None, float("nan"), float("inf"), "3", True, []):
        assert number(nothing) == quantity(nothing, "J") == MISSING
    values = {1.234e-7: "123 nJ", 1e-6: "1.00 µJ", 0.5: "500 mJ", 7.29e6: "7.29 MJ", -2e-12: "\N{MINUS SIGN}2.00 pJ"}
    for value, text in values.items():
        assert quantity(value, "J").replace("\N{NO-BREAK SPACE}", " ") == text
    assert quantity(0, "J") == "0 J"
    assert quantity(1e-30, "J").endswith("fJ")
    assert estimate([0.98, 0.9, 1.0], 0, 100).startswith("98 <span")
    assert estimate([0.98, None, 1.0]) == "0.98"
    assert estimate(None) == MISSING
    assert table([("a", "text")], [["<"]], [True]).count("&lt;") == 1
