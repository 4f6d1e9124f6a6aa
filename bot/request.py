"""What somebody asked for: plain values, from any entry point, before anything is fetched."""

from __future__ import annotations

from msgspec import Struct


class TraceRef(Struct, frozen=True, kw_only=True):
    """One trace: a 32-digit lower-case hex id, where it may be, and when it ran if the link said so."""

    trace_id: str
    source: str | None = None
    window: tuple[int, int] | None = None  # unix seconds, padded


class CompareRequest(Struct, frozen=True, kw_only=True):
    """Compare `suspect` (B) with `baseline` (A), or, without one, with the typical request of its operation."""

    baseline: TraceRef | None
    suspect: TraceRef
    source: str | None = None
    tenant: str | None = None
    private: bool = False

    def swapped(self, baseline: TraceRef) -> CompareRequest:
        """Return the same request with the sides exchanged; `baseline` is the one that was used."""
        return CompareRequest(
            baseline=self.suspect, suspect=baseline, source=self.source, tenant=self.tenant, private=self.private
        )


class Nothing(Struct, frozen=True):
    """Called without a word: each way in knows best what that means there."""


class Help(Struct, frozen=True):
    """Asked how to use the bot."""


class ListSources(Struct, frozen=True):
    """Asked which sources this channel has."""


class History(Struct, frozen=True):
    """Asked what was compared in this channel."""


Asked = CompareRequest | Nothing | Help | ListSources | History


class Origin(Struct, frozen=True, kw_only=True):
    """Where a request came from and where its answer goes.

    `user_name` is "" where Slack does not tell it. `thread_ts`: the thread that the answer goes to. `aside_ts`: the
    thread in which the person who asked is looking; what they alone shall see appears there, else in the channel
    (Slack shows such messages only in threads that have replies already).
    """

    team: str
    channel: str
    user: str
    user_name: str
    thread_ts: str | None = None
    aside_ts: str | None = None
    response_url: str | None = None
