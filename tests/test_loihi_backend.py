"""The executable contract on the chip, the whole tick against a plain-Python oracle, frozen learning, speed."""

import numpy as np
import pytest
from naive_loihi import trunc_div, wrap
from test_loihi_place import random_network

from insectbot.chips.loihi import Loihi
from insectbot.chips.speed import benchmark_network, measure
from insectbot.controllers.circuits.rstdp_forager import rstdp_forager
from insectbot.core.simulator import Simulator
from insectbot.errors import ConfigurationError, ShapeError
from insectbot.protocols import Executable
from insectbot.snn import (
    LIF,
    CurrentInput,
    Input,
    Network,
    PoissonInput,
    Population,
    Projection,
    RegularInput,
)


def mixed_network():
    """Poisson, regular and analog input, two populations, recurrent."""
    rng = np.random.default_rng(0)
    return Network(
        inputs=(
            Input("poisson", 6, PoissonInput(150.0)),
            Input("regular", 2, RegularInput(80.0)),
            Input("analog", 2, CurrentInput(2.0)),
        ),
        populations=(Population("a", 20, LIF(t_ref=2.0, v_min=-0.5)), Population("b", 7, LIF(tau_syn=4.0, v_th=0.1))),
        projections=(
            Projection.dense("poisson", "a", rng.normal(0.3, 0.3, (20, 6)), delay=3.0),
            Projection.dense("regular", "b", rng.random((7, 2)) * 0.4),
            Projection.dense("analog", "a", rng.normal(0, 0.4, (20, 2))),
            Projection.dense("a", "b", rng.normal(0.1, 0.3, (7, 20)), delay=7.0),
            Projection.dense("b", "a", rng.normal(0, 0.2, (20, 7)), delay=62.0),
        ),
        outputs=("b", "a"),
    )


DRIVE = np.linspace(0.2, 1.0, 10)


def run(executable, windows, ticks=50, drive=DRIVE):
    """Return readouts and spikes of several windows."""
    executable.recording = True
    found = []
    for k in range(windows):
        r = executable.window(np.roll(drive, k), ticks)
        found.append([a.copy() for a in (r.counts, r.first, r.interval, *executable.spikes())])
    return found


def same(a, b):
    return all(np.array_equal(x, y) for p, q in zip(a, b, strict=True) for x, y in zip(p, q, strict=True))


def dynamic(executable):
    """State without the number of windows."""
    state = executable.state()
    state["counts"][1] = 0
    return {k: v for k, v in state.items() if not k.startswith("w")}


def test_it_is_an_executable():
    assert isinstance(Loihi().compile(mixed_network()), Executable)


def test_same_seed_same_run_and_reset():
    network = mixed_network()
    a, b, c = (Loihi().compile(network, seed=s) for s in (3, 3, 4))
    first = run(a, 5)
    assert sum(f[0].sum() for f in first) > 50
    assert same(first, run(b, 5))
    assert not same(first, run(c, 5))
    c.reset(3)
    assert c.counters().spikes == c.counters().ticks == c.events().host_bytes == 0
    assert same(first, run(c, 5))


def test_a_window_of_50_is_50_windows_of_1():
    whole, single = (Loihi().compile(mixed_network(), seed=1) for _ in range(2))
    for _ in range(4):
        r = whole.window(DRIVE, 50)
        total = np.zeros_like(r.counts)
        for _ in range(50):
            total += single.window(DRIVE, 1).counts
        np.testing.assert_array_equal(r.counts, total)
        np.testing.assert_array_equal(r.interval, single.window(DRIVE, 0).interval)
    a, b = dynamic(whole), dynamic(single)
    for name in a:
        np.testing.assert_array_equal(a[name], b[name], err_msg=name)
    assert whole.counters().windows == 4


def test_state_resumes_bit_for_bit():
    network = mixed_network()
    a = Loihi().compile(network, seed=1)
    weights = {p.name: p.weight * 0.7 for p in network.projections}
    a.set_weights(weights)
    run(a, 3, 33)
    state = a.state()
    rest = run(a, 3)
    after = a.counters()
    b = Loihi().compile(network, seed=99)
    b.window(DRIVE, 20)
    b.load_state(state)
    assert same(rest, run(b, 3))
    assert b.counters() == after
    with pytest.raises(ConfigurationError, match="does not belong"):
        b.load_state({"x": np.zeros(1)})


def test_recording_changes_nothing():
    a, b = (Loihi().compile(mixed_network(), seed=1) for _ in range(2))
    a.recording = True
    for _ in range(3):
        np.testing.assert_array_equal(a.window(DRIVE, 50).counts, b.window(DRIVE, 50).counts)
    tick, unit = a.spikes()
    assert b.spikes()[0].size == 0
    assert (np.diff(tick) >= 0).all()
    assert 100 <= tick.min() <= tick.max() < 150
    assert unit.max() < 37


def test_counters_and_readout_agree_with_the_spikes():
    executable = Loihi().compile(mixed_network(), seed=1)
    executable.recording = True
    readout = executable.window(DRIVE, 200)
    tick, unit = executable.spikes()
    order = [*range(30, 37), *range(10, 30)]
    for output, u in enumerate(order):
        times = tick[unit == u]
        assert readout.counts[output] == times.size
        assert readout.first[output] == (times[0] if times.size else -1)
        assert readout.interval[output] == (times[-1] - times[-2] if times.size > 1 else -1)
    counters = executable.counters()
    assert counters.input_spikes == (unit < 10).sum()
    assert counters.spikes == (unit >= 10).sum()
    fan_out = np.bincount(
        np.concatenate(
            [
                p.pre + {"poisson": 0, "regular": 6, "a": 10, "b": 30}[p.source]
                for p in executable.network.projections
                if p.source != "analog"
            ]
        ),
        minlength=37,
    )
    assert counters.synops == fan_out[unit].sum()
    assert counters.energy.total > 0
    assert counters.chip_time > 0


def test_inputs_are_those_of_ideal():
    network = mixed_network()
    chip, ideal = run(Loihi().compile(network, seed=8), 6), run(Simulator().compile(network, seed=8), 6)
    for a, b in zip(chip, ideal, strict=True):
        for x, y in zip(a[3:], b[3:], strict=True):
            np.testing.assert_array_equal(x[a[4] < 10], y[b[4] < 10])


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_whole_tick_in_plain_python(seed):
    """Delays, synapses and compartments of a recurrent network, from the integers of the quantiser."""
    network = random_network(seed)
    chip = Loihi().compile(network, seed=seed)
    chip.recording = True
    chip.window(np.full(12, 0.8), 150)
    tick, unit = chip.spikes()
    q, pops = chip.quant, chip.quant.populations
    first = {"in": 0, "a": 12, "b": 32}
    ring = [[0] * 60 for _ in range(300)]
    state = [[0, 0, 0] for _ in range(60)]
    inputs = {t: unit[(tick == t) & (unit < 12)].tolist() for t in range(150)}
    rows = {}
    for p, k in zip(network.projections, q.projections, strict=True):
        for pre, post, w, d in zip(p.pre.tolist(), p.post.tolist(), k.weight.tolist(), k.delay.tolist(), strict=True):
            rows.setdefault(pre + first[p.source], []).append((post + first[p.target] - 12, w << (6 + k.exponent), d))
    found, active = [], 0
    for t in range(150):
        fired = list(inputs[t])
        for i in range(60):
            p = pops[0] if i < 20 else pops[1]
            u, v, ref = state[i]
            u = wrap(trunc_div(u * (4095 - p.decay_u), 4096) + wrap(ring[t][i], 22), 24)
            v = max(min(trunc_div(v * (4096 - p.decay_v), 4096) + u, 2**23 - 1), 1 - 2**p.vmin_exp)
            active += u != 0 or v != 0
            v = 0 if ref else v
            if v > p.vth_mant << 6:
                v, ref = 0, p.refract
                fired.append(i + 12)
            state[i] = [u, v, max(ref - 1, 0)]
        for s in fired:
            found.append((t, s))
            for post, w, d in rows.get(s, ()):
                ring[t + d][post] += w
    assert found == list(zip(tick.tolist(), unit.tolist(), strict=True))
    assert sum(s >= 12 for _, s in found) > 50
    assert chip.events().neuron_active == active < 150 * 60 == active + chip.events().neuron_idle
    np.testing.assert_allclose(chip.potentials("a"), [s[1] / pops[0].scale for s in state[:20]])


def test_weights_deploy_like_a_new_network():
    """set_weights gives what compiling the network with those weights gives."""
    network = mixed_network()
    rng = np.random.default_rng(5)
    weights = {p.name: np.float32(p.weight * rng.uniform(0, 3, p.n_synapses)) for p in network.projections}
    a = Loihi().compile(network, seed=2)
    run(a, 1)
    a.set_weights(weights)
    a.reset(2)
    b = Loihi().compile(network.with_weights(weights), seed=2)
    assert same(run(a, 4), run(b, 4))
    for name, w in a.weights().items():
        np.testing.assert_array_equal(w, weights[name])
        assert abs(a.effective_weights()[name] - w).max() <= 0.008 * abs(w).max()
    with pytest.raises(ShapeError, match="must be"):
        a.set_weights({"a->b": [1.0]})
    with pytest.raises(ConfigurationError, match="no projection"):
        a.set_weights({"x": [1.0]})


def test_membranes_follow_a_change_of_scale():
    network = Network(
        (Input("in", 1, RegularInput(100.0)),),
        (Population("a", 1, LIF(tau_m=1e3)),),
        (Projection.dense("in", "a", [[0.3]]),),
        ("a",),
    )
    chip = Loihi().compile(network)
    chip.window([1.0], 25)
    before = chip.potentials("a")
    assert before[0] > 0.3
    chip.set_weights({"in->a": [0.07]})
    np.testing.assert_allclose(chip.potentials("a"), before, rtol=1e-5)


def test_a_frozen_network_ignores_modulators():
    chip = Loihi().compile(rstdp_forager(seed=1).network)
    assert chip.learning is False
    a = chip.window(np.full(5, 0.5), 200, [1.0]).counts.copy()
    chip.reset(0)
    np.testing.assert_array_equal(a, chip.window(np.full(5, 0.5), 200).counts)
    plain = Loihi().compile(mixed_network())
    plain.learning = True
    assert plain.learning


def test_a_network_without_input_or_synapses_runs():
    chip = Loihi().compile(Network((), (Population("a", 3),), (), ("a",)))
    assert chip.window([], 10).counts.tolist() == [0, 0, 0]
    assert chip.counters().spikes == 0


@pytest.mark.parametrize("drive", [[0.5], [[0.5] * 10], [np.nan] * 10, [0.1] * 9 + [np.inf]])
def test_a_bad_drive_is_refused(drive):
    chip = Loihi().compile(mixed_network())
    with pytest.raises(ShapeError, match="drive"):
        chip.window(drive, 10)
    with pytest.raises(ShapeError, match="drive"):
        Loihi().compile(random_network(1)).window([np.nan] * 12, 10)
    with pytest.raises(ShapeError, match="at least 0"):
        chip.window(DRIVE, -1)


def test_wraps_are_counted():
    """Many strong synapses at once leave 22 bits: the chip wraps, and says so."""
    network = Network(
        (Input("in", 400, RegularInput(1000.0)),),
        (Population("a", 1, LIF(v_th=1.0)),),
        (Projection.dense("in", "a", np.full((1, 400), 1.0)),),
        ("a",),
    )
    chip = Loihi().compile(network)
    chip.window(np.ones(400), 10)
    assert chip.counters().soft_failures["q_wraps"] == 9
    known = {"q_wraps", "u_wraps", "v_low", "v_high", "bias_clips", "bias_wraps"}
    assert set(chip.counters().soft_failures) == known | {"tag_clips", "trace_clips", "reward_clips"}


def test_a_floor_is_not_a_failure_but_the_end_of_v_is():
    def sinking(v_min):
        model = LIF(tau_m=1e6, v_min=v_min)
        return Network(
            (Input("in", 1, RegularInput(1000.0)),),
            (Population("a", 1, model),),
            (Projection.dense("in", "a", [[-0.1]]),),
            ("a",),
        )

    counts = []
    for v_min in (-1.0, None):
        chip = Loihi().compile(sinking(v_min))
        chip.window([1.0], 400)
        counts.append(chip.counters().soft_failures["v_low"])
    assert counts[0] == 0
    assert counts[1] > 0


def test_speed_is_measured():
    """The figures exist and are far from a fallback to Python (the report gives those of a quiet machine)."""
    figures = measure(repeats=1)
    assert 3 < figures["rate_hz"] < 30
    assert figures["synapses"] == benchmark_network().n_synapses
    assert figures["neuron_steps_per_second"] > 5e6
    assert figures["window_us"] < 200
