"""Models of learning for ``insectbot/AplysiaReflex-v0``: Rescorla-Wagner, and facilitation of a synapse by activity."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from insectbot.controllers.baselines import Action, Baseline
from insectbot.snn.validate import require_not_negative, require_positive

SITES = 2
RECENT = 2.0
"""A touch within this time before a shock is paired with it [s]."""
_SLOW: Final = ("d", "f", "a", "since", "c")


def withdrawal(amplitude: float) -> Action:
    """Return the action of an amplitude in units of the naive response: a tenth of it, in [0, 1]."""
    return np.array([min(max(0.1 * amplitude, 0.0), 1.0)], np.float32)


class RescorlaWagner(Baseline):
    """Associative strengths by prediction error: ``dV_i = alpha_beta (lambda - sum V)`` of the stimuli present.

    Rescorla & Wagner (1972). As a controller it sees events: a shock reinforces what was touched just before; a touch
    that no shock follows is a trial without reinforcement. It answers a touch with the sum of the strengths touched.

    Parameters
    ----------
    alpha_beta : float
        Learning rate, in (0, 1].
    asymptote : float
        Strength that reinforcement supports.
    n : int
        Number of stimuli.
    """

    learning = True

    def __init__(self, alpha_beta: float = 0.3, asymptote: float = 1.0, n: int = SITES) -> None:
        require_positive("RescorlaWagner", alpha_beta=alpha_beta, n=n)
        self.rate, self.asymptote = alpha_beta, asymptote
        self.strengths = np.zeros(n)
        self._open = np.zeros(n, np.bool_)

    def trial(self, present: Sequence[int], reinforced: bool) -> None:
        """Present some stimuli together, with or without reinforcement."""
        on = list(present)
        self.strengths[on] += self.rate * ((self.asymptote if reinforced else 0.0) - self.strengths[on].sum())

    def reset(self, seed: int) -> None:
        """Start as a naive animal."""
        self.strengths[:], self._open[:] = 0.0, False

    def act(self, observation: npt.ArrayLike) -> Action:
        """Answer an event; learn from it if ``learning``."""
        siphon, mantle, shock, gap = np.asarray(observation, np.float64).tolist()
        touched = np.array([siphon, mantle]) > 0
        if self._open.any() and (gap > RECENT or (touched.any() and not shock)):
            self._close(reinforced=False)
        answer = float(self.strengths[touched].sum()) if touched.any() else float(shock > 0)
        self._open |= touched
        if shock > 0 and self._open.any() and not touched.any():
            self._close(reinforced=True)
        return withdrawal(answer)

    def _close(self, reinforced: bool) -> None:
        if self.learning:
            self.trial(np.flatnonzero(self._open).tolist(), reinforced)
        self._open[:] = False


class SynapseState:
    """Slow variables of the two touch synapses: ``r = D (1 + F) (1 + A)``; between events they decay in closed form.

    Habituation: a touch uses up a share u of D, which recovers with tau_d. Sensitisation: a shock adds to F of all
    synapses, which decays with tau_f, and restores a share of D. Conditioning by activity-dependent presynaptic
    facilitation (Hawkins et al. 1983): a shock adds to A of a synapse that was active x seconds before,
    ``A += eta e(x) (a_max - A) E``, ``e(x) = (x / 0.5)^3 exp(3 (1 - x / 0.5))``, four leaky integrators in a row.

    Plain facilitation (E = 1) cannot show contingency or blocking (Gluck & Thompson 1987). Here E is what the
    facilitating neuron still says of a shock when the cues that predict it hold that neuron back: the shock less the
    prediction, ``E = shock - P``, ``P = sum of A / a_p over the synapses just active + C``, the error of Rescorla &
    Wagner (1972). Two assumptions go with it. A shock that no touch preceded is put down to the place:
    ``C += context (1 - C)``, which fades with tau_context, and never moves the animal; next to a touch the place goes
    unnoticed (overshadowing). And a shock that was predicted more than fully weakens the active synapses:
    ``A += unlearn e(x) A E`` for E < 0. So extra shocks spoil conditioning because the place predicts them. E counts
    by as much as it exceeds ``tolerance`` either way, or the noise of a spiking facilitator would be learned, too.

    Parameters
    ----------
    u, tau_d, dis : float
        Share of D that a touch uses up; its recovery [s]; share restored by a shock.
    f_max, tau_f : float
        Largest F; its decay [s].
    eta, a_max, tau_a, a_p : float
        Rate and bound of A, its decay [s], and the A that predicts a shock fully.
    context, tau_context : float
        Rate of C, in [0, 1]; its decay [s].
    unlearn : float
        Rate at which a shock predicted twice over weakens A.
    tolerance : float
        Error too small to matter.
    """

    def __init__(
        self,
        u: float = 0.15,
        tau_d: float = 900.0,
        dis: float = 0.35,
        f_max: float = 0.8,
        tau_f: float = 1200.0,
        eta: float = 0.07,
        a_max: float = 3.0,
        tau_a: float = 345600.0,
        a_p: float = 0.9,
        context: float = 1.0,
        tau_context: float = 7200.0,
        unlearn: float = 4.0,
        tolerance: float = 0.04,
    ) -> None:
        require_positive(
            "SynapseState", tau_d=tau_d, tau_f=tau_f, tau_a=tau_a, a_max=a_max, a_p=a_p, tau_context=tau_context
        )
        require_not_negative("SynapseState", u=u, dis=dis, f_max=f_max, eta=eta, context=context)
        require_not_negative("SynapseState", unlearn=unlearn, tolerance=tolerance)
        self.u, self.tau_d, self.dis, self.f_max, self.tau_f = u, tau_d, dis, f_max, tau_f
        self.eta, self.a_max, self.tau_a, self.a_p, self.unlearn = eta, a_max, tau_a, a_p, unlearn
        self.context, self.tau_context, self.tolerance = context, tau_context, tolerance
        self.d, self.f, self.a, self.since = (np.zeros(SITES) for _ in range(4))
        self.c = np.zeros(1)
        self.reset()

    def reset(self) -> None:
        """A naive animal."""
        self.d[:], self.f[:], self.a[:], self.since[:], self.c[:] = 1.0, 0.0, 0.0, np.inf, 0.0

    def wait(self, gap: float) -> None:
        """Let time pass [s]."""
        self.d[:] = 1.0 - (1.0 - self.d) * math.exp(-gap / self.tau_d)
        self.f *= math.exp(-gap / self.tau_f)
        self.a *= math.exp(-gap / self.tau_a)
        self.c *= math.exp(-gap / self.tau_context)
        self.since += gap

    @property
    def strength(self) -> npt.NDArray[np.float64]:
        """Present strength of the two synapses; 1 in a naive animal."""
        return self.d * (1.0 + self.f) * (1.0 + self.a)

    @property
    def recent(self) -> npt.NDArray[np.bool_]:
        """Which sites were touched a moment ago."""
        return self.since < RECENT

    @property
    def predictors(self) -> npt.NDArray[np.float64]:
        """What siphon, mantle and place predict of a shock when they are there; 1 is all of it."""
        return np.append(self.a / self.a_p, self.c)

    def touch(self, touched: npt.NDArray[np.bool_]) -> None:
        """Depress the synapses that were used."""
        self.d[touched] *= 1.0 - self.u
        self.since[touched] = 0.0

    def prediction(self) -> float:
        """Return how much of a shock the present cues predict, >= 0."""
        return float(self.predictors[:SITES][self.recent].sum() + self.c[0])

    def shock(self, strength: float, error: float) -> None:
        """Take a shock: sensitise all synapses, change the active ones by the error, in [-1, 1]."""
        self.f += 0.7 * strength * (self.f_max - self.f)
        self.d += self.dis * strength * (1.0 - self.d)
        x = np.where(self.recent, self.since, 0.0) / 0.5
        window = x**3 * np.exp(3.0 * (1.0 - x))
        error = math.copysign(max(abs(error) - self.tolerance, 0.0), error)
        self.a += window * error * (self.eta * (self.a_max - self.a) if error > 0 else self.unlearn * self.a)
        np.maximum(self.a, 0.0, out=self.a)
        if not (self.recent & (self.since > 0.0)).any():
            self.c += self.context * strength * (1.0 - self.c)

    def state(self) -> dict[str, npt.NDArray]:
        """Return the slow variables."""
        return {name: getattr(self, name).copy() for name in _SLOW}

    def load_state(self, state: Mapping[str, npt.NDArray]) -> None:
        """Restore them."""
        for name in _SLOW:
            getattr(self, name)[:] = state[name]


class SNMNADPF(Baseline):
    """The reflex as two plastic synapses: sensory neurons onto a motor neuron, facilitated by activity (no network).

    Parameters
    ----------
    **parameters
        Of :class:`SynapseState`.
    """

    learning = True

    def __init__(self, **parameters: float) -> None:
        self.synapses = SynapseState(**parameters)

    def reset(self, seed: int) -> None:
        """Start as a naive animal."""
        self.synapses.reset()

    def act(self, observation: npt.ArrayLike) -> Action:
        """Answer an event with the strength of the synapses touched; a shock alone is answered fully."""
        siphon, mantle, shock, gap = np.asarray(observation, np.float64).tolist()
        synapses, touched = self.synapses, np.array([siphon, mantle]) > 0
        synapses.wait(gap)
        answer = float(synapses.strength[touched].sum()) if touched.any() else 3.0 * float(shock > 0)
        if self.learning:
            if shock > 0:
                synapses.shock(shock, max(shock - synapses.prediction(), -1.0))
            synapses.touch(touched)
        return withdrawal(answer)

    def state(self) -> dict[str, npt.NDArray]:
        """Return the slow variables."""
        return self.synapses.state()

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Restore them."""
        self.synapses.load_state(state)
