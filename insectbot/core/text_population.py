"""Write the integration of one population: a loop over blocks of 64 neurons that LLVM vectorises.

Lines are written for population ``P_`` and renamed at the end. Inside the loop ``s`` is the block's memory (one row of
64 per state variable), ``r0, r1, ...`` what arrives at each receptor now, ``a0, ...`` held analog current.
"""

from __future__ import annotations

from insectbot.core.coefficients import kernel_word, port_name
from insectbot.core.inline import Function, inline
from insectbot.core.plan_neurons import BLOCK, PopulationPlan, PortPlan

_I1, _I2, _I3, _I4 = (" " * n for n in (8, 12, 16, 20))


class _Writer:
    """Writes one population's update; names of values in flight are kept in ``old`` and ``new`` (state -> text)."""

    def __init__(self, plan: PopulationPlan, real: str) -> None:
        self.plan, self.real = plan, real
        self.size = 4 if real == "f4" else 8
        self.row = {name: BLOCK * k for k, name in enumerate(plan.rows)}
        self.old = {s: f"n_{kernel_word(s)}" for s in plan.rows if not s.startswith("=")}
        self.new = dict(self.old)
        self.lines: list[str] = []

    def at(self, name: str) -> str:
        """Return the text that reads or writes a row of the block."""
        offset = self.row[name]
        return f"s[{offset} + i]" if offset else "s[i]"

    def coefficient(self, name: str) -> str:
        """Return a coefficient: a register, or a row of the block."""
        return self.at(f"={name}") if f"={name}" in self.row else f"P_{name}"

    def say(self, text: str) -> None:
        """Add a line of the vector loop."""
        self.lines.append(f"{_I3}{text}")

    def assign(self, state: str, text: str) -> None:
        """Give a state a new value."""
        name = f"x_{kernel_word(state)}"
        if text != name:
            self.say(f"{name} = {text}")
        self.new[state] = name

    def call(self, role: str, f: Function, names: dict[str, str]) -> dict[str, str]:
        """Inline a function and return its results."""
        done = inline(
            f,
            {**names, "uniform()": "drawn_uniform", "normal()": "drawn_normal"},
            dtype=self.real,
            prefix=f"{role}_",
            owner=f"{self.plan.model}.{role}",
            counts=dict(self.plan.counts),
        )
        self.draws(f)
        for line in done.lines:
            self.say(line)
        return done.results

    def draws(self, f: Function) -> None:
        """Draw the random numbers that a function asks for."""
        unit = f"4 * (P_base + b * {BLOCK} + i)"
        if "uniform" in f.calls:
            odd = 1 if f is self.plan.role.get("threshold") else 0
            self.say(f"drawn_uniform = uniform_{self.real}(draw(P_draws[0], tick, {unit} + {odd}))")
        if "normal" in f.calls:
            real = "np.float32" if self.real == "f4" else "np.float64"
            lane = f"2 * (P_base + b * {BLOCK} + i) + (1 << 23)"
            self.say(f"drawn_normal = {real}(standard_normal(P_draws[0], tick, {lane}))")

    def names(self, values: dict[str, str], f: Function) -> dict[str, str]:
        """Bind a function's arguments: states from ``values``, the rest from coefficients."""
        out = {}
        for a in f.arguments:
            if a in values:
                out[a] = values[a]
            elif a.startswith("old_") and a[4:] in self.plan.states:
                out[a] = self.old[a[4:]]
            elif a in dict(self.plan.counts):
                out[a] = f"NUM({dict(self.plan.counts)[a]})"
            else:
                out[a] = self.coefficient(a)
        return out


def integrate(plan: PopulationPlan, real: str) -> str:
    """Return the statements that integrate a population for one tick, with ``P_`` for its prefix."""
    w = _Writer(plan, real)
    for s in w.old:
        w.say(f"{w.old[s]} = {w.at(s)}")
    if plan.propagate is None:
        _step_functions(w)
    else:
        _step_linear(w)
    _after(w)
    head = [f"{_I1}P_count = 0"]
    head += [f"{_I1}P_slot{q} = P_ring{q}_a + (tick & P_mask) * P_bytes" for q, p in enumerate(plan.ports) if p.fed]
    head += [f"{_I1}now = np.int32(tick & TURN)"] if plan.refractory else []
    head += _turn() if plan.refractory else []
    head.append(f"{_I1}for b in range(P_blocks):")
    head.append(f"{_I2}s = {real}(P_state_a + b * {BLOCK * w.size * len(plan.rows)})")
    head += [f"{_I2}r{q} = {real}(P_slot{q} + b * {BLOCK * w.size})" for q, port in enumerate(plan.ports) if port.fed]
    head += [f"{_I2}until = i4(P_until_a + b * {4 * BLOCK})"] if plan.refractory else []
    pushes = [name for name, _ in plan.arrays(False) if name.startswith("add") or name == "push"]
    head += [f"{_I2}{_held(name)} = {real}(P_{name}_a + b * {BLOCK * w.size})" for name in pushes]
    head += [f"{_I2}hit = np.int32(0)"] if plan.spiking else []
    head.append(f"{_I2}for i in range({BLOCK}):")
    rain = [f"{_I2}{line}" for line in _rain(plan, real)]
    head[-2:-2] = rain if plan.spiking else []
    return "\n".join([*head, *w.lines, *_scan(plan, real)]) + "\n"


def _rain(plan: PopulationPlan, real: str) -> list[str]:
    """Return the statements that add a Poisson number of background spikes to what arrives now.

    The number is the count of limits (the cumulative distribution, in 32 bits) at or below a random number.
    """
    if plan.background < 0:
        return []
    r, number = f"r{plan.background}[i]", "np.float32" if real == "f4" else "np.float64"
    return [
        f"for i in range({BLOCK}):",
        f"    P_bits[i] = np.int32(np.int64(draw(P_rain[0], tick, P_base + b * {BLOCK} + i)) - 2147483648)",
        "for m in range(P_limits):",
        "    limit = P_limit[m]",
        f"    for i in range({BLOCK}):",
        f"        {r} += P_rain_weight * {number}(P_bits[i] >= limit)",
    ]


def _turn() -> list[str]:
    """Return the statements that keep the ends of refractory times within int32, once in 2^30 ticks."""
    out = [f"{_I1}if now == np.int32(0) and tick > 0:", f"{_I2}for i in range({BLOCK} * P_blocks):"]
    return [*out, f"{_I3}P_until[i] = max(P_until[i] - np.int32(TURN) - np.int32(1), np.int32(-1))"]


def _held(array: str) -> str:
    return "push" if array == "push" else f"a{array.removeprefix('add')}"


def _step_linear(w: _Writer) -> None:
    """Propagate all states from their old values, then add what arrives."""
    plan = w.plan
    rows: dict[str, list[str]] = {}
    for to, by, c in plan.propagate or ():
        rows.setdefault(to, []).append(f"{w.old[by]} * {w.coefficient(c)}" if c else w.old[by])
    for m, (_, terms) in enumerate(plan.inject):
        for to, _, c in terms:
            text = f"a{m}[i]" if plan.premultiplied else f"a{m}[i] * {w.coefficient(c)}"
            rows.setdefault(to, []).insert(1, text)
    if plan.noise:
        rows.setdefault(plan.states[0], []).insert(1, "push[i]")
    results = {to: " + ".join(terms) for to, terms in rows.items()}
    for to in w.old:
        if to in results:
            w.say(f"x_{kernel_word(to)} = {results[to]}")
    for to in results:
        w.new[to] = f"x_{kernel_word(to)}"
    for q, port in enumerate(plan.ports):
        for state, c in port.arrive if port.fed else ():
            w.assign(state, f"{w.new[state]} + r{q}[i]" + (f" * {w.coefficient(c)}" if c else ""))


def _step_functions(w: _Writer) -> None:
    """Sum the currents of the receptors, update the neuron, then the receptors."""
    plan, zero = w.plan, "np.float32(0)" if w.real == "f4" else "0.0"
    update = plan.role["update"]
    current = [f"a{m}[i]" for m, (into, _) in enumerate(plan.inject) if into == plan.states[0]]
    g_sum, g_rev, named = [], [], {}
    for q, port in enumerate(plan.ports):
        if port.kind == "delta":
            named[port.name] = f"r{q}[i]" if port.fed else zero
        elif port.conductance:
            g, e = w.old[f"{q}.g"], w.coefficient(port_name(q, "e_rev"))
            g_sum.append(g)
            g_rev.append(f"{g} * {e}")
        elif port.named:
            named[port.name] = _current(w, q, port)
        else:
            current.append(_current(w, q, port))
    values = {s: w.old[s] for s in plan.states} | named
    sums = {"i": current, "g_sum": g_sum, "g_rev": g_rev}
    for name, terms in sums.items():
        if name in update.arguments:
            w.say(f"sum_{name} = {' + '.join(terms) or zero}")
            values[name] = f"sum_{name}"
    for state, text in w.call("update", update, w.names(values, update)).items():
        w.assign(state, text)
    for q, port in enumerate(plan.ports):
        if port.update is not None:
            _update_port(w, q, port, zero)


def _port_names(w: _Writer, q: int, port: PortPlan, f: Function, zero: str) -> dict[str, str]:
    values = {s.split(".", 1)[1]: w.old[s] for s in port.states}
    values |= {"v": w.old[port.into], "arrived": f"r{q}[i]" if port.fed else zero}
    return {a: values[a] if a in values else w.coefficient(_own(w, q, a)) for a in f.arguments}


def _own(w: _Writer, q: int, name: str) -> str:
    own = port_name(q, name)
    return own if own in w.plan.scalars or own in w.plan.arrays_ else name


def _current(w: _Writer, q: int, port: PortPlan) -> str:
    if port.current is None:
        return w.old[port.states[0]]
    results = w.call(f"current{q}", port.current, _port_names(w, q, port, port.current, "0"))
    return next(iter(results.values()))


def _update_port(w: _Writer, q: int, port: PortPlan, zero: str) -> None:
    if port.update is not None:
        results = w.call(f"port{q}", port.update, _port_names(w, q, port, port.update, zero))
        for name, text in results.items():
            w.assign(f"{q}.{name}", text)


def _after(w: _Writer) -> None:
    """Write delta arrivals, noise, bound, refractory clamp, spike test and stores."""
    plan = w.plan
    for q, port in enumerate(plan.ports):
        if port.kind == "delta" and port.fed and not port.named:
            w.assign(port.into, f"{w.new[port.into]} + r{q}[i]")
    if plan.noise and plan.propagate is None:
        w.assign(plan.states[0], f"{w.new[plan.states[0]]} + push[i]")
    bound = plan.role.get("bound")
    if bound is not None:
        values = {s: w.new[s] for s in plan.states}
        for state, text in w.call("bound", bound, w.names(values, bound)).items():
            w.assign(state, text)
    zero = "np.float32(0)" if w.real == "f4" else "0.0"
    if plan.refractory:
        for state in plan.held:
            w.assign(state, f"{w.old[state]} if until[i] >= now else {w.new[state]}")
    for q, port in enumerate(plan.ports):
        if port.fed:
            w.say(f"r{q}[i] = {zero}")
    for state, text in w.new.items():
        if text != w.old[state]:
            w.say(f"{w.at(state)} = {text}")
    _test(w)
    output = plan.role.get("output")
    if plan.graded and output is not None:
        values = {s: w.new[s] for s in plan.states}
        results = w.call("output", output, w.names(values, output))
        w.say(f"P_value[b * {BLOCK} + i] = {next(iter(results.values()))}")


def _test(w: _Writer) -> None:
    plan = w.plan
    threshold = plan.role.get("threshold")
    if not plan.spiking or threshold is None:
        return
    values = {s: w.new[s] for s in plan.states}
    spike = next(iter(w.call("test", threshold, w.names(values, threshold)).values()))
    if plan.flagged:
        w.say(f"flag = np.int32({_free(plan, spike)})")
        w.say("P_flag[i] = flag")
        w.say("hit = np.int32(hit | flag)")
    else:
        w.say(f"hit = np.int32(hit | np.int32({_free(plan, spike)}))")


def _free(plan: PopulationPlan, spike: str) -> str:
    """Return the spike test; where what it looks at is not held in refractory time, it must be over."""
    looks = set(plan.role["threshold"].arguments) & set(plan.states)
    suppressed = plan.refractory and (plan.flagged or not looks <= set(plan.held))
    return f"({spike}) & (until[i] < now)" if suppressed else spike


def _scan(plan: PopulationPlan, real: str) -> list[str]:
    """Return the rare pass over a block in which something spiked: its lanes as bits, then one by one."""
    if not plan.spiking:
        return []
    w = _Writer(plan, real)
    stored = {s: w.at(s) for s in plan.states}
    out = [f"{_I2}if hit != 0:"]
    threshold, reset = plan.role["threshold"], plan.role["reset"]
    if not plan.flagged:
        spike = next(iter(w.call("test", threshold, w.names(stored, threshold)).values()))
        out += [f"{_I3}for i in range({BLOCK}):", *("    " + line for line in w.lines)]
        out.append(f"{_I4}P_flag[i] = np.int32({_free(plan, spike)})")
        w.lines.clear()
    out += [f"{_I3}for word in range({BLOCK // 64}):", f"{_I4}mask = set_bits(P_flag_a + word * 256)"]
    out += [f"{_I4}while mask != ZERO:", f"{_I4}    i = lowest_bit(mask) + word * 64"]
    out += [f"{_I4}    mask &= mask - ONE", f"{_I4}    if b * {BLOCK} + i < P_n:"]
    results = w.call("reset", reset, w.names(stored, reset))
    body = [line.strip() for line in w.lines]
    names = {state: f"reset_{state}" for state in results}
    body += [f"{names[s]} = {text}" for s, text in results.items() if text != names[s]]
    body += [f"{w.at(s)} = {names[s]}" for s in results]
    if plan.refractory:
        body.append(f"until[i] = now + np.int32({w.coefficient('t_ref')})")
    body += [f"P_spikes[P_count] = b * {BLOCK} + i", "P_count += 1"]
    return out + [f"{' ' * 28}{line}" for line in body]
