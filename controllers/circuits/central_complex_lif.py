"""The central complex in spikes: the path integrator of Stone et al. (2017) as populations of LIF neurons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Final

import numpy as np
import numpy.typing as npt

from insectbot.controllers.circuits.central_complex import (
    CL1_SHARE,
    CPU1_CPU4,
    CPU1_PONTINE,
    CPU1_SIDE,
    CPU1_TB1,
    MEMORY_LEAK,
    MOTOR_GAIN,
    N_COLUMNS,
    TB1_INHIBITION,
    compass_drive,
)
from insectbot.controllers.decoder import Decoder, Values
from insectbot.controllers.rewards import PredictionError
from insectbot.controllers.spiking import SpikingController
from insectbot.errors import ShapeError
from insectbot.protocols import Readout
from insectbot.snn import (
    LIF,
    Delta,
    Exponential,
    Input,
    Network,
    NeuronModel,
    PoissonBackground,
    PoissonInput,
    Population,
    Projection,
)
from insectbot.snn.functions import maximum, minimum
from insectbot.snn.model import Coefficients, Real, parameter
from insectbot.snn.validate import require_positive

_TAU_M, _T_REF = 20.0, 2.0
_RATE: Final = 0.1  # what counts as rate 1 [spikes per ms]
_NOISE, _KICK = 0.5, 0.05  # current that comes as Poisson spikes, and the size of one [thresholds]
_MIDDLE: Final = 1.7  # current at rate 0.5 [thresholds]
_SLOPE: Final = 2.2  # current per rate around it
_STEP: Final = 20.0  # step of the rate model [ms]
# Current without input, and current per rate of an input: each sigmoid by its tangent at rate 0.5 (CL1: by its ends).
_CL1, _CL1_TL2 = 1.97, -1.15
_TB1, _TB1_GAIN = _MIDDLE, 1.25 * _SLOPE
_CPU4, _CPU4_GAIN = _MIDDLE - 1.25 * _SLOPE / 2.0, 1.25 * _SLOPE
_CPU1, _CPU1_GAIN = _MIDDLE + _SLOPE / 4.0, 1.875 * _SLOPE


@dataclass(frozen=True)
class MemoryNeuron(NeuronModel):
    """LIF neuron whose calcium remembers: it fires at a rate that its calcium sets, and keeps for long.

    ``dc/dt = gain ([dendrite]_+ - leak)`` within [0, 1]: a dendrite that is depolarised lets calcium in, a pump takes
    out a constant amount. ``tau_m dv/dt = -v + bias + drive c + i``, spike and reset as in
    :class:`~insectbot.snn.lif.LIF`. Neurons of the entorhinal cortex hold graded rates like this alone, by a current
    that calcium controls (Egorov et al., Nature 420, 173-178, 2002); Stone et al. (2017) leave the mechanism open.

    Parameters
    ----------
    tau_m, t_ref : float
        Membrane time constant and refractory time [ms].
    bias, drive : float
        Current at c = 0, and what full calcium adds [thresholds].
    gain : float
        Calcium per unit of dendritic current and time [1/ms], > 0.
    leak : float
        Dendritic current that the pump balances.
    """

    states: ClassVar[dict[str, float | str]] = {"v": 0.0, "c": 0.5}
    held: ClassVar[tuple[str, ...]] = ("v",)

    tau_m: float = parameter(20.0, "ms", above=0)
    t_ref: float = parameter(2.0, "ms", at_least=0)
    bias: float = parameter(0.0, "")
    drive: float = parameter(1.0, "")
    gain: float = parameter(1e-4, "1/ms", above=0)
    leak: float = parameter(0.0, "")

    def coefficients(self, dt: float) -> Coefficients:
        """Return the part of the way that v goes in a tick."""
        return {"part": -np.expm1(-dt / np.asarray(self.tau_m))}

    def default_receptors(self) -> tuple[tuple[str, Any], ...]:
        """Return the dendrite."""
        return (("dendrite", Exponential(5.0)),)

    @staticmethod
    def update(
        v: Real, c: Real, i: Real, dendrite: Real, dt: Real, part: Real, bias: Real, drive: Real, gain: Real, leak: Real
    ) -> Real:
        """Move calcium by what the dendrite lets in, and the potential towards what calcium drives."""
        c = minimum(maximum(c + dt * gain * (maximum(dendrite, 0.0) - leak), 0.0), 1.0)
        v = v + part * (bias + drive * c + i - v)
        return v, c

    @staticmethod
    def threshold(v: Real) -> Real:
        """Spike at 1."""
        return v >= 1.0

    @staticmethod
    def reset(v: Real) -> Real:
        """Return to 0."""
        v = 0.0 * v
        return v


class CompassEncoder:
    """Compass and flow to the rates of TL2 and TN2 neurons: ``copies`` channels for each of 8 columns, of 2 sides.

    Parameters
    ----------
    copies : int
        Channels that carry the same rate.
    """

    def __init__(self, copies: int) -> None:
        self.n_inputs = (N_COLUMNS + 2) * copies
        self._drive = np.zeros((N_COLUMNS + 2, copies), np.float32)

    def __call__(self, observation: Any) -> npt.NDArray[np.float32]:
        """Return the drive, float32 of shape (n_inputs,); the array is reused by the next call.

        Raises
        ------
        ShapeError
            Unless the observation is that of PathIntegration.
        """
        if np.shape(observation) != (5,):
            raise ShapeError(f"cx-lif: an observation of shape {np.shape(observation)}, must be (5,)")
        cosine, sine, left, right, _ = map(float, observation)
        self._drive[:N_COLUMNS] = compass_drive(cosine, sine)[:, None]
        self._drive[N_COLUMNS:, :] = np.clip((left, right), 0.0, 1.0)[:, None]
        return self._drive.ravel()


class SideDecoder(Decoder):
    """Spikes of the CPU1 neurons to one turn: left ones minus right ones.

    Parameters
    ----------
    copies : int
        Neurons of each of the 16 CPU1 cells.
    """

    def __init__(self, copies: int) -> None:
        super().__init__(2 * N_COLUMNS * copies, MOTOR_GAIN, size=1)
        self._sides = np.repeat(CPU1_SIDE, copies)
        self._copies = copies

    def values(self, readout: Readout) -> Values:
        """Return the difference of the summed rates of the two sides."""
        spikes = float(self._sides @ readout.counts)
        return np.array([spikes / (self._copies * _RATE * self._window)])


def _links(copies: int, tau_syn: float, dt: float) -> list[Projection]:
    """Return all projections: between cells the wiring of the rate model, all to all between their neurons."""
    column, sides = np.tile(np.eye(N_COLUMNS), (2, 1)), np.repeat(np.eye(2), N_COLUMNS, axis=0)
    left_right = np.eye(2 * N_COLUMNS)
    found = []

    def link(pre: str, post: str, cells: npt.NDArray[np.float64], receptor: str = "input") -> None:
        weights = np.kron(cells, np.ones((copies, copies))) / (copies * _RATE * tau_syn)
        post_of, pre_of = np.nonzero(weights)
        chosen, name = weights[post_of, pre_of], f"{pre}-{post}"
        ends: dict[str, Any] = {"pre": pre_of, "post": post_of, "weight": chosen, "delay": dt}
        found.append(Projection.sparse(pre, post, **ends, receptor=receptor, name=name))

    link("TL2", "CL1", _CL1_TL2 * column)
    link("CL1", "TB1", CL1_SHARE * _TB1_GAIN * column.T)
    link("TB1", "TB1", -(1.0 - CL1_SHARE) * _TB1_GAIN * TB1_INHIBITION)
    link("TN2", "CPU4", sides, "dendrite")
    link("TB1", "CPU4", -column, "dendrite")
    link("CPU4", "pontine", _CPU4_GAIN * left_right)
    link("CPU4", "CPU1", 0.5 * _CPU1_GAIN * left_right[CPU1_CPU4])
    link("pontine", "CPU1", -0.5 * _CPU1_GAIN * left_right[CPU1_PONTINE])
    link("TB1", "CPU1", -_CPU1_GAIN * np.eye(N_COLUMNS)[CPU1_TB1])
    return found


def cx_network(
    copies: int = 4, *, tau_syn: float = 5.0, memory_gain: float = 0.0025, seed: int = 0, dt: float = 1.0
) -> Network:
    """Build the network: every cell of the rate model is ``copies`` LIF neurons, every rate a firing rate.

    A rate of 1 stands for 100 Hz. Each sigmoid becomes the curve of noisy LIF neurons: their steady current and the
    strength of their inputs follow from the tangent of the sigmoid; only ``tau_syn`` was chosen, on tuning worlds.
    Synapses of one neuron may have both signs; inhibition through interneurons is folded into them, as in the rate
    model. With 4 neurons per cell a rate, read over 20 ms, varies by 0.08 (TB1, CPU1) to 0.2 (TN2) at a steady input:
    the 10 % noise of the published runs and more.

    Inputs, in the order of the drive: TL2 (8 columns x ``copies``), TN2 (left, right x ``copies``), Poisson spikes of
    100 Hz at drive 1. Output: CPU1, in the order of ``CPU1_SIDE``.

    Parameters
    ----------
    copies : int
        Neurons per cell, >= 1.
    tau_syn : float
        Time constant of all synapses [ms].
    memory_gain : float
        Memory per 20 ms, as in the rate model.
    seed : int
        Seed of the initial potentials.
    dt : float
        Step [ms].

    Raises
    ------
    ConfigurationError
        If a number is out of range.
    """
    require_positive("cx-lif", copies=copies, tau_syn=tau_syn, memory_gain=memory_gain, dt=dt)
    rng = np.random.default_rng([seed, 0xCE47])
    background = PoissonBackground(1000.0 * _NOISE / (_TAU_M * _KICK), _KICK, "noise")

    def cells(name: str, n: int, model: NeuronModel, port: str = "input") -> Population:
        receptors = {port: Exponential(tau_syn), "noise": Delta()}
        start = {"v": rng.random(n * copies)}
        return Population(name, n * copies, model, receptors=receptors, background=background, initial=start)

    def lif(current: float) -> LIF:
        return LIF(_TAU_M, v_rest=current - _NOISE, t_ref=_T_REF)

    memory = MemoryNeuron(_TAU_M, _T_REF, _CPU4 - _NOISE, _CPU4_GAIN, memory_gain / _STEP, MEMORY_LEAK)
    n, source = 2 * N_COLUMNS, PoissonInput(1000.0 * _RATE)
    return Network(
        inputs=(Input("TL2", N_COLUMNS * copies, source), Input("TN2", 2 * copies, source)),
        populations=(
            cells("CL1", n, lif(_CL1)),
            cells("TB1", N_COLUMNS, lif(_TB1)),
            cells("CPU4", n, memory, "dendrite"),
            cells("pontine", n, lif(_CPU4)),
            cells("CPU1", n, lif(_CPU1)),
        ),
        projections=tuple(_links(copies, tau_syn, dt)),
        outputs=("CPU1",),
        dt=dt,
        name="cx-lif",
    )


def cx_lif(copies: int = 4, *, tau_syn: float = 5.0, memory_gain: float = 0.0025, seed: int = 0) -> SpikingController:
    """Finds home from a compass and optic flow by a central complex of spiking neurons; it learns nothing.

    The network is :func:`cx_network`; the home vector lives in the calcium of its memory neurons.

    Parameters
    ----------
    copies : int
        Neurons per cell of the rate model.
    tau_syn : float
        Time constant of all synapses [ms].
    memory_gain : float
        Memory per 20 ms.
    seed : int
        Seed of the initial potentials.
    """
    network = cx_network(copies, tau_syn=tau_syn, memory_gain=memory_gain, seed=seed)
    return SpikingController(network, CompassEncoder(copies), SideDecoder(copies), PredictionError(0.01))
