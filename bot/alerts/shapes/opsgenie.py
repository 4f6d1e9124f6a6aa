"""Opsgenie: an attachment titled `New alert: #123` (or `#123: <message>`), with fields Priority, Tags, Routed Teams.

The alert's message is the text, in quotes. Each time a problem comes back it is another alert with another number,
so the fingerprint is made of the message and the labels. Tags are `key:value` where people write them so.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bot.alerts.shapes.shape import Said, Shape, on_host, opening, state_of, steady, whose

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.alerts.alert import State
    from bot.alerts.content import Content

_NUMBER = re.compile(r"#\d{1,12}\b:?\s*")
_QUOTED = re.compile(r"[\"“]([^\"“”\n]{3,300})[\"”]")
_DONE = re.compile(
    r"\b(?:closed|resolved)\b(?: the)? (?:alert|incident)\b|^\W*status:?\W*closed\b", re.IGNORECASE | re.MULTILINE
)
_NEWS = re.compile(r"\bnew alert\b|\b(?:acknowledged|escalated|snoozed|assigned)\b.{0,40}\balert\b", re.IGNORECASE)


def _ours(url: str) -> bool:
    return on_host(url, "opsgenie.com", "opsg.in")


def _recognises(content: Content) -> bool:
    return "opsgenie" in content.sender.replace(" ", "") or _ours(content.title_url)


def _read(content: Content, labels: Mapping[str, str]) -> Said:
    name = opening(_NUMBER.sub("", content.title))[1]
    for passage in content.passages:
        quoted = _QUOTED.search(passage.text)
        if not name and quoted:
            name = quoted[1].strip(" ,")
    url = next((link.url for link in content.links() if _ours(link.url)), content.title_url)
    name = opening(name)[1]
    return Said(
        state=_state(content, labels), title=name or content.title, url=url, identity=(steady(name), *whose(labels))
    )


def _state(content: Content, labels: Mapping[str, str]) -> State:
    for passage in content.passages:
        if _DONE.search(passage.text):
            return "resolved"
        if _NEWS.search(passage.text):
            return "firing"
    state = state_of(content, labels)
    return "firing" if state == "unknown" and "priority" in labels else state


SHAPE = Shape(vendor="opsgenie", recognises=_recognises, read=_read)
