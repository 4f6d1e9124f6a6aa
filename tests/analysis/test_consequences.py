"""What follows from a failure, or from its end, stands under it; the same change in two places is one cause."""

from __future__ import annotations

from analysis import compare
from analysis.comparison import CauseKind, Confidence, VerdictKind
from analysis.model import SpanKind

CLIENT, SERVER = SpanKind.CLIENT, SpanKind.SERVER
DB = {"db.system": "postgresql", "server.address": "pg-main"}
CACHE = {"db.system": "redis", "server.address": "redis-cart"}


def looked_up(trace, *, broken: bool, store_at: float = 4.0, store: str = "SELECT"):
    """Return a request that asks a cache, and where that fails a store (90 ms)."""
    t = trace()
    end = store_at + 92 if broken else 6
    root = t.span("GET /item", 0, end, kind=SERVER)
    caller = t.span("item", 1, end - 1, root)
    t.span("GET", 2, 3.5, caller, kind=CLIENT, attributes=CACHE, error=broken)
    if broken:
        t.span(store, store_at, store_at + 90, caller, kind=CLIENT, attributes=DB)
    return t.build()


def test_a_call_made_instead_of_one_that_failed_follows_from_it(trace) -> None:
    """The store is asked because the cache failed: the failure is the cause, with the time of both; nothing fails."""
    result = compare(looked_up(trace, broken=False), looked_up(trace, broken=True))
    (cause,) = result.causes
    assert (cause.finding, cause.operation, cause.peer_service) == ("error-appeared", "GET", "redis-cart")
    assert cause.delta_ns == 90_000_000
    assert any("now calls SELECT to pg-main" in symptom for symptom in cause.symptoms)
    assert result.verdict.kind is VerdictKind.SLOWER


def test_a_call_made_before_the_failure_does_not_follow_from_it(trace) -> None:
    """What begins while the other call has not failed yet is new for another reason."""
    result = compare(looked_up(trace, broken=False), looked_up(trace, broken=True, store_at=2.5))
    assert [cause.finding for cause in result.causes] == ["new-calls", "error-appeared"]


def test_a_call_of_somebody_who_saw_nothing_fail_does_not_follow_from_it(trace) -> None:
    """The failure was caught further down: whoever calls more afterwards does not know of it."""
    sides = []
    for broken in (False, True):
        t = trace()
        root = t.span("GET /item", 0, 100, kind=SERVER)
        inner = t.span("lookup", 1, 4, root)
        t.span("GET", 2, 3.5, inner, kind=CLIENT, attributes=CACHE, error=broken)
        if broken:
            t.span("SELECT", 5, 95, root, kind=CLIENT, attributes=DB)
        sides.append(t.build())
    result = compare(*sides)
    assert {"new-calls", "error-appeared"} == {cause.finding for cause in result.causes}


def test_an_answer_that_passes_a_failure_on_follows_from_it(trace) -> None:
    """What answered 401 and the caller that passes it on mark no error: they are the failure of the call between them."""
    sides = []
    for status in (200, 401):
        t = trace()
        answer = {"http.status_code": status}
        root = t.span("GET /me", 0, 10, kind=SERVER, attributes=answer)
        call = t.span("POST", 1, 9, root, kind=CLIENT, attributes=answer, error=status == 401)
        t.span("POST /introspect", 2, 8, call, kind=SERVER, service="auth", attributes=answer | {"server": "a"})
        t.span("GET /flags", 9, 9.5, root, attributes={"http.status_code": 200 if status == 200 else 404})
        sides.append(t.build())
    result = compare(*sides)
    assert [(cause.finding, cause.operation) for cause in result.causes] == [
        ("error-appeared", "POST"), ("status-changed", "GET /flags"),
    ]  # fmt: skip
    assert any("answers 401 instead of 200" in symptom for symptom in result.causes[0].symptoms)
    assert result.verdict.headline.startswith("shop GET /me fails where it did not before")


def paid(trace, *, refused: bool, calls: int = 1):
    """Return a request that fails at once, or asks for prices and waits for them."""
    t = trace()
    end = 6 if refused else 6 + 80 * calls
    root = t.span("GET /pay", 0, end, kind=SERVER, error=refused)
    client = t.span("GET", 1, end - 1, root, kind=CLIENT, error=refused)
    caller = t.span("GET /pay", 2, end - 2, client, kind=SERVER, service="payment", error=refused)
    for number in range(0 if refused else calls):
        t.span("GET", 3 + 80 * number, 82 + 80 * number, caller, kind=CLIENT, service="payment",
               attributes={"http.url": "http://prices/p"})  # fmt: skip
    return t.build()


def test_calls_that_a_failed_baseline_never_came_to_follow_from_the_end_of_its_failure(trace) -> None:
    """B is slower because it goes on: that is said, not that it makes a new call; and A is no healthy example."""
    result = compare(paid(trace, refused=True), paid(trace, refused=False))
    (cause,) = result.causes
    assert (cause.finding, cause.service, cause.operation) == ("error-gone", "payment", "GET /pay")
    assert cause.delta_ns == 79_000_000
    assert any("now calls GET to prices" in symptom for symptom in cause.symptoms)
    assert result.verdict.kind is VerdictKind.SLOWER
    assert result.verdict.confidence is Confidence.MEDIUM
    assert "A itself failed: it is no example of a healthy request" in result.verdict.reasons
    assert result.next_steps[0].text.startswith("Choose another baseline")


def test_new_calls_elsewhere_do_not_follow_from_the_end_of_a_failure(trace) -> None:
    """Somebody that did not fail in A calls more in B: that is a cause of its own."""
    sides = []
    for broken in (True, False):
        t = trace()
        root = t.span("GET /pay", 0, 100, kind=SERVER)
        t.span("GET", 1, 3, root, kind=CLIENT, error=broken)
        other = t.span("total", 4, 8 if broken else 98, root)
        if not broken:
            t.span("SELECT", 5, 95, other, kind=CLIENT, attributes=DB)
        sides.append(t.build())
    assert "new-calls" in {cause.finding for cause in compare(*sides).causes}


def queried(trace, first: float, second: float, *, peers: tuple[str, str] = ("pg-main", "pg-main")):
    """Return a request of two steps that make the same query."""
    t = trace()
    root = t.span("GET /page", 0, first + second + 10, kind=SERVER)
    at = 2.0
    for step, took, peer in zip(("header", "body"), (first, second), peers, strict=True):
        caller = t.span(step, at, at + took + 2, root)
        t.span("SELECT", at + 1, at + 1 + took, caller, kind=CLIENT,
               attributes=DB | {"server.address": peer, "db.statement": "SELECT * FROM users WHERE id = ?"})  # fmt: skip
        at += took + 3
    return t.build()


def test_an_operation_that_is_slow_in_two_places_is_one_cause(trace) -> None:
    """Asked by two callers, the same query explains the difference once, with both times and spans, and surely."""
    result = compare(queried(trace, 3, 3), queried(trace, 83, 93))
    (cause,) = result.causes
    assert cause.delta_ns == 170_000_000
    assert cause.summary.endswith("takes 93.0 ms instead of 3.00 ms")
    assert "SELECT in shop" in cause.evidence[0]
    assert cause.evidence[0].startswith("the same in another place: ")
    assert cause.evidence[0].endswith("takes 83.0 ms instead of 3.00 ms")
    assert len(cause.suspect_span_ids) == 2
    assert result.verdict.confidence is Confidence.HIGH


def test_the_same_query_to_two_databases_is_two_causes(trace) -> None:
    """Whoever was called is another: nothing says that both are slow for one reason."""
    peers = ("pg-main", "pg-archive")
    result = compare(queried(trace, 3, 3, peers=peers), queried(trace, 83, 93, peers=peers))
    assert [cause.peer_service for cause in result.causes] == ["pg-archive", "pg-main"]


def test_what_a_failed_call_waited_for_is_no_consequence_of_its_failure(trace) -> None:
    """A slow query inside the call that then runs out of time is named with it, not as what follows from it."""
    sides = []
    for took, late in ((20, False), (500, True)):
        t = trace()
        root = t.span("GET /r", 0, took + 4, kind=SERVER, error=late)
        call = t.span("List", 1, took + 2, root, kind=CLIENT, error=late,
                      attributes={"rpc.system": "grpc", "rpc.grpc.status_code": 4 if late else 0})  # fmt: skip
        served = t.span("List", 2, took + 1, call, kind=SERVER, service="recommender")
        t.span("SELECT", 3, took, served, kind=CLIENT, service="recommender", attributes=DB)
        sides.append(t.build())
    cause = compare(*sides).causes[0]
    assert (cause.finding, cause.kind) == ("timed-out", CauseKind.ERROR)
    assert "it waited for this: SELECT in recommender takes 497 ms instead of 17.0 ms" in cause.evidence
    assert not any("SELECT" in symptom for symptom in cause.symptoms)


def test_of_what_follows_from_a_cause_so_many_are_listed_as_can_be_read(trace) -> None:
    """A service is slow in all its hundred operations: the cause is one, and some of them stand for all."""
    sides = []
    for took in (2, 40):
        t = trace()
        root = t.span("GET /", 0, 102 * took, kind=SERVER)
        for number in range(1, 101):
            name = f"step {chr(97 + number // 10)}{chr(97 + number % 10)}"
            t.span(name, number * took, (number + 1) * took, root)
        sides.append(t.build())
    (cause,) = compare(*sides).causes
    assert cause.finding == "slow-process"
    assert len(cause.symptoms) == 20
