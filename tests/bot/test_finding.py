"""Finding the traces to compare with, and the one an alert is about, in the traffic of a town's shop."""

from __future__ import annotations

import asyncio

import pytest
from backends import Backend, Town, sources

from analysis import RootCall, decode
from bot.analysing.child import compared_with_typical
from bot.errors import SourceError, UserError
from bot.finding import Place, find_exemplar, find_others
from bot.finding.choosing import did_you_mean, spread
from bot.requests.wording import between, named
from bot.sources.base import TraceSummary
from bot.sources.many import AT_ONCE, fetch_many

NOON = 1_795_521_600  # 2026-11-24 12:00 UTC
MINUTE, HOUR = 60, 3600


@pytest.fixture
def town() -> Town:
    """Return a town without traffic."""
    return Town()


def place(source) -> Place:
    """Return where to look."""
    return Place(source, None, 10.0)


async def others(town: Town, suspect: str):
    """Find what a trace of the town is compared with; returns it and the typical trace's id."""
    body = town.bodies[suspect]
    async with town.open() as source:
        found = await find_others(place(source), RootCall.of(decode(body)))
    traces = [(trace.body, trace.wire) for trace in found.traces]
    outcome = compared_with_typical((body, found.traces[0].wire), traces)
    assert suspect not in {trace.trace_id for trace in found.traces}
    return found, outcome.comparison.baseline.trace_id, found.words(outcome.population)


def searches(town: Town) -> list[dict]:
    """Return what the town was searched for."""
    return [dict(r.query) for r in town.asked if r.path == "/jaeger/api/traces"]


async def test_the_typical_trace_is_the_middle_one_of_those_just_before(town) -> None:
    """Enough requests within half an hour: one search, and the middle one is the baseline."""
    usual = town.traffic(NOON - 25 * MINUTE, NOON, 40, 100)
    town.traffic(NOON - 25 * MINUTE, NOON, 40, 900, operation="GET /reports")
    suspect = town.request(NOON, 1300)
    found, typical, words = await others(town, suspect)
    assert len(searches(town)) == 1
    assert typical in usual
    assert decode(town.bodies[typical]).spans[0].end_ns - decode(town.bodies[typical]).spans[0].start_ns == 110_000_000
    assert len(found.traces) == 20
    assert words == "typical of 20 traces of checkout POST /orders, 11:47-11:59 UTC"


async def test_the_window_widens_until_there_is_enough(town) -> None:
    """A rare operation is looked for further back, each time only where nobody looked yet."""
    town.traffic(NOON - 5 * HOUR, NOON, 25, 100)
    suspect = town.request(NOON, 1300)
    found, _, words = await others(town, suspect)
    ranges = [(int(s["start"]) // 10**6 - NOON, int(s["end"]) // 10**6 - NOON) for s in searches(town)]
    assert ranges == [(-1800, 0), (-7200, -1800), (-21600, -7200)]
    assert len(found.traces) == 25
    assert words.endswith("07:00-11:48 UTC")


async def test_windows_in_the_same_trouble_are_passed_over(town) -> None:
    """The incident began an hour ago: the baseline is from before it, and the words say so."""
    healthy = town.traffic(NOON - 5 * HOUR, NOON - 2 * HOUR, 30, 100)
    town.traffic(NOON - HOUR, NOON, 60, 1200)
    suspect = town.request(NOON, 1300)
    _, typical, words = await others(town, suspect)
    assert typical in healthy
    assert words.startswith("typical of 20 traces of checkout POST /orders, 08:")
    assert words.endswith("passed over 10:00-12:00 UTC, when most requests were like this one")


async def test_requests_that_always_fail_now_are_passed_over(town) -> None:
    """A failing request is compared with one from before the failures, however long each takes."""
    healthy = town.traffic(NOON - 90 * MINUTE, NOON - 40 * MINUTE, 30, 100)
    town.traffic(NOON - 20 * MINUTE, NOON, 30, 90, failed=True)
    suspect = town.request(NOON, 95, failed=True)
    _, typical, words = await others(town, suspect)
    assert typical in healthy
    assert "passed over 11:30-12:00 UTC" in words


async def test_a_request_that_is_usual_is_compared_with_the_closest(town) -> None:
    """Where every window is like the suspect nothing is passed over: its neighbours tell what is usual."""
    near = town.traffic(NOON - 20 * MINUTE, NOON, 30, 100)
    town.traffic(NOON - 20 * HOUR, NOON - HOUR, 60, 100)
    suspect = town.request(NOON, 105)
    _, typical, words = await others(town, suspect)
    assert typical in near
    assert "passed over" not in words
    assert all(int(s["start"]) // 10**6 >= NOON - 24 * HOUR for s in searches(town)), "last week does not matter here"


async def test_failed_requests_are_in_the_population_but_never_typical(town) -> None:
    """A share of failures is usual; what the suspect is held against is a request that went well."""
    failed = town.traffic(NOON - 20 * MINUTE, NOON - 10 * MINUTE, 5, 50, failed=True)
    town.traffic(NOON - 20 * MINUTE, NOON, 13, 100)
    found, typical, _ = await others(town, town.request(NOON, 1300))
    assert typical not in failed
    assert {trace.trace_id for trace in found.traces} > set(failed)


async def test_later_requests_are_taken_where_there_are_none_before(town) -> None:
    """A new deployment's first request has nothing before it; the words say that what it is held against is later."""
    town.traffic(NOON + HOUR, NOON + 2 * HOUR, 10, 100)
    _, _, words = await others(town, town.request(NOON, 1300))
    assert words == (
        "typical of 10 traces of checkout POST /orders, 13:00-13:54 UTC; all of them later: I found none before"
    )


async def test_traces_that_cannot_be_fetched_are_counted(town) -> None:
    """Found and gone: the rest is enough, and the number is said."""
    usual = town.traffic(NOON - 20 * MINUTE, NOON, 20, 100)
    town.lost = set(usual[:4])
    found, typical, words = await others(town, town.request(NOON, 1300))
    assert len(found.traces) == 16
    assert typical not in town.lost
    assert words.endswith("4 more could not be fetched")


async def test_a_search_that_fails_later_does_not_spoil_what_was_found(town) -> None:
    """The second window cannot be searched: the three traces of the first have to do."""
    town.traffic(NOON - 20 * MINUTE, NOON, 3, 100)
    suspect = town.request(NOON, 1300)
    async with town.open() as source:
        search = source.search
        asked = 0

        async def second_fails(query, **arguments):
            nonlocal asked
            asked += 1
            if asked > 1:
                raise SourceError("rejected", source="town", status=400, detail="range too long")
            return await search(query, **arguments)

        source.search = second_fails
        found = await find_others(place(source), RootCall.of(decode(town.bodies[suspect])))
    assert len(found.traces) == 3


async def test_a_search_that_cannot_be_done_is_said(town) -> None:
    """When the first search fails, that is what the person hears."""
    suspect = town.request(NOON, 1300)
    town.broken = [400]
    async with town.open() as source:
        with pytest.raises(SourceError) as caught:
            await find_others(place(source), RootCall.of(decode(town.bodies[suspect])))
    assert caught.value.code == "rejected"


async def test_nothing_to_compare_with_is_said_with_a_way_out(town) -> None:
    """The only request of its operation cannot be compared with a typical one."""
    suspect = town.request(NOON, 1300)
    town.traffic(NOON - HOUR, NOON, 5, 100, operation="GET /orders")
    async with town.open() as source:
        with pytest.raises(UserError, match="no other trace of checkout POST /orders") as caught:
            await find_others(place(source), RootCall.of(decode(town.bodies[suspect])))
    assert f"`/compare-traces <healthy> {suspect}`" in caught.value.sentence


async def test_requests_whose_caller_sends_no_spans_are_compared_with_their_like(town) -> None:
    """A gateway that is not instrumented leaves every trace without its root: those are of one operation too."""
    usual = town.traffic(NOON - 20 * MINUTE, NOON, 10, 100, orphan=True)
    town.traffic(NOON - 20 * MINUTE, NOON, 5, 100, operation="GET /orders", orphan=True)
    _, typical, words = await others(town, town.request(NOON, 1300, orphan=True))
    assert typical in usual
    assert words.startswith("typical of 10 traces of checkout POST /orders")


async def test_a_trace_without_anything_like_a_root_cannot_be_typical_of_anything(town) -> None:
    """Where no span encloses the others nobody can say which operation this is."""
    root = RootCall(
        trace_id="a" * 32, service="", operation="", started_at_ns=NOON * 10**9, response_ns=1, completion_ns=1,
        failed=False, rootless=True,
    )  # fmt: skip
    async with town.open() as source:
        with pytest.raises(UserError, match="root span"):
            await find_others(place(source), root)


async def exemplar(town: Town, service="checkout", operation="POST /orders", *, failing=False, now=NOON):
    """Find the exemplar of the half hour before noon."""
    async with town.open() as source:
        return await find_exemplar(
            place(source), service, operation, (NOON - 30 * MINUTE, NOON), failing=failing, now=now
        )


async def test_the_exemplar_of_a_slow_half_hour_is_its_slowest_request(town) -> None:
    """Backends send any that match: the search climbs until nothing is slower."""
    town.request(NOON - 29 * MINUTE, 2500)
    town.traffic(NOON - 28 * MINUTE, NOON, 100, 100)
    slowest = await exemplar(town)
    assert slowest.summary.took_ns == 2_500_000_000
    assert slowest.words == "slowest of 21 traces of checkout POST /orders, 11:30-12:00 UTC"
    assert [s.get("minDuration") for s in searches(town)] == [None, "121000us"]


async def test_the_exemplar_of_failures_is_a_failing_request(town) -> None:
    """The slowest of those that failed, though others are slower."""
    town.traffic(NOON - 28 * MINUTE, NOON, 10, 900)
    failed = town.traffic(NOON - 28 * MINUTE, NOON, 3, 100, failed=True)
    found = await exemplar(town, failing=True)
    assert found.summary.trace_id == failed[-1]
    assert found.words.startswith("slowest failing of 3 traces")


async def test_where_none_failed_the_slowest_stands_for_the_alert(town) -> None:
    """An error alert whose failures left no error spans still gets a trace."""
    town.traffic(NOON - 28 * MINUTE, NOON, 10, 900)
    assert (await exemplar(town, failing=True, operation=None)).words == (
        "slowest of 10 traces of checkout, 11:30-12:00 UTC"
    )


@pytest.mark.parametrize(
    ("fields", "code", "said"),
    [
        ({"service": "Chekout"}, "unknown-service", "Did you mean checkout?"),
        ({"service": "checkout-service"}, "unknown-service", "Did you mean checkout?"),
        ({"service": "zebra"}, "unknown-service", "It has: checkout, mailer."),
        ({"operation": "POST /order"}, "unknown-operation", "Did you mean POST /orders"),
        ({}, "nothing-found", "no trace of checkout POST /orders from 11:30-12:00 UTC"),
        ({"now": NOON - 29 * MINUTE}, "search-lags", "Ask again"),
    ],
    ids=["typing", "suffix", "unlike", "operation", "quiet", "early"],
)
async def test_why_nothing_was_found_is_said(town, fields, code, said) -> None:
    """A name that is not known, a search that lags, or no traffic: three sentences, each with a way on."""
    town.traffic(NOON - 5 * HOUR, NOON - 4 * HOUR, 5, 100)
    town.request(NOON - HOUR, 10, service="mailer", operation="send")
    with pytest.raises(UserError) as caught:
        await exemplar(town, **fields)
    assert caught.value.code == code
    assert said in caught.value.sentence


async def test_backends_that_list_no_names_still_answer(town) -> None:
    """Without lists of services the sentence is simply that nothing was found."""
    backend = Backend()
    backend.on("/api/v3/trace-summaries", ("jaeger", "v3-summaries-none"))
    async with sources("jaeger", backend) as opened:
        with pytest.raises(UserError, match="has no trace of checkout"):
            await find_exemplar(
                place(opened.named("jaeger")), "checkout", None, (NOON - HOUR, NOON), failing=False, now=NOON
            )


def summaries(town: Town) -> list[TraceSummary]:
    """Return every trace of the town, as searches would."""
    return [
        TraceSummary(trace_id=t.trace_id, root_service="", root_operation="", started_at_ns=t.start_ns, duration_ns=1)
        for t in reversed(town.recorded)
    ]


async def test_many_are_fetched_a_few_at_once_in_the_order_asked_for(town) -> None:
    """Never more at once than a backend can stand."""
    wanted_ids = town.traffic(NOON - HOUR, NOON, 30, 100)
    now = most = 0
    async with town.open() as source:
        fetch = source.fetch

        async def counted(*args, **arguments):
            nonlocal now, most
            now += 1
            most = max(most, now)
            try:
                return await fetch(*args, **arguments)
            finally:
                now -= 1

        source.fetch = counted
        wanted = summaries(town)
        fetched = await fetch_many(source, wanted, tenant=None, deadline_s=10, max_bytes=10**9)
    assert [trace.trace_id for trace in fetched.traces] == wanted_ids
    assert (fetched.missing, fetched.left_out) == (0, 0)
    assert 1 < most <= AT_ONCE


async def test_what_is_enough_is_not_fetched_further(town) -> None:
    """Beyond the size that was allowed nothing more is asked for, and that is no failure."""
    town.traffic(NOON - HOUR, NOON, 30, 100)
    async with town.open() as source:
        wanted = summaries(town)
        fetched = await fetch_many(source, wanted, tenant=None, deadline_s=10, max_bytes=1)
    assert 1 <= len(fetched.traces) <= AT_ONCE
    assert (fetched.missing, fetched.left_out) == (0, 30 - len(fetched.traces))


async def test_what_is_there_at_the_deadline_is_used(town) -> None:
    """One trace that never comes does not take the others with it; when none comes, that is said."""
    stuck = town.traffic(NOON - HOUR, NOON, 10, 100)[3]
    async with town.open() as source:
        fetch = source.fetch

        async def slow(trace_id, **arguments):
            if trace_id == stuck:
                await asyncio.sleep(60)
            return await fetch(trace_id, **arguments)

        source.fetch = slow
        wanted = summaries(town)
        fetched = await fetch_many(source, wanted, tenant=None, deadline_s=2.0, max_bytes=10**9)
        assert (len(fetched.traces), fetched.missing) == (9, 1)
        with pytest.raises(SourceError, match="did not answer"):
            await fetch_many(source, wanted[3:4], tenant=None, deadline_s=0.1, max_bytes=10**9)


async def test_when_not_one_can_be_fetched_the_reason_is_said(town) -> None:
    """All gone: the first reason is the error."""
    town.lost = set(town.traffic(NOON - HOUR, NOON, 5, 100))
    async with town.open() as source:
        wanted = summaries(town)
        with pytest.raises(SourceError) as caught:
            await fetch_many(source, wanted, tenant=None, deadline_s=10, max_bytes=10**9)
    assert caught.value.code == "trace-not-found"


def test_a_sample_is_spread_over_the_time() -> None:
    """First and last are in it, and the distances are even."""
    found = [
        TraceSummary(trace_id=f"{i:032x}", root_service="", root_operation="", started_at_ns=i, duration_ns=1)
        for i in range(100)
    ]
    starts = [summary.started_at_ns for summary in spread(found[::-1], 12)]
    assert starts == [0, 9, 18, 27, 36, 45, 54, 63, 72, 81, 90, 99]
    assert spread(found[:3], 12) == found[:3]


@pytest.mark.parametrize(
    ("window", "said"),
    [
        ((NOON - 90, NOON - 60), "11:58-11:59 UTC"),
        ((NOON, NOON + 1), "12:00 UTC"),
        ((NOON - 86400, NOON - 86400 + 600), "2026-11-23 12:00-12:10 UTC"),
        ((NOON - 86400, NOON), "2026-11-23 12:00-2026-11-24 12:00 UTC"),
    ],
)
def test_windows_are_written_for_people(window, said) -> None:
    """The date is left out where it is that of the request."""
    assert between(window, NOON) == said


def test_names_are_shown_without_secrets() -> None:
    """An operation's name may hold what nobody in the channel should read."""
    assert named("shop", "GET /login?token=9f8b3c2a11") == "shop GET /login?token=[redacted]"
    assert "jane" not in did_you_mean("GET /users/x", ["GET /users/jane.doe@example.com"])


@pytest.mark.parametrize(
    ("name", "known", "said"),
    [
        ("x", [], "It has none."),
        ("payments", ["payment", "PAYMENT-worker", "cart"], "Did you mean payment"),
        ("qqq", [f"service-{letter}" for letter in "abcdef"], "It has, among others: service-a, service-b, service-c."),
    ],
)
def test_unknown_names_get_a_proposal(name, known, said) -> None:
    """Close names first, else a few that are there."""
    assert did_you_mean(name, known).startswith(said)
