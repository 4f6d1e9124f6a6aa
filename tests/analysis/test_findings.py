"""Findings: each fires on its own change, and stays silent without one."""

from __future__ import annotations

from analysis import compare
from analysis.comparison import CauseKind, VerdictKind
from analysis.model import Event, SpanKind

CLIENT, SERVER, PRODUCER, CONSUMER = SpanKind.CLIENT, SpanKind.SERVER, SpanKind.PRODUCER, SpanKind.CONSUMER
DB = {"db.system": "postgresql", "db.statement": "SELECT * FROM stock WHERE id = 7"}


def found(result) -> set[str]:
    """Return the codes of all findings."""
    return {finding.finding for finding in result.findings}


def request(trace, *, own: float = 20, query: float = 10, calls: int = 1, error: bool = False):
    """Return a builder with a server span that computes and queries a database `calls` times."""
    t = trace()
    end = own + query * calls
    root = t.span("GET /items", 0, end, kind=SERVER)
    for i in range(calls):
        t.span("SELECT", own / 2 + i * query, own / 2 + (i + 1) * query, root, kind=CLIENT, attributes=DB, error=error)
    return t


def test_operation_slower(trace) -> None:
    """A query that takes longer is named, with what it does; the callers above it are not."""
    result = compare(request(trace).build(), request(trace, query=200).build())
    assert result.verdict.kind is VerdictKind.SLOWER
    assert [c.operation for c in result.causes] == ["SELECT"]
    assert result.causes[0].kind is CauseKind.SELF_TIME_INCREASE
    assert any("stock" in line for line in result.causes[0].evidence)


def test_operation_slower_is_silent_for_jitter(trace) -> None:
    """A few per cent more or less are nothing."""
    result = compare(request(trace).build(), request(trace, own=21, query=10.4).build())
    assert result.verdict.kind is VerdictKind.NO_MEANINGFUL_DIFFERENCE
    assert found(result) == set()


def test_repeated_calls(trace) -> None:
    """One query that became thirty is a repetition, with both counts."""
    result = compare(request(trace).build(), request(trace, calls=30).build())
    first = result.causes[0]
    assert (first.finding, first.kind) == ("repeated-calls", CauseKind.MORE_CALLS)
    assert "30 times instead of 1" in first.summary


def test_repeated_calls_are_silent_for_a_few_more(trace) -> None:
    """Two queries instead of one are no N+1."""
    assert "repeated-calls" not in found(compare(request(trace).build(), request(trace, calls=2).build()))


def test_calls_below_a_repeated_caller_are_not_named_again(trace) -> None:
    """When a caller is called ten times more often, its own calls are not each a finding."""
    sides = []
    for times in (1, 10):
        t = trace()
        root = t.span("GET /", 0, 100 * times, kind=SERVER)
        for i in range(times):
            call = t.span("load", 100 * i, 100 * i + 90, root)
            t.span("SELECT", 100 * i + 10, 100 * i + 80, call, kind=CLIENT, attributes=DB)
        sides.append(t.build())
    result = compare(*sides)
    assert [f.operation for f in result.findings if f.finding == "repeated-calls"] == ["load"]


def test_new_calls_and_the_version_that_brought_them(trace) -> None:
    """A new dependency is named by its caller; a changed version of the caller is named as its cause."""
    sides = []
    for version, new in (("1.8.2", False), ("1.9.0", True)):
        t = trace()
        resource = {"service.version": version}
        root = t.span("POST /orders", 0, 120 if new else 60, kind=SERVER, service="orders", resource=resource)
        t.span("pay", 5, 40, root, kind=CLIENT, service="orders", resource=resource)
        if new:
            call = t.span("POST", 45, 105, root, kind=CLIENT, service="orders", resource=resource)
            t.span("POST /score", 47, 103, call, kind=SERVER, service="fraud")
        sides.append(t.build())
    first = compare(*sides).causes[0]
    assert (first.kind, first.service, first.peer_service) == (CauseKind.VERSION_CHANGE, "orders", "fraud")
    assert any("1.8.2" in line and "1.9.0" in line for line in first.evidence)


def test_removed_calls(trace) -> None:
    """A call that is gone is told as a change, not as a regression."""
    sides = []
    for present in (True, False):
        t = trace()
        root = t.span("GET /", 0, 50, kind=SERVER)
        if present:
            t.span("GET", 10, 14, root, kind=CLIENT, attributes={"http.method": "GET", "http.url": "http://ads/x"})
        sides.append(t.build())
    result = compare(*sides)
    assert result.verdict.kind is VerdictKind.CHANGED
    assert result.causes[0].kind is CauseKind.REMOVED_CALLS


def test_lost_parallelism_is_charged_to_the_caller(trace) -> None:
    """Calls as quick as before that now run one after another are their caller's doing."""
    sides = []
    for step in (0, 30):
        t = trace()
        root = t.span("GET /home", 0, 40 + 5 * step, kind=SERVER)
        for i in range(6):
            t.span(f"load {'abcdef'[i]}", 2 + i * step, 32 + i * step, root)
        sides.append(t.build())
    result = compare(*sides)
    assert [c.kind for c in result.causes] == [CauseKind.SERIALISED]
    assert result.causes[0].operation == "GET /home"
    assert "operation-slower" not in found(result)


def test_one_slow_call_among_parallel_ones_is_not_lost_parallelism(trace) -> None:
    """When one of several parallel calls becomes slow, it is named, not their order."""
    sides = []
    for slow in (30, 200):
        t = trace()
        root = t.span("GET /home", 0, slow + 10, kind=SERVER)
        for i in range(6):
            t.span(f"load {'abcdef'[i]}", 2, 2 + (slow if i == 3 else 30), root)
        sides.append(t.build())
    result = compare(*sides)
    assert [c.operation for c in result.causes] == ["load d"]
    assert "lost-parallelism" not in found(result)


def retried(trace, tries: int, *, ok: bool = True):
    """Return a trace with a call tried several times, 100 ms between the tries."""
    t = trace()
    root = t.span("POST /pay", 0, 120 * tries + 5, kind=SERVER)
    for i in range(tries):
        last = i == tries - 1
        t.span("POST", 2 + 120 * i, 22 + 120 * i, root, kind=CLIENT, error=not (last and ok),
               attributes={"http.method": "POST", "http.url": "http://bank/x", "http.status_code": 503})  # fmt: skip
    return t.build()


def test_retries_that_succeed_in_the_end_are_slow_not_failing(trace) -> None:
    """Failed tries and the waits between them are one cause; the request itself did not fail."""
    result = compare(retried(trace, 1), retried(trace, 4))
    assert result.verdict.kind is VerdictKind.SLOWER
    assert (result.causes[0].finding, result.causes[0].kind) == ("retries", CauseKind.RETRY)
    assert "503" in result.causes[0].summary


def test_retries_that_fail_to_the_end_are_failing(trace) -> None:
    """When the last try fails as well, the request is failing."""
    result = compare(retried(trace, 1), retried(trace, 4, ok=False))
    assert result.verdict.kind is VerdictKind.FAILING


def test_an_error_is_named_where_it_began(trace) -> None:
    """Of a chain of failing spans the deepest is named, with its exception and how far it went."""
    sides = []
    for failing in (False, True):
        t = trace()
        events = (
            (Event("exception", 0, {"exception.type": "KeyError", "exception.message": "'sku'"}),) if failing else ()
        )
        root = t.span("GET /", 0, 50, kind=SERVER, service="front", error=failing)
        call = t.span("GET", 5, 45, root, kind=CLIENT, service="front", error=failing)
        t.span("GET /sku", 7, 43, call, kind=SERVER, service="stock", error=failing, events=events)
        sides.append(t.build())
    result = compare(*sides)
    assert result.verdict.kind is VerdictKind.FAILING
    first = result.causes[0]
    assert (first.service, first.operation) == ("stock", "GET /sku")
    assert "KeyError: 'sku'" in first.summary
    assert any("reached the root" in line for line in first.evidence)


def test_a_failing_request_that_is_quicker_is_failing(trace) -> None:
    """Failing fast is no improvement."""
    result = compare(request(trace, query=300).build(), request(trace, query=3, error=True).build())
    assert result.verdict.kind is VerdictKind.FAILING


def test_an_error_on_both_sides_is_no_change(trace) -> None:
    """What failed before as well explains nothing."""
    result = compare(request(trace, error=True).build(), request(trace, error=True, own=20.5).build())
    assert "error-appeared" not in found(result)


def called(trace, before: float, after: float, *, others: float = 1):
    """Return a trace in which front calls stock (with gaps around its server span) and cart."""
    t = trace()
    total = before + 20 + after
    root = t.span("GET /", 0, total + 40, kind=SERVER, service="front")
    cart = t.span(
        "GET",
        1,
        11 + 2 * others,
        root,
        kind=CLIENT,
        service="front",
        attributes={"http.method": "GET", "http.url": "http://cart/c"},
    )
    t.span("GET /c", 1 + others, 11 + others, cart, kind=SERVER, service="cart")
    stock = t.span(
        "GET",
        30,
        30 + total,
        root,
        kind=CLIENT,
        service="front",
        attributes={"http.method": "GET", "http.url": "http://stock/s"},
    )
    serve = t.span("GET /s", 30 + before, 50 + before, stock, kind=SERVER, service="stock")
    t.span("SELECT", 32 + before, 48 + before, serve, kind=CLIENT, service="stock", attributes=DB)
    return t.build()


def test_a_slow_line_names_both_ends(trace) -> None:
    """Time lost on both sides of an unchanged server span is the network between the two services."""
    first = compare(called(trace, 1, 1), called(trace, 80, 80)).causes[0]
    assert first.kind is CauseKind.NETWORK
    assert {first.service, first.peer_service} == {"front", "stock"}
    assert any("before the server's span starts" in line for line in first.evidence)


def test_time_lost_before_the_server_starts_accuses_the_callee(trace) -> None:
    """A request that waits to be accepted waits at the callee."""
    first = compare(called(trace, 1, 1), called(trace, 160, 1)).causes[0]
    assert first.service == "stock"
    assert first.peer_service == "front"


def test_a_process_slow_in_everything_is_named_once(trace) -> None:
    """Two callers losing time at one callee accuse the callee as a whole."""
    sides = []
    for lost in (1, 90):
        t = trace()
        root = t.span("GET /", 0, 60 + 2 * lost, kind=SERVER, service="front")
        for i, caller in enumerate(("ads", "cart")):
            begin = 5 + i * (25 + lost)
            up = t.span(
                "GET",
                begin,
                begin + 22 + lost,
                root,
                kind=CLIENT,
                service="front",
                attributes={"http.method": "GET", "http.url": f"http://{caller}/x"},
            )
            mid = t.span("GET /x", begin + 1, begin + 21 + lost, up, kind=SERVER, service=caller)
            down = t.span(
                "GET",
                begin + 2,
                begin + 20 + lost,
                mid,
                kind=CLIENT,
                service=caller,
                attributes={"http.method": "GET", "http.url": "http://stock/s"},
            )
            t.span(
                "GET /s",
                begin + 3 + lost,
                begin + 19 + lost,
                down,
                kind=SERVER,
                service="stock",
                resource={"k8s.pod.name": "stock-7"},
            )
        sides.append(t.build())
    first = compare(*sides).causes[0]
    assert (first.finding, first.service) == ("slow-process", "stock")
    assert "stock-7" in first.summary


def test_a_message_that_waits_in_its_queue(trace) -> None:
    """A consumer that starts late delays completion, not the response."""
    sides = []
    for wait in (2, 400):
        t = trace()
        root = t.span("POST /", 0, 30, kind=SERVER)
        send = t.span("send mail", 20, 21, root, kind=PRODUCER)
        t.span("process mail", 21 + wait, 31 + wait, send, kind=CONSUMER, service="mailer")
        sides.append(t.build())
    result = compare(*sides)
    assert result.response_time.delta_ns == 0
    assert result.completion_time.delta_ns == 398_000_000
    assert (result.causes[0].kind, result.causes[0].service) == (CauseKind.MESSAGING_DELAY, "mailer")


def test_an_inserted_layer_is_no_new_call(trace) -> None:
    """A sidecar between caller and callee is seen through: the work below still matches."""
    sides = []
    for sidecar in (False, True):
        t = trace()
        root = t.span("GET /", 0, 60, kind=SERVER, service="front")
        call = t.span(
            "GET",
            5,
            55,
            root,
            kind=CLIENT,
            service="front",
            attributes={"http.method": "GET", "http.url": "http://stock/s"},
        )
        if sidecar:
            call = t.span("egress", 6, 54, call, service="envoy")
        t.span("GET /s", 8, 52, call, kind=SERVER, service="stock")
        sides.append(t.build())
    result = compare(*sides)
    assert "new-calls" not in found(result)
    assert "removed-calls" not in found(result)
    assert any(c.service == "stock" and c.baseline_calls == c.suspect_calls == 1 for c in result.contributions)


def test_a_renamed_operation_is_matched(trace) -> None:
    """The same place with the same work below is the same operation under a new name."""
    sides = []
    for name in ("CheckoutHandler", "checkout.handle"):
        t = trace()
        root = t.span("POST /", 0, 60, kind=SERVER)
        handler = t.span(name, 5, 55, root)
        t.span("SELECT", 10, 20, handler, kind=CLIENT, attributes=DB)
        t.span("publish", 25, 30, handler, kind=PRODUCER)
        sides.append(t.build())
    result = compare(*sides)
    assert any(note.code == "renamed-operations" for note in result.notes)
    assert result.verdict.kind is VerdictKind.NO_MEANINGFUL_DIFFERENCE


def test_a_changed_version_and_a_recorded_exception_are_told_without_any_change_of_time(trace) -> None:
    """A deployment and an exception on a span that reports success are changes, found without a millisecond."""
    sides = []
    for version in ("1.4.2", "1.5.0"):
        t = trace()
        events = (Event("exception", 0, {"exception.type": "CacheMiss"}),) if version == "1.5.0" else ()
        root = t.span("GET /", 0, 50, kind=SERVER, resource={"service.version": version})
        t.span("load", 5, 45, root, service="shop", resource={"service.version": version}, events=events)
        sides.append(t.build())
    result = compare(*sides)
    assert result.verdict.kind is VerdictKind.CHANGED
    assert {"version-changed", "exception-recorded"} <= found(result)
    assert any("1.5.0 instead of 1.4.2" in c.summary for c in result.causes)
    assert any("CacheMiss" in c.summary for c in result.causes)


def test_the_same_version_is_not_told(trace) -> None:
    """What did not change is not mentioned."""
    sides = []
    for slow in (0, 80):
        t = trace()
        t.span("GET /", 0, 50 + slow, kind=SERVER, resource={"service.version": "1"})
        sides.append(t.build())
    assert "version-changed" not in found(compare(*sides))


def test_a_slow_operation_tells_what_differs_about_itself(trace) -> None:
    """Flags, sizes and the instance that differ are evidence; ids, ports and small variations are not."""
    sides = []
    for slow, rows, flag, pod in ((1, 40, "off", "shop-1"), (200, 9000, "on", "shop-2")):
        t = trace()
        attributes = {
            "db.response.returned_rows": rows, "feature_flag.result.variant": flag, "user.id": f"u{slow}",
            "net.peer.port": 1000 + slow, "thread.id": slow, "http.response.body.size": 1000 + slow,
        }  # fmt: skip
        t.span("GET /", 0, 20 + slow, kind=SERVER, attributes=attributes, resource={"k8s.pod.name": pod})
        sides.append(t.build())
    evidence = " | ".join(compare(*sides).causes[0].evidence)
    assert "db.response.returned_rows: 40 in A, 9,000 in B" in evidence
    assert "feature_flag.result.variant: off in A, on in B" in evidence
    assert "instance: shop-1 in A, shop-2 in B" in evidence
    for noise in ("user.id", "port", "thread", "body.size"):
        assert noise not in evidence
