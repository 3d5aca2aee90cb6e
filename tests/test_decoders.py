"""Decoders: the numbers of models sheet B, and round trips through every code within its bound."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from naive_codes import decoded, readouts

from insectbot.controllers.decoders import (
    BurstDecoder,
    Decoder,
    DeltaDecoder,
    FilteredRateDecoder,
    FirstSpikeDecoder,
    GaussianReceptiveFieldDecoder,
    ISIDecoder,
    LeastSquaresDecoder,
    PhaseDecoder,
    PopulationVectorDecoder,
    RankOrderDecoder,
    RateDecoder,
)
from insectbot.controllers.encoders import ChannelEncoder, GaussianReceptiveFieldEncoder
from insectbot.controllers.tuning import LIFTuning, field_centres, field_width, gaussian_fields, least_squares_weights
from insectbot.errors import ConfigurationError, ShapeError
from insectbot.protocols import Readout
from insectbot.snn.codes import (
    BurstInput,
    DeltaInput,
    ISIInput,
    LatencyInput,
    LIFLatencyInput,
    LogLatencyInput,
    OscillationPhaseInput,
    PhaseInput,
    RankOrderInput,
    SendOnDeltaInput,
)
from insectbot.snn.encode import encode

drives = st.floats(0, 1)
steps = st.sampled_from([1.0, 0.5, 0.1])


def said(decoder, code, x, window=None, dt=1.0, frames=2):
    """Return what a decoder says at the end of each window about steady drives x that a code tells."""
    x, ticks = np.atleast_1d(x), code.frame_ticks(dt)
    return decoded(decoder, encode(code, np.tile(x, (frames * ticks, 1)), dt), window or ticks, dt)


def counted(values):
    values = np.asarray(values)
    return Readout(values, np.where(values > 0, 0, -1), np.full(values.shape, -1))


# Round trips, each within the bound its code names.


@given(x=drives, dt=steps, window=st.sampled_from([1, 5, 25, 50, 100]))
def test_linear_latency(x, dt, window):
    code = LatencyInput(period=50 * dt)
    said_x = said(FirstSpikeDecoder(1, code, dt), code, x, window, dt)[-1, 0]
    assert abs(said_x - x) <= 0.5 / 49 + 1e-9
    assert said_x == 0.0 or x > 0.0


@given(x=drives, dt=steps)
def test_logarithmic_latency(x, dt):
    code = LogLatencyInput()
    said_x = said(FirstSpikeDecoder(1, code, dt), code, x, dt=dt)[-1, 0]
    silent = math.exp(-(50 - dt / 2) / 10)
    assert abs(said_x - x) <= (x * math.expm1(dt / 20) + 1e-9 if x > silent * (1 + 1e-9) else silent * 1.01)


@given(x=drives, dt=steps)
def test_latency_through_a_leaky_neuron(x, dt):
    code = LIFLatencyInput()
    said_x = said(FirstSpikeDecoder(1, code, dt), code, x, dt=dt)[-1, 0]
    low, high = code.value(code.latency(x) + dt / 2), code.value(np.maximum(code.latency(x) - dt / 2, 0))
    silent = code.value(50 - dt / 2)
    assert low - 1e-9 <= said_x <= high + 1e-9 or (said_x == 0.0 and x <= silent + 1e-9)


@given(x=drives, dt=steps, window=st.sampled_from([1, 5, 25, 50]))
def test_phase_of_an_oscillation(x, dt, window):
    code = OscillationPhaseInput(frequency=40 / dt, period=50 * dt)
    assert abs(said(FirstSpikeDecoder(1, code, dt), code, x, window, dt)[-1, 0] - x) <= 0.5 / 25 + 1e-9


@given(x=st.floats(0.0, 1.0), dt=steps)
def test_intervals(x, dt):
    code = ISIInput()
    assert abs(said(ISIDecoder(1, code, dt), code, x, dt=dt)[-1, 0] - x) <= dt / 2 / 18 + 1e-9


@given(x=drives, bits=st.sampled_from([1, 4, 8]), window=st.sampled_from([1, 2, 4]))
def test_weighted_spikes(x, bits, window):
    code = PhaseInput(period=4.0 * bits, bits=bits)
    error = x - said(PhaseDecoder(1, code), code, x, window)[-1, 0]
    assert error >= 0
    assert error < 2.0**-bits or x == 1.0


@given(x=drives, dt=steps, window=st.sampled_from([5, 10, 50]), n_max=st.sampled_from([1, 3, 5]))
def test_bursts(x, dt, window, n_max):
    code = BurstInput(period=50 * dt, t_min=2 * dt, t_max=10 * dt, n_max=n_max)
    said_x = said(BurstDecoder(1, code, dt), code, x, window, dt)[-1, 0]
    bound = min(0.5 / n_max, 0.5 / 8) if x > 1 / n_max + 1e-5 else 0.5 / n_max
    assert abs(said_x - x) <= bound + 1e-5


@given(x=st.lists(drives, min_size=1, max_size=8, unique=True), window=st.sampled_from([1, 10, 50]))
def test_rank_order(x, window):
    code, x = RankOrderInput(), np.array(x)
    values = said(RankOrderDecoder(len(x), code), code, x, window)[-1]
    expected = 0.9 ** np.argsort(np.argsort(-x))
    assert values == pytest.approx(np.where(x > 0, expected, 0.0))


def test_rank_order_breaks_ties_by_index():
    spikes = np.zeros((50, 3), bool)
    spikes[[4, 2, 2], [0, 1, 2]] = True
    assert decoded(RankOrderDecoder(3, RankOrderInput()), spikes, 50)[0] == pytest.approx([0.81, 1.0, 0.9])


@given(x=st.lists(drives, min_size=1, max_size=5))
def test_steps(x):
    x = np.array(x)
    for code in (
        SendOnDeltaInput(polarity=(1,) * len(x) + (-1,) * len(x)),
        DeltaInput(polarity=(1,) * len(x) + (-1,) * len(x)),
    ):
        signal = np.repeat([np.tile(x, 2), np.tile(1 - x, 2)], 20, axis=0)
        values = decoded(DeltaDecoder(2 * len(x)), encode(code, signal), 20)
        assert np.abs(values - [x, 1 - x]).max() <= 0.1 + 1e-9


@given(x=drives, rate=st.floats(20, 200))
def test_counts_of_regular_spikes(x, rate):
    """[encoding.rate_regular]: error <= 1 / (T f_max)."""
    spikes = np.diff(np.floor(np.arange(501) * x * rate / 1000)) > 0
    assert abs(decoded(RateDecoder(1, rate), spikes[:, None], 500)[0, 0] - x) <= 1 / (0.5 * rate) + 1e-9


def test_a_filtered_rate_is_the_exponential_filter():
    """[encoding.exp_filter_decode]: 40 Hz, tau 50 -> 50.83 Hz just after, 30.83 just before a spike."""
    spikes = np.arange(50001) % 250 == 0
    rates = decoded(FilteredRateDecoder(1, tau=50.0), spikes[:, None], 1, 0.1)[:, 0] / 0.05
    assert rates[50000] == pytest.approx(50.83, rel=2e-3)
    assert rates[49999] == pytest.approx(30.83, rel=2e-3)


# How decoders behave in the loop.


def test_a_value_is_there_with_its_spike_and_a_silent_frame_says_0():
    code, spikes = LatencyInput(period=20.0), np.zeros((60, 1), bool)
    spikes[[4, 6, 45]] = True  # a neuron may spike on: only the first counts
    values = decoded(FirstSpikeDecoder(1, code), spikes, 10)[:, 0]
    assert values == pytest.approx([15 / 19, 15 / 19, 15 / 19, 0.0, 14 / 19, 14 / 19])
    assert decoded(FirstSpikeDecoder(1, code), spikes, 40)[0, 0] == pytest.approx(15 / 19)
    late = np.roll(spikes, 3, axis=0)
    assert decoded(FirstSpikeDecoder(1, code, delay=3.0), late, 10)[:, 0] == pytest.approx(values)


def test_an_interval_decoder_hears_silence():
    spikes = np.zeros((100, 1), bool)
    spikes[[1, 5]] = True
    values = decoded(ISIDecoder(1, ISIInput()), spikes, 10)[:, 0]
    assert values[0] == pytest.approx(16 / 18)
    assert np.all(np.diff(values) <= 0)
    assert values[-1] == 0.0
    assert decoded(ISIDecoder(1, ISIInput()), spikes[:, :1] & False, 10)[-1, 0] == 0.0


def test_action_is_the_value_with_gain_and_offset_and_saturates():
    decoder = RateDecoder(3, rate=100.0, gain=-2.0, offset=0.5)
    decoder.set_window(50.0)
    action = decoder(counted([0, 2, 9]))
    assert action.dtype == np.float32
    assert action == pytest.approx([0.5, -0.3, -1.0])


STATEFUL = {
    "first spike": lambda: FirstSpikeDecoder(3, LatencyInput(period=20.0)),
    "rank": lambda: RankOrderDecoder(3, RankOrderInput(period=20.0)),
    "isi": lambda: ISIDecoder(3, ISIInput()),
    "phase": lambda: PhaseDecoder(3, PhaseInput(period=30.0, bits=3)),
    "burst": lambda: BurstDecoder(3, BurstInput(period=20.0)),
    "filtered": lambda: FilteredRateDecoder(3),
    "fields": lambda: GaussianReceptiveFieldDecoder(FilteredRateDecoder(3), 3),
    "vector": lambda: PopulationVectorDecoder(FirstSpikeDecoder(3, LatencyInput(period=20.0))),
    "weights": lambda: LeastSquaresDecoder(FilteredRateDecoder(3), [0.01, 0.02, 0.03]),
}


@pytest.mark.parametrize("name", STATEFUL)
def test_state_round_trips_and_reset_forgets(name):
    spikes = np.random.default_rng(5).random((400, 3)) < 0.1
    whole, first, second = (STATEFUL[name]() for _ in range(3))
    for decoder in (whole, first, second):
        decoder.set_window(5.0)
    actions = [whole(r).copy() for r in readouts(spikes, 5)]
    assert len({tuple(a) for a in actions}) > 3
    windows = list(readouts(spikes, 5))
    for k, readout in enumerate(windows):
        decoder = first if k < 37 else second
        if k == 37:
            state = first.state()
            first(windows[0])  # goes its own way, without touching the state it gave
            second.load_state(state)
        np.testing.assert_array_equal(decoder(readout), actions[k])
    second.reset()
    for readout, action in zip(readouts(spikes, 5), actions, strict=True):
        np.testing.assert_array_equal(second(readout), action)


# Populations.


def test_receptive_fields_of_bohte():
    """[encoding.grf_bohte2002]: m = 8, x = .3: 3rd unit t .96293 -> 1, 4th 4.23771 -> 4, others silent."""
    encoder = GaussianReceptiveFieldEncoder(1, constants=(1.0,))
    assert encoder.centres[[0, 2, 7]] == pytest.approx([-1 / 12, 0.25, 13 / 12])
    drive = encoder([0.3])
    assert drive.shape == (9,)
    assert drive[8] == 1.0
    assert 10 * (1 - drive[2:4]) == pytest.approx([0.96293, 4.23771], abs=2e-5)
    spikes = encode(LatencyInput(period=11.0), np.tile(GaussianReceptiveFieldEncoder(1, cutoff=0.15)([0.3]), (11, 1)))
    assert [np.flatnonzero(s).tolist() for s in spikes.T] == [[], [], [1], [4], [], [], [], []]


def test_weighted_mean_of_receptive_fields():
    """[encoding.grf_bohte2002]: decode rmse .00723 rounded, .00305 exact times (201 values from 0 to 1)."""
    x = np.linspace(0, 1, 201)
    code, encoder = LatencyInput(period=11.0), GaussianReceptiveFieldEncoder(1, cutoff=0.15)
    decoder = GaussianReceptiveFieldDecoder(FirstSpikeDecoder(8, code))
    values = [said(decoder, code, encoder([value]), frames=1)[-1, 0] for value in x]
    assert np.sqrt(np.mean((values - x) ** 2)) == pytest.approx(0.00723, abs=5e-6)
    exact = gaussian_fields(x, field_centres(8), field_width(8))
    mean = exact @ field_centres(8) / exact.sum(axis=1)
    assert np.sqrt(np.mean((mean - x) ** 2)) == pytest.approx(0.00305, abs=5e-6)


def test_receptive_fields_of_several_channels_keep_their_value_in_silence():
    decoder = GaussianReceptiveFieldDecoder(RateDecoder(8), 4, low=-2.0, high=2.0)
    decoder.set_window(100.0)
    assert decoder.values(counted([0] * 8)).tolist() == [0.0, 0.0]
    centres = field_centres(4, -2.0, 2.0)
    assert decoder.values(counted([0, 0, 3, 0, 1, 1, 0, 0])) == pytest.approx([centres[2], centres[:2].mean()])
    assert decoder.values(counted([0] * 8)) == pytest.approx([centres[2], centres[:2].mean()])


class Fixed(Decoder):
    """A unit decoder that says what it is told, to test populations without spikes."""

    told = None

    def values(self, readout):
        return self.told


def vector(rates):
    units = Fixed(len(rates))
    units.told = np.array(rates)
    decoder = PopulationVectorDecoder(units)
    return decoder, decoder.values(counted([0] * len(rates)))


@given(angle=st.floats(-3.1, 3.1), n=st.integers(3, 9))
def test_population_vector_is_exact_for_cosine_tuning(angle, n):
    """[encoding.population_vector]: exact for cosine tuning, n >= 3; half-rectified exact for even n."""
    tuning = np.cos(angle - 2 * np.pi * np.arange(n) / n)
    decoder, values = vector(0.4 + tuning)
    assert values == pytest.approx([math.cos(angle), math.sin(angle)], abs=1e-9)
    assert decoder.angle == pytest.approx(angle, abs=1e-9)
    if n % 2 == 0:
        decoder, values = vector(np.maximum(tuning, 0.0))
        assert values == pytest.approx([math.cos(angle) / 2, math.sin(angle) / 2], abs=1e-9)


def test_population_vector_of_five_rectified_units():
    """[encoding.population_vector]: half-rectified, n = 5 gives .4392 for .3."""
    decoder, _ = vector(np.maximum(np.cos(0.3 - 2 * np.pi * np.arange(5) / 5), 0.0))
    assert decoder.angle == pytest.approx(0.4392, abs=5e-5)


X = np.linspace(-1, 1, 1000)


def static_error(n, seed, target):
    rates = LIFTuning.random(n, seed=seed).rates(X)
    return np.sqrt(np.mean((rates @ least_squares_weights(rates, target) - target) ** 2))


@pytest.mark.parametrize(
    ("n", "target", "oracle"),
    [
        (10, X, 0.0270),
        (20, X, 0.0203),
        (50, X, 0.00712),
        (100, X, 0.00455),
        (200, X, 0.00304),
        (10, X**2, 0.0541),
        (200, X**2, 0.0069),
        (10, np.sin(np.pi * X), 0.181),
        (200, np.sin(np.pi * X), 0.0144),
    ],
)
def test_least_squares_decoding(n, target, oracle):
    """[encoding.nef_lsq]: rmse of identity, square and sine; its population was drawn once: medians, factor 2."""
    assert 0.5 < np.median([static_error(n, seed, target) for seed in range(12)]) / oracle < 2


def test_static_noise_falls_about_as_one_over_n():
    errors = [np.median([static_error(n, seed, X) for seed in range(12)]) for n in (20, 200)]
    assert 5 < errors[0] / errors[1] < 20


def test_lif_tuning_meets_its_peak_and_intercept():
    tuning = LIFTuning.random(30, 2, seed=3)
    top = np.array([tuning.rates(e)[0, i] for i, e in enumerate(tuning.encoders)])
    assert np.all((top >= 100) & (top <= 200))
    zero = (1 - tuning.bias) / tuning.gain
    assert np.all((zero >= -1) & (zero <= 0.95))
    assert all(
        tuning.rates(e * (z - 1e-9))[0, i] == 0 for i, (e, z) in enumerate(zip(tuning.encoders, zero, strict=True))
    )
    one = LIFTuning(np.ones((1, 1)), np.array([2.0]), np.array([1.0]))
    assert one.rates(0.5)[0, 0] == pytest.approx(1000 / (2 + 20 * math.log(2)))


@pytest.mark.parametrize("units", [RateDecoder(40, rate=50.0), FilteredRateDecoder(40, tau=100.0)])
def test_least_squares_weights_fit_what_their_units_say(units):
    tuning = LIFTuning.random(40, seed=1)
    decoder = LeastSquaresDecoder.fit(units, tuning.rates(X), np.column_stack((X, X**2)))
    decoder.set_window(100.0)
    per_window = tuning.rates(0.5)[0] / 10
    for _ in range(60):
        values = decoder.values(counted(per_window))
    assert values == pytest.approx([0.5, 0.25], abs=0.05)
    assert decoder(counted(per_window)).shape == (2,)


# Encoders.


def test_channels_may_be_repeated():
    encoder = ChannelEncoder(2, constants=(0.5,), copies=2)
    assert encoder.n_inputs == 5
    assert encoder([0.25, 0.75, 9.0]).tolist() == [0.25, 0.75, 0.25, 0.75, 0.5]


@pytest.mark.parametrize(
    ("make", "error", "match"),
    [
        (lambda: ChannelEncoder(1, copies=0), ConfigurationError, "copies = 0 at least 1"),
        (lambda: GaussianReceptiveFieldEncoder(1, 2), ConfigurationError, "2 from 0.0 to 1.0, must be 3 or more"),
        (lambda: GaussianReceptiveFieldEncoder(0), ConfigurationError, "channels = 0, must be at least 1"),
        (lambda: GaussianReceptiveFieldEncoder(2)([0.1]), ShapeError, "vector of at least 2 numbers"),
        (lambda: RateDecoder(0), ConfigurationError, "RateDecoder.n = 0: must be above 0"),
        (lambda: RateDecoder(2)(counted([1])), ShapeError, "a readout of 1 neurons, must be 2"),
        (lambda: FilteredRateDecoder(2)(counted([1])), ShapeError, "a readout of 1 neurons, must be 2"),
        (lambda: FirstSpikeDecoder(1, LatencyInput()).set_window(20.0), ConfigurationError, "frame of 50 ms cannot"),
        (lambda: FirstSpikeDecoder(1, LatencyInput()).set_window(0.5), ConfigurationError, "not a whole number"),
        (lambda: PhaseDecoder(1, PhaseInput()).set_window(40.0), ConfigurationError, "frame of 5 ms cannot be read"),
        (lambda: BurstDecoder(1, BurstInput()).set_window(100.0), ConfigurationError, "cannot be read in windows of"),
        (lambda: RankOrderDecoder(1, RankOrderInput(), factor=1.0), ConfigurationError, "factor = 1.0, must lie in"),
        (lambda: DeltaDecoder(3), ConfigurationError, "n = 3, must be even"),
        (lambda: GaussianReceptiveFieldDecoder(RateDecoder(9)), ConfigurationError, "not a whole number of 8 fields"),
        (lambda: PopulationVectorDecoder(RateDecoder(3), [0.0]), ShapeError, r"must be \(3,\)"),
        (lambda: LeastSquaresDecoder(RateDecoder(2), [1.0]), ShapeError, "must be 2 rows of numbers"),
        (lambda: least_squares_weights([[1.0]], [1.0, 2.0]), ShapeError, "must have a row per point"),
        (lambda: least_squares_weights([[0.0]], [1.0]), ConfigurationError, "no unit is active"),
        (lambda: LIFTuning.random(3, max_rate=(100, 500)), ConfigurationError, "must lie below"),
    ],
)
def test_what_they_refuse(make, error, match):
    with pytest.raises(error, match=match):
        make()
