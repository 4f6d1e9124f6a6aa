"""Jobs: whatever breaks, each accepted request ends in exactly one answer or one sentence."""

from __future__ import annotations

import asyncio
import json

import pytest
from world import CHANNEL, FaultySlack

from bot.requests.commands import parse_command
from bot.requests.request import Origin
from bot.settings import Limits

DEAD_URL = "http://127.0.0.1:9/response"


def pair(samples, name: str = "slow-query") -> str:
    """Return the ids of a sample as they are typed."""
    found = next(sample for sample in samples.pairs if sample.name == name)
    return f"{found.baseline} {found.suspect}"


def hold(world) -> asyncio.Event:
    """Keep every fetch waiting until the event is set."""
    released = asyncio.Event()
    fetch = world.bot.sources.fetch

    async def held(*args, **kwargs):
        await released.wait()
        return await fetch(*args, **kwargs)

    world.bot.sources.fetch = held
    return released


async def announced(world) -> dict:
    """Wait until the announcement is in the channel; returns it."""
    async with asyncio.timeout(10):
        while not world.slack.roots():
            await asyncio.sleep(0)
    return world.slack.roots()[0]


def break_ledger(world, method: str) -> None:
    """Let one method of the ledger fail as a full disk does."""

    async def fail(*_args, **_kwargs):
        raise OSError(28, "No space left on device")

    setattr(world.bot.ledger, method, fail)


@pytest.mark.parametrize("method", ["accept", "started"])
async def test_a_ledger_that_cannot_be_written_is_no_reason_for_silence(world, samples, method) -> None:
    """The person who asked is told, and no announcement is left hanging."""
    break_ledger(world, method)
    await world.command(pair(samples))
    await world.settled()
    assert world.slack.roots() == []
    (said,) = world.slack.whispers()
    assert "went wrong on my side" in said


@pytest.mark.parametrize("method", ["posted", "ended"])
async def test_an_answer_that_cannot_be_booked_is_still_an_answer(world, samples, method) -> None:
    """When only a later entry in the ledger fails, the thread stands and nothing else is said."""
    break_ledger(world, method)
    await world.command(pair(samples))
    await world.settled()
    (root,) = world.slack.roots()
    assert root["text"].startswith("Slower")
    assert len(world.slack.replies(root["ts"])) == 2
    assert world.slack.whispers() == []


async def test_a_deleted_announcement_does_not_take_the_answer_with_it(world, samples) -> None:
    """Somebody tidies the channel while the comparison runs: the verdict comes as a message of its own."""
    released = hold(world)
    await world.command(pair(samples))
    root = await announced(world)
    world.slack.do_chat_delete({"channel": CHANNEL, "ts": root["ts"]})
    released.set()
    await world.settled()
    (root,) = world.slack.roots()
    assert root["text"].startswith("Slower")
    assert len(world.slack.replies(root["ts"])) == 2


async def test_where_the_asker_cannot_be_reached_alone_the_channel_is_told(world, samples) -> None:
    """An expired response address and a refused whisper leave the channel: silence is the one wrong answer."""
    world.slack.faults = [("chat.postEphemeral", "user_not_in_channel")]
    await world.command(f"{pair(samples).split()[0]} 1234567890abcdef", response_url=DEAD_URL)
    await world.settled()
    (said,) = world.slack.roots()
    assert "no trace 00000000000000001234567890abcdef" in said["text"]


async def test_a_response_address_elsewhere_is_not_used(world, samples) -> None:
    """Only Slack's own hosts are written to; the whisper goes through the API instead."""
    await world.command(f"{pair(samples).split()[0]} 1234567890abcdef", response_url="http://evil.example/x")
    await world.settled()
    assert world.slack.called("chat.postEphemeral")
    assert len(world.slack.whispers()) == 1


async def test_a_private_answer_does_not_stand_in_for_a_public_one(world, samples) -> None:
    """What one person saw alone is no answer to the channel's question, nor to the next private one."""
    for options in ("private", "", "private"):
        await world.command(f"{pair(samples)} {options}")
        await world.settled()
    (root,) = world.slack.roots()
    assert root["text"].startswith("Slower")
    assert sum(text.startswith("Slower") for text in world.slack.whispers()) == 2


async def test_a_question_asked_again_while_it_is_worked_on_points_to_the_announcement(world, samples) -> None:
    """Two people asking at once get one root message."""
    released = hold(world)
    await world.command(pair(samples))
    root = await announced(world)
    await world.command(pair(samples), user_id="U2", user_name="bob")
    async with asyncio.timeout(10):
        while not world.slack.whispers():
            await asyncio.sleep(0)
    (pointer,) = [m for m in world.slack.messages[CHANNEL] if m.get("ephemeral")]
    released.set()
    await world.settled()
    assert len(world.slack.roots()) == 1
    if world.slack.called("chat.getPermalink"):  # the ledger had the announcement already
        assert root["ts"] in json.dumps(pointer["blocks"])


async def test_the_other_direction_is_another_question(world, samples) -> None:
    """B with A is not a repetition of A with B."""
    a, b = pair(samples).split()
    await world.command(f"{a} {b}")
    await world.command(f"{b} {a}")
    await world.settled()
    assert sorted(root["text"].split(":")[0] for root in world.slack.roots()) == ["Faster", "Slower"]


async def test_waiting_for_a_free_place_has_an_end(make_world, samples) -> None:
    """A request that is not even begun by its deadline is told so instead of hanging."""
    async with make_world(limits=Limits(concurrent=1, deadline_s=0.2, missing_retry_s=0)) as world:
        async with world.bot.admission._turns.place("somebody", "elsewhere"):  # the one place is taken and stays so
            await world.command(pair(samples))
            await world.settled()
        assert world.slack.roots() == []
        assert "busy" in world.slack.whispers()[0]


async def test_stopping_lets_running_comparisons_finish(make_world, samples) -> None:
    """SIGTERM in the middle of a job: its answer is complete before the process ends."""
    slack = FaultySlack()
    async with make_world(slack=slack) as world:
        released = hold(world)
        await world.command(pair(samples))
        await announced(world)
        stopping = asyncio.create_task(world.bot.stop())
        await asyncio.sleep(0)
        released.set()
        await stopping
        (root,) = slack.roots()
        assert root["text"].startswith("Slower")
        assert len(slack.replies(root["ts"])) == 2


async def test_a_request_of_another_version_is_closed_with_a_sentence(make_world) -> None:
    """What the next version cannot read does not keep it from starting, and its announcement says what happened."""
    slack = FaultySlack()
    async with make_world(slack=slack) as world:
        ts = await world.bot.delivery.post(CHANNEL, _message(), message_id="k")
        await world.bot.ledger.accept("k", "q", CHANNEL, b'{"shape": "of old"}', 0)
        await world.bot.ledger.posted("k", ts)
    async with make_world(slack=slack) as world:
        await world.settled()
        (root,) = slack.roots()
        assert "restarted" in root["text"]
        assert await world.bot.ledger.unfinished() == []


def _message():
    from bot.slack.elements import Message, rich, section, text

    return Message(text="Comparing ...", blocks=[rich(section(text("Comparing ...")))])


async def test_what_is_being_taken_on_at_a_shutdown_is_finished_too(make_world, samples) -> None:
    """A listener still at work when the process is told to end may start a comparison; that one ends as well."""
    async with make_world() as world:
        asked = parse_command(pair(samples), {})
        origin = Origin(team="T1", channel=CHANNEL, user="U1", user_name="alice")
        told = asyncio.Event()

        async def listen() -> None:
            await told.wait()
            world.bot.jobs.submit(asked, origin)

        world.bot.jobs.start(listen())
        asyncio.get_running_loop().call_soon(told.set)
        await world.bot.jobs.drain()
        assert world.slack.roots()[0]["text"].startswith("Slower")
