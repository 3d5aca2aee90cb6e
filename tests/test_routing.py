"""Routes on every topology, casting, loads and annealing."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from insectbot.chips.anneal import annealed
from insectbot.chips.loihi import Loihi
from insectbot.chips.topology import HOP_CHIP, HOP_X, HOP_Y, Hexagons, Mesh, Tree
from insectbot.snn import LIF, Input, Network, PoissonInput, Population, Projection

TOPOLOGIES = [
    Mesh(8, 4, 4),
    Mesh(5, 7, 2, torus=True),
    Mesh(3, 2, 2, chip_columns=3, chip_rows=2),
    Hexagons(8, 8, 17),
    Hexagons(2, 2, 3),
    Tree(16),
]


def n_places(topology):
    return topology.cores * topology.chip_columns * topology.chip_rows


@pytest.mark.parametrize("topology", TOPOLOGIES, ids=str)
@given(data=st.data())
def test_a_route_is_connected_and_as_long_as_its_hops(topology, data):
    """It starts and ends on the nodes of its cores; kinds of links add up to the three hop counts."""
    a, b = (data.draw(st.integers(0, n_places(topology) - 1)) for _ in range(2))
    route = topology.route(a, b)
    here, there = (tuple(int(v) for v in topology.tile(core)) for core in (a, b))
    assert not route or (route[0][0], route[-1][1]) == (here, there)
    assert all(first[1] == second[0] for first, second in pairwise(route))
    assert len(set(route)) == len(route)
    kinds = [topology.kind(link) for link in route]
    assert tuple(int(h) for h in topology.hops(a, b)) == tuple(kinds.count(k) for k in (HOP_X, HOP_Y, HOP_CHIP))
    assert bool(route) == (here != there)


def shortest(topology, neighbours):
    """Return the distance of every node from (0, 0), by breadth-first search over the links that exist."""
    size = (topology.width, topology.height)
    distance, front = {(0, 0): 0}, [(0, 0)]
    while front:
        x, y = front.pop(0)
        for dx, dy in neighbours:
            node = ((x + dx) % size[0], (y + dy) % size[1])
            if node not in distance:
                distance[node] = distance[x, y] + 1
                front.append(node)
    return distance


@pytest.mark.parametrize(
    ("topology", "neighbours"),
    [
        (Hexagons(8, 8, 1), [(1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, -1)]),
        (Hexagons(5, 3, 1), [(1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, -1)]),
        (Mesh(7, 4, 1, torus=True), [(1, 0), (-1, 0), (0, 1), (0, -1)]),
    ],
    ids=str,
)
def test_routes_on_a_torus_are_shortest(topology, neighbours):
    distance = shortest(topology, neighbours)
    for core in range(topology.cores):
        x, y = (int(v) for v in topology.tile(core))
        assert sum(int(h) for h in topology.hops(0, core)) == distance[x, y]


def test_the_tree_climbs_to_the_common_ancestor():
    tree = Tree(16)
    assert [int(tree.hops(0, b)[0]) for b in (0, 1, 2, 3, 7, 8, 15)] == [0, 1, 2, 2, 3, 4, 4]
    assert tree.height == 5


def network():
    """Neuron i of a drives neuron i of b and of c, which are far away in the order of neurons."""
    n = 40
    same = np.arange(n)
    sizes = {"a": n, "filler": 20_000, "b": n, "c": n}
    return Network(
        inputs=(Input("in", n, PoissonInput(200.0)),),
        populations=tuple(Population(name, size, LIF(v_th=1.0)) for name, size in sizes.items()),
        projections=(
            Projection.sparse("in", "a", pre=same, post=same, weight=1.5),
            Projection.sparse("a", "b", pre=same, post=same, weight=0.5),
            Projection.sparse("a", "c", pre=same, post=same, weight=0.5),
        ),
        outputs=("b",),
        name="far",
    )


def run(chip):
    executable = chip.compile(network(), seed=3)
    executable.recording = True
    executable.window(np.ones(40), 60)
    return executable


def test_annealing_moves_cores_not_results():
    greedy, moved = run(Loihi()), run(Loihi(anneal=True))
    for a, b in zip(greedy.spikes(), moved.spikes(), strict=True):
        np.testing.assert_array_equal(a, b)
    a, b = greedy.events(), moved.events()
    assert (a.messages, a.synops) == (b.messages, b.synops)
    assert a.spikes > 100
    assert b.hops_x + b.hops_y <= a.hops_x + a.hops_y
    assert len(set(moved.placement.position.tolist())) == moved.placement.n_cores


def test_annealing_finds_the_short_ring():
    """Cores that talk in a ring, thrown together at random: at the end neighbours are near."""
    n, topology = 16, Mesh(4, 4, 1)
    order = np.random.default_rng(1).permutation(n)
    edges = np.array([(order[k], order[(k + 1) % n], 10) for k in range(n)])
    place = annealed(edges, n, topology, seed=2)
    before = sum(int(sum(topology.hops(a, b))) for a, b, _ in edges)
    after = sum(int(sum(topology.hops(place[a], place[b]))) for a, b, _ in edges)
    assert sorted(set(place.tolist())) == sorted(place.tolist())
    assert after <= 20 < before
    np.testing.assert_array_equal(place, annealed(edges, n, topology, seed=2))


def test_multicast_takes_every_link_once():
    """The same spikes, unicast and multicast: fewer hops, no link twice in a spike's tree."""
    uni = run(Loihi())
    routes = uni.routes
    many = type(routes)(**{f: getattr(routes, f) for f in routes.__dataclass_fields__} | {"multicast": True})
    spikes = uni._unit_spikes
    a, b = routes.hops_per_unit(spikes.size), many.hops_per_unit(spikes.size)
    assert (b <= a).all()
    assert b.sum() > 0
    for unit, links in many.links.items():
        assert len(set(links)) == len(links)
        assert set(links) == set(routes.links[unit])
    assert sum(many.link_load(spikes, 60).values()) == pytest.approx((spikes @ b).sum() / 60)


def test_traffic_names_the_hottest_link():
    executable = run(Loihi())
    traffic = executable.traffic()
    link, load = traffic.hottest
    assert load == max(executable.link_load().values())
    assert traffic.load[link] == load
    assert 0 < traffic.utilisation < 1
    assert traffic.hops_per_spike > 0
    assert (traffic.width, traffic.height) == (8, 4)
    idle = Loihi().compile(network(), seed=3).traffic()
    assert idle.hottest == (None, 0.0)
