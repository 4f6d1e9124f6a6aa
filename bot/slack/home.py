"""The Home tab: how to use the bot, its sources and their health, what one asked for of late. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.slack import elements as el
from bot.slack import notices

if TYPE_CHECKING:
    from bot.slack.elements import Block, Message
    from bot.state.results import Feedback

BETWEEN: dict[str, Any] = {"type": "divider"}


def home(usage: Message, health: dict[str, str] | None, past: list[notices.Past], totals: Feedback) -> dict[str, Any]:
    """Return the tab; `health` is what each source says, None while they are asked."""
    return {
        "type": "home",
        "blocks": [*_sources(health), BETWEEN, *_past(past), *_votes(totals), BETWEEN, *usage.blocks],
    }


def refused(sentence: str) -> dict[str, Any]:
    """Return the tab of somebody who may not use the bot."""
    return {"type": "home", "blocks": notices.failure(sentence).blocks}


def _sources(health: dict[str, str] | None) -> list[Block]:
    if health is None:
        return [el.rich(el.section(el.text("Sources", bold=True), el.space("  asking whether they are there ...")))]
    return notices.source_list(health).blocks


def _past(past: list[notices.Past]) -> list[Block]:
    heading = el.section(el.text("What you compared of late", bold=True))
    if not past:
        return [el.rich(heading, el.section(el.space("Nothing yet.")))]
    return [el.rich(heading, notices.past_list(past))]


def _votes(totals: Feedback) -> list[Block]:
    votes = totals.useful + totals.not_useful
    return [el.context(f"Answers found useful: {totals.useful} of {votes} votes in the past year")] if votes else []
