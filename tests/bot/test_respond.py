"""Answers through a response URL: to Slack alone, in a layout that it takes."""

from __future__ import annotations

import pytest
from aiohttp import web
from world import serve

from bot.slack.elements import Message, preformatted, rich
from bot.slack.respond import Responder

TABLE = {"type": "table", "rows": [[{"type": "raw_text", "text": "x"}]]}
MESSAGE = Message(text="x", blocks=[TABLE], plain_blocks=[rich(preformatted("x"))])


@pytest.fixture
async def responder():
    """Return a responder for an API on this machine; the address is set by the test."""
    made = Responder("http://127.0.0.1:1/api")
    yield made
    await made.aclose()


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/x", "http://hooks.slack.com/x", "https://hooks.slack.com.evil.example/x",
        "https://evilslack.com/x", "https://hooks.slack.com@evil.example/x", "file:///etc/passwd", "", "not a url",
    ],
)  # fmt: skip
async def test_only_slack_is_written_to(responder, url) -> None:
    """Addresses elsewhere, look-alikes and unencrypted ones are not used."""
    assert await responder.respond(url, MESSAGE) is False
    assert responder._session is None


@pytest.mark.parametrize("url", ["https://hooks.slack.com/commands/T/1/x", "https://hooks.slack-gov.com/actions/1"])
def test_the_hosts_of_slack_are_known(responder, url) -> None:
    """Both the commercial and the government cloud count."""
    assert responder._is_slack(url)


@pytest.mark.parametrize(
    ("answers", "taken", "tries"),
    [
        ([200], True, 1),
        ([400, 200], True, 2),  # a refused table becomes plain text
        ([500, 500, 200], True, 3),
        ([404], False, 1),  # used up: no use in trying on
        ([400, 400, 400, 400], False, 4),
    ],
    ids=str,
)
async def test_a_refused_layout_is_tried_in_a_plainer_one(answers, taken, tries) -> None:
    """A formatting error does not lose a private answer."""
    bodies = []

    async def answer(request: web.Request) -> web.Response:
        bodies.append(await request.json())
        return web.Response(status=answers[len(bodies) - 1])

    app = web.Application()
    app.router.add_post("/x", answer)
    async with serve(app) as url:
        responder = Responder(f"{url}/api")
        assert await responder.respond(f"{url}/x", MESSAGE) is taken
        await responder.aclose()
    assert len(bodies) == tries
    assert all(body["response_type"] == "ephemeral" and body["text"] == "x" for body in bodies)
    assert len({str(body["blocks"]) for body in bodies}) == tries


async def test_a_lost_connection_is_reported(responder) -> None:
    """The caller then takes another way."""
    assert await responder.respond("http://127.0.0.1:1/x", MESSAGE) is False
