"""Odors as pure kernels over one packed state row: reset, sense, visit, step. See ``envs.odors_row``."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from insectbot.envs import foraging_row as r
from insectbot.envs import odors_row as o
from insectbot.envs.foraging_body import begin, move, stream_key, touch
from insectbot.envs.many import many
from insectbot.envs.numerics import exp_negative, normal, uniform
from insectbot.envs.world import NOT_FINITE, RUNNING, TRUNCATED
from insectbot.jit import kernel

Float = npt.NDArray[np.float32]
Data = npt.NDArray[np.float32]


@kernel
def _smell(row: r.Row, x: float, y: float, first: int) -> None:
    """Write what an antenna at (x, y) [mm] smells into ``o.SMELL + first``: the occupied share of each channel."""
    for i in range(o.MAX_SOURCES):
        dx, dy = x - row[o.SOURCE_X + i], y - row[o.SOURCE_Y + i]
        row[o.WORK + i] = exp_negative(math.sqrt(dx * dx + dy * dy) * (1.0 / o.ODOR_LENGTH))
    for channel in range(o.N_CHANNELS):
        total = 0.0
        for i in range(int(row[o.N_SOURCES])):
            total += row[o.BLEND + int(row[o.SOURCE_KIND + i]) * o.N_CHANNELS + channel] * row[o.WORK + i]
        share = total / (total + o.ODOR_HALF)
        if row[o.NOISE] > 0.0:
            share += row[o.NOISE] * normal(stream_key(row), int(row[r.DRAWS]))
            row[r.DRAWS] += 12.0
        row[o.SMELL + first + channel] = min(max(share, 0.0), 1.0)


@kernel
def sense(row: r.Row, obs: Float) -> None:
    """Write the senses into the row and into ``obs``; the noise of the receptors takes draws."""
    left_x, left_y, right_x, right_y = touch(row)
    _smell(row, left_x, left_y, 0)
    _smell(row, right_x, right_y, o.N_CHANNELS)
    for i in range(2 * o.N_CHANNELS):
        obs[i] = row[o.SMELL + i]
    obs[12], obs[13] = row[r.RHO_LEFT], row[r.RHO_RIGHT]
    obs[14], obs[15] = row[o.SUGAR], row[o.BITTER]


@kernel
def _place(row: r.Row, which: int) -> None:
    """Draw a place for a source, apart from the walls, the body and the other sources."""
    key, counter = stream_key(row), int(row[r.DRAWS])
    while True:
        x = o.MARGIN + (row[r.WIDTH] - 2.0 * o.MARGIN) * uniform(key, counter)
        y = o.MARGIN + (row[r.HEIGHT] - 2.0 * o.MARGIN) * uniform(key, counter + 1)
        counter += 2
        free = (x - row[r.X]) ** 2 + (y - row[r.Y]) ** 2 > o.GAP * o.GAP
        for i in range(o.MAX_SOURCES):
            if i != which and row[o.SOURCE_KIND + i] >= 0.0:
                free = free and (x - row[o.SOURCE_X + i]) ** 2 + (y - row[o.SOURCE_Y + i]) ** 2 > o.GAP * o.GAP
        if free:
            row[o.SOURCE_X + which], row[o.SOURCE_Y + which] = x, y
            row[r.DRAWS] = counter
            return


@kernel
def reset(row: r.Row, data: Data, obs: Float) -> None:
    """Build the world of the row's key: start, sources, the rewarded kind; write the first observation."""
    key = stream_key(row)
    row[r.START] = row[r.WIDTH] * (0.4 + 0.2 * uniform(key, 0))
    row[r.START + 1] = row[r.HEIGHT] * (0.4 + 0.2 * uniform(key, 1))
    row[r.START + 2] = math.pi * (2.0 * uniform(key, 2) - 1.0)
    row[r.DRAWS] = 3.0
    begin(row)
    for i in range(o.MAX_SOURCES):
        row[o.SOURCE_X + i] = row[o.SOURCE_Y + i] = 0.0
        row[o.SOURCE_KIND + i] = -1.0
    for i in range(int(row[o.N_SOURCES])):
        _place(row, i)
        row[o.SOURCE_KIND + i] = i % int(row[o.N_KINDS])
    row[o.REWARDED] = row[o.FIRST] if math.isnan(row[o.WISH_GOOD]) else row[o.WISH_GOOD]
    row[o.REVERSE] = 0.0 if math.isnan(row[o.WISH_REVERSE]) else row[o.WISH_REVERSE]
    row[o.WISH_GOOD] = row[o.WISH_REVERSE] = math.nan
    row[o.SUGAR] = row[o.BITTER] = 0.0
    row[o.GOOD] = row[o.BAD] = row[o.LATE_GOOD] = row[o.LATE_BAD] = 0.0
    sense(row, obs)


@kernel
def _visit(row: r.Row) -> None:
    """Taste a source under the body, count the visit and put the source elsewhere."""
    row[o.SUGAR] = row[o.BITTER] = 0.0
    for i in range(int(row[o.N_SOURCES])):
        dx, dy = row[o.SOURCE_X + i] - row[r.X], row[o.SOURCE_Y + i] - row[r.Y]
        if dx * dx + dy * dy < o.CONTACT * o.CONTACT:
            good = row[o.SOURCE_KIND + i] == row[o.REWARDED]
            late = 2.0 * row[r.STEP] > row[r.MAX_STEPS]
            if good:
                row[o.SUGAR] = 1.0
                row[o.GOOD] += 1.0
                row[o.LATE_GOOD] += 1.0 if late else 0.0
            else:
                row[o.BITTER] = 1.0
                row[o.BAD] += 1.0
                row[o.LATE_BAD] += 1.0 if late else 0.0
            _place(row, i)
            return


@kernel
def step(row: r.Row, data: Data, action: Float, obs: Float) -> tuple[float, int]:
    """Advance one control period; return the reward and RUNNING or TRUNCATED (time over), or NOT_FINITE."""
    left, right = float(action[0]), float(action[1])
    if not (math.isfinite(left) and math.isfinite(right)):
        return 0.0, NOT_FINITE
    path = row[r.PATH]
    collided = move(row, data, left, right)
    row[r.STEP] += 1.0
    if row[o.REVERSE] > 0.0 and 2.0 * row[r.STEP] > row[r.MAX_STEPS]:
        row[o.REWARDED] = (row[o.REWARDED] + 1.0) % row[o.N_KINDS]
        row[o.REVERSE] = 0.0
    _visit(row)
    sense(row, obs)
    reward = row[o.WEIGHT] * row[o.SUGAR] + row[o.WEIGHT + 1] * row[o.BITTER]
    reward += row[o.WEIGHT + 2] * (row[r.PATH] - path)
    if collided:
        reward += row[o.WEIGHT + 3]
    return reward, TRUNCATED if row[r.STEP] >= row[r.MAX_STEPS] else RUNNING


step_many = many(step)
