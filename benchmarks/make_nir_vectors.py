"""Regenerate tests/data/nir_peers.zip: NIR files of snnTorch, Norse and sinabs, and the spikes that these make of them.

It needs an environment of its own: torch 2.13, snntorch 1.0, norse 1.1, sinabs 3.1, nirtorch 2.6, nir 1.0.8, pbr,
matplotlib, gymnasium (the first four with ``pip install --no-deps``: sinabs asks for an older nir and for a chip
library that is not needed), and this repository on PYTHONPATH.

``<peer>_<name>.nir`` is a network with random weights, written by the peer's own exporter; ``for_<peer>_<name>.nir`` is
one of insectbot's own, written for that peer. ``spikes.npz`` holds, per file, random input spikes and what the peer's
layers made of them, step by step.
"""

import io
import sys
import tempfile
import warnings
import zipfile
from pathlib import Path

import numpy as np

TICKS = 200
STRENGTH = {"snntorch": 2.0, "norse": 14.0, "sinabs": 14.0}
ZERO = {"reset_mechanism": "zero", "reset_delay": False, "init_hidden": True}


def snntorch_networks():
    """Return name -> (network, shape of its input)."""
    import snntorch as snn
    from torch import full, linspace, nn, ones

    conv = nn.Sequential(
        nn.Conv2d(1, 2, 3, padding=1),
        snn.Leaky(beta=full((2, 6, 6), 0.8), threshold=ones(2, 6, 6), **ZERO),
        nn.AvgPool2d(2),
        nn.Flatten(),
        nn.Linear(18, 4),
        snn.Leaky(beta=full((4,), 0.9), threshold=ones(4), **ZERO),
    )
    two = nn.Sequential(
        nn.Linear(6, 12),
        snn.Leaky(beta=linspace(0.4, 0.98, 12), threshold=linspace(0.5, 1.5, 12), **ZERO),
        nn.Linear(12, 8, bias=False),
        snn.Leaky(beta=full((8,), 0.9), threshold=ones(8), **ZERO),
    )
    subtract = nn.Sequential(
        nn.Linear(6, 12),
        snn.Leaky(beta=full((12,), 0.9), threshold=ones(12), init_hidden=True),
        nn.Linear(12, 8),
        snn.Leaky(beta=full((8,), 0.8), threshold=ones(8), init_hidden=True),
    )
    synaptic = nn.Sequential(
        nn.Linear(6, 12),
        snn.Synaptic(alpha=full((12,), 0.7), beta=linspace(0.5, 0.95, 12), threshold=full((12,), 3.0), **ZERO),
        nn.Linear(12, 8),
        snn.Synaptic(alpha=full((8,), 0.8), beta=full((8,), 0.9), threshold=full((8,), 2.0), **ZERO),
    )
    recurrent = nn.Sequential(
        nn.Linear(6, 12),
        snn.RLeaky(beta=0.9, threshold=1.0, linear_features=12, **ZERO),
        nn.Linear(12, 8),
        snn.Leaky(beta=full((8,), 0.9), threshold=ones(8), **ZERO),
    )
    flat = {"leaky": two, "subtract": subtract, "synaptic": synaptic, "recurrent": recurrent}
    return {"conv": (conv, (1, 6, 6)), **{name: (net, (6,)) for name, net in flat.items()}}


def norse_networks():
    """Return name -> (network, shape of its input)."""
    import norse.torch as norse
    from torch import full, linspace, nn, ones, zeros

    def box(n, tau_inv, leak=0.0):
        parameters = norse.LIFBoxParameters(full((n,), tau_inv), full((n,), leak), ones(n), zeros(n))
        return norse.LIFBoxCell(parameters)

    def cuba(n):
        parameters = norse.LIFParameters(full((n,), 250.0), linspace(50.0, 200.0, n), zeros(n), ones(n), zeros(n))
        return norse.LIFCell(parameters)

    leaky = norse.LIBoxCell(norse.LIBoxParameters(full((12,), 100.0), zeros(12)))
    fire = norse.IAFCell(norse.IAFParameters(ones(8), zeros(8)))
    networks = {
        "box": (nn.Linear(6, 12), box(12, 100.0, 0.1), nn.Linear(12, 8), box(8, 200.0)),
        "cuba": (nn.Linear(6, 12), cuba(12), nn.Linear(12, 8, bias=False), fire),
        "li": (nn.Linear(6, 12), leaky, nn.Linear(12, 8), box(8, 200.0)),
    }
    return {name: (norse.SequentialState(*layers), (6,)) for name, layers in networks.items()}


def sinabs_networks():
    """Return name -> (network, shape of its input)."""
    import sinabs.layers as sl
    from sinabs.activation import MembraneReset, SingleSpike
    from torch import linspace, nn, ones

    size = {"batch_size": 1, "spike_fn": SingleSpike}
    one = {**size, "reset_fn": MembraneReset()}

    def lif(n, **more):
        return sl.LIFSqueeze(tau_mem=linspace(3.0, 20.0, n), spike_threshold=ones(n), **more)

    leak = sl.ExpLeakSqueeze(batch_size=1, tau_mem=linspace(3.0, 20.0, 12))
    networks = {
        "conv": (
            *(nn.Conv2d(1, 2, 3, padding=1, bias=False), sl.IAFSqueeze(**one), sl.SumPool2d(2), nn.Flatten()),
            *(nn.Linear(18, 4), sl.IAFSqueeze(**one)),
        ),
        "leak": (nn.Linear(6, 12), leak, nn.Linear(12, 8), lif(8, **one)),
        "lif": (nn.Linear(6, 12), lif(12, **one), nn.Linear(12, 8), lif(8, **one)),
        "subtract": (nn.Linear(6, 12), lif(12, **size), nn.Linear(12, 8), sl.IAFSqueeze(**size)),
    }
    return {n: (nn.Sequential(*layers), (1, 6, 6) if n == "conv" else (6,)) for n, layers in networks.items()}


def scale(network, factor, last) -> None:
    """Make the random weights strong enough for spikes, those of the last layer ``last`` times as strong."""
    from torch import nn

    modules = [m for m in network.modules() if isinstance(m, nn.Linear | nn.Conv2d)]
    for module in modules:
        module.weight.data *= factor * (last if module is modules[-1] else 1.0)
        if module.bias is not None:
            module.bias.data.abs_()


def watch(network):
    """Return node name -> list that collects what each layer with state makes, one array per call."""
    seen = {}

    def hook(name):
        def keep(_module, _inputs, output):
            value = output[0] if isinstance(output, tuple) else output
            seen.setdefault(name, []).append(value.detach().numpy().copy())

        return keep

    for name, module in network.named_children():
        kind = type(module).__name__
        if kind not in ("Linear", "Conv2d", "AvgPool2d", "SumPool2d", "Flatten"):
            module.register_forward_hook(hook(f"{name}.lif" if kind.startswith("R") else name))
    return seen


def run(peer, network, inputs):
    """Run a network step by step (sinabs: at once) and return node -> [ticks, n]."""
    import torch

    seen = watch(network)
    x = torch.tensor(inputs, dtype=torch.float32)
    with torch.no_grad():
        if peer == "sinabs":
            network(x)
        state = None
        for tick in range(TICKS if peer != "sinabs" else 0):
            if peer == "norse":
                _, state = network(x[tick : tick + 1], state)
            else:
                network(x[tick : tick + 1])
    return {name: np.concatenate(parts).reshape(len(inputs), -1) for name, parts in seen.items()}


def export(peer, network, shape):
    """Return the NIR graph that a simulator writes."""
    import torch

    sample = torch.zeros(1, *shape)
    if peer == "snntorch":
        from snntorch.export_nir import export_to_nir

        return export_to_nir(network, sample, ignore_dims=[0])
    if peer == "norse":
        from norse.torch.utils.export_nir import to_nir

        return to_nir(network, sample)
    from sinabs.nir import to_nir

    graph = to_nir(network, sample)
    graph.infer_types()  # without it, sinabs's graph has undefined shapes and cannot be written
    return graph


def own_network(rng, dt, tau_syn):
    """Return a network of insectbot with two layers; the second has a synapse unless ``tau_syn`` is 0."""
    from insectbot.snn import LIF, Input, Network, Population, Projection, RegularInput

    first, second = rng.normal(0.3, 0.4, (12, 6)), rng.normal(0.3, 0.6, (4, 12))
    return Network(
        (Input("in", 6, RegularInput(1000.0 / dt)),),
        (Population("a", 12, LIF(tau_m=10 * dt)), Population("b", 4, LIF(tau_m=20 * dt, tau_syn=tau_syn))),
        (Projection.dense("in", "a", first, delay=dt), Projection.dense("a", "b", second, delay=dt)),
        ("b",),
        dt=dt,
    )


def read_and_run(peer, path, inputs):
    """Let a peer read a file and run it; return what its output makes, [ticks, n]."""
    import nir
    import torch

    graph = nir.read(path)
    if peer == "norse":
        from norse.torch.utils.import_nir import from_nir

        network = from_nir(graph)
    else:
        from snntorch.import_nir import import_from_nir

        network = import_from_nir(graph)
    x, state, out = torch.tensor(inputs, dtype=torch.float32), None, []
    with torch.no_grad():
        for tick in range(TICKS):
            result = network(x[tick : tick + 1], *(() if state is None else (state,)))
            value, state = result if isinstance(result, tuple) else (result, None)
            out.append(value.numpy().ravel())
    return np.array(out)


def from_peers(folder, rng, out) -> None:
    """Write the peers' files and add their spikes."""
    import nir

    peers = {"snntorch": snntorch_networks, "norse": norse_networks, "sinabs": sinabs_networks}
    for peer, networks in peers.items():
        for name, (network, shape) in networks().items():
            scale(network, STRENGTH[peer], 0.1 if name in ("li", "leak") else 1.0)
            nir.write(folder / f"{peer}_{name}.nir", export(peer, network, shape), compression=None)
            inputs = rng.random((TICKS, *shape)) < 0.3
            for module in network.modules():
                if hasattr(module, "reset_mem" if peer == "snntorch" else "reset_states"):
                    (module.reset_mem if peer == "snntorch" else module.reset_states)()
            out[f"{peer}_{name}/input"] = inputs.reshape(TICKS, -1)
            out |= {f"{peer}_{name}/{node}": made for node, made in run(peer, network, inputs).items()}


def for_peers(folder, rng, out) -> None:
    """Write insectbot's own files and add the peers' spikes."""
    from insectbot.snn import nir as ours

    for peer, dt in (("snntorch", 0.1), ("norse", 1.0)):
        for name, tau_syn in (("delta", 0.0), ("exponential", 5 * dt)):
            path = folder / f"for_{peer}_{name}.nir"
            ours.write(own_network(rng, dt, tau_syn), path, dialect=peer)
            inputs = rng.random((TICKS, 6)) < 0.3
            out[f"{path.stem}/input"] = inputs
            out[f"{path.stem}/b"] = read_and_run(peer, path, inputs)


def main(path="tests/data/nir_peers.zip") -> None:
    """Write all files and the spikes."""
    import torch

    warnings.simplefilter("ignore")
    torch.manual_seed(1)
    rng = np.random.default_rng(1)
    out = {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        from_peers(folder, rng, out)
        for_peers(folder, rng, out)
        for name, made in out.items():
            print(f"{name:24} {made.shape[1]:3} units, {np.count_nonzero(made):6} of {made.size} not 0")
        memory = io.BytesIO()
        np.savez_compressed(memory, **{k: v if (v % 1).any() else v.astype(bool) for k, v in out.items()})
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in sorted(folder.glob("*.nir")):
                archive.writestr(zipfile.ZipInfo(file.name), file.read_bytes(), zipfile.ZIP_DEFLATED)
            archive.writestr(zipfile.ZipInfo("spikes.npz"), memory.getvalue())


if __name__ == "__main__":
    main(*sys.argv[1:])
