"""What every source does: fetch one trace by id, and say whether it is there at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from analysis import WireFormat

if TYPE_CHECKING:
    from bot.settings import SourceSettings


class FetchedTrace(Struct, frozen=True, kw_only=True):
    """A trace as a backend sent it."""

    trace_id: str
    body: bytes
    wire: WireFormat
    source: str


class TraceSource(Protocol):
    """One trace backend."""

    settings: SourceSettings

    async def fetch(
        self, trace_id: str, *, window: tuple[int, int] | None, tenant: str | None, deadline_s: float
    ) -> FetchedTrace:
        """Fetch a trace by its 32-digit id; raises `SourceError` (code `trace-not-found` when there is none)."""
        ...

    async def ping(self) -> str:
        """Ask whether the backend is there; returns its version or "ok", raises `SourceError`."""
        ...

    async def aclose(self) -> None:
        """Close the connections."""
        ...
