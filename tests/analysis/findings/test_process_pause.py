"""process-pause: one process leaves a hole in all it was doing."""

from __future__ import annotations

from analysis import compare
from analysis.model import SpanKind


def worked(
    trace, x: tuple[float, float], y: tuple[float, float], *, one_process: bool = True, timer: float | None = None
):
    """Return two pieces of work side by side (ms), of one process or of two instances; of the first, a `timer` may run."""
    t = trace()
    end = max(x[1], y[1])
    root = t.span("GET /", 0, end + 10, kind=SpanKind.SERVER, service="front")
    for name, (start, stop), pod in (("x", x, "cart-1"), ("y", y, "cart-1" if one_process else "cart-2")):
        call = t.span("GET", start - 2, stop + 2, root, kind=SpanKind.CLIENT, service="front",
                      attributes={"http.method": "GET", "http.url": f"http://cart/{name}"})  # fmt: skip
        t.span(f"GET /{name}", start, stop, call, kind=SpanKind.SERVER, service="cart", resource={"k8s.pod.name": pod})
    if timer is not None:
        t.span("tick", timer, timer + 1, root, service="cart", resource={"k8s.pod.name": "cart-1"})
    return t.build()


def test_spans_of_one_process_that_stretch_over_one_instant(trace) -> None:
    """Two spans that both stand over the same 400 ms accuse their process, with the instant."""
    first = compare(worked(trace, (10, 30), (20, 40)), worked(trace, (10, 430), (20, 440))).causes[0]
    assert (first.finding, first.service) == ("process-pause", "cart")
    assert "stood still for about 410 ms, 20.0 ms into the request" in first.summary


def test_a_process_that_ran_meanwhile_did_not_stand_still(trace, only) -> None:
    """A span of the same process that runs in the middle shows that the others wait for something else."""
    a, b = worked(trace, (10, 30), (20, 40), timer=25), worked(trace, (10, 430), (20, 440), timer=225)
    assert only(compare(a, b), "process-pause") is None


def test_a_process_stood_still_from_the_last_that_it_did(trace, only) -> None:
    """What ran at the edge of the instant makes it shorter: it stood still for the rest."""
    a, b = worked(trace, (10, 30), (20, 40), timer=25), worked(trace, (10, 430), (20, 440), timer=29)
    assert "stood still for about 400 ms, 30.0 ms into the request" in only(compare(a, b), "process-pause").summary


def test_another_instance_that_ran_meanwhile_clears_nobody(trace, only) -> None:
    """Only what ran in the same process shows that it did."""
    sides = []
    for rest in (20, 420):
        t = trace()
        root = t.span("GET /", 0, rest + 30, kind=SpanKind.SERVER, service="front")
        for name, start, pod in (("x", 10, "cart-1"), ("y", 20, "cart-1")):
            t.span(f"GET /{name}", start, start + rest, root, service="cart", resource={"k8s.pod.name": pod})
        t.span("tick", 10 + rest / 2, 11 + rest / 2, root, service="cart", resource={"k8s.pod.name": "cart-2"})
        sides.append(t.build())
    assert only(compare(*sides), "process-pause") is not None


def test_spans_slow_one_after_the_other_did_not_stand_still_together(trace, only) -> None:
    """Slow at different times is slow, not paused."""
    result = compare(worked(trace, (10, 30), (40, 60)), worked(trace, (10, 430), (440, 860)))
    assert only(result, "process-pause") is None


def test_two_instances_did_not_pause_at_once(trace, only) -> None:
    """A pause is of one process."""
    result = compare(
        worked(trace, (10, 30), (20, 40), one_process=False), worked(trace, (10, 430), (20, 440), one_process=False)
    )
    assert only(result, "process-pause") is None


def test_two_calls_to_one_slow_place_are_not_their_callers_pause(trace, only) -> None:
    """When both waits are calls to the same store, the store is slow."""
    sides = []
    for took in (10, 400):
        t = trace()
        root = t.span("GET /", 0, took + 20, kind=SpanKind.SERVER)
        for i, statement in enumerate(("SELECT 1 FROM a", "SELECT 2 FROM b")):
            t.span("SELECT", 5 + i, 5 + took + i, root, kind=SpanKind.CLIENT,
                   attributes={"db.system": "mysql", "db.statement": statement, "net.peer.name": "store"})  # fmt: skip
        sides.append(t.build())
    assert only(compare(*sides), "process-pause") is None


def test_requests_that_wait_to_be_accepted_together_may_wait_in_a_queue(trace, only) -> None:
    """Two calls that a server takes up late at the same time do not show that it stood still."""
    sides = []
    for late in (2, 400):
        t = trace()
        root = t.span("GET /", 0, late + 60, kind=SpanKind.SERVER, service="front")
        for at, name in ((5, "x"), (6, "y")):
            call = t.span("GET", at, at + late + 24, root, kind=SpanKind.CLIENT, service="front",
                          attributes={"http.method": "GET", "http.url": f"http://cart/{name}"})  # fmt: skip
            t.span(f"GET /{name}", at + late, at + late + 20, call, kind=SpanKind.SERVER, service="cart")
        sides.append(t.build())
    assert only(compare(*sides), "process-pause") is None
