"""Input sources: a drive in [0, 1] per channel becomes spikes or current inside the core."""

from __future__ import annotations

from dataclasses import dataclass

from insectbot.snn.validate import require_finite, require_positive


@dataclass(frozen=True)
class PoissonInput:
    """Bernoulli-sampled Poisson spikes: ``p = 1 - exp(-rate * drive * dt)`` per tick.

    Parameters
    ----------
    rate : float
        Rate at drive 1 [Hz], > 0. At 1 / dt and above the code saturates.
    """

    rate: float = 200.0

    def __post_init__(self) -> None:
        require_positive("PoissonInput", rate=self.rate)


@dataclass(frozen=True)
class RegularInput:
    """Regular spikes: a phase grows by ``rate * drive * dt`` per tick and spikes when it reaches 1.

    Parameters
    ----------
    rate : float
        Rate at drive 1 [Hz], > 0, at most one spike per tick.
    """

    rate: float = 200.0

    def __post_init__(self) -> None:
        require_positive("RegularInput", rate=self.rate)


@dataclass(frozen=True)
class CurrentInput:
    """Analog current: ``i_ext[post] = sum(weight[post, pre] * gain * drive[pre])``, held for the window.

    The drive of a current input may be any finite number; its projections must be static and without delay.

    Parameters
    ----------
    gain : float
        Factor on the drive [mV, unit of v].
    """

    gain: float = 1.0

    def __post_init__(self) -> None:
        require_finite("CurrentInput", gain=self.gain)


InputSource = PoissonInput | RegularInput | CurrentInput
