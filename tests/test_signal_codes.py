"""Codes outside the loop: rates, ranks, Hopfield's delays, steps, contrast, BSA; numbers of models sheet B."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from insectbot.controllers.codes import matching_delays, poisson_times, rank_bits, rank_match, regular_times
from insectbot.controllers.signal_codes import (
    bsa,
    bsa_decode,
    contrast_threshold,
    exponential_filter,
    send_on_delta,
    staircase,
    step_forward,
    temporal_contrast,
)
from insectbot.errors import ConfigurationError, ShapeError
from insectbot.snn.codes import ContrastInput, DeltaInput, LogLatencyInput
from insectbot.snn.encode import encode

signals = st.lists(st.floats(-3, 3), min_size=2, max_size=60)
TIME = np.arange(1000) / 1000
WAVE = 0.6 * np.sin(2 * np.pi * 2 * TIME) + 0.4 * np.sin(2 * np.pi * 7 * TIME)


# Rates.


@given(rate=st.floats(0, 300), duration=st.floats(0, 2000))
def test_a_regular_train_counts_down(rate, duration):
    """[encoding.rate_regular]: count floor(f T); error <= 1 / (T f_max)."""
    times = regular_times(rate, duration)
    assert len(times) in {math.floor(rate * duration / 1000 * (1 + e)) for e in (0, 1e-11)}
    assert abs(rate * duration / 1000 - len(times)) <= 1 + 1e-9
    assert np.all(np.diff(times) > 0)
    assert np.all((times > 0) & (times <= duration))


def test_regular_times():
    assert regular_times(10.0, 300.0).tolist() == [100.0, 200.0, 300.0]


def test_poisson_counts_and_intervals():
    """[encoding.rate_poisson]: Fano 1, CV 1; decode std sqrt(f / T) = 10 Hz at 100 Hz, 1 s."""
    times = poisson_times(100.0, 4e6, seed=1)
    counts = np.bincount((times / 1000).astype(int), minlength=4000)
    assert counts.std() == pytest.approx(10.0, rel=0.05)
    assert counts.var() / counts.mean() == pytest.approx(1.0, rel=0.1)
    gaps = np.diff(times)
    assert gaps.std() / gaps.mean() == pytest.approx(1.0, rel=0.01)


def test_poisson_with_dead_time():
    """[encoding.rate_poisson]: dead time 2 ms: 83.33 Hz, CV .8333."""
    times = poisson_times(100.0, 4e6, seed=2, dead_time=2.0)
    gaps = np.diff(times)
    assert gaps.min() >= 2.0
    assert len(times) / 4000 == pytest.approx(83.33, rel=0.01)
    assert gaps.std() / gaps.mean() == pytest.approx(0.8333, rel=0.01)
    np.testing.assert_array_equal(times, poisson_times(100.0, 4e6, seed=2, dead_time=2.0))


# Ranks and Hopfield's delays.


def test_rank_match():
    """[encoding.rank_order]: 5 inputs, m = .9: match 3.428008, reversed 3.2805; 6.9069 bits."""
    weights = 0.9 ** np.arange(5)
    x = np.array([0.9, 0.8, 0.5, 0.4, 0.1])
    assert rank_match(x, weights) == pytest.approx(3.428008, abs=5e-7)
    assert rank_match(x[::-1], weights) == pytest.approx(3.2805, rel=1e-9)
    assert rank_bits(5) == pytest.approx(6.9069, abs=5e-5)


@given(k=st.floats(0.05, 1.0))
def test_log_latencies_of_a_pattern_coincide_at_any_strength(k):
    """[encoding.hopfield1995]: spread 2e-15 for any k x0; +20 % on one input -> tau ln 1.2 = .546965 (tau 3)."""
    code, pattern = LogLatencyInput(tau=3.0, t_min=5.0), np.array([0.2, 0.5, 0.8, 0.35])
    delays = matching_delays(pattern, 3.0)
    assert np.ptp(code.latency(k * pattern) + delays) < 1e-13
    other = pattern * [1.0, 1.2, 1.0, 1.0]
    assert np.ptp(code.latency(k * other) + delays) == pytest.approx(0.546965, abs=5e-7)
    assert delays.min() == 1.0


# Steps.


@given(signal=signals, threshold=st.floats(0.05, 2))
def test_send_on_delta_is_always_nearer_than_its_threshold(signal, threshold):
    """[encoding.delta_modulation]: all crossings per sample: error < th always."""
    copy = staircase(send_on_delta(signal, threshold), threshold, signal[0])
    assert np.abs(copy - signal).max() < threshold * (1 + 1e-9)


@given(signal=signals, threshold=st.floats(0.05, 2))
def test_step_forward_errs_by_a_threshold_unless_the_signal_is_faster(signal, threshold):
    """[encoding.delta_modulation]: one event per sample; slew overload where the signal moves by more than th."""
    samples = np.cumsum(np.clip(np.diff(signal, prepend=0.0), -threshold, threshold))
    events = step_forward(samples, threshold)
    assert np.abs(events).max() <= 1
    assert np.abs(staircase(events, threshold, samples[0]) - samples).max() <= threshold * (1 + 1e-9)


def test_slew_overload():
    """[encoding.delta_modulation]: th .1 errs by at most .1, th .02 by more (the wave moves .05 a sample)."""
    for threshold, overloaded in ((0.1, False), (0.02, True)):
        events = step_forward(WAVE[::2], threshold)
        error = np.abs(staircase(events, threshold, WAVE[0]) - WAVE[::2]).max()
        assert (error > threshold) == overloaded
        faithful = staircase(send_on_delta(WAVE[::2], threshold), threshold, WAVE[0])
        assert np.abs(faithful - WAVE[::2]).max() < threshold


def test_log_ramp_makes_six_events():
    """[encoding.dvs_pixel]: ln ramp 0..1, C .15 -> 6 ON."""
    assert send_on_delta(np.linspace(0, 1, 77), 0.15).sum() == 6


def test_steps_in_the_kernel_are_those_of_the_signal():
    signal = 0.5 + 0.4 * WAVE
    up, down = encode(DeltaInput(polarity=(1, -1), start=0.5, threshold=0.03), np.column_stack((signal, signal))).T
    np.testing.assert_array_equal(up.astype(int) - down, step_forward(signal, 0.03, start=0.5))


# Contrast and BSA.


def test_contrast_threshold():
    """[encoding.temporal_contrast]: thr = mean(dx) + k std(dx)."""
    change = np.diff(WAVE)
    assert contrast_threshold(WAVE, 1.5) == pytest.approx(change.mean() + 1.5 * change.std())
    events = temporal_contrast(WAVE, 1.5)
    assert events.sum() != 0
    expected = (change > contrast_threshold(WAVE, 1.5)).astype(int) - (change < -contrast_threshold(WAVE, 1.5))
    np.testing.assert_array_equal(events, [0, *expected])
    signal = 0.5 + 0.4 * WAVE
    code = ContrastInput(threshold=contrast_threshold(signal, 1.5), polarity=(1, -1))
    up, down = encode(code, np.column_stack((signal, signal))).T
    np.testing.assert_array_equal(up.astype(int) - down, temporal_contrast(signal, 1.5))


def test_bsa_finds_the_spikes_that_made_a_signal():
    fir = np.array([0.2, 0.6, 1.0, 0.6, 0.2])
    train = np.zeros(60, bool)
    train[[3, 10, 11, 30, 37]] = True
    assert bsa(bsa_decode(train, fir), fir, threshold=0.6).tolist() == train.tolist()


@pytest.mark.parametrize(("length", "total", "threshold", "error"), [(20, 3.0, 0.86, 0.23), (8, 1.5, 0.7, 0.1)])
def test_bsa_by_its_rule(length, total, threshold, error):
    """[encoding.bsa]: subtract the filter while sum |s - h| <= .86 sum |s| (its signal is not in the sheet)."""
    fir, signal = np.hanning(length + 2)[1:-1], 0.5 + 0.4 * WAVE
    fir *= total / fir.sum()
    spikes, rest = bsa(signal, fir, threshold), signal.copy()
    for t in range(len(signal)):
        part, h = rest[t : t + length], fir[: len(signal) - t]
        assert spikes[t] == (sum(abs(part - h)) <= threshold * sum(abs(part)))
        if spikes[t]:
            part -= h
    assert np.sqrt(np.mean((bsa_decode(spikes, fir) - signal)[length:] ** 2)) < error
    assert not bsa(np.zeros(10), fir).any()


def test_exponential_filter():
    """[encoding.exp_filter_decode]: 40 Hz, tau 50 -> 50.83 Hz just after, 30.83 just before a spike."""
    times = np.arange(0, 5001, 25.0)
    after, before = exponential_filter(times, 50.0, [5000.0, 5000.0 - 1e-9])
    assert after == pytest.approx(50.83, abs=0.005)
    assert before == pytest.approx(30.83, abs=0.005)
    assert exponential_filter([], 50.0, [1.0]).tolist() == [0.0]


@pytest.mark.parametrize(
    ("make", "error", "match"),
    [
        (lambda: regular_times(-1.0, 10.0), ConfigurationError, "rate = -1.0: must be at least 0"),
        (lambda: poisson_times(0.0, 10.0, seed=0), ConfigurationError, "rate = 0.0: must be above 0"),
        (lambda: rank_match([1.0], [1.0], factor=1.0), ConfigurationError, "factor = 1.0, must lie in"),
        (lambda: matching_delays([0.5, 0.0], 3.0), ConfigurationError, "must be numbers above 0"),
        (lambda: step_forward([1.0], 0.0), ConfigurationError, "threshold = 0.0: must be above 0"),
        (lambda: bsa([np.inf], [1.0]), ShapeError, "must be a vector of finite numbers"),
        (lambda: send_on_delta([[1.0]], 0.1), ShapeError, "must be a vector"),
        (lambda: contrast_threshold([1.0]), ShapeError, "one sample has no differences"),
    ],
)
def test_what_they_refuse(make, error, match):
    with pytest.raises(error, match=match):
        make()
