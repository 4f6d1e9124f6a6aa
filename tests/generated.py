"""Hypothesis strategies for traces: plausible ones, arbitrary span graphs, and what only a hostile sender makes up."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from hypothesis import strategies as st
from msgspec.structs import replace

from analysis.model import Event, Link, Resource, Span, SpanKind, Trace

if TYPE_CHECKING:
    import random

NAMES = ("GET /a", "GET /b", "query", "work", "publish", "GET /users/17")
SERVICES = ("front", "cart", "stock", "")
START = 1_700_000_000_000_000_000
PROCESSES = {
    (service, pod): Resource(service=service, attributes={"k8s.pod.name": pod}) for service in SERVICES for pod in "xy"
}

# Names, values and keys as a sender can put them into a trace, whatever the conventions say.
ODD_TEXTS = (
    *("", " ", "²", "٣", "-1", "1e999", "0x", "NaN", "true", "\x00", "a\nb", "\u202egnirts", "🦊" * 9, "{}", "%s %d"),
    *("SET " * 400, "GET", "HTTP GET", "SELECT", "SELECT * FROM t WHERE id IN (1, 2)", "/" * 50, "://", "http://[", "a:b:c"),
    *("http://u:p@h:80/x?y#z", "x" * 5_000, "'" * 31, "/*", "MGET k1 k2", "429", "DEADLINE_EXCEEDED", "<!channel> `*_", "[::1]:8"),
)  # fmt: skip
KEYS = (
    *("http.request.method", "http.method", "http.url", "url.full", "url.path", "http.route", "http.status_code"),
    *("http.response.status_code", "db.system", "db.system.name", "db.statement", "db.query.text", "db.collection.name"),
    *("rpc.system", "rpc.service", "rpc.method", "rpc.grpc.status_code", "messaging.system", "peer.service"),
    *("messaging.destination.name", "messaging.batch.message_count", "server.address", "net.peer.name", "error.type"),
    *("feature_flag.key", "feature_flag.variant", "cache.hit", "pool.size", "wait_ms", "queue_time_ms", "row_count"),
    *("http.response.body.size", "http.request.resend_count", "exception.type", "exception.message", "faas.coldstart"),
    *("service.version", "k8s.pod.name", "host.name", "cloud.region", "message", "level", "event", "otel.scope.name", ""),
)  # fmt: skip
ODD_NUMBERS = (0, -1, 1, 2, 429, 503, 2**31, 2**63 - 1, 2**63, -(2**63), 10**30, 0.0, -0.0, 1.5, math.nan, math.inf, -math.inf, 1e308)  # fmt: skip
ODD_TIMES = (0, 1, -1, 2**63 - 1, 2**64 - 1, -(2**63), 10**30, 253_370_764_800_000_000_000)

texts = st.one_of(st.sampled_from(ODD_TEXTS), st.text(max_size=8))
scalars = st.one_of(texts, st.sampled_from(ODD_NUMBERS), st.booleans(), st.none())
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=2),
    max_leaves=4,
)
bags = st.dictionaries(st.one_of(st.sampled_from(KEYS), texts), values, max_size=4)


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
def hostile_traces(draw: st.DrawFn, max_spans: int = 7) -> Trace:
    """What no instrumentation sends: odd texts and values everywhere, absurd times, ids empty and shared."""
    n = draw(st.integers(1, max_spans))
    ids = ["", *(f"{i + 1:016x}" for i in range(n))]
    times = st.one_of(st.integers(0, 10**9).map(START.__add__), st.sampled_from(ODD_TIMES))
    # Drawn once and handed out to the spans: as odd as drawn for each, and far quicker.
    said = st.sampled_from(draw(st.lists(texts, min_size=2, max_size=4)))
    bag = st.sampled_from(draw(st.lists(bags, min_size=2, max_size=3)))
    resource = st.sampled_from([Resource(service=draw(said), attributes=draw(bag)) for _ in range(2)])
    event = Event(name=draw(said), time_ns=draw(times), attributes=draw(bag))
    link = Link(trace_id=draw(said), span_id=draw(st.sampled_from(ids)))
    spans = st.builds(
        Span,
        span_id=st.sampled_from(ids),
        parent_id=st.sampled_from([*ids, "f" * 16]),
        name=said,
        kind=st.sampled_from(list(SpanKind)),
        resource=resource,
        start_ns=times,
        end_ns=times,
        error=st.booleans(),
        status_message=said,
        sent=bag,
        events=st.sampled_from([(), (event,)]),
        links=st.sampled_from([(), (link,)]),
        follows_from=st.booleans(),
    )
    return Trace(trace_id=draw(said), spans=tuple(draw(st.lists(spans, min_size=n, max_size=n))))


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


@st.composite
def variants(draw: st.DrawFn, traces: st.SearchStrategy[Trace]) -> tuple[Trace, Trace]:
    """A trace and what a change makes of it: some spans longer, gone, doubled, renamed or failing."""
    a = stretched(draw(traces), draw(st.sampled_from([1, 1_000, 100_000])))
    longer = st.sampled_from([1_000, 10**7, 10**9]).flatmap(lambda most: st.integers(0, most))
    spans = []
    for number, span in enumerate(a.spans):
        match draw(st.sampled_from(["same", "same", "same", "longer", "gone", "again", "renamed", "failing"])):
            case "longer":
                spans.append(replace(span, end_ns=span.end_ns + draw(longer)))
            case "gone":
                continue
            case "again":
                copies = range(draw(st.integers(1, 5)))
                spans += [span, *(replace(span, span_id=f"{number:08x}{copy:08x}") for copy in copies)]
            case "renamed":
                spans.append(replace(span, name=draw(st.sampled_from(NAMES))))
            case "failing":
                spans.append(replace(span, error=not span.error))
            case _:
                spans.append(span)
    return a, Trace(trace_id=draw(st.sampled_from([a.trace_id, "d" * 32])), spans=tuple(spans or a.spans))


def stretched(trace: Trace, factor: int) -> Trace:
    """Return the trace with every time this many times as far from the start."""
    return replace(
        trace,
        spans=tuple(
            replace(s, start_ns=START + (s.start_ns - START) * factor, end_ns=START + (s.end_ns - START) * factor)
            for s in trace.spans
        ),
    )


def shuffled(trace: Trace, rng: random.Random) -> Trace:
    """Return the trace with its spans in another order."""
    spans = list(trace.spans)
    rng.shuffle(spans)
    return replace(trace, spans=tuple(spans))


def under_other_ids(trace: Trace) -> Trace:
    """Return the same content under a trace id and span ids of its own."""
    trace_id = "e" * 32 if trace.trace_id != "e" * 32 else "f" * 32

    def linked(span: Span) -> tuple[Link, ...]:
        return tuple(
            Link(trace_id, _other(its.span_id)) if its.trace_id == trace.trace_id else its for its in span.links
        )

    return Trace(
        trace_id=trace_id,
        spans=tuple(
            replace(s, span_id=_other(s.span_id), parent_id=_other(s.parent_id), links=linked(s)) for s in trace.spans
        ),
    )


def _other(span_id: str) -> str:
    return "9" + span_id[1:] if span_id else ""


any_trace = st.one_of(span_graphs(), proper_trees(), hostile_traces())
any_pair = st.one_of(
    variants(span_graphs()), variants(proper_trees()), variants(hostile_traces()), st.tuples(any_trace, any_trace)
)
