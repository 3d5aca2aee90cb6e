"""Networks on TrueNorth: as hardware with all its clones, against the float core, and what is refused."""

import naive_truenorth
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insectbot.check_backend import backend_promises, reference_network
from insectbot.chips.truenorth import TrueNorth
from insectbot.chips.truenorth_replay import Neurons, run_cores
from insectbot.chips.truenorth_values import Table, digits, table_for
from insectbot.core.simulator import Simulator
from insectbot.errors import ConfigurationError, DoesNotFit, Unsupported
from insectbot.snn import (
    IF,
    LIF,
    AdEx,
    CurrentInput,
    Input,
    Network,
    PoissonInput,
    Population,
    Projection,
    RegularInput,
    RewardSTDP,
)


def spikes_of(executable, ticks, drive=0.8, seed=3):
    """Return a matrix [ticks, units]."""
    executable.recording = True
    executable.reset(seed)
    executable.window(np.full(executable.network.n_inputs, drive), ticks)
    found = np.zeros((ticks, executable.network.n_inputs + executable.network.n_neurons), bool)
    found[executable.spikes()] = True
    return found


def recurrent(seed, n=40, n_in=10, model=None, weights=None, p=0.3, delays=5):
    rng = np.random.default_rng(seed)
    projections = []
    for source, n_pre in (("in", n_in), ("p", n)):
        post, pre = np.nonzero(rng.random((n, n_pre)) < p)
        w = rng.normal(0.15, 0.3, pre.size) if weights is None else rng.choice(weights, pre.size)
        delay = rng.integers(1, delays + 1, pre.size).astype(float)
        projections.append(Projection.sparse(source, "p", pre=pre, post=post, weight=w, delay=delay))
    return Network(
        inputs=(Input("in", n_in, PoissonInput(200.0)),),
        populations=(Population("p", n, model or LIF(v_min=-0.5)),),
        projections=tuple(projections),
        outputs=("p",),
    )


def as_hardware(executable):
    """Return registers, axon types, crossbars and targets of all cores, clones and all, from the placement alone."""
    place, network = executable.placement, executable.network
    n_cores, n_in = place.n_cores, network.n_inputs
    wide = int(max(place.copies[a:b].sum() for a, b in zip(place.start[:-1], place.start[1:], strict=True)))
    most = int(np.diff(place.axon_row).max())
    assert wide <= 256
    assert most <= 256
    core = np.searchsorted(place.axon_row, np.arange(place.unit.size), side="right") - 1
    local = np.arange(place.unit.size) - place.axon_row[core]
    kind, wires = np.zeros((n_cores, most), int), np.zeros((n_cores, most, wide), bool)
    kind[core, local] = place.kind
    target, first = np.full((n_cores, wide, 3), -1), {}
    registers = {name: np.zeros((n_cores, wide), int) for name in ("leak", "threshold", "floor", "r", "gamma")}
    values = np.zeros((n_cores, wide, 4), int)
    quants = [p for p in executable.quant.populations for _ in range(p.n)]
    entries = {}
    for a, j in zip(place.entry_axon.tolist(), place.entry_neuron.tolist(), strict=True):
        entries.setdefault(j, []).append(a)
    for c in range(n_cores):
        slot = 0
        for j in range(place.start[c], place.start[c + 1]):
            first[j] = (c, slot)
            goals = np.flatnonzero(place.unit == j + n_in).tolist()
            q = quants[j]
            for i in range(place.copies[j]):
                if i < len(goals):
                    target[c, slot] = core[goals[i]], local[goals[i]], place.delay[goals[i]]
                for name, value in zip(registers, (-q.leak, q.threshold, q.floor, q.reset, q.linear), strict=True):
                    registers[name][c, slot] = value
                values[c, slot] = q.table.values
                for a in entries.get(j, []):
                    assert core[a] == c
                    assert not wires[c, local[a], slot]
                    wires[c, local[a], slot] = True
                slot += 1
            assert len(goals) + 1 == place.copies[j]
        registers["threshold"][c, slot:] = 1
    r = registers.pop("r")
    exponent = np.array([[int(abs(x) + 1).bit_length() - 1 for x in row] for row in r])
    neurons = Neurons.of(
        n_cores, wide, values=values, reverse=1, kappa=1, reset_sign=np.sign(r), reset_exponent=exponent, **registers
    )
    return neurons, kind, wires, target, first, (core, local)


@pytest.mark.parametrize("n", [8, 60])
def test_cores_with_all_their_clones_do_the_same(n):
    """The placement, expanded to one target per neuron and run at the register level, spikes as the executable."""
    executable = TrueNorth(weight_bits=4).compile(recurrent(2, n=n), seed=1)
    assert (executable.placement.n_cores > 2) == (n == 60)
    seen = spikes_of(executable, 120)
    neurons, kind, wires, target, first, (core, local) = as_hardware(executable)
    place, n_in = executable.placement, executable.network.n_inputs
    injected = np.zeros((160, *kind.shape), bool)
    for a in np.flatnonzero(place.unit < n_in):
        ticks = np.flatnonzero(seen[:, place.unit[a]])
        injected[ticks + place.delay[a], core[a], local[a]] = True
    found = run_cores(neurons, kind, wires, target, injected[:120])
    assert seen[:, n_in:].sum() > 2 * n
    for j, (c, slot) in first.items():
        for i in range(place.copies[j]):
            np.testing.assert_array_equal(found.spikes[:, c, slot + i], seen[:, n_in + j])
    assert found.merged == executable.counters().soft_failures["merged"] == 0


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1000), st.sampled_from([None, 0.0, 1.0]), st.booleans())
def test_if_neurons_are_exact(seed, v_reset, few):
    """Integer weights and a threshold in the same unit: spike for spike the float network."""
    choice = [1, 3, -2, -1] if few else [-3, -2, -1, 1, 2, 3, 5, 6, 7]
    network = recurrent(seed, model=IF(v_th=9.0, v_reset=v_reset), weights=choice, n=12, delays=15)
    chip = TrueNorth(weight_bits=4)
    seen = spikes_of(chip.compile(network), 200)
    np.testing.assert_array_equal(seen, spikes_of(Simulator().compile(network), 200))
    assert seen[:, 10:].sum() > 20


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1000), st.sampled_from([5.0, 20.0, 100.0]), st.sampled_from([None, 0.0, -0.3]))
def test_lif_is_a_linear_leak_in_the_order_of_the_float_network(seed, tau, v_min):
    """Leak towards rest, add the spikes, bound, threshold: in integers, without the chip's own order."""
    network = recurrent(seed, n=12, n_in=30, model=LIF(tau_m=tau, v_min=v_min))
    executable = TrueNorth().compile(network)
    seen = spikes_of(executable, 150)
    q, n_in = executable.quant.populations[0], network.n_inputs
    v = np.zeros(12, int)
    for t in range(150):
        v = np.sign(v) * np.maximum(np.abs(v) - q.leak, 0)
        for p, quant in zip(network.projections, executable.quant.projections, strict=True):
            offset = 0 if p.source == "in" else n_in
            amount = np.rint(quant.integers(p.weight) * q.table.unit).astype(int)
            for k in range(p.n_synapses):
                due = t - int(p.delay[k])
                if due >= 0 and seen[due, offset + p.pre[k]]:
                    v[p.post[k]] += amount[k]
        if v_min is not None:
            v = np.maximum(v, -max(round(-v_min * q.scale), q.leak))
        fired = v >= round(q.scale)
        np.testing.assert_array_equal(fired, seen[t, n_in:])
        v[fired] = 0
    assert seen[:, n_in:].sum() > 20


def test_the_leak_is_what_is_lost_at_half_the_threshold():
    network = recurrent(0, model=LIF(tau_m=20.0, v_rest=-65.0, v_th=-50.0, v_reset=-65.0), weights=[1.0, 2.0])
    quant = TrueNorth().quantise(network)
    q, report = quant.populations[0], quant.report.populations[0]
    assert q.leak == round(q.scale * 7.5 * (1 - np.exp(-1 / 20.0)))
    assert report.leak == pytest.approx(0.366, rel=0.02)
    assert report.tau_m == pytest.approx(20.0, rel=0.02)
    assert report.modelled == ("linear leak",)
    executable = TrueNorth().compile(network)
    spikes_of(executable, 50)
    assert -66 < executable.potentials("p").min() < executable.potentials("p").max() < -50


def test_refractory_time_is_modelled_by_the_reset():
    """Without input V is back at rest after the refractory time, to the next register."""
    network = recurrent(0, model=LIF(t_ref=4.0), weights=[1.0, 0.5])
    quant = TrueNorth().quantise(network)
    q = quant.populations[0]
    assert q.reset in {-(2**k - 1) for k in range(19)}
    assert -q.reset / q.leak == pytest.approx(4.0, rel=0.34)
    assert quant.report.populations[0].t_ref == -q.reset / q.leak
    assert "refractory time as a deeper reset" in quant.report.populations[0].modelled


@given(st.integers(2, 8), st.data())
def test_digits_make_every_weight(bits, data):
    """Counts of axons times values give back the integer; no place is used more often than the core counts."""
    table = Table(1.0, (), bits, max(255 // (1 << (bits - 1)), 1))
    w = np.array([data.draw(st.integers(table.low, table.high))])
    counts = table.counts(w)[0]
    assert (counts @ table.values) == w[0] * table.unit
    assert (counts <= [most for _, most in digits(bits)]).all()
    assert max(abs(v) for v in table.values) <= 255


def test_known_tables():
    assert digits(4) == [(1, 1), (2, 1), (4, 1), (-8, 1)]
    assert digits(8) == [(1, 3), (4, 3), (16, 7), (-128, 1)]
    assert Table(1.0, (), 4, 31).values == (31, 62, 124, -248)
    few = table_for(np.array([0.33, 0.02, -0.1], np.float32), 4, 255, 1e9)
    assert few.values == (-70, 14, 231, 0)
    assert table_for(np.array([0.33, 0.02, -0.1], np.float32), 4, 255, 350.0).values == (-30, 6, 99, 0)


@given(st.integers(0, 10**6), st.integers(2, 8))
def test_a_grid_that_fits_is_exact(seed, bits):
    """Multiples of any step up to the range, however large the largest of them is."""
    rng = np.random.default_rng(seed)
    grid = rng.uniform(0.001, 10)
    whole = np.unique(rng.integers(-(1 << (bits - 1)), 1 << (bits - 1), 40))
    table = table_for(np.float32(whole * grid), bits, 255, 1e9)
    np.testing.assert_allclose(table.integers(np.float32(whole * grid)) * table.step, whole * grid, rtol=1e-5)


def test_synapses_between_the_same_units_add_up():
    """Two equal synapses of one source take two axons; their weights add."""
    both = Projection.sparse("in", "p", pre=[0, 0], post=[0, 0], weight=0.5, delay=2.0)
    network = Network(
        inputs=(Input("in", 1, RegularInput(1000.0)),),
        populations=(Population("p", 1, IF(v_th=1.0)),),
        projections=(both,),
        outputs=("p",),
    )
    executable = TrueNorth().compile(network)
    assert executable.placement.unit.size == 2
    assert spikes_of(executable, 10, drive=1.0)[:, 1].tolist() == [False] * 2 + [True] * 8


def test_weight_bits_lose_what_the_report_says():
    network = recurrent(4)
    errors = []
    for bits in (2, 4, 8):
        quant = TrueNorth(weight_bits=bits).quantise(network)
        p, report = network.projections[0], quant.report.projections[0]
        off = quant.projections[0].effective - p.weight
        assert report.rms_error == pytest.approx(np.linalg.norm(off) / np.linalg.norm(p.weight), rel=1e-6)
        assert report.zeroed == ((quant.projections[0].effective == 0) & (p.weight != 0)).sum()
        assert report.bits == bits
        errors.append(report.rms_error)
    assert errors[0] > 2 * errors[1] > 8 * errors[2]
    # Left to itself the chip takes as many bits as one core has axons for, and four on several cores.
    assert TrueNorth().quantise(recurrent(4, n=5, n_in=5)).report.projections[0].bits == 8
    assert TrueNorth().quantise(recurrent(4, n=100)).report.projections[0].bits == 4


def test_promises():
    for name, broken in backend_promises(TrueNorth()).items():
        assert broken() == "", name


def test_states_and_weights_move():
    """Other weights keep membranes and spikes under way; the old state comes back exactly, on other cores too."""
    network = recurrent(7, n=20, delays=15)
    executable = TrueNorth(weight_bits=5).compile(network, seed=1)
    spikes_of(executable, 60)
    state = executable.state()
    weights = executable.weights()
    executable.window(np.full(10, 0.8), 40)
    rest = executable.spikes()
    before = executable.potentials("p")
    cores = executable.placement.n_cores
    executable.set_weights({"p->p": np.zeros_like(weights["p->p"])})
    assert executable.placement.n_cores < cores
    np.testing.assert_allclose(executable.potentials("p"), before, atol=0.02)
    executable.load_state(state)
    for name, w in weights.items():
        np.testing.assert_array_equal(executable.weights()[name], w)
    executable.window(np.full(10, 0.8), 40)
    for a, b in zip(executable.spikes(), rest, strict=True):
        np.testing.assert_array_equal(a, b)


def one(**changes):
    parts = {
        "inputs": (Input("in", 2, PoissonInput(100.0)),),
        "populations": (Population("p", 2, LIF()),),
        "projections": (Projection.dense("in", "p", np.full((2, 2), 0.5)),),
        "outputs": ("p",),
    }
    return Network(**{**parts, **changes})


REFUSED = {
    "neither LIF nor IF": one(populations=(Population("p", 2, AdEx()),)),
    "only delta synapses exist": one(populations=(Population("p", 2, LIF(tau_syn=5.0)),)),
    "CurrentInput is not known": one(inputs=(Input("in", 2, CurrentInput()),)),
    "differs between neurons": one(populations=(Population("p", 2, LIF(v_th=(1.0, 2.0))),)),
    "which IF has not": one(populations=(Population("p", 2, IF(t_ref=2.0)),)),
    "starts elsewhere": one(populations=(Population("p", 2, LIF(), initial={"v": 0.5}),)),
}


@pytest.mark.parametrize("message", REFUSED)
def test_refused_by_name(message):
    chip = TrueNorth()
    assert any(message in sentence for sentence in chip.check(REFUSED[message]))
    with pytest.raises(Unsupported, match=message):
        chip.compile(REFUSED[message])


def test_learning_is_refused_by_name():
    executable = TrueNorth().compile(reference_network(plastic=True))
    with pytest.raises(Unsupported, match=r"on-chip learning \(RewardSTDP of 'hidden->motor'\) does not exist here"):
        executable.learning = True
    assert executable.learning is False
    assert isinstance(executable.network.projection("hidden->motor").plasticity, RewardSTDP)


def test_delays_beyond_the_scheduler():
    late = one(projections=(Projection.dense("in", "p", np.full((2, 2), 0.5), delay=16.0),))
    with pytest.raises(DoesNotFit, match="delay 16 ticks > 15"):
        TrueNorth().compile(late)
    quant = TrueNorth(clip_delays=True).quantise(late)
    assert quant.report.losses["clipped_delays"] == 4
    assert set(TrueNorth().place(TrueNorth().quantise(one())).delay) == {1}
    assert set(TrueNorth(clip_delays=True).place(quant).delay) == {15}


def test_bad_options():
    with pytest.raises(ConfigurationError, match=r"weight_bits = 9 must be one of 2\.\.8"):
        TrueNorth(weight_bits=9)


def test_the_oracle_agrees_on_one_mapped_core():
    """The plain-Python oracle, not only the register kernel, spikes as the executable."""
    executable = TrueNorth().compile(recurrent(5, n=3, n_in=4), seed=1)
    seen = spikes_of(executable, 150, drive=1.0)
    neurons, kind, wires, target, first, (core, local) = as_hardware(executable)
    injected = np.zeros((170, *kind.shape), bool)
    for a in np.flatnonzero(executable.placement.unit < 4):
        unit, delay = executable.placement.unit[a], executable.placement.delay[a]
        injected[np.flatnonzero(seen[:, unit]) + delay, core[a], local[a]] = True
    names = ("values", "random_synapse", "leak", "reverse", "random_leak", "threshold", "floor", "jitter", "gamma")
    names += ("kappa", "reset_sign", "reset_exponent")
    dicts = [[{x: getattr(neurons, x)[0, j].tolist() for x in names} for j in range(neurons.leak.shape[1])]]
    (_, fired), _ = naive_truenorth.run(dicts, kind.tolist(), wires.tolist(), target.tolist(), injected[:150].tolist())
    for j, (_, slot) in first.items():
        assert [row[0][slot] for row in fired] == seen[:, 4 + j].tolist()
    assert seen[:, 4:].sum() > 5
