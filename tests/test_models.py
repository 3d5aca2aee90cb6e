"""Integrate-and-fire models against closed forms and integrated equations (models sheet, A1, A2, A3, A7, A12, E1).

Spikes of the core lie on the grid: a spike of tick k happened in (k dt, (k + 1) dt]. All runs are float64.
"""

import math

import numpy as np
import pytest
from model_bench import Bench

from insectbot.core.propagator import LinearSystem
from insectbot.errors import ConfigurationError
from insectbot.snn import (
    ALIF,
    EIF,
    IF,
    LI,
    LIF,
    MAT,
    QIF,
    AdEx,
    Alpha,
    CubaLIF,
    Exponential,
    McCullochPitts,
    Population,
)

CELL = LIF(tau_m=20.0, v_rest=-70.0, v_th=-50.0, v_reset=-65.0)
SILENT = 1e9


def lif_period(tau, rest, th, reset, ri, t_ref=0.0):
    return t_ref + tau * math.log((rest + ri - reset) / (rest + ri - th))


def psp(t, tau_m, tau_s):
    """Response of a membrane of tau_m to a current exp(-t / tau_s) of unit height."""
    if tau_m == tau_s:
        return t / tau_m * np.exp(-t / tau_m)
    return tau_s / (tau_m - tau_s) * (np.exp(-t / tau_m) - np.exp(-t / tau_s))


# A1 -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ri", "t_ref", "hertz"), [(21.0, 0.0, 1000 / 55.4518), (21.0, 0.0, 18.0337), (25.0, 2.0, 33.6407)]
)
def test_a1_lif_fi(ri, t_ref, hertz):
    exact = lif_period(20.0, -70.0, -50.0, -65.0, ri, t_ref)
    assert 1000 / exact == pytest.approx(hertz, rel=2e-6)
    dt = 0.1
    model = LIF(tau_m=20.0, v_rest=-70.0, v_th=-50.0, v_reset=-65.0, t_ref=t_ref)
    intervals = np.diff(Bench(model, dt).run(3000, ri).ticks())
    assert set(intervals) == {math.ceil(exact / dt)}  # the exact propagator errs by the grid alone
    assert 1000 / (intervals.mean() * dt) == pytest.approx(hertz, rel=5e-3)


def test_a1_lif_is_silent_at_rheobase():
    assert not Bench(CELL, 0.1).run(20_000, 20.0).spiked


def test_a1_lif_propagators():
    def entry(receptor, by):
        p = LinearSystem.of(Population("p", 1, LIF(tau_m=10.0), receptors={"syn": receptor})).propagate(0.1)
        return p, float(p["v", by]) * 10.0 / 250.0  # per current in pA at 250 pF

    p, p21 = entry(Exponential(2.0), "0.g")
    assert p["0.g", "0.g"] == pytest.approx(0.951229424500714, rel=1e-14)
    assert p["v", "v"] == pytest.approx(0.990049833749168, rel=1e-14)
    assert p21 == pytest.approx(3.882040924845e-4, rel=1e-12)
    assert entry(Alpha(2.0), "0.h")[1] == pytest.approx(1.928080671064e-5, rel=1e-12)


@pytest.mark.parametrize("tau_s", [2.0, 10.0, 10.0 + 1e-9])
def test_a1_lif_exponential_psp(tau_s):
    b = Bench(LIF(tau_m=10.0, v_th=SILENT), 0.01, receptors={"syn": Exponential(tau_s)},
              events={"syn": ((0.0,), 1.0)}, record=("v",)).run(3000)  # fmt: skip
    v, t = b.trace("v")[1:, 0], np.arange(2999) * 0.01  # the weight arrives at the end of tick 1
    exact = psp(t, 10.0, tau_s if abs(tau_s - 10.0) > 1e-6 else 10.0)
    assert v == pytest.approx(exact, rel=1e-9, abs=1e-9)
    if tau_s == 2.0:
        assert (v.max(), t[v.argmax()]) == (pytest.approx(0.133748, abs=5e-7), pytest.approx(4.02359, abs=0.01))


def test_a1_alpha_current_peaks_at_one_after_tau():
    b = Bench(LIF(tau_m=10.0, v_th=SILENT), 0.01, receptors={"syn": Alpha(2.0)}, events={"syn": ((0.0,), 1.0)},
              record=("syn.g", "v")).run(1500)  # fmt: skip
    g, t = b.trace("syn.g")[1:, 0], np.arange(1499) * 0.01
    assert g == pytest.approx(math.e * t / 2.0 * np.exp(-t / 2.0), rel=1e-9, abs=1e-12)
    assert (g.max(), t[g.argmax()]) == (pytest.approx(1.0, rel=1e-12), pytest.approx(2.0))
    # V of an alpha current: (e / (ts tm)) times the integral of s exp(-s / ts) exp(-(t - s) / tm)
    k = 1 / 2.0 - 1 / 10.0
    exact = math.e / 20.0 * (np.exp(-t / 10.0) - (1 + k * t) * np.exp(-t / 2.0)) / k**2
    assert b.trace("v")[1:, 0] == pytest.approx(exact, rel=1e-9, abs=1e-10)


def test_a1_delta_synapse_jumps_by_its_weight():
    b = Bench(LIF(tau_m=10.0), 0.1, events={"": ((0.0,), 0.5)}, record=("v",)).run(10)
    assert b.trace("v")[:3, 0] == pytest.approx([0.0, 0.5, 0.5 * math.exp(-0.01)], rel=1e-12)


def exact_lif_spikes(times, weight, tau_m, tau_s, th):
    """Spikes of a LIF with exponential synapses by bisection between events: no grid."""
    v = i = t = 0.0
    out = []

    def at(s):
        return v * math.exp(-s / tau_m) + i * float(psp(np.float64(s), tau_m, tau_s))

    for end in [*times, times[-1] + 100.0]:
        while True:
            grid = np.linspace(0.0, end - t, 400)
            above = [s for s in grid if at(s) >= th]
            if not above:
                break
            low, high = max(s for s in grid if s < above[0]), above[0]
            for _ in range(60):
                middle = (low + high) / 2
                low, high = (middle, high) if at(middle) < th else (low, middle)
            v, i, t = 0.0, i * math.exp(-high / tau_s), t + high
            out.append(t)
        v, i, t = at(end - t), i * math.exp(-(end - t) / tau_s) + weight, end
    return np.array(out)


def test_a1_grid_spikes_converge_to_the_exact_ones():
    # The sheet's list [neurons.lif_exp_exact_spikes] is for an input that it does not give: same kind, other input.
    events = np.cumsum(np.random.default_rng(3).exponential(4.0, 50).round(1) + 0.1)
    exact = exact_lif_spikes(events, 2.5, 10.0, 2.0, 1.0)
    assert len(exact) >= 10
    errors = []
    for dt in (0.1, 0.05, 0.01):
        b = Bench(LIF(tau_m=10.0), dt, receptors={"syn": Exponential(2.0)}, events={"syn": (events, 2.5)})
        spikes = b.run(round(400 / dt)).times() - 2 * dt  # an event is delivered one step after its own tick
        assert len(spikes) == len(exact)
        errors.append(np.abs(spikes - exact).max())
    assert errors[0] > errors[1] > errors[2]
    assert errors[2] < 0.03


# A2 -------------------------------------------------------------------------------------------------------------

NAUD = {  # C, g_L, E_L, V_T, D_T, a, tau_w, b, V_r, I; spikes in 600 ms; first spikes [ms]
    "tonic": ((200, 10, -70, -50, 2, 2, 30, 0, -58, 500), 62, (14.223, 23.152, 32.242)),
    "adapting": ((200, 12, -70, -50, 2, 2, 300, 60, -58, 500), 12, (14.904, 26.172, 40.548)),
    "initial burst": ((130, 18, -58, -50, 2, 4, 150, 120, -50, 400), 12, (5.464, 8.883, 16.202)),
    "regular bursting": ((200, 10, -58, -50, 2, 2, 120, 100, -46, 210), 11, (16.158, 19.076, 24.198, 155.956)),
    "delayed accelerating": ((200, 12, -70, -50, 2, -10, 300, 0, -58, 300), 46, (33.574,)),
    "delayed regular bursting": ((100, 10, -65, -50, 2, -10, 90, 30, -47, 110), 32, (57.180, 60.394, 64.703, 72.124)),
    "transient": ((100, 10, -65, -50, 2, 10, 90, 100, -47, 180), 1, (30.290,)),
    "irregular": ((100, 12, -60, -50, 2, -11, 130, 30, -48, 160), 33, (15.645, 19.090, 23.558)),
}


def naud_cells(**options):
    """All eight patterns as one population, and their currents."""
    c, g, e, v_t, d_t, a, tau_w, b, v_r, i = np.array([p for p, _, _ in NAUD.values()], float).T.tolist()
    cell = AdEx(c, g, e, v_t, d_t, a, tau_w, b, v_peak=0.0, v_reset=v_r, **options)
    return cell, np.array(i)


def test_a2_adex_naud2008():
    cell, current = naud_cells()
    dt = 0.005  # at 0.01 ms the counts are the same; a spike takes up to two steps to reach its peak
    b = Bench(cell, dt, len(NAUD)).run(round(600 / dt), current)
    for unit, (name, (_, count, first)) in enumerate(NAUD.items()):
        times = b.times(unit)
        assert len(times) == count, name
        assert times[0] == pytest.approx(first[0], abs=0.01), name
        # each reset is late by up to two steps, and lateness adds up over a burst
        assert times[: len(first)] == pytest.approx(first, abs=0.01 * len(first)), name
    intervals = {name: np.diff(b.times(unit)) for unit, name in enumerate(NAUD)}
    assert intervals["adapting"][[0, -1]] == pytest.approx((11.3, 75.9), abs=0.05)
    assert intervals["initial burst"][4:] == pytest.approx(63.95, abs=0.02)
    assert intervals["delayed accelerating"][[0, -1]] == pytest.approx((20.6, 10.27), abs=0.02)


def test_a2_adex_schemes_at_a_coarse_step():
    """Forward Euler at 0.1 ms gives 60 spikes for the tonic cell; clipped Runge-Kutta stays finite and gives 61."""
    cell, current = naud_cells(scheme="euler")
    assert len(Bench(cell, 0.1, len(NAUD)).run(6000, current).ticks(0)) == 60
    cell, current = naud_cells()
    b = Bench(cell, 0.1, len(NAUD)).run(6000, current)
    assert [len(b.ticks(u)) for u in range(len(NAUD))] == [61, 12, 12, 11, 46, 32, 1, 33]


# A7, A12 --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dt", [0.01, 0.5])
def test_a7_qif_normal_form_is_exact(dt):
    tau, i, peak = 10.0, 4.0, 50.0
    root = math.sqrt(i)
    b = Bench(QIF.normal(tau, v_peak=peak, v_reset=-peak), dt, record=("v",)).run(round(60 / dt), i)
    period = tau / root * 2 * math.atan(peak / root)
    assert set(np.diff(b.ticks())) == {math.ceil(period / dt)}
    start = b.ticks()[0]
    t = np.arange(1, math.ceil(period / dt)) * dt
    exact = root * np.tan(root * t / tau - math.atan(peak / root))
    assert b.trace("v")[start + 1 : start + 1 + len(t), 0] == pytest.approx(exact, rel=1e-9, abs=1e-9)


def test_a7_theta_neuron_period():
    b = Bench(QIF.normal(10.0, v_peak=1e6, v_reset=-1e6), 0.01).run(10_000, 1.0)
    assert np.diff(b.times()) == pytest.approx(math.pi * 10.0, abs=0.01 + 1e-9)


def test_a7_qif_rheobase():
    cell = QIF(tau_m=10.0, a0=0.1, v_rest=-70.0, v_c=-55.0)
    b = Bench(cell, 0.5, 2).run(8000, np.array([5.62, 5.63]))  # a0 (v_c - v_rest)^2 / 4 = 5.625
    assert len(b.ticks(0)) == 0
    assert len(b.ticks(1)) >= 1


def test_a7_qif_is_stable_under_strong_inhibition():
    v = Bench(QIF(), 1.0, record=("v",)).run(200, -1e5).trace("v")
    assert v[-1, 0] == pytest.approx(-62.5 - math.sqrt((1e5 + 5.625) / 0.1), rel=1e-6)


def test_a12_eif_spikes_where_its_equation_does():
    # tau dv/dt = v_rest - v + D exp((v - v_t) / D) + i; the period is an integral over v, summed here by Simpson's rule
    v = np.linspace(-68.0, 0.0, 200_001)
    speed = (-65.0 - v + 2.0 * np.exp((v + 50.0) / 2.0) + 20.0) / 10.0
    f = 1.0 / speed
    period = (v[1] - v[0]) / 3 * (f[0] + f[-1] + 4 * f[1:-1:2].sum() + 2 * f[2:-1:2].sum())
    b = Bench(EIF(), 0.01).run(40_000, 20.0)
    assert np.diff(b.times()) == pytest.approx(period, abs=0.02)
    rheobase = -50.0 - 2.0 - (-65.0)  # minimum over v of the current that stops it: v_t - delta_t - v_rest
    assert not Bench(EIF(), 0.1).run(20_000, rheobase - 0.01).spiked
    assert Bench(EIF(), 0.1).run(20_000, rheobase + 0.01).spiked


def test_a12_if_rate_is_exactly_proportional_with_subtraction():
    b = Bench(IF(r=0.1, v_reset=None), 1.0, 3).run(10_000, np.array([1.0, 3.7, -2.0]))
    assert [len(b.ticks(u)) for u in range(3)] == [pytest.approx(1000, abs=1), 3700, 0]


def test_a12_if_resets_to_a_value():
    assert Bench(IF(r=0.125, v_reset=-1.0), 1.0).run(50, 1.0).ticks()[:3].tolist() == [15, 31, 47]


def test_a12_alif_follows_bellecs_recursion():
    cell, dt, n = ALIF(tau_m=20.0, tau_a=200.0, beta=0.3), 1.0, 600
    alpha, rho = math.exp(-dt / 20.0), math.exp(-dt / 200.0)
    v = a = 0.0
    z, spikes = 0, []
    for t in range(n):
        a = rho * a + z  # rises by the spike of the tick before, in full
        v = alpha * v + (1 - alpha) * 1.8
        z = int(v >= 1.0 + 0.3 * a)
        v -= z * 1.0
        spikes += [t] * z
    assert Bench(cell, dt).run(n, 1.8).ticks().tolist() == spikes
    assert 5 < len(spikes) < n / 20


def test_a12_mat_threshold_decays_in_closed_form():
    cell = MAT(tau_m=5.0, tau_1=10.0, tau_2=200.0, alpha_1=37.0, alpha_2=2.0, v_rest=-70.0, v_th=-51.0, t_ref=2.0)
    b = Bench(cell, 0.1, record=("v",)).run(5000, 30.0)
    ticks = b.ticks()
    assert len(ticks) > 10
    for k in (ticks[3], ticks[7]):
        since = (k - ticks[ticks < k]) * 0.1
        threshold = -51.0 + (37.0 * np.exp(-since / 10.0) + 2.0 * np.exp(-since / 200.0)).sum()
        before = -51.0 + (37.0 * np.exp(-(since - 0.1) / 10.0) + 2.0 * np.exp(-(since - 0.1) / 200.0)).sum()
        assert b.trace("v")[k, 0] >= threshold
        assert b.trace("v")[k - 1, 0] < before
    assert np.diff(b.trace("v")[:, 0]).min() > -1e-9  # never reset


def test_a12_li_relaxes_in_closed_form():
    v = Bench(LI(tau_m=10.0, r=2.0, v_rest=3.0), 0.5, record=("v",)).run(40, 1.5).trace("v")[:, 0]
    assert v == pytest.approx(3.0 + 3.0 * -np.expm1(-np.arange(1, 41) * 0.05), rel=1e-12)


def test_a12_mcculloch_pitts_gate():
    weights = np.zeros((1, 1))
    b = Bench(McCullochPitts(v_th=2.0), 1.0, events={"": ((1.0, 4.0, 5.0), 1.5)}, recurrent={"": weights})
    assert b.run(9, lambda k: 0.5 if k >= 4 else 0.0).ticks().tolist() == [5, 6]


# E1 -------------------------------------------------------------------------------------------------------------


def test_e1_nir_lif_spikes_at_26_and_48():
    cell = LIF(tau_m=20.0, v_th=1.0, v_reset=0.0)  # interval 20 ln 3 = 21.972 ms, which the grid rounds up
    b = Bench(cell, 1.0).run(60, lambda k: 1.5 if k >= 5 else 0.0)  # the sheet's steps fit a drive from step 5 on
    assert b.ticks().tolist() == [26, 48]


def test_e1_nir_cuba_lif_unit_event_adds_w_in_over_tau_syn():
    cell = CubaLIF(tau_m=10.0, tau_syn=4.0, r=3.0, w_in=2.0, v_rest=-1.0, v_th=SILENT, v_reset=-1.0)
    v = Bench(cell, 0.1, events={"": ((0.0,), 1.0)}, record=("v",)).run(500).trace("v")[1:, 0]
    t = np.arange(499) * 0.1
    assert v == pytest.approx(-1.0 + 3.0 * 2.0 / 4.0 * psp(t, 10.0, 4.0), rel=1e-9)


def test_e1_nir_cuba_lif_filters_analog_input_or_not():
    cell = CubaLIF(tau_m=10.0, tau_syn=4.0, w_in=2.0, v_th=SILENT)
    t = np.arange(1, 301) * 0.1
    direct = Bench(cell, 0.1, into="membrane", record=("v",)).run(300, 1.0).trace("v")[:, 0]
    assert direct == pytest.approx(-np.expm1(-t / 10.0), rel=1e-9)
    # tau_syn i' = -i + w_in s, tau_m v' = -v + i: the step response of both filters in series, twice
    step = 1 - (10.0 * np.exp(-t / 10.0) - 4.0 * np.exp(-t / 4.0)) / 6.0
    filtered = Bench(cell, 0.1, record=("v",)).run(300, 1.0).trace("v")[:, 0]
    assert filtered == pytest.approx(2.0 * step, rel=1e-9)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: IF(v_reset=2.0), "IF.v_th = 1.0: must lie above"),
        (lambda: ALIF(v_reset=1.5), "ALIF.v_th = 1.0: must lie above"),
        (lambda: CubaLIF(v_reset=1.0), "CubaLIF.v_reset = 1.0: must lie below v_th"),
        (lambda: QIF(v_reset=30.0), "QIF.v_reset = 30.0: must lie below v_peak"),
        (lambda: EIF(delta_t=0.0), "EIF.delta_t = 0.0: must be above 0"),
        (lambda: AdEx(scheme="leapfrog"), "AdEx.scheme = 'leapfrog': must be one of euler, heun, rk4"),
        (lambda: AdEx(substeps=0), "AdEx.substeps = 0: must be a whole number of at least 1"),
    ],
)
def test_mistakes_are_told(make, words):
    with pytest.raises(ConfigurationError, match=words.replace(".", r"\.")):
        make()
