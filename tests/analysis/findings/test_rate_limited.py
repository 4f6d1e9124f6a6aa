"""rate-limited: refusals because of a limit, tried again or not."""

from __future__ import annotations

import pytest

from analysis import compare
from analysis.comparison import CauseKind, VerdictKind
from analysis.model import SpanKind


def refused(
    trace, code: object, tries: int, *, ok: bool = True, attribute: str = "http.status_code", marked: bool = True
):
    """Return a trace with a call that is refused until its last try."""
    t = trace()
    root = t.span("POST /sync", 0, 120 * tries + 5, kind=SpanKind.SERVER,
                  attributes={"http.status_code": 200 if ok else 502})  # fmt: skip
    for i in range(tries):
        last = i == tries - 1
        attributes = {"peer.service": "crm", attribute: 200 if last and ok else code}
        t.span("POST", 2 + 120 * i, 22 + 120 * i, root, kind=SpanKind.CLIENT, error=marked and not (last and ok),
               attributes=attributes)  # fmt: skip
    return t.build()


@pytest.mark.parametrize(("code", "attribute"), [(429, "http.status_code"), (8, "rpc.grpc.status_code")])
def test_refusals_with_waits_between_them_name_the_limit(trace, code, attribute) -> None:
    """429 and RESOURCE_EXHAUSTED are told as a rate limit of the other end, with the tries it took."""
    result = compare(refused(trace, code, 1), refused(trace, code, 4, attribute=attribute))
    first = result.causes[0]
    assert (first.finding, first.kind, first.peer_service) == ("rate-limited", CauseKind.RETRY, "crm")
    assert "4 tries" in first.summary
    assert "limit" in result.next_steps[0].text
    assert not {"retries", "error-appeared"} & {finding.finding for finding in result.findings}


@pytest.mark.parametrize(("code", "attribute"), [(429, "http.status_code"), (8, "rpc.grpc.status_code")])
def test_refusals_that_are_not_marked_as_errors_name_the_limit(trace, code, attribute) -> None:
    """Proxies call only a 5xx an error: the limit and the tries are the cause all the same, and the request succeeds."""
    result = compare(refused(trace, code, 1), refused(trace, code, 4, attribute=attribute, marked=False))
    first = result.causes[0]
    assert (first.finding, first.kind, first.peer_service) == ("rate-limited", CauseKind.RETRY, "crm")
    assert first.evidence[0].startswith("3 calls refused in B: status ")
    assert result.verdict.kind is VerdictKind.SLOWER


def test_refusals_to_the_end_fail_whether_or_not_they_are_marked_as_errors(trace) -> None:
    """When the last try is refused as well, the request got nothing."""
    result = compare(refused(trace, 429, 1), refused(trace, 429, 4, ok=False, marked=False))
    assert result.causes[0].finding == "rate-limited"
    assert "the last try fails too" in result.causes[0].evidence[2]
    assert result.verdict.kind is VerdictKind.FAILING


def test_a_refusal_that_is_not_tried_again_fails(trace) -> None:
    """One refused call that stays refused makes the request fail because of the limit."""
    result = compare(refused(trace, 429, 1), refused(trace, 429, 1, ok=False))
    assert result.verdict.kind is VerdictKind.FAILING
    assert result.causes[0].finding == "rate-limited"


def test_other_failures_are_no_rate_limit(trace, only) -> None:
    """A 503 is a failure, not a limit."""
    result = compare(refused(trace, 503, 1), refused(trace, 503, 4))
    assert only(result, "rate-limited") is None
    assert result.causes[0].finding == "retries"


def test_a_limit_on_both_sides_is_no_change(trace, only) -> None:
    """Refused as often before: nothing new."""
    assert only(compare(refused(trace, 429, 4), refused(trace, 429, 4)), "rate-limited") is None
