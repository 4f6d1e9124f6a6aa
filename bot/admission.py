"""How much is worked on at once and how much may wait, whoever asks: people in Slack, or programs.

admitted() --> place() --> work
|- too many inside: told to come back
               '- no place free in time: told to come back
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING

from bot import metrics
from bot.errors import UserError
from bot.steps import step

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from bot.settings import Limits


class Admission:
    """The places to work in, and the room to wait for one; shared by all ways in."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._places = asyncio.Semaphore(limits.concurrent)
        self._inside = 0

    def check(self) -> None:
        """Raise `UserError` when no more may wait."""
        if self._inside >= self._limits.concurrent + self._limits.waiting:
            raise UserError("busy", seconds=round(self._limits.deadline_s / 2))

    def enter(self) -> None:
        """Count one more, that was checked or that cannot be turned away."""
        self._inside += 1

    def leave(self) -> None:
        """Count one less."""
        self._inside -= 1

    @contextmanager
    def admitted(self) -> Iterator[None]:
        """Be inside for as long as something lasts; raises `UserError` when no more may wait."""
        self.check()
        self.enter()
        try:
            yield
        finally:
            self.leave()

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Wait for one of the places to work in, but not for ever."""
        deadline_s = self._limits.deadline_s
        try:
            # Not wait_for: in Python 3.11 it can swallow the cancellation that a shutdown sends.
            with step("wait", metrics.QUEUE_SECONDS.labels("place")):
                async with asyncio.timeout(deadline_s):
                    await self._places.acquire()
        except TimeoutError:
            raise UserError("busy", seconds=round(deadline_s)) from None
        try:
            yield
        finally:
            self._places.release()
