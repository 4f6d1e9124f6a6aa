"""Metrics as evidence: a real Prometheus is asked about the named causes, and what it says weighs."""

from __future__ import annotations

import msgspec
import pytest
from answers import MS
from prometheus_server import Traffic, at, level_from, openmetrics, prometheus

from bot.evidence.metric_source import MetricSource
from bot.evidence.question import Question, Request, Subject
from bot.finding.trend import Kind
from bot.settings import ChangeSettings, MetricSettings

QUOTED = 'GET /"odd\\name"{x=~".*"}\n'


def long_tail(second: int) -> list[float]:
    """Return requests of which one in a hundred has always been slow."""
    return [20.0] * 33 + ([900.0] if second % 180 == 0 else [20.0])


TRAFFIC = [
    Traffic(service="pricing", operation="POST /price", took_ms=level_from("02:25:30", 15, 145)),
    Traffic(service="catalog", operation="SELECT", took_ms=level_from("02:00:00", 75, 75)),
    Traffic(service="cart", operation="GET /cart", took_ms=level_from("01:45:30", 20, 400, 0.2), generation="connector"),
    Traffic(service="legacy", operation="GET /old", took_ms=long_tail, generation="processor"),
    Traffic(service="odd", operation=QUOTED, took_ms=level_from("01:45:30", 20, 400)),
    Traffic(
        service="pay", operation="POST /pay", took_ms=level_from("02:00:00", 20, 20), generation="connector",
        failed=lambda second: 6 if second >= at("01:50:30") else 0,
    ),
    Traffic(
        service="flaky", operation="POST /pay", took_ms=level_from("02:00:00", 20, 20), generation="processor",
        failed=lambda _: 6,
    ),
]  # fmt: skip


def rollout() -> str:
    """Return what a scrape saw of a rollout at 02:10: two pods of the old version, replaced one after the other."""
    lines = []
    for second in range(at("01:00:00"), at("02:40:00"), 60):
        old = [("a", "b"), ("b",), ()][(second >= at("02:10:00")) + (second >= at("02:15:00"))]
        new = tuple("cd"[: 2 - len(old)])
        for version, pods in (("1.4.2", old), ("1.5.0", new)):
            lines += [
                f'target_info{{job="shop/catalog",instance="{pod}",service_version="{version}"}} 1 {second}'
                for pod in pods
            ]
        lines.append(f'target_info{{job="catalog-old",instance="x",service_version="0.{second}"}} 1 {second}')
    flags = [
        f'flag_enabled{{service="catalog"}} {int(second >= at("02:20:00"))} {second}'
        for second in range(at("01:00:00"), at("02:40:00"), 60)
    ]
    return "\n".join([*lines, *flags])


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """Return the address of a real Prometheus that has seen a night of requests."""
    with prometheus(tmp_path_factory.mktemp("prometheus"), openmetrics(TRAFFIC, rollout())) as url:
        yield url


def about(service: str, operation: str, *, failing: bool = False, took_ms: int = 400) -> Question:
    """Return the question about one operation, for a request at 02:25:09 with a baseline an hour before."""
    start = at("02:25:09") * 10**9
    subject = Subject(rank=1, service=service, operation=operation, failing=failing, took_ns=took_ms * MS)
    return Question(
        subjects=(subject,), services=(service,),
        baseline=Request(trace_id="a" * 32, start_ns=start - 3600 * 10**9, end_ns=start - 3599 * 10**9),
        suspect=Request(trace_id="b" * 32, start_ns=start, end_ns=start + 10**9),
    )  # fmt: skip


async def facts(url: str, question: Question, **changes):
    """Ask a server a question."""
    source = MetricSource(MetricSettings(name="prom", url=url, **changes))
    try:
        return (await source.facts(question, tenant=None, now=at("02:40:00"), deadline_s=20))[0]
    finally:
        await source.aclose()


@pytest.mark.parametrize(
    ("service", "operation", "kind", "since", "levels", "share"),
    [
        ("pricing", "POST /price", "Consistent", "02:25", ("23.9 ms", "239 ms"), 100),
        ("cart", "GET /cart", "Intermittent", "01:45", ("23.9 ms", "420 ms"), 20),
    ],
)
async def test_since_when_and_how_many(server, service, operation, kind, since, levels, share) -> None:
    """Both ways of naming span metrics are found without being configured; the sentence says since when, and whom."""
    (fact,) = await facts(server, about(service, operation))
    assert fact.trend.words(at("02:25:09")) == (
        f"{kind} since about {since} UTC: p95 about {levels[0]} before, about {levels[1]} since; "
        f"about {share} % of requests now take longer than the old p95"
    )


async def test_the_last_requests_are_counted(server) -> None:
    """Where nothing changed for good, it is said how many of the last requests took that long."""
    (fact,) = await facts(server, about("legacy", "GET /old", took_ms=900))
    assert fact.trend.kind is Kind.RARE
    assert fact.counted() == "18 of the last 1,870 requests took at least half as long as B"


async def test_what_always_took_as_long_is_usual(server) -> None:
    """An operation that was never quicker is said to be usual."""
    (fact,) = await facts(server, about("catalog", "SELECT", took_ms=74))
    assert fact.trend.kind is Kind.USUAL


@pytest.mark.parametrize(("service", "kind"), [("pay", Kind.CONSISTENT), ("flaky", Kind.USUAL)])
async def test_failures_are_counted_where_the_cause_is_one(server, service, kind) -> None:
    """For an operation that fails the share that failed is looked at, not how long it took."""
    (fact,) = await facts(server, about(service, "POST /pay", failing=True))
    assert (fact.trend.kind, fact.trend.failing) == (kind, True)
    assert fact.counted().endswith("of the last 1,100 requests failed")


async def test_deployments_and_flags_between_the_two_requests(server) -> None:
    """The version that most instances run, and when the new one was first seen; a flag by a query of one's own."""
    flag = ChangeSettings(name="flag new-cart", query='flag_enabled{service="{service}"}')
    broken = ChangeSettings(name="broken", query="nonsense({service})")
    settings = MetricSettings(name="prom", url=server)
    settings = settings.model_copy(update={"changes": (*settings.changes, flag, broken)})
    source = MetricSource(settings)
    _, changed = await source.facts(about("catalog", "SELECT"), tenant=None, now=at("02:40:00"), deadline_s=20)
    assert [fact.words(at("02:25:09")) for fact in changed] == [
        "catalog: version 1.4.2 → 1.5.0 at 02:10 UTC (prom)",
        "catalog: flag new-cart 0 → 1 at 02:20 UTC (prom)",
    ]
    later = about("catalog", "SELECT")
    later = msgspec.structs.replace(
        later, baseline=msgspec.structs.replace(later.suspect, start_ns=at("02:22:00") * 10**9)
    )
    assert (await source.facts(later, tenant=None, now=at("02:40:00"), deadline_s=20))[1] == ()
    await source.aclose()


async def test_names_cannot_change_a_query(server) -> None:
    """An operation with quotes, braces, backslashes and line breaks in its name is found, and nothing else."""
    assert len(await facts(server, about("odd", QUOTED))) == 1
    assert await facts(server, about('odd", span_name=~".*', QUOTED)) == ()
    assert await facts(server, about("odd", '"} or vector(1) #')) == ()


async def test_a_configured_query_is_asked_instead(server) -> None:
    """Whoever measures requests otherwise says with which queries, and in which unit."""
    own = 'sum by (le) (increase(traces_span_metrics_duration_milliseconds_bucket{service_name="{service}"}[{step}]))'
    (fact,) = await facts(server, about("cart", "whatever"), latency_query=own, latency_unit="ms")
    assert fact.trend.since == at("01:45:00")
    total = 'sum(increase(traces_spanmetrics_calls_total{service="{service}"}[{step}]))'
    (fact,) = await facts(
        server, about("catalog", "x", failing=True), requests_query=total, failures_query=f"{total} * 0.25"
    )
    assert fact.trend.after == pytest.approx(0.25, abs=0.02)


async def test_the_thread_is_completed_and_the_confidence_raised(plain_world, samples, server) -> None:
    """The verdict is posted; one message more says since when, draws it, and the root says that it is surer now."""
    async with plain_world(metrics=(MetricSettings(name="prom", url=server),)) as world:
        pair = next(s for s in samples.pairs if s.name == "missing-spans")
        await world.command(f"{pair.baseline} {pair.suspect}")
        await world.settled()
        (root,) = world.slack.roots()
        (said,) = [m for m in world.slack.replies(root["ts"]) if m["text"].startswith("What logs and metrics say")]
        assert "POST /price in pricing: Consistent since about 02:25 UTC" in said["text"]
        assert (
            "Confidence: high, was medium: metrics: requests of POST /price in pricing are slower since" in said["text"]
        )
        assert "p95, 20:25 UTC" not in said["text"]  # the day before is named
        assert "▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁█" in msgspec.json.encode(said["blocks"]).decode()
        assert "Confidence: high." in root["text"]
        assert "02:25 UTC" in msgspec.json.encode(root["blocks"]).decode()
        posted = world.slack.called("chat.postMessage")
        assert posted[-1]["text"] == said["text"]  # after everything else


async def test_the_confidence_is_lowered_where_it_was_always_so(plain_world, samples, server) -> None:
    """Requests that have taken as long all along are no reason for a slow one: the answer is less sure of itself."""
    async with plain_world(metrics=(MetricSettings(name="prom", url=server),)) as world:
        pair = next(s for s in samples.pairs if s.name == "slow-query")
        await world.command(f"{pair.baseline} {pair.suspect}")
        await world.settled()
        (root,) = world.slack.roots()
        assert "Confidence: medium." in root["text"]
        assert "Confidence: medium, was high" in world.slack.replies(root["ts"])[-1]["text"]


async def test_a_real_server_is_pinged(server) -> None:
    """The check says "ok" of a server that is there, below its base path."""
    source = MetricSource(MetricSettings(name="prom", url=server))
    assert await source.ping() == "ok"
    await source.aclose()
