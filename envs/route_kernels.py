"""The preset route as pure kernels over one packed state row: reset, view, lead, step. See ``envs.route_row``."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from insectbot.envs import foraging_row as r
from insectbot.envs import route_row as t
from insectbot.envs.foraging_body import move, stream_key, touch
from insectbot.envs.many import many
from insectbot.envs.numerics import cos_sin, uniform
from insectbot.envs.world import FAILED, NOT_FINITE, RUNNING, TERMINATED, TRUNCATED
from insectbot.jit import kernel

Float = npt.NDArray[np.float32]
Data = npt.NDArray[np.float32]

_ANGLES = 2.0 * np.pi * np.arange(t.N_SECTORS) / t.N_SECTORS
SECTOR_COS, SECTOR_SIN = np.round(np.cos(_ANGLES), 12), np.round(np.sin(_ANGLES), 12)


@kernel
def look(row: r.Row, x: float, y: float, c: float, s: float) -> None:
    """Write the clean view from (x, y) [mm] with heading (cos, sin) into ``CLEAN``: the skyline of each sector.

    A landmark of height h at distance d counts ``h / (h + d)``, spread by the acceptance of a sector,
    ``(0.5 + 0.5 cos angle)^64`` (six squarings); the skyline is the greatest of all.
    """
    view = np.zeros(t.N_SECTORS)
    for k in range(t.N_LANDMARKS):
        dx, dy = row[r.DISC_X + k] - x, row[r.DISC_Y + k] - y
        d = max(math.sqrt(dx * dx + dy * dy), 1e-6)
        ahead, side = (dx * c + dy * s) * (0.5 / d), (dy * c - dx * s) * (0.5 / d)
        size = row[t.HEIGHT + k] / (row[t.HEIGHT + k] + d)
        for i in range(t.N_SECTORS):
            share = 0.5 + ahead * SECTOR_COS[i] + side * SECTOR_SIN[i]
            share *= share
            share *= share
            share *= share
            share *= share
            share *= share
            share *= share
            view[i] = max(view[i], size * share)
    for i in range(t.N_SECTORS):
        row[t.CLEAN + i] = view[i]


@kernel
def locate(row: r.Row) -> None:
    """Write where along the route the nearest point lies, and how far away it is."""
    x, y = row[r.X], row[r.Y]
    best, along = 1e18, 0.0
    for k in range(t.N_CORNERS - 1):
        ax, ay = row[t.CORNER_X + k], row[t.CORNER_Y + k]
        bx, by = row[t.CORNER_X + k + 1] - ax, row[t.CORNER_Y + k + 1] - ay
        length2 = bx * bx + by * by
        share = min(max(((x - ax) * bx + (y - ay) * by) / length2, 0.0), 1.0)
        gap = (x - ax - share * bx) ** 2 + (y - ay - share * by) ** 2
        if gap < best:
            best, along = gap, row[t.CORNER_S + k] + share * math.sqrt(length2)
    row[t.ALONG], row[t.AWAY] = along, math.sqrt(best)


@kernel
def sense(row: r.Row, obs: Float) -> None:
    """Write view, touch and place into the row and into ``obs``; the noise of the view takes draws."""
    x, y, c, s = row[r.X], row[r.Y], row[r.COS], row[r.SIN]
    look(row, x, y, c, s)
    for i in range(t.N_SECTORS):
        seen = row[t.CLEAN + i]
        if row[t.NOISE] > 0.0:
            seen += row[t.NOISE] * (2.0 * uniform(stream_key(row), int(row[r.DRAWS])) - 1.0)
            row[r.DRAWS] += 1.0
        row[t.VIEW + i] = min(max(seen, 0.0), 1.0)
        obs[i] = row[t.VIEW + i]
    touch(row)
    dx, dy = row[r.TARGET] - x, row[r.TARGET + 1] - y
    row[r.DISTANCE] = math.sqrt(dx * dx + dy * dy)
    locate(row)
    obs[36], obs[37], obs[38] = row[r.RHO_LEFT], row[r.RHO_RIGHT], row[t.GUIDED]


@kernel
def _layout(row: r.Row) -> None:
    """Draw route and landmarks of the layout: corners from west to east, landmarks clear of the way between them."""
    key, counter = np.uint64(row[t.LAYOUT]) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(0x51), 0
    for k in range(t.N_CORNERS):
        row[t.CORNER_X + k] = 130.0 + 185.0 * k
        row[t.CORNER_Y + k] = 380.0 + 240.0 * uniform(key, counter)
        counter += 1
        row[t.CORNER_S + k] = 0.0
        if k > 0:
            dx = row[t.CORNER_X + k] - row[t.CORNER_X + k - 1]
            dy = row[t.CORNER_Y + k] - row[t.CORNER_Y + k - 1]
            row[t.CORNER_S + k] = row[t.CORNER_S + k - 1] + math.sqrt(dx * dx + dy * dy)
    placed = 0
    while placed < t.N_LANDMARKS:
        row[r.X], row[r.Y] = row[r.WIDTH] * uniform(key, counter), row[r.WIDTH] * uniform(key, counter + 1)
        radius, height = 10.0 + 20.0 * uniform(key, counter + 2), 40.0 + 160.0 * uniform(key, counter + 3)
        counter += 4
        locate(row)
        if row[t.AWAY] > radius + t.CLEAR:
            row[r.DISC_X + placed], row[r.DISC_Y + placed] = row[r.X], row[r.Y]
            row[r.DISC_R2 + placed], row[t.HEIGHT + placed] = radius * radius, height
            placed += 1


@kernel
def reset(row: r.Row, data: Data, obs: Float) -> None:
    """Build the layout and put the insect home, near the beginning of its route; write the first observation."""
    _layout(row)
    key = stream_key(row)
    last = t.N_CORNERS - 1
    row[r.TARGET], row[r.TARGET + 1] = row[t.CORNER_X + last], row[t.CORNER_Y + last]
    dx, dy = row[t.CORNER_X + 1] - row[t.CORNER_X], row[t.CORNER_Y + 1] - row[t.CORNER_Y]
    length = math.sqrt(dx * dx + dy * dy)
    c, s = dx / length, dy / length
    row[r.X], row[r.Y] = row[t.CORNER_X], row[t.CORNER_Y]
    if row[t.GUIDED] == 0.0:
        row[r.X] += 40.0 * uniform(key, 0) - 20.0
        row[r.Y] += 40.0 * uniform(key, 1) - 20.0
        turn_cos, turn_sin = cos_sin(1.0 * uniform(key, 2) - 0.5)
        c, s = c * turn_cos - s * turn_sin, s * turn_cos + c * turn_sin
    row[r.DRAWS] = 3.0
    row[r.COS], row[r.SIN], row[r.HEADING] = c, s, math.atan2(s, c)
    row[r.START], row[r.START + 1], row[r.START + 2] = row[r.X], row[r.Y], row[r.HEADING]
    row[r.STEP] = row[r.PATH] = row[r.EXPOSURE] = row[r.COLLISIONS] = 0.0
    row[t.MOST_AWAY] = row[t.SUM_AWAY] = 0.0
    sense(row, obs)


@kernel
def lead(row: r.Row) -> None:
    """Move the body 2 mm on towards the point of the route that lies 60 mm ahead (the trip that is to be learned)."""
    ahead = min(row[t.ALONG] + 60.0, row[t.CORNER_S + t.N_CORNERS - 1])
    x, y = row[r.TARGET], row[r.TARGET + 1]
    for k in range(t.N_CORNERS - 1):
        if row[t.CORNER_S + k] <= ahead < row[t.CORNER_S + k + 1]:
            share = (ahead - row[t.CORNER_S + k]) / (row[t.CORNER_S + k + 1] - row[t.CORNER_S + k])
            x = row[t.CORNER_X + k] + share * (row[t.CORNER_X + k + 1] - row[t.CORNER_X + k])
            y = row[t.CORNER_Y + k] + share * (row[t.CORNER_Y + k + 1] - row[t.CORNER_Y + k])
    dx, dy = x - row[r.X], y - row[r.Y]
    d = max(math.sqrt(dx * dx + dy * dy), 1e-9)
    stride = r.MAX_SPEED * r.CONTROL_PERIOD
    row[r.COS], row[r.SIN], row[r.HEADING] = dx / d, dy / d, math.atan2(dy, dx)
    row[r.X] += stride * dx / d
    row[r.Y] += stride * dy / d
    row[r.PATH] += stride


@kernel
def step(row: r.Row, data: Data, action: Float, obs: Float) -> tuple[float, int]:
    """Advance one control period; return the reward and RUNNING, TERMINATED (feeder), FAILED (lost), TRUNCATED."""
    left, right = float(action[0]), float(action[1])
    if not (math.isfinite(left) and math.isfinite(right)):
        return 0.0, NOT_FINITE
    along, collided = row[t.ALONG], False
    if row[t.GUIDED] > 0.0:
        lead(row)
    else:
        collided = move(row, data, left, right)
    row[r.STEP] += 1.0
    sense(row, obs)
    row[t.MOST_AWAY] = max(row[t.MOST_AWAY], row[t.AWAY])
    row[t.SUM_AWAY] += row[t.AWAY]
    reward = row[t.WEIGHT] * (row[t.ALONG] - along)
    if collided:
        reward += row[t.WEIGHT + 1]
    if row[r.DISTANCE] < t.FEEDER:
        return reward + row[t.WEIGHT + 2], TERMINATED
    if row[t.AWAY] > t.CORRIDOR:
        return reward + row[t.WEIGHT + 3], FAILED
    return reward, TRUNCATED if row[r.STEP] >= row[r.MAX_STEPS] else RUNNING


step_many = many(step)
