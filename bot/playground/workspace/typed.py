"""From what a person types to what Slack makes of it: escaped text, and the same in blocks."""

from __future__ import annotations

import re
from typing import Any

from bot.playground.workspace.people import APP_NAME, BOT_USER

_PART = re.compile(rf"(?P<link>https?://[^\s<>|]+[^\s<>|.,;:!?)'\"])|(?P<app>@{re.escape(APP_NAME)}\b)", re.IGNORECASE)
_ENTITIES = (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"))


def read(typed: str) -> tuple[str, list[dict[str, Any]]]:
    """Return the text of a message, with links and the app's name made out, and its blocks."""
    text, elements, end = "", [], 0
    for part in _PART.finditer(typed):
        before = typed[end : part.start()]
        text += _escaped(before)
        elements += _plain(before)
        if part["link"]:
            text += f"<{_escaped(part['link'])}>"
            elements.append({"type": "link", "url": part["link"]})
        else:
            text += f"<@{BOT_USER}>"
            elements.append({"type": "user", "user_id": BOT_USER})
        end = part.end()
    text += _escaped(typed[end:])
    elements += _plain(typed[end:])
    section = {"type": "rich_text_section", "elements": elements}
    return text, [{"type": "rich_text", "block_id": "typed", "elements": [section]}]


def _plain(text: str) -> list[dict[str, Any]]:
    return [{"type": "text", "text": text}] if text else []


def _escaped(text: str) -> str:
    for sign, entity in _ENTITIES:
        text = text.replace(sign, entity)
    return text
