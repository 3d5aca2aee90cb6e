"""``insectbot check``: print every promise of a plugin and whether it is kept."""

from __future__ import annotations


def check(ref: str, where: str | None, as_json: bool) -> bool:
    """Check a reference and print one line per promise; return True when all are kept."""
    from dataclasses import asdict

    from insectbot.check import Finding, examine, promises_of
    from insectbot.cli.console import announcing_compilation, print_json

    with announcing_compilation():
        kind, promises = promises_of(ref, where)
    if not as_json:
        print(f"{kind} {ref}", flush=True)
    found: list[Finding] = []
    for finding in examine(promises):
        found.append(finding)
        if not as_json:
            detail = f": {finding.detail}" if finding.detail else ""
            print(f"  {'kept  ' if finding.kept else 'BROKEN'}  {finding.promise}{detail}", flush=True)
    broken = [f for f in found if not f.kept]
    if as_json:
        print_json({"ref": ref, "kind": kind, "kept": not broken, "findings": [asdict(f) for f in found]})
    else:
        print(f"{len(found) - len(broken)} of {len(found)} promises kept")
    return not broken
