"""Requests that nobody listens to, and errors that a listener did not foresee."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import structlog
from slack_bolt.error import BoltUnhandledRequestError
from slack_bolt.response import BoltResponse

from bot.errors import MY_FAULT
from bot.slack import notices

if TYPE_CHECKING:
    from slack_bolt.async_app import AsyncApp

    from bot.listeners.desk import Desk

# What a person waits for: they see that it was refused. All else Slack would only send again, and in the end no more.
AWAITED = ("block_actions", "message_action", "shortcut", "view_submission")

log = structlog.get_logger()


class Unforeseen:
    """Whatever the other listeners do not deal with themselves."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._unheard: set[str] = set()  # kinds that were logged

    def register(self, app: AsyncApp) -> None:
        """Listen."""
        app.error(self.on_error)

    async def on_error(
        self, error: Exception, body: dict[str, Any], response: BoltResponse | None
    ) -> BoltResponse | None:
        """Write it to the log, and tell the person who waits.

        `response` is None when Slack has its acknowledgement already; then there is nothing to return.
        """
        kind = str(body.get("command") or body.get("type"))
        if isinstance(error, BoltUnhandledRequestError):
            self._log_once(kind, str((body.get("event") or {}).get("type") or ""))
            if "command" in body or kind in AWAITED:
                return BoltResponse(status=404, body="unhandled request")
            return BoltResponse(status=200)
        log.error("listener failed", request=kind, exc_info=error)
        response_url = body.get("response_url")
        if response_url:
            await self._desk.aside.answer(response_url, notices.failure(MY_FAULT))
        return None if response is None else BoltResponse(status=200)

    def _log_once(self, kind: str, event: str) -> None:
        """Write that nobody listens to something; a busy workspace sends the same thousands of times."""
        if (name := f"{kind} {event}".strip()) not in self._unheard:
            self._unheard.add(name)
            log.warning("nobody listens to this", request=name)
