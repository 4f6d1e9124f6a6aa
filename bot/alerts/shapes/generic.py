"""Any other program's alert, or a person's message: what it names and how it is labelled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.alerts.shapes.shape import Said, Shape, opening, state_of, steady, whose

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.alerts.content import Content


def _read(content: Content, labels: Mapping[str, str]) -> Said:
    state = state_of(content, labels) if content.from_bot else opening(content.title)[0]
    return Said(state=state, identity=(content.sender, steady(content.title), *whose(labels)))


SHAPE = Shape(vendor="unknown", recognises=lambda _: True, read=_read)
