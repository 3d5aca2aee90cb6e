"""Write ``docs/envs``: a page and a picture of every registered world.

``python benchmarks/make_env_pages.py [name ...]`` writes all pages, and the pictures of files that begin so, or all.
The pictures show a controller of the kit at work, after some control steps, with a fixed seed.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NamedTuple

import imageio.v3 as iio
import numpy as np

from insectbot.envs.pages import file_of, page
from insectbot.envs.registry import ENVS
from insectbot.loop.episode import Step, run_episode
from insectbot.scenario import make_controller, make_env
from insectbot.scenario_models import parse

DOCS = Path(__file__).parents[1] / "docs"


class Show(NamedTuple):
    """Who is shown in the picture of a world: preset, controller, control steps, seed, whether it learns."""

    preset: str
    controller: str
    steps: int
    seed: int = 3
    learn: bool = False


SHOWS = {
    "insectbot/PathIntegration-v0": Show("n10", "cx-lif", 2600),
    "insectbot/AplysiaReflex-v0": Show("dishabituation", "aplysia-reflex", 17, learn=True),
    "insectbot/ColorForage-v0": Show("classic", "spikinglab9", 6000, learn=True),
    "insectbot/Foraging-v0": Show("cluttered", "braitenberg", 400),
    "insectbot/PlumeTrack-v0": Show("constant", "plume-memory", 1500),
    "insectbot/AplysiaRobot-v0": Show("cylinders", "aplysia-srm1", 1500, learn=True),
}

PRESETS = {
    "foraging_patches": ("insectbot/Foraging-v0", Show("patches", "patch-feeding", 3000)),
    "foraging_odors": ("insectbot/Foraging-v0", Show("odors", "odor-planner", 560)),
    "foraging_route": ("insectbot/Foraging-v0", Show("route", "view-memory", 2000, seed=6)),
    "foraging_dem": ("insectbot/Foraging-v0", Show("dem", "braitenberg", 4000)),
}
"""More pictures, of presets that look different: file -> world and who is shown."""


class Painter:
    """Draws every frame of an episode and keeps the last."""

    def __init__(self, steps: int) -> None:
        self.steps, self.every = steps, max(1, steps // 2000)

    def start(self, env, controller, observation) -> None:
        """Take the world."""
        self.env = env.unwrapped
        self.frame = self.env.render()

    def step(self, step: Step) -> bool:
        """Draw, so that the trail is whole; stop after the given steps or at the end."""
        if step.index % self.every == 0 or step.index + 1 >= self.steps:
            self.frame = self.env.render()
        return step.index + 1 >= self.steps

    def end(self, result) -> None:
        """See nothing more."""


def picture(env_id: str, show: Show) -> np.ndarray:
    """Return the frame of a world."""
    what = parse(
        {"name": "page", "env": {"id": env_id, "preset": show.preset}, "controller": {"name": show.controller}}
    )
    env = make_env(what, render_mode="rgb_array")
    painter = Painter(show.steps)
    run_episode(env, make_controller(what, env, 1), seed=show.seed, learn=show.learn, viewer=painter)
    return painter.frame


def main(names: list[str]) -> None:
    """Write all pages, and the pictures asked for."""
    (DOCS / "envs").mkdir(exist_ok=True)
    (DOCS / "pictures" / "envs").mkdir(exist_ok=True)
    shows = {file_of(env_id).removesuffix(".md"): (env_id, SHOWS[env_id]) for env_id in ENVS} | PRESETS
    for env_id in ENVS:
        (DOCS / "envs" / file_of(env_id)).write_text(page(env_id), "utf-8")
    for file, (env_id, show) in shows.items():
        if not names or any(file.startswith(name) for name in names):
            target = DOCS / "pictures" / "envs" / f"{file}.png"
            iio.imwrite(target, picture(env_id, show))
            print(target)


if __name__ == "__main__":
    main(sys.argv[1:])
