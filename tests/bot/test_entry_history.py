"""What was compared in a channel."""

from __future__ import annotations

import json

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


async def test_history_keeps_secrets_and_other_channels_out(world, samples) -> None:
    """Private answers, failures and what other channels asked are not listed."""
    await compared(world, samples, "slow-query", "private")
    await compared(world, samples, "healthy", channel_id="C0OTHER")
    await world.command("abcd ef01")
    await world.settled()
    await world.command("history")
    await world.settled()
    assert world.slack.whispers()[-1] == "Nothing was compared in this channel yet."
