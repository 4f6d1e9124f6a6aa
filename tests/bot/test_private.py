"""Private answers: one message for one person, to be posted or dismissed."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from answers import answer, asked
from comparisons import BY_VERDICT, change, group
from drawing import draw
from slack_oracles import objections
from world import CHANNEL

from bot.slack import messages as ms
from bot.slack.aside import COPY
from bot.slack.limits import problems


async def ask(world, samples, name: str = "slow-query", faults: list | None = None) -> list[dict]:
    """Ask for a private answer and return what the person sees."""
    pair = next(sample for sample in samples.pairs if sample.name == name)
    world.slack.faults = list(faults or [])
    assert await world.command(f"{pair.baseline} {pair.suspect} private") == (200, "")
    await world.settled()
    return seen(world)


def seen(world) -> list[dict]:
    """Return the messages that one person alone sees."""
    return [m for m in world.slack.messages[CHANNEL] if m.get("ephemeral")]


def public(world) -> list[dict]:
    """Return what everybody sees."""
    return [m for m in world.slack.messages[CHANNEL] if not m.get("ephemeral")]


async def test_a_private_answer_is_one_message(world, samples) -> None:
    """Verdict, table and next steps, with what can be done with it; nothing in the channel."""
    (message,) = await ask(world, samples)
    said = json.dumps(message["blocks"])
    assert message["text"].startswith("Slower")
    assert "Top offending spans: " in message["text"]
    assert "Suggested next steps: 1. " in message["text"]
    for part in ("Cause:", "Top offending spans", "Suggested next steps", "Post to channel", "Dismiss", "Details"):
        assert part in said
    assert "Full report" not in said
    assert public(world) == []
    assert world.slack.called("files.getUploadURLExternal") == []


async def test_it_can_be_dismissed(world, samples) -> None:
    """It goes away, for the one who saw it; nothing else happens."""
    (message,) = await ask(world, samples)
    assert await world.click(message, "dismiss") == (200, "")
    await world.settled()
    assert seen(world) == []
    assert public(world) == []


async def test_a_click_says_where_it_was_in_more_than_one_way(world, samples) -> None:
    """For what one person alone sees, the place may stand in the container alone."""
    (message,) = await ask(world, samples)
    container = {"type": "message", "message_ts": message["ts"], "channel_id": CHANNEL, "is_ephemeral": True}
    await world.click(message, "post_to_channel", channel=None, team=None, container=container)
    await world.settled()
    assert len(world.slack.roots()) == 1


async def test_it_can_be_posted_to_the_channel(world, samples) -> None:
    """Then everybody sees the whole answer, thread and picture included, and the private one goes."""
    (message,) = await ask(world, samples)
    await world.click(message, "post_to_channel")
    await world.settled()
    assert seen(world) == []
    (root,) = world.slack.roots()
    assert message["text"].startswith(root["text"])
    assert [m["text"].split(":")[0] for m in world.slack.thread(root["ts"])] == [
        "Top offending spans", "Both requests on one time axis", "Suggested next steps",
    ]  # fmt: skip
    assert "Post to channel" not in json.dumps(root)
    assert '"private":true' not in json.dumps(root).replace("\\", "").replace(" ", "")


async def test_it_is_posted_once(world, samples) -> None:
    """Two clicks are one wish."""
    (message,) = await ask(world, samples)
    await world.click(message, "post_to_channel")
    await world.click(message, "post_to_channel")
    await world.settled()
    await world.click(message, "post_to_channel")
    await world.settled()
    assert len(world.slack.roots()) == 1
    assert len(world.slack.thread(world.slack.roots()[0]["ts"])) == 3


async def test_what_was_posted_is_history_and_stays_answered(make_world, samples) -> None:
    """It counts as compared in the channel, and a restart does not do it again."""
    async with make_world() as world:
        (message,) = await ask(world, samples)
        await world.click(message, "post_to_channel")
        await world.settled()
        messages = world.slack.messages
    async with make_world() as again:
        await again.settled()
        assert again.slack.called("chat.postMessage") == []
        again.slack.messages.update(messages)
        await again.command("history")
        await again.settled()
        assert "asked by alice" in again.slack.whispers()[-1]


async def test_where_the_bot_is_no_member_the_private_answer_stays(world, samples) -> None:
    """The person learns how to invite it, and can click again."""
    (message,) = await ask(world, samples)
    world.slack.faults = [("chat.postMessage", "not_in_channel")]
    await world.click(message, "post_to_channel")
    await world.settled()
    assert [m["text"].split(":")[0][:20] for m in seen(world)] == ["Slower", "I can only answer in"]
    await world.click(message, "post_to_channel")
    await world.settled()
    assert len(world.slack.roots()) == 1


async def test_an_answer_that_is_not_kept_any_more_cannot_be_posted(world, samples) -> None:
    """And says so."""
    (message,) = await ask(world, samples)
    world.bot.results._db.execute("DELETE FROM results")
    await world.click(message, "post_to_channel")
    await world.settled()
    assert "I do not have that answer any more" in world.slack.whispers()[-1]
    assert public(world) == []


@pytest.mark.parametrize(
    ("faults", "most"),
    [
        ([("response", "500")], 1),
        ([("response", "404")], 1),
        ([("response", "400")], 1),
        ([("response", "404"), ("chat.postEphemeral", "429")], 1),
        ([("response", "404"), ("chat.postEphemeral", "500")], 1),
        ([("response", "404"), ("chat.postEphemeral", "invalid_blocks")], 1),
        ([("response", "404"), ("chat.postEphemeral", "msg_too_long")], 1),
        ([("response", "cut after")], 2),
        ([("response", "404"), ("chat.postEphemeral", "cut after")], 2),
        ([("response", "cut after"), ("chat.postEphemeral", "cut after")], 2),
    ],
    ids=str,
)
async def test_a_private_answer_is_seen_once_or_says_that_it_is_a_copy(world, samples, faults, most) -> None:
    """Nothing is lost whatever Slack does; only a connection that breaks after Slack heard us can double it, once."""
    messages = await ask(world, samples, faults=faults)
    assert world.slack.faults == []
    assert [m["text"].split(":")[0] for m in messages] == ["Slower"] * most
    assert [COPY in json.dumps(m["blocks"]) for m in messages] == [False, True][:most]
    assert public(world) == []


async def test_a_private_answer_that_cannot_be_given_is_not_given_aloud(world, samples) -> None:
    """When nothing works for one person alone, the channel learns that there was no answer, not the answer."""
    await ask(world, samples, faults=[("response", "404")] * 9 + [("chat.postEphemeral", "user_not_in_channel")] * 9)
    (said,) = public(world)
    assert "user_not_in_channel" in said["text"]
    assert "Slower" not in json.dumps(said)


def test_a_private_answer_reads_well() -> None:
    """Word for word."""
    text = draw(ms.private(answer(), asked())) + "\n"
    file = Path(__file__).parents[1] / "data" / "messages" / "private.txt"
    if os.environ.get("UPDATE_GOLDENS"):
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", BY_VERDICT)
def test_every_verdict_fits_in_one_message(name) -> None:
    """Both layouts please every judge."""
    message = ms.private(answer(BY_VERDICT[name]), asked(BY_VERDICT[name]))
    for blocks in (message.blocks, message.plain_blocks):
        assert problems({"text": message.text, "blocks": blocks}) == []
        assert objections({"text": message.text, "blocks": blocks}) == []


@pytest.mark.parametrize("text", ["<!channel> & ", "\u202e\u0628\u062d ", "統計 ", "\U0001f642 "])
def test_what_does_not_fit_is_left_to_the_details(text) -> None:
    """A long answer keeps its verdict and its buttons, and says where the rest is."""
    long = change(contributions=tuple(group(text * 90 + n, text * 90, 1, 9) for n in "abcdefgh"))
    for step in range(1, 12):
        its = change(contributions=long.contributions, next_steps=long.next_steps * step * 2, notes=long.notes * step)
        message = ms.private(answer(its), asked(its))
        assert problems({"text": message.text, "blocks": message.blocks}) == []
        assert objections({"text": message.text, "blocks": message.blocks}) == []
        assert "Post to channel" in json.dumps(message.blocks)
    assert "Details shows the rest." in json.dumps(message.blocks)
