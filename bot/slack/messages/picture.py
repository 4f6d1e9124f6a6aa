"""The picture of both requests, and what it shows in words. Pure; drawn elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.format import change, duration, short_id
from bot.requests.wording import moment
from bot.slack.elements import File
from bot.slack.limits import ALT_TEXT
from bot.slack.messages.root import NO_CAUSE
from bot.slack.text import clean

if TYPE_CHECKING:
    from analysis import Comparison
    from analysis.comparison import TimelineRow
    from analysis.picture import Course


def has_picture(comparison: Comparison) -> bool:
    """Tell whether two requests are worth drawing one above the other."""
    return bool(comparison.timeline) and comparison.verdict.kind not in NO_CAUSE


def caption(comparison: Comparison) -> str:
    """Return what stands above the picture."""
    response = comparison.response_time
    return (
        f"Both requests on one time axis: A {duration(response.baseline_ns)}, B {duration(response.suspect_ns)}. "
        "Dark is what the response waited for."
    )


def picture(comparison: Comparison, key: str, body: bytes, course: Course | None = None) -> File:
    """Return the picture as a file; `key` names the request that it answers."""
    a, b = short_id(comparison.baseline.trace_id), short_id(comparison.suspect.trace_id)
    rows = "; ".join(map(_row, comparison.timeline))
    said = f"{comparison.verdict.headline}. Both requests on one time axis, A above B in each row: {rows}."
    if course is not None:
        said = f"{comparison.verdict.headline}. Below both requests, {_hours(course)}. A above B in each row: {rows}."
    return File(
        name=f"compare-{a}-{b}-{key}.png", title=f"A {a} above B {b}", body=body, alt_text=clean(said, ALT_TEXT)
    )


def _hours(course: Course) -> str:
    """Say what the strip below the rows shows."""
    values = [value for _, value in course.points]
    low, high = ((f"{v * 100:.3g} %" if course.shares else duration(round(v))) for v in (min(values), max(values)))
    start, end = course.points[0][0], course.points[-1][0]
    return f"{clean(course.title, 160)} from {moment(start, end)} to {moment(end, end)}: {low} to {high}"


def _row(row: TimelineRow) -> str:
    calls = f", {row.baseline_calls} → {row.suspect_calls} calls" if row.baseline_calls != row.suspect_calls else ""
    where = f" in {row.service}" if row.service else ""
    return f"{clean(row.label, 60)}{where} {change(row.delta_ns)}{calls}"
