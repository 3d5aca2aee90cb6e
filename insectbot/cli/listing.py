"""``insectbot list`` and the welcome."""

from __future__ import annotations

from insectbot.errors import UnknownNameError

KINDS = ("scenarios", "envs", "wrappers", "controllers", "chips", "rules", "neurons", "synapses", "codes")

WELCOME = """\
insectbot {version}: put a spiking brain into a body.

  insectbot train foraging   teach an insect to find food while it lives, then report it
  insectbot play foraging    watch it: world, spikes, weights
  insectbot run foraging     a few episodes, one line each
  insectbot bench foraging   the same brain on emulated neuromorphic chips
  insectbot list             scenarios, envs, wrappers, controllers, chips, neurons, synapses, codes, rules
  insectbot check loihi      does a chip, controller, env, scenario or model keep its contract?
  insectbot speed            how fast worlds, networks and chips run here
  insectbot doctor           is this installation healthy?

Every command explains itself with --help. Start with: insectbot play foraging"""


def welcome() -> None:
    """Print what this is and how to begin, in twelve lines."""
    from insectbot import __version__

    print(WELCOME.format(version=__version__))


def list_names(kind: str | None, as_json: bool) -> None:
    """Print the names of one kind, or of all, each with its first line of documentation.

    Raises
    ------
    UnknownNameError
        The kind is none of :data:`KINDS`.
    """
    from insectbot.cli.console import print_json, print_table
    from insectbot.plugins import available

    if kind is not None and kind not in KINDS:
        raise UnknownNameError(f"list {kind!r}: there is no such kind, give one of {', '.join(KINDS)}")
    found = {k: available(k.removesuffix("s")) for k in KINDS if kind in (None, k)}
    if as_json:
        print_json(found)
        return
    for name, entries in found.items():
        print_table((name, ""), list(entries.items()))
