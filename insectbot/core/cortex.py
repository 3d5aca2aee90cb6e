"""The cortical microcircuit of Potjans & Diesmann (2014), the full-scale benchmark network (W4)."""

from __future__ import annotations

import math

import numpy as np

from insectbot.snn import LIF, FixedNumber, Network, Normal, PoissonBackground, Population, Projection

POPULATIONS = ("L23E", "L23I", "L4E", "L4I", "L5E", "L5I", "L6E", "L6I")
"""Layers 2/3 to 6, excitatory and inhibitory."""
SIZES = (20683, 5834, 21915, 5479, 4850, 1065, 14395, 2948)
"""Neurons at full scale (Potjans & Diesmann 2014, table 5)."""
PROBABILITY = (
    (0.1009, 0.1689, 0.0437, 0.0818, 0.0323, 0.0, 0.0076, 0.0),
    (0.1346, 0.1371, 0.0316, 0.0515, 0.0755, 0.0, 0.0042, 0.0),
    (0.0077, 0.0059, 0.0497, 0.135, 0.0067, 0.0003, 0.0453, 0.0),
    (0.0691, 0.0029, 0.0794, 0.1597, 0.0033, 0.0, 0.1057, 0.0),
    (0.1004, 0.0622, 0.0505, 0.0057, 0.0831, 0.3726, 0.0204, 0.0),
    (0.0548, 0.0269, 0.0257, 0.0022, 0.06, 0.3158, 0.0086, 0.0),
    (0.0156, 0.0066, 0.0211, 0.0166, 0.0572, 0.0197, 0.0396, 0.2252),
    (0.0364, 0.001, 0.0034, 0.0005, 0.0277, 0.008, 0.0658, 0.1443),
)
"""Connection probability, target by source (table 5)."""
EXTERNAL = (1600, 1500, 2100, 1900, 2000, 1900, 2900, 2100)
"""External inputs per neuron, 8 Hz each (table 5)."""
RATES = (0.971, 2.868, 4.746, 5.396, 8.142, 9.078, 0.991, 7.523)
"""Mean rates of the reference simulation [Hz]."""

C_M, TAU_M, TAU_SYN, T_REF, E_L, V_TH = 250.0, 10.0, 0.5, 2.0, -65.0, -50.0
PSP, G, BACKGROUND_HZ = 0.15, -4.0, 8.0
DELAY, SPREAD = (1.5, 0.75), 0.5


def synapse_current() -> float:
    """Return the current [pA] whose postsynaptic potential peaks at 0.15 mV (87.8 pA)."""
    a = TAU_M / TAU_SYN
    peak = (a ** (-TAU_SYN / (TAU_M - TAU_SYN)) - a ** (-TAU_M / (TAU_M - TAU_SYN))) / (TAU_SYN - TAU_M)
    return PSP * C_M / (-TAU_M * TAU_SYN * peak) * 1.0 if peak else 0.0


def microcircuit(scale: float = 1.0, *, background: str = "poisson", seed: int = 55, dt: float = 0.1) -> Network:
    """Build the microcircuit: eight LIF populations with exponential current synapses, Poisson background.

    A scale below 1 takes fewer neurons and, in proportion, fewer inputs to each; weights grow by ``1 / sqrt(scale)``
    and a constant current replaces the lost mean input, so that mean and variance stay (van Albada, Helias & Diesmann
    2015).

    Parameters
    ----------
    scale : float
        Share of neurons and of inputs to each, in (0, 1].
    background : {"poisson", "dc"}
        Independent Poisson spikes into each neuron, or their mean as a constant current.
    seed : int
        Seed of connectivity and initial potentials.
    dt : float
        Step [ms].

    Returns
    -------
    Network
        77 169 neurons and 299 million synapses at full scale; potentials in mV, weights in mV (R = tau_m / C).
    """
    rng = np.random.default_rng(seed)
    w = synapse_current() * TAU_M / C_M
    strong = w / math.sqrt(scale)
    k = _indegrees()
    weight = np.tile(np.where(np.arange(8) % 2, G * w, w), (8, 1))
    weight[0, 2] *= 2.0
    populations = []
    for t, (name, size) in enumerate(zip(POPULATIONS, SIZES, strict=True)):
        lost = TAU_SYN * 1e-3 * (1.0 - math.sqrt(scale)) * float((weight[t] * k[t] * RATES).sum())
        rate = EXTERNAL[t] * BACKGROUND_HZ
        lost += TAU_SYN * 1e-3 * w * rate * ((1.0 - math.sqrt(scale)) if background == "poisson" else 1.0)
        n = round(size * scale)
        model = LIF(tau_m=TAU_M, v_rest=E_L + lost, v_th=V_TH, v_reset=E_L, t_ref=T_REF, tau_syn=TAU_SYN)
        rain = PoissonBackground(rate * scale, strong) if background == "poisson" else None
        populations.append(Population(name, n, model, background=rain, initial={"v": rng.normal(-58.0, 10.0, n)}))
    links = []
    for t, target in enumerate(populations):
        for s, source in enumerate(populations):
            n = round(k[t, s] * scale * target.n)
            if n:
                mean, delay = float(weight[t, s]) / math.sqrt(scale), DELAY[s % 2]
                links.append(
                    Projection.connect(
                        source,
                        target,
                        FixedNumber(n),
                        weight=Normal(mean, 0.1 * abs(mean), *((0.0, None) if mean > 0 else (None, 0.0))),
                        delay=Normal(delay, SPREAD * delay, low=dt),
                        seed=seed,
                    )
                )
    return Network((), tuple(populations), tuple(links), (), dt=dt, name=f"microcircuit-{scale:g}")


def _indegrees() -> np.ndarray:
    """Return the mean number of inputs, target by source, at full scale."""
    n = np.array(SIZES, float)
    p = np.array(PROBABILITY)
    return np.log1p(-p) / np.log1p(-1.0 / np.outer(n, n)) / n[:, None]
