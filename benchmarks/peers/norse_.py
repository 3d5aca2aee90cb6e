"""Norse: its LIF cell with refractory time, by Euler steps of 1 ms; W1 static only.

The file name ends in an underscore because ``norse.py`` would hide the package.
"""

from __future__ import annotations

import importlib.metadata
import time
from collections.abc import Callable
from typing import Any

import torch_networks
from harness import arguments, need, report
from standard import Standard
from timing import closed_loop


def build(torch: Any, net: Standard) -> Callable[[Any], Any]:
    """Return the cell as a function from input to spikes."""
    from norse.torch.functional.lif import LIFParameters, LIFState
    from norse.torch.functional.lif_refrac import LIFRefracParameters, LIFRefracState, lif_refrac_step

    feed, recurrent = torch_networks.weights(torch, net)
    number = torch.as_tensor
    lif = LIFParameters(
        tau_syn_inv=number(1e3 / net.tau_exc),
        tau_mem_inv=number(1e3 / net.tau_m),
        v_leak=number(net.v_rest),
        v_th=number(net.v_th),
        v_reset=number(net.v_reset),
    )
    p = LIFRefracParameters(lif, rho_reset=number(net.t_ref / net.dt))
    zero = torch.zeros(1, net.n)
    state = LIFRefracState(LIFState(z=zero, v=torch.from_numpy(net.v0)[None], i=zero), rho=zero)

    def cell(x: Any) -> Any:
        nonlocal state
        spikes, state = lif_refrac_step(x, state, feed, recurrent, p, net.dt * 1e-3)
        return spikes

    return cell


def main() -> None:
    """Run one network."""
    task = arguments("norse")
    torch = need(task, "torch", "pip install torch")
    need(task, "norse.torch", "pip install --no-deps norse, with nir and nirtorch")
    torch_networks.check(task)
    torch_networks.prepare(torch)
    net = task.network()
    began = time.perf_counter()
    step = torch_networks.stepper(torch, net, 1 - net.dt / net.tau_exc, build(torch, net))
    built = time.perf_counter() - began
    report(task, net, importlib.metadata.version("norse"), built, closed_loop(net, step, task.steps))


if __name__ == "__main__":
    main()
