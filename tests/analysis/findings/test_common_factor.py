"""common-factor: one thing that many slow operations share."""

from __future__ import annotations

from analysis import compare
from analysis.model import SpanKind

SERVICES = ("cart", "catalog", "price", "ads", "tax")


def visited(trace, slow: dict[str, float], hosts: dict[str, str]):
    """Return a request that visits five services one after another, each on its host."""
    t = trace()
    total = sum(20 + slow.get(service, 0) for service in SERVICES)
    root = t.span("GET /", 0, total + 20, kind=SpanKind.SERVER, service="front", resource={"host.name": "edge"})
    at = 5.0
    for service in SERVICES:
        took = 20 + slow.get(service, 0)
        t.span(f"run {service}", at, at + took, root, service=service, resource={"host.name": hosts[service]})
        at += took
    return t.build()


HOSTS = {"cart": "node-1", "catalog": "node-2", "price": "node-2", "ads": "node-2", "tax": "node-3"}


def test_slow_services_of_one_host_are_said_with_the_host(trace) -> None:
    """Three services on one host became slower, the others did not: the host is named once."""
    slow = {"catalog": 150.0, "price": 120.0, "ads": 100.0}
    result = compare(visited(trace, {}, HOSTS), visited(trace, slow, HOSTS))
    first = result.causes[0]
    assert first.finding == "common-factor"
    assert "host node-2" in first.summary
    assert first.share > 0.99
    assert len(first.symptoms) == 2  # the two others; the worst one is what the cause is named by
    assert len(result.causes) == 1


def test_slow_services_that_share_nothing_are_named_one_by_one(trace, only) -> None:
    """Slowness on three hosts has no common host."""
    slow = {"cart": 150.0, "price": 120.0, "tax": 100.0}
    assert only(compare(visited(trace, {}, HOSTS), visited(trace, slow, HOSTS)), "common-factor") is None


def test_what_everything_shares_explains_nothing(trace, only) -> None:
    """When all services run on one host and some are slow, the host does not tell why."""
    hosts = dict.fromkeys(SERVICES, "edge")
    slow = {"catalog": 150.0, "price": 120.0, "ads": 100.0}
    assert only(compare(visited(trace, {}, hosts), visited(trace, slow, hosts)), "common-factor") is None


def queried(trace, took: dict[str, float]):
    """Return a request that asks two stores six things."""
    t = trace()
    root = t.span("GET /", 0, sum(took.values()) * 3 + 30, kind=SpanKind.SERVER)
    at = 5.0
    for store, ms in took.items():
        for table in ("a", "b", "c"):
            t.span("SELECT", at, at + ms, root, kind=SpanKind.CLIENT,
                   attributes={"db.system": "redis", "db.statement": f"GET {store}:{table}",
                               "net.peer.name": store})  # fmt: skip
            at += ms
    return t.build()


def test_slow_queries_of_one_store_name_the_store(trace) -> None:
    """Three different statements are slower, all to one store, while another store is as before."""
    first = compare(queried(trace, {"orders": 10, "users": 10}), queried(trace, {"orders": 90, "users": 10})).causes[0]
    assert (first.finding, first.peer_service) == ("common-factor", "orders")
    assert "calls to orders" in first.summary


def test_two_services_are_enough_when_nothing_else_runs_there(trace, only) -> None:
    """Everything on a host is slow and nothing elsewhere is; with a third, healthy service there it is no factor."""
    slow = {"catalog": 150.0, "price": 120.0}
    two = {**HOSTS, "ads": "node-3"}
    told = only(compare(visited(trace, {}, two), visited(trace, slow, two)), "common-factor")
    assert told is not None
    assert "host node-2" in told.summary
    assert "all that ran there is slower" in told.evidence[0]
    assert only(compare(visited(trace, {}, HOSTS), visited(trace, slow, HOSTS)), "common-factor") is None
