"""What all slow or failing requests of a window share, as Tempo counts them."""

from __future__ import annotations

import asyncio
import json

import pytest
from aiohttp import web
from backends import CHECKOUT, Backend, Town, sources
from exchanges import exchange
from msgspec.structs import replace

from analysis.redact import Redactor
from bot.analysing.spool import spools
from bot.errors import SourceError
from bot.finding import Place
from bot.finding.contrast import ENOUGH, apart, picked
from bot.finding.sampling import Slice
from bot.finding.windows import Search, fetch_windows
from bot.requests.request import Windows
from bot.settings import Limits, Settings, SourceSettings
from bot.sources import open_sources
from bot.sources.base import TraceQuery, TraceSummary
from bot.sources.metrics import Contrast, Contrasts, Picked, Totals
from bot.sources.tempo_compare import compare_parameters, read_contrasts

NOON = 1_795_478_400
QUERY = TraceQuery(service="checkout", operation='POST "/orders"', window=(NOON, NOON + 600), root=True)
FAILED = Picked(slower_than_ns=None)
TOTALS = Totals(requests=1_000, failed_share=0.0, middle_ns=100_000_000, tail_ns=512_000_000)


def test_what_tempo_counted_is_read_as_shares() -> None:
    """Recorded: 8 requests failed and 55 did not; shares are of each attribute's own totals, absence is no value."""
    found = read_contrasts(exchange("tempo", "minstant-compare").body)
    assert (found.picked, found.others) == (8, 55)
    by_name = {(one.attribute, one.value): (one.picked_share, one.other_share) for one in found.values}
    assert by_name["http.response.status_code", "500"] == (1.0, 0.0)
    assert by_name["host.name", "node-a"] == (1.0, 1.0)
    assert by_name["order.id", "1002"] == (1 / 8, 1 / 55), "it may be as frequent as the least of the ten that are sent"
    assert not {name for name, value in by_name if value == "nil" or name in ("name", "status", "rootName")}


def test_the_question_is_about_the_requests_of_the_window() -> None:
    """Whatever an operation is called, the query stays the one that was meant."""
    slow, failed = (compare_parameters(QUERY, its) for its in (Picked(slower_than_ns=512_000_999), FAILED))
    assert slow["q"].endswith(" | compare({ duration > 512000us }, 10)")
    assert failed["q"].endswith(" | compare({ status = error }, 10)")
    assert r'rootName = "POST \"/orders\""' in slow["q"]
    assert (slow["start"], slow["end"]) == (str(NOON), str(NOON + 600))


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (TOTALS, replace(TOTALS, tail_ns=900_000_000), Picked(slower_than_ns=512_000_000)),
        (TOTALS, replace(TOTALS, tail_ns=900_000_000, failed_share=0.02), FAILED),
        (TOTALS, TOTALS, None),
        (replace(TOTALS, failed_share=None), replace(TOTALS, failed_share=None, tail_ns=900_000_000), Picked(slower_than_ns=512_000_000)),
        (None, TOTALS, None),
        (TOTALS, replace(TOTALS, requests=0), None),
    ],
)  # fmt: skip
def test_the_requests_that_are_worse_than_before_are_looked_at(a, b, expected) -> None:
    """Those that fail where more fail, else those beyond what was the 95th percentile; none where nothing is worse."""
    assert picked(a, b) == expected


def test_only_what_tells_is_told_and_no_secret() -> None:
    """Numbers of sockets, long texts and what the others have as often say nothing; names and values are redacted."""
    values = (
        Contrast("cloud.zone", "b", 0.96, 0.33),
        Contrast("customer", "a@example.com", 0.9, 0.1),
        Contrast("client.port", "40000", 1.0, 0.0),
        Contrast("db.statement", "SELECT 1 " * 30, 1.0, 0.0),
        Contrast("version", "1", 0.6, 0.5),
    )
    its = Picked(slower_than_ns=512_000_000)
    told = apart(its, Contrasts(136, 912, values), Redactor())
    said = told.words("tempo")
    assert said.startswith("136 of all 1,048 requests of B took longer than 512 ms, as tempo counts: ")
    assert "cloud.zone = b in 96 % of these, 33 % of the others" in said
    assert [one.attribute for one in told.values] == ["customer", "cloud.zone"]
    assert "example.com" not in said
    assert apart(FAILED, Contrasts(ENOUGH, 10, ()), Redactor()).words("t") == (
        f"{ENOUGH} of all {ENOUGH + 10} requests of B failed, as t counts: no value of an attribute sets them apart"
    )
    assert apart(its, Contrasts(ENOUGH - 1, 912, values), Redactor()) is None
    assert apart(its, Contrasts(136, 0, values), Redactor()) is None


async def counted(compare, deadline_s: float = 30.0):
    """Fetch two windows of one trace each from a Tempo whose later one has failures; returns what sets them apart."""
    backend = Backend()

    async def metrics(request):
        asked, earlier = request.query["q"], request.query["start"] == str(NOON - 600)
        if "compare(" in asked:
            return await compare(request)
        name = "minstant-hist" if "histogram" in asked else "minstant-none" if earlier else "minstant-count-by"
        return web.Response(body=exchange("tempo", name).body, content_type="application/json")

    backend.on("/api/metrics/query", metrics)
    backend.on(f"/api/v2/traces/{CHECKOUT}", ("tempo", "mt-v2-team-a"))
    windows = Windows(
        service="checkout", operation="POST /orders", baseline=(NOON - 600, NOON), suspect=(NOON, NOON + 600),
        asked_at=NOON + 900,
    )  # fmt: skip
    one = TraceSummary(
        trace_id=CHECKOUT, root_service="checkout", root_operation="POST /orders", started_at_ns=0, duration_ns=1
    )
    cut = tuple((Slice(its, its, (one,)),) for its in (windows.baseline, windows.suspect))
    async with sources("tempo", backend) as opened:
        place = Place(opened.named("tempo"), None, deadline_s)
        with spools() as both:
            return (await fetch_windows(Search(place, True, cut, (0, 0)), windows, both, deadline_s, Redactor())).apart  # noqa: FBT003 - the fields in order


async def test_the_backend_counts_while_the_sample_is_fetched() -> None:
    """More of the later window fails: its failing requests are held against its others, over all of them."""
    body = json.loads(exchange("tempo", "minstant-compare").body)
    for series in body["series"]:
        series["value"] = 10 * series.get("value", 0)

    async def compare(_):
        return web.json_response(body)

    found = await counted(compare)
    assert (found.picked, found.requests, found.others) == (FAILED, 80, 550)
    assert "http.response.status_code = 500 in 100 % of these, 0 % of the others" in found.words("tempo")


@pytest.mark.parametrize("how", ["refused", "nonsense", "never"])
async def test_a_backend_that_cannot_compare_costs_nothing(how) -> None:
    """The sample is compared all the same, and in time."""

    async def compare(_):
        if how == "never":
            await asyncio.Event().wait()
        return web.Response(status=400 if how == "refused" else 200, text="compare: no such function")

    assert await counted(compare, 1.0) is None


async def test_the_playgrounds_trace_api_counts_as_tempo_does() -> None:
    """Its own requests, over HTTP: how all of both windows went, and what the slow ones of the later one share."""
    town = Town()
    town.traffic(NOON - 600, NOON, 60, 100, host="n1")
    town.traffic(NOON, NOON + 590, 60, 100, host="n1")
    town.traffic(NOON + 1, NOON + 590, 40, 900, host="n7", failed=True)
    town.traffic(NOON, NOON + 590, 10, 5_000, operation="GET /orders", host="n9")
    windows = [replace(QUERY, operation="POST /orders", window=its) for its in ((NOON - 600, NOON), QUERY.window)]
    async with town.served() as url:
        settings = Settings.model_construct(
            sources=(SourceSettings(name="tempo", kind="tempo", url=url.replace("/jaeger", "/tempo")),), jaeger_url=None,
            tempo_url=None, channels={}, limits=Limits(missing_retry_s=0),
        )  # fmt: skip
        opened = open_sources(settings)
        try:
            place = Place(opened.named("tempo"), None, 10)
            a, b = [await place.totals(its) for its in windows]
            assert (a.requests, a.failed_share, b.requests, b.failed_share) == (60, 0.0, 100, 0.4)
            assert 67_000_000 < a.middle_ns <= 134_217_728
            for its in (picked(a, b), Picked(slower_than_ns=a.tail_ns)):
                told = apart(its, await place.contrasts(windows[1], its), Redactor())
                assert (told.requests, told.others) == (40, 60)
                assert "host.name = n7 in 100 % of these, 0 % of the others" in told.words("tempo")
        finally:
            await opened.aclose()


async def test_jaeger_says_that_it_does_not_compare() -> None:
    """It counts by operation alone; that is no answer, and no question is sent."""
    backend = Backend()
    async with sources("jaeger", backend) as opened:
        with pytest.raises(SourceError) as caught:
            await opened.named("jaeger").contrasts(QUERY, FAILED, tenant=None, deadline_s=5)
    assert caught.value.code == "no-metrics"
    assert backend.asked == []
