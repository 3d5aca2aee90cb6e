"""Neurogrid: the published equations, shared dendrites, probabilities for weights, limits, dies, energy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_neurogrid import period, quadratic, spread

from insectbot.chips import qif_analog as k
from insectbot.chips import qif_window as w
from insectbot.chips.neurogrid import Neurogrid
from insectbot.chips.neurogrid_arbor import arbor_of, no_arbor
from insectbot.chips.neurogrid_quantise import fit_strengths
from insectbot.chips.neurogrid_replay import run_quadratic
from insectbot.errors import ConfigurationError, DoesNotFit, ShapeError, Unsupported
from insectbot.scenario import make_backend
from insectbot.snn import (
    LIF,
    QIF,
    CurrentInput,
    Input,
    Izhikevich,
    Network,
    PairSTDP,
    PoissonBackground,
    PoissonInput,
    Population,
    Projection,
    RegularInput,
)

NEURON = {"tau_s": 3.0, "i_in": 0.2, "v_pk": 10.0, "t_ref": 0.4, "tau_k": 20.0, "g_k_inf": 4.0, "t_res": 1.0}
NEURON |= {"tau_d": 2.0, "i_d": 0.1}
SYNAPSE = {"tau_c": [5.0, 2.0, 8.0, 1.0], "g_sat": [0.6, 0.4, 0.3, 2.0], "t_rise": [0.02, 0.1, 0.5, 0.03]}
SYNAPSE |= {"e": [10.0, 6.0, -3.0, -10.0]}


@settings(max_examples=60, deadline=None)
@given(
    st.floats(0.5, 10.0),
    st.floats(-0.5, 1.5),
    st.floats(0.0, 8.0),
    st.floats(0.0, 3.0),
    st.floats(0.0, 3.0),
    st.lists(st.floats(0.005, 0.8), min_size=4, max_size=4),
    st.integers(0, 2**31),
)
def test_replay_is_the_published_equations(tau_s, i_in, g_k_inf, t_ref, t_res, t_rise, seed):
    q = NEURON | SYNAPSE | {"tau_s": tau_s, "i_in": i_in, "g_k_inf": g_k_inf, "t_ref": t_ref, "t_res": t_res}
    q["t_rise"] = t_rise
    arrivals = np.random.default_rng(seed).poisson([0.3, 0.2, 0.05, 0.1], (500, 4))
    found = run_quadratic(arrivals[:, :, None], dt=0.1, **q)
    expected, merged = quadratic(arrivals.tolist(), dt=0.1, **q)
    np.testing.assert_array_equal(found.spikes[:, 0], [row[4] for row in expected])
    for name, column in (("v", 0), ("g_k", 1), ("v_d", 2)):
        np.testing.assert_allclose(getattr(found, name)[:, 0], [row[column] for row in expected], rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(found.g[:, :, 0], [row[3] for row in expected], rtol=1e-8, atol=1e-10)
    assert found.merged == merged


def test_the_oracle_is_put_to_work():
    """The drives of the test above make neurons spike, adapt and merge pulses."""
    arrivals = np.random.default_rng(1).poisson([0.3, 0.2, 0.05, 0.1], (2000, 4))
    trace, merged = quadratic(arrivals.tolist(), dt=0.1, **NEURON | SYNAPSE | {"i_in": 1.0})
    assert sum(row[4] for row in trace) > 3
    assert max(row[1] for row in trace) > 0.1
    assert merged > 20


@pytest.mark.parametrize("current", [0.6, 1.0, 3.0])
def test_the_period_has_its_closed_form(current):
    found = run_quadratic(np.zeros((40000, 4, 1), int), dt=0.01, tau_s=5.0, i_in=current, v_pk=10.0)
    times = np.flatnonzero(found.spikes[:, 0]) * 0.01
    assert np.diff(times).mean() == pytest.approx(period(current, 5.0, 10.0), rel=0.01)


def test_without_current_two_is_the_edge():
    """v = 0 is stable and v = 2 is not: what starts above runs away; half the leak level is the rheobase."""
    for current, fires in ((0.49, False), (0.51, True)):
        found = run_quadratic(np.zeros((20000, 4, 1), int), tau_s=5.0, i_in=current)
        assert found.spikes.any() == fires


def test_the_peak_counts_as_a_spike():
    """One step from 0 by exactly v_pk: dt / tau_s i_in = 0.25 x 4 = 1."""
    found = run_quadratic(np.zeros((3, 4, 1), int), dt=0.25, tau_s=1.0, i_in=4.0, v_pk=1.0, t_ref=0.25)
    assert found.spikes[:, 0].tolist() == [True, False, True]


def test_pulses_add_up_until_the_step_is_full():
    arrivals = np.zeros((40, 4, 1), int)
    arrivals[0, 0] = 3
    arrivals[0, 1] = 9
    found = run_quadratic(arrivals, dt=0.1, t_rise=0.02, tau_c=1.0, g_sat=1.0)
    first = found.g[0, :2, 0] * 1.1 / 0.1
    np.testing.assert_allclose(first, [0.6, 1.0])
    assert found.merged == 4
    # The area of a pulse is g_sat t_rise, whatever the time constant.
    slow = run_quadratic(
        np.concatenate([arrivals, np.zeros((4000, 4, 1), int)]), dt=0.1, t_rise=0.02, tau_c=7.0, g_sat=2.0
    )
    assert slow.g[:, 0, 0].sum() * 0.1 == pytest.approx(3 * 2.0 * 0.02, rel=1e-9)


@pytest.mark.parametrize(("n", "columns", "length"), [(30, 6, 0.5), (23, 5, 1.3), (12, 12, 2.0)])
def test_conductance_spreads_over_a_hexagonal_grid(n, columns, length):
    arbor, dense = arbor_of(np.array([0, n]), columns, length), np.zeros((n, n))
    for j in range(n):
        dense[j, arbor[1][arbor[0][j] : arbor[0][j + 1]]] = arbor[2][arbor[0][j] : arbor[0][j + 1]]
    np.testing.assert_allclose(dense, spread(n, columns, length), rtol=1e-9, atol=1e-15)
    np.testing.assert_allclose(dense, dense.T)
    arrivals = np.zeros((6, 4, n), int)
    arrivals[0, 1, 7] = 1
    found = run_quadratic(arrivals, columns=columns, length=length, tau_c=5.0, g_sat=1.0, tau_d=1e-9, e=1.0)
    pooled = dense @ found.g[3, 1]
    np.testing.assert_allclose(found.v_d[3], pooled / (1 + pooled), rtol=1e-6)
    assert (found.v_d[3] > 0).sum() > 4


def test_an_endless_grid_keeps_the_current_and_cores_do_not_mix():
    row, source, share = arbor_of(np.array([0, 41 * 41, 41 * 41 + 9]), 41, 1.5)
    middle = 20 * 41 + 20
    assert share[row[middle] : row[middle + 1]].sum() == pytest.approx(1.0)
    assert source[row[41 * 41] :].min() >= 41 * 41
    assert source[: row[41 * 41]].max() < 41 * 41
    six = share[row[middle] : row[middle + 1]]
    assert np.isclose(np.sort(six)[-7:-1], six.max() * np.exp(-1 / 1.5)).all()


def test_replay_refuses_what_it_cannot_run():
    with pytest.raises(ConfigurationError, match="'tau_m' is not one of tau_s"):
        run_quadratic(np.zeros((1, 4, 1), int), tau_m=1.0)
    for wrong in ({"tau_s": 0.0}, {"e": np.nan}, {"g_sat": -1.0}, {"dt": 0.0}, {"length": -1.0}):
        with pytest.raises(ConfigurationError):
            run_quadratic(np.zeros((1, 4, 1), int), **wrong)
    for arrivals in (np.zeros((1, 3, 1), int), np.zeros((1, 4, 1)), np.full((1, 4, 1), -1), np.full((1, 4, 1), 40000)):
        with pytest.raises(ShapeError, match="arrivals of shape"):
            run_quadratic(arrivals)
    with pytest.raises(ShapeError, match=r"tau_s has shape \(2,\)"):
        run_quadratic(np.zeros((1, 4, 3), int), tau_s=[1.0, 2.0])


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0.01, 1.0), min_size=1, max_size=12))
def test_two_strengths_have_the_least_noise(sizes):
    found = np.array(sizes)

    def noise(large, small):
        return sum(w * ((small if w <= small else large) - w) for w in found)

    large, small = fit_strengths(found)
    assert large == found.max()
    assert noise(large, small) <= min(noise(large, w) for w in found) + 1e-12


def simple(weight, rate=100.0, **model):
    weight = np.atleast_2d(weight)
    n, n_in = weight.shape
    return Network(
        inputs=(Input("in", n_in, PoissonInput(rate)),),
        populations=(Population("out", n, LIF(**model)),),
        projections=(Projection.dense("in", "out", weight),),
        outputs=("out",),
    )


def test_a_weight_is_a_population_and_a_probability():
    executable = Neurogrid().compile(simple([[0.8, 0.4, 0.2, 0.0, -0.3, -0.1]], rate=900.0), seed=3)
    quant = executable.quant
    assert quant.channel.tolist() == [0, 1, 1, 1, 2, 3]
    effective = executable.effective_weights()["in->out"]
    np.testing.assert_allclose(effective, [0.8, 0.4, 0.2, 0.0, -0.3, -0.1], atol=0.4 / 255)
    executable.window(np.ones(6, np.float32), 4000)
    chance, spikes = quant.chance, executable._unit_spikes[:6]
    sent, spread_of_it = executable.counters().synops, np.sqrt((spikes * chance * (1 - chance)).sum())
    assert abs(sent - (spikes * chance).sum()) < 5 * spread_of_it
    assert spread_of_it > 10


def test_probabilities_round_to_the_nearest():
    """Strengths are 1 and 0.5; 0.45 is 2.7 thirds of 0.5, and 0.3 is 1.8 thirds."""
    executable = Neurogrid(weight_bits=2).compile(simple([[1.0, 0.5, 0.5, 0.5, 0.45, 0.3]]))
    assert executable.quant.code.tolist() == [3, 3, 3, 3, 3, 2]


def test_delivery_has_a_stream_of_its_own():
    """Regular inputs, one die: only the chance of delivery differs between seeds."""
    network = simple([[1.0, 0.7, 0.4, 0.2, 0.1]] * 3)
    network = Network((Input("in", 5, RegularInput(500.0)),), network.populations, network.projections, ("out",))

    def sent(seed):
        executable = Neurogrid(die=1).compile(network, seed=seed)
        return [(executable.window(np.ones(5, np.float32), 50), executable.counters().synops)[1] for _ in range(4)]

    assert sent(1) == sent(1)
    assert sent(1) != sent(2)


def test_a_neuron_spikes_at_most_once_per_tick():
    network = simple([[50.0]] * 2, 1e5, tau_m=4.0)
    for backend in (Neurogrid(mismatch=0.0), Neurogrid(mismatch=0.0, spread=1.0)):
        executable = backend.compile(network)
        executable.recording = True
        executable.window([1.0], 200)
        tick, unit = executable.spikes()
        assert executable.counters().spikes == (unit > 0).sum() == np.unique(tick[unit > 0] * 2 + unit[unit > 0]).size
        assert executable.counters().spikes > 350


def test_two_weights_of_a_sign_are_delivered_without_noise():
    executable = Neurogrid().compile(simple([[0.5, 0.2, 0.5, -0.3, -0.1]]), seed=1)
    assert executable.quant.chance.tolist() == [1.0] * 5
    executable.window(np.ones(5, np.float32), 500)
    assert executable.counters().synops == executable.counters().input_spikes > 100


@pytest.mark.parametrize(("tau_syn", "drive"), [(0.0, 1.3), (0.0, 2.0), (5.0, 2.0), (0.0, 3.0)])
def test_a_naive_neuron_has_the_rate_of_the_network(tau_syn, drive):
    """At the rheobase and at twice it the curves meet; at three times the quadratic one lags by a fifth."""
    weight = drive / (20 * 0.2 * (tau_syn or 20.0))
    network = simple(np.full((1, 20), weight), 200.0, tau_m=20.0, tau_syn=tau_syn, t_ref=2.0)
    network = Network((Input("in", 20, RegularInput(200.0)),), network.populations, network.projections, ("out",))
    rates = []
    for backend in (make_backend("ideal"), Neurogrid(mismatch=0.0)):
        rates.append(backend.compile(network, seed=1).window(np.ones(20, np.float32), 4000).counts[0] / 4)
    assert rates[1] == pytest.approx(rates[0], rel=0.25 if drive != 2.0 else 0.12)


def test_inhibition_takes_away_what_excitation_gives():
    """At twice the rheobase a drive of +3 - 1 fires as +2 does."""
    rates = []
    for weights in ([0.05] * 10, [0.05] * 15 + [-0.05] * 5):
        inputs = (Input("in", len(weights), RegularInput(200.0)),)
        network = simple([weights], tau_m=20.0)
        network = Network(inputs, network.populations, network.projections, ("out",))
        executable = Neurogrid(mismatch=0.0).compile(network)
        rates.append(executable.window(np.ones(len(weights), np.float32), 3000).counts[0] / 3)
    assert rates[1] == pytest.approx(rates[0], rel=0.15)


def test_a_quadratic_population_is_the_chips_own_neuron():
    """The kit's exact flow and the chip agree, in any units of the potential."""
    model = QIF(tau_m=10.0, a0=0.08, v_rest=-70.0, v_c=-55.0, v_peak=5.0, v_reset=-70.0)
    network = Network(
        (Input("in", 40, PoissonInput(250.0)),),
        (Population("out", 1, model),),
        (Projection.dense("in", "out", np.full((1, 40), 0.09)),),
        ("out",),
    )
    executable = Neurogrid(mismatch=0.0).compile(network)
    soma = executable.quant.soma["out"]
    assert soma.tau_s == pytest.approx(10 / (0.08 * 15))
    assert soma.gain * 0.08 * 15**2 / 4 == pytest.approx(0.5)
    rates = [
        e.window(np.ones(40, np.float32), 2000).counts[0] for e in (make_backend("ideal").compile(network), executable)
    ]
    assert rates[0] > 40
    assert rates[1] == pytest.approx(rates[0], rel=0.1)


def test_spread_reaches_neighbours():
    weight = np.zeros((9, 1))
    weight[4] = 2.0
    heard = []
    for length in (0.0, 1.0):
        executable = Neurogrid(mismatch=0.0, spread=length).compile(simple(weight, 300.0))
        executable.window([1.0], 200)
        heard.append(int((executable._state[k.V_D] > 1e-6).sum()))
    assert heard == [1, 9]


def test_a_spike_arrives_one_tick_later_at_the_same_step():
    executable = Neurogrid(mismatch=0.0).compile(
        Network(
            (Input("in", 1, RegularInput(1000.0)),),
            (Population("a", 1), Population("b", 1)),
            (Projection.dense("in", "a", [[40.0]]), Projection.dense("a", "b", [[40.0]])),
            ("b",),
        )
    )
    arrived = []
    for _ in range(12):
        executable.window([1.0], 1)
        fired = int(executable._when[0])
        arrived.append((fired, executable._pending[:, :, 1].copy()))
    spiking = [(step, pending) for step, pending in arrived if step >= 0]
    assert spiking
    for step, pending in spiking:
        assert np.argwhere(pending.sum(axis=1)).ravel().tolist() == [step]
    assert all(not pending.any() for step, pending in arrived if step < 0)


def test_the_fast_loop_is_the_step_bit_for_bit():
    rng, n, steps = np.random.default_rng(4), 300, 10
    p = np.zeros((k.N_PARAMETERS, n))
    p[[k.K_S, k.K_D, k.K_K]] = rng.uniform(0.01, 0.2, (3, n))
    p[k.V_PK], p[k.HOLD], p[k.I_IN], p[k.I_D] = 10.0, np.arange(n) % 25, rng.uniform(-0.3, 0.3, n), 0.1
    p[k.K_C : k.K_C + 4], p[k.G_SAT : k.G_SAT + 4] = rng.uniform(0.005, 0.2, (4, n)), rng.uniform(0.1, 2.0, (4, n))
    p[k.RISE : k.RISE + 4], p[k.REVERSAL : k.REVERSAL + 4] = (
        rng.uniform(0.1, 3.0, (4, n)),
        [[10.0], [5.0], [-3.0], [-9.0]],
    )
    one, two = np.zeros((2, k.N_STATE, n))
    when, counts, total = np.zeros((2, n), np.int64), np.zeros((2, k.N_COUNTS), np.int64), 0
    for tick in range(300):
        chance = 0.03 if tick < 200 else 0.0
        pending = (rng.random((steps, 4, n)) < chance).astype(np.int16) * rng.integers(
            1, 4, (steps, 4, n), dtype=np.int16
        )
        pending[:, 3] = 0
        a = w.advance(p, one, pending.copy(), no_arbor(), when[0], counts[0])
        b = w.advance_blocks(p, two, pending, when[1], counts[1])
        assert a == b
        assert not pending.any()
        np.testing.assert_array_equal(one, two)
        np.testing.assert_array_equal(when[0], when[1])
        total += a
    assert total > 1000
    assert counts[0, k.MERGED] == counts[1, k.MERGED] > 100


def test_dies_differ_by_the_datasheets_spread():
    network = simple(np.full((400, 1), 0.5))
    executable = Neurogrid(die=1).compile(network)
    leak = executable.programmed()["parameters"][k.K_S]
    assert np.log(leak / leak.mean()).std() == pytest.approx(np.sqrt(np.log1p(0.04)), rel=0.15)
    same, other = Neurogrid(die=1).compile(network, seed=9), Neurogrid(die=2).compile(network)
    np.testing.assert_array_equal(same.programmed()["parameters"], executable.programmed()["parameters"])
    assert not np.array_equal(other.programmed()["parameters"], executable.programmed()["parameters"])
    alike = Neurogrid(mismatch=0.0).compile(network, seed=5)
    assert np.ptp(alike.programmed()["parameters"], axis=1).max() == 0
    other.load_state(executable.state())
    np.testing.assert_array_equal(other.programmed()["parameters"], executable.programmed()["parameters"])


def test_limits_and_refusals_are_named():
    chip = Neurogrid()
    many = Network((Input("in", 1, PoissonInput(1.0)),), tuple(Population(f"p{i}", 1) for i in range(17)), (), ("p0",))
    with pytest.raises(DoesNotFit, match="Neurocores 17 > 16"):
        chip.compile(many)
    large = Network((Input("in", 1, PoissonInput(1.0)),), (Population("out", 65537 * 16),), (), ())
    with pytest.raises(DoesNotFit, match="neurons 1048592 > 1048576"):
        chip.compile(large)
    wrong = Network(
        (Input("in", 1, CurrentInput()),),
        (
            Population("izhikevich", 1, Izhikevich()),
            Population("mixed", 2, LIF(tau_m=(10.0, 20.0))),
            Population("kicked", 1, LIF(), background=PoissonBackground(100.0, 0.1)),
            Population("reset", 1, QIF(v_reset=-60.0)),
        ),
        (),
        ("mixed",),
    )
    assert len(chip.check(wrong)) == 5
    with pytest.raises(Unsupported, match="Izhikevich is not LIF or QIF"):
        chip.compile(wrong)
    with pytest.raises(DoesNotFit, match=r"tau_s 0.309 ms on the chip is outside 0.5 to 200"):
        chip.compile(simple([[0.1]], tau_m=2.0))
    sheet = Network((Input("in", 1, PoissonInput(1.0)),), (Population("out", 65536),), (), ())
    assert chip.check(sheet) == []
    with pytest.raises(DoesNotFit, match=r"shared dendrite: entries 3.8e\+08 > 5e\+07"):
        Neurogrid(spread=8.0).compile(sheet)
    with pytest.raises(Unsupported, match=r"LIF.v_th = 1.0 must lie above v_rest = 2.0"):
        chip.compile(simple([[0.1]], v_rest=2.0))
    with pytest.raises(Unsupported, match=r"LIF.v_reset = -0.5 is not v_rest = 0.0"):
        chip.compile(simple([[0.1]], v_reset=-0.5))
    for options in ({"weight_bits": 9}, {"substeps": 0}, {"mismatch": -1.0}, {"spread": 9.0}, {"spread": -1.0}):
        with pytest.raises(ConfigurationError):
            Neurogrid(**options)


def test_learning_and_delays_are_refused_by_name():
    plastic = Network(
        (Input("in", 1, PoissonInput(10.0)),),
        (Population("out", 1),),
        (Projection.dense("in", "out", [[0.1]], delay=4.0, plasticity=PairSTDP()),),
        ("out",),
    )
    executable = Neurogrid().compile(plastic)
    assert executable.quant.report.losses["clipped_delays"] == 1
    with pytest.raises(Unsupported, match="PairSTDP of 'in->out'"):
        executable.learning = True
    with pytest.raises(Unsupported, match="delay 4 ticks > 1"):
        Neurogrid(clip_delays=False).compile(plastic)


def test_time_is_real_and_energy_the_boards():
    executable = Neurogrid().compile(simple([[0.5]]))
    executable.window([1.0], 2000)
    c = executable.counters()
    assert c.chip_time == pytest.approx(2.0)
    assert c.energy.static == pytest.approx(3.1 * 2.0)
    assert c.energy.events == 0.0
    assert executable.n_chips == 1


def test_messages_climb_the_tree():
    """Populations take Neurocores in order; 0 to 3 is two levels up and two down, 0 to 1 one."""
    populations = tuple(Population(f"p{i}", 1) for i in range(4))
    network = Network(
        (Input("in", 1, RegularInput(100.0)),),
        populations,
        (
            Projection.dense("in", "p0", [[9.0]]),
            Projection.dense("p0", "p1", [[0.1]]),
            Projection.dense("p0", "p3", [[0.1]]),
        ),
        ("p3",),
    )
    executable = Neurogrid(mismatch=0.0).compile(network)
    ups = {
        int(core): tuple(hops[:2]) for core, hops in zip(executable.routes.core, executable.routes.hops, strict=True)
    }
    assert ups == {0: (0, 0), 1: (1, 1), 3: (2, 2)}
    executable.window([1.0], 100)
    spikes = int(executable._unit_spikes[1])
    assert spikes > 5
    # Multicast takes the two links up and the three links down once each.
    assert (executable.events().hops_x, executable.events().hops_y) == (2 * spikes, 3 * spikes)
