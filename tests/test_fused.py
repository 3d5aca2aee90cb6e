"""One jitted call per episode gives the numbers of the Python loop, step for step (benchmarks/fused_loop.py)."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from insectbot.core.structure import Structure

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
import fused_loop


def test_the_fused_episode_equals_the_python_loop():
    (env, slow), (twin, fast) = fused_loop.make(), fused_loop.make()
    episode = fused_loop.fused(Structure.of(slow.network))
    steps = fused_loop.run_python(env, slow, range(2))
    assert fused_loop.run_fused(episode, twin, fast, range(2)) == steps > 100
    np.testing.assert_array_equal(env.unwrapped._row, twin.unwrapped._row)
    for name, weights in slow.weights().items():
        np.testing.assert_array_equal(weights, fast.weights()[name])
    assert np.abs(slow.weights()["hidden->motors"] - slow.network.projection("hidden->motors").weight).max() > 0
