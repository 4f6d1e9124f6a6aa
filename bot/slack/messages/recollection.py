"""The line about the same cause seen before. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from analysis.comparison import VerdictKind
from bot.slack import elements as el

if TYPE_CHECKING:
    from bot.inquiry.result import Recollection
    from bot.slack.elements import Block


def recollection(before: Recollection, kind: VerdictKind) -> Block:
    """Return the line as a block, with the way to the earlier answer."""
    where = [el.space(" in "), el.channel(before.elsewhere)] if before.elsewhere else []
    more = _more(before)
    return el.rich(
        el.section(el.link(_when(before, kind), before.permalink), *where, *([el.space(more)] if more else []))
    )


def said(before: Recollection, kind: VerdictKind) -> str:
    """Say it in words, where a link cannot stand."""
    where = " in another channel" if before.elsewhere else ""
    return f"{_when(before, kind)}{where}{_more(before)}"


def _when(before: Recollection, kind: VerdictKind) -> str:
    what = "change" if kind is VerdictKind.CHANGED else "cause"
    at = datetime.fromtimestamp(before.at, UTC)
    return f"Same {what} as on {at.day} {at:%b %Y, %H:%M} UTC"


def _more(before: Recollection) -> str:
    marked = ", marked useful" if before.useful == 1 else f", marked useful by {before.useful}" if before.useful else ""
    often = f"; {before.times} times in the last {before.days} days" if before.times > 1 else ""
    return marked + often
