"""The process that decodes and compares: reads a job from standard input, writes the comparison to standard output.

Frames are a four-byte big-endian length and a msgpack value. A crash, an endless loop or gigabytes of memory
harm this process and the one comparison in it; `bot.runner` replaces it.
"""

from __future__ import annotations

import contextlib
import resource
import struct
import sys

import msgspec
from msgspec import Struct

from analysis import AnalysisError, WireFormat, compare, decode

HEADER = struct.Struct(">I")
MAX_MEMORY_BYTES = 4 * 1024**3


class Job(Struct, frozen=True, kw_only=True):
    """Two fetched traces."""

    baseline: bytes
    baseline_wire: WireFormat
    suspect: bytes
    suspect_wire: WireFormat


class Outcome(Struct, frozen=True, kw_only=True):
    """The comparison as JSON, or the sentence that says why there is none."""

    comparison: bytes = b""
    error: str = ""


def work(job: Job) -> Outcome:
    """Decode and compare two traces."""
    try:
        baseline = decode(job.baseline, job.baseline_wire)
    except AnalysisError as error:
        return Outcome(error=f"Trace A cannot be read: {error}.")
    try:
        suspect = decode(job.suspect, job.suspect_wire)
    except AnalysisError as error:
        return Outcome(error=f"Trace B cannot be read: {error}.")
    return Outcome(comparison=compare(baseline, suspect).to_json())


def main() -> None:
    """Serve jobs until standard input closes."""
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY_BYTES, MAX_MEMORY_BYTES))
    jobs, outcomes = sys.stdin.buffer, sys.stdout.buffer
    while len(header := jobs.read(HEADER.size)) == HEADER.size:
        body = jobs.read(HEADER.unpack(header)[0])
        outcome = msgspec.msgpack.encode(work(msgspec.msgpack.decode(body, type=Job)))
        outcomes.write(HEADER.pack(len(outcome)) + outcome)
        outcomes.flush()


if __name__ == "__main__":
    main()
