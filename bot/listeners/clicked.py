"""Where a click on a button of ours comes from."""

from __future__ import annotations

from typing import Any

from bot.requests.request import Origin, thread_of


def clicked(body: dict[str, Any]) -> Origin:
    """Return who clicked, and where; an answer to it goes to the thread of the message with the button."""
    message, user = body.get("message") or {}, body["user"]
    place = body.get("container") or {}  # says where, also for messages that one person alone sees
    return Origin(
        team=(body.get("team") or {}).get("id") or "",
        channel=(body.get("channel") or {}).get("id") or place.get("channel_id") or "",
        user=user["id"], user_name=user.get("username") or user.get("name") or user["id"],
        thread_ts=message.get("thread_ts") or message.get("ts") or place.get("thread_ts"), aside_ts=thread_of(message),
        response_url=body.get("response_url"),
    )  # fmt: skip
