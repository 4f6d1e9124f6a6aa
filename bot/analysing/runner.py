"""Runs comparisons in child processes, so that the event loop never waits for one.

event loop  ---bodies--->  warm child  --answer-->  event loop
                                 | past its deadline, crashed, out of memory, grown large: killed and replaced

Pictures are drawn in children of their own: a drawing takes many times as long as a comparison, and nobody's verdict
waits for somebody else's picture.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, TypeVar

import msgspec
import structlog

from bot.analysing.child import LENGTH, Answer, Body, Compare, CompareWindows, Draw, Look, Outcome
from bot.analysing.redaction import written
from bot.errors import AnalysisError
from bot.telemetry import metrics
from bot.telemetry.steps import past, step

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import Sequence

    from analysis import Comparison, RootCall
    from analysis.picture import Course
    from bot.analysing.child import Job, Spooled, WindowsAnswer
    from bot.settings.redaction import Redaction
    from bot.sources import FetchedTrace

Wanted = TypeVar("Wanted")
COMMAND = (sys.executable, "-m", "bot.analysing.child")
PIECE_BYTES = 256 * 1024  # written at once: the loop turns to others in between
WARM_BYTES = 8 * 1024 * 1024  # a child that read more than this is not kept: its memory does not shrink again
DRAWING_SHARE = 2  # children that compare for each that draws: what draws needs a core for seconds, and 100 MiB
LAST_BREATH_S = 1.0  # from the end of its output to the end of a child

log = structlog.get_logger()


class AnalysisRunner:
    """A few warm child processes for what is compared, and fewer for what is drawn."""

    def __init__(
        self, children: int, command: Sequence[str] | None = None, *, redaction: Redaction | None = None
    ) -> None:
        """Keep so many children to compare; `command` starts one, by default `COMMAND`."""
        its_own = command or COMMAND
        started_by = (*its_own, written(redaction)) if redaction else tuple(its_own)
        self._comparing = Children(children, started_by)
        self._drawing = Children(max(1, children // DRAWING_SHARE), started_by)

    async def compare(
        self, baseline: FetchedTrace | None, suspect: FetchedTrace, population: Sequence[FetchedTrace] = (), *,
        deadline_s: float,
    ) -> Answer:  # fmt: skip
        """Compare two fetched traces, or one with the typical trace of a population.

        Raises `AnalysisError` when that cannot be done, or not in time.
        """
        job = Compare(
            baseline=_body(baseline) if baseline else None,
            suspect=_body(suspect),
            population=tuple(map(_body, population)),
        )
        outcome = await self._run(job, [*([baseline] if baseline else []), suspect, *population], deadline_s)
        return _only(outcome.answer, outcome)

    async def compare_windows(self, baseline: Spooled, suspect: Spooled, *, deadline_s: float) -> WindowsAnswer:
        """Compare the requests of two windows; raises `AnalysisError` as `compare` does."""
        outcome = await self._run(CompareWindows(baseline=baseline, suspect=suspect), [], deadline_s)
        return _only(outcome.windows, outcome)

    async def root_call(self, trace: FetchedTrace, *, deadline_s: float) -> RootCall:
        """Say of which root call a fetched trace is; raises `AnalysisError` as `compare` does."""
        outcome = await self._run(Look(trace=_body(trace)), [trace], deadline_s)
        return _only(outcome.root, outcome)

    async def draw(self, comparison: Comparison, course: Course | None = None, *, deadline_s: float) -> bytes:
        """Draw a comparison as PNG; raises `AnalysisError` as `compare` does."""
        outcome = await self._run(Draw(comparison=comparison, course=course), [], deadline_s)
        return _only(outcome.picture or None, outcome)

    async def _run(self, job: Job, traces: Sequence[FetchedTrace], deadline_s: float) -> Outcome:
        what = type(job).__name__.lower()
        children = self._drawing if isinstance(job, Draw) else self._comparing
        with step("analyse", metrics.ANALYSIS_SECONDS.labels("total"), job=what):
            try:
                outcome = await children.outcome(job, traces, deadline_s)
            except TimeoutError:
                log.warning("analysis stopped", job=what, after_s=deadline_s)
                raise AnalysisError("took-too-long", seconds=round(deadline_s)) from None
            for its in outcome.steps:
                past(its.name, metrics.ANALYSIS_SECONDS.labels(its.name), its.started_ns, its.ended_ns)
            took = {f"{its.name}_s": round((its.ended_ns - its.started_ns) / 1e9, 3) for its in outcome.steps}
            size = _bytes(job)
            if outcome.fault:
                log.warning("analysis failed", job=what, fault=outcome.fault, bytes=size, **took)
                raise AnalysisError("crashed")
            log.info("analysed", job=what, readable=not outcome.error, traces=len(_read(job)), bytes=size, **took)
            return outcome

    async def warm_up(self) -> None:
        """Start one child ahead of the first request."""
        await self._comparing.warm_up()

    async def aclose(self) -> None:
        """End all children."""
        await self._comparing.aclose()
        await self._drawing.aclose()


class Children:
    """Warm child processes, one job at a time in each."""

    def __init__(self, most: int, command: Sequence[str]) -> None:
        self._command = command
        self._free = asyncio.Semaphore(most)
        self._idle: list[Process] = []

    async def outcome(self, job: Job, traces: Sequence[FetchedTrace], deadline_s: float) -> Outcome:
        """Have a job done; raises `TimeoutError` when no child was free in time, or when it then took longer."""
        async with AsyncExitStack() as held:
            async with asyncio.timeout(deadline_s):
                await held.enter_async_context(self._free)
            async with asyncio.timeout(deadline_s):
                return await self._exchange(job, traces)

    async def _exchange(self, job: Job, traces: Sequence[FetchedTrace]) -> Outcome:
        child = await self._child()
        keep = False
        try:
            outcome = await _exchange(child, job, traces)
            keep = not outcome.fault and _bytes(job) <= WARM_BYTES
        except (asyncio.IncompleteReadError, ConnectionError):
            with contextlib.suppress(TimeoutError):  # a signal sent to who has just died would hide how
                async with asyncio.timeout(LAST_BREATH_S):
                    await child.wait()
            # Negative: by this signal; -9 also where memory ran out. There is no traceback: it was in another process.
            log.warning("analysis died", status=child.returncode)
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
        """Start one child ahead of the first job."""
        self._idle.append(await self._child())

    async def aclose(self) -> None:
        """End all children."""
        while self._idle:
            await _end(self._idle.pop())


def _body(trace: FetchedTrace) -> Body:
    return Body(len(trace.body), trace.wire)


def _read(job: Job) -> tuple[Body, ...]:
    """Return all bodies that a job has a child read, wherever they come from."""
    return (*job.baseline.bodies, *job.suspect.bodies) if isinstance(job, CompareWindows) else job.bodies


def _bytes(job: Job) -> int:
    return sum(body.size for body in _read(job))


def _only(wanted: Wanted | None, outcome: Outcome) -> Wanted:
    if wanted is None:
        raise AnalysisError("unreadable", detail=outcome.error)
    return wanted


async def _exchange(child: Process, job: Job, traces: Sequence[FetchedTrace]) -> Outcome:
    """Send a job and read its outcome."""
    if child.stdin is None or child.stdout is None:
        raise ConnectionError
    head = msgspec.msgpack.encode(job)
    child.stdin.write(LENGTH.pack(len(head)) + head)
    for body in (memoryview(trace.body) for trace in traces):
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
