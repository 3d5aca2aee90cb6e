"""Input codes: the numbers of models sheet B, what each says on the grid of ticks, and what they refuse."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from naive_codes import NaiveCode

from insectbot.errors import ConfigurationError, ShapeError
from insectbot.snn.codes import (
    BurstInput,
    CodedInput,
    ContrastInput,
    DeltaInput,
    DVSInput,
    ISIInput,
    LatencyInput,
    LIFLatencyInput,
    LogLatencyInput,
    OscillationPhaseInput,
    PhaseInput,
    RankOrderInput,
    SendOnDeltaInput,
    SpikeTimesInput,
)
from insectbot.snn.encode import encode, ranks

ONE_SPIKE = (
    LatencyInput(period=100.0),
    LatencyInput(period=60.0, t_min=3.0, t_max=40.0),
    LogLatencyInput(period=80.0, tau=15.0, t_min=2.0),
    LIFLatencyInput(),
    OscillationPhaseInput(),
)
ALL = (
    *ONE_SPIKE,
    RankOrderInput(interval=2.0),
    ISIInput(),
    PhaseInput(),
    BurstInput(),
    DeltaInput(threshold=0.03),
    DeltaInput(threshold=0.03, polarity=-1, start=1.0, period=5.0),
    SendOnDeltaInput(threshold=0.04, polarity=(1, -1, 1, -1, 1)),
    DVSInput(polarity=(1, -1, 1, -1, 1)),
    ContrastInput(threshold=0.02, period=7.0),
    ISIInput(t_min=(2, 3, 4, 5, 6), t_max=30),
)
drives = st.floats(0, 1)


def ticks(code, x, dt=1.0, n_ticks=None):
    """Return the ticks at which one channel spikes under a steady drive."""
    return np.flatnonzero(encode(code, np.full(n_ticks or code.frame_ticks(dt), x), dt)).tolist()


# Sheet B: one spike.


def test_ttfs_linear_errs_by_half_a_step_of_its_span():
    """[encoding.ttfs_linear]: dt = 1 ms, T = 100 ms: error <= .00505."""
    code, x = LatencyInput(period=100.0), np.linspace(0.001, 1, 4000)
    assert code.value(code.latency(x)) == pytest.approx(x, abs=1e-12)
    due = encode(code, np.tile(x, (100, 1))).argmax(axis=0)
    error = np.abs(code.value(due) - x).max()
    assert error <= 0.5 / 99 + 1e-12
    assert round(error, 5) == 0.00505


def test_ttfs_through_a_leaky_neuron():
    """[encoding.ttfs_lif]: tau 20, th .2: I .25 -> 32.1888, 1 -> 4.46287; inverse I = th / (1 - exp(-t / tau))."""
    code = LIFLatencyInput()
    assert code.latency([0.25, 1.0]) == pytest.approx([32.1888, 4.46287], rel=2e-6)
    assert code.latency(0.25) == pytest.approx(20 * math.log(5), rel=1e-9)
    x = np.linspace(0.21, 1, 50)
    assert code.value(code.latency(x)) == pytest.approx(x, rel=1e-9)
    assert np.isinf(code.latency([0.0, 0.2])).all()


def test_ttfs_logarithmic():
    """[encoding.ttfs_log]: x .1 -> 46.0517 (tau 20)."""
    code = LogLatencyInput(period=100.0, tau=20.0)
    assert code.latency(0.1) == pytest.approx(46.0517, rel=1e-6)
    assert code.value(code.latency([0.1, 1.0, 0.0])) == pytest.approx([0.1, 1.0, 0.0], rel=1e-9)


def test_phase_of_an_oscillation_is_exact():
    """[encoding.phase_oscillation]: t = (1 - x) / f within the cycle, exact."""
    code = OscillationPhaseInput(frequency=20.0, period=50.0)
    x = np.arange(1, 51) / 50
    assert code.latency(x) == pytest.approx((1 - x) * 50)
    assert code.value(code.latency(x)) == pytest.approx(x)
    assert encode(code, np.tile(x, (50, 1))).argmax(axis=0) == pytest.approx(50 * (1 - x))
    assert ticks(OscillationPhaseInput(), 0.6, n_ticks=100) == [10, 35, 60, 85]


@given(x=drives, number=st.integers(0, len(ONE_SPIKE) - 1), dt=st.sampled_from([1.0, 0.5, 0.1]))
def test_one_spike_on_the_tick_nearest_its_latency(x, number, dt):
    code = ONE_SPIKE[number]
    due = code.latency(x, dt) / dt
    found = ticks(code, x, dt, n_ticks=code.cycle_ticks(dt))
    last = code.cycle_ticks(dt) - 0.5
    if abs(due - last) > 1e-9:
        assert len(found) == (due < last)
    assert all(abs(tick - due) <= 0.5 + 1e-9 for tick in found)


@pytest.mark.parametrize("code", ONE_SPIKE, ids=lambda c: type(c).__name__)
def test_a_latency_says_its_drive(code):
    x = np.linspace(0.3, 1, 50)
    assert code.value(code.latency(x)) == pytest.approx(x, rel=1e-9)
    assert code.value(code.latency(0.0)) == 0.0
    assert code.value([0.0, 0.5]).max() <= 1.0


def test_rank_order_is_a_stable_sort():
    code, x = RankOrderInput(interval=3.0), np.array([0.5, 0.9, 0.0, 0.5, 0.1])
    assert ranks(x).tolist() == [1, 0, 4, 2, 3]
    spikes = encode(code, np.tile(x, (50, 1)))
    assert [np.flatnonzero(s).tolist() for s in spikes.T] == [[3], [0], [], [6], [9]]
    late = encode(RankOrderInput(interval=20.0), np.tile(x, (50, 1)))
    assert late.sum(axis=0).tolist() == [1, 1, 0, 1, 0]  # rank 3 would come after the frame


# Sheet B: several spikes.


def test_intervals_err_by_half_a_step_of_their_span():
    """[encoding.isi]: error <= .5 / (hi - lo) with a 1 ms grid."""
    code, x = ISIInput(period=20.0, t_min=5.0, t_max=25.0), np.linspace(0, 1, 1001)
    spikes = encode(code, np.tile(x, (60, 1)))
    intervals = np.array([np.diff(np.flatnonzero(s)) for s in spikes.T], dtype=object)
    assert all(len(set(i)) == 1 for i in intervals)
    error = np.abs(code.value([i[0] for i in intervals]) - x)
    assert 0.99 * 0.5 / 20 < error.max() <= 0.5 / 20 + 1e-12


def test_an_interval_runs_on_through_frames_and_the_next_one_follows_the_drive():
    signal = np.where(np.arange(80) < 30, 0.0, 1.0)
    assert np.flatnonzero(encode(ISIInput(period=10.0), signal)).tolist() == [0, 20, *range(40, 80, 2)]


def test_weighted_spikes_are_bits():
    """[encoding.phase_weighted_spikes]: K = 8, x = .1 -> .09765625, max error < 2^-K."""
    code = PhaseInput(period=8.0)
    assert ticks(code, 0.1) == [3, 4, 7]
    assert code.value(encode(code, np.full(8, 0.1))) == 0.09765625
    x = np.linspace(0, 0.999, 500)
    error = x - code.value(encode(code, np.tile(x, (8, 1))).T)
    assert error.min() >= 0
    assert error.max() < 2**-8
    assert ticks(code, 1.0) == list(range(8))  # 1 - 2^-8


@given(x=drives, bits=st.integers(1, 12), slot=st.integers(1, 3), frames=st.integers(1, 3))
def test_bits_come_at_the_start_of_their_phases(x, bits, slot, frames):
    code = PhaseInput(period=float(bits * slot), bits=bits)
    spikes = encode(code, np.full(frames * bits * slot, x)).reshape(frames, bits, slot)
    level = min(int(x * 2**bits), 2**bits - 1)
    assert not spikes[:, :, 1:].any()
    assert (spikes[:, :, 0] == [level >> (bits - 1 - k) & 1 for k in range(bits)]).all()


def test_burst():
    """[encoding.burst]: Nmax 5, intervals 2..10 ms: P = .5 -> N 3, ISI 6."""
    code = BurstInput()
    assert ticks(code, 0.5) == [0, 6, 12]
    assert ticks(code, 0.0) == []
    assert ticks(code, 0.01) == [0]
    assert ticks(code, 1.0) == [0, 2, 4, 6, 8]
    assert ticks(code, float(np.float32(0.6))) == [0, 6, 12]  # 0.6 in float32 lies above 0.6


@given(x=drives, n_max=st.integers(1, 8), t_min=st.integers(1, 4), span=st.integers(1, 9))
def test_burst_by_its_formula(x, n_max, t_min, span):
    n, isi = math.ceil(x * n_max - 1e-6), math.ceil(span * (1 - x) + t_min - 1e-6)
    code = BurstInput(period=200.0, n_max=n_max, t_min=t_min, t_max=t_min + span)
    assert ticks(code, x) == [k * isi for k in range(n)]


# Codes of change; whole signals are in test_signal_codes.py.


@given(steps=st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_step_forward_moves_its_copy_by_one_threshold_a_sample(steps):
    up, down = encode(DeltaInput(polarity=(1, -1)), np.column_stack((steps, steps))).T
    copy = 0.0
    for x, rise, fall in zip(steps, up, down, strict=True):
        assert rise == (x - copy > 0.1 + 1e-12) or abs(x - copy - 0.1) < 1e-9
        assert fall == (copy - x > 0.1 + 1e-12) or abs(copy - x - 0.1) < 1e-9
        copy += 0.1 * (int(rise) - int(fall))


def test_changes_are_told_at_the_sample_that_saw_them():
    assert ticks(DeltaInput(period=5.0, threshold=0.3), 1.0, n_ticks=30) == [0, 5, 10]
    signal = np.where(np.arange(20) < 7, 0.0, 1.0)
    assert np.flatnonzero(encode(ContrastInput(period=5.0), signal)).tolist() == [10]


@given(samples=st.lists(st.floats(0, 1), min_size=1, max_size=12), threshold=st.floats(0.1, 0.6))
def test_send_on_delta_is_nearer_than_its_threshold_after_every_sample(samples, threshold):
    code = SendOnDeltaInput(threshold=threshold, polarity=(1, -1), start=0.5)
    signal = np.repeat(samples, 10)
    up, down = encode(code, np.column_stack((signal, signal))).T
    copy = 0.5 + threshold * np.cumsum(up.astype(int) - down)
    assert (np.abs(copy - signal)[9::10] < threshold + 1e-12).all()
    assert not (up & down).any()


def test_a_sample_that_crossed_more_than_fits_is_finished_in_the_next_frame():
    signal = np.full(20, 1.0)
    assert ticks(SendOnDeltaInput(period=4.0, threshold=0.125), 1.0, n_ticks=20) == list(range(8))
    signal[4:] = 0.25  # comes back before the rest was sent
    spikes = encode(SendOnDeltaInput(period=4.0, threshold=0.125, polarity=(1, -1)), np.column_stack((signal, signal)))
    assert spikes.sum(axis=0).tolist() == [4, 2]


def test_dvs_pixel_counts_contrast_steps():
    """[encoding.dvs_pixel]: ramp of the log intensity from 0 to 1, C .15 -> 6 ON."""
    intensity = np.exp(np.linspace(0, 1, 201) - 1)
    both = np.column_stack((intensity, intensity))
    assert encode(DVSInput(polarity=(1, -1), dark=1e-9), both).sum(axis=0).tolist() == [6, 0]
    assert encode(DVSInput(polarity=(1, -1), dark=1e-9), both[::-1]).sum(axis=0).tolist() == [0, 6]
    # The same contrast at a tenth of the light makes the same spikes, and steady light none.
    assert encode(DVSInput(dark=1e-9), intensity / 10).sum() == 6
    assert not encode(DVSInput(), np.full(100, 0.7)).any()


def test_temporal_contrast_marks_fast_changes():
    signal = np.array([0.5, 0.5, 0.7, 0.75, 0.75, 0.2])
    up, down = encode(ContrastInput(polarity=(1, -1)), np.column_stack((signal, signal))).T
    assert up.tolist() == [False, False, True, False, False, False]
    assert down.tolist() == [False] * 5 + [True]


# Given times.


def test_spike_times_fall_on_the_nearest_tick_in_order():
    code = SpikeTimesInput(times=((0.3, 2.0), (), [0.2]))
    assert code.lengths() == {"times": 3}
    at, channel = code.events(0.1)
    assert at.tolist() == [2, 3, 20]
    assert channel.tolist() == [2, 0, 0]
    assert [a.dtype for a in (at, channel)] == [np.int64, np.int32]
    assert code.events(1.0)[0].tolist() == [0, 0, 2]
    assert hash(code) == hash(SpikeTimesInput(times=((0.3, 2.0), (), (0.2,))))


# Every code.


@pytest.mark.parametrize("number", range(len(ALL)))
def test_whole_signals_and_single_channels_agree(number):
    code, rng = ALL[number], np.random.default_rng(number)
    signal = np.repeat(rng.random((30, 5)), 11, axis=0)
    signal[40:70, 2] = 0.0
    naive, found = NaiveCode(code, 5), np.zeros(signal.shape, bool)
    for tick, drive in enumerate(signal):
        for at, channel in naive.window(drive, 1):
            assert at == tick
            found[at, channel] = True
    assert found.any()
    np.testing.assert_array_equal(encode(code, signal), found)


@pytest.mark.parametrize("code", ALL, ids=lambda c: type(c).__name__)
def test_one_channel_of_many_is_the_channel_alone(code):
    if code.lengths() or isinstance(code, RankOrderInput):
        return
    x = np.random.default_rng(0).random((100, 3))
    both = encode(code, x)
    np.testing.assert_array_equal(encode(code, x[:, 1]), both[:, 1])


# Refusals.


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: LatencyInput(period=(50, 60)), "LatencyInput.period = .* one number for all channels"),
        (lambda: LatencyInput(period=0), "LatencyInput.period = 0: must be above 0"),
        (lambda: LatencyInput(t_max=50.0).coefficients(1.0), "t_max = 50.0: must lie at least one step before the end"),
        (lambda: LatencyInput(t_min=49.0).coefficients(1.0), "t_min = 49.0: must lie below t_max"),
        (lambda: LogLatencyInput(t_min=50.0).coefficients(1.0), "t_min = 50.0: must lie below period = 50.0"),
        (lambda: LIFLatencyInput(v_th=1.0), "v_th = 1.0: must be below 1"),
        (
            lambda: OscillationPhaseInput(frequency=30.0).coefficients(1.0),
            "frequency = 30.0: must have cycles of",
        ),
        (lambda: OscillationPhaseInput(period=30.0).coefficients(1.0), "period = 30.0: must be a whole number of cy"),
        (lambda: OscillationPhaseInput(frequency=(10, 20)), "frequency = .* one number"),
        (lambda: ISIInput(t_min=20.0), "t_min = 20.0: must lie below t_max = 20.0"),
        (lambda: ISIInput(t_min=0.5).coefficients(1.0), "t_min = 0.5: must be at least one step of dt = 1.0 ms"),
        (lambda: PhaseInput(bits=7.5), "bits = 7.5: must be one whole number"),
        (lambda: PhaseInput(period=50.0).coefficients(1.0), "period = 50.0: must give each of 8 bits a whole number"),
        (lambda: BurstInput(n_max=2.5), "n_max = 2.5: must be a whole number"),
        (lambda: BurstInput(t_max=2.0), "t_min = 2.0: must lie below t_max"),
        (lambda: BurstInput(t_min=0.5).coefficients(1.0), "t_min = 0.5: must be at least one step"),
        (lambda: BurstInput(period=18.0).coefficients(1.0), "period = 18.0: must hold a burst of 4 spikes"),
        (lambda: DeltaInput(polarity=0), "polarity = 0.0: must be"),
        (lambda: DeltaInput(threshold=-1), "threshold = -1: must be above 0"),
        (lambda: LatencyInput(period=0.35).frame_ticks(0.1), "a period of 0.35 ms is not a whole number of steps"),
        (lambda: SpikeTimesInput(times=((2.0, 1.0),)), r"times\[0\]: must be finite times >= 0 ms in rising order"),
        (lambda: SpikeTimesInput(times=((), (-1.0,))), r"times\[1\]"),
        (lambda: SpikeTimesInput(times=3), "must be a list of spike times per channel"),
        (lambda: SpikeTimesInput(times=((1.0, 1.2),)).events(1.0), "two spikes at 1 ms fall into one step of dt = 1"),
        (lambda: encode(CodedInput(), [1.0]), "a code needs a function emit"),
    ],
)
def test_what_codes_refuse(make, match):
    with pytest.raises(ConfigurationError, match=match):
        make()


def test_what_encode_refuses():
    with pytest.raises(ShapeError, match="must be finite numbers"):
        encode(LatencyInput(), [np.nan])
    with pytest.raises(ShapeError, match=r"ISIInput.t_min has 5 values for 1 channels"):
        encode(ALL[-1], np.zeros(3))


def test_a_code_of_ones_own_may_be_text():
    class Toggle(CodedInput):
        def functions(self):
            return {"emit": "def emit(k):\n    spike = k - 2.0 * floor(k / 2.0) == 1.0\n    return spike\n"}

    assert np.flatnonzero(encode(Toggle(), np.zeros(6))).tolist() == [1, 3, 5]
