"""Hodgkin & Huxley's squid axon."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from insectbot.errors import ConfigurationError
from insectbot.snn.functions import exp, exprel, minimum
from insectbot.snn.model import Coefficients, Real, Source, parameter
from insectbot.snn.schemes import OdeNeuron

_GATES = ("m", "h", "n")


@dataclass(frozen=True)
class HodgkinHuxley(OdeNeuron):
    """Hodgkin-Huxley neuron (Hodgkin & Huxley 1952), with the resting potential near -65 mV.

    ``c_m dv/dt = i - g_na m^3 h (v - e_na) - g_k n^4 (v - e_k) - g_l (v - e_l)``, and for each gate
    ``dx/dt = alpha_x(v) (1 - x) - beta_x(v) x``. It starts at its resting state. A spike is an upward crossing of
    ``v_th``; nothing is reset.

    Parameters
    ----------
    c_m : float
        Capacitance [uF/cm2], > 0.
    g_na, g_k, g_l : float
        Maximal conductances of sodium and potassium, and the leak [mS/cm2].
    e_na, e_k, e_l : float
        Reversal potentials [mV].
    temperature : float
        Temperature [degree Celsius]; the rates of the gates grow threefold per 10 degrees above 6.3.
    v_th : float
        Level whose upward crossing is a spike [mV].
    scheme : {"exponential", "euler", "heun", "rk4"}
        ``"exponential"``: gates by Rush & Larsen (1978), then v by exponential Euler with the new gates. It is stable
        for every step (spike times of the default cell err by 0.06 ms at 0.025 ms); the others need steps below
        0.1 ms (``"rk4"`` at 0.05 ms errs by 0.0003 ms).
    substeps : int
        Equal steps per tick, such as 4 with ``dt`` of 0.1 ms. The network's ``dt`` must not be longer than a spike
        lasts above ``v_th``: at most 0.5 ms, divided by the factor of the gates' rates.
    """

    schemes: ClassVar[tuple[str, ...]] = ("exponential", "euler", "heun", "rk4")
    states: ClassVar[dict[str, float | str]] = {"v": "v_0", "m": "m_0", "h": "h_0", "n": "n_0"}

    c_m: float = parameter(1.0, "uF/cm2", above=0)
    g_na: float = parameter(120.0, "mS/cm2", at_least=0)
    g_k: float = parameter(36.0, "mS/cm2", at_least=0)
    g_l: float = parameter(0.3, "mS/cm2", above=0)
    e_na: float = parameter(50.0, "mV")
    e_k: float = parameter(-77.0, "mV")
    e_l: float = parameter(-54.387, "mV")
    temperature: float = parameter(6.3, "C")
    v_th: float = parameter(0.0, "mV")
    scheme: str = field(default="exponential", kw_only=True)

    def coefficients(self, dt: float) -> Coefficients:
        """Return ``step``, ``1 / c_m``, the factor of the gates' rates, and the resting state.

        Raises
        ------
        ConfigurationError
            If ``dt`` [ms] is so long that spikes would be missed.
        """
        warm = 3.0 ** ((np.asarray(self.temperature) - 6.3) / 10.0)
        if dt * np.max(warm) > 0.5 + 1e-9:
            raise ConfigurationError(f"HodgkinHuxley: dt = {dt:g} ms is longer than a spike; use at most 0.5 ms")
        rest = self.resting_state()
        start = {f"{name}_0": value for name, value in rest.items()}
        return {**super().coefficients(dt), "per_c": 1.0 / np.asarray(self.c_m), "warm": warm, **start}

    def resting_state(self) -> dict[str, npt.NDArray[np.float64]]:
        """Return v [mV], m, h and n at which all currents balance, found by bisection between the reversals."""
        p = self.values()
        *_, e_na, e_k, e_l = np.broadcast_arrays(*(p[k] for k in ("g_na", "g_k", "g_l", "e_na", "e_k", "e_l")))
        low, high = np.minimum.reduce([e_na, e_k, e_l]), np.maximum.reduce([e_na, e_k, e_l])
        for _ in range(64):
            v = (low + high) / 2
            gates = _steady(v)
            outward = (
                p["g_na"] * gates["m"] ** 3 * gates["h"] * (v - p["e_na"])
                + p["g_k"] * gates["n"] ** 4 * (v - p["e_k"])
                + p["g_l"] * (v - p["e_l"])
            )
            low, high = np.where(outward < 0, v, low), np.where(outward < 0, high, v)
        v = (low + high) / 2
        return {"v": v, **_steady(v)}

    def functions(self) -> dict[str, Source]:
        """Return the functions, with the update of the chosen scheme."""
        found = super().functions()
        return {**found, "update": self.exponential} if self.scheme == "exponential" else found

    @staticmethod
    def slopes(
        v: Real,
        m: Real,
        h: Real,
        n: Real,
        i: Real,
        g_na: Real,
        g_k: Real,
        g_l: Real,
        e_na: Real,
        e_k: Real,
        e_l: Real,
        per_c: Real,
        warm: Real,
    ) -> tuple[Real, Real, Real, Real]:
        """Return the slopes of v and of the gates; exprel removes the singularities at -40 and -55 mV."""
        a_m = 1.0 / exprel(minimum(-0.1 * (v + 40.0), 80.0))
        b_m = 4.0 * exp(minimum((v + 65.0) / -18.0, 80.0))
        a_h = 0.07 * exp(minimum(-0.05 * (v + 65.0), 80.0))
        b_h = 1.0 / (1.0 + exp(minimum(-0.1 * (v + 35.0), 80.0)))
        a_n = 0.1 / exprel(minimum(-0.1 * (v + 55.0), 80.0))
        b_n = 0.125 * exp(minimum(-0.0125 * (v + 65.0), 80.0))
        sodium = g_na * m * m * m * h * (e_na - v)
        potassium = g_k * n * n * n * n * (e_k - v)
        dv = per_c * (sodium + potassium + g_l * (e_l - v) + i)
        dm = warm * (a_m * (1.0 - m) - b_m * m)
        dh = warm * (a_h * (1.0 - h) - b_h * h)
        dn = warm * (a_n * (1.0 - n) - b_n * n)
        return dv, dm, dh, dn

    @staticmethod
    def exponential(
        v: Real,
        m: Real,
        h: Real,
        n: Real,
        i: Real,
        g_sum: Real,
        g_rev: Real,
        g_na: Real,
        g_k: Real,
        g_l: Real,
        e_na: Real,
        e_k: Real,
        e_l: Real,
        per_c: Real,
        warm: Real,
        step: Real,
        substeps: int,
    ) -> tuple[Real, Real, Real, Real]:
        """Let each gate, then v, relax exponentially towards the value that the others give it."""
        for _ in range(substeps):
            a_m = 1.0 / exprel(minimum(-0.1 * (v + 40.0), 80.0))
            b_m = 4.0 * exp(minimum((v + 65.0) / -18.0, 80.0))
            a_h = 0.07 * exp(minimum(-0.05 * (v + 65.0), 80.0))
            b_h = 1.0 / (1.0 + exp(minimum(-0.1 * (v + 35.0), 80.0)))
            a_n = 0.1 / exprel(minimum(-0.1 * (v + 55.0), 80.0))
            b_n = 0.125 * exp(minimum(-0.0125 * (v + 65.0), 80.0))
            both_m, both_h, both_n = a_m + b_m, a_h + b_h, a_n + b_n
            m = a_m / both_m + (m - a_m / both_m) * exp(-step * warm * both_m)
            h = a_h / both_h + (h - a_h / both_h) * exp(-step * warm * both_h)
            n = a_n / both_n + (n - a_n / both_n) * exp(-step * warm * both_n)
            sodium, potassium = g_na * m * m * m * h, g_k * n * n * n * n
            total = sodium + potassium + g_l + g_sum
            v_inf = (sodium * e_na + potassium * e_k + g_l * e_l + g_rev + i) / total
            v = v_inf + (v - v_inf) * exp(-step * per_c * total)
        return v, m, h, n

    @staticmethod
    def threshold(v: Real, old_v: Real, v_th: Real) -> Real:
        """Spike where v crosses v_th upwards."""
        return (v >= v_th) & (old_v < v_th)

    @staticmethod
    def reset(v: Real) -> Real:
        """Change nothing: the spike ends by itself."""
        return v


def _steady(v: Any) -> dict[str, npt.NDArray[np.float64]]:
    """Return the gates at rest at a potential [mV]."""
    opening = (1.0 / exprel(-0.1 * (v + 40.0)), 0.07 * np.exp(-0.05 * (v + 65.0)), 0.1 / exprel(-0.1 * (v + 55.0)))
    closing = (
        4.0 * np.exp((v + 65.0) / -18.0),
        1.0 / (1.0 + np.exp(-0.1 * (v + 35.0))),
        0.125 * np.exp(-0.0125 * (v + 65.0)),
    )
    return {gate: a / (a + b) for gate, a, b in zip(_GATES, opening, closing, strict=True)}
