"""A network on the emulated Akida: counts in, counts out, one jitted call per window."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import numpy.typing as npt

from insectbot.chips import akida_window as k
from insectbot.chips.akida_place import Placement
from insectbot.chips.akida_quantise import QuantNetwork
from insectbot.chips.akida_replay import dense_bounds
from insectbot.chips.executable import ChipExecutable
from insectbot.chips.inputs import output_of
from insectbot.snn.network import Network

if TYPE_CHECKING:
    from insectbot.chips.akida import Akida


class AkidaExecutable(ChipExecutable):
    """A network compiled for the chip; frozen.

    Parameters
    ----------
    chip : Akida
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
        Layers on processors.
    """

    soft: ClassVar[Mapping[str, int]] = {
        "clipped_counts": k.CLIPPED,
        "saturated_potentials": k.SATURATED,
        "cut_activations": k.CUT,
        "dropped_spikes": k.DROPPED,
    }
    n_counts = k.N_COUNTS
    quant: QuantNetwork
    placement: Placement
    _chip: Akida

    def __init__(self, chip: Akida, network: Network, *, seed: int = 0) -> None:
        super().__init__(chip, network)
        self._count = np.zeros(network.n_inputs, np.int32)
        self._value = np.zeros(network.n_neurons, np.int32)
        self.load(chip.quantised(network))
        self.reset(seed)

    @property
    def frames(self) -> int:
        """Number of inferences since the last reset."""
        return int(self._counts[k.FRAMES])

    def run(self, n_ticks: int) -> int:
        """Run the window."""
        return k.window(
            n_ticks, self.quant.frame, self.recording, self._counts, self._sources, self._count, self._value,
            self._program, self._output_of, self._meter, self._out,
        )  # fmt: skip

    def clear(self, seed: int) -> None:
        """Forget the counts of the frame and the activations of the last."""
        self._count[...] = 0
        self._value[...] = 0

    def dynamic(self) -> dict[str, npt.NDArray]:
        """Return the counts of the frame that is under way, and the activations of the last, layer by layer."""
        return {"count": self._count, "value": self._value}

    def programmed(self) -> dict[str, npt.NDArray]:
        """Return weights, thresholds, steps (sixteenths) and places of the layers."""
        names = ("layer_unit", "layer_weight", "weight", "threshold", "step", "cap", "unit")
        found = dict(zip(names, self._program, strict=False))
        return {**found, "output": self._output_of, "position": self.placement.position}

    def effective_weights(self) -> dict[str, npt.NDArray[np.float64]]:
        """Return the quantised weights in the network's unit, by projection."""
        return self.quant.effective()

    def load(self, quant: QuantNetwork) -> None:
        """Place a quantised network and bind its arrays to the kernel."""
        placement = self._chip.place(quant)
        self.quant, self.placement = quant, placement
        layers, widest = quant.layers, self.sheet.int("neuron.input")
        low, high = dense_bounds(self.sheet)
        self._program = (
            placement.start,
            np.cumsum([0, *(layer.weight.size for layer in layers)]).astype(np.int64),
            np.concatenate([layer.weight.ravel() for layer in layers]).astype(np.int8),
            np.concatenate([layer.threshold for layer in layers]).astype(np.int32),
            np.concatenate([layer.step for layer in layers]).astype(np.int32),
            np.concatenate([layer.cap for layer in layers]).astype(np.int32),
            quant.neurons + self.network.n_inputs,
            np.array([widest, self.sheet.int("neuron.activation"), low, high], np.int64),
        )
        self._output_of = output_of(self.network)[quant.neurons]
        self.bind_placement()
