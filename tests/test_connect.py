"""Connection rules: against plain Python, by their statistics, in parts, and in memory."""

from __future__ import annotations

import ast
import pickle
import subprocess
import sys
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from statistics import NormalDist

import naive_wiring
import numpy as np
import pytest
from helpers_connect import DELAYS, DT, KERNEL, PLANE, RULES, WEIGHTS, connect, rows, sized, table
from hypothesis import given, settings
from hypothesis import strategies as st

from insectbot import jit, randomness
from insectbot.errors import ShapeError
from insectbot.snn import (
    AllToAll,
    Constant,
    Convolution,
    DistanceDependent,
    FixedInDegree,
    FixedNumber,
    FixedOutDegree,
    FixedProbability,
    Input,
    Network,
    Normal,
    PoissonInput,
    Population,
    Projection,
    Uniform,
    wiring,
)
from insectbot.snn.wiring_kernels import quantile


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("law", WEIGHTS)
def test_rows_equal_plain_python(name, law):
    weight = None if isinstance(RULES[name], Convolution) else WEIGHTS[law]
    p = sized(RULES[name], weight=weight, delay=DELAYS[law], seed=7)
    found, wanted = table(rows(p, float64=True)), naive_wiring.synapses(p.synapses, DT)
    assert [tuple(map(int, s)) for s in zip(*found[:3], strict=True)] == [s[:3] for s in wanted]
    np.testing.assert_allclose(found[3], [s[3] for s in wanted], rtol=0, atol=1e-7)
    assert p.n_synapses == len(wanted)


@pytest.mark.parametrize("name", RULES)
def test_lists_equal_rows(name):
    p = sized(RULES[name], delay=DELAYS["uniform"]).on_grid(DT)
    lists = (p.pre, np.rint(p.delay / DT), p.post, p.weight)
    for listed, row in zip(lists, table(rows(p)), strict=True):
        np.testing.assert_array_equal(listed, row)
    assert [a.dtype for a in (p.pre, p.post, p.weight, p.delay)] == [np.int32, np.int32, np.float32, np.float64]
    assert not p.weight.flags.writeable
    copy = Projection.sparse("a", "b", pre=p.pre, post=p.post, weight=p.weight, delay=p.delay)
    again = wiring.rows(copy, p.synapses.n_source, p.synapses.n_target, DT)
    for field, other in zip(vars(rows(p)).values(), vars(again).values(), strict=True):
        np.testing.assert_array_equal(field, other)
        assert field.dtype == other.dtype


@pytest.mark.parametrize("listed", [False, True])
@pytest.mark.parametrize("name", RULES)
def test_parts_of_the_targets_are_parts_of_the_whole(name, listed):
    p = sized(RULES[name], delay=DELAYS["normal"]).on_grid(DT)
    groups = p.synapses.n_source, p.synapses.n_target
    if listed:
        p = p.with_weights(p.weight)
    edges = [0, groups[1] // 3, groups[1] // 2, groups[1]]
    parts = [table(wiring.rows(p, *groups, DT, low=a, high=b), a) for a, b in pairwise(edges)]
    whole = table(wiring.rows(p, *groups, DT))
    joined = [np.concatenate(columns) for columns in zip(*parts, strict=True)]
    order = np.lexsort(joined[2::-1])
    for part, all_of_it in zip(joined, whole, strict=True):
        np.testing.assert_array_equal(part[order], all_of_it)


def test_threads_draw_the_same():
    p = connect(FixedInDegree(200), 1000, 400, weight=Normal(1, 0.1))
    with ThreadPoolExecutor(2) as pool:
        halves = list(pool.map(lambda low: rows(p, low=low, high=low + 200), (0, 200)))
    for low, half in zip((0, 200), halves, strict=True):
        kept = (p.post >= low) & (p.post < low + 200)
        np.testing.assert_array_equal(table(half, low)[2], p.post[kept])
        np.testing.assert_array_equal(half.weight, p.weight[kept])


def test_types_of_rows():
    p = connect(FixedInDegree(3), 5, 70_000)
    with pytest.raises(ShapeError, match="70000 targets exceed 65536, ask for wide ones"):
        rows(p)
    wide, part = rows(p, wide=True, float64=True), rows(p, low=65_000, high=70_000)
    assert (wide.target.dtype, wide.weight.dtype) == (np.int32, np.float64)
    assert (part.target.dtype, part.weight.dtype) == (np.uint16, np.float32)
    assert {a.dtype for a in (wide.segment, wide.start, wide.delay)} == {np.dtype(np.int64)}
    np.testing.assert_array_equal(
        np.sort(wide.target[wide.target >= 65_000]), np.sort(part.target.astype(int)) + 65_000
    )
    np.testing.assert_array_equal(p.post, wide.target)


COUNTS = st.integers(1, 20)


@settings(max_examples=150)
@given(st.data(), COUNTS, COUNTS, st.booleans(), st.booleans(), st.integers(-(2**70), 2**70))
def test_degrees_are_as_asked(data, n_source, n_target, recurrent, others, seed):
    n_target = n_source if recurrent else n_target
    alone = recurrent and others
    by_source = data.draw(st.booleans())
    pool = (n_target if by_source else n_source) - alone
    multapses = data.draw(st.booleans()) and pool > 0
    k = data.draw(st.integers(0, 50 if multapses else pool))
    rule = (FixedOutDegree if by_source else FixedInDegree)(k, multapses, not others)
    p = connect(rule, n_source, n_target, "a" if recurrent else "b", seed=seed, delay=Uniform(0.1, 0.5)).on_grid(DT)
    degree = np.bincount(*((p.pre, None, n_source) if by_source else (p.post, None, n_target)))
    assert degree.tolist() == [k] * degree.size
    pairs = set(zip(p.pre.tolist(), p.post.tolist(), strict=True))
    assert multapses or len(pairs) == p.n_synapses
    assert not alone or all(i != j for i, j in pairs)
    np.testing.assert_array_equal(np.lexsort((p.post, p.delay, p.pre)), np.arange(p.n_synapses))


@settings(max_examples=100)
@given(COUNTS, COUNTS, st.booleans(), st.integers(0, 200), st.floats(0, 1), st.integers(0, 2**64))
def test_free_rules_stay_within_their_groups(n_source, n_target, others, number, probability, seed):
    name = "a" if n_source == n_target else "b"
    number *= n_source > 1 or name == "b"
    place = np.zeros((n_source, 1)), np.ones((n_target, 1))
    for rule in (
        FixedProbability(probability, not others),
        FixedNumber(number, not others),
        AllToAll(not others),
        DistanceDependent(*place, sigma=1.0, p_max=probability, self_connections=not others),
    ):
        p = connect(rule, n_source, n_target, name, seed=seed)
        assert p.pre.size == p.n_synapses
        assert not p.pre.size or (p.pre.max() < n_source and p.post.max() < n_target and p.pre.min() >= 0)
        assert not (others and name == "a" and (p.pre == p.post).any())
        distinct = len(set(zip(p.pre.tolist(), p.post.tolist(), strict=True)))
        assert isinstance(rule, FixedNumber) or distinct == p.n_synapses


def spread(degree, mean, variance):
    """Return how many standard errors the chi-square of degrees is from its mean."""
    chi = float(((degree - mean) ** 2).sum() / variance)
    return (chi - degree.size) / np.sqrt(2 * degree.size)


def test_degrees_are_distributed_as_they_should_be():
    n_source, n_target = 800, 600
    free = connect(FixedProbability(0.1), n_source, n_target)
    assert abs(free.n_synapses - 48_000) < 5 * np.sqrt(48_000 * 0.9)
    assert abs(spread(np.bincount(free.post, None, n_target), 80, 72)) < 5
    assert abs(spread(np.bincount(free.pre, None, n_source), 60, 54)) < 5
    into = connect(FixedInDegree(80), n_source, n_target)
    assert abs(spread(np.bincount(into.pre, None, n_source), 60, 54)) < 5
    out = connect(FixedOutDegree(60), n_source, n_target)
    assert abs(spread(np.bincount(out.post, None, n_target), 80, 72)) < 5
    number = connect(FixedNumber(48_000), n_source, n_target)
    assert abs(spread(np.bincount(number.post, None, n_target), 80, 80)) < 5
    assert abs(spread(np.bincount(number.pre, None, n_source), 60, 60)) < 5
    pairs = np.bincount(number.pre * n_target + number.post, None, n_source * n_target)
    assert abs(spread(pairs, 0.1, 0.1)) < 5


@pytest.mark.parametrize("kernel", ["gaussian", "exponential"])
def test_probability_falls_with_distance(kernel):
    rng = np.random.default_rng(5)
    there, here = rng.random((1000, 2)), rng.random((500, 2))
    p = connect(DistanceDependent(there, here, 0.15, 0.7, kernel, (1.0, 1.0)), 1000, 500)
    step = here[:, None] - there[None]
    d = np.sqrt(((step - np.round(step)) ** 2).sum(2))
    wanted = 0.7 * (np.exp(-(d**2) / 0.045) if kernel == "gaussian" else np.exp(-d / 0.15))
    joined = ~np.isnan(p.matrix())
    ring = np.digitize(d, np.linspace(0, 0.7, 15))
    for k in range(1, 16):
        chances = wanted[ring == k]
        error = joined[ring == k].sum() - chances.sum()
        assert abs(error) < 5 * np.sqrt((chances * (1 - chances)).sum()) + 1, k


@pytest.mark.parametrize("law", [Uniform(-2, 1), Normal(1, 2), Normal(1, 2, -1, 2), Normal(0, 1, low=3), Constant(2)])
def test_values_follow_their_law(law):
    p = connect(AllToAll(), 200, 200, weight=law, delay=Uniform(0.1, 3.05)).on_grid(DT)
    values, n = np.sort(p.weight.astype(float)), p.n_synapses
    low, high = law.bounds()
    assert low - 1e-6 <= values[0] <= values[-1] <= high + 1e-6
    share = np.array([law.cumulative(x + 1e-6) for x in values])
    assert isinstance(law, Constant) or np.abs(share - np.arange(n) / n).max() < 2 / np.sqrt(n)
    correlation = np.corrcoef(p.delay, p.weight)[0, 1] if low < high else 0.0
    assert abs(correlation) < 5 / np.sqrt(n)
    delay = np.bincount(np.rint(p.delay / DT).astype(int))
    assert abs(spread(delay[2:30], n * 0.1 / 2.95, n * 0.1 / 2.95)) < 5


def test_quantile_is_the_inverse_of_the_normal_distribution():
    p = np.concatenate([np.linspace(0.001, 0.999, 999), 2.0 ** -np.arange(2, 34), 1 - 2.0 ** -np.arange(2, 34)])
    np.testing.assert_allclose([quantile(x) for x in p], [NormalDist().inv_cdf(x) for x in p], rtol=0, atol=1.2e-8)
    assert quantile(0.5) == pytest.approx(0, abs=1e-8)


@pytest.mark.parametrize(("stride", "padding"), [(1, 0), (2, 1), ((2, 1), (0, 3))])
def test_convolution_is_a_correlation(stride, padding):
    rule = Convolution((2, 7, 6), KERNEL, stride, padding)
    image = np.random.default_rng(5).normal(size=rule.shape)
    down, across = np.broadcast_to(stride, 2)
    rim_y, rim_x = np.broadcast_to(padding, 2)
    padded = np.pad(image, ((0, 0), (rim_y, rim_y), (rim_x, rim_x)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, KERNEL.shape[2:], (1, 2))[:, ::down, ::across]
    wanted = np.einsum("cyxij,ocij->oyx", windows, KERNEL)
    assert wanted.shape == rule.output_shape
    p = sized(rule)
    found = np.bincount(p.post, p.weight * image.ravel()[p.pre], wanted.size)
    np.testing.assert_allclose(found, wanted.ravel(), atol=1e-5)
    assert p.n_synapses == p.pre.size
    assert p.weight_bounds == (KERNEL.min(), KERNEL.max())


def test_draws_depend_on_seed_and_name_alone():
    one = connect(FixedInDegree(5), weight=Uniform(0, 1))
    for same in (connect(FixedInDegree(5), weight=Uniform(0, 1)), connect(FixedInDegree(5), weight=2.0)):
        np.testing.assert_array_equal(one.pre, same.pre)
        np.testing.assert_array_equal(one.post, same.post)
    for change in ({"seed": 1}, {"name": "a"}):
        other = connect(FixedInDegree(5), weight=Uniform(0, 1), **change)
        shared = set(zip(one.pre, one.post, strict=True)) & set(zip(other.pre, other.post, strict=True))
        assert len(shared) < 60
        assert not np.isin(one.weight, other.weight).any()


def test_digest_is_of_the_rule():
    def network(rule, **options):
        p = Projection.connect(Input("i", 30, PoissonInput()), Population("n", 30), rule, **{"weight": 1.0} | options)
        return Network((Input("i", 30, PoissonInput()),), (Population("n", 30),), (p,), ("n",))

    networks = [network(FixedInDegree(5), seed=seed) for seed in (0, 1)]
    networks += [network(FixedInDegree(6)), network(FixedInDegree(5, True)), network(FixedInDegree(5), weight=1.5)]
    networks += [network(FixedInDegree(5), delay=2.0), network(FixedOutDegree(5)), network(RULES["gaussian"])]
    networks.append(networks[0].with_weights({"i->n": np.zeros(150)}))
    assert len({n.digest for n in networks}) == len(networks)
    assert network(FixedInDegree(np.int64(5)), seed=np.int64(0)).digest == networks[0].digest
    assert networks[-1].projections[0].weight.tolist() == [0] * 150
    np.testing.assert_array_equal(networks[-1].projections[0].pre, networks[0].projections[0].pre)


def test_rules_are_equal_and_hash_by_content():
    twin = DistanceDependent(PLANE[0].tolist(), PLANE[1].copy(), sigma=np.float32(0.5))
    rule = DistanceDependent(*PLANE, sigma=0.5)
    assert (rule, hash(rule)) == (twin, hash(twin))
    assert rule != DistanceDependent(*PLANE[::-1], sigma=0.5)
    assert {FixedInDegree(3), FixedInDegree(3, False), FixedOutDegree(3)} == {FixedInDegree(3), FixedOutDegree(3)}


def test_lists_are_drawn_once_and_not_pickled():
    p = connect(FixedProbability(0.5))
    assert p.pre is p.pre
    clone = pickle.loads(pickle.dumps(p))
    assert "listed" not in vars(clone)
    np.testing.assert_array_equal(clone.pre, p.pre)
    assert replace(p, name="other").n_synapses == p.n_synapses


def test_other_weights_make_a_listed_projection():
    p = connect(FixedInDegree(5))
    new = np.arange(p.n_synapses)
    for q in (p.with_weights(new), replace(p, weight=new)):
        assert q.weight.tolist() == new.tolist()
        np.testing.assert_array_equal(q.post, p.post)


def test_rows_take_little_more_memory_than_they_return():
    p = connect(FixedInDegree(1000), 2000, 1000, weight=Normal(1, 0.1))
    rows(p)
    tracemalloc.start()
    try:
        found = rows(p)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found.target.size == 1_000_000
    assert 6_000_000 <= peak < 6_200_000


def test_delays_that_differ_by_rounding_are_one_segment():
    p = Projection.sparse("a", "b", pre=[0, 0, 0], post=[2, 1, 0], weight=1.0, delay=[0.3, 0.1 * 3, 0.3])
    found = wiring.rows(p, 1, 3, DT)
    assert (found.delay.tolist(), found.target.tolist()) == ([3], [0, 1, 2])


def test_bounds_without_drawing():
    p = connect(FixedNumber(10**9), weight=Normal(5, 0.5, low=0), delay=Normal(1.5, 0.1, high=1.74))
    assert p.n_synapses == 10**9
    assert p.weight_bounds == pytest.approx((5 - 6.34 / 2, 5 + 6.34 / 2))
    assert p.max_ticks(DT) == 17
    assert connect(AllToAll(), delay=1.5).max_ticks(0.5) == 3
    assert "listed" not in vars(p)


def test_describing_a_network_needs_no_numba():
    code = """if True:
        import sys
        from insectbot.snn import FixedNumber, Normal, Population, Projection
        p = Projection.connect(Population("a", 5), Population("b", 5), FixedNumber(9), weight=Normal(1, 0.1))
        p.n_synapses, p.weight_bounds, p.max_ticks(0.1), hash(p.synapses)
        assert "numba" not in sys.modules
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stderr == ""


def test_randomness_stands_alone_and_names_every_cache(monkeypatch, tmp_path):
    text = Path(randomness.__file__).read_text()
    imported = [n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Import | ast.ImportFrom)]
    names = {getattr(n, "module", None) or n.names[0].name for n in imported}
    assert names == {"__future__", "math", "typing", "numpy", "numba"}
    folder, hashes = str(Path(jit.__file__).parent / "snn"), set()
    for edit in ("", "\n# edited\n"):
        (tmp_path / "randomness.py").write_text(text + edit)
        (tmp_path / "jit.py").write_bytes(Path(jit.__file__).read_bytes())
        monkeypatch.setattr(jit, "__file__", str(tmp_path / "jit.py"))
        hashes.add(jit.source_hash.__wrapped__(folder))
    assert len(hashes) == 2


def test_squares_are_those_of_plain_python():
    key = naive_wiring.Draws(connect(AllToAll()).synapses).keys["pair"]
    for counter in (0, 1, 12345, 2**40 + 7):
        found = randomness.squares32(np.uint64(counter), np.uint64(key))
        assert int(found) == naive_wiring.squares(counter, key)
    assert randomness.uniform(np.uint64(key), 3, 4) == (int(randomness.draw(np.uint64(key), 3, 4)) + 0.5) / 2**32
