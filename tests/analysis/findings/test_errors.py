"""error-appeared: operations that fail anew."""

from __future__ import annotations

import pytest
from requests_drawn import found, queried

from analysis import compare
from analysis.comparison import VerdictKind
from analysis.model import Event, SpanKind


def test_an_error_is_named_where_it_began(trace) -> None:
    """Of a chain of failing spans the deepest is named, with its exception and how far it went."""
    sides = []
    for failing in (False, True):
        t = trace()
        events = (
            (Event("exception", 0, {"exception.type": "KeyError", "exception.message": "'sku'"}),) if failing else ()
        )
        root = t.span("GET /", 0, 50, kind=SpanKind.SERVER, service="front", error=failing)
        call = t.span("GET", 5, 45, root, kind=SpanKind.CLIENT, service="front", error=failing)
        t.span("GET /sku", 7, 43, call, kind=SpanKind.SERVER, service="stock", error=failing, events=events)
        sides.append(t.build())
    result = compare(*sides)
    assert result.verdict.kind is VerdictKind.FAILING
    first = result.causes[0]
    assert (first.service, first.operation) == ("stock", "GET /sku")
    assert "KeyError: 'sku'" in first.summary
    assert any("reached the root" in line for line in first.evidence)


def test_a_failing_request_that_is_quicker_is_failing(trace) -> None:
    """Failing fast is no improvement."""
    result = compare(queried(trace, query=300).build(), queried(trace, query=3, error=True).build())
    assert result.verdict.kind is VerdictKind.FAILING


def test_an_error_on_both_sides_is_no_change(trace) -> None:
    """What failed before as well explains nothing."""
    result = compare(queried(trace, error=True).build(), queried(trace, error=True, own=20.5).build())
    assert "error-appeared" not in found(result)


def test_an_exception_that_says_nothing_leaves_the_word_to_the_status(trace) -> None:
    """An empty exception event does not hide the status code."""
    sides = []
    for failing in (False, True):
        t = trace()
        t.span("GET /", 0, 50, kind=SpanKind.SERVER, error=failing, attributes={"http.status_code": 503 if failing else 200},
               events=(Event("exception", 0, {}),) if failing else ())  # fmt: skip
        sides.append(t.build())
    assert "status 503" in compare(*sides).causes[0].summary


@pytest.mark.parametrize(
    ("attribute", "well", "badly", "said"),
    [
        ("http.response.status_code", 200, 401, "401"),
        ("http.status_code", "200", "502", "502"),
        ("rpc.grpc.status_code", 0, 16, "UNAUTHENTICATED"),
    ],
)
def test_a_caller_that_answers_with_a_refusal_has_reported_the_error(trace, attribute, well, badly, said) -> None:
    """Servers leave the status of a 4xx unset: the code that the root answers with says that the failure reached it."""
    sides = []
    for failing in (False, True):
        t = trace()
        status = {attribute: badly if failing else well}
        root = t.span("GET /me", 0, 50, kind=SpanKind.SERVER, attributes=status)
        t.span("POST", 5, 45, root, kind=SpanKind.CLIENT, error=failing, attributes=status)
        sides.append(t.build())
    first = compare(*sides).causes[0]
    assert (first.finding, first.operation) == ("error-appeared", "POST")
    assert first.evidence[-1] == f"the error reached the root: it answers {said}"


@pytest.mark.parametrize("codes", [(200, 200), (404, 404), ("", "teapot")])
def test_a_caller_that_answers_as_before_does_not_report_the_error(trace, codes) -> None:
    """A call fails, and its caller gives the answer that it gave before: the error was swallowed."""
    sides = []
    for failing, code in enumerate(codes):
        t = trace()
        root = t.span("GET /me", 0, 50, kind=SpanKind.SERVER, attributes={"http.status_code": code})
        t.span("POST", 5, 45, root, kind=SpanKind.CLIENT, error=bool(failing))
        sides.append(t.build())
    first = compare(*sides).causes[0]
    assert first.evidence[-1] == "the error stops at shop: GET /me in shop does not report it"


def test_of_several_hosts_the_one_that_failed_is_named(trace) -> None:
    """Two nodes are asked and the second fails: its name is said as it is, with its number."""
    sides = []
    for failing in (False, True):
        t = trace()
        root = t.span("GET /q", 0, 70, kind=SpanKind.SERVER)
        for number in (1, 2):
            t.span("GET", 30 * number - 25, 30 * number, root, kind=SpanKind.CLIENT, error=failing and number == 2,
                   attributes={"server.address": f"es-{number}"})  # fmt: skip
        sides.append(t.build())
    assert compare(*sides).causes[0].peer_service == "es-2"


@pytest.mark.parametrize(
    ("attributes", "broker"),
    [
        ({"messaging.system": "kafka", "server.address": "kafka-0.prod"}, "kafka-0.prod"),
        ({"messaging.system": "kafka"}, "kafka"),
        ({}, None),
    ],
)
def test_who_sends_a_message_waits_for_the_broker(trace, attributes, broker) -> None:
    """Sending takes a second more: that is not for the service to explain that reads the message later."""
    sides = []
    for took in (2, 900):
        t = trace()
        root = t.span("POST /orders", 0, took + 20, kind=SpanKind.SERVER)
        sent = t.span("orders publish", 5, took + 5, root, kind=SpanKind.PRODUCER, attributes=attributes)
        t.span("orders process", took + 8, took + 18, sent, kind=SpanKind.CONSUMER, service="accounting")
        sides.append(t.build())
    first = compare(*sides).causes[0]
    assert (first.finding, first.operation, first.peer_service) == ("operation-slower", "orders publish", broker)


def test_a_service_is_not_its_own_other_end(trace) -> None:
    """A database that sends its own spans, as calls to itself, is named once."""
    sides = []
    for took in (30, 900):
        t = trace()
        root = t.span("GET /", 0, took + 20, kind=SpanKind.SERVER)
        t.span("SQL SELECT", 5, took + 5, root, kind=SpanKind.CLIENT, service="mysql",
               attributes={"peer.service": "mysql"})  # fmt: skip
        sides.append(t.build())
    first = compare(*sides).causes[0]
    assert (first.service, first.peer_service) == ("mysql", None)
