"""The web server in front of Bolt: what is no request of Slack's, and when requests should come."""

from __future__ import annotations

import asyncio
import json
from urllib.parse import urlencode

import aiohttp
import pytest
from pydantic import SecretStr
from world import FaultySlack

from bot.settings import SettingsError
from bot.web import MAX_BODY_BYTES


async def test_slack_checks_the_certificate_without_a_signature(world) -> None:
    """`ssl_check` is answered although it is not signed, and nothing happens."""
    status, _ = await world.send(urlencode({"ssl_check": "1", "token": "x"}), headers={"X-Slack-Signature": "v0=00"})
    assert status == 200
    assert world.slack.called("chat.postMessage") == []


async def test_the_address_check_must_be_signed(world) -> None:
    """A challenge without Slack's signature gets no answer."""
    body = json.dumps({"type": "url_verification", "challenge": "abc"})
    headers = {"Content-Type": "application/json", "X-Slack-Signature": "v0=00"}
    status, text = await world.send(body, headers=headers)
    assert status == 401
    assert "abc" not in text


@pytest.mark.parametrize("timestamp", ["", "soon", "-1", "1.5", "9" * 5_000])
async def test_a_timestamp_that_is_no_number_is_refused(world, timestamp) -> None:
    """Nonsense in the header is a bad request of somebody else, not an error of ours."""
    assert (await world.send("a=b", headers={"X-Slack-Request-Timestamp": timestamp}))[0] == 401


async def test_a_body_that_is_no_text_is_refused(world) -> None:
    """Bytes that are not UTF-8, and character sets that do not exist, are bad requests."""
    url = f"http://127.0.0.1:{world.bot.web.port}/slack/events"
    for body, kind in ((b"\xff\xfe\xfd", "application/json"), (b"{}", "application/json; charset=klingon")):
        async with (
            aiohttp.ClientSession() as session,
            session.post(url, data=body, headers={"Content-Type": kind}) as response,
        ):
            assert response.status == 400


@pytest.mark.parametrize(
    "said", ["[1]", "1", '"x"', "null", '{"team": 1}', '{"event": {"authorizations": true}}', "[" * 100_000],
    ids=["list", "number", "text", "nothing", "team", "event", "deep"],
)  # fmt: skip
async def test_json_of_another_shape_is_refused(world, lines, said) -> None:
    """Whoever sends it, signed or not, as a body or as a form's payload: a bad request, and no fault of ours."""
    for body, kind in ((said, "application/json"), (urlencode({"payload": said}), "application/x-www-form-urlencoded")):
        for headers in ({}, {"X-Slack-Signature": "v0=00"}):
            assert (await world.send(body, headers={"Content-Type": kind, **headers}))[0] == 400
    assert lines() == []


async def test_a_body_beyond_what_slack_sends_is_refused(world) -> None:
    """A megabyte is more than any request of Slack has: it is not even read."""

    async def body():
        for _ in range(MAX_BODY_BYTES // 65_536 + 1):
            yield b"x" * 65_536

    url = f"http://127.0.0.1:{world.bot.web.port}/slack/events"
    async with aiohttp.ClientSession() as session, session.post(url, data=body()) as response:
        assert response.status == 413


async def test_the_first_command_is_acknowledged_without_asking_slack_anything(make_world) -> None:
    """Nothing stands between a request and its acknowledgement: not even who we are is asked first."""
    async with make_world() as world:
        before = len(world.slack.calls)
        _, body = await world.command("help")
        assert "blocks" in json.loads(body)
        assert world.slack.calls[before:] == []
        assert len(world.slack.called("auth.test")) == 1  # at the start


async def test_a_token_that_slack_refuses_ends_the_start_with_a_sentence(make_world) -> None:
    """Whoever runs the bot learns at once which secret is wrong."""
    slack = FaultySlack()
    slack.faults = [("auth.test", "invalid_auth")]
    async with make_world(start=False, slack=slack) as world:
        with pytest.raises(SettingsError, match="SLACK_BOT_TOKEN"):
            await world.bot.start_http()


@pytest.mark.parametrize("fault", ["500", "internal_error", "cut after"])
async def test_a_slack_that_is_down_does_not_keep_the_bot_down(make_world, fault) -> None:
    """The bot starts and answers once Slack is back."""
    slack = FaultySlack()
    slack.faults = [("auth.test", fault)]
    async with make_world(slack=slack) as world:
        assert (await world.command("help"))[0] == 200


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"slack_signing_secret": SecretStr("")}, "SLACK_SIGNING_SECRET"),
        ({"slack_bot_token": SecretStr("")}, "SLACK_BOT_TOKEN"),
    ],
)
async def test_a_missing_secret_is_named(make_world, changes, named) -> None:
    """HTTP mode says which variable it needs before it listens."""
    async with make_world(start=False, **changes) as world:
        with pytest.raises(SettingsError, match=named):
            await world.bot.start_http()


async def test_what_a_listener_did_not_foresee_is_told_to_the_person_who_waits(world) -> None:
    """A fault of ours is a sentence for the asker and a line in the log, never a time-out."""

    def broken(*_args) -> None:
        raise ZeroDivisionError

    world.bot.jobs.submit = broken
    assert (await world.command("aa bb"))[0] == 200
    async with asyncio.timeout(10):
        while not world.slack.whispers():
            await asyncio.sleep(0)
    assert "went wrong on my side" in world.slack.whispers()[0]
