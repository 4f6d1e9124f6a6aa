"""Putting an answer into Slack: what is there stays there, what is missing is said."""

from __future__ import annotations

import json

import pytest
from world import CHANNEL, FaultySlack


async def ask(world, samples, name: str = "slow-query", options: str = "") -> None:
    """Ask for a sample and wait for its answer."""
    pair = next(sample for sample in samples.pairs if sample.name == name)
    assert await world.command(f"{pair.baseline} {pair.suspect} {options}") == (200, "")
    await world.settled()


class NoThreads(FaultySlack):
    """A workspace that takes nothing into threads."""

    async def answer(self, method, arguments):
        """Refuse replies."""
        if method == "chat.postMessage" and arguments.get("thread_ts"):
            self.faults.insert(0, (method, "restricted_action_thread_locked"))
        return await super().answer(method, arguments)


async def test_a_verdict_stays_when_its_thread_is_refused(make_world, samples) -> None:
    """The answer is the verdict; the person who asked is told that the rest is missing, and why, once."""
    async with make_world(slack=NoThreads()) as world:
        await ask(world, samples)
        (root,) = world.slack.roots()
        assert root["text"].startswith("Slower")
        (said,) = world.slack.whispers()
        assert "its first message stands" in said
        assert "restricted_action_thread_locked" in said


@pytest.mark.parametrize("refused", [1, 2])
async def test_one_refused_reply_does_not_cost_the_others(make_world, samples, refused) -> None:
    """Whichever message of the thread Slack will not take, the others are there, the picture too."""

    class Picky(FaultySlack):
        replies_seen = 0

        async def answer(self, method, arguments):
            """Refuse one message of the thread."""
            if method == "chat.postMessage" and arguments.get("thread_ts"):
                self.replies_seen += 1
                if self.replies_seen == refused:
                    self.faults.insert(0, (method, "message_limit_exceeded"))
            return await super().answer(method, arguments)

    async with make_world(slack=Picky()) as world:
        await ask(world, samples)
        (root,) = world.slack.roots()
        thread = [m["text"].split(":")[0] for m in world.slack.thread(root["ts"])]
        everything = ["Top offending spans", "Both requests on one time axis", "Suggested next steps"]
        missing = everything[0 if refused == 1 else 2]
        assert thread == [text for text in everything if text != missing]
        assert len(world.slack.whispers()) == 1


async def test_nothing_in_a_channel_mentions_anybody(world, samples) -> None:
    """Captions of pictures included."""
    await ask(world, samples)
    said = json.dumps(world.slack.messages[CHANNEL])
    assert "<@" not in said
    assert "<!" not in said
