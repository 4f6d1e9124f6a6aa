"""lost-parallelism: calls that run one after another."""

from __future__ import annotations

from requests_drawn import found

from analysis import compare
from analysis.comparison import CauseKind
from analysis.model import SpanKind


def test_lost_parallelism_is_charged_to_the_caller(trace) -> None:
    """Calls as quick as before that now run one after another are their caller's doing."""
    sides = []
    for step in (0, 30):
        t = trace()
        root = t.span("GET /home", 0, 40 + 5 * step, kind=SpanKind.SERVER)
        for i in range(6):
            t.span(f"load {'abcdef'[i]}", 2 + i * step, 32 + i * step, root)
        sides.append(t.build())
    result = compare(*sides)
    assert [c.kind for c in result.causes] == [CauseKind.SERIALISED]
    assert result.causes[0].operation == "GET /home"
    assert "operation-slower" not in found(result)


def test_one_slow_call_among_parallel_ones_is_not_lost_parallelism(trace) -> None:
    """When one of several parallel calls becomes slow, it is named, not their order."""
    sides = []
    for slow in (30, 200):
        t = trace()
        root = t.span("GET /home", 0, slow + 10, kind=SpanKind.SERVER)
        for i in range(6):
            t.span(f"load {'abcdef'[i]}", 2, 2 + (slow if i == 3 else 30), root)
        sides.append(t.build())
    result = compare(*sides)
    assert [c.operation for c in result.causes] == ["load d"]
    assert "lost-parallelism" not in found(result)
