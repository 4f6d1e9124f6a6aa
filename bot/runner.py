"""Runs comparisons in child processes, so that the event loop never waits for one.

event loop  --job-->  warm child  --comparison-->  event loop
| past its deadline, crashed, out of memory: killed and replaced
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from typing import TYPE_CHECKING

import msgspec

from analysis import Comparison
from bot.analysis_child import HEADER, Job, Outcome
from bot.errors import AnalysisError

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import Sequence

    from bot.sources import FetchedTrace

COMMAND = (sys.executable, "-m", "bot.analysis_child")


class AnalysisRunner:
    """A few warm child processes, one comparison at a time in each."""

    def __init__(self, children: int, command: Sequence[str] = COMMAND) -> None:
        self._command = command
        self._free = asyncio.Semaphore(children)
        self._idle: list[Process] = []

    async def compare(self, baseline: FetchedTrace, suspect: FetchedTrace, *, deadline_s: float) -> Comparison:
        """Compare two fetched traces; raises `AnalysisError` when that cannot be done in time."""
        job = msgspec.msgpack.encode(
            Job(baseline=baseline.body, baseline_wire=baseline.wire, suspect=suspect.body, suspect_wire=suspect.wire)
        )
        try:
            async with asyncio.timeout(deadline_s), self._free:
                outcome = await self._run(job)
        except TimeoutError:
            raise AnalysisError("took-too-long", seconds=round(deadline_s)) from None
        if outcome.error:
            raise AnalysisError("unreadable", detail=outcome.error)
        return Comparison.from_json(outcome.comparison)

    async def _run(self, job: bytes) -> Outcome:
        child = await self._child()
        try:
            outcome = await _exchange(child, job)
        except (asyncio.IncompleteReadError, ConnectionError):
            raise AnalysisError("crashed") from None
        else:
            self._idle.append(child)
            return outcome
        finally:
            # Whatever the reason (crash, deadline, shutdown), a child that did not answer is not used again.
            if child not in self._idle:
                await _end(child)

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


async def _exchange(child: Process, job: bytes) -> Outcome:
    if child.stdin is None or child.stdout is None:
        raise ConnectionError
    child.stdin.write(HEADER.pack(len(job)))
    child.stdin.write(job)
    await child.stdin.drain()
    size = HEADER.unpack(await child.stdout.readexactly(HEADER.size))[0]
    return msgspec.msgpack.decode(await child.stdout.readexactly(size), type=Outcome)


async def _end(child: Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        child.kill()
    await child.wait()
    if child.stdin is not None:
        child.stdin.close()
