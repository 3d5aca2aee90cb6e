"""The withdrawal reflex of Aplysia as a spiking circuit: touch, motor, facilitating and inhibiting neurons."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from insectbot.controllers.conditioning import SynapseState, withdrawal
from insectbot.errors import ConfigurationError, ShapeError
from insectbot.protocols import Executable
from insectbot.snn import IF, LIF, Input, Network, PoissonInput, Population, Projection

FIBRES: Final = 24
"""Sensory fibres of a site; also of the tail and of the prediction."""
_RATE: Final = 50.0
_UNITS: Final = 4
_NAIVE: Final = 0.05
"""Weight of a naive synapse [thresholds]: 60 spikes of a motor neuron in a second of touch."""
_CALIBRATION: Final = 4
TOUCH: Final = ("siphon->motors", "mantle->motors")


def _network() -> Network:
    relay, integrator = LIF(tau_m=5.0, v_th=1.0, t_ref=1.0), IF(v_th=1.0, v_reset=None)
    source = PoissonInput(_RATE)
    sites = ("siphon", "mantle", "tail", "prediction")
    same = np.arange(FIBRES)
    relays = [Projection.sparse(f"{s} skin", s, pre=same, post=same, weight=1.5) for s in sites]
    return Network(
        inputs=tuple(Input(f"{s} skin", FIBRES, source) for s in sites),
        populations=(
            *(Population(s, FIBRES, relay) for s in sites),
            Population("motors", _UNITS, integrator),
            Population("facilitators", _UNITS, integrator),
        ),
        projections=(
            *relays,
            Projection.dense("siphon", "motors", np.full((_UNITS, FIBRES), _NAIVE)),
            Projection.dense("mantle", "motors", np.full((_UNITS, FIBRES), _NAIVE)),
            Projection.dense("tail", "motors", np.full((_UNITS, FIBRES), 3.0 * _NAIVE)),
            Projection.dense("tail", "facilitators", np.full((_UNITS, FIBRES), _NAIVE)),
            # What the touch synapses predict reaches the facilitator before the shock does, and holds it back.
            Projection.dense("prediction", "facilitators", np.full((_UNITS, FIBRES), -_NAIVE)),
        ),
        outputs=("motors", "facilitators"),
        name="aplysia-reflex",
    )


class AplysiaReflexCircuit:
    """A spiking animal for ``insectbot/AplysiaReflex-v0``.

    Touch of siphon or mantle makes 24 sensory neurons each fire (Poisson, 50 Hz), which excite four motor neurons; the
    withdrawal is the number of their spikes, over that of a naive touch. Shock excites motor neurons and four
    facilitating neurons; the prediction path inhibits these. An event is one window of 1 s; between events membranes
    are at rest, and the hours-long variables of the touch synapses
    (:class:`~insectbot.controllers.conditioning.SynapseState`) advance in closed form: no network runs then. They set
    the weights of the window, and its facilitator spikes drive them.

    Parameters
    ----------
    seed : int
        Accepted for symmetry with other learners; chance is that of the fibres.
    **parameters
        Of :class:`~insectbot.controllers.conditioning.SynapseState`.
    """

    def __init__(self, *, seed: int = 0, **parameters: float) -> None:
        self.network = _network()
        self.unit_names: dict[str, tuple[str, ...]] = {}
        self.synapses = SynapseState(**parameters)
        self.learning = True
        self._executable: Executable | None = None
        self._n_ticks = 0
        self._unit = np.ones(2)  # spikes of a naive touch, of an unpredicted shock

    @property
    def executable(self) -> Executable:
        """The compiled network; raises ConfigurationError before :meth:`attach`."""
        if self._executable is None:
            raise ConfigurationError("AplysiaReflexCircuit: not compiled, call attach(executable, n_ticks)")
        return self._executable

    def attach(self, executable: Executable, n_ticks: int) -> None:
        """Take the compiled network and the number of ticks per event."""
        if n_ticks < 1:
            raise ConfigurationError(f"AplysiaReflexCircuit: {n_ticks} ticks per event, must be at least 1")
        self._executable, self._n_ticks = executable, n_ticks

    def reset(self, seed: int) -> None:
        """Start as a naive animal, and take the measure of its first responses without a trace of them."""
        self.synapses.reset()
        self.executable.reset(seed)
        spikes = [self._run(touch, 0.0, 0.0)[0] for touch in ((1.0, 0.0), (0.0, 1.0)) * (_CALIBRATION // 2)]
        shocks = [self._run((0.0, 0.0), 1.0, 0.0)[1] for _ in range(_CALIBRATION)]
        self._unit[:] = np.mean(spikes), np.mean(shocks)

    def _run(self, touch: tuple[float, float], shock: float, prediction: float) -> tuple[int, int]:
        """Run one window with the present weights; return the spikes of motors and of facilitators."""
        strength = np.minimum(self.synapses.strength, 12.0) * _NAIVE
        self.executable.set_weights(
            {name: np.full(_UNITS * FIBRES, strength[site], np.float32) for site, name in enumerate(TOUCH)}
        )
        drive = np.repeat(np.array([*touch, shock, prediction], np.float32), FIBRES)
        counts = self.executable.window(drive, self._n_ticks).counts
        return int(counts[:_UNITS].sum()), int(counts[_UNITS:].sum())

    def act(self, observation: Any) -> npt.NDArray[np.float32]:
        """Answer an event; change the synapses if ``learning``.

        Raises
        ------
        ShapeError
            If the observation is no vector of four numbers.
        """
        if np.shape(observation) != (4,):
            raise ShapeError(f"AplysiaReflexCircuit: an observation of shape {np.shape(observation)}, must be (4,)")
        siphon, mantle, shock, gap = (float(v) for v in observation)
        synapses = self.synapses
        synapses.wait(gap)
        predicted = synapses.prediction() if shock > 0 else 0.0
        motors, facilitators = self._run((siphon, mantle), shock, predicted)
        if self.learning:
            if shock > 0:
                synapses.shock(shock, min(facilitators / self._unit[1], 1.0))
            synapses.touch(np.array([siphon, mantle]) > 0)
        return withdrawal(motors / self._unit[0])

    def learn(self, reward: float, terminated: bool) -> None:
        """Take no notice of the reward."""

    def weights(self) -> dict[str, npt.NDArray[np.float32]]:
        """Return the weights by projection, in projection order."""
        return self.executable.weights()

    def set_weights(self, weights: Mapping[str, npt.ArrayLike]) -> None:
        """Replace weights by projection name; those of touch follow from the slow variables at the next event."""
        self.executable.set_weights(weights)

    def state(self) -> dict[str, npt.NDArray]:
        """Return everything that decides the future."""
        network = {f"network/{name}": a for name, a in self.executable.state().items()}
        return network | {f"slow/{name}": a for name, a in self.synapses.state().items()} | {"unit": self._unit.copy()}

    def load_state(self, state: Mapping[str, npt.NDArray]) -> None:
        """Restore what :meth:`state` returned."""
        self.executable.load_state({n[8:]: a for n, a in state.items() if n.startswith("network/")})
        self.synapses.load_state({n[5:]: a for n, a in state.items() if n.startswith("slow/")})
        self._unit[:] = state["unit"]
