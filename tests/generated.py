"""Hypothesis strategies for traces: plausible ones, and arbitrary span graphs as broken backends send them."""

from __future__ import annotations

from hypothesis import strategies as st

from analysis.model import Resource, Span, SpanKind, Trace

NAMES = ("GET /a", "GET /b", "query", "work", "publish", "GET /users/17")
SERVICES = ("front", "cart", "stock", "")
START = 1_700_000_000_000_000_000
PROCESSES = {
    (service, pod): Resource(service=service, attributes={"k8s.pod.name": pod}) for service in SERVICES for pod in "xy"
}


@st.composite
def span_graphs(draw: st.DrawFn, max_spans: int = 14) -> Trace:
    """Any spans at all: orphans, cycles, several roots, shared ids, negative durations, skewed clocks."""
    n = draw(st.integers(1, max_spans))
    ids = [f"{i + 1:016x}" for i in range(n)]
    spans = []
    for i in range(n):
        start = draw(st.integers(-50, 400))
        length = draw(st.integers(-5, 200))
        spans.append(
            Span(
                span_id=draw(st.sampled_from(ids)) if draw(st.booleans()) else ids[i],
                parent_id=draw(st.sampled_from(["", "f" * 16, *ids])),
                name=draw(st.sampled_from(NAMES)),
                kind=draw(st.sampled_from(list(SpanKind))),
                resource=PROCESSES[draw(st.sampled_from(SERVICES)), draw(st.sampled_from("xy"))],
                start_ns=START + start * 100_000,
                end_ns=START + (start + length) * 100_000,
                error=draw(st.booleans()),
                status_message="",
                sent=draw(
                    st.dictionaries(
                        st.sampled_from(["http.url", "db.statement", "http.status_code", "exception.type"]),
                        st.one_of(
                            st.text(max_size=12), st.integers(-5, 600), st.none(), st.lists(st.integers(), max_size=2)
                        ),
                        max_size=2,
                    )
                ),
                follows_from=draw(st.booleans()) and draw(st.booleans()),
            )
        )
    return Trace(trace_id=draw(st.sampled_from(["a" * 32, "b" * 32])), spans=tuple(spans))


@st.composite
def proper_trees(draw: st.DrawFn, max_spans: int = 12) -> Trace:
    """Well-formed traces: every child inside its parent, one process per service."""
    n = draw(st.integers(1, max_spans))
    spans: list[Span] = []
    for i in range(n):
        if not spans:
            low, high, parent = 0, draw(st.integers(1, 1_000)), ""
        else:
            above = draw(st.sampled_from(spans))
            parent = above.span_id
            low, high = above.start_ns - START, above.end_ns - START
        start = draw(st.integers(low, high)) if spans else 0
        end = draw(st.integers(start, high)) if spans else high
        spans.append(
            Span(
                span_id=f"{i + 1:016x}",
                parent_id=parent,
                name=draw(st.sampled_from(NAMES)) if spans else "root",
                kind=SpanKind.INTERNAL,
                resource=PROCESSES["front", "x"],
                start_ns=START + start,
                end_ns=START + end,
                error=False,
                status_message="",
                sent={},
            )
        )
    return Trace(trace_id="c" * 32, spans=tuple(spans))
