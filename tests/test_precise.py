"""LIF(precise=True) against an event-driven oracle, closed forms and its own promises."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from naive_precise import solve

from insectbot.core.generate import generate
from insectbot.core.simulator import Simulator
from insectbot.core.structure import Structure
from insectbot.errors import ConfigurationError
from insectbot.snn import (
    LIF,
    CurrentInput,
    Delta,
    Exponential,
    Input,
    Network,
    PoissonInput,
    Population,
    Projection,
    SpikeTimesInput,
)


def recorded(network, seed=0):
    executable = Simulator().compile(network, seed=seed)
    executable.recording = True
    return executable


def spikes_of(network, ms, drive=None, name="a", seed=0):
    """Return the spike times of a population [ms]."""
    executable = recorded(network, seed)
    executable.window(np.zeros(network.n_inputs) if drive is None else drive, round(ms / network.dt))
    times, units = executable.spike_times()
    mine = network.unit_slices()[name]
    kept = (units >= mine.start) & (units < mine.stop)
    return times[kept]


EXP = LIF(tau_m=10.0, v_rest=-70.0, v_th=-55.0, v_reset=-70.0, t_ref=2.0, tau_syn=2.0, precise=True)


def one_neuron(model, times, weight, *, dt=0.1, delay=1.0, receptors=(), receptor=None, **options):
    """Return a network of one neuron ``a`` under given spikes and an analog current ``c``."""
    return Network(
        inputs=(Input("i", 1, SpikeTimesInput((tuple(times),))), Input("c", 1, CurrentInput())),
        populations=(Population("a", 1, model, receptors=receptors, **options),),
        projections=(
            Projection.dense("i", "a", [[weight]], delay=delay, receptor=receptor),
            Projection.dense("c", "a", [[1.0]], delay=dt),
        ),
        outputs=("a",),
        dt=dt,
    )


def fifty(seed, grid=0.0):
    times = np.sort(np.random.default_rng(seed).uniform(1.0, 200.0, 50))
    return (np.unique(np.rint(times / grid)) * grid if grid else times).tolist()


# The sheet's [neurons.lif_exp_exact_spikes] (first spike at 21.598415925911 ms) has no list of its 50 input spikes:
# the same experiment with spikes of our own, against an independent solver, stands in for it.
@pytest.mark.parametrize("seed", range(8))
def test_fifty_spikes_onto_an_exponential_synapse(seed):
    network = one_neuron(EXP, fifty(seed), 42.0)
    expected = [t for t, _ in solve(network, {"i": [fifty(seed)]}, 220.0, [0.0, 0.0])]
    assert 6 <= len(expected) <= 16
    np.testing.assert_allclose(spikes_of(network, 220.0), expected, rtol=0, atol=1e-11)


def test_the_grid_drifts_less_with_a_finer_step():
    times = fifty(3, grid=0.1)
    exact = spikes_of(one_neuron(EXP, times, 42.0), 220.0)
    errors = []
    for dt in (0.1, 0.05, 0.01):
        # On the grid a given spike counts at the end of its tick, one step late.
        network = one_neuron(replace(EXP, precise=False), times, 42.0, dt=dt, delay=1.0 - dt)
        on_grid = spikes_of(network, 220.0)
        assert len(on_grid) == len(exact) > 8
        errors.append(np.abs(on_grid - exact).max())
    assert 0.05 < errors[0] < 0.6
    assert errors[1] < 0.75 * errors[0]
    assert errors[2] < 0.35 * errors[1]


def test_constant_current_fires_at_the_closed_form_interval():
    for current, t_ref in ((21.0, 0.0), (25.0, 2.0), (1000.0, 1.0)):
        lif = LIF(tau_m=20.0, v_rest=-70.0, v_th=-50.0, v_reset=-65.0, t_ref=t_ref, precise=True)
        times = spikes_of(one_neuron(lif, (), 0.0, dt=0.5), 1000.0, [0.0, current])
        assert times[0] == pytest.approx(20.0 * math.log(current / (current - 20.0)), abs=1e-11)
        interval = t_ref + 20.0 * math.log((current - 5.0) / (current - 20.0))
        assert len(times) == 1 + int((1000.0 - times[0]) / interval)
        np.testing.assert_allclose(times, times[0] + interval * np.arange(len(times)), rtol=0, atol=1e-9)
    silent = replace(lif, t_ref=0.0)
    assert len(spikes_of(one_neuron(silent, (), 0.0, dt=0.5), 1000.0, [0.0, 20.0])) == 0


def test_a_peak_within_a_tick_is_found_to_rounding():
    # exp PSP of tau_m 10, tau_syn 2 peaks at 0.13374806099528441 (closed form), 4.0235947810852511 ms after the arrival
    s = math.log(5.0) * 10.0 * 2.0 / 8.0
    peak = 2.0 / 8.0 * (math.exp(-s / 10.0) - math.exp(-s / 2.0))
    for above, expected in ((1e-6, 0), (1e-13, 0), (-1e-13, 1), (-1e-6, 1)):
        lif = LIF(tau_m=10.0, v_th=peak * (1.0 + above), tau_syn=2.0, precise=True)
        times = spikes_of(one_neuron(lif, (3.7,), 1.0, dt=20.0, delay=20.0), 100.0)
        assert len(times) == expected
        # v - v_th is a parabola about its peak: v'' = -v / (tau_m tau_syn) there
        early = math.sqrt(2.0 * abs(above) * 20.0)
        assert all(t == pytest.approx(23.7 + s - early, rel=0, abs=1e-3 * early + 1e-7) for t in times)


def test_a_peak_of_two_opposed_currents_within_a_tick():
    receptors = {"exc": Exponential(3.0), "inh": Exponential(0.5)}
    model = LIF(tau_m=10.0, v_th=1.0, v_reset=0.0, precise=True)
    times = [3.0, 3.1, 17.3, 17.9, 43.0]
    network = Network(
        inputs=(Input("e", 1, SpikeTimesInput((tuple(times),))), Input("h", 1, SpikeTimesInput((tuple(times),)))),
        populations=(Population("a", 1, model, receptors=receptors),),
        projections=(
            Projection.dense("e", "a", [[11.0]], delay=10.0, receptor="exc"),
            Projection.dense("h", "a", [[-30.0]], delay=10.0, receptor="inh"),
        ),
        outputs=("a",),
        dt=10.0,
    )
    expected = [t for t, _ in solve(network, {"e": [times], "h": [times]}, 90.0)]
    assert len(expected) >= 2
    np.testing.assert_allclose(spikes_of(network, 90.0), expected, rtol=0, atol=1e-10)


def recurrent(dt=0.5, precision="float32", tau_m=None, **options):
    """Two precise populations: three receptors, analog current, recurrence, numbers per neuron; one without t_ref."""
    rng = np.random.default_rng(11)
    given = [np.sort(rng.uniform(0.0, 150.0, 60)).round(6).tolist() for _ in range(6)]
    n = 9
    receptors = {"exc": Exponential(2.0), "kick": Delta(), "inh": Exponential(6.0)}
    rates = tuple(rng.uniform(8.0, 25.0, n).tolist()) if tau_m is None else tau_m
    a = LIF(tau_m=rates, v_rest=-65.0, v_th=-50.0, v_reset=-60.0, t_ref=0.0, precise=True, **options)
    b = LIF(tau_m=12.0, v_rest=-65.0, v_th=-52.0, v_reset=-65.0, t_ref=1.5, precise=True)

    def link(source, target, n_pre, n_post, scale, receptor, p=0.5):
        post, pre = np.nonzero(rng.random((n_post, n_pre)) < p)
        weight, delay = rng.uniform(0.3, 1.0, pre.size) * scale, rng.choice([0.5, 1.0, 2.5], pre.size)
        name = f"{source}->{target}.{receptor}"
        options = {"weight": weight, "delay": delay, "receptor": receptor, "name": name}
        return Projection.sparse(source, target, pre=pre, post=post, **options)

    network = Network(
        inputs=(Input("i", 6, SpikeTimesInput(tuple(map(tuple, given)))), Input("c", 2, CurrentInput(0.5))),
        populations=(
            Population("a", n, a, receptors=receptors, initial={"v": rng.uniform(-65.0, -51.0, n)}),
            Population("b", n, b, receptors=receptors),
        ),
        projections=(
            link("i", "a", 6, n, 25.0, "exc"),
            link("i", "a", 6, n, 6.0, "kick", 0.3),
            link("c", "a", 2, n, 1.0, None, 0.7),
            link("a", "a", n, n, -6.0, "inh"),
            link("a", "b", n, n, 30.0, "exc"),
            link("b", "b", n, n, 2.0, "kick"),
            link("b", "a", n, n, -9.0, "inh"),
        ),
        outputs=("a", "b"),
        dt=dt,
        precision=precision,
    )
    return network, given


CURRENT = [0.0] * 6 + [21.0, 15.0]


def both(network, ms=150.0, seed=0):
    """Return times and units of the neurons of a recurrent network, by unit, then time."""
    executable = recorded(network, seed)
    executable.window(CURRENT, round(ms / network.dt))
    times, units = executable.spike_times()
    order = np.lexsort((times, units))
    mine = units[order] >= network.n_inputs
    return times[order][mine], units[order][mine]


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_a_recurrent_network_spikes_as_the_oracle(precision):
    network, given = recurrent(precision=precision)
    expected = sorted((unit, time) for time, unit in solve(network, {"i": given}, 150.0, CURRENT))
    times, units = both(network)
    assert len(expected) > 300
    assert units.tolist() == [u for u, _ in expected]
    np.testing.assert_allclose(times, [t for _, t in expected], rtol=0, atol=1e-9)
    # several spikes of a neuron in one tick did happen
    assert (np.diff(np.ceil(times / 0.5))[np.diff(units) == 0] == 0).sum() > 3


@pytest.mark.parametrize("dt", [0.25, 0.1, 0.05])
def test_the_step_does_not_matter(dt):
    times, units = both(recurrent()[0])
    finer, same = both(recurrent(dt)[0])
    assert same.tolist() == units.tolist()
    np.testing.assert_allclose(finer, times, rtol=0, atol=1e-9)


def mixed():
    """A precise and a grid population that drive each other, under Poisson and given spikes."""
    rng = np.random.default_rng(2)
    given = tuple(tuple(np.sort(rng.uniform(0.0, 400.0, 90)).tolist()) for _ in range(3))
    a = LIF(tau_m=15.0, v_th=1.0, t_ref=2.0, tau_syn=3.0, precise=True)
    g = LIF(tau_m=15.0, v_th=1.0, t_ref=2.0, tau_syn=3.0)
    return Network(
        inputs=(
            Input("p", 4, PoissonInput(300.0)),
            Input("i", 3, SpikeTimesInput(given)),
            Input("c", 1, CurrentInput()),
        ),
        populations=(Population("g", 70, g), Population("a", 70, a)),
        projections=tuple(
            Projection.dense(s, t, scale * rng.random((70, n)), delay=d, name=f"{s}{t}")
            for s, t, n, scale, d in (
                ("p", "a", 4, 3.0, 1.0),
                ("i", "a", 3, 3.0, 1.0),
                ("i", "g", 3, 6.0, 1.0),
                ("a", "g", 70, 0.1, 2.0),
                ("g", "a", 70, 0.1, 3.0),
                ("a", "a", 70, -0.1, 1.0),
                ("c", "a", 1, 1.0, 1.0),
            )
        ),
        outputs=("a", "g"),
    )


DRIVES = np.random.default_rng(8).uniform(0.2, 1.0, (8, 8))


def test_fifty_ticks_equal_fifty_windows_of_one():
    whole, split = recorded(mixed(), 3), recorded(mixed(), 3)
    for drive in DRIVES:
        counts = whole.window(drive, 50).counts.copy()
        found, total, parts = whole.spike_times(), 0, []
        ticks, units = whole.spikes()
        assert (np.lexsort((units, ticks)) == np.arange(ticks.size)).all()
        for _ in range(50):
            total = total + split.window(drive, 1).counts
            parts.append(split.spike_times())
        np.testing.assert_array_equal(counts, total)
        for k in range(2):
            np.testing.assert_array_equal(found[k], np.concatenate([p[k] for p in parts]))
    a, b = whole.state(), split.state()
    for name in set(a) - {"clock"}:
        np.testing.assert_array_equal(a[name], b[name], err_msg=name)
    assert whole.counters().spikes > 5000


def test_state_round_trips_and_reset_really_resets():
    first, second, fresh = (recorded(mixed(), seed) for seed in (5, 99, 5))
    for drive in DRIVES:
        first.window(drive, 30)
    second.load_state(first.state())
    for drive in DRIVES:
        first.window(drive, 30)
        second.window(drive, 30)
        np.testing.assert_array_equal(first.spike_times(), second.spike_times())
    for name, array in first.state().items():
        np.testing.assert_array_equal(array, second.state()[name], err_msg=name)
    first.reset(5)
    for name, array in fresh.state().items():
        np.testing.assert_array_equal(array, first.state()[name], err_msg=name)
    for drive in DRIVES:
        fresh.window(drive, 30)
        first.window(drive, 30)
        np.testing.assert_array_equal(fresh.spike_times(), first.spike_times())


def test_recording_changes_nothing_and_keeps_float64():
    quiet, watched = recorded(mixed(), 3), recorded(mixed(), 3)
    watched.record({"a": ["v", ".g"], "g": ["v"]})
    quiet.recording = False
    for drive in DRIVES:
        quiet.window(drive, 40)
        watched.window(drive, 40)
        states = watched.states()
        np.testing.assert_array_equal(states["a", "v"][-1], watched.variable("a", "v"))
        np.testing.assert_array_equal(states["g", "v"][-1], watched.variable("g", "v"))
        np.testing.assert_array_equal(states["a", ".g"][-1], watched.variable("a", ".g"))
    assert states["a", "v"].shape == (40, 70)
    assert watched.variable("a", "v").dtype == np.float64
    for name, array in quiet.state().items():
        np.testing.assert_array_equal(array, watched.state()[name], err_msg=name)


def test_the_membrane_between_ticks_is_the_closed_form():
    model = LIF(tau_m=10.0, v_rest=-70.0, v_th=0.0, v_reset=-80.0, tau_syn=2.0, precise=True)
    executable = recorded(one_neuron(model, (0.33,), 1.0))
    executable.record({"a": ["v"]})
    executable.window([0.0, 3.0], 200)
    ends = 0.1 * np.arange(1, 201)
    s = np.maximum(ends - 1.33, 0.0)
    expected = -70.0 + 3.0 * (1.0 - np.exp(-ends / 10.0)) + 2.0 / 8.0 * (np.exp(-s / 10.0) - np.exp(-s / 2.0))
    np.testing.assert_allclose(executable.states()["a", "v"][:, 0], expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("tau_syn", [10.0, 10.0 * (1 + 1e-9), 10.0 * (1 - 1e-5), 10.5])
def test_equal_time_constants_are_no_exception(tau_syn):
    # tau_m = tau_syn: v = (s / tau) e^(-s / tau), to first order in their difference
    model = LIF(tau_m=10.0, v_th=0.3, tau_syn=tau_syn, precise=True)
    (spike,) = spikes_of(one_neuron(model, (0.25,), 1.0), 50.0) - 1.25
    x = spike * (0.1 - 1.0 / tau_syn)
    v = spike / 10.0 * math.exp(-spike / 10.0) * (math.expm1(x) / x if x else 1.0)
    assert v == pytest.approx(0.3, abs=1e-12)


def test_delta_arrivals_add_up_at_once_and_are_lost_while_refractory():
    model = LIF(tau_m=10.0, v_th=1.0, t_ref=2.0, precise=True)
    two = Network(
        inputs=(Input("i", 2, SpikeTimesInput(((1.3, 7.7), (1.3, 7.6)))),),
        populations=(Population("a", 1, model),),
        projections=(Projection.dense("i", "a", [[5.0, -4.5]]),),
        outputs=("a",),
    )
    # 5 - 4.5 at 2.3 is below the threshold; at 8.7 there is -4.2 before the 5
    assert len(spikes_of(two, 20.0)) == 0
    # the second and third come within 2 ms of the first spike, or exactly at its end; the fourth later
    assert spikes_of(one_neuron(model, (1.25, 2.0, 3.25, 3.26), 3.0, dt=0.25), 20.0) == pytest.approx([2.25, 4.26])
    assert spikes_of(one_neuron(model, (1.25, 1.5, 3.25), 3.0, dt=0.25), 20.0) == pytest.approx([2.25])


def test_given_times_stay_exact_beside_precise_neurons():
    given = ((0.0, 0.3, 0.7, 0.71, 2.0), (1.4999, 1.5), ())
    source = SpikeTimesInput(given)
    for dt in (0.1, 0.25, 1.0):
        ticks, channels, offsets = source.exact_events(dt)
        assert (np.diff(ticks) >= 0).all()
        assert ((offsets >= 0.0) & (offsets <= dt)).all()
        for k, times in enumerate(given):
            np.testing.assert_allclose((ticks * dt + offsets)[channels == k], times, rtol=0, atol=1e-15 * 8)
    on_grid = SpikeTimesInput((tuple(0.1 * np.arange(1, 200)),)).exact_events(0.1)
    assert on_grid[0].tolist() == list(range(199))
    assert (on_grid[2] == 0.1).all()
    model = LIF(tau_m=10.0, v_th=0.5, precise=True)
    network = Network(
        inputs=(Input("i", 3, source),),
        populations=(Population("a", 3, model), Population("g", 3, LIF(v_th=0.5))),
        projections=(Projection.dense("i", "a", np.eye(3)), Projection.dense("i", "g", np.eye(3))),
        outputs=("a", "g"),
    )
    executable = recorded(network)
    executable.window([0.0] * 3, 10)
    times, units = executable.spike_times()
    for k in range(3):
        np.testing.assert_allclose(times[units == k], given[k], rtol=0, atol=1e-15)
        np.testing.assert_allclose(times[units == 3 + k], np.array(given[k]) + 1.0, rtol=0, atol=1e-14)
    # to the grid they count at the end of their tick, and what comes in one tick adds up
    assert times[units == 6].tolist() == [2.0, 3.0]
    assert times[units == 7].tolist() == [3.0]
    assert executable.window([0.0] * 3, 0).counts.sum() == 0


def test_a_spike_on_the_grid_counts_at_the_end_of_its_tick():
    def chain(first, second):
        populations = (Population("a", 1, first), Population("b", 1, second))
        links = (Projection.dense("i", "a", [[1.0]], delay=2.0), Projection.dense("a", "b", [[1.0]], delay=3.0))
        inputs = (Input("i", 1, SpikeTimesInput(((4.3,),))),)
        executable = recorded(Network(inputs, populations, links, ("a", "b")))
        readout = executable.window([0.0], 20)
        assert readout.counts.tolist() == [1, 1]
        return executable.spike_times()[0].tolist(), executable.spikes()[0].tolist()

    grid, exact = LIF(v_th=0.5), LIF(v_th=0.5, precise=True)
    assert chain(exact, exact) == (pytest.approx([4.3, 6.3, 9.3]), [4, 6, 9])
    assert chain(exact, grid) == (pytest.approx([4.3, 6.3, 10.0]), [4, 6, 9])
    assert chain(grid, exact) == (pytest.approx([4.3, 7.0, 10.0]), [4, 6, 9])
    # without precise neurons: at the end of the tick that begins nearest
    assert chain(grid, grid) == ([5.0, 7.0, 10.0], [4, 6, 9])


def test_more_spikes_in_a_tick_than_there_is_room_for():
    network = one_neuron(LIF(tau_m=20.0, v_th=1.0, precise=True), (), 0.0, dt=1.0)
    executable = recorded(network)
    with pytest.raises(ConfigurationError, match=r"more often within one step of dt = 1.0 ms .* give them a t_ref"):
        executable.window([0.0, 1e6], 3)
    executable.reset(0)
    executable.window([0.0, 60.0], 30)
    assert len(executable.spike_times()[0]) == int(30.0 / (-20.0 * math.log(1.0 - 1.0 / 60.0)))
    held = replace(network.populations[0].model, t_ref=1.0)
    assert len(spikes_of(one_neuron(held, (), 0.0, dt=1.0), 30.0, [0.0, 1e9])) == 30


def test_more_neurons_than_sixteen_bits_can_name():
    targets = np.array([0, 65_535, 65_536, 69_999])
    network = Network(
        inputs=(Input("i", 1, SpikeTimesInput(((0.5,),))),),
        populations=(Population("a", 70_000, LIF(v_th=1.0, precise=True)),),
        projections=(Projection.sparse("i", "a", pre=np.zeros(4), post=targets, weight=2.0),),
        outputs=("a",),
    )
    assert np.flatnonzero(recorded(network).window([0.0], 3).counts).tolist() == targets.tolist()


def test_other_kernels_know_nothing_of_it():
    network = one_neuron(replace(EXP, precise=False), (1.0,), 1.0)
    assert "precise" not in generate(Structure.of(network))
    assert "precise_tick" in generate(Structure.of(one_neuron(EXP, (1.0,), 1.0)))
