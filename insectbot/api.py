"""The Python journey: ``insectbot.run("foraging", seed=1, episodes=3)``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from insectbot.errors import ConfigurationError
from insectbot.loop.episode import run_episode
from insectbot.loop.recorder import Header, Label, Recorder
from insectbot.scenario import Scenario, control_period, load, make_controller, make_env
from insectbot.seeding import derive


@dataclass(frozen=True, eq=False)
class Run:
    """What happened in a few episodes.

    Attributes
    ----------
    scenario : Scenario
        What was run.
    metrics : list of dict
        One per episode: ``steps``, ``reward`` and the metrics of the world (None where not defined).
    positions : list of ndarray of float32, shape (steps + 1, 3)
        One per episode: x, y [unit of the world] and heading [rad]; row 0 is the start.
    spikes : list of ndarray of int64, shape (n_spikes, 2)
        One per episode: tick (of ``dt`` ms since the start) and global unit number (see ``units``).
    weights : dict of str to ndarray of float32, shape (episodes + 1, n_synapses)
        By projection, in projection order: before the first episode and after each.
    units : dict of str to tuple of int
        Group of the network -> first and last + 1 global unit number.
    dt : float
        Simulation step of the network [ms]; 0 without a network.
    scenes : list of dict
        The world of each episode, for drawing.
    states : list of dict of str to ndarray of float, shape (ticks, n)
        One per episode: the state variables named by ``record.states`` of the scenario, after every tick.
    """

    scenario: Scenario
    metrics: list[dict[str, Any]]
    positions: list[npt.NDArray[np.float32]]
    spikes: list[npt.NDArray[np.int64]]
    weights: dict[str, npt.NDArray[np.float32]]
    units: dict[str, tuple[int, int]]
    dt: float
    scenes: list[dict[str, Any]]
    states: list[dict[str, npt.NDArray]]

    def plot(self, path: Path | str | None = None) -> Any:
        """Return a matplotlib figure of the paths on the ground, one panel per episode; save it to ``path``."""
        from matplotlib.figure import Figure

        figure = Figure(figsize=(3.6 * len(self.metrics), 4.1), layout="constrained")
        for k, (axes, scene) in enumerate(
            zip(np.ravel(figure.subplots(1, len(self.metrics), squeeze=False)), self.scenes, strict=True)
        ):
            _draw(axes, scene, self.positions[k])
            success = self.metrics[k].get("success")
            outcome = "" if success is None else ", reached" if success else ", missed"
            axes.set_title(f"episode {k + 1}{outcome}", fontsize=10)
        handles, labels = figure.axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=5, frameon=False, fontsize=9)
        if path is not None:
            figure.savefig(path, dpi=150)
        return figure


def _draw(axes: Any, scene: Mapping[str, Any], path: npt.NDArray) -> None:
    """Draw one path on its ground."""
    from insectbot.view.plot_marks import draw_marks

    if "extent" in scene:
        x0, x1, y0, y1 = scene["extent"]
        axes.set(xlim=(x0, x1), ylim=(y0, y1))
    if "roughness" in scene and "extent" in scene:
        axes.imshow(scene["roughness"], origin="lower", extent=scene["extent"], cmap="Greys", vmin=0, vmax=1.6)
        axes.plot([], [], marker="s", color="#8c8c8c", linestyle="none", label="rough ground")
    draw_marks(axes, scene.get("marks", ()))
    for x, y, radius in np.reshape(scene.get("obstacles", ()), (-1, 3)):
        axes.add_patch(_circle(x, y, radius, "#8a5a44"))
    if "target" in scene:
        x, y, radius = scene["target"]
        axes.add_patch(_circle(x, y, radius, "#d55e00"))
        axes.plot([], [], marker="o", color="#d55e00", linestyle="none", label="target")
    axes.plot(path[:, 0], path[:, 1], color="#0072b2", linewidth=1.4, label="path")
    axes.plot(*path[0, :2], marker="o", color="#0072b2", markersize=4, linestyle="none", label="start")
    axes.set_aspect("equal")
    axes.set_xlabel(f"x [{scene.get('unit', '')}]")
    axes.set_ylabel(f"y [{scene.get('unit', '')}]")
    axes.tick_params(labelsize=8)


def _circle(x: float, y: float, radius: float, colour: str) -> Any:
    from matplotlib.patches import Circle

    return Circle((x, y), radius, facecolor=colour, edgecolor="none")


def run(
    scenario: str | Path | Scenario,
    *,
    seed: int = 1,
    episodes: int = 1,
    learn: bool = True,
    controller: str | None = None,
    chip: str | None = None,
    preset: str | None = None,
    overrides: Mapping[str, Any] | None = None,
) -> Run:
    """Run a scenario for a few episodes and return everything that happened, in memory.

    Parameters
    ----------
    scenario : str, Path or Scenario
        Name, TOML file or a loaded scenario.
    seed : int
        Decides worlds, initial weights and all randomness; the same seed gives the same numbers.
    episodes : int
        How many, >= 1; weights carry over from one to the next.
    learn : bool
        Whether the controller learns while it runs.
    controller, chip, preset : str or None
        Instead of the scenario's.
    overrides : mapping or None
        Key path -> value, such as ``{"env.options": {"time_limit": 30.0}}``; only with a name or file.

    Raises
    ------
    InsectbotError
        Something given is not accepted; the message says what is.
    """
    if episodes < 1:
        raise ConfigurationError(f"episodes = {episodes}: must be at least 1")
    chosen = scenario if isinstance(scenario, Scenario) else load(scenario, overrides)
    env = make_env(chosen, "run" if learn else "evaluate", preset=preset)
    brain = make_controller(chosen, env, seed, name=controller, chip=chip)
    header = Header.of(chosen.name, chosen.env.id, control_period(chosen, env), brain, chosen.record.states)
    found = []
    with Recorder(None, header) as recorder:
        for episode in range(episodes):
            world = derive("run", seed, episode)
            name, on = controller or chosen.controller.name, chip or chosen.chip
            observer = recorder.episode(Label("run", seed, episode, preset or chosen.env.preset or "", name, on))
            brain_seed = derive("brain", world, seed)
            run_episode(env, brain, seed=world, controller_seed=brain_seed, learn=learn, recorder=observer)
            found.append(_read(observer.group))
    env.close()
    names = found[0]["before"]
    weights = {name: np.stack([names[name], *(f["after"][name] for f in found)]) for name in names}
    columns = {key: [f[key] for f in found] for key in ("metrics", "positions", "spikes", "scenes", "states")}
    units = {name: (start, stop) for name, (start, stop) in header.units.items()}
    return Run(scenario=chosen, weights=weights, units=units, dt=header.dt, **columns)


def _read(group: Any) -> dict[str, Any]:
    """Return one recorded episode as arrays."""
    scene = json.loads(group.attrs["scene"])
    if "scene" in group:
        scene |= {name: data[()] for name, data in group["scene"].items()}
    if "marks" in group:
        scene["marks"] = json.loads(group["marks"].asstr()[()])
    return {
        "metrics": json.loads(group.attrs["metrics"]),
        "positions": group["pose"][()],
        "spikes": np.stack([group["spike_tick"][()], group["spike_unit"][()].astype(np.int64)], axis=1),
        "scenes": scene,
        "states": {name: data[()] for name, data in group["states"].items()} if "states" in group else {},
        "before": {name.replace("|", "/"): data[()] for name, data in group["weights_before"].items()},
        "after": {name.replace("|", "/"): data[()] for name, data in group["weights_after"].items()},
    }
