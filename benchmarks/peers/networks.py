"""The standard networks W1, W2 and W3, so that every simulator runs the same connectivity.

Every synapse has a weight of its own, although only two values occur: no simulator may profit from equal weights.
"""

from __future__ import annotations

import numpy as np
from standard import N_CHANNELS, N_OUTPUTS, Floats, Ints, Standard, Stdp


def standard(net: str, n: int, *, plastic: bool = False, kind: str | None = None) -> Standard:
    """Return a standard network by name: "w1" and "w3" may be plastic, "w2" is of kind "cuba" or "coba"."""
    if net == "w1":
        return w1(n, plastic=plastic)
    if net == "w2":
        return w2(kind or "cuba", n)
    return w3(n, plastic=plastic)


def w1(n: int = 1000, *, plastic: bool = False) -> Standard:
    """Build W1, the closed loop at dt = 1 ms: current synapses, 8 drive channels, 4 counted populations."""
    rng = np.random.default_rng(1 + n)
    fan_in, n_exc = int(min(0.1 * n, 100)), int(0.8 * n)
    pre = np.concatenate([_distinct(rng, n, fan_in) for _ in range(n)])
    pre, post = _by_source(pre, np.repeat(np.arange(n, dtype=np.int32), fan_in))
    gain = rng.uniform(0.7, 1.3, n).astype(np.float32)
    size = n // 10
    return Standard(
        name="w1",
        n=n,
        n_exc=n_exc,
        dt=1.0,
        delay=1.0,
        tau_m=20.0,
        tau_exc=5.0,
        tau_inh=5.0,
        t_ref=2.0,
        v_rest=0.0,
        v_th=15.0,
        v_reset=0.0,
        current=0.0,
        pre=pre,
        post=post,
        weight=np.where(pre < n_exc, 1.2, -4.8).astype(np.float32),
        v0=np.zeros(n, np.float32),
        stdp=Stdp(0.005, 0.00525, w_max=2.4) if plastic else None,
        channel=(np.arange(n) % N_CHANNELS).astype(np.int32),
        gain=gain,
        outputs=tuple(slice(n // 2 + q * size, n // 2 + (q + 1) * size) for q in range(N_OUTPUTS)),
    )


def w1_drive(steps: int) -> Floats:
    """Return the drive of W1 [mV], shape (steps, 8)."""
    noise = np.random.default_rng(99).standard_normal((steps, N_CHANNELS))
    return (13.5 + 12.0 * noise).astype(np.float32)


def w2(kind: str = "cuba", n: int = 4000) -> Standard:
    """Build W2, the benchmark of Vogels & Abbott (Brette et al. 2007): current ("cuba") or conductance synapses.

    The conductance network has a constant drive of 20 mV in place of a start kick. Below 4000 neurons the connection
    probability grows, so that the fan-in stays.
    """
    rng = np.random.default_rng(3)
    n_exc, p = int(0.8 * n), min(0.02 * 4000 / n, 1.0)
    rows = []
    for i in range(n):
        targets = np.flatnonzero(rng.random(n) < p).astype(np.int32)
        rows.append(targets[targets != i])
    pre = np.repeat(np.arange(n, dtype=np.int32), [row.size for row in rows])
    coba = kind == "coba"
    w_exc, w_inh = (0.6, 6.7) if coba else (1.62, -9.0)
    return Standard(
        name=f"w2 {kind}",
        n=n,
        n_exc=n_exc,
        dt=0.1,
        delay=0.1,
        tau_m=20.0,
        tau_exc=5.0,
        tau_inh=10.0,
        t_ref=5.0,
        v_rest=-60.0 if coba else -49.0,
        v_th=-50.0,
        v_reset=-60.0,
        current=20.0 if coba else 0.0,
        pre=pre,
        post=np.concatenate(rows),
        weight=np.where(pre < n_exc, w_exc, w_inh).astype(np.float32),
        v0=rng.uniform(-60, -50, n).astype(np.float32),
        e_exc=0.0 if coba else None,
        e_inh=-80.0 if coba else None,
    )


def w3(n: int = 10_000, *, plastic: bool = False) -> Standard:
    """Build W3, a balanced network after Brunel (2000) with 1000 delta synapses to each neuron, delay 1.5 ms.

    A constant drive takes the place of Poisson input, so that no simulator's random generator is measured.
    """
    rng = np.random.default_rng(5)
    n_exc, k_exc, k_inh = int(0.8 * n), 800, 200
    rows = np.empty((n, k_exc + k_inh), np.int32)
    for row in rows:
        row[:k_exc] = _distinct(rng, n_exc, k_exc)
        row[k_exc:] = n_exc + _distinct(rng, n - n_exc, k_inh)
    pre, post = _by_source(rows.ravel(), np.repeat(np.arange(n, dtype=np.int32), k_exc + k_inh))
    return Standard(
        name="w3",
        n=n,
        n_exc=n_exc,
        dt=0.1,
        delay=1.5,
        tau_m=20.0,
        tau_exc=0.0,
        tau_inh=0.0,
        t_ref=2.0,
        v_rest=0.0,
        v_th=20.0,
        v_reset=10.0,
        current=24.0,
        pre=pre,
        post=post,
        weight=np.where(pre < n_exc, 0.2, -1.0).astype(np.float32),
        v0=rng.uniform(0, 20, n).astype(np.float32),
        stdp=Stdp(0.0005, 0.00055, w_max=0.4) if plastic else None,
    )


def _distinct(rng: np.random.Generator, n: int, k: int) -> Ints:
    """Draw k different numbers below n; a cheap rejection where k is small against n."""
    while True:
        drawn = np.unique(rng.integers(0, n, int(k * 1.5) + 8) if k * 4 < n else rng.permutation(n)[:k])
        if drawn.size >= k:
            rng.shuffle(drawn)
            return drawn[:k].astype(np.int32)


def _by_source(pre: Ints, post: Ints) -> tuple[Ints, Ints]:
    """Sort synapses that are ordered by target: by source, then target."""
    order = np.argsort(pre, kind="stable")
    return pre[order], post[order]
