"""What Norse and snnTorch share: tensors of W1, one step of the loop, and what they cannot do.

Both put every input through the synaptic filter. The drive has none, so it is filtered inversely first: the membranes
then see the drive itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from harness import Task, unsupported
from standard import N_CHANNELS, Standard

DENSE_BELOW = 500
"""Neurons up to which a dense weight matrix is faster than a sparse one."""


def check(task: Task) -> None:
    """Exit where the task is not the static W1."""
    if task.net != "w1":
        unsupported(task, "its cells have one synaptic time constant, and multiply by all weights in every step")
    if task.plastic:
        unsupported(task, "its recurrent cells have no STDP")


def prepare(torch: Any) -> None:
    """One thread, no gradients."""
    torch.set_num_threads(1)
    torch.set_grad_enabled(False)


def weights(torch: Any, net: Standard) -> tuple[Any, Any]:
    """Return input weights [n, 8] and recurrent weights [post, pre], dense or in compressed rows."""
    index = torch.tensor(np.stack([net.post, net.pre]).astype(np.int64))
    recurrent = torch.sparse_coo_tensor(index, torch.tensor(net.weight), (net.n, net.n))
    feed = torch.zeros(net.n, N_CHANNELS)
    feed[torch.arange(net.n), torch.tensor(net.channel.astype(np.int64))] = torch.tensor(net.gain)
    return feed, recurrent.to_dense() if net.n < DENSE_BELOW else recurrent.to_sparse_csr()


def stepper(torch: Any, net: Standard, decay: float, cell: Callable[[Any], Any]) -> Callable[[np.ndarray], list[int]]:
    """Return the function of one control step; ``cell`` maps input [1, 8] to spikes [1, n]."""
    before = torch.zeros(1, N_CHANNELS)
    first, last = net.outputs[0].start, net.outputs[-1].stop

    def step(drive: np.ndarray) -> list[int]:
        nonlocal before
        now = torch.from_numpy(drive)[None]
        spikes = cell(torch.sub(now, before, alpha=decay))
        before = now
        return spikes[0, first:last].view(len(net.outputs), -1).sum(1).tolist()

    return step
