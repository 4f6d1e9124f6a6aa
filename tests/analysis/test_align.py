"""Alignment: which groups of two requests are one operation at one place, drawn as trees and compared pair by pair."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

import pytest
from generated import any_pair
from hypothesis import given
from proving import examples

from analysis.align import LAYER_SEARCH, RENAME_SEARCH, align
from analysis.model import SpanKind
from analysis.notes import Severity
from analysis.operation_key import OperationKeys
from analysis.options import DEFAULTS
from analysis.profile import profile

if TYPE_CHECKING:
    from analysis import Trace
    from analysis.align import Alignment, Pair

CLIENT, SERVER, PRODUCER, UNSPECIFIED = SpanKind.CLIENT, SpanKind.SERVER, SpanKind.PRODUCER, SpanKind.UNSPECIFIED


class Op(NamedTuple):
    """A drawn span and what is below it, one after the other or `beside` each other."""

    name: str
    below: tuple[Op, ...]
    service: str
    kind: SpanKind
    says: dict[str, str]
    took: float
    beside: bool

    def put(self, trace, start: float = 0, parent=None) -> float:
        """Add it to a trace and return when it ends; it lasts as long as what is below it, or longer."""
        at = start
        ends = [start]
        for inner in self.below:
            ends.append(at + inner.length)
            at = at if self.beside else ends[-1]
        end = start + self.length
        span = trace.span(self.name, start, end, parent, service=self.service, kind=self.kind, attributes=self.says)
        at = start
        for inner in self.below:
            inner_end = inner.put(trace, at, span)
            at = at if self.beside else inner_end
        return end

    @property
    def length(self) -> float:
        """How long it lasts."""
        lengths = [inner.length for inner in self.below]
        return max(self.took, max(lengths, default=0) if self.beside else sum(lengths))


def op(
    name: str, *below: Op, service: str = "shop", kind: SpanKind = SpanKind.INTERNAL, says: dict[str, str] | None = None,
    took: float = 1, beside: bool = False,
) -> Op:  # fmt: skip
    """Draw a span."""
    return Op(name, below, service, kind, says or {}, took, beside)


def sql(statement: str, name: str = "SELECT") -> Op:
    """Draw a query."""
    return op(name, kind=CLIENT, says={"db.system": "mysql", "db.statement": statement})


def aligned(a: Trace, b: Trace) -> tuple[Alignment, list[str]]:
    """Align two traces; return the alignment and every pair as a line, in the order of the tree, siblings by name."""
    numbers = OperationKeys()
    sides = [profile(side, numbers, DEFAULTS) for side in (a, b)]
    found = align(*sides, DEFAULTS)
    everything = Counter(id(group) for side in sides for group in side.groups)
    assert Counter(id(group) for pair in found.pairs for group in (*pair.baseline, *pair.suspect)) == everything
    seen: set[int] = set()
    for pair in found.pairs:
        assert pair.parent is None or (id(pair.parent) in seen and pair in pair.parent.children)
        seen.add(id(pair))
    keys = sides[0].keys

    def draw(pair: Pair, depth: int) -> list[str]:
        ours, theirs = (
            " + ".join(sorted(keys[group.key].name for group in groups)) or "-"
            for groups in (pair.baseline, pair.suspect)
        )
        inner = sorted(draw(child, depth + 1) for child in pair.children)
        return [f"{'  ' * depth}{pair.how}: {ours} = {theirs}", *(line for lines in inner for line in lines)]

    lines = [line for pair in found.pairs if pair.parent is None for line in draw(pair, 0)]
    return found, lines


def mirrored(line: str) -> str:
    """Return the line of a pair with its sides swapped."""
    how, _, sides = line.partition(": ")
    ours, _, theirs = sides.partition(" = ")
    return f"{how}: {theirs} = {ours}"


def pairs(trace, a: Op, b: Op) -> list[str]:
    """Align two drawn requests both ways; what one way says, the other says with its sides swapped."""
    found, lines = both(trace, a, b)
    assert found.reason == ""
    return lines


def both(trace, a: Op, b: Op) -> tuple[Alignment, list[str]]:
    """Align two drawn requests and return the first way, once the second has said the same."""
    one, other = trace(), trace()
    a.put(one)
    b.put(other)
    there, back = aligned(one.build(), other.build()), aligned(other.build(), one.build())
    assert sorted(map(mirrored, back[1])) == sorted(there[1])
    return there


@given(any_pair)
@examples(20)
def test_every_group_of_either_side_is_in_exactly_one_pair(pair: tuple[Trace, Trace]) -> None:
    """Whatever the two traces are, sums over pairs are sums over traces, and parents come first."""
    _, lines = aligned(*pair)
    assert lines


# Roots ---------------------------------------------------------------------------------------------


def test_what_is_equal_is_matched_and_what_is_not_stays_alone(trace) -> None:
    """Same places are pairs; two steps of other names, which do nothing alike, are not."""
    found, lines = both(trace, op("GET /", op("a"), op("b", op("in b"))), op("GET /", op("a"), op("c", op("in c"))))
    assert lines == [
        "same: GET / = GET /",
        "  only: - = c",
        "    only: - = in c",
        "  only: b = -",
        "    only: in b = -",
        "  same: a = a",
    ]
    assert (found.reason, found.notes) == ("", ())


def test_two_different_operations_have_no_pair(trace) -> None:
    """Then the reason says what each side is, and each tree stands alone."""
    found, lines = both(trace, op("GET /a", op("x")), op("GET /b", op("x"), op("y"), op("z"), service="web"))
    assert found.reason == "A is shop GET /a, B is web GET /b: two different operations"
    assert found.notes == ()
    assert lines == [
        "only: GET /a = -", "  only: x = -",
        "only: - = GET /b", "  only: - = x", "  only: - = y", "  only: - = z",
    ]  # fmt: skip


@pytest.mark.parametrize("swapped", [False, True])
def test_layers_around_the_request_of_one_side_stay_above_it(trace, swapped) -> None:
    """A request that came through two proxies is the same request; outermost first, and a note says so."""
    request = op("GET /cart", op("work"), kind=SERVER)
    through = op("edge", op("GET", request, service="edge", kind=CLIENT), service="edge", kind=SERVER)
    found, lines = both(trace, *((through, request) if swapped else (request, through)))
    how = [("edge = -" if swapped else "- = edge"), ("GET = -" if swapped else "- = GET")]
    assert lines == [
        f"only: {how[0]}", f"  only: {how[1]}", "    same: GET /cart = GET /cart", "      same: work = work",
    ]  # fmt: skip
    side = "A" if swapped else "B"
    (note,) = found.notes
    assert (note.code, note.severity, note.count) == ("outer-layer", Severity.INFO, 1)
    assert note.text == f"{side} was entered through a layer that the other trace does not show"


def test_the_nearest_of_two_equal_requests_is_the_one(trace) -> None:
    """A request that calls itself again is entered at its first call, not within."""
    request = op("GET /cart", op("work", took=2), kind=SERVER)
    recursive = op(
        "edge", op("GET /cart", op("GET /cart", kind=SERVER), op("work"), kind=SERVER, took=9), service="edge"
    )
    assert pairs(trace, request, recursive) == [
        "only: - = edge", "  same: GET /cart = GET /cart", "    only: - = GET /cart", "    same: work = work",
    ]  # fmt: skip


def test_a_request_made_by_two_branches_at_once_is_entered_through_one(trace) -> None:
    """Each branch holds nearly all of the time, neither is nearer: one is taken, the other is a further call."""
    request = op("GET /cart", kind=SERVER, took=90)
    twice = op("edge", op("left", request), op("right", request), service="edge", took=100, beside=True)
    lines = pairs(trace, request, twice)
    assert sum("same: GET /cart = GET /cart" in line for line in lines) == 1
    assert sum("only: - = GET /cart" in line for line in lines) == 1


@pytest.mark.parametrize(("depth", "comparable"), [(4, True), (5, False)])
def test_a_way_in_has_four_layers_at_most(trace, depth: int, comparable) -> None:
    """What lies deeper is a part of another request."""
    request = op("GET /cart", kind=SERVER)
    outer = request
    for number in range(depth):
        outer = op(f"layer {'abcde'[number]}", outer, service=f"proxy {'abcde'[number]}")
    assert (both(trace, request, outer)[0].reason == "") is comparable


@pytest.mark.parametrize(
    ("around", "comparable"),
    [
        (op("edge", op("GET /cart", kind=SERVER), took=100), True),  # nothing else is done, however long it takes
        (op("edge", op("check"), op("GET /cart", kind=SERVER, took=60), took=100), True),  # six tenths of all
        (op("edge", op("check"), op("GET /cart", kind=SERVER, took=59), took=100), False),
        (op("edge", op("GET", op("log"), op("GET /cart", kind=SERVER)), took=100), False),  # not alone further down
        (op("edge", op("GET", op("GET /cart", kind=SERVER)), op("log"), took=100), False),  # not alone further up
        (op("edge", op("GET /cart", kind=SERVER), op("GET /cart", kind=SERVER), took=100), False),  # made twice
        (op("edge", op("log"), op("audit"), op("GET /cart", kind=SERVER), took=100), False),
    ],
)
def test_what_stands_around_a_request_is_a_way_in_or_a_larger_request(trace, around: Op, comparable) -> None:
    """A way in does nothing else, or nearly all of its time is the request's."""
    assert (both(trace, op("GET /cart", kind=SERVER), around)[0].reason == "") is comparable


WORK = (op("a"), op("b"), op("c"))
READ = {"http.method": "GET"}


@pytest.mark.parametrize(
    ("a", "b", "comparable"),
    [
        # One name, another category: the same service is enough; another one must do half of the same work.
        (op("cart", says={"db.system": "x"}), op("cart"), True),
        (op("cart", says={"db.system": "x"}), op("cart", service="web"), False),
        (op("cart", op("a"), op("b")), op("cart", op("a"), service="web"), True),
        (op("cart", op("a"), op("b")), op("cart", op("a"), op("c"), service="web"), False),
        # One route, another name.
        (op("read", kind=SERVER, says={"http.route": "/r", **READ}), op("r", kind=SERVER, says={"http.route": "/r", **READ}), True),
        (op("read", kind=SERVER, says={"http.route": "/r", **READ}), op("r", kind=SERVER, says={"http.route": "/s", **READ}), False),
        # Another name: the same service and six tenths of the same work.
        (op("one", *WORK, op("d")), op("two", *WORK, op("e")), True),
        (op("one", *WORK[:2], op("d")), op("two", *WORK[:2], op("e")), False),
        (op("one", *WORK), op("two", *WORK, service="web"), False),
        (op("one"), op("two"), False),
        # Another method is another request, also where only the name of a call tells it.
        (op("GET cart", *WORK, kind=CLIENT, says=READ), op("GET c", *WORK, kind=CLIENT, says=READ), True),
        (op("GET cart", *WORK, kind=CLIENT, says=READ), op("DELETE c", *WORK, kind=CLIENT, says=READ), False),
        (op("GET a cart", *WORK, kind=CLIENT, says=READ), op("GET", *WORK, kind=CLIENT, says=READ), True),
        (op("GET a", *WORK, kind=SERVER, says=READ), op("PUT a", *WORK, kind=SERVER, says={"http.method": "PUT"}), False),
        (op("GET a", *WORK, kind=SERVER, says=READ), op("job a", *WORK), False),
        (op("read a", *WORK), op("write a", *WORK), True),
    ],
)  # fmt: skip
def test_roots_are_one_operation_by_name_service_method_and_work(trace, a: Op, b: Op, comparable) -> None:
    """What is not equal must be alike enough: a wrong match would compare two different requests."""
    found, _ = both(trace, a, b)
    assert (found.reason == "") is comparable


def caller(*below: Op, kind: SpanKind = CLIENT, url: str = "") -> Op:
    """Draw a browser that calls something."""
    says = {"http.method": "GET", "http.url": url} if url else {}
    return op("visit", *below, service="browser", kind=kind, says=says)


@pytest.mark.parametrize(
    ("a", "b", "comparable"),
    [
        (caller(op("GET /a", kind=SERVER)), caller(op("GET /a", kind=SERVER)), True),
        (caller(op("GET /a", kind=SERVER)), caller(op("GET /b", kind=SERVER)), False),
        # Where one of them shows nobody that answers, it cannot be told.
        (caller(op("GET /a", kind=SERVER)), caller(), True),
        (caller(op("GET /a", kind=SERVER)), caller(op("GET /b")), True),
        # Who answers another name does the same when six tenths of its work are.
        (caller(op("GET /a", *WORK, op("d"), kind=SERVER)), caller(op("GET /b", *WORK, op("e"), kind=SERVER)), True),
        (caller(op("GET /a", *WORK[:2], kind=SERVER)), caller(op("GET /b", op("a"), op("e"), kind=SERVER)), False),
        # One of those who answer is enough.
        (caller(op("GET /a", kind=SERVER), op("GET /b", kind=SERVER)), caller(op("GET /b", kind=SERVER)), True),
        # A name with another target is one name.
        (
            caller(op("GET", kind=SERVER, says={"http.method": "GET"})),
            caller(op("GET", kind=SERVER, says={"http.method": "PUT"})),
            True,
        ),
        # A server that calls other servers is what its name says.
        (caller(op("GET /a", kind=SERVER), kind=SERVER), caller(op("GET /b", kind=SERVER), kind=SERVER), True),
        (caller(op("GET /a", kind=SERVER)), caller(op("GET /b", kind=SERVER), kind=SERVER), True),
        # A message and a call of one name.
        (caller(op("GET /a", kind=SERVER)), caller(op("GET /b", kind=SERVER), kind=PRODUCER), False),
        # Without kinds, only another address tells a caller, and only another service who answers.
        (caller(op("GET /a", kind=UNSPECIFIED), kind=UNSPECIFIED), caller(op("GET /b", kind=UNSPECIFIED), kind=UNSPECIFIED), True),
        (
            caller(op("GET /a", kind=UNSPECIFIED), kind=UNSPECIFIED, url="http://shop/a"),
            caller(op("GET /b", kind=UNSPECIFIED), kind=UNSPECIFIED, url="http://shop/b"),
            False,
        ),
        (
            caller(op("draw", kind=UNSPECIFIED, service="browser"), kind=UNSPECIFIED, url="http://shop/a"),
            caller(op("paint", kind=UNSPECIFIED, service="browser"), kind=UNSPECIFIED, url="http://shop/b"),
            True,
        ),
    ],
)  # fmt: skip
def test_two_callers_of_one_name_are_told_by_what_answers_them(trace, a: Op, b: Op, comparable) -> None:
    """A browser or a load generator calls every operation by one name."""
    found, _ = both(trace, a, b)
    assert (found.reason == "") is comparable


# Leftovers -----------------------------------------------------------------------------------------


def test_queries_of_one_table_are_merged_when_only_their_texts_differ(trace) -> None:
    """Same service, name and target, other statements: one pair of all of them, with the work below them."""
    a = op("GET /", sql("SELECT a FROM t"), sql("SELECT b FROM t"), sql("SELECT z FROM u"))
    b = op("GET /", sql("SELECT c FROM t"))
    assert pairs(trace, a, b) == ["same: GET / = GET /", "  loose: SELECT + SELECT = SELECT", "  only: SELECT = -"]


def test_what_lies_below_merged_groups_is_merged_by_name(trace) -> None:
    """The children of both groups of one side are the children of one pair."""

    def query(text: str) -> Op:
        return op("SELECT", op("connect"), kind=CLIENT, says={"db.system": "mysql", "db.statement": text})

    found, lines = both(
        trace, op("GET /", query("SELECT a FROM t"), query("SELECT b FROM t")), op("GET /", query("SELECT c FROM t"))
    )
    assert lines == [
        "same: GET / = GET /",
        "  loose: SELECT + SELECT = SELECT",
        "    same: connect + connect = connect",
    ]
    assert found.notes == ()


def test_one_statement_under_another_name_is_one_operation(trace) -> None:
    """What is said in full is the same; only the name is not, and that is noted, with how many there are."""
    a = op("GET /", sql("SELECT a FROM t", "query t"), sql("SELECT b FROM u", "query u"))
    b = op("GET /", sql("SELECT a FROM t", "t.find"), sql("SELECT b FROM u", "u.find"))
    found, lines = both(trace, a, b)
    assert lines == ["same: GET / = GET /", "  renamed: query t = t.find", "  renamed: query u = u.find"]
    (note,) = found.notes
    assert (note.code, note.severity, note.count) == ("renamed-operations", Severity.INFO, 2)
    assert note.text == "operations carry another name on the other side; they were matched by place and work"


def test_a_renamed_service_is_noted_with_both_names(trace) -> None:
    """What does the same under the same name, where one service is gone and another is new, is one operation."""
    a = op("GET /", op("price", service="old"), op("stock", service="depot"))
    b = op("GET /", op("price", service="new"), op("stock", service="depot"))
    found, lines = both(trace, a, b)
    assert lines == ["same: GET / = GET /", "  renamed: price = price", "  same: stock = stock"]
    assert [(note.code, note.severity, note.count, note.text) for note in found.notes][1:] == [
        ("renamed-service", Severity.INFO, 1, "new in B stands where old does in A; they were taken for one service")
    ]


def test_a_service_that_both_sides_have_was_not_renamed(trace) -> None:
    """The same step in another service, while both services are there on both sides, is another step."""
    a = op("GET /", op("price", service="one"), op("x", service="two"), op("y", service="gone"))
    b = op("GET /", op("price", service="two"), op("x", service="one"))
    assert pairs(trace, a, b) == [
        "same: GET / = GET /", "  only: - = price", "  only: - = x", "  only: price = -", "  only: x = -",
        "  only: y = -",
    ]  # fmt: skip


def call(far_end: Op, url: str = "http://gateway/cart", kind: SpanKind = CLIENT) -> Op:
    """Draw a request whose one call is answered by `far_end`."""
    return op("GET /", op("GET", far_end, kind=kind, says={"http.method": "GET", "http.url": url}))


ANSWERED = "    renamed: read = serve"


@pytest.mark.parametrize(
    ("a", "b", "one"),
    [
        (call(op("read", kind=SERVER)), call(op("serve", kind=SERVER)), True),
        (call(op("read", kind=SERVER, service="old")), call(op("serve", kind=SERVER, service="new")), True),
        # Not a server, another service that is not gone, an address without a path, no call.
        (call(op("read")), call(op("serve")), False),
        (call(op("read", kind=SERVER)), call(op("serve")), False),
        (call(op("read", kind=SERVER, service="old")), call(op("serve", kind=SERVER)), False),
        (call(op("read", kind=SERVER)), call(op("serve", kind=SERVER, service="new")), False),
        (call(op("read", kind=SERVER), kind=UNSPECIFIED), call(op("serve", kind=SERVER), kind=UNSPECIFIED), False),
        (
            op("GET /", op("get", op("read", kind=SERVER), kind=CLIENT, says={"peer.service": "cart"})),
            op("GET /", op("get", op("serve", kind=SERVER), kind=CLIENT, says={"peer.service": "cart"})),
            False,
        ),
    ],
)
def test_what_answers_one_call_is_one_operation_by_whatever_name(trace, a: Op, b: Op, one) -> None:
    """The path that was called says what is asked for; then the far end's own name does not matter."""
    assert (ANSWERED in pairs(trace, a, b)) is one


def test_two_far_ends_of_one_call_are_not_guessed_between(trace) -> None:
    """Where one side shows two, nobody knows which of them is the other side's."""
    a = call(op("read", kind=SERVER))
    twice = op("GET", op("serve", kind=SERVER), op("check", kind=SERVER), kind=CLIENT,
               says={"http.method": "GET", "http.url": "http://gateway/cart"})  # fmt: skip
    assert pairs(trace, a, op("GET /", twice)) == [
        "same: GET / = GET /", "  same: GET = GET", "    only: - = check", "    only: - = serve", "    only: read = -",
    ]  # fmt: skip


# Layers --------------------------------------------------------------------------------------------


def wrapped(inner: Op, depth: int) -> Op:
    """Put layers around an operation, which do nothing else and have names of their own."""
    for number in range(depth):
        inner = op(f"layer {'abcdefgh'[number]}", inner)
    return inner


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_what_moved_below_a_layer_is_found_there(trace, depth: int) -> None:
    """The inner groups match; those above them are called layers, not new work."""
    lines = pairs(trace, op("GET /", op("work", op("more"))), op("GET /", wrapped(op("work", op("more")), depth)))
    assert [line for line in lines if "layer" not in line] == [
        "same: GET / = GET /", "  moved: work = work", "    same: more = more",
    ]  # fmt: skip
    layers = [line.strip() for line in lines if "layer" in line]
    assert layers == [f"layer: - = layer {'abcdefgh'[number]}" for number in reversed(range(depth))]


def test_what_lies_more_than_four_layers_deep_is_other_work(trace) -> None:
    """A search without end would find something everywhere."""
    lines = pairs(trace, op("GET /", op("work")), op("GET /", wrapped(op("work"), 5)))
    assert "  only: work = -" in lines
    assert not [line for line in lines if "moved" in line]


def test_only_what_stands_above_a_moved_group_is_a_layer(trace) -> None:
    """Its neighbours below the layer, and what is new beside the layer, are new."""
    a = op("GET /", op("work"))
    b = op("GET /", op("layer", op("log"), op("mid", op("work"), op("trace"))), op("new"))
    assert pairs(trace, a, b) == [
        "same: GET / = GET /", "  layer: - = layer", "    layer: - = mid", "      only: - = trace", "    only: - = log",
        "  moved: work = work", "  only: - = new",
    ]  # fmt: skip


def test_the_nearest_of_two_moved_groups_is_taken(trace) -> None:
    """A is matched with what lies one layer below B, not with what lies two below."""
    b = op("GET /", op("a", op("mid", op("work"))), op("b", op("work", op("mark"))))
    assert pairs(trace, op("GET /", op("work")), b) == [
        "same: GET / = GET /", "  layer: - = b", "  moved: work = work", "    only: - = mark", "  only: - = a",
        "    only: - = mid", "      only: - = work",
    ]  # fmt: skip


def test_two_groups_may_move_below_one_layer(trace) -> None:
    """Each leftover finds its own."""
    assert pairs(trace, op("GET /", op("one"), op("two")), op("GET /", op("layer", op("one"), op("two")))) == [
        "same: GET / = GET /", "  layer: - = layer", "  moved: one = one", "  moved: two = two",
    ]  # fmt: skip


def test_a_group_that_moved_once_is_found_by_nobody_else(trace) -> None:
    """What was matched from further up is gone, also for a layer that turns out to be a renamed group."""
    a = op("GET /", op("work"), op("old", op("x"), op("y"), op("work")))
    b = op("GET /", op("new", op("x"), op("y"), op("mid", op("work"))))
    assert pairs(trace, a, b) == [
        "same: GET / = GET /", "  moved: work = work", "  renamed: old = new", "    layer: - = mid",
        "    only: work = -", "    same: x = x", "    same: y = y",
    ]  # fmt: skip


def test_a_further_place_of_a_moved_group_does_not_end_the_search(trace) -> None:
    """Another operation below the next layer is found all the same."""
    b = op("GET /", op("a", op("work")), op("b", op("work")), op("c", op("zip")))
    assert pairs(trace, op("GET /", op("work"), op("zip")), b) == [
        "same: GET / = GET /", "  layer: - = a", "  layer: - = c", "  moved: work = work", "  moved: zip = zip",
        "  only: - = b", "    only: - = work",
    ]  # fmt: skip


def test_a_leftover_is_found_under_another_statement_too(trace) -> None:
    """Below a layer the exact group is looked for first, then one that is the same but for its text."""
    b = op("GET /", op("layer", sql("SELECT a FROM t")))
    assert pairs(trace, op("GET /", sql("SELECT b FROM t")), b) == [
        "same: GET / = GET /", "  layer: - = layer", "  moved: SELECT = SELECT",
    ]  # fmt: skip


def test_of_two_leftovers_the_one_with_the_same_statement_moved(trace) -> None:
    """Both would do loosely; the equal one is the one."""
    one, other = "SELECT a FROM t", "SELECT b FROM t"
    for statements in ((one, other), (other, one)):
        t, u = trace(), trace()
        op("GET /", *map(sql, statements)).put(t)
        op("GET /", op("layer", sql("SELECT b FROM t"))).put(u)
        found, lines = aligned(t.build(), u.build())
        assert lines == ["same: GET / = GET /", "  layer: - = layer", "  moved: SELECT = SELECT", "  only: SELECT = -"]
        (moved,) = (pair for pair in found.pairs if pair.how == "moved")
        (left,) = (pair for pair in found.pairs if pair.how == "only")
        assert moved.key.detail == "SELECT b FROM t"
        assert left.key.detail == "SELECT a FROM t"


def test_of_two_leftovers_that_would_do_the_first_by_its_text_moved(trace) -> None:
    """Which one is taken depends on what they are, not on which was called first."""
    one, other = "SELECT a FROM t", "SELECT b FROM t"
    for statements in ((one, other), (other, one)):
        t, u = trace(), trace()
        op("GET /", *map(sql, statements)).put(t)
        op("GET /", op("layer", sql("SELECT c FROM t"))).put(u)
        found, _ = aligned(t.build(), u.build())
        (left,) = (pair for pair in found.pairs if pair.how == "only")
        assert left.key.detail == "SELECT b FROM t"


def test_of_two_equal_groups_at_one_depth_the_first_by_its_layer_is_taken(trace) -> None:
    """Whatever came first in time: the layer that comes first by its name."""
    for names in (("a", "b"), ("b", "a")):
        b = op("GET /", *(op(name, op("work"), op(f"in {name}")) for name in names))
        assert pairs(trace, op("GET /", op("work")), b) == [
            "same: GET / = GET /", "  layer: - = a", "    only: - = in a", "  moved: work = work",
            "  only: - = b", "    only: - = in b", "    only: - = work",
        ]  # fmt: skip


def test_a_search_for_layers_is_bounded(trace) -> None:
    """Below one leftover so many groups are looked at, nearest first, and no more."""
    for others, found in ((LAYER_SEARCH - 1, True), (LAYER_SEARCH, False)):
        names = (f"step {'abcdefghijklmnopqrst'[i // 20]}{'abcdefghijklmnopqrstu'[i % 20]}" for i in range(others))
        lines = pairs(trace, op("GET /", op("work")), op("GET /", op("layer", *map(op, names), op("work"))))
        assert ("  moved: work = work" in lines) is found


# Renamed -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("a", "b", "one"),
    [
        (("x", "y"), ("x", "y"), True),
        (("x", "y"), ("x",), True),  # half of both
        (("x", "y"), ("x", "z"), False),  # a third of both
        (("x",), (), False),
        ((), (), False),
    ],
)
def test_a_group_that_does_half_of_the_same_work_is_the_same(trace, a, b, one) -> None:
    """Under another name, at the same place; what has nothing below it is not guessed at."""
    lines = pairs(trace, op("GET /", op("old", *map(op, a))), op("GET /", op("new", *map(op, b))))
    assert ("  renamed: old = new" in lines) is one
    assert ("  only: old = -" in lines) is not one


@pytest.mark.parametrize(
    ("a", "b", "one"),
    [
        (CLIENT, CLIENT, True),
        (CLIENT, SERVER, False),
        (CLIENT, UNSPECIFIED, True),
        (CLIENT, SpanKind.INTERNAL, True),
        (UNSPECIFIED, SpanKind.INTERNAL, True),
    ],
)
def test_a_call_is_not_what_answers_calls(trace, a: SpanKind, b: SpanKind, one) -> None:
    """A renamed group is of the same kind, or of one that says nothing."""
    lines = pairs(trace, op("GET /", op("old", op("x"), kind=a)), op("GET /", op("new", op("x"), kind=b)))
    assert ("  renamed: old = new" in lines) is one


def test_those_that_are_most_alike_are_matched_first(trace) -> None:
    """And each only once."""
    a = op("GET /", op("old", op("x"), op("y")))
    b = op("GET /", op("half", op("x")), op("whole", op("x"), op("y")))
    assert pairs(trace, a, b) == [
        "same: GET / = GET /", "  only: - = half", "    only: - = x", "  renamed: old = whole", "    same: x = x",
        "    same: y = y",
    ]  # fmt: skip


@pytest.mark.parametrize(("more", "one"), [(RENAME_SEARCH - 1, True), (RENAME_SEARCH, False)])
def test_more_leftovers_than_a_program_renames_are_another_program(trace, more: int, one) -> None:
    """Then nothing is guessed at."""
    names = [f"step {'abcdefghij'[i // 10]}{'abcdefghij'[i % 10]}" for i in range(more)]
    lines = pairs(trace, op("GET /", op("old", op("x"))), op("GET /", op("new", op("x")), *map(op, names)))
    assert ("  renamed: old = new" in lines) is one
