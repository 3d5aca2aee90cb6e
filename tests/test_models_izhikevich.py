"""Izhikevich's models against the published schemes (models sheet, A3, A12)."""

from itertools import pairwise

import numpy as np
import pytest
from model_bench import Bench
from naive_models import NaiveModel, run

from insectbot.errors import ConfigurationError
from insectbot.snn import Izhikevich, Izhikevich2007

# The parameters and stimuli of the author's figure script (Izhikevich 2004, figure 1): a, b, c, d, v at the start, step
# [ms], duration [ms], current as a function of the time before the step.


def step(start, height):
    return lambda t: height if t > start else 0.0


def ramp(slope, base=0.0):
    return lambda t: base + slope * max(t - 30.0, 0.0)


def pulses(starts, width, height, base=0.0):
    return lambda t: height if any(s < t < s + width for s in starts) else base


def pieces(edges, values):
    """Piecewise constant: ``values[k]`` strictly between ``edges[k]`` and ``edges[k + 1]``."""
    inside = list(zip(pairwise(edges), values, strict=True))
    return lambda t: next((v for (low, high), v in inside if low < t < high), 0.0)


def two_ramps(t):
    return t / 25.0 if t < 200.0 else 0.32 * (t - 300.0) if 300.0 <= t < 312.5 else 0.0


def dip(t):
    return 75.0 if 50.0 <= t <= 250.0 else 80.0


CLASS1 = {"p1": 4.1, "p0": 108.0}
ACCOMMODATING = {"v_u": -65.0, "leak": 0.0, "u_init": -16.0}
PATTERNS = {
    "A tonic": (0.02, 0.2, -65, 6, -70, 0.25, 100, step(10, 14.0), {}),
    "B phasic": (0.02, 0.25, -65, 6, -64, 0.25, 200, step(20, 0.5), {}),
    "C tonic bursting": (0.02, 0.2, -50, 2, -70, 0.25, 220, step(22, 15.0), {}),
    "D phasic bursting": (0.02, 0.25, -55, 0.05, -64, 0.2, 200, step(20, 0.6), {}),
    "E mixed": (0.02, 0.2, -55, 4, -70, 0.25, 160, step(16, 10.0), {}),
    "F adaptation": (0.01, 0.2, -65, 8, -70, 0.25, 85, step(8.5, 30.0), {}),
    "G class 1": (0.02, -0.1, -55, 6, -60, 0.25, 300, ramp(0.075), CLASS1),
    "H class 2": (0.2, 0.26, -65, 0, -64, 0.25, 300, ramp(0.015, -0.5), {}),
    "I latency": (0.02, 0.2, -65, 6, -70, 0.2, 100, pulses([10], 3, 7.04), {}),
    "J oscillation": (0.05, 0.26, -60, 0, -62, 0.25, 200, pulses([20], 5, 2.0), {}),
    "K resonator": (0.1, 0.26, -60, -1, -62, 0.25, 400, pulses([40, 60, 280, 320], 4, 0.65), {}),
    "L integrator": (0.02, -0.1, -55, 6, -60, 0.25, 100, pulses([100 / 11, 100 / 11 + 5, 70, 80], 2, 9.0), CLASS1),
    "M rebound spike": (0.03, 0.25, -60, 4, -64, 0.2, 200, pulses([20], 5, -15.0), {}),
    "N rebound burst": (0.03, 0.25, -52, 0, -64, 0.2, 200, pulses([20], 5, -15.0), {}),
    "O threshold": (0.03, 0.25, -60, 4, -64, 0.25, 100, pieces((10, 15, 70, 75, 80, 85), (1, 0, -6, 0, 1)), {}),
    "P bistability": (0.1, 0.26, -60, 0, -61, 0.25, 300, pulses([37.5, 216], 5, 1.24, 0.24), {}),
    "Q after-potential": (1.0, 0.2, -60, -21, -70, 0.1, 50, pulses([9], 2, 20.0), {}),
    "R accommodation": (0.02, 1.0, -55, 4, -65, 0.5, 400, two_ramps, ACCOMMODATING),
    "S inhibition spiking": (-0.02, -1.0, -60, 8, -63.8, 0.5, 350, dip, {}),
    "T inhibition bursting": (-0.026, -1.0, -45, -2, -63.8, 0.5, 350, dip, {}),
}
COUNTS = dict(zip("ABCDEFGHIJ", (5, 1, 28, 6, 6, 6, 10, 14, 1, 1), strict=True))
COUNTS |= dict(zip("KLMNOPQRST", (1, 1, 1, 7, 1, 5, 1, 1, 3, 12), strict=True))
FIRST = {"I": 26.6, "K": 338.0, "L": 20.0, "M": 68.0, "O": 93.25, "R": 311.5}


def figure_cell(name, **options):
    a, b, c, d, v, *_, variant = PATTERNS[name]
    return Izhikevich(a=a, b=b, c=c, d=d, v_init=v, **variant, **options)


def script(name):
    """Spike times by the operations of the author's script, in plain Python."""
    a, b, c, d, v, dt, duration, current, variant = PATTERNS[name]
    p1, p0 = variant.get("p1", 5.0), variant.get("p0", 140.0)
    u = variant.get("u_init", b * v)
    times = []
    for k in range(round(duration / dt) + 1):
        v = v + dt * (0.04 * v * v + p1 * v + p0 - u + current(k * dt))
        u = u + dt * a * (b * (v + 65.0) if "v_u" in variant else b * v - u)
        if v > 30.0:
            v, u = float(c), u + d
            times.append(k * dt)
    return times


@pytest.mark.parametrize("name", PATTERNS)
def test_a3_izhikevich_figure1(name):
    *_, dt, duration, current, _ = PATTERNS[name]
    ticks = Bench(figure_cell(name), dt).run(round(duration / dt) + 1, lambda k: current(k * dt)).ticks()
    assert len(ticks) == COUNTS[name[0]]
    assert (ticks * dt).tolist() == script(name)
    if name[0] in FIRST:
        assert ticks[0] * dt == pytest.approx(FIRST[name[0]], abs=1e-9)


@pytest.mark.parametrize(("name", "count"), [("H class 2", 18), ("N rebound burst", 14), ("P bistability", 7)])
def test_a3_accurate_integration_changes_the_counts(name, count):
    *_, dt, duration, current, _ = PATTERNS[name]
    fine = dt / 50
    b = Bench(figure_cell(name, scheme="rk4"), fine).run(50 * (round(duration / dt) + 1), lambda k: current(k * fine))
    assert len(b.ticks()) == count


def test_a3_accurate_integration_of_the_after_potential_and_of_t():
    *_, current, _ = PATTERNS["Q after-potential"]
    b = Bench(figure_cell("Q after-potential", scheme="rk4"), 0.002).run(25_050, lambda k: current(k * 0.002))
    assert len(b.ticks()) == 8
    b = Bench(figure_cell("T inhibition bursting", scheme="rk4"), 0.01).run(30_000, lambda k: dip(k * 0.01))
    assert len(b.ticks()) > 1000  # runs away


def test_a3_network_scheme_takes_two_half_steps():
    current = np.random.default_rng(1).normal(6.0, 4.0, 2000)
    b = Bench(Izhikevich.of_class("RS", v_init=-65.0, scheme="network2003"), 1.0).run(2000, lambda k: current[k])
    v, u, ticks = -65.0, -13.0, []
    for k in range(2000):
        for _ in range(2):
            v = v + 0.5 * (0.04 * v * v + 5.0 * v + 140.0 - u + current[k])
        u = u + 0.02 * (0.2 * v - u)
        if v >= 30.0:
            v, u = -65.0, u + 8.0
            ticks.append(k)
    assert len(ticks) > 20
    assert b.ticks().tolist() == ticks


def test_a3_euler_is_consistent_and_differs():
    cell = Izhikevich.of_class("CH", v_init=-70.0, scheme="euler")
    b = Bench(cell, 0.25).run(2000, 10.0)
    v, u, ticks = -70.0, -14.0, []
    for k in range(2000):
        v, u = v + 0.25 * (0.04 * v * v + 5 * v + 140 - u + 10.0), u + 0.25 * 0.02 * (0.2 * v - u)
        if v >= 30.0:
            v, u = -50.0, u + 2.0
            ticks.append(k)
    assert b.ticks().tolist() == ticks
    published = Izhikevich.of_class("CH", v_init=-70.0)
    assert Bench(published, 0.25).run(2000, 10.0).ticks().tolist() != ticks


@pytest.mark.parametrize("name", ["RS", "IB", "CH", "FS", "LTS", "TC", "RZ"])
def test_a3_classes(name):
    a, b, c, d = {
        "RS": (0.02, 0.2, -65, 8),
        "IB": (0.02, 0.2, -55, 4),
        "CH": (0.02, 0.2, -50, 2),
        "FS": (0.1, 0.2, -65, 2),
        "LTS": (0.02, 0.25, -65, 2),
        "TC": (0.02, 0.25, -65, 0.05),
        "RZ": (0.1, 0.26, -65, 2),
    }[name]
    assert Izhikevich.of_class(name) == Izhikevich(a=a, b=b, c=c, d=d)


def test_a3_substeps_equal_a_finer_step():
    coarse = run(NaiveModel(Izhikevich(substeps=4), 1.0), 400, 10.0)
    fine = run(NaiveModel(Izhikevich(), 0.25), 1600, 10.0)
    assert len(coarse) == pytest.approx(len(fine), abs=1)
    assert np.abs(np.array(coarse[:5]) - np.array(fine[:5]) / 4).max() <= 5


def test_a3_unknown_class_is_told():
    with pytest.raises(ConfigurationError, match="there is no class 'XX', only RS, IB"):
        Izhikevich.of_class("XX")


def test_a12_izhikevich2007_regular_spiking():
    # Spike times of an adaptive high-order integration with event location (scipy, Radau, tolerances 1e-10).
    exact = (48.1801, 121.6459, 197.7697, 273.8019, 349.8371, 425.8721, 501.9071, 577.9422, 653.9772, 730.0123,
             806.0473, 882.0823, 958.1174)  # fmt: skip
    b = Bench(Izhikevich2007(), 0.01).run(100_000, 100.0)
    assert len(b.ticks()) == len(exact)
    assert b.times()[0] == pytest.approx(exact[0], abs=0.01)
    assert b.times() == pytest.approx(exact, abs=0.02 * len(exact))
