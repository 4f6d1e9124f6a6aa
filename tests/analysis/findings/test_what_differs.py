"""Findings about what merely differs: place, settings, log events, missing spans. They are never a cause alone."""

from __future__ import annotations

import pytest

from analysis import compare, render_text
from analysis.comparison import VerdictKind
from analysis.model import Event, SpanKind
from analysis.report import other_changes


def served(
    trace, took: float = 40, *, resource: dict | None = None, attributes: dict | None = None, events: tuple = ()
):
    """Return a request of one service."""
    t = trace()
    t.span("GET /", 0, took, kind=SpanKind.SERVER, resource=resource, attributes=attributes, events=events)
    return t.build()


def test_another_zone_is_told_although_nothing_is_slower(trace, only) -> None:
    """A zone changes rarely, so its change is worth a line; it makes no cause and no verdict."""
    a, b = (served(trace, resource={"cloud.availability_zone": zone}) for zone in ("eu-1a", "eu-1b"))
    result = compare(a, b)
    assert "another zone: eu-1b instead of eu-1a" in only(result, "place-changed").summary
    assert (result.verdict.kind, result.causes) == (VerdictKind.NO_MEANINGFUL_DIFFERENCE, ())
    assert other_changes(result) == ["shop ran in another zone: eu-1b instead of eu-1a"]


def test_another_instance_matters_only_where_time_was_lost(trace, only) -> None:
    """Behind a load balancer the instance changes with every other request."""
    a = served(trace, resource={"k8s.pod.name": "shop-1"})
    assert only(compare(a, served(trace, 41, resource={"k8s.pod.name": "shop-2"})), "place-changed") is None
    assert only(compare(a, served(trace, 400, resource={"k8s.pod.name": "shop-2"})), "place-changed") is not None
    assert only(compare(a, served(trace, 400, resource={"k8s.pod.name": "shop-1"})), "place-changed") is None


def test_a_flag_evaluated_to_another_variant(trace, only) -> None:
    """Flag evaluations are events that name flag and variant; a changed variant is told once."""
    sides = [
        served(trace, events=(Event("feature_flag.evaluation", 0, {"feature_flag.key": "fast-path",
                                                                 "feature_flag.result.variant": variant}),))
        for variant in ("on", "off")
    ]  # fmt: skip
    assert "fast-path is off instead of on" in only(compare(*sides), "setting-changed").summary
    assert only(compare(sides[0], sides[0]), "setting-changed") is None


def test_what_else_a_span_records_is_no_flag(trace, only) -> None:
    """Beside an evaluation that stayed, an event with a variant but no flag says nothing of a setting."""
    sides = [
        served(trace, events=(Event("feature_flag.evaluation", 0, {"feature_flag.key": "fast-path",
                                                                 "feature_flag.variant": "on"}),
                              Event("served", 0, {"feature_flag.variant": variant})))
        for variant in ("on", "off")
    ]  # fmt: skip
    assert only(compare(*sides), "setting-changed") is None


def test_a_setting_of_the_process_that_changed(trace, only) -> None:
    """Settings on the resource count like those on spans; ids do not."""
    a, b = (served(trace, resource={"config.pool.size": size, "host.id": size}) for size in (20, 2))
    assert "config.pool.size is 2 instead of 20" in only(compare(a, b), "setting-changed").summary


def test_a_setting_is_told_once_for_all_operations_of_its_service(trace, only) -> None:
    """It changed once, however many of the service's operations the traces show."""
    sides = []
    for size in (20, 2):
        t = trace()
        root = t.span("GET /", 0, 40, kind=SpanKind.SERVER, resource={"config.pool.size": size})
        t.span("load", 5, 35, root, resource={"config.pool.size": size})
        sides.append(t.build())
    assert "config.pool.size is 2 instead of 20" in only(compare(*sides), "setting-changed").summary


def test_a_log_event_that_is_new(trace, only) -> None:
    """An event is compared by its template: the same text with other numbers is not new."""
    known = Event("log", 0, {"message": "took 12 rows"})
    a = served(trace, events=(known,))
    b = served(trace, events=(Event("log", 0, {"message": "took 99 rows"}),
                              Event("log", 0, {"level": "WARN", "message": "pool exhausted"})))  # fmt: skip
    finding = only(compare(a, b), "new-log-event")
    assert '"WARN: pool exhausted"' in finding.summary
    assert not any("rows" in line for line in finding.evidence)
    assert (
        only(compare(a, served(trace, events=(Event("log", 0, {"message": "took 7 rows"}),))), "new-log-event") is None
    )


def far(trace, *, seen: bool, took: float = 40):
    """Return a call whose server may not have sent its spans."""
    t = trace()
    root = t.span("GET /", 0, took + 10, kind=SpanKind.SERVER, service="front")
    call = t.span("GET", 5, 5 + took, root, kind=SpanKind.CLIENT, service="front",
                  attributes={"http.method": "GET", "http.url": "http://stock/s"})  # fmt: skip
    if seen:
        t.span("GET /s", 6, 4 + took, call, kind=SpanKind.SERVER, service="stock")
    return t.build()


def test_a_server_that_sent_nothing_is_a_hole_not_a_removed_call(trace, only) -> None:
    """The call is still made; only its far end does not show in B."""
    result = compare(far(trace, seen=True), far(trace, seen=False))
    assert "stock sent no spans for GET of front in B" in only(result, "missing-spans").summary
    assert {f.finding for f in result.findings} == {"missing-spans"}


def test_a_server_that_shows_only_in_b_is_no_new_call(trace, only) -> None:
    """More instrumentation is not more work."""
    result = compare(far(trace, seen=False), far(trace, seen=True))
    assert "in A" in only(result, "missing-spans").summary
    assert only(result, "new-calls") is None


def test_a_slow_call_says_that_it_cannot_see_inside(trace) -> None:
    """A call that became slower while its server's spans are missing is named by the caller, with that reservation."""
    first = compare(far(trace, seen=True), far(trace, seen=False, took=400)).causes[0]
    assert (first.service, first.operation, first.peer_service) == ("front", "GET", "stock")
    assert any("stock sent no spans in B" in line for line in first.evidence)


def test_both_ends_on_both_sides_are_no_hole(trace, only) -> None:
    """Nothing is missing when both ends show."""
    assert only(compare(far(trace, seen=True), far(trace, seen=True, took=41)), "missing-spans") is None


def test_a_setting_of_the_slow_service_is_told_with_the_cause_and_as_a_step(trace) -> None:
    """A flag evaluated elsewhere in the service is a hint at the slow operation; one of another service is none."""
    sides = []
    for took, variant in ((20, "off"), (400, "on")):
        t = trace()
        flag = Event("feature_flag.evaluation", 0, {"feature_flag.key": "new-price", "feature_flag.variant": variant})
        other = Event("feature_flag.evaluation", 0, {"feature_flag.key": "banner", "feature_flag.variant": variant})
        root = t.span("GET /", 0, took + 20, kind=SpanKind.SERVER, events=(flag,))
        t.span("price", 5, 5 + took, root)
        t.span("draw", 6 + took, 8 + took, root, service="pages", events=(other,))
        sides.append(t.build())
    result = compare(*sides)
    assert result.causes[0].operation == "price"
    assert "feature_flag new-price is on instead of off in shop" in result.causes[0].evidence
    assert not any("banner" in line for line in result.causes[0].evidence)
    assert "new-price is on instead of off" in result.next_steps[1].text
    assert render_text(result).count("new-price is on instead of off in shop") == 2  # once as evidence, once as a step


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [("cache.hit", True, False), ("cache.status", "HIT", "MISS"), ("response_flags", "-", "UO")],
)
def test_what_came_of_an_operation_is_no_setting(trace, only, name: str, before: object, after: object) -> None:
    """A miss and a mark on the response are told as evidence; nobody set them, so nobody is sent to look who did."""
    a, b = served(trace, attributes={name: before}), served(trace, 400, attributes={name: after})
    result = compare(a, b)
    assert only(result, "outcome-changed").summary == f"{name} is {after} instead of {before} in shop"
    assert only(result, "setting-changed") is None
    assert f"{name}: {before} in A, {after} in B" in result.causes[0].evidence
    assert not any("setting" in step.text for step in result.next_steps)
    assert only(compare(a, a), "outcome-changed") is None


@pytest.mark.parametrize("name", ["flags", "response_timeout", "feature_flag.result.variant"])
def test_what_an_operation_was_told_is_no_outcome(trace, only, name: str) -> None:
    """Flags, limits and variants are set by somebody, whatever else is in their names."""
    result = compare(served(trace, attributes={name: "a"}), served(trace, 400, attributes={name: "b"}))
    assert only(result, "outcome-changed") is None
    assert name in only(result, "setting-changed").summary
    assert any(f"setting: {name} is b instead of a" in step.text for step in result.next_steps)
