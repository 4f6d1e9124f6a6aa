"""The request that a trace records: of which operation it is, when it ran and how it went.

Enough to look for other traces of the same operation. Names are as they were sent, not redacted: they go back to
the backend that they came from.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from analysis.model import NO_SERVICE
from analysis.options import DEFAULTS, CompareOptions
from analysis.repair import MISSING_SERVICE, repair

if TYPE_CHECKING:
    from analysis.model import Trace


class RootCall(Struct, frozen=True, kw_only=True):
    """The root call of a trace.

    Where the root span is missing, the span that encloses the others stands for it (`rootless`); where none does,
    `service` and `operation` are "". So is the `service` of a sender that does not name itself.
    """

    trace_id: str
    service: str
    operation: str
    started_at_ns: int  # since the epoch
    response_ns: int
    completion_ns: int  # until the last span's end
    failed: bool  # the root call itself
    rootless: bool = False  # its caller sent no span

    @classmethod
    def of(cls, trace: Trace, options: CompareOptions = DEFAULTS) -> RootCall:
        """Find the root call, mending the trace as a comparison does; never raises for a decoded trace."""
        tree = repair(trace, options)
        root = tree.spans[tree.root]
        known = root.service != MISSING_SERVICE
        return cls(
            trace_id=tree.trace_id,
            service=root.service if known and root.service != NO_SERVICE else "",
            operation=root.name if known else "",
            started_at_ns=tree.origin_ns,
            response_ns=tree.response_ns,
            completion_ns=tree.completion_ns,
            failed=root.error,
            rootless=any(note.code == "root-missing" for note in tree.notes),
        )
