"""The standard networks of the speed benchmark: closed loop (W1), balanced (W2), plastic (W3), embodied (W5)."""

from __future__ import annotations

import numpy as np

from insectbot.snn import (
    LIF,
    CurrentInput,
    Delta,
    Exponential,
    FixedInDegree,
    FixedProbability,
    Input,
    Network,
    Output,
    PairSTDP,
    PoissonInput,
    Population,
    Projection,
    RewardSTDP,
)


def w1(n: int = 1000, *, plastic: bool = True, seed: int = 1) -> Network:
    """Return the closed-loop network: 8 analog drives, 4 pools read, dt 1 ms, about 10 Hz.

    LIF with exponential current synapses (5 ms), ``min(n / 10, 100)`` synapses to each neuron, the first 80 %
    excitatory; pair STDP on the excitatory ones.

    Parameters
    ----------
    n : int
        Neurons, a multiple of 10.
    plastic : bool
        Whether the excitatory synapses learn.
    seed : int
        Seed of connectivity and gains.
    """
    k, n_exc, pool = min(n // 10, 100), int(0.8 * n), n // 10
    rng = np.random.default_rng(seed + n)
    pre = np.concatenate([rng.choice(n, k, replace=False) for _ in range(n)])
    post = np.repeat(np.arange(n), k)
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
        outputs=tuple(Output("n", n // 2 + q * pool, n // 2 + (q + 1) * pool, pooled=True) for q in range(4)),
        name=f"w1-{n}{'-plastic' if plastic else ''}",
    )


def w1_drive(steps: int) -> np.ndarray:
    """Return the analog drive of W1, float32 of shape (steps, 8) [mV]."""
    return (13.5 + 12.0 * np.random.default_rng(99).standard_normal((steps, 8))).astype(np.float32)


def w2(kind: str = "cuba", *, seed: int = 3) -> Network:
    """Return the benchmark of Vogels & Abbott (Brette et al. 2007): 4000 LIF, 2 % connected, dt 0.1 ms.

    Parameters
    ----------
    kind : {"cuba", "coba"}
        Current synapses, about 5.4 Hz; or conductances with a constant 20 mV drive, about 20 Hz.
    seed : int
        Seed of connectivity and initial potentials.
    """
    v = np.random.default_rng(seed).uniform(-60.0, -50.0, 4000)
    coba = kind == "coba"
    model = LIF(tau_m=20.0, v_rest=-60.0 if coba else -49.0, v_th=-50.0, v_reset=-60.0, t_ref=5.0)
    reversal = (0.0, -80.0) if coba else (None, None)
    receptors = {"exc": Exponential(5.0, reversal[0]), "inh": Exponential(10.0, reversal[1])}
    e, i = (
        Population(name, n, model, receptors=receptors, initial={"v": start})
        for name, n, start in (("e", 3200, v[:3200]), ("i", 800, v[3200:]))
    )
    weights = {"e": 0.6 if coba else 1.62, "i": 6.7 if coba else -9.0}
    links = [
        Projection.connect(
            source,
            target,
            FixedProbability(0.02, self_connections=False),
            weight=weights[source.name],
            delay=0.1,
            seed=seed,
            receptor="exc" if source is e else "inh",
        )
        for source in (e, i)
        for target in (e, i)
    ]
    drive = Input("drive", 1, CurrentInput(20.0))
    links += [Projection.dense("drive", p.name, np.ones((p.n, 1)), delay=0.1) for p in (e, i) if coba]
    inputs = (drive,) if coba else ()
    return Network(inputs, (e, i), tuple(links), (), dt=0.1, name=f"w2-{kind}")


def w3(n: int = 10_000, *, plastic: bool = True, seed: int = 5) -> Network:
    """Return the balanced network with 1000 delta synapses to each neuron, delay 1.5 ms, dt 0.1 ms, about 13 Hz.

    80 % excitatory; 800 excitatory and 200 inhibitory synapses end on each neuron; a constant drive instead of noise.

    Parameters
    ----------
    n : int
        Neurons; 10 000 makes 10 million synapses.
    plastic : bool
        Whether the excitatory synapses learn by pair STDP.
    seed : int
        Seed of connectivity and initial potentials.
    """
    n_exc = int(0.8 * n)
    v = np.random.default_rng(seed).uniform(0.0, 20.0, n)
    model = LIF(tau_m=20.0, v_rest=24.0, v_th=20.0, v_reset=10.0, t_ref=2.0)
    e, i = (
        Population(name, size, model, receptors={"": Delta()}, initial={"v": start})
        for name, size, start in (("e", n_exc, v[:n_exc]), ("i", n - n_exc, v[n_exc:]))
    )
    rule = PairSTDP(a_plus=0.0005, a_minus=0.00055, w_min=0.0, w_max=0.4) if plastic else None
    links = [
        Projection.connect(
            source,
            target,
            FixedInDegree(800 if source is e else 200),
            weight=0.2 if source is e else -1.0,
            delay=1.5,
            seed=seed,
            plasticity=rule if source is e else None,
        )
        for source in (e, i)
        for target in (e, i)
    ]
    return Network((), (e, i), tuple(links), (), dt=0.1, name=f"w3-{n}{'-plastic' if plastic else ''}")


def w5(n: int = 100, *, seed: int = 7) -> Network:
    """Return the network of the embodied benchmark: 5 Poisson sensors, ``n`` LIF, 2 motors, reward STDP, dt 1 ms.

    Parameters
    ----------
    n : int
        Hidden neurons; each hears all sensors and 10 others, and speaks to both motors.
    seed : int
        Seed of weights and connectivity.
    """
    rng = np.random.default_rng(seed)
    rule = RewardSTDP(learning_rate=1e-3, w_min=0.0, w_max=0.6)
    sensors = Input("sensors", 5, PoissonInput(200.0))
    hidden = Population("hidden", n, LIF(tau_m=20.0, v_th=1.0, t_ref=2.0))
    motors = Population("motors", 2, LIF(tau_m=20.0, v_th=1.0))
    return Network(
        inputs=(sensors,),
        populations=(hidden, motors),
        projections=(
            Projection.dense("sensors", "hidden", rng.uniform(0.0, 0.2, (n, 5)), plasticity=rule),
            Projection.connect(hidden, hidden, FixedInDegree(10), weight=0.02, seed=seed),
            Projection.dense("hidden", "motors", rng.uniform(0.0, 0.1, (2, n)), plasticity=rule),
        ),
        outputs=("motors",),
        name=f"w5-{n}",
    )
