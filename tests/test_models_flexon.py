"""The composable digital neuron: counts of the models sheet (A10), equality with other models, exact fixed point."""

import math

import numpy as np
import pytest
from model_bench import Bench

from insectbot.errors import ConfigurationError
from insectbot.snn import LIF, AdEx, FlexonNeuron, Izhikevich

DRIVE = 0.08


@pytest.mark.parametrize(
    ("features", "expected"),
    [
        (("EXD", "CUB"), list(range(19, 200, 20))),
        (("LID", "CUB"), list(range(14, 200, 15))),
        (("EXD", "CUB", "AR"), list(range(19, 200, 25))),
    ],
    ids=["LIF", "LLIF", "LIF with AR 5"],
)
def test_a10_flexon_reference_compositions(features, expected):
    assert Bench(FlexonNeuron(features, ar=5.0), 1.0).run(200, DRIVE).ticks().tolist() == expected


def test_a10_relative_refractoriness_gives_5_spikes_in_200():
    # q is the sheet's; it does not give e_r, nor whether r acts before or after its decay. Ours: 0.05, before.
    b = Bench(FlexonNeuron(("EXD", "CUB", "RR"), q=-0.05, e_r=0.05), 1.0).run(200, DRIVE)
    assert b.ticks().tolist() == [19, 53, 90, 127, 164]


@pytest.mark.parametrize("t_ref", [0.0, 3.0])
def test_a10_exd_cub_equals_lif(t_ref):
    current = np.random.default_rng(7).uniform(0.0, 2.6, 3000)
    part = -math.expm1(-0.5 / 10.0)
    features = ("EXD", "CUB", "AR") if t_ref else ("EXD", "CUB")
    flexon = Bench(FlexonNeuron(features, e_m=part, ar=t_ref / 0.5), 0.5).run(3000, lambda k: part * current[k])
    lif = Bench(LIF(tau_m=10.0, t_ref=t_ref), 0.5).run(3000, lambda k: current[k])
    assert len(lif.ticks()) > 30
    assert flexon.ticks().tolist() == lif.ticks().tolist()


def test_a10_qdi_sbt_equals_izhikevich():
    dt, a, b, c, d, unit = 0.25, 0.02, 0.2, -65.0, 8.0, 100.0
    low, high = np.sort(np.roots([0.04, 5.0, 140.0]).real)
    current = np.random.default_rng(8).uniform(0.0, 20.0, 4000)
    composed = FlexonNeuron(
        ("QDI", "CUB", "SBT"), e_m=0.04 * unit * dt, v_c=(high - low) / unit, e_w=dt * a, a=-dt * dt * a * b,
        v_w=-low / unit, b=dt * d / unit, v_th=(30.0 - low) / unit, v_reset=(c - low) / unit,
    )  # fmt: skip
    flexon = Bench(composed, dt).run(4000, lambda k: dt * current[k] / unit)
    written = Izhikevich(a=a, b=b, c=c, d=d, v_init=float(low), u_init=0.0, scheme="euler")
    expected = Bench(written, dt).run(4000, lambda k: current[k]).ticks()
    assert len(expected) > 10
    assert flexon.ticks().tolist() == expected.tolist()


def test_a10_exd_exi_sbt_equals_adex():
    dt, unit = 0.05, 50.0
    written = AdEx(200.0, 12.0, -70.0, -50.0, 2.0, 2.0, 300.0, 60.0, v_peak=0.0, v_reset=-58.0, scheme="euler")
    composed = FlexonNeuron(
        ("EXD", "EXI", "CUB", "SBT"), e_m=dt * 12.0 / 200.0, v_t=20.0 / unit, delta_t=2.0 / unit, e_w=dt / 300.0,
        a=-dt * dt * 2.0 / (200.0 * 300.0), b=dt * 60.0 / (200.0 * unit), v_th=70.0 / unit, v_reset=12.0 / unit,
    )  # fmt: skip
    expected = Bench(written, dt).run(12_000, 500.0).ticks()
    flexon = Bench(composed, dt).run(12_000, dt * 500.0 / (200.0 * unit)).ticks()
    assert len(expected) == 12
    assert flexon.tolist() == expected.tolist()


@pytest.mark.parametrize("synapse", ["COBE", "COBA"])
def test_a10_synapses_are_the_stated_recursions(synapse):
    cell = FlexonNeuron(("EXD", synapse), v_th=1e9, e_exc=0.2, e_inh=0.1)
    events = {"exc": ((0.0, 3.0, 4.0), 0.5), "inh": ((2.0,), -0.25)}
    v = Bench(cell, 1.0, events=events, record=("v",)).run(30).trace("v")[:, 0]
    state, out, decay = {"exc": [0.0, 0.0], "inh": [0.0, 0.0]}, [], {"exc": 0.2, "inh": 0.1}
    total = 0.0
    for k in range(30):
        for port, (times, weight) in events.items():
            y, g = state[port]
            e, arrived = decay[port], weight * (k - 1 in times)
            if synapse == "COBA":
                y = (1 - e) * y + arrived
                arrived = math.e * e * y
            state[port] = [y, (1 - e) * g + arrived]
        total = 0.95 * total + state["exc"][1] + state["inh"][1]
        out.append(total)
    assert v == pytest.approx(out, rel=1e-12)


def integer_gsfa_grr(cell, k, exc, inh, n):
    """v of EXD COBE REV ADT RR AR in integers of 2^-k: every product is shifted right, which rounds down."""

    def q(x):
        return math.floor(x * 2**k)

    e_m, e_exc, e_inh, e_w, e_r = (q(x) for x in (cell.e_m, cell.e_exc, cell.e_inh, cell.e_w, cell.e_r))
    v_exc, v_inh, v_ar, v_rr = q(cell.v_exc), q(cell.v_inh), q(cell.v_ar), q(cell.v_rr)
    v = g_exc = g_inh = w = r = rest = 0
    out = []
    for t in range(n):
        g_exc += exc[t] - (e_exc * g_exc >> k)
        g_inh += inh[t] - (e_inh * g_inh >> k)
        new = v + (g_exc * (v_exc - v) >> k) + (g_inh * (v_inh - v) >> k) - (e_m * v >> k)
        new += (w * (v_ar - v) >> k) + (r * (v_rr - v) >> k)
        w -= e_w * w >> k
        r -= e_r * r >> k
        v, rest = (v, rest - 1) if rest > 0 else (new, 0)
        if v >= q(cell.v_th):
            v, w, r, rest = q(cell.v_reset), w - q(cell.b), r + q(cell.q), int(cell.ar)
        out.append((v, w, r))
    return out


@pytest.mark.parametrize("k", [8, 16, 24])
def test_a10_fixed_point_equals_integer_arithmetic(k):
    rng = np.random.default_rng(k)
    cell = FlexonNeuron(
        ("EXD", "COBE", "REV", "ADT", "RR", "AR"), fixed_point=k, ar=3.0, b=-0.05, q=0.06, v_ar=-0.5, v_rr=-0.5
    )
    weights = {"exc": math.floor(0.06 * 2**k), "inh": math.floor(0.02 * 2**k)}
    times = {port: np.sort(rng.choice(398, 120, replace=False)).astype(float) for port in weights}
    events = {port: (times[port], weights[port] / 2**k) for port in weights}
    b = Bench(cell, 1.0, events=events, record=("v", "w", "r")).run(400)
    arrived = {port: [weights[port] * (t - 1.0 in times[port]) for t in range(400)] for port in weights}
    expected = integer_gsfa_grr(cell, k, arrived["exc"], arrived["inh"], 400)
    got = np.column_stack([b.trace(name)[:, 0] for name in ("v", "w", "r")]) * 2.0**k
    assert got.tolist() == [list(map(float, row)) for row in expected]
    assert len(b.ticks()) > 3


def test_a10_fixed_point_approaches_real_numbers():
    real = Bench(FlexonNeuron(("EXD", "EXI", "CUB")), 1.0, record=("v",)).run(15, 0.02).trace("v")
    for k in (10, 20):
        fixed = FlexonNeuron(("EXD", "EXI", "CUB"), fixed_point=k)
        v = Bench(fixed, 1.0, record=("v",)).run(15, 0.02).trace("v")
        assert 0 < np.abs(v - real).max() < 100 * 2.0**-k


def test_a10_fixed_point_needs_double_precision():
    assert FlexonNeuron(fixed_point=8).double
    assert not FlexonNeuron().double


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"features": ("EXD",)}, "must have one of CUB, COBE and COBA"),
        ({"features": ("EXD", "CUBE")}, "'CUBE' is not one of EXD, LID, CUB"),
        ({"features": ("EXD", "LID", "CUB")}, "at most one of EXD, LID, QDI"),
        ({"features": ("CUB", "ADT", "SBT")}, "at most one of ADT, SBT"),
        ({"features": ("CUB", "REV")}, "REV needs COBE or COBA"),
        ({"fixed_point": 30}, "must be a whole number from 1 to 24"),
    ],
)
def test_mistakes_are_told(options, words):
    with pytest.raises(ConfigurationError, match=words):
        FlexonNeuron(**options)
