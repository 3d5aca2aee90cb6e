"""``insectbot export``: a trained brain becomes a file that gives it back."""

import json

import nir
import numpy as np
import pytest
from cli_help import FAST, NETWORK, CommandLine

from insectbot.snn import nir as our


@pytest.fixture
def cli(tmp_path, monkeypatch, capsys):
    """A command line in an empty folder."""
    monkeypatch.chdir(tmp_path)
    line = CommandLine(tmp_path, capsys)
    line.write("line.toml", FAST)
    line.write("brain.py", NETWORK.format(n_inputs=3))
    return line


def test_a_brain_is_exported(cli):
    result = cli("export", "line.toml", "brain.nir", "--controller", "./brain.py:Big")
    assert result.code == 0
    assert result.out.startswith("brain.nir: 2 neurons, 6 synapses, ")
    assert "Only in" not in result.out
    network = our.from_nir(cli.folder / "brain.nir")
    np.testing.assert_allclose(network.projections[0].weight, 0.1)
    assert (
        cli("export", "line.toml", "pure.nir", "--controller", "./brain.py:Big", "--pure", "--for", "norse").code == 0
    )
    assert not nir.read(cli.folder / "pure.nir").metadata


def test_what_only_the_metadata_says_is_printed(cli):
    result = cli("export", "foraging", "brain.nir", "--json")
    assert result.code == 0
    said = json.loads(result.out)
    assert said["file"] == "brain.nir"
    assert any(what.startswith("plasticity (") for what in said["only_in_metadata"])
    assert our.from_nir(cli.folder / "brain.nir").n_neurons == said["neurons"]
    assert "  plasticity (" in cli("export", "foraging", "brain.nir").out
    pure = cli("export", "foraging", "pure.nir", "--pure")
    assert pure.code == 2
    assert "NIR cannot say: " in pure.err
    assert pure.err.count("\n") == 1
    assert not (cli.folder / "pure.nir").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["line.toml", "x.nir"], "has no network: nothing to export"),
        (["foraging", "x.nir", "--for", "brian"], "NIR dialect 'brian' is not known, only nir, grid, snntorch, norse"),
        (["foraging", "no/x.nir"], "no/x.nir cannot be written"),
        (["foraging", "x.nir", "--weights", "latest"], "there is no run in runs"),
    ],
)
def test_mistakes_are_one_sentence(cli, words, message):
    result = cli("export", *words)
    assert result.code == 2
    assert message in result.err.splitlines()[-1]
    assert not list(cli.folder.glob("*.nir"))
