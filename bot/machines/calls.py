"""What programs can call: one table, from which the routes, the OpenAPI document and the MCP tools are made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from msgspec import Struct

from bot.inquiry.result import WindowsResult
from bot.machines import answers
from bot.machines.answers import Bounds, TraceComparison, TypicalTrace, WindowsComparison
from bot.machines.questions import EXAMPLE, CompareTraces, CompareWindows, FindTypicalTrace, Window

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bot.inquiry.result import Kept
    from bot.settings import SourceSettings

Question: TypeAlias = CompareTraces | FindTypicalTrace | CompareWindows
Answer: TypeAlias = TraceComparison | TypicalTrace | WindowsComparison
ITEMS = 20  # of lists that nobody can ask for in another length


class Call(Struct, frozen=True, kw_only=True):
    """One thing to call: `name` in MCP, POST `path` over HTTP."""

    name: str
    path: str
    title: str
    description: str
    question: type[Question]
    answer: type[Answer]
    example: Question

    def answered(
        self, asked: Question, key: str, result: Kept, source: Callable[[str], SourceSettings | None], most_bytes: int,
        said: Sequence[str] | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        """Return the answer as plain data, shaped as `answer`; `said`: by logs and metrics."""
        if isinstance(result, WindowsResult):
            sections, items = (asked.detail, asked.limit) if isinstance(asked, CompareWindows) else ((), ITEMS)
            return answers.windows_comparison(key, result, sections, Bounds(items, most_bytes))
        if isinstance(asked, CompareTraces):
            return answers.comparison(key, result, source, asked.detail, Bounds(asked.limit, most_bytes), said)
        return answers.typical(key, result, source, Bounds(ITEMS, most_bytes))


CALLS = (
    Call(
        name="compare_traces",
        path="/v1/compare",
        title="Compare two distributed traces",
        description="Compare two requests (traces in Jaeger or Grafana Tempo) and say what differs, where the time "
        "went, what caused it and how sure that is. Give the slow or failing trace as `suspect`; give a healthy one "
        "of the same operation as `baseline`, or leave it out to compare with the typical recent one. The parts of "
        "the difference sum exactly; every cause names the spans that show it. Read `verdict.confidence` and its "
        "reasons before acting: with two traces alone a modest difference is often normal variation.",
        question=CompareTraces,
        answer=TraceComparison,
        example=CompareTraces(baseline=EXAMPLE[0], suspect=EXAMPLE[1]),
    ),
    Call(
        name="find_typical_trace",
        path="/v1/typical",
        title="Find the trace that shows what is usual",
        description="Find the trace that stands for usual requests of an operation: of that of a given trace, or of a "
        "service (and operation) in a window of time, whose slowest request is found as well. Use it to get a "
        "baseline to compare with, or a trace to begin with where only a service's name is known.",
        question=FindTypicalTrace,
        answer=TypicalTrace,
        example=FindTypicalTrace(trace=EXAMPLE[1]),
    ),
    Call(
        name="compare_windows",
        path="/v1/windows",
        title="Compare the requests of two windows of time",
        description="Compare a service's requests in two windows of time instead of two single traces, and say which "
        "groups of spans changed, for all requests or for some, how unlikely that is by chance, and which versions, "
        "hosts or customers the slow ones share. Use it for `slow since 14:00` and for intermittent trouble, which two "
        "traces cannot show. The answer says how large a sample it rests on, and names typical and worst requests, "
        "which compare_traces can take apart.",
        question=CompareWindows,
        answer=WindowsComparison,
        example=CompareWindows(
            service="gateway",
            baseline=Window(since="2026-11-24T02:00:00Z", until="2026-11-24T02:30:00Z"),
            suspect=Window(since="2026-11-24T02:30:00Z", until="2026-11-24T03:00:00Z"),
        ),
    ),
)
