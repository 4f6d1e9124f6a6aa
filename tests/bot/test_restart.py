"""Restarts: a request that was accepted is answered, once, by whichever process is there."""

from __future__ import annotations

import asyncio

import pytest
from world import CHANNEL, FaultySlack

from bot.app import Bot
from bot.settings import SettingsError
from bot.state import opening as state


async def test_a_request_left_by_a_dead_process_is_answered_by_the_next(make_world, samples) -> None:
    """The root that was already posted is used, not posted again."""
    pair = next(s for s in samples.pairs if s.name == "slow-query")
    slack = FaultySlack()
    async with make_world(slack=slack) as world:
        never = asyncio.Event()
        world.bot.sources.fetch = lambda *_, **__: never.wait()
        await world.command(f"{pair.baseline} {pair.suspect}")
        while not slack.roots():  # the announcement is out, the work under way
            await asyncio.sleep(0)
        while not (await world.bot.ledger.unfinished())[0].root_ts:
            await asyncio.sleep(0)
        await world.bot.jobs.drain(timeout_s=0)
    async with make_world(slack=slack) as world:
        await world.settled()
        (root,) = slack.roots()
        assert root["text"].startswith("Slower")
        assert await world.bot.ledger.unfinished() == []


async def test_a_request_that_fails_again_and_again_ends_in_a_sentence(make_world, samples) -> None:
    """After three attempts the person is told instead of a fourth one being made."""
    slack = FaultySlack()
    async with make_world(slack=slack) as world:
        pair = samples.pairs[0]
        await world.bot.ledger.accept("k", "q", CHANNEL, b"", 0)
        for _ in range(3):
            await world.bot.ledger.started("k")
        from bot.requests.request import CompareRequest, Origin, Payload, TraceRef

        payload = Payload(
            request=CompareRequest(baseline=TraceRef(trace_id=pair.baseline), suspect=TraceRef(trace_id=pair.suspect)),
            origin=Origin(team="T", channel=CHANNEL, user="U1", user_name="alice"),
        )
        await world.bot.jobs._work("k", payload, "")
        assert slack.roots() == []
        assert "restarted" in slack.whispers()[0]


async def test_a_second_process_on_the_same_file_waits_for_the_first_to_end(make_world, monkeypatch) -> None:
    """Two would take up each other's requests and answer twice: the new one starts when the old one has ended."""
    monkeypatch.setattr(state, "HELD_S", 0.0)
    async with make_world() as world:
        impatient = Bot(world.bot.settings)
        with pytest.raises(SettingsError, match="STATE_FILE: another process"):
            await impatient.start_http()
        await impatient.stop()
        monkeypatch.setattr(state, "HELD_S", 60.0)
        patient = Bot(world.bot.settings)
        starting = asyncio.create_task(patient.start_http())
        await asyncio.sleep(0.3)
        assert patient.web is None
        await world.bot.stop()
        await starting
        await patient.stop()
