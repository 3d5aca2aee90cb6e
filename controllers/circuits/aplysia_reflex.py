"""The withdrawal reflex of Aplysia as a spiking circuit: touch, motor, facilitating and inhibiting neurons."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from insectbot.controllers.conditioning import SynapseState, withdrawal
from insectbot.errors import ConfigurationError, ShapeError
from insectbot.protocols import Executable
from insectbot.snn import IF, LIF, Input, Network, PoissonInput, Population, Projection, RegularInput

FIBRES: Final = 48
"""Fibres of each source: skin of a site or of the tail, after-discharge of a site, place, tone."""
_RATE: Final = 100.0
_UNITS: Final = 4
_NAIVE: Final = 0.0125
"""Weight of a naive synapse [thresholds]: 60 spikes of a motor neuron in a second of touch."""
_CALIBRATION: Final = 8
TOUCH: Final = ("siphon->motors", "mantle->motors")
PREDICT: Final = ("siphon after->predictors", "mantle after->predictors", "place->predictors")
_SOURCES: Final = ("siphon", "mantle", "tail", "siphon after", "mantle after", "place", "tone")


def _network() -> Network:
    relay, integrator = LIF(tau_m=5.0, v_th=1.0, t_ref=1.0), IF(v_th=1.0, v_reset=None)
    same = np.arange(FIBRES)
    source = {s: PoissonInput(_RATE) for s in _SOURCES} | {"tone": RegularInput(_RATE)}

    def dense(pre: str, post: str, weight: float, n: int = FIBRES) -> Projection:
        return Projection.dense(pre, post, np.full((_UNITS, n), weight))

    return Network(
        inputs=tuple(Input(f"{s} fibres", FIBRES, source[s]) for s in _SOURCES),
        populations=(
            *(Population(s, FIBRES, relay) for s in _SOURCES),
            *(Population(s, _UNITS, integrator) for s in ("motors", "predictors", "facilitators")),
        ),
        projections=(
            *(Projection.sparse(f"{s} fibres", s, pre=same, post=same, weight=1.5) for s in _SOURCES),
            dense("siphon", "motors", _NAIVE),
            dense("mantle", "motors", _NAIVE),
            dense("tail", "motors", 3.0 * _NAIVE),
            *(dense(name.partition("->")[0], "predictors", 0.0) for name in PREDICT),
            dense("tail", "facilitators", _NAIVE),
            # The tone keeps facilitators firing, so that over-prediction shows as less than that.
            dense("tone", "facilitators", _NAIVE),
            dense("predictors", "facilitators", -1.0 / _UNITS, _UNITS),
        ),
        outputs=("motors", "facilitators"),
        name="aplysia-reflex",
    )


class AplysiaReflexCircuit:
    """A spiking animal for ``insectbot/AplysiaReflex-v0``.

    Touch of siphon or mantle makes 48 sensory neurons each fire (Poisson, 100 Hz), which excite four motor neurons; the
    withdrawal is the number of their spikes, over that of a naive touch. Shock excites motor neurons and four
    facilitating neurons. These are held back by four inhibitory predictors, which hear the after-discharge of the
    sites touched a moment ago and the fibres of the place, through synapses as strong as what was learned (the path
    that Gluck & Thompson 1987 found missing). Facilitator spikes above or below their tone are the error of the
    shock, and change the synapses.

    An event is one window of 1 s (a shock 0.5 s after a touch has one of its own). Between windows integrators keep
    what is left below threshold, and the hours-long variables of the synapses
    (:class:`~insectbot.controllers.conditioning.SynapseState`) advance here, in closed form: no network runs then.
    They set the weights of the window.

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
        self._unit = np.ones(3)  # spikes of a naive touch, of the tone, of an unpredicted shock above it

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
        calm, touches = (0.0, 0.0), ((1.0, 0.0), (0.0, 1.0))
        motors = [self._run(touch, 0.0)[0] for touch in touches * (_CALIBRATION // 2)]
        tone = np.mean([self._run(calm, 0.0)[1] for _ in range(_CALIBRATION)])
        shocked = np.mean([self._run(calm, 1.0)[1] for _ in range(_CALIBRATION)])
        self._unit[:] = np.mean(motors), tone, shocked - tone

    def _run(self, touch: tuple[float, float], shock: float) -> tuple[int, int]:
        """Run one window with the present weights; return the spikes of motors and of facilitators."""
        slow = self.synapses
        now = [*np.minimum(slow.strength, 12.0), *slow.predictors]
        self.executable.set_weights(
            {
                name: np.full(_UNITS * FIBRES, _NAIVE * value, np.float32)
                for name, value in zip((*TOUCH, *PREDICT), now, strict=True)
            }
        )
        drive = np.array([*touch, shock, *slow.recent, 1.0, 1.0], np.float32)
        counts = self.executable.window(np.repeat(drive, FIBRES), self._n_ticks).counts
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
        motors, facilitators = self._run((siphon, mantle), shock)
        if self.learning:
            if shock > 0:
                error = (facilitators - self._unit[1]) / self._unit[2]
                synapses.shock(shock, min(max(error, -1.0), 1.0))
            synapses.touch(np.array([siphon, mantle]) > 0)
        return withdrawal(motors / self._unit[0])

    def learn(self, reward: float, terminated: bool) -> None:
        """Take no notice of the reward."""

    def weights(self) -> dict[str, npt.NDArray[np.float32]]:
        """Return the weights by projection, in projection order."""
        return self.executable.weights()

    def set_weights(self, weights: Mapping[str, npt.ArrayLike]) -> None:
        """Replace weights by projection name; those that learn follow from the slow variables at the next event."""
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
