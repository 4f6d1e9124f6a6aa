"""A cause that comes back is known again, and nobody learns by that of what is not theirs to see."""

from __future__ import annotations

import json

import msgspec
import pytest
from answers import NOW, answered
from redis.asyncio import Redis
from world import CHANNEL, button

from bot.playground.workspace import SlackError
from bot.settings import ChannelSettings, Retention
from bot.state.forgetting import Selection
from bot.state.memory import DAY_S, SqliteMemory
from bot.state.redis_memory import RedisMemory

OTHER = "C0OTHER"


@pytest.fixture(autouse=True)
def _no_pictures(monkeypatch) -> None:
    """Leave pictures out: they take most of an answer's time and say nothing of the past."""
    monkeypatch.setattr("bot.slack.messages.has_picture", lambda _: False)


@pytest.fixture(params=["file", "redis"])
async def memory(request, tmp_path):
    """Return a memory wherever it can be kept, with a clock that the test sets."""
    clock = [NOW]
    keep = Retention(history_days=30, memory_days=90)
    if request.param == "file":
        made = SqliteMemory(tmp_path / "l.sqlite3", lambda: clock[0], keep)
    else:
        client = Redis.from_url(request.getfixturevalue("redis_url"))
        await client.flushdb()
        made = RedisMemory(client, lambda: clock[0], keep)
    made.set_clock = lambda now: clock.__setitem__(0, now)
    yield made
    await made.aclose()
    if request.param == "redis":
        await client.aclose()


async def test_answers_are_found_by_any_of_their_causes_newest_first(memory) -> None:
    """In their workspace alone; the same answer again is still one."""
    for number, team in enumerate(("T1", "T1", "T2", "T1")):
        await memory.remember(answered(f"k{number}", NOW - 100 + number, team=team))
    await memory.remember(answered("k1", NOW - 99, headline="said again"))
    assert [its.key for its in await memory.seen("T1", "1-bb", 9)] == ["k3", "k1", "k0"]
    assert [its.headline for its in await memory.seen("T1", "1-bb", 2)][1] == "said again"
    assert await memory.seen("T1", "1-cc", 9) == []
    assert [its.key for its in await memory.seen("T2", "1-aa", 9)] == ["k2"]


async def test_a_channels_answers_are_listed_and_old_ones_are_not(memory) -> None:
    """As long as history goes back; causes are known for longer, and then no more."""
    await memory.remember(answered("k1"))
    await memory.remember(answered("k2", channel=OTHER))
    assert [its.key for its in await memory.given("T1", CHANNEL, 9)] == ["k1"]
    memory.set_clock(NOW + 31 * DAY_S)
    assert await memory.given("T1", CHANNEL, 9) == []
    assert len(await memory.seen("T1", "1-aa", 9)) == 2
    memory.set_clock(NOW + 91 * DAY_S)
    assert await memory.seen("T1", "1-aa", 9) == []


async def test_what_is_forgotten_is_not_found_any_more(memory) -> None:
    """Neither by its cause nor in its channel."""
    for key in ("k1", "k2"):
        await memory.remember(answered(key))
    held = await memory.held()
    assert {its.key for its in held} == {"k1", "k2"}
    await memory.forget([its for its in held if its.key == "k1"])
    assert [its.key for its in await memory.seen("T1", "1-aa", 9)] == ["k2"]
    assert [its.key for its in await memory.given("T1", CHANNEL, 9)] == ["k2"]


async def compared(world, samples, name: str = "slow-query", options: str = "", **fields: str) -> dict:
    """Compare a sample and return the message with its verdict."""
    pair = next(sample for sample in samples.pairs if sample.name == name)
    channel = fields.get("channel_id", CHANNEL)
    assert await world.command(f"{pair.baseline} {pair.suspect} {options}", **fields) == (200, "")
    await world.settled()
    return [m for m in world.slack.messages[channel] if not m.get("thread_ts") and not m.get("ephemeral")][-1]


def line(message: dict) -> str:
    """Return what a message says of earlier answers, as JSON; "" when it says nothing."""
    return next((json.dumps(block) for block in message["blocks"] if "Same cause as on" in json.dumps(block)), "")


async def useful(world, message: dict) -> None:
    """Have somebody find an answer useful."""
    await world.click(world.slack.replies(message["ts"])[-1], "useful", user="bob")
    await world.settled()


async def test_the_same_cause_is_said_with_its_link(world, samples) -> None:
    """Asked in another way, the answer points to the first one: in its small print, its text, details and report."""
    first = await compared(world, samples)
    assert line(first) == ""
    again = await compared(world, samples, options="source=jaeger")
    assert f"{world.url}/#{CHANNEL}/{first['ts']}" in line(again)
    assert "Same cause as on" in again["text"]
    await world.click(again, "details")
    await world.settled()
    assert "Same cause as on" in json.dumps(world.slack.called("views.open")[-1]["view"])
    await world.click(world.slack.replies(again["ts"])[-1], "report")
    await world.settled()
    said, data = [file.body for file in world.slack.uploads.files.values()][-2:]
    assert b"## Seen before\n\nSame cause as on" in said
    before = json.loads(data)["seen_before"]
    assert before["permalink"].endswith(first["ts"])
    assert before["fingerprint"] == json.loads(data)["causes"][0]["fingerprint"]


async def test_another_cause_and_a_recovery_are_not_said(world, samples) -> None:
    """Only the same cause is; and what made a request quicker again is no trouble that came back."""
    first = await compared(world, samples)
    assert line(await compared(world, samples, "payment-timeout")) == ""
    for _ in range(2):
        await world.click(first, "swap")
        await world.settled()
    assert all(line(root) == "" for root in world.slack.roots())


async def test_the_useful_one_is_said_before_the_latest(world, samples) -> None:
    """And how often the cause was seen of late, each request once."""
    first = await compared(world, samples)
    await useful(world, first)
    await compared(world, samples, options="source=jaeger")
    third = await compared(world, samples, options="source=tempo")
    assert first["ts"] in line(third)
    assert ", marked useful" in line(third)
    assert "times in the last" not in line(third)  # all of them were about one request
    memory = world.bot.state.memory
    (known,) = [its for its in await memory.given("T1", CHANNEL, 9) if its.ts == first["ts"]]
    for number in range(2):
        await memory.remember(
            msgspec.structs.replace(known, key=f"k{number}", suspect_id=f"{number}" * 32, at=known.at - 60 * number)
        )
    await memory.remember(msgspec.structs.replace(known, key="old", suspect_id="9" * 32, at=known.at - 15 * DAY_S))
    last = await compared(world, samples, options="tenant=t")
    assert "3 times in the last 14 days" in line(last)


async def test_private_answers_are_never_remembered(world, samples) -> None:
    """Until somebody posts them: then they stand in the channel like others."""
    await compared_privately(world, samples)
    assert await world.bot.state.memory.held() == []
    assert line(await compared(world, samples)) == ""
    world.slack.messages[CHANNEL].clear()
    private = await compared_privately(world, samples)
    await world.click(private, "post_to_channel")
    await world.settled()
    posted = world.slack.roots()[-1]
    assert posted["ts"] in line(await compared(world, samples, options="source=jaeger"))


async def compared_privately(world, samples) -> dict:
    """Ask for an answer that one person alone sees; returns it."""
    pair = next(sample for sample in samples.pairs if sample.name == "slow-query")
    await world.command(f"{pair.baseline} {pair.suspect} private")
    await world.settled()
    return [m for m in world.slack.messages[CHANNEL] if m.get("ephemeral")][-1]


def describing(**flags):
    """Return how Slack describes channels, those of whose flags are named; all others are open."""
    return lambda arguments: {
        "channel": {"is_channel": True, "is_private": False} | flags.get(arguments["channel"], {})
    }


def refused(channel: str):
    """Return how Slack describes open channels where it says nothing of one."""

    def describe(arguments):
        if arguments["channel"] == channel:
            raise SlackError("missing_scope")
        return {"channel": {"is_channel": True}}

    return describe


# What Slack says of channels, how the bot is set up, and whether this channel may hear of the other one's answer.
ELSEWHERE = {
    "open": ({}, {}, True),
    "private": ({OTHER: {"is_private": True}}, {}, False),
    "a group conversation": ({OTHER: {"is_channel": False, "is_mpim": True}}, {}, False),
    "read by another organisation": ({OTHER: {"is_ext_shared": True}}, {"external_channels": True}, False),
    "said where another organisation reads": ({CHANNEL: {"is_ext_shared": True}}, {"external_channels": True}, False),
    "made from a source that is not asked here": ({}, {"channels": {CHANNEL: ChannelSettings(sources=("tempo",))}}, False),
    "for another tenant": ({}, {"channels": {OTHER: ChannelSettings(tenant="team-b")}}, False),
    "for the same tenant": (
        {}, {"channels": {name: ChannelSettings(tenant="team-b") for name in (CHANNEL, OTHER)}}, True,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", ELSEWHERE)
async def test_a_channel_hears_of_another_one_only_what_it_may_see(make_world, samples, case) -> None:
    """An open channel of the same workspace, with sources and a tenant that are asked here; of nothing else a word."""
    flags, changes, told = ELSEWHERE[case]
    async with make_world(**changes) as world:
        world.slack.do_conversations_info = describing(**flags)
        there = await compared(world, samples, channel_id=OTHER, options="source=jaeger")
        await useful_elsewhere(world, there)
        here = await compared(world, samples)
        assert (there["ts"] in line(here)) is told
        assert (OTHER in json.dumps(here)) is told
        assert ("marked useful" in json.dumps(here)) is told
        again = await compared(world, samples, options="at=2026-11-25T10:00Z")
        if not told:
            assert "marked useful" not in json.dumps(again)
            assert "times in the last" not in json.dumps(again)


# An answer about another request stands in another channel since earlier: what is set up now, what Slack says now, and
# whether this channel hears that there were two.
LATER = {
    "open": ({}, refused("C0NONE"), True),
    "not allowed any more": ({"allowed_channels": (CHANNEL,)}, refused("C0NONE"), False),
    "Slack says nothing of it": ({"external_channels": True}, refused(OTHER), False),
    "Slack says nothing of this one": ({"external_channels": True}, refused(CHANNEL), False),
}


@pytest.mark.parametrize("case", LATER)
async def test_what_may_not_be_told_is_not_counted(make_world, samples, case) -> None:
    """A channel in which the bot does not answer any more, and what Slack does not say of either channel, count as no."""
    changes, described, told = LATER[case]
    async with make_world(**changes) as world:
        world.slack.do_conversations_info = described
        await compared(world, samples)
        memory = world.bot.state.memory
        (known,) = await memory.given("T1", CHANNEL, 9)
        await memory.remember(msgspec.structs.replace(known, key="k", channel=OTHER, suspect_id="9" * 32))
        again = line(await compared(world, samples, options="source=jaeger"))
        assert known.ts in again
        assert ("2 times in the last 14 days" in again) is told


async def useful_elsewhere(world, message: dict) -> None:
    """Have somebody in the other channel find an answer useful."""
    replies = [m for m in world.slack.messages[OTHER] if m.get("thread_ts") == message["ts"] and not m.get("files")]
    await world.click(replies[-1], "useful", user="bob", channel={"id": OTHER, "name": "other"})
    await world.settled()


async def test_workspaces_never_hear_of_each_other(world, samples) -> None:
    """The same cause in the same channel of another workspace is not known."""
    await compared(world, samples, team_id="T2", channel_id=OTHER)
    assert line(await compared(world, samples)) == ""


async def test_an_answer_that_is_gone_is_not_told_of(world, samples) -> None:
    """Whoever deleted it did not want it shown."""
    first = await compared(world, samples)
    world.slack.messages[CHANNEL].remove(first)
    assert line(await compared(world, samples, options="source=jaeger")) == ""


async def test_nothing_that_goes_wrong_with_memory_costs_the_answer(world, samples, monkeypatch) -> None:
    """The answer is there, only the line is not."""
    await compared(world, samples)

    async def broken(*_: object) -> None:
        raise OSError("disk full")

    for name in ("seen", "remember"):
        monkeypatch.setattr(world.bot.state.memory, name, broken)
    again = await compared(world, samples, options="source=jaeger")
    assert "slower" in again["text"]
    assert line(again) == ""
    assert button(again["blocks"], "details")


async def test_memory_can_be_switched_off(make_world, samples) -> None:
    """With no days to remember for, nothing is known again."""
    async with make_world(retention=Retention(memory_days=0)) as world:
        await compared(world, samples)
        assert line(await compared(world, samples, options="source=jaeger")) == ""


async def test_a_workspaces_memory_goes_with_it(world, samples) -> None:
    """What is forgotten for a workspace is everything of it, and nothing of another."""
    await compared(world, samples)
    await compared(world, samples, team_id="T2", channel_id=OTHER)
    gone = await world.bot.state.forget(Selection(team="T1"))
    assert {its.what for its in gone} == {"request", "result", "remembered answer"}
    assert {its.team for its in await world.bot.state.selected(Selection(everything=True))} == {"T2"}
