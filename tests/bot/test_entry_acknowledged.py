"""Every way in, over HTTP and in Socket Mode: acknowledged while nothing else answers, then answered once."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from urllib.parse import urlencode

import pytest
from alert_messages import fired
from pydantic import SecretStr
from socket_slack import SocketSlack
from world import CHANNEL

from bot.requests.request import Origin
from bot.slack import forms

WAYS = ("command", "form", "mention", "reaction", "shortcut", "watched alert")


def request(way: str, samples, world, ts: str) -> tuple[str, dict]:
    """Return what Slack sends when somebody asks about a sample's suspect: how, and its payload."""
    pair = next(sample for sample in samples.pairs if sample.name == "slow-query")
    person = {"team": {"id": "T1"}, "user": {"id": "U1", "username": "alice"}, "trigger_id": "t"}
    response_url = f"{world.url}/response/{CHANNEL}/x"
    alert = {**fired(pair.suspect), "ts": ts}
    event = {
        "mention": {"type": "app_mention", "user": "U1", "text": f"<@U0BOT> {pair.suspect}", "ts": ts},
        "reaction": {
            "type": "reaction_added", "user": "U1", "reaction": "mag",
            "item": {"type": "message", "channel": CHANNEL, "ts": ts},
        },
        "watched alert": alert,
    }.get(way)  # fmt: skip
    if event is not None:
        return "events_api", {
            "type": "event_callback", "team_id": "T1", "api_app_id": "A1", "event_id": "Ev0",
            "event": {**event, "channel": CHANNEL},
        }  # fmt: skip
    if way == "command":
        return "slash_commands", {
            "command": "/compare-traces", "text": pair.suspect, "team_id": "T1", "channel_id": CHANNEL,
            "user_id": "U1", "user_name": "alice", "response_url": response_url, "trigger_id": "t",
        }  # fmt: skip
    if way == "shortcut":
        return "interactive", {
            "type": "message_action", "callback_id": "compare_traces_message", **person, "message": alert,
            "channel": {"id": CHANNEL}, "message_ts": ts, "response_url": response_url,
        }  # fmt: skip
    view = forms.form(Origin(team="T1", channel=CHANNEL, user="U1", user_name="alice"), ["jaeger"])
    state = {"values": {"suspect": {"value": {"type": "plain_text_input", "value": pair.suspect}}}}
    return "interactive", {"type": "view_submission", **person, "view": {**view, "id": "V1", "state": state}}


def hold_everything(world) -> asyncio.Event:
    """Keep Slack's messages and all traces from being read until the event is set."""
    released = asyncio.Event()
    for owner, name in ((world.bot.sources, "fetch"), (world.bot.delivery, "message"), (world.bot.delivery, "post")):
        real = getattr(owner, name)

        async def held(*args, real=real, **kwargs):
            await released.wait()
            return await real(*args, **kwargs)

        setattr(owner, name, held)
    return released


async def send_http(world, kind: str, payload: dict) -> None:
    """Send a request over HTTP; it must be acknowledged without a word."""
    if kind == "events_api":
        answer = await world.send(json.dumps(payload), headers={"Content-Type": "application/json"})
    elif kind == "interactive":
        answer = await world.action(payload)
    else:
        answer = await world.send(urlencode(payload))
    assert answer == (200, "")


@asynccontextmanager
async def started(make_world, mode: str):
    """Run a bot in one of its two modes; yields the world and a function that sends it requests."""
    settings = {"watched_channels": (CHANNEL,)}
    if mode == "http":
        async with make_world(**settings) as world:
            yield world, send_http
        return
    slack = SocketSlack()
    async with make_world(start=False, slack=slack, slack_app_token=SecretStr("xapp-1"), **settings) as world:
        await world.bot.start_socket()
        async with asyncio.timeout(10):
            await slack.connected.wait()

        async def send_socket(_, kind: str, payload: dict) -> None:
            answer = await slack.envelope(payload, kind)
            assert answer["envelope_id"] == "e1"
            assert not answer.get("payload")

        yield world, send_socket


@pytest.mark.parametrize("mode", ["http", "socket"])
@pytest.mark.parametrize("way", WAYS)
async def test_a_request_is_acknowledged_at_once_and_answered_once(make_world, samples, way, mode) -> None:
    """Slack waits three seconds at most: nothing that it or a backend has to say comes before its acknowledgement."""
    async with started(make_world, mode) as (world, send):
        alert = world.slack.put(CHANNEL, **fired(request("command", samples, world, "1.1")[1]["text"]))
        released = hold_everything(world)
        async with asyncio.timeout(3):
            await send(world, *request(way, samples, world, alert["ts"]))
        assert world.slack.called("chat.postMessage") == []
        released.set()
        await world.settled()
        answers = [m for m in world.slack.messages[CHANNEL] if m["text"].startswith("Slower: gateway")]
        assert len(answers) == 1
        assert answers[0].get("thread_ts") == (None if way in {"command", "form"} else alert["ts"])
        assert world.slack.whispers() == []


@pytest.mark.parametrize("way", ["mention", "reaction"])
async def test_an_event_that_another_process_has_taken_is_answered_once(make_world, samples, way) -> None:
    """The process that gets it again has not seen it, but Slack says that it is one, and the ledger knows the rest."""
    async with make_world() as world:
        alert = world.slack.put(CHANNEL, **fired(request("command", samples, world, "1.1")[1]["text"]))
        _, payload = request(way, samples, world, alert["ts"])
        await send_http(world, "events_api", payload)
        await world.settled()
        headers = {"Content-Type": "application/json", "X-Slack-Retry-Num": "1", "X-Slack-Retry-Reason": "http_timeout"}
        again = json.dumps({**payload, "event_id": "Ev-of-another-process"})
        assert await world.send(again, headers=headers) == (200, "")
        await world.settled()
        assert len([m for m in world.slack.messages[CHANNEL] if m["text"].startswith("Slower: gateway")]) == 1
        assert world.slack.whispers() == []


@pytest.mark.parametrize("mode", ["http", "socket"])
@pytest.mark.parametrize("way", ["mention", "reaction", "watched alert"])
async def test_an_event_that_is_sent_again_is_answered_once(make_world, samples, way, mode) -> None:
    """Slack is not always sure that an event was received; nobody else notices."""
    async with started(make_world, mode) as (world, send):
        alert = world.slack.put(CHANNEL, **fired(request("command", samples, world, "1.1")[1]["text"]))
        for _ in range(3):
            await send(world, *request(way, samples, world, alert["ts"]))
        await world.settled()
        assert len([m for m in world.slack.messages[CHANNEL] if m["text"].startswith("Slower: gateway")]) == 1
        assert world.slack.whispers() == []
