"""Traces of the bot itself: off unless asked for, and good enough for the bot to explain its own slowness."""

from __future__ import annotations

import asyncio
import socket
import sys
import time
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from opentelemetry.trace import NoOpTracer
from world import CHANNEL, serve

from analysis import Trace, WireFormat, compare, decode_many
from analysis.comparison import VerdictKind
from analysis.model import SpanKind
from bot.settings import CacheSettings
from bot.telemetry import tracing

OTHER = "C0OTHER"
VARIABLES = (
    "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_SDK_DISABLED", "OTEL_SERVICE_NAME",
    "OTEL_RESOURCE_ATTRIBUTES",
)  # fmt: skip


@pytest.fixture
def environment(monkeypatch):
    """Return a setter of environment variables, with all of OpenTelemetry's unset."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    return monkeypatch.setenv


@pytest.fixture
def collect(environment):
    """Return a context in which the bot's spans go to a collector over HTTP; what it received is there afterwards."""

    @asynccontextmanager
    async def collecting():
        bodies: list[bytes] = []

        async def receive(request: web.Request) -> web.Response:
            bodies.append(await request.read())
            return web.Response(content_type="application/x-protobuf")

        app = web.Application()
        app.add_routes([web.post("/v1/traces", receive)])
        async with serve(app) as url:
            environment("OTEL_EXPORTER_OTLP_ENDPOINT", url)
            stop = tracing.set_up()
            try:
                yield bodies
            finally:
                await asyncio.to_thread(stop)

    return collecting


def traces(bodies: list[bytes]) -> dict[str, Trace]:
    """Read what the collector received; requests by their ids."""
    spans: dict[str, list] = {}
    for body in bodies:
        for trace in decode_many(body, WireFormat.OTLP_PROTOBUF):
            spans.setdefault(trace.trace_id, []).extend(trace.spans)
    return {its: Trace(trace_id=its, spans=tuple(found)) for its, found in spans.items()}


async def ask(world, pair, channel: str = CHANNEL) -> None:
    """Compare a pair and wait for the answer."""
    await world.command(f"{pair.baseline} {pair.suspect}", channel_id=channel)
    await world.settled()


async def test_a_request_is_one_trace_with_its_steps(world, samples, collect) -> None:
    """From Slack's payload to the answer: acknowledged, announced, fetched twice, analysed in a child, posted."""
    async with collect() as bodies:
        await ask(world, samples.pairs[0])
    named = [trace for trace in traces(bodies).values() if any(span.name == "comparison" for span in trace.spans)]
    (trace,) = named
    spans = {span.span_id: span for span in trace.spans}
    (root,) = [span for span in trace.spans if not span.parent_id]
    assert (root.name, root.kind, root.resource.service) == ("comparison", SpanKind.SERVER, "compare-traces")
    chains = {f"{spans[span.parent_id].name} > {span.name}" for span in trace.spans if span.parent_id}
    assert {
        "comparison > ack", "comparison > announce", "announce > slack chat.postMessage", "comparison > wait",
        "comparison > fetch", "comparison > analyse", "analyse > decode", "analyse > compare", "comparison > post",
        "post > slack chat.update",
    } <= chains  # fmt: skip
    fetches = [span for span in trace.spans if span.name == "fetch"]
    assert {span.sent["peer.service"] for span in fetches} == {"jaeger", "tempo"}
    assert all(root.start_ns <= span.start_ns and span.end_ns <= root.end_ns for span in trace.spans)


async def test_the_bot_explains_its_own_slow_request(make_world, samples, collect) -> None:
    """Two of its own traces, one while a backend was slow: the difference is put down to fetching."""
    pair = samples.pairs[0]
    async with make_world(cache=CacheSettings(bytes=0)) as world, collect() as bodies:
        await ask(world, samples.pairs[1])  # the child is warm afterwards
        source = world.bot.sources.named("jaeger")._source
        fetch = source.fetch

        async def slowly(*args, **how):
            await asyncio.sleep(1.0)
            return await fetch(*args, **how)

        await ask(world, pair)
        source.fetch = slowly
        await ask(world, pair, OTHER)
    roots = {
        trace.trace_id: span for trace in traces(bodies).values() for span in trace.spans if span.name == "comparison"
    }
    _, healthy, slow = sorted(roots, key=lambda its: roots[its].start_ns)
    comparison = compare(traces(bodies)[healthy], traces(bodies)[slow])
    assert comparison.verdict.kind is VerdictKind.SLOWER
    assert ("compare-traces", "fetch") in {(cause.service, cause.operation) for cause in comparison.causes}
    fetched = [part.delta_ns for part in comparison.contributions if part.operation == "fetch"]
    assert sum(fetched) > 800_000_000


async def test_spans_say_nothing_that_logs_may_not_say(world, samples, collect) -> None:
    """No token, no person, no channel, no words of anybody, nothing of what a trace holds; errors by their code."""
    world.slack.faults = [("chat.postMessage", "500")]
    async with collect() as bodies:
        await ask(world, samples.pairs[0])
        await world.command("aa bb")
        await world.settled()
    sent = b"".join(bodies)
    failed = [span for trace in traces(bodies).values() for span in trace.spans if span.error]
    assert {"comparison", "fetch", "slack chat.postMessage"} <= {span.name for span in failed}
    assert {span.status_message for span in failed if span.name == "fetch"} == {"trace-not-found"}
    for word in (b"xoxb", b"alice", CHANNEL.encode(), b"U1", b"/response/", b"checkout", b"SELECT", b"no trace"):
        assert word not in sent


@pytest.mark.parametrize(
    "variables",
    [{}, {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_SDK_DISABLED": "true"}],
    ids=["unset", "disabled"],
)
def test_it_is_off_unless_a_collector_is_named(environment, variables) -> None:
    """Nothing is recorded and nothing is sent."""
    for name, value in variables.items():
        environment(name, value)
    stop = tracing.set_up()
    assert isinstance(tracing.tracer(), NoOpTracer)
    stop()


def test_without_the_extra_the_bot_runs_and_says_what_to_install(environment, lines, monkeypatch) -> None:
    """A collector is named, the SDK is not there: a line in the log, not an end."""
    environment("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    tracing.set_up()()
    assert isinstance(tracing.tracer(), NoOpTracer)
    (line,) = lines()
    assert line["install"] == "compare-traces[otel]"


def test_the_name_of_the_service_can_be_set(environment) -> None:
    """As everywhere with OpenTelemetry."""
    environment("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    environment("OTEL_SERVICE_NAME", "bot-in-staging")
    stop = tracing.set_up()
    assert tracing.tracer().start_span("x").resource.attributes["service.name"] == "bot-in-staging"
    stop()


def test_a_collector_that_hangs_does_not_hold_up_the_end(environment, monkeypatch) -> None:
    """The last spans are lost rather than the process being killed for its slowness."""
    monkeypatch.setattr(tracing, "LAST_S", 0.1)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        environment("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{silent.getsockname()[1]}")
        environment("OTEL_EXPORTER_OTLP_TIMEOUT", "60")
        stop = tracing.set_up()
        with tracing.tracer().start_as_current_span("x"):
            pass
        began = time.monotonic()
        stop()
        assert time.monotonic() - began < 30
