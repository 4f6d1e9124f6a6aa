"""Alertmanager: one attachment, `[FIRING:2] <group's labels> (<other common labels>)`, linked to its `/#/alerts`.

By default it has no text; sites add their own, often Alertmanager's list (` - name = value`) or a silence link.
A group's message is posted again, or edited, with another count and other common labels when alerts join or leave,
so the fingerprint leaves both out.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bot.alerts.shapes.shape import Said, Shape, host_of, opening, silenced_labels, state_of, steady, whose

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.alerts.content import Content

_TITLE = re.compile(r"\W*\[(?:FIRING|RESOLVED)(?::\d+)?(?:, RESOLVED:\d+)?\]")
_COMMON = re.compile(r"\s*\([^()]*\)\s*$")


def _recognises(content: Content) -> bool:
    if "alertmanager" in content.sender.replace(" ", "") or "/#/alerts" in content.title_url:
        return True
    return (content.from_bot and bool(_TITLE.match(content.title))) or any(
        "/#/silences" in link.url for link in content.links()
    )


def _read(content: Content, labels: Mapping[str, str]) -> Said:
    every = silenced_labels(content) | dict(labels)
    _, rest = opening(content.title)
    head = _COMMON.sub("", rest) or rest
    return Said(
        state=state_of(content, labels), title=rest, labels=every,
        identity=(host_of(content.title_url), steady(head), every.get("alertname", ""), *whose(every)),
    )  # fmt: skip


SHAPE = Shape(vendor="alertmanager", recognises=_recognises, read=_read)
