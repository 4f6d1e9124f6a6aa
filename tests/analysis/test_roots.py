"""Which requests are comparable: what the roots say, and what they lead to."""

from __future__ import annotations

import pytest

from analysis import compare
from analysis.comparison import VerdictKind
from analysis.model import SpanKind

CLIENT, SERVER = SpanKind.CLIENT, SpanKind.SERVER
STATEMENTS = ("SELECT id FROM cart", "SELECT tax FROM cart", "SELECT name FROM cart")


def entered(trace, name: str, *, took: float = 40):
    """Return a request that a browser sends to one of a shop's operations."""
    t = trace()
    root = t.span("GET", 0, took + 10, kind=CLIENT, service="browser")
    serve = t.span(name, 5, 5 + took, root, kind=SERVER, service="shop")
    t.span(f"SELECT {name}", 8, took, serve, kind=CLIENT, service="shop", attributes={"db.system": "mysql"})
    return t.build()


def test_one_browser_that_asks_two_things_is_two_operations(trace) -> None:
    """Both roots are `browser GET`; what they lead to tells that these are different requests."""
    result = compare(entered(trace, "GET /items"), entered(trace, "GET /basket", took=400))
    assert result.verdict.kind is VerdictKind.NOT_COMPARABLE


def test_one_browser_that_asks_one_thing_twice_is_one_operation(trace) -> None:
    """The way in and what it leads to are the same."""
    result = compare(entered(trace, "GET /items"), entered(trace, "GET /items", took=400))
    assert result.verdict.kind is VerdictKind.SLOWER


def nested(trace, *, whole: bool, inner: float, gateway: str = "gateway"):
    """Return a request, alone or as what a gateway forwards or a larger request makes among other calls."""
    t = trace()
    root = None
    if whole:
        root = t.span("POST /all", 0, 400, kind=SERVER, service=gateway)
        t.span("sign in", 2, 390 - inner, root, service=gateway)
        root = t.span("GET", 392 - inner, 396, root, kind=CLIENT, service=gateway)
    start = 393 - inner if whole else 0
    serve = t.span("GET /items", start, start + inner, root, kind=SERVER, service="shop")
    t.span(
        "SELECT", start + 1, start + inner - 1, serve, kind=CLIENT, service="shop", attributes={"db.system": "mysql"}
    )
    return t.build()


@pytest.mark.parametrize("swapped", [False, True])
def test_a_small_part_of_a_larger_request_is_not_that_request(trace, swapped) -> None:
    """B is what A also does somewhere for a tenth of its time: two different questions, in either order."""
    sides = [nested(trace, whole=True, inner=40), nested(trace, whole=False, inner=40)]
    assert compare(*(reversed(sides) if swapped else sides)).verdict.kind is VerdictKind.NOT_COMPARABLE


@pytest.mark.parametrize("swapped", [False, True])
def test_a_gateway_around_a_request_is_a_layer(trace, swapped) -> None:
    """When the request inside takes most of the time, what stands around it is a way in, on either side."""
    sides = [nested(trace, whole=True, inner=350), nested(trace, whole=False, inner=350)]
    result = compare(*(reversed(sides) if swapped else sides))
    assert result.verdict.kind is not VerdictKind.NOT_COMPARABLE
    assert any(note.code == "outer-layer" for note in result.notes)


def served(trace, *, old: bool, took: float = 40, method: str = "GET"):
    """Return a request as instrumentation before or after the conventions' change of names records it."""
    t = trace()
    way, status = ("http.method", "http.status_code") if old else ("http.request.method", "http.response.status_code")
    said = {way: method, status: 200}
    root = t.span(
        f"HTTP {method}" if old else f"{method} /users/{{id}}", 0, took + 20, kind=SERVER, service="users",
        attributes=said | ({"http.target": "/users/77?full=1"} if old else {"http.route": "/users/{id}"}),
    )  # fmt: skip
    call = t.span(
        "HTTP GET" if old else "GET", 5, took + 15, root, kind=CLIENT, service="users",
        attributes={way: "GET", "http.url" if old else "url.full": "http://rights/check/77"},
    )  # fmt: skip
    t.span("/check" if old else "GET /check/:id", 6, took + 14, call, kind=SERVER, service="rights", attributes=said)
    return t.build()


def test_old_and_new_conventions_record_one_operation(trace) -> None:
    """Root, call and far end carry other names and attributes; method, route and place are the same."""
    result = compare(served(trace, old=True), served(trace, old=False, took=400))
    assert result.verdict.kind is VerdictKind.SLOWER
    assert (result.causes[0].service, result.causes[0].operation) == ("rights", "GET /check/:id")
    assert {f.finding for f in result.findings} == {"operation-slower"}


def test_another_method_of_one_route_is_another_operation(trace) -> None:
    """To read a user and to delete one are two requests, whatever the conventions."""
    for old in (True, False):
        result = compare(served(trace, old=True), served(trace, old=old, method="DELETE"))
        assert result.verdict.kind is VerdictKind.NOT_COMPARABLE


@pytest.mark.parametrize("queries", [0, 1, 3])
def test_a_renamed_service_is_the_same_service(trace, queries: int) -> None:
    """What stands where another service did, and does the same under another name, is compared with it."""
    sides = []
    for name, took in (("cart", 30), ("cart-v2", 300)):
        t = trace()
        root = t.span("GET /", 0, 60 + took, kind=SERVER, service="front")
        call = t.span("GET", 5, 45 + took, root, kind=CLIENT, service="front",
                      attributes={"http.method": "GET", "http.url": "http://gateway/cart"})  # fmt: skip
        serve = t.span("GET /cart", 6, 44 + took, call, kind=SERVER, service=name)
        for i in range(queries):
            t.span("SELECT", 7 + i, 8 + i + (took if i == queries - 1 else 0), serve, kind=CLIENT, service=name,
                   attributes={"db.system": "mysql", "db.statement": STATEMENTS[i]})  # fmt: skip
        sides.append(t.build())
    result = compare(*sides)
    assert result.causes[0].finding == "operation-slower"
    assert result.causes[0].service == "cart-v2"
    assert result.causes[0].operation == ("SELECT" if queries else "GET /cart")
    assert any("cart-v2 in B stands where cart does in A" in note.text for note in result.notes)


def test_a_mesh_put_in_between_is_a_layer(trace) -> None:
    """Proxies around an unchanged call are no new calls, and nothing is said to be unseen."""
    sides = []
    for mesh in (False, True):
        t = trace()
        root = t.span("GET /", 0, 60, kind=SERVER, service="front")
        inner = t.span("GET", 5, 45, root, kind=CLIENT, service="front")
        if mesh:
            proxy = t.span("egress", 6, 44, inner, kind=SERVER, service="front-proxy")
            inner = t.span("stock:8080", 7, 43, proxy, kind=CLIENT, service="front-proxy")
        t.span("GET /stock", 8, 42, inner, kind=SERVER, service="stock")
        sides.append(t.build())
    result = compare(*sides)
    assert result.verdict.kind is VerdictKind.NO_MEANINGFUL_DIFFERENCE
    assert result.findings == ()


def test_a_request_made_twice_by_a_larger_one_is_a_part_of_it(trace) -> None:
    """Together the two calls take most of A's time, but A is no way to B: nobody forwards a request twice."""
    t = trace()
    root = t.span("POST /all", 0, 100, kind=SERVER, service="shop-web")
    for start in (5, 50):
        call = t.span("GET", start, start + 42, root, kind=CLIENT, service="shop-web")
        t.span("GET /items", start + 1, start + 41, call, kind=SERVER)
    other = trace()
    other.span("GET /items", 0, 40, kind=SERVER)
    assert compare(t.build(), other.build()).verdict.kind is VerdictKind.NOT_COMPARABLE


@pytest.mark.parametrize(("path", "kind"), [("/items", VerdictKind.SLOWER), ("/basket", VerdictKind.NOT_COMPARABLE)])
def test_a_browser_that_sends_no_kinds_is_told_by_what_it_asks_for(trace, path: str, kind: VerdictKind) -> None:
    """One name, no span kinds: the address and what answers it tell whether it is one operation."""
    sides = []
    for asked, took in (("/items", 40), (path, 400)):
        t = trace()
        root = t.span("GET", 0, took + 10, kind=SpanKind.UNSPECIFIED, service="browser",
                      attributes={"http.method": "GET", "http.url": f"http://shop.example{asked}"})  # fmt: skip
        t.span(f"GET {asked}", 5, 5 + took, root, kind=SpanKind.UNSPECIFIED)
        sides.append(t.build())
    assert compare(*sides).verdict.kind is kind


def entered_once(trace, said: dict, *, took: float = 40, browser: bool = False, root: dict | None = None):
    """Return a request to an address that serves many operations, whose process says which one it was asked for."""
    t = trace()
    caller = t.span("POST", 0, took + 30, kind=CLIENT, service="browser") if browser else None
    attributes = {"http.request.method": "POST", "http.route": "/api", **(root or {})}
    serve = t.span("POST /api", 2, took + 20, caller, kind=SERVER, attributes=attributes)
    handler = t.span("handler", 3, took + 18, serve)
    execute = t.span("execute", 4, took + 16, handler, attributes=said)
    t.span("SELECT", 5, took + 10, execute, kind=CLIENT, attributes={"db.system": "mysql"})
    return t.build()


def query(name: str) -> dict:
    """Return what GraphQL's instrumentation says of an operation."""
    return {"graphql.operation.type": "query", "graphql.operation.name": name}


def method(name: str) -> dict:
    """Return what is said of a method that is served."""
    return {"rpc.system": "jsonrpc", "rpc.method": name}


@pytest.mark.parametrize("browser", [False, True])
@pytest.mark.parametrize("said", [query, method])
def test_what_one_address_is_asked_for_makes_the_operation(trace, said, *, browser: bool) -> None:
    """Equal roots, another name in the body: two questions, both named; with the same name it is one operation."""
    a = entered_once(trace, said("ProductPage"), browser=browser)
    other = compare(a, entered_once(trace, said("OrderHistory"), took=400, browser=browser)).verdict
    assert other.kind is VerdictKind.NOT_COMPARABLE
    assert "ProductPage" in other.headline
    assert "OrderHistory" in other.headline
    same = compare(a, entered_once(trace, said("ProductPage"), took=400, browser=browser)).verdict
    assert same.kind is VerdictKind.SLOWER


def test_the_address_itself_may_say_what_is_asked_for(trace) -> None:
    """Some put the operation's name on the server span, beside the URL that is always the same."""
    sides = [
        entered_once(trace, {}, root=query(name) | {"url.full": "http://shop/api"}, took=took)
        for name, took in (("ProductPage", 40), ("OrderHistory", 400))
    ]
    assert compare(*sides).verdict.kind is VerdictKind.NOT_COMPARABLE
    assert compare(sides[0], sides[0]).verdict.kind is VerdictKind.IDENTICAL


@pytest.mark.parametrize("said", [{}, {"graphql.operation.type": "query"}])
def test_a_request_that_does_not_say_what_it_asks_for_is_compared(trace, said: dict) -> None:
    """A name on one side only is another way of instrumenting, or an anonymous query: no contradiction."""
    result = compare(entered_once(trace, query("ProductPage")), entered_once(trace, said, took=400))
    assert result.verdict.kind is VerdictKind.SLOWER


@pytest.mark.parametrize("kind", [CLIENT, SpanKind.UNSPECIFIED])
def test_another_method_that_a_request_calls_is_a_new_call(trace, kind: SpanKind) -> None:
    """What a process asks of others is how it serves the request, not what it was asked for."""
    sides = []
    for name, took in (("List", 40), ("Search", 400)):
        t = trace()
        root = t.span("GET /items", 0, took + 20, kind=SERVER)
        t.span(name, 5, took + 5, root, kind=kind, attributes={"rpc.system": "grpc", "rpc.method": name})
        sides.append(t.build())
    result = compare(*sides)
    assert result.verdict.kind is VerdictKind.SLOWER
    assert result.causes[0].finding == "new-calls"


def test_methods_of_one_name_are_told_by_the_root_itself(trace) -> None:
    """A server whose spans all carry one name says in an attribute which method it serves."""
    sides = []
    for name in ("List", "Search"):
        t = trace()
        t.span("grpc.server", 0, 40, kind=SERVER, attributes={"rpc.service": "Items", "rpc.method": name})
        sides.append(t.build())
    verdict = compare(*sides).verdict
    assert verdict.headline.startswith("not comparable: A is shop grpc.server (Items/List), B is")
