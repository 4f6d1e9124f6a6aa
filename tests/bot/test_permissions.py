"""Who may ask, and where: what only Slack can tell."""

from __future__ import annotations

import pytest
from world import CHANNEL

from bot.playground.workspace import SlackError


def ids(samples) -> str:
    """Return the words of a question."""
    pair = next(sample for sample in samples.pairs if sample.name == "slow-query")
    return f"{pair.baseline} {pair.suspect}"


def told(world) -> str:
    """Return what was said to the person who asked alone."""
    return " ".join(m["text"] for m in world.slack.messages[CHANNEL] if m.get("ephemeral"))


def describe(world, **flags: bool) -> None:
    """Have Slack describe the channel."""
    world.slack.do_conversations_info = lambda _: {"channel": {"id": CHANNEL, **flags}}


@pytest.mark.parametrize("flag", ["is_ext_shared", "is_pending_ext_shared"])
async def test_a_channel_that_strangers_read_is_refused(make_world, samples, flag) -> None:
    """In a channel shared with another organisation nothing is said but why."""
    async with make_world() as world:
        describe(world, **{flag: True})
        await world.command(ids(samples))
        await world.settled()
        assert world.slack.roots() == []
        assert "another organisation" in told(world)


async def test_a_shared_channel_may_be_allowed(make_world, samples) -> None:
    """Whoever runs the bot may decide otherwise; then Slack is not even asked."""
    async with make_world(external_channels=True) as world:
        describe(world, is_ext_shared=True)
        await world.command(ids(samples))
        await world.settled()
        assert len(world.slack.roots()) == 1
        assert world.slack.called("conversations.info") == []


async def test_slack_is_asked_once_for_a_while(make_world, samples) -> None:
    """What a channel is does not change from minute to minute."""
    async with make_world() as world:
        describe(world)
        for options in ("", "source=tempo"):
            await world.command(f"{ids(samples)} {options}")
            await world.settled()
        assert len(world.slack.called("conversations.info")) == 1


async def test_where_slack_does_not_say_nothing_is_said(make_world, samples) -> None:
    """Without the right to ask, the answer stays away, with a sentence on how to mend that."""

    def refuse(_):
        raise SlackError("missing_scope")

    async with make_world() as world:
        world.slack.do_conversations_info = refuse
        await world.command(ids(samples))
        await world.settled()
        assert world.slack.roots() == []
        assert "missing_scope" in told(world)


@pytest.mark.parametrize(
    ("faults", "said"),
    [
        (["429", "500", "cut before"], ""),  # passes
        (["no such method"], ""),  # not Slack, but something that speaks like it
        (["channel_not_found"], "/invite"),  # a private channel, seen from outside
        (["500"] * 9, "Slack does not tell me who reads this channel"),
    ],
    ids=["passing", "no method", "outside", "lasting"],
)
async def test_troubles_with_the_question_end_in_an_answer_or_in_its_reason(make_world, samples, faults, said) -> None:
    """Who reads the channel is asked again when that is of use; a channel that cannot be seen is one to be invited to."""
    async with make_world() as world:
        world.slack.faults = [("conversations.info", fault) for fault in faults]
        await world.command(ids(samples))
        await world.settled()
        assert len(world.slack.roots()) == (0 if said else 1)
        assert said in told(world)
        assert len(world.slack.whispers()) == (1 if said else 0)


@pytest.mark.parametrize(("members", "answers"), [(["U1"], 1), (["U2"], 0)])
async def test_members_of_a_user_group_may_ask(make_world, samples, members, answers) -> None:
    """Groups are kept in Slack; who is in one of those named may ask, others are told that they may not."""
    async with make_world(allowed_user_groups=("S1",)) as world:
        describe(world)
        world.slack.do_usergroups_users_list = lambda _: {"users": members}
        await world.command(ids(samples))
        await world.settled()
        assert len(world.slack.roots()) == answers
        assert ("not on the list" in told(world)) is not bool(answers)
