"""Consistent or intermittent, and since when: from what backends compute of all requests."""

from __future__ import annotations

import json

import pytest
from backends import Backend, sources, status

from bot.errors import SourceError
from bot.finding import Place
from bot.finding.trend import Kind, of_failures, of_latencies, percent, window
from bot.sources.metrics import STEP_S, Bucket, Failures, Latency, quantile

DAY = (1795478473, 1795479992)  # the window of the recorded queries
NOON = 1_795_521_600  # 2026-11-24 12:00 UTC
MS = 1_000_000
RANGE, LATENCIES, ERRORS = "/api/metrics/query_range", "/api/metrics/latencies", "/api/metrics/errors"


def quantiles(*tails_ms: float, middle_ms: float = 50) -> list[Latency]:
    """Return steps up to noon, with these 95th percentiles."""
    first = NOON - len(tails_ms) * STEP_S
    return [Latency(first + i * STEP_S, round(middle_ms * MS), round(tail * MS)) for i, tail in enumerate(tails_ms)]


def bucketed(*counts: tuple[int, int]) -> list[Latency]:
    """Return steps up to noon, each with as many requests of about 100 ms and of about 1.3 s."""
    first = NOON - len(counts) * STEP_S
    steps = []
    for i, (fast, slow) in enumerate(counts):
        buckets = (Bucket(67_108_864, 134_217_728, fast), Bucket(1_073_741_824, 2_147_483_648, slow))
        steps.append(Latency(first + i * STEP_S, quantile(buckets, 0.5), quantile(buckets, 0.95), buckets))
    return steps


def failures(*shares: float) -> list[Failures]:
    """Return steps up to noon, with these shares of failed requests."""
    first = NOON - len(shares) * STEP_S
    return [Failures(first + i * STEP_S, share) for i, share in enumerate(shares)]


async def ask(kind: str, backend: Backend, what: str):
    """Ask the only source for what the checkout did."""
    async with sources(kind, backend) as opened:
        method = getattr(opened.named(kind), what)
        return await method("frontend", "POST /api/checkout", window=DAY, tenant=None, deadline_s=5)


async def test_tempo_is_asked_for_a_histogram() -> None:
    """Counts per bucket are exact; quantiles lie between a bucket's bounds; empty steps are left out."""
    backend = Backend()
    backend.on(RANGE, ("tempo", "mrange-hist"))
    steps = await ask("tempo", backend, "latencies")
    assert dict(backend.asked[0].query) == {
        "q": '{ resource.service.name = "frontend" && name = "POST /api/checkout" } | histogram_over_time(duration)',
        "start": str(DAY[0]), "end": str(DAY[1]), "step": "300s",
    }  # fmt: skip
    assert len(steps) == 11
    assert steps[0].buckets == ((67_108_864, 134_217_728, 5),)
    assert 67_108_864 < steps[0].middle_ns < steps[0].tail_ns < 134_217_728, "true durations are about 120 ms"
    assert steps[1].buckets == ((67_108_864, 134_217_728, 5), (1_073_741_824, 2_147_483_648, 1))
    assert 1_073_741_824 < steps[1].tail_ns < 2_147_483_648, "one of six took 1.3 s"


async def test_an_operation_without_requests_has_no_steps() -> None:
    """Values that are not sent are zeros."""
    backend = Backend()
    backend.on(RANGE, ("tempo", "mrange-none"))
    assert await ask("tempo", backend, "latencies") == []
    assert await ask("tempo", backend, "failures") == []


async def test_tempo_counts_failures() -> None:
    """Two counts make a share; a step without a value is one without failures."""
    backend = Backend()
    backend.on(RANGE, ("tempo", "mrange-count-by"))
    steps = await ask("tempo", backend, "failures")
    assert sorted(request.query["q"] for request in backend.asked) == [
        '{ resource.service.name = "frontend" && name = "POST /api/checkout" && status = error } | count_over_time()',
        '{ resource.service.name = "frontend" && name = "POST /api/checkout" } | count_over_time()',
    ]
    assert {step.share for step in steps} == {1.0}, "the same answer to both"


async def test_jaegers_performance_monitoring_is_asked_for_quantiles() -> None:
    """Two quantiles of all operations; the one that was asked about is kept, in nanoseconds."""
    backend = Backend()
    backend.on(LATENCIES, ("jaeger-spm", "spm-latencies"))
    steps = await ask("jaeger", backend, "latencies")
    assert [(step.middle_ns, step.tail_ns) for step in steps] == [(round(v * MS),) * 2 for v in (122.5, 121.5, 120.5)]
    assert sorted(request.query["quantile"] for request in backend.asked) == ["0.5", "0.95"]
    asked = backend.asked[0].query
    assert (asked["endTs"], asked["lookback"], asked["step"]) == ("1795479992000", "1519000", "300000")


async def test_jaegers_error_rates_are_shares() -> None:
    """What is not between 0 and 1 is brought there."""
    backend = Backend()
    backend.on(ERRORS, ("jaeger-spm", "spm-errors"))
    assert [step.share for step in await ask("jaeger", backend, "failures")] == [1.0, 1.0, 0.1]


async def test_steps_without_requests_are_not_numbers() -> None:
    """Prometheus sends NaN where nothing was measured, as text."""
    backend = Backend()
    points = [
        {"gaugeValue": {"doubleValue": value}, "timestamp": "2026-11-24T00:22:15Z"} for value in ("NaN", "+Inf", 0)
    ]
    labels = [{"name": "operation", "value": "POST /api/checkout"}]
    body = json.dumps({"metrics": [{"labels": labels, "metricPoints": points}]})
    backend.on(LATENCIES, status(200, body))
    assert await ask("jaeger", backend, "latencies") == []


@pytest.mark.parametrize(
    ("kind", "path", "answer", "code"),
    [
        ("jaeger", LATENCIES, ("jaeger", "spm-latencies"), "no-metrics"),
        ("jaeger", LATENCIES, ("victoria", "spm-latencies"), "no-metrics"),
        ("jaeger", "/none", None, "no-metrics"),
        ("tempo", "/none", None, "no-metrics"),
        ("tempo", RANGE, ("tempo", "mrange-bad"), "no-metrics"),
        ("tempo", RANGE, status(500, "localblocks processor not found"), "broken"),
        ("tempo", RANGE, status(200, "[]"), "unreadable-search"),
    ],
    ids=["disabled", "victoria", "old jaeger", "old tempo", "refused", "broken", "strange"],
)
async def test_backends_without_metrics_leave_the_answer_without_a_trend(kind, path, answer, code) -> None:
    """The source says why; whoever asks for a trend simply gets none."""
    backend = Backend()
    if answer:
        backend.on(path, answer)
    with pytest.raises(SourceError) as caught:
        await ask(kind, backend, "latencies")
    assert caught.value.code == code
    async with sources(kind, backend) as opened:
        place = Place(opened.named(kind), None, 5.0)
        for failed in (False, True):
            assert await place.trend("s", "o", started_at=NOON, took_ns=1, failed=failed, now=NOON) is None


async def test_the_trend_of_the_recorded_checkouts() -> None:
    """Slow ones came and went all the time: no change, and about one in ten is as slow as this one."""
    backend = Backend()
    backend.on(RANGE, ("tempo", "mrange-hist"))
    async with sources("tempo", backend) as opened:
        place = Place(opened.named("tempo"), None, 5.0)
        trend = await place.trend(
            "frontend", "POST /api/checkout", started_at=DAY[1], took_ns=1300 * MS, failed=False, now=DAY[1]
        )
    assert (trend.kind, trend.since) == (Kind.USUAL, None)
    assert trend.share == pytest.approx(8 / 66, abs=0.02)


def test_most_requests_slower_since_a_time_is_consistent() -> None:
    """The step in which the level changed, both levels, and the share above the old one."""
    trend = of_latencies(bucketed(*[(50, 0)] * 20, *[(10, 40)] * 10), 1300 * MS, NOON)
    assert (trend.kind, trend.since, trend.share) == (Kind.CONSISTENT, NOON - 10 * STEP_S, 0.8)
    assert trend.words(NOON) == (
        "Consistent since about 11:10 UTC: p95 about 130 ms before, about 2.06 s since; "
        "about 80 % of requests now take longer than the old p95"
    )


def test_some_requests_slower_since_a_time_is_intermittent() -> None:
    """One in ten is enough to move the 95th percentile."""
    trend = of_latencies(bucketed(*[(50, 0)] * 20, *[(45, 5)] * 10), 1300 * MS, NOON)
    assert (trend.kind, trend.share) == (Kind.INTERMITTENT, 0.1)
    assert trend.words(NOON).startswith("Intermittent since about 11:10 UTC")


def test_few_slow_requests_now_and_then_are_rare() -> None:
    """No lasting change: two of a thousand requests are as slow as this one."""
    trend = of_latencies(bucketed(*[(50, 0)] * 19, (49, 1)), 1300 * MS, NOON)
    assert (trend.kind, trend.since, trend.share) == (Kind.RARE, None, 0.001)
    assert trend.words(NOON) == (
        "Rare: about 0.1 % of requests take as long as B; no lasting change since 10:20 UTC (p95 about 130 ms)"
    )


def test_a_request_like_most_is_usual() -> None:
    """What took as long all day is no news."""
    trend = of_latencies(bucketed(*[(5, 50)] * 12), 1300 * MS, NOON)
    assert trend.kind is Kind.USUAL
    assert trend.words(NOON) == "Usual: requests have taken as long as B since 11:00 UTC at least (p95 about 2.07 s)"


@pytest.mark.parametrize(
    ("middle_ms", "kind", "part"), [(900, Kind.CONSISTENT, "more than half"), (60, Kind.INTERMITTENT, "less than half")]
)
def test_quantiles_alone_tell_halves(middle_ms, kind, part) -> None:
    """Where only quantiles come, the median of the requests since tells whether it is most of them."""
    steps = [*quantiles(*[120] * 20), *quantiles(*[1200] * 10, middle_ms=middle_ms)]
    steps = [Latency(NOON - (30 - i) * STEP_S, step.middle_ns, step.tail_ns) for i, step in enumerate(steps)]
    trend = of_latencies(steps, 1300 * MS, NOON)
    assert (trend.kind, trend.since, trend.share) == (kind, NOON - 10 * STEP_S, None)
    assert f"{part} of requests now take longer" in trend.words(NOON)


def test_quantiles_alone_tell_what_is_rare() -> None:
    """Slower than the 95th percentile: fewer than one in twenty."""
    assert "fewer than 5 %" in of_latencies(quantiles(*[120] * 9), 1300 * MS, NOON).words(NOON)
    assert of_latencies(quantiles(*[120] * 9), 100 * MS, NOON).kind is Kind.USUAL


@pytest.mark.parametrize(
    "steps",
    [
        quantiles(*[100, 130] * 10),
        quantiles(*[100] * 10, *[140] * 10),
        quantiles(*[1000] * 10, *[100] * 10),
        quantiles(*[100] * 19, 5000),
        bucketed(*[(50, 0)] * 10, *[(49, 1)] * 10),
    ],
    ids=["noise", "a little", "better", "an outlier", "one in fifty"],
)
def test_what_is_no_change_for_the_worse_is_none(steps) -> None:
    """Noise, small steps, recoveries and single outliers have no beginning."""
    assert of_latencies(steps, 90 * MS, NOON).since is None


def test_what_changed_after_the_request_has_nothing_to_do_with_it() -> None:
    """A deployment ten minutes later does not explain it."""
    assert of_latencies(quantiles(*[100] * 18, 900, 900), 90 * MS, NOON - 3 * STEP_S).since is None


def test_too_few_steps_tell_nothing() -> None:
    """An operation that is called now and then has no level."""
    assert of_latencies(quantiles(100, 100, 900, 900), 900 * MS, NOON) is None
    assert of_failures(failures(0, 0, 1), NOON) is None


@pytest.mark.parametrize(
    ("steps", "kind", "words"),
    [
        (failures(*[0] * 10, *[0.12] * 10), Kind.INTERMITTENT,
         "Intermittent since about 11:10 UTC: 12 % of requests fail, 0 % before"),
        (failures(*[0.01] * 10, *[0.9] * 10), Kind.CONSISTENT,
         "Consistent since about 11:10 UTC: 90 % of requests fail, 1 % before"),
        (failures(*[0.002, 0.004] * 5), Kind.RARE, "0.3 % of requests fail, no more than at 11:10 UTC"),
        (failures(*[0.7] * 10), Kind.USUAL, "70 % of requests fail, no more than at 11:10 UTC"),
    ],
    ids=["some", "most", "few", "always"],
)  # fmt: skip
def test_failures_have_a_beginning_too(steps, kind, words) -> None:
    """The share that fails since, and the share before; or that nothing changed."""
    trend = of_failures(steps, NOON)
    assert trend.kind is kind
    assert trend.words(NOON).replace("10:20", "11:10") == words


def test_the_window_reaches_a_little_past_the_request() -> None:
    """Six hours back, ten minutes on, never into the future."""
    assert window(NOON, NOON + 86400) == (NOON - 6 * 3600, NOON + 600)
    assert window(NOON, NOON + 60) == (NOON - 6 * 3600, NOON + 60)


def test_small_shares_never_become_nothing() -> None:
    """People read 0 % as never."""
    assert [percent(share) for share in (0, 0.0004, 0.012, 1)] == ["0 %", "0.04 %", "1 %", "100 %"]


async def test_the_answer_says_since_when(world, samples) -> None:
    """The small print and the text carry the trend of the source that has the suspect."""
    pair = next(sample for sample in samples.pairs if sample.name == "slow-query")
    asked = []

    async def latencies(service, operation, **arguments):
        asked.append((service, operation))
        start = arguments["window"][0]
        levels = [60 * MS] * 40 + [140 * MS] * 30
        return [Latency(start + i * STEP_S, level // 3, level) for i, level in enumerate(levels)]

    world.bot.sources.named("jaeger").latencies = latencies
    await world.command(f"{pair.baseline} {pair.suspect}")
    await world.settled()
    (root,) = world.slack.roots()
    assert asked == [("gateway", "POST /api/checkout")]
    assert "Intermittent since about 2026-11-23 23:42 UTC: p95 about 60.0 ms before" in root["text"]


async def test_a_slow_backend_does_not_hold_up_the_answer(world, samples) -> None:
    """Where the source cannot tell, or not in time, the answer stands without a trend."""
    pair = next(sample for sample in samples.pairs if sample.name == "payment-timeout")

    async def fail(*_args, **_arguments):
        raise SourceError("timeout", source="jaeger", seconds=3)

    world.bot.sources.named("jaeger").failures = fail
    await world.command(f"{pair.baseline} {pair.suspect}")
    await world.settled()
    (root,) = world.slack.roots()
    assert root["text"].startswith("New errors: ")
    assert "since about" not in root["text"]
