"""Searching traces, services and operations, against recorded answers replayed by a local server."""

from __future__ import annotations

import asyncio
import json

import msgspec
import pytest
from aiohttp import web
from backends import Backend, fetch, sources, status
from backends import code_of as code_of_fetch
from exchanges import body
from hypothesis import given
from hypothesis import strategies as st

from analysis import decode
from bot.errors import SourceError
from bot.sources.base import Order, TraceQuery
from bot.sources.tempo_search import quoted, trace_ql

DAY = (1795478473, 1795479992)  # the window of the recorded searches
CHECKOUT = TraceQuery(service="frontend", operation="POST /api/checkout", window=DAY, root=True)
SUMMARIES, V1, TEMPO = "/api/v3/trace-summaries", "/api/traces", "/api/search"


async def search(opened, query: TraceQuery = CHECKOUT, tenant: str | None = None, deadline_s: float = 5.0):
    """Search the only source that was opened."""
    (source,) = opened.allowed("C1")
    return await source.search(query, tenant=tenant, deadline_s=deadline_s)


async def code_of(opened, query: TraceQuery = CHECKOUT) -> str:
    """Return the code of the error that a search ends in."""
    with pytest.raises(SourceError) as caught:
        await search(opened, query)
    assert "?" not in caught.value.sentence
    return caught.value.code


def change(**fields) -> TraceQuery:
    """Return the usual query, changed."""
    return msgspec.structs.replace(CHECKOUT, **fields)


async def test_jaeger_is_asked_for_summaries() -> None:
    """Summaries carry root, times and errors of each trace in a few bytes."""
    backend = Backend()
    backend.on(SUMMARIES, ("jaeger", "v3-summaries"))
    async with sources("jaeger", backend) as opened:
        found = await search(opened, change(limit=3))
    assert dict(backend.asked[0].query) == {
        "query.serviceName": "frontend", "query.operationName": "POST /api/checkout",
        "query.startTimeMin": "2026-11-24T00:01:13Z", "query.startTimeMax": "2026-11-24T00:26:32Z",
        "query.searchDepth": "3",
    }  # fmt: skip
    assert [s.trace_id[-5:] for s in found] == ["6677c", "5ccd1", "57004"], "newest first, cut to the limit"
    first = found[0]
    assert (first.root_service, first.root_operation) == ("frontend", "POST /api/checkout")
    assert (first.started_at_ns, first.duration_ns) == (1795479303123456789, 128270855)
    assert (first.matched_ns, first.has_errors) == (None, False)


async def test_jaeger_filters_are_strings_and_go_durations() -> None:
    """Bare numbers are refused: durations carry a unit, attribute values are all text."""
    backend = Backend()
    backend.on(SUMMARIES, ("jaeger", "v3-summaries-dur"))
    query = change(
        min_duration_ns=1_000_000_000, max_duration_ns=2_000_000_000, only_errors=True,
        attributes={"http.response.status_code": 500, "cached": False, "tier": "gold"}, order=Order.SLOWEST,
    )  # fmt: skip
    async with sources("jaeger", backend) as opened:
        found = await search(opened, query)
    asked = backend.asked[0].query
    assert (asked["query.durationMin"], asked["query.durationMax"]) == ("1000000us", "2000000us")
    assert json.loads(asked["query.attributes"]) == {
        "http.response.status_code": "500", "cached": "false", "tier": "gold", "error": "true",
    }  # fmt: skip
    assert [s.has_errors for s in found] == [True] * 3
    durations = [s.duration_ns for s in found]
    assert durations == sorted(durations, reverse=True)


async def test_a_jaeger_without_summaries_is_asked_with_v1_and_remembered() -> None:
    """Servers before 2.19 send whole traces: few are asked for, and the summary is made from them."""
    backend = Backend()
    backend.on(SUMMARIES, ("jaeger", "notfound-api"))
    backend.on(V1, ("jaeger", "search-svc-op"))
    async with sources("jaeger", backend) as opened:
        for _ in range(2):
            found = await search(opened, change(limit=90, min_duration_ns=1_500_000))
    assert [r.path for r in backend.asked] == [SUMMARIES, V1, V1]
    assert dict(backend.asked[-1].query) == {
        "service": "frontend", "operation": "POST /api/checkout", "start": "1795478473000000",
        "end": "1795479992000000", "minDuration": "1500us", "limit": "20",
    }  # fmt: skip
    assert len(found) == 2
    assert (found[0].root_operation, found[0].matched_ns) == ("POST /api/checkout", 126_949_000)
    assert found[0].duration_ns >= found[0].matched_ns
    assert found[0].has_errors is False


async def test_victoria_traces_is_searched_too() -> None:
    """It refuses api_v3 in its own way and answers v1 in its own dialect."""
    backend = Backend()
    backend.on(SUMMARIES, ("victoria", "v3-services"))
    backend.on(V1, ("victoria", "search-maxdur"))
    async with sources("jaeger", backend) as opened:
        (found,) = await search(opened)
    assert found.root_service == "frontend"
    assert found.has_errors is False


async def test_a_server_of_api_v3_alone_is_asked_for_whole_traces() -> None:
    """No summaries, no v1: the search of api_v3 says the same of each trace, and "none" with a 404."""
    backend = Backend()
    backend.on(
        "/api/v3/traces", ("jaeger", "v3-find"), status(404, '{"error":{"httpCode":404,"message":"No traces found"}}')
    )
    async with sources("jaeger", backend) as opened:
        found = await search(opened)
        assert await search(opened) == []
    assert found
    assert {(s.root_service, s.root_operation) for s in found} == {("frontend", "POST /api/checkout")}
    assert all(s.matched_ns and 0 < s.matched_ns <= s.duration_ns and len(s.trace_id) == 32 for s in found)
    assert sorted(found, key=lambda s: -s.started_at_ns) == found
    assert backend.asked[2].query["query.searchDepth"] == "20"


async def test_an_older_server_of_api_v3_is_asked_in_its_spelling() -> None:
    """It misses the times that it requires, and says so, until they are spelt in the older way."""

    async def older(request: web.Request) -> web.Response:
        if "query.start_time_min" not in request.query:
            said = {"error": {"httpCode": 400, "message": "malformed parameter query.start_time_min"}}
            return web.json_response(said, status=400)
        return web.Response(body=body("jaeger", "v3-find"), content_type="application/json")

    backend = Backend()
    backend.on("/api/v3/traces", older)
    async with sources("jaeger", backend) as opened:
        assert await search(opened, change(min_duration_ns=1_000_000))
    assert dict(backend.asked[-1].query) == {
        "query.service_name": "frontend", "query.operation_name": "POST /api/checkout",
        "query.start_time_min": "2026-11-24T00:01:13Z", "query.start_time_max": "2026-11-24T00:26:32Z",
        "query.duration_min": "1000us", "query.search_depth": "20",
    }  # fmt: skip
    backend.on("/api/v3/traces", status(400, "service is required"))
    async with sources("jaeger", backend) as opened:
        assert await code_of(opened) == "rejected"


async def test_an_older_tempo_is_asked_about_spans_and_its_roots_are_picked_here() -> None:
    """Where TraceQL knows no roots, the same traces are found: those of other roots are left out of a full answer."""
    traces = [
        {
            "traceID": f"{number + 1:x}", "rootServiceName": "frontend",
            "rootTraceName": "GET /other" if number % 2 else "POST /api/checkout",
            "startTimeUnixNano": f"{DAY[0] + number}000000000", "durationMs": 90,
            "spanSet": {"spans": [{"durationNanos": "5000000"}]},
        }
        for number in range(100)
    ]  # fmt: skip

    async def older(request: web.Request) -> web.Response:
        if "root" in request.query["q"] or "traceDuration" in request.query["q"]:
            said = "invalid TraceQL query: parse error at line 1, col 3: syntax error: unexpected IDENTIFIER"
            return web.Response(status=400, text=said)
        return web.json_response({"traces": traces})

    backend = Backend()
    backend.on(TEMPO, older)
    async with sources("tempo", backend) as opened:
        found = await opened.named("tempo").find(
            change(min_duration_ns=4_000_000, limit=60), tenant=None, deadline_s=5.0
        )
    assert {its.root_operation for its in found.traces} == {"POST /api/checkout"}
    assert len(found.traces) == 50
    assert found.cut
    asked = backend.asked[-1].query
    assert asked["q"] == ('{ resource.service.name = "frontend" && name = "POST /api/checkout" && duration >= 4000us }')
    assert asked["limit"] == "100"


async def test_large_v1_answers_let_others_through() -> None:
    """Whole traces are read one by one: what else the bot does goes on in between."""
    data = json.loads(body("jaeger", "search-svc-op"))["data"]
    large = json.dumps({"data": data * 100}).encode()

    async def many(_: web.Request) -> web.Response:
        return web.Response(body=large, content_type="application/json")

    backend = Backend()
    backend.on(V1, many)
    turns = 0

    async def live() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async with sources("jaeger", backend) as opened:
        await search(opened)  # opens the connection, learns the dialect
        (watched,) = opened.allowed("C1")
        source = watched._source
        read = await source._search_v1(CHECKOUT, {}, 5.0)
        other = asyncio.create_task(live())

        async def at_once(*_args) -> object:
            return read

        source._search_v1 = at_once
        await asyncio.sleep(0)
        before = turns
        found = await search(opened, change(limit=100))
        other.cancel()
    assert len(found) == 2, "each trace once"
    assert turns - before >= 200


async def test_v1_answers_that_are_too_large_together_are_asked_for_in_smaller_numbers() -> None:
    """A search that would send more than the limit is repeated for half as many traces."""

    async def by_limit(request: web.Request) -> web.Response:
        padding = b" " * (300_000 * int(request.query["limit"]))
        return web.Response(body=body("jaeger", "search-svc-op") + padding, content_type="application/json")

    backend = Backend()
    backend.on(V1, by_limit)
    async with sources("jaeger", backend, max_body_bytes=1_000_000) as opened:
        assert len(await search(opened)) == 2
    assert [r.query["limit"] for r in backend.asked if r.path == V1] == ["20", "10", "5", "2"]


async def test_tempo_is_searched_with_trace_ql() -> None:
    """Root, service and operation are conditions; the range is always there; the span's own duration comes back."""
    backend = Backend()
    backend.on(TEMPO, ("tempo", "search-select"))
    query = TraceQuery(service="payment", window=DAY, only_errors=True, limit=500)
    async with sources("tempo", backend) as opened:
        found = await search(opened, query)
    assert dict(backend.asked[0].query) == {
        "q": '{ resource.service.name = "payment" && status = error }', "start": str(DAY[0]), "end": str(DAY[1]),
        "limit": "100", "spss": "10",
    }  # fmt: skip
    slowest = next(s for s in found if s.trace_id.startswith("4bf92f35"))
    assert (slowest.duration_ns, slowest.matched_ns, slowest.has_errors) == (1_300_000_000, 325_000_000, True)


async def test_a_tempo_behind_grafana_is_searched_and_fetched_from(monkeypatch) -> None:
    """Through the proxy of a data source, also to a Tempo that knows only v1: every path below it, with Grafana's token."""
    monkeypatch.setenv("GRAFANA_TOKEN", "glsa_of-a-service-account")
    below = "/grafana/api/datasources/proxy/uid/P214B5B846CF3925F"
    backend = Backend()
    backend.on(f"{below}/api/echo", ("tempo", "misc-echo"))
    backend.on(f"{below}{TEMPO}", ("tempo", "search-select"))
    backend.on(f"{below}/api/search/tag/service.name/values", ("tempo", "tagval-v1-service.name"))
    async with sources("tempo", backend, below=below, bearer_env="GRAFANA_TOKEN") as opened:
        assert await opened.ping() == {"tempo": "ok"}
        (source,) = opened.allowed("C1")
        assert "payment" in await source.services(window=DAY, tenant=None, deadline_s=5.0)
        found = await search(opened, TraceQuery(service="payment", window=DAY, only_errors=True))
        slowest = next(its for its in found if its.duration_ns == 1_300_000_000)
        path = f"{below}/api/traces/{slowest.trace_id}"
        backend.on(path, ("tempo", "v1-checkout-slow-pb"))
        fetched = await fetch(opened, slowest.trace_id)
        assert len(decode(fetched.body, fetched.wire).spans) == 52
        backend.on(f"{below}/api/traces/{'f' * 32}", ("tempo", "v1-form-unknown"))
        assert await code_of_fetch(opened, "f" * 32) == "trace-not-found"
    assert {asked.headers["Authorization"] for asked in backend.asked} == {"Bearer glsa_of-a-service-account"}
    assert [asked.path for asked in backend.asked if asked.path.endswith(slowest.trace_id)] == [
        f"{below}/api/v2/traces/{slowest.trace_id}", path,
    ]  # fmt: skip


async def test_what_a_backend_finds_is_held_against_the_query() -> None:
    """Another root, another time, a shorter span: what the backend cannot filter is filtered here."""
    backend = Backend()
    backend.on(TEMPO, ("tempo", "search-trace-intrinsics"))
    async with sources("tempo", backend) as opened:
        everything = await search(opened)
        assert len(everything) == 4, "one of the five has another root"
        assert await search(opened, change(operation="GET /cart")) == []
        assert await search(opened, change(window=(DAY[0] - 9, DAY[0]))) == []
        assert await search(opened, change(min_duration_ns=10**10)) == []
        assert await search(opened, change(max_duration_ns=10**9)) == []


async def test_trimmed_ids_and_missing_roots_are_read() -> None:
    """Tempo drops leading zeros from ids, and says in words that a root is missing."""
    backend = Backend()
    backend.on(TEMPO, ("tempo", "search-lead0"), ("tempo", "search-orphans"))
    query = TraceQuery(service="frontend", window=DAY)
    async with sources("tempo", backend) as opened:
        (found,) = await search(opened, query)
        assert found.trace_id == "00000a11bea5e11ab1e00ba5eba11f01"
        (orphan,) = await search(opened, query)
        assert (orphan.root_service, orphan.root_operation) == ("", "")


@pytest.mark.parametrize(
    ("kind", "answers"),
    [
        ("jaeger", {SUMMARIES: ("jaeger", "v3-summaries-none")}),
        ("jaeger", {V1: ("jaeger", "search-none")}),
        ("jaeger", {V1: ("victoria", "search-none")}),
        ("tempo", {TEMPO: ("tempo", "search-none")}),
    ],
)
async def test_every_shape_of_nothing_found_is_an_empty_list(kind, answers) -> None:
    """Nothing found is an answer, not an error."""
    backend = Backend()
    for path, answer in answers.items():
        backend.on(path, answer)
    async with sources(kind, backend) as opened:
        assert await search(opened) == []


@pytest.mark.parametrize(
    ("kind", "path", "answer", "code"),
    [
        ("jaeger", "/none", ("jaeger", "search-none"), "search-unsupported"),
        ("tempo", "/none", ("tempo", "search-none"), "search-unsupported"),
        ("tempo", TEMPO, ("tempo", "search-bad-syntax"), "rejected"),
        ("tempo", TEMPO, ("tempo", "mt-search-noorg"), "no-tenant"),
        ("tempo", TEMPO, status(503, "no live store"), "broken"),
        ("tempo", TEMPO, status(200, '{"traces": "many"}'), "unreadable-search"),
        ("tempo", TEMPO, status(200, '{"traces": [{"traceID": "ab", '), "unreadable-search"),
        ("jaeger", SUMMARIES, status(200, "<html>login</html>"), "unreadable-search"),
        ("jaeger", V1, status(200, "[" * 100_000), "unreadable-search"),
        ("jaeger", SUMMARIES, status(501, '{"error": "storage cannot search"}'), "rejected"),
    ],
    ids=[
        "jaeger has none",
        "tempo has none",
        "syntax",
        "no tenant",
        "down",
        "wrong type",
        "cut off",
        "a page",
        "deep",
        "501",
    ],
)
async def test_searches_that_fail_have_their_own_sentences(kind, path, answer, code) -> None:
    """Unsupported, refused and unreadable are told apart."""
    backend = Backend()
    backend.on(path, answer)
    async with sources(kind, backend) as opened:
        assert await code_of(opened) == code


async def test_ids_that_are_none_are_left_out() -> None:
    """A hostile or broken answer cannot smuggle a path into the next request."""
    backend = Backend()
    traces = [
        {"traceID": i, "startTimeUnixNano": f"{DAY[0]}000000000"} for i in ("../x", "", "0", "g" * 32, "a" * 33, "b1")
    ]
    backend.on(TEMPO, status(200, json.dumps({"traces": traces})))
    async with sources("tempo", backend) as opened:
        found = await search(opened, TraceQuery(service="frontend", window=DAY))
    assert [s.trace_id for s in found] == ["b1".rjust(32, "0")]


async def test_a_search_meets_its_deadline() -> None:
    """A backend that thinks for ever does not hold a request for ever."""

    async def think(_: web.Request) -> web.Response:
        await asyncio.sleep(30)
        return web.Response()

    backend = Backend()
    backend.on(V1, think)
    async with sources("jaeger", backend) as opened:
        with pytest.raises(SourceError) as caught:
            await search(opened, deadline_s=0.2)
    assert caught.value.code == "timeout"


async def test_tenants_go_into_searches() -> None:
    """A search asks for the tenant of the request."""
    backend = Backend()
    backend.on(TEMPO, ("tempo", "search-none"))
    backend.on(SUMMARIES, ("jaeger", "v3-summaries-none"))
    async with sources("tempo", backend) as opened:
        await search(opened, tenant="team-a")
    async with sources("jaeger", backend) as opened:
        await search(opened, tenant="team-b")
    assert backend.asked[0].headers["X-Scope-OrgID"] == "team-a"
    assert backend.asked[1].headers["x-tenant"] == "team-b"


def test_trace_ql_of_a_root_operation() -> None:
    """Durations are compared per trace: one broken span of a block hides every other from `duration`."""
    assert trace_ql(change(min_duration_ns=1_500_000)) == (
        '{ rootServiceName = "frontend" && rootName = "POST /api/checkout" && resource.service.name = "frontend" '
        '&& name = "POST /api/checkout" && traceDuration >= 1500us }'
    )


@pytest.mark.parametrize(
    ("name", "value", "condition"),
    [
        ("http.response.status_code", 500, "(.http.response.status_code = 500 || .http.response.status_code = 500.0)"),
        ("http.response.status_code", "500",
         '(.http.response.status_code = "500" || .http.response.status_code = 500 || .http.response.status_code = 500.0)'),
        ("amount", "1.5", '(.amount = "1.5" || .amount = 1.5)'),
        ("amount", 1.5, "(.amount = 1.500000)"),
        ("cached", True, "(.cached = true)"),
        ("cached", "true", '(.cached = "true" || .cached = true)'),
        ("user tier", "gold", '(."user tier" = "gold")'),
        ('x" } || { status', "", '(."x\\" } || { status" = "")'),
    ],
)  # fmt: skip
def test_attributes_are_compared_in_every_type_they_may_have(name, value, condition) -> None:
    """A literal matches its own type alone, so text that looks like a number is compared as both."""
    query = TraceQuery(service="s", window=DAY, attributes={name: value})
    assert trace_ql(query) == f'{{ resource.service.name = "s" && {condition} }}'


@given(st.text())
def test_any_name_stays_inside_its_quotes(name) -> None:
    """Whatever a name holds, the literal ends where it should and means the name."""
    literal = quoted(name)
    assert literal[0] == literal[-1] == '"'
    inside = literal[1:-1]
    assert '"' not in inside.replace("\\\\", "").replace('\\"', "")
    assert "\n" not in inside
    assert json.loads(literal) == name.encode(errors="replace").decode()


async def test_names_that_break_out_are_sent_as_names() -> None:
    """Quotes, braces and lone surrogates in a service's name reach the backend as that name."""
    backend = Backend()
    backend.on(TEMPO, ("tempo", "search-none"))
    async with sources("tempo", backend) as opened:
        await search(opened, TraceQuery(service='a" } || { true \\', operation="b\udcff\n", window=DAY))
    assert backend.asked[0].query["q"] == ('{ resource.service.name = "a\\" } || { true \\\\" && name = "b?\\n" }')


@pytest.mark.parametrize(
    ("kind", "answers", "expected"),
    [
        ("jaeger", {"/api/v3/services": ("jaeger", "v3-services")},
         ["checkout", "frontend", "inventory", "mailer", "missing-service-name", "payment"]),
        ("jaeger", {"/api/v3/services": ("victoria", "v3-services"), "/api/services": ("victoria", "services")},
         ["checkout", "frontend", "inventory", "mailer", "payment"]),
        ("tempo", {"/api/v2/search/tag/resource.service.name/values": ("tempo", "tagval-v2-resource.service.name")},
         ["checkout", "frontend", "inventory", "mailer", "payment"]),
        ("tempo", {"/api/search/tag/service.name/values": ("tempo", "tagval-v1-service.name")},
         ["checkout", "frontend", "inventory", "mailer", "payment"]),
    ],
)  # fmt: skip
async def test_services_are_listed(kind, answers, expected) -> None:
    """Each backend's list of services, by whichever path it has."""
    backend = Backend()
    for path, answer in answers.items():
        backend.on(path, answer)
    async with sources(kind, backend) as opened:
        (source,) = opened.allowed("C1")
        assert await source.services(window=DAY, tenant=None, deadline_s=5) == expected


@pytest.mark.parametrize(
    ("kind", "answers", "names"),
    [
        ("jaeger", {"/api/v3/operations": ("jaeger", "v3-operations")}, 17),
        ("jaeger", {"/api/operations": ("jaeger", "operations-q")}, 17),
        ("jaeger", {"/api/operations": ("victoria", "operations-q"),
                    "/api/services/front/end/operations": ("victoria", "operations-path")}, 17),
        ("jaeger", {"/api/v3/operations": ("jaeger", "v3-operations-unknown")}, 0),
        ("jaeger", {"/api/services/front/end/operations": ("victoria", "operations-path-unknown")}, 0),
        ("tempo", {"/api/v2/search/tag/name/values": ("tempo", "tagval-v2-filtered")}, 5),
    ],
)  # fmt: skip
async def test_operations_are_listed(kind, answers, names) -> None:
    """Each backend's list of operations; none for a service that it does not know."""
    backend = Backend()
    for path, answer in answers.items():
        backend.on(path, answer)
    async with sources(kind, backend) as opened:
        (source,) = opened.allowed("C1")
        found = await source.operations("front/end", window=DAY, tenant=None, deadline_s=5)
    assert len(found) == names
    assert found == sorted(set(found))
    assert backend.asked[-1].raw_path.partition("?")[0] in {*answers, "/api/services/front%2Fend/operations"}


async def test_a_services_name_is_no_path() -> None:
    """Names like ".." are never put into a path."""
    backend = Backend()
    async with sources("jaeger", backend) as opened:
        (source,) = opened.allowed("C1")
        with pytest.raises(SourceError):
            await source.operations("..", window=DAY, tenant=None, deadline_s=5)
    assert [r.raw_path.partition("?")[0] for r in backend.asked] == ["/api/v3/operations", "/api/operations"]
