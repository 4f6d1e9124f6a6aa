"""What an event says about its own delivery."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from slack_bolt.request.async_request import AsyncBoltRequest


def team_of(body: dict[str, Any]) -> str:
    """Return the workspace that an event is meant for; in a shared channel it may have begun in another one."""
    meant = [its.get("team_id") for its in body.get("authorizations") or () if isinstance(its, dict)]
    return next(filter(None, meant), None) or body.get("team_id") or ""


def is_again(request: AsyncBoltRequest) -> bool:
    """Tell whether Slack sends an event once more, as it is not sure that it was received."""
    return "x-slack-retry-num" in request.headers


def sent_at(event: dict[str, Any]) -> float | None:
    """Return when a message was sent (unix seconds), which stays the same however often Slack delivers it."""
    try:
        return float(event.get("ts") or "") or None
    except ValueError:
        return None
