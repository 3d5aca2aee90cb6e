"""The circuit of AplysiaSRM1: one hidden neuron, its two terminals, two motors; and how it meets the robot."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from insectbot.controllers.decoders import FilteredRateDecoder
from insectbot.errors import ShapeError
from insectbot.snn import LIF, Input, Network, OrnsteinUhlenbeck, PoissonInput, Population, Projection, RegularInput

CONTACT = 8
"""Index of the contact in the observation."""
CELL = LIF(tau_m=10.0, v_th=1.0, v_min=-2.0)
"""Model of all neurons."""


class FrontEncoder:
    """Nine numbers of the robot to three drives: nearest obstacle in front left, in front right, and a constant 1.

    The left drive is the greatest reading at +10, +45 and +80 degrees, the right one at -10, -45 and -80.
    """

    n_inputs = 3

    def __init__(self) -> None:
        self._drive = np.array([0.0, 0.0, 1.0], np.float32)

    def __call__(self, observation: Any) -> npt.NDArray[np.float32]:
        """Return the drive, float32 of shape (3,); the array is reused by the next call.

        Raises
        ------
        ShapeError
            If the observation is no vector of nine numbers.
        """
        if np.shape(observation) != (CONTACT + 1,):
            raise ShapeError(f"AplysiaSRM1: an observation of shape {np.shape(observation)}, must be (9,)")
        self._drive[0], self._drive[1] = max(observation[1:4]), max(observation[4:7])
        return self._drive


def terminals_network(
    modulation: Projection,
    noise: OrnsteinUhlenbeck | None,
    hidden_rate: float,
    sensor_rate: float,
    hidden_weight: float,
    name: str,
) -> Network:
    """Return the circuit: sensors modulate the two terminals of the hidden neuron, each terminal drives a motor.

    Parameters
    ----------
    modulation : Projection
        From "sensors" to "terminals".
    noise : OrnsteinUhlenbeck or None
        Exploration of the terminals.
    hidden_rate, sensor_rate, hidden_weight : float
        As in ``aplysia_srm1``.
    name : str
        Name of the network.
    """
    return Network(
        inputs=(Input("sensors", 2, PoissonInput(sensor_rate)), Input("tonic", 1, RegularInput(hidden_rate))),
        populations=(
            Population("hidden", 1, CELL),
            Population("terminals", 2, CELL, noise),
            Population("motors", 2, CELL),
        ),
        projections=(
            Projection.dense("tonic", "hidden", [[1.5]]),
            Projection.dense("hidden", "terminals", [[hidden_weight]] * 2),
            modulation,
            Projection.sparse("terminals", "motors", pre=[0, 1], post=[0, 1], weight=1.5),
        ),
        outputs=("motors",),
        name=name,
    )


def wheels_of(reverse: float, hidden_rate: float, tau: float) -> tuple[FilteredRateDecoder, dict[str, tuple[str, ...]]]:
    """Return the decoder of the motors (silent: ``-reverse``; all spikes of H through: 1), and names of the units."""
    gain = (1.0 + reverse) / (hidden_rate * tau * 1e-3)
    sides = ("left", "right")
    return FilteredRateDecoder(2, gain=gain, tau=tau, offset=-reverse), dict.fromkeys(
        ("sensors", "terminals", "motors"), sides
    )
