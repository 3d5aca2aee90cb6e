"""SpikingLab9's senses and plasticity, jitted: latencies of colours, and STDP whose past a motor spike clears."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from insectbot.errors import ConfigurationError, ShapeError
from insectbot.jit import kernel
from insectbot.snn.validate import require_finite, require_not_negative

_NOTHING: Final = 5.0
_NEVER: Final = -(1 << 40)


@kernel
def encode(seen: Any, count: Any, begun: Any, drive: Any) -> None:
    """Turn distances, pain and food into the six drives."""
    for c in range(3):
        drive[c] = 0.0
        if seen[c] >= _NOTHING:
            count[c] = 0.0
            continue
        count[c] += 1.0
        if count[c] >= math.floor(seen[c] + 0.5):
            drive[c], count[c] = 1.0, 0.0
    drive[3], drive[4], drive[5] = seen[3], seen[4], 1.0 - begun[0]
    begun[0] = 1.0


@kernel
def spiked(counts: Any, out: Any) -> None:
    """Write 1 for each of the first neurons that spiked, else 0."""
    for i in range(out.size):
        out[i] = 1.0 if counts[i] > 0 else 0.0


@kernel
def listen(counts: Any, motors: Any, arriving: Any, travelling: Any) -> bool:
    """Read a tick: which motors spiked, which afferent spikes of the tick before arrive; return whether any did."""
    event = False
    for i in range(motors.size):
        motors[i] = counts[i] > 0
        event |= counts[i] > 0
    for j in range(arriving.size):
        arriving[j] = travelling[j]
        travelling[j] = counts[motors.size + j] > 0
        event |= arriving[j]
    return event


@kernel
def fade(w: Any, rest: float, keep: float) -> None:
    """Bring weights nearer to ``rest``: a share ``keep`` of the distance is left."""
    for j in range(w.shape[0]):
        for i in range(w.shape[1]):
            w[j, i] = rest + keep * (w[j, i] - rest)


@kernel
def learn(w: Any, t: int, pre: Any, post: Any, arrivals: Any, last: Any, up: Any, down: Any, bounds: Any) -> bool:
    """Take arrivals and spikes of tick ``t``; change ``w`` [pre, post] in place; return whether anything did."""
    changed = False
    n_pre, n_post, most = arrivals.shape
    for j in range(n_pre):
        if not pre[j]:
            continue
        for i in range(n_post):
            since = t - last[i]
            if since < down.size:
                w[j, i] -= down[since]
                changed = True
            for m in range(most - 1, 0, -1):
                arrivals[j, i, m] = arrivals[j, i, m - 1]
            arrivals[j, i, 0] = t
    for i in range(n_post):
        if not post[i]:
            continue
        for j in range(n_pre):
            gain = 0.0
            for m in range(most):
                ago = t - arrivals[j, i, m]
                if ago >= up.size:
                    break
                gain += up[ago]
                changed = True
            w[j, i] += gain
            arrivals[j, i, :] = _NEVER
        last[i] = t
    if changed:
        for j in range(n_pre):
            for i in range(n_post):
                w[j, i] = min(max(w[j, i], bounds[0]), bounds[1])
    return changed


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
        seen = np.asarray(observation, np.float32)
        if seen.shape != (5,):
            raise ShapeError(f"SpikingLab9: an observation of shape {seen.shape}, must be (5,)")
        encode(seen, self._count, self._begun, self._drive)
        return self._drive

    def state(self) -> dict[str, npt.NDArray]:
        """Return what is remembered."""
        return {"count": self._count.copy(), "begun": self._begun.copy()}

    def load_state(self, state: Mapping[str, npt.NDArray]) -> None:
        """Restore it."""
        self._count[:], self._begun[:] = state["count"], state["begun"]


class ClearedSTDP:
    """Pair STDP in which a postsynaptic spike clears what came before it (Jimenez-Romero & Johnson 2017).

    A pulse that arrives at t_a costs ``a_minus exp(-(t_a - t_post) / 18 ms)`` once, for the last postsynaptic spike
    within 75 ms. A postsynaptic spike gives ``a_plus exp(-(t_post - t_a) / 11 ms)`` for each of the last 30 pulses
    within 50 ms, since the spike before. A pulse that arrives in the tick of a spike has caused it.

    Between such ticks weights may fade to ``rest`` exponentially: passive forgetting, which flies have, too (Shuai et
    al. 2010, Cell 140:579).

    The core's pair rules have no trace that a postsynaptic spike clears, so this one runs between ticks, as a kernel.
    The exponentials are tables, so that the bits are those of plain Python.

    Parameters
    ----------
    n_pre, n_post : int
        Units on either side; synapses run pre by pre, as in a dense projection.
    a_plus, a_minus : float
        Amplitudes of gain and loss [unit of the weight], >= 0.
    w_min, w_max : float
        Bounds of the weight.
    forget : float
        Share of the distance from ``rest`` that is lost per tick, in [0, 1).
    rest : float
        Weight that is left when all is forgotten.

    Raises
    ------
    ConfigurationError
        If an amplitude is negative, the bounds are not in order, or ``forget`` is out of range.
    """

    tau_plus, tau_minus = 11.0, 18.0
    before, after, most = 50, 75, 30

    def __init__(
        self,
        n_pre: int,
        n_post: int,
        a_plus: float,
        a_minus: float,
        w_min: float,
        w_max: float,
        *,
        forget: float = 0.0,
        rest: float = 0.0,
    ) -> None:
        require_not_negative("ClearedSTDP", a_plus=a_plus, a_minus=a_minus)
        require_finite("ClearedSTDP", w_min=w_min, w_max=w_max, rest=rest)
        if w_min > w_max or not 0.0 <= forget < 1.0:
            raise ConfigurationError(
                f"ClearedSTDP: w_min = {w_min}, w_max = {w_max}, forget = {forget}:"
                " w_min must not exceed w_max, and forget must lie in [0, 1) per tick"
            )
        self._keep, self._rest = 1.0 - forget, rest
        self._up = np.array([a_plus * math.exp(-d / self.tau_plus) for d in range(self.before + 1)])
        self._down = np.array([a_minus * math.exp(-d / self.tau_minus) for d in range(self.after + 1)])
        self._bounds = np.array([w_min, w_max], np.float64)
        self._arrivals = np.full((n_pre, n_post, self.most), _NEVER, np.int64)
        self._last = np.full(n_post, _NEVER, np.int64)
        self._since = np.zeros(1, np.int64)

    def reset(self) -> None:
        """Forget all spikes."""
        self._arrivals[:] = self._last[:] = _NEVER
        self._since[:] = 0

    def __call__(self, w: npt.NDArray, t: int, pre: npt.NDArray, post: npt.NDArray) -> bool:
        """Take arrivals and spikes (bool) of tick ``t``; change ``w`` [pre, post] in place; return whether it did."""
        faded = self._keep < 1.0
        if faded:
            fade(w, self._rest, self._keep ** (t - int(self._since[0])))
            self._since[0] = t
        return learn(w, t, pre, post, self._arrivals, self._last, self._up, self._down, self._bounds) or faded

    def state(self) -> dict[str, npt.NDArray]:
        """Return what is remembered."""
        return {"arrivals": self._arrivals.copy(), "last": self._last.copy(), "since": self._since.copy()}

    def load_state(self, state: Mapping[str, npt.NDArray]) -> None:
        """Restore it."""
        self._arrivals[:], self._last[:], self._since[:] = state["arrivals"], state["last"], state["since"]
