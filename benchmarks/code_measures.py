"""Send random numbers through every code and its decoder: error, time and spikes per number (for code_errors.py)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from insectbot.controllers.decoders import (
    BurstDecoder,
    Decoder,
    DeltaDecoder,
    FirstSpikeDecoder,
    GaussianReceptiveFieldDecoder,
    ISIDecoder,
    PhaseDecoder,
    RankOrderDecoder,
    RateDecoder,
)
from insectbot.controllers.encoders import GaussianReceptiveFieldEncoder
from insectbot.core.simulator import Simulator
from insectbot.protocols import Readout
from insectbot.snn.codes import (
    BurstInput,
    CodedInput,
    ISIInput,
    LatencyInput,
    LIFLatencyInput,
    LogLatencyInput,
    OscillationPhaseInput,
    PhaseInput,
    PoissonInput,
    RankOrderInput,
    RegularInput,
    SendOnDeltaInput,
)
from insectbot.snn.encode import encode
from insectbot.snn.network import Input, Network, Population

Raster = npt.NDArray[np.bool_]
Reals = npt.NDArray[np.float64]
N = 2000
X = np.random.default_rng(1).random(N)
"""The numbers that are sent: uniform in [0, 1)."""
RATE = 200.0


@dataclass(frozen=True)
class Cost:
    """What a code takes and gives: frame length [ms], spikes per number, root mean square error."""

    time: float
    spikes: float
    error: float


def readout(raster: Raster) -> Readout:
    """Return the readout of one window."""
    n_ticks = len(raster)
    first = np.where(raster.any(axis=0), raster.argmax(axis=0), -1)
    order = np.sort(np.where(raster, np.arange(n_ticks)[:, None], -1), axis=0)
    interval = np.where(order[-2] >= 0, order[-1] - order[-2], -1) if n_ticks > 1 else np.full(raster.shape[1], -1)
    return Readout(raster.sum(axis=0).astype(np.int32), first.astype(np.int32), interval.astype(np.int32))


def decode(decoder: Decoder, raster: Raster, window: int) -> Reals:
    """Return what a decoder says of a raster at its end, read in windows of ``window`` ticks of 1 ms."""
    decoder.set_window(float(window))
    for start in range(0, len(raster), window):
        values = decoder.values(readout(raster[start : start + window]))
    return np.array(values)


def cost(raster: Raster, values: Reals, sent: Reals = X, channels: int = 1) -> Cost:
    """Return the cost of numbers sent in one frame, ``channels`` channels each."""
    return Cost(len(raster), float(raster.sum() * channels / raster.shape[1]), rms(values - sent))


def rms(error: Reals) -> float:
    """Return the root of the mean square."""
    return float(np.sqrt(np.mean(error**2)))


def kernel_raster(source: PoissonInput | RegularInput, x: Reals, n_ticks: int) -> Raster:
    """Return the spikes that the core makes of steady drives."""
    network = Network((Input("in", x.size, source),), (Population("idle", 1),), (), ("idle",))
    executable = Simulator().compile(network, seed=0)
    executable.recording = True
    executable.window(x, n_ticks)
    tick, unit = executable.spikes()
    raster = np.zeros((n_ticks, x.size + 1), np.bool_)
    raster[tick, unit] = True
    return raster[:, : x.size]


def regular(time: int) -> Cost:
    """Count regular spikes."""
    raster = kernel_raster(RegularInput(RATE), X, time)
    return cost(raster, decode(RateDecoder(N, RATE), raster, time))


def poisson(time: int) -> Cost:
    """Count Poisson spikes, and undo their saturation."""
    raster = kernel_raster(PoissonInput(RATE), X, time)
    share = decode(RateDecoder(N, 1000.0), raster, time)
    return cost(raster, -np.log1p(-np.minimum(share, 1 - 1e-9)) * 1000.0 / RATE)


def latency(time: int) -> Cost:
    """Wait for a first spike, linear."""
    return _first_spike(LatencyInput(float(time)))


def log_latency(time: int) -> Cost:
    """Wait for a first spike, logarithmic, with a time constant of a fifth of the frame."""
    return _first_spike(LogLatencyInput(float(time), tau=time / 5))


def lif_latency(time: int) -> Cost:
    """Wait for a first spike of a leaky neuron with threshold .1 and a time constant of half the frame."""
    return _first_spike(LIFLatencyInput(float(time), tau=time / 2, v_th=0.1))


def oscillation(time: int) -> Cost:
    """Read the phase of a spike."""
    return _first_spike(OscillationPhaseInput(float(time), frequency=1000.0 / time))


def _first_spike(code: LatencyInput | LogLatencyInput | LIFLatencyInput | OscillationPhaseInput) -> Cost:
    raster = _frame(code)
    return cost(raster, decode(FirstSpikeDecoder(N, code), raster, len(raster)))


def intervals(time: int) -> Cost:
    """Measure one interval of 2 ms to the frame: the first spike and the second."""
    code = ISIInput(float(time + 1), t_min=2.0, t_max=float(time))
    raster = _frame(code)
    raster[np.cumsum(raster, axis=0) > 2] = False
    return cost(raster, decode(ISIDecoder(N, code), raster, len(raster)))


def bits(time: int) -> Cost:
    """Read a bit per millisecond."""
    code = PhaseInput(float(time), bits=time)
    raster = _frame(code)
    return cost(raster, decode(PhaseDecoder(N, code), raster, 1))


def bursts(time: int) -> Cost:
    """Count a burst of up to 5 spikes and measure its intervals."""
    # The longest burst: 5 spikes just above x = .8, or fewer with longer intervals.
    t_max = next(t for t in range(time, 2, -1) if _burst_length(t) < time)
    code = BurstInput(float(time), t_max=float(t_max))
    raster = _frame(code)
    return cost(raster, decode(BurstDecoder(N, code), raster, len(raster)))


def _burst_length(t_max: int) -> int:
    return max(n * int(np.ceil(2 + (t_max - 2) * (1 - n / 5) - 1e-6)) for n in range(5))


def rank_order(time: int) -> Cost:
    """Rank as many channels as there are milliseconds; a rank says its mean among uniform numbers."""
    code, groups = RankOrderInput(float(time)), X[: 20 * time].reshape(20, time)
    rasters = [encode(code, np.tile(x, (time, 1))) for x in groups]
    values = np.array([decode(RankOrderDecoder(time, code), raster, time) for raster in rasters])
    rank = np.log(values) / np.log(0.9)
    return Cost(time, float(np.mean(rasters) * time), rms(1.0 - (rank + 1.0) / (time + 1.0) - groups))


def fields(time: int) -> Cost:
    """Spread a number over 8 receptive fields whose latencies are linear; the latest seventh is silent."""
    code, encoder = LatencyInput(float(time)), GaussianReceptiveFieldEncoder(N, 8, cutoff=0.15)
    raster = encode(code, np.tile(encoder(X), (time, 1)))
    decoder = GaussianReceptiveFieldDecoder(FirstSpikeDecoder(8 * N, code), 8)
    return cost(raster, decode(decoder, raster, time), channels=8)


def steps(time: int) -> Cost:
    """Follow numbers that jump every ``time`` milliseconds, by steps of ``1 / time`` on two channels."""
    threshold, jumps = 1.0 / time, X[:40]
    code = SendOnDeltaInput(float(time), threshold=threshold, polarity=(1.0, -1.0))
    raster = encode(code, np.repeat(np.column_stack((jumps, jumps)), time, axis=0))
    decoder = DeltaDecoder(2, threshold)
    said = [decode(decoder, frame, time)[0] for frame in raster.reshape(len(jumps), time, 2)]
    return Cost(time, float(raster.sum() / len(jumps)), rms(np.array(said) - jumps))


def _frame(code: CodedInput) -> Raster:
    return encode(code, np.tile(X, (code.frame_ticks(1.0), 1)))


CODES: dict[str, tuple[Callable[[int], Cost], tuple[int, ...]]] = {
    "regular rate": (regular, (10, 20, 50, 100, 200, 500)),
    "Poisson rate": (poisson, (10, 20, 50, 100, 200, 500)),
    "latency": (latency, (5, 10, 20, 50, 100, 200, 500)),
    "log latency": (log_latency, (5, 10, 20, 50, 100, 200, 500)),
    "LIF latency": (lif_latency, (5, 10, 20, 50, 100, 200, 500)),
    "oscillation": (oscillation, (5, 10, 20, 50, 100, 200, 500)),
    "interval": (intervals, (5, 10, 20, 50, 100, 200, 500)),
    "bits": (bits, (2, 4, 6, 8, 10)),
    "burst": (bursts, (13, 20, 50, 100, 200)),
    "rank order": (rank_order, (5, 10, 20, 50, 100)),
    "receptive fields": (fields, (5, 11, 20, 50, 100, 200)),
    "send on delta": (steps, (5, 10, 20, 50, 100)),
}
"""Name -> (measure, frame lengths [ms] of its curve)."""
