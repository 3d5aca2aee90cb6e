"""SpikingLab9: nine neurons that learn from pain and food which colours to turn from and which to approach."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from insectbot.controllers.decoder import Decoder, Values
from insectbot.controllers.rewards import PredictionError
from insectbot.controllers.spiking import SpikingController
from insectbot.errors import ConfigurationError, ShapeError
from insectbot.protocols import Executable, Readout
from insectbot.snn import LIF, Input, Network, Population, Projection, RegularInput

COLOURS: Final = ("white", "red", "green")
PLASTIC: Final = "afferents->motors"
_NOTHING: Final = 5.0


class DistanceLatencyEncoder:
    """Distances to latencies: a colour in sight makes one pulse after ``distance`` ticks, then the count starts anew.

    Takes the five numbers of ``insectbot/ColorForage-v0``; gives six drives, 0 or 1: three colours, pain, food, and a
    pulse at the first tick that starts the pacemaker.
    """

    n_inputs = 6

    def __init__(self) -> None:
        self._drive = np.zeros(6, np.float32)
        self._count = np.zeros(3)
        self._begun = np.zeros(1)

    def reset(self) -> None:
        """Start a life."""
        self._count[:] = 0.0
        self._begun[:] = 0.0

    def __call__(self, observation: Any) -> npt.NDArray[np.float32]:
        """Return the drive, float32 of shape (6,); the array is reused by the next call.

        Raises
        ------
        ShapeError
            If the observation is no vector of five numbers.
        """
        if np.shape(observation) != (5,):
            raise ShapeError(f"SpikingLab9: an observation of shape {np.shape(observation)}, must be (5,)")
        count, drive = self._count, self._drive
        for c in range(3):
            distance, drive[c] = observation[c], 0.0
            if distance >= _NOTHING:
                count[c] = 0.0
                continue
            count[c] += 1.0
            if count[c] >= math.floor(distance + 0.5):
                drive[c], count[c] = 1.0, 0.0
        drive[3], drive[4], drive[5] = observation[3], observation[4], 1.0 - self._begun[0]
        self._begun[0] = 1.0
        return drive

    def state(self) -> dict[str, npt.NDArray]:
        """Return what is remembered."""
        return {"count": self._count.copy(), "begun": self._begun.copy()}

    def load_state(self, state: Mapping[str, npt.NDArray]) -> None:
        """Restore it."""
        self._count[:], self._begun[:] = state["count"], state["begun"]


class SpikeDecoder(Decoder):
    """One action for each of the first output neurons: 1 in a window in which it spiked, else 0."""

    def values(self, readout: Readout) -> Values:
        """Return whether each of the first neurons spiked."""
        return (readout.counts[: self._action.size] > 0).astype(np.float64)


class ClearedSTDP:
    """Pair STDP in which a postsynaptic spike clears what came before it (Jimenez-Romero & Johnson 2017).

    A pulse that arrives at t_a costs ``a exp(-(t_a - t_post) / 18 ms)`` once, for the last postsynaptic spike within 75
    ms. A postsynaptic spike gives ``a exp(-(t_post - t_a) / 11 ms)`` for each of the last 30 pulses within 50 ms, since
    the spike before. A pulse that arrives in the tick of a spike has caused it.

    The core's pair rules have no trace that a postsynaptic spike clears, so this one runs on the host, between ticks.

    Parameters
    ----------
    n_pre, n_post : int
        Units on either side; synapses run pre by pre, as in a dense projection.
    a : float
        Amplitude of either side [unit of the weight].
    w_min, w_max : float
        Bounds of the weight.
    """

    tau_plus, tau_minus = 11.0, 18.0
    before, after, most = 50, 75, 30

    def __init__(self, n_pre: int, n_post: int, a: float, w_min: float, w_max: float) -> None:
        self._a, self._low, self._high = a, w_min, w_max
        self._arrivals = np.full((n_pre, n_post, self.most), -(1 << 40), np.int64)
        self._last = np.full(n_post, -(1 << 40), np.int64)

    def reset(self) -> None:
        """Forget all spikes."""
        self._arrivals[:] = self._last[:] = -(1 << 40)

    def __call__(self, w: npt.NDArray, t: int, pre: npt.NDArray, post: npt.NDArray) -> bool:
        """Take arrivals and spikes of tick ``t``; change ``w`` [pre, post] in place; return whether it did."""
        changed = False
        for j in np.flatnonzero(pre):
            since = t - self._last
            down = np.where(since <= self.after, self._a * np.exp(-np.minimum(since, 999) / self.tau_minus), 0.0)
            w[j] -= down
            changed |= bool(down.any())
            self._arrivals[j] = np.roll(self._arrivals[j], 1, axis=1)
            self._arrivals[j, :, 0] = t
        for i in np.flatnonzero(post):
            ago = t - self._arrivals[:, i]
            up = np.where(ago <= self.before, self._a * np.exp(-np.minimum(ago, 999) / self.tau_plus), 0.0).sum(1)
            w[:, i] += up
            changed |= bool(up.any())
            self._arrivals[:, i] = -(1 << 40)
            self._last[i] = t
        if changed:
            np.clip(w, self._low, self._high, out=w)
        return changed

    def state(self) -> dict[str, npt.NDArray]:
        """Return what is remembered."""
        return {"arrivals": self._arrivals.copy(), "last": self._last.copy()}

    def load_state(self, state: Mapping[str, npt.NDArray]) -> None:
        """Restore it."""
        self._arrivals[:], self._last[:] = state["arrivals"], state["last"]


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
        self._arriving = np.zeros(3, np.bool_)

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
        self._tick, self._arriving[:] = 0, False

    def act(self, observation: Any) -> npt.NDArray[np.float32]:
        """Run one tick, learn from its spikes, and return which motors spiked."""
        readout = self.executable.window(self._encoder(observation), 1)
        action = self._decoder(readout)
        fired = readout.counts > 0
        if self.learning:
            w = self.executable.weights()[PLASTIC].reshape(3, 2)
            if self._rule(w, self._tick, self._arriving, fired[:2]):
                self.executable.set_weights({PLASTIC: w.ravel()})
        self._arriving[:] = fired[2:5]
        self._tick += 1
        return action

    def learn(self, reward: float, terminated: bool) -> None:
        """Take no notice of the reward: pain and food reach the motors."""

    def state(self) -> dict[str, npt.NDArray]:
        """Return everything that decides the future."""
        parts = {"encoder": self._eye.state(), "rule": self._rule.state()}
        mine = {f"{part}/{name}": a for part, arrays in parts.items() for name, a in arrays.items()}
        return super().state() | mine | {"tick": np.array([self._tick]), "arriving": self._arriving.copy()}

    def load_state(self, state: Mapping[str, npt.NDArray]) -> None:
        """Restore what :meth:`state` returned."""
        super().load_state(state)
        for part, owner in (("encoder/", self._eye), ("rule/", self._rule)):
            owner.load_state({name.removeprefix(part): a for name, a in state.items() if name.startswith(part)})
        self._tick, self._arriving[:] = int(state["tick"][0]), state["arriving"]


def _network(weight: npt.NDArray) -> Network:
    """Build the circuit; ``weight`` is [rotate, forward] x colours."""
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
            Projection.sparse("pacemaker", "motors", pre=[0], post=[1], weight=3.5),
        ),
        outputs=("motors", "afferents"),
        name="spikinglab9",
    )


def spikinglab9(
    *, seed: int = 0, rate: float = 1.0, inverted: bool = False, learned: bool = False
) -> SpikingLabController:
    """Learns colours by STDP: what precedes pain turns it away, what precedes food draws it on.

    After Jimenez-Romero & Johnson (2017, Neural Comput. Appl. 28:755): their neurons, weights, delays and plasticity.
    Nine neurons: afferents of three colours, of pain and of food; a rotate and a forward motor; two pacemakers. Six
    inputs: these five, and a pulse that starts the pacemakers. Tick 1 ms; potentials in mV: rest -65, threshold -55,
    decay 8 % per tick, delta synapses, 3 ticks at -75 after a spike (the pacemakers 1 tick at -70), never below -75.
    Six plastic synapses, colour to motor, from 5 in [1, 9]; pain drives the rotate motor, food the forward one; the
    motors inhibit each other by 22 and 8; one pacemaker drives forward by 3.5. A motor spike is an action. Not theirs:
    in the source two of the nine are actuators, driven by 11, which lose spikes after each of their own; with these the
    learning here was weaker, so pain and food got afferents and the motors act themselves.

    Plasticity: :class:`ClearedSTDP`, 0.045 and 11 ms for pulses before a motor spike, 0.045 and 18 ms after it. Of the
    delay of three ticks from a colour to a motor, two lie before the afferent neuron.

    Parameters
    ----------
    seed : int
        Accepted for symmetry with other learners: all plastic weights start at 5.
    rate : float
        Factor on both amplitudes of STDP, >= 0.
    inverted, learned : bool
        Instead of 5 everywhere: the weights of a grown insect (9 for the motor that each colour should drive, 1 for the
        other), or the inverse of these. For controls.

    Raises
    ------
    ConfigurationError
        If a value is out of range.
    """
    grown = np.array([[9.0, 9.0, 1.0], [1.0, 1.0, 9.0]])  # [rotate, forward] x colours
    weight = grown if learned else 10.0 - grown if inverted else np.full((2, 3), 5.0)
    network = _network(weight)
    return SpikingLabController(
        network,
        DistanceLatencyEncoder(),
        ClearedSTDP(3, 2, 0.045 * rate, 1.0, 9.0),
        unit_names={"eye": COLOURS, "afferents": COLOURS, "motors": ("rotate", "forward"), "body": ("pain", "food")},
    )
