"""A comparison of two windows in lines: what every rendering says, in which order."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING

from msgspec import Struct

from analysis.fleet import words
from analysis.format import change, count, duration, shorten

if TYPE_CHECKING:
    from analysis.fleet.result import Exemplar, FleetCause, FleetComparison, FleetWindow, PathShare, Separator

WIDTH = 100
TOP = 8  # rows of the table of spans; the rest is one line
OTHERS = 6  # further changes told: more are read in the JSON


class Line(Struct, frozen=True):
    """One line of the report: its label ("Cause:", "  -", "") and its text."""

    label: str
    text: str


def lines(comparison: FleetComparison) -> list[Line]:
    """Say what two windows come to, most important first."""
    verdict = comparison.verdict
    said = [Line("", verdict.headline), Line("", "")]
    for cause in comparison.causes[:1]:
        said.append(Line("Cause:", cause_line(cause)))
        said += [Line("      -", text) for text in details(cause)]
    said.append(Line("Confidence:", f"{verdict.confidence.value}: " + "; ".join(verdict.reasons)))
    if comparison.response_time is not None:
        said.append(Line("Time:", words.response(comparison.response_time)))
    said += [Line("A ", window_line(comparison.baseline)), Line("B ", window_line(comparison.suspect))]
    for title, items in (
        ("What else changed", [cause_line(cause) for cause in comparison.causes[1 : OTHERS + 1]]),
        ("About the data", [note.text for note in comparison.notes]),
    ):
        if items:
            said += [Line("", ""), Line("", title), *(Line("  -", text) for text in items)]
    return said


def details(cause: FleetCause) -> list[str]:
    """Say what the requests that show a cause have in common, what follows from it, and which to open."""
    said = [separator_line(one) for one in cause.separators]
    if not said and cause.values_asked:
        said = [f"none of {count(cause.values_asked, 'value')} of attributes tells these requests from the others"]
    if cause.symptoms:
        more = f" and {len(cause.symptoms) - OTHERS} more" if len(cause.symptoms) > OTHERS else ""
        said.append(f"follows from it: changes of {', '.join(cause.symptoms[:OTHERS])}{more}")
    said.append(f"to open: {_exemplar(cause.typical)}; the worst {_exemplar(cause.worst)}")
    return said


def separator_line(one: Separator) -> str:
    """Say how a value separates: "zone = b of cart in 96 % of the slow requests, 4 % of the others"."""
    of = f" of {one.service}" if one.service else ""
    also = f" (the same requests: {', '.join(one.also)})" if one.also else ""
    slow, others = (
        ("requests of the slower window", "other's") if one.by_window else ("requests that show it", "others")
    )
    return (
        f"{one.attribute} = {one.value}{of} in {words.percent(one.slow_share)} of the {slow}, "
        f"{words.percent(one.other_share)} of the {others}{also}"
    )


def render_fleets(comparison: FleetComparison) -> str:
    """Render a comparison of two windows as text of at most 100 columns; ends with a newline."""
    text: list[str] = []
    for line in lines(comparison):
        text += _wrapped(line)
    if comparison.paths:
        text += ["", *_table(comparison)]
    return "\n".join(line.rstrip() for line in text) + "\n"


def _wrapped(line: Line) -> list[str]:
    label = f"{line.label} " if line.label else ""
    return wrap(label + line.text, WIDTH, subsequent_indent=" " * len(label), break_long_words=True) or [label]


def cause_line(cause: FleetCause) -> str:
    """Say a cause with the time that it makes of the mean request."""
    if cause.time is None:
        return cause.summary
    mean = f"{change(round(cause.time.mean_delta))} on average"
    if 0 < cause.share <= 1:
        mean += f", {words.percent(cause.share)} of the change"
    return f"{cause.summary} ({mean})"


def window_line(window: FleetWindow) -> str:
    """Say how long the requests of a window take, and which to open."""
    said = [count(window.traces, "trace"), f"median {duration(window.median_ns)}"]
    said += [f"95th percentile {duration(window.p95_ns)}", f"99th {duration(window.p99_ns)}"]
    if window.failing:
        said.append(f"{window.failing} failing")
    if window.first_started_at:
        said.append(f"{window.first_started_at} to {window.last_started_at}")
    if window.typical is not None and window.worst is not None:
        said.append(f"typical {_exemplar(window.typical)}, worst {_exemplar(window.worst)}")
    return ", ".join(said)


def _exemplar(one: Exemplar) -> str:
    return f"{one.trace_id} ({duration(one.response_ns)})"


def _table(comparison: FleetComparison) -> list[str]:
    listed = comparison.paths[:TOP]
    cells = [("operation", "service", "calls", "on the critical path", "change", "")]
    cells += [_row(one) for one in listed]
    widths = [max(len(row[column]) for row in cells) for column in range(6)]
    made = ["mean time on the critical path"]
    for operation, service, calls, times, moved, told in cells:
        made.append(
            f"  {operation:<{widths[0]}}  {service:<{widths[1]}}  {calls:>{widths[2]}}  {times:>{widths[3]}}"
            f"  {moved:>{widths[4]}}  {told}"
        )
    if rest := comparison.paths[TOP:]:
        made.append(f"  {count(len(rest), 'other group')}: {change(round(sum(one.delta_ns for one in rest)))}")
    return made


def group_name(one: PathShare) -> str:
    """Return what a group of spans is called, with what tells it from others of its name."""
    return f"{one.operation} {one.detail.removeprefix(one.operation).strip()}" if one.detail else one.operation


def _row(one: PathShare) -> tuple[str, str, str, str, str, str]:
    calls = f"{one.baseline_calls:.3g}"
    if f"{one.suspect_calls:.3g}" != calls:
        calls += f" -> {one.suspect_calls:.3g}"
    times = f"{duration(round(one.baseline_exposed_ns))} -> {duration(round(one.suspect_exposed_ns))}"
    moved = change(round(one.delta_ns))
    return shorten(group_name(one), 40), shorten(one.service, 20), calls, times, moved, "changed" if one.changed else ""
