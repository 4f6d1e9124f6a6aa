"""Of which operation a trace is."""

from __future__ import annotations

from analysis import RootCall


def test_the_root_call_of_a_trace(trace) -> None:
    """Names as they were sent, times from the repaired trace, the root's own status."""
    made = trace()
    root = made.span("GET /users/42", 0, 100, service="gateway", error=True)
    made.span("send mail", 90, 150, root, service="mailer")
    call = RootCall.of(made.build())
    assert (call.service, call.operation, call.failed, call.rootless) == ("gateway", "GET /users/42", True, False)
    assert (call.response_ns, call.completion_ns) == (100_000_000, 150_000_000)
    assert call.started_at_ns == root.start_ns


def test_the_span_that_encloses_the_others_stands_for_a_missing_root(trace) -> None:
    """A caller that sends no spans: the topmost span names the operation, and that is noted."""
    made, lost = trace(), trace().span("lost", 0, 1)
    top = made.span("GET /cart", 0, 100, lost, service="cart")
    made.span("SELECT", 10, 20, top, service="cart")
    call = RootCall.of(made.build())
    assert (call.service, call.operation, call.rootless) == ("cart", "GET /cart", True)


def test_pieces_without_a_root_are_of_no_operation(trace) -> None:
    """Where nothing encloses the rest there is no name to give."""
    made, lost = trace(), trace().span("lost", 0, 1)
    made.span("one", 0, 10, lost, service="cart")
    made.span("two", 90, 100, lost, service="stock")
    call = RootCall.of(made.build())
    assert (call.service, call.operation, call.rootless) == ("", "", True)
