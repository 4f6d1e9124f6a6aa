"""What logs and metrics said about one comparison. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from bot.finding.trend import Trend
from bot.requests.wording import moment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.sources.metrics import Latency

RECENT_S = 3600  # before and around the request: what "the last requests" are


class MetricFact(Struct, frozen=True, kw_only=True):
    """How the requests of one cause's operation went, as one source of metrics counted them.

    `above` of the last `of` requests failed, took longer than was usual before (`trend.since`), or at least half as
    long as the suspect; `of` is 0 where only quantiles are known.
    """

    source: str
    rank: int
    service: str
    operation: str
    trend: Trend
    above: int = 0
    of: int = 0

    def counted(self) -> str:
        """Say how many of the last requests it was; "" where nobody counted them."""
        if not self.of:
            return ""
        if self.trend.failing:
            what = "failed"
        else:
            what = "took longer than the old p95" if self.trend.since is not None else "took at least half as long as B"
        return f"{self.above:,} of the last {self.of:,} requests {what}"


class LogFact(Struct, frozen=True, kw_only=True):
    """Errors or warnings that are new, or much more frequent, around the suspect, in one source of logs.

    Counted are those within `seconds` around each request; 0 where both ran at about the same time.
    """

    source: str
    service: str
    level: str
    sample: str  # redacted
    baseline: int
    suspect: int
    own: bool  # the suspect itself logged one, the baseline none
    seconds: int
    at_least: bool = False  # there were more around the suspect than were read

    @property
    def lead(self) -> str:
        """Say what it is."""
        return f"New {self.level} in {self.service}"

    def words(self) -> str:
        """Say what is new about it."""
        said = ["in B's own log, not in A's"] if self.own else []
        if self.seconds and self.suspect:
            number = f"{'at least ' if self.at_least else ''}{self.suspect:,} in the {self.seconds:,} s around B"
            said.append(f"{number}, {f'{self.baseline:,}' if self.baseline else 'none'} around A")
        return "; ".join(said)


class LogLook(Struct, frozen=True, kw_only=True):
    """How many errors and warnings one source of logs had around each request, new ones or not."""

    source: str
    baseline: int
    suspect: int


class ChangeFact(Struct, frozen=True, kw_only=True):
    """A service changed between the two requests, as one source shows; without `before` it is a line of a log."""

    source: str
    service: str
    what: str
    at: int  # unix seconds
    before: str
    after: str

    def words(self, today: int) -> str:
        """Say what changed, and when."""
        what = f"{self.what} {self.before} → {self.after}" if self.before else f"{self.what}: {self.after}"
        return f"{self.service}: {what} at {moment(self.at, today)} ({self.source})"


class Silence(Struct, frozen=True):
    """A source that did not say what it was asked; `code` as in `SourceError`."""

    source: str
    code: str


class Evidence(Struct, frozen=True, kw_only=True):
    """Everything that was found, and who kept silent."""

    metrics: tuple[MetricFact, ...] = ()
    logs: tuple[LogFact, ...] = ()
    looks: tuple[LogLook, ...] = ()  # sources of logs that had any lines
    changes: tuple[ChangeFact, ...] = ()
    silent: tuple[Silence, ...] = ()

    @property
    def found(self) -> bool:
        """Tell whether there is anything to say about the causes."""
        return bool(self.metrics or self.logs or self.looks or self.changes)


def slow_of_late(steps: Sequence[Latency], level_ns: int, until: int) -> tuple[int, int]:
    """Count the last requests that certainly took longer than a level, and all of the last requests."""
    buckets = [bucket for step in steps if until - RECENT_S < step.at <= until for bucket in step.buckets]
    return sum(its.requests for its in buckets if its.low_ns >= level_ns), sum(its.requests for its in buckets)


def failed_of_late(failed: Mapping[int, int], requests: Mapping[int, int], until: int) -> tuple[int, int]:
    """Count the last requests that failed, and all of the last requests."""
    lately = [at for at in requests if until - RECENT_S < at <= until]
    total = sum(requests[at] for at in lately)
    return min(total, sum(failed.get(at, 0) for at in lately)), total
