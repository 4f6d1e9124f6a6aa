"""What every source does: fetch a trace by id, search for traces, and say whether it is there at all."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Protocol, TypeAlias

from msgspec import Struct

from analysis import WireFormat

if TYPE_CHECKING:
    from bot.settings import SourceSettings
    from bot.sources.metrics import Contrasts, Failures, Latency, Picked, Totals

Value: TypeAlias = str | bool | int | float  # of an attribute that is searched for
MOST = 100  # traces that one search may return: more than any sample needs, and within every backend's limit


class FetchedTrace(Struct, frozen=True, kw_only=True):
    """A trace as a backend sent it."""

    trace_id: str
    body: bytes
    wire: WireFormat
    source: str


class Order(StrEnum):
    """Which of the traces that match are wanted first."""

    RECENT = "recent"
    SLOWEST = "slowest"


class TraceQuery(Struct, frozen=True, kw_only=True):
    """Which traces are wanted: those with a span of a service (and operation) that ran in a window.

    `root`: that span must be the root of its trace. Durations and errors are those of that span; a backend that
    can only filter by the whole trace's duration is asked for that, and the answer is filtered again.
    """

    service: str
    operation: str | None = None
    window: tuple[int, int]  # unix seconds: began at or after the first, before the second
    root: bool = False
    min_duration_ns: int | None = None
    max_duration_ns: int | None = None
    only_errors: bool = False
    attributes: dict[str, Value] = {}
    limit: int = 20  # at most MOST
    order: Order = Order.RECENT


class TraceSummary(Struct, frozen=True, kw_only=True):
    """What a search says about one trace. `None` and "" mean that the backend does not say."""

    trace_id: str  # 32 hex digits
    root_service: str  # "" also when the root span is missing
    root_operation: str
    started_at_ns: int
    duration_ns: int  # of the whole trace, work after the response included
    matched_ns: int | None = None  # the longest of the spans that matched
    has_errors: bool | None = None  # any span failed

    @property
    def took_ns(self) -> int:
        """How long what was searched for took: the matching span where the backend says it, else the trace."""
        return self.duration_ns if self.matched_ns is None else self.matched_ns


class Found(Struct, frozen=True):
    """What a search found. `cut`: the answer was full, more traces may match."""

    traces: list[TraceSummary]
    cut: bool


class TraceSource(Protocol):
    """One trace backend."""

    settings: SourceSettings

    async def fetch(
        self, trace_id: str, *, window: tuple[int, int] | None, tenant: str | None, deadline_s: float
    ) -> FetchedTrace:
        """Fetch a trace by its 32-digit id; raises `SourceError` (code `trace-not-found` when there is none)."""
        ...

    async def search(self, query: TraceQuery, *, tenant: str | None, deadline_s: float) -> list[TraceSummary]:
        """Return the traces that match, in the order asked for; empty when none does.

        Raises `SourceError`, with code `search-unsupported` where the backend cannot search.
        """
        ...

    async def find(self, query: TraceQuery, *, tenant: str | None, deadline_s: float) -> Found:
        """Search, and say whether that is all there is; else as `search`."""
        ...

    async def services(self, *, window: tuple[int, int], tenant: str | None, deadline_s: float) -> list[str]:
        """Return the names of the services that sent spans (in `window` where the backend can tell), sorted."""
        ...

    async def operations(
        self, service: str, *, window: tuple[int, int], tenant: str | None, deadline_s: float
    ) -> list[str]:
        """Return the names of a service's operations, sorted; empty for a service that is not known."""
        ...

    async def latencies(
        self, service: str, operation: str, *, window: tuple[int, int], tenant: str | None, deadline_s: float
    ) -> list[Latency]:
        """Return how long an operation's requests took, step by step over `window`; steps without any are left out.

        Raises `SourceError`, with code `no-metrics` where the backend does not compute that.
        """
        ...

    async def failures(
        self, service: str, operation: str, *, window: tuple[int, int], tenant: str | None, deadline_s: float
    ) -> list[Failures]:
        """Return which share of an operation's requests failed; as `latencies`."""
        ...

    async def totals(self, query: TraceQuery, *, tenant: str | None, deadline_s: float) -> Totals:
        """Count and time all requests that a query is about (its limit and its order mean nothing); as `latencies`."""
        ...

    async def contrasts(self, query: TraceQuery, picked: Picked, *, tenant: str | None, deadline_s: float) -> Contrasts:
        """Hold the picked ones of all requests that a query is about against the others; as `latencies`."""
        ...

    async def ping(self) -> str:
        """Ask whether the backend is there; returns its version or "ok", raises `SourceError`."""
        ...

    async def aclose(self) -> None:
        """Close the connections."""
        ...


def selected(found: list[TraceSummary], query: TraceQuery) -> list[TraceSummary]:
    """Hold what a backend found against the query, order it, and cut it to the limit.

    Backends match a span of any depth, keep late ones in, filter by other durations, and sort as they like.
    """
    low, high = query.min_duration_ns or 0, query.max_duration_ns
    kept = {
        summary.trace_id: summary
        for summary in found
        if query.window[0] <= summary.started_at_ns / 1e9 < query.window[1]
        and low <= summary.took_ns
        and (high is None or summary.matched_ns is None or summary.matched_ns <= high)
        and (not query.root or _has_root(summary, query))
    }
    by = (lambda s: (-s.took_ns, s.trace_id)) if query.order is Order.SLOWEST else _newest
    return sorted(kept.values(), key=by)[: query.limit]


def _newest(summary: TraceSummary) -> tuple[int, str]:
    return -summary.started_at_ns, summary.trace_id


def _has_root(summary: TraceSummary, query: TraceQuery) -> bool:
    return summary.root_service == query.service and query.operation in (None, summary.root_operation)


def normal_id(text: str) -> str:
    """Return an id from a search answer as 32 lower-case hex digits; "" for anything that is none."""
    if not 1 <= len(text) <= 32 or not text.strip("0") or not set(text) <= set("0123456789abcdefABCDEF"):
        return ""
    return text.lower().rjust(32, "0")
