"""The reference backend ``ideal``: the core without limits."""

from __future__ import annotations

import atexit
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt

from insectbot.core.compile import compile_window
from insectbot.core.part import Part
from insectbot.core.plan_precise import PrecisePlan, TimedInput
from insectbot.core.structure import Structure
from insectbot.core.threads import join_parts, projection_order, threadable
from insectbot.errors import ConfigurationError, ShapeError
from insectbot.protocols import Counters, Readout, Usage, Vector
from insectbot.snn.network import Network

_PULSE, _LEARN, _RECORD = 1, 2, 4


class Simulator:
    """Backend ``ideal``: compiles a network to a numba kernel of its own.

    Parameters
    ----------
    threads : int
        Threads that share the neurons of each executable, >= 1; the results are the same bits for any number.
    """

    name = "ideal"
    fidelity = (
        "The reference: float32 state (float64 on request), exact propagators for linear subthreshold systems, spikes "
        "and resets on the grid of dt (of LIF(precise=True) at their exact times), counter-based randomness. No limit "
        "on neurons, synapses or precision; no energy or timing model."
    )

    def __init__(self, threads: int = 1) -> None:
        self.threads = threads

    def compile(self, network: Network, *, seed: int = 0) -> CoreExecutable:
        """Return an executable; the kernel is generated, compiled once per network structure, and cached."""
        return CoreExecutable(network, seed=seed, threads=self.threads)


class CoreExecutable:
    """A network in memory and its window kernel (see :class:`insectbot.protocols.Executable`).

    Parameters
    ----------
    network : Network
        What to run.
    seed : int
        Seed of the random streams until the next ``reset``.
    threads : int
        Threads that share the neurons, >= 1.

    Raises
    ------
    ConfigurationError
        If ``threads`` is below 1.
    Unsupported
        If the core cannot run the network, or not with several threads.
    """

    def __init__(self, network: Network, *, seed: int = 0, threads: int = 1) -> None:
        if threads < 1:
            raise ConfigurationError(f"threads = {threads}: must be at least 1")
        self.network = network
        structure = Structure.of(network, threads > 1)
        if threads > 1:
            threadable(structure, network)
        self._call: Callable[[int, int, int], int] = compile_window(structure)
        self._structure = structure
        self._parts = [Part(network, structure, t, threads) for t in range(threads)]
        self._pool: ThreadPoolExecutor | None = None
        if threads > 1:
            join_parts(self._parts, network)
            self._pool = ThreadPoolExecutor(threads - 1, thread_name_prefix="insectbot")
            atexit.register(self._pool.shutdown, wait=False)
        first = self._parts[0]
        self._arrays, self._address = first.arrays, first.address
        self._drive = self._arrays["drive"][: network.n_inputs]
        self._modulators = self._arrays["modulators"][: network.n_modulators]
        self._n_inputs, self._n_modulators = network.n_inputs, network.n_modulators
        self._flags = _LEARN
        self._probes: dict[tuple[str, str], tuple[int, ...]] = {}
        self._probed_ticks = 0
        self._readout = Readout(self._arrays["counts"], self._arrays["first"], self._arrays["interval"])
        self.reset(seed)

    @property
    def learning(self) -> bool:
        """Whether plasticity and exploration act.

        Switching it off applies what additive pair STDP still owes and clears its traces; those of other rules are
        held until it is on again.
        """
        return bool(self._flags & _LEARN)

    @learning.setter
    def learning(self, value: bool) -> None:
        if self.learning and not value:
            for part in self._parts:
                part.settle()
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
            Steps of dt; 0 only delivers the modulators, and leaves what was recorded.
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
        if n_ticks and (flags & _RECORD or self._probes):
            self._reserve(n_ticks, flags)
        status = self._call(self._address, n_ticks, flags) if self._pool is None else self._run(n_ticks, flags)
        if status == 2:
            raise ConfigurationError(
                f"network {self.network.name!r}: neurons with precise spike times fired more often within one step of "
                f"dt = {self.network.dt} ms than there is room for; give them a t_ref, or shorten dt"
            )
        if status:
            raise ShapeError(f"drive {np.asarray(drive).tolist()} must be finite numbers")
        return self._readout

    def _run(self, n_ticks: int, flags: int) -> int:
        """Run the parts in their threads."""
        pool = self._pool
        if pool is None:
            return self._call(self._address, n_ticks, flags)
        self._arrays["sync"][0] = 0
        others = [pool.submit(self._call, p.address, n_ticks, flags) for p in self._parts[1:]]
        status = self._call(self._address, n_ticks, flags)
        return max([status, *(o.result() for o in others)])

    def reset(self, seed: int) -> None:
        """Clear dynamic state and counters, restart the random streams; learned weights stay."""
        for part in self._parts:
            part.reset(seed)

    def weights(self) -> dict[str, npt.NDArray[np.float32]]:
        """Return a copy of all weights by projection, with every pending potentiation applied."""
        out = {}
        for k, projection in enumerate(self.network.projections):
            pieces = [part.weights(k) for part in self._parts]
            out[projection.name] = pieces[0] if len(pieces) == 1 else np.concatenate(pieces)[self._order(k)]
        return out

    def set_weights(self, weights: Mapping[str, npt.ArrayLike]) -> None:
        """Replace weights by projection name (vectors in projection order).

        The traces of additive pair STDP restart in the projections named, and nowhere else.

        Raises
        ------
        ConfigurationError, ShapeError
            If a projection is unknown, or a vector has the wrong length or a value that is not finite.
        """
        checked = self.network.checked_weights(weights)
        named = [k for k, p in enumerate(self.network.projections) if p.name in checked]
        for part in self._parts:
            part.settle(named)
        for k in named:
            projection = self.network.projections[k]
            values = checked[projection.name]
            if len(self._parts) > 1:
                moved = np.empty_like(values)
                moved[self._order(k)] = values
                values = moved
            start = 0
            for part in self._parts:
                n = part.weights(k).size
                part.arrays[f"s{k}_w"][:n] = values[start : start + n]
                start += n

    def _order(self, k: int) -> npt.NDArray[np.int64]:
        return projection_order(self._parts, k)

    def spikes(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]:
        """Return (tick, unit) of every spike of the last window, if ``recording``."""
        lists = []
        for part in self._parts:
            n = int(part.arrays["clock"][5]) if self.recording else 0
            lists.append((part.arrays["event_tick"][:n], part.arrays["event_unit"][:n]))
        if len(lists) == 1 and self._structure.sorted_units:
            return lists[0][0].copy(), lists[0][1].copy()
        ticks, units = (np.concatenate(x) for x in zip(*lists, strict=True))
        order = np.lexsort((units, ticks))
        return ticks[order], units[order]

    def spike_times(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int32]]:
        """Return (time [ms], unit) of every spike of the last window, if ``recording``, by time, then unit.

        Tick t lasts from t dt to (t + 1) dt after the reset. On the grid a spike counts at the end of its tick, where
        it acts: with a delay of D it arrives at the state after ``D / dt`` more ticks. Spikes of populations with
        precise spike times are exact, and so are those of SpikeTimesInput in a network that has such a population
        (elsewhere they count at the end of the tick that begins nearest to the given time).
        """
        ticks, units = self.spikes()
        times = (ticks + 1) * self.network.dt
        if self._structure.precise:
            found = [self._parts[0].arrays[f"event_{name}"][: ticks.size] for name in ("tick", "unit", "offset")]
            exact = np.concatenate([np.full(g.n, self._exact(k)) for k, g in enumerate(self.network.groups)])
            units = found[1]
            times = found[0] * self.network.dt + np.where(exact[units], found[2], self.network.dt)
        order = np.lexsort((units, times))
        return np.asarray(times[order], np.float64), np.asarray(units[order], np.int32)

    def _exact(self, k: int) -> bool:
        """Tell whether the spikes of group ``k`` are recorded with their offset."""
        plan = (*self._structure.inputs, *self._structure.populations)[k]
        return isinstance(plan, TimedInput | PrecisePlan)

    def record(self, variables: Mapping[str, Sequence[str]]) -> None:
        """Choose the state variables that every window keeps, by population; an empty mapping stops it.

        A receptor's variables are named ``"<receptor>.<variable>"``. Recording never changes results.

        Parameters
        ----------
        variables : mapping of str to sequence of str
            Population -> names, such as ``{"motors": ["v"]}``.

        Raises
        ------
        ConfigurationError
            If a population or variable is unknown, naming those there are.
        """
        found: dict[tuple[str, str], tuple[int, str]] = {}
        for population, names in variables.items():
            for name in names:
                found[population, name] = self._variable(population, name)
        for part in self._parts:
            places = [part.addresses(k, row) for k, row in found.values()]
            part.arrays["probe"] = np.concatenate(places) if places else np.zeros(1, np.int64)
            n = sum(p.size for p in places)
            part.arrays["size"][self._structure.sizes.index("n_probes")] = n
            part.arrays["probed"] = np.zeros(max(n, 1), part.arrays["probed"].dtype)
            part.link()
        self._probes = {key: tuple(p.parts[k][1] - p.parts[k][0] for p in self._parts) for key, (k, _) in found.items()}
        self._probed_ticks = 0

    def states(self) -> dict[tuple[str, str], npt.NDArray]:
        """Return (population, variable) -> values after each tick of the last window, shape (n_ticks, n)."""
        pieces: dict[tuple[str, str], list[npt.NDArray]] = {key: [] for key in self._probes}
        for t, part in enumerate(self._parts):
            total = sum(counts[t] for counts in self._probes.values())
            table = part.arrays["probed"][: self._probed_ticks * total].reshape(self._probed_ticks, total)
            start = 0
            for key, counts in self._probes.items():
                k, row = self._variable(*key)
                shift = part.offset(k, row)
                pieces[key].append(table[:, start : start + counts[t]] + shift.astype(table.dtype))
                start += counts[t]
        return {key: np.concatenate(columns, axis=1) for key, columns in pieces.items()}

    def variable(self, population: str, name: str) -> npt.NDArray:
        """Return a copy of a state variable of a population as it is now, shape (n,)."""
        k, row = self._variable(population, name)
        return np.concatenate([part.variable(k, row) for part in self._parts])

    def _variable(self, population: str, name: str) -> tuple[int, str]:
        """Return the number of a population and the row of a variable, or raise naming those there are."""
        group = self.network.population(population)
        k = [p.name for p in self.network.populations].index(population)
        rows = {s: s for s in group.model.states}
        for q, (port, receptor) in enumerate(group.ports):
            rows |= {f"{port}.{s}": f"{q}.{s}" for s in receptor.states}
        if name not in rows:
            known = ", ".join(map(repr, rows))
            raise ConfigurationError(f"population {population!r} has no state variable {name!r}, only {known}")
        return k, rows[name]

    def state(self) -> dict[str, npt.NDArray]:
        """Return a copy of everything that decides the future."""
        kept = self._parts[0].state()
        for t, part in enumerate(self._parts[1:], 1):
            kept |= {f"thread{t}/{name}": array for name, array in part.state().items()}
        return kept | {"flags": np.array([self._flags & _LEARN], np.int64)}

    def load_state(self, state: Mapping[str, npt.NDArray]) -> None:
        """Restore a state of the same network (and the same number of threads).

        Raises
        ------
        ConfigurationError
            If the state belongs to another network.
        """
        pieces: list[dict[str, npt.NDArray]] = [{} for _ in self._parts]
        for name, array in state.items():
            head, _, rest = name.partition("/")
            number = int(head[6:]) if rest and head.startswith("thread") and head[6:].isdigit() else 0
            if name != "flags" and number < len(pieces):
                pieces[number][rest if number else name] = array
        same = "flags" in state and sum(map(len, pieces)) == len(state) - 1
        if not same or not all(part.load(piece) for part, piece in zip(self._parts, pieces, strict=True)):
            raise ConfigurationError(
                f"state: does not belong to network {self.network.name!r}; use the one it came from"
            )
        self._flags = int(state["flags"][0]) | self._flags & _RECORD

    @property
    def usage(self) -> tuple[Usage, ...]:
        """Neurons and synapses; ``ideal`` has no limits."""
        return (Usage("neurons", self.network.n_neurons, None), Usage("synapses", self.network.n_synapses, None))

    def counters(self) -> Counters:
        """Return counts since the last reset."""
        clocks = np.array([part.arrays["clock"] for part in self._parts])
        c, total = clocks[0], clocks.sum(axis=0)
        return Counters(int(c[6]), int(c[0]), int(c[2]), int(total[1]), int(total[3]), int(total[4]), {})

    def _reserve(self, n_ticks: int, flags: int) -> None:
        """Make room for the most spikes, and for the state variables, of a window."""
        self._probed_ticks = n_ticks
        for part in self._parts:
            changed = False
            need = n_ticks * part.most_spikes
            if flags & _RECORD and need > part.arrays["event_tick"].size:
                part.arrays["event_tick"] = np.zeros(need, np.int64)
                part.arrays["event_unit"] = np.zeros(need, np.int32)
                if self._structure.precise:
                    part.arrays["event_offset"] = np.zeros(need)
                changed = True
            probed = n_ticks * part.arrays["probe"].size if self._probes else 0
            if probed > part.arrays["probed"].size:
                part.arrays["probed"] = np.zeros(probed, part.arrays["probed"].dtype)
                changed = True
            if changed:
                part.link()

    def _shape_error(self, drive: Vector, modulators: Vector | None) -> ShapeError:
        if np.shape(drive) != (self.network.n_inputs,):
            return ShapeError(f"drive has shape {np.shape(drive)}, must be ({self.network.n_inputs},)")
        given = () if modulators is None else np.shape(modulators)
        return ShapeError(f"modulators have shape {given}, must be ({self._n_modulators},)")
