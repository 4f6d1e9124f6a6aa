"""Places to work in, given in fair turns: whoever asks for a hundred comparisons does not keep the others waiting.

Who has the fewest under way goes first, by person and then by channel; among equals who was served longest ago, then
who came first. (Workers that share their state take turns by the same rule: `bot.state.redis_ledger`.)
"""

from __future__ import annotations

import asyncio
from collections import Counter, OrderedDict
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

REMEMBERED = 1_000  # people of whom it is known when they were served


class _Waiting(NamedTuple):
    order: int
    asker: str
    channel: str
    called: asyncio.Future[None]


class Turns:
    """So many places."""

    def __init__(self, places: int) -> None:
        self._free = places
        self._waiting: list[_Waiting] = []
        self._under_way: Counter[str] = Counter()
        self._served: OrderedDict[str, int] = OrderedDict()
        self._count = 0

    @asynccontextmanager
    async def place(self, asker: str, channel: str) -> AsyncIterator[None]:
        """Wait for a place, and hold it within the context."""
        self._count += 1
        its = _Waiting(self._count, asker, channel, asyncio.get_running_loop().create_future())
        self._waiting.append(its)
        self._call()
        try:
            await its.called
        except asyncio.CancelledError:
            if its in self._waiting:
                self._waiting.remove(its)
            else:  # called and cancelled at the same moment
                self._leave(its)
            raise
        try:
            yield
        finally:
            self._leave(its)

    def _call(self) -> None:
        while self._free and self._waiting:
            its = min(self._waiting, key=self._rank)
            self._waiting.remove(its)
            self._free -= 1
            self._under_way.update((_asker(its), _channel(its)))
            self._count += 1
            self._served[its.asker] = self._count
            self._served.move_to_end(its.asker)
            if len(self._served) > REMEMBERED:
                self._served.popitem(last=False)
            its.called.set_result(None)

    def _rank(self, its: _Waiting) -> tuple[int, int, int, int]:
        under_way = self._under_way
        return under_way[_asker(its)], under_way[_channel(its)], self._served.get(its.asker, 0), its.order

    def _leave(self, its: _Waiting) -> None:
        self._free += 1
        for name in (_asker(its), _channel(its)):
            self._under_way[name] -= 1
            if not self._under_way[name]:
                del self._under_way[name]
        self._call()


def _asker(its: _Waiting) -> str:
    return f"asker {its.asker}"


def _channel(its: _Waiting) -> str:
    return f"channel {its.channel}"
