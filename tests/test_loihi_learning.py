"""Loihi's learning engine against a plain-Python oracle, closed forms of its rules, and the microcode's limits."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_loihi_learning import Engine

from insectbot.chips import cuba_learn as k
from insectbot.chips.datasheet import load
from insectbot.chips.loihi_microcode import EXPONENTS, MOST_EPOCH, Microcode, Product, Trace
from insectbot.chips.loihi_plastic import STREAM
from insectbot.chips.loihi_replay import Host, run_learning
from insectbot.core.random import stream_key
from insectbot.errors import ConfigurationError, ShapeError

names = st.sampled_from(["x1", "x2", "y1", "y2", "y3", "w", "t", "c"])
factors = st.lists(st.tuples(names, st.integers(-128, 127)), max_size=3).map(tuple)
dependencies = st.sampled_from(["x0", "y0", "u0", "u1", "u3", "reward", "noise"])
products = st.builds(
    Product, st.sampled_from(["w", "t"]), dependencies, st.integers(-8, 7), st.integers(-8, 7), factors
)
traces = st.builds(Trace, st.integers(0, 127 * 256).map(lambda v: v / 256), st.floats(0.5, 50.0))
codes = st.builds(
    Microcode,
    st.lists(products, min_size=1, max_size=4).map(tuple),
    st.dictionaries(st.sampled_from(["x1", "x2", "y1", "y2", "y3"]), traces),
    st.sampled_from([1, 2, 3, 8, 63]),
    st.sampled_from(["stochastic", "nearest", "floor"]),
    st.booleans(),
)


@settings(max_examples=60, deadline=None)
@given(codes, st.integers(0, 2**32), st.sampled_from([(-256, 255, 0), (0, 255, 0), (-254, 0, 1), (-256, 254, 1)]))
def test_the_engine_equals_the_oracle(rule, seed, ends):
    rng = np.random.default_rng(seed)
    ticks, n_pre, n_post = 70, 3, 2
    pre, post = rng.random((ticks, n_pre)) < 0.3, rng.random((ticks, n_post)) < 0.3
    low, high, step = ends
    weights = rng.integers(low, high + 1, (n_post, n_pre)) >> step << step
    tags = rng.integers(-256, 256, (n_post, n_pre))
    rewards = np.where(rng.random(ticks) < 0.1, rng.integers(-127, 128, ticks), 0)
    noise = rng.integers(-127, 128, (ticks, n_post))
    bounds = (low // 2, high // 2)
    groups = None if rng.random() < 0.5 else rng.integers(0, 3, (n_post, n_pre))
    host = Host(rewards, noise, 5, bounds, groups)
    found = run_learning(rule, pre, post, weights, tags=tags, ends=(low, high), step=step, host=host, seed=seed)
    keys = [stream_key(seed, STREAM + i) for i in range(k.N_KEYS)]
    engine = Engine(rule, n_pre, n_post, weights, tags, low, high, step, keys)
    for t in range(ticks):
        if rewards[t]:
            engine.reward(t, int(rewards[t]), bounds, None if groups is None else groups.tolist())
        if t % 5 == 0:
            engine.host(t, "noise", 0, 0)
            for i in range(n_post):
                engine.y[i]["y2"], engine.y[i]["y3"] = max(int(noise[t, i]), 0), max(-int(noise[t, i]), 0)
        engine.tick(t, pre[t], post[t])
        assert found.weights[t].tolist() == engine.w
        assert found.tags[t].tolist() == engine.t
        assert found.x[t].T.tolist() == [list(x.values()) for x in engine.x]
        assert found.y[t].T.tolist() == [list(y.values()) for y in engine.y]
    assert (found.updates, found.tag_clips, found.trace_clips) == (engine.updates, engine.tag_clips, engine.trace_clips)


def pair(**options):
    return Microcode(
        (Product("w", "x0", -1, 3, (("y1", 0),)), Product("w", "y0", 1, 3, (("x1", 0),))),
        {"x1": Trace(16, 10.0), "y1": Trace(16, 20.0)},
        **options,
    )


def single(pre_at, post_at, rule, ticks=64, weight=100, **more):
    pre, post = np.zeros((ticks, 1), bool), np.zeros((ticks, 1), bool)
    pre[pre_at], post[post_at] = True, True
    return run_learning(rule, pre, post, [[weight]], **more)


@pytest.mark.parametrize("lag", [0, 1, 5, 12])
def test_a_pair_changes_the_weight_by_the_window(lag):
    """dw = 2^3 * trace / 2^7 on average: 16 exp(-lag / tau) / 16 units, up for pre first, down for post first."""
    for sign, tau, (a, b) in ((1, 10.0, (10, 10 + lag)), (-1, 20.0, (10 + lag, 10))):
        if sign < 0 and lag == 0:
            continue
        changes = [single(a, b, pair(), seed=s).weights[-1, 0, 0] - 100 for s in range(400)]
        assert np.mean(changes) == pytest.approx(sign * math.exp(-lag / tau), abs=0.12)


def test_on_a_tie_the_presynaptic_spike_comes_first():
    rule = Microcode(
        (Product("w", "x0", -4, 5, (("y1", 0),)), Product("w", "y0", 1, 7, (("x1", 0),))),
        {"x1": Trace(16, 10.0), "y1": Trace(16, 10.0)},
    )
    assert single(5, 5, rule).weights[-1, 0, 0] == 116
    assert single([5, 6], 5, rule).weights[-1, 0, 0] < 116


def test_an_epoch_keeps_the_time_of_the_last_spike_and_every_impulse():
    """Nearest rounding, no decay to speak of: two spikes add twice, one product with the last."""
    rule = Microcode(
        (Product("w", "x0", 1, 7, (("y1", 0),)),),
        {"x1": Trace(5, 1e9), "y1": Trace(3, 1e9)},
        t_epoch=8,
        rounding="nearest",
    )
    found = single([9, 13], [8, 10, 14], rule, weight=0)
    assert found.weights[7:16, 0, 0].tolist() == [0] * 8 + [6]
    assert found.x[15, 0, 0] == 10
    assert found.updates == 1


@pytest.mark.parametrize(("rounding", "expected"), [("nearest", 101), ("floor", 100)])
def test_rounding_of_weights(rounding, expected):
    """64 / 128 of a unit."""
    rule = Microcode((Product("w", "x0", 1, 0, (("c", 64),)),), rounding=rounding)
    assert single(3, [], rule).weights[-1, 0, 0] == expected
    stochastic = Microcode(rule.products)
    mean = np.mean([single(3, [], stochastic, seed=s).weights[-1, 0, 0] for s in range(600)])
    assert mean == pytest.approx(100.5, abs=0.07)


def test_traces_decay_as_the_exponential_on_average():
    rule = Microcode((), {"x1": Trace(100, 15.0)})
    pre = np.zeros((40, 500), bool)
    pre[0] = True
    x = run_learning(rule, pre, np.zeros((40, 1)), np.zeros((1, 500), int)).x[:, 0].mean(axis=1)
    np.testing.assert_allclose(x, 100 * np.exp(-np.arange(40) / 15.0), atol=0.6)
    floor = run_learning(
        Microcode((), {"x1": Trace(100, 15.0)}, rounding="floor"), pre, np.zeros((40, 1)), np.zeros((1, 500), int)
    )
    assert floor.x[-1, 0, 0] == 0


def test_traces_saturate_and_are_counted():
    many = single(list(range(40)), [], pair())
    assert many.x.max() == 127
    assert many.trace_clips > 0
    assert single(list(range(40)), [], pair(nearest=True)).trace_clips == 0


@pytest.mark.parametrize("rounding", ["floor", "nearest"])
def test_tags_saturate_at_nine_bits(rounding):
    rule = Microcode((Product("t", "x0", 1, 7, (("c", 100),)),), rounding=rounding)
    found = single(list(range(4)), [], rule)
    assert found.tags[:4, 0, 0].tolist() == [100, 200, 255, 255]
    assert found.tag_clips == 2


def test_products_shift_before_they_scale():
    """7 + 9 + 4 bits: shifted right by 5 (floor), then left; the accumulator ends at 2^15 - 1."""
    table = Microcode((Product("w", "reward", 4, 2, (("t", 0), ("y2", 0))),)).table
    values = np.zeros(8, np.int64)
    for t, y, expected in ((45, 8, 180), (45, 7, (45 * 7 * 4 >> 5) << 2), (-1, 1, -4), (255, 127, 16192)):
        values[k.TAG], values[k.Y2] = t, y
        assert k.product(table, 0, values) == expected
    table[0, k.EXPONENT] = 7
    assert k.product(table, 0, values) == 2**15 - 1


def test_u_products_come_every_2_to_the_k_epochs():
    rule = Microcode((Product("w", "u2", 1, 0, (("c", 127),)), Product("w", "u2", 1, 0, (("c", 1),))), t_epoch=3)
    w = single([], [], rule, weight=0).weights[:, 0, 0]
    assert np.flatnonzero(np.diff(w, prepend=0)).tolist() == [11, 23, 35, 47, 59]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"target": "d"}, "target 'd'"),
        ({"dependency": "z0"}, "dependency 'z0'"),
        ({"dependency": "u10"}, "dependency 'u10'"),
        ({"mantissa": 8}, "mantissa 8"),
        ({"exponent": -9}, "exponent -9"),
        ({"factors": (("q", 0),)}, "factor 'q'"),
        ({"factors": (("c", 128),)}, "constant 128"),
        ({"factors": (("c", 1),) * 4}, "4 factors"),
    ],
)
def test_the_microcode_refuses_what_it_cannot_say(change, message):
    good = {"target": "w", "dependency": "x0", "mantissa": 1, "exponent": 0, "factors": (("y1", 0),)}
    with pytest.raises(ConfigurationError, match="does not exist in the microcode") as error:
        Product(**(good | change))
    assert message in str(error.value)


def test_bad_rules_and_vectors_are_named():
    for arguments, message in (({"t_epoch": 64}, "t_epoch = 64"), ({"rounding": "up"}, "rounding = 'up'")):
        with pytest.raises(ConfigurationError, match=message):
            Microcode((), **arguments)
    with pytest.raises(ConfigurationError, match="trace 'z1'"):
        Microcode((), {"z1": Trace()})
    with pytest.raises(ConfigurationError, match="impulse = 128"):
        Trace(128)
    spikes = np.zeros((4, 1), bool)
    for change, message in (
        ({"weights": [[256]]}, "weights must be integers -256..255"),
        ({"weights": [[3]], "step": 1}, "multiples of 2"),
        ({"weights": [[1, 2]]}, "must be .ticks, n."),
        ({"host": Host(rewards=[128] * 4)}, "rewards must be integers -127..127"),
        ({"ends": (1, 255)}, "ends 1, 255"),
        ({"host": Host(noise=np.zeros((4, 2), int))}, "noise .ticks, n_post."),
    ):
        with pytest.raises(ShapeError, match=message):
            run_learning(pair(), spikes, spikes, **({"weights": [[1]]} | change))


def test_widths_are_those_of_the_datasheet():
    sheet = load("loihi")
    widths = {"trace": k.TRACE_BITS, "tag": k.SYNAPSE_BITS, "weight": k.SYNAPSE_BITS, "constant": k.CONSTANT_BITS}
    widths |= {"mantissa": k.MANTISSA_BITS, "accumulator": k.ACCUMULATOR_BITS, "impulse_fraction": k.IMPULSE_BITS}
    widths |= {"decay_fraction": k.KEEP_BITS, "epoch_max": MOST_EPOCH, "exponent_max": EXPONENTS[1]}
    widths |= {"factors": k.MOST_FACTORS}
    assert {name: sheet.int(f"learning.{name}") for name in widths} == widths
