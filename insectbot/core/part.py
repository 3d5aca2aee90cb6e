"""One thread's part of a network in memory: its arrays, its learning rules' debts, its state."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
import numpy.typing as npt

from insectbot.core.coefficients import references
from insectbot.core.layout import Arrays, Layout, address_table, seed_streams
from insectbot.core.structure import BLOCK, Structure
from insectbot.snn.network import Network
from insectbot.snn.plasticity import PairSTDP

_WORDS = """
real size segment start delay target column row origin group share grow fade event_tick event_unit drive modulators
spikes threshold change add0 add1 add2 add3 add4 add5 add6 add7 push counts first flag value all lists number time
channel rank bits limit probe probed sync count total event_offset offset at links number local work exact
"""
_DERIVED = frozenset(_WORDS.split())
_CLEARED = frozenset(["xi", "e", "q", "y", "phase", "clock", "counts"])


def derived(name: str) -> bool:
    """Tell whether an array is made of others, or only carries results: no part of the state."""
    return name in _DERIVED or name.split("_", 1)[-1] in _DERIVED


class Part:
    """Memory of one thread's neurons and of the synapses that end on them.

    Attributes
    ----------
    arrays : dict of str to ndarray
        Everything the kernel reads and writes.
    address : int
        Address of the table that the kernel takes.
    kept : list of ndarray
        Memory that only addresses point to.
    """

    def __init__(self, network: Network, structure: Structure, thread: int, n_threads: int) -> None:
        layout = Layout.of(network, structure, thread, n_threads)
        self._network, self._structure = network, structure
        self.arrays, self.table, self.parts = layout.arrays, layout.table, layout.parts
        self.kept: list[npt.NDArray] = []
        self.address = int(self.table.ctypes.data)
        self._fresh = {name: a.copy() for name, a in self.arrays.items() if self._restored(name)}

    def _restored(self, name: str) -> bool:
        kind = name.split("_", 1)[-1]
        return kind in ("state", "until") or "_state_" in name or kind.startswith("release")

    def share(self, name: str, array: npt.NDArray) -> None:
        """Let an array be shared with other parts; :meth:`link` must follow."""
        self.arrays[name] = array

    def link(self) -> None:
        """Rewrite the table of addresses after arrays were replaced."""
        self.table[:] = address_table(self._structure, self.arrays)

    def reset(self, seed: int) -> None:
        """Clear dynamic state and restart the random streams; learned weights stay."""
        self.settle()
        for name, array in self.arrays.items():
            kind = name.split("_", 1)[-1]
            if kind in _CLEARED or kind.startswith("ring"):
                array[...] = 0
        for name, array in self._fresh.items():
            self.arrays[name][...] = array
        for name in ("last", "first", "interval"):
            self.arrays[name][...] = -1
        for k, plan in enumerate(self._structure.projections):
            if plan.rule in ("reward", "eager"):
                self.arrays[f"s{k}_x"][...] = 0
            if plan.rule == "reward":
                self.arrays[f"s{k}_scale"][0] = 1.0
        seed_streams(self._network, self.arrays, seed)

    def weights(self, k: int) -> npt.NDArray:
        """Return a copy of the weights of projection ``k`` in the order of the rows, all potentiation applied."""
        a = self.arrays
        n = int(a["size"][self._structure.sizes.index(f"s{k}_n")])
        w = a[f"s{k}_w"][:n].copy()
        rule = self._network.projections[k].plasticity
        if self._structure.projections[k].rule == "pair" and isinstance(rule, PairSTDP):
            w = np.minimum(w + self._pending(k, rule.a_plus, n), w.dtype.type(rule.w_max))
        return w

    def settle(self, only: Collection[int] | None = None) -> None:
        """Apply pending potentiation of additive pair STDP and clear its traces (in the projections ``only``)."""
        for k, plan in enumerate(self._structure.projections):
            if plan.rule == "pair" and (only is None or k in only):
                w = self.weights(k)
                self.arrays[f"s{k}_w"][: w.size] = w
                self.arrays[f"s{k}_seen"][...] = -1
                for kind in ("x", "post", "snap"):
                    self.arrays[f"s{k}_{kind}"][...] = 0

    def _pending(self, k: int, a_plus: float, n: int) -> npt.NDArray:
        """Return the potentiation that pair STDP has not yet added to each synapse."""
        a = {name: self.arrays[f"s{k}_{name}"] for name in ("x", "seen", "grow", "fade", "post", "snap", "target")}
        source, target = self.sources(k), a["target"][:n]
        epoch = int(self.arrays["size"][self._structure.sizes.index(f"s{k}_epoch")])
        # At the first tick of an epoch the kernel has not yet moved the sums: count from the last tick run.
        now = max(int(self.arrays["clock"][0]) - 1, 0) // epoch
        seen = a["seen"][source]
        alive = seen >= 0
        age, k0 = np.where(alive, now - seen // epoch, 0), np.where(alive, seen % epoch, 0)
        post = a["post"].reshape(-1, 4)[target].astype(np.float64)
        base = np.take_along_axis(post, np.where(age == 0, 0, 1 + age)[:, None], axis=1)[:, 0]
        total = a["grow"][k0] * (base - a["snap"][:n])
        total += np.where(age >= 1, a["fade"][age * epoch - k0] * post[:, 0], 0.0)
        total += np.where(age == 2, a["fade"][epoch - k0] * post[:, 2], 0.0)
        return np.where(alive, a_plus * a["x"][source] * total, 0.0).astype(self.arrays[f"s{k}_w"].dtype)

    def sources(self, k: int) -> npt.NDArray[np.int32]:
        """Return the source unit of every synapse of projection ``k``, in the order of the rows."""
        segment, start = self.arrays[f"s{k}_segment"], self.arrays[f"s{k}_start"]
        return np.repeat(np.arange(segment.size - 1, dtype=np.int32), np.diff(start[segment]))

    def variable(self, k: int, name: str) -> npt.NDArray:
        """Return a copy of a state variable of this part's neurons of population ``k``."""
        rows = self._structure.populations[k].rows
        low, high = self.parts[k]
        blocks = self.arrays[f"p{k}_state"].reshape(-1, len(rows), BLOCK)
        values = blocks[:, rows.index(name), :].ravel()[: high - low]
        return values + self.offset(k, name).astype(values.dtype)

    def offset(self, k: int, name: str) -> npt.NDArray[np.float64]:
        """Return what must be added to a variable in memory, for each of this part's neurons."""
        population = self._network.populations[k]
        shift = references(population).get(name, 0.0) if name in population.model.states else 0.0
        low, high = self.parts[k]
        return np.broadcast_to(np.asarray(shift, np.float64), (population.n,))[low:high]

    def addresses(self, k: int, name: str) -> npt.NDArray[np.int64]:
        """Return where a state variable of each of this part's neurons lives."""
        rows = self._structure.populations[k].rows
        low, high = self.parts[k]
        state = self.arrays[f"p{k}_state"]
        i = np.arange(high - low)
        place = (i // BLOCK) * BLOCK * len(rows) + rows.index(name) * BLOCK + i % BLOCK
        sign = 1 if state.dtype == self.arrays["real"].dtype else -1  # tells the kernel of float64 in a float32 network
        return sign * (state.ctypes.data + place * state.itemsize)

    @property
    def most_spikes(self) -> int:
        """Spikes that one tick can have, inputs included."""
        if self._structure.precise:
            return sum(a.size for name, a in self.arrays.items() if name.endswith("_spikes"))
        return self._network.n_inputs + sum(high - low for low, high in self.parts)

    def state(self) -> Arrays:
        """Return a copy of everything that decides the future."""
        kept = {name: a.copy() for name, a in self.arrays.items() if not derived(name)}
        kept["clock"][5] = 0  # the length of the spike list, which recording must not make part of the state
        return kept

    def load(self, state: Mapping[str, npt.NDArray]) -> bool:
        """Restore a state; False if it belongs to another network."""
        expected = {name: a for name, a in self.arrays.items() if not derived(name)}
        if set(state) != set(expected) or any(state[n].shape != a.shape for n, a in expected.items()):
            return False
        for name, array in expected.items():
            array[...] = state[name]
        return True
