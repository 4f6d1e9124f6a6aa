"""The command line: compare two trace files, or two folders of traces.

    python -m analysis healthy.json slow.json
    python -m analysis --fleet last-week/ today/

The only file of the engine that reads files or prints. Exit status 0: compared; 2: bad input, said in one
line on standard error; 130: interrupted.
"""

from __future__ import annotations

import argparse
import gzip
import sys
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec import structs

from analysis import (
    AnalysisError,
    DecodeError,
    Population,
    __version__,
    compare,
    compare_fleets,
    decode_many,
    render_fleets,
    render_fleets_markdown,
    render_markdown,
    render_text,
)
from analysis.format import count
from analysis.notes import Note, Severity
from analysis.picture import render_png, render_svg

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analysis import Comparison, Trace

EXIT_BAD_INPUT = 2
EXIT_INTERRUPTED = 130

EXAMPLES = """\
A and B are files of Jaeger JSON, Tempo or OTLP JSON, or OTLP protobuf, also gzipped; '-' reads standard input.
FILE#TRACE_ID picks one trace of a file that holds several.

examples:
  compare-traces healthy.json slow.json
      what differs, what caused it, how sure that is, and what to do next
  compare-traces healthy.json slow.json --population recent/
      the same, judged against recent requests of the operation: how usual is either, do others show the cause too
  compare-traces day.json#a3ce929d0e0e4736 day.json#902bb8c2f1a90d17 --markdown > report.md
  curl -s http://jaeger-query:16686/api/traces/00f067aa0ba902b7 | compare-traces healthy.json - --json
  compare-traces --fleet last-week/ today/
      which operations of two windows differ, since when, and what their slow requests share

exit status:
  0    compared, whatever came out
  2    bad input or options; standard error says in one line what and where
  130  interrupted
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    parser = make_parser()
    options = parser.parse_args(argv)
    if options.fleet and (options.population or options.png or options.svg):
        parser.error("--fleet prints text, JSON or Markdown; it takes no population and draws no picture")
    try:
        if options.fleet:
            return _print(_fleets(options))
        comparison = _compare(options)
    except (AnalysisError, OSError, EOFError, zlib.error) as error:
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
    return _print(text)


def _print(text: str) -> int:
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


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of this command line."""
    parser = argparse.ArgumentParser(
        prog="compare-traces",
        description="Compare two distributed traces: what differs, where the time went, and why.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    parser.add_argument("baseline", metavar="A", help="the trace believed healthy (with --fleet: a folder of them)")
    parser.add_argument("suspect", metavar="B", help="the trace to explain (with --fleet: a folder of them)")
    parser.add_argument("--fleet", action="store_true", help="compare the requests of two windows of time, not two")
    parser.add_argument("--population", metavar="PATH", nargs="+", default=[], help="files or folders of recent traces")
    parser.add_argument("--png", metavar="FILE", help="also draw a picture")
    parser.add_argument("--svg", metavar="FILE", help="also draw a picture, as SVG")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print the whole comparison as JSON")
    form.add_argument("--markdown", action="store_true", help="print a Markdown report")
    return parser


def _compare(options: argparse.Namespace) -> Comparison:
    baseline, suspect = _trace(options.baseline), _trace(options.suspect)
    if not options.population:
        return compare(baseline, suspect)
    recent = _Recent(options.population)
    population = Population.from_traces(recent)
    comparison = compare(baseline, suspect, population)
    return structs.replace(comparison, notes=(*comparison.notes, *recent.notes(population)))


def _fleets(options: argparse.Namespace) -> str:
    windows = [
        _Recent([path], f"window {letter}") for letter, path in (("A", options.baseline), ("B", options.suspect))
    ]
    comparison = compare_fleets(windows[0], windows[1])
    skipped = [note for window in windows for note in window.unread()]
    comparison = structs.replace(comparison, notes=(*comparison.notes, *skipped))
    if options.json:
        return msgspec.json.format(comparison.to_json(), indent=2).decode() + "\n"
    return render_fleets_markdown(comparison) if options.markdown else render_fleets(comparison)


class _Recent:
    """The traces of files and folders, one file at a time; remembers what it could not read."""

    def __init__(self, paths: list[str], name: str = "population") -> None:
        self._name = name
        self._files: list[Path] = []
        for path in map(Path, paths):
            self._files += sorted(p for p in path.iterdir() if p.is_file()) if path.is_dir() else [path]
        self._traces = 0
        self._skipped: list[str] = []

    def __iter__(self) -> Iterator[Trace]:
        for file in _counted(self._files, self._name):
            try:
                found = decode_many(_read(str(file)))
            except (DecodeError, EOFError, OSError, zlib.error) as error:
                if isinstance(error, OSError) and not isinstance(error, gzip.BadGzipFile):
                    raise  # a path that is not there is a slip of the hand, not a broken trace
                self._skipped.append(f"{file.name}: {error}")
                continue
            self._traces += len(found)
            yield from found
        if not self._traces:
            broken = f"; {self._skipped[0]}" if self._skipped else ""
            raise DecodeError(f"{self._name}: no trace in {count(len(self._files), 'file')}{broken}")

    def notes(self, population: Population) -> Iterator[Note]:
        """Say what of the files is not in the population."""
        yield from self.unread()
        if other := self._traces - len(population.samples):
            text = (
                f"population: {other} of {count(self._traces, 'trace')} left out: another operation, repeated, or older"
            )
            yield Note(code="population-traces-left-out", severity=Severity.INFO, count=1, text=text)

    def unread(self) -> Iterator[Note]:
        """Say which files could not be read."""
        if self._skipped:
            text = f"{self._name}: {count(len(self._skipped), 'file')} could not be read, the first {self._skipped[0]}"
            code = f"{self._name.partition(' ')[0]}-files-skipped"
            yield Note(code=code, severity=Severity.WARNING, count=1, text=text)


def _counted(files: list[Path], name: str) -> Iterator[Path]:
    """Say on a terminal how far the reading of these files is; the line is gone when it ends."""
    if not sys.stderr.isatty():
        yield from files
        return
    shown = ""
    try:
        for number, file in enumerate(files):
            if (percent := f"{100 * number // len(files)} %") != shown:
                shown = percent
                sys.stderr.write(f"\rreading {name}: {percent} of {count(len(files), 'file')} ")
                sys.stderr.flush()
            yield file
    finally:
        sys.stderr.write(f"\r{' ' * 60}\r")
        sys.stderr.flush()


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
