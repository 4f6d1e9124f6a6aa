"""A fair sample of a window's requests: nobody's order decides which are compared, and how many were seen is known."""

from __future__ import annotations

import random
from collections import Counter
from itertools import pairwise

import pytest
from aiohttp import web
from backends import Backend, Town, exchange, sources
from hypothesis import given
from hypothesis import strategies as st

from analysis.redact import Redactor
from bot.analysing.spool import spools
from bot.errors import SourceError
from bot.finding import Place
from bot.finding.sampling import SLICES, Sampled, Slice, drawn, rate, rounded, slices
from bot.finding.windows import fetch_windows, search_windows
from bot.requests.request import Windows
from bot.sources.base import TraceQuery, TraceSummary
from bot.sources.metrics import Totals

NOON = 1_795_521_600  # 2026-11-24 12:00 UTC
MINUTE = 60
QUERY = TraceQuery(service="checkout", operation="POST /orders", window=(NOON, NOON + 1800), root=True)


def found(number: int, at: int = NOON) -> tuple[TraceSummary, ...]:
    """Return so many traces with ids in a row."""
    return tuple(
        TraceSummary(
            trace_id=f"{at + i:032x}",
            root_service="a",
            root_operation="b",
            started_at_ns=(at + i) * 10**9,
            duration_ns=1,
        )
        for i in range(number)
    )


@given(st.integers(0, 2**31), st.integers(1, 10**6))
def test_slices_are_the_window(start, length) -> None:
    """They touch, leave nothing out, and a shorter piece of one lies within it."""
    cut = slices((start, start + length))
    assert len(cut) <= SLICES
    assert (cut[0].whole[0], cut[-1].whole[1]) == (start, start + length)
    assert all(a.whole[1] == b.whole[0] for a, b in pairwise(cut))
    for its in cut:
        piece = its.narrowed()
        if piece is not None:
            assert its.whole[0] <= piece.searched[0] < piece.searched[1] <= its.whole[1]


@given(
    st.lists(st.tuples(st.integers(0, 60), st.sampled_from([60, 6, 1])), min_size=1, max_size=12), st.integers(1, 80)
)
def test_every_slice_gives_in_proportion(numbers, most) -> None:
    """Whatever the slices hold: no more than asked for, none twice, none favoured, and any beginning is fair too."""
    made = [
        Slice((NOON + 60 * i, NOON + 60 * i + 60), (NOON + 60 * i, NOON + 60 * i + piece), found(n, NOON + 10_000 * i))
        for i, (n, piece) in enumerate(numbers)
    ]
    taken = drawn(made, most)
    total = sum(its.requests for its in made)
    assert len(taken) == len({its.trace_id for its in taken}) <= most
    if total <= most:
        assert len(taken) == sum(n for n, _ in numbers)
    by_slice = Counter((its.started_at_ns // 10**9 - NOON) // 10_000 for its in taken)
    for i, its in enumerate(made):
        assert by_slice[i] <= most * its.requests / max(total, 1) + 1
    shuffled = [Slice(s.whole, s.searched, tuple(random.Random(1).sample(s.found, len(s.found)))) for s in made]  # noqa: S311 - a test's shuffle
    assert drawn(shuffled, most) == taken


def test_sizes_are_said_as_they_are_known() -> None:
    """All, some, about, or more than: what was counted is not said as if it were guessed, nor the other way round."""
    its = Sampled(window=(0, 600), requests=1_234, about=False, at_least=False, unsearched=0, wanted=200, fetched=198)
    assert its.words() == "198 of 1,234 requests"
    assert Sampled(window=(0, 600), requests=90, about=False, at_least=False, unsearched=0, wanted=90,
                   fetched=90).words() == "all 90 requests"  # fmt: skip
    about = Sampled(window=(0, 600), requests=12_345, about=True, at_least=False, unsearched=0, wanted=200, fetched=200,
                    unreadable=2, totals=Totals(requests=12_100, failed_share=0.004, middle_ns=130_000_000, tail_ns=2_060_000_000))  # fmt: skip
    assert about.words() == "198 of about 12,000 requests"
    assert about.all_words() == "about 12,000 requests, 20/s, 0.4 % failing, p50 about 130 ms, p95 about 2.06 s"
    assert (rounded(7), rounded(996), rate(0.05), rate(1_234)) == (7, 1_000, "3/min", "1,200/s")


async def test_a_busy_window_is_sampled_all_over() -> None:
    """Searches that send their newest twenty hide the rest: pieces all over the window stand for it, half slow is half."""
    town = Town()
    for i in range(2_400):  # in every slice of the window the first half is slow
        town.request(NOON + i * 0.75, 300 if i % 200 < 100 else 100)
    town.traffic(NOON - 30 * MINUTE, NOON, 40, 100)
    windows = Windows(
        service="checkout", operation="POST /orders", baseline=(NOON - 1800, NOON), suspect=(NOON, NOON + 1800),
        asked_at=NOON + 3_600,
    )  # fmt: skip
    async with town.open() as source:
        search = await search_windows(Place(source, None, 30.0), windows, root=True, deadline_s=60.0)
        with spools() as both:
            a, b, apart = await fetch_windows(search, windows, both, 60.0, Redactor())
            written = both[1].written()
    assert a.words() == "all 40 requests"
    assert apart is None, "Jaeger counts by operation alone"
    assert b.about
    assert not b.at_least
    assert 1_600 <= b.requests <= 3_200
    assert len(written.bodies) == b.fetched >= 80
    assert sum(its.size for its in written.bodies) > 10_000
    taken = drawn(search.slices[1])
    slow = sum(its.took_ns > 200_000_000 for its in taken)
    assert 0.25 <= slow / len(taken) <= 0.75, "the newest of every slice are fast: half of all are not"
    assert len({(its.started_at_ns // 10**9 - NOON) // 150 for its in taken}) == SLICES


async def test_what_fails_is_left_out_and_told() -> None:
    """Some searches and some traces may fail; when all searches of a window do, that is the answer."""
    town = Town()
    town.traffic(NOON - 30 * MINUTE, NOON + 30 * MINUTE, 60, 100)
    windows = Windows(service="checkout", operation=None, baseline=(NOON - 1800, NOON), suspect=(NOON, NOON + 1800), asked_at=NOON)  # fmt: skip
    town.broken = [400, 400]
    town.lost = set(sorted(town.bodies)[:3])
    async with town.open() as source:
        place = Place(source, None, 30.0)
        search = await search_windows(place, windows, root=True, deadline_s=60.0)
        assert sum(search.unsearched) == 2
        with spools() as both:
            a, b, _ = await fetch_windows(search, windows, both, 60.0, Redactor())
        assert (a.wanted - a.fetched) + (b.wanted - b.fetched) <= 3
        town.broken = [400] * 24
        with pytest.raises(SourceError):
            await search_windows(place, windows, root=True, deadline_s=60.0)


async def test_tempo_counts_and_times_all_requests() -> None:
    """One histogram for the whole window and one count of failures: exact numbers, quantiles of doubling buckets."""

    async def answer(request):
        name = "minstant-hist" if "histogram_over_time" in request.query["q"] else "minstant-count-by"
        recorded = exchange("tempo", name)
        return web.Response(body=recorded.body, content_type="application/json")

    backend = Backend()
    backend.on("/api/metrics/query", answer)
    async with sources("tempo", backend) as opened:
        got = await opened.named("tempo").totals(QUERY, tenant=None, deadline_s=5)
    assert (got.requests, got.failed_share) == (63, 1.0)  # the recorded count is of all services
    assert 67_108_864 < got.middle_ns <= 134_217_728
    assert 1_073_741_824 < got.tail_ns <= 2_147_483_648
    asked = [request.query["q"] for request in backend.asked]
    assert sum("status = error" in q for q in asked) == 1
    assert all('rootName = "POST /orders"' in q for q in asked)


async def test_a_tempo_without_metrics_or_requests() -> None:
    """Metrics that are not computed are an error of their own kind; no requests are no requests."""
    backend = Backend()
    backend.on("/api/metrics/query", ("tempo", "minstant-none"))
    async with sources("tempo", backend) as opened:
        assert (await opened.named("tempo").totals(QUERY, tenant=None, deadline_s=5)).requests == 0
        backend.on("/api/metrics/query", ("tempo", "mrange-bad"))
        with pytest.raises(SourceError, match="does not compute"):
            await opened.named("tempo").totals(QUERY, tenant=None, deadline_s=5)


async def test_jaeger_counts_and_times_all_requests() -> None:
    """The window is asked about as one step; without an operation its metrics say nothing of roots."""
    backend = Backend()
    for name in ("latencies", "errors", "calls"):
        backend.on(f"/api/metrics/{name}", ("jaeger-spm", f"spm-{'errors' if name == 'calls' else name}"))
    asked = TraceQuery(service="frontend", operation="POST /api/checkout", window=(NOON, NOON + 600))
    async with sources("jaeger", backend) as opened:
        got = await opened.named("jaeger").totals(asked, tenant=None, deadline_s=5)
        with pytest.raises(SourceError, match="operation"):
            await opened.named("jaeger").totals(
                TraceQuery(service="frontend", window=(NOON, NOON + 600)), tenant=None, deadline_s=5
            )
    assert (got.requests, got.failed_share) == (60, 0.1)  # the last point: 0.1 a second
    assert got.middle_ns == got.tail_ns == 120_500_000
    assert {request.query["step"] for request in backend.asked} == {"600000"}
