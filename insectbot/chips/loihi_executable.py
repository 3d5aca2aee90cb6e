"""A network on the emulated Loihi: integer state and one jitted call per window."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import numpy.typing as npt

from insectbot.chips import cuba_int as k
from insectbot.chips.executable import ChipExecutable
from insectbot.chips.inputs import output_units
from insectbot.chips.place import Placement
from insectbot.chips.program import Program
from insectbot.chips.quantise import QuantNetwork, lif_of
from insectbot.chips.route import Routes
from insectbot.errors import ShapeError
from insectbot.protocols import Usage
from insectbot.snn.network import Network

if TYPE_CHECKING:
    from insectbot.chips.loihi import Loihi

_NEURON_STATE = ("u", "v", "ref", "bias")
_FIELDS = (k.U, k.V, k.REF, k.BIAS)
_REGISTERS = {
    "keep_u": k.KEEP_U,
    "keep_v": k.KEEP_V,
    "threshold": k.THRESHOLD,
    "v_min": k.V_MIN,
    "v_max": k.V_MAX,
    "refract": k.REFRACT,
}


class LoihiExecutable(ChipExecutable):
    """A network compiled for the chip. Weights are frozen.

    Parameters
    ----------
    chip : Loihi
        The chip: datasheet, options, price list.
    network : Network
        What to run.
    seed : int
        Seed of the input streams until the next ``reset``; the streams are those of ``ideal``.

    Attributes
    ----------
    quant : QuantNetwork
        The network in integers, with its report.
    placement : Placement
        Neurons on cores.
    """

    soft: ClassVar[Mapping[str, int]] = {
        "q_wraps": k.Q_WRAPS,
        "u_wraps": k.U_WRAPS,
        "v_low": k.V_LOW,
        "v_high": k.V_HIGH,
        "bias_clips": k.BIAS_CLIPS,
    }
    n_counts = k.N_COUNTS
    quant: QuantNetwork
    placement: Placement

    def __init__(self, chip: Loihi, network: Network, *, seed: int = 0) -> None:
        super().__init__(chip.sheet, chip.prices, chip.throttle, network)
        self._chip = chip
        self._load(chip.quantised(network))
        self.reset(seed)

    def run(self, n_ticks: int) -> int:
        """Write analog inputs into bias registers, then run the window."""
        if self._analog:
            self._write_bias()
        fabric, synapses = self._fabric, self._program.synapses
        return k.window(n_ticks, self.recording, self._counts, self._sources, fabric, synapses, self._meter, self._out)

    def clear(self, seed: int) -> None:
        """Set all neurons and accumulators to 0."""
        self._set_neurons(np.zeros((len(_FIELDS), self.network.n_neurons), np.int32))
        self._ring[...] = 0

    def programmed(self) -> dict[str, npt.NDArray]:
        """Return registers, synapses, placement, messages and host currents."""
        p, lanes = self._program, k.LANES
        registers = {name: p.cells[:, f * lanes : (f + 1) * lanes] for name, f in _REGISTERS.items()}
        synapses = dict(zip(("row", "target", "contribution", "delay"), p.synapses, strict=True))
        currents = dict(zip(("row", "lane", "weight"), p.currents, strict=True))
        return {
            **{f"register_{name}": a for name, a in registers.items()},
            **{f"synapse_{name}": a for name, a in synapses.items()},
            **{f"current_{name}": a for name, a in currents.items()},
            "lane_core": p.block_core,
            "lane_unit": p.unit_of,
            "lane_output": p.output_of,
            "message_row": self._meter[0],
            "message": self._meter[1],
            "position": self.placement.position,
        }

    def effective_weights(self) -> dict[str, npt.NDArray[np.float64]]:
        """Return the quantised weights in the network's unit, by projection (host projections as deployed)."""
        pairs = zip(self.network.projections, self.quant.projections, strict=True)
        return {p.name: q.effective if q.weight.size else self._weights[p.name].astype(float) for p, q in pairs}

    def set_weights(self, weights: Mapping[str, npt.ArrayLike]) -> None:
        """Replace weights by projection name and quantise anew; membrane state moves to the new scale.

        Raises
        ------
        ConfigurationError, ShapeError
            If a projection is unknown, or a vector has the wrong length or a value that is not finite.
        """
        checked = self.network.checked_weights(weights)
        quant = self._chip.quantise(self.network.with_weights(self._weights | checked))
        before = np.repeat([p.scale for p in self.quant.populations], [p.n for p in self.quant.populations])
        after = np.repeat([p.scale for p in quant.populations], [p.n for p in quant.populations])
        neurons, ring = self._neurons(), self._ring[:, self._program.slot].copy()
        self._load(quant)
        self._weights |= checked
        factor = after / before
        neurons[[0, 1, 3]] = np.rint(neurons[[0, 1, 3]] * factor)
        self._set_neurons(neurons)
        self._ring[:, self._program.slot] = np.rint(ring * factor)

    def potentials(self, population: str) -> npt.NDArray[np.float64]:
        """Return the membrane potentials of a population in the network's unit, shape (n,)."""
        p = self.network.population(population)
        number = [q.name for q in self.quant.populations].index(population)
        units = self.network.unit_slices()[population]
        low = units.start - self.network.n_inputs
        return lif_of(p).v_rest + self._neurons()[1, low : low + p.n] / self.quant.populations[number].scale

    def state(self) -> dict[str, npt.NDArray]:
        """Return a copy of everything that decides the future, as named arrays."""
        arrays = dict(zip(_NEURON_STATE, self._neurons(), strict=True))
        return super().state() | arrays | {"ring": self._ring[:, self._program.slot].copy()}

    def load_state(self, state: Mapping[str, npt.NDArray]) -> None:
        """Restore a state of the same network; raises ConfigurationError for another's."""
        super().load_state(state)
        self._set_neurons(np.array([state[name] for name in _NEURON_STATE], np.int32))
        self._ring[...] = 0
        self._ring[:, self._program.slot] = state["ring"]

    def dynamic(self) -> dict[str, npt.NDArray]:
        """Return nothing: registers and accumulators live in lanes and are taken out by :meth:`state`."""
        return {}

    @property
    def usage(self) -> tuple[Usage, ...]:
        """Resources used and their limits, per core and for the chip."""
        return self.placement.usage

    def host_bytes(self) -> int:
        """Return the bytes of bias writes."""
        return int(self._counts[k.BIAS_WRITES]) * self.sheet.int("host.bias_bytes")

    def _load(self, quant: QuantNetwork) -> None:
        """Place a quantised network and bind its arrays to the kernel."""
        self.quant = replace(quant, network=self.network)
        self.placement = self._chip.place(quant)
        routes = Routes.of(self.placement, self.network.n_inputs, self.sheet)
        self._program = program = Program.of(quant, self.placement)
        n_slots = program.unit_of.size
        self._ring = np.zeros((k.DELAY_SLOTS, n_slots), np.int32)
        self._fabric = (program.cells, self._ring, program.block_core, program.unit_of, program.output_of)
        self._analog = program.currents[1].size > 0
        self._scratch = np.zeros(n_slots if self._analog else 0)
        self.bind_messages(routes, program.n_idle, output_units(self.network))

    def _write_bias(self) -> None:
        if not np.isfinite(self._drive).all():
            raise ShapeError(f"drive {self._drive.tolist()} must be finite numbers")
        mantissa = (1 << (self.sheet.int("neuron.bias_mantissa") - 1)) - 1
        largest = (mantissa, self.sheet.int("neuron.bias_exponent_max"))
        row, lane, weight = self._program.currents
        rate = self._sources[4]
        k.write_bias(self._drive, rate, row, lane, weight, largest, self._program.cells, self._counts, self._scratch)

    def _lanes(self) -> tuple[npt.NDArray, npt.NDArray]:
        slot = self._program.slot
        return slot // k.LANES, slot % k.LANES

    def _neurons(self) -> npt.NDArray[np.int32]:
        block, lane = self._lanes()
        return np.array([self._program.cells[block, f * k.LANES + lane] for f in _FIELDS])

    def _set_neurons(self, values: npt.NDArray[np.int32]) -> None:
        block, lane = self._lanes()
        for field, row in zip(_FIELDS, values, strict=True):
            self._program.cells[block, field * k.LANES + lane] = row
