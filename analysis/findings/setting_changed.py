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
    return changed(CODE, TITLE, CauseKind.VERSION_CHANGE, context, outcome=False)


def changed(code: str, title: str, kind: CauseKind, context: Context, *, outcome: bool) -> Iterable[Candidate]:
    """Yield each difference of each service once, of how it is set or (`outcome`) of what came of its work."""
    before, after = processes(context.baseline), processes(context.suspect)
    of_process = {
        service: process_settings(before[service], after[service], context) for service in before.keys() & after.keys()
    }
    told: set[tuple[str, str]] = set()
    for pair in context.alignment.pairs:
        if not pair.baseline or not pair.suspect:
            continue
        service = pair.key.service
        for it in (*of_process.get(service, ()), *settings(pair, context)):
            if it.outcome is outcome and (service, it.name) not in told:
                told.add((service, it.name))
                yield differs(
                    code,
                    title,
                    kind,
                    pair,
                    context,
                    summary=f"{it.name} is {it.suspect} instead of {it.baseline} in {service}",
                    evidence=[it.text],
                )
