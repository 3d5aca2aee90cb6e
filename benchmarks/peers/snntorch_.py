"""snnTorch: its recurrent cell with synaptic current; it has no refractory time. W1 static only.

The file name ends in an underscore because ``snntorch.py`` would hide the package.
"""

from __future__ import annotations

import importlib.metadata
import math
import time
from collections.abc import Callable
from typing import Any

import torch_networks
from harness import arguments, need, report
from standard import Standard
from timing import closed_loop


def build(torch: Any, snn: Any, net: Standard, alpha: float) -> Callable[[Any], Any]:
    """Return the cell as a function from input to spikes."""
    beta = math.exp(-net.dt / net.tau_m)
    feed, recurrent = torch_networks.weights(torch, net)
    linear = torch.nn.functional.linear
    feed, recurrent = feed * (1 - beta), recurrent * (1 - beta)  # its membrane adds the current unscaled
    product = torch.nn.Module()  # in place of the dense layer that the cell makes
    product.forward = lambda spikes: linear(spikes, recurrent)
    cell = snn.RSynaptic(alpha, beta, threshold=net.v_th, linear_features=1, reset_mechanism="none")
    cell.recurrent = product
    zero = torch.zeros(1, net.n)
    state = (zero, zero, torch.from_numpy(net.v0)[None])

    def step(x: Any) -> Any:
        nonlocal state
        spikes, current, v = state
        # Reset here: the cell's own reset to zero would take the product with the recurrent weights twice.
        state = cell(linear(x, feed), spikes, current, v * (1 - spikes))
        return state[0]

    return step


def main() -> None:
    """Run one network."""
    task = arguments("snntorch")
    torch = need(task, "torch", "pip install torch")
    snn = need(task, "snntorch", "pip install snntorch")
    torch_networks.check(task)
    torch_networks.prepare(torch)
    net = task.network()
    alpha = math.exp(-net.dt / net.tau_exc)
    began = time.perf_counter()
    step = torch_networks.stepper(torch, net, alpha, build(torch, snn, net, alpha))
    built = time.perf_counter() - began
    report(task, net, importlib.metadata.version("snntorch"), built, closed_loop(net, step, task.steps))


if __name__ == "__main__":
    main()
