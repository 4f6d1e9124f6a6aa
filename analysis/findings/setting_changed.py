"""setting-changed: a flag, variant, mode or limit that a service reports is set differently.

    A   price   new_pricing=off |---|       B   price   new_pricing=on |------------|

Told once per service and setting. By itself it is a hint; under a cause of the same operation it is evidence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.comparison import CauseKind
from analysis.findings.base import differs
from analysis.findings.differences import process_settings, processes, settings

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analysis.findings.base import Candidate, Context

CODE = "setting-changed"
TITLE = "Setting changed"


def find(context: Context) -> Iterable[Candidate]:
    """Yield each changed setting of each service once."""
    before, after = processes(context.baseline), processes(context.suspect)
    of_process = {
        service: process_settings(before[service], after[service], context) for service in before.keys() & after.keys()
    }
    told: set[tuple[str, str]] = set()
    for pair in context.alignment.pairs:
        if not pair.baseline or not pair.suspect:
            continue
        for changed in (*of_process.get(pair.key.service, ()), *settings(pair, context)):
            if (pair.key.service, changed.name) not in told:
                told.add((pair.key.service, changed.name))
                service = pair.key.service
                yield differs(
                    CODE,
                    TITLE,
                    CauseKind.VERSION_CHANGE,
                    pair,
                    context,
                    summary=f"{changed.name} is {changed.suspect} instead of {changed.baseline} in {service}",
                    evidence=[changed.text],
                )
