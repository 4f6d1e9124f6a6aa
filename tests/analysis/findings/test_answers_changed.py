"""error-changed and status-changed: another reason to fail, another answer."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from analysis import compare
from analysis.comparison import VerdictKind
from analysis.model import Event, SpanKind


def charged(trace, reason: str, message: str = "", took: float = 20):
    """Return a request whose call fails with an exception."""
    t = trace()
    root = t.span("POST /pay", 0, took + 10, kind=SpanKind.SERVER, error=True)
    event = Event("exception", 0, {"exception.type": reason, "exception.message": message})
    t.span("POST", 5, 5 + took, root, kind=SpanKind.CLIENT, service="pay", error=True, events=(event,))
    return t.build()


def test_another_reason_to_fail_is_told_once_where_it_shows(trace, only) -> None:
    """Both fail; the new reason is named at the call, not again at its caller."""
    result = compare(charged(trace, "CardDeclined"), charged(trace, "ReadTimeout"))
    finding = only(result, "error-changed")
    assert (finding.service, finding.operation) == ("pay", "POST")
    assert "ReadTimeout instead of CardDeclined" in finding.summary
    assert result.verdict.kind is VerdictKind.CHANGED


def test_a_reason_that_callers_pass_on_is_told_at_the_deepest_call(trace, only) -> None:
    """Each span on the way up reports the same new failure; that is one finding."""
    sides = []
    for reason in ("CardDeclined", "ReadTimeout"):
        t = trace()
        event = Event("exception", 0, {"exception.type": reason})
        root = t.span("POST /pay", 0, 50, kind=SpanKind.SERVER, error=True, events=(event,))
        call = t.span("POST", 5, 45, root, kind=SpanKind.CLIENT, error=True, events=(event,))
        t.span("POST /charge", 7, 40, call, kind=SpanKind.SERVER, service="pay", error=True, events=(event,))
        sides.append(t.build())
    assert only(compare(*sides), "error-changed").operation == "POST /charge"


def test_only_calls_that_fail_have_a_reason_to_fail(trace, only) -> None:
    """Of two calls one fails, for another reason than before; what the one that succeeds says is no reason."""
    sides = []
    for reason in ("CardDeclined", "ReadTimeout"):
        t = trace()
        root = t.span("POST /pay", 0, 50, kind=SpanKind.SERVER)
        for at, failed, said in ((5, False, "Retry"), (25, True, reason)):
            event = Event("exception", 0, {"exception.type": said})
            t.span("POST", at, at + 20, root, kind=SpanKind.CLIENT, error=failed, events=(event,))
        sides.append(t.build())
    finding = only(compare(*sides), "error-changed")
    assert finding.summary == "POST in shop fails for another reason: ReadTimeout instead of CardDeclined"


def test_the_same_reason_with_another_number_in_it_is_no_change(trace, only) -> None:
    """Messages are compared without what varies."""
    a, b = charged(trace, "KeyError", "no order 1234"), charged(trace, "KeyError", "no order 9876")
    assert only(compare(a, b), "error-changed") is None


def refused(trace, code: object, message: str = "", took: float = 20, passed_on: str = ""):
    """Return a request whose call fails with a status code and a message."""
    t = trace()
    root = t.span("POST /pay", 0, took + 10, kind=SpanKind.SERVER, error=True)
    t.span("POST", 5, 5 + took, root, kind=SpanKind.CLIENT, service="pay", error=True,
           attributes={"http.status_code": code})  # fmt: skip
    built = t.build()
    first, call = built.spans
    return replace(built, spans=(replace(first, status_message=passed_on), replace(call, status_message=message)))


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ((404,), (500,), "status 500 instead of status 404"),
        ((503, "no host"), (503, "deadline"), "status 503: deadline instead of status 503: no host"),
        ((503, "HTTP 503"), (504, "HTTP 504"), "HTTP 504 instead of HTTP 503"),
    ],
)
def test_another_code_or_message_is_another_reason(trace, only, before, after, told) -> None:
    """Status codes are reasons, and so is what is said beside one; a message that says the code need not say it twice."""
    result = compare(refused(trace, *before), refused(trace, *after))
    assert only(result, "error-changed").summary == f"POST in pay fails for another reason: {told}"
    assert result.verdict.kind is VerdictKind.CHANGED


def test_the_same_code_with_another_id_in_its_message_is_no_other_reason(trace, only) -> None:
    """What varies from request to request is no reason."""
    a, b = refused(trace, 409, "order 17 is locked"), refused(trace, 409, "order 9f3e2a is locked")
    assert only(compare(a, b), "error-changed") is None


def test_a_caller_that_passes_a_new_reason_on_in_its_own_words_tells_no_other(trace, only) -> None:
    """The caller's message follows from the call's: one finding, at the call."""
    a, b = refused(trace, 404, passed_on="no such card"), refused(trace, 500, passed_on="bank is broken")
    assert only(compare(a, b), "error-changed").service == "pay"


def test_two_calls_that_fail_anew_for_one_reason_tell_it_once(trace, only) -> None:
    """What both calls meet is one change."""
    sides = []
    for code in (404, 500):
        t = trace()
        root = t.span("POST /pay", 0, 60, kind=SpanKind.SERVER)
        for number, name in enumerate(("charge", "book")):
            at = 5 + 20 * number
            t.span(name, at, at + 20, root, kind=SpanKind.CLIENT, error=True, attributes={"http.status_code": code})
        sides.append(t.build())
    assert only(compare(*sides), "error-changed").summary.endswith("status 500 instead of status 404")


def test_another_reason_after_a_longer_time_is_the_reason_for_that_time(trace, only) -> None:
    """Refused at once before, out of time after three seconds now: nobody should look for a slow query."""
    a, b = refused(trace, 401), refused(trace, 504, took=3_000)
    first = compare(a, b).causes[0]
    assert first.finding == "error-changed"
    assert first.summary == (
        "POST in pay takes 3.00 s instead of 20.0 ms: it fails for another reason, status 504 instead of status 401"
    )
    assert first.evidence[:2] == ("in A: status 401", "in B: status 504")
    quick = compare(a, refused(trace, 504)).causes[0]
    assert (first.kind, first.fingerprint) == (quick.kind, quick.fingerprint)
    assert only(compare(b, a), "error-changed").summary.endswith("status 401 instead of status 504")


def answered(trace, status: int, took: float = 20):
    """Return a request that is answered with a status and reports no error."""
    t = trace()
    root = t.span("GET /", 0, took + 10, kind=SpanKind.SERVER, attributes={"http.status_code": status})
    t.span("GET /items", 5, 5 + took, root, kind=SpanKind.SERVER, service="items",
           attributes={"http.response.status_code": status})  # fmt: skip
    return t.build()


def test_another_class_of_status_is_another_answer(trace, only) -> None:
    """A 404 that no span calls an error is a change, named at the innermost place."""
    result = compare(answered(trace, 200), answered(trace, 404))
    assert only(result, "status-changed").summary == "GET /items in items answers 404 instead of 200"
    assert result.verdict.kind is VerdictKind.CHANGED


def test_statuses_of_one_class_are_alike(trace, only) -> None:
    """200 and 201 both say that all went well."""
    assert only(compare(answered(trace, 200), answered(trace, 201)), "status-changed") is None


def test_answers_of_both_classes_on_both_sides_are_no_other_answer(trace, only) -> None:
    """Of two lookups one finds nothing, now as before: which of them comes first is no change."""
    sides = []
    for codes in ((200, 404), (404, 200)):
        t = trace()
        root = t.span("GET /cart", 0, 60, kind=SpanKind.SERVER)
        for number, code in enumerate(codes):
            at = 5 + 20 * number
            t.span("GET /items", at, at + 10, root, kind=SpanKind.SERVER, attributes={"http.status_code": code})
        sides.append(t.build())
    assert only(compare(*sides), "status-changed") is None


def looked_up(trace, *codes: object):
    """Return a request that looks up some things, each answered with a code and none reported as an error."""
    t = trace()
    root = t.span("GET /cart", 0, 20 * len(codes) + 20, kind=SpanKind.SERVER)
    for number, code in enumerate(codes):
        at = 5 + 20 * number
        t.span("GET /items", at, at + 10, root, kind=SpanKind.SERVER, attributes={"http.status_code": code})
    return t.build()


def test_a_refusal_among_other_answers_is_another_answer(trace, only) -> None:
    """One of three lookups finds nothing, where before all did; the other way round it is no trouble."""
    a, b = looked_up(trace, 200, 200, 200), looked_up(trace, 200, 404, 200)
    there, back = compare(a, b), compare(b, a)
    assert only(there, "status-changed").summary == "GET /items in shop answers 200, 404 instead of 200"
    assert there.verdict.kind is VerdictKind.CHANGED
    assert only(back, "status-changed").summary == "GET /items in shop answers 200 instead of 200, 404"
    assert back.verdict.kind is VerdictKind.NO_MEANINGFUL_DIFFERENCE


def test_another_refusal_of_the_same_class_is_another_answer(trace, only) -> None:
    """Not found and not allowed are two things, although both are a 4xx."""
    result = compare(answered(trace, 404), answered(trace, 403))
    assert only(result, "status-changed").summary == "GET /items in items answers 403 instead of 404"


def test_a_redirect_among_other_answers_is_none(trace, only) -> None:
    """A lookup that points elsewhere, where the others serve, was served all the same."""
    assert only(compare(looked_up(trace, 200, 200), looked_up(trace, 200, 304)), "status-changed") is None


def test_a_refusal_that_one_side_shares_with_the_other_is_no_other_answer(trace, only) -> None:
    """Lookups find nothing on both sides; that on one of them something was gone for good as well is no news."""
    assert only(compare(looked_up(trace, 404, 410), looked_up(trace, 404, 404)), "status-changed") is None


def test_an_answer_that_says_no_code_is_no_other_answer(trace, only) -> None:
    """What a span does not say cannot have changed, nor can a word that is no code."""
    for unsaid in ("", "aborted"):
        assert only(compare(looked_up(trace, unsaid), looked_up(trace, 404)), "status-changed") is None
        assert only(compare(looked_up(trace, 404), looked_up(trace, unsaid)), "status-changed") is None
