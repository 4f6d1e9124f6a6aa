"""Buttons that ask for another comparison."""

from __future__ import annotations

import json

import pytest
from world import button


async def ask(world, samples, name: str = "slow-query", options: str = "") -> dict:
    """Ask for a sample, wait for its answer and return its root message."""
    pair = next(sample for sample in samples.pairs if sample.name == name)
    assert await world.command(f"{pair.baseline} {pair.suspect} {options}") == (200, "")
    await world.settled()
    return world.slack.roots()[-1]


async def test_b_is_compared_with_the_typical_trace_of_its_operation(world, samples) -> None:
    """In the thread of the answer, saying what it was compared with; that answer has no such button."""
    root = await ask(world, samples)
    assert await world.click(root, "typical") == (200, "")
    await world.settled()
    (again,) = [m for m in world.slack.replies(root["ts"]) if "A is typical of" in m["text"]]
    assert "Compare with typical" not in json.dumps(again["blocks"])
    assert len(world.slack.roots()) == 1


@pytest.mark.parametrize("action", ["typical", "swap"])
@pytest.mark.parametrize("value", ["", "{}", '{"baseline": 1}', "x" * 2_000])
async def test_a_button_that_we_did_not_write_asks_for_nothing(world, samples, action, value) -> None:
    """The person is told, alone, and what to do."""
    root = await ask(world, samples)
    await world.click(root, action, actions=[{"type": "button", "action_id": action, "value": value}])
    await world.settled()
    assert world.slack.whispers() == ["That button is too old; please ask again."]


async def test_what_the_button_asks_for_stays_what_was_asked(world, samples) -> None:
    """Source and privacy are kept."""
    root = await ask(world, samples, options="source=tempo")
    assert json.loads(button(root["blocks"], "typical")["value"])["source"] == "tempo"
