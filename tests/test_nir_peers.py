"""Files of snnTorch, Norse and sinabs run with the same spikes here, and insectbot's files run with the same there.

The archive is made by benchmarks/make_nir_vectors.py: files, random input spikes, and what the peers' layers made.
"""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from helpers_nir import run

from insectbot.errors import ShapeError
from insectbot.snn import nir as our

ARCHIVE = zipfile.ZipFile(Path(__file__).parent / "data" / "nir_peers.zip")
MADE = np.load(io.BytesIO(ARCHIVE.read("spikes.npz")))
FILES = sorted(name.removesuffix(".nir") for name in ARCHIVE.namelist() if name.endswith(".nir"))
RESET = {"snntorch_subtract": "subtract next step", "sinabs_subtract": "subtract"}
"""Networks with a reset that their files do not tell."""


def made(name):
    """Return (input spikes, layer -> what the peer made of them)."""
    layers = [key.split("/")[1] for key in MADE.files if key.startswith(f"{name}/")]
    found = {layer: MADE[f"{name}/{layer}"].astype(float) for layer in layers}
    return found.pop("input"), found


@pytest.mark.parametrize("name", [f for f in FILES if not f.startswith("for_")])
def test_files_of_peers_run_with_the_same_spikes(name, tmp_path):
    ARCHIVE.extract(f"{name}.nir", tmp_path)
    found = our.load(tmp_path / f"{name}.nir", dialect=name.split("_")[0], reset=RESET.get(name, "value"))
    inputs, layers = made(name)
    mine = run(found.network, {"input": inputs}, max(found.late.values()))
    assert set(layers) == set(found.late)
    for layer, theirs in layers.items():
        late = found.late[layer]
        here = mine[layer][late : late + len(theirs)]
        if found.network.population(layer).model.spiking:
            assert theirs.sum() > 20
            np.testing.assert_array_equal(here, theirs)
        else:
            np.testing.assert_allclose(here, theirs, atol=1e-5 * np.abs(theirs).max())
    assert max(found.late.values()) == len(layers)
    assert all("batch or time" in note for note in found.notes)


@pytest.mark.parametrize("name", [f for f in FILES if f.startswith("for_")])
def test_files_for_peers_run_there_with_the_same_spikes(name, tmp_path):
    ARCHIVE.extract(f"{name}.nir", tmp_path)
    network = our.from_nir(tmp_path / f"{name}.nir")
    inputs, layers = made(name)
    # Two layers, one step each; an exponential synapse here lets v feel a spike one step after it arrived.
    late = 3 if name.endswith("exponential") else 2
    mine = run(network, {"in": inputs}, late)["b"][late:]
    np.testing.assert_array_equal(mine, layers["b"])
    assert layers["b"].sum() > 100
    peer = name.split("_")[1]
    graph = our.to_nir(network, dialect=peer)
    again = our.load(graph, dialect=our.READERS[peer], dt=network.dt, metadata=False)
    there = run(again.network, {"in": inputs}, 2)["b"][again.late["b"] :]
    np.testing.assert_array_equal(there, layers["b"])


def test_the_wrong_dialect_makes_other_spikes(tmp_path):
    ARCHIVE.extract("snntorch_leaky.nir", tmp_path)
    inputs, layers = made("snntorch_leaky")
    for options in ({"dialect": "sinabs"}, {"dialect": "snntorch", "reset": "subtract"}):
        found = our.load(tmp_path / "snntorch_leaky.nir", **options)
        late = found.late["1"]
        assert (run(found.network, {"input": inputs}, late)["1"][late:] != layers["1"]).mean() > 0.05


def test_every_peer_is_there():
    assert {f.split("_")[0] for f in FILES} == {"snntorch", "norse", "sinabs", "for"}
    assert len(FILES) == 16


def test_a_layer_of_another_size_is_refused(tmp_path):
    import h5py

    ARCHIVE.extract("norse_box.nir", tmp_path)
    with h5py.File(tmp_path / "norse_box.nir", "a") as file:
        del file["node/nodes/0/weight"]
        file["node/nodes/0/weight"] = np.zeros((3, 6))
    with pytest.raises(ShapeError, match=r"NIR Affine '0': bias: 12 values for 3 units|'0' makes shape"):
        our.load(tmp_path / "norse_box.nir", dialect="norse")
