"""Synthetic worlds, frames, recordings and run folders for the tests of the view."""

import json
from pathlib import Path

import h5py
import numpy as np

from insectbot.snn import LIF, Input, Network, NodePerturbation, OrnsteinUhlenbeck, PoissonInput, Population, Projection
from insectbot.view.frame import Frame

UNITS = {"sensors": [0, 4], "motors": [4, 6]}
PROJECTION = "sensors->motors"


def network():
    noise = OrnsteinUhlenbeck(sigma=0.05, decay=0.85, period=50.0)
    weight = np.full((2, 4), 0.1)
    return Network(
        (Input("sensors", 4, PoissonInput(200.0)),),
        (Population("motors", 2, LIF(), noise),),
        (Projection.dense("sensors", "motors", weight, plasticity=NodePerturbation()),),
        ("motors",),
    )


def scene(seed=0, n_obstacles=3):
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:1000:21j, 0:1000:21j]
    return {
        "extent": (0.0, 1000.0, 0.0, 1000.0),
        "unit": "mm",
        "roughness": np.exp(-((x - 500 - seed) ** 2 + (y - 400) ** 2) / 40000).astype(np.float32),
        "obstacles": np.column_stack([rng.uniform(200, 800, (n_obstacles, 2)), np.full(n_obstacles, 30.0)]),
        "target": [820.0, 760.0, 20.0],
        "start": [130.0, 180.0, 0.5],
        "antennae": (40.0, 0.6),
    }


def frame(step=1, **changes):
    """A frame with everything in it; the same for the same arguments."""
    rng = np.random.default_rng(step)
    values = {
        "scene": SCENE,
        "pose": (130.0 + 10 * step, 180.0 + 8 * step, 0.5),
        "trail": np.column_stack([130.0 + 10 * np.arange(step + 1), 180.0 + 8 * np.arange(step + 1)]),
        "observation": rng.random(5),
        "action": rng.uniform(-1, 1, 2),
        "spike_tick": np.arange(50 * (step - 1), 50 * step, 5),
        "spike_unit": np.arange(10) % 6,
        "weights": {PROJECTION: np.linspace(-0.2, 0.2, 8)},
        "reward": float(rng.normal()),
        "modulator": float(rng.normal()),
        "step": step,
        "time": 0.05 * step,
        "title": "test",
    }
    return Frame(**{**values, **changes})


SCENE = scene()


def write_recording(path: Path, *, scenario="foraging", controller="rstdp-forager", preset="smooth", seeds=(1, 2)):
    """Write episodes as the recorder does: training, then frozen evaluation of the learner and the untrained."""
    with h5py.File(path, "w") as file:
        file.attrs.update(scenario=scenario, env_id="insectbot/Foraging-v0", control_period=0.05, dt=1.0)
        file.attrs.update(units=json.dumps(UNITS), insectbot="0.1.0")
        file.create_group("episodes")
        for seed in seeds:
            for episode in (0, 1):
                _episode(file, "train", seed, episode, controller, preset, 77 + episode)
        for name in (controller, "untrained"):
            for episode in (0, 1):
                _episode(file, "evaluate", seeds[0], episode, name, preset, 100 + episode)


def _episode(file, phase, seed, episode, controller, preset, world):
    rng = np.random.default_rng([seed, episode, world])
    n = 40
    group = file.create_group(f"episodes/{len(file['episodes']):03d}_{phase}")
    group.attrs.update(phase=phase, seed=seed, episode=episode, world=world, preset=preset, controller=controller)
    success = controller != "untrained"
    group.attrs.update(chip="ideal", metrics=json.dumps({"success": float(success), "SPT": 0.7, "T_ratio": None}))
    world_scene = scene(world)
    for name in ("roughness", "obstacles"):
        group.create_dataset(f"scene/{name}", data=np.asarray(world_scene.pop(name), np.float32))
    group.attrs["scene"] = json.dumps(world_scene)
    x = np.linspace(130, 800, n + 1)
    data = {
        "pose": np.column_stack([x, x + (10 + world % 9) * np.sin(x / 60), np.full(n + 1, 0.6)]).astype(np.float32),
        "observation": rng.random((n, 5), np.float32),
        "action": rng.random((n, 2), np.float32),
        "reward": rng.normal(size=n).astype(np.float32),
        "modulator": rng.normal(size=n).astype(np.float32),
        "spike_tick": np.sort(rng.integers(0, n * 50, 300)),
        "spike_unit": rng.integers(0, 6, 300).astype(np.int32),
        f"weights_before/{PROJECTION}": np.full(8, 0.1, np.float32),
        f"weights_after/{PROJECTION}": (np.full(8, 0.1) if not success else rng.normal(0, 0.3, 8)).astype(np.float32),
    }
    for name, values in data.items():
        group.create_dataset(name, data=values)


def evaluation_row(controller, preset="smooth", success=1.0, **changes):
    metrics = {
        "success": [success, max(0.0, success - 0.03), success],
        "SPT": [0.7 * success, 0.68 * success, 0.72 * success],
        "T_ratio": [1.3, 1.25, 1.35] if success else [None, None, None],
        "exposure": [0.38, 0.37, 0.39],
        "collisions": [4.2, 3.9, 4.6],
    }
    row = {"controller": controller, "preset": preset, "chip": "ideal", "n_seeds": 2, "n_failed_seeds": 0}
    return row | {"n_episodes": 60, "metrics": metrics, "per_seed_success": [success, success]} | changes


def bench_row(chip, **changes):
    row = evaluation_row("rstdp-forager", chip=chip) | {
        "fits": True,
        "cause": None,
        "usage": [["cores", 1, 128, "chip"], ["axons_in", 5, 4096, "core 0"]],
        "energy_per_decision": {"static": 7.16e-7, "events": 1.06e-8, "host": 4.69e-7},
        "steps_per_second": 7.29e6,
        "chip_time_per_decision": 6.86e-6,
        "host_latency_us": {"p50": 8.07, "p99": 16.4},
        "synops_per_decision": 107.3,
        "success_loss": 0.015,
        "bits_lost": 0,
        "fidelity": "Bit-exact with its registers.",
        "energy_realtime": {"static": 5.2e-3, "events": 1.06e-8, "host": 3.4e-3},
        "dagger": True,
        "daggers": {"energy": ["prices.davies.energy.host_byte"], "time": []},
    }
    return row | changes


def summary():
    nothing = {"energy_per_decision": None, "energy_realtime": None, "daggers": {}, "usage": []}
    nothing |= {"steps_per_second": None, "chip_time_per_decision": None}
    return {
        "scenario": "foraging",
        "title": "An insect learns",
        "seeds": [1, 2],
        "training_episodes": 3,
        "tables": {
            "evaluation": [
                evaluation_row("rstdp-forager", success=0.98),
                evaluation_row("rstdp-forager", "cluttered"),
                evaluation_row("untrained", success=0.03, n_failed_seeds=2),
                evaluation_row("taxis"),
                evaluation_row("planner"),
            ],
            "bench": [
                bench_row("ideal", dagger=False, **nothing),
                bench_row("loihi"),
                {"controller": "rstdp-forager", "preset": None, "chip": "tiny", "fits": False, "usage": []}
                | {"cause": "tiny: synapses 18 > 16 on core 3", "fidelity": "small", "dagger": False},
            ],
        },
        "learning_curve": {
            "episode": [0, 1, 2, 3],
            "success": [[0.0, 0.5, 0.9, 1.0], [0.1, 0.9, 1.0, 1.0]],
            "SPT": [[0.0, 0.3, 0.6, 0.7], [0.0, 0.5, 0.7, 0.7]],
            "preset": "smooth",
        },
        "wall_seconds": 12.0,
    }


def write_run(path: Path, *, content=None, controller="rstdp-forager", preset="smooth"):
    """Write a complete run folder."""
    path.mkdir(parents=True, exist_ok=True)
    (path / "summary.json").write_text(json.dumps(content or summary()))
    (path / "metrics.csv").write_text("phase,seed,success\ntrain,1,1.0\ntrain,2,0.0\n")
    (path / "environment.json").write_text(
        json.dumps({"python": "3.11.7", "cpu": "Abacus 2000", "cpu_count": 2, "versions": {"numpy": "2.4.6"}})
    )
    (path / "command.txt").write_text("insectbot train foraging -n 3\n")
    (path / "scenario.toml").write_text('name = "foraging"\n[controller]\nname = ' + json.dumps(controller) + "\n")
    write_recording(path / "recording.h5", controller=controller, preset=preset)
    return path
