"""Learning rules as data: traces, bounds, third factor. Weights are updated inside the window kernel.

All spikes count at the tick they are emitted (the delay of a plastic projection is dendritic for its
presynaptic spikes); on a tie the presynaptic spike comes first.
"""

from __future__ import annotations

from dataclasses import dataclass

from insectbot.errors import ConfigurationError
from insectbot.snn.validate import require_finite, require_not_negative, require_positive


def _require_bounds(owner: str, w_min: float, w_max: float) -> None:
    require_finite(owner, w_min=w_min, w_max=w_max)
    if w_min >= w_max:
        raise ConfigurationError(f"{owner}.w_min = {w_min}: must lie below w_max = {w_max}")


@dataclass(frozen=True)
class PairSTDP:
    """Pair STDP, additive and all-to-all by default (Song, Miller & Abbott 2000; models sheet C2).

    ``x' = -x / tau_plus`` (+1 per pre spike), ``y' = -y / tau_minus`` (+1 per post spike);
    pre spike: ``w -= a_minus * f_minus(w) * y``; post spike: ``w += a_plus * f_plus(w) * x``, with
    ``f_plus = ((w_max - w) / (w_max - w_min))^mu_plus``, ``f_minus = ((w - w_min) / (w_max - w_min))^mu_minus``
    (Gütig, Aharonov, Rotter & Sompolinsky 2003): mu = 0 is additive, 1 multiplicative. Nearest-neighbour
    pairing sets a trace to 1 instead of adding 1.

    In the additive all-to-all form potentiation is summed lazily and exactly until the source spikes next, so the
    bounds are enforced at source spikes; reading the weights gives the value with all potentiation applied. The
    other forms change weights at every spike.

    Parameters
    ----------
    a_plus, a_minus : float
        Amplitude per pair [unit of w].
    tau_plus, tau_minus : float
        Time constants [ms], > 0.
    w_min, w_max : float
        Bounds of the weight.
    mu_plus, mu_minus : float
        Exponents of the weight dependence, >= 0.
    nearest : bool
        Whether a spike pairs with the nearest one only.
    """

    a_plus: float = 0.005
    a_minus: float = 0.00525
    tau_plus: float = 20.0
    tau_minus: float = 20.0
    w_min: float = 0.0
    w_max: float = 1.0
    mu_plus: float = 0.0
    mu_minus: float = 0.0
    nearest: bool = False

    @property
    def weighting(self) -> str:
        """Form of the weight dependence: "" (additive), "multiplicative" or "power"."""
        mu = (self.mu_plus, self.mu_minus)
        return {(0.0, 0.0): "", (1.0, 1.0): "multiplicative"}.get(mu, "power")

    def __post_init__(self) -> None:
        require_finite("PairSTDP", a_plus=self.a_plus, a_minus=self.a_minus)
        require_positive("PairSTDP", tau_plus=self.tau_plus, tau_minus=self.tau_minus)
        require_not_negative("PairSTDP", mu_plus=self.mu_plus, mu_minus=self.mu_minus)
        _require_bounds("PairSTDP", self.w_min, self.w_max)


@dataclass(frozen=True)
class RewardSTDP:
    """Reward-modulated STDP: pair STDP feeds an eligibility, a modulator turns it into weight.

    ``e' = -e / tau_e + STDP(pre, post)`` with ``a_plus``, ``a_minus`` as in :class:`PairSTDP`;
    a modulator pulse ``m`` at the start of a window does ``w += learning_rate * m * e`` (Florian 2007,
    MSTDPET; Izhikevich 2007 with a pulsed third factor).

    Parameters
    ----------
    learning_rate : float
        Weight per unit of modulator and eligibility.
    a_plus, a_minus, tau_plus, tau_minus : float
        As in :class:`PairSTDP`; an eligibility is signed.
    tau_e : float
        Time constant of the eligibility [ms], > 0.
    w_min, w_max : float
        Bounds of the weight.
    modulator : int
        Index into the modulators given to ``window``.
    """

    learning_rate: float = 0.01
    a_plus: float = 1.0
    a_minus: float = 1.0
    tau_plus: float = 20.0
    tau_minus: float = 20.0
    tau_e: float = 200.0
    w_min: float = 0.0
    w_max: float = 1.0
    modulator: int = 0

    def __post_init__(self) -> None:
        require_finite("RewardSTDP", learning_rate=self.learning_rate, a_plus=self.a_plus, a_minus=self.a_minus)
        require_positive("RewardSTDP", tau_plus=self.tau_plus, tau_minus=self.tau_minus, tau_e=self.tau_e)
        _require_bounds("RewardSTDP", self.w_min, self.w_max)


@dataclass(frozen=True)
class NodePerturbation:
    """Three-factor rule on exploration: presynaptic spikes times the neuron's own exploration noise.

    The postsynaptic population carries an :class:`~insectbot.snn.neurons.OrnsteinUhlenbeck` noise ``xi``.
    Pre spike: ``e[i, j] += (xi_i - mean of the other xi) / (sigma * spikes_per_unit)``; every ``period`` of
    the noise ``e = decay * e``. A modulator pulse ``m``: ``w += learning_rate * m * e``.
    With two neurons this is the differential eligibility of the ``RSTDP-diff`` recipe: a common
    push of both neurons is not credited. Node perturbation: Fiete & Seung 2006.

    Parameters
    ----------
    learning_rate : float
        Weight per unit of modulator and eligibility.
    decay : float
        Memory of the eligibility per period of the noise, in [0, 1).
    spikes_per_unit : float
        Presynaptic spikes that make one unit of eligibility at one sigma of noise, > 0.
    w_min, w_max : float
        Bounds of the weight.
    tie : tuple of int or None
        Weight sharing: one group number per synapse (in projection order); synapses of a group change by
        the mean of their changes, so that they stay equal. None for no sharing.
    modulator : int
        Index into the modulators given to ``window``.
    """

    learning_rate: float = 0.002
    decay: float = 0.5
    spikes_per_unit: float = 10.0
    w_min: float = -0.6
    w_max: float = 0.6
    tie: tuple[int, ...] | None = None
    modulator: int = 0

    def __post_init__(self) -> None:
        require_finite("NodePerturbation", learning_rate=self.learning_rate)
        require_positive("NodePerturbation", spikes_per_unit=self.spikes_per_unit)
        _require_bounds("NodePerturbation", self.w_min, self.w_max)
        if not 0 <= self.decay < 1:
            raise ConfigurationError(f"NodePerturbation.decay = {self.decay}: must lie in [0, 1)")


LearningRule = PairSTDP | RewardSTDP | NodePerturbation
