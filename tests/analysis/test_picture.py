"""The picture: drawn for anything, the same for the same input, small in what it needs."""

from __future__ import annotations

import struct
import xml.etree.ElementTree as ET

import pytest

from analysis import compare
from analysis.__main__ import main
from analysis.model import SpanKind
from analysis.picture import COURSE_INCHES, DOTS_PER_INCH, Course, render_png, render_svg
from analysis.timeline import PIECES, ROWS

MS = 1_000_000
PNG = b"\x89PNG\r\n\x1a\n"


def of(samples, name: str):
    """Return the comparison of a sample."""
    pair = next(s for s in samples.pairs if s.name == name)
    return compare(samples.trace(pair.baseline), samples.trace(pair.suspect))


@pytest.mark.parametrize("name", ["n-plus-one", "same-trace-twice", "different-operations", "missing-spans"])
def test_every_kind_of_answer_has_a_picture(samples, name) -> None:
    """PNG and SVG are drawn, wide enough for a phone, and are the same bytes each time."""
    result = of(samples, name)
    png, svg = render_png(result), render_svg(result)
    assert png.startswith(PNG)
    width, height = struct.unpack(">II", png[16:24])
    assert width == 1350
    assert 200 < height < 1600
    assert ET.fromstring(svg).tag.endswith("svg")  # noqa: S314 - our own picture
    assert render_png(result) == png
    assert render_svg(result) == svg


def test_the_picture_shows_what_is_blamed(samples) -> None:
    """A cause after the response has its row, although it took none of the response's time."""
    rows = of(samples, "queue-delay").timeline
    assert any(row.label == "process order-confirmation" for row in rows)
    assert len(rows) <= ROWS


@pytest.mark.parametrize("since", [None, 600, 1_200])
def test_a_course_is_drawn_below_the_requests(samples, since) -> None:
    """How the operation's requests went over some hours stands in a strip of its own; the rest stays as it was."""
    result = of(samples, "slow-query")
    points = tuple((at, float(at)) for at in range(0, 1_500, 300))
    course = Course(title="prom: p95 of $SELECT$\n in <b>", points=points, shares=since is None, since=since)
    with_course, without = (struct.unpack(">II", render_png(result, its)[16:24]) for its in (course, None))
    assert with_course[0] == without[0]
    assert with_course[1] - without[1] == pytest.approx(COURSE_INCHES * DOTS_PER_INCH, abs=1)


def test_names_of_any_script_and_with_markup_are_drawn(trace) -> None:
    """Dollar signs, line breaks, right-to-left and very long names are text, not mathematics or layout."""
    sides = []
    for slow in (1, 90):
        t = trace()
        root = t.span("$\\frac{a}{0}$ \n <b>", 0, 20 + slow, kind=SpanKind.SERVER, service="مرحبا")
        t.span("x" * 500, 5, 10 + slow, root, service="日本語")
        sides.append(t.build())
    assert render_png(compare(*sides)).startswith(PNG)


def test_the_nearest_spans_are_drawn_as_one(trace) -> None:
    """Of many pairs of calls the small gaps within the pairs are closed; the large ones between them stay."""
    sides = []
    for slow in (1, 3):
        t = trace()
        root = t.span("root", 0, 60 * 30 * slow)
        for i in range(60):
            at = 30 * i * slow
            t.span("call", at, at + slow, root)
            t.span("call", at + 2 * slow, at + 3 * slow, root)
        sides.append(t.build())
    (calls,) = [row for row in compare(*sides).timeline if row.label == "call"]
    lengths = [(end - start) // 1_000_000 for start, end in calls.baseline.spans]
    assert len(lengths) == PIECES - 20
    assert set(lengths) == {3}


def test_thousands_of_spans_stay_a_small_timeline(trace) -> None:
    """However many spans: few rows, few pieces in each."""
    sides = []
    for slow in (1, 3):
        t = trace()
        root = t.span("root", 0, 3000 * slow)
        for i in range(1000):
            t.span("call", slow * 3 * i, slow * (3 * i + 1), root)
        sides.append(t.build())
    result = compare(*sides)
    assert max(len(lane.spans) for row in result.timeline for lane in (row.baseline, row.suspect)) <= PIECES

    assert render_png(result).startswith(PNG)


def test_a_timeline_keeps_the_widest_gaps(trace) -> None:
    """Of more pieces than a lane has room for those are joined that lie nearest to each other."""
    sides = []
    for slow in (1, 2):
        t = trace()
        root = t.span("root", 0, 10_000 * slow)
        for burst in range(5):
            for i in range(100):
                at = 2_000 * burst + 10 * i
                t.span("call", slow * at, slow * (at + 5), root)
        sides.append(t.build())
    result = compare(*sides)
    (lane,) = [row.suspect for row in result.timeline if row.label == "call"]
    assert len(lane.spans) <= PIECES
    assert [start for start, _ in lane.spans if start % (4_000 * MS) == 0] == [4_000 * MS * burst for burst in range(5)]


def test_the_command_line_writes_pictures(samples, tmp_path, capsys) -> None:
    """--png and --svg write files beside the text; a path that cannot be written is said."""
    pair = samples.pairs[0]
    a, b = tmp_path / "a.json", tmp_path / "b.json"
    a.write_bytes(samples.jaeger(pair.baseline))
    b.write_bytes(samples.jaeger(pair.suspect))
    png, svg = tmp_path / "x.png", tmp_path / "x.svg"
    assert main([str(a), str(b), "--png", str(png), "--svg", str(svg)]) == 0
    assert png.read_bytes().startswith(PNG)
    assert b"<svg" in svg.read_bytes()
    assert main([str(a), str(b), "--png", str(tmp_path / "none" / "x.png")]) == 2
    assert "cannot write" in capsys.readouterr().err


def test_work_that_nobody_waits_for_shows_when_it_begins(trace) -> None:
    """A consumer explains no time of the response; its row says how much later it starts."""
    sides = []
    for wait in (2, 900):
        t = trace()
        root = t.span("POST /", 0, 30, kind=SpanKind.SERVER)
        send = t.span("send mail", 20, 21, root, kind=SpanKind.PRODUCER)
        t.span("process mail", 21 + wait, 31 + wait, send, kind=SpanKind.CONSUMER, service="mailer")
        sides.append(t.build())
    assert b"<!-- starts +898 ms -->" in render_svg(compare(*sides))


def test_work_that_begins_when_it_did_before_is_not_marked(trace) -> None:
    """Of two consumers, both beside the response, the one that starts as before only has its place."""
    sides = []
    for wait in (2, 900):
        t = trace()
        root = t.span("POST /", 0, 30, kind=SpanKind.SERVER)
        send = t.span("send mail", 20, 21, root, kind=SpanKind.PRODUCER)
        mail = t.span("process mail", 21 + wait, 31 + wait, send, kind=SpanKind.CONSUMER, service="mailer")
        audit = t.span("send audit", 22, 23, root, kind=SpanKind.PRODUCER)
        t.span("process audit", 24, 40 + wait, audit, kind=SpanKind.CONSUMER, service="auditor")
        t.span("deliver", 24 + wait, 30 + wait, mail, kind=SpanKind.CLIENT, service="mailer")
        sides.append(t.build())
    drawn = render_svg(compare(*sides))
    assert b"process audit" in drawn
    assert drawn.count(b"<!-- starts") == drawn.count(b"<!-- starts +898 ms -->")


def test_two_operations_are_said_to_be_two_in_the_title(trace) -> None:
    """A difference of two times means nothing when they are of different requests."""
    one, other = trace(), trace()
    one.span("GET /a", 0, 10, kind=SpanKind.SERVER)
    other.span("GET /b", 0, 90, kind=SpanKind.SERVER)
    assert b"another operation than A" in render_svg(compare(one.build(), other.build()))
