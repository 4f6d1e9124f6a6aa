"""Next steps: something concrete to do about every cause."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from requests_drawn import queried

from analysis import compare
from analysis.comparison import CauseKind, VerdictKind
from analysis.model import Event, SpanKind
from analysis.operation_key import operation_key
from analysis.steps import next_steps


@pytest.mark.parametrize("peer", ["ledger", None])
@pytest.mark.parametrize("kind", CauseKind)
def test_every_kind_of_cause_has_advice_that_names_what_is_known(trace, kind, peer) -> None:
    """Where the other end is not known it is not spoken of; names are told as they are, whatever they contain."""
    slow = queried(trace, query=900)
    found = compare(queried(trace).build(), slow.build())
    cause = replace(
        found.causes[0], finding="by-kind", kind=kind, peer_service=peer, service="shop {0}", operation="GET /{id}"
    )
    (step,) = next_steps(found.verdict, (cause,), (operation_key(slow.spans[1]),), [], None)
    assert "shop {0}" in step.text or "GET /{id}" in step.text
    assert "None" not in step.text
    assert [link.kind for link in step.links] == ["span", "logs"]


def test_a_cause_without_spans_links_to_logs_alone(trace) -> None:
    """A link needs something to lead to; what is gone is shown in the baseline."""
    slow = queried(trace, query=900)
    found = compare(queried(trace).build(), slow.build())
    (cause, baseline_ids) = found.causes[0], found.causes[0].baseline_span_ids
    for ids, sides in ((baseline_ids, ["baseline", "suspect"]), ((), ["suspect"])):
        gone = replace(cause, suspect_span_ids=(), baseline_span_ids=ids)
        (step,) = next_steps(found.verdict, (gone,), (operation_key(slow.spans[1]),), [], None)
        assert [link.side for link in step.links] == sides


SQL = {"db.system": "postgresql", "net.peer.name": "store"}


def called(trace, took: float, attributes: dict):
    """Return a request that waits for one call to something that sends no spans."""
    t = trace()
    root = t.span("GET /", 0, took + 10, kind=SpanKind.SERVER)
    t.span("call", 5, took + 5, root, kind=SpanKind.CLIENT, attributes=attributes)
    return t.build()


@pytest.mark.parametrize(
    ("attributes", "look", "peer"),
    [
        (SQL | {"db.statement": "SELECT a FROM t"}, "query plan", "store"),
        (SQL | {"db.statement": "COMMIT"}, "replication", "store"),
        ({"db.system": "redis", "db.statement": "GET a", "net.peer.name": "sessions"}, "memory", "sessions"),
        ({"messaging.system": "kafka", "messaging.destination": "o", "net.peer.name": "broker"}, "ack", "broker"),
        ({"http.method": "GET", "http.url": "https://pay.example/charge"}, "third party", "pay.example"),
        ({"peer.service": "legacy"}, "third party", "legacy"),
    ],
)
def test_what_to_look_at_fits_what_is_called(trace, attributes: dict, look: str, peer: str) -> None:
    """A query has a plan, a commit a disk, a cache its memory, a service its limits; each is told of its own alone."""
    (step,) = compare(called(trace, 10, attributes), called(trace, 900, attributes)).next_steps
    assert step.text.startswith(f"Check {peer} for what makes call slow (")
    assert look in step.text
    assert ("query plan" in step.text) is (look == "query plan")


def test_what_slow_operations_share_is_named_when_it_is_known(trace) -> None:
    """Two services wait for one store: the store is what to check."""
    sides = []
    for took in (10, 300):
        t = trace()
        root = t.span("GET /", 0, 2 * took + 40, kind=SpanKind.SERVER)
        for i, service in enumerate(("cart", "price")):
            start = 5 + i * (took + 10)
            serve = t.span(f"GET /{service}", start, start + took + 4, root, kind=SpanKind.SERVER, service=service)
            t.span("SELECT", start + 2, start + took + 2, serve, kind=SpanKind.CLIENT, service=service, attributes=SQL)
        sides.append(t.build())
    result = compare(*sides)
    assert result.causes[0].finding == "common-factor"
    assert result.next_steps[0].text.startswith("Check store as a whole (locks, load")


def test_an_exception_that_was_caught_is_no_failing_span(trace) -> None:
    """The span reports success: what to see is what was done instead."""
    sides = []
    for events in ((), (Event("exception", 0, {"exception.type": "CacheMiss"}),)):
        t = trace()
        t.span("GET /", 0, 40, kind=SpanKind.SERVER, events=events)
        sides.append(t.build())
    step = compare(*sides).next_steps[0]
    assert step.finding == "exception-recorded"
    assert "fail" not in step.text


def test_tries_that_all_fail_were_not_refused_at_first(trace) -> None:
    """The advice about tries holds however many of them fail, and why."""
    sides = []
    for tries in (1, 2):
        t = trace()
        root = t.span("GET /", 0, 1_000 * tries, kind=SpanKind.SERVER)
        for i in range(tries):
            t.span("GET", 1_000 * i + 5, 1_000 * i + (990 if tries > 1 else 30), root, kind=SpanKind.CLIENT,
                   error=tries > 1, attributes={"http.url": "https://geo.example/ip"})  # fmt: skip
        sides.append(t.build())
    step = compare(*sides).next_steps[0]
    assert step.finding == "retries"
    assert "first tries" not in step.text
    assert "tries of GET by shop fail at geo.example" in step.text


def deployed(trace, took: float, *, version: str, fails: bool = False, elsewhere: bool = False):
    """Return a request of a shop in some version whose work, or that of another service, takes some time."""
    t = trace()
    root = t.span("GET /", 0, took + 20, kind=SpanKind.SERVER, resource={"service.version": version})
    t.span("work", 5, took + 5, root, kind=SpanKind.SERVER, service="stock" if elsewhere else "shop", error=fails,
           resource={"service.version": "1" if elsewhere else version})  # fmt: skip
    return t.build()


@pytest.mark.parametrize(
    ("slow", "rolls_back"),
    [
        ({"took": 400}, True),
        ({"took": 30, "fails": True}, True),
        ({"took": 400, "elsewhere": True}, False),
        ({"took": 30}, False),
    ],
)
def test_only_a_version_that_does_harm_is_rolled_back(trace, slow: dict, *, rolls_back: bool) -> None:
    """A deployment where nothing is slower or fails is one to know of, no reason to undo it."""
    elsewhere = slow.get("elsewhere", False)
    result = compare(deployed(trace, 30, version="1", elsewhere=elsewhere), deployed(trace, version="2", **slow))
    assert any("version 2" in finding.summary for finding in result.findings)
    assert any("Roll back" in step.text for step in result.next_steps) is rolls_back


def test_either_end_of_a_failing_call_may_have_brought_the_failure(trace) -> None:
    """The caller reports the error; what it called has a new version."""
    sides = []
    for version in ("1", "2"):
        t = trace()
        root = t.span("GET /", 0, 40, kind=SpanKind.SERVER)
        call = t.span("GET", 5, 35, root, kind=SpanKind.CLIENT, error=version == "2")
        t.span("GET /s", 6, 34, call, kind=SpanKind.SERVER, service="stock", resource={"service.version": version})
        sides.append(t.build())
    result = compare(*sides)
    assert (result.verdict.kind, result.causes[0].service) == (VerdictKind.FAILING, "shop")
    assert any("deployment of stock" in step.text and "Roll back" in step.text for step in result.next_steps)


def test_nothing_is_advised_twice(trace) -> None:
    """Three callers now make the same call: three causes, one piece of advice."""
    sides = []
    for more in (False, True):
        t = trace()
        took = 100 if more else 5
        root = t.span("GET /", 0, 3 * took + 40, kind=SpanKind.SERVER)
        for i, name in enumerate(("read", "check", "write")):
            outer = t.span(name, 5 + i * took, 5 + (i + 1) * took, root)
            if more:
                t.span("work", 6 + i * took, 4 + (i + 1) * took, outer)
        sides.append(t.build())
    result = compare(*sides)
    assert [(cause.finding, cause.operation) for cause in result.causes] == [("new-calls", "work")] * 3
    texts = [step.text for step in result.next_steps]
    assert len([text for text in texts if "work" in text]) == 1
