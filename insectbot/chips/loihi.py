"""The emulated Intel Loihi (first generation): backend ``loihi``."""

from __future__ import annotations

from typing import Any

from insectbot.chips.chip import Chip
from insectbot.chips.cuba_int import NOISE_OFF
from insectbot.chips.inputs import input_features
from insectbot.chips.loihi_executable import LoihiExecutable
from insectbot.chips.loihi_integers import QuantNetwork
from insectbot.chips.loihi_microcode import Microcode
from insectbot.chips.loihi_wiring import sign_of
from insectbot.chips.place import Placement, place, rearranged
from insectbot.chips.quantise import Options, lif_of, quantise, unknown_features
from insectbot.chips.registers import noise_registers
from insectbot.chips.topology import topology_of
from insectbot.snn.network import Network
from insectbot.snn.neurons import LIF
from insectbot.snn.validate import require_positive


class Loihi(Chip[QuantNetwork, Placement]):
    """Backend ``loihi``: quantises, places and runs a network, frozen or learning on the chip.

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
    t_epoch : int
        Ticks per learning epoch, 1..63.
    rounding : {"stochastic", "nearest", "floor"}
        Of the learning engine.
    reward_max : float
        Modulator that fills a reward trace; larger ones are cut, and counted.
    noise : int
        Exponent of the compartment noise, 1..23; 0 for none.
    noise_offset : int
        Its mean, in steps of 64, -64..63.
    noise_to : {"v", "u"}
        Where every core adds it.
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
        "accumulator, 24-bit current and current plus bias that wrap, saturating voltage, truncating 12-bit decays, "
        "strict threshold, refractory counter, uniform compartment noise, delays to 62 ticks, 8-bit weights with "
        "shared exponents. Learning: sum-of-products microcode on 7-bit traces, 9-bit tags and weights, a 16-bit "
        "accumulator, epochs and stochastic rounding, by the published widths; no vendor promises these bit for bit. "
        "The embedded processors write rewards and exploration noise into post traces, average tied weights and keep "
        "bounds after a reward. Modelled: placement on cores and chips, unicast XY messages, time per step and energy "
        "from a datasheet (marginal costs; daggers mark assumptions). Left out: learning of delays, reward channels, "
        "dendritic trees, homeostasis, bounds of v shared by a core, congestion in the mesh."
    )

    def __init__(
        self,
        *,
        weight_bits: int = 8,
        compensate: bool = False,
        clip_delays: bool = False,
        anneal: bool = False,
        t_epoch: int = 1,
        rounding: str = "stochastic",
        reward_max: float = 1.0,
        noise: int = 0,
        noise_offset: int = 0,
        noise_to: str = "v",
        **common: Any,
    ) -> None:
        super().__init__(**common)
        self.options = Options(weight_bits, compensate, clip_delays)
        self.anneal, self.weight_bits = anneal, weight_bits
        Microcode((), t_epoch=t_epoch, rounding=rounding)
        require_positive(self.name, reward_max=reward_max)
        self.learn_options = (t_epoch, rounding, reward_max)
        self.noise = noise_registers(noise, noise_offset, noise_to) if noise else (NOISE_OFF, 0, 0)

    def features(self, network: Network) -> list[str]:
        """Return every feature of a network that does not exist on the chip."""
        found = input_features(network, self.name)
        for p in network.populations:
            unknown = unknown_features(p, self.name)
            found += unknown
            if not unknown and isinstance(p.model, LIF) and p.model.v_reset != p.model.v_rest:
                found.append(
                    f"{self.name}: population {p.name!r}: v_reset = {p.model.v_reset} is not v_rest = "
                    f"{p.model.v_rest}, but the chip resets to rest; set them equal"
                )
        return found

    def quantised(self, network: Network, *, learning: bool = False) -> QuantNetwork:
        """Return the network in integers, with its report; ``learning`` leaves room for weights to learn."""
        return quantise(network, self.sheet, self.options, learning=learning)

    def place(self, quant: QuantNetwork) -> Placement:
        """Return the placement on cores; raises DoesNotFit naming the resource, the core and by how much."""
        placement = place(quant, self.sheet)
        if self.anneal:
            placement = rearranged(placement, quant.network.n_inputs, topology_of(self.sheet))
        return placement

    def program(self, network: Network, *, seed: int) -> LoihiExecutable:
        """Return an executable; its weights are frozen until ``learning`` is set."""
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
            ticks = q.max_ticks(network.dt)
            if ticks > longest and not self.options.clip_delays:
                found.append(
                    f"{self.name}: projection {q.name!r}: delay {ticks} ticks > {longest}; "
                    "shorten it or set clip_delays"
                )
            if self.options.weight_bits == 1 and sign_of(*q.weight_bounds) == "mixed":
                found.append(
                    f"{self.name}: projection {q.name!r}: mixed signs spend the only weight bit; use 2 or more"
                )
        return found
