"""What Slack's refusals mean: wait and try again, lay it out more plainly, give up, or nobody knows.

Told by its error code and status; a connection that breaks tells nothing.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.errors import DeliveryError

if TYPE_CHECKING:
    from collections.abc import Mapping

ATTEMPTS = 4  # that fail, of one call
SHORTEST_WAIT_S = 1.0  # after a rate limit, whatever Slack says
FIRST_WAIT_S = 0.5  # doubled with each try
RATE_ERRORS = ("ratelimited", "rate_limited")
LAYOUT_ERRORS = (
    "invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_too_long", "block_mismatch",
    "invalid_arguments", "only_one_table_allowed",
)  # fmt: skip
ABSENT_ERRORS = ("not_in_channel", "channel_not_found")
GONE_ERRORS = ("message_not_found", "cant_update_message", "edit_window_closed", "thread_not_found")
VIEW_GONE_ERRORS = ("not_found", "hash_conflict", "view_not_found")
TRANSIENT_ERRORS = ("internal_error", "fatal_error", "service_unavailable", "request_timeout", "file_update_failed")


NO_METHOD = "unknown_method"  # Slack always has the methods that we call; what only speaks like Slack may not
UNREADABLE = "unknown"  # an answer without Slack's own words: cut off, or from something between Slack and us


class LayoutError(Exception):
    """Slack refused how a message is laid out, not what it says."""


# What a call of the SDK raises: Slack's own errors, errors of the client, and those of the connection below it.
FAILURES = (SlackApiError, SlackClientError, aiohttp.ClientError, TimeoutError, OSError)


class Tries:
    """How often one call is tried: some times where it failed, and as often as Slack only wants us to wait.

    `patience_s`: for how long in all (s) it may want that.
    """

    def __init__(self, patience_s: float) -> None:
        self._patience_s = patience_s
        self._left = ATTEMPTS

    def __bool__(self) -> bool:
        """Tell whether any is left."""
        return self._left > 0

    def pause_s(self, error: Exception) -> float:
        """Return how long to wait before the next try (s), or raise what the error means."""
        if certainly_refused(error):
            return self._asked_s(error)
        failed = ATTEMPTS - self._left
        self._left -= 1
        again_s = FIRST_WAIT_S * 2.0**failed if self._left else 0.0
        if not isinstance(error, SlackApiError):
            return again_s
        code, status = error_code(error), _status(error)
        if code in LAYOUT_ERRORS:
            raise LayoutError(code)
        if status == HTTPStatus.NOT_FOUND and code == UNREADABLE:
            code = NO_METHOD
        if status >= 500 or code in TRANSIENT_ERRORS or code == UNREADABLE:
            return again_s
        if code in GONE_ERRORS:
            raise DeliveryError("message-gone", detail=code)
        raise DeliveryError("not-in-channel" if code in ABSENT_ERRORS else "slack-refused", detail=code)

    def _asked_s(self, error: Exception) -> float:
        """Return how long Slack wants us to wait (s); raises `DeliveryError` where that is longer than we can."""
        headers: Mapping[str, str] = getattr(getattr(error, "response", None), "headers", None) or {}
        said = next((value for name, value in headers.items() if name.lower() == "retry-after"), "")
        asked_s = max(SHORTEST_WAIT_S, float(said)) if said.isdigit() else SHORTEST_WAIT_S
        self._patience_s -= asked_s
        if self._patience_s < 0:
            raise DeliveryError("slack-limits", seconds=round(asked_s))
        return asked_s


def _status(error: SlackApiError) -> int:
    return int(getattr(error.response, "status_code", 200) or 200)


def error_code(error: SlackApiError) -> str:
    """Return Slack's error code."""
    response = error.response
    if isinstance(response, (AsyncSlackResponse, dict)):
        data = response.data if isinstance(response, AsyncSlackResponse) else response
        if isinstance(data, dict):
            return str(data.get("error") or UNREADABLE)
    return UNREADABLE


def broke_off(error: Exception) -> bool:
    """Tell whether a call ended without a whole answer after Slack may have heard it."""
    if isinstance(error, SlackApiError):
        return error_code(error) == UNREADABLE and _status(error) == HTTPStatus.OK
    return not isinstance(error, aiohttp.ClientConnectorError)


def certainly_refused(error: Exception) -> bool:
    """Tell whether Slack said that it did not apply the call (a rate limit), as against not knowing."""
    if not isinstance(error, SlackApiError):
        return False
    return _status(error) == HTTPStatus.TOO_MANY_REQUESTS or error_code(error) in RATE_ERRORS
