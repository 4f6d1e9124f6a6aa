"""Which paths of Jaeger, Tempo and their like are asked, in which order, and what it means that one is not there."""

from __future__ import annotations

import pytest
from backends import CHECKOUT, Backend, code_of, fetch, sources, status

from analysis import decode

UNKNOWN = "f" * 32
SHORT = "0000000000000000a1b2c3d4e5f60718"
PAGE = "<!doctype html><html><title>Jaeger UI</title></html>"


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
