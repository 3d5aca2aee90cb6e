"""Deployment files: what is read back is what was programmed, integer by integer and spike by spike."""

import h5py
import numpy as np
import pytest

from insectbot import plugins, scenario
from insectbot.check_backend import reference_network
from insectbot.chips import catalogue, datasheet
from insectbot.chips.deploy import Deployed, save
from insectbot.cli import main
from insectbot.errors import ConfigurationError, RunFolderError, Unsupported
from insectbot.snn import LIF, Input, Network, PoissonInput, Population, Projection

CHIPS = datasheet.names()


def spikes(executable, windows=4):
    executable.recording = True
    executable.reset(5)
    seen = []
    for k in range(windows):
        executable.window(np.full(executable.network.n_inputs, 0.3 + 0.2 * k), 60)
        seen += [np.concatenate([a.astype(np.int64) for a in executable.spikes()])]
    return np.concatenate(seen)


def brain():
    """Return a network that every chip can run."""
    rng = np.random.default_rng(3)
    return Network(
        inputs=(Input("in", 4, PoissonInput(150.0)),),
        populations=(Population("out", 2, LIF(tau_m=20.0, v_th=1.0)),),
        projections=(Projection.dense("in", "out", rng.uniform(0.1, 0.9, (2, 4))),),
        outputs=("out",),
        name="brain",
    )


@pytest.mark.parametrize("name", CHIPS)
def test_the_file_gives_the_same_spikes(tmp_path, name):
    chip, network = catalogue.chip(name), brain()
    executable = chip.compile(network, seed=2)
    expected = spikes(executable)
    assert expected.size > 20
    path = tmp_path / "brain.chip"
    save(chip, executable, path)
    assert [p.name for p in tmp_path.iterdir()] == ["brain.chip"]
    back = Deployed(path)
    assert (back.name, back.fidelity) == (chip.name, chip.fidelity)
    again = back.compile(network, seed=2)
    np.testing.assert_array_equal(spikes(again), expected)
    for key, array in again.programmed().items():
        np.testing.assert_array_equal(array, executable.programmed()[key])
    state = again.state()
    rest = spikes(again)
    again.load_state(state)
    np.testing.assert_array_equal(spikes(again), rest)


def test_the_integers_of_the_file_are_what_runs(tmp_path):
    """Silence one synapse in the file, and the spikes change as if the network had been built without it."""
    chip, network = catalogue.chip("loihi"), brain()
    path = tmp_path / "brain.chip"
    save(chip, chip.compile(network), path)
    whole = spikes(Deployed(path).compile())
    with h5py.File(path, "r+") as file:
        file["program/synapse_contribution"][0] = 0
    cut = spikes(Deployed(path).compile())
    assert not np.array_equal(cut, whole)
    executable = chip.compile(network)
    executable.programmed()["synapse_contribution"][0] = 0
    np.testing.assert_array_equal(cut, spikes(executable))


def test_options_and_datasheet_travel(tmp_path):
    chip = plugins.resolve("chip", "loihi@weight_bits=3@prices=nahuku")
    network = reference_network()
    executable = chip.compile(network)
    save(chip, executable, tmp_path / "brain.chip")
    back = Deployed(tmp_path / "brain.chip")
    assert back.chip.weight_bits == 3
    assert back.prices.name == "nahuku"
    assert back.sheet.figures == chip.sheet.figures
    np.testing.assert_array_equal(spikes(back.compile()), spikes(executable))


def test_a_deployed_brain_is_frozen_and_its_own(tmp_path):
    chip, network = catalogue.chip("loihi"), brain()
    path = tmp_path / "brain.chip"
    save(chip, chip.compile(network), path)
    executable = Deployed(path).compile(network)
    executable.set_weights(executable.weights())
    with pytest.raises(ConfigurationError, match="holds other weights of 'in->out'"):
        executable.set_weights({"in->out": np.zeros(8)})
    with pytest.raises(ConfigurationError, match="was made for network 'brain', not for 'check'"):
        Deployed(path).compile(reference_network())
    plastic = reference_network(plastic=True)
    save(chip, chip.compile(plastic), tmp_path / "plastic.chip")
    with pytest.raises(Unsupported, match="a deployed brain is frozen"):
        Deployed(tmp_path / "plastic.chip").compile().learning = True


def test_bad_files_are_one_sentence(tmp_path):
    with pytest.raises(RunFolderError, match="is no deployment file"):
        Deployed(tmp_path / "none.chip")
    (tmp_path / "text.chip").write_text("hello")
    with pytest.raises(RunFolderError, match="is no deployment file"):
        Deployed(tmp_path / "text.chip")
    chip = catalogue.chip("loihi")
    path = tmp_path / "brain.chip"
    save(chip, chip.compile(brain()), path)
    with h5py.File(path, "r+") as file:
        del file["program/register_keep_u"]
    with pytest.raises(RunFolderError, match="program/register_keep_u is missing"):
        Deployed(path).compile()
    with pytest.raises(RunFolderError, match="cannot be written"):
        save(chip, chip.compile(brain()), tmp_path / "no" / "brain.chip")


def test_from_the_command_line_to_the_closed_loop(tmp_path, monkeypatch, capsys):
    """Export a brain for a chip, then let the file forage as a chip: the same episode."""
    monkeypatch.chdir(tmp_path)
    assert main(["export", "foraging", "brain.chip", "--chip", "loihi", "--seed", "4"]) == 0
    assert "10 synapses for loihi on 1 of 128 cores" in capsys.readouterr().out
    what = scenario.load("foraging")
    env = scenario.make_env(what)
    obs, _ = env.reset(seed=1)
    actions = []
    for chip in ("loihi", "./brain.chip"):
        brain = scenario.make_controller(what, env, 4, chip=chip)
        brain.learning = False
        brain.reset(3)
        actions.append(np.array([brain.act(obs).copy() for _ in range(40)]))
    np.testing.assert_array_equal(*actions)
    assert actions[0].std() > 0
    assert main(["export", "foraging", "brain.nir", "--chip", "loihi"]) == 2
    assert main(["export", "foraging", "brain.chip", "--chip", "ideal"]) == 2
    assert "there is nothing to program" in capsys.readouterr().err
