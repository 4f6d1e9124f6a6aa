"""What memory knows of a cause, told to programs: as far as their token reaches, and no further."""

from __future__ import annotations

import pytest
from program import TOKEN
from pydantic import SecretStr
from world import CHANNEL

from bot.settings.reach import TokenSettings

TEAM = "T0PLAYGRND"  # the workspace that the bot's own token is of


@pytest.fixture(autouse=True)
def _no_pictures(monkeypatch) -> None:
    """Leave pictures out: they take most of an answer's time and say nothing of the past."""
    monkeypatch.setattr("bot.slack.messages.has_picture", lambda _: False)


async def answered(world, pair, options: str = "source=jaeger", team: str = TEAM) -> dict:
    """Have somebody compare a pair in the channel; returns the message with the verdict."""
    await world.command(f"{pair.baseline} {pair.suspect} {options}", team_id=team)
    await world.settled()
    return world.slack.roots()[-1]


@pytest.fixture
def pair(samples):
    """Return a pair with a cause that comes back."""
    return next(sample for sample in samples.pairs if sample.name == "slow-query")


async def test_a_program_hears_that_a_cause_was_seen_before(make_api, pair) -> None:
    """When it was, where it stands, and what people thought of it; before there was any, null. Its own are none."""
    question = {"baseline": pair.baseline, "suspect": pair.suspect}
    async with make_api() as (world, program):
        for _ in range(2):
            _, answer, _ = await program.post("/v1/compare", question)
            assert answer["seen_before"] is None
        message = await answered(world, pair)
        await world.click(world.slack.replies(message["ts"])[-1], "useful", user="bob")
        await world.settled()
        _, answer, _ = await program.post("/v1/compare", question)
        before = answer["seen_before"]
        assert before["url"] == f"{world.url}/#{CHANNEL}/{message['ts']}"
        assert before["said"].startswith("Same cause as on ")
        assert before["said"].endswith(", marked useful")
        assert (before["useful"], before["times"]) == (1, 1)
        assert f"{before['said']}: {before['url']}\n" in answer["summary"]
        _, other, _ = await program.post("/v1/compare", {"baseline": pair.suspect, "suspect": pair.baseline})
        assert (other["verdict"]["kind"], other["seen_before"]) == ("faster", None)


# What the token may ask, what Slack says of the channel, and the workspace in which the answer stands.
REACHES = {
    "its sources": ({"sources": ("jaeger",)}, {"is_channel": True}, TEAM, True),
    "other sources": ({"sources": ("tempo",)}, {"is_channel": True}, TEAM, False),
    "another tenant": ({"tenant": "ours"}, {"is_channel": True}, TEAM, False),
    "a private channel": ({}, {"is_channel": True, "is_private": True}, TEAM, False),
    "another workspace": ({}, {"is_channel": True}, "T1", False),
}


@pytest.mark.parametrize("case", REACHES)
async def test_a_program_hears_only_of_what_it_may_ask(make_api, pair, monkeypatch, case) -> None:
    """Of answers in open channels of the bot's workspace, made from sources and for the tenant of its token."""
    reach, described, team, told = REACHES[case]
    monkeypatch.setenv("BATCH_TOKEN", TOKEN)
    tokens = (TokenSettings(name="batch", token_env="BATCH_TOKEN", **reach),)
    async with make_api(tokens=tokens, api_token=SecretStr("")) as (world, program):
        await answered(world, pair, team=team)
        world.slack.do_conversations_info = lambda its: {"ok": True, "channel": {"id": its["channel"], **described}}
        status, answer, _ = await program.post("/v1/compare", {"baseline": pair.baseline, "suspect": pair.suspect})
        assert (status, answer["verdict"]["kind"]) == (200, "slower")
        assert (answer["seen_before"] is not None) is told


async def test_memory_that_fails_costs_a_program_nothing(make_api, pair, monkeypatch) -> None:
    """The answer is there, and says that nothing is known."""
    async with make_api() as (world, program):
        await answered(world, pair)

        async def broken(*_: object) -> None:
            raise OSError("disk full")

        monkeypatch.setattr(world.bot.state.memory, "seen", broken)
        status, answer, _ = await program.post("/v1/compare", {"baseline": pair.baseline, "suspect": pair.suspect})
        assert (status, answer["seen_before"]) == (200, None)
