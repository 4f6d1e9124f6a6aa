"""messaging-delay: messages that wait in their queue."""

from __future__ import annotations

from analysis import compare
from analysis.comparison import CauseKind
from analysis.model import SpanKind


def test_a_message_that_waits_in_its_queue(trace) -> None:
    """A consumer that starts late delays completion, not the response."""
    sides = []
    for wait in (2, 400):
        t = trace()
        root = t.span("POST /", 0, 30, kind=SpanKind.SERVER)
        send = t.span("send mail", 20, 21, root, kind=SpanKind.PRODUCER)
        t.span("process mail", 21 + wait, 31 + wait, send, kind=SpanKind.CONSUMER, service="mailer")
        sides.append(t.build())
    result = compare(*sides)
    assert result.response_time.delta_ns == 0
    assert result.completion_time.delta_ns == 398_000_000
    assert (result.causes[0].kind, result.causes[0].service) == (CauseKind.MESSAGING_DELAY, "mailer")


def test_a_message_taken_as_quickly_as_before_is_no_delay(trace, only) -> None:
    """A consumer that itself takes longer did not wait in its queue."""
    sides = []
    for took in (10, 400):
        t = trace()
        root = t.span("POST /", 0, 30, kind=SpanKind.SERVER)
        send = t.span("send mail", 20, 21, root, kind=SpanKind.PRODUCER)
        t.span("process mail", 23, 23 + took, send, kind=SpanKind.CONSUMER, service="mailer")
        sides.append(t.build())
    assert only(compare(*sides), "messaging-delay") is None


def test_a_consumer_that_only_links_to_its_producer_belongs_to_it(trace) -> None:
    """A span without a parent that links to a producer of its trace is no second request, however long it takes."""
    sides = []
    for wait in (2, 3000):
        t = trace()
        root = t.span("POST /", 0, 30, kind=SpanKind.SERVER)
        send = t.span("send mail", 20, 21, root, kind=SpanKind.PRODUCER)
        t.span("process mail", 21 + wait, 91 + wait, kind=SpanKind.CONSUMER, service="mailer", links=(send,))
        sides.append(t.build())
    result = compare(*sides)
    assert result.suspect.root_operation == "POST /"
    assert result.response_time.delta_ns == 0
    first = result.causes[0]
    assert (first.kind, first.service, first.peer_service) == (CauseKind.MESSAGING_DELAY, "mailer", "shop")
    assert not result.notes


def test_time_that_another_call_explains_is_not_claimed_for_the_queue(trace, only) -> None:
    """The response waits for a reply beside a slow query: the query is what held it up, the queue is only told."""
    sides = []
    for wait in (1, 300):
        t = trace()
        root = t.span("POST /", 0, 60 + wait, kind=SpanKind.SERVER)
        ask = t.span("ask", 10, 55 + wait, root)
        t.span("SELECT", 10, 20 + wait, ask, kind=SpanKind.CLIENT, attributes={"db.system": "mysql"})
        t.span("reply", 20 + wait, 50 + wait, ask, kind=SpanKind.CONSUMER, service="pricer")
        sides.append(t.build())
    result = compare(*sides)
    assert only(result, "messaging-delay").delta_ns == 0
    assert (result.causes[0].operation, result.causes[0].delta_ns) == ("SELECT", 299_000_000)
