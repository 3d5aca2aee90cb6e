"""What a standard network is: parameters and synapses of a leaky integrate-and-fire network, as numpy arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float32]

N_CHANNELS = 8
N_OUTPUTS = 4


@dataclass(frozen=True)
class Stdp:
    """Additive all-to-all pair STDP on the excitatory synapses; amplitudes in units of the weight, times in ms."""

    a_plus: float
    a_minus: float
    w_max: float
    tau_plus: float = 20.0
    tau_minus: float = 20.0


@dataclass(frozen=True)
class Standard:
    """A leaky integrate-and-fire network: parameters [ms, mV] and synapses.

    ``tau_m dv/dt = v_rest - v + current + drive + synapses``; a spike at ``v >= v_th`` resets to ``v_reset`` for
    ``t_ref``. The synaptic term is a jump of ``v`` (``tau_exc = 0``), a decaying current, or with reversal potentials
    a decaying conductance relative to the leak, ``g * (e - v)``.

    Attributes
    ----------
    name, n, n_exc, dt, delay
        Name, neurons, excitatory neurons (the first ones), time step and transmission delay [ms].
    tau_m, tau_exc, tau_inh, t_ref : float
        Membrane and synaptic time constants and refractory time [ms].
    v_rest, v_th, v_reset, current : float
        Potentials and constant drive [mV].
    e_exc, e_inh : float or None
        Reversal potentials of conductance synapses [mV]; None for current or delta synapses.
    pre, post : ndarray of int32, shape (n_synapses,)
        Source and target, sorted by source, then target: the excitatory synapses come first.
    weight : ndarray of float32, shape (n_synapses,)
        Jump of v, of the current [mV] or of the relative conductance. Inhibition is negative except for conductances.
    v0 : ndarray of float32, shape (n,)
        Initial potentials.
    stdp : Stdp or None
        Learning rule of the excitatory synapses; None for static ones.
    channel, gain : ndarray, shape (n,)
        Closed loop only: neuron i receives ``gain[i] * drive[channel[i]]``.
    outputs : tuple of slice
        Closed loop only: the four populations whose spikes are counted in every step; they lie end to end.
    """

    name: str
    n: int
    n_exc: int
    dt: float
    delay: float
    tau_m: float
    tau_exc: float
    tau_inh: float
    t_ref: float
    v_rest: float
    v_th: float
    v_reset: float
    current: float
    pre: Ints
    post: Ints
    weight: Floats
    v0: Floats
    e_exc: float | None = None
    e_inh: float | None = None
    stdp: Stdp | None = None
    channel: Ints | None = None
    gain: Floats | None = None
    outputs: tuple[slice, ...] = ()

    @property
    def n_synapses(self) -> int:
        """Number of synapses."""
        return int(self.pre.size)

    @property
    def coba(self) -> bool:
        """Whether synapses are conductances."""
        return self.e_exc is not None

    @property
    def halves(self) -> tuple[tuple[str, slice], tuple[str, slice]]:
        """The excitatory and the inhibitory synapses, as slices."""
        cut = int(np.searchsorted(self.pre, self.n_exc))
        return ("exc", slice(0, cut)), ("inh", slice(cut, self.n_synapses))
