"""Repair: broken traces become trees, and every mend is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from generated import span_graphs
from hypothesis import given
from msgspec.structs import replace
from proving import examples

from analysis import compare
from analysis.model import Link, SpanKind
from analysis.options import DEFAULTS
from analysis.repair import repair
from analysis.tree import DETACHED

if TYPE_CHECKING:
    from analysis import Trace

MS = 1_000_000
CLIENT, SERVER = SpanKind.CLIENT, SpanKind.SERVER


def codes(tree) -> dict[str, int]:
    """Return note code -> count."""
    return {note.code: note.count for note in tree.notes}


def parent_name(tree, name: str) -> str:
    """Return the name of a span's parent."""
    i = next(i for i, span in enumerate(tree.spans) if span.name == name)
    return tree.spans[tree.parents[i]].name if tree.parents[i] >= 0 else ""


def starts(tree) -> dict[str, int]:
    """Return when each span starts, by its name."""
    return {span.name: start for span, start in zip(tree.spans, tree.starts, strict=True)}


def test_a_span_sent_twice_counts_once(trace) -> None:
    """At-least-once delivery of spans does not double calls."""
    t = trace()
    root = t.span("root", 0, 10)
    t.span("work", 1, 2, root, span_id="00000000000000aa")
    t.span("work", 1, 2, root, span_id="00000000000000aa")
    tree = repair(t.build(), DEFAULTS)
    assert len(tree.spans) == 2
    assert codes(tree) == {"duplicate-spans": 1}


def test_of_a_span_sent_twice_the_longer_one_counts(trace) -> None:
    """What was sent first may have been sent before the span had ended."""
    t = trace()
    root = t.span("root", 0, 10)
    t.span("work", 1, 2, root, span_id="00000000000000aa")
    t.span("work", 1, 6, root, span_id="00000000000000aa")
    tree = repair(t.build(), DEFAULTS)
    assert sorted(end - start for start, end in zip(tree.starts, tree.ends, strict=True)) == [5 * MS, 10 * MS]


def test_a_third_span_of_one_id_is_a_repetition(trace) -> None:
    """Two ends of a call may share an id, more cannot; the order in which they were sent does not matter."""
    t = trace()
    root = t.span("root", 0, 100, kind=SERVER)
    for name, start, end, kind in (("serve", 5, 50, SERVER), ("call", 10, 60, CLIENT), ("third", 22, 44, SERVER)):
        t.span(name, start, end, root, kind=kind, service=name, span_id="00000000000000aa")
    tree = repair(t.build(), DEFAULTS)
    assert parent_name(tree, "serve") == "call"
    assert {span.name for span in tree.spans} == {"root", "call", "serve"}
    assert codes(tree)["duplicate-spans"] == 1


def test_client_and_server_with_one_id_are_told_apart(trace) -> None:
    """Zipkin gives both ends of a call one id: the server becomes the client's child, with its own work below."""
    t = trace()
    root = t.span("root", 0, 100, kind=SERVER)
    call = t.span("call", 10, 60, root, kind=CLIENT, span_id="00000000000000aa")
    t.span("serve", 20, 50, root, kind=SERVER, service="stock", span_id="00000000000000aa")
    t.span("query", 25, 45, call, kind=CLIENT, service="stock")
    tree = repair(t.build(), DEFAULTS)
    assert parent_name(tree, "serve") == "call"
    assert parent_name(tree, "query") == "serve"
    assert "shared-span-ids" in codes(tree)


def test_cycles_are_cut_and_every_span_kept(trace) -> None:
    """Spans that name each other as parents still appear, and the circle is reported."""
    t = trace()
    t.span("root", 0, 100)
    a = t.span("a", 10, 20, span_id="00000000000000aa")
    b = t.span("b", 12, 18, a, span_id="00000000000000bb")
    t.spans[1] = type(a)(**{f: getattr(a, f) for f in a.__struct_fields__} | {"parent_id": b.span_id})
    tree = repair(t.build(), DEFAULTS)
    assert len(tree.order) == 3
    assert codes(tree)["parent-cycles"] == 1


def test_an_end_before_the_start_is_a_zero_duration(trace) -> None:
    """A negative duration is clamped and told."""
    t = trace()
    root = t.span("root", 0, 10)
    t.span("odd", 5, 3, root)
    tree = repair(t.build(), DEFAULTS)
    assert min(end - start for start, end in zip(tree.starts, tree.ends, strict=True)) == 0
    assert codes(tree)["negative-durations"] == 1


def test_a_skewed_clock_moves_the_whole_process(trace) -> None:
    """A server whose clock is 5 s ahead is moved into its client's time, with everything it did."""
    t = trace()
    root = t.span("root", 0, 100, kind=SERVER)
    call = t.span("call", 10, 60, root, kind=CLIENT)
    serve = t.span("serve", 5020, 5050, call, kind=SERVER, service="stock")
    t.span("query", 5025, 5045, serve, kind=CLIENT, service="stock")
    tree = repair(t.build(), DEFAULTS)
    at = starts(tree)
    assert 10 * MS <= at["serve"] <= 30 * MS
    assert at["query"] - at["serve"] == 5 * MS
    assert codes(tree)["clock-skew"] == 1


def test_a_process_that_describes_itself_in_two_ways_is_one(trace) -> None:
    """Its clock is one, and a call of itself proves nothing about that."""
    t = trace()
    ways = [{"service.instance.id": "stock-1", "build": build} for build in ("old", "new")]
    root = t.span("root", 0, 100, kind=SERVER)
    call = t.span("call", 10, 60, root, kind=CLIENT)
    serve = t.span("serve", 5020, 5050, call, kind=SERVER, service="stock", resource=ways[0])
    inner = t.span("ask itself", 5025, 5045, serve, kind=CLIENT, service="stock", resource=ways[0])
    t.span("answer itself", 5030, 5040, inner, kind=SERVER, service="stock", resource=ways[1])
    tree = repair(t.build(), DEFAULTS)
    at = starts(tree)
    assert 10 * MS <= at["serve"] <= 30 * MS
    assert at["answer itself"] - at["serve"] == 10 * MS
    assert codes(tree)["clock-skew"] == 1


def test_a_server_is_never_before_its_client(trace) -> None:
    """Where nothing says how late it may have been, or calls contradict each other, that much is certain."""
    for second in (None, (5, 400)):
        t = trace()
        root = t.span("root", 0, 1000, kind=SERVER)
        call = t.span("call", 500, 560, root, kind=CLIENT, error=True)
        t.span("serve", 100, 150, call, kind=SERVER, service="stock")
        if second is not None:
            other = t.span("other call", *second, root, kind=CLIENT)
            t.span("serve other", 340, 395, other, kind=SERVER, service="stock")
        tree = repair(t.build(), DEFAULTS)
        at = starts(tree)
        assert at["serve"] >= at["call"]


def test_a_server_that_begins_after_its_client_gave_up_held_up_nobody(trace) -> None:
    """What was still in a queue when the client left is work beside the response."""
    t = trace()
    root = t.span("root", 0, 1100, kind=SERVER)
    call = t.span("call", 10, 1010, root, kind=CLIENT, error=True)
    t.span("serve", 1020, 5000, call, kind=SERVER, service="stock")
    tree = repair(t.build(), DEFAULTS)
    late = next(i for i, span in enumerate(tree.spans) if span.name == "serve")
    assert tree.holders[late] == DETACHED


def test_a_server_that_goes_on_after_its_client_gave_up_is_no_skew(trace) -> None:
    """A timed-out client ends before its server: clocks are left alone, the client's time is kept."""
    t = trace()
    root = t.span("root", 0, 1100, kind=SERVER)
    call = t.span("call", 10, 1010, root, kind=CLIENT, error=True)
    t.span("serve", 12, 5000, call, kind=SERVER, service="stock")
    tree = repair(t.build(), DEFAULTS)
    assert "clock-skew" not in codes(tree)


def test_an_orphan_goes_under_the_call_that_encloses_and_names_it(trace) -> None:
    """With its caller's span missing, a span is placed by time and address, and the hole is told."""
    t = trace()
    root = t.span("root", 0, 100, kind=SERVER, service="gateway")
    t.span("call cart", 5, 40, root, kind=CLIENT, service="gateway", attributes={"server.address": "cart.svc"})
    t.span("call stock", 5, 90, root, kind=CLIENT, service="gateway", attributes={"server.address": "stock.svc"})
    gone = type(root)(**{f: getattr(root, f) for f in root.__struct_fields__} | {"span_id": "f" * 16})
    t.span("serve", 10, 30, gone, kind=SERVER, service="stock")
    tree = repair(t.build(), DEFAULTS)
    assert parent_name(tree, "serve") == "call stock"
    assert codes(tree)["missing-parents"] == 1


def test_a_trace_without_its_root_still_has_one(trace) -> None:
    """With the root missing, a placeholder covers what was received, and the answer is marked as weak."""
    t = trace()
    gone = t.span("gone", 0, 100)
    t.span("one", 10, 40, gone)
    t.span("two", 50, 90, gone)
    t.spans.pop(0)
    tree = repair(t.build(), DEFAULTS)
    assert tree.response_ns == 80 * MS
    assert "root-missing" in codes(tree)


def test_of_several_roots_the_longest_is_the_request(trace) -> None:
    """A second root is kept beside the request, outside of its response time."""
    t = trace()
    t.span("ping", 0, 1)
    t.span("request", 5, 105)
    tree = repair(t.build(), DEFAULTS)
    assert tree.spans[tree.root].name == "request"
    assert codes(tree)["several-roots"] == 2


def test_100000_children_and_absurd_times_are_no_problem(trace) -> None:
    """Width and nonsense timestamps neither hang nor fail."""
    t = trace()
    root = t.span("root", 0, 100)
    for i in range(100_000):
        t.span("child", i / 1000, i / 1000 + 0.001, root)
    t.span("from 1970", -1_795_000_000_000, -1_795_000_000_000, root)
    tree = repair(t.build(), DEFAULTS)
    assert len(tree.order) == 100_002


@given(span_graphs())
@examples(60)
def test_any_span_graph_becomes_a_tree(generated: Trace) -> None:
    """Every received span id is in the tree once, reachable from one root, with time on its side."""
    tree = repair(generated, DEFAULTS)
    assert sorted(tree.order) == list(range(len(tree.spans)))
    assert {span.span_id for span in generated.spans} <= {span.span_id for span in tree.spans}
    assert all(end >= start for start, end in zip(tree.starts, tree.ends, strict=True))


def test_orphans_whose_calls_were_lost_run_inside_what_lies_around_them(trace) -> None:
    """A span whose caller was not received belongs to the handler it ran in, so that the handler is not blamed."""
    sides = []
    for query in (20, 250):
        t = trace()
        root = t.span("call", 0, query + 60, kind=SpanKind.CLIENT, service="browser")
        handler = t.span("POST /order", 5, query + 55, root, kind=SpanKind.SERVER, service="shop")
        lost = t.span("lost", 10, query + 50, handler, kind=SpanKind.CLIENT, service="shop")
        t.span("POST /price", 12, query + 48, lost, kind=SpanKind.SERVER, service="pricing")
        t.spans.remove(lost)
        sides.append(t.build())
    first = compare(*sides).causes[0]
    assert (first.service, first.operation) == ("pricing", "POST /price")


def test_an_orphan_beside_two_possible_holders_is_held_by_what_holds_both(trace) -> None:
    """Where two handlers run side by side nobody can say which one made a lost call."""
    t = trace()
    root = t.span("GET /", 0, 100, kind=SpanKind.SERVER)
    for name in ("x", "y"):
        t.span(name, 5, 95, root)
    lost = t.span("lost", 10, 90, root, kind=SpanKind.CLIENT)
    t.span("POST /price", 12, 88, lost, kind=SpanKind.SERVER, service="pricing")
    t.spans.remove(lost)
    paths = [c.path for c in compare(t.build(), t.build()).contributions if c.service == "pricing"]
    assert [[service for service, *_ in path] for path in paths] == [["shop", "pricing"]]
    assert len(paths[0]) == 2  # below the root, not below one of the two


def test_an_orphan_beside_two_possible_holders_does_not_go_deeper_into_one(trace) -> None:
    """A span inside of one of the two holds it by chance: still nobody can say which one made the call."""
    t = trace()
    root = t.span("GET /", 0, 100, kind=SpanKind.SERVER)
    t.span("x", 5, 95, root)
    y = t.span("y", 6, 95, root)
    t.span("inside y", 8, 94, y)
    lost = t.span("lost", 10, 90, root, kind=SpanKind.CLIENT)
    t.span("POST /price", 12, 88, lost, kind=SpanKind.SERVER, service="pricing")
    t.spans.remove(lost)
    assert parent_name(repair(t.build(), DEFAULTS), "POST /price") == "GET /"


def test_orphans_that_could_have_called_each_other_hang_from_the_root(trace) -> None:
    """Two lost branches, each inside a call of the other, are no circle."""
    t = trace()
    root = t.span("GET /", 0, 100, kind=SpanKind.SERVER)
    gone = replace(root, span_id="f" * 16)
    for name, service, calls in (("serve a", "a", "b"), ("serve b", "b", "a")):
        served = t.span(name, 20, 80, gone, kind=SpanKind.SERVER, service=service)
        t.span("call", 20, 80, served, kind=SpanKind.CLIENT, service=service, attributes={"server.address": calls})
    tree = repair(t.build(), DEFAULTS)
    assert len(tree.order) == len(tree.spans) == 5
    assert "GET /" in {parent_name(tree, "serve a"), parent_name(tree, "serve b")}


def test_spans_that_link_to_each_other_lose_nobody(trace) -> None:
    """Links in a circle, to oneself, to one's own descendant and to nobody put no span below itself."""
    t = trace()
    root = t.span("request", 0, 100, kind=SERVER)
    below = t.span("below", 1, 2, root)
    t.spans[0] = replace(root, links=(Link(t.trace_id, below.span_id),))
    first = t.span("first", 10, 20)
    second = t.span("second", 30, 40, links=(first, below))
    t.spans[2] = replace(first, links=(Link(t.trace_id, second.span_id), Link(t.trace_id, "f" * 16)))
    tree = repair(t.build(), DEFAULTS)
    assert tree.spans[tree.root].name == "request"
    assert sorted(tree.order) == list(range(4))
    assert {parent_name(tree, "first"), parent_name(tree, "second")} <= {"second", "first", "below"}


def test_a_link_into_the_depth_of_a_request_is_followed(trace) -> None:
    """What follows a span far below the root belongs below that span, however many callers are above it."""
    t = trace()
    caller = t.span("request", 0, 100, kind=SERVER)
    for depth in range(1, 6):
        caller = t.span(f"layer {depth}", depth, 100 - depth, caller)
    t.span("follows", 200, 300, links=(caller,))
    t.span("follows too", 200, 300, links=(caller,))
    tree = repair(t.build(), DEFAULTS)
    assert tree.spans[tree.root].name == "request"
    assert parent_name(tree, "follows") == parent_name(tree, "follows too") == "layer 5"


def test_a_link_that_names_no_span_leads_nowhere(trace) -> None:
    """Not even to a span that was sent without an id: it stays beside that one, under the root."""
    t = trace()
    root = t.span("request", 0, 100, kind=SERVER)
    nameless = t.span("nameless", 1, 2, root)
    alone = t.span("alone", 10, 20)
    t.spans[1] = replace(nameless, span_id="")
    t.spans[2] = replace(alone, links=(Link(t.trace_id, ""),))
    assert parent_name(repair(t.build(), DEFAULTS), "alone") != "nameless"
