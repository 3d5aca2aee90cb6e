"""Brian2, C++ standalone, one thread: W2 and W3; a generated program cannot be stepped from Python, so no W1."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

from brian2_networks import build
from harness import Task, arguments, need, report, unsupported
from standard import Standard
from timing import Measured, per_synapse, resident

FLAGS = ["-w", "-O3", "-ffast-math", "-march=native", "-std=c++11"]
BEFORE = "const std::clock_t before_run = std::clock();"
AFTER = """
{
    std::ofstream usage("usage.txt");
    usage << double(std::clock() - before_run) / CLOCKS_PER_SEC << std::endl;
    std::ifstream statm("/proc/self/statm");
    usage << statm.rdbuf();
}
"""
"""The program itself tells the processor time of its loop and its memory: outside, both mix with compiling."""


def run(b2: Any, task: Task, net: Standard, directory: str) -> tuple[float, Measured, int | None]:
    """Build and run the program; return build time, times, and its memory if that is known."""
    began = time.perf_counter()
    b2.set_device("cpp_standalone", build_on_run=False)
    network, neurons = build(b2, net)
    counter = b2.SpikeMonitor(neurons, record=False)
    network.add(counter)
    b2.device.insert_code("before_network_run", BEFORE)
    b2.device.insert_code("after_network_run", AFTER)
    network.run(task.seconds * b2.second)
    b2.device.build(directory=directory, compile=True, run=False)
    built = time.perf_counter() - began
    b2.device.run()
    wall = b2.device._last_run_time  # of the loop alone: without reading and writing files
    cpu, *memory = Path(directory, "usage.txt").read_text().splitlines()
    rate = counter.num_spikes / net.n / task.seconds
    measured = Measured(wall, float(cpu), rate, task.seconds)
    return built, measured, resident(memory[0]) if memory else None


def main() -> None:
    """Run one network."""
    task = arguments("brian2_standalone")
    b2 = need(task, "brian2", "pip install 'brian2==2.9.0' 'numpy<2.3'")
    if task.net == "w1":
        unsupported(task, "a standalone program cannot be stepped from Python")
    b2.prefs.codegen.cpp.extra_compile_args_gcc = FLAGS
    b2.prefs.devices.cpp_standalone.openmp_threads = 0
    net = task.network()
    with tempfile.TemporaryDirectory() as directory:
        built, result, memory = run(b2, task, net, directory)
    report(task, net, b2.__version__, built, result, per_synapse(net, 0, memory))


if __name__ == "__main__":
    main()
