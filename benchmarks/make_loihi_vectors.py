"""Regenerate tests/data/loihi_nengo_vectors.npz and loihi_nengo_noise.npz from the emulator of nengo-loihi 1.1.0.

It needs an environment of its own (``pip install "numpy<2" nengo nengo-loihi "setuptools<70"``). The emulator's
own compartment update is driven with random integer registers. The first file has no noise, and leaves out columns
where ``u + bias`` wraps; the second has noise, and many such columns.
"""

import sys
import warnings
from types import SimpleNamespace

import numpy as np

FIELDS = ("decay_u", "decay_v", "vth_mant", "bias_mant", "bias_exp", "vmin_exp", "vmax_exp", "refract")


def registers(rng, n):
    """Draw registers over their whole range, with small thresholds and short refractory times well represented."""
    edge = rng.random(n) < 0.3
    return {
        "decay_u": np.where(edge, rng.choice([0, 1, 4094, 4095], n), rng.integers(0, 4096, n)),
        "decay_v": np.where(rng.random(n) < 0.3, rng.choice([0, 1, 4095], n), rng.integers(0, 4096, n)),
        "vth_mant": np.where(rng.random(n) < 0.8, 2 ** rng.integers(0, 15, n), rng.integers(0, 131072, n)),
        "bias_mant": np.where(rng.random(n) < 0.5, 0, rng.integers(-4095, 4096, n)),
        "bias_exp": rng.integers(0, 8, n),
        "vmin_exp": rng.integers(0, 24, n),
        "vmax_exp": np.where(rng.random(n) < 0.7, 7, rng.integers(0, 8, n)),
        "refract": np.where(rng.random(n) < 0.7, rng.integers(1, 6, n), rng.integers(1, 64, n)),
    }


def build(p, n, noise=None):
    """Return the emulator's compartment state for these registers; ``noise`` is (exponent, offset, at the membrane)."""
    from nengo_loihi.block import LoihiBlock
    from nengo_loihi.emulator.interface import BlockInfo, CompartmentState

    block = LoihiBlock(n)
    compartment = block.compartment
    for name in ("decay_u", "decay_v"):
        setattr(compartment, name, p[name].astype(np.int32))
    compartment.vth = (p["vth_mant"] << 6).astype(np.int32)
    compartment.bias = (p["bias_mant"] << p["bias_exp"]).astype(np.int32)
    compartment.refract_delay = p["refract"].astype(np.int32)
    compartment.vmin, compartment.vmax = 0, 0
    compartment.scale_u = compartment.scale_v = False
    if noise is not None:
        compartment.enable_noise[:] = True
        compartment.noise_exp, compartment.noise_offset, compartment.noise_at_membrane = noise
    info = BlockInfo([block])
    state = CompartmentState(info, strict=False)
    # The chip shares bounds per core; the state keeps them per compartment, which covers more values per vector.
    state.vmin[:] = 1 - (1 << p["vmin_exp"])
    state.vmax[:] = (1 << (9 + 2 * p["vmax_exp"])) - 1
    return state


def main(path="tests/data/loihi_nengo_vectors.npz", n=160, ticks=100) -> None:
    """Write the vectors."""
    from nengo_loihi.builder.discretize import overflow_signed

    warnings.simplefilter("ignore")
    rng = np.random.default_rng(2018)
    p = registers(rng, n)
    scale = 2.0 ** rng.integers(6, 22, n)
    q = (rng.normal(0.5, 0.6, (ticks, n)) * scale).astype(np.int32)
    state = build(p, n)
    wraps = SimpleNamespace(q=np.zeros(n, int), u=np.zeros(n, int), u2=np.zeros(n, int))
    original = state._overflow

    def counting(x, bits, name=None):
        key = {"q0": "q", "current": "u", "u2": "u2"}[name]
        wraps.__dict__[key] += overflow_signed(x.copy(), bits=bits)[1]
        original(x, bits=bits, name=name)

    state._overflow = counting
    u, v, s = (np.zeros((ticks, n), np.int32) for _ in range(3))
    for t in range(ticks):
        state.advance_input()
        state.input[0] += q[t]
        state.update(SimpleNamespace(randint=rng.integers))
        u[t], v[t], s[t] = state.current, state.voltage, state.spiked
    keep = wraps.u2 == 0
    kept = {name: p[name][keep].astype(np.int32) for name in FIELDS}
    traces = {"q": q[:, keep], "u": u[:, keep], "v": v[:, keep], "spikes": s[:, keep].astype(bool)}
    np.savez_compressed(path, **kept, **traces, q_wraps=wraps.q[keep].sum(), u_wraps=wraps.u[keep].sum())
    print(f"{path}: {int(keep.sum())} of {n} compartments, {int(s[:, keep].sum())} spikes")


def with_noise(path="tests/data/loihi_nengo_noise.npz", n=40, ticks=80) -> None:
    """Write vectors with compartment noise: cases of (exponent, offset, target), with small and large biases."""
    warnings.simplefilter("ignore")
    rng, out = np.random.default_rng(63), {}
    cases = [(1, 0, 1), (5, -3, 0), (7, 2, 1), (12, 0, 0), (17, -2, 0), (19, 5, 1), (23, -64, 1), (23, 63, 0)]
    for number, case in enumerate(cases):
        p, x = registers(rng, n), []
        # Half of the currents hardly decay: u + bias leaves 24 bits again and again.
        p["decay_u"][::2] = rng.integers(0, 3, p["decay_u"][::2].size)
        q = (rng.normal(0.5, 0.6, (ticks, n)) * 2.0 ** rng.integers(6, 22, n)).astype(np.int32)
        state = build(p, n, case)

        def draw(low, high, size, dtype, x=x):
            x.append(rng.integers(low, high, size, dtype))
            return x[-1].copy()

        u, v, s = (np.zeros((ticks, n), np.int32) for _ in range(3))
        for t in range(ticks):
            state.advance_input()
            state.input[0] += q[t]
            state.update(SimpleNamespace(randint=draw))
            u[t], v[t], s[t] = state.current, state.voltage, state.spiked
        traces = {"q": q, "u": u, "v": v, "spikes": s.astype(bool), "x": np.array(x), "case": case}
        out |= {f"{number}/{k}": a for k, a in (traces | {f: p[f].astype(np.int32) for f in FIELDS}).items()}
        print(f"case {case}: {int(s.sum())} spikes")
    np.savez_compressed(path, **out)


if __name__ == "__main__":
    main(*sys.argv[1:2])
    with_noise(*sys.argv[2:3])
