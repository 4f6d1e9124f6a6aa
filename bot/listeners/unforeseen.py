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

log = structlog.get_logger()


class Unforeseen:
    """Whatever the other listeners do not deal with themselves."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def register(self, app: AsyncApp) -> None:
        """Listen."""
        app.error(self.on_error)

    async def on_error(
        self, error: Exception, body: dict[str, Any], response: BoltResponse | None
    ) -> BoltResponse | None:
        """Write it to the log, and tell the person who waits.

        `response` is None when Slack has its acknowledgement already; then there is nothing to return.
        """
        kind = body.get("command") or body.get("type")
        if isinstance(error, BoltUnhandledRequestError):
            log.warning("nobody listens to this", request=kind)
            return BoltResponse(status=404, body="unhandled request")
        log.error("listener failed", request=kind, exc_info=error)
        response_url = body.get("response_url")
        if response_url:
            await self._desk.aside.answer(response_url, notices.failure(MY_FAULT))
        return None if response is None else BoltResponse(status=200)
