"""The Gymnasium env ``insectbot/ColorForage-v0``: an insect learns which colours hurt and which feed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from gymnasium import spaces

from insectbot.envs import color_forage_kernels as k
from insectbot.envs.row_env import RowEnv
from insectbot.envs.row_vector import RowVectorEnv
from insectbot.envs.world import Row, World, require_known, require_number, steps_in
from insectbot.errors import ConfigurationError

PRESETS: Final = {"classic": (True, False), "open": (False, False), "swap": (True, True)}
"""Preset -> whether there are white columns, whether red and green change places."""
_LOOK: Final = {"white": (244, 244, 246), "red": (196, 60, 52), "green": (60, 150, 90)}
_GROUND: Final = (126, 128, 134)


class ColorForageWorld(World):
    """The world of :class:`ColorForageEnv`; the arguments are explained there."""

    name = "insectbot/ColorForage"
    control_period = k.CONTROL_PERIOD
    key_slot, step_slot = k.KEY_HIGH, k.STEP
    presets = tuple(PRESETS)
    reset_kernel = staticmethod(k.reset)
    step_kernel = staticmethod(k.step)
    many_kernel = staticmethod(k.step_many)

    def __init__(
        self, preset: str = "classic", *, push: bool = True, swap_after: float = 50.0, time_limit: float = 100.0
    ) -> None:
        require_known(self.name, preset, PRESETS, "preset")
        self.columns, swaps = PRESETS[preset]
        self.push = bool(push)
        self.swap_after = require_number(self.name, "swap_after", swap_after, 0.0) if swaps else math.inf
        self.max_steps = steps_in(self.name, time_limit, self.control_period)
        high = np.array([k.NOTHING] * 3 + [1.0, 1.0], np.float32)
        self.observation_space = spaces.Box(np.zeros(5, np.float32), high, dtype=np.float32)
        self.action_space = spaces.Box(0.0, 1.0, (2,), np.float32)

    def template(self) -> Row:
        """Return a row with the settings in place."""
        row = np.zeros(k.SIZE)
        row[k.MAX_STEPS], row[k.COLUMNS], row[k.PUSH] = self.max_steps, self.columns, self.push
        row[k.SWAP_STEP] = round(self.swap_after / self.control_period) if math.isfinite(self.swap_after) else math.inf
        row[k.WISH] = math.nan
        return row

    def apply_options(self, row: Row, options: Mapping[str, Any] | None) -> None:
        """Take ``heading`` [rad]; raises UnknownNameError or ConfigurationError."""
        for key, value in (options or {}).items():
            require_known(self.name, key, ("heading",), "reset option")
            if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not math.isfinite(value):
                raise ConfigurationError(f"{self.name}: reset option heading = {value!r}, must be a finite number")
            row[k.WISH] = math.remainder(float(value), 2.0 * math.pi)

    def metrics(self, row: Row, code: int) -> dict[str, Any]:
        """Return the metrics of a finished episode."""
        ticks, moves = float(row[k.STEP]), float(row[k.MOVES])
        block = min(ticks, k.BLOCK)
        return {
            "noxious": float(row[k.NOXIOUS]) * k.BLOCK / ticks,
            "noxious_first": float(row[k.NOXIOUS_FIRST]) * k.BLOCK / block,
            "noxious_last": float(row[k.NOXIOUS_LAST]) * k.BLOCK / block,
            "noxious_per_move": float(row[k.NOXIOUS]) / max(moves, 1.0),
            "food": float(row[k.REWARDED]) * k.BLOCK / ticks,
            "moves": int(moves),
        }

    def scene(self, row: Row) -> dict[str, Any]:
        """Return all patches as cells."""
        cells = np.zeros((k.WIDTH, k.HEIGHT), np.int8)
        k.paint(row, cells)
        swaps = math.isfinite(self.swap_after)
        meaning = {"white": "hurts", "red": "hurts, later feeds", "green": "feeds, later hurts"}
        if not swaps:
            meaning |= {"red": "hurts", "green": "feeds"}
        x0, x1, y0, y1 = k.LEFT - 1.5, k.RIGHT + 1.5, k.BOTTOM - 1.5, k.TOP + 1.5
        edges = np.arange(y0 + 0.5, y1, 1.0)
        ground = np.array([(x, y) for x in np.arange(x0 + 0.5, x1, 1.0) for y in edges])
        marks = [{"shape": "cells", "xy": ground, "size": 1.0, "colour": _GROUND, "label": "black"}]
        for number, name in ((k.WHITE, "white"), (k.RED, "red"), (k.GREEN, "green")):
            xy = np.add(np.argwhere(cells == number), (k.LEFT, k.BOTTOM), dtype=float)
            label = f"{name}: {meaning[name]}"
            marks.append({"shape": "cells", "xy": xy, "size": 1.0, "colour": _LOOK[name], "label": label})
        return {
            "extent": (x0, x1, y0, y1),
            "unit": "patches",
            "start": np.array([k.START_X, k.START_Y, 0.0]),
            "senses": ("white", "red", "green", "pain", "food"),
            "sense_range": (0.0, self.observation_space.high.tolist()),
            "actions": ("rotate", "forward"),
            "marks": marks,
            "body": {"kind": "insect", "radius": 0.6},
        }

    def overlay(self, row: Row) -> list[dict[str, Any]]:
        """Return the line of sight."""
        far = min(float(row[k.SEEN : k.SEEN + 3].min()), k.VIEW)
        x, y = float(row[k.X]), float(row[k.Y])
        tip = (x + far * float(row[k.COS]), y + far * float(row[k.SIN]))
        return [{"shape": "line", "xy": np.array([(x, y), tip]), "colour": (240, 200, 60), "label": "line of sight"}]

    def pose(self, row: Row) -> npt.NDArray[np.float64]:
        """Return x, y [patches] and heading [rad]."""
        return row[:3].copy()

    def senses(self, row: Row) -> npt.NDArray[np.float64]:
        """Return the distances by colour, pain and food."""
        return row[k.SEEN : k.FOOD + 1]

    def status(self, row: Row) -> list[str]:
        """Return how often it hurt so far."""
        return [f"hurt {int(row[k.NOXIOUS])}, fed {int(row[k.REWARDED])}"]


class ColorForageEnv(RowEnv):
    """An insect that can only turn right learns from pain and food which colours to avoid and which to seek.

    After the SpikingLab virtual insect of Jimenez-Romero & Johnson (2017, Neural Comput. Appl. 28:755), from its
    published parameters; where they leave something open, this page says what holds here. Units: patches, s, rad. The
    arena runs from x = 80 to 120 and y = 1 to 60 and is closed to a torus: black, with a white border, white columns at
    x = 88, 94, ... 118 from y = 4 upwards, and over all but the border red with probability 0.1 and green with 0.09.
    Every seed is another pattern.

    **Body.** A tick is 1 ms. A rotate spike turns 4 degrees to the right, a forward spike moves 0.4 patches. Nothing
    blocks it; but at every tick on a patch that hurts, pain drives it on by 0.5 patches, if ``push``.

    **Action** ``Box(0, 1, (2,), float32)``: rotate, forward; above 0.5 is a spike.

    **Observation** ``Box(0, [5, 5, 5, 1, 1], (5,), float32)``:

    | index | meaning |
    |---|---|
    | 0, 1, 2 | distance of the nearest patch ahead [patches] if it is white, red, green; else 5 |
    | 3 | pain: 1 on a patch that hurts |
    | 4 | food: 1 on a patch that feeds |

    Only the nearest coloured patch is seen, to 4 patches, in steps of 0.34; not the one on which the insect stands.

    **Reward** of a tick: food minus pain.

    **Start.** At (102, 30), heading uniform.

    **End.** Never terminated; truncated after ``time_limit``.

    **Info** is empty until the last tick of an episode. Then:

    | key | meaning |
    |---|---|
    | noxious | steps onto patches that hurt, per 5000 ticks |
    | noxious_first, noxious_last | the same, of the first and of the last 5000 ticks |
    | noxious_per_move | steps onto patches that hurt per forward move |
    | food | steps onto patches that feed, per 5000 ticks |
    | moves | forward moves |

    Parameters
    ----------
    preset : str
        ``"classic"``. ``"open"``: no white columns. ``"swap"``: red and green change their meaning after
        ``swap_after``.
    push : bool
        Whether pain drives the insect on. Without it a naive insect spins on the first noxious patch for ever, which
        makes a wrong control.
    swap_after : float
        Time of the change [s]; only used by ``swap``.
    time_limit : float
        Length of the episode [s].
    render_mode : str, optional
        ``"human"`` or ``"rgb_array"``.

    Raises
    ------
    UnknownNameError
        For an unknown preset.
    ConfigurationError
        For a number outside its range.

    Notes
    -----
    ``reset(options=...)`` takes ``heading`` [rad].

    Examples
    --------
    >>> import gymnasium, insectbot
    >>> env = gymnasium.make("insectbot/ColorForage-v0")
    >>> obs, info = env.reset(seed=1)
    >>> obs, reward, terminated, truncated, info = env.step([0.0, 1.0])

    Version history: v0, first version.
    """

    control_period = k.CONTROL_PERIOD
    presets = ColorForageWorld.presets

    def __init__(
        self,
        preset: str = "classic",
        *,
        push: bool = True,
        swap_after: float = 50.0,
        time_limit: float = 100.0,
        render_mode: str | None = None,
    ) -> None:
        super().__init__(ColorForageWorld(preset, push=push, swap_after=swap_after, time_limit=time_limit), render_mode)


class ColorForageVectorEnv(RowVectorEnv):
    """Many worlds of :class:`ColorForageEnv` in one call; its arguments, and those of the base."""

    world_class = ColorForageWorld
    control_period = k.CONTROL_PERIOD
