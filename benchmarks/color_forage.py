"""The table of ColorForage: 100,000 ticks of learning per seed, and frozen insects in the same worlds.

``python benchmarks/color_forage.py [seeds]`` prints it and writes ``benchmarks/results/color_forage.json``. Worlds are
evaluation worlds, on which nothing was tuned.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from insectbot.loop.episode import run_episode
from insectbot.scenario import load, make_controller, make_env
from insectbot.seeding import worlds
from insectbot.training.statistics import bootstrap, wilson

RESULTS = Path(__file__).parent / "results" / "color_forage.json"
SIGNS = np.array([1, 1, -1])  # rotate minus forward, for white, red, green
SWAPPED = np.array([1, -1, 1])
FROZEN = {
    "naive, frozen": ("spikinglab9", {}),
    "learned, frozen": ("spikinglab9", {}),
    "grown weights, frozen": ("spikinglab9", {"learned": True}),
    "inverted weights, frozen": ("spikinglab9", {"inverted": True}),
    "random-spikes": ("random-spikes", {}),
    "color-reflex": ("color-reflex", {}),
}
VARIANTS = {
    "the circuit": {},
    "with the source's numbers": {"rate": 1.0, "loss": 1.0, "pacemaker": 3.5},
    "forgets 5 % per second": {"forget": 0.05},
}
SHOWN = ("noxious", "noxious_per_move", "food", "moves")
SWAPS = 10


def life(
    world: int, seed: int, seconds: float, learn: bool, preset="classic", name="spikinglab9", weights=None, **options
) -> tuple[dict[str, Any], np.ndarray | None, float]:
    """Return the metrics of one life, the weights [colour, motor] at its end, and ticks per second."""
    what = load("color_forage", {"evaluation.options": {"time_limit": seconds}})
    env = make_env(what, "evaluate", preset=preset)
    brain = make_controller(what, env, seed, name=name, options=options)
    if weights is not None:
        brain.set_weights({"afferents->motors": weights})
    began = time.thread_time()
    result = run_episode(env, brain, seed=world, controller_seed=seed, learn=learn)
    rate = result.steps / (time.thread_time() - began)
    found = brain.weights()["afferents->motors"] if hasattr(brain, "weights") else None
    return result.metrics, found, rate


def signed(weights, signs=SIGNS) -> bool:
    """Return whether all three colours drive the motor they should."""
    w = weights.reshape(3, 2)
    return bool((np.sign(w[:, 0] - w[:, 1]) == signs).all())


def ratio(over, under) -> tuple[float, float, float]:
    """Return the ratio of two means over the same seeds, and its 95 % bootstrap interval over seeds."""
    pairs = np.array([over, under])
    picks = np.random.default_rng(0).integers(pairs.shape[1], size=(10_000, pairs.shape[1]))
    drawn = pairs[:, picks].mean(2)
    return float(pairs[0].mean() / pairs[1].mean()), *np.percentile(drawn[0] / drawn[1], [2.5, 97.5]).tolist()


def said(interval) -> str:
    """Return a number and its interval."""
    return "{:.3g} [{:.3g} {:.3g}]".format(*interval)


def frozen(seeds, weights, **more) -> list[dict[str, Any]]:
    """Return the metrics of insects that no longer learn, each in the world after its own."""
    given = weights or [None] * len(seeds)
    return [life(world + 1, s, 50.0, False, weights=w, **more)[0] for (s, world), w in zip(seeds, given, strict=True)]


def variant(seeds, options) -> dict:
    """Return what a variant of the circuit learns in one life, against the same circuit before it."""
    lives = [life(world, seed, 100.0, True, **options) for seed, world in seeds]
    weights = [f[1] for f in lives]
    naive, learned = frozen(seeds, None, **options), frozen(seeds, weights, **options)
    share = {m: ratio([f[m] for f in learned], [f[m] for f in naive]) for m in ("noxious", "noxious_per_move")}
    swap = [life(world, seed, 200.0, True, preset="swap", **options)[1] for seed, world in seeds[:SWAPS]]
    return {
        "options": options,
        "sign_pattern": wilson(sum(signed(w) for w in weights), len(seeds)),
        "noxious_first": bootstrap(f[0]["noxious_first"] for f in lives),
        "noxious_last": bootstrap(f[0]["noxious_last"] for f in lives),
        "share": share,
        "swap_relearned": sum(signed(w, SWAPPED) for w in swap),
        "ticks_per_second": float(np.median([f[2] for f in lives])),
        "weights": np.array(weights).tolist(),
        "swap_weights": np.array(swap).tolist(),
    }


def main(n: int) -> None:
    """Run all lives, print and keep the table."""
    seeds = list(enumerate(worlds("evaluate", n), 1))
    variants = {}
    for label, options in VARIANTS.items():
        found = variants[label] = variant(seeds, options)
        print(
            f"{label}: signs {found['sign_pattern'][0] * n:.0f}/{n}; contacts of the naive"
            f" {said(found['share']['noxious'])}, per move {said(found['share']['noxious_per_move'])}; in life"
            f" {found['noxious_first'][0]:.1f} -> {found['noxious_last'][0]:.1f} per 5000 ticks; swap relearned"
            f" {found['swap_relearned']}/{SWAPS}; {found['ticks_per_second']:.0f} ticks/s",
            flush=True,
        )
    weights = [np.array(w, np.float32) for w in variants["the circuit"]["weights"]]
    print("mean weights (rotate, forward) white, red, green:", np.round(np.mean(weights, 0), 2).tolist())
    rows = []
    for label, (name, options) in FROZEN.items():
        lives = frozen(seeds, weights if label == "learned, frozen" else None, name=name, **options)
        metrics = {m: bootstrap(f[m] for f in lives) for m in SHOWN}
        rows.append({"controller": label, "metrics": metrics})
        print(f"{label:26s}" + "  ".join(f"{m} {said(v)}" for m, v in metrics.items()), flush=True)
    found = {"seeds": n, "swap_seeds": SWAPS, "variants": variants, "rows": rows}
    RESULTS.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 30)
