"""Trouble on the way to Jaeger and Tempo, against recorded answers replayed by a local server."""

from __future__ import annotations

import asyncio
import gzip
import json

import pytest
from aiohttp import web
from backends import CHECKOUT, Backend, code_of, fetch, sources, status
from exchanges import exchange
from hypothesis import given
from hypothesis import strategies as st
from world import no_sleep

from analysis import decode
from bot.errors import SourceError
from bot.settings import Limits, Settings, SourceSettings
from bot.sources import open_sources
from bot.sources.wholeness import broken_off
from bot.telemetry import log

UNKNOWN = "f" * 32
BODIES = [
    ("jaeger", "v3-trace-checkout-slow"), ("victoria", "trace-checkout-slow"), ("tempo", "v2-checkout-slow-pb"),
]  # fmt: skip
SHORT = "0000000000000000a1b2c3d4e5f60718"


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


@pytest.mark.parametrize(
    ("kind", "path", "recorded"),
    [
        ("jaeger", f"/api/v3/traces/{CHECKOUT}", ("jaeger", "v3-trace-checkout-slow")),
        ("jaeger", f"/api/traces/{CHECKOUT}", ("victoria", "trace-checkout-slow")),
        ("tempo", f"/api/v2/traces/{CHECKOUT}", ("tempo", "v2-checkout-slow-pb")),
        ("tempo", f"/api/traces/{CHECKOUT}", ("tempo", "v1-checkout-slow-pb")),
    ],
    ids=["OTLP JSON", "Jaeger JSON", "Tempo protobuf", "OTLP protobuf"],
)
@pytest.mark.parametrize("size", [0.01, 0.3, 0.999])
async def test_a_body_that_ends_without_a_sign_of_it_is_cut_off(kind, path, recorded, size) -> None:
    """No length was promised, and the answer ends: that is said of the source, and no part of a trace compared."""
    its = exchange(*recorded)
    part = its.body[: int(len(its.body) * size)]

    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=part, headers={"Content-Type": its.headers["Content-Type"]})

    backend = Backend()
    backend.on(path, answer)
    async with sources(kind, backend) as opened:
        with pytest.raises(SourceError) as caught:
            await fetch(opened)
    assert caught.value.sentence == (
        f"The answer of {kind} broke off in the middle (after {len(part):,} bytes). Ask again."
    )


@given(st.data())
def test_whole_bodies_are_told_from_cut_ones(data) -> None:
    """Wherever the part with the trace was cut, a body is known for cut off."""
    body = exchange(*data.draw(st.sampled_from(BODIES))).body
    cut = data.draw(st.integers(2, len(body) - 10))  # Tempo's last bytes are of its metrics
    assert not broken_off(body)
    assert broken_off(body[:cut])


@pytest.mark.parametrize(
    "body",
    [
        b"", b" ", b"\n\n", b"<html>", b"not found", b'{"a": 1}\n{"b": 2}', b"[" * 100_000, b'\xef\xbb\xbf{"data": []}',
        b"{oops", b"\x08\x96\x01\x11abcdefgh\x1dabcd\x12\x01x",
    ],
)  # fmt: skip
def test_what_is_whole_or_no_trace_at_all_is_not_called_cut_off(body) -> None:
    """Empty answers, pages, streams of JSON and fields of every kind are for the decoders to judge."""
    assert not broken_off(body)


@pytest.mark.parametrize(
    ("limit", "said"), [(700, "700 bytes"), (2048, "2 KiB"), (1536 * 1024, "1.5 MiB"), (8 * 1024**2, "8 MiB")]
)
async def test_a_limit_is_said_in_units_that_show_it(limit, said) -> None:
    """A limit below a MiB is not "0 MiB"."""
    backend = Backend()
    backend.on(f"/api/v2/traces/{CHECKOUT}", status(200, "x" * (limit + 1)))
    async with sources("tempo", backend, max_body_bytes=limit) as opened:
        with pytest.raises(SourceError, match=rf"\(more than {said}\)"):
            await fetch(opened)


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
