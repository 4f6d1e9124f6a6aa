"""The picture: both traces at a glance on one time axis, A above B in every row.

    row        A  |==##==========|
               B  |==##########################==|   +1.14 s
                   = running    # on the critical path: what the response waited for

    course     |____.-----   how the operation's requests went over some hours, where somebody measured that

Drawn with matplotlib, which brings its own fonts; the same comparison gives the same bytes. Readable on a phone:
few rows, large type, dark bars with light labels on a background of its own.
"""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from analysis.comparison import VerdictKind
from analysis.format import change, duration, shorten

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from analysis.comparison import Comparison, Lane, TimelineRow

WIDTH_INCHES, ROW_INCHES, HEAD_INCHES = 9.0, 0.62, 1.35
DOTS_PER_INCH = 150
BACK, INK, SOFT = "#ffffff", "#1d1c1d", "#616061"
COLOURS = (("#c9d6e4", "#2d6a9f"), ("#f0d3d8", "#c2185b"))  # (running, exposed) of A and of B
FONT = "DejaVu Sans"  # comes with matplotlib
LESS = "#2e7d32"
MARGIN = 0.12  # of the time axis, right of the longest bar
ROOM = 70  # characters of a mark that fit into the length of the axis
LABEL = 42  # characters
COURSE_INCHES = 1.25  # of the strip below the rows
MARK_SHARE = 0.02  # of the longer request: smaller changes get no label


class Course(Struct, frozen=True, kw_only=True):
    """How the requests of an operation went over some hours: (unix seconds, ns or share); `since` when it changed."""

    title: str
    points: tuple[tuple[int, float], ...]
    shares: bool  # the points are shares (of failures), not durations
    since: int | None = None


def render_png(comparison: Comparison, course: Course | None = None) -> bytes:
    """Draw a comparison as a PNG picture, with a course below it."""
    return _draw(comparison, "png", course)


def render_svg(comparison: Comparison) -> bytes:
    """Draw a comparison as an SVG picture."""
    return _draw(comparison, "svg", None)


def _draw(comparison: Comparison, form: str, course: Course | None) -> bytes:
    import matplotlib as mpl  # noqa: PLC0415 - loaded only by who wants a picture
    from matplotlib.figure import Figure  # noqa: PLC0415 - see above

    with mpl.rc_context({"font.family": FONT, "svg.hashsalt": "compare-traces", "svg.fonttype": "path"}):
        rows = comparison.timeline
        strip = COURSE_INCHES if course is not None else 0.0
        height = HEAD_INCHES + ROW_INCHES * max(1, len(rows)) + strip
        figure = Figure(figsize=(WIDTH_INCHES, height), dpi=DOTS_PER_INCH, facecolor=BACK)
        axes = figure.add_axes((0.02, (0.42 + strip) / height, 0.96, 1 - (HEAD_INCHES + strip) / height))
        _rows(axes, rows, comparison)
        _head(axes, comparison)
        if course is not None:
            _course(figure.add_axes((0.02, 0.34 / height, 0.96, (strip - 0.80) / height)), course, comparison)
        out = io.BytesIO()
        figure.savefig(out, format=form, metadata={"Date": None} if form == "svg" else {"Software": None})
    return out.getvalue()


def _head(axes: Axes, comparison: Comparison) -> None:
    response = comparison.response_time
    words = {
        VerdictKind.IDENTICAL: "identical",
        VerdictKind.NO_MEANINGFUL_DIFFERENCE: "no meaningful difference",
        VerdictKind.NOT_COMPARABLE: "another operation than A",
    }
    said = words.get(comparison.verdict.kind, change(response.delta_ns))
    title = f"{shorten(_plain(comparison.suspect.root), 60) or 'request'}   {said}"
    inch = 1 / _inches(axes)
    axes.text(0, 1 + 0.36 * inch, title, transform=axes.transAxes, fontsize=14, fontweight="bold", color=INK,
              va="bottom", parse_math=False)  # fmt: skip
    rest = response.delta_ns - sum(row.delta_ns for row in comparison.timeline)
    pieces = (
        (f"A {duration(response.baseline_ns)}", COLOURS[0][1], 0.0),
        (f"B {duration(response.suspect_ns)}", COLOURS[1][1], 0.16),
        ("dark: what the response waited for", SOFT, 0.32),
        (f"rows not shown: {change(rest)}", SOFT, 0.70),
    )
    for text, colour, at in pieces:
        axes.text(at, 1 + 0.1 * inch, text, transform=axes.transAxes, fontsize=11, color=colour, va="bottom",
                  fontweight="normal" if colour == SOFT else "bold")  # fmt: skip


def _inches(axes: Axes) -> float:
    return axes.bbox.height / DOTS_PER_INCH


def _rows(axes: Axes, rows: tuple[TimelineRow, ...], comparison: Comparison) -> None:
    longest = max(comparison.response_time.baseline_ns, comparison.response_time.suspect_ns, 1)
    ends = [end for row in rows for lane in (row.baseline, row.suspect) for _, end in lane.spans]
    far = max([longest, *(end for end in ends if end < 20 * longest)])
    axes.set_xlim(-0.004 * far, far * (1 + MARGIN))
    axes.set_ylim(max(1, len(rows)), 0)
    for number, row in enumerate(rows):
        _lane(axes, row.baseline, number + 0.40, COLOURS[0], far)
        _lane(axes, row.suspect, number + 0.64, COLOURS[1], far)
        name = shorten(_plain(f"{row.label}  ({row.service})" if row.service else row.label), LABEL + 20)
        calls = f"  {row.baseline_calls} → {row.suspect_calls} calls" if row.baseline_calls != row.suspect_calls else ""
        axes.text(0, number + 0.30, name + calls, fontsize=11, color=INK, va="bottom", parse_math=False)
        text, grew = _mark(row, longest)
        if text:
            last = max((end for lane in (row.baseline, row.suspect) for _, end in lane.spans if end <= far), default=0)
            colour = COLOURS[1][1] if grew else LESS
            if len(text) <= (1 + MARGIN - last / far) * ROOM:
                axes.text(last + 0.01 * far, number + 0.63, text, fontsize=12, fontweight="bold", color=colour,
                          va="center")  # fmt: skip
            else:  # no room beside the bar: above it
                axes.text((1 + MARGIN) * far, number + 0.30, text, fontsize=12, fontweight="bold", color=colour,
                          va="bottom", ha="right")  # fmt: skip
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color("#cccccc")
    axes.set_yticks([])
    axes.xaxis.set_major_formatter(lambda value, _: duration(round(value)))
    axes.locator_params(axis="x", nbins=6, prune="upper")
    axes.tick_params(axis="x", labelsize=10, colors=SOFT, length=3)
    axes.grid(axis="x", color="#eeeeee", zorder=0)
    axes.set_axisbelow(True)


def _mark(row: TimelineRow, longest: int) -> tuple[str, bool]:
    """Say what of a row changed (its time, else when work begins that nobody waits for) and whether it grew."""
    if abs(row.delta_ns) >= MARK_SHARE * longest:
        return change(row.delta_ns), row.delta_ns > 0
    a, b = row.baseline, row.suspect
    if a.spans and b.spans and not a.exposed and not b.exposed:
        later = b.spans[0][0] - a.spans[0][0]
        if abs(later) >= MARK_SHARE * longest:
            return f"starts {change(later)}", later > 0
    return "", False


def _course(axes: Axes, course: Course, comparison: Comparison) -> None:
    """Draw a course as an area from zero, B's time as a line, the moment of change in another colour."""
    times, values = zip(*course.points, strict=True)
    top = max(values) or 1.0
    axes.fill_between(times, values, step="post", facecolor=COLOURS[0][0], edgecolor=COLOURS[0][1], linewidth=1.2)
    if course.since is not None:
        later = [(at, value) for at, value in course.points if at >= course.since]
        axes.fill_between([at for at, _ in later], [value for _, value in later], step="post",
                          facecolor=COLOURS[1][0], edgecolor=COLOURS[1][1], linewidth=1.2)  # fmt: skip
    axes.axvline(comparison.suspect.started_at_ns / 1e9, color=COLOURS[1][1], linewidth=1.0, linestyle="--")
    axes.set_ylim(0, top * 1.15)
    axes.set_xlim(times[0], max(times[-1], comparison.suspect.started_at_ns / 1e9))
    highest = f"{top * 100:.3g} %" if course.shares else duration(round(top))
    title = shorten(_plain(f"{course.title}; up to {highest}; dashed: B (times in UTC)"), 100)
    axes.text(0, 1.06, title, transform=axes.transAxes, fontsize=11, color=INK, va="bottom", parse_math=False)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color("#cccccc")
    axes.set_yticks([])
    axes.xaxis.set_major_formatter(lambda value, _: datetime.fromtimestamp(value, UTC).strftime("%H:%M"))
    axes.set_xticks([times[0] + (times[-1] - times[0]) * part // 8 for part in (1, 3, 5, 7)])
    axes.tick_params(axis="x", labelsize=10, colors=SOFT, length=3)


def _lane(axes: Axes, lane: Lane, at: float, colours: tuple[str, str], far: int) -> None:
    least = far * 0.002  # thinner than a pixel would vanish
    for pieces, colour, height in ((lane.spans, colours[0], 0.20), (lane.exposed, colours[1], 0.20)):
        bars = [(start, max(min(end, far) - start, least)) for start, end in pieces if start < far]
        axes.broken_barh(bars, (at - height / 2, height), facecolors=colour, linewidth=0)


def _plain(text: str) -> str:
    """Keep what the font can draw; a box stands for anything else."""
    from matplotlib.font_manager import findfont, get_font  # noqa: PLC0415 - see `_draw`

    font = get_font(findfont(FONT))
    return "".join(char if font.get_char_index(ord(char)) else "□" for char in text if char.isprintable())
