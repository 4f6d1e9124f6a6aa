"""The client of Slack's Web API, with a clock for each call, a count of what fails, and a span where tracing is on.

Its calls are bounded: what fifty people ask in one second goes out in turn instead of all at once, which would hold up
the event loop.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aiohttp
from opentelemetry.trace import SpanKind
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.identity import TOKEN_ERRORS
from bot.slack.refusals import (
    ABSENT_ERRORS,
    FAILURES,
    GONE_ERRORS,
    LAYOUT_ERRORS,
    RATE_ERRORS,
    TRANSIENT_ERRORS,
    error_code,
)
from bot.telemetry import metrics
from bot.telemetry.steps import step

if TYPE_CHECKING:
    from slack_sdk.web.async_slack_response import AsyncSlackResponse

KNOWN = frozenset((
    *TOKEN_ERRORS, *ABSENT_ERRORS, *GONE_ERRORS, *LAYOUT_ERRORS, *RATE_ERRORS, *TRANSIENT_ERRORS, "missing_scope",
))  # fmt: skip
AT_ONCE = 16  # calls of one process; Slack takes about one message a second in each channel
metrics.begin(metrics.SLACK_ERRORS, (*KNOWN, "other", "unreachable"))


class WatchedClient(AsyncWebClient):
    """Slack's own client."""

    async def api_call(self, api_method: str, **call: Any) -> AsyncSlackResponse:
        """Call a method."""
        if self.session is None:
            # Not before: a session belongs to a running loop. Cookies would mix up workspaces, and nothing needs them.
            # A connection is not used again: where Slack has just closed it, nobody knows what became of the call.
            self.session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=AT_ONCE, force_close=True), cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=self.timeout),
            )  # fmt: skip
        timer = metrics.SLACK_SECONDS.labels(api_method)
        with step(f"slack {api_method}", timer, SpanKind.CLIENT, **{"peer.service": "slack"}):
            try:
                return await super().api_call(api_method, **call)
            except FAILURES as error:
                metrics.SLACK_ERRORS.labels(_known(error)).inc()
                raise

    async def aclose(self) -> None:
        """Close the connections; no call may follow."""
        if self.session is not None:
            await self.session.close()


def _known(error: Exception) -> str:
    """Return Slack's word for an error where it is one that means something to us: there are hundreds."""
    if not isinstance(error, SlackApiError):
        return "unreachable"
    code = error_code(error)
    if getattr(error.response, "status_code", 200) == 429:
        return "ratelimited"
    return code if code in KNOWN else "other"
