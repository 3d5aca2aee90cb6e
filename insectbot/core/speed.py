"""How fast the core is here and now: the closed-loop standard network (1000 LIF x 100 synapses, pair STDP)."""

from __future__ import annotations

import time

import numpy as np

from insectbot.core.simulator import CoreExecutable
from insectbot.snn import LIF, CurrentInput, Input, Network, PairSTDP, Population, Projection


def balanced_network(n: int = 1000, fan_in: int = 100, *, plastic: bool = True, seed: int = 1) -> Network:
    """Build a balanced network that is driven by 8 analog channels and fires at about 10 Hz, dt 1 ms.

    80 % excitatory, exponential current synapses (5 ms), ``fan_in`` synapses to each neuron, pair STDP on the
    excitatory ones.

    Parameters
    ----------
    n, fan_in : int
        Neurons, and synapses to each.
    plastic : bool
        Whether the excitatory synapses learn.
    seed : int
        Seed of the connectivity.
    """
    rng = np.random.default_rng(seed)
    n_exc = int(0.8 * n)
    pre = np.concatenate([rng.choice(n, fan_in, replace=False) for _ in range(n)])
    post = np.repeat(np.arange(n), fan_in)
    exc = pre < n_exc
    rule = PairSTDP(a_plus=0.005, a_minus=0.00525, w_min=0.0, w_max=2.4) if plastic else None
    return Network(
        inputs=(Input("drive", 8, CurrentInput()),),
        populations=(Population("n", n, LIF(tau_m=20.0, v_th=15.0, t_ref=2.0, tau_syn=5.0)),),
        projections=(
            Projection.sparse("drive", "n", pre=np.arange(n) % 8, post=np.arange(n), weight=rng.uniform(0.7, 1.3, n)),
            Projection.sparse("n", "n", pre=pre[exc], post=post[exc], weight=1.2, plasticity=rule, name="excitatory"),
            Projection.sparse("n", "n", pre=pre[~exc], post=post[~exc], weight=-4.8, name="inhibitory"),
        ),
        outputs=("n",),
        name=f"balanced-{n}",
    )


def drive(steps: int) -> np.ndarray:
    """Return the analog drive of the standard network, float32 of shape (steps, 8) [mV]."""
    return (13.5 + 12.0 * np.random.default_rng(99).standard_normal((steps, 8))).astype(np.float32)


def measure(n: int = 1000, steps: int = 4000, repeats: int = 3) -> dict[str, float]:
    """Time single 1 ms steps called from Python, plastic and static.

    Parameters
    ----------
    n : int
        Neurons, with 100 synapses each.
    steps, repeats : int
        Timed steps, and how often; the median of the repeats counts.

    Returns
    -------
    dict
        ``plastic_us``, ``static_us``: process time per step [us]; ``rate_hz``: mean firing rate, plastic.
    """
    drives = drive(steps)
    out: dict[str, float] = {}
    for label, plastic in (("static", False), ("plastic", True)):
        executable = CoreExecutable(balanced_network(n, plastic=plastic))
        times = []
        for _ in range(repeats):
            executable.reset(0)
            began = time.process_time()
            for row in drives:
                executable.window(row, 1)
            times.append((time.process_time() - began) / steps * 1e6)
        out[f"{label}_us"] = float(np.median(times))
        out["rate_hz"] = executable.counters().spikes / n / (steps * 1e-3)
    return out
