"""Hearing logs and metrics about a result whose reader waits for them: a program, or somebody at a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import structs

from bot.evidence.question import question_of
from bot.evidence.weighing import weigh, weighed
from bot.evidence.words import lines

if TYPE_CHECKING:
    from bot.evidence.sources import EvidenceSources
    from bot.inquiry.result import Result


async def heard(result: Result, sources: EvidenceSources, tenant: str | None) -> tuple[Result, list[str] | None]:
    """Ask about the causes; returns the weighed result, and what was said: None where there is nobody to ask.

    Nothing that they do or leave undone spoils the answer, and they have no more time than beside one in Slack.
    """
    channel, question = result.origin.channel, question_of(result.answer)
    if question is None or not sources.names(channel):
        return result, None
    evidence = await sources.evidence(question, channel, tenant)
    weight = weigh(result.answer.comparison, evidence)
    answer = structs.replace(result.answer, comparison=weighed(result.answer.comparison, weight))
    return structs.replace(result, answer=answer), lines(evidence, weight, question.started_at)
