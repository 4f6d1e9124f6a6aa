"""The analysis runner: comparisons in child processes that may die without harm."""

from __future__ import annotations

import asyncio
import sys

import pytest

from analysis import WireFormat
from analysis.comparison import VerdictKind
from bot.errors import AnalysisError
from bot.runner import AnalysisRunner
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


async def test_a_comparison_comes_back_whole(make_runner, fetched) -> None:
    """The child's answer is the comparison that the engine gives."""
    result = await make_runner().compare(*fetched, deadline_s=30)
    assert result.comparison.verdict.kind is VerdictKind.SLOWER


async def test_children_are_used_again(make_runner, fetched) -> None:
    """A warm child serves one comparison after the other."""
    runner = make_runner()
    await runner.warm_up()
    for _ in range(3):
        await runner.compare(*fetched, deadline_s=30)
    assert len(runner._idle) == 1


async def test_several_comparisons_run_side_by_side(make_runner, fetched) -> None:
    """More requests than children queue up and all are answered."""
    runner = make_runner(2)
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
    with pytest.raises(AnalysisError, match="longer than"):
        await runner.compare(*fetched, deadline_s=0.3)
    assert runner._idle == []


async def test_a_crash_harms_only_its_own_comparison(make_runner, fetched) -> None:
    """A child that dies in the middle is an error for this request; the runner goes on."""
    runner = make_runner(1, (sys.executable, "-c", "import sys; sys.stdin.buffer.read(4); sys.exit(1)"))
    with pytest.raises(AnalysisError, match="failed on these traces"):
        await runner.compare(*fetched, deadline_s=10)
    runner._command = AnalysisRunner(1)._command
    assert (await runner.compare(*fetched, deadline_s=30)).comparison.verdict.kind is VerdictKind.SLOWER
