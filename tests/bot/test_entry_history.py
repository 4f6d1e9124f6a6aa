"""What was compared in a channel."""

from __future__ import annotations

import json

from alert_messages import fired
from world import CHANNEL


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
