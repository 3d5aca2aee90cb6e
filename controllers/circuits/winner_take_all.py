"""k winners take all: threshold-linear units and one inhibitory unit that counts them (Wang 2010)."""

from __future__ import annotations

import numpy as np

from insectbot.errors import ConfigurationError
from insectbot.snn import CurrentInput, Input, Network, Population, Projection, ThresholdLinear


def winner_take_all(
    n: int, k: int = 1, *, gain: float = 100.0, tau: float = 1.0, tau_brake: float = 100.0, dt: float = 1.0
) -> Network:
    """Build the circuit: the units with the ``k`` largest inputs go to 1, the others to 0, whatever was before.

    Units ``tau r_i' = -r_i + min([gain (b_i - y)]_+, 1)``, brake ``tau_brake y' = -y + [y + (sum r - k) / n]_+``: it
    rises while more than k units are active and falls while there are fewer, so it comes to rest between the k-th and
    the next input. These must differ by ``1 / gain``. Inputs: b, from 0 to 1. None of the units spikes: record ``r`` of
    population ``units``.

    Parameters
    ----------
    n, k : int
        Units, and how many of them win, 1 <= k < n.
    gain : float
        Slope of a unit, > 0.
    tau, tau_brake : float
        Time constants of units and brake [ms], the second much longer.
    dt : float
        Step [ms].

    Raises
    ------
    ConfigurationError
        If ``k`` is out of range.
    """
    if not 1 <= k < n:
        raise ConfigurationError(f"winner_take_all: k = {k}, must be at least 1 and below n = {n}")
    one = np.arange(n)
    return Network(
        inputs=(Input("values", n, CurrentInput(gain)),),
        populations=(
            Population("units", n, ThresholdLinear(tau, r_max=1.0)),
            Population("brake", 1, ThresholdLinear(tau_brake, bias=-k / n)),
        ),
        projections=(
            Projection.sparse("values", "units", pre=one, post=one, weight=1.0, delay=dt),
            Projection.dense("brake", "units", np.full((n, 1), -gain), delay=dt),
            Projection.dense("units", "brake", np.full((1, n), 1.0 / n), delay=dt),
            Projection.dense("brake", "brake", [[1.0]], delay=dt),
        ),
        outputs=(),
        dt=dt,
        name="winner-take-all",
    )
