"""Ending tasks that run for ever."""

from __future__ import annotations

import asyncio

from bot import ending


async def test_a_task_that_did_not_hear_the_first_time_ends_all_the_same(monkeypatch) -> None:
    """A library that swallows a cancellation does not hold up the end; errors at the end hold up nobody either."""
    monkeypatch.setattr(ending, "AGAIN_S", 0.01)
    heard = []
    running = asyncio.Event()

    async def deaf() -> None:
        while True:
            try:
                running.set()
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                heard.append("again")
                if len(heard) > 1:
                    raise

    async def failing() -> None:
        raise ValueError("of its own")

    tasks = [asyncio.create_task(deaf()), asyncio.create_task(failing())]
    await running.wait()
    async with asyncio.timeout(30):
        await ending.ended(tasks)
    assert heard == ["again", "again"]
    assert all(task.done() for task in tasks)
