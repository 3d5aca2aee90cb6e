"""What a NIR file leaves open and its writers settle differently: the step, what a spike is, how a step is taken."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from insectbot.errors import ConfigurationError, UnknownNameError

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Dialect:
    """How one simulator reads the equations of NIR.

    NIR is written in continuous time: a spike is an impulse of unit area, so on a current with ``tau`` it adds
    ``1 / tau``. Simulators on a grid hold it for one step instead, which adds ``1 - decay``.

    Parameters
    ----------
    name : str
        Name in errors.
    dt : float or None
        Step that the simulator takes unless told otherwise [ms]; None for 1 ms.
    unit : float or None
        Length of the file's unit of time [ms]; None for one step.
    impulse : bool
        Whether a spike is an impulse; else it is 1 for one step.
    scheme : {"exact", "euler"}
        How the leak is stepped: ``decay = exp(-dt / tau)``, or ``1 - dt / tau`` with the synaptic current of a tick
        acting in that tick.
    strict : bool
        Whether a neuron spikes above its threshold only, not at it.
    aligned : bool
        Whether a spike crosses any number of layers within its step. Here each connection takes a step or more, so
        layers run later by their depth; delays are set so that nothing else changes.
    whole : tuple of str
        Types of nodes to which a spike adds its weight (times ``r``, or ``w_in``) whole, whatever the time constant.
    folded : bool
        Whether its reader ignores ``r``, so that weights have to hold it.
    """

    name: str
    dt: float | None = None
    unit: float | None = 1000.0
    impulse: bool = False
    scheme: str = "exact"
    strict: bool = True
    aligned: bool = True
    whole: tuple[str, ...] = ()
    folded: bool = False

    def __post_init__(self) -> None:
        if self.scheme not in ("exact", "euler"):
            raise ConfigurationError(f"NIR scheme {self.scheme!r}: must be 'exact' or 'euler'")


DIALECTS: Mapping[str, Dialect] = {
    "nir": Dialect("nir", impulse=True, aligned=False),
    "grid": Dialect("grid", aligned=False),
    "snntorch": Dialect("snntorch", dt=0.1, scheme="euler"),
    # Norse 1.1 writes dt * tau where it means tau: a file unit is 1 s / 0.001.
    "norse": Dialect("norse", dt=1.0, unit=1e6, scheme="euler", whole=("IF", "I", "CubaLI", "CubaLIF")),
    # As LIF(norm_input=True) and ExpLeak(norm_input=False) are by default.
    "sinabs": Dialect("sinabs", dt=1.0, unit=None, strict=False, whole=("LI",)),
}
"""What each simulator means by the files it writes; ``grid`` is NIR with a spike of one step instead of an impulse."""

READERS: Mapping[str, Dialect] = {
    "nir": DIALECTS["nir"],
    "grid": DIALECTS["grid"],
    "snntorch": DIALECTS["snntorch"],
    "norse": Dialect("norse", dt=1.0, scheme="euler", folded=True),
}
"""What each simulator makes of the files it reads (Norse reads seconds; sinabs always subtracts at a spike)."""


def find(given: str | Dialect, known: Mapping[str, Dialect] = DIALECTS, scheme: str | None = None) -> Dialect:
    """Return a dialect by name, or as given, with another scheme if there is one.

    Raises
    ------
    UnknownNameError
        If there is none of that name.
    """
    if isinstance(given, str) and given not in known:
        raise UnknownNameError(f"NIR dialect {given!r} is not known, only {', '.join(known)}")
    found = known[given] if isinstance(given, str) else given
    return found if scheme is None else replace(found, scheme=scheme)


@dataclass(frozen=True)
class Grid:
    """A dialect on a grid of steps: the numbers of one step.

    Parameters
    ----------
    dialect : Dialect
        How the file is meant.
    dt : float
        Step [ms].
    precision : str
        Of the potentials: ``"float32"`` or ``"float64"``.
    """

    dialect: Dialect
    dt: float
    precision: str = "float32"

    @property
    def unit(self) -> float:
        """The file's unit of time [ms]."""
        return self.dt if self.dialect.unit is None else self.dialect.unit

    @property
    def euler(self) -> bool:
        """Whether steps are forward Euler steps."""
        return self.dialect.scheme == "euler"

    def decay(self, where: str, tau: Floats) -> Floats:
        """Return what is left after a step of something that leaks with the file's ``tau`` [ms]."""
        if not self.euler:
            return np.exp(-self.dt / tau)
        if (tau < self.dt * (1 - 1e-6)).any():
            raise ConfigurationError(
                f"{where}: a time constant of {tau.min():g} ms is below the step of {self.dt:g} ms, too short for the "
                "Euler scheme; take a smaller dt, or scheme='exact'"
            )
        return np.maximum(1.0 - self.dt / tau, 0.0)

    def loss(self, where: str, tau: Floats) -> Floats:
        """Return ``1 - decay``, exact where little is lost."""
        return 1.0 - self.decay(where, tau) if self.euler else -np.expm1(-self.dt / tau)

    def native(self, where: str, tau: Floats) -> Floats:
        """Return the time constant [ms] that decays exactly as the dialect steps the file's ``tau`` [ms]."""
        if not self.euler:
            return tau
        # A decay of 0 has no time constant; exp(-1000) is 0.
        decay = np.maximum(self.decay(where, tau), np.exp(-700.0))
        return -self.dt / np.log(decay)

    def foreign(self, tau: Floats) -> Floats:
        """Return the time constant [ms] to be written, so that the dialect steps it as ``tau`` [ms] decays exactly."""
        return -self.dt / np.expm1(-self.dt / tau) if self.euler else tau

    def event(self, kind: str, where: str, tau: Floats) -> Floats:
        """Return what a spike of one adds to what leaks with the file's ``tau`` [ms] in a node of some type."""
        if kind in self.dialect.whole:
            return np.ones_like(tau)
        return self.unit / tau if self.dialect.impulse else self.hold(kind, where, tau)

    def hold(self, kind: str, where: str, tau: Floats) -> Floats:
        """Return what a signal of one adds per step to what leaks with the file's ``tau`` [ms]."""
        if kind in self.dialect.whole:
            return np.ones_like(tau)
        return self.loss(where, tau)

    def ramp(self, kind: str) -> tuple[float, float]:
        """Return what a spike of one, and what a signal of one, adds to an integrator without leak and ``r = 1``."""
        step = 1.0 if kind in self.dialect.whole else self.dt / self.unit
        return (1.0 if self.dialect.impulse else step), step

    def above(self, threshold: Floats, rest: Floats | float = 0.0) -> Floats:
        """Return the smallest threshold that ``v >= threshold`` passes where the dialect's test passes."""
        return self._beside(threshold, rest, np.inf)

    def below(self, threshold: Floats, rest: Floats | float = 0.0) -> Floats:
        """Undo :meth:`above`."""
        return self._beside(threshold, rest, -np.inf)

    def _beside(self, threshold: Floats, rest: Floats | float, towards: float) -> Floats:
        if not self.dialect.strict:
            return threshold
        # Potentials are measured from rest, where v > x and v >= nextafter(x) are the same.
        kind = np.dtype(self.precision).type
        height = (threshold - rest).astype(kind)
        found = rest + np.nextafter(height, kind(towards)).astype(np.float64)
        # Far from 0, the sum can fall back onto the threshold.
        step = 2.0 * np.spacing(np.maximum(np.abs(threshold), np.abs(height.astype(np.float64))))
        stuck = np.copysign(1.0, towards) * ((found - rest).astype(kind) - height) <= 0
        return np.where(stuck, threshold + np.copysign(step, towards), found)
