"""The fingerprint of a cause: the same trouble has the same one whenever it comes back, another one has another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from generated import any_pair, shuffled, under_other_ids
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from proving import examples

from analysis import Comparison, compare, decode
from analysis.model import Event, SpanKind, Trace
from bench.simulate.pairs import make_pair
from bench.simulate.wire import jaeger_json, otlp_json

if TYPE_CHECKING:
    import random

SQL = {"db.system": "postgresql", "server.address": "orders-db:5432"}
SAMPLES = (
    "n-plus-one", "slow-query", "lost-parallelism", "retry-storm", "payment-timeout", "slow-network", "queue-delay",
    "swallowed-error", "new-version", "missing-spans",
)  # fmt: skip


def fingerprints(comparison: Comparison) -> list[str]:
    """Return those of all causes, the headline's first."""
    return [cause.fingerprint for cause in comparison.causes]


def later(trace: Trace, by_ns: int) -> Trace:
    """Return the trace at another time."""
    return replace(
        trace,
        spans=tuple(
            replace(
                s, start_ns=s.start_ns + by_ns, end_ns=s.end_ns + by_ns,
                events=tuple(replace(e, time_ns=e.time_ns + by_ns) for e in s.events),
            )
            for s in trace.spans
        ),
    )  # fmt: skip


def shop(trace, *, query=3.0, table="orders", order=4711, pod="shop-7d9f8b6c5-x2x4z", peer=None, failing="", error="KeyError"):  # fmt: skip
    """Return a request that reads one order, on some pod."""
    t = trace()
    resource = {"k8s.pod.name": pod}
    root = t.span(f"GET /orders/{order}", 0, 30 + query, kind=SpanKind.SERVER, resource=resource)
    attributes = {**SQL, "db.statement": f"SELECT * FROM {table} WHERE id = {order} -- {pod}"}  # noqa: S608 - span data
    if peer:
        attributes["server.address"] = peer
    events = (Event("exception", 0, {"exception.type": error, "exception.message": failing}),) if failing else ()
    t.span(
        "SELECT", 10, 10 + query, root, kind=SpanKind.CLIENT, resource=resource, attributes=attributes,
        error=bool(failing), events=events,
    )  # fmt: skip
    return t.build()


@given(any_pair, st.randoms(use_true_random=False), st.integers(0, 10**15))
@examples(20)
def test_ids_order_and_time_of_day_leave_fingerprints_alone(
    pair: tuple[Trace, Trace], rng: random.Random, by_ns: int
) -> None:
    """Any two traces, under other ids, in another order and at another time, have the same fingerprints."""
    a, b = pair
    if len({s.span_id for s in (*a.spans, *b.spans)}) != len({s.span_id[1:] for s in (*a.spans, *b.spans)}):
        return  # other ids that fall together are other traces
    again = compare(*(shuffled(later(under_other_ids(t), by_ns), rng) for t in (a, b)))
    assert fingerprints(again) == fingerprints(compare(a, b))


@pytest.mark.parametrize("name", SAMPLES)
def test_every_dialect_gives_the_same_fingerprint(samples, name) -> None:
    """Jaeger's JSON and OTLP protobuf, as Tempo has it, of one recorded pair name the same first cause."""
    found = next(sample for sample in samples.pairs if sample.name == name)
    one = compare(*(decode(samples.jaeger(i)) for i in (found.baseline, found.suspect)))
    two = compare(*(decode(samples.otlp(i)) for i in (found.baseline, found.suspect)))
    assert one.causes[0].fingerprint
    assert fingerprints(one)[0] == fingerprints(two)[0]


@pytest.mark.parametrize("fault", ["slow_statement", "retries_fail", "edge_delay", "new_dependency", "n_plus_one"])
def test_a_simulated_system_is_known_again_in_every_dialect(fault) -> None:
    """Jaeger JSON and OTLP JSON of simulated systems, of all conventions, name the same first cause."""
    for pair in filter(None, (make_pair(fault, seed) for seed in range(6))):
        one, two = (
            compare(decode(write(pair.baseline)), decode(write(pair.suspect))) for write in (jaeger_json, otlp_json)
        )
        assert fingerprints(one)[:1] == fingerprints(two)[:1]


def test_the_same_statement_is_known_again_by_other_ids_pods_and_amounts(trace) -> None:
    """Tomorrow, on another pod, for another order, by another amount: the same cause."""
    today = compare(shop(trace), shop(trace, query=1_140))
    tomorrow = compare(
        shop(trace, order=17, pod="shop-5bb9f7c4d-abcde"),
        shop(trace, order=90_001, pod="shop-5bb9f7c4d-q9k2m", query=340, peer="orders-db-1:6432"),
    )
    assert len(today.causes) == 1
    assert fingerprints(today) == fingerprints(tomorrow)


def test_another_statement_and_another_direction_are_other_causes(trace) -> None:
    """Another table is another cause; so is what made the request quicker again."""
    today = compare(shop(trace), shop(trace, query=1_140))
    other = compare(shop(trace, table="prices"), shop(trace, table="prices", query=1_140))
    recovery = compare(shop(trace, query=1_140), shop(trace))
    found = {fingerprints(result)[0] for result in (today, other, recovery)}
    assert len(found) == 3


def test_errors_are_told_apart_by_type_and_message_without_what_varies(trace) -> None:
    """The same exception about another id and host is the same cause; another type or message is another."""

    def failing(message: str, error: str = "ConnectionError") -> str:
        result = compare(shop(trace), shop(trace, failing=message, error=error))
        return result.causes[0].fingerprint

    first = failing("cannot reach 10.0.0.3:5432 for order 4711 after 1200ms")
    assert first == failing("cannot reach 10.9.1.77:5432 for order 8 after 3ms")
    assert first != failing("connection reset while reading order 4711")
    assert first != failing("cannot reach 10.0.0.3:5432 for order 4711 after 1200ms", error="ReadTimeout")


def test_a_slow_line_is_known_by_its_ends_whichever_call_shows_it(trace) -> None:
    """The line between two services is one cause, whatever is called over it; to another service it is another."""

    def slow(path: str, callee: str) -> str:
        sides = []
        for wait in (1, 400):
            t = trace()
            root = t.span("GET /", 0, 60 + wait, kind=SpanKind.SERVER, service="front")
            call = t.span(f"GET {path}", 5, 45 + wait, root, kind=SpanKind.CLIENT, service="front")
            t.span(f"GET {path}", 5 + wait, 44 + wait, call, kind=SpanKind.SERVER, service=callee)
            sides.append(t.build())
        first = compare(*sides).causes[0]
        assert first.finding == "slow-edge"
        return first.fingerprint

    assert slow("/sku", "stock") == slow("/price", "stock")
    assert slow("/sku", "stock") != slow("/sku", "cart")


def test_a_version_is_a_cause_of_its_own(trace) -> None:
    """The same new version is the same change; the next one is not."""

    def became(version: str) -> str:
        sides = []
        for its in ("1.0", version):
            t = trace()
            t.span("GET /", 0, 50, kind=SpanKind.SERVER, resource={"service.version": its})
            sides.append(t.build())
        return fingerprints(compare(*sides))[0]

    assert became("1.1") == became("1.1")
    assert became("1.1") != became("1.2")


def test_secrets_do_not_tell_causes_apart(trace) -> None:
    """A token or an address of a person in an error is taken out before it counts."""
    people = ("alice@example.com", "bob@example.org")
    one, two = (compare(shop(trace), shop(trace, failing=f"no account for {person}")) for person in people)
    assert fingerprints(one) == fingerprints(two)


def test_a_stored_fingerprint_is_read_back_and_stands_in_the_dict(trace) -> None:
    """It travels with its cause, and names the version of its recipe."""
    result = compare(shop(trace), shop(trace, query=1_140))
    (cause,) = result.to_dict()["causes"]
    assert cause["fingerprint"] == Comparison.from_json(result.to_json()).causes[0].fingerprint
    assert cause["fingerprint"].startswith("1-")
