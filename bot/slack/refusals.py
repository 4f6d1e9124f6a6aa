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

ATTEMPTS = 4
MAX_WAIT_S = 30.0
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


def judge(error: Exception, attempt: int) -> float:
    """Return how long to wait before the next try (s), or raise what the error means."""
    again_s = 0.0 if attempt == ATTEMPTS - 1 else FIRST_WAIT_S * 2.0**attempt
    if not isinstance(error, SlackApiError):
        return again_s
    code, status = error_code(error), _status(error)
    if code in LAYOUT_ERRORS:
        raise LayoutError(code)
    if status == HTTPStatus.TOO_MANY_REQUESTS or code in RATE_ERRORS:
        return _retry_after_s(getattr(error.response, "headers", None) or {}) if again_s else 0.0
    if status == HTTPStatus.NOT_FOUND and code == UNREADABLE:
        code = NO_METHOD
    if status >= 500 or code in TRANSIENT_ERRORS or code == UNREADABLE:
        return again_s
    if code in GONE_ERRORS:
        raise DeliveryError("message-gone", detail=code)
    raise DeliveryError("not-in-channel" if code in ABSENT_ERRORS else "slack-refused", detail=code)


def _retry_after_s(headers: Mapping[str, str]) -> float:
    """Read how long Slack wants us to wait (s), bounded: a job must not hang for minutes because of one call."""
    asked = next((value for name, value in headers.items() if name.lower() == "retry-after"), "")
    return min(MAX_WAIT_S, float(asked)) if asked.isdigit() else 1.0


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
