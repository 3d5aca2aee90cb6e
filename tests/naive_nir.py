"""Plain interpreter of NIR graphs, as an oracle: node by node and step by step, in float64, no sparse algebra.

Signals are pairs (events, steady): spikes, and what is there in every step (graded outputs, biases).
"""

from __future__ import annotations

import numpy as np


class NaiveNir:
    """Runs a graph on a grid.

    ``layered`` crosses all layers in one step, a loop takes one; else every population is one step (or its Delay)
    behind its sources. ``impulse``: a spike has unit area, else it is 1 for one step. ``unit`` is the file's unit of
    time [ms].
    """

    def __init__(self, graph, dt, *, unit=1000.0, impulse=False, euler=False, layered=True, whole=(), strict=True):
        self.dt, self.impulse, self.euler, self.layered = dt / unit, impulse, euler, layered
        self.whole, self.strict = whole, strict
        self.nodes, self.edges = {}, []
        self._lay(graph, "")
        self.known, self.busy, self.state, self.inputs = {}, set(), {}, {}

    def _lay(self, graph, prefix):
        for name, node in graph.nodes.items():
            if type(node).__name__ == "NIRGraph":
                self._lay(node, f"{prefix}{name}.")
            else:
                self.nodes[prefix + name] = node
        for a, b in graph.edges:
            self.edges.append((prefix + self._end(graph, a, "Output"), prefix + self._end(graph, b, "Input")))

    @staticmethod
    def _end(graph, name, side):
        node = graph.nodes[name]
        if type(node).__name__ != "NIRGraph":
            return name
        return f"{name}.{next(k for k, n in node.nodes.items() if type(n).__name__ == side)}"

    def run(self, inputs, n_ticks):
        """Return population -> what it made, [ticks, n]; ``inputs`` are Input name -> [ticks, n] (rest 0)."""
        self.inputs = inputs
        stateful = [n for n, node in self.nodes.items() if hasattr(self, f"_{type(node).__name__}")]
        out = {n: [] for n in stateful}
        for t in range(n_ticks):
            for name in stateful:
                out[name].append(self.made(name, t).sum(axis=0))
        return {name: np.array(values) for name, values in out.items()}

    def taken(self, name, t):
        return sum((self.made(a, t) for a, b in self.edges if b == name), np.zeros((2, 1)))

    def made(self, name, t):
        """Return (events, steady) that a node makes at step t, flat."""
        node = self.nodes[name]
        kind = type(node).__name__
        if t < 0:
            return np.zeros((2, 1))
        if (name, t) in self.busy:
            return self.made(name, t - 1)  # around a loop
        if (name, t) not in self.known:
            self.busy.add((name, t))
            step = getattr(self, f"_{kind}", None)
            if kind == "Input" and name in self.inputs:
                given = self.inputs.get(name, ())
                n = int(np.prod(node.input_type["input"]))
                value = np.array([given[t] if t < len(given) else np.zeros(n), np.zeros(n)], float)
            elif step is not None:
                self.known.get((name, t - 1), self.made(name, t - 1))
                value = self._step(step, name, node, t)
            elif kind == "Delay":
                value = self._delay(name, node, t)
            elif kind in ("Input", "Output", "Flatten"):
                value = self.taken(name, t)
            else:
                value = linear(kind, node, self.taken(name, t))
            self.busy.discard((name, t))
            self.known[name, t] = value
        return self.known[name, t]

    def _step(self, step, name, node, t):
        x = self.taken(name, t if self.layered else t - 1)
        n = max(x.shape[1], node.r.size if hasattr(node, "r") else node.threshold.size)
        value, graded = step(name, node, np.broadcast_to(x, (2, n)))
        zero = np.zeros(n)
        return np.array([zero, value] if graded else [value, zero], float)

    def _delay(self, name, node, t):
        n = max(node.delay.size, self.taken(name, t).shape[1])
        out = np.zeros((2, n))
        for i, d in enumerate(np.broadcast_to(node.delay.ravel(), n)):
            ticks = int(np.ceil(d / self.dt - 1e-6))
            ticks -= int(not self.layered and ticks > 0)
            past = np.broadcast_to(self.taken(name, t - ticks), (2, n)) if t >= ticks else out
            out[:, i] = past[:, i]
        return out

    def _decay(self, tau):
        return 1 - self.dt / tau if self.euler else np.exp(-self.dt / tau)

    def _adds(self, kind, x, tau, gain):
        """Return what events and steady signals add to something with a leak."""
        step = np.ones_like(tau) if kind in self.whole else 1 - self._decay(tau)
        return gain * ((1 / tau if self.impulse else step) * x[0] + step * x[1])

    def _fire(self, name, node, v):
        th = node.v_threshold.ravel()
        spikes = v > th if self.strict else v >= th
        self.state[name] = np.where(spikes, node.v_reset.ravel(), v)
        return spikes, False

    def _leak(self, name, node, x):
        tau, rest = node.tau.ravel(), node.v_leak.ravel()
        v = self.state.get(name, rest)
        return rest + (v - rest) * self._decay(tau) + self._adds(type(node).__name__, x, tau, node.r.ravel())

    def _LIF(self, name, node, x):
        return self._fire(name, node, self._leak(name, node, x))

    def _LI(self, name, node, x):
        self.state[name] = self._leak(name, node, x)
        return self.state[name], True

    def _ramp(self, name, node, x):
        step = 1.0 if type(node).__name__ in self.whole else self.dt
        event = 1.0 if self.impulse else step
        return self.state.get(name, np.zeros(x.shape[1])) + node.r.ravel() * (event * x[0] + step * x[1])

    def _IF(self, name, node, x):
        self.state.setdefault(name, node.v_reset.ravel() + np.zeros(x.shape[1]))
        return self._fire(name, node, self._ramp(name, node, x))

    def _I(self, name, node, x):
        self.state[name] = self._ramp(name, node, x)
        return self.state[name], True

    def _Threshold(self, name, node, x):
        total, th = x.sum(axis=0), node.threshold.ravel()
        return total > th if self.strict else total >= th, False

    def _cuba(self, name, node, x):
        tau, tau_syn = node.tau_mem.ravel(), node.tau_syn.ravel()
        rest, r, w_in = (getattr(node, k).ravel() for k in ("v_leak", "r", "w_in"))
        v = self.state.get(name, rest + np.zeros(x.shape[1]))
        i = self.state.get(f"{name} i", np.zeros(x.shape[1]))
        if self.euler:
            gain = 1.0 if type(node).__name__ in self.whole else self.dt / tau_syn
            i = i * (1 - self.dt / tau_syn) + w_in * gain * x.sum(axis=0)
            v = v + self.dt / tau * (rest - v + r * i)
        else:
            a, b = 1 / tau, 1 / tau_syn
            event = 1 / tau_syn if self.impulse else -np.expm1(-self.dt * b)
            # y' = A y for y = (v - rest, i, steady signal), stepped by many small steps of a Taylor series.
            s = w_in * x[1]
            y = np.array([v - rest, i])
            for _ in range(64):
                h, term = self.dt / 64, y
                total = y
                for k in range(1, 12):
                    constant = b * s if k == 1 else 0.0
                    term = np.array([a * (r * term[1] - term[0]), constant - b * term[1]]) * h / k
                    total = total + term
                y = total
            v, i = y[0] + rest, y[1] + w_in * event * x[0]
        self.state[f"{name} i"] = i
        return v

    def _CubaLIF(self, name, node, x):
        return self._fire(name, node, self._cuba(name, node, x))

    def _CubaLI(self, name, node, x):
        self.state[name] = self._cuba(name, node, x)
        return self.state[name], True


def linear(kind, node, x):
    """Return what a node without state makes of (events, steady)."""
    bias = np.zeros(1)
    if kind in ("Affine", "Linear"):
        weight = np.asarray(node.weight, float)
        blocks = weight.reshape(-1, *weight.shape[-2:])
        parts = np.broadcast_to(x, (2, blocks.shape[0] * blocks.shape[2])).reshape(2, blocks.shape[0], -1)
        y = np.einsum("boi,sbi->sbo", blocks, parts).reshape(2, -1)
        bias = np.asarray(node.bias, float).ravel() if kind == "Affine" else bias
    elif kind == "Scale":
        y = x * np.asarray(node.scale, float).ravel()
    else:
        y = np.array([spatial(kind, node, part) for part in x])
        bias = spatial_bias(kind, node, y.shape[1])
    return y + np.array([np.zeros_like(bias), bias])


def spatial_bias(kind, node, n):
    if not kind.startswith("Conv"):
        return np.zeros(1)
    return np.repeat(np.asarray(node.bias, float), n // len(node.bias))


def spatial(kind, node, x):
    """Return a convolution or a pool of a flat signal, by the definition; 1-D ones as 2-D ones of height 1."""
    if kind.startswith("Conv"):
        weight = np.asarray(node.weight, float)
        weight = weight[:, :, None] if weight.ndim == 3 else weight
        groups, kernel = node.groups, weight.shape[2:]
        space = (1, int(node.input_shape)) if kind == "Conv1d" else tuple(node.input_shape)
        image = x.reshape(weight.shape[1] * groups, *space)
        stride, dilation = (
            [1, *np.ravel(v)] if kind == "Conv1d" else np.ravel(v) for v in (node.stride, node.dilation)
        )
        pad = [0, 0]
        if node.padding == "same":
            pad = [d * (k - 1) // 2 for d, k in zip(dilation, kernel, strict=True)]
            more = [d * (k - 1) - p for d, k, p in zip(dilation, kernel, pad, strict=True)]
        else:
            if node.padding != "valid":
                pad = [0, int(node.padding)] if kind == "Conv1d" else list(np.ravel(node.padding))
            more = pad
    else:
        kernel, stride, pad = (list(np.ravel(getattr(node, k))) for k in ("kernel_size", "stride", "padding"))
        dilation, more, image = [1, 1], pad, x.reshape(node.test_shape)
    image = np.pad(image, ((0, 0), (pad[0], more[0]), (pad[1], more[1])))
    sizes = [(image.shape[k + 1] - dilation[k] * (kernel[k] - 1) - 1) // stride[k] + 1 for k in (0, 1)]
    out = np.zeros((weight.shape[0] if kind.startswith("Conv") else len(image), *sizes))
    for c, i, j in np.ndindex(*out.shape):
        for a, b in np.ndindex(*kernel):
            y, z = i * stride[0] + a * dilation[0], j * stride[1] + b * dilation[1]
            if kind.startswith("Conv"):
                first = c // (len(out) // groups) * weight.shape[1]
                out[c, i, j] += weight[c, :, a, b] @ image[first : first + weight.shape[1], y, z]
            else:
                out[c, i, j] += image[c, y, z] / (np.prod(kernel) if kind == "AvgPool2d" else 1)
    return out.ravel()
