"""removed-calls: an operation no longer calls what it called before.

    A   orders |-----------|                B   orders |------|
          check   |--|                            pay     |--|
          pay         |--|

A flag, a failure further up, an open circuit breaker. After a new failure it is the failure's consequence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.findings.dependencies import changed, changed_calls

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analysis.findings.base import Candidate, Context

CODE = "removed-calls"
TITLE = "Calls gone"


def find(context: Context) -> Iterable[Candidate]:
    """Yield one candidate per caller whose calls are gone."""
    for caller, came, went in changed_calls(context):
        if went:
            yield changed(caller, went, came, context, came=False)
