"""What was compared in a channel."""

from __future__ import annotations

import json
import re
import time

import pytest
from alert_messages import fired
from answers import answered
from world import CHANNEL, button

from bot.errors import UserError
from bot.requests.commands import parse_command, parse_mention
from bot.requests.request import History


async def compared(world, samples, name: str, options: str = "", **fields: str) -> None:
    """Compare a sample and wait for the answer."""
    pair = next(sample for sample in samples.pairs if sample.name == name)
    assert await world.command(f"{pair.baseline} {pair.suspect} {options}", **fields) == (200, "")
    await world.settled()


async def test_history_lists_the_channels_answers_with_links(world, samples) -> None:
    """Newest first, each with when, which traces, who asked, and a link to the answer; private to who asked."""
    await compared(world, samples, "slow-query")
    await compared(world, samples, "healthy")
    assert await world.command("history") == (200, "")
    await world.settled()
    listed = next(m for m in world.slack.messages[CHANNEL] if m["text"].startswith("Compared in this channel"))
    assert listed["ephemeral"]
    items = listed["blocks"][0]["elements"][1]["elements"]
    names = ["healthy", "slow-query"]
    for item, name in zip(items, names, strict=True):
        pair = next(sample for sample in samples.pairs if sample.name == name)
        text = json.dumps(item)
        assert pair.baseline[:8] in text
        assert pair.suspect[:8] in text
        assert f"{world.url}/#{CHANNEL}/" in text
        assert "alice" in text
    assert ": no meaningful difference, asked by" in json.dumps(items[0])
    assert ": slower, asked by" in json.dumps(items[1])


async def test_history_names_the_request_that_was_found_for_an_alert(world) -> None:
    """Where the alert named none."""
    alert = world.slack.put(CHANNEL, **fired())
    item = {"type": "message", "channel": CHANNEL, "ts": alert["ts"]}
    await world.event({"type": "reaction_added", "user": "U1", "reaction": "mag", "item": item})
    await world.settled()
    opened = next(
        element["url"]
        for block in world.slack.replies(alert["ts"])[0]["blocks"]
        if block["type"] == "actions"
        for element in block["elements"]
        if element["action_id"] == "open_b"
    )
    await world.command("history")
    await world.settled()
    found = opened.rpartition("/")[2][:8]
    assert f"a typical request (A) with {found} (B)" in json.dumps(world.slack.messages[CHANNEL][-1]["blocks"])


async def test_history_keeps_secrets_and_other_channels_out(world, samples) -> None:
    """Private answers, failures and what other channels asked are not listed."""
    await compared(world, samples, "slow-query", "private")
    await compared(world, samples, "healthy", channel_id="C0OTHER")
    await world.command("abcd ef01")
    await world.settled()
    await world.command("history")
    await world.settled()
    assert world.slack.whispers()[-1] == "Nothing was compared in this channel yet."


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("history", History()),
        ("History checkout", History(words=("checkout",))),
        ("history SELECT since=7d", History(words=("SELECT",), ago_s=7 * 86_400)),
        ("history since=2026-01-31T00:00Z slower POST /orders", History(words=("slower", "POST", "/orders"), since=1_769_817_600)),
        ("history <@U0ALICE|alice> since=2h", History(words=("U0ALICE",), ago_s=7_200)),
    ],
)  # fmt: skip
def test_what_is_wanted_of_the_history_is_read(text, wanted) -> None:
    """Words, people, and since when: a time, or so long ago."""
    assert parse_command(text, {}) == wanted
    if "<@" not in text:
        assert parse_mention(f"<@U0BOT> {text}", {}) == wanted


@pytest.mark.parametrize(
    ("text", "said"), [("history since=soon", "since=7d"), ("history until=3d", "I know: `since=`")]
)
def test_what_the_history_does_not_understand_is_said(text, said) -> None:
    """With what to type instead."""
    with pytest.raises(UserError, match=re.escape(said)):
        parse_command(text, {})


async def listed(world, text: str, **fields: str) -> dict:
    """Ask for the history and return what was listed."""
    assert await world.command(text, **fields) == (200, "")
    await world.settled()
    return world.slack.messages[CHANNEL][-1]


async def fill(world, number: int = 23) -> None:
    """Have a channel remember answers, an hour apart, and another channel and workspace a few."""
    memory, now = world.bot.state.memory, time.time()
    for hours in range(number):
        person = "bob" if hours % 2 else "alice"
        await memory.remember(
            answered(
                f"k{hours}",
                now - 3600 * hours,
                user=f"U-{person}",
                user_name=person,
                suspect_id=f"{hours:032x}",
                **({"request": "payment POST /pay", "verdict": "failing"} if hours == 5 else {}),
            )
        )  # fmt: skip
    await memory.remember(answered("x", now, channel="C0OTHER", request="secret POST /other"))
    await memory.remember(answered("y", now, team="T2", request="secret POST /team"))


async def test_the_history_is_searched_by_its_words(world) -> None:
    """Service, operation, cause, verdict, person, trace: every word must occur; other channels are not searched."""
    await fill(world)
    for text, count in (
        ("payment", 1), ("FAILING /pay", 1), ("catalog select", 10), ("bob since=2h", 1), ("U-alice failing", 0),
        (f"{7:032x}", 1), ("secret", 0), ("since=150m", 3),
    ):  # fmt: skip
        said = await listed(world, f"history {text}")
        assert said["text"].count("(B)") == count, text
    assert said["ephemeral"]
    assert (await listed(world, "history nowhere"))["text"].startswith("Nothing like that was compared")


async def test_the_history_is_turned_page_by_page(world) -> None:
    """Ten at a time, newest first, as many as there are; within Slack's limits."""
    await fill(world)
    page = await listed(world, "history catalog")
    seen = re.findall(r"with ([0-9a-f]+) \(B\)", json.dumps(page["blocks"]))
    for _ in range(2):
        assert button(page["blocks"], "history_older")
        assert (await world.click(page, "history_older"))[0] == 200
        await world.settled()
        page = world.slack.messages[CHANNEL][-1]
        seen += re.findall(r"with ([0-9a-f]+) \(B\)", json.dumps(page["blocks"]))
    assert len(seen) == 23
    assert "history_older" not in json.dumps(page["blocks"])


async def test_a_forged_page_is_refused(world) -> None:
    """Only a button of ours turns pages."""
    await fill(world)
    page = await listed(world, "history")
    button(page["blocks"], "history_older")["value"] = "{not json"
    await world.click(page, "history_older")
    await world.settled()
    assert world.slack.whispers()[-1] == "That button is too old; please ask again."
