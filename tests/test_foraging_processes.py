"""Foraging across processes: same seed, same run; spawn, forkserver, AsyncVectorEnv; no window toolkit in training."""

import hashlib
import multiprocessing
import os
import subprocess
import sys
import textwrap

import gymnasium
import numpy as np
import pytest

from insectbot.envs.foraging_world import warm_up
from insectbot.envs.registry import register_envs
from insectbot.envs.speed import measure

ID = "insectbot/Foraging-v0"
GOLDEN = {
    "cluttered": "b959780013593e547f56657dce399cb6f9d021f60217715b17dd628501723563",
    "dem": "a772d5a2e6b727fc1ee2f4079fce13208e890e8403ba6251c06c5661f9130deb",
}


def trajectory_hash(preset):
    """Return the hash of 300 steps over two worlds, to the last bit of the state."""
    register_envs()
    env = gymnasium.make(ID, preset=preset).unwrapped
    digest = hashlib.sha256()
    commands = np.random.default_rng(5).uniform(-0.5, 1.0, (150, 2)).astype(np.float32)
    for seed in (7, None):
        env.reset(seed=seed)
        for command in commands:
            obs, reward, *_ = env.step(command)
            digest.update(obs.tobytes() + np.float64(reward).tobytes() + env.pose.tobytes())
    return digest.hexdigest()


def test_the_trajectory_is_pinned():
    """The kernels use no libm and no fused multiply-add, so these hashes hold on every machine."""
    assert {preset: trajectory_hash(preset) for preset in GOLDEN} == GOLDEN


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_other_processes_run_the_same(method):
    with multiprocessing.get_context(method).Pool(1) as pool:
        assert pool.map(trajectory_hash, list(GOLDEN)) == list(GOLDEN.values())


@pytest.mark.slow
def test_a_plain_processor_runs_the_same():
    """Compiled for the least CPU of the architecture (no wide vectors), the bits are the same."""
    script = """
        import sys
        sys.path.insert(0, {folder!r})
        from test_foraging_processes import GOLDEN, trajectory_hash
        assert {{preset: trajectory_hash(preset) for preset in GOLDEN}} == GOLDEN
    """
    run(script.format(folder=os.path.dirname(__file__)), NUMBA_CPU_NAME="generic")


def test_warm_up_and_speed_run():
    """The measurement gives every rate; real speeds are measured by benchmarks/env_speed.py."""
    warm_up()
    rates = measure(repeats=1, scale=0.01)
    assert set(rates) == {"make", "bare", "cartpole", "vector", "reset", "kernel", "reset_env"}
    assert min(rates.values()) > 0
    # Far below what is measured, far above what an accident (a recompilation, a copy of the map) would leave.
    assert rates["make"] > rates["cartpole"]
    assert rates["vector"] > rates["make"]


def test_async_vector_env_equals_the_native_one():
    kwargs = {"num_envs": 2, "preset": "cluttered"}
    native = gymnasium.make_vec(ID, vectorization_mode="vector_entry_point", **kwargs)
    # A forked worker inherits the threads of whatever ran before; a spawned one starts clean.
    spawned = gymnasium.make_vec(ID, vectorization_mode="async", vector_kwargs={"context": "spawn"}, **kwargs)
    try:
        np.testing.assert_array_equal(native.reset(seed=3)[0], spawned.reset(seed=3)[0])
        for _ in range(20):
            ours, theirs = (env.step(np.ones((2, 2), np.float32)) for env in (native, spawned))
            for a, b in zip(ours[:4], theirs[:4], strict=True):
                np.testing.assert_array_equal(a, b)
    finally:
        spawned.close()


def run(script, **environment):
    """Run a script in a fresh interpreter without any display."""
    hidden = ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER")
    clean = {k: v for k, v in os.environ.items() if k not in hidden}
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        env={**clean, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_import_is_light():
    """`import insectbot` and making an id known import no numba, pygame or matplotlib."""
    run("""
        import sys, insectbot, gymnasium
        assert "insectbot/Foraging-v0" in gymnasium.registry
        assert not {"numba", "pygame", "matplotlib"} & set(sys.modules), sorted(sys.modules)
    """)


def test_training_imports_no_pygame_and_pictures_need_no_display():
    run("""
        import sys, gymnasium, insectbot
        env = gymnasium.make("insectbot/Foraging-v0", preset="cluttered", render_mode="rgb_array")
        env.reset(seed=1)
        for _ in range(10_000):
            *_, terminated, truncated, _ = env.step([0.9, 0.8])
            if terminated or truncated:
                env.reset()
        assert "pygame" not in sys.modules
        assert "matplotlib" not in sys.modules
        frame = env.render()
        import pygame
        assert frame.shape[2] == 3 and not pygame.display.get_init()
    """)


def test_window_without_any_display_is_refused():
    out = run("""
        import gymnasium, insectbot
        from insectbot.errors import DisplayError
        env = gymnasium.make("insectbot/Foraging-v0", render_mode="human")
        try:
            env.reset(seed=1)
        except DisplayError as error:
            print(error)
    """)
    assert "use render_mode='rgb_array'" in out
