"""place-changed: a service that became slower ran somewhere else: another zone, host or instance.

    A   catalog on node-2 |----|            B   catalog on node-7 |-------------|

Behind a load balancer the instance changes with every other request, so a place is told only of services that
became slower, or when the whole zone changed; it is a hint to check, never a cause by itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.comparison import CauseKind
from analysis.findings.base import differs
from analysis.findings.differences import places, process_places, processes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analysis.findings.base import Candidate, Context

CODE = "place-changed"
TITLE = "Ran elsewhere"


def find(context: Context) -> Iterable[Candidate]:
    """Yield each service once, with the widest place that changed."""
    before, after = processes(context.baseline), processes(context.suspect)
    moved = {
        service: process_places(before[service], after[service], context) for service in before.keys() & after.keys()
    }
    told: set[str] = set()
    for share in sorted(context.attribution.shares, key=lambda share: -context.growth(share)):
        pair = share.pair
        if pair.key.service in told or not pair.baseline or not pair.suspect:
            continue
        slower = context.growth(share) > context.noise(share)
        changed = places(pair, context) if slower else moved.get(pair.key.service, [])
        if not changed or not (slower or changed[0].name == "zone"):
            continue
        told.add(pair.key.service)
        widest = changed[0]
        yield differs(
            CODE,
            TITLE,
            CauseKind.SELF_TIME_INCREASE,
            pair,
            context,
            summary=f"{pair.key.service} ran in another {widest.name}: {widest.suspect} instead of {widest.baseline}",
            evidence=[difference.text for difference in changed],
        )
