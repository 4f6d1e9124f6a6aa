"""Answers through a response URL: to Slack alone, in a layout that it takes."""

from __future__ import annotations

import pytest
from aiohttp import web
from world import hang_up, serve

from bot.slack.elements import Message, preformatted, rich
from bot.slack.respond import Heard, Responder

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
    assert await responder.respond(url, MESSAGE) is Heard.NO
    assert responder._session is None


@pytest.mark.parametrize("url", ["https://hooks.slack.com/commands/T/1/x", "https://hooks.slack-gov.com/actions/1"])
def test_the_hosts_of_slack_are_known(responder, url) -> None:
    """Both the commercial and the government cloud count."""
    assert responder._is_slack(url)


@pytest.mark.parametrize(
    ("answers", "taken", "tries"),
    [
        ([200], Heard.YES, 1),
        ([400, 200], Heard.YES, 2),  # a refused table becomes plain text
        ([400, 400, 200], Heard.YES, 3),
        ([500], Heard.NO, 1),  # not a matter of layout
        ([404], Heard.NO, 1),  # used up: no use in trying on
        ([400, 400, 400, 400], Heard.NO, 4),
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


async def test_a_refusal_may_also_come_as_a_good_status() -> None:
    """The body is the word ok, or an error; a plainer layout is tried then."""
    answers = [web.json_response({"ok": False, "error": "invalid_blocks"}), web.Response(text="ok")]

    async def answer(_: web.Request) -> web.Response:
        return answers.pop(0)

    app = web.Application()
    app.router.add_post("/x", answer)
    async with serve(app) as url:
        responder = Responder(f"{url}/api")
        assert await responder.respond(f"{url}/x", MESSAGE) is Heard.YES
        await responder.aclose()
    assert answers == []


async def test_where_nobody_listens_nothing_was_heard(responder) -> None:
    """The caller then takes another way, without fear of saying it twice."""
    assert await responder.respond("http://127.0.0.1:1/x", MESSAGE) is Heard.NO


async def test_when_the_connection_breaks_nobody_knows() -> None:
    """Slack may have heard us before it hung up."""

    async def listen(request: web.Request) -> web.Response:
        await request.json()
        return hang_up(request)

    app = web.Application()
    app.router.add_post("/x", listen)
    async with serve(app) as url:
        responder = Responder(f"{url}/api")
        assert await responder.respond(f"{url}/x", MESSAGE) is Heard.PERHAPS
        assert await responder.take_away(f"{url}/x") is Heard.PERHAPS
        await responder.aclose()
