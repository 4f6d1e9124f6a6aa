"""The clients of Jaeger and Tempo, against recorded answers replayed by a local server."""

from __future__ import annotations

import asyncio
import gzip
import json

import pytest
from aiohttp import web
from backends import CHECKOUT, Backend, code_of, fetch, sources, status
from exchanges import exchange
from world import no_sleep

from analysis import decode
from bot.errors import SourceError, UserError
from bot.requests.request import TraceRef
from bot.settings import Limits, Settings, SourceSettings
from bot.settings.reach import ChannelSettings
from bot.sources import open_sources
from bot.telemetry import log

UNKNOWN = "f" * 32
SHORT = "0000000000000000a1b2c3d4e5f60718"


async def test_tempo_is_asked_for_protobuf_first() -> None:
    """v2 with protobuf gives the trace in one request."""
    backend = Backend()
    backend.on(f"/api/v2/traces/{CHECKOUT}", ("tempo", "v2-checkout-slow-pb"))
    async with sources("tempo", backend) as opened:
        fetched = await fetch(opened)
    assert len(decode(fetched.body, fetched.wire).spans) == 52
    assert [r.headers["Accept"] for r in backend.asked] == ["application/protobuf"]


async def test_a_tempo_without_v2_is_asked_with_v1_and_remembered() -> None:
    """An old server answers "404 page not found" once; after that v1 is asked at once."""
    backend = Backend()
    backend.on(f"/api/v2/traces/{CHECKOUT}", ("tempo", "v1-form-trailing-slash"))
    backend.on(f"/api/traces/{CHECKOUT}", ("tempo", "v1-checkout-slow-pb"))
    async with sources("tempo", backend) as opened:
        for _ in range(2):
            fetched = await fetch(opened)
            assert len(decode(fetched.body, fetched.wire).spans) == 52
    assert [r.path.split("/")[2] for r in backend.asked] == ["v2", "traces", "traces"]


async def test_jaeger_is_asked_with_v3_first() -> None:
    """api_v3 carries nanoseconds and links."""
    backend = Backend()
    backend.on(f"/api/v3/traces/{CHECKOUT}", ("jaeger", "v3-trace-checkout-slow"))
    async with sources("jaeger", backend) as opened:
        fetched = await fetch(opened)
    assert len(decode(fetched.body, fetched.wire).spans) == 52


async def test_a_jaeger_without_v3_is_asked_with_v1_and_remembered() -> None:
    """Old servers and VictoriaTraces do not know v3; v1 gives the trace."""
    backend = Backend()
    backend.on(f"/api/v3/traces/{CHECKOUT}", ("victoria", "v3-services"))
    backend.on(f"/api/traces/{CHECKOUT}", ("victoria", "trace-checkout-slow"))
    async with sources("jaeger", backend) as opened:
        for _ in range(2):
            fetched = await fetch(opened)
            assert len(decode(fetched.body, fetched.wire).spans) == 52
    assert [r.path.split("/")[2] for r in backend.asked] == ["v3", "traces", "traces"]


async def test_victoria_traces_is_asked_with_the_short_id_too() -> None:
    """It knows a 64-bit id only in the form in which it was stored."""
    backend = Backend()
    backend.on(f"/api/traces/{SHORT}", ("victoria", "form-unknown"))
    backend.on(f"/api/traces/{SHORT[16:]}", ("victoria", "trace-short-64bit"))
    async with sources("jaeger", backend) as opened:
        fetched = await fetch(opened, SHORT)
    assert decode(fetched.body, fetched.wire).trace_id == SHORT


@pytest.mark.parametrize(
    ("kind", "path", "answer"),
    [
        ("jaeger", "/api/v3/traces/{}", ("jaeger", "v3-form-unknown")),
        ("jaeger", "/api/traces/{}", ("jaeger", "form-unknown")),
        ("jaeger", "/api/traces/{}", ("victoria", "form-unknown")),
        ("tempo", "/api/traces/{}", ("tempo", "v1-form-unknown")),
        ("tempo", "/api/v2/traces/{}", ("tempo", "v2-form-unknown")),
        ("tempo", "/api/v2/traces/{}", ("tempo", "v2-unknown-pb")),
    ],
)
async def test_every_shape_of_not_found_is_that(kind, path, answer) -> None:
    """404 with a body, 404 without one, 200 with nothing in it: no such trace."""
    backend = Backend()
    backend.on(path.format(UNKNOWN), answer)
    async with sources(kind, backend) as opened:
        assert await code_of(opened, UNKNOWN) == "trace-not-found"


@pytest.mark.parametrize("kind", ["jaeger", "tempo"])
async def test_a_wrong_base_path_is_not_a_missing_trace(kind) -> None:
    """A server that does not know any of our paths is a matter of configuration."""
    async with sources(kind, Backend()) as opened:
        assert await code_of(opened) == "wrong-path"


@pytest.mark.parametrize(
    ("kind", "path", "answer"),
    [("jaeger", "/api/services", ("victoria", "services")), ("tempo", "/api/search/tags", ("tempo", "tags-v1"))],
)
async def test_an_unknown_trace_may_be_answered_like_an_unknown_path(kind, path, answer) -> None:
    """Where the rest of the API is there, or traces came from there before, the trace is what is missing."""
    backend = Backend()
    backend.on(path, answer)
    async with sources(kind, backend) as opened:
        assert await code_of(opened, UNKNOWN) == "trace-not-found"
    backend = Backend()
    backend.on(
        f"/api/traces/{CHECKOUT}",
        {"jaeger": ("victoria", "trace-checkout-slow"), "tempo": ("tempo", "v1-checkout-slow-pb")}[kind],
    )
    async with sources(kind, backend) as opened:
        assert await code_of(opened, UNKNOWN) == "wrong-path"
        await fetch(opened)
        assert await code_of(opened, UNKNOWN) == "trace-not-found"


async def test_a_missing_tenant_is_said() -> None:
    """Tempo's 401 "no org id" asks for a tenant, not for a token; a given tenant is sent."""
    backend = Backend()
    backend.on(f"/api/v2/traces/{CHECKOUT}", ("tempo", "mt-v2-noorg"))
    async with sources("tempo", backend) as opened:
        assert await code_of(opened) == "no-tenant"
        assert await code_of(opened, tenant="team-a") == "no-tenant"
    assert [r.headers.get("X-Scope-OrgID") for r in backend.asked] == [None, "team-a"]


async def test_refused_credentials_are_said() -> None:
    """401 and 403 speak of credentials."""
    backend = Backend()
    backend.on(f"/api/traces/{CHECKOUT}", ("victoria-auth", "noauth"))
    async with sources("jaeger", backend) as opened:
        assert await code_of(opened) == "unauthorised"


async def test_a_trace_too_large_for_the_backend_is_said() -> None:
    """Tempo's 422 means too large."""
    backend = Backend()
    backend.on(f"/api/traces/{CHECKOUT}", ("tempo", "toolarge-v1-pb"))
    async with sources("tempo", backend) as opened:
        assert await code_of(opened) == "too-large"


async def test_a_partial_trace_is_fetched_and_says_so() -> None:
    """PARTIAL is an answer; the note travels with the trace."""
    backend = Backend()
    backend.on(f"/api/v2/traces/{CHECKOUT}", ("tempo", "filter-error"))
    async with sources("tempo", backend) as opened:
        fetched = await fetch(opened)
    assert [n.code for n in decode(fetched.body, fetched.wire).notes] == ["partial-trace"]


async def test_gzip_is_unpacked() -> None:
    """A compressed answer is read as any other."""
    backend = Backend()
    backend.on(f"/api/v2/traces/{CHECKOUT}", ("tempo", "v2-gzip"))
    async with sources("tempo", backend) as opened:
        fetched = await fetch(opened)
    assert decode(fetched.body, fetched.wire).spans


@pytest.mark.parametrize("first", [500, 502, 503, 429])
async def test_a_servers_own_trouble_is_tried_again(first) -> None:
    """5xx and 429 are passing: the next try gives the trace."""
    backend = Backend()
    backend.on(f"/api/v2/traces/{CHECKOUT}", status(first, Retry_After="0"), ("tempo", "v2-checkout-slow-pb"))
    async with sources("tempo", backend) as opened:
        assert (await fetch(opened)).body
    assert len(backend.asked) == 2


async def test_lasting_trouble_is_said_with_status_and_answer() -> None:
    """After a few tries the person learns what the server said."""
    backend = Backend()
    backend.on(f"/api/v2/traces/{CHECKOUT}", status(503, "ring has no healthy instances"))
    async with sources("tempo", backend) as opened:
        with pytest.raises(SourceError, match="ring has no healthy instances") as caught:
            await fetch(opened)
    assert caught.value.fields["status"] == 503
    assert len(backend.asked) == 3


async def test_a_request_that_is_wrong_is_not_repeated() -> None:
    """4xx is final."""
    backend = Backend()
    backend.on(f"/api/v2/traces/{CHECKOUT}", ("tempo", "v2-form-nonhex"))
    async with sources("tempo", backend) as opened:
        assert await code_of(opened) == "rejected"
    assert len(backend.asked) == 1


async def cut_off(request: web.Request) -> web.StreamResponse:
    """Promise more than is sent, then close."""
    response = web.StreamResponse(headers={"Content-Length": "100000", "Content-Type": "application/protobuf"})
    await response.prepare(request)
    await response.write(exchange("tempo", "v2-checkout-slow-pb").body[:500])
    request.transport.close()
    return response


async def test_a_body_cut_off_is_fetched_again() -> None:
    """A connection lost in the middle costs one more try."""
    backend = Backend()
    backend.on(f"/api/v2/traces/{CHECKOUT}", cut_off, ("tempo", "v2-checkout-slow-pb"))
    async with sources("tempo", backend) as opened:
        assert len(decode((await fetch(opened)).body).spans) == 52


async def test_a_body_that_is_always_cut_off_is_said() -> None:
    """When it never comes whole, that is the sentence."""
    backend = Backend()
    backend.on(f"/api/v2/traces/{CHECKOUT}", cut_off)
    async with sources("tempo", backend) as opened:
        assert await code_of(opened) == "cut-off"


async def test_an_answer_beyond_the_limit_is_refused_on_the_way() -> None:
    """The limit counts unpacked bytes: a small body that unpacks to much is not read to its end."""
    packed = gzip.compress(b"x" * 50_000_000)

    async def bomb(_: web.Request) -> web.Response:
        return web.Response(body=packed, headers={"Content-Encoding": "gzip", "Content-Type": "application/json"})

    backend = Backend()
    backend.on(f"/api/v2/traces/{CHECKOUT}", bomb)
    async with sources("tempo", backend, max_body_bytes=1024 * 1024) as opened:
        assert await code_of(opened) == "too-large"
    assert len(packed) < 1024 * 1024


async def test_a_backend_that_never_ends_meets_the_deadline() -> None:
    """Slow drips do not hold a request beyond its deadline."""

    async def drip(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b" ")
            await asyncio.sleep(0.01)

    backend = Backend()
    backend.on(f"/api/v2/traces/{CHECKOUT}", drip)
    async with sources("tempo", backend) as opened, asyncio.timeout(20):
        assert await code_of(opened, deadline_s=0.2) == "timeout"


async def test_redirects_to_elsewhere_are_not_followed() -> None:
    """A login page in between is named, and credentials stay here."""
    backend = Backend()
    backend.on(f"/api/v2/traces/{CHECKOUT}", status(302, Location="https://login.example/x"))
    async with sources("tempo", backend) as opened:
        with pytest.raises(SourceError, match=r"login\.example"):
            await fetch(opened)


async def test_an_unreachable_backend_is_said() -> None:
    """Nobody listens there: the person learns which source it is."""
    settings = Settings.model_construct(
        sources=(SourceSettings(name="gone", kind="tempo", url="http://127.0.0.1:9"),), jaeger_url=None, tempo_url=None,
        channels={}, limits=Limits(missing_retry_s=0),
    )  # fmt: skip
    opened = open_sources(settings, no_sleep)
    assert await code_of(opened) == "unreachable"
    await opened.aclose()


async def test_credentials_come_from_the_environment_and_are_sent(monkeypatch) -> None:
    """A token named by the settings goes into the Authorization header."""
    monkeypatch.setenv("TEMPO_TOKEN", "t0ken")
    backend = Backend()
    backend.on(f"/api/v2/traces/{CHECKOUT}", ("tempo", "v2-checkout-slow-pb"))
    async with sources("tempo", backend, bearer_env="TEMPO_TOKEN") as opened:
        await fetch(opened)
    assert backend.asked[0].headers["Authorization"] == "Bearer t0ken"


async def test_a_trace_that_is_still_arriving_is_looked_for_again() -> None:
    """A missing trace is asked for again for a few seconds before it is called missing."""
    backend = Backend()
    backend.on(f"/api/v2/traces/{CHECKOUT}", ("tempo", "v2-unknown-pb"), ("tempo", "v2-checkout-slow-pb"))
    async with sources("tempo", backend, limits=Limits(missing_retry_s=3)) as opened:
        assert (await fetch(opened)).body


async def test_a_pasted_time_range_is_passed_on() -> None:
    """Tempo prunes by time only when told; seconds, as it wants them."""
    backend = Backend()
    backend.on(f"/api/v2/traces/{CHECKOUT}", ("tempo", "v2-checkout-slow-pb"))
    async with sources("tempo", backend) as opened:
        reference = TraceRef(trace_id=CHECKOUT, window=(100, 200))
        await opened.fetch(reference, channel="C1", source=None, tenant=None, deadline_s=5)
    assert dict(backend.asked[0].query) == {"start": "100", "end": "200"}


async def test_all_allowed_sources_are_asked_and_the_one_that_has_it_wins() -> None:
    """Without a named source every allowed one is asked; a source that is down does not matter if another has it."""
    backend = Backend()
    backend.on(f"/api/v2/traces/{CHECKOUT}", ("tempo", "v2-checkout-slow-pb"))
    down = SourceSettings(name="gone", kind="jaeger", url="http://127.0.0.1:9")
    async with sources("tempo", backend, more=(down,)) as opened:
        assert (await fetch(opened)).source == "tempo"
        with pytest.raises(UserError, match="no source called"):
            await fetch(opened, source="nowhere")


async def test_a_host_of_several_sources_stands_for_none_of_them() -> None:
    """A link to a Grafana that shows two sources does not say which; one that belongs to a single source does."""
    other = SourceSettings(name="other", kind="tempo", url="http://127.0.0.1:9", link_hosts=("grafana.example",))
    async with sources("tempo", Backend(), more=(other,), link_hosts=("Grafana.example",)) as opened:
        assert opened.hosts["grafana.example"] == ""
        assert opened.hosts["127.0.0.1:9"] == "other"


async def test_when_one_source_is_down_and_none_has_it_that_is_said() -> None:
    """A "not found" means little while another source could not be asked."""
    backend = Backend()
    backend.on(f"/api/v2/traces/{CHECKOUT}", ("tempo", "v2-unknown-pb"))
    down = SourceSettings(name="gone", kind="jaeger", url="http://127.0.0.1:9")
    async with sources("tempo", backend, more=(down,)) as opened:
        assert await code_of(opened) == "unreachable"


async def test_a_channel_sees_only_its_sources() -> None:
    """What a channel may not ask does not exist for it; where nobody says another tenant, its own is asked for."""
    backend = Backend()
    backend.on(f"/api/v2/traces/{CHECKOUT}", ("tempo", "v2-checkout-slow-pb"))
    other = SourceSettings(name="other", kind="tempo", url="http://127.0.0.1:9")
    channels = {
        "C1": ChannelSettings(sources=("other",)), "C2": ChannelSettings(sources=("tempo",), tenant="team-b"),
        "C3": ChannelSettings(tenants=("team-c", "team-d")),
    }  # fmt: skip
    async with sources("tempo", backend, more=(other,), channels=channels) as opened:
        with pytest.raises(UserError, match="no source called"):
            await fetch(opened, source="tempo")
        assert [await code_of(opened, source=name) for name in ("other", None)] == ["unreachable"] * 2
        assert backend.asked == []
        assert "127.0.0.1:9" in opened.hosts
        assert "127.0.0.1:9" not in opened.hosts_for("C2")
        await fetch(opened, channel="C2")
        for tenant in (None, "team-d"):
            await fetch(opened, channel="C3", tenant=tenant)
        with pytest.raises(UserError, match="may not ask for the tenant"):
            await fetch(opened, channel="C3", tenant="team-b")
    assert [asked.headers["X-Scope-OrgID"] for asked in backend.asked] == ["team-b", "team-c", "team-d"]


@pytest.mark.parametrize("code", [401, 422, 400, 503])
async def test_a_token_that_a_backend_sends_back_is_not_shown(monkeypatch, code) -> None:
    """Some servers say what they were sent: their words reach people, our credentials and those of others do not."""
    monkeypatch.setenv("TEMPO_TOKEN", "correct-horse-battery")
    log.hide(["correct-horse-battery"])
    said = "cannot parse 'Bearer correct-horse-battery', password=hunter2secret"
    backend = Backend()
    backend.on(f"/api/v2/traces/{CHECKOUT}", status(code, json.dumps({"error": said})))
    async with sources("tempo", backend, bearer_env="TEMPO_TOKEN") as opened:
        with pytest.raises(SourceError, match="cannot parse") as caught:
            await fetch(opened)
    assert "horse" not in f"{caught.value} {caught.value.fields}"
    assert "hunter2" not in f"{caught.value} {caught.value.fields}"


async def test_ping_tells_whether_a_source_is_there() -> None:
    """Each source says ok, or what is wrong."""
    backend = Backend()
    backend.on("/api/echo", ("tempo", "misc-echo"))
    async with sources("tempo", backend) as opened:
        assert await opened.ping() == {"tempo": "ok"}
    backend = Backend()
    backend.on("/api/services", ("victoria", "services"))
    async with sources("jaeger", backend) as opened:
        assert await opened.ping() == {"jaeger": "ok"}
    async with sources("jaeger", Backend()) as opened:
        (answer,) = (await opened.ping()).values()
        assert isinstance(answer, SourceError)


JAEGER_PATH = f"/api/v3/traces/{CHECKOUT}"
JAEGER_TRACE = ("jaeger", "v3-trace-checkout-slow")


async def jaeger_gzipped(_: web.Request) -> web.Response:
    """Answer compressed, as a proxy in front of Jaeger does."""
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    return web.Response(body=gzip.compress(exchange(*JAEGER_TRACE).body), headers=headers)


async def jaeger_cut_off(request: web.Request) -> web.StreamResponse:
    """Promise the whole body, send its beginning, close."""
    whole = exchange(*JAEGER_TRACE).body
    response = web.StreamResponse(headers={"Content-Length": str(len(whole)), "Content-Type": "application/json"})
    await response.prepare(request)
    await response.write(whole[:700])
    request.transport.close()
    return response


@pytest.mark.parametrize(
    "first",
    [[status(503, "warming up")], [status(429, Retry_After="0")], [jaeger_cut_off], []],
    ids=["5xx", "429", "cut off", "gzip"],
)
async def test_jaegers_passing_troubles_cost_one_more_try(first) -> None:
    """What Tempo's client survives, Jaeger's survives: the next answer, here a compressed one, gives the trace."""
    backend = Backend()
    backend.on(JAEGER_PATH, *first, jaeger_gzipped)
    async with sources("jaeger", backend) as opened:
        fetched = await fetch(opened)
    assert len(decode(fetched.body, fetched.wire).spans) == 52
    assert len(backend.asked) == len(first) + 1


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (status(503, "no storage"), "broken"), (jaeger_cut_off, "cut-off"), (status(401, "no tenant"), "no-tenant"),
        (status(403, "forbidden"), "unauthorised"), (status(422, "trace too large"), "too-large"),
    ],
)  # fmt: skip
async def test_jaegers_lasting_troubles_have_their_own_sentences(answer, code) -> None:
    """Each kind of refusal is told apart."""
    backend = Backend()
    backend.on(JAEGER_PATH, answer)
    async with sources("jaeger", backend) as opened:
        assert await code_of(opened) == code


async def test_a_jaeger_trace_cut_by_the_server_says_so() -> None:
    """Jaeger tells a truncated trace by a warning on one span: the note travels with the trace."""
    body = json.dumps({"data": [{"traceID": CHECKOUT, "processes": {"p": {"serviceName": "s"}}, "spans": [{
        "traceID": CHECKOUT, "spanID": "1", "operationName": "x", "startTime": 1, "duration": 2, "processID": "p",
        "warnings": ["trace has more than 5000 spans, showing first 5000 spans only"]}]}]}).encode()  # fmt: skip

    async def truncated(_: web.Request) -> web.Response:
        return web.Response(body=body, content_type="application/json")

    backend = Backend()
    backend.on(f"/api/traces/{CHECKOUT}", truncated)
    async with sources("jaeger", backend) as opened:
        fetched = await fetch(opened)
    assert [n.code for n in decode(fetched.body, fetched.wire).notes] == ["partial-trace"]


PAGE = "<!doctype html><html><title>Jaeger UI</title></html>"


@pytest.mark.parametrize(
    "says",
    [
        status(200, PAGE, Content_Type="text/html; charset=utf-8"),  # Jaeger with its interface, for any other path
        status(404, PAGE, Content_Type="text/html"),
        status(404, '{"code":5,"message":"Not Found","details":[]}', Content_Type="application/json"),
        status(404, "404: Not Found"),
        status(404),
    ],
    ids=["page", "page-404", "gateway", "text", "nothing"],
)
@pytest.mark.parametrize("kind", ["jaeger", "tempo"])
async def test_a_server_that_knows_only_the_older_path_says_so_in_many_ways(kind, says) -> None:
    """Whatever it says to the newer path, the older one is asked, and asked at once from then on."""
    older = {"jaeger": ("victoria", "trace-checkout-slow"), "tempo": ("tempo", "v1-checkout-slow-pb")}[kind]
    newer = {"jaeger": "v3", "tempo": "v2"}[kind]
    backend = Backend()
    backend.on(f"/api/{newer}/traces/{CHECKOUT}", says)
    backend.on(f"/api/traces/{CHECKOUT}", older)
    async with sources(kind, backend) as opened:
        for _ in range(2):
            fetched = await fetch(opened)
            assert len(decode(fetched.body, fetched.wire).spans) == 52
    assert [r.path.split("/")[2] for r in backend.asked] == [newer, "traces", "traces"]


@pytest.mark.parametrize("kind", ["jaeger", "tempo"])
async def test_pages_for_browsers_are_a_wrong_address(kind) -> None:
    """A base address that leads to some web page: the configuration is wrong, no trace is missing."""
    backend = Backend()
    for version in ("/v3", "/v2", ""):
        backend.on(f"/api{version}/traces/{CHECKOUT}", status(200, PAGE, Content_Type="text/html"))
    async with sources(kind, backend) as opened:
        assert await code_of(opened) == "wrong-path"
