"""Codes in the kernel: its input spikes are those of the plain-Python oracle, and what neurons say decodes."""

from __future__ import annotations

import re
import runpy
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_codes import NaiveCode
from test_codes import ALL

from insectbot.controllers import decoders
from insectbot.controllers.decoders import (
    BurstDecoder,
    DeltaDecoder,
    FilteredRateDecoder,
    FirstSpikeDecoder,
    GaussianReceptiveFieldDecoder,
    ISIDecoder,
    LeastSquaresDecoder,
    PhaseDecoder,
)
from insectbot.controllers.encoders import ChannelEncoder, GaussianReceptiveFieldEncoder
from insectbot.controllers.tuning import LIFTuning
from insectbot.core.simulator import Simulator
from insectbot.snn import LIF, CurrentInput, Input, Network, PoissonInput, Population, Projection, RegularInput, codes
from insectbot.snn.codes import (
    BurstInput,
    CodedInput,
    ISIInput,
    LatencyInput,
    LIFLatencyInput,
    LogLatencyInput,
    OscillationPhaseInput,
    PhaseInput,
    SendOnDeltaInput,
    SpikeTimesInput,
)
from insectbot.snn.encode import encode

SHARED = tuple(code for code in ALL if not code.lengths())
PER_CHANNEL = tuple(code for code in ALL if code.lengths())


@cache
def all_codes(codes, dt):
    """Return a compiled network that holds a group of 5 channels for every code."""
    network = Network(
        inputs=tuple(Input(f"code {k}", 5, code) for k, code in enumerate(codes)),
        populations=(Population("idle", 1),),
        projections=(),
        outputs=("idle",),
        dt=dt,
    )
    return recorded(network)


def recorded(network):
    executable = Simulator().compile(network, seed=0)
    executable.recording = True
    return executable


def input_spikes(executable, drive, n_ticks):
    """Run a window; return (tick, channel) of the inputs' spikes."""
    executable.window(drive, n_ticks)
    tick, unit = executable.spikes()
    keep = unit < executable.network.n_inputs
    return sorted(zip(tick[keep].tolist(), unit[keep].tolist(), strict=True))


def of_code(spikes, k):
    """Return the spikes of one code of :func:`all_codes`, by channel."""
    return [(tick, unit - 5 * k) for tick, unit in spikes if unit // 5 == k]


@pytest.mark.parametrize("codes", [SHARED, PER_CHANNEL], ids=["shared numbers", "numbers per channel"])
@pytest.mark.parametrize("dt", [1.0, 0.5])
@settings(max_examples=30)
@given(data=st.data())
def test_the_kernel_spikes_as_the_oracle(codes, dt, data):
    executable, naive = all_codes(codes, dt), [NaiveCode(code, 5, dt) for code in codes]
    executable.reset(0)
    # A denormal drive counts as 0 in the kernel.
    values = st.floats(-0.5, 1.5, width=32, allow_subnormal=False) | st.sampled_from([0.0, 0.25, 1.0])
    for _ in range(data.draw(st.integers(1, 6))):
        drive = np.array(data.draw(st.lists(values, min_size=5, max_size=5)), np.float32)
        for n_ticks in data.draw(st.lists(st.integers(1, 70), min_size=1, max_size=3)):
            spikes = input_spikes(executable, np.tile(drive, len(codes)), n_ticks)
            for k, (code, oracle) in enumerate(zip(codes, naive, strict=True)):
                assert of_code(spikes, k) == oracle.window(drive, n_ticks), code


def test_windows_may_be_split():
    executable, drive = all_codes(SHARED, 1.0), np.tile([0.9, 0.2, 0.0, 0.5, 0.51], len(SHARED))
    executable.reset(0)
    whole = input_spikes(executable, drive, 130) + input_spikes(executable, drive[::-1], 130)
    executable.reset(0)
    parts = [input_spikes(executable, drive, n) for n in (1, 6, 43, 50, 30)]
    parts += [input_spikes(executable, drive[::-1], n) for n in (100, 30)]
    assert [spike for part in parts for spike in part] == whole
    assert all(of_code(whole, k) for k in range(len(SHARED)))


def relays(*sources, n):
    """Return a network whose neurons repeat the spikes of inputs of n channels each, one step later."""
    names = [f"{role} {k}" for k in range(len(sources)) for role in ("in", "out")]
    return Network(
        inputs=tuple(Input(name, n, source) for name, source in zip(names[::2], sources, strict=True)),
        populations=tuple(Population(name, n, LIF()) for name in names[1::2]),
        projections=tuple(Projection.dense(a, b, 2 * np.eye(n)) for a, b in zip(names[::2], names[1::2], strict=True)),
        outputs=tuple(names[1::2]),
    )


def test_given_times_in_the_kernel():
    executable = recorded(relays(SpikeTimesInput(times=((3.0, 4.0, 70.0), (), (0.0, 4.4))), n=3))
    for _ in range(2):
        found = [input_spikes(executable, [0.0] * 3, n) for n in (4, 60, 20)]
        assert [spike for part in found for spike in part] == [(0, 2), (3, 0), (4, 0), (4, 2), (70, 0)]
        executable.reset(1)


def test_regular_input_counts_down():
    """[encoding.rate_regular]: count floor(f T)."""
    executable = recorded(relays(RegularInput(rate=37.0), n=1))
    for drive in (1.0, 0.5):
        executable.reset(0)
        assert len(input_spikes(executable, [drive], 3010)) == int(37.0 * drive * 3.010)


def test_poisson_input_has_the_probability_of_a_poisson_process():
    """[encoding.rate_poisson]: f = 100, dt = 1 ms: p .0951626 vs .1; Fano and CV of the Bernoulli train."""
    executable = recorded(relays(PoissonInput(rate=100.0), n=50))
    spikes = np.array(input_spikes(executable, [1.0] * 50, 20000))
    p = len(spikes) / 1e6
    assert p == pytest.approx(0.0951626, abs=5 * np.sqrt(0.0951626 * 0.9048 / 1e6))
    counts = np.histogram2d(*spikes.T, bins=(20, 50), range=((0, 20000), (0, 50)))[0]
    # Of a train with at most one spike per tick, 1 - p and sqrt(1 - p) of what a Poisson process has.
    assert counts.var() / counts.mean() == pytest.approx(1 - p, rel=0.15)
    gaps = np.concatenate([np.diff(spikes[spikes[:, 1] == c, 0]) for c in range(50)])
    assert gaps.std() / gaps.mean() == pytest.approx(np.sqrt(1 - p), rel=0.02)


# From drive to action through neurons: each spike is repeated one step later.


X = np.array([0.93, 0.31, 0.07, 0.55, 0.8], np.float32)


@pytest.mark.parametrize(
    ("code", "make", "window", "bound"),
    [
        (LatencyInput(t_max=45.0), lambda c: FirstSpikeDecoder(5, c, delay=1.0), 10, 0.5 / 45),
        (LatencyInput(t_max=45.0), lambda c: FirstSpikeDecoder(5, c, delay=1.0), 50, 0.5 / 45),
        (LogLatencyInput(), lambda c: FirstSpikeDecoder(5, c, delay=1.0), 25, 0.05),
        (LIFLatencyInput(v_th=0.05, tau=60.0), lambda c: FirstSpikeDecoder(5, c, delay=1.0), 50, 0.07),
        (OscillationPhaseInput(), lambda c: FirstSpikeDecoder(5, c, delay=1.0), 50, 0.5 / 25),
        (ISIInput(), lambda c: ISIDecoder(5, c), 20, 0.5 / 18),
        (PhaseInput(), lambda c: PhaseDecoder(5, c), 5, 2**-8),
        (BurstInput(), lambda c: BurstDecoder(5, c), 10, 0.1),
    ],
    ids=lambda v: type(v).__name__ if isinstance(v, CodedInput) else None,
)
def test_what_neurons_repeat_is_decoded(code, make, window, bound):
    at, channel = np.nonzero(encode(code, np.tile(X, (400, 1))))
    times = tuple(tuple(at[channel == c].astype(float)) for c in range(5))
    executable, decoder = Simulator().compile(relays(SpikeTimesInput(times), n=5)), make(code)
    decoder.set_window(float(window))
    for _ in range(400 // window):
        action = decoder(executable.window(X, window))
    assert np.abs(action - X).max() <= bound + 1e-6


class Loop:
    """Runs two windows per drive and returns what a decoder says of the relays of a code."""

    def __init__(self, decoder, *codes, n):
        self.executable, self.decoder = Simulator().compile(relays(*codes, n=n)), decoder
        decoder.set_window(20.0)

    def __call__(self, drive):
        self.decoder(self.executable.window(drive, 20))
        return self.decoder(self.executable.window(drive, 20))


def test_steps_follow_a_moving_drive_in_the_loop():
    codes = [SendOnDeltaInput(threshold=0.05, polarity=sign) for sign in (1, -1)]
    loop, encoder = Loop(DeltaDecoder(10, 0.05), *codes, n=5), ChannelEncoder(5, copies=2)
    for shift in (0.0, 0.3, -0.4, 0.1):
        x = np.clip(X + shift, 0, 1)
        assert np.abs(loop(encoder(x)) - x).max() <= 0.05 + 1e-6


def test_receptive_fields_in_the_loop():
    """[encoding.grf_bohte2002]: the rounded latencies decode within their largest error."""
    encoder = GaussianReceptiveFieldEncoder(2, cutoff=0.15)
    code = LatencyInput(period=20.0, t_max=10.0)
    loop = Loop(GaussianReceptiveFieldDecoder(FirstSpikeDecoder(16, code, delay=1.0)), code, n=16)
    for x in ([0.3, 0.85], [0.0, 1.0], [0.52, 0.11]):
        assert np.abs(loop(encoder(x)) - x).max() < 0.03


def test_least_squares_decoding_of_spikes():
    """[encoding.nef_lsq]: a spiking population of the tuning represents its input."""
    tuning = LIFTuning.random(80, seed=2)
    network = Network(
        inputs=(Input("x", 2, CurrentInput()),),
        populations=(Population("p", 80, LIF(tau_m=tuning.tau_m, t_ref=tuning.t_ref)),),
        projections=(
            Projection.dense("x", "p", np.column_stack((tuning.gain * tuning.encoders[:, 0], tuning.bias)), delay=0.1),
        ),
        outputs=("p",),
        dt=0.1,
    )
    points = np.linspace(-1, 1, 500)
    decoder = LeastSquaresDecoder.fit(FilteredRateDecoder(80, tau=200.0), tuning.rates(points), points)
    decoder.set_window(50.0)
    executable, errors = Simulator().compile(network), []
    for x in (-0.8, -0.3, 0.0, 0.4, 0.9):
        executable.reset(0)
        decoder.reset()
        for _ in range(30):
            said = decoder(executable.window([x, 1.0], 500))
        errors.append(float(said[0]) - x)
    assert np.sqrt(np.mean(np.square(errors))) < 0.03


PAGE = (Path(__file__).parents[1] / "docs" / "codes.md").read_text("utf-8")


def test_the_page_on_codes_is_true(tmp_path):
    for code in re.findall(r"^```python\n(.*?)^```$", PAGE, flags=re.S | re.M):
        file = tmp_path / "block.py"  # model functions are read from their file
        file.write_text(code)
        names = runpy.run_path(str(file))
        if "action" in names:
            assert names["action"] == pytest.approx([0.2, 0.5, 0.9], abs=0.5 / 45 + 1e-6)
        else:
            assert np.flatnonzero(names["spikes"]).tolist() == [0, 10]
            executable = recorded(relays(names["PairInput"](), n=1))
            assert input_spikes(executable, [0.5], 60) == [(0, 0), (10, 0), (50, 0)]
    for name in codes.__all__:
        if name not in {"ChangeInput", "CodedInput", "CrossingInput", "FirstSpikeInput"}:
            assert f"| `{name}` |" in PAGE, name
    for name in decoders.__all__:
        assert f"`{name}" in PAGE or name in {"Decoder", "FrameDecoder", "PopulationDecoder"}, name
