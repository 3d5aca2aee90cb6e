"""The s16.15 arithmetic of SpiNNaker, bit for bit against plain Python, and its published constants."""

import math

import naive_spinnaker as naive
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insectbot.chips import s1615 as k
from insectbot.chips.spinnaker_replay import RANGES, run_accums
from insectbot.errors import ConfigurationError, ShapeError

ONE = 1 << 15
CHEAP = settings(max_examples=60, deadline=None)


def lif(tau_m=20.0, tau_syn=5.0, **other):
    keep = round(math.exp(-1 / tau_m) * ONE)
    decay = round(math.exp(-1 / tau_syn) * 2**32)
    init = round(tau_syn * -math.expm1(-1 / tau_syn) * 2**32)
    values = {
        "decay_exc": decay,
        "decay_inh": decay,
        "init_exc": init,
        "init_inh": init,
        "shift_exc": 3,
        "shift_inh": 4,
    }
    values |= {"r_membrane": round(2.5 * ONE), "exp_tc": keep, "v_rest": -65 * ONE, "v_thresh": -50 * ONE}
    return values | {"v_reset": -70 * ONE, "t_refract": 2, "v_min": k.INT_MIN, "i_offset": 0} | other


def same(spikes, synapses, parameters, v, slots=16, multiply="nearest"):
    """Assert that kernel and plain Python agree in every bit; return the trace."""
    n = len(v)
    half = 2**14 if multiply == "nearest" else 0
    neurons = [naive.Neuron(v[i], half, **{name: row[i] for name, row in parameters.items()}) for i in range(n)]
    rows, saturations = naive.run(spikes, synapses, neurons, slots)
    pre, post, weight, delay, kind = zip(*synapses, strict=True) if synapses else ([], [], [], [], [])
    trace = run_accums(
        spikes=np.array(spikes, bool), pre=np.array(pre, int), post=np.array(post, int), n=n, v=v, slots=slots,
        weight=np.array(weight, int), delay=np.array(delay, int),
        inhibitory=np.array([x == "inh" for x in kind], int), multiply=multiply, **parameters,
    )  # fmt: skip
    expected = np.array([[row[:3] for row in tick] for tick in rows], np.int64)
    for column, array in enumerate((trace.i_exc, trace.i_inh, trace.v)):
        np.testing.assert_array_equal(array, expected[:, :, column])
    np.testing.assert_array_equal(trace.spikes, [[row[3] for row in tick] for tick in rows])
    assert (trace.ring_saturations, trace.wraps) == (saturations, sum(x.wraps for x in neurons))
    return trace


@st.composite
def networks(draw):
    n, n_in, slots = draw(st.integers(1, 4)), draw(st.integers(1, 3)), draw(st.sampled_from([1, 4, 16]))
    parameters = {}
    for name, (low, high) in RANGES.items():
        if name in ("v_rest", "v_thresh", "v_reset", "i_offset", "v_min"):
            low, high = -(2 ** draw(st.integers(10, 31))), 2 ** draw(st.integers(10, 30))
        if name == "t_refract":
            high = 5
        parameters[name] = draw(st.lists(st.integers(low, high), min_size=n, max_size=n))
    one = st.tuples(
        st.integers(0, n_in + n - 1), st.integers(0, n - 1), st.integers(0, 65535), st.integers(1, slots),
        st.sampled_from(["exc", "inh"]),
    )  # fmt: skip
    synapses = draw(st.lists(one, max_size=12))
    spikes = draw(st.lists(st.lists(st.booleans(), min_size=n_in, max_size=n_in), min_size=1, max_size=30))
    v = draw(st.lists(st.integers(-(2**31), 2**31 - 1), min_size=n, max_size=n))
    return spikes, synapses, parameters, v, slots, draw(st.sampled_from(["nearest", "truncate"]))


@CHEAP
@given(networks())
def test_bit_exact_over_all_registers(case):
    same(*case)


@pytest.mark.parametrize("multiply", ["nearest", "truncate"])
def test_bit_exact_on_a_working_network(multiply):
    """Sixty neurons in their usual range: hundreds of spikes, no wraps, not one bit of difference."""
    rng = np.random.default_rng(4)
    n, n_in = 60, 20
    spikes = (rng.random((150, n_in)) < 0.1).tolist()
    synapses = [
        (int(a), int(b), int(w), int(d), "exc" if a < n_in or rng.random() < 0.7 else "inh")
        for a, b, w, d in zip(rng.integers(0, n_in + n, 900), rng.integers(0, n, 900), rng.integers(0, 20000, 900),
                              rng.integers(1, 17, 900), strict=True)
    ]  # fmt: skip
    parameters = {name: [value] * n for name, value in lif(i_offset=5 * ONE).items()}
    trace = same(spikes, synapses, parameters, [-65 * ONE] * n, multiply=multiply)
    assert trace.spikes.sum() > 100
    assert trace.wraps == 0


def one_neuron(spikes, weight=1000, delay=1, **other):
    return run_accums(spikes=np.array(spikes, bool)[:, None], pre=[0], post=[0], weight=weight, delay=delay, n=1,
                      v=-65 * ONE, **lif(**other))  # fmt: skip


def test_current_decays_by_truncation_and_starts_with_its_mean_over_the_tick():
    trace = one_neuron([1] + [0] * 30)
    init, decay = lif()["init_exc"], lif()["decay_exc"]
    expected, value = [0], (1000 << 3) * init >> 32
    for _ in range(30):
        expected.append(value)
        value = value * decay >> 32
    np.testing.assert_array_equal(trace.i_exc[:, 0], expected)
    assert init / 2**32 == pytest.approx(5 * (1 - math.exp(-0.2)))


def test_membrane_rounds_to_nearest_or_truncates():
    """With exp_tc = 1/2 and a gap of one step, nearest moves V by half a step up, and truncation by none or one."""
    values = {"v_rest": 1, "exp_tc": ONE // 2, "r_membrane": 0, "v_thresh": 100}
    for multiply, expected in (("nearest", 0), ("truncate", 1)):
        trace = run_accums(
            spikes=np.zeros((1, 1)), pre=[], post=[], weight=[], delay=[], n=1, multiply=multiply, **values
        )
        assert trace.v[0, 0] == expected


def test_ring_buffer_saturates_and_counts():
    trace = run_accums(spikes=np.ones((3, 3)), pre=[0, 1, 2], post=[0, 0, 0], weight=40000, delay=2, n=1)
    assert trace.ring_saturations == 6
    assert trace.i_exc[:, 0].tolist() == [0, 0, 65535]


@pytest.mark.parametrize("delay", [1, 7, 16])
def test_delay_is_exact_up_to_all_slots(delay):
    trace = one_neuron([1] + [0] * 20, delay=delay)
    assert np.flatnonzero(trace.i_exc[:, 0])[0] == delay


def test_refractory_neuron_holds_for_its_whole_time():
    trace = one_neuron([0] * 40, i_offset=100 * ONE, t_refract=3)
    ticks = np.flatnonzero(trace.spikes[:, 0])
    assert set(np.diff(ticks)) == {int(np.diff(ticks)[0])}
    assert (trace.v[ticks[0] : ticks[0] + 4, 0] == -70 * ONE).all()
    assert trace.v[ticks[0] + 4, 0] > -70 * ONE


def test_threshold_includes_equality():
    trace = run_accums(spikes=np.zeros((1, 1)), pre=[], post=[], weight=[], delay=[], n=2, v=[77, 77],
                       exp_tc=ONE, v_thresh=[77, 78])  # fmt: skip
    assert trace.spikes[0].tolist() == [True, False]


def test_wraps_are_counted_once_per_sum():
    trace = run_accums(spikes=np.zeros((1, 1)), pre=[], post=[], weight=[], delay=[], n=1,
                       i_offset=k.INT_MAX, r_membrane=4 * ONE)  # fmt: skip
    assert trace.wraps == 1


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ({"weight": 70000}, "weight = 70000"),
        ({"weight": 1.5}, "integers"),
        ({"delay": 0}, "delay = 0"),
        ({"delay": 17}, "delay = 17"),
        ({"decay_exc": 1 << 32}, "decay_exc"),
        ({"exp_tc": [1, 2]}, "exp_tc has shape"),
    ],
)
def test_values_out_of_range(wrong, word):
    call = {"spikes": np.zeros((1, 1)), "pre": [0], "post": [0], "weight": 1, "delay": 1, "n": 1}
    with pytest.raises(ShapeError, match=word):
        run_accums(**call | wrong)


@pytest.mark.parametrize(("name", "value"), [("multiply", "up"), ("slots", 12), ("gravity", 1)])
def test_unknown_words(name, value):
    call = {"spikes": np.zeros((1, 1)), "pre": [0], "post": [0], "weight": 1, "delay": 1, "n": 1}
    with pytest.raises(ConfigurationError, match=name):
        run_accums(**call | {name: value})
