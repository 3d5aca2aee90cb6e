"""Tunnel junctions: the published law against plain Python, the numbers of the sheet, the replay entry point."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_ftj import DEFAULT, junction, spike, switch

from insectbot.chips import nls_device as d
from insectbot.chips.ftj_program import pulse_cost
from insectbot.chips.ftj_replay import Junction, Shape, lines, replay, replay_spikes, stdp_window
from insectbot.errors import ShapeError

COLUMN = Junction.of().columns(1)
UNIT = (0.75, 0.75)


@settings(max_examples=200, deadline=None)
@given(st.floats(0.0, 1.0), st.floats(-1.8, 1.8), st.floats(0.1, 500.0))
def test_a_step_is_the_published_law(s, v, dt):
    assert d.switch(s, v, dt, 0, COLUMN) == pytest.approx(switch(s, v, dt * 1e-9, DEFAULT), rel=1e-9, abs=1e-12)


@settings(max_examples=60, deadline=None)
@given(st.floats(1e-3, 0.999), st.floats(0.9, 1.6), st.booleans(), st.floats(1.0, 200.0), st.floats(1.0, 200.0))
def test_two_steps_are_one_and_only_go_one_way(s, size, up, a, b):
    v = size if up else -size - 0.2
    halves = d.switch(d.switch(s, v, a, 0, COLUMN), v, b, 0, COLUMN)
    assert halves == pytest.approx(d.switch(s, v, a + b, 0, COLUMN), rel=1e-7, abs=1e-10)
    assert (halves >= s - 1e-15) if up else (halves <= s + 1e-15)


def test_thresholds_are_strict_and_s_saturates():
    for v in (0.88, -1.05, 0.0):
        assert d.switch(0.5, v, 1e6, 0, COLUMN) == 0.5
    assert d.switch(0.5, np.nextafter(0.88, 1), 1e6, 0, COLUMN) > 0.5
    assert d.switch(0.5, np.nextafter(-1.05, -2), 1e6, 0, COLUMN) < 0.5
    assert d.switch(0.5, 30.0, 1e12, 0, COLUMN) == 1.0 - 1e-4
    assert d.switch(0.5, -30.0, 1e12, 0, COLUMN) == pytest.approx(1e-4, rel=1e-9)
    assert d.switch(0.0, 0.1, 1.0, 0, COLUMN) == 1e-4


@pytest.mark.parametrize(("volts", "fraction"), [(0.9, 0.10), (1.2, 0.43), (1.5, 0.93)])
def test_a_pulse_of_100_ns_switches_what_the_sheet_says(volts, fraction):
    assert replay([volts], 0.0, dt=100.0).s[0] == pytest.approx(fraction, abs=0.005)


def test_the_window_of_the_sheet():
    """Chips sheet 9: dG [uS] by delay [ns] from s = 0.5; nothing at 0 and from 500 ns on."""
    sheet = {50: 4.0, 100: 4.1, 200: 3.2, 300: 1.4, 400: 0.2, -50: -2.9, -100: -3.3, -200: -1.5, -300: -0.3}
    found = stdp_window(list(sheet))
    np.testing.assert_allclose(found, list(sheet.values()), atol=0.07)
    assert stdp_window([0.0])[0] == 0.0
    assert np.abs(stdp_window([500.0, 600.0, 900.0, -400.0, -500.0, -900.0])).max() < 0.01
    assert (stdp_window([600.0, -500.0, -600.0]) == 0.0).all()


def test_soft_bounds_of_the_sheet():
    """From s = 0.2 potentiation of 7 uS and depression of 0.8; from 0.8 the other way round."""
    up, down = stdp_window([100.0, -100.0], 0.2)
    assert (up, down) == (pytest.approx(7.0, abs=0.1), pytest.approx(-0.8, abs=0.1))
    up, down = stdp_window([100.0, -100.0], 0.8)
    assert 0 < up < 2 < -down


@settings(max_examples=25, deadline=None)
@given(
    st.sets(st.integers(0, 60), max_size=5),
    st.sets(st.integers(0, 60), max_size=5),
    st.floats(0.05, 0.95),
    st.floats(0.5, 0.85),
    st.floats(0.5, 0.85),
)
def test_spike_replay_is_plain_python(pre, post, s, front, back):
    shape, other = Shape(front, back, 100.0, 600.0), Shape(back, front, 100.0, 600.0)
    pre, post = sorted(20.0 * t for t in pre), sorted(20.0 * t for t in post)
    done = replay_spikes(pre, post, s, until=1800.0, dt=4.0, shape=shape, post_shape=other)
    wanted, energy = junction(
        [t * 1e-9 for t in pre],
        [t * 1e-9 for t in post],
        s,
        until=1800e-9,
        dt=4e-9,
        shape_pre=(front, back),
        shape_post=(back, front),
    )
    assert done.s[0] == pytest.approx(wanted, rel=1e-7)
    assert done.conductance[-1, 0] == pytest.approx(1e6 * (wanted * 10e-6 + (1 - wanted) * 0.1e-6), rel=1e-7)
    assert done.energy == pytest.approx(energy, rel=1e-7, abs=1e-25)
    assert done.conductance.shape == (450, 1)


def test_a_new_spike_restarts_the_line():
    t = np.array([-1.0, 0.0, 50.0, 99.0, 100.0, 350.0, 400.0, 500.0, 1000.0])
    found = lines(t, [0.0, 400.0], Shape.of())
    np.testing.assert_allclose(found, [spike((x if x < 400 else x - 400) * 1e-9, *UNIT) for x in t], rtol=1e-12)
    assert lines(t, [], Shape.of()).tolist() == [0.0] * 9


def test_one_spike_alone_changes_nothing():
    for pre, post in (([0.0], []), ([], [0.0])):
        done = replay_spikes(pre, post, 0.4)
        assert done.s[0] == 0.4
        assert np.ptp(done.conductance) == 0
        # C V^2 apart: G (0.75^2 100 ns + 0.75^2 500 ns / 3).
        assert done.energy == pytest.approx(4.06e-6 * 0.75**2 * (100e-9 + 500e-9 / 3), rel=1e-4)


def test_a_sweep_is_a_replay():
    for delay in (-260.0, -40.0, 70.0, 330.0):
        times = ([0.0], [delay]) if delay > 0 else ([-delay], [0.0])
        one = replay_spikes(*times, 0.3, dt=2.0)
        assert one.conductance[-1, 0] - (0.3 * 9.9 + 0.1) == pytest.approx(stdp_window([delay], 0.3)[0], rel=1e-9)


def test_replay_takes_voltages_of_many_junctions():
    volts = np.array([[1.2, -1.4], [0.5, 0.0], [1.2, -1.4]])
    done = replay(volts, [0.2, 0.8], dt=30.0)
    energy = 0.0
    for j, s in enumerate((0.2, 0.8)):
        for n, v in enumerate(volts[:, j]):
            energy += (s * 10e-6 + (1 - s) * 0.1e-6) * v * v * 30e-9
            s = switch(s, v, 30e-9, DEFAULT)
            assert done.conductance[n, j] == pytest.approx(s * 10 + (1 - s) * 0.1)
    assert done.energy == pytest.approx(energy)


@pytest.mark.parametrize(
    ("volts", "s", "dt"), [([np.nan], 0.5, 1.0), ([1.0], 1.5, 1.0), ([1.0], 0.5, 0.0), (np.zeros((2, 2, 2)), 0.5, 1.0)]
)
def test_bad_replays_are_one_sentence(volts, s, dt):
    with pytest.raises(ShapeError, match="replay: voltages of shape"):
        replay(volts, s, dt=dt)


def test_the_cost_of_a_write_is_that_of_its_pulses():
    """Erase from 0.95 to 0.05 by a pulse of -1.5 V, set by one of 1.5 V: the same as a fine replay."""
    energy, time = pulse_cost([0.6], Junction.of(), 1.5, 0.95)

    def time_to(x, v_a):
        return 1e9 * 10 ** (-12 + v_a / 1.5 * math.log10(math.e) + 0.2 * math.tan(math.pi * (x - 0.5)))

    erase, set_ = time_to(0.95, 16) - time_to(0.05, 16), time_to(0.6, 14) - time_to(1e-4, 14)
    assert time[0] == pytest.approx(erase + set_)
    assert 500 < erase < 1000
    n = 4000
    down, up = replay(np.full(n, -1.5), 0.95, dt=erase / n), replay(np.full(n, 1.5), 0.0, dt=set_ / n)
    assert down.s[0] == pytest.approx(0.05, abs=1e-4)
    assert up.s[0] == pytest.approx(0.6, abs=1e-4)
    assert energy[0] * 1e-15 == pytest.approx(down.energy + up.energy, rel=0.03)
