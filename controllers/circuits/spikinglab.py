"""SpikingLab9: nine neurons that learn from pain and food which colours to turn from and which to approach.

What differs from the source, Jimenez-Romero & Johnson (2017, Neural Comput. Appl. 28:755):

- In the source two of the nine are actuators, driven by 11, which lose spikes after each of their own. With these
  contacts fell far less here, so pain and food got afferents and the motors act themselves. Of the delay of three
  ticks from a colour to a motor, two lie before the afferent neuron.
- The pacemakers drive forward by 4.2, not 3.5. The source updates its neurons in random order, and a pulse counts
  its delay down in the tick that sends it: its pacemakers, with delays of 2 and 3, beat every 4 ticks on average,
  here every 5. 4.2 every 5 ticks charges a motor as far as 3.5 every 4: ``w / (1 - 0.92**period)``.
- Loss exceeds gain by 5 %, as in Song, Miller & Abbott (2000, Nat. Neurosci. 3:919), and a pulse gains 0.03, not
  0.045. With the source's numbers a colour that is seen while it walks, red, sometimes comes to drive the walk
  before pain has taught better: its pulses cause the spikes that strengthen them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from insectbot.controllers.circuits.spikinglab_rule import ClearedSTDP, DistanceLatencyEncoder, listen, spiked
from insectbot.controllers.decoder import Decoder, Values
from insectbot.controllers.rewards import PredictionError
from insectbot.controllers.spiking import SpikingController
from insectbot.errors import ConfigurationError
from insectbot.protocols import Executable, Readout
from insectbot.snn import LIF, Input, Network, Population, Projection, RegularInput
from insectbot.snn.validate import require_not_negative

COLOURS: Final = ("white", "red", "green")
PLASTIC: Final = "afferents->motors"
_START: Final = 5.0


class SpikeDecoder(Decoder):
    """One action for each of the first output neurons: 1 in a window in which it spiked, else 0."""

    def values(self, readout: Readout) -> Values:
        """Return whether each of the first neurons spiked."""
        return (readout.counts[: self._action.size] > 0).astype(np.float64)

    def __call__(self, readout: Readout) -> npt.NDArray[np.float32]:
        """Return the action, float32; the array is reused by the next call.

        Raises
        ------
        ShapeError
            If the readout is not of ``n`` neurons.
        """
        self.check(readout)
        # Without gain, offset and bounds there is nothing to scale or clip, which would cost as much as the whole tick.
        spiked(readout.counts, self._action)
        return self._action


class SpikingLabController(SpikingController):
    """One tick per control step: network, then the plasticity of colours on motors; pain and food teach.

    Parameters
    ----------
    network, encoder, decoder
        As in :class:`~insectbot.controllers.spiking.SpikingController`; the outputs are motors, afferents.
    rule : ClearedSTDP
        Plasticity of the projection ``afferents->motors``, whose delay is one tick.
    """

    def __init__(self, network: Network, encoder: DistanceLatencyEncoder, rule: ClearedSTDP, **more: Any) -> None:
        super().__init__(network, encoder, SpikeDecoder(5, size=2), PredictionError(0.0), **more)
        self._eye, self._rule, self._tick = encoder, rule, 0
        self._motors = np.zeros(2, np.bool_)
        self._arriving, self._travelling = np.zeros((2, 3), np.bool_)

    def attach(self, executable: Executable, n_ticks: int) -> None:
        """Take the compiled network.

        Raises
        ------
        ConfigurationError
            Unless a control step is one tick: this brain acts by single spikes.
        """
        if n_ticks != 1:
            raise ConfigurationError(
                f"SpikingLab9: {n_ticks} ticks per control step, must be 1 (a world of 1 ms steps)"
            )
        super().attach(executable, n_ticks)

    def reset(self, seed: int) -> None:
        """Start an episode."""
        super().reset(seed)
        self._eye.reset()
        self._rule.reset()
        self._tick, self._travelling[:] = 0, False

    def act(self, observation: Any) -> npt.NDArray[np.float32]:
        """Run one tick, learn from its spikes, and return which motors spiked."""
        executable, motors = self.executable, self._motors
        readout = executable.window(self._encoder(observation), 1)
        # Reading and writing weights costs more than the tick; without a spike nothing changes.
        if listen(readout.counts, motors, self._arriving, self._travelling) and executable.learning:
            w = executable.weights()[PLASTIC].reshape(3, 2)
            if self._rule(w, self._tick, self._arriving, motors):
                executable.set_weights({PLASTIC: w.ravel()})
        self._tick += 1
        return self._decoder(readout)

    def learn(self, reward: float, terminated: bool) -> None:
        """Take no notice of the reward: pain and food reach the motors."""

    def state(self) -> dict[str, npt.NDArray]:
        """Return everything that decides the future."""
        parts = {"encoder": self._eye.state(), "rule": self._rule.state()}
        mine = {f"{part}/{name}": a for part, arrays in parts.items() for name, a in arrays.items()}
        return super().state() | mine | {"tick": np.array([self._tick]), "arriving": self._travelling.copy()}

    def load_state(self, state: Mapping[str, npt.NDArray]) -> None:
        """Restore what :meth:`state` returned."""
        super().load_state(state)
        for part, owner in (("encoder/", self._eye), ("rule/", self._rule)):
            owner.load_state({name.removeprefix(part): a for name, a in state.items() if name.startswith(part)})
        self._tick, self._travelling[:] = int(state["tick"][0]), state["arriving"]


def _network(weight: npt.NDArray, pacemaker: float) -> Network:
    """Build the circuit; ``weight`` is [rotate, forward] x colours, ``pacemaker`` drives the forward motor."""
    tau = -1.0 / math.log(0.92)
    cell = LIF(tau_m=tau, v_rest=-65.0, v_th=-55.0, v_reset=-75.0, t_ref=3.0, v_min=-75.0)
    pace = LIF(tau_m=tau, v_rest=-65.0, v_th=-55.0, v_reset=-70.0, t_ref=1.0, v_min=-75.0)
    pulse = RegularInput(1000.0)
    return Network(
        inputs=(Input("eye", 3, pulse), Input("body", 2, pulse), Input("start", 1, pulse)),
        populations=(
            Population("afferents", 3, cell),
            Population("body senses", 2, cell),
            Population("motors", 2, cell),
            Population("pacemaker", 2, pace),
        ),
        projections=(
            Projection.sparse("eye", "afferents", pre=[0, 1, 2], post=[0, 1, 2], weight=20.0, delay=3.0),
            Projection.sparse("body", "body senses", pre=[0, 1], post=[0, 1], weight=20.0),
            Projection.sparse("body senses", "motors", pre=[0, 1], post=[0, 1], weight=20.0),
            Projection.sparse("start", "pacemaker", pre=[0], post=[0], weight=20.0),
            Projection.dense("afferents", "motors", weight),
            Projection.sparse("motors", "motors", pre=[0, 1], post=[1, 0], weight=[-22.0, -8.0], delay=3.0),
            Projection.sparse("pacemaker", "pacemaker", pre=[0, 1], post=[1, 0], weight=15.0, delay=[2.0, 3.0]),
            Projection.sparse("pacemaker", "motors", pre=[0], post=[1], weight=pacemaker),
        ),
        outputs=("motors", "afferents"),
        name="spikinglab9",
    )


def spikinglab9(
    *,
    seed: int = 0,
    rate: float = 2 / 3,
    loss: float = 1.05,
    forget: float = 0.0,
    pacemaker: float = 4.2,
    inverted: bool = False,
    learned: bool = False,
) -> SpikingLabController:
    """Learns colours by STDP: what precedes pain turns it away, what precedes food draws it on.

    After Jimenez-Romero & Johnson (2017, Neural Comput. Appl. 28:755): their neurons, weights, delays and plasticity,
    but for what the head of this file lists.
    Nine neurons: afferents of three colours, of pain and of food; a rotate and a forward motor; two pacemakers. Six
    inputs: these five, and a pulse that starts the pacemakers. Tick 1 ms; potentials in mV: rest -65, threshold -55,
    decay 8 % per tick, delta synapses, 3 ticks at -75 after a spike (the pacemakers 1 tick at -70), never below -75.
    Six plastic synapses, colour to motor, from 5 in [1, 9]; pain drives the rotate motor, food the forward one; the
    motors inhibit each other by 22 and 8; one pacemaker drives forward. A motor spike is an action. Plasticity:
    :class:`ClearedSTDP`, 11 ms for pulses before a motor spike, 18 ms after it.

    Parameters
    ----------
    seed : int
        Accepted for symmetry with other learners: all plastic weights start at 5.
    rate : float
        Amplitude of gain over that of the source, 0.045; >= 0.
    loss : float
        Amplitude of loss over that of gain, >= 0; in the source 1.
    forget : float
        Rate at which plastic weights go back to 5 [1/s], in [0, 1000).
    pacemaker : float
        What the pacemakers add to the forward motor per beat [mV], >= 0; in the source 3.5.
    inverted, learned : bool
        Instead of 5 everywhere: the weights of a grown insect (9 for the motor that each colour should drive, 1 for the
        other), or the inverse of these. For controls.

    Raises
    ------
    ConfigurationError
        If a value is out of range.
    """
    require_not_negative("SpikingLab9", rate=rate, loss=loss, forget=forget, pacemaker=pacemaker)
    grown = np.array([[9.0, 9.0, 1.0], [1.0, 1.0, 9.0]])  # [rotate, forward] x colours
    weight = grown if learned else 10.0 - grown if inverted else np.full((2, 3), _START)
    gain = 0.045 * rate
    return SpikingLabController(
        _network(weight, pacemaker),
        DistanceLatencyEncoder(),
        ClearedSTDP(3, 2, gain, gain * loss, 1.0, 9.0, forget=forget / 1000.0, rest=_START),
        unit_names={"eye": COLOURS, "afferents": COLOURS, "motors": ("rotate", "forward"), "body": ("pain", "food")},
    )
