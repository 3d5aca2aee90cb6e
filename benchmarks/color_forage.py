"""The table of ColorForage: 100,000 ticks of learning per seed, and frozen insects in the same worlds.

``python benchmarks/color_forage.py [seeds]`` prints it and writes ``benchmarks/results/color_forage.json``. Worlds are
evaluation worlds, on which nothing was tuned.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np

from insectbot.loop.episode import run_episode
from insectbot.scenario import load, make_controller, make_env
from insectbot.seeding import worlds
from insectbot.training.statistics import bootstrap

RESULTS = Path(__file__).parent / "results" / "color_forage.json"
SIGNS = np.array([1, 1, -1])  # rotate minus forward, for white, red, green
FROZEN = {
    "naive, frozen": ("spikinglab9", {}),
    "learned, frozen": ("spikinglab9", {}),
    "grown weights, frozen": ("spikinglab9", {"learned": True}),
    "inverted weights, frozen": ("spikinglab9", {"inverted": True}),
    "random-spikes": ("random-spikes", {}),
    "color-reflex": ("color-reflex", {}),
}
SHOWN = ("noxious", "noxious_per_move", "food", "moves")


def life(
    world: int, seed: int, seconds: float, learn: bool, preset="classic", name="spikinglab9", weights=None, **options
):
    """Return the metrics of one life, the weights [colour, motor] at its end, and ticks per second."""
    what = load("color_forage", {"evaluation.options": {"time_limit": seconds}})
    env = make_env(what, "evaluate", preset=preset)
    brain = make_controller(what, env, seed, name=name, options=options)
    if weights is not None:
        brain.set_weights({"afferents->motors": weights})
    began = time.process_time()
    result = run_episode(env, brain, seed=world, controller_seed=seed, learn=learn)
    rate = result.steps / (time.process_time() - began)
    found = brain.weights()["afferents->motors"] if hasattr(brain, "weights") else None
    return result.metrics, found, rate


def signed(weights) -> bool:
    """Return whether all three colours drive the motor they should."""
    w = weights.reshape(3, 2)
    return bool((np.sign(w[:, 0] - w[:, 1]) == SIGNS).all())


def main(n: int) -> None:
    """Run all lives, print and keep the table."""
    seeds = list(enumerate(worlds("evaluate", n), 1))
    learned = [life(world, seed, 100.0, True) for seed, world in seeds]
    weights = [f[1] for f in learned]
    first, last = (bootstrap(f[0][m] for f in learned) for m in ("noxious_first", "noxious_last"))
    right = sum(signed(w) for w in weights)
    print(f"sign pattern {right}/{n}; noxious per 5000 ticks {first[0]:.1f} -> {last[0]:.1f}")
    print("mean weights (rotate, forward) white, red, green:", np.round(np.mean(weights, 0), 2).tolist())
    rows = []
    for label, (name, options) in FROZEN.items():
        given = [w if label == "learned, frozen" else None for w in weights]
        lives = [
            life(world + 1, seed, 50.0, False, name=name, weights=w, **options)
            for (seed, world), w in zip(seeds, given, strict=True)
        ]
        metrics = {m: bootstrap(f[0][m] for f in lives) for m in SHOWN}
        rows.append({"controller": label, "metrics": metrics})
        print(
            f"{label:26s}" + "  ".join(f"{m} {v[0]:.3g} [{v[1]:.3g} {v[2]:.3g}]" for m, v in metrics.items()),
            flush=True,
        )
    swap = [life(world, seed, 200.0, True, preset="swap")[1].reshape(3, 2) for seed, world in seeds[:10]]
    back = sum(bool((np.sign(w[:, 0] - w[:, 1]) == (1, -1, 1)).all()) for w in swap)
    print(
        f"swap at 50 s, 150 s more: {back}/10 have the new signs; mean weights {np.round(np.mean(swap, 0), 2).tolist()}"
    )
    found = {
        "seeds": n,
        "sign_pattern": right,
        "weights": np.array(weights).tolist(),
        "noxious_first": first,
        "noxious_last": last,
        "ticks_per_second": float(np.median([f[2] for f in learned])),
        "rows": rows,
        "swap": {"seeds": 10, "relearned": back, "weights": np.array(swap).tolist()},
    }
    RESULTS.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 30)
