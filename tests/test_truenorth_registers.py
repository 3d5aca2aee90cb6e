"""Cores of TrueNorth against a plain-Python oracle: every reset and leak mode, axon type, delay, and several cores."""

import naive_truenorth
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insectbot.chips.datasheet import load
from insectbot.chips.truenorth_replay import Neurons, register_ranges, run_cores
from insectbot.errors import ConfigurationError, ShapeError

RANGES = register_ranges(load("truenorth"))


def as_dicts(neurons):
    n_cores, n = neurons.leak.shape
    return [[{k: getattr(neurons, k)[c, j].tolist() for k in RANGES} for j in range(n)] for c in range(n_cores)]


def compare(neurons, kind, wires, target, injected, seed=0, ceiling=None):
    found = run_cores(neurons, kind, wires, target, injected, seed=seed, ceiling=ceiling)
    limit = naive_truenorth.CEILING if ceiling is None else ceiling
    (v, spikes), counts = naive_truenorth.run(
        as_dicts(neurons), np.asarray(kind).tolist(), np.asarray(wires).tolist(), np.asarray(target).tolist(),
        np.asarray(injected).tolist(), seed, limit,
    )  # fmt: skip
    np.testing.assert_array_equal(found.v, np.array(v).reshape(found.v.shape))
    np.testing.assert_array_equal(found.spikes, np.array(spikes).reshape(found.v.shape))
    assert {name: getattr(found, name) for name in counts} == counts
    return found


def draw_cores(rng, n_cores, n, n_axons, *, scale, random):
    """Draw registers of any mode; ``scale`` bounds thresholds so that neurons spike."""
    shape = (n_cores, n)
    whole = (n_cores, n, 4)
    neurons = Neurons.of(
        n_cores,
        n,
        values=rng.integers(-255, 256, whole),
        random_synapse=rng.integers(0, 2, whole) * random,
        leak=rng.integers(-255, 256, shape) // rng.choice([1, 16, 256], shape),
        reverse=rng.integers(0, 2, shape),
        random_leak=rng.integers(0, 2, shape) * random,
        threshold=rng.integers(0, scale, shape),
        floor=rng.integers(0, scale, shape),
        jitter=rng.integers(0, min(19, int(scale).bit_length() + 1), shape) * random,
        gamma=rng.integers(0, 3, shape),
        kappa=rng.integers(0, 2, shape),
        reset_sign=rng.integers(-1, 2, shape),
        reset_exponent=rng.integers(0, min(19, int(scale).bit_length()), shape),
    )
    kind = rng.integers(0, 4, (n_cores, n_axons))
    wires = rng.random((n_cores, n_axons, n)) < 0.5
    target = np.stack(
        [rng.integers(-1, n_cores, shape), rng.integers(0, n_axons, shape), rng.integers(1, 16, shape)], axis=2
    )
    return neurons, kind, wires, target


@settings(max_examples=120, deadline=None)
@given(
    st.integers(0, 2**32), st.integers(1, 3), st.integers(1, 19), st.integers(1, 70), st.sampled_from([4, 300, 2**18]),
    st.booleans(),
)  # fmt: skip
def test_any_cores(seed, n_cores, n, n_axons, scale, random):
    rng = np.random.default_rng(seed)
    cores = draw_cores(rng, n_cores, n, n_axons, scale=scale, random=random)
    injected = rng.random((40, n_cores, n_axons)) < rng.choice([0.02, 0.3])
    compare(*cores, injected, seed=seed)


def one(registers, injected, kind=(0,), ceiling=None):
    """Run one neuron whose axons all have synapses; ``injected`` is [ticks][axons]. Returns (v, spikes)."""
    neurons = Neurons.of(1, 1, **registers)
    injected = np.asarray(injected, bool).reshape(-1, 1, len(kind))
    wires = np.ones((1, len(kind), 1), bool)
    found = compare(neurons, [kind], wires, [[(-1, 0, 0)]], injected, ceiling=ceiling)
    return found.v[:, 0, 0].tolist(), found.spikes[:, 0, 0].tolist(), found


def test_the_axon_chooses_the_value():
    v, spikes, _ = one(
        {"values": [1, 20, -3, 100], "threshold": 1000, "floor": 1000},
        np.eye(4),
        kind=(0, 1, 2, 3),
    )
    assert v == [1, 21, 18, 118]
    assert not any(spikes)


@pytest.mark.parametrize(("gamma", "after"), [(0, 3), (1, 2), (2, 12)], ids=["normal", "linear", "none"])
def test_reset_modes(gamma, after):
    registers = {"values": [6, 0, 0, 0], "threshold": 10, "gamma": gamma, "reset_sign": 1, "reset_exponent": 2}
    v, spikes, _ = one(registers, [[1], [1], [0]])
    assert (v[:2], spikes[:2]) == ([6, after], [False, True])
    assert spikes[2] == (gamma == 2)


@pytest.mark.parametrize(
    ("gamma", "kappa", "after"), [(0, 1, -10), (1, 1, -10), (2, 1, -10), (0, 0, -3), (1, 0, -2), (2, 0, -12)]
)
def test_negative_reset_modes(gamma, kappa, after):
    registers = {"values": [-6, 0, 0, 0], "threshold": 99, "floor": 10, "gamma": gamma, "kappa": kappa}
    v, _, found = one(registers | {"reset_sign": 1, "reset_exponent": 2}, [[1], [1]])
    assert v == [-6, after]
    assert found.v_low == 1


def test_equal_to_a_threshold():
    """V spikes at the positive threshold and stays at the negative one."""
    assert one({"values": [10, 0, 0, 0], "threshold": 10}, [[1]])[1] == [True]
    assert one({"values": [9, 0, 0, 0], "threshold": 10}, [[1]])[1] == [False]
    assert one({"values": [-10, 0, 0, 0], "threshold": 99, "floor": 10, "kappa": 0, "reset_sign": 1}, [[1]])[0] == [-10]


def test_leaks():
    """A plain leak goes one way; a reversed one decays towards 0 and stops there, or diverges."""
    start = {"values": [7, -7, 0, 0], "threshold": 999, "floor": 999}
    up, down = [[1, 0], *[[0, 0]] * 3], [[0, 1], *[[0, 0]] * 3]
    assert one(start | {"leak": -3}, up, (0, 1))[0] == [4, 1, -2, -5]
    assert one(start | {"leak": -3, "reverse": 1}, up, (0, 1))[0] == [4, 1, 0, 0]
    assert one(start | {"leak": -3, "reverse": 1}, down, (0, 1))[0] == [-4, -1, 0, 0]
    assert one(start | {"leak": 3, "reverse": 1}, down, (0, 1))[0] == [-10, -13, -16, -19]


def test_saturation():
    """V is cut at the ceiling; beyond it a neuron spikes even below its threshold."""
    registers = {"values": [255, -255, 0, 0], "threshold": 2**18 - 1, "floor": 0, "gamma": 2}
    many = np.ones((30, 200), bool)
    v, spikes, found = one(registers, many, (0,) * 200)
    assert v[-1] == naive_truenorth.CEILING
    assert found.v_high > 0
    v, _, found = one(registers | {"kappa": 0}, many, (1,) * 200)
    assert v[-1] == -naive_truenorth.CEILING
    assert found.v_low == 30
    v, spikes, _ = one(registers, many, (0,) * 200, ceiling=200000)
    assert v[:5] == [51000, 102000, 153000, 200000, 200000]
    assert spikes[:5] == [False, False, False, True, True]


def test_spikes_to_one_axon_and_tick_merge():
    """Two neurons that send to one axon for one tick are one spike; a tick apart they are two."""
    neurons = Neurons.of(2, 2, values=[5, 0, 0, 0], threshold=[[5, 5], [99, 99]])
    wires = np.zeros((2, 2, 2), bool)
    wires[0, 0, 0] = wires[0, 1, 1] = wires[1, 0, 0] = True
    injected = np.zeros((12, 2, 2), bool)
    injected[0, 0] = True
    for delays, v, merged in (((4, 4), 5, 1), ((4, 5), 10, 0), ((15, 15), 0, 1)):
        target = [[(1, 0, delays[0]), (1, 0, delays[1])], [(-1, 0, 0)] * 2]
        found = compare(neurons, np.zeros((2, 2), int), wires, target, injected)
        assert found.v[-1, 1, 0] == v
        assert found.merged == merged


@pytest.mark.parametrize("delay", range(1, 16))
def test_delays(delay):
    neurons = Neurons.of(1, 2, values=[5, 0, 0, 0], threshold=[[5, 99]])
    wires = np.array([[[1, 0], [0, 1]]], bool)
    injected = np.zeros((20, 1, 2), bool)
    injected[2, 0, 0] = True
    found = compare(neurons, [[0, 0]], wires, [[(0, 1, delay), (-1, 0, 0)]], injected)
    assert found.v[:, 0, 1].tolist() == [0] * (2 + delay) + [5] * (18 - delay)


def test_random_modes_have_the_right_chances():
    """A random synapse or leak of size s acts with probability s / 255; jitter is uniform."""
    ticks = 40000
    registers = {"threshold": 2**18 - 1, "floor": 2**18 - 1}
    injected = np.ones((ticks, 1, 1), bool)
    wires, nowhere = np.ones((1, 1, 1), bool), [[(-1, 0, 0)]]
    values = {"values": [64, 0, 0, 0], "random_synapse": [1, 0, 0, 0]}
    found = run_cores(Neurons.of(1, 1, **registers, **values), [[0]], wires, nowhere, injected)
    assert found.v[-1, 0, 0] == pytest.approx(ticks * 64 / 255, rel=0.03)
    found = run_cores(Neurons.of(1, 1, **registers, leak=-100, random_leak=1), [[0]], wires, nowhere, injected)
    assert found.v[-1, 0, 0] == pytest.approx(-ticks * 100 / 255, rel=0.03)
    full = Neurons.of(1, 1, **registers, values=[255, 0, 0, 0], random_synapse=[1, 0, 0, 0])
    assert run_cores(full, [[0]], wires, nowhere, injected).v[-1, 0, 0] == ticks
    jitter = Neurons.of(1, 1, values=[99, 0, 0, 0], threshold=84, jitter=5)
    # 99 spikes in half of the ticks; the 198 of the tick after a miss always do: two spikes in three ticks.
    assert run_cores(jitter, [[0]], wires, nowhere, injected).spikes.mean() == pytest.approx(2 / 3, abs=0.02)


def test_mistakes_are_one_sentence():
    with pytest.raises(ShapeError, match=r"register leak = -256 must lie in -255\.\.255"):
        Neurons.of(1, 1, leak=-256)
    with pytest.raises(ShapeError, match=r"register values: shape \(3,\) must be \(1, 1, 4\)"):
        Neurons.of(1, 1, values=[1, 2, 3])
    with pytest.raises(ConfigurationError, match="register 'lambda' is not known"):
        Neurons.of(1, 1, **{"lambda": 1})
    n, wires, injected = Neurons.of(1, 1), np.ones((1, 1, 1), bool), np.ones((3, 1, 1), bool)
    with pytest.raises(ShapeError, match=r"delay = 16 must lie in 1\.\.15"):
        run_cores(n, [[0]], wires, [[(0, 0, 16)]], injected)
    with pytest.raises(ShapeError, match=r"axon_type = 4 must lie in 0\.\.3"):
        run_cores(n, [[4]], wires, [[(0, 0, 1)]], injected)
    with pytest.raises(ShapeError, match=r"crossbar: shape \(1, 1, 2\) must be \(1, 1, 1\)"):
        run_cores(n, [[0]], np.ones((1, 1, 2)), [[(0, 0, 1)]], injected)
    with pytest.raises(ShapeError, match="257 axons on a core > 256"):
        run_cores(n, [[0] * 257], np.ones((1, 257, 1)), [[(0, 0, 1)]], np.ones((3, 1, 257)))
