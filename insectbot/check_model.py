"""What every neuron, synapse or code model promises, tested on a small network on the reference backend."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from insectbot.core.simulator import CoreExecutable
from insectbot.errors import ConfigurationError
from insectbot.snn import LIF, CurrentInput, Input, Network, PoissonInput, Population, Projection
from insectbot.snn.inputs import CodedInput
from insectbot.snn.model import Model, NeuronModel
from insectbot.snn.synapses import Delta, Exponential, Receptor, ReleaseModel

N_TICKS = 100
N_NEURONS = 70
"""More than one block of the kernel, and not a multiple of it."""
DT = 0.1
Trace = dict[str, npt.NDArray]


def is_model(found: Any) -> bool:
    """Tell whether something is a model, or a class of models."""
    return isinstance(found, Model) or (isinstance(found, type) and issubclass(found, Model))


def model_kind(found: Any) -> str:
    """Return "neuron", "synapse" or "code"."""
    cls = found if isinstance(found, type) else type(found)
    if issubclass(cls, NeuronModel):
        return "neuron"
    return "code" if issubclass(cls, CodedInput) else "synapse"


def reference_network(model: Model, precision: str = "float32") -> Network:
    """Return the network on which a model is tried: Poisson spikes and analog current into 70 neurons, recurrent.

    A neuron model is the population's, a receptor its second port, a release model that of the recurrent synapses, a
    code replaces the Poisson input.
    """
    rng = np.random.default_rng(8)
    source = model if isinstance(model, CodedInput) else PoissonInput(1500.0)
    neuron = model if isinstance(model, NeuronModel) else LIF(tau_m=5.0, v_th=1.0, t_ref=0.5)
    ports: dict[str, Receptor] = dict(neuron.default_receptors())
    if isinstance(model, Receptor):
        ports = {"jump": Delta(), "tried": model}
    elif isinstance(neuron, LIF):
        ports = {"jump": Delta(), "slow": Exponential(5.0)}
    last = list(ports)[-1]
    release = model if isinstance(model, ReleaseModel) else None
    few = rng.random((N_NEURONS, N_NEURONS)) < 0.1
    post, pre = np.nonzero(few)
    return Network(
        inputs=(Input("spikes", 6, source), Input("current", 2, CurrentInput())),
        populations=(Population("n", N_NEURONS, neuron, receptors=ports),),
        projections=(
            Projection.dense("spikes", "n", rng.uniform(0.0, 0.3, (N_NEURONS, 6)), receptor=next(iter(ports))),
            Projection.dense("current", "n", rng.uniform(0.0, 2.0, (N_NEURONS, 2))),
            Projection.sparse("n", "n", pre=pre, post=post, weight=0.1, delay=2.0, receptor=last, short_term=release)
            if neuron.spiking
            else Projection.dense("spikes", "n", np.full((N_NEURONS, 6), 0.1), name="again", receptor=last),
        ),
        outputs=("n",),
        dt=DT,
        precision=precision,
        name=f"check-{type(model).__name__}",
    )


class _Bench:
    def __init__(self, model: Model) -> None:
        self.model = model

    def fresh(self, seed: int = 3, precision: str | None = None) -> CoreExecutable:
        """Return a new executable that records all state variables."""
        double = getattr(self.model, "double", False)
        executable = CoreExecutable(reference_network(self.model, precision or ("float64" if double else "float32")))
        executable.recording = True
        names = list(executable.network.populations[0].model.states)
        for port, receptor in executable.network.populations[0].ports:
            names += [f"{port}.{s}" for s in receptor.states]
        executable.record({"n": names})
        executable.reset(seed)
        return executable

    def run(self, executable: CoreExecutable, split: bool = False) -> Trace:
        """Run six windows and return spikes and all state variables after every tick."""
        ticks, units, states = [], [], []
        drives = np.random.default_rng(4).uniform(0.0, 1.0, (6, 8))
        for drive in drives:
            for n_ticks in [1] * N_TICKS if split else [N_TICKS]:
                executable.window(drive, n_ticks)
                tick, unit = executable.spikes()
                ticks.append(tick)
                units.append(unit)
                states.append(np.concatenate(list(executable.states().values()), axis=1))
        return {"ticks": np.concatenate(ticks), "units": np.concatenate(units), "states": np.concatenate(states)}


def _differs(a: Trace, b: Trace) -> str:
    names = {"ticks": "spike ticks", "units": "spiking units", "states": "state variables"}
    return next((f"{names[k]} differ" for k in a if not np.array_equal(a[k], b[k], equal_nan=True)), "")


def _documented(bench: _Bench) -> str:
    model = type(bench.model)
    if not (model.__doc__ or "").strip() or (model.__doc__ or "").startswith(f"{model.__name__}("):
        return f"{model.__name__} has no docstring"
    bare = [f.name for f in fields(bench.model) if "unit" not in f.metadata and f.type in ("float", float)]
    return f"parameter {bare[0]!r} has no unit: make it with parameter(default, unit)" if bare else ""


def _finite(bench: _Bench) -> str:
    states = bench.run(bench.fresh())["states"]
    return "" if np.isfinite(states).all() else f"a state variable is not finite after {_first_bad(states)} ticks"


def _first_bad(states: npt.NDArray) -> int:
    return int(np.flatnonzero(~np.isfinite(states).all(axis=1))[0])


def _same_seed(bench: _Bench) -> str:
    return _differs(bench.run(bench.fresh()), bench.run(bench.fresh()))


def _reset(bench: _Bench) -> str:
    used = bench.fresh()
    bench.run(used)
    used.reset(3)
    return _differs(bench.run(bench.fresh()), bench.run(used))


def _split(bench: _Bench) -> str:
    return _differs(bench.run(bench.fresh()), bench.run(bench.fresh(), split=True))


def _state(bench: _Bench) -> str:
    a, b = bench.fresh(), bench.fresh(9)
    bench.run(a)
    bench.run(b)
    b.load_state(a.state())
    return _differs(bench.run(a), bench.run(b))


def _double(bench: _Bench) -> str:
    states = bench.run(bench.fresh(precision="float64"))["states"]
    return "" if states.dtype == np.float64 and np.isfinite(states).all() else "float64 states are not finite"


PROMISES: dict[str, Callable[[_Bench], str]] = {
    "it is documented, and its parameters have units": _documented,
    "its state variables stay finite": _finite,
    "the same seed gives the same states and spikes, twice": _same_seed,
    "reset really resets": _reset,
    f"window({N_TICKS}) equals {N_TICKS} times window(1)": _split,
    "the state round-trips": _state,
    "it runs in float64": _double,
}


def model_promises(found: Any, ref: str) -> dict[str, Callable[[], str]]:
    """Return promise -> test of a model; a test returns what is wrong, or an empty string.

    Parameters
    ----------
    found : Model or type
        A neuron, receptor, release or code model, or its class (then it is made with its defaults).
    ref : str
        How errors name it.

    Raises
    ------
    ConfigurationError, Unsupported
        It cannot be made with its defaults, or the core cannot run its functions; the message says why.
    """
    try:
        model = found() if isinstance(found, type) else found
    except TypeError as error:
        raise ConfigurationError(f"model {ref!r}: must have a default for every parameter ({error})") from error
    bench = _Bench(model)
    bench.fresh()
    return {promise: partial(test, bench) for promise, test in PROMISES.items()}
