"""A spiking plume tracker that remembers: its ring keeps the trail's direction, its path cells the last whiff's place.

In the moving air a plume is a resting trail that leads to where the wind came from when the odor passed. Two kinds of
cells remember it. A ring attractor (:func:`~insectbot.controllers.circuits.spiking_ring.spiking_ring`) holds, as a bump
of spikes, the direction of the trail seen from the head. The wind writes it at the onset of flight; later the wind
pulls it slowly, and odor to the heading flown. The descending neurons, whose spikes turn the body, turn the bump the
other way: it stays with the trail. Path cells (:class:`~insectbot.controllers.circuits.path_neuron.PathNeuron`) read
the ring and add up how far the body has gone to the left or right of the trail since the last whiff, which clears them.
Their spikes switch a pair of groups that inhibit each other: a cast ends at a distance from where the last whiff was.

Memory of headings and places from own motion is that of the insect central complex (Stone et al., Current Biology 27,
3069-3085, 2017); a bump turned by copies of the turn is its compass (Green et al., Nature 546, 101-106, 2017).
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import numpy.typing as npt

from insectbot.controllers.circuits.path_neuron import PathNeuron
from insectbot.controllers.circuits.plume_parts import (
    CELL_RATE,
    DOWN,
    GROUPS,
    INPUT_RATE,
    MAX_SPEED,
    N_WIND,
    NOISE,
    RIVAL,
    STEERING_CELL,
    STOP,
    T_REF,
    TAU,
    TAU_M,
    TONIC,
    TUNING,
    WIND_ANGLES,
    TurnDecoder,
    WindEncoder,
    cells,
    group_weights,
    input_weights,
)
from insectbot.controllers.circuits.ring_attractor import ring_angles
from insectbot.controllers.circuits.spiking_ring import spiking_ring
from insectbot.controllers.rewards import PredictionError
from insectbot.controllers.spiking import SpikingController
from insectbot.snn import ALIF, LIF, Delta, Exponential, Input, Network, Population, Projection, RegularInput
from insectbot.snn.synapses import TsodyksMarkram
from insectbot.snn.validate import require_not_negative, require_positive

TURN_RATE: Final = 3.125 * math.pi
"""Fastest turn of the body [rad/s]."""
_TAU_RING: Final = 20.0  # of the synapses of the ring [ms]
_BUMP: Final = 2.0  # swing of the current that the ring gives itself and its PEN cells [thresholds]
_STEER, _ASIDE_DRIVE = 3.0, 12.0  # of the ring onto steering cells [PEN cells = 1], of full calcium [thresholds]
_HALF: Final = 1.6  # current of wind or onset into a teaching cell, which needs both [thresholds]
_TEACH, _CLEAR = 0.67, 0.3  # weight sum of teaching cells, of a spike of odor onto the calcium of the path cells
_TAU_SURGE: Final = 200.0  # of the slow synapse from odor [ms]
_YIELD: Final = 2.0  # current that odor takes from the flip-flop [thresholds]
_WHIFF: Final = 0.4  # share of its store that a synapse from odor releases with a spike


def _link(pre: str, post: str, weights: npt.ArrayLike, dt: float, receptor: str | None = None) -> Projection:
    return Projection.dense(pre, post, weights, delay=dt, receptor=receptor, name=f"{pre}-{post}")


def _ring_links(
    n: int,
    copies: int,
    dt: float,
    *,
    gain: float,
    wind: float,
    contact: float,
    efference: float,
    push: dict[str, float],
) -> list[Projection]:
    """Return what moves the bump: the wind at onset and, weakly, always; the heading on odor; the own turns."""
    angles = ring_angles(n)
    towards = np.cos(angles[:, None] - WIND_ANGLES[None, :])
    # A current ``a cos`` beside a bump of the size b turns it towards itself at the rate a / (b tau).
    unit = _BUMP / 1000.0 / INPUT_RATE
    links = [
        _link("wind", "epg", wind * unit / float(TUNING @ np.cos(WIND_ANGLES)) * towards, dt, "recurrent"),
        _link("odor", "epg", contact * unit * np.cos(angles)[:, None], dt, "recurrent"),
        _link("teach", "epg", _TEACH / (CELL_RATE * _TAU_RING) * towards, dt, "recurrent"),
    ]
    for post, current in push.items():
        # A turn to the left moves everything else to the right of the head.
        one = efference * current * gain / (copies * _TAU_RING)
        turns = np.repeat([[-one, one]], copies, axis=1) * np.ones((n, 1))
        links.append(_link("descending", post, turns, dt, "recurrent"))
    return links


def _readers(n: int, copies: int, dt: float, *, cast: float, bump: float) -> list[Projection]:
    """Return the synapses of the ring onto steering cells and onto path cells.

    A steering group turns the body left or right until the bump lies ahead, or a cast to its right or left. The path
    cells get the sine of the heading, seen from the trail: the speed at which the body goes to its left or right.
    """
    angles, unit = ring_angles(n), bump * _TAU_RING / TAU
    rows = [side * np.sin(angles + goal) for goal in (0.0, cast, -cast) for side in (1.0, -1.0)]
    sides = np.array([-np.sin(angles), np.sin(angles)])
    return [
        _link("epg", "steer", _STEER * unit * np.repeat(rows, copies, axis=0), dt),
        _link("epg", "aside", unit / _BUMP * np.repeat(sides, copies, axis=0), dt, "dendrite"),
    ]


def _reflexes(copies: int, dt: float, *, hold: float, smell: float) -> list[Projection]:
    """Return all other synapses: odor, who may steer, and when the cast changes its side."""
    # A synapse that tires: one whiff or many, they leave the same current, which fades with its time constant.
    surge = np.full((copies, 1), smell * math.exp(hold / _TAU_SURGE))
    tired = TsodyksMarkram(_WHIFF, _TAU_SURGE)
    return [
        Projection.dense("odor", "surge", surge, delay=dt, name="odor-surge", short_term=tired),
        _link("odor", "aside", np.full((2 * copies, 1), smell * _CLEAR), dt, "clear"),
        _link("tone", "onset", input_weights(TONIC, copies), dt),
        _link("wind", "teach", np.eye(N_WIND) * _HALF / (INPUT_RATE * TAU), dt),
        _link("onset", "teach", np.full((N_WIND, copies), _HALF / (copies * CELL_RATE * TAU)), dt),
        _link("tone", "search", input_weights(TONIC, copies), dt),
        _link("tone", "flip", input_weights(TONIC, 2 * copies), dt),
        _link("surge", "search", group_weights(-STOP, copies, [[1]]), dt),
        # Odor weakens both halves of the flip-flop: the tired one yields, and the next cast begins to the other side.
        _link("surge", "flip", group_weights(-_YIELD, copies, [[1], [1]]), dt),
        _link("flip", "flip", group_weights(-RIVAL, copies, [[0, 1], [1, 0]]), dt),
        _link("aside", "flip", group_weights(STOP, copies, [[-1, 1], [1, -1]]), dt),
        _link("search", "steer", group_weights(-STOP, copies, [[1], [1], [0], [0], [0], [0]]), dt),
        _link("surge", "steer", group_weights(-STOP, copies, [[0], [0], [1], [1], [1], [1]]), dt),
        _link("flip", "steer", group_weights(-STOP, copies, [[0, 0], [0, 0], [0, 1], [0, 1], [1, 0], [1, 0]]), dt),
        _link("steer", "descending", group_weights(DOWN, copies, [[1, 0] * 3, [0, 1] * 3]), dt),
    ]


def _populations(copies: int, path: PathNeuron, seed: int) -> tuple[Population, ...]:
    """Return all cells but those of the ring."""
    rng = np.random.default_rng([seed, 0x9105])
    cell, onset = LIF(TAU_M, t_ref=T_REF), ALIF(TAU_M, 60_000.0, 0.1, v_reset=0.0, t_ref=T_REF)
    half = ALIF(TAU_M, 2000.0, 0.002, v_reset=0.0, t_ref=T_REF)
    fast, dendrite = {"input": Exponential(TAU)}, {"dendrite": Exponential(TAU), "clear": Delta(), "noise": Delta()}
    return (
        cells("onset", copies, onset, rng),
        Population("teach", N_WIND, LIF(TAU_M, v_rest=-1.0, t_ref=T_REF), receptors=fast),
        cells("surge", copies, cell, rng, _TAU_SURGE),
        cells("search", copies, cell, rng),
        Population("aside", 2 * copies, path, receptors=dendrite, background=NOISE),
        cells("flip", 2 * copies, half, rng),
        cells("steer", len(GROUPS) * copies, STEERING_CELL, rng),
        cells("descending", 2 * copies, cell, rng),
    )


def memory_network(
    copies: int = 4,
    n: int = 64,
    *,
    gain: float = 4.0,
    forward: float = 1.0,
    cast: float = 95.0,
    hold: float = 220.0,
    aside: float = 0.3,
    wind: float = 0.5,
    contact: float = 0.5,
    tau_aside: float = 5000.0,
    smell: float = 1.0,
    efference: float = 1.0,
    seed: int = 0,
    dt: float = 1.0,
) -> Network:
    """Build the network of :func:`plume_memory`; the arguments are explained there.

    Inputs, in the order of the drive: 16 wind cells, odor, tone (regular spikes of 200 Hz at drive 1), tonic current of
    the ring. Output: descending neurons, left ones first. Synapses of one neuron may have both signs, as in the ring.

    Raises
    ------
    ConfigurationError
        If a number is out of range.
    """
    owner = "plume-memory"
    require_positive(owner, copies=copies, gain=gain, forward=forward, cast=cast, hold=hold, tau_aside=tau_aside, dt=dt)
    require_not_negative(owner, aside=aside, wind=wind, contact=contact, smell=smell, efference=efference)
    ring = spiking_ring(n, speed=TURN_RATE, tau_syn=_TAU_RING, noise=False, seed=seed, dt=dt)
    ends = {(p.source, p.target): p.weight for p in ring.projections}
    push = {post: float(weight[0]) for (pre, post), weight in ends.items() if pre == "velocity"}
    bump = float(ends["epg", next(iter(push))].max())
    # Calcium counts metres: the full current of the dendrite stands for the speed of flight.
    speed = MAX_SPEED * forward / 1000.0
    path = PathNeuron(TAU_M, tau_aside, T_REF, 1.0 - _ASIDE_DRIVE * aside, _ASIDE_DRIVE, speed)
    source = RegularInput(1000.0 * INPUT_RATE)
    spikes = tuple(Input(name, k, source) for name, k in (("wind", N_WIND), ("odor", 1), ("tone", 1)))
    return Network(
        inputs=(*spikes, *(one for one in ring.inputs if one.name == "tonic")),
        populations=(*ring.populations, *_populations(copies, path, seed)),
        projections=(
            *(p for p in ring.projections if p.source not in ("velocity", "cue")),
            *_ring_links(n, copies, dt, gain=gain, wind=wind, contact=smell * contact, efference=efference, push=push),
            *_readers(n, copies, dt, cast=math.radians(cast), bump=bump),
            *_reflexes(copies, dt, hold=hold, smell=smell),
        ),
        outputs=("descending",),
        dt=dt,
        name=owner,
    )


def plume_memory(
    copies: int = 4,
    n: int = 64,
    *,
    forward: float = 1.0,
    gain: float = 4.0,
    cast: float = 95.0,
    hold: float = 220.0,
    aside: float = 0.3,
    wind: float = 0.5,
    contact: float = 0.5,
    tau_aside: float = 5000.0,
    smell: float = 1.0,
    efference: float = 1.0,
    seed: int = 0,
) -> SpikingController:
    """Tracks an odor plume where the wind turns: it casts about a remembered trail, not across the wind of the moment.

    A ring of spiking cells keeps the direction of the trail, path cells where it was last smelled (see the module).
    On odor, and ``hold`` after it, the body flies along the trail; then it casts about it, ``aside`` to both sides.
    Nothing is learned: the circuit was wired by hand, the arguments from ``cast`` to ``contact`` set on tuning worlds.

    Parameters
    ----------
    copies : int
        Neurons per cell type.
    n : int
        Neurons of each of the three rings, >= 16.
    forward : float
        Speed command at all times, above 0 and at most 1.
    gain : float
        Turn per difference of the rates of both sides [1 / (spikes per ms)].
    cast : float
        Angle of a cast from the trail [degrees].
    hold : float
        Time after a whiff for which the body flies on along the trail [ms].
    aside : float
        Distance beside the trail at which a cast ends [m], as the path cells count it: 10 % too far.
    wind : float
        Rate at which the wind pulls the remembered direction [1/s]; at 10 it is that of the moment: no memory.
    contact : float
        Rate at which odor pulls it to the heading [1/s].
    tau_aside : float
        Time constant with which the path cells forget [ms].
    smell : float
        Strength of all synapses from odor; 0 for a tracker that smells nothing.
    efference : float
        Strength of the copy of own turns to the ring; 1 turns the bump as far as the body, 0 is a ring without it.
    seed : int
        Seed of the initial potentials.
    """
    circuit = {"gain": gain, "forward": forward, "cast": cast, "hold": hold, "aside": aside, "tau_aside": tau_aside}
    circuit |= {"wind": wind, "contact": contact, "smell": smell, "efference": efference}
    network = memory_network(copies, n, seed=seed, **circuit)
    names = {"steer": tuple(f"{group} {i}" for group in GROUPS for i in range(copies))}
    sides = tuple(f"{side} {i}" for side in "LR" for i in range(copies))
    names |= dict.fromkeys(("aside", "flip", "descending"), sides)
    encoder, decoder = WindEncoder(MAX_SPEED * forward, tonic=2), TurnDecoder(copies, gain, forward)
    return SpikingController(network, encoder, decoder, PredictionError(0.01), unit_names=names)
