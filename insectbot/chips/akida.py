"""The emulated BrainChip Akida (AKD1000): backend ``akida``."""

from __future__ import annotations

from typing import Any

import numpy as np

from insectbot.chips.akida_executable import AkidaExecutable
from insectbot.chips.akida_place import Placement, place
from insectbot.chips.akida_quantise import QuantNetwork, depths, quantise
from insectbot.chips.chip import Chip
from insectbot.chips.inputs import input_features
from insectbot.errors import ConfigurationError
from insectbot.snn.network import Network, Population, Projection
from insectbot.snn.neurons import IF, LIF

BITS = (1, 2, 4)


class Akida(Chip[QuantNetwork, Placement]):
    """Backend ``akida``: quantises, places and runs a frozen feed-forward network as counts per frame.

    Parameters
    ----------
    frame : int, optional
        Ticks whose spikes the host counts into one inference, at least 1; default that of the datasheet, 20.
    weight_bits : {4, 2, 1}
        Bits of a weight: -7..7, -1..1, 0..1.
    **common
        As in :class:`~insectbot.chips.chip.Chip`.

    Raises
    ------
    ConfigurationError, UnknownNameError
        If an option is not accepted.
    """

    default = "akida"
    fidelity = (
        "A model of rates on exact integer layers: Akida has no membranes, so spikes run on it as counts. Exact: Akida "
        "1.0's layers (dense, convolution, separable, input convolution, pooling, activation), against BrainChip's "
        "software backend, package akida 2.19.3; the mapper's limits, and its places for dense layers; learning on the "
        "chip but for which weights move (akida_edge.py). No chip was at hand. Modelled: a spiking network. The host "
        "counts spikes over a frame of ticks (20), each layer turns counts (0 to 15) into counts, and the host gives "
        "them as evenly spaced spikes in the next frame. Lost: what happens within a frame, the rest of a potential "
        "between frames, coincidence and order; the leak is that at half the threshold, the overshoot of a threshold "
        "its mean, a refractory time only the most spikes of a frame. All energies and times are assumptions. Left "
        "out: recurrence, delays, exponential synapses, analog input, learning from rewards, several passes, the cost "
        "of the host."
    )

    def __init__(self, *, frame: int | None = None, weight_bits: int = 4, **common: Any) -> None:
        super().__init__(**common)
        self.frame = self.sheet.int("host.frame") if frame is None else frame
        self.weight_bits = weight_bits
        if not isinstance(self.frame, int) or self.frame < 1:
            raise ConfigurationError(f"{self.name}: frame = {self.frame!r} must be a whole number of ticks, at least 1")
        if weight_bits not in BITS:
            raise ConfigurationError(f"{self.name}: weight_bits = {weight_bits!r} must be 1, 2 or 4")

    def features(self, network: Network) -> list[str]:
        """Return every feature of a network that does not exist on the chip."""
        found = input_features(network, self.name, currents=False)
        for p in network.populations:
            found += _neuron_features(self.name, p)
        return found + self._wiring(network)

    def limits(self, network: Network) -> list[str]:
        """Return every limit that a network exceeds before placement."""
        found = []
        for q in network.projections:
            if self.weight_bits == 1 and min(q.weight_bounds, default=0.0) < 0:
                found.append(f"{self.name}: projection {q.name!r}: negative weights need weight_bits 2 or 4, not 1")
        return found

    def quantised(self, network: Network) -> QuantNetwork:
        """Return the network in integers, with its report."""
        return quantise(network, self.sheet, self.weight_bits, self.frame)

    def place(self, quant: QuantNetwork) -> Placement:
        """Return the placement on processors; raises DoesNotFit naming the resource, the layer and by how much."""
        return place(quant, self.sheet)

    def program(self, network: Network, *, seed: int) -> AkidaExecutable:
        """Return an executable; it refuses to learn."""
        return AkidaExecutable(self, network, seed=seed)

    def _wiring(self, network: Network) -> list[str]:
        """Return what keeps a network from being layers in a row, one sentence each."""
        depth, found = depths(network), []
        last = max(depth.values(), default=0)
        loops = {name for name in depth if depth[name] < 0 and _reaches(network, name, name)}
        for q in network.projections:
            where = f"{self.name}: projection {q.name!r}"
            before, behind = depth[q.source], depth[q.target]
            if q.source in loops and q.target in loops and _reaches(network, q.target, q.source):
                found.append(f"{where} is recurrent: layers are feed-forward and nothing lasts beyond a frame")
            elif min(before, behind) >= 0 and behind != before + 1:
                found.append(f"{where} skips layers, from {before} to {behind}: a layer reads the one before")
            elif min(before, behind) >= 0 and _repeats(q):
                found.append(f"{where}: several synapses between the same units; make one of their sum")
            if q.n_synapses and q.max_ticks(network.dt) > 1:
                found.append(f"{where}: delay {q.max_ticks(network.dt)} ticks > 1: there is no time within a frame")
        pairs = [(q.source, q.target) for q in network.projections]
        for source, target in dict.fromkeys(pair for pair in pairs if pairs.count(pair) > 1):
            found.append(f"{self.name}: several projections from {source!r} to {target!r}; make one of them")
        for r in network.readouts:
            if 0 <= depth[r.population] < last:
                found.append(
                    f"{self.name}: output {r.population!r} is in layer {depth[r.population]} of {last}: "
                    "only the last layer can be read"
                )
        return found


def _reaches(network: Network, start: str, goal: str) -> bool:
    """Return whether one or more projections lead from a group to another (or back to itself)."""
    seen, waiting = set(), [start]
    while waiting:
        name = waiting.pop()
        for q in network.projections:
            if q.source == name and q.target not in seen:
                seen.add(q.target)
                waiting.append(q.target)
    return goal in seen


def _repeats(q: Projection) -> bool:
    pairs = q.pre.astype(np.int64) << 32 | q.post
    return np.unique(pairs).size != pairs.size


def _neuron_features(chip: str, p: Population) -> list[str]:
    model, where = p.model, f"{chip}: population {p.name!r}"
    if not isinstance(model, LIF | IF):
        return [f"{where}: neuron model {type(model).__name__} is neither LIF nor IF"]
    found = [
        f"{where}: {type(model).__name__}.{name} differs between neurons; give one number" for name in model.lengths()
    ]
    if not found and (p.ports != model.default_receptors() or (isinstance(model, LIF) and model.tau_syn != 0)):
        found.append(f"{where}: only delta synapses can be counted; use tau_syn = 0")
    if isinstance(model, LIF) and model.precise:
        found.append(f"{where}: precise spike times do not exist on the chip; use LIF(precise=False)")
    if p.initial:
        found.append(f"{where}: starts elsewhere than at rest: there is no potential to start with")
    return found
