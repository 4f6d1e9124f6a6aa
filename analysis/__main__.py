"""The command line: compare two trace files.

    python -m analysis healthy.json slow.json

The only file of the engine that reads files or prints. Exit status 0: compared; 2: bad input, said in one
line on standard error.
"""

from __future__ import annotations

import argparse
import gzip
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from analysis import (
    DEFAULTS,
    AnalysisError,
    DecodeError,
    Population,
    compare,
    decode_many,
    render_markdown,
    render_text,
)
from analysis.picture import render_png, render_svg

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis import Comparison, Trace

EXIT_BAD_INPUT = 2
EXIT_INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    options = _parser().parse_args(argv)
    try:
        comparison = _compare(options)
    except (AnalysisError, OSError, EOFError, gzip.BadGzipFile) as error:
        print(f"compare-traces: {_sentence(error)}", file=sys.stderr)
        return EXIT_BAD_INPUT
    for path, render in ((options.png, render_png), (options.svg, render_svg)):
        if path:
            try:
                Path(path).write_bytes(render(comparison))
            except OSError as error:
                print(f"compare-traces: cannot write {path}: {error.strerror}", file=sys.stderr)
                return EXIT_BAD_INPUT
    if options.json:
        text = msgspec.json.format(comparison.to_json(), indent=2).decode() + "\n"
    else:
        text = render_markdown(comparison) if options.markdown else render_text(comparison)
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        sys.stderr.close()  # the reader left (as `| head` does): that is its right, not an error
    return 0


def entry() -> None:
    """Run as the installed command."""
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="compare-traces",
        description="Compare two distributed traces: what differs, where the time went, and why.",
        epilog="Files are Jaeger JSON, Tempo or OTLP JSON, or OTLP protobuf, also gzipped; '-' reads standard input. "
        "FILE#TRACE_ID picks one trace of a file that holds several.",
    )
    parser.add_argument("baseline", metavar="A", help="the trace believed healthy")
    parser.add_argument("suspect", metavar="B", help="the trace to explain")
    parser.add_argument("--population", metavar="PATH", nargs="+", default=[], help="recent traces of the operation")
    parser.add_argument("--png", metavar="FILE", help="also draw a picture")
    parser.add_argument("--svg", metavar="FILE", help="also draw a picture, as SVG")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print the whole comparison as JSON")
    form.add_argument("--markdown", action="store_true", help="print a Markdown report")
    return parser


def _compare(options: argparse.Namespace) -> Comparison:
    baseline, suspect = _trace(options.baseline), _trace(options.suspect)
    population = Population.from_traces(_population(options.population)) if options.population else None
    return compare(baseline, suspect, population, DEFAULTS)


def _population(paths: list[str]) -> list[Trace]:
    files = [file for path in map(Path, paths) for file in (sorted(path.iterdir()) if path.is_dir() else [path])]
    traces: list[Trace] = []
    for file in files:
        if file.is_file():
            traces.extend(decode_many(_read(str(file))))
    return traces


def _trace(reference: str) -> Trace:
    """Read the one trace that a command-line argument names."""
    name, mark, wanted = reference.rpartition("#")
    if not mark or Path(reference).exists():
        name, wanted = reference, ""
    try:
        traces = decode_many(_read(name))
    except DecodeError as error:
        raise DecodeError(f"{name}: {error}") from None
    if wanted:
        traces = tuple(trace for trace in traces if trace.trace_id.endswith(wanted.lower()))
        if not traces:
            raise DecodeError(f"{name}: no trace {wanted} in this file")
    if len(traces) > 1:
        ids = ", ".join(f"{name}#{trace.trace_id}" for trace in traces[:3])
        raise DecodeError(f"{name}: {len(traces)} traces in this file: pick one, as in {ids}")
    return traces[0]


def _read(name: str) -> bytes:
    body = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    return gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body


def _sentence(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename:
        return f"cannot read {error.filename}: {error.strerror}"
    return str(error)


if __name__ == "__main__":
    entry()
