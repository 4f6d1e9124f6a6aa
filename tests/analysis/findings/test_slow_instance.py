"""slow-instance: one of several instances is slow."""

from __future__ import annotations

from analysis import compare
from analysis.model import SpanKind


def priced(trace, durations: dict[str, list[float]]):
    """Return a trace that calls one operation on several instances, one call after another."""
    t = trace()
    root = t.span("GET /cart", 0, sum(map(sum, durations.values())) + 10, kind=SpanKind.SERVER)
    at = 5.0
    for pod, of_pod in durations.items():
        for took in of_pod:
            t.span("price", at, at + took, root, service="pricing", resource={"k8s.pod.name": pod})
            at += took
    return t.build()


USUAL = {"p-1": [10, 11], "p-2": [10, 10]}


def test_calls_that_are_slow_on_one_instance_only_name_it(trace) -> None:
    """The operation is as quick as ever on the other instance, so the instance is the news."""
    first = compare(priced(trace, USUAL), priced(trace, {"p-1": [10, 11], "p-2": [200, 210]})).causes[0]
    assert (first.finding, first.service, first.operation) == ("slow-instance", "pricing", "price")
    assert "2 calls on p-2 took 205 ms, elsewhere 10.5 ms" in first.summary


def test_calls_that_are_slow_everywhere_name_no_instance(trace, only) -> None:
    """When every instance is slow, the operation is."""
    result = compare(priced(trace, USUAL), priced(trace, {"p-1": [190, 200], "p-2": [200, 210]}))
    assert only(result, "slow-instance") is None


def test_one_instance_alone_has_nothing_to_be_held_against(trace, only) -> None:
    """A single instance may be slow or its operation may be."""
    result = compare(priced(trace, {"p-1": [10, 11]}), priced(trace, {"p-1": [200, 210]}))
    assert only(result, "slow-instance") is None
