"""The virtual insect: four sensory and two motor neurons, eight STDP synapses, light on every neuron, a trainer.

Reconstructed from the abstract of Zhang, Xu, Henriquez & Ferrari (2013); sizes and parameters are designs of this
project.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from insectbot.controllers.decoders import FilteredRateDecoder
from insectbot.controllers.encoders import ChannelEncoder
from insectbot.controllers.indirect import IndirectTrainer
from insectbot.controllers.light_bench import Drive, LightBench
from insectbot.controllers.rewards import PredictionError
from insectbot.controllers.spiking import SpikingController
from insectbot.errors import ConfigurationError
from insectbot.protocols import Executable
from insectbot.snn import LIF, Input, Network, PairSTDP, PoissonInput, Population, Projection, RegularInput
from insectbot.snn.validate import require_positive

SYNAPSES = "sensors->motors"
"""Name of the plastic projection; its weights are by sensor (roughness left, right, target left, right), then motor."""
SIGNS = (1, -1, -1, 1, -1, 1, 1, -1)
"""Braitenberg's signs of these weights: rough ground drives its own side's wheel, the target the other side's."""

_SENSORS, _MOTORS = 4, 2
_RELAY, _LIGHT = 2.0, 3.0  # one such spike makes its target spike, whatever the potential
_NAMES = ("roughness left", "roughness right", "target left", "target right")


def light_bench(executable: Executable) -> LightBench:
    """Put a compiled network of :func:`virtual_insect` under the light."""

    def run(drive: Drive, n_ticks: int) -> npt.NDArray[np.int32]:
        return executable.window(drive, n_ticks).counts

    def plastic(on: bool) -> None:
        executable.learning = on

    return LightBench(run, plastic, _SENSORS, _MOTORS)


class VirtualInsect(SpikingController):
    """A spiking controller whose training episodes begin with a lesson under the light; walking changes no weight.

    Parameters
    ----------
    network : Network
        The circuit of :func:`virtual_insect`.
    trainer : IndirectTrainer
        Gives the lessons.
    gain : float
        Wheel command per motor spike in 100 ms.
    pairs : int
        Most pulse pairs of a lesson, >= 0.

    Attributes
    ----------
    trainer : IndirectTrainer
        Counts the pulse pairs.
    """

    def __init__(self, network: Network, trainer: IndirectTrainer, gain: float, pairs: int) -> None:
        if pairs < 0:
            raise ConfigurationError(f"VirtualInsect: pairs = {pairs}, must be at least 0")
        sides = ("left", "right")
        super().__init__(
            network,
            ChannelEncoder(_SENSORS, constants=(1.0, *[0.0] * (_SENSORS + _MOTORS))),
            FilteredRateDecoder(_MOTORS, gain=gain, tau=100.0),
            PredictionError(),
            unit_names={"antennae": sides, "target": sides, "sensors": _NAMES, "motors": sides}
            | {"light": (*_NAMES, "motor left", "motor right")},
        )
        self.trainer = trainer
        self._pairs, self._lessons = pairs, True

    def attach(self, executable: Executable, n_ticks: int) -> None:
        """Take the compiled network and the number of ticks per control step; hold its synapses."""
        super().attach(executable, n_ticks)
        executable.learning = False

    @property
    def learning(self) -> bool:
        """Whether episodes begin with a lesson; may be set."""
        return self._lessons

    @learning.setter
    def learning(self, value: bool) -> None:
        self._lessons = value

    def reset(self, seed: int) -> None:
        """Start an episode: if learning, give a lesson; then clear dynamic state."""
        if self._lessons and self._pairs:
            self.executable.reset(seed)
            self.trainer.lesson(light_bench(self.executable), self._pairs)
        super().reset(seed)

    def state(self) -> dict[str, npt.NDArray]:
        """Return everything that decides the future, and how many pulse pairs there were."""
        return super().state() | {"pairs": np.array([self.trainer.pairs])}

    def load_state(self, state: Mapping[str, npt.NDArray]) -> None:
        """Restore what :meth:`state` returned."""
        super().load_state(state)
        self.trainer.pairs = int(state["pairs"][0])


def _network(weight: npt.NDArray, rule: PairSTDP, tonic: float, rate: float) -> Network:
    """Build the circuit; ``weight`` is [motor, sensor]. The tonic input sets the cruising speed."""
    motors = LIF(tau_m=20.0, v_th=1.0, v_min=-1.0)
    one = np.arange(_SENSORS)
    return Network(
        inputs=(
            Input("antennae", 2, PoissonInput(rate)),
            Input("target", 2, PoissonInput(rate)),
            Input("tonic", 1, PoissonInput(rate)),
            Input("light", _SENSORS + _MOTORS, RegularInput(1000.0)),
        ),
        populations=(Population("sensors", _SENSORS), Population("motors", _MOTORS, motors)),
        projections=(
            Projection.sparse("antennae", "sensors", pre=[0, 1], post=[0, 1], weight=_RELAY),
            Projection.sparse("target", "sensors", pre=[0, 1], post=[2, 3], weight=_RELAY),
            Projection.dense("tonic", "motors", [[tonic]] * _MOTORS),
            Projection.sparse("light", "sensors", pre=one, post=one, weight=_LIGHT),
            Projection.sparse("light", "motors", pre=[4, 5], post=[0, 1], weight=_LIGHT),
            Projection.dense("sensors", "motors", weight, plasticity=rule, name=SYNAPSES),
        ),
        outputs=("motors",),
        name="virtual-insect",
    )


def probes(sensed: float = 0.25, roughness: float = 100.0, target: float = 90.0) -> tuple[npt.NDArray, npt.NDArray]:
    """Return situations, one line of sensors each, and the changes of the motor rates [Hz] that are wanted there.

    Each sensor alone, both antennae, both lobes. Beside the rates without any sense the left motor shall change by
    ``roughness (rough_L - rough_R) - target (cue_L - cue_R)``, the right one by the opposite.

    Parameters
    ----------
    sensed : float
        What a sensor that is shown anything is shown, in (0, 1].
    roughness, target : float
        Change per unit of the difference between the two sides [Hz].
    """
    shown = [*np.eye(_SENSORS), [1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 1.0]]
    situations = sensed * np.array(shown)
    turn = situations @ [roughness, -roughness, -target, target]
    return situations, np.column_stack((turn, -turn))


def virtual_insect(
    *,
    seed: int = 0,
    pairs: int = 5,
    roughness: float = 100.0,
    target: float = 90.0,
    sensed: float = 0.25,
    tolerance: float = 15.0,
    full: float = 60.0,
    w_max: float = 0.4,
    w_init: tuple[float, float] | list[float] = (0.2, 0.4),
    a_plus: float = 0.008,
    tau: float = 20.0,
    tonic: float = 0.24,
    rate: float = 400.0,
    gain: float = 0.2,
) -> VirtualInsect:
    """Learns to forage by indirect training: light makes spikes, STDP makes weights, nobody else does.

    Four sensory neurons repeat the Poisson spikes of two antennae and two target lobes; eight plastic synapses
    (:class:`PairSTDP`, of either sign) lead to two LIF motor neurons, one per wheel, that a tonic input keeps going;
    50 Hz is full speed. At the start weights are random and positive, so half of them have the wrong sign. Each
    training episode begins with a lesson of :class:`~insectbot.controllers.indirect.IndirectTrainer`, which is told
    only how the wheels should differ where the two sides' sensors do (:func:`probes`).

    Parameters
    ----------
    seed : int
        Seed of the initial weights.
    pairs : int
        Most pulse pairs of a lesson, >= 0.
    roughness, target, sensed : float
        What is wanted, see :func:`probes`.
    tolerance, full : float
        Error that is good enough, and from which a pulse pair is strongest [Hz per unit of the sensor].
    w_max : float
        Bound of the absolute value of the weights [thresholds].
    w_init : pair of float
        Range of the initial weights [w_max], within -1 and 1.
    a_plus, tau : float
        Amplitude of STDP in both directions [thresholds], and its time constant [ms].
    tonic, rate, gain : float
        Weight of the tonic input; sensor rate at drive 1 [Hz]; wheel command per motor spike in 100 ms.

    Raises
    ------
    ConfigurationError
        If a value is out of range.
    """
    require_positive("virtual-insect", sensed=sensed, roughness=roughness, target=target, w_max=w_max, a_plus=a_plus)
    low, high = w_init if len(w_init) == 2 else (1.0, -1.0)
    if not -1.0 <= low <= high <= 1.0:
        raise ConfigurationError(f"virtual-insect: w_init = {w_init}, must be two rising numbers from -1 to 1")
    if sensed > 1.0:
        raise ConfigurationError(f"virtual-insect: sensed = {sensed}, must be at most 1")
    rng = np.random.default_rng([seed, 0x11D1])
    weight = w_max * rng.uniform(low, high, (_MOTORS, _SENSORS))
    rule = PairSTDP(a_plus, a_plus, tau_plus=tau, tau_minus=tau, w_min=-w_max, w_max=w_max)
    trainer = IndirectTrainer(*probes(sensed, roughness, target), tolerance=tolerance, full=full)
    return VirtualInsect(_network(weight, rule, tonic, rate), trainer, gain, pairs)
