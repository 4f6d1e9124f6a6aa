"""What somebody asked for: plain values, from any entry point, before anything is fetched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Mapping


class TraceRef(Struct, frozen=True, kw_only=True):
    """One trace: a 32-digit lower-case hex id, where it may be, and when it ran if the link said so."""

    trace_id: str
    source: str | None = None
    window: tuple[int, int] | None = None  # unix seconds, padded


class Clue(Struct, frozen=True, kw_only=True):
    """What an alert says of the requests it is about, where it names no trace. `window` is in unix seconds."""

    service: str
    operation: str | None
    window: tuple[int, int]
    failing: bool  # it is about errors, not about time


class Windows(Struct, frozen=True, kw_only=True):
    """Two stretches of time, in unix seconds, whose requests are compared: `baseline` (A) is the earlier one.

    Without an `operation` the one that both have most of is compared. `asked_at` (unix seconds) is what "now" meant.
    """

    service: str
    operation: str | None
    baseline: tuple[int, int]
    suspect: tuple[int, int]
    asked_at: int


class CompareRequest(Struct, frozen=True, kw_only=True):
    """Compare `suspect` (B) with `baseline` (A), or, without one, with the typical request of its operation.

    Without a `suspect` there is a `clue`, by which one is found, or there are `windows` instead of traces. `alert`: the
    fingerprint of the alert that this is about. `note`: what people should know of how their message was read.
    """

    baseline: TraceRef | None
    suspect: TraceRef | None
    source: str | None = None
    tenant: str | None = None
    private: bool = False
    clue: Clue | None = None
    windows: Windows | None = None
    alert: str = ""
    note: str = ""

    def swapped(self, baseline: TraceRef, suspect: TraceRef) -> CompareRequest:
        """Return the same request with the sides exchanged; `baseline` and `suspect` are those that were used."""
        return CompareRequest(
            baseline=suspect, suspect=baseline, source=self.source, tenant=self.tenant, private=self.private
        )


class Nothing(Struct, frozen=True):
    """Called without a word: each way in knows best what that means there."""


class Help(Struct, frozen=True):
    """Asked how to use the bot."""


class ListSources(Struct, frozen=True):
    """Asked which sources this channel has."""


class History(Struct, frozen=True, kw_only=True):
    """Asked what was compared in this channel: what says all `words`, since a time or so long ago; page by page."""

    words: tuple[str, ...] = ()
    since: int | None = None  # unix seconds
    ago_s: int | None = None
    page: int = 0


Asked = CompareRequest | Nothing | Help | ListSources | History


class Origin(Struct, frozen=True, kw_only=True):
    """Where a request came from and where its answer goes.

    `user_name` is "" where Slack does not tell it. `thread_ts`: the thread that the answer goes to. `aside_ts`: the
    thread in which the person who asked is looking; what they alone shall see appears there, else in the channel
    (Slack shows such messages only in threads that have replies already). `watched`: nobody asked, an alert did; then
    an answer is posted when it is there, without an announcement, and what goes wrong is told to nobody. `again`: Slack
    sent this once before; if it was accepted then, nobody needs to hear of it.
    """

    team: str
    channel: str
    user: str
    user_name: str
    thread_ts: str | None = None
    aside_ts: str | None = None
    response_url: str | None = None
    watched: bool = False
    again: bool = False


def thread_of(message: Mapping[str, Any]) -> str | None:
    """Return the thread in which a message is a reply; None for a root, which names itself once it has replies."""
    thread_ts = message.get("thread_ts")
    return thread_ts if isinstance(thread_ts, str) and thread_ts != message.get("ts") else None


class Payload(Struct, frozen=True, kw_only=True):
    """A request as the ledger keeps it."""

    request: CompareRequest
    origin: Origin
