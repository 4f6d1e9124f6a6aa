"""Payloads with as little in them as Slack ever sends, or with more than usual: they are answered all the same."""

from __future__ import annotations

import json
from urllib.parse import urlencode

import pytest
from alert_messages import fired
from world import CHANNEL, button

from bot.requests.request import Origin
from bot.settings import Limits
from bot.slack import forms

GRID = {"enterprise": {"id": "E1", "name": "big"}, "team": None, "is_enterprise_install": True}
PERSON = {"id": "U1"}  # no name of any kind


async def command(world, pair) -> None:
    """A command that says no more than what, where and who."""
    fields = {"command": "/compare-traces", "text": pair.suspect, "channel_id": CHANNEL, "user_id": "U1"}
    assert await world.send(urlencode(fields)) == (200, "")


async def grid_command(world, pair) -> None:
    """A command in an organisation with many workspaces."""
    grid = {
        "enterprise_id": "E1",
        "enterprise_name": "big",
        "is_enterprise_install": "true",
        "channel_name": "privategroup",
    }
    assert (await world.command(pair.suspect, **grid))[0] == 200


async def shortcut(world, pair) -> None:
    """A message's menu, in an organisation: no workspace, no names, no address to answer to."""
    alert = world.slack.put(CHANNEL, **fired(pair.suspect))
    payload = {"type": "message_action", "callback_id": "compare_traces_message", "trigger_id": "t", "user": PERSON,
        "channel": {"id": CHANNEL}, "message": alert} | GRID  # fmt: skip
    assert await world.action(payload) == (200, "")


async def form(world, pair) -> None:
    """The form, without what is optional in it."""
    view = forms.form(Origin(team="", channel=CHANNEL, user="U1", user_name=""), ["jaeger"])
    state = {"values": {"suspect": {"value": {"type": "plain_text_input", "value": pair.suspect}}}}
    payload = {"type": "view_submission", "user": PERSON, "view": {**view, "id": "V1", "state": state}} | GRID
    assert await world.action(payload) == (200, "")


async def mention(world, pair) -> None:
    """A mention in the barest of envelopes."""
    said = world.slack.put(CHANNEL, user="U1", text=f"<@U0BOT> {pair.suspect}")
    await event(world, {"type": "app_mention", "channel": CHANNEL, **{k: said[k] for k in ("ts", "text", "user")}})


async def reaction(world, pair) -> None:
    """A reaction with a skin tone, by somebody unnamed, to a message that has nothing but attachments."""
    alert = world.slack.put(CHANNEL, **fired(pair.suspect))
    alert.pop("text", None)
    item = {"type": "message", "channel": CHANNEL, "ts": alert["ts"]}
    await event(world, {"type": "reaction_added", "user": "U1", "reaction": "mag::skin-tone-3", "item": item})


async def alert(world, pair) -> None:
    """An alert of an app: no subtype, no user, no profile, no kind of channel."""
    posted = world.slack.put(CHANNEL, **fired(pair.suspect))
    for name in ("subtype", "user", "bot_profile", "username", "app_id"):
        posted.pop(name, None)
    await event(world, {**posted, "channel": CHANNEL})


async def event(world, what: dict) -> None:
    """Send an event in an envelope that holds nothing else."""
    body = json.dumps({"type": "event_callback", "event": what})
    assert await world.send(body, headers={"Content-Type": "application/json"}) == (200, "")


@pytest.mark.parametrize("way", [command, grid_command, shortcut, form, mention, reaction, alert])
async def test_lean_payloads_are_answered(make_world, samples, way) -> None:
    """What is optional may be missing, null or unknown: one verdict."""
    pair = next(sample for sample in samples.pairs if sample.name == "slow-query")
    async with make_world(watched_channels=(CHANNEL,), limits=Limits(repeat_window_s=0)) as world:
        await way(world, pair)
        await world.settled()
        verdicts = [m for m in world.slack.messages[CHANNEL] if m.get("text", "").startswith("Slower")]
        assert len(verdicts) == 1
        assert world.slack.whispers() == []


async def test_buttons_work_with_lean_payloads(make_world, samples) -> None:
    """A click that names neither workspace nor person, as in an organisation: swapped, and counted."""
    pair = next(sample for sample in samples.pairs if sample.name == "slow-query")
    async with make_world() as world:
        await world.command(f"{pair.baseline} {pair.suspect}")
        await world.settled()
        (root,) = world.slack.roots()
        click = {"type": "block_actions", "user": PERSON, "channel": {"id": CHANNEL}, "message": root, **GRID}
        assert await world.action({**click, "actions": [button(root["blocks"], "swap")]}) == (200, "")
        await world.settled()
        assert any(m["text"].startswith("Faster") for m in world.slack.replies(root["ts"]))
        assert world.slack.whispers() == []


@pytest.mark.parametrize("channel", ["D0FRIEND", "G0PRIVATE"])
async def test_where_i_am_not_the_person_is_told_through_the_address_of_the_command(
    make_world, samples, channel
) -> None:
    """A conversation of two people, a private channel: nothing is posted, the way out is said."""
    pair = next(sample for sample in samples.pairs if sample.name == "slow-query")
    async with make_world() as world:
        await world.command(pair.suspect, channel_id=channel, channel_name="directmessage")
        await world.settled()
        (told,) = world.slack.whispers()
        assert "/invite" in told
        assert world.slack.roots() == []
