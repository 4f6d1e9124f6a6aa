"""The full report, on demand: as files, or as far as a message goes."""

from __future__ import annotations

import asyncio
import json

import pytest
from comparisons import BY_VERDICT, change, group
from slack_oracles import objections
from world import CHANNEL

from analysis import Comparison
from bot.slack.limits import problems
from bot.slack.messages import report


async def ask(world, samples, name: str = "slow-query") -> dict:
    """Ask for a sample, wait for its answer and return the last message of its thread."""
    pair = next(sample for sample in samples.pairs if sample.name == name)
    assert await world.command(f"{pair.baseline} {pair.suspect}") == (200, "")
    await world.settled()
    return world.slack.replies(world.slack.roots()[-1]["ts"])[-1]


def reports(world) -> list[dict]:
    """Return the messages that share a report."""
    return [m for m in world.slack.messages[CHANNEL] if any(f["name"].endswith(".md") for f in m.get("files") or [])]


async def press(world, last: dict) -> None:
    """Ask for the report."""
    assert await world.click(last, "report") == (200, "")
    await world.settled()


async def test_the_report_comes_as_two_files_in_one_message(world, samples) -> None:
    """Markdown for people, JSON for programs, in the thread of the answer, once."""
    last = await ask(world, samples)
    await press(world, last)
    (shared,) = reports(world)
    assert shared["thread_ts"] == last["thread_ts"]
    markdown, data = (world.slack.uploads.files[file["id"]].body for file in shared["files"])
    assert markdown.startswith(b"# gateway POST")
    comparison = Comparison.from_json(data)
    assert sum(c.delta_ns for c in comparison.contributions) == comparison.response_time.delta_ns
    assert world.slack.whispers() == []


async def test_a_second_request_points_to_the_first_report(world, samples) -> None:
    """Nobody needs it twice."""
    last = await ask(world, samples)
    await press(world, last)
    await press(world, last)
    assert len(reports(world)) == 1
    assert world.slack.whispers() == ["The report is in this thread already."]


async def test_two_people_at_once_get_one_report(world, samples) -> None:
    """Clicks that come while it is made are not counted twice."""
    last = await ask(world, samples)
    await asyncio.gather(*(world.click(last, "report", user=user) for user in ("alice", "bob", "carol")))
    await world.settled()
    assert len(reports(world)) == 1


@pytest.mark.parametrize("faults", [
    [("files.getUploadURLExternal", "missing_scope")], [("files.completeUploadExternal", "500")] * 4,
])  # fmt: skip
async def test_without_files_the_report_is_a_message(world, samples, faults) -> None:
    """What fits, why it is not a file, and how much is missing; once."""
    last = await ask(world, samples)
    world.slack.faults = list(faults)
    await press(world, last)
    said = world.slack.replies(last["thread_ts"])[-1]
    assert said["text"].startswith(
        "I may not share files here (files:write)" if len(faults) == 1 else "Slack did not take the files"
    )
    assert "on the critical path" in json.dumps(said["blocks"])
    await press(world, last)
    assert len([m for m in world.slack.thread(last["thread_ts"]) if "report as text" in m["text"]]) == 1


async def test_the_report_is_there_after_a_restart_and_gone_when_it_is_old(make_world, samples) -> None:
    """It is kept with the answer."""
    async with make_world() as world:
        last = await ask(world, samples)
        messages = world.slack.messages
    async with make_world() as again:
        again.slack.messages.update(messages)
        await press(again, last)
        assert len(reports(again)) == 1
        again.bot.results._db.execute("DELETE FROM results")
        await press(again, last)
        assert "I do not have that answer any more" in again.slack.whispers()[-1]


@pytest.mark.parametrize("fault", ["429", "500", "cut after"])
async def test_one_report_whatever_slack_does(world, samples, fault) -> None:
    """A lost answer is looked for."""
    last = await ask(world, samples)
    world.slack.faults = [("files.completeUploadExternal", fault)]
    await press(world, last)
    assert len(reports(world)) == 1


@pytest.mark.parametrize("name", BY_VERDICT)
def test_every_verdict_has_a_report_as_text(name) -> None:
    """Within the limits, and all of it where it is short."""
    message = report.excerpt(BY_VERDICT[name], forbidden=True)
    assert "first" not in message.text.split(".")[0]
    assert objections({"text": message.text, "blocks": message.blocks}) == []
    assert problems({"text": message.text, "blocks": message.blocks}) == []


@pytest.mark.parametrize("text", ["<!channel> ", "\u202e\u0628\u062d ", "統計", "\U0001f642", "x" * 90 + " "])
def test_a_long_report_is_cut_at_a_line(text) -> None:
    """Says how many lines it shows, whatever stands in them."""
    notes = tuple(
        BY_VERDICT["slower"].notes[0].__class__(code="x", severity="info", count=1, text=text * 40) for _ in range(300)
    )
    long = change(contributions=tuple(group(text * 20, text, 1, 9) for _ in range(30)), notes=notes)
    message = report.excerpt(long, forbidden=False)
    assert "these are its first " in message.text
    assert objections({"text": message.text, "blocks": message.blocks}) == []
    assert problems({"text": message.text, "blocks": message.blocks}) == []
    assert "\u202e" not in json.dumps(message.blocks, ensure_ascii=False)
