"""Fetched traces on disk until they are analysed: a child process reads them one by one, and nobody holds them all.

Two files in a folder of its own, which only this user may enter and which goes when the work is done.
"""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, BinaryIO

from bot.analysing.child import Body, Spooled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.sources.base import FetchedTrace


class Spool:
    """One file of bodies, one after the other."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self._path = path
        self._file = file
        self._bodies: list[Body] = []
        self._writing = asyncio.Lock()

    async def add(self, trace: FetchedTrace) -> None:
        """Write a trace down."""
        async with self._writing:
            await asyncio.to_thread(self._file.write, trace.body)
            self._bodies.append(Body(len(trace.body), trace.wire))

    def written(self) -> Spooled:
        """Return what was written, for the child that reads it."""
        self._file.flush()
        return Spooled(path=str(self._path), bodies=tuple(self._bodies))


@contextmanager
def spools() -> Iterator[tuple[Spool, Spool]]:
    """Open two spools, for A and B; their files go in the end."""
    with TemporaryDirectory(prefix="compare-traces-") as folder:
        a, b = (Path(folder) / name for name in ("a", "b"))
        with a.open("wb") as one, b.open("wb") as other:
            yield Spool(a, one), Spool(b, other)
