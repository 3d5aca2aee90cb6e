"""The array: exactness without noise, noise by its variances, tiles, refusals, dies, energy, programming."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insectbot.chips import datasheet
from insectbot.chips import ftj_window as k
from insectbot.chips.datasheet import Datasheet
from insectbot.chips.ftj import FTJArray
from insectbot.chips.ftj_quantise import written
from insectbot.errors import ConfigurationError, DoesNotFit, Unsupported
from insectbot.scenario import make_backend
from insectbot.snn import (
    LIF,
    CurrentInput,
    Input,
    Izhikevich,
    Network,
    PoissonInput,
    Population,
    Projection,
    RegularInput,
)

EXACT = {"mismatch": 0.0, "noise": 0.0, "write_noise": 0.0}


def feed(weight, model=None, n_in=1, **more):
    weight = np.atleast_2d(weight)
    return Network(
        inputs=(Input("in", n_in, RegularInput(1000.0)),),
        populations=(Population("out", weight.shape[0], model or LIF()),),
        projections=(Projection.dense("in", "out", weight, **more),),
        outputs=("out",),
    )


@st.composite
def networks(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**31)))
    tau_m = draw(st.sampled_from([5.0, 20.0]))
    # Two structures, so that the reference compiles two kernels only.
    if draw(st.booleans()):
        more = {"t_ref": draw(st.sampled_from([1.0, 4.0])), "v_min": -0.4}
    else:
        more = {"tau_syn": draw(st.sampled_from([3.0, tau_m]))}
    model = LIF(tau_m=tau_m, v_rest=-0.2, v_th=0.9, v_reset=-0.1, **more)
    return Network(
        inputs=(Input("in", 6, PoissonInput(150.0)), Input("push", 2, CurrentInput(0.3))),
        populations=(Population("a", 9, model), Population("b", 4, LIF(tau_m=8.0, t_ref=2.0))),
        projections=(
            Projection.dense("in", "a", rng.uniform(-0.1, 0.9, (9, 6))),
            Projection.dense("push", "a", rng.uniform(0.0, 1.0, (9, 2))),
            Projection.sparse(
                "a",
                "b",
                pre=np.repeat(np.arange(9), 4),
                post=np.tile(np.arange(4), 9),
                weight=rng.uniform(-0.2, 0.6, 36),
                delay=rng.integers(1, 7, 36).astype(float),
            ),
            Projection.dense("b", "a", rng.uniform(-0.3, 0.0, (9, 4)), delay=2.0),
        ),
        outputs=("a", "b"),
        precision="float64",
    )


@settings(max_examples=15, deadline=None)
@given(networks())
def test_without_noise_it_is_the_reference_spike_for_spike(network):
    trains = []
    for backend in (make_backend("ideal"), FTJArray(**EXACT)):
        executable = backend.compile(network, seed=3)
        executable.recording, executable.learning = True, False
        executable.reset(3)
        seen = []
        for drive in (np.full(8, 0.4), np.full(8, 1.0)):
            executable.window(drive, 150)
            seen += [np.stack([x.astype(np.int64) for x in executable.spikes()])]
        trains.append(np.concatenate(seen, axis=1))
    np.testing.assert_array_equal(*trains)


def test_pacemakers_run_on_the_host():
    network = dataclasses.replace(feed([[0.2]], LIF(v_rest=1.3, v_th=1.0, v_reset=0.0, t_ref=2.0)), precision="float64")
    counts = [b.compile(network).window([0.1], 400).counts[0] for b in (make_backend("ideal"), FTJArray(**EXACT))]
    assert counts[0] == counts[1] > 10


def test_weights_are_differences_of_two_junctions():
    low, high = written(datasheet.load("ftj"))
    assert (low, high) == (pytest.approx(0.595), pytest.approx(9.505))
    executable = FTJArray(**EXACT).compile(feed([[0.5], [-1.0], [0.0]]))
    g = executable.programmed()["conductance"]
    span = 0.9 * (high - low)
    np.testing.assert_allclose(g, [[low + span / 2, low, low], [low, low + span, low]])
    np.testing.assert_allclose(executable.effective_weights()["in->out"], [0.5, -1.0, 0.0], atol=1e-12)


@pytest.mark.parametrize("part", ["junctions", "wires"])
def test_read_noise_has_the_variance_of_its_parts(part):
    """One read of 64 lines by 4000 columns: of each conductance 2 %, of the current of either wire 1 %."""
    figures = dict(datasheet.load("ftj").figures)
    off = "read.wire_noise" if part == "junctions" else "read.noise"
    figures[off] = dataclasses.replace(figures[off], value=0.0)
    sheet = Datasheet("ftj", figures, datasheet.load("ftj").prices)
    weight = np.zeros((4000, 64))
    weight[:, :40], weight[:, 40:] = 0.02, -0.01
    chip = FTJArray(sheet=sheet, mismatch=0.0, write_noise=0.0)
    executable = chip.compile(feed(weight, LIF(tau_m=1e9, v_th=100.0), 64))
    executable.window(np.ones(64), 1)
    executable.window(np.zeros(64), 1)
    g, scale = executable.programmed()["conductance"], executable.programmed()["scale"][0]
    one = g[:, executable.quant.lines.column == 0]
    if part == "junctions":
        wanted = 0.02 * scale * np.sqrt((one**2).sum())
    else:
        wanted = 0.01 * scale * np.sqrt((one.sum(axis=1) ** 2).sum())
    v = executable.state()["neurons"][k.V]
    assert v.mean() == pytest.approx(40 * 0.02 - 24 * 0.01, abs=5 * wanted / np.sqrt(v.size))
    assert v.std() == pytest.approx(wanted, rel=0.05)


def test_noise_is_new_at_every_read_and_alike_for_a_seed():
    executable = FTJArray().compile(feed([[0.001]] * 50, LIF(tau_m=1e9, v_th=100.0)), seed=4)

    def run():
        executable.reset(4)
        seen = []
        for _ in range(3):
            before = executable.state()["neurons"][k.V].copy()
            executable.window([1.0], 1)
            seen.append(executable.state()["neurons"][k.V] - before)
        return np.array(seen[1:])

    first = run()
    assert (np.abs(first[0] - first[1]) > 1e-9).mean() > 0.9
    assert np.unique(np.round(first[0], 9)).size > 40
    np.testing.assert_array_equal(first, run())


def test_tiles_and_word_lines():
    """65 sources take two rows of tiles, 65 targets two columns, a static synapse two junctions, a delay its line."""
    usage = {u.resource: u.used for u in FTJArray().compile(feed(np.full((65, 65), 0.1), None, 65)).usage}
    assert usage == {"tiles": 8, "lanes": 2, "word lines": 65}
    two = Projection.sparse("in", "out", pre=[0, 0, 0], post=[0, 1, 2], weight=0.1, delay=[1.0, 3.0, 3.0], name="two")
    network = dataclasses.replace(feed([[0.1]] * 3), projections=(two,))
    usage = {u.resource: u.used for u in FTJArray().compile(network).usage}
    assert usage == {"tiles": 2, "lanes": 1, "word lines": 2}


def small(**values):
    sheet = datasheet.load("ftj")
    figures = dict(sheet.figures)
    for path, value in values.items():
        name = path.replace("__", ".")
        figures[name] = dataclasses.replace(figures[name], value=value)
    return FTJArray(sheet=Datasheet("ftj", figures, sheet.prices))


def test_limits_name_the_resource_and_by_how_much():
    network = feed(np.full((65, 65), 0.1), None, 65)
    with pytest.raises(DoesNotFit, match=r"chip: tiles 8 > 7 \(8 of them for projection 'in->out'\)"):
        small(limits__chip__tiles=7).compile(network)
    with pytest.raises(DoesNotFit, match="host: neurons 65 > 64"):
        small(limits__chip__cores=1).compile(network)
    assert small(limits__chip__tiles=7).check(network) == [
        "ftj: chip: tiles 8 > 7 (8 of them for projection 'in->out'); use fewer sources, targets or different delays"
    ]


def test_refusals_are_listed_all_at_once():
    chip = FTJArray()
    twice = Projection.sparse("in", "out", pre=[0, 0], post=[0, 0], weight=0.1)
    network = dataclasses.replace(
        feed([[0.1]]),
        populations=(Population("out", 1, LIF()), Population("other", 1, Izhikevich())),
        projections=(twice,),
    )
    found = chip.check(network)
    assert any("Izhikevich is not LIF" in text for text in found)
    assert any("1 synapses share source, target and delay" in text for text in found)
    with pytest.raises(Unsupported, match=r"Izhikevich.*; .*share source"):
        chip.compile(network)
    for wrong in ({"mismatch": -1.0}, {"noise": np.nan}, {"write_noise": -0.1}, {"time_scale": 0.0}):
        with pytest.raises(ConfigurationError):
            FTJArray(**wrong)


def spread(chip, seed=1):
    network = feed(np.linspace(-1, 1, 2000)[:, None])
    executable = chip.compile(network, seed=seed)
    return executable.effective_weights()["in->out"] - network.projections[0].weight, executable


def test_errors_of_writing_and_dies():
    exact, _ = spread(FTJArray(**EXACT))
    assert np.abs(exact).max() < 1e-6
    error, _ = spread(FTJArray(mismatch=0.0))
    # Two writes of 1 % of the range of 9.9 uS, in weights of 1 per 8.019 uS; some are cut at the low end.
    assert error.std() == pytest.approx(0.0099 * 10 * np.sqrt(1.5) / 8.019, rel=0.1)
    verified, checked = spread(FTJArray(write_noise=0.0, die=5))
    trusted, blind = spread(FTJArray(write_noise=0.0, die=5, verify=False))
    assert trusted.std() > 2 * verified.std() > 0
    assert blind.written.out_of_range == 0
    assert checked.written.out_of_range < 20
    assert 20 < spread(FTJArray(mismatch=3.0, die=5))[1].written.out_of_range < 1000
    again, other = spread(FTJArray(die=5), seed=2)[0], spread(FTJArray(die=6), seed=2)[0]
    assert not np.array_equal(again, other)
    np.testing.assert_array_equal(again, spread(FTJArray(die=5), seed=2)[0])
    assert not np.array_equal(again, spread(FTJArray(die=5), seed=3)[0])


def test_equal_weights_get_errors_of_their_own():
    executable = FTJArray(mismatch=0.0).compile(feed([[0.5]] * 400))
    g = executable.programmed()["conductance"]
    assert g[0].std() == pytest.approx(0.01 * 9.9, rel=0.15)
    assert abs(np.corrcoef(g)[0, 1]) < 0.2


def test_writing_again_gives_the_same():
    executable = FTJArray().compile(feed([[0.3], [0.8]]))
    first, cost = executable.programmed()["conductance"].copy(), executable.written
    executable.set_weights({"in->out": [0.1, 0.9]})
    assert not np.array_equal(first, executable.programmed()["conductance"])
    executable.set_weights({"in->out": [0.3, 0.8]})
    np.testing.assert_array_equal(first, executable.programmed()["conductance"])
    assert executable.written == cost
    assert cost.junctions == 4
    assert 0.5e-6 < cost.time < 2e-6
    assert 1e-12 < cost.energy < 1e-10


def test_a_state_brings_its_die():
    network = feed(np.full((6, 1), 0.25))
    a, b = FTJArray().compile(network, seed=1), FTJArray().compile(network, seed=2)
    a.window([1.0], 20)
    b.load_state(a.state())
    for name, array in a.programmed().items():
        np.testing.assert_array_equal(array, b.programmed()[name], err_msg=name)
    np.testing.assert_array_equal(a.window([1.0], 50).counts, b.window([1.0], 50).counts)


def test_energy_is_reads_conversions_and_the_host():
    """10 input spikes on a line of 3 pairs: G V_read^2 t_read, a conversion per column, 20 pJ per neuron and tick."""
    executable = FTJArray(**EXACT).compile(feed([[0.1]] * 3, LIF(v_th=10.0)))
    executable.window([1.0], 10)
    executable.window([0.0], 1)
    low, _ = written(executable.sheet)
    g = 3 * (2 * low + 0.9 * 8.91) * 1e-6
    parts = executable.array_energy()
    assert parts["read"] == pytest.approx(10 * g * 0.1**2 * 10e-9)
    assert parts["convert"] == pytest.approx(10 * 3 * 2e-12)
    assert parts["write"] == 0
    c = executable.counters()
    assert (c.synops, c.input_spikes, c.spikes) == (30, 10, 0)
    host = 11 * 3 * 20e-12 + 10 * 1e-12
    assert c.energy.events == pytest.approx(host + parts["read"] + parts["convert"])
    assert c.energy.static == 0
    # A tick: three neurons at 1 ns, one read of 10 ns, 1 ns per message in.
    assert c.chip_time == pytest.approx(11 * 13e-9 + 10 * 1e-9)
    assert c.energy.host == pytest.approx(10 * 4 * 100e-12 + 1e-3 * c.chip_time)
    assert c.energy_realtime.host == pytest.approx(10 * 4 * 100e-12 + 1e-3 * 11e-3)
