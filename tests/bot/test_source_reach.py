"""Which sources are asked for a trace: all that a channel may ask, or the one that was named."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from backends import CHECKOUT, Backend, code_of, fetch, sources
from exchanges import exchange
from world import serve

from bot.errors import UserError
from bot.requests.request import TraceRef
from bot.settings import SourceSettings
from bot.settings.reach import ChannelSettings
from bot.sources import circuit

UNKNOWN = "f" * 32
TRACE = ("tempo", "v2-checkout-slow-pb")


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


@asynccontextmanager
async def waiting(name: str, answer=None):
    """Serve a Tempo that answers once it is let, and never before; yields its settings, who waits there, and the way."""
    asked, let = asyncio.Event(), asyncio.Event()

    async def wait(_: web.Request) -> web.Response:
        asked.set()
        await let.wait()
        return web.Response(body=exchange(*answer).body, content_type="application/protobuf")

    app = web.Application()
    app.router.add_get("/{path:.*}", wait)
    async with serve(app) as url:
        try:
            yield SourceSettings(name=name, kind="tempo", url=url), asked, let
        finally:
            let.set()


@pytest.fixture
def tempo() -> Backend:
    """Return a Tempo that has the trace."""
    backend = Backend()
    backend.on(f"/api/v2/traces/{CHECKOUT}", TRACE)
    return backend


@pytest.mark.parametrize("first", [True, False])
async def test_a_source_that_never_answers_holds_no_other_up(tempo, monkeypatch, first) -> None:
    """Where another has the trace, one behind it is not waited for, and one before it only for a moment."""
    monkeypatch.setattr("bot.sources.PREFERENCE_S", 0.05 if first else 600)
    async with waiting("silent", TRACE) as (silent, asked, _), sources("tempo", tempo, more=(silent,)) as opened:
        if first:
            opened._sources = dict(reversed(opened._sources.items()))
        for _ in range(circuit.TIMEOUTS + 1):
            assert (await fetch(opened, deadline_s=600)).source == "tempo"
        assert asked.is_set() or not first


async def test_the_first_source_in_order_wins_where_it_answers_a_little_later(tempo, monkeypatch) -> None:
    """Which source a trace is taken from does not hang on which of them is quicker today."""
    monkeypatch.setattr("bot.sources.PREFERENCE_S", 600)
    async with waiting("first", TRACE) as (slower, asked, let), sources("tempo", tempo, more=(slower,)) as opened:
        opened._sources = dict(reversed(opened._sources.items()))
        fetching = asyncio.create_task(fetch(opened))
        await asked.wait()
        await fetch(opened, source="tempo")
        let.set()
        assert (await fetching).source == "first"


async def test_a_trace_that_none_else_has_is_waited_for(monkeypatch) -> None:
    """A source that says "not found" ends no wait for another."""
    monkeypatch.setattr("bot.sources.PREFERENCE_S", 0.0)
    backend = Backend()
    backend.on(f"/api/v2/traces/{CHECKOUT}", ("tempo", "v2-unknown-pb"))
    async with waiting("second", TRACE) as (slower, asked, let), sources("tempo", backend, more=(slower,)) as opened:
        fetching = asyncio.create_task(fetch(opened))
        await asked.wait()
        assert await code_of(opened, source="tempo") == "trace-not-found"
        let.set()
        assert (await fetching).source == "second"


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
