"""Results: what came out, with all that is needed to say it again: what was asked, by whom, what was compared."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct

from analysis.comparison import VerdictKind
from bot.analysing.child import Answer
from bot.inquiry.comparing_windows import ComparedWindows
from bot.requests.request import CompareRequest, Origin, TraceRef

if TYPE_CHECKING:
    from analysis.comparison import Verdict


class Recollection(Struct, frozen=True, kw_only=True):
    """What an answer says of earlier ones about the same cause: the best of them, and how often there were any.

    `elsewhere`: the channel of that one, where it is another; `times` in the last `days`.
    """

    key: str
    fingerprint: str
    at: float  # unix seconds
    permalink: str
    elsewhere: str = ""
    useful: int = 0  # people who found it useful
    times: int = 1
    days: int = 14

    def when(self, kind: VerdictKind) -> str:
        """Say when it was; `kind` of the verdict that says so."""
        what = "change" if kind is VerdictKind.CHANGED else "cause"
        at = datetime.fromtimestamp(self.at, UTC)
        return f"Same {what} as on {at.day} {at:%b %Y, %H:%M} UTC"

    @property
    def more(self) -> str:
        """Say what people thought of that answer, and how often there were others."""
        by = f" by {self.useful}" if self.useful > 1 else ""
        marked = f", marked useful{by}" if self.useful else ""
        return marked + (f"; {self.times} times in the last {self.days} days" if self.times > 1 else "")

    def words(self, kind: VerdictKind) -> str:
        """Say all of it where a link cannot stand."""
        where = " in another channel" if self.elsewhere else ""
        return f"{self.when(kind)}{where}{self.more}"


class Result(Struct, frozen=True, kw_only=True, tag="traces"):
    """One answer about two traces with all that is needed to give it again: what was asked, where, what came out."""

    request: CompareRequest
    origin: Origin
    answer: Answer
    baseline: TraceRef  # the two that were compared
    suspect: TraceRef
    baseline_source: str
    suspect_source: str
    compared_with: str = ""  # what A stands for, where it was found and not named
    stands_for: str = ""  # what B stands for, where it was found and not named
    trend: str = ""  # consistent or intermittent, and since when
    before: Recollection | None = None  # when its first cause was seen before, as far as its channel may know

    @property
    def verdict(self) -> Verdict:
        """What was said."""
        return self.answer.comparison.verdict


class WindowsResult(Struct, frozen=True, kw_only=True, tag="windows"):
    """One answer about two windows of requests."""

    request: CompareRequest
    origin: Origin
    compared: ComparedWindows
    before: Recollection | None = None  # as of two traces

    @property
    def verdict(self) -> Verdict:
        """What was said."""
        return self.compared.answer.comparison.verdict


Kept: TypeAlias = Result | WindowsResult
