"""The process that decodes and compares: reads jobs from standard input, writes answers to standard output.

    job:      length (4 bytes) | head (msgpack) | body of A | body of B
    outcome:  length (4 bytes) | outcome (msgpack)

A crash, an endless loop or gigabytes of memory harm this process and the one comparison in it; `bot.runner`
replaces it. What goes back is small whatever the traces were: reading it must not hold up the event loop.
"""

from __future__ import annotations

import contextlib
import resource
import signal
import struct
import sys

import msgspec
from msgspec import Struct

from analysis import AnalysisError, Comparison, Trace, WireFormat, compare, decode
from analysis.report import Table, table

LENGTH = struct.Struct(">I")
MAX_MEMORY_BYTES = 4 * 1024**3
KEPT = 100  # contributions and findings sent back: more than any message shows


class Head(Struct, frozen=True, kw_only=True):
    """What precedes the bodies of two fetched traces."""

    baseline_bytes: int
    baseline_wire: WireFormat
    suspect_bytes: int
    suspect_wire: WireFormat


class Answer(Struct, frozen=True, kw_only=True):
    """What the bot needs to answer: the comparison, without its long tail, and the table made from all of it."""

    comparison: Comparison
    table: Table


class Outcome(Struct, frozen=True, kw_only=True):
    """An answer, or the sentence that says why there is none."""

    answer: Answer | None = None
    error: str = ""


def compared(baseline: bytes, baseline_wire: WireFormat, suspect: bytes, suspect_wire: WireFormat) -> Comparison:
    """Decode and compare two traces; raises the engine's `AnalysisError` with a sentence for people."""
    return compare(_read("A", baseline, baseline_wire), _read("B", suspect, suspect_wire))


def _read(letter: str, body: bytes, wire: WireFormat) -> Trace:
    try:
        return decode(body, wire)
    except AnalysisError as error:
        raise AnalysisError(f"Trace {letter} cannot be read: {error}.") from None


def work(head: Head, baseline: bytes, suspect: bytes) -> Outcome:
    """Answer one job."""
    try:
        comparison = compared(baseline, head.baseline_wire, suspect, head.suspect_wire)
    except AnalysisError as error:
        return Outcome(error=str(error))
    short = msgspec.structs.replace(
        comparison, contributions=comparison.contributions[:KEPT], findings=comparison.findings[:KEPT]
    )
    return Outcome(answer=Answer(comparison=short, table=table(comparison)))


def main() -> None:
    """Serve jobs until standard input closes."""
    # A terminal's Ctrl-C and some platforms' SIGTERM reach the whole group: the bot decides when its children end,
    # after the comparisons under way. (When it dies itself, standard input closes.)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY_BYTES, MAX_MEMORY_BYTES))
    jobs, outcomes = sys.stdin.buffer, sys.stdout.buffer
    while len(length := jobs.read(LENGTH.size)) == LENGTH.size:
        head = msgspec.msgpack.decode(jobs.read(LENGTH.unpack(length)[0]), type=Head)
        baseline, suspect = jobs.read(head.baseline_bytes), jobs.read(head.suspect_bytes)
        outcome = msgspec.msgpack.encode(work(head, baseline, suspect))
        outcomes.write(LENGTH.pack(len(outcome)) + outcome)
        outcomes.flush()


if __name__ == "__main__":
    main()
