"""Chips side by side: the same brains and worlds, costs from counters, causes instead of crashes, no silent gap."""

import numpy as np
import pytest

from insectbot import plugins
from insectbot import scenario as scenarios
from insectbot.cli.bench import Variants, expanded, parse_chips
from insectbot.core.simulator import Simulator
from insectbot.errors import ConfigurationError, UnknownNameError
from insectbot.protocols import Counters, Energy, Usage
from insectbot.training.bench import bench
from insectbot.training.bench_probe import TimedExecutable, probe, tape_of
from insectbot.training.episodes import weights_of
from insectbot.training.evaluate import Entry, evaluate

TOML = """
name = "line"
[env]
id = "loop_fakes:LineEnv"
preset = "plain"
[controller]
name = "loop_fakes:Spiking"
[training]
seeds = 2
[evaluation]
episodes = 6
[bench]
chips = ["ideal", "test_bench:Priced", "test_bench:Tiny"]
"""


class PricedExecutable:
    """The ideal chip with a price: 2 nJ per synop, 1 mW, 10 us per tick, and half the spikes dropped on paper."""

    def __init__(self, inner):
        self.__dict__["inner"] = inner

    def __getattr__(self, name):
        return getattr(self.inner, name)

    def __setattr__(self, name, value):
        setattr(self.inner, name, value)

    def counters(self):
        c = self.inner.counters()
        time = c.ticks * 1e-5
        energy = Energy(time * 1e-3, c.synops * 2e-9, c.windows * 1e-9)
        return Counters(
            c.windows,
            c.ticks,
            c.input_spikes,
            c.spikes,
            c.synops,
            c.weight_updates,
            {"late": 3},
            energy,
            time,
            Energy(c.ticks * 1e-6, c.synops * 2e-9, c.windows * 1e-9),
        )

    @property
    def usage(self):
        return (Usage("neurons", 2, 4, "core 0"),)


class Priced:
    """A chip that costs something."""

    name, fidelity = "priced", "made up"

    def compile(self, network, *, seed=0):
        return PricedExecutable(Simulator().compile(network, seed=seed))


class Deaf:
    """A chip that loses every weight."""

    name, fidelity = "deaf", "made up"

    def compile(self, network, *, seed=0):
        lost = network.with_weights({p.name: 0 * p.weight for p in network.projections})
        executable = Simulator().compile(lost, seed=seed)
        executable.set_weights = lambda weights: None
        return executable


class Tiny:
    """A chip that is too small."""

    name, fidelity = "tiny", "made up"

    def compile(self, network, *, seed=0):
        from insectbot.errors import DoesNotFit

        raise DoesNotFit("tiny: core 0: neurons 2 > 1")


def brains(scenario):
    env = scenarios.make_env(scenario)
    return {seed: weights_of(scenarios.make_controller(scenario, env, seed)) for seed in scenario.training.seeds}


def test_the_table():
    s = scenarios.loads(TOML)
    rows, episodes = bench(s, brains(s), workers=1)
    ideal, priced, tiny = rows
    assert [row["chip"] for row in rows] == ["ideal", "test_bench:Priced", "test_bench:Tiny"]
    assert (tiny["fits"], tiny["cause"]) == (False, "tiny: core 0: neurons 2 > 1")
    assert ideal["n_episodes"] == priced["n_episodes"] == 12
    assert ideal["metrics"] == priced["metrics"]
    assert ideal["success_loss"] == priced["success_loss"] == 0.0
    assert ideal["energy_per_decision"] is None
    assert ideal["steps_per_second"] is None
    assert priced["usage"] == [["neurons", 2, 4, "core 0"]]
    assert priced["steps_per_second"] == pytest.approx(1e5)
    assert priced["chip_time_per_decision"] == pytest.approx(50e-5)
    energy = priced["energy_per_decision"]
    assert energy["static"] == pytest.approx(50e-5 * 1e-3)
    assert energy["events"] == pytest.approx(priced["synops_per_decision"] * 2e-9)
    assert energy["host"] == pytest.approx(1e-9)
    assert ideal["energy_realtime"] is None
    # 50 ticks of 1 ms at 1 mW: static power counts for as long as the world takes.
    assert priced["energy_realtime"] == energy | {"static": pytest.approx(50e-6)}
    assert priced["daggers"] == {"energy": [], "time": []}
    assert priced["soft_failures"] == {"late": 36.0}
    assert ideal["synops_per_decision"] == pytest.approx(
        sum(r.counters["synops"] for r in episodes[:12]) / sum(r.steps for r in episodes[:12])
    )
    assert 0 < ideal["host_latency_us"]["p50"] <= ideal["host_latency_us"]["p99"]


def test_known_episodes_are_not_run_again():
    s = scenarios.loads(TOML.replace(', "test_bench:Priced", "test_bench:Tiny"', ""))
    minds = brains(s)
    name = s.controller.name
    known = evaluate(s, [Entry(name, name, minds)], workers=1)
    told = []
    rows, episodes = bench(s, minds, workers=1, known=known, progress=told.append)
    assert told == []
    assert all(a is b for a, b in zip(episodes, known, strict=True))
    fresh, _ = bench(s, minds, workers=1)
    without = {k: v for k, v in rows[0].items() if k != "host_latency_us"}
    assert without == {k: v for k, v in fresh[0].items() if k != "host_latency_us"}


def test_weights_decide_what_is_judged():
    s = scenarios.loads(TOML.replace(', "test_bench:Priced", "test_bench:Tiny"', ""))
    still = {seed: {k: np.zeros_like(v) for k, v in w.items()} for seed, w in brains(s).items()}
    rows, _ = bench(s, still, workers=1)
    assert rows[0]["metrics"]["success"][0] == 0.0
    assert rows[0]["n_failed_seeds"] == 2
    assert rows[0]["spikes_per_decision"] == 0.0


def test_loss_is_counted_against_the_first_chip():
    s = scenarios.loads(TOML)
    rows, _ = bench(s, brains(s), chips=["ideal", "test_bench:Deaf"], workers=1)
    success = rows[0]["metrics"]["success"][0]
    assert success > 0.3
    assert [row["success_loss"] for row in rows] == [0.0, success]
    rows, _ = bench(s, brains(s), chips=["test_bench:Deaf", "ideal"], workers=1)
    assert [row["success_loss"] for row in rows] == [0.0, -success]


def test_prices_from_memory_are_named():
    what = scenarios.load("foraging", {"evaluation.episodes": 1, "evaluation.presets": ["smooth"]})
    minds = {1: weights_of(scenarios.make_controller(what, scenarios.make_env(what), 1))}
    (row,), episodes = bench(what, minds, chips=["loihi"], workers=1)
    assert row["daggers"]["energy"] == ["prices.davies.energy.spike", "prices.davies.energy.host_byte"]
    assert all(path.startswith("prices.davies.time.") for path in row["daggers"]["time"])
    free, held = row["energy_per_decision"], row["energy_realtime"]
    assert held["events"] == free["events"]
    assert held["static"] / free["static"] == pytest.approx(0.05 / row["chip_time_per_decision"], rel=1e-6)
    assert held["static"] > 100 * held["events"]
    assert len(episodes) == 1


def test_errors():
    s = scenarios.loads(TOML.replace("Spiking", "Learner"))
    with pytest.raises(ConfigurationError, match="has no network: a chip has nothing to run"):
        bench(s, {1: {}}, chips=["ideal"], workers=1)
    with pytest.raises(UnknownNameError, match="did you mean 'loihi'"):
        bench(scenarios.loads(TOML), {1: {}}, chips=["loihii"], workers=1)


def test_timed_executable_is_the_executable():
    s = scenarios.loads(TOML)
    env = scenarios.make_env(s)
    inner = scenarios.make_controller(s, env, 1).executable
    timed = TimedExecutable(inner)
    timed.learning = False
    assert inner.learning is False
    assert timed.network is inner.network
    readout = timed.window([1.0], 50)
    assert np.array_equal(readout.counts, inner._readout.counts)
    assert len(timed.nanoseconds) == 1


def test_variants_of_chips():
    """Bits for chips that have them, dies for analog ones, free running for all; ideal stays alone."""
    found = expanded(["ideal", "loihi"], Variants(bits="4, 2", dies=3, free_running=True))
    assert found == [
        "ideal",
        "loihi",
        "loihi@weight_bits=4",
        "loihi@weight_bits=2",
        "loihi@free_running=true",
    ]
    for variants, message in (
        (Variants(bits="four"), "--bits 'four': must be numbers"),
        (Variants(bits="7"), "weight_bits = 7 must be one of"),
        (Variants(dies=0), "--dies 0: must be at least 1"),
    ):
        with pytest.raises(ConfigurationError, match=message):
            expanded(["loihi"], variants)


def test_all_chips_begin_with_the_reference():
    names = parse_chips("all")
    assert names[0] == "ideal"
    assert sorted(names) == plugins.names("chip")


def test_bits_that_only_some_chips_take(capsys):
    found = expanded(["loihi", "akida"], Variants(bits="8,4"))
    assert found == ["loihi", "loihi@weight_bits=8", "loihi@weight_bits=4", "akida", "akida@weight_bits=4"]
    assert "left out: akida: weight_bits = 8" in capsys.readouterr().err


def test_fewer_bits_match_fewer_spikes():
    """The probe's spike match falls with the bits, and is 1 for the network beside itself."""
    what = scenarios.load("foraging", {"evaluation.episodes": 2})
    env = scenarios.make_env(what)
    brains = {1: scenarios.make_controller(what, env, 1).weights()}
    tape = tape_of(what, brains)
    match = [probe(what, c, brains, tape)["spike_match"] for c in ("ideal", "loihi", "loihi@weight_bits=2")]
    assert match[0] == 1.0
    assert 1.0 > match[1] > 0.9
    assert match[2] < match[1]
    facts = probe(what, "loihi", brains, tape)
    assert facts["traffic"]["load"] == []  # one core: nothing to send
    assert facts["traffic"]["nodes"] == [[0, 0]]
