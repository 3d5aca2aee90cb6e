"""Write the source of a window kernel for one network structure."""

from __future__ import annotations

import os
import re
import textwrap
from pathlib import Path

from insectbot.core import text_precise as X
from insectbot.core import text_synapses as T
from insectbot.core import text_window as W
from insectbot.core.inline import inline
from insectbot.core.plan_inputs import InputPlan
from insectbot.core.plan_neurons import PopulationPlan
from insectbot.core.plan_precise import PrecisePlan, PreciseProjection
from insectbot.core.plan_synapses import ProjectionPlan
from insectbot.core.structure import PlanClass, Structure
from insectbot.core.text_population import integrate

_LIBRARY = (Path(__file__).parents[1] / "randomness.py", Path(__file__).with_name("library.py"))
_PRECISE = Path(__file__).with_name("library_precise.py")
_RULE_BODY = {"static": T.DELIVER, "perturb": T.DELIVER + T.PERTURB_BODY, "pair": T.PAIR_BODY}
_RULE_BODY |= {"reward": T.DELIVER + T.REWARD_BODY, "eager": T.EAGER_BODY + T.DELIVER}
_RULE_PRE = {"pair": T.PAIR_PRE}
_RULE_AFTER = {"reward": T.REWARD_PRE, "eager": T.EAGER_PRE}
_RULE_EPOCH = {"pair": T.PAIR_EPOCH, "reward": T.REWARD_EPOCH, "eager": T.EAGER_DECAY}
_RULE_POST = {"pair": T.PAIR_POST, "reward": T.REWARD_POST, "eager": T.EAGER_POST}
_LETTERS = {"in": "in", "pop": "p", "syn": "s"}


def generate(structure: Structure) -> str:
    """Return the module source: the library's text, then ``window`` for this structure."""
    inputs, populations, projections = (structure.of_kind(kind) for kind in ("in", "pop", "syn"))
    w = _Text(structure)
    w.lines += [W.HEAD.replace("OPTIONS", ", nogil=True" if structure.threads else "")]
    w.unpack_shared()
    w.lines += [W.CHECK_DRIVE, "    rounds = 0\n" if structure.threads else "", X.START if structure.precise else ""]
    for c in projections:
        w.phase(c, "S", _pulse(c.plan), 4)
    windows = {"poisson": W.POISSON_WINDOW, "times": W.TIMES_WINDOW, "timed": W.TIMES_WINDOW}
    for c in inputs:
        w.phase(c, "I", windows.get(c.plan.kind, ""), 4)
    for c in populations:
        zero = "".join(W.NO_CURRENT.replace("addM", f"add{m}") for m in range(len(c.plan.inject)))
        w.phase(c, "P", zero + (W.PUSH.replace("INDENT", "    ") if c.plan.noise else ""), 4)
    for c in projections:
        added = X.ADD_CURRENT if isinstance(c.plan, PreciseProjection) else W.ADD_CURRENT
        w.phase(c, "S", added if c.plan.rule == "current" else "", 4)
    w.lines.append("    for _ in range(n_ticks):")
    for c in projections:
        w.phase(c, "S", _rule(c.plan, _RULE_EPOCH), 8)
    for c in inputs:
        w.phase(c, "I", _input(c.plan) if c.plan.kind != "current" else "", 8)
    for c in populations:
        w.phase(c, "P", _population(structure, c), 8)
    if structure.threads:
        w.lines.append(W.MEET)
        for c in populations:
            w.phase(c, "P", _collect(c.plan), 8)
    for c in projections:
        w.phase(c, "S", _walk(structure, c.plan) if c.plan.rule != "current" else "", 8)
    for c in projections:
        w.phase(c, "S", _rule(c.plan, _RULE_POST), 8)
    w.lines += [X.PROBE, W.TAIL.replace("return 0", "return 2 * full")] if structure.precise else [W.PROBE, W.TAIL]
    text = _typed("\n".join(w.lines), structure)
    window = "\n".join(line for line in text.splitlines() if line.strip())
    return f"{_library(structure.precise)}\n\n{window}\n"


class _Text:
    """Collects the lines of a kernel; classes of several members become loops."""

    def __init__(self, structure: Structure) -> None:
        self.structure = structure
        self.lines: list[str] = []

    def unpack_shared(self) -> None:
        """Name the shared arrays, and everything of classes with one member."""
        for number, (name, code) in enumerate(self.structure.header):
            if number > 2:
                self.lines.append(f"    {name} = {code}(table[{number}])")
            if name == "sync":
                self.lines.append(f"    sync_a = table[{number}]")
        for c in self.structure.classes:
            if not c.many:
                self.lines += [f"    {name} = {value}" for name, value in self.names(c).items()]

    def names(self, c: PlanClass) -> dict[str, str]:
        """Return name -> expression of everything a member of a class has; ``item`` is its number in the class."""
        letter = _LETTERS[c.prefix.rstrip("0123456789")]
        entries = self.structure.entries(letter, c.members[0])
        out = {}

        def place(base: int, k: int, stride: int) -> str:
            return f"{base + k} + {c.prefix}_item * {stride}" if c.many else str(base + k)

        for k, (name, code, _) in enumerate(entries):
            address = f"table[{place(c.table, k, len(entries))}]"
            out[f"{c.prefix}_{name}"] = f"{code}({address})"
            out[f"{c.prefix}_{name}_a"] = address
        for k, name in enumerate(c.plan.reals):
            out[f"{c.prefix}_{name}"] = f"real[{place(c.real, k, len(c.plan.reals))}]"
        for k, name in enumerate(c.plan.sizes):
            out[f"{c.prefix}_{name}"] = f"size[{place(c.size + 1, k, len(c.plan.sizes))}]"
        return out

    def phase(self, c: PlanClass, letter: str, text: str, indent: int) -> None:
        """Add what a class does in one phase, as a loop if it has several members; ``letter`` is its prefix in text."""
        if not text.strip():
            return
        text = re.sub(rf"\b{letter}_", f"{c.prefix}_", text)
        if not c.many:
            self.lines.append(text)
            return
        used = set(re.findall(r"\w+", text))
        pad = " " * indent
        self.lines.append(f"{pad}for {c.prefix}_item in range(size[{c.size}]):")
        self.lines += [f"{pad}    {name} = {value}" for name, value in self.names(c).items() if name in used]
        self.lines.append(textwrap.indent(text, "    "))


def _library(precise: bool) -> str:
    """Return the text of the shared primitives as one module, with what only this system has."""
    texts = [path.read_text() for path in _LIBRARY]
    if precise:  # less what it imports from the text before it
        texts.append(re.sub(r"from insectbot\.core\.library import .*\n", "", _PRECISE.read_text()))
    text = "\n\n".join(texts).replace("from __future__ import annotations\n", "")
    if os.name == "posix":  # a waiting thread lets others run; elsewhere it spins
        text = text.replace(
            "    while read_shared(address) < goal:\n        pass\n",
            "    spins = 0\n    while read_shared(address) < goal:\n        spins += 1\n"
            "        if spins > 4000:\n            sched_yield()\n",
        )
        text += '\n\nsched_yield = types.ExternalFunction("sched_yield", types.int32())\n'
    return text


def _typed(text: str, structure: Structure) -> str:
    real = structure.real
    text = text.replace("REAL(", f"{real}(").replace("NUM(", "np.float32(" if real == "f4" else "np.float64(")
    text = text.replace("COUNT[", "total[" if structure.threads else "count[")
    return text.replace("SIZE", "4" if real == "f4" else "8")


def _pulse(plan: ProjectionPlan) -> str:
    if plan.rule not in ("reward", "perturb"):
        return ""
    text = T.PULSE_TIED if plan.tied else T.PULSE
    return text.replace("SCALE", " * S_scale[0]" if plan.rule == "reward" else "")


def _input(plan: InputPlan) -> str:
    if plan.kind == "timed":
        return X.TIMED_TICK + X.TIMED_RECORD
    ticks = {"poisson": W.POISSON_TICK, "regular": W.REGULAR_TICK, "times": W.TIMES_TICK}
    return (ticks[plan.kind] if plan.kind in ticks else _coded(plan)) + W.INPUT_RECORD


def _coded(plan: InputPlan) -> str:
    """Return the tick of a code: its ``frame`` where one begins, then its ``emit``, per channel in float64."""
    lines = [W.RANK if plan.ranked else "", "        I_count = 0", "        code_k = float(tick % I_frame)"]
    lines += ["        for u in range(I_n):"]
    lines += ["            code_x = min(max(float(drive[I_unit + u]), 0.0), 1.0)"]
    names = {"x": "code_x", "k": "code_k", "rank": "I_rank[u]", "dt": "I_number[0]"}
    names |= {s: f"I_number[{1 + n} * I_n + u]" for n, s in enumerate(plan.scalars)}
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


def _population(structure: Structure, c: PlanClass) -> str:
    plan: PopulationPlan = c.plan
    if isinstance(plan, PrecisePlan):
        return X.PRECISE_TICK + X.AFTER + (W.OUTPUT if plan.output else "")
    text = ""
    if plan.noise:
        text += W.NOISE
        for s in structure.of_kind("syn"):
            if s.plan.rule == "perturb" and s.plan.target == c.members[0]:
                text += re.sub(r"\bS_", f"{s.prefix}_", W.NOISE_SIGNAL)
        text += W.PUSH.replace("INDENT", " " * 12)
    text += integrate(plan, structure.real) + (W.AFTER if plan.spiking else "")
    return text + (W.PUBLISH if structure.threads else W.OUTPUT if plan.output and plan.spiking else "")


def _collect(plan: PopulationPlan) -> str:
    """Return the statements that gather all threads' spikes; the first thread counts them for the readout."""
    text = W.COLLECT
    if plan.output:
        lines = W.OUTPUT.replace("P_count", "P_total").replace("P_spikes", "P_all").splitlines()
        text += "\n".join(["        if size[3] == 0:", *(f"    {line}" for line in lines)]) + "\n"
    return text


def _walk(structure: Structure, plan: ProjectionPlan) -> str:
    if isinstance(plan, PreciseProjection):
        return X.walk(plan.timed)
    if plan.graded:
        return T.WALK_GRADED
    body = _RULE_BODY[plan.rule].replace("FACTOR", " * factor" if plan.release else "")
    body = body.replace("DOWN", T.DOWN[plan.weighting])
    after = _RULE_AFTER.get(plan.rule, "").replace("KEEP", " * NUM(0)" if plan.nearest else "")
    fetch = T.PREFETCH.replace("FETCH", "prefetch(S_snap_a + SIZE * ahead + line)" if plan.rule == "pair" else "")
    text = T.WALK.replace("PRE", fetch + _RULE_PRE.get(plan.rule, "") + _release(plan, structure.real))
    text = text.replace("HEAD", T.PAIR_HEAD if plan.rule == "pair" else "")
    text = text.replace("BODY", body).replace("POST", after)
    return text.replace("TARGET(", "i4(" if plan.wide else "u2(").replace("WIDTH", "4" if plan.wide else "2")


def _release(plan: ProjectionPlan, real: str) -> str:
    """Return the statements that make ``factor`` from the source's short-term state."""
    if plan.release is None:
        return ""
    names = {s: f"S_release_{s}[j]" for s in plan.release_states}
    names |= {s: f"S_release_{s}" for s in plan.release_scalars} | {"interval": "pause"}
    names["dt"] = "S_release_dt"
    done = inline(plan.release, names, dtype=real, prefix="release_", owner="release")
    (_, factor), *rest = done.results.items()
    lines = [*done.lines, f"factor = {factor}", *(f"S_release_{s}[j] = {text}" for s, text in rest)]
    return T.RELEASE.replace("LINES", "\n".join(f"            {line}" for line in lines))


def _rule(plan: ProjectionPlan, texts: dict[str, str]) -> str:
    text = texts.get(plan.rule, "").replace("KEEP", " * NUM(0)" if plan.nearest else "")
    return text.replace("= UP", f"= {T.UP[plan.weighting]}")
