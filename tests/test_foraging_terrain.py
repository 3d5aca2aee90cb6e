"""The elevation map, Tobler's rule and the planner."""

import hashlib
import math
from itertools import pairwise

import numpy as np
import pytest
from matplotlib import cbook

from insectbot.envs import foraging_row as r
from insectbot.envs import terrain
from insectbot.envs.foraging import ForagingEnv
from insectbot.envs.foraging_settings import Settings, template
from insectbot.envs.ground import bumps
from insectbot.envs.planner import path_cost, plan, roughness_field, straight
from insectbot.errors import ConfigurationError, RunFolderError


def place(env, x0, y0, x1, y1, heading=0.0):
    env.reset(seed=0, options={"start": [x0, y0, heading], "target": [x1, y1]})
    return env.get_state()["row"], env.world.data


def test_map_is_the_known_one_with_the_south_first():
    """Hash, shape, range; its row 0 is the last row of the file, whose row 0 is in the north."""
    with np.load(str(cbook.get_sample_data("jacksboro_fault_dem.npz", asfileobj=False))) as data:
        heights = data["elevation"]
        north, south = float(data["ymin"]), float(data["ymax"])
    assert north > south
    assert hashlib.sha256(heights.astype("<i2").tobytes()).hexdigest() == terrain.DEM_SHA256
    grid = terrain.load_dem()
    assert grid.shape == (terrain.ROWS, terrain.COLUMNS)
    np.testing.assert_array_equal(grid[0], heights[-1])
    assert (grid.min(), grid.max()) == (236, 1076)
    assert not grid.flags.writeable
    assert ForagingEnv("dem").world.data is grid


def test_another_map_is_refused(monkeypatch, tmp_path):
    np.savez(tmp_path / "other.npz", elevation=np.zeros((4, 4), np.int16))
    monkeypatch.setattr(cbook, "get_sample_data", lambda *args, **kwargs: tmp_path / "other.npz")
    with pytest.raises(RunFolderError, match="SHA-256"):
        terrain.load_dem.__wrapped__()


def test_scale():
    """1 mm is 31.8 m: the map is 1000 mm high, and 40 mm/s stand for 6 km/h."""
    assert pytest.approx(31.796, abs=1e-3) == terrain.METRES_PER_MM
    assert pytest.approx(940.6, abs=0.1) == terrain.MAP_WIDTH


def test_tobler():
    """6 km/h at -5 %, 5.04 km/h on the flat, uphill slower than downhill."""
    assert terrain.tobler(-0.05) == 1.0
    assert 6 * terrain.tobler(0.0) == pytest.approx(5.0367, abs=1e-4)
    assert terrain.tobler(0.2) == pytest.approx(math.exp(-3.5 * 0.25))
    assert terrain.tobler(-0.2) > terrain.tobler(0.2)


def test_elevation_is_bilinear():
    """Exact at the points of the map, the mean of neighbours half way."""
    grid = terrain.load_dem()
    x, y = terrain.CELL_X / terrain.METRES_PER_MM, terrain.CELL_Y / terrain.METRES_PER_MM
    for j, i in ((0, 0), (100, 7), (342, 401)):
        assert terrain.elevation(grid, i * x, j * y) == pytest.approx(grid[j, i], abs=1e-6)
        middle = terrain.elevation(grid, (i + 0.5) * x, (j + 0.5) * y)
        assert middle == pytest.approx(grid[j : j + 2, i : i + 2].mean(), abs=1e-6)
    assert terrain.elevation(grid, -5.0, -5.0) == grid[0, 0]
    assert terrain.elevation(grid, 2000.0, 2000.0) == grid[-1, -1]


def test_hours_against_a_plain_sum():
    """The cost of a line is the sum over fine pieces of length / speed(slope)."""
    grid = terrain.load_dem()
    a, b = np.array([300.0, 420.0]), np.array([517.0, 260.0])
    points = a + np.linspace(0, 1, 4001)[:, None] * (b - a)
    heights = np.array([terrain.elevation(grid, *p) for p in points])
    step = np.hypot(*(b - a)) * terrain.METRES_PER_MM / 4000
    fine = (step / 6000 * np.exp(3.5 * np.abs(np.diff(heights) / step + 0.05))).sum()
    assert terrain.hours(grid, *a, *b) == pytest.approx(fine, rel=0.01)
    assert terrain.hours(grid, *a, *a) == 0.0


def test_roughness_on_the_map_is_directional():
    """What is felt is Tobler's loss along the heading: facing the other way turns the slope round."""
    env = ForagingEnv("dem")
    up, _ = env.reset(seed=1, options={"start": [400, 400, 0.3], "target": [700, 500]})
    down, _ = env.reset(seed=1, options={"start": [400, 400, 0.3 + math.pi], "target": [700, 500]})
    grid = terrain.load_dem()

    def speeds(heading, reach, n):
        """Tobler's mean speed, relative to the best, over the inner third of ``n`` pieces and over all."""
        along = np.linspace(0, reach, n + 1)
        heights = [terrain.elevation(grid, 400 + a * math.cos(heading), 400 + a * math.sin(heading)) for a in along]
        slope = np.diff(heights) / (reach / n * terrain.METRES_PER_MM)
        pace = np.exp(3.5 * np.abs(slope + 0.05))
        return 1 / pace[: max(n // 3, 1)].mean(), 1 / pace.mean()

    def body(heading):
        return 1 - speeds(heading, 1.0, 1)[1]

    def antenna(heading):
        return 1 - np.mean(speeds(heading, terrain.MAP_ANTENNA_LENGTH, 12))

    side = math.radians(35)
    np.testing.assert_allclose(up[[0, 1, 4]], [antenna(0.3 + side), antenna(0.3 - side), body(0.3)], atol=1e-6)
    assert down[4] == pytest.approx(body(0.3 + math.pi), abs=1e-6)
    assert abs(down[4] - up[4]) > 0.01


def test_cost_is_the_hours_of_the_path_walked():
    """Info's cost is the sum of the hours of the steps; time in steps on the map is finer than a cell."""
    env = ForagingEnv("dem", time_limit=10.0)
    env.reset(seed=2)
    poses = [env.pose]
    for k in range(200):
        *_, info = env.step([1.0, 0.9 + 0.1 * math.sin(k / 20)])
        poses.append(env.pose)
    lengths = np.hypot(*np.diff([p[:2] for p in poses], axis=0).T) * terrain.METRES_PER_MM
    assert lengths.max() < terrain.CELL_X
    total = sum(terrain.hours(env.world.data, *p[:2], *q[:2]) for p, q in pairwise(poses))
    assert info["cost"] == pytest.approx(total)


def test_published_pairs():
    """20 fixed pairs, 10 to 20 km: the planner walks at its own cost, the straight line 1.29 times as long."""
    pairs = terrain.dem_pairs()
    np.testing.assert_array_equal(pairs, terrain.dem_pairs())
    distances = np.hypot(pairs[:, 2] - pairs[:, 0], pairs[:, 3] - pairs[:, 1]) * terrain.METRES_PER_MM
    assert ((distances >= 10_000) & (distances <= 20_000)).all()
    env = ForagingEnv("dem")
    costs, straights = [], []
    for pair in pairs:
        row, grid = place(env, *pair)
        cost, path = plan(row, grid, 0.0)
        assert path_cost(row, grid, path) == pytest.approx(cost, rel=1e-9)
        costs.append(cost)
        straights.append(straight(row, grid, *pair) / cost)
    assert np.mean(costs) == pytest.approx(3.714, abs=0.005)
    assert np.mean(straights) == pytest.approx(1.293, abs=0.003)
    assert min(straights) > 1.0


def test_field_equals_the_bumps():
    """The planner's separable field is the roughness that the body feels."""
    env = ForagingEnv()
    env.reset(seed=1)
    row = env.get_state()["row"]
    field = roughness_field(row, 51, 41)
    for j, i in ((0, 0), (50, 40), (13, 29), (40, 3)):
        assert field[j, i] == pytest.approx(bumps(row, i * 25.0, j * 20.0), abs=1e-9)
    np.testing.assert_allclose(env.scene()["roughness"][100, 50], bumps(row, 250.0, 500.0), atol=1e-6)


def bare(x0, y0, x1, y1, obstacles=()):
    """A world without bumps, with the given discs."""
    row, grid = template(Settings("cluttered" if obstacles else "smooth"))
    row[r.START : r.START + 2], row[r.TARGET : r.TARGET + 2] = (x0, y0), (x1, y1)
    row[r.N_OBSTACLES] = len(obstacles)
    for k, (x, y, radius) in enumerate(obstacles):
        row[r.DISC_X + k], row[r.DISC_Y + k], row[r.DISC_R2 + k] = x, y, radius**2
    return row, grid


def test_planner_in_closed_form():
    """Flat ground: distance / 40 mm/s in a straight line, in any direction."""
    for x1, y1 in ((800, 200), (800, 800), (800, 500), (500, 800)):
        row, grid = bare(200, 200, x1, y1)
        time, path = plan(row, grid, 20.0)
        assert time == pytest.approx((math.hypot(x1 - 200, y1 - 200) - 20) / 40, rel=1e-6)
        np.testing.assert_allclose(path[[0, -1]], [(200, 200), (x1, y1)])
    rng = np.random.default_rng(0)
    for x0, y0, x1, y1 in rng.uniform(50, 950, (20, 4)):
        row, grid = bare(x0, y0, x1, y1)
        shortest = max(math.hypot(x1 - x0, y1 - y0) - 20, 0) / 40
        time, path = plan(row, grid, 20.0)
        assert time == pytest.approx(shortest, rel=1e-9)
        np.testing.assert_allclose(path, [(x0, y0), (x1, y1)])


def test_planner_walks_round_obstacles():
    """A disc in the way costs the tangent detour; a closed ring costs infinity."""
    row, grid = bare(200, 500, 800, 500, [(500, 500, 50)])
    time, path = plan(row, grid, 0.0)
    reach = 53.0
    tangent = 2 * math.sqrt(300**2 - reach**2) + reach * (math.pi - 2 * math.acos(reach / 300))
    assert tangent / 40 <= time <= 1.03 * tangent / 40
    assert (np.hypot(path[:, 0] - 500, path[:, 1] - 500) >= 50).all()
    ring = [(800 + 60 * math.cos(a), 500 + 60 * math.sin(a), 25) for a in np.linspace(0, 2 * math.pi, 13)[:-1]]
    row, grid = bare(200, 500, 800, 500, ring)
    assert plan(row, grid, 10.0)[0] == math.inf


def test_planner_equals_a_plain_dijkstra():
    """Against a dictionary-and-heap Dijkstra on the same graph: at most 2.8 % less, which straightening may win."""
    import heapq

    env = ForagingEnv("cluttered")
    env.reset(seed=8, options={"start": [200, 200, 0], "target": [800, 640]})
    row, grid = env.get_state()["row"], env.world.data
    pace = 1 / (40 * (1 - 0.8 * roughness_field(row, 126, 126)))
    discs = env.scene()["obstacles"]
    free = {
        (i, j)
        for i in range(126)
        for j in range(126)
        if (np.hypot(discs[:, 0] - 8 * i, discs[:, 1] - 8 * j) >= discs[:, 2] + 3).all()
    }
    moves = [(i, j) for i in range(-2, 3) for j in range(-2, 3) if math.gcd(i, j) == 1]
    best, heap = {}, [(0.0, (25, 25))]
    while heap:
        g, node = heapq.heappop(heap)
        if node in best:
            continue
        best[node] = g
        for di, dj in moves:
            there = (node[0] + di, node[1] + dj)
            if there in free and there not in best:
                mean = (pace[node[1], node[0]] + pace[there[1], there[0]]) / 2
                heapq.heappush(heap, (g + 8 * math.hypot(di, dj) * mean, there))
    assert len(moves) == 16
    assert best[100, 80] / 1.028 <= plan(row, grid, 0.0)[0] <= best[100, 80] * 1.002


def test_a_route_is_one_of_the_fixed_pairs():
    """The option names a pair; it needs the map and a number of the list."""
    env = ForagingEnv("dem")
    env.reset(seed=3, options={"route": 7})
    pair = terrain.dem_pairs()[7]
    np.testing.assert_allclose(env.pose[:2], pair[:2])
    np.testing.assert_allclose(env.scene()["target"][:2], pair[2:])
    for broken in (20, -1, 1.5, True):
        with pytest.raises(ConfigurationError, match="from 0 to 19"):
            env.reset(options={"route": broken})
    with pytest.raises(ConfigurationError, match="needs the preset 'dem'"):
        ForagingEnv("smooth").reset(options={"route": 1})
