"""Where payloads arrive, over HTTP and over the websocket alike: the Bolt app, with a clock and an id for each.

Of many that arrive together a few are begun in each turn of the event loop, so that others have a say in between.
"""

from __future__ import annotations

import asyncio
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import structlog
from slack_bolt.async_app import AsyncApp

from bot.telemetry import metrics
from bot.telemetry.arrival import arriving

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slack_bolt.request.async_request import AsyncBoltRequest
    from slack_bolt.response import BoltResponse

KINDS = {
    "event_callback": "event",
    "block_actions": "button",
    "view_submission": "form",
    "view_closed": "form",
    "shortcut": "shortcut",
    "message_action": "shortcut",
}
AT_ONCE = 8  # begun in one turn of the loop; each takes about a millisecond
SLOW_S = 1.0  # Slack gives up after 3 s

log = structlog.get_logger()


class Reception(AsyncApp):
    """A Bolt app that follows each payload from its arrival to its acknowledgement."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._turn = asyncio.Semaphore(AT_ONCE)

    async def async_dispatch(self, req: AsyncBoltRequest) -> BoltResponse:
        """Have a payload dealt with; returns its acknowledgement."""
        with arriving() as arrival:
            started = time.perf_counter()
            async with self._turn:
                await asyncio.sleep(0)  # keeps its place until the next turn
            response = await super().async_dispatch(req)
            arrival.acknowledged_ns = time.time_ns()
            took_s = time.perf_counter() - started
            # Who is not Slack can say anything: what was refused has no kind.
            kind = payload_kind(req.body) if response.status == HTTPStatus.OK else "refused"
            metrics.ACKNOWLEDGED.labels(kind).observe(took_s)
            if kind == "refused":
                log.info("payload refused", status=response.status)
            elif took_s > SLOW_S:
                log.warning("slow acknowledgement", kind=kind, seconds=round(took_s, 3))
            return response


def payload_kind(body: Mapping[str, Any]) -> str:
    """Say in which way something was asked: command, event, button, form, shortcut or other."""
    if "command" in body:
        return "command"
    return KINDS.get(str(body.get("type")), "other")
