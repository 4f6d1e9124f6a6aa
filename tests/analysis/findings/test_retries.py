"""retries: calls tried again after they failed."""

from __future__ import annotations

import pytest

from analysis import compare
from analysis.comparison import CauseKind, VerdictKind
from analysis.model import SpanKind


def retried(trace, tries: int, *, ok: bool = True):
    """Return a trace with a call tried several times, 100 ms between the tries."""
    t = trace()
    root = t.span("POST /pay", 0, 120 * tries + 5, kind=SpanKind.SERVER, error=not ok)
    for i in range(tries):
        failed = not (ok and i == tries - 1)
        status = 503 if failed else 200
        t.span("POST", 2 + 120 * i, 22 + 120 * i, root, kind=SpanKind.CLIENT, error=failed,
               attributes={"http.method": "POST", "http.url": "http://bank/x", "http.status_code": status})  # fmt: skip
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


def test_a_failure_that_is_tried_again_at_last_is_no_trouble_of_the_suspect(trace) -> None:
    """The call failed once before as well, and nobody tried again: what is new is the try that succeeds."""
    result = compare(retried(trace, 1, ok=False), retried(trace, 2))
    assert "retries" not in {finding.finding for finding in result.findings}
    assert result.verdict.kind is not VerdictKind.FAILING


def test_several_calls_tried_again_are_told_as_several(trace) -> None:
    """Three items fetched one after another, each once more after a failure: three calls, two tries each."""
    sides = []
    for failures in (0, 1):
        t = trace()
        root = t.span("GET /list", 0, 3 * (60 * failures + 12) + 5, kind=SpanKind.SERVER)
        at = 2.0
        for item in range(3):
            asks = {"http.method": "GET", "http.url": f"http://stock/items/{item}"}
            for _ in range(failures):
                t.span("GET", at, at + 50, root, kind=SpanKind.CLIENT, error=True, attributes=asks)
                at += 60
            t.span("GET", at, at + 10, root, kind=SpanKind.CLIENT, attributes=asks)
            at += 12
        sides.append(t.build())
    first = compare(*sides).causes[0]
    assert first.finding == "retries"
    assert first.summary.startswith("3 calls of GET in shop are tried up to 2 times instead of 1")
    assert first.evidence[0] == "6 tries: 150 ms in failed tries, 30.0 ms waiting between them"


def test_a_request_that_became_quicker_is_explained_by_what_did_although_it_had_to_retry(trace) -> None:
    """A try that failed and did not matter in the end is not why a request takes half a second less than before."""
    sides = []
    for failures, query_ms in ((0, 600), (1, 40)):
        t = trace()
        root = t.span("POST /pay", 0, 45 * failures + 30 + query_ms, kind=SpanKind.SERVER)
        at = 2.0
        for last in (*([False] * failures), True):
            t.span("POST", at, at + 20, root, kind=SpanKind.CLIENT, error=not last,
                   attributes={"http.method": "POST", "http.url": "http://bank/x"})  # fmt: skip
            at += 22
        t.span("SELECT orders", at, at + query_ms, root, kind=SpanKind.CLIENT,
               attributes={"db.system": "postgresql", "db.statement": "SELECT * FROM orders"})  # fmt: skip
        sides.append(t.build())
    there, back = compare(*sides), compare(*reversed(sides))
    assert (there.verdict.kind, back.verdict.kind) == (VerdictKind.FASTER, VerdictKind.SLOWER)
    assert "SELECT" in there.causes[0].operation
    assert there.causes[0].operation == back.causes[0].operation


def fetched(trace, requests, gap: float = 60):
    """Return a trace that makes requests one after another: (attributes, failed) each."""
    t = trace()
    root = t.span("POST /notify", 0, (40 + gap) * len(requests) + 5, kind=SpanKind.SERVER)
    for number, (attributes, failed) in enumerate(requests):
        at = 2 + (40 + gap) * number
        t.span("POST", at, at + 40, root, kind=SpanKind.CLIENT, error=failed, attributes=attributes)
    return t.build()


ASKED = {
    "url.full": "http://push/devices/%d",
    "http.target": "/devices/%d",
    "db.statement": "SELECT * FROM devices WHERE id = %d",
    "messaging.message.id": "m%d",
}


def asking(attribute: str, item: int) -> dict:
    """Return the attributes of a request for an item."""
    return {"http.method": "POST", attribute: ASKED[attribute] % item}


@pytest.mark.parametrize("attribute", ASKED)
def test_the_next_item_of_a_list_is_no_further_try(trace, only, attribute) -> None:
    """Two of nine items fail, and the loop goes on with others: nobody tried again."""
    few = [(asking(attribute, item), False) for item in range(5)]
    many = [(asking(attribute, item), item in (2, 6)) for item in range(9)]
    result = compare(fetched(trace, few), fetched(trace, many))
    assert only(result, "retries") is None
    assert only(result, "error-appeared") is not None


@pytest.mark.parametrize("attribute", ASKED)
def test_an_item_asked_for_again_after_others_is_a_further_try(trace, only, attribute) -> None:
    """The items that failed are asked for once more at the end of the list, and succeed: retries of two calls."""
    few = [(asking(attribute, item), False) for item in range(5)]
    many = [(asking(attribute, item), item in (2, 4)) for item in range(5)] + [
        (asking(attribute, item), False) for item in (2, 4)
    ]
    result = compare(fetched(trace, few), fetched(trace, many))
    assert only(result, "retries").summary.startswith("2 calls of POST in shop are tried up to 2 times instead of 1")
    assert result.verdict.kind is VerdictKind.SLOWER


def test_a_statement_with_another_comment_is_the_same_request(trace, only) -> None:
    """Comments of statements carry ids of the single try."""
    statement = "SELECT * FROM t WHERE id = 7 /* trace={} */"
    tries = [({"db.system": "mysql", "db.statement": statement.format(number)}, number < 3) for number in (1, 2, 3)]
    assert only(compare(fetched(trace, tries[-1:]), fetched(trace, tries)), "retries") is not None


def test_another_try_may_go_to_another_host(trace, only) -> None:
    """A call that fails on one node and succeeds on the next was tried again."""
    tries = [
        ({"http.method": "POST", "url.full": f"http://{host}:9200/idx/_search"}, host == "es-1")
        for host in ("es-1", "es-2")
    ]
    assert only(compare(fetched(trace, tries[-1:]), fetched(trace, tries)), "retries") is not None


def test_tries_that_say_something_of_their_own_are_tries_where_no_more_calls_came_than_were_refused(
    trace, only
) -> None:
    """A signature or a number of the try in its address makes no other request of it."""
    signed = [({"http.method": "PUT", "url.full": f"http://store/f?signature={n}"}, n < 3) for n in range(4)]
    found = only(compare(fetched(trace, signed[-1:]), fetched(trace, signed)), "retries")
    assert found.summary.startswith("POST in shop is tried 4 times instead of 1")


def test_one_item_that_stays_refused_is_not_made_good_by_the_next(trace) -> None:
    """The first item fails on every try, the one after it succeeds at once: the request fails."""
    tried = [({"http.method": "POST", "url.full": "http://push/1"}, True)] * 3
    other = [({"http.method": "POST", "url.full": "http://push/2"}, False)]
    before = [(attributes, False) for attributes, _ in tried[:1]] + other
    result = compare(fetched(trace, before), fetched(trace, tried + other))
    assert result.causes[0].finding == "retries"
    assert result.verdict.kind is VerdictKind.FAILING


@pytest.mark.parametrize(
    "refusal", [{"http.status_code": 503}, {"http.status_code": "502"}, {"rpc.grpc.status_code": 14}]
)
def test_a_refusal_that_nobody_calls_an_error_is_tried_again_all_the_same(trace, refusal) -> None:
    """Some proxies and tracers leave the status unset: the code alone says why there was another try."""
    served = dict.fromkeys(refusal, 0)
    result = compare(fetched(trace, [(served, False)]), fetched(trace, [(refusal, False)] * 2 + [(served, False)]))
    assert result.causes[0].finding == "retries"
    assert result.verdict.kind is VerdictKind.SLOWER


def test_answers_that_ask_for_no_other_try_are_no_retries(trace, only) -> None:
    """Three lookups that find nothing, and are no errors, are three lookups."""
    found, missing = {"http.status_code": 200}, {"http.status_code": 404}
    result = compare(fetched(trace, [(found, False)]), fetched(trace, [(missing, False)] * 2 + [(found, False)]))
    assert only(result, "retries") is None


def test_a_call_beside_one_that_fails_is_no_further_try(trace, only) -> None:
    """Both were under way before one of them failed: nobody tried again."""
    sides = []
    for calls in (1, 2):
        t = trace()
        root = t.span("GET /", 0, 60, kind=SpanKind.SERVER)
        for number in range(calls):
            t.span("GET", 5 + number, 50 + number, root, kind=SpanKind.CLIENT, error=calls == 2 and number == 0)
        sides.append(t.build())
    result = compare(*sides)
    assert only(result, "retries") is None
    assert only(result, "error-appeared") is not None


def sent(trace, took: float, again: object = None, attribute: str = "http.request.resend_count"):
    """Return a request with one call, whose client says how often it sent its request again."""
    t = trace()
    root = t.span("POST /pay", 0, took + 10, kind=SpanKind.SERVER)
    says = {} if again is None else {attribute: again}
    t.span("POST", 5, took + 5, root, kind=SpanKind.CLIENT, attributes={"server.address": "psp", **says})
    return t.build()


@pytest.mark.parametrize("attribute", ["http.request.resend_count", "http.resend_count"])
def test_a_client_that_tries_again_within_one_span_says_so_by_a_count(trace, attribute) -> None:
    """The tries have no spans of their own: their number is why the call takes longer, and the request succeeds."""
    result = compare(sent(trace, 100), sent(trace, 1_300, 3, attribute))
    first = result.causes[0]
    assert (first.finding, first.peer_service) == ("retries", "psp")
    assert first.summary == "POST in shop takes 1.30 s instead of 100 ms: its request is sent again"
    assert first.evidence[0] == "sent again 0 times in A, 3 times in B"
    assert result.verdict.kind is VerdictKind.SLOWER


def test_a_call_that_need_not_be_sent_again_any_more_is_quicker_for_it(trace) -> None:
    """The other way round the same count is why the request became faster."""
    result = compare(sent(trace, 1_300, 3), sent(trace, 100))
    assert (result.verdict.kind, result.causes[0].finding) == (VerdictKind.FASTER, "retries")


@pytest.mark.parametrize(("before", "after"), [(3, 3), (None, "many"), (None, "9" * 5_000), (2, 1)])
def test_a_count_that_did_not_grow_is_no_reason(trace, only, before, after) -> None:
    """Sent again as often as before, less often, or nobody can read how often: that the call is slow is another thing."""
    result = compare(sent(trace, 100, before), sent(trace, 1_300, after))
    assert only(result, "retries") is None
    assert result.causes[0].finding == "operation-slower"


def test_a_count_on_a_call_that_is_as_quick_as_before_tells_nothing(trace, only) -> None:
    """What costs no time is no reason for any."""
    assert only(compare(sent(trace, 100), sent(trace, 101, 1)), "retries") is None
