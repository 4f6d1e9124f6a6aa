"""Runs comparisons in child processes, so that the event loop never waits for one.

event loop  --two bodies-->  warm child  --answer-->  event loop
                                 | past its deadline, crashed, out of memory, grown large: killed and replaced
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from typing import TYPE_CHECKING

import msgspec

from bot.analysis_child import LENGTH, Answer, Head, Outcome
from bot.errors import AnalysisError

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import Sequence

    from bot.sources import FetchedTrace

COMMAND = (sys.executable, "-m", "bot.analysis_child")
PIECE_BYTES = 256 * 1024  # written at once: the loop turns to others in between
WARM_BYTES = 8 * 1024 * 1024  # a child that read more than this is not kept: its memory does not shrink again


class AnalysisRunner:
    """A few warm child processes, one comparison at a time in each."""

    def __init__(self, children: int, command: Sequence[str] = COMMAND) -> None:
        self._command = command
        self._free = asyncio.Semaphore(children)
        self._idle: list[Process] = []

    async def compare(self, baseline: FetchedTrace, suspect: FetchedTrace, *, deadline_s: float) -> Answer:
        """Compare two fetched traces; raises `AnalysisError` when that cannot be done in time."""
        try:
            async with asyncio.timeout(deadline_s), self._free:
                outcome = await self._run(baseline, suspect)
        except TimeoutError:
            raise AnalysisError("took-too-long", seconds=round(deadline_s)) from None
        if outcome.answer is None:
            raise AnalysisError("unreadable", detail=outcome.error)
        return outcome.answer

    async def _run(self, baseline: FetchedTrace, suspect: FetchedTrace) -> Outcome:
        child = await self._child()
        keep = False
        try:
            outcome = await _exchange(child, baseline, suspect)
            keep = len(baseline.body) + len(suspect.body) <= WARM_BYTES
        except (asyncio.IncompleteReadError, ConnectionError):
            raise AnalysisError("crashed") from None
        finally:
            # Whatever the reason (crash, deadline, shutdown), a child that did not answer is not used again.
            if keep:
                self._idle.append(child)
            else:
                await _end(child)
        return outcome

    async def _child(self) -> Process:
        while self._idle:
            child = self._idle.pop()
            if child.returncode is None:
                return child
        return await asyncio.create_subprocess_exec(
            *self._command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
        )

    async def warm_up(self) -> None:
        """Start one child ahead of the first request."""
        self._idle.append(await self._child())

    async def aclose(self) -> None:
        """End all children."""
        while self._idle:
            await _end(self._idle.pop())


async def _exchange(child: Process, baseline: FetchedTrace, suspect: FetchedTrace) -> Outcome:
    """Send a job and read its outcome."""
    if child.stdin is None or child.stdout is None:
        raise ConnectionError
    head = msgspec.msgpack.encode(
        Head(
            baseline_bytes=len(baseline.body), baseline_wire=baseline.wire,
            suspect_bytes=len(suspect.body), suspect_wire=suspect.wire,
        )
    )  # fmt: skip
    child.stdin.write(LENGTH.pack(len(head)) + head)
    for body in (memoryview(baseline.body), memoryview(suspect.body)):
        for start in range(0, len(body), PIECE_BYTES):
            child.stdin.write(body[start : start + PIECE_BYTES])
            await child.stdin.drain()
    size = LENGTH.unpack(await child.stdout.readexactly(LENGTH.size))[0]
    return msgspec.msgpack.decode(await child.stdout.readexactly(size), type=Outcome)


async def _end(child: Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        child.kill()
    await child.wait()
    if child.stdin is not None:
        child.stdin.close()
