"""The figures of the report with their captions."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from insectbot.view.labels import chip_label
from insectbot.view.markup import Html, mapping, tag
from insectbot.view.recording import EpisodeData
from insectbot.view.run_data import RunData

UNTRAINED = "untrained"


def _figure(svg: str, caption: str) -> Html:
    return tag("figure", Html(svg), tag("figcaption", caption))


def learning_section(run: RunData) -> Html:
    """Return the learning curve."""
    from insectbot.view.figures import learning_curve, to_svg

    curve = mapping(run.summary.get("learning_curve"))
    count = f"{curve['n_worlds']} " if curve.get("n_worlds") else ""
    preset = f" ({curve['preset']})" if curve.get("preset") else ""
    caption = (
        f"Frozen copies of the brain on {count}validation worlds{preset} after each training episode; episode 0 is the "
        "untrained network. Thin lines: single seeds. Thick line: their mean. Band: 95 % interval of the mean."
    )
    return _figure(to_svg(learning_curve(curve), "learning curve"), caption)


def trajectory_section(run: RunData) -> Html:
    """Return the paths before and after learning."""
    from insectbot.view.figures import to_svg, trajectories
    from insectbot.view.plot_world import drawable

    rows = [(label, [e for e in episodes if drawable(e)]) for label, episodes in before_and_after(run)]
    rows = [(label, episodes) for label, episodes in rows if episodes]
    if not rows:
        return tag("p", "Left out: the recorded episodes have no scene or no path.", class_="missing")
    caption = (
        "Each map is one world: ring: start, green: target, line: path, cross: where a failed episode ended. "
        "Dark discs are obstacles."
    )
    preset = rows[0][1][0].preset
    caption += f" Worlds of the preset {preset}." if preset else ""
    if len(rows) > 1:
        caption += " Both rows show the same worlds, with the weights frozen."
    return _figure(to_svg(trajectories(rows), "paths through the terrain"), caption)


def before_and_after(run: RunData) -> list[tuple[str, list[EpisodeData]]]:
    """Return the recorded episodes to show: untrained and trained on the same preset, or whatever there is."""
    judged = [e for e in run.episodes if e.phase == "evaluate"]
    after = [e for e in judged if e.controller == run.learner]
    before = [e for e in judged if e.controller == UNTRAINED]
    presets = list(dict.fromkeys(e.preset for e in after or before))
    if after and before:
        preset = next((p for p in presets if any(e.preset == p for e in before)), presets[0])
        pairs = [("before learning", before), ("after learning", after)]
        return [(label, _first_seed([e for e in group if e.preset == preset])) for label, group in pairs]
    training = sorted((e for e in run.episodes if e.phase == "train"), key=lambda e: (e.seed, e.episode))
    if not judged and len(training) > 1:
        mine = [e for e in training if e.seed == training[0].seed]
        return [(f"training episode {e.episode}", [e]) for e in (mine[0], mine[-1])][: len(mine)]
    rest = after or judged or training or run.episodes
    return [(rest[0].controller or rest[0].phase, [e for e in rest if e.preset == rest[0].preset])] if rest else []


def _first_seed(episodes: list[EpisodeData]) -> list[EpisodeData]:
    return [e for e in episodes if e.seed == min(x.seed for x in episodes)]


def bench_section(run: RunData) -> Html:
    """Return what the brains reach and cost on every chip, as a figure; nothing for one chip alone."""
    from insectbot.view.figures import to_svg
    from insectbot.view.plot_bench import bench_figure

    if len({row.get("chip") for row in run.bench}) < 2:
        return Html("")
    return _figure(to_svg(bench_figure(run.bench), "chips"), "The same brains, worlds and seeds on every chip.")


def mesh_section(run: RunData) -> Html:
    """Return the routed mesh of every chip that sends messages between its cores; nothing where none does."""
    from insectbot.view.figures import to_svg
    from insectbot.view.plot_mesh import mesh_figure

    chips = {chip_label(str(row["chip"])): mapping(row.get("traffic")) for row in run.bench}
    chips = {chip: traffic for chip, traffic in chips.items() if traffic.get("load")}
    if not chips:
        return Html("")
    caption = (
        "Messages between cores on their way. Filled: nodes that hold neurons. Orange: the busiest link of a chip."
    )
    return _figure(to_svg(mesh_figure(chips), "routed mesh"), caption)


def raster_section(run: RunData) -> Html:
    """Return the spikes of one episode: the learner's first evaluation, or the last one recorded with spikes."""
    from insectbot.view.figures import raster, to_svg

    spiking = [e for e in run.episodes if e.spike_tick.size]
    episode = next((e for e in spiking if e.phase == "evaluate" and e.controller == run.learner), spiking[-1])
    who = f"{episode.controller or 'the network'} on {episode.chip or 'its chip'}"
    caption = (
        f"The first seconds with spikes of one episode of {who} "
        f"({episode.phase}, seed {episode.seed}, episode {episode.episode}). "
        "Rates are smoothed by a Gaussian with a standard deviation of 100 ms."
    )
    return _figure(to_svg(raster(episode), "spikes"), caption)


def weight_section(run: RunData) -> Html:
    """Return the weights before and after learning, for all seeds that are known."""
    from insectbot.view.figures import to_svg, weights

    before, after = weights_by_seed(run)
    units = next((e.units for e in run.episodes if e.units), {})
    names = next((e.unit_names for e in run.episodes if e.unit_names), {})
    caption = (
        f"Weights of {len(after)} seed{'s' if len(after) != 1 else ''} before {_start(run)} and after learning; "
        "orange excites, blue inhibits."
    )
    return _figure(to_svg(weights(before, after, units, names), "weights"), caption)


Weights = dict[int, dict[str, npt.NDArray]]


def _start(run: RunData) -> str:
    return "training" if run.summary.get("weights") else "the first recorded training episode"


def weights_by_seed(run: RunData) -> tuple[Weights, Weights]:
    """Return the first and last weights of every seed.

    The summary has those of all seeds where they are few enough; else they are taken from the seeds that were
    recorded while learning, else from those of the learner.
    """
    kept = mapping(run.summary.get("weights"))
    if kept:
        seeds = run.summary["seeds"]
        ends: tuple[Weights, Weights] = ({s: {} for s in seeds}, {s: {} for s in seeds})
        for projection, both in kept.items():
            for found, side in zip(ends, ("before", "after"), strict=True):
                for seed, values in zip(seeds, both[side], strict=True):
                    found[seed] |= {projection: np.asarray(values, np.float32)}
        return ends
    return _recorded_weights(run)


def _recorded_weights(run: RunData) -> tuple[Weights, Weights]:
    learning = [e for e in run.episodes if e.weights_after and e.phase != "evaluate"]
    untrained = [e for e in run.episodes if e.weights_before and e.controller == UNTRAINED]
    judged = [e for e in run.episodes if e.weights_after and e.phase == "evaluate" and e.controller == run.learner]
    learning.sort(key=lambda e: (e.seed, e.episode))
    before: Weights = {}
    after: Weights = {}
    for episode in learning + untrained:
        before.setdefault(episode.seed, episode.weights_before)
    for episode in learning + judged:
        after[episode.seed] = episode.weights_after
    shared = sorted(set(before) & set(after)) or sorted(after)
    return {s: before.get(s, after[s]) for s in shared}, {s: after[s] for s in shared}
