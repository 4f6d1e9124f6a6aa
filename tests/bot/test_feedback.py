"""Useful or not: one voice each, shown on the buttons, counted, and never in the way."""

from __future__ import annotations

import json

import aiohttp
import pytest
from world import button

from bot.slack.messages.foot import with_counts


async def ask(world, samples, name: str = "slow-query") -> dict:
    """Ask for a sample, wait for its answer and return the last message of its thread."""
    pair = next(sample for sample in samples.pairs if sample.name == name)
    assert await world.command(f"{pair.baseline} {pair.suspect}") == (200, "")
    await world.settled()
    return world.slack.replies(world.slack.roots()[-1]["ts"])[-1]


async def vote(world, last: dict, action: str, *users: str) -> None:
    """Have people press a button."""
    for user in users:
        assert await world.click(last, action, user=user) == (200, "")
        await world.settled()


def labels(message: dict) -> list[str]:
    """Return what the buttons of a message say."""
    return [e["text"]["text"] for b in message["blocks"] if b["type"] == "actions" for e in b["elements"]]


async def test_a_vote_shows_on_the_button_and_nowhere_else(world, samples) -> None:
    """Everybody sees the count; nobody is thanked; the message is otherwise as it was."""
    last = await ask(world, samples)
    before = json.dumps(last)
    calls = len(world.slack.calls)
    await vote(world, last, "useful", "alice", "bob")
    assert labels(last) == ["Useful (2)", "Not useful", "Full report"]
    assert json.dumps(last).replace("Useful (2)", "Useful") == before
    assert {name for name, _ in world.slack.calls[calls:]} == {"chat.update"}
    assert world.slack.whispers() == []


async def test_everybody_has_one_voice(world, samples) -> None:
    """The same again changes nothing, the opposite moves the vote."""
    last = await ask(world, samples)
    await vote(world, last, "useful", "alice", "alice")
    assert labels(last)[:2] == ["Useful (1)", "Not useful"]
    await vote(world, last, "not_useful", "alice")
    assert labels(last)[:2] == ["Useful", "Not useful (1)"]


async def test_votes_survive_a_restart_and_show_in_the_history(make_world, samples) -> None:
    """What people thought is part of what was compared."""
    async with make_world() as world:
        last = await ask(world, samples)
        await vote(world, last, "useful", "alice", "bob")
        messages = world.slack.messages
    async with make_world() as again:
        again.slack.messages.update(messages)
        await vote(again, last, "not_useful", "carol")
        assert labels(last)[:2] == ["Useful (2)", "Not useful (1)"]
        await again.command("history")
        await again.settled()
        assert "useful to 2 of 3" in again.slack.whispers()[-1]


async def test_votes_are_measured(world, samples) -> None:
    """The metrics page counts them."""
    last = await ask(world, samples)
    await vote(world, last, "useful", "alice", "bob")
    await vote(world, last, "not_useful", "carol")
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{world.bot.ops.port}/metrics") as response,
    ):
        said = await response.text()
    assert "compare_traces_useful_answers 2.0" in said
    assert "compare_traces_not_useful_answers 1.0" in said


@pytest.mark.parametrize("fault", ["429", "500", "cut after", "message_not_found", "invalid_blocks", "msg_too_long"])
async def test_a_vote_counts_whatever_slack_does(world, samples, fault) -> None:
    """When the button cannot be changed the vote is kept, the answer stays, and nobody is bothered."""
    last = await ask(world, samples)
    before = json.dumps(last["blocks"])
    world.slack.faults = [("chat.update", fault)]
    await vote(world, last, "useful", "alice")
    assert (await world.bot.results.totals()).useful == 1
    assert json.dumps(last["blocks"]).replace("Useful (1)", "Useful") == before
    assert world.slack.whispers() == []


@pytest.mark.parametrize("value", ["", "x", "../../etc", "A" * 32])
async def test_a_forged_vote_is_an_old_button(world, samples, value) -> None:
    """Only answers can be useful."""
    last = await ask(world, samples)
    await world.click(last, "useful", actions=[{"type": "button", "action_id": "useful", "value": value}])
    await world.settled()
    assert (await world.bot.results.totals()).useful == 0
    assert world.slack.whispers() == ["That button is too old; please ask again."]


async def test_who_may_not_ask_may_not_vote(make_world, samples) -> None:
    """Allow-lists hold for every button."""
    async with make_world() as world:
        last = await ask(world, samples)
    async with make_world(allowed_channels=("C9",)) as world:
        await vote(world, last, "useful", "alice")
        assert (await world.bot.results.totals()).useful == 0


def test_other_buttons_and_blocks_are_left_alone() -> None:
    """Counts stand on our two buttons only, whatever else Slack put into the message."""
    from bot.state.results import Feedback

    strange = {"type": "section", "text": {"type": "mrkdwn", "text": "x"}, "block_id": "b"}
    row = {"type": "actions", "elements": [{"type": "overflow"}, {"type": "button", "action_id": "open_a", "text": {}}]}
    assert with_counts([strange, row], Feedback(useful=3)) == [strange, row]
    assert button([{"type": "actions", "elements": [{"action_id": "useful"}]}], "useful")
