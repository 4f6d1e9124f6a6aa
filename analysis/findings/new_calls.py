"""new-calls: an operation calls something that it did not call before.

    A   orders |--------|                   B   orders |---------------|
          pay     |---|                           score   |---|              new
                                                  pay           |---|

When the caller's version changed at the same time, the deployment is the cause and the calls are its evidence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.findings.cache_missed import missed
from analysis.findings.cold_start import set_up
from analysis.findings.dependencies import changed, changed_calls

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analysis.findings.base import Candidate, Context

CODE = "new-calls"
TITLE = "New calls"


def find(context: Context) -> Iterable[Candidate]:
    """Yield one candidate per caller whose calls are new for another reason than an empty cache or a cold start."""
    for caller, came, went in changed_calls(context):
        setting_up, _ = set_up(caller, came, context)
        others = [pair for pair in came if pair not in setting_up]
        if others and not missed(caller, came, context):
            yield changed(caller, others, went, context, came=True)
