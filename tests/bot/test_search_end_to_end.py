"""One trace id in the channel: the typical request is found, compared with, and named in the answer."""

from __future__ import annotations

import json

import aiohttp
import pytest
from world import CHANNEL

from bot.settings import SourceSettings


def suspect(samples, name: str) -> str:
    """Return the suspect of a sample."""
    return next(sample for sample in samples.pairs if sample.name == name).suspect


@pytest.mark.parametrize("options", ["", " source=tempo"])
async def test_one_id_is_enough(world, samples, options) -> None:
    """The announcement says what is under way, the answer what the trace was compared with, in either backend."""
    assert await world.command(suspect(samples, "retry-storm") + options) == (200, "")
    await world.settled()
    (root,) = world.slack.roots()
    assert world.slack.called("chat.postMessage")[0]["text"] == (
        "Comparing aa9efc72 with a typical request of the same operation ..."
    )
    assert root["text"].startswith("Slower: gateway POST /api/checkout is ")
    assert root["text"].endswith(" A is typical of 3 traces of gateway POST /api/checkout, 02:22 UTC.")
    assert "A is typical of 3 traces of gateway POST /api/checkout, 02:22 UTC" in json.dumps(root["blocks"])
    assert world.slack.whispers() == []
    assert len(world.slack.replies(root["ts"])) >= 2


async def test_the_answer_can_be_swapped_and_its_traces_opened(world, samples) -> None:
    """The trace that was found stands in the buttons like one that was named."""
    await world.command(suspect(samples, "slow-query"))
    await world.settled()
    (root,) = world.slack.roots()
    elements = {e["action_id"]: e for b in root["blocks"] if b["type"] == "actions" for e in b["elements"]}
    typical = elements["open_a"]["url"].rpartition("/")[2]
    assert typical != suspect(samples, "slow-query")
    swapped = json.loads(elements["swap"]["value"])
    assert swapped["suspect"] == {"trace_id": typical, "source": "jaeger", "window": None}
    assert swapped["baseline"]["trace_id"] == suspect(samples, "slow-query")


async def test_the_same_id_again_points_to_the_answer(world, samples) -> None:
    """Asked twice, answered once; compared with a named trace it is another question."""
    for _ in range(2):
        await world.command(suspect(samples, "slow-query"))
        await world.settled()
    assert len(world.slack.roots()) == 1
    assert "asked a moment ago" in world.slack.whispers()[-1]


async def test_history_says_that_a_typical_request_was_used(world, samples) -> None:
    """Where no second trace was named the list says so."""
    await world.command(suspect(samples, "slow-query"))
    await world.settled()
    await world.command("history")
    await world.settled()
    listed = next(m for m in world.slack.messages[CHANNEL] if m["text"].startswith("Compared in this channel"))
    assert "a typical request (A) with 208c7bdb (B)" in json.dumps(listed["blocks"])


async def test_nothing_to_compare_with_is_told_to_the_asker_alone(world, samples) -> None:
    """The announcement is taken back; the sentence says what to type."""
    await world.command(suspect(samples, "same-trace-twice"))
    await world.settled()
    assert world.slack.roots() == []
    (said,) = world.slack.whispers()
    assert "no other trace of inference-service inference-span" in said
    assert "/compare-traces &lt;healthy&gt; 7d3f2c91" in said


async def test_a_source_that_cannot_search_is_said(make_world, samples) -> None:
    """A trace that is fetched from a source without search needs a second id."""
    async with make_world() as world:
        source = world.bot.sources.named("jaeger")._source
        source._http.settings = SourceSettings(name="jaeger", kind="jaeger", url=f"{world.url}/jaeger")
        get = source._http.get

        async def no_search(path, **arguments):
            return await get(path + "-none" if path.endswith(("traces", "summaries")) else path, **arguments)

        source._http.get = no_search
        await world.command(suspect(samples, "slow-query"))
        await world.settled()
        (said,) = world.slack.whispers()
    assert "cannot search for traces" in said


async def fetch(url: str, **query: str) -> tuple[int, str]:
    """GET something of the trace API."""
    async with aiohttp.ClientSession() as session, session.get(url, params=query) as response:
        return response.status, await response.text()


@pytest.mark.parametrize(
    ("path", "query", "status", "part"),
    [
        ("jaeger/api/traces", {}, 400, "'service' is required"),
        ("jaeger/api/traces", {"service": "gateway", "minDuration": "5"}, 400, "invalid duration"),
        ("jaeger/api/traces", {"service": "gateway", "tags": "error=true"}, 400, "Expecting value"),
        ("jaeger/api/traces", {"service": "gateway", "maxDuration": "1us"}, 200, '"data":[]'),
        ("jaeger/api/traces", {"service": "payment", "tags": '{"error":"true"}', "limit": "1"}, 200, '"traceID"'),
        ("jaeger/api/operations", {"service": "gateway"}, 200, '"GET /api/home"'),
        ("tempo/api/search", {"q": "gateway"}, 400, "invalid TraceQL query"),
        ("tempo/api/search", {"q": "{ foo = 1 }"}, 400, "unknown identifier: foo"),
        ("tempo/api/search", {"q": "{ name = }"}, 400, "syntax error"),
        ("tempo/api/search", {"q": '{ name = "GET \\"x\\"" && traceDuration >= 1us }'}, 200, '"traces": []'),
        ("tempo/api/search", {"q": "{ traceDuration >= 1s }"}, 200, '"rootServiceName": "inference-service"'),
        ("tempo/api/v2/search/tag/resource.service.name/values", {}, 200, '"gateway"'),
        ("tempo/api/v2/search/tag/name/values", {"q": '{ resource.service.name = "gateway" }'}, 200, "GET /api/home"),
        ("tempo/api/v2/search/tag/name/values", {"q": "{"}, 400, "invalid TraceQL"),
        ("tempo/api/metrics/query", {"q": '{ name = "nobody" } | count_over_time()'}, 200, '"count_over_time"}}]}]'),
        (
            "tempo/api/metrics/query",
            {"q": '{ name = "nobody" } | histogram_over_time(duration)'},
            200,
            '{"metrics": {}}',
        ),
        ("tempo/api/metrics/query", {"q": "{ duration > 1s } | compare({ status = error })"}, 200, '"__meta_type"'),
        ("tempo/api/metrics/query", {"q": "{ } | rate()"}, 400, "not known here: rate()"),
        ("tempo/api/metrics/query", {"q": "{ duration > 1s }"}, 400, "no metric"),
    ],
    ids=str,
)
async def test_the_playgrounds_trace_api_searches_as_the_backends_do(world, path, query, status, part) -> None:
    """Same paths, same answers, same refusals."""
    answered, text = await fetch(f"{world.url}/{path}", **query)
    assert (answered, part in text) == (status, True), text[:300]


async def test_windows_are_sampled_from_tempo_too(world) -> None:
    """Searched with TraceQL, fetched as protobuf; of too few requests it says how many more are needed."""
    two = "from=2026-11-24T02:24Z to=2026-11-24T02:27Z vs from=2026-11-24T02:22Z to=2026-11-24T02:24Z"
    assert await world.command(f"service=gateway {two} source=tempo") == (200, "")
    await world.settled()
    (root,) = world.slack.roots()
    assert root["text"].startswith(
        "Not comparable: window A has 5 traces of gateway POST /api/checkout: 5 more are needed"
    )
    assert "from tempo, asked by alice" in json.dumps(root["blocks"])
    assert "all 9 requests of A with all 15 requests of B" in root["text"]
    assert "all of them, as tempo counts: " in json.dumps(root["blocks"])
    assert "tempo does not count all requests" not in json.dumps(world.slack.replies(root["ts"])[-1]["blocks"])
