"""Ending tasks that run for ever.

A cancellation is a request, and libraries on its way may swallow it: a Redis client that is just connecting does. Who
then waits for the end of the task waits for ever, and so does the shutdown.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

AGAIN_S = 2.0  # a task that heard it may clean up for so long undisturbed


async def ended(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel tasks, again where one did not hear it, until all have ended; what they end with is dropped."""
    all_of_them = pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=AGAIN_S)
    await asyncio.gather(*all_of_them, return_exceptions=True)
