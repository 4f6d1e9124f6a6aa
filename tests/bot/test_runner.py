"""The analysis runner: comparisons in child processes that may die without harm."""

from __future__ import annotations

import asyncio
import signal
import sys

import msgspec
import pytest

from analysis import WireFormat
from analysis.comparison import VerdictKind
from bot.analysing.child import KEPT
from bot.analysing.runner import WARM_BYTES, AnalysisRunner
from bot.ending import ended
from bot.errors import AnalysisError
from bot.sources import FetchedTrace


@pytest.fixture
def fetched(samples):
    """Return a fetched sample pair."""
    pair = next(s for s in samples.pairs if s.name == "slow-query")
    return [
        FetchedTrace(trace_id=i, body=samples.jaeger(i), wire=WireFormat.JAEGER_JSON, source="s")
        for i in (pair.baseline, pair.suspect)
    ]


@pytest.fixture
async def make_runner():
    """Return a maker of runners that are closed afterwards."""
    made = []

    def make(children: int = 1, command=None) -> AnalysisRunner:
        made.append(AnalysisRunner(children, command) if command else AnalysisRunner(children))
        return made[-1]

    yield make
    for runner in made:
        await runner.aclose()


@pytest.fixture(params=["as a server starts them", "as most tests start them"])
def started(request) -> tuple[str, ...] | None:
    """Return how children are started: what holds for one way holds for the other, whose children are forked."""
    return request.getfixturevalue("forked_command") if request.param.startswith("as most") else None


async def test_a_comparison_comes_back_whole(make_runner, fetched, started) -> None:
    """The child's answer is the comparison that the engine gives."""
    result = await make_runner(1, started).compare(*fetched, deadline_s=30)
    assert result.comparison.verdict.kind is VerdictKind.SLOWER


async def test_a_trace_is_compared_with_the_typical_one_of_a_population(make_runner, fetched) -> None:
    """Without a baseline the child picks the middle one of those without failures; unreadable ones are left out."""
    baseline, suspect = fetched
    broken = FetchedTrace(trace_id="x", body=b"{}", wire=WireFormat.JAEGER_JSON, source="s")
    answer = await make_runner().compare(None, suspect, [broken, baseline, baseline], deadline_s=30)
    assert answer.comparison.baseline.trace_id == baseline.trace_id
    assert answer.comparison.verdict.kind is VerdictKind.SLOWER
    assert answer.population == 1
    with pytest.raises(AnalysisError, match="None of the traces found"):
        await make_runner().compare(None, suspect, [broken], deadline_s=30)


async def test_the_root_call_of_a_trace_is_told(make_runner, fetched) -> None:
    """The child says of which operation a trace is, or that it cannot be read."""
    root = await make_runner().root_call(fetched[1], deadline_s=30)
    assert (root.service, root.operation) == ("gateway", "POST /api/checkout")
    broken = FetchedTrace(trace_id="x", body=b"{}", wire=WireFormat.JAEGER_JSON, source="s")
    with pytest.raises(AnalysisError, match="cannot be read"):
        await make_runner().root_call(broken, deadline_s=30)


async def test_children_are_used_again(make_runner, fetched, started) -> None:
    """A warm child serves one comparison after the other."""
    runner = make_runner(1, started)
    await runner.warm_up()
    for _ in range(3):
        await runner.compare(*fetched, deadline_s=30)
    assert len(runner._comparing._idle) == 1


async def test_several_comparisons_run_side_by_side(make_runner, fetched, started) -> None:
    """More requests than children queue up and all are answered."""
    runner = make_runner(2, started)
    results = await asyncio.gather(*(runner.compare(*fetched, deadline_s=30) for _ in range(6)))
    assert {r.comparison.verdict.kind for r in results} == {VerdictKind.SLOWER}


async def test_a_body_that_is_no_trace_is_said(make_runner, fetched) -> None:
    """The sentence names the side and what is wrong with it."""
    broken = FetchedTrace(trace_id="x", body=b"{}", wire=WireFormat.JAEGER_JSON, source="s")
    with pytest.raises(AnalysisError, match="Trace B cannot be read"):
        await make_runner().compare(fetched[0], broken, deadline_s=30)


async def test_an_endless_comparison_is_stopped_at_its_deadline(make_runner, fetched) -> None:
    """A child that does not answer is killed; the next comparison gets a fresh one."""
    runner = make_runner(1, (sys.executable, "-c", "while True: pass"))
    async with asyncio.timeout(30):
        with pytest.raises(AnalysisError, match="longer than"):
            await runner.compare(*fetched, deadline_s=0.3)
    assert runner._comparing._idle == []


async def test_a_crash_harms_only_its_own_comparison(make_runner, fetched) -> None:
    """A child that dies in the middle is an error for this request; the runner goes on."""
    runner = make_runner(1, (sys.executable, "-c", "import sys; sys.stdin.buffer.read(4); sys.exit(1)"))
    with pytest.raises(AnalysisError, match="failed on these traces"):
        await runner.compare(*fetched, deadline_s=10)
    runner._comparing._command = AnalysisRunner(1)._comparing._command
    assert (await runner.compare(*fetched, deadline_s=30)).comparison.verdict.kind is VerdictKind.SLOWER


def wide(slow: int, groups: int, padding: int = 0) -> FetchedTrace:
    """Return a trace of Jaeger in which every span is a group of its own."""
    words = [
        "".join(chr(97 + int(digit, 36) % 26) for digit in f"{i:x}q{i % 7}") + f"_{'ab'[i % 2]}" for i in range(groups)
    ]
    spans = [
        {
            "traceID": "a" * 32, "spanID": f"{i + 1:016x}", "operationName": "root" if i == 0 else f"op.{words[i]}.{'x' * (i % 50)}",
            "references": [] if i == 0 else [{"refType": "CHILD_OF", "traceID": "a" * 32, "spanID": f"{1:016x}"}],
            "startTime": 1_795_000_000_000_000 + i * slow * 10, "duration": groups * slow * 10 if i == 0 else slow * 10,
            "tags": [{"key": "padding", "type": "string", "value": "x" * padding}] if padding else [], "logs": [],
            "processID": "p1",
        }
        for i in range(groups)
    ]  # fmt: skip
    data = {"traceID": "a" * 32, "spans": spans, "processes": {"p1": {"serviceName": "shop", "tags": []}}}
    body = msgspec.json.encode({"data": [data]})
    return FetchedTrace(trace_id="a" * 32, body=body, wire=WireFormat.JAEGER_JSON, source="s")


async def test_what_comes_back_is_small_and_the_table_is_made_from_everything(make_runner) -> None:
    """A trace with thousands of groups does not hold up the event loop, and the sums in its table are still right."""
    runner = make_runner()
    answer = await runner.compare(wide(10, 4_000), wide(400, 4_000), deadline_s=60)
    assert len(answer.comparison.contributions) <= KEPT
    assert len(msgspec.msgpack.encode(answer)) < 200_000
    rows = answer.table
    groups = int(rows.rest.split(" ")[0].replace(",", ""))
    assert groups > 2_000
    assert f"of {groups + len(rows.rows):,} groups" in rows.coverage


async def test_a_child_that_grew_large_is_replaced(make_runner, fetched, started) -> None:
    """Memory taken for one huge trace is given back."""
    runner = make_runner(1, started)
    huge = wide(10, 3_000, padding=2_000)
    assert len(huge.body) > WARM_BYTES // 2
    await runner.compare(huge, huge, deadline_s=60)
    assert runner._comparing._idle == []
    await runner.compare(*fetched, deadline_s=30)
    assert len(runner._comparing._idle) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="no other system holds a process to an amount of memory")
async def test_memory_beyond_the_limit_harms_only_its_own_comparison(make_runner, fetched) -> None:
    """A child that wants more than it may have fails, for its own request; small comparisons go on with the same limit."""
    limited = (
        "import bot.analysing.child as c; size = int(open('/proc/self/statm').read().split()[0]) * 4096;"
        "c.MAX_MEMORY_BYTES = size + 40 * 2**20; c.main()"
    )
    runner = make_runner(1, (sys.executable, "-c", limited))
    huge = wide(10, 3_000, padding=8_000)
    with pytest.raises(AnalysisError, match="failed on these traces"):
        await runner.compare(huge, huge, deadline_s=60)
    assert (await runner.compare(*fetched, deadline_s=60)).comparison.verdict.kind is VerdictKind.SLOWER


async def test_signals_to_the_whole_group_do_not_end_a_comparison(make_runner, fetched, started) -> None:
    """Ctrl-C in a terminal and SIGTERM to all processes reach the children too: they work on."""
    runner = make_runner(1, started)
    await runner.compare(*fetched, deadline_s=30)
    (child,) = runner._comparing._idle
    for number in (signal.SIGINT, signal.SIGTERM):
        child.send_signal(number)
    await runner.compare(*fetched, deadline_s=30)
    assert runner._comparing._idle == [child]


async def test_a_child_ends_with_the_bot(make_runner, fetched, started) -> None:
    """When standard input closes because the bot died, no child is left behind."""
    runner = make_runner(1, started)
    await runner.compare(*fetched, deadline_s=30)
    child = runner._comparing._idle.pop()
    child.stdin.close()
    assert await asyncio.wait_for(child.wait(), 30) == 0


async def test_a_child_that_was_killed_is_replaced(make_runner, fetched, started) -> None:
    """Whoever killed it between two comparisons, the next one gets a fresh child, and the end is known for what it was."""
    runner = make_runner(1, started)
    await runner.warm_up()
    (child,) = runner._comparing._idle
    child.kill()
    assert await asyncio.wait_for(child.wait(), 30) == -signal.SIGKILL
    assert await child.stdout.read() == b""  # nobody holds its output any more
    child.stdin.close()
    await runner.compare(*fetched, deadline_s=30)
    assert runner._comparing._idle != [child]


ENDLESS_DRAWING = (
    sys.executable, "-c",
    "import itertools, bot.analysing.child as c; c.render_png = lambda *_: all(itertools.count(1)); c.main()",
)  # fmt: skip


async def begun(children) -> None:
    """Wait until nobody else may have a job done: the last free child was taken."""
    async with asyncio.timeout(30):
        while not children._free.locked():
            await asyncio.sleep(0)


async def test_a_comparison_waits_for_no_picture(make_runner, fetched) -> None:
    """However many pictures are being drawn and wait to be, what is compared finds a child of its own."""
    runner = make_runner(1, ENDLESS_DRAWING)
    comparison = (await runner.compare(*fetched, deadline_s=30)).comparison
    pictures = [asyncio.create_task(runner.draw(comparison, deadline_s=60)) for _ in range(3)]
    await begun(runner._drawing)
    assert (await runner.compare(*fetched, deadline_s=30)).comparison.verdict.kind is VerdictKind.SLOWER
    assert not any(picture.done() for picture in pictures)
    await ended(pictures)


async def test_a_picture_that_waits_too_long_is_dropped_and_the_one_before_it_drawn_on(make_runner, fetched) -> None:
    """A deadline that passes before a child is free costs that picture alone: nothing is stopped for it."""
    runner = make_runner(1, ENDLESS_DRAWING)
    comparison = (await runner.compare(*fetched, deadline_s=30)).comparison
    drawn = asyncio.create_task(runner.draw(comparison, deadline_s=60))
    await begun(runner._drawing)
    with pytest.raises(AnalysisError, match="longer than"):
        await runner.draw(comparison, deadline_s=0.1)
    assert not drawn.done()
    await ended([drawn])
