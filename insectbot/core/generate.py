"""Write the source of a window kernel for one network structure."""

from __future__ import annotations

from pathlib import Path

from insectbot.core import templates as T
from insectbot.core.structure import PopulationPlan, ProjectionPlan, Structure

_LIBRARY = Path(__file__).with_name("library.py")


def generate(structure: Structure) -> str:
    """Return the module source: the library's text, then ``window`` for this structure."""
    body = [T.HEAD, *_unpack(structure), T.CHECK_DRIVE]
    body += [_pulse(k, plan) for k, plan in enumerate(structure.projections) if plan.rule in ("reward", "perturb")]
    body += [_named(T.POISSON_WINDOW, I=f"in{k}") for k, p in enumerate(structure.inputs) if p.kind == "poisson"]
    for k in range(len(structure.populations)):
        body.append(_add(structure, k, indent="    "))
    body.append("    for _ in range(n_ticks):")
    body += [_epoch(structure, k, plan) for k, plan in enumerate(structure.projections)]
    body += [_input(k, plan.kind) for k, plan in enumerate(structure.inputs) if plan.kind != "current"]
    for k, plan in enumerate(structure.populations):
        body += [_noise(structure, k)] if plan.noise else []
        body.append(_integrate(k, plan))
        body += [_named(T.OUTPUT, P=f"p{k}")] if plan.output else []
    body += [_walk(structure, k, plan) for k, plan in enumerate(structure.projections) if plan.rule != "current"]
    body += [_post(k, plan) for k, plan in enumerate(structure.projections)]
    body.append(T.TAIL)
    window = "\n".join(line for line in "\n".join(body).splitlines() if line.strip())
    return f"{_LIBRARY.read_text()}\n\n{window}\n"


def _named(text: str, **prefixes: str) -> str:
    for letter, name in prefixes.items():
        text = text.replace(f"{letter}_", f"{name}_")
    return text


def _group(structure: Structure, number: int) -> str:
    n_in = len(structure.inputs)
    return f"in{number}" if number < n_in else f"p{number - n_in}"


def _unpack(structure: Structure) -> list[str]:
    lines = []
    for number, (name, code) in enumerate(structure.arrays):
        if number > 2:
            lines.append(f"    {name} = {code}(table[{number}])")
        if name.endswith(("_state", "_ring", "_add", "_w", "_target", "_e", "_snap")):
            lines.append(f"    {name}_a = table[{number}]")
    lines += [f"    {name} = real[{k}]" for k, name in enumerate(structure.reals)]
    lines += [f"    {name} = size[{k}]" for k, name in enumerate(structure.sizes)]
    return lines


def _pulse(k: int, plan: ProjectionPlan) -> str:
    text = T.PULSE_TIED if plan.tied else T.PULSE
    return _named(text.replace("S_modulator", str(plan.modulator)), S=f"s{k}").replace(
        "SCALE", f" * s{k}_scale[0]" if plan.rule == "reward" else ""
    )


def _add(structure: Structure, k: int, indent: str) -> str:
    plan = structure.populations[k]
    text = T.ADD
    for number in plan.currents:
        source = structure.projections[number].source
        text += _named(T.ADD_CURRENT, S=f"s{number}", I=f"in{source}")
    text += T.ADD_NOISE if plan.noise else ""
    return _named(text, P=f"p{k}").replace("ADD_INDENT", indent)


def _input(k: int, kind: str) -> str:
    text = T.POISSON_TICK if kind == "poisson" else T.REGULAR_TICK
    return _named(text + T.INPUT_RECORD, I=f"in{k}")


def _noise(structure: Structure, k: int) -> str:
    text = _named(T.NOISE, P=f"p{k}")
    for number, plan in enumerate(structure.projections):
        if plan.target == k and plan.rule == "perturb":
            text += _named(T.NOISE_SIGNAL, S=f"s{number}", P=f"p{k}")
    return text + _add(structure, k, indent=" " * 12)


def _integrate(k: int, plan: PopulationPlan) -> str:
    variables = plan.state_vars
    ref = 64 * (len(variables) - 1)
    update = ["v += s[64 + i] * P_couple", "s[64 + i] = s[64 + i] * P_syn_decay + r[i]"]
    update = update if plan.exponential else ["v += r[i]"]
    if plan.floor:
        update.append("v = max(v, P_v_min)")
    spike = []
    if plan.refractory:
        update += [f"ref = s[{ref} + i]", "v = P_v_reset if ref > np.float32(0) else v"]
        update.append(f"s[{ref} + i] = max(ref - np.float32(1), np.float32(0))")
        spike.append(f"s[{ref} + i] = P_t_ref")
    text = T.INTEGRATE.replace("STRIDE", str(256 * len(variables)))
    text = text.replace("UPDATE", "\n".join(" " * 16 + line for line in update))
    text = text.replace("SPIKE", "\n".join(" " * 24 + line for line in spike))
    return _named(text, P=f"p{k}")


_BODY = {"static": T.DELIVER, "perturb": T.DELIVER + T.PERTURB_BODY, "pair": T.PAIR_BODY}
_BODY["reward"] = T.DELIVER + T.REWARD_BODY


def _walk(structure: Structure, k: int, plan: ProjectionPlan) -> str:
    text = T.WALK.replace("PRE", T.PAIR_PRE if plan.rule == "pair" else "")
    text = text.replace("BODY", _BODY[plan.rule]).replace("POST", T.REWARD_PRE if plan.rule == "reward" else "")
    text = text.replace("TARGET", "i4" if plan.wide else "u2").replace("WIDTH", "4" if plan.wide else "2")
    return _named(text, S=f"s{k}", P=f"p{plan.target}", G=_group(structure, plan.source))


def _epoch(structure: Structure, k: int, plan: ProjectionPlan) -> str:
    text = {"pair": T.PAIR_EPOCH, "reward": T.REWARD_EPOCH}.get(plan.rule, "")
    return _named(text, S=f"s{k}", P=f"p{plan.target}", G=_group(structure, plan.source))


def _post(k: int, plan: ProjectionPlan) -> str:
    text = {"pair": T.PAIR_POST, "reward": T.REWARD_POST}.get(plan.rule, "")
    return _named(text, S=f"s{k}", P=f"p{plan.target}")
