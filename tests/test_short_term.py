"""Short-term plasticity (models sheet C15, C20): what every spike releases, as the jump of a unit without leak."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
from naive import Release

from insectbot.core.simulator import Simulator
from insectbot.errors import ConfigurationError, Unsupported
from insectbot.snn import IF, Input, Network, Population, Projection, ThresholdLinear, TsodyksMarkram
from insectbot.snn.functions import exp, where
from insectbot.snn.inputs import SpikeTimesInput
from insectbot.snn.model import Coefficients, Real, parameter
from insectbot.snn.synapses import ReleaseModel

# U, tau_rec, tau_fac [ms] and mean weight of the four kinds of synapse of Maass, Natschlaeger & Markram 2002
MAASS = {"EE": (0.5, 1100.0, 50.0, 30.0), "EI": (0.05, 125.0, 1200.0, 60.0)}
MAASS |= {"IE": (0.25, 700.0, 20.0, -19.0), "II": (0.32, 144.0, 60.0, -19.0)}
SETS = {"depressing": (0.5, 800.0, 0.0, 1.0), "facilitating": (0.15, 130.0, 1000.0, 1.0)}
SETS |= {"one shot": (1.0, 50.0, 0.0, 1.0), **MAASS}
LAST, DT = 6000.0, 0.5


@dataclass(frozen=True)
class Pool(ReleaseModel):
    """A user's model: a spike releases a share of a pool that slowly refills, but none soon after another spike."""

    states: ClassVar[dict[str, float | str]] = {"left": "size"}
    size: float = parameter(4.0, "", above=0)
    share: float = parameter(0.25, "")
    dead: float = parameter(3.0, "ms")
    tau: float = parameter(100.0, "ms", above=0)

    def coefficients(self, dt: float) -> Coefficients:
        return {"rate": 1.0 / self.tau}

    @staticmethod
    def release(left: Real, interval: Real, dt: Real, size: Real, share: Real, dead: Real, rate: Real) -> tuple:
        left = size + (left - size) * exp(-interval * rate)
        factor = where(interval < dead - 0.5 * dt, 0.0, share * left)
        left = left - factor
        return factor, left

    def recursion(self, times):
        left, last, out = self.size, -math.inf, []
        for t in times:
            left = self.size + (left - self.size) * math.exp(-(t - last) / self.tau)
            out.append(0.0 if t - last < self.dead else self.share * left)
            left, last = left - out[-1], t
        return out


def trains():
    """Return the spike times of four sources: 20 Hz, random, bursts with long pauses, one spike."""
    rng = np.random.default_rng(5)
    bursts = [start + 2.0 * k for start in (5.0, 900.0, 5000.0) for k in range(12)]
    random = np.sort(rng.choice(np.arange(1, int(LAST / DT)), 150, replace=False)) * DT
    return (tuple(np.arange(10.0, LAST, 50.0).tolist()), tuple(random.tolist()), tuple(bursts), (700.5,))


def network(precision="float64"):
    """Return the four sources, each with a synapse of every kind onto a unit of its own that adds up what it gets."""
    n, names = len(trains()), [*SETS, "pool"]
    models = [*(TsodyksMarkram(*values[:3]) for values in SETS.values()), Pool()]
    weights = [*(values[3] for values in SETS.values()), 1.0]
    links = [
        Projection.sparse(
            *("sources", "sums"),
            **{"pre": np.arange(n), "post": k * n + np.arange(n), "weight": weights[k], "delay": DT},
            **{"short_term": models[k], "name": name},
        )
        for k, name in enumerate(names)
    ]
    return Network(
        inputs=(Input("sources", n, SpikeTimesInput(trains())),),
        populations=(Population("sums", n * len(names), IF(v_th=1e9)),),
        projections=tuple(links),
        outputs=("sums",),
        dt=DT,
        precision=precision,
    )


def jumps(executable, windows=(1,)):
    """Run to the end, cut into ``windows`` equal parts; return set -> per source, what each of its spikes added."""
    executable.record({"sums": ("v",)})
    n_ticks, pieces = int(LAST / DT) + 2, []
    for _ in range(windows[0]):
        executable.window(np.zeros(4), n_ticks // windows[0])
        pieces.append(executable.states()["sums", "v"])
    v = np.concatenate(pieces)
    added = np.diff(v, axis=0, prepend=0.0).T.reshape(-1, 4, len(v))
    out = {}
    for name, rows in zip([*SETS, "pool"], added, strict=True):
        ticks = [np.round(np.array(times) / DT).astype(int) + 1 for times in trains()]
        out[name] = [row[t] for row, t in zip(rows, ticks, strict=True)]
        assert all(np.count_nonzero(row) <= len(t) for row, t in zip(rows, ticks, strict=True))
    return out


@pytest.fixture(scope="module")
def released():
    return jumps(Simulator().compile(network()))


def recursion(times, u0, tau_rec, tau_fac):
    """Return u x of every spike by the recursion of Markram, Wang & Tsodyks 1998, as the sheet gives it."""
    u, x, out = u0, 1.0, []
    for n, t in enumerate(times):
        if n:
            h = t - times[n - 1]
            x = 1 + (x - x * u - 1) * math.exp(-h / tau_rec)
            u = u0 + u * (1 - u0) * (math.exp(-h / tau_fac) if tau_fac else 0.0)
        out.append(u * x)
    return np.array(out)


@pytest.mark.parametrize(
    ("name", "first", "steady"),
    [
        ("depressing", (0.5, 0.2651, 0.1548, 0.1030), 0.05713),
        ("facilitating", (0.15, 0.2436, 0.2824, 0.2905), 0.2934),
    ],
)
def test_c15_sequences_at_20_hz(released, name, first, steady):
    found = released[name][0]
    assert found[:4] == pytest.approx(first, abs=5e-5)
    assert found[-1] == pytest.approx(steady, abs=5e-5)
    u0, tau_rec, tau_fac, _ = SETS[name]
    u = u0 / (1 - (1 - u0) * math.exp(-50.0 / tau_fac)) if tau_fac else u0
    keep = math.exp(-50.0 / tau_rec)
    assert found[-1] == pytest.approx(u * (1 - keep) / (1 - (1 - u) * keep), rel=1e-4)


@pytest.mark.parametrize("name", SETS)
def test_every_release_equals_the_recursion_and_the_jump_ode(released, name):
    *values, weight = SETS[name]
    for found, times in zip(released[name], trains(), strict=True):
        assert found == pytest.approx(weight * recursion(times, *values), rel=1e-8, abs=1e-12)
        oracle = Release(TsodyksMarkram(*values))
        assert found == pytest.approx([weight * oracle.spike(t) for t in times], rel=1e-8, abs=1e-12)


def test_c20_kinds_of_synapse_depress_or_facilitate(released):
    for name, kind in (("EE", -1), ("EI", 1), ("IE", -1), ("II", -1)):
        first, steady = np.abs(released[name][0][[0, -1]])
        assert np.sign(steady - first) == kind
        assert first == pytest.approx(abs(MAASS[name][3]) * MAASS[name][0], rel=1e-12)


def test_a_users_own_release_model(released):
    for found, times in zip(released["pool"], trains(), strict=True):
        assert found == pytest.approx(Pool().recursion(times), rel=1e-8, abs=1e-12)
    assert released["pool"][2][:2].tolist() == [1.0, 0.0]  # a quarter of 4; then within the dead time


def test_windows_reset_state_and_frozen_learning_change_nothing(released):
    executable = Simulator().compile(network())
    executable.learning = False  # it is no learning: a frozen network depresses, too
    executable.window(np.zeros(4), 1234)
    kept = executable.state()
    executable.reset(9)
    again = jumps(executable, windows=(7,))
    for name, rows in released.items():
        for a, b in zip(rows, again[name], strict=True):
            np.testing.assert_array_equal(a[: len(b)], b)
    loaded = Simulator().compile(network())
    loaded.load_state(kept)
    executable.load_state(kept)
    for k in (800, 3000):
        executable.window(np.zeros(4), k)
        loaded.window(np.zeros(4), k)
    np.testing.assert_array_equal(executable.variable("sums", "v"), loaded.variable("sums", "v"))
    for name, array in executable.state().items():
        np.testing.assert_array_equal(array, loaded.state()[name], err_msg=name)


@dataclass(frozen=True)
class Unknown(ReleaseModel):
    """Asks for what there is not."""

    @staticmethod
    def release(interval: Real, mood: Real) -> Real:
        factor = interval * mood
        return factor


def test_mistakes_are_told():
    for options, words in (
        ({"u": 0.0}, "TsodyksMarkram.u = 0.0: must be above 0"),
        ({"u": 1.2}, "must lie in"),
        ({"tau_rec": 0.0}, "TsodyksMarkram.tau_rec"),
        ({"tau_fac": -1.0}, "TsodyksMarkram.tau_fac"),
    ):
        with pytest.raises(ConfigurationError, match=words):
            TsodyksMarkram(**options)
    rate, spiking = Population("rate", 1, ThresholdLinear()), Population("spiking", 1, IF())
    for source, model, words in (("rate", Pool(), "comes from graded units"), ("spiking", Unknown(), "takes 'mood'")):
        link = Projection.dense(source, "spiking", [[1.0]], short_term=model)
        with pytest.raises(Unsupported, match=words):
            Simulator().compile(Network((), (rate, spiking), (link,), ("spiking",)))
