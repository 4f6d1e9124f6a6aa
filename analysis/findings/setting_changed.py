"""setting-changed: a flag, variant, mode or limit that a service reports is set differently.

    A   price   new_pricing=off |---|       B   price   new_pricing=on |------------|

Told once per service and setting. By itself it is a hint; under a cause of the same operation it is evidence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.comparison import CauseKind
from analysis.findings.base import Candidate, Context, Tier, name_of
from analysis.findings.differences import process_settings, processes, settings

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analysis.align import Pair
    from analysis.findings.differences import Difference

CODE = "setting-changed"
TITLE = "Setting changed"


def find(context: Context) -> Iterable[Candidate]:
    """Yield each changed setting of each service once."""
    before, after = processes(context.baseline), processes(context.suspect)
    of_process = {
        service: process_settings(before[service], after[service]) for service in before.keys() & after.keys()
    }
    told: set[tuple[str, str]] = set()
    for pair in context.alignment.pairs:
        if not pair.baseline or not pair.suspect:
            continue
        for changed in (*of_process.get(pair.key.service, ()), *settings(pair, context)):
            if (pair.key.service, changed.name) not in told:
                told.add((pair.key.service, changed.name))
                yield _candidate(pair, changed, context)


def _candidate(pair: Pair, changed: Difference, context: Context) -> Candidate:
    service, operation = name_of(pair, context)
    baseline_ids, suspect_ids = context.span_ids(pair)
    return Candidate(
        finding=CODE,
        title=TITLE,
        kind=CauseKind.VERSION_CHANGE,
        tier=Tier.CONTEXT,
        service=service,
        operation=operation,
        pair=pair,
        claims={},
        affects="nothing",
        summary=f"{changed.name} is {changed.suspect} instead of {changed.baseline} in {service}",
        evidence=[changed.text],
        baseline_spans=baseline_ids,
        suspect_spans=suspect_ids,
    )
