"""How much is worked on at once and how much may wait, whoever asks: people in Slack, or programs.

admitted() --> place() --> work
|- too many inside: told to come back
               '- no place free in time: told to come back
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import TYPE_CHECKING

from bot.errors import UserError
from bot.job.turns import Turns
from bot.state.ledger import Room
from bot.telemetry import metrics
from bot.telemetry.steps import step

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from bot.requests.request import Origin
    from bot.settings import Limits
    from bot.state.ledger import FullError

AGAIN_S = 10.0  # at the least, before somebody who was told to come back does
CODES = {"all": "busy", "asker": "busy-with-yours", "channel": "busy-with-channel"}


class Admission:
    """The places to work in, and the room to wait for one; shared by all ways in."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._turns = Turns(limits.concurrent)
        self._inside = 0

    def check(self) -> None:
        """Raise `UserError` when no more may wait."""
        if self._inside >= self._limits.concurrent + self._limits.waiting:
            raise self.busy()

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
    async def place(self, origin: Origin) -> AsyncIterator[None]:
        """Wait for one of the places to work in, in fair turns, but not for ever."""
        deadline_s = self._limits.deadline_s
        async with AsyncExitStack() as held:
            try:
                # Not wait_for: in Python 3.11 it can swallow the cancellation that a shutdown sends.
                with step("wait", metrics.QUEUE_SECONDS.labels("place")):
                    async with asyncio.timeout(deadline_s):
                        await held.enter_async_context(self._turns.place(asker(origin), origin.channel))
            except TimeoutError:
                raise self.busy(deadline_s) from None
            yield

    @property
    def room(self) -> Room:
        """How many requests may be without an answer, in all processes together."""
        limits = self._limits
        return Room(total=limits.concurrent + limits.waiting, asker=limits.per_person, channel=limits.per_channel)

    def busy(self, oldest_s: float = 0.0, full: FullError | None = None) -> UserError:
        """Say when to come back: about when those are done that wait now, as long as the oldest of them has waited."""
        seconds = round(min(max(oldest_s, AGAIN_S), max(self._limits.deadline_s, AGAIN_S)))
        return UserError(CODES[full.whose] if full else "busy", count=full.count if full else 0, seconds=seconds)


def watcher(origin: Origin) -> str:
    """Name as whom alerts ask in the channel of somebody who asks; "" for an alert itself."""
    return "" if origin.watched else f"{origin.team}/{origin.channel}"


def asker(origin: Origin) -> str:
    """Name who has to share with others: a person, or for an alert that nobody asked about its channel."""
    return f"{origin.team}/{origin.channel if origin.watched else origin.user}"
