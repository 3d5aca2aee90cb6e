"""What the analog chips have in common: one die of many, several integration steps per tick, no delays."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from insectbot.chips.analog_wiring import lif_features, long_delays, values
from insectbot.chips.chip import Chip, Placed, Quant
from insectbot.chips.die import Die
from insectbot.chips.inputs import input_features
from insectbot.errors import ConfigurationError
from insectbot.snn.network import Network, Population
from insectbot.snn.validate import require_not_negative, require_whole


class AnalogChip(Chip[Quant, Placed]):
    """Base of the chips whose neurons are circuits in continuous time.

    Parameters
    ----------
    clip_delays : bool
        Run longer delays as one tick, counted in the report; False refuses them.
    mismatch : float
        Factor of the datasheet's mismatch, >= 0; 0 makes all circuits alike.
    substeps : int
        Least number of integration steps per tick; no step is longer than the datasheet says.
    **common
        As in :class:`~insectbot.chips.chip.Chip`; ``die`` chooses the die, by default the seed does.

    Raises
    ------
    ConfigurationError, UnknownNameError
        If an option is not accepted.
    """

    alike: ClassVar[bool] = True
    """Whether all neurons of a population must have the same parameters."""

    def __init__(self, *, clip_delays: bool, mismatch: float, substeps: int, **common: Any) -> None:
        super().__init__(**common)
        require_whole(self.name, 1, substeps=substeps)
        require_not_negative(self.name, mismatch=mismatch)
        self.clip_delays, self.mismatch, self.substeps = clip_delays, mismatch, int(substeps)

    def bits_of(self, weight_bits: int | None) -> int:
        """Return the bits of a weight, None for as many as there are; raises ConfigurationError for others."""
        most = self.sheet.int("weight.bits")
        if weight_bits is not None and weight_bits not in range(1, most + 1):
            raise ConfigurationError(f"{self.name}: weight_bits = {weight_bits} must be one of 1 to {most}")
        return weight_bits or most

    def die_of(self, seed: int) -> Die:
        """Return the die that ``compile`` with a seed programs."""
        return Die(self.sheet, seed if self.die is None else self.die, self.mismatch)

    def substeps_of(self, dt: float) -> int:
        """Return the integration steps per tick of ``dt`` [ms]."""
        on_chip = dt * 1e-3 / float(self.sheet.value("chip.speedup", 1.0))
        return max(self.substeps, math.ceil(on_chip / self.sheet["neuron.step_max"].si - 1e-9))

    def features(self, network: Network) -> list[str]:
        """Return every feature of a network that does not exist on the chip."""
        found = input_features(network, self.name, currents=False)
        for p in network.populations:
            found += self.neuron_features(p)
        return found + ([] if self.clip_delays else long_delays(self.name, network))

    def neuron_features(self, population: Population) -> list[str]:
        """Return what the chip lacks for a population, one sentence each."""
        return lif_features(self.name, population, alike=self.alike)

    def time_constants(self, network: Network) -> list[str]:
        """Return the time constants that are out of reach of an accelerated chip, one sentence each."""
        found, scale = [], float(self.sheet["chip.speedup"].value) / 1000.0
        for p in network.populations:
            if self.neuron_features(p):
                continue
            for name in ("tau_m", "tau_syn"):
                tau = values(p, name) / scale
                low, high = (float(self.sheet[f"neuron.{name}_{end}"].value) for end in ("min", "max"))
                wrong = tau[(tau > 0) & ((tau < low) | (tau > high))]
                if wrong.size:
                    found.append(
                        f"{self.name}: population {p.name!r}: {name} {wrong[0]:g} us on the chip is outside {low:g} to "
                        f"{high:g}; change it"
                    )
        return found
