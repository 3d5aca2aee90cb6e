"""The reference backend ``ideal``: the core without limits."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from insectbot.core.compile import compile_window
from insectbot.core.layout import Layout, address_table, seed_streams
from insectbot.core.structure import BLOCK, Structure
from insectbot.errors import ConfigurationError, ShapeError
from insectbot.protocols import Counters, Readout, Usage, Vector
from insectbot.snn.network import Network
from insectbot.snn.plasticity import PairSTDP

_PULSE, _LEARN, _RECORD = 1, 2, 4
_DERIVED = ("real", "size", "segment", "start", "delay", "target", "column", "row", "origin", "group", "share")
_DERIVED += (
    "grow",
    "fade",
    "event_tick",
    "event_unit",
    "drive",
    "modulators",
    "spikes",
    "threshold",
    "change",
    "add",
    "counts",
    "first",
)


class Simulator:
    """Backend ``ideal``: compiles a network to a numba kernel of its own."""

    name = "ideal"
    fidelity = (
        "The reference: float32 state, exact propagators for the subthreshold system, spikes and resets on the grid of "
        "dt, counter-based randomness. No limit on neurons, synapses or precision; no energy or timing model."
    )

    def compile(self, network: Network, *, seed: int = 0) -> CoreExecutable:
        """Return an executable; the kernel is generated, compiled once per network structure, and cached."""
        return CoreExecutable(network, seed=seed)


class CoreExecutable:
    """A network in memory and its window kernel (see :class:`insectbot.protocols.Executable`).

    Parameters
    ----------
    network : Network
        What to run.
    seed : int
        Seed of the random streams until the next ``reset``.
    """

    def __init__(self, network: Network, *, seed: int = 0) -> None:
        self.network = network
        structure = Structure.of(network)
        self._call: Callable[[int, int, int], int] = compile_window(structure)
        self._structure = structure
        layout = Layout.of(network, structure)
        self._arrays, self._table = layout.arrays, layout.table
        self._address = int(self._table.ctypes.data)
        self._drive, self._modulators = self._arrays["drive"], self._arrays["modulators"]
        self._n_inputs, self._n_modulators = network.n_inputs, network.n_modulators
        self._flags = _LEARN
        self._readout = Readout(self._arrays["counts"], self._arrays["first"], self._arrays["interval"])
        self.reset(seed)

    @property
    def learning(self) -> bool:
        """Whether plasticity and exploration act. Switching it off applies what pair STDP still owes."""
        return bool(self._flags & _LEARN)

    @learning.setter
    def learning(self, value: bool) -> None:
        if self.learning and not value:
            self._settle()
        self._flags = self._flags | _LEARN if value else self._flags & ~_LEARN

    @property
    def recording(self) -> bool:
        """Whether :meth:`spikes` is filled; never changes results."""
        return bool(self._flags & _RECORD)

    @recording.setter
    def recording(self, value: bool) -> None:
        self._flags = self._flags | _RECORD if value else self._flags & ~_RECORD

    def window(self, drive: Vector, n_ticks: int, modulators: Vector | None = None) -> Readout:
        """Run ``n_ticks`` steps with a constant drive; modulator pulses act before the first.

        Parameters
        ----------
        drive : array_like, shape (n_inputs,)
            Drive per input channel; clipped to [0, 1] for spiking inputs, any finite number for currents.
        n_ticks : int
            Steps of dt; 0 only delivers the modulators.
        modulators : array_like, shape (n_modulators,), optional
            Third factors, such as a reward prediction error.

        Returns
        -------
        Readout
            Spikes of the outputs; its arrays are overwritten by the next window.

        Raises
        ------
        ShapeError
            If an array has the wrong length or the drive is not finite.
        """
        try:
            if len(drive) != self._n_inputs:  # numpy would stretch a single number
                raise ValueError
            self._drive[:] = drive
            flags = self._flags
            if modulators is not None:
                if len(modulators) != self._n_modulators:
                    raise ValueError
                self._modulators[:] = modulators
                flags |= _PULSE
        except (ValueError, TypeError) as error:
            raise self._shape_error(drive, modulators) from error
        if flags & _RECORD:
            self._reserve(n_ticks)
        if self._call(self._address, n_ticks, flags):
            raise ShapeError(f"drive {np.asarray(drive).tolist()} must be finite numbers")
        return self._readout

    def reset(self, seed: int) -> None:
        """Clear dynamic state and counters, restart the random streams; learned weights stay."""
        self._settle()
        for name, array in self._arrays.items():
            kind = name.split("_", 1)[-1]
            if kind in ("ring", "xi", "e", "q", "y", "phase", "clock", "state", "counts"):
                array[...] = 0
        for name in ("last", "first", "interval"):
            self._arrays[name][...] = -1
        for k, plan in enumerate(self._structure.projections):
            if plan.rule == "reward":
                self._arrays[f"s{k}_scale"][0] = 1.0
                self._arrays[f"s{k}_x"][...] = 0
        seed_streams(self.network, self._arrays, seed)

    def weights(self) -> dict[str, npt.NDArray[np.float32]]:
        """Return a copy of all weights by projection, with every pending potentiation applied."""
        out = {}
        for k, projection in enumerate(self.network.projections):
            w = self._arrays[f"s{k}_w"][: projection.n_synapses].copy()
            if isinstance(projection.plasticity, PairSTDP):
                w = np.minimum(w + self._pending(k), np.float32(projection.plasticity.w_max))
            out[projection.name] = w
        return out

    def set_weights(self, weights: Mapping[str, npt.ArrayLike]) -> None:
        """Replace weights by projection name (vectors in projection order).

        Raises
        ------
        ConfigurationError, ShapeError
            If a projection is unknown, or a vector has the wrong length or a value that is not finite.
        """
        checked = self.network.checked_weights(weights)
        self._settle()
        for k, projection in enumerate(self.network.projections):
            if projection.name in checked:
                self._arrays[f"s{k}_w"][: projection.n_synapses] = checked[projection.name]

    def spikes(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]:
        """Return (tick, unit) of every spike of the last window, if ``recording``."""
        n = int(self._arrays["clock"][5]) if self.recording else 0
        return self._arrays["event_tick"][:n].copy(), self._arrays["event_unit"][:n].copy()

    def potentials(self, population: str) -> npt.NDArray[np.float32]:
        """Return a copy of a population's membrane potentials, shape (n,)."""
        self.network.population(population)
        k = [p.name for p in self.network.populations].index(population)
        variables = len(self._structure.populations[k].state_vars)
        blocks = self._arrays[f"p{k}_state"].reshape(-1, variables, BLOCK)
        group = self.network.populations[k]
        return blocks[:, 0, :].ravel()[: group.n] + np.float32(group.model.v_rest)

    def state(self) -> dict[str, npt.NDArray]:
        """Return a copy of everything that decides the future."""
        kept = {name: a.copy() for name, a in self._arrays.items() if not _derived(name)}
        kept["clock"][5] = 0  # the length of the spike list, which recording must not make part of the state
        return kept | {"flags": np.array([self._flags & _LEARN], np.int64)}

    def load_state(self, state: Mapping[str, npt.NDArray]) -> None:
        """Restore a state of the same network.

        Raises
        ------
        ConfigurationError
            If the state belongs to another network.
        """
        expected = {name: a for name, a in self._arrays.items() if not _derived(name)}
        same = set(state) == {*expected, "flags"} and all(state[n].shape == a.shape for n, a in expected.items())
        if not same:
            raise ConfigurationError(
                f"state: does not belong to network {self.network.name!r}; use the one it came from"
            )
        for name, array in expected.items():
            array[...] = state[name]
        self._flags = int(state["flags"][0]) | self._flags & _RECORD

    @property
    def usage(self) -> tuple[Usage, ...]:
        """Neurons and synapses; ``ideal`` has no limits."""
        return (Usage("neurons", self.network.n_neurons, None), Usage("synapses", self.network.n_synapses, None))

    def counters(self) -> Counters:
        """Return counts since the last reset."""
        c = self._arrays["clock"]
        return Counters(int(c[6]), int(c[0]), int(c[2]), int(c[1]), int(c[3]), int(c[4]), {})

    def _reserve(self, n_ticks: int) -> None:
        """Make room for the most spikes a window can emit."""
        need = n_ticks * (self.network.n_inputs + self.network.n_neurons)
        if need > self._arrays["event_tick"].size:
            self._arrays["event_tick"] = np.zeros(need, np.int64)
            self._arrays["event_unit"] = np.zeros(need, np.int32)
            self._table[:] = address_table(self._arrays)

    def _pending(self, k: int) -> npt.NDArray[np.float32]:
        """Return the potentiation that pair STDP has not yet added to each synapse."""
        a = {name: self._arrays[f"s{k}_{name}"] for name in ("x", "seen", "grow", "fade", "post", "snap", "target")}
        projection = self.network.projections[k]
        rule = projection.plasticity
        epoch = int(self._arrays["size"][self._structure.sizes.index(f"s{k}_epoch")])
        # At the first tick of an epoch the kernel has not yet moved the sums: count from the last tick run.
        now = max(int(self._arrays["clock"][0]) - 1, 0) // epoch
        seen = a["seen"][projection.pre]
        alive = seen >= 0
        age, k0 = np.where(alive, now - seen // epoch, 0), np.where(alive, seen % epoch, 0)
        post = a["post"].reshape(-1, 4)[projection.post].astype(np.float64)
        base = np.take_along_axis(post, np.where(age == 0, 0, 1 + age)[:, None], axis=1)[:, 0]
        total = a["grow"][k0] * (base - a["snap"])
        total += np.where(age >= 1, a["fade"][age * epoch - k0] * post[:, 0], 0.0)
        total += np.where(age == 2, a["fade"][epoch - k0] * post[:, 2], 0.0)
        a_plus = rule.a_plus if isinstance(rule, PairSTDP) else 0.0
        return np.where(alive, a_plus * a["x"][projection.pre] * total, 0.0).astype(np.float32)

    def _settle(self) -> None:
        """Apply pending potentiation and clear the pair traces."""
        for k, plan in enumerate(self._structure.projections):
            if plan.rule == "pair":
                name = self.network.projections[k].name
                self._arrays[f"s{k}_w"][...] = self.weights()[name]
                self._arrays[f"s{k}_seen"][...] = -1
                for kind in ("x", "post", "snap"):
                    self._arrays[f"s{k}_{kind}"][...] = 0

    def _shape_error(self, drive: Vector, modulators: Vector | None) -> ShapeError:
        if np.shape(drive) != (self.network.n_inputs,):
            return ShapeError(f"drive has shape {np.shape(drive)}, must be ({self.network.n_inputs},)")
        given = () if modulators is None else np.shape(modulators)
        return ShapeError(f"modulators have shape {given}, must be ({self._n_modulators},)")


def _derived(name: str) -> bool:
    return name in _DERIVED or name.split("_", 1)[-1] in _DERIVED
