"""The process that decodes, compares and draws: reads jobs from standard input, writes answers to standard output.

    job:      length (4 bytes) | job (msgpack) | the bodies it names, one after the other
    outcome:  length (4 bytes) | outcome (msgpack)

A crash, an endless loop or gigabytes of memory harm this process and the one comparison in it; `bot.analysing.runner`
replaces it. What goes back is small whatever the traces were: reading it must not hold up the event loop.
"""

from __future__ import annotations

import contextlib
import resource
import signal
import struct
import sys
import time
import traceback
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import msgspec
from msgspec import Struct

from analysis import (
    DEFAULTS,
    AnalysisError,
    CompareOptions,
    Comparison,
    FleetComparison,
    Population,
    RootCall,
    Trace,
    WireFormat,
    compare,
    compare_fleets,
    decode,
    render_fleets_markdown,
    render_markdown,
)
from analysis.evidence import SpanEvidence, evidence
from analysis.picture import Course, render_png
from analysis.report import Table, table
from bot.analysing.redaction import options_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

Fetched: TypeAlias = tuple[bytes, WireFormat]
LENGTH = struct.Struct(">I")
MAX_MEMORY_BYTES = 4 * 1024**3
MAX_REPORT_BYTES = 4 * 1024**2
PLACES = 6  # of a fault that are named
KEPT = 100  # contributions and findings sent back: more than any message shows


class Body(Struct, frozen=True):
    """A fetched trace that follows its job."""

    size: int  # bytes
    wire: WireFormat


class Compare(Struct, frozen=True, kw_only=True, tag=True):
    """Compare two traces; without a baseline, compare with the typical one of the population."""

    baseline: Body | None
    suspect: Body
    population: tuple[Body, ...] = ()

    @property
    def bodies(self) -> tuple[Body, ...]:
        """What follows the job."""
        return (*([self.baseline] if self.baseline else []), self.suspect, *self.population)


class Look(Struct, frozen=True, kw_only=True, tag=True):
    """Say of which root call a trace is."""

    trace: Body

    @property
    def bodies(self) -> tuple[Body, ...]:
        """What follows the job."""
        return (self.trace,)


class Draw(Struct, frozen=True, kw_only=True, tag=True):
    """Draw a comparison, and how the operation's requests went where somebody measured that."""

    comparison: Comparison
    course: Course | None = None

    @property
    def bodies(self) -> tuple[Body, ...]:
        """What follows the job: nothing."""
        return ()


class Spooled(Struct, frozen=True, kw_only=True):
    """Fetched traces in a file, one after the other."""

    path: str
    bodies: tuple[Body, ...]


class CompareWindows(Struct, frozen=True, kw_only=True, tag=True):
    """Compare the requests of two windows."""

    baseline: Spooled
    suspect: Spooled

    @property
    def bodies(self) -> tuple[Body, ...]:
        """What follows the job: nothing, it is read from files, one trace after the other."""
        return ()


Job: TypeAlias = Compare | Look | Draw | CompareWindows


class Report(Struct, frozen=True, kw_only=True):
    """The full report, ready to be handed out: compressed, since it is mostly kept and seldom read."""

    markdown: bytes
    json: bytes
    whole: bool  # False: the JSON goes without the smallest groups of spans, of which there are very many


class Answer(Struct, frozen=True, kw_only=True):
    """What the bot needs to answer: the comparison, without its long tail, and what was made from all of it."""

    comparison: Comparison
    table: Table
    population: int = 0  # traces in the population
    failed: bool = False  # the suspect's root call itself
    evidence: tuple[SpanEvidence, ...] = ()
    report: Report


class WindowsAnswer(Struct, frozen=True, kw_only=True):
    """What the bot needs to answer about two windows: the comparison, without its long tail."""

    comparison: FleetComparison
    unreadable: tuple[int, int]  # traces of A and of B that could not be decoded
    report: Report


class Step(Struct, frozen=True):
    """One step of a job, and when it was done: unix nanoseconds."""

    name: str
    started_ns: int
    ended_ns: int


class Timed:
    """Writes down the steps of a job."""

    def __init__(self) -> None:
        self.steps: list[Step] = []

    @contextlib.contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        """Time a step; it counts whether it succeeds or not."""
        started_ns = time.time_ns()
        try:
            yield
        finally:
            self.steps.append(Step(name, started_ns, time.time_ns()))


class Outcome(Struct, frozen=True, kw_only=True):
    """What a job asked for, or the sentence that says why it cannot be had.

    `fault` names an error that nobody foresaw, and where: never its own text, which may hold what a trace says.
    """

    answer: Answer | None = None
    windows: WindowsAnswer | None = None
    root: RootCall | None = None
    picture: bytes = b""
    error: str = ""
    fault: str = ""
    steps: tuple[Step, ...] = ()


class Compared(NamedTuple):
    """Two traces and how they differ."""

    comparison: Comparison
    baseline: Trace
    suspect: Trace
    population: int = 0  # traces in the population


def compared(
    baseline: Fetched, suspect: Fetched, timed: Timed | None = None, options: CompareOptions = DEFAULTS
) -> Compared:
    """Decode and compare two traces; raises the engine's `AnalysisError` with a sentence for people."""
    timed = timed or Timed()
    with timed("decode"):
        one, two = _read("A", *baseline), _read("B", *suspect)
    with timed("compare"):
        return Compared(compare(one, two, options=options), one, two)


def compared_with_typical(
    suspect: Fetched, others: Iterable[Fetched], timed: Timed | None = None, options: CompareOptions = DEFAULTS
) -> Compared:
    """Compare a trace with the typical one of others of its operation, all of them being the population.

    Those that cannot be read are left out; raises `AnalysisError` when none can, or when the suspect cannot.
    """
    timed = timed or Timed()
    with timed("decode"):
        read = _read("B", *suspect)
        traces = {trace.trace_id: trace for trace in _readable(others)}
    with timed("compare"):
        population = Population.from_traces(traces.values())
        typical = population.typical()
        if typical is None:
            raise AnalysisError("None of the traces found to compare with can be read.")
        comparison = compare(traces[typical], read, population, options)
        return Compared(comparison, traces[typical], read, len(population.samples))


def windows_compared(
    baseline: Spooled, suspect: Spooled, timed: Timed | None = None, options: CompareOptions = DEFAULTS
) -> WindowsAnswer:
    """Compare the requests of two windows, reading one trace at a time; what cannot be read is counted."""
    timed = timed or Timed()
    readers = _Reader(baseline), _Reader(suspect)
    with timed("compare"):
        whole = compare_fleets(*readers, options)
    with timed("report"):
        short = msgspec.structs.replace(whole, paths=whole.paths[:KEPT])
        markdown = render_fleets_markdown(whole).encode(errors="replace")
        report = Report(markdown=zlib.compress(markdown), json=zlib.compress(whole.to_json()), whole=True)
    return WindowsAnswer(comparison=short, unreadable=(readers[0].failed, readers[1].failed), report=report)


class _Reader:
    """Decodes what a spool holds, trace by trace, and counts what cannot be."""

    def __init__(self, spooled: Spooled) -> None:
        self._spooled = spooled
        self.failed = 0

    def __iter__(self) -> Iterator[Trace]:
        with Path(self._spooled.path).open("rb") as file:
            for body in self._spooled.bodies:
                try:
                    yield decode(file.read(body.size), body.wire)
                except AnalysisError:
                    self.failed += 1


def root_call(trace: Fetched) -> RootCall:
    """Say of which root call a trace is; raises `AnalysisError` when it cannot be read."""
    return RootCall.of(_read("B", *trace))


def _read(letter: str, body: bytes, wire: WireFormat) -> Trace:
    try:
        return decode(body, wire)
    except AnalysisError as error:
        raise AnalysisError(f"Trace {letter} cannot be read: {error}.") from None


def _readable(bodies: Iterable[Fetched]) -> Iterator[Trace]:
    for body, wire in bodies:
        with contextlib.suppress(AnalysisError):
            yield decode(body, wire)


def work(job: Job, bodies: Sequence[bytes], options: CompareOptions = DEFAULTS) -> Outcome:
    """Do one job; never raises."""
    timed = Timed()
    try:
        outcome = _work(job, bodies, timed, options)
    except AnalysisError as error:
        outcome = Outcome(error=str(error))
    except Exception as error:  # noqa: BLE001 - it is told, and this process ends
        outcome = Outcome(fault=_fault(error))
    return msgspec.structs.replace(outcome, steps=tuple(timed.steps))


def _work(job: Job, bodies: Sequence[bytes], timed: Timed, options: CompareOptions) -> Outcome:
    fetched = [(body, its.wire) for body, its in zip(bodies, job.bodies, strict=True)]
    if isinstance(job, Draw):
        with timed("draw"):
            return Outcome(picture=render_png(job.comparison, job.course))
    if isinstance(job, CompareWindows):
        return Outcome(windows=windows_compared(job.baseline, job.suspect, timed, options))
    if isinstance(job, Look):
        with timed("decode"):
            return Outcome(root=root_call(fetched[0]))
    both = (
        compared(fetched[0], fetched[1], timed, options)
        if job.baseline
        else compared_with_typical(fetched[0], fetched[1:], timed, options)
    )
    with timed("report"):
        return Outcome(answer=_answer(both, options))


def _fault(error: Exception) -> str:
    """Name an error and the last places that it came through."""
    frames = traceback.extract_tb(error.__traceback__)[-PLACES:]
    places = " < ".join(f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in reversed(frames))
    return f"{type(error).__name__} at {places}"


def _answer(both: Compared, options: CompareOptions = DEFAULTS) -> Answer:
    comparison = both.comparison
    short = msgspec.structs.replace(
        comparison, contributions=comparison.contributions[:KEPT], findings=comparison.findings[:KEPT]
    )
    return Answer(
        comparison=short, table=table(comparison), population=both.population,
        failed=any(len(part.path) == 1 and part.suspect_errors for part in comparison.contributions),
        evidence=evidence(short, both.baseline, both.suspect, options), report=_report(comparison, short),
    )  # fmt: skip


def _report(comparison: Comparison, short: Comparison) -> Report:
    body = comparison.to_json()
    whole = len(body) <= MAX_REPORT_BYTES
    return Report(
        markdown=zlib.compress(render_markdown(comparison).encode(errors="replace")),
        json=zlib.compress(body if whole else short.to_json()), whole=whole,
    )  # fmt: skip


def main() -> None:
    """Serve jobs until standard input closes; an argument says what else is secret."""
    # A terminal's Ctrl-C and some platforms' SIGTERM reach the whole group: the bot decides when its children end,
    # after the comparisons under way. (When it dies itself, standard input closes.)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY_BYTES, MAX_MEMORY_BYTES))
    options = options_of(sys.argv[1]) if len(sys.argv) > 1 else DEFAULTS
    jobs, outcomes = sys.stdin.buffer, sys.stdout.buffer
    while len(length := jobs.read(LENGTH.size)) == LENGTH.size:
        job = msgspec.msgpack.decode(jobs.read(LENGTH.unpack(length)[0]), type=Job)
        bodies = [jobs.read(body.size) for body in job.bodies]
        outcome = work(job, bodies, options)
        answer = msgspec.msgpack.encode(outcome)
        outcomes.write(LENGTH.pack(len(answer)) + answer)
        outcomes.flush()
        if outcome.fault:
            break  # nobody knows in which state it left us


if __name__ == "__main__":
    main()
