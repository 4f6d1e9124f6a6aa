"""Results: what came out, with all that is needed to say it again: what was asked, by whom, what was compared."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct

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
