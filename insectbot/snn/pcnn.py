"""Pulse-coupled networks: units that multiply what they are fed by what their neighbours pulse."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from insectbot.snn.model import Coefficients, NeuronModel, Real, Source, parameter
from insectbot.snn.synapses import Delta


@dataclass(frozen=True)
class PCNN(NeuronModel):
    """Pulse-coupled unit (Eckhorn et al. 1990; Johnson & Padgett 1999). One tick is one iteration.

    ``F = exp(-alpha_f) F + S + v_f feeding``, ``L = exp(-alpha_l) L + v_l linking``, ``U = F (1 + beta L)``; it pulses
    where ``U > Theta``; then ``Theta = exp(-alpha_theta) Theta``, and a pulse adds ``v_theta``. ``S`` is the analog
    current; ``feeding`` and ``linking`` are receptors, on which pulses of the iteration before arrive (delay: one
    step). Linking pulls units forward whose input is close to that of a neighbour which pulses: it groups regions.

    Parameters
    ----------
    beta : float
        Strength of linking, >= 0.
    alpha_f, alpha_l, alpha_theta : float
        Decay per iteration of feeding, linking and threshold, >= 0.
    v_f, v_l, v_theta : float
        Gains of feeding and linking pulses, and rise of the threshold per pulse.
    theta_init : float
        Threshold at the start.
    """

    states: ClassVar[dict[str, float | str]] = {"u": 0.0, "feed": 0.0, "link": 0.0, "theta": "theta_init"}

    beta: float = parameter(0.2, "", at_least=0)
    alpha_f: float = parameter(0.1, "1/step", at_least=0)
    alpha_l: float = parameter(1.0, "1/step", at_least=0)
    alpha_theta: float = parameter(0.2, "1/step", at_least=0)
    v_f: float = parameter(0.1, "")
    v_l: float = parameter(1.0, "")
    v_theta: float = parameter(20.0, "", at_least=0)
    theta_init: float = parameter(1.0, "")

    def default_receptors(self) -> tuple[tuple[str, Any], ...]:
        """Return the two inputs."""
        return (("feeding", Delta()), ("linking", Delta()))

    def coefficients(self, dt: float) -> Coefficients:
        """Return the three factors of decay per iteration."""
        rates = {"keep_f": self.alpha_f, "keep_l": self.alpha_l, "keep_theta": self.alpha_theta}
        return {name: np.exp(-np.asarray(rate)) for name, rate in rates.items()}

    @staticmethod
    def update(
        feed: Real,
        link: Real,
        theta: Real,
        i: Real,
        feeding: Real,
        linking: Real,
        beta: Real,
        keep_f: Real,
        keep_l: Real,
        keep_theta: Real,
        v_f: Real,
        v_l: Real,
    ) -> tuple[Real, Real, Real, Real]:
        """Collect both inputs, multiply them, let the threshold decay."""
        feed = keep_f * feed + i + v_f * feeding
        link = keep_l * link + v_l * linking
        u = feed * (1.0 + beta * link)
        theta = keep_theta * theta
        return u, feed, link, theta

    @staticmethod
    def threshold(u: Real, old_theta: Real) -> Real:
        """Pulse above the threshold that the last iteration left."""
        return u > old_theta

    @staticmethod
    def reset(theta: Real, v_theta: Real) -> Real:
        """Raise the threshold."""
        theta = theta + v_theta
        return theta


@dataclass(frozen=True)
class SCM(NeuronModel):
    """Spiking cortical model, a lighter pulse-coupled unit (Zhan, Zhang & Ma 2009). One tick is one iteration.

    ``U = keep U + S linking + S``, a pulse where ``U > E``, ``E = keep_e E`` and a pulse adds ``rise``. ``S`` is the
    analog current, ``linking`` a receptor. With ``additive`` the neighbours' pulses add up without the factor ``S``:
    the intersecting cortical model (Ekblad et al. 2004).

    Parameters
    ----------
    keep, keep_e : float
        Factors of decay of potential and threshold per iteration, in [0, 1).
    rise : float
        Rise of the threshold per pulse.
    e_init : float
        Threshold at the start.
    additive : bool
        Whether the neighbours' pulses are added, instead of being multiplied by ``S``.
    """

    states: ClassVar[dict[str, float | str]] = {"u": 0.0, "e": "e_init"}

    keep: float = parameter(0.8, "", at_least=0, below=1)
    keep_e: float = parameter(0.7, "", at_least=0, below=1)
    rise: float = parameter(20.0, "", at_least=0)
    e_init: float = parameter(1.0, "")
    additive: bool = False

    def default_receptors(self) -> tuple[tuple[str, Any], ...]:
        """Return the input of the neighbours' pulses."""
        return (("linking", Delta()),)

    def functions(self) -> dict[str, Source]:
        """Return the functions, with the update of the chosen form."""
        return {**super().functions(), "update": self.add if self.additive else self.update}

    @staticmethod
    def update(u: Real, e: Real, i: Real, linking: Real, keep: Real, keep_e: Real) -> tuple[Real, Real]:
        """Collect the input, modulated by the pulses; let the threshold decay."""
        u = keep * u + i * (1.0 + linking)
        e = keep_e * e
        return u, e

    @staticmethod
    def add(u: Real, e: Real, i: Real, linking: Real, keep: Real, keep_e: Real) -> tuple[Real, Real]:
        """Collect the input and the pulses; let the threshold decay."""
        u = keep * u + i + linking
        e = keep_e * e
        return u, e

    @staticmethod
    def threshold(u: Real, old_e: Real) -> Real:
        """Pulse above the threshold that the last iteration left."""
        return u > old_e

    @staticmethod
    def reset(e: Real, rise: Real) -> Real:
        """Raise the threshold."""
        e = e + rise
        return e
