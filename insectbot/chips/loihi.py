"""The emulated Intel Loihi (first generation): backend ``loihi``."""

from __future__ import annotations

from typing import Any

from insectbot.chips.chip import Chip
from insectbot.chips.inputs import input_features
from insectbot.chips.loihi_executable import LoihiExecutable
from insectbot.chips.place import Placement, place, rearranged
from insectbot.chips.quantise import Options, QuantNetwork, lif_of, quantise, sign_mode, unknown_features
from insectbot.chips.topology import topology_of
from insectbot.snn.network import Network
from insectbot.snn.neurons import LIF


class Loihi(Chip[QuantNetwork, Placement]):
    """Backend ``loihi``: quantises, places and runs a network with frozen weights.

    Parameters
    ----------
    weight_bits : int
        Stored bits per weight: 1..6 or 8.
    compensate : bool
        Correct for truncation at long time constants.
    clip_delays : bool
        Shorten delays beyond 62 ticks, counted in the report, rather than refuse them.
    anneal : bool
        Move cores on the chip so that messages go fewer hops; slower to place.
    **common
        As in :class:`~insectbot.chips.chip.Chip`; price lists are ``"davies"`` (default) and ``"nahuku"``.

    Raises
    ------
    ConfigurationError, UnknownNameError
        If an option is not accepted.
    """

    default = "loihi"
    fidelity = (
        "Bit-exact with the compartment arithmetic of nengo-loihi 1.1.0 and of the published registers: 22-bit "
        "accumulator and 24-bit current that wrap, saturating voltage, truncating 12-bit decays, strict threshold, "
        "refractory counter, delays to 62 ticks, 8-bit weights with shared exponents. Modelled: placement on 128 "
        "cores, unicast XY messages, time per step and energy from a datasheet (marginal costs; daggers mark "
        "assumptions). Left out: on-chip learning (weights are frozen, exploration noise is off), dendritic trees, "
        "homeostasis, compartment noise, bounds of v shared by a core, congestion in the mesh, the wrap of u + bias."
    )

    def __init__(
        self,
        *,
        weight_bits: int = 8,
        compensate: bool = False,
        clip_delays: bool = False,
        anneal: bool = False,
        **common: Any,
    ) -> None:
        super().__init__(**common)
        self.options = Options(weight_bits, compensate, clip_delays)
        self.anneal, self.weight_bits = anneal, weight_bits

    def features(self, network: Network) -> list[str]:
        """Return every feature of a network that does not exist on the chip."""
        found = input_features(network, self.name)
        for p in network.populations:
            unknown = unknown_features(p)
            found += unknown
            if not unknown and isinstance(p.model, LIF) and p.model.v_reset != p.model.v_rest:
                found.append(
                    f"{self.name}: population {p.name!r}: v_reset = {p.model.v_reset} is not v_rest = "
                    f"{p.model.v_rest}, but the chip resets to rest; set them equal"
                )
        return found

    def quantised(self, network: Network) -> QuantNetwork:
        """Return the network in integers, with its report."""
        return quantise(network, self.sheet, self.options)

    def place(self, quant: QuantNetwork) -> Placement:
        """Return the placement on cores; raises DoesNotFit naming the resource, the core and by how much."""
        placement = place(quant, self.sheet)
        if self.anneal:
            placement = rearranged(placement, quant.network.n_inputs, topology_of(self.sheet))
        return placement

    def program(self, network: Network, *, seed: int) -> LoihiExecutable:
        """Return an executable with frozen weights."""
        return LoihiExecutable(self, network, seed=seed)

    def limits(self, network: Network) -> list[str]:
        """Return every limit that a network exceeds before placement."""
        found = []
        longest, pause = self.sheet.int("delay.max"), self.sheet.int("neuron.refractory_max")
        for p in network.populations:
            t_ref = 0.0 if unknown_features(p) else lif_of(p).t_ref
            register = round(t_ref / network.dt) + 1
            if register > pause:
                found.append(
                    f"{self.name}: population {p.name!r}: t_ref = {t_ref} ms needs refractory register {register} > "
                    f"{pause}; shorten it or raise dt"
                )
        for q in network.projections:
            ticks = round(float(q.delay.max(initial=0.0)) / network.dt)
            if ticks > longest and not self.options.clip_delays:
                found.append(
                    f"{self.name}: projection {q.name!r}: delay {ticks} ticks > {longest}; "
                    "shorten it or set clip_delays"
                )
            if self.options.weight_bits == 1 and sign_mode(q.weight) == "mixed":
                found.append(
                    f"{self.name}: projection {q.name!r}: mixed signs spend the only weight bit; use 2 or more"
                )
        return found
