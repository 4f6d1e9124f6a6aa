"""Where payloads arrive: many at one moment leave the event loop to others in between, and all are acknowledged."""

from __future__ import annotations

import asyncio
from collections import Counter
from urllib.parse import urlencode

from slack_bolt.authorization import AuthorizeResult
from slack_bolt.request.async_request import AsyncBoltRequest

from bot.slack import reception
from bot.slack.reception import Reception

MANY = 50


def command(text: str) -> AsyncBoltRequest:
    """Return a slash command."""
    body = urlencode({"command": "/x", "text": text, "team_id": "T1", "user_id": "U1", "channel_id": "C1"})
    return AsyncBoltRequest(body=body, headers={"Content-Type": ["application/x-www-form-urlencoded"]})


async def test_of_many_payloads_at_once_a_few_are_begun_in_each_turn_of_the_loop() -> None:
    """What arrives in one moment is not dealt with in one go, in which nothing else could run; nobody waits for long."""
    turn, begun = 0, []

    async def authorize() -> AuthorizeResult:
        begun.append(turn)
        return AuthorizeResult(enterprise_id=None, team_id="T1", bot_token="xoxb-1", bot_user_id="U0")

    async def count_turns() -> None:
        nonlocal turn
        while True:
            turn += 1
            await asyncio.sleep(0)

    app = Reception(signing_secret="0" * 32, authorize=authorize, request_verification_enabled=False)
    heard = []

    @app.command("/x")
    async def listen(ack, command) -> None:
        heard.append(command["text"])
        await ack()

    counting = asyncio.create_task(count_turns())
    asked = [str(number) for number in range(MANY)]
    answers = await asyncio.gather(*(app.async_dispatch(command(text)) for text in asked))
    counting.cancel()
    assert [answer.status for answer in answers] == [200] * len(asked)
    assert sorted(heard) == sorted(asked)
    assert max(Counter(begun).values()) <= reception.AT_ONCE
