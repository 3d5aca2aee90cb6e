"""Patches as pure kernels over one packed state row: reset, sense, feed, step. See ``envs.patches_row``."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from insectbot.envs import foraging_row as r
from insectbot.envs import patches_row as p
from insectbot.envs.foraging_body import begin, move, sight, stream_key, touch
from insectbot.envs.foraging_kernels import place_bumps
from insectbot.envs.ground import bumps
from insectbot.envs.many import many
from insectbot.envs.numerics import exp_negative, normal, uniform
from insectbot.envs.world import FAILED, NOT_FINITE, RUNNING, TRUNCATED
from insectbot.jit import kernel

Float = npt.NDArray[np.float32]
Data = npt.NDArray[np.float32]

NEST_MARGIN = 250.0
PATCH_MARGIN = 60.0
NEST_GAP = 200.0
PATCH_GAP = 130.0


@kernel
def odor(row: r.Row, x: float, y: float) -> float:
    """Return the odor at (x, y) [mm]: ``sum f / (f + 0.5) exp(-d / 120)`` over the patches of food f at distance d."""
    for i in range(p.MAX_PATCHES):
        dx, dy = x - row[p.PATCH_X + i], y - row[p.PATCH_Y + i]
        food = row[p.PATCH_FOOD + i]
        strength = food / (food + p.FOOD_HALF)
        row[p.WORK + i] = strength * exp_negative(math.sqrt(dx * dx + dy * dy) * (1.0 / p.ODOR_LENGTH))
    # A tree of sums: a fixed order that still vectorises.
    for i in range(4):
        row[p.WORK + i] += row[p.WORK + 4 + i]
    return (row[p.WORK] + row[p.WORK + 1]) + (row[p.WORK + 2] + row[p.WORK + 3])


@kernel
def _smell(row: r.Row, x: float, y: float) -> float:
    """Return what an antenna smells at (x, y): the share of occupied receptors with this step's noise, in [0, 1].

    The share without noise is added to ``SMELL``.
    """
    concentration = odor(row, x, y)
    share = concentration / (concentration + p.ODOR_HALF)
    row[p.SMELL] += share
    if row[p.NOISE] > 0.0:
        share += row[p.NOISE] * normal(stream_key(row), int(row[r.DRAWS]))
        row[r.DRAWS] += 12.0
    return min(max(share, 0.0), 1.0)


@kernel
def patch_at(row: r.Row, x: float, y: float) -> int:
    """Return the patch that covers (x, y) [mm]; -1 for none (patches never overlap)."""
    found = -1
    for i in range(p.MAX_PATCHES):
        dx, dy = x - row[p.PATCH_X + i], y - row[p.PATCH_Y + i]
        if dx * dx + dy * dy < row[p.PATCH_R2 + i]:
            found = i
    return found


@kernel
def sense(row: r.Row, obs: Float) -> None:
    """Write the senses into the row and into ``obs``; the odor's noise takes draws."""
    left_x, left_y, right_x, right_y = touch(row)
    row[r.RHO] = bumps(row, row[r.X], row[r.Y])
    row[p.SMELL] = 0.0
    row[p.ODOR_LEFT], row[p.ODOR_RIGHT] = _smell(row, left_x, left_y), _smell(row, right_x, right_y)
    row[p.HOME_LEFT], row[p.HOME_RIGHT] = sight(row, row[p.NEST], row[p.NEST + 1], 1.0)
    obs[0], obs[1], obs[2], obs[3] = row[r.RHO_LEFT], row[r.RHO_RIGHT], row[p.ODOR_LEFT], row[p.ODOR_RIGHT]
    obs[4], obs[5], obs[6] = row[r.RHO], row[p.HOME_LEFT], row[p.HOME_RIGHT]
    obs[7], obs[8], obs[9] = row[p.LOAD], row[p.ENERGY], row[p.TASTE]


@kernel
def _place_nest(row: r.Row, key: np.uint64, counter: int) -> int:
    """Draw nest and start (in the nest); return the next free draw."""
    row[p.NEST] = NEST_MARGIN + (row[r.WIDTH] - 2.0 * NEST_MARGIN) * uniform(key, counter)
    row[p.NEST + 1] = NEST_MARGIN + (row[r.HEIGHT] - 2.0 * NEST_MARGIN) * uniform(key, counter + 1)
    heading = math.pi * (2.0 * uniform(key, counter + 2) - 1.0)
    if not math.isnan(row[r.WISH + 3]):
        row[p.NEST], row[p.NEST + 1] = row[r.WISH + 3], row[r.WISH + 4]
    row[r.START], row[r.START + 1], row[r.START + 2] = row[p.NEST], row[p.NEST + 1], heading
    return counter + 3


@kernel
def _place_patches(row: r.Row, key: np.uint64, counter: int) -> int:
    """Draw the patches, apart from the nest and from each other; return the next free draw."""
    for i in range(p.MAX_PATCHES):
        row[p.PATCH_X + i] = row[p.PATCH_Y + i] = row[p.PATCH_FOOD + i] = row[p.PATCH_MOST + i] = 0.0
        row[p.PATCH_R2 + i] = -1.0
    placed = 0
    while placed < row[p.N_PATCHES]:
        x = PATCH_MARGIN + (row[r.WIDTH] - 2.0 * PATCH_MARGIN) * uniform(key, counter)
        y = PATCH_MARGIN + (row[r.HEIGHT] - 2.0 * PATCH_MARGIN) * uniform(key, counter + 1)
        radius = 25.0 + 15.0 * uniform(key, counter + 2)
        most = 1.0 + 3.0 * uniform(key, counter + 3)
        counter += 4
        free = (x - row[p.NEST]) ** 2 + (y - row[p.NEST + 1]) ** 2 > NEST_GAP * NEST_GAP
        for i in range(placed):
            free = free and (x - row[p.PATCH_X + i]) ** 2 + (y - row[p.PATCH_Y + i]) ** 2 > PATCH_GAP * PATCH_GAP
        if free:
            row[p.PATCH_X + placed], row[p.PATCH_Y + placed] = x, y
            row[p.PATCH_R2 + placed] = radius * radius
            row[p.PATCH_FOOD + placed] = row[p.PATCH_MOST + placed] = most
            placed += 1
    return counter


@kernel
def reset(row: r.Row, data: Data, obs: Float) -> None:
    """Build the world of the row's key: ground, nest, patches, heading; write the first observation."""
    key = stream_key(row)
    counter = place_bumps(row, key, 0)
    counter = _place_nest(row, key, counter)
    row[r.DRAWS] = _place_patches(row, key, counter)
    begin(row)
    row[p.LOAD] = row[p.TASTE] = row[p.FOOD] = row[p.GATHERED] = 0.0
    row[p.ENERGY] = 1.0
    sense(row, obs)


@kernel
def _feed(row: r.Row) -> float:
    """Let the patches regrow and fill the crop from the one under the body; return what was taken up [units]."""
    for i in range(p.MAX_PATCHES):
        grown = row[p.PATCH_FOOD + i] + row[p.REGROWTH] * r.CONTROL_PERIOD
        row[p.PATCH_FOOD + i] = min(grown, row[p.PATCH_MOST + i])
    here = patch_at(row, row[r.X], row[r.Y])
    row[p.TASTE] = 0.0
    if here < 0:
        return 0.0
    food = row[p.PATCH_FOOD + here]
    row[p.TASTE] = food / (food + p.FOOD_HALF)
    taken = min(min(p.INTAKE * r.CONTROL_PERIOD * row[p.TASTE], food), 1.0 - row[p.LOAD])
    row[p.PATCH_FOOD + here] -= taken
    row[p.LOAD] += taken
    row[p.GATHERED] += taken
    return taken


@kernel
def _unload(row: r.Row) -> float:
    """Empty the crop while in the nest; return what was delivered [units]."""
    dx, dy = row[p.NEST] - row[r.X], row[p.NEST + 1] - row[r.Y]
    if dx * dx + dy * dy >= p.NEST_RADIUS * p.NEST_RADIUS:
        return 0.0
    given = min(row[p.LOAD], p.UNLOADING * r.CONTROL_PERIOD)
    row[p.LOAD] -= given
    row[p.FOOD] += given
    return given


@kernel
def step(row: r.Row, data: Data, action: Float, obs: Float) -> tuple[float, int]:
    """Advance one control period; return the reward and RUNNING, TRUNCATED (lived to the end), FAILED (starved)."""
    left, right = float(action[0]), float(action[1])
    if not (math.isfinite(left) and math.isfinite(right)):
        return 0.0, NOT_FINITE
    antennae, smell, load = row[r.RHO_LEFT] + row[r.RHO_RIGHT], row[p.SMELL], row[p.LOAD]
    distance, bearing, path, taste = row[r.DISTANCE], row[r.COS_BEARING], row[r.PATH], row[p.TASTE]
    collided = move(row, data, left, right)
    row[r.STEP] += 1.0
    moved = row[r.PATH] - path
    gathered, delivered = _feed(row), _unload(row)
    spent = p.BASAL * r.CONTROL_PERIOD + p.WALKING * moved
    row[p.ENERGY] = min(row[p.ENERGY] - spent + p.GAIN * delivered, 1.0)
    starved = row[p.ENERGY] <= 0.0
    if starved:
        row[p.ENERGY] = 0.0
    sense(row, obs)
    row[r.EXPOSURE] += 0.5 * moved * row[r.RHO]
    weight = row[p.WEIGHT : p.WEIGHT + 10]
    reward = weight[0] * delivered + weight[1] * gathered
    if taste == 0.0 and row[p.TASTE] == 0.0:
        reward += weight[2] * (1.0 - load) * (row[p.SMELL] - smell)
    reward += load * (weight[3] * (distance - row[r.DISTANCE]) + weight[4] * (row[r.COS_BEARING] - bearing))
    reward += weight[5] * moved + weight[6] * row[r.RHO]
    reward += weight[7] * (row[r.RHO_LEFT] + row[r.RHO_RIGHT] - antennae)
    if collided:
        reward += weight[8]
    if starved:
        return reward + weight[9], FAILED
    return reward, TRUNCATED if row[r.STEP] >= row[r.MAX_STEPS] else RUNNING


step_many = many(step)
