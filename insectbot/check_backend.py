"""What every chip (backend) promises, tested on two small networks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from insectbot.errors import InsectbotError, Unsupported
from insectbot.protocols import Backend, Executable
from insectbot.snn import LIF, Input, Network, PoissonInput, Population, Projection, RegularInput, RewardSTDP

N_TICKS = 50
N_WINDOWS = 6

Trace = list[tuple[npt.NDArray, ...]]


def reference_network(plastic: bool = False) -> Network:
    """Return the network on which backends are checked.

    Five inputs, eight hidden neurons with a recurrent loop and mixed delays, two outputs; weights are drawn
    from a fixed seed. ``plastic`` makes the output synapses learn by reward-modulated STDP.
    """
    rng = np.random.default_rng(20)
    recurrent = np.array([(i, j) for i in range(8) for j in range(8) if i != j])
    rule = RewardSTDP(learning_rate=0.01, w_min=-1.0, w_max=1.0) if plastic else None
    return Network(
        name="check-plastic" if plastic else "check",
        dt=1.0,
        inputs=(Input("touch", 3, PoissonInput(200.0)), Input("odor", 2, RegularInput(100.0))),
        populations=(
            Population("hidden", 8, LIF(tau_m=20.0, v_th=1.0, t_ref=2.0)),
            Population("motor", 2, LIF(tau_m=10.0, v_th=1.0, t_ref=1.0)),
        ),
        projections=(
            Projection.dense("touch", "hidden", rng.uniform(0.1, 0.6, (8, 3))),
            Projection.dense("odor", "hidden", rng.uniform(0.1, 0.6, (8, 2)), delay=3.0),
            Projection.sparse(
                "hidden",
                "hidden",
                pre=recurrent[:, 0],
                post=recurrent[:, 1],
                weight=rng.uniform(-0.3, 0.2, len(recurrent)),
                delay=rng.integers(1, 9, len(recurrent)).astype(float),
            ),
            Projection.dense("hidden", "motor", rng.uniform(0.2, 0.6, (2, 8)), plasticity=rule),
        ),
        outputs=("motor",),
    )


def in_layers(network: Network) -> Network:
    """Return a network without its loops and with delays of one step, for chips that run layers one after the other."""
    kept = (q for q in network.projections if q.source != q.target)
    projections = tuple(
        Projection.sparse(q.source, q.target, pre=q.pre, post=q.post, weight=q.weight, plasticity=q.plasticity)
        for q in kept
    )
    return replace(network, name=f"{network.name}-layers", projections=projections)


def drives(n_inputs: int) -> npt.NDArray[np.float32]:
    """Return the drive of each window, shape (N_WINDOWS, n_inputs), in [0.2, 1]."""
    return np.random.default_rng(7).uniform(0.2, 1.0, (N_WINDOWS, n_inputs)).astype(np.float32)


def run_windows(executable: Executable, windows: range, split: bool = False) -> Trace:
    """Run some of the standard windows; return per window counts, first, interval, ticks and units of spikes.

    ``split`` runs each window tick by tick (the modulators with the first) and sums the counts; its
    ``first`` is left out.
    """
    drive, trace = drives(executable.network.n_inputs), []
    for k in windows:
        pulse = np.full(executable.network.n_modulators, 0.5 - 0.2 * k, np.float32)
        parts: list[tuple[int, Any]] = [(1 if split else N_TICKS, pulse if pulse.size else None)]
        parts += [(1, None)] * (N_TICKS - 1 if split else 0)
        counts: Any = 0
        ticks, units, interval = [], [], np.empty(0)
        for n_ticks, modulators in parts:
            readout = executable.window(drive[k], n_ticks, modulators)
            tick, unit = executable.spikes()
            counts, interval = counts + readout.counts, readout.interval.copy()
            ticks.append(tick)
            units.append(unit)
        trace.append((counts, interval, np.concatenate(ticks), np.concatenate(units)))
    return trace


def differs(a: Trace, b: Trace) -> str:
    """Return what differs first between two traces, or an empty string."""
    for k, (left, right) in enumerate(zip(a, b, strict=True)):
        names = ("spike counts", "last intervals", "spike ticks", "spiking units")
        for name, x, y in zip(names, left, right, strict=True):
            if not np.array_equal(x, y):
                return f"{name} differ in window {k}"
    return ""


def _weights_differ(a: Executable, b: Executable) -> str:
    left, right = a.weights(), b.weights()
    wrong = [name for name in left if not np.array_equal(left[name], right[name])]
    return f"weights of {wrong[0]!r} differ" if wrong else ""


class _Bench:
    """Makes fresh executables of one network on one backend."""

    def __init__(self, backend: Backend, network: Network, learning: bool) -> None:
        self.backend, self.network, self.learning = backend, network, learning

    def fresh(self, seed: int = 1, recording: bool = True) -> Executable:
        """Return an executable that was compiled and reset with a seed."""
        executable = self.backend.compile(self.network, seed=seed)
        executable.learning, executable.recording = self.learning, recording
        executable.reset(seed)
        return executable


def _protocol(bench: _Bench) -> str:
    executable = bench.fresh()
    if not isinstance(executable, Executable):
        missing = [n for n in dir(Executable) if not n.startswith("_") and not hasattr(executable, n)]
        return f"the executable lacks {', '.join(missing)}"
    if not bench.backend.name or not bench.backend.fidelity:
        return "the backend has no name or no fidelity statement"
    return "" if sum(c.sum() for c, *_ in run_windows(executable, range(N_WINDOWS))) else "the outputs never spike"


def _same_seed(bench: _Bench) -> str:
    a, b = bench.fresh(), bench.fresh()
    everything = range(N_WINDOWS)
    return differs(run_windows(a, everything), run_windows(b, everything)) or _weights_differ(a, b)


def _other_seed(bench: _Bench) -> str:
    everything = range(N_WINDOWS)
    same = not differs(run_windows(bench.fresh(1), everything), run_windows(bench.fresh(2), everything))
    return "seeds 1 and 2 give the same spikes" if same else ""


def _reset(bench: _Bench) -> str:
    a, b, everything = bench.fresh(1), bench.fresh(1), range(N_WINDOWS)
    initial = b.weights()
    run_windows(b, everything)
    b.set_weights(initial)
    b.reset(9)
    run_windows(b, range(3))
    b.set_weights(initial)
    b.reset(1)
    return differs(run_windows(a, everything), run_windows(b, everything)) or _weights_differ(a, b)


def _window_split(bench: _Bench) -> str:
    a, b, everything = bench.fresh(), bench.fresh(), range(N_WINDOWS)
    return differs(run_windows(a, everything), run_windows(b, everything, split=True)) or _weights_differ(a, b)


def _independent(bench: _Bench) -> str:
    alone, a, b = bench.fresh(1), bench.fresh(1), bench.fresh(2)
    mixed = []
    for k in range(N_WINDOWS):
        mixed += run_windows(a, range(k, k + 1))
        run_windows(b, range(k, k + 1))
    return differs(run_windows(alone, range(N_WINDOWS)), mixed)


def _recording(bench: _Bench) -> str:
    a, b = bench.fresh(), bench.fresh(recording=False)
    left, right = run_windows(a, range(N_WINDOWS)), run_windows(b, range(N_WINDOWS))
    same = all(np.array_equal(x[0], y[0]) and np.array_equal(x[1], y[1]) for x, y in zip(left, right, strict=True))
    return _weights_differ(a, b) if same else "spike counts depend on recording"


def _state(bench: _Bench) -> str:
    a, b = bench.fresh(1), bench.fresh(2)
    run_windows(a, range(3))
    saved = {name: np.array(value) for name, value in a.state().items()}
    rest = range(3, N_WINDOWS)
    expected = run_windows(a, rest)
    b.load_state(saved)
    return differs(expected, run_windows(b, rest)) or _weights_differ(a, b)


def _usage(bench: _Bench) -> str:
    over = [u for u in bench.fresh().usage if u.limit is not None and u.used > u.limit]
    return f"{over[0].resource} {over[0].used:g} > {over[0].limit} {over[0].where}" if over else ""


def _counters(bench: _Bench) -> str:
    executable = bench.fresh()
    trace = run_windows(executable, range(N_WINDOWS))
    counted = executable.counters()
    n_channels = executable.network.n_inputs
    spikes = sum(int((units >= n_channels).sum()) for *_, units in trace)
    inputs = sum(int((units < n_channels).sum()) for *_, units in trace)
    if (counted.spikes, counted.input_spikes) != (spikes, inputs):
        return f"counters say {counted.spikes} + {counted.input_spikes} spikes, recorded are {spikes} + {inputs}"
    if (counted.windows, counted.ticks) != (N_WINDOWS, N_WINDOWS * N_TICKS):
        return f"counters say {counted.windows} windows and {counted.ticks} ticks"
    executable.reset(1)
    return "" if executable.counters().spikes == 0 else "reset keeps the counters"


def _errors(bench: _Bench) -> str:
    executable = bench.fresh()
    n = executable.network.n_inputs
    broken = np.full(n, np.nan, np.float32)
    attempts: dict[str, Callable[[], object]] = {
        "a drive of the wrong length": lambda: executable.window(np.zeros(n + 1, np.float32), N_TICKS),
        "a drive of NaN": lambda: executable.window(broken, N_TICKS),
        "weights of an unknown projection": lambda: executable.set_weights({"nowhere": np.zeros(1)}),
        "weights of the wrong length": lambda: executable.set_weights({"hidden->motor": np.zeros(3)}),
        "a state of another network": lambda: executable.load_state({"nothing": np.zeros(1)}),
    }
    if executable.network.n_modulators:
        attempts["too many modulators"] = lambda: executable.window(np.zeros(n), N_TICKS, np.zeros(9))
    for what, attempt in attempts.items():
        try:
            attempt()
        except InsectbotError as error:
            if "\n" in str(error):
                return f"{what}: the message has more than one line"
        except Exception as error:
            return f"{what} raises {type(error).__name__}, not an InsectbotError"
        else:
            return f"{what} is accepted"
    return ""


PROMISES: dict[str, Callable[[_Bench], str]] = {
    "it is an executable, says its fidelity, and spikes": _protocol,
    "the same seed gives the same spikes, twice": _same_seed,
    "another seed gives other spikes": _other_seed,
    "reset really resets": _reset,
    f"window({N_TICKS}) equals {N_TICKS} times window(1)": _window_split,
    "two executables share nothing": _independent,
    "recording changes nothing": _recording,
    "the state round-trips": _state,
    "usage is within limits": _usage,
    "counters count what was recorded": _counters,
    "misuse raises the documented errors": _errors,
}


def backend_promises(backend: Backend) -> dict[str, Callable[[], str]]:
    """Return promise -> test; a test returns what is wrong, or an empty string.

    The promises are tested with fixed weights and, unless the backend says that it does not support
    learning, with reward-modulated plasticity; on a backend that refuses loops and delays, without them.
    """
    frozen = _Bench(backend, reference_network(), learning=False)
    layers = False
    try:
        frozen.fresh()
    except Unsupported:
        layers = True
        frozen = _Bench(backend, in_layers(reference_network()), learning=False)
        frozen.fresh()
    tests = {p: partial(t, frozen) for p, t in PROMISES.items()}
    try:
        network = reference_network(plastic=True)
        plastic = _Bench(backend, in_layers(network) if layers else network, learning=True)
        plastic.fresh()
    except Unsupported:
        return tests
    learning = ("the same seed gives the same spikes, twice", "reset really resets", "the state round-trips")
    learning += (f"window({N_TICKS}) equals {N_TICKS} times window(1)", "recording changes nothing")
    learning += ("misuse raises the documented errors",)
    return tests | {f"{p} (learning)": partial(PROMISES[p], plastic) for p in learning}
