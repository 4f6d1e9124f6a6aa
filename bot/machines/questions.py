"""What programs may ask. Pure: a typed question becomes a request, or a `UserError` that says why not."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta, Struct

from bot.errors import UserError
from bot.requests.commands import around
from bot.requests.references import find_references, unix_seconds
from bot.requests.request import Clue, CompareRequest, Windows
from bot.requests.windows import in_order

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.requests.request import TraceRef

HOUR_S = 3600
EXAMPLE = ("f6bead65c04eeee13c994069ee1c71f5", "208c7bdb5c98aa39122d2eea5aab730c")  # the playground has these traces

Reference = Annotated[
    str,
    Meta(
        min_length=1, max_length=4000, pattern=r"\S",
        description="A trace: its id (up to 32 hex digits, any spelling), a traceparent, `source:id`, or a link to it "
        "from Jaeger, Grafana Explore or Tempo. Links are read, never opened.",
    ),
]  # fmt: skip
Source = Annotated[
    str,
    Meta(min_length=1, max_length=40, description="Name of the trace backend to ask; leave out to ask all of them."),
]
Tenant = Annotated[
    str, Meta(min_length=1, max_length=100, description="Tenant to ask for, where the backend has tenants.")
]
Time = Annotated[
    str,
    Meta(
        min_length=1, max_length=40,
        description="A time: RFC 3339, as 2026-01-31T14:05:00Z, or Unix seconds or milliseconds in digits.",
    ),
]  # fmt: skip
Service = Annotated[str, Meta(min_length=1, max_length=300, description="Name of the service, as its spans say it.")]
Operation = Annotated[
    str, Meta(min_length=1, max_length=300, description="Span name of the operation; leave out for any of the service.")
]


class Section(StrEnum):
    """Parts of an answer that come on demand."""

    CONTRIBUTIONS = "contributions"  # every group of spans with its exact part of the difference
    FINDINGS = "findings"  # every change that was noticed, also those that explain nothing
    EVIDENCE = "evidence"  # the spans that the causes name, with their attributes and events
    REPORT = "report"  # the whole report as Markdown


Detail = Annotated[
    tuple[Section, ...],
    Meta(
        max_length=4,
        description="Parts to add to the verdict and its causes: `contributions` (every group of spans and its exact "
        "share of the difference, in ns), `findings` (every change noticed), `evidence` (the causes' spans with "
        "attributes and events), `report` (everything as Markdown). Ask for them only where the causes do not suffice.",
    ),
]  # fmt: skip
Limit = Annotated[
    int, Meta(ge=1, le=100, description="The most items of each list; fewer come where the answer would grow too long.")
]


class WindowSection(StrEnum):
    """Parts of an answer about two windows that come on demand."""

    CONTRIBUTIONS = "contributions"  # every group of spans with its mean exposed time in both windows
    REPORT = "report"  # the whole report as Markdown


class Window(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A stretch of time."""

    since: Annotated[Time, Meta(examples=["2026-11-24T02:00:00Z"])]
    until: Annotated[Time, Meta(examples=["2026-11-24T02:30:00Z"])]

    def seconds(self) -> tuple[int, int]:
        """Return it in unix seconds."""
        return _seconds(self.since), _seconds(self.until)


class CompareTraces(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which two traces to compare."""

    suspect: Annotated[Reference, Meta(examples=[EXAMPLE[1]])]
    baseline: Annotated[
        Reference | None,
        Meta(
            description="The healthy trace (A), written as `suspect`. Leave it out to compare with the typical recent "
            "trace of the same operation, which also tells what is usual.",
            examples=[EXAMPLE[0]],
        ),
    ] = None
    source: Source | None = None
    tenant: Tenant | None = None
    at: Annotated[
        Time | None,
        Meta(description="About when the traces ran: helps backends that search by time. RFC 3339 or Unix time."),
    ] = None
    logs_and_metrics: Annotated[
        bool,
        Meta(
            description="Also ask the configured logs and metrics about the named causes, and weigh the confidence by "
            "what they say. Takes some seconds more where they are slow."
        ),
    ] = False
    detail: Detail = ()
    limit: Limit = 20

    def request(self, hosts: Mapping[str, str], _now: int) -> CompareRequest:
        """Return what is asked for; `hosts`: see `bot.requests.references.find_references`."""
        suspect, baseline = _trace(self.suspect, hosts), self.baseline and _trace(self.baseline, hosts)
        if self.at:
            window = around(_seconds(self.at))
            suspect = msgspec.structs.replace(suspect, window=window)
            baseline = baseline and msgspec.structs.replace(baseline, window=window)
        return CompareRequest(baseline=baseline or None, suspect=suspect, source=self.source, tenant=self.tenant)


class FindTypicalTrace(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of what to find the typical trace: of one trace's operation, or of a service's requests in a window."""

    trace: Annotated[
        Reference | None,
        Meta(
            description="A trace, written as for comparisons: the typical one of the same operation is found, from "
            "before it. Either this or `service`.",
            examples=[EXAMPLE[1]],
        ),
    ] = None
    service: Annotated[
        Service | None, Meta(description="A service, as its spans say it: its slowest request of the window is found, "
                             "and the typical one of the same operation. Either this or `trace`.")
    ] = None  # fmt: skip
    operation: Operation | None = None
    since: Annotated[Time | None, Meta(description="Where the window begins; default: an hour before `until`.")] = None
    until: Annotated[Time | None, Meta(description="Where the window ends; default: now.")] = None
    source: Source | None = None
    tenant: Tenant | None = None

    def request(self, hosts: Mapping[str, str], now: int) -> CompareRequest:
        """Return what is asked for; `hosts`: see `bot.requests.references.find_references`, `now`: unix seconds."""
        if (self.trace is None) is (self.service is None):
            raise UserError("trace-or-service")
        if self.trace is not None:
            return CompareRequest(
                baseline=None, suspect=_trace(self.trace, hosts), source=self.source, tenant=self.tenant
            )
        end = _seconds(self.until) if self.until else now
        start = _seconds(self.since) if self.since else end - HOUR_S
        if start >= end:
            raise UserError("no-window", since=self.since or str(start), until=self.until or str(end))
        clue = Clue(service=self.service or "", operation=self.operation, window=(start, end), failing=False)
        return CompareRequest(baseline=None, suspect=None, source=self.source, tenant=self.tenant, clue=clue)


class CompareWindows(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which requests of which two windows to compare."""

    service: Service
    baseline: Annotated[Window, Meta(description="The window believed healthy; the earlier one of the two is A.")]
    suspect: Annotated[Window, Meta(description="The window to explain; the two must not overlap.")]
    operation: Annotated[
        Operation | None,
        Meta(description="Span name of the operation; leave out for the one that both windows have most of."),
    ] = None
    source: Source | None = None
    tenant: Tenant | None = None
    detail: Annotated[
        tuple[WindowSection, ...],
        Meta(
            max_length=2,
            description="Parts to add: `contributions` (every group of spans, its mean exposed time in both windows), "
            "`report` (everything as Markdown).",
        ),
    ] = ()  # fmt: skip
    limit: Limit = 20

    def request(self, _hosts: Mapping[str, str], now: int) -> CompareRequest:
        """Return what is asked for; `now`: unix seconds."""
        earlier, later = in_order(self.baseline.seconds(), self.suspect.seconds(), now)
        windows = Windows(
            service=self.service, operation=self.operation, baseline=earlier, suspect=later, asked_at=now - now % 60
        )
        return CompareRequest(baseline=None, suspect=None, source=self.source, tenant=self.tenant, windows=windows)


def _trace(text: str, hosts: Mapping[str, str]) -> TraceRef:
    found = find_references(text, hosts)
    if len(found) != 1:
        raise UserError("one-per-field", count=len(found))
    return found[0]


def _seconds(text: str) -> int:
    seconds = unix_seconds(text)
    if seconds is None:
        raise UserError("not-a-time", text=text)
    return seconds
