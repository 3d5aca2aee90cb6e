"""Hodgkin-Huxley, FitzHugh-Nagumo and Hindmarsh-Rose against integrated equations (models sheet, A4, A5, A6)."""

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import numpy as np
import pytest
from model_bench import Bench
from naive_models import KNOWN, Bound, NaiveModel

from insectbot.errors import ConfigurationError
from insectbot.snn import FitzHughNagumo, HindmarshRose, HodgkinHuxley
from insectbot.snn.model import parameter
from insectbot.snn.schemes import OdeNeuron, stepper

RK4 = HodgkinHuxley(scheme="rk4")  # the reference scheme, at 0.025 ms unless said
STEADY = {6.3: 52.371, 6.5: 55.057, 7: 58.327, 8: 62.470, 10: 68.3237, 15: 78.649, 20: 86.470, 30: 98.745, 50: 117.036}


def slopes(model, **values):
    """Call the right-hand side of a model."""
    return np.array(Bound(model.slopes, KNOWN)({**model.values(), **model.coefficients(0.01), **values}), float)


def jacobian(model, rest, i):
    names, h = list(rest), 1e-6
    columns = []
    for name in names:
        up, down = ({**rest, name: rest[name] + sign * h, "i": i} for sign in (1, -1))
        columns.append((slopes(model, **up) - slopes(model, **down)) / (2 * h))
    return np.array(columns).T


# A4 -------------------------------------------------------------------------------------------------------------


def test_a4_hh_rest():
    rest = HodgkinHuxley().resting_state()
    sheet = {"v": -64.996379, "m": 0.0529551, "h": 0.5959941, "n": 0.3177324}
    assert {k: float(v) for k, v in rest.items()} == {k: pytest.approx(v, rel=1e-6) for k, v in sheet.items()}
    assert slopes(HodgkinHuxley(), **rest, i=0.0) == pytest.approx(0.0, abs=1e-9)
    v = Bench(HodgkinHuxley(), 0.025, record=("v",)).run(1000).trace("v")
    assert v == pytest.approx(-64.996379, abs=1e-5)


def test_a4_hh_steady_rates():
    current = np.array([4, 6.2, *STEADY, 80, 100])
    b = Bench(RK4, 0.025, len(current), record=("v",)).run(40_000, current)
    assert [len(b.ticks(u)) for u in (0, 1, len(current) - 2, len(current) - 1)] == [1, 3, 1, 1]
    for unit, (i, hertz) in enumerate(STEADY.items(), start=2):
        assert 1000 / np.diff(b.crossings(unit=unit))[-5:].mean() == pytest.approx(hertz, rel=1e-4), i
    at10 = list(current).index(10)
    assert len(b.ticks(at10)) == 69
    assert b.crossings(unit=at10)[0] == pytest.approx(1.90123, abs=1e-3)
    assert np.diff(b.crossings(unit=at10))[-1] == pytest.approx(14.63621, abs=1e-3)
    v = b.trace("v")[20_000:, at10]
    assert (v.max(), v.min()) == (pytest.approx(30.43, abs=0.01), pytest.approx(-74.90, abs=0.01))


def test_a4_hh_recommended_scheme_keeps_the_rates():
    current = np.array([*STEADY])
    b = Bench(HodgkinHuxley(), 0.025, len(current), record=("v",)).run(20_000, current)
    for unit, hertz in enumerate(STEADY.values()):
        assert 1000 / np.diff(b.crossings(unit=unit))[-3:].mean() == pytest.approx(hertz, rel=5e-3)


@pytest.mark.parametrize(
    ("below", "above", "ms", "fewer"), [(2.2398, 2.2408, 60, 1), (6.2598, 6.2608, 2000, 80)], ids=["one", "sustained"]
)
def test_a4_hh_step_thresholds_2_24034_and_6_2603(below, above, ms, fewer):
    b = Bench(RK4, 0.025, 2).run(round(ms / 0.025), np.array([below, above]))
    assert len(b.ticks(0)) < fewer <= len(b.ticks(1))
    assert not len(b.ticks(0)) or b.times(0)[-1] < ms / 2  # below the second one firing dies out


@pytest.mark.parametrize(("hopf", "sign"), [(9.77544, 1), (154.5224, -1)])
def test_a4_hh_hopf_points(hopf, sign):
    for i in (hopf - 1e-4, hopf + 1e-4):
        rest = HodgkinHuxley(e_l=-54.387 + i / 0.3).resting_state()  # i only shifts the leak's line
        real = np.linalg.eigvals(jacobian(HodgkinHuxley(), rest, i)).real.max()
        assert (real > 0) == (sign * (i - hopf) > 0)


def test_a4_hh_pulse_of_20_for_2_ms():
    b = Bench(RK4, 0.0025, record=("v",)).run(800, 20.0).run(20_000)
    v, rest = b.trace("v")[:, 0], -64.996379
    assert v.max() == pytest.approx(41.298, abs=2e-3)
    assert v.max() - rest == pytest.approx(106.29, abs=0.01)
    assert v.min() == pytest.approx(-76.186, abs=1e-3)
    half = (v.max() + rest) / 2
    down = np.flatnonzero((v[1:] < half) & (v[:-1] >= half))[0]
    fall = (down + 1 + (half - v[down]) / (v[down + 1] - v[down])) * 0.0025
    assert fall - b.crossings(level=half)[0] == pytest.approx(1.472, abs=1e-3)


EXACT_10 = 1.90123154, 16.82265189, 31.47188752  # scipy, DOP853, tolerances 1e-10: first three of 14 spikes


@pytest.mark.parametrize(
    ("scheme", "dt", "error"),
    [
        ("exponential", 0.1, 0.96), ("exponential", 0.05, 0.24), ("exponential", 0.025, 0.061),
        ("exponential", 0.01, 0.010), ("euler", 0.05, 0.20), ("euler", 0.025, 0.094), ("euler", 0.01, 0.036),
    ],
)  # fmt: skip
def test_a4_hh_integrator_study(scheme, dt, error):
    def crossings(model, step):
        return Bench(model, step, record=("v",)).run(round(200 / step), 10.0).crossings()

    exact = crossings(RK4, 0.0125)
    assert exact[:3] == pytest.approx(EXACT_10, abs=1e-4)
    found = crossings(HodgkinHuxley(scheme=scheme), dt)
    assert len(found) == len(exact) == 14
    assert np.abs(found - exact).max() == pytest.approx(error, rel=0.05)


def test_a4_hh_rk4_at_0_05_errs_below_0_0003():
    fine, coarse = (Bench(RK4, dt, record=("v",)).run(round(200 / dt), 10.0).crossings() for dt in (0.0125, 0.05))
    assert np.abs(fine - coarse).max() < 3e-4


def test_a4_hh_exponential_is_stable_where_others_are_not():
    finite = Bench(HodgkinHuxley(), 0.5, record=("v",)).run(400, 10.0).trace("v")
    assert np.isfinite(finite).all()
    assert np.abs(finite).max() < 110
    for scheme in ("rk4", "euler"):
        v = Bench(HodgkinHuxley(scheme=scheme), 0.1, record=("v",)).run(2000, 10.0).trace("v")
        assert not np.abs(v).max() < 200


@pytest.mark.parametrize("v", [-40.0, -55.0])
def test_a4_hh_singular_voltages(v):
    state = {"m": 0.1, "h": 0.5, "n": 0.4, "i": 0.0}
    at, left, right = (slopes(RK4, v=v + d, **state) for d in (0.0, -1e-5, 1e-5))
    assert at == pytest.approx((left + right) / 2, abs=1e-8)

    class There(HodgkinHuxley):
        """Starts at the singular voltage."""

        states: ClassVar = {"v": v, "m": 0.1, "h": 0.5, "n": 0.4}

    assert np.isfinite(Bench(There(), 0.025, record=("v",)).run(100).trace("v")).all()


def test_a4_hh_rates_triple_in_ten_degrees():
    state = {"v": -50.0, "m": 0.1, "h": 0.5, "n": 0.4, "i": 0.0}
    cold, warm = slopes(RK4, **state), slopes(HodgkinHuxley(temperature=16.3), **state)
    assert warm[1:] == pytest.approx(3.0 * cold[1:], rel=1e-12)
    assert warm[0] == cold[0]


def test_a4_hh_rests_where_each_unit_does():
    cell = HodgkinHuxley(g_k=(36.0, 20.0), e_l=-50.0)
    rest = cell.resting_state()
    for unit, g_k in enumerate((36.0, 20.0)):
        alone = HodgkinHuxley(g_k=g_k, e_l=-50.0).resting_state()
        assert {k: v[unit] for k, v in rest.items()} == {k: pytest.approx(float(v)) for k, v in alone.items()}


def test_a4_hh_refuses_steps_longer_than_a_spike():
    with pytest.raises(ConfigurationError, match="dt = 1 ms is longer than a spike"):
        HodgkinHuxley(substeps=40).coefficients(1.0)


# A5 -------------------------------------------------------------------------------------------------------------


def fhn_rest(i):
    roots = np.roots([-1 / 3, 0.0, 1.0 - 1.25, i - 0.875])  # w = (v + 0.7) / 0.8
    v = float(roots[np.abs(roots.imag) < 1e-9].real[0])
    return {"v": v, "w": (v + 0.7) / 0.8}


def test_a5_fhn_rest():
    assert list(fhn_rest(0.0).values()) == pytest.approx([-1.19940803, -0.62426004], abs=1e-8)
    b = Bench(FitzHughNagumo(), 0.1, record=("v", "w")).run(5000)
    assert b.trace("v") == pytest.approx(-1.19940803, abs=1e-7)
    assert b.trace("w") == pytest.approx(-0.62426004, abs=1e-7)


@pytest.mark.parametrize(("hopf", "sign"), [(0.331281, 1), (1.418719, -1)])
def test_a5_fhn_hopf_points(hopf, sign):
    for i in (hopf - 2e-6, hopf + 2e-6):
        real = np.linalg.eigvals(jacobian(FitzHughNagumo(), fhn_rest(i), i)).real.max()
        assert (real > 0) == (sign * (i - hopf) > 0)


def test_a5_fhn_periods():
    b = Bench(FitzHughNagumo(), 0.05, 4, record=("v",)).run(20_000, np.array([0.35, 0.5, 1.0, 1.5]))
    for unit, period in enumerate((45.611, 39.474, 36.699)):
        assert np.diff(b.crossings(unit=unit))[-4:].mean() == pytest.approx(period, abs=1e-3)
        assert len(b.ticks(unit)) == len(b.crossings(unit=unit))
    assert b.trace("v")[-1, 3] == pytest.approx(1.0325, abs=5e-5)


# A6 -------------------------------------------------------------------------------------------------------------


def test_a6_hindmarsh_rose_regimes():
    r, current = (0.001, 0.001, 0.001, 0.006, 0.006, 0.006, 0.006), np.array([0.4, 2, 4, 1.5, 2.5, 3.25, 4])
    b = Bench(HindmarshRose(r=r), 0.05, len(r), record=("x",)).run(80_000, current)
    intervals = [np.diff(c[c > 1500.0]) for c in (b.crossings("x", unit=u) for u in range(len(r)))]
    assert len(b.ticks(0)) == 8  # then quiet
    assert b.times(0)[-1] < 1500
    gaps = np.flatnonzero(intervals[1] > 100)
    assert set(np.diff(gaps)) == {9}  # bursts of 9
    bursts = [intervals[1][a:b].sum() for a, b in pairwise(gaps)]
    assert np.mean(bursts) == pytest.approx(431, abs=2)
    assert intervals[2].min() > 17  # tonic
    assert intervals[2].max() < 21
    assert intervals[3] == pytest.approx(149.5264, abs=2e-3)
    assert set(np.diff(np.flatnonzero(intervals[4] > 50))) == {3}  # bursts of exactly 3
    assert intervals[4][:3].sum() == pytest.approx(124.106, abs=0.01)
    assert (intervals[4].min(), intervals[4].max()) == (pytest.approx(12.08, abs=0.01), pytest.approx(94.66, abs=0.01))
    assert (intervals[5].min(), intervals[5].max()) == (pytest.approx(12.3, abs=0.2), pytest.approx(72.4, abs=0.5))
    assert set(np.diff(np.flatnonzero(intervals[5] > 35))) >= {2, 3}  # mixed bursts
    assert intervals[6] == pytest.approx(20.12787, abs=1e-3)


@pytest.mark.slow
def test_a6_hindmarsh_rose_is_chaotic_at_3_25():
    """Largest Lyapunov exponent from pairs of neighbours that are pulled together again every unit of time."""
    model = HindmarshRose(r=(0.006, 0.006, 0.005, 0.005))
    m, dt, distance, grown = NaiveModel(model, 0.05, 4), 0.05, 1e-7, np.zeros(2)
    near, far = slice(0, None, 2), slice(1, None, 2)
    for _ in range(20_000):
        m.step(3.25)
    m.y = {k: np.repeat(v[near], 2) for k, v in m.y.items()}
    m.y["x"][far] += distance
    n = 80_000
    for k in range(1, n + 1):
        m.step(3.25)
        if k % 20 == 0:
            gap = {s: v[far] - v[near] for s, v in m.y.items()}
            size = np.sqrt(sum(g**2 for g in gap.values()))
            grown += np.log(size / distance)
            for s, v in m.y.items():
                v[far] = v[near] + gap[s] * distance / size
    assert grown / (n * dt) == pytest.approx((0.0126, 0.0105), rel=0.2)


# schemes and models of one's own ----------------------------------------------------------------------


@dataclass(frozen=True)
class VanDerPol(OdeNeuron):
    """x'' - mu (1 - x^2) x' + x = i, one unit of time per ms."""

    states: ClassVar = {"x": 2.0, "y": 0.0}
    mu: float = parameter(1.0, "")

    @staticmethod
    def slopes(x, y, i, mu):
        bend = 1.0 - x**2
        return y, mu * bend * y - x + i

    @staticmethod
    def threshold(x, old_x):
        return (x >= 0.0) & (old_x < 0.0)

    @staticmethod
    def reset(x):
        return x


def test_a_users_equations_run_like_built_in_ones():
    b = Bench(VanDerPol(), 0.05, record=("x",)).run(4000)
    assert np.diff(b.crossings("x"))[5:].mean() == pytest.approx(6.6632869, abs=5e-5)  # period at mu = 1
    assert len(b.ticks()) == len(b.crossings("x"))


@pytest.mark.parametrize(("scheme", "order"), [("euler", 1), ("heun", 2), ("rk4", 4)])
def test_schemes_have_their_order(scheme, order):
    source = stepper("def slopes(y, z):\n    return z, -y\n", ("y", "z"), scheme, substeps=3)
    update = Bound(source, KNOWN)
    errors = []
    for n in (40, 80):
        y, z = np.array(0.0), np.array(1.0)
        for _ in range(n):
            y, z = update({"y": y, "z": z, "step": 2.0 / n / 3})
        errors.append(abs(float(y) - np.sin(2.0)))
    assert np.log2(errors[0] / errors[1]) == pytest.approx(order, abs=0.1)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("def slopes(v):\n    return v, v\n", "must end by returning the slopes of v"),
        ("def slopes(v):\n    v = v + 1\n    return v\n", "must not assign to its argument 'v'"),
        ("lambda v: v", "must be one function made with def"),
    ],
)
def test_schemes_tell_mistakes(source, words):
    with pytest.raises(ConfigurationError, match=words):
        stepper(source, ("v",), "euler")
