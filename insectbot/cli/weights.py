"""Trained brains out of run folders."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from insectbot.cli.folders import open_run
from insectbot.errors import RunFolderError

if TYPE_CHECKING:
    import numpy.typing as npt

    from insectbot.loop.runfolder import RunFolder
    from insectbot.protocols import Controller
    from insectbot.scenario_models import Scenario

Brains = dict[int, "dict[str, npt.NDArray]"]


def scenario_of(run: RunFolder, overrides: dict[str, Any] | None = None) -> Scenario:
    """Return the scenario of a run; raises RunFolderError or ConfigurationError."""
    from insectbot.scenario import load

    return load(run.file("scenario.toml"), overrides)


def trained_seeds(run: RunFolder) -> dict[int, Path]:
    """Return training seed -> checkpoint of a run; empty if it never trained."""
    found = sorted(run.file("checkpoints").glob("seed_*.npz"))
    return {int(path.stem.removeprefix("seed_")): path for path in found}


def latest_trained(name: str, root: Path) -> RunFolder | None:
    """Return the newest run of a scenario ("latest": of all) that has trained, or None."""
    from insectbot.loop.runfolder import RunFolder

    pattern = f"{'*' if name == 'latest' else name}/[0-9]*/checkpoints/seed_*.npz"
    folders = sorted((path.parent.parent for path in root.glob(pattern)), key=lambda folder: folder.name)
    return RunFolder.open(folders[-1]) if folders else None


def find_trained(ref: str, root: Path) -> RunFolder:
    """Return a trained run by folder, by scenario name, or the "latest".

    Raises
    ------
    RunFolderError
        There is none.
    """
    return (None if Path(ref).exists() else latest_trained(ref, root)) or open_run(ref, root)


def brains_of(run: RunFolder, seeds: list[int] | None = None) -> Brains:
    """Return training seed -> weights by projection of a trained run.

    Parameters
    ----------
    run : RunFolder
        Run that trained.
    seeds : list of int or None
        Which of its seeds; None takes all.

    Raises
    ------
    RunFolderError
        It has no checkpoint, or a damaged one.
    """
    from insectbot.loop import checkpoint
    from insectbot.scenario import make_controller, make_env
    from insectbot.training.episodes import weights_of

    paths = trained_seeds(run)
    if not paths:
        raise RunFolderError(f"{run.path} holds no trained weights: give a run of insectbot train")
    scenario = scenario_of(run)
    env = make_env(scenario, "train")
    brains: Brains = {}
    for seed in paths if seeds is None else seeds:
        arrays = checkpoint.load(paths[seed]).arrays
        state = {n.removeprefix("controller/"): a for n, a in arrays.items() if n.startswith("controller/")}
        controller: Any = make_controller(scenario, env, seed)
        (controller.load_state if hasattr(controller, "load_state") else controller.set_weights)(state)
        brains[seed] = weights_of(controller)
    env.close()
    return brains


def take_weights(controller: Controller, ref: str, seed: int, root: Path) -> str:
    """Give a controller the weights of a trained run; return one line that says which.

    Parameters
    ----------
    controller : Controller
        Brain of the same shape.
    ref : str
        Run folder, folder of a scenario's runs, a scenario's name, or "latest".
    seed : int
        Training seed, if the run has it; otherwise its first.
    root : Path
        Folder of all runs.

    Raises
    ------
    RunFolderError
        No such run, no weights in it, or a controller without weights.
    ShapeError, ConfigurationError
        The weights are those of another network.
    """
    from insectbot.training.episodes import give_weights

    run = find_trained(ref, root)
    if not hasattr(controller, "set_weights"):
        raise RunFolderError(f"--weights {ref}: this controller has no weights to replace")
    paths = trained_seeds(run)
    chosen = seed if seed in paths else next(iter(paths), seed)
    give_weights(controller, brains_of(run, [chosen] if paths else None)[chosen])
    return f"weights of training seed {chosen} from {run.path}"
