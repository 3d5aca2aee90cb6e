"""Every model in the core against the plain stepper: in float64 they spike in the same ticks."""

import numpy as np
import pytest
from model_bench import Bench
from naive_models import NaiveModel

from insectbot import snn
from insectbot.snn import (
    ALIF,
    EIF,
    IF,
    LI,
    LIF,
    MAT,
    PCNN,
    QIF,
    SCM,
    SRM0,
    AdEx,
    Alpha,
    CubaLIF,
    Dendrite,
    Exponential,
    FitzHughNagumo,
    FlexonNeuron,
    HindmarshRose,
    HodgkinHuxley,
    Izhikevich,
    Izhikevich2007,
    LeakyReadout,
    McCullochPitts,
    NeuronModel,
    ThresholdLinear,
    TwoCompartment,
)

N, TICKS = 3, 1500
CASES = {  # model, dt [ms], mean and deviation of a current that changes every 10 ticks, port of the current
    "LIF": (LIF(t_ref=1.0), 0.5, 1.5, 1.0, None),
    "LIF bounded": (LIF(v_min=-0.1), 0.5, 0.5, 3.0, None),
    "IF": (IF(r=0.1), 1.0, 1.0, 1.0, None),
    "LI": (LI(v_rest=2.0), 1.0, 1.0, 1.0, None),
    "CubaLIF": (CubaLIF(v_rest=-1.0, v_th=0.0, v_reset=-1.0), 0.5, 2.0, 1.0, "membrane"),
    "ALIF": (ALIF(), 0.5, 2.0, 1.0, None),
    "MAT": (MAT(), 0.5, 30.0, 20.0, None),
    "McCullochPitts": (McCullochPitts(), 1.0, 0.0, 1.0, None),
    "QIF": (QIF(), 0.1, 10.0, 10.0, None),
    "EIF": (EIF(), 0.1, 20.0, 10.0, None),
    "AdEx": (AdEx(t_ref=1.0), 0.1, 900.0, 500.0, None),
    "Izhikevich": (Izhikevich(), 0.25, 10.0, 5.0, None),
    "Izhikevich2007": (Izhikevich2007(), 0.1, 300.0, 300.0, None),
    "HodgkinHuxley": (HodgkinHuxley(), 0.025, 10.0, 5.0, None),
    "FitzHughNagumo": (FitzHughNagumo(), 0.1, 0.7, 0.3, None),
    "HindmarshRose": (HindmarshRose(), 0.05, 2.5, 0.5, None),
    "SRM0": (SRM0(), 0.5, 2.0, 1.0, "membrane"),
    "PCNN": (PCNN(), 1.0, 0.5, 0.2, "feeding"),
    "SCM": (SCM(), 1.0, 0.5, 0.2, "linking"),
    "TwoCompartment": (TwoCompartment(t_ref=2.0), 0.1, 1200.0, 400.0, "dendrite"),
    "Dendrite": (Dendrite(n=4, coupling=3.0, t_ref=2.0), 0.5, 12.0, 6.0, "d2"),
    "FlexonNeuron": (FlexonNeuron(), 1.0, 0.08, 0.04, None),
    "ThresholdLinear": (ThresholdLinear(), 1.0, 0.0, 1.0, "drive"),
    "LeakyReadout": (LeakyReadout(), 1.0, 0.0, 1.0, None),
}


def both(model, dt, mean, deviation, port, ticks=TICKS, **options):
    """Run the core and the plain stepper; return their spikes and their first state after every tick."""
    first = next(iter(model.states))
    rng = np.random.default_rng(11)
    current = np.repeat(rng.normal(mean, deviation, (ticks // 10, N)), 10, axis=0)
    core = Bench(model, dt, N, into=port, record=(first,), **options).run(ticks, lambda k: current[k])
    plain = NaiveModel(model, dt, N, options.get("receptors"))
    into = dict(model.default_receptors())[port].into if port else None
    spikes, trace = [], []
    events = options.get("events", {})
    arrive = {p or "main": {round(t / dt) + 1 for t in times} for p, (times, _) in events.items()}
    weight = {p or "main": float(np.float32(w)) for p, (_, w) in events.items()}
    for k in range(ticks):
        spiked = plain.step(current[k], into, **{p: weight[p] * (k in at) for p, at in arrive.items()})
        spikes += [(k, int(u)) for u in np.flatnonzero(spiked)]
        trace.append(plain[first])
    return core, spikes, np.array(trace)


@pytest.mark.parametrize("name", CASES)
def test_core_equals_plain_stepper(name):
    core, spikes, trace = both(*CASES[name])
    assert sorted(core.spiked) == spikes
    model = CASES[name][0]
    assert core.trace(next(iter(model.states))) == pytest.approx(trace, rel=1e-6, abs=1e-6)
    assert len(spikes) > 5 or not model.spiking


def test_every_model_is_compared():
    bases = {"NeuronModel", "LinearNeuron", "OdeNeuron"}
    models = {n for n in snn.__all__ if isinstance(c := getattr(snn, n), type) and issubclass(c, NeuronModel)}
    assert models - bases <= {name.split()[0] for name in CASES}


SYNAPSES = {"exc": Exponential(3.0, e_rev=0.0), "inh": Alpha(4.0, e_rev=-75.0), "drive": Exponential(5.0)}
CONDUCTANCE = {
    "LIF": (LIF(20.0, -65.0, -50.0, -65.0, t_ref=2.0), 0.5, (0.3, 0.2, 3.0), (12.0, 2.0)),
    "ALIF": (ALIF(20.0, 100.0, 2.0, -65.0, -50.0, -65.0), 0.5, (0.3, 0.2, 3.0), (12.0, 2.0)),
    "AdEx": (AdEx(), 0.1, (10.0, 5.0, 60.0), (500.0, 100.0)),
    "HodgkinHuxley": (HodgkinHuxley(), 0.05, (0.1, 0.05, 1.0), (5.0, 2.0)),
}


@pytest.mark.parametrize("name", CONDUCTANCE)
def test_conductance_synapses_equal_plain_stepper(name):
    model, dt, weights, current = CONDUCTANCE[name]
    rng = np.random.default_rng(12)
    times = {p: np.sort(rng.choice(TICKS - 10, 60, replace=False)) * dt for p in SYNAPSES}
    events = {p: (times[p], w) for p, w in zip(SYNAPSES, weights, strict=True)}
    core, spikes, trace = both(model, dt, *current, None, receptors=SYNAPSES, events=events)
    assert sorted(core.spiked) == spikes
    assert core.trace("v") == pytest.approx(trace, rel=1e-6, abs=1e-6)
    assert len(spikes) > 5


def test_escape_noise_has_the_same_rate_as_in_the_plain_stepper():
    model = SRM0(delta_u=0.3, rho_0=0.2, eta_0=-1.0)
    core, n = Bench(model, 0.5, 200, into="membrane", seed=1).run(400, 1.0), 200
    plain, count = NaiveModel(model, 0.5, n, seed=2), 0
    for _ in range(400):
        count += int(plain.step(1.0).sum())
    assert len(core.spiked) == pytest.approx(count, abs=5 * np.sqrt(count))


@pytest.mark.parametrize("name", ["AdEx", "HodgkinHuxley", "QIF"])
def test_float32_stays_close(name):
    model, dt, mean, _, port = CASES[name]
    one, two = (
        Bench(model, dt, 1, into=port, record=(next(iter(model.states)),), precision=p).run(4000, mean)
        for p in ("float32", "float64")
    )
    a, b = one.times(), two.times()
    assert len(a) == len(b)
    assert a[:10] == pytest.approx(b[:10], rel=2e-3)
