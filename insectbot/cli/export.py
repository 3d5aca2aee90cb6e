"""``insectbot export``: a brain as a NIR file, and what other programs will not find in its nodes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from insectbot.cli.choose import Choice
from insectbot.cli.console import announcing_compilation, print_json, say
from insectbot.errors import ConfigurationError, Unsupported

if TYPE_CHECKING:
    from insectbot.snn.network import Network


def export(
    choice: Choice, path: Path, weights: str | None, seed: int, pure: bool, reader: str, as_json: bool, out: Path
) -> None:
    """Write the network of a scenario's controller and print what the file holds.

    Parameters
    ----------
    choice : Choice
        Scenario and what replaces parts of it.
    path : Path
        File to be written.
    weights : str or None
        Run whose trained weights are taken; None leaves the initial ones.
    seed : int
        Seed of the initial weights, or training seed of the run.
    pure : bool
        Whether to write NIR alone, and refuse what it cannot say.
    reader : str
        Who will read: a name in :data:`insectbot.snn.nir.READERS`.
    as_json : bool
        Print JSON instead of lines.
    out : Path
        Folder of all runs.

    Raises
    ------
    ConfigurationError, RunFolderError, Unsupported
        The controller has no network, there are no weights, the file cannot be written, or ``pure`` loses something.
    """
    from insectbot.snn import nir

    network = _network(choice, weights, seed, out)
    lost = nir.lost(network, dialect=reader)
    if pure and lost:
        raise Unsupported(f"NIR cannot say: {'; '.join(lost)}; leave --pure out to keep it as metadata")
    nir.write(network, path, lossless=not pure, dialect=reader)
    size = {"neurons": network.n_neurons, "synapses": network.n_synapses, "bytes": path.stat().st_size}
    if as_json:
        print_json({"file": path, **size, "metadata": not pure, "only_in_metadata": lost})
        return
    print(f"{path}: {size['neurons']} neurons, {size['synapses']} synapses, {size['bytes'] / 1000:.0f} kB")
    if lost:
        print("Only in insectbot's metadata, which other programs pass over:")
        for what in lost:
            print(f"  {what}")


def deploy(choice: Choice, path: Path, chip: str, weights: str | None, seed: int, as_json: bool, out: Path) -> None:
    """Write the deployment file of a brain on a chip and print what it holds.

    Parameters
    ----------
    choice, path, weights, seed, as_json, out
        As in :func:`export`.
    chip : str
        Chip, with options after ``@``.

    Raises
    ------
    ConfigurationError, DoesNotFit, Unsupported, RunFolderError
        The chip has nothing to be programmed with or cannot run the network, or the file cannot be written.
    """
    from insectbot.chips.chip import Chip
    from insectbot.chips.deploy import SUFFIX, save
    from insectbot.scenario import make_backend

    backend: Any = make_backend(chip)
    if not isinstance(backend, Chip):
        raise ConfigurationError(f"--chip {chip!r}: is no emulated chip, so there is nothing to program")
    if path.suffix != SUFFIX:
        raise ConfigurationError(f"export {str(path)!r}: a deployment file ends in {SUFFIX}")
    network = _network(choice, weights, seed, out)
    with announcing_compilation():
        executable = backend.compile(network, seed=seed)
    save(backend, executable, path)
    program = {name: list(a.shape) for name, a in executable.programmed().items()}
    cores = next((u for u in executable.usage if u.resource == "cores"), None)
    if as_json:
        print_json({"file": path, "chip": backend.name, "program": program, "bytes": path.stat().st_size})
        return
    place = f" on {cores.used:g} of {cores.limit:g} cores" if cores is not None and cores.limit else ""
    print(f"{path}: {network.n_neurons} neurons, {network.n_synapses} synapses for {backend.name}{place}")
    print(f"run it: insectbot bench {choice.scenario} --chips ideal,./{path}")


def _network(choice: Choice, weights: str | None, seed: int, out: Path) -> Network:
    """Return the network of a controller with its present weights."""
    from insectbot.cli.weights import take_weights
    from insectbot.scenario import make_controller, make_env
    from insectbot.training.episodes import weights_of

    scenario = choice.load()
    with announcing_compilation():
        env = make_env(scenario, "evaluate")
        controller: Any = make_controller(scenario, env, seed)
    if weights is not None:
        say(take_weights(controller, weights, seed, out))
    network = getattr(controller, "network", None)
    current = weights_of(controller)
    env.close()
    if network is None:
        raise ConfigurationError(f"controller {scenario.controller.name!r} has no network: nothing to export")
    return network.with_weights(current) if current else network
