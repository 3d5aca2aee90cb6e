"""The emulated array of ferroelectric tunnel junctions under a digital host: backend ``ftj``."""

from __future__ import annotations

from typing import Any

import numpy as np

from insectbot.chips.analog_wiring import Placement, lif_features
from insectbot.chips.chip import Chip
from insectbot.chips.die import Die
from insectbot.chips.ftj_executable import FTJExecutable
from insectbot.chips.ftj_learning import translate
from insectbot.chips.ftj_quantise import QuantNetwork, line_of, on_array, place, quantise
from insectbot.chips.inputs import input_features
from insectbot.snn.network import Network
from insectbot.snn.validate import require_not_negative, require_positive


class FTJArray(Chip[QuantNetwork, Placement]):
    """Backend ``ftj``: ferroelectric tunnel junctions as synapses, which learn by the shape of spikes; one die of many.

    Parameters
    ----------
    mismatch : float
        Factor of the datasheet's mismatch, >= 0; 0 makes all junctions alike.
    noise : float
        Factor of the noise of reads (junctions and wires), >= 0.
    write_noise : float
        Factor of the errors of writing, >= 0.
    verify : bool
        Whether the host reads every write back and repeats it until it is right; else mismatch goes into the weights.
    time_scale : float, optional
        Time of the device per time of the network [ns/ms], > 0; default what the first learning rule asks for, else
        the datasheet's.
    **common
        As in :class:`~insectbot.chips.chip.Chip`; ``die`` chooses the die, by default the seed does.

    Raises
    ------
    ConfigurationError, UnknownNameError
        If an option is not accepted.
    """

    default = "ftj"
    pacemakers = True
    fidelity = (
        "Junctions by the published law of nucleation-limited switching (Boyn 2017), as a mean field in float64: "
        "Merz's law, a Lorentzian of times, parallel domains, in steps of 2 ns or less. Every number of the device "
        "but the length of a spike is assumed: the fit of the paper could not be read, and the parameters were "
        "chosen for its published curves. Modelled: a static weight is the difference of two junctions, a learning one "
        "a single junction, whose range of weights follows its own mismatch; word lines hold one source at one delay; "
        "noise of reads is drawn per column from the variances of junctions and wires; the error of a write depends on "
        "the junction and on what is written. Time of the network is mapped to time of the device by one factor. "
        "PairSTDP is the window of the junction, fitted by area and mean delay; its dependence on the weight is the "
        "device's. The host has float64 LIF neurons, delays, exact converters. Left out: resistance of wires, leak "
        "through unused crosspoints (they have no junction), reads during a write, retention, fatigue, temperature. "
        "Energy of reads and writes is the integral of G V^2 in the kernel, of the host an assumption."
    )

    def __init__(
        self,
        *,
        mismatch: float = 1.0,
        noise: float = 1.0,
        write_noise: float = 1.0,
        verify: bool = True,
        time_scale: float | None = None,
        **common: Any,
    ) -> None:
        super().__init__(**common)
        require_not_negative(self.name, mismatch=mismatch, noise=noise, write_noise=write_noise)
        if time_scale is not None:
            require_positive(self.name, time_scale=time_scale)
        self.mismatch, self.noise, self.write_noise = mismatch, noise, write_noise
        self.verify, self.time_scale = verify, time_scale

    def die_of(self, seed: int) -> Die:
        """Return the die that ``compile`` with a seed programs."""
        return Die(self.sheet, seed if self.die is None else self.die, self.mismatch)

    def features(self, network: Network) -> list[str]:
        """Return every feature of a network that does not exist on the chip."""
        found = input_features(network, self.name)
        for p in network.populations:
            found += lif_features(self.name, p, alike=False)
        for q in on_array(network):
            ticks, _ = line_of(network, q)
            same = (np.diff(q.pre) == 0) & (np.diff(ticks) == 0) & (np.diff(q.post) == 0)
            if same.any():
                found.append(
                    f"{self.name}: projection {q.name!r}: {int(same.sum())} synapses share source, target and delay "
                    "with another; a crosspoint holds one, add their weights"
                )
        return found

    def limits(self, network: Network) -> list[str]:
        """Return every limit that a network exceeds before placement."""
        most = self.sheet.int("limits.core.neurons") * self.sheet.int("limits.chip.cores")
        return [f"{self.name}: host: neurons {network.n_neurons} > {most}; use fewer"] * (network.n_neurons > most)

    def quantised(self, network: Network) -> QuantNetwork:
        """Return the network as word lines and conductances, with its report."""
        return quantise(network, self.sheet, translate(network, self.sheet, self.time_scale))

    def place(self, quant: QuantNetwork) -> Placement:
        """Return the tiles and lanes; raises DoesNotFit naming the resource, the projection and by how much."""
        return place(quant, self.sheet)

    def program(self, network: Network, *, seed: int) -> FTJExecutable:
        """Return an executable on one die."""
        return FTJExecutable(self, network, seed=seed)
