"""The line about the same cause seen before. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.slack import elements as el

if TYPE_CHECKING:
    from analysis.comparison import VerdictKind
    from bot.inquiry.result import Recollection
    from bot.slack.elements import Block


def recollection(before: Recollection, kind: VerdictKind) -> Block:
    """Return the line as a block, with the way to the earlier answer; `kind` of the verdict above it."""
    where = [el.space(" in "), el.channel(before.elsewhere)] if before.elsewhere else []
    more = [el.space(before.more)] if before.more else []
    return el.rich(el.section(el.link(before.when(kind), before.permalink), *where, *more))
