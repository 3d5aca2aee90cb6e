"""What quantisation changed, per population and per projection; nothing is lost without a number here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]
SIGNS: Final = {
    (False, False): "null",
    (True, False): "excitatory",
    (False, True): "inhibitory",
    (True, True): "mixed",
}
"""(Whether there are positive weights, and negative ones) -> sign mode."""


@dataclass(frozen=True)
class PopulationReport:
    """Effective parameters of a population on the chip.

    Attributes
    ----------
    name : str
        Population.
    scale : float
        Chip units per unit of v.
    threshold_error : float
        Relative error of the threshold.
    tau_m, tau_syn : float
        Effective time constants [ms]; ``inf`` if the decay register is 0; ``tau_syn`` 0 for delta synapses.
    v_min : float or None
        Effective floor [unit of v]; None if the network sets none.
    t_ref : float
        Effective refractory time [ms]. The register's minimum, 1, means no pause: the same as ``t_ref = 0``.
    """

    name: str
    scale: float
    threshold_error: float
    tau_m: float
    tau_syn: float
    v_min: float | None
    t_ref: float


@dataclass(frozen=True)
class ProjectionReport:
    """Quantisation of a projection.

    Attributes
    ----------
    name : str
        Projection.
    n_synapses : int
        Number of synapses.
    bits : int
        Stored bits per weight; 0 where the host evaluates the projection in float, or where weights are analog.
    sign : str
        Sign mode: null, excitatory, inhibitory, mixed or host; of junctions pair or plastic.
    exponent : int
        Weight exponent.
    step : float
        Weight difference of one step of the mantissa [unit of the weight].
    rms_error : float
        Root mean square error over the root mean square weight.
    max_error : float
        Largest error over the largest weight.
    zeroed, saturated, clipped_delays : int
        Synapses whose weight became 0, whose weight was cut, whose delay was shortened.
    """

    name: str
    n_synapses: int
    bits: int
    sign: str
    exponent: int
    step: float
    rms_error: float
    max_error: float
    zeroed: int
    saturated: int
    clipped_delays: int

    @classmethod
    def of(
        cls,
        name: str,
        wanted: Floats,
        got: Floats,
        *,
        bits: int,
        step: float,
        sign: str = "",
        zeroed: int = 0,
        saturated: int = 0,
        clipped_delays: int = 0,
    ) -> ProjectionReport:
        """Compare the weights that the chip applies with those that were wanted, one by one.

        ``sign`` is that of the wanted weights unless it is given; there is no exponent.
        """
        error, norm = got - wanted, float(np.linalg.norm(wanted))
        signs = bool((wanted > 0).any()), bool((wanted < 0).any())
        return cls(
            name=name,
            n_synapses=wanted.size,
            bits=bits,
            sign=sign or SIGNS[signs],
            exponent=0,
            step=step,
            rms_error=float(np.linalg.norm(error)) / norm if norm else 0.0,
            max_error=float(np.abs(error).max(initial=0.0)) / (float(np.abs(wanted).max(initial=0.0)) or 1.0),
            zeroed=zeroed,
            saturated=saturated,
            clipped_delays=clipped_delays,
        )

    @classmethod
    def host(cls, name: str, n_synapses: int) -> ProjectionReport:
        """Return the report of a current projection, which stays in float on the host."""
        return cls(name, n_synapses, 0, "host", 0, 0.0, 0.0, 0.0, 0, 0, 0)


@dataclass(frozen=True)
class QuantReport:
    """Reports of all populations and projections."""

    populations: tuple[PopulationReport, ...]
    projections: tuple[ProjectionReport, ...]

    @property
    def losses(self) -> dict[str, int]:
        """Total of weights that became 0, weights that were cut, delays that were shortened."""
        kinds = ("zeroed", "saturated", "clipped_delays")
        return {kind: sum(getattr(p, kind) for p in self.projections) for kind in kinds}

    def __str__(self) -> str:
        lines = [
            f"{p.name}: scale {p.scale:.6g}, threshold {p.threshold_error:+.2%}, tau_m {p.tau_m:.4g} ms"
            for p in self.populations
        ]
        lines += [
            f"{p.name}: {p.bits} bit {p.sign}, exponent {p.exponent}, error rms {p.rms_error:.2%} max "
            f"{p.max_error:.2%}, {p.zeroed} became 0, {p.saturated} cut, {p.clipped_delays} delays shortened"
            for p in self.projections
        ]
        return "\n".join(lines)
