"""The cuba_int kernel against a plain-Python oracle, and against vectors of the nengo-loihi emulator."""

import pathlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_loihi import accumulate, compartment, noise_value

from insectbot.chips import cuba_int
from insectbot.chips.datasheet import load
from insectbot.chips.registers import Noise, noise_registers, run_registers
from insectbot.core.random import stream_key
from insectbot.errors import ConfigurationError, ShapeError
from insectbot.randomness import draw

VECTORS = pathlib.Path(__file__).parent / "data" / "loihi_nengo_vectors.npz"
NOISE_VECTORS = VECTORS.with_name("loihi_nengo_noise.npz")
COUNTS = ("q_wraps", "u_wraps", "v_low", "v_high", "bias_wraps")


def integers(low, high):
    edges = st.sampled_from(sorted({low, min(low + 1, high), max(high - 1, low), high}))
    return st.one_of(st.integers(low, high), edges)


registers = st.fixed_dictionaries(
    {
        "decay_u": integers(0, 4095),
        "decay_v": integers(0, 4095),
        "bias_mant": st.one_of(st.just(0), integers(-4096, 4095)),
        "bias_exp": integers(0, 7),
        "vth_mant": st.one_of(integers(0, 131071), integers(0, 300)),
        "vmin_exp": integers(0, 31),
        "vmax_exp": integers(0, 7),
        "refract": integers(1, 63),
    }
)


def oracle(p, q, noise=None, to="v"):
    vmin = max(-(2 ** p["vmin_exp"]) + 1, -(2**23) + 1)
    vmax = 2 ** (9 + 2 * p["vmax_exp"]) - 1
    bias = p["bias_mant"] * 2 ** p["bias_exp"]
    return compartment(q, p["decay_u"], p["decay_v"], bias, p["vth_mant"] * 64, vmin, vmax, p["refract"], noise, to)


def check(result, column, trace, counts=None):
    for t, (u, v, spike) in enumerate(trace):
        assert (result.u[t, column], result.v[t, column], result.spikes[t, column]) == (u, v, spike), t
    if counts is not None:
        assert {k: getattr(result, k) for k in COUNTS} == counts


amounts = st.one_of(
    st.integers(-4000, 4000), st.integers(-(2**24), 2**24), st.sampled_from([2**21 - 1, 2**21, -(2**21)])
)


@settings(max_examples=400, deadline=None)
@given(registers, st.lists(amounts, min_size=1, max_size=80))
def test_compartment_equals_the_oracle(p, q):
    check(run_registers(**p, accumulator=np.array(q)[:, None]), 0, *oracle(p, q))


@settings(max_examples=200, deadline=None)
@given(
    registers, st.lists(amounts, min_size=1, max_size=60), integers(1, 23), integers(-64, 63),
    st.sampled_from("uv"), st.data(),
)  # fmt: skip
def test_noise_equals_the_oracle(p, q, exponent, offset, to, data):
    x = data.draw(st.lists(integers(-127, 127), min_size=len(q), max_size=len(q)))
    noise = Noise(np.array(x)[:, None], exponent, offset, to)
    found = run_registers(**p, accumulator=np.array(q)[:, None], noise=noise)
    check(found, 0, *oracle(p, q, [noise_value(n, exponent, offset) for n in x], to))


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 131071), st.integers(-2, 2), st.integers(0, 4095), st.integers(1, 63), st.integers(0, 62))
def test_thresholds_hit_exactly(mantissa, off, decay_v, refract, delay):
    """A charge that lands at, just below or just above the threshold, however late it comes, spikes only above."""
    charge = mantissa * 64 + off
    q = np.zeros((130, 1), np.int64)
    parts = [charge] if abs(charge) < 2**21 else [2**21 - 1] * (charge // (2**21 - 1)) + [charge % (2**21 - 1)]
    q[delay : delay + len(parts), 0] = parts
    p = {"decay_u": 4095, "decay_v": 0, "vth_mant": mantissa, "refract": refract}
    found = run_registers(**p, accumulator=q)
    assert found.spikes.any() == (off > 0)
    p |= {"bias_mant": 0, "bias_exp": 0, "vmin_exp": 23, "vmax_exp": 7, "decay_v": decay_v}
    check(run_registers(**p, accumulator=q), 0, *oracle(p, q[:, 0].tolist()))


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_many_compartments_do_not_mix(data):
    """17 and more neurons fill several blocks; every lane follows its own registers."""
    n = data.draw(st.sampled_from([1, 15, 16, 17, 33]))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    columns = [data.draw(registers) for _ in range(min(n, 3))]
    params = [columns[i % len(columns)] for i in range(n)]
    q = rng.integers(-(2**20), 2**20, (40, n))
    result = run_registers(**{k: [p[k] for p in params] for k in params[0]}, accumulator=q)
    for i, p in enumerate(params):
        check(result, i, oracle(p, q[:, i].tolist())[0])


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_synapses_delays_and_exponents(data):
    n, n_in, ticks = 3, 4, 140
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    weights = rng.integers(-256, 256, (n, n_in))
    weights[rng.random((n, n_in)) < 0.2] = 0
    exps = rng.integers(-7, 8, (n, n_in))
    delays = rng.choice([0, 1, 2, 30, 61, 62], (n, n_in))
    spikes = rng.random((ticks, n_in)) < 0.3
    latency = data.draw(st.sampled_from([0, 1]))
    p = data.draw(registers)
    result = run_registers(**p, weights=weights, weight_exp=exps, delays=delays, spikes=spikes, latency=latency)
    q = accumulate(ticks, n, weights.tolist(), exps.tolist(), delays.tolist(), spikes.tolist(), latency)
    totals = dict.fromkeys(COUNTS, 0)
    for i in range(n):
        trace, counts = oracle(p, [row[i] for row in q])
        check(result, i, trace)
        totals = {k: totals[k] + counts[k] for k in COUNTS}
    assert {k: getattr(result, k) for k in COUNTS} == totals


@pytest.mark.parametrize("delay", [0, 1, 30, 62])
@pytest.mark.parametrize("latency", [0, 1])
def test_delay_is_exact(delay, latency):
    spikes = np.zeros((70, 1), bool)
    spikes[3] = True
    r = run_registers(
        decay_u=4095, decay_v=0, vth_mant=131071, weights=[[1]], delays=delay, spikes=spikes, latency=latency
    )
    assert np.flatnonzero(r.u[:, 0]).tolist() == [3 + delay + latency]


def test_threshold_is_strict():
    """v equal to the threshold does not spike; one more does."""
    r = run_registers(decay_u=4095, decay_v=4095, vth_mant=[10, 10], accumulator=[[640, 641]])
    assert r.spikes.tolist() == [[False, True]]
    assert r.v.tolist() == [[640, 0]]


@pytest.mark.parametrize("refract", [1, 2, 5, 63])
def test_refractory_period(refract):
    """A neuron driven above threshold each tick fires every ``refract`` ticks: 1 means no pause."""
    q = np.full((200, 1), 1000)
    r = run_registers(decay_u=4095, decay_v=4095, vth_mant=1, refract=refract, accumulator=q)
    assert np.flatnonzero(r.spikes[:, 0]).tolist() == list(range(0, 200, refract))
    free = run_registers(decay_u=4095, decay_v=4095, vth_mant=1, refract=refract, accumulator=q, refractory_clamp=False)
    assert free.spikes.all()


def test_decay_truncates_toward_zero():
    """-1 decays to 0, not to -1 (floor would keep it for ever)."""
    r = run_registers(decay_u=0, decay_v=4095, vth_mant=131071, accumulator=[[-1, 1], [0, 0]])
    assert r.u.tolist() == [[-1, 1], [0, 0]]


def test_current_plus_bias_wraps_and_is_counted():
    """A current near 2^23 with a bias goes round to a large negative drive; the current itself does not."""
    q = np.array([[2**21 - 1]] * 3 + [[2**21 - 98], [0]])
    at = {"decay_u": 0, "decay_v": 4095, "vth_mant": 131071, "accumulator": q}
    plain, pushed = run_registers(**at), run_registers(**at, bias_mant=4095, bias_exp=7)
    np.testing.assert_array_equal(plain.u, pushed.u)
    assert plain.bias_wraps == 0
    over = plain.u + (4095 << 7) >= 2**23
    assert pushed.bias_wraps == over.sum() == 2
    assert pushed.v[4, 0] < 0 < plain.v[4, 0]


def test_u_wraps_and_v_saturates():
    q = np.full((8, 1), 2**21 - 1)
    r = run_registers(decay_u=0, decay_v=0, vth_mant=131071, accumulator=q)
    assert r.u_wraps > 0
    assert r.v.max() <= 2**23 - 1
    assert run_registers(decay_u=4095, decay_v=0, vth_mant=131071, accumulator=-q).v_low > 0


def test_widths_are_those_of_the_datasheet():
    sheet = load("loihi")
    assert 32 - sheet.int("neuron.accumulator") == cuba_int.Q_SHIFT
    assert 32 - sheet.int("neuron.u") == cuba_int.U_SHIFT
    assert 2 ** (sheet.int("neuron.v") - 1) - 1 == cuba_int.V_LIMIT
    assert sheet.int("neuron.decay") == cuba_int.DECAY_BITS
    assert sheet.int("delay.max") + 1 < cuba_int.DELAY_SLOTS
    assert sheet.int("weight.shift") == sheet.int("neuron.threshold_shift") == 6
    noise = [sheet.int(f"noise.{name}") for name in ("span", "offset_step", "shift")]
    assert noise == [cuba_int.NOISE_SPAN, cuba_int.OFFSET_STEP, cuba_int.NOISE_SHIFT]
    assert noise_registers(sheet.int("noise.exponent_max"), sheet.int("noise.offset_max"), "u") == (1, 23, 63)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"decay_u": 4096}, "decay_u = 4096 must lie in 0..4095"),
        ({"refract": 0}, "refract = 0 must lie in 1..63"),
        ({"refract": 64, "refractory_clamp": False}, "refract = 64"),
        ({"bias_mant": 4096}, "bias_mant = 4096 must lie in -4096..4095"),
        ({"vth_mant": 131072}, "vth_mant"),
        ({"vth_mant": 1.5}, "must be integers"),
        ({"vmax_exp": [1, 2, 3]}, "has shape (3,)"),
        ({"accumulator": [[2**30]]}, "below 2^30"),
        ({"noise": Noise([[128]])}, "noise = 128 must lie in -127..127"),
        ({"accumulator": None}, "give accumulator values"),
        ({"weights": [[256]], "spikes": [[1]]}, "weights = 256"),
        ({"weights": [[1]], "spikes": [[1]], "delays": 63}, "delays = 63 must lie in 0..62"),
        ({"weights": [[1]], "spikes": [[1, 0]]}, "must be [n, n_in]"),
        ({"weights": [[1]], "spikes": [[1], [1]]}, "accumulator has shape"),
        ({"weights": np.full((1, 1100), 255), "spikes": np.ones((1, 1100)), "weight_exp": 7}, "32-bit"),
    ],
)
def test_bad_values_are_named(change, message):
    good = {"decay_u": 0, "decay_v": 0, "vth_mant": 1, "accumulator": [[0]]}
    with pytest.raises(ShapeError) as error:
        run_registers(**(good | change))
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"exponent": 0}, "exponent = 0"),
        ({"exponent": 24}, "exponent = 24"),
        ({"offset": 64}, "offset = 64"),
        ({"to": "w"}, "to = 'w'"),
    ],
)
def test_bad_noise_registers_are_named(change, message):
    with pytest.raises(ConfigurationError, match=message):
        run_registers(decay_u=0, decay_v=0, vth_mant=1, accumulator=[[0]], noise=Noise([[1]], **change))


def test_vectors_of_nengo_loihi_with_noise():
    """Noise to u and to v, large biases: bit for bit nengo-loihi 1.1.0 (benchmarks/make_loihi_vectors.py)."""
    data, wraps = np.load(NOISE_VECTORS), 0
    fields = ("decay_u", "decay_v", "vth_mant", "bias_mant", "bias_exp", "vmin_exp", "vmax_exp", "refract")
    for number in range(8):
        case = {name: data[f"{number}/{name}"] for name in (*fields, "q", "u", "v", "spikes", "x", "case")}
        exponent, offset, at_membrane = case["case"].tolist()
        noise = Noise(case["x"], exponent, offset, "uv"[at_membrane])
        r = run_registers(**{name: case[name] for name in fields}, accumulator=case["q"], noise=noise)
        np.testing.assert_array_equal(r.u, case["u"])
        np.testing.assert_array_equal(r.v, case["v"])
        np.testing.assert_array_equal(r.spikes, case["spikes"])
        wraps += r.bias_wraps
    assert wraps > 100


def test_vectors_of_nengo_loihi():
    """Bit for bit what the emulator of nengo-loihi 1.1.0 computes (benchmarks/make_loihi_vectors.py)."""
    data = np.load(VECTORS)
    fields = ("decay_u", "decay_v", "vth_mant", "bias_mant", "bias_exp", "vmin_exp", "vmax_exp", "refract")
    r = run_registers(**{k: data[k] for k in fields}, accumulator=data["q"])
    np.testing.assert_array_equal(r.u, data["u"])
    np.testing.assert_array_equal(r.v, data["v"])
    np.testing.assert_array_equal(r.spikes, data["spikes"])
    assert r.spikes.sum() > 1000
    assert (r.q_wraps, r.u_wraps) == (int(data["q_wraps"]), int(data["u_wraps"]))
    assert min(r.q_wraps, r.u_wraps, r.v_low, r.v_high) > 10


@given(st.integers(1, 23), st.integers(-64, 63), st.integers(0, 2**40), st.sampled_from([1, 2]))
def test_drawn_noise_is_the_scaled_random_number(exponent, offset, tick, target):
    """What a network adds: x from the random bits of each unit, scaled, truncated; nothing in lanes without unit."""
    key, units = np.uint64(stream_key(tick, 3)), np.array([5, 6, 7, 900, -1, -1, 0, 1] * 2)
    push = np.zeros(2 * cuba_int.LANES, np.int32)
    cuba_int.draw_noise(tick, units, np.array([target, exponent, offset]), key, push)
    x = [int(draw(key, tick, u)) * 255 // 2**32 - 127 for u in units.tolist()]
    expected = [0 if u < 0 else noise_value(n, exponent, offset) for n, u in zip(x, units.tolist(), strict=True)]
    blocks = push.reshape(2, -1)
    assert blocks[target - 1].tolist() == expected
    assert not blocks[2 - target].any()
