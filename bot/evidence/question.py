"""The question to logs and metrics: about whom, and about which time. Pure.

Asked is only about what the verdict names: the services of its first causes, both ends of each, and the operations that
the causes are about. A verdict that names nothing, or nothing that became worse or different, asks nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from analysis.comparison import CauseKind, VerdictKind
from analysis.redact import CARD, EMAIL, MASK

if TYPE_CHECKING:
    from analysis.comparison import Cause, Side
    from bot.analysing.child import Answer

CAUSES = 3
SERVICES = 4
ASKED = (VerdictKind.SLOWER, VerdictKind.FAILING, VerdictKind.CHANGED)
NS = 1_000_000_000


class Subject(Struct, frozen=True, kw_only=True):
    """What one cause is about; `took_ns`: its longest span in the suspect, 0 where it has none."""

    rank: int
    service: str
    operation: str
    failing: bool
    took_ns: int


class Request(Struct, frozen=True, kw_only=True):
    """One of the two requests: its trace, and when it ran (unix ns)."""

    trace_id: str
    start_ns: int
    end_ns: int


class Question(Struct, frozen=True, kw_only=True):
    """What to ask every source."""

    subjects: tuple[Subject, ...]
    services: tuple[str, ...]  # both ends of every cause, the first cause's own first
    baseline: Request
    suspect: Request

    @property
    def started_at(self) -> int:
        """When the suspect began (unix seconds)."""
        return self.suspect.start_ns // NS


def question_of(answer: Answer) -> Question | None:
    """Return what to ask about a comparison; None where there is nothing to ask about."""
    comparison = answer.comparison
    if comparison.verdict.kind not in ASKED:
        return None
    causes = [cause for cause in comparison.causes[:CAUSES] if searchable(cause.service)]
    if not causes:
        return None
    named = [name for cause in causes for name in (cause.service, cause.peer_service or "")]
    services = tuple(dict.fromkeys(name for name in named if searchable(name)))[:SERVICES]
    return Question(
        subjects=tuple(_subject(cause, answer) for cause in causes if searchable(cause.operation)), services=services,
        baseline=_request(comparison.baseline), suspect=_request(comparison.suspect),
    )  # fmt: skip


def searchable(name: str) -> bool:
    """Tell whether a name is the one that was sent: what was redacted cannot be looked for."""
    return bool(name) and not any(mask in name for mask in (MASK, EMAIL, CARD))


def _subject(cause: Cause, answer: Answer) -> Subject:
    took = [span.duration_ns for span in answer.evidence if span.cause == cause.rank and span.side == "suspect"]
    failing = cause.kind in (CauseKind.ERROR, CauseKind.RETRY)
    return Subject(
        rank=cause.rank, service=cause.service, operation=cause.operation, failing=failing, took_ns=max(took, default=0)
    )


def _request(side: Side) -> Request:
    length_ns = max(side.response_time_ns, side.completion_time_ns)
    return Request(trace_id=side.trace_id, start_ns=side.started_at_ns, end_ns=side.started_at_ns + length_ns)
