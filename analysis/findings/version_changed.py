"""version-changed: a service runs another version; the first thing to ask about in an incident.

    A   catalog 1.4.2   GET /items |-----|        B   catalog 1.5.0   GET /items |-----|

Told once per service, whether or not time moved. Where a new version brought new calls, those name it as their cause.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis import semconv
from analysis.comparison import CauseKind
from analysis.findings.base import differs
from analysis.findings.differences import processes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analysis.findings.base import Candidate, Context
    from analysis.profile import CallGroup, Profile

CODE = "version-changed"
TITLE = "Version changed"


def find(context: Context) -> Iterable[Candidate]:
    """Yield each changed version of each service once."""
    told: set[tuple[str, str, str]] = set()
    several = _several_versions(context)
    keys = context.baseline.keys
    for pair in context.alignment.pairs:
        if not pair.baseline or not pair.suspect:
            continue
        ours, theirs = (keys[groups[0].key].service for groups in (pair.baseline, pair.suspect))
        if ours == theirs and ours not in several:
            continue
        old, new = versions(pair.baseline, context.baseline), versions(pair.suspect, context.suspect)
        if not old or not new or old == new or (pair.key.service, old, new) in told:
            continue
        told.add((pair.key.service, old, new))
        service = pair.key.service
        yield differs(
            CODE,
            TITLE,
            CauseKind.VERSION_CHANGE,
            pair,
            context,
            certain=True,
            summary=f"{service} is version {new} instead of {old}",
            evidence=[f"{service} is version {old} in A and {new} in B"],
        )


def versions(groups: list[CallGroup], side: Profile) -> str:
    """Return the versions of the service behind some groups, joined."""
    spans = side.tree.spans
    resources = {id(spans[i].resource): spans[i].resource for group in groups for i in group.spans}
    return "/".join(sorted({semconv.version(resource) for resource in resources.values()} - {""}))


def _several_versions(context: Context) -> set[str]:
    """Return the services that show more than one version in the two traces."""
    found: dict[str, set[str]] = {}
    for side in (context.baseline, context.suspect):
        for service, its in processes(side).items():
            found.setdefault(service, set()).update(map(semconv.version, its))
    return {service for service, its in found.items() if len(its - {""}) > 1}
