"""Write the source of a window kernel for one network structure."""

from __future__ import annotations

import os
import re
from pathlib import Path

from insectbot.core import text_synapses as T
from insectbot.core import text_window as W
from insectbot.core.inline import inline
from insectbot.core.plan_inputs import InputPlan
from insectbot.core.plan_synapses import ProjectionPlan
from insectbot.core.structure import Structure
from insectbot.core.text_population import integrate

_LIBRARY = (Path(__file__).parents[1] / "randomness.py", Path(__file__).with_name("library.py"))
_RULE_BODY = {"static": T.DELIVER, "perturb": T.DELIVER + T.PERTURB_BODY, "pair": T.PAIR_BODY}
_RULE_BODY |= {"reward": T.DELIVER + T.REWARD_BODY, "eager": T.EAGER_BODY + T.DELIVER}
_RULE_PRE = {"pair": T.PAIR_PRE}
_RULE_AFTER = {"reward": T.REWARD_PRE, "eager": T.EAGER_PRE}
_RULE_EPOCH = {"pair": T.PAIR_EPOCH, "reward": T.REWARD_EPOCH, "eager": T.EAGER_DECAY}
_RULE_POST = {"pair": T.PAIR_POST, "reward": T.REWARD_POST, "eager": T.EAGER_POST}


def generate(structure: Structure) -> str:
    """Return the module source: the library's text, then ``window`` for this structure."""
    head = W.HEAD.replace("OPTIONS", ", nogil=True" if structure.threads else "")
    body = [head, *_unpack(structure), W.CHECK_DRIVE]
    body += ["    rounds = 0\n"] if structure.threads else []
    body += [_pulse(k, plan) for k, plan in enumerate(structure.projections) if plan.rule in ("reward", "perturb")]
    windows = {"poisson": W.POISSON_WINDOW, "times": W.TIMES_WINDOW}
    body += [_named(windows[p.kind], I=f"in{k}") for k, p in enumerate(structure.inputs) if p.kind in windows]
    body += [_held(structure, k, indent=" " * 4) for k in range(len(structure.populations))]
    body.append("    for _ in range(n_ticks):")
    body += [_projection(structure, k, plan, _RULE_EPOCH) for k, plan in enumerate(structure.projections)]
    body += [_input(k, plan) for k, plan in enumerate(structure.inputs) if plan.kind != "current"]
    body += [_population(structure, k) for k in range(len(structure.populations))]
    body += [W.MEET] if structure.threads else []
    body += [_collect(structure, k) for k in range(len(structure.populations)) if structure.threads]
    body += [_walk(structure, k, plan) for k, plan in enumerate(structure.projections) if plan.rule != "current"]
    body += [_projection(structure, k, plan, _RULE_POST) for k, plan in enumerate(structure.projections)]
    body += [W.PROBE, W.TAIL]
    text = _typed("\n".join(body), structure.real)
    window = "\n".join(line for line in text.splitlines() if line.strip())
    return f"{_library()}\n\n{window}\n"


def _library() -> str:
    """Return the text of the shared primitives as one module, with what only this system has."""
    texts = [path.read_text() for path in _LIBRARY]
    text = "\n\n".join(texts).replace("from __future__ import annotations\n", "")
    if os.name == "posix":  # a waiting thread lets others run; elsewhere it spins
        text = text.replace(
            "    while read_shared(address) < goal:\n        pass\n",
            "    spins = 0\n    while read_shared(address) < goal:\n        spins += 1\n"
            "        if spins > 4000:\n            sched_yield()\n",
        )
        text += '\n\nsched_yield = types.ExternalFunction("sched_yield", types.int32())\n'
    return text


def _named(text: str, **prefixes: str) -> str:
    for letter, name in prefixes.items():
        text = re.sub(rf"\b{letter}_", f"{name}_", text)
    return text


def _typed(text: str, real: str) -> str:
    text = text.replace("REAL(", f"{real}(").replace("NUM(", "np.float32(" if real == "f4" else "float(")
    return text.replace("SIZE", "4" if real == "f4" else "8")


def _group(structure: Structure, number: int) -> str:
    n_in = len(structure.inputs)
    return f"in{number}" if number < n_in else f"p{number - n_in}"


def _unpack(structure: Structure) -> list[str]:
    lines = []
    addressed = re.compile(r"(_state|_ring\d+|_add\d+|_push|_flag|_until|_w|_target|_e|_snap|sync)$")
    for number, (name, code) in enumerate(structure.arrays):
        if number > 2:
            lines.append(f"    {name} = {code}(table[{number}])")
        if addressed.search(name):
            lines.append(f"    {name}_a = table[{number}]")
    lines += [f"    {name} = real[{k}]" for k, name in enumerate(structure.reals)]
    lines += [f"    {name} = size[{k}]" for k, name in enumerate(structure.sizes) if k > 4]
    return lines


def _pulse(k: int, plan: ProjectionPlan) -> str:
    text = T.PULSE_TIED if plan.tied else T.PULSE
    scale = f" * s{k}_scale[0]" if plan.rule == "reward" else ""
    return _named(text.replace("S_modulator", str(plan.modulator)), S=f"s{k}").replace("SCALE", scale)


def _held(structure: Structure, k: int, indent: str) -> str:
    """Return the statements that set the analog current (and noise) that holds until the next window or change."""
    plan = structure.populations[k]
    arrays = range(max(len(plan.inject), int(plan.premultiplied and plan.noise)))
    text = "".join(W.NO_CURRENT.replace("addM", f"add{m}") for m in arrays)
    for number, m in plan.currents:
        source = structure.projections[number].source
        factor = f" * P_{plan.inject[m][1][0][2]}" if plan.premultiplied else ""
        current = W.ADD_CURRENT.replace("addM", f"add{m}").replace("FACTOR", factor)
        text += _named(current, S=f"s{number}", I=f"in{source}")
    if plan.noise:
        text += "" if plan.premultiplied else W.NO_PUSH
        text += W.ADD_NOISE.replace("ARRAY", "add0" if plan.premultiplied else "push")
    return _named(text, P=f"p{k}").replace("INDENT", indent)


def _input(k: int, plan: InputPlan) -> str:
    ticks = {"poisson": W.POISSON_TICK, "regular": W.REGULAR_TICK, "times": W.TIMES_TICK}
    text = ticks[plan.kind] if plan.kind in ticks else _coded(plan)
    return _named(text + W.INPUT_RECORD, I=f"in{k}")


def _coded(plan: InputPlan) -> str:
    """Return the tick of a code: its ``frame`` where one begins, then its ``emit``, per channel in float64."""
    lines = [W.RANK if plan.ranked else "", "        I_count = 0", "        code_k = float(tick % I_frame)"]
    lines += ["        for u in range(I_n):"]
    lines += ["            code_x = min(max(float(drive[I_unit + u]), 0.0), 1.0)"]
    names = {"x": "code_x", "k": "code_k", "rank": "I_rank[u]", "dt": "I_number[0]"}
    names |= {s: f"I_number[{1 + n}]" for n, s in enumerate(plan.scalars)}
    states = {s: f"code_{s}" for s in plan.states}
    names |= {"uniform()": "uniform_f8(draw(I_key[0], tick, u))", "normal()": "standard_normal(I_key[0], tick, u)"}
    lines += [f"            {states[s]} = I_state_{s}[u]" for s in plan.states]
    if plan.frame is not None:
        done = inline(plan.frame, names | states, dtype="f8", prefix="frame_", owner="frame")
        lines.append("            if code_k == 0.0:")
        lines += [f"                {line}" for line in done.lines]
        lines += [f"                {states[s]} = {text}" for s, text in done.results.items()]
    done = inline(plan.emit, names | states, dtype="f8", prefix="emit_", owner="emit") if plan.emit else None
    if done is not None:
        lines += [f"            {line}" for line in done.lines]
        first, *rest = done.results.items()
        lines += [f"            I_state_{s}[u] = {text}" for s, text in rest]
        kept = [s for s in plan.states if s not in dict(rest)]
        lines += [f"            I_state_{s}[u] = {states[s]}" for s in kept]
        lines += [f"            if {first[1]}:", "                I_spikes[I_count] = u"]
        lines += ["                I_count += 1"]
    return "\n".join(lines) + "\n"


def _population(structure: Structure, k: int) -> str:
    plan = structure.populations[k]
    text = ""
    if plan.noise:
        text += W.NOISE
        for number, projection in enumerate(structure.projections):
            if projection.target == k and projection.rule == "perturb":
                text += _named(W.NOISE_SIGNAL, S=f"s{number}")
        text += _held(structure, k, indent=" " * 12)
    text += integrate(plan, structure.real) + (W.AFTER if plan.spiking else "")
    text += W.PUBLISH if structure.threads else W.OUTPUT if plan.output and plan.spiking else ""
    return _named(text, P=f"p{k}")


def _collect(structure: Structure, k: int) -> str:
    """Return the statements that gather all threads' spikes; the first thread counts them for the readout."""
    text = W.COLLECT
    if structure.populations[k].output:
        lines = W.OUTPUT.replace("P_count", "P_total").replace("P_spikes", "P_all").splitlines()
        text += "\n".join(["        if size[3] == 0:", *(f"    {line}" for line in lines)]) + "\n"
    return _named(text, P=f"p{k}")


def _walk(structure: Structure, k: int, plan: ProjectionPlan) -> str:
    group = _group(structure, plan.source)
    if plan.graded:
        text = _named(T.WALK_GRADED, G=group)
    else:
        body = _RULE_BODY[plan.rule].replace("FACTOR", " * factor" if plan.release else "")
        body = body.replace("DOWN", T.DOWN[plan.weighting])
        after = _RULE_AFTER.get(plan.rule, "").replace("KEEP", " * NUM(0)" if plan.nearest else "")
        text = T.WALK.replace("PRE", T.PREFETCH + _RULE_PRE.get(plan.rule, "") + _release(plan, structure.real))
        text = text.replace("BODY", body).replace("POST", after)
        text = text.replace("TARGET(", "i4(" if plan.wide else "u2(").replace("WIDTH", "4" if plan.wide else "2")
        if structure.threads and not group.startswith("in"):
            text = text.replace("G_count", f"{group}_total").replace("G_spikes", f"{group}_all")
    return _named(text.replace("PORT", str(plan.port)), S=f"s{k}", P=f"p{plan.target}", G=group)


def _release(plan: ProjectionPlan, real: str) -> str:
    """Return the statements that make ``factor`` from the source's short-term state."""
    if plan.release is None:
        return ""
    names = {s: f"S_release_{s}[j]" for s in plan.release_states}
    names |= {s: f"S_release_{s}" for s in plan.release_scalars} | {"interval": "interval"}
    names["dt"] = "S_release_dt"
    done = inline(plan.release, names, dtype=real, prefix="release_", owner="release")
    (_, factor), *rest = done.results.items()
    lines = [*done.lines, f"factor = {factor}", *(f"S_release_{s}[j] = {text}" for s, text in rest)]
    return T.RELEASE.replace("LINES", "\n".join(f"            {line}" for line in lines))


def _projection(structure: Structure, k: int, plan: ProjectionPlan, texts: dict[str, str]) -> str:
    text = texts.get(plan.rule, "").replace("KEEP", " * NUM(0)" if plan.nearest else "")
    text = text.replace("= UP", f"= {T.UP[plan.weighting]}")
    return _named(text, S=f"s{k}", P=f"p{plan.target}", G=_group(structure, plan.source))
