"""What the recorded traces answer when they are counted, as Tempo does over a whole range: `/api/metrics/query`.

    { ... } | count_over_time()                      how many spans
    { ... } | histogram_over_time(duration)          how many by duration, in buckets of powers of two
    { ... } | compare({ duration > 512ms }, 10)      the most frequent values among the picked spans, and the others

As Tempo does, it leaves out a number that is 0, and `series` where there are none.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from bot.playground.trace_search import QueryError, Test, conditions, meets

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analysis.model import Span

Labels = tuple[tuple[str, "str | float"], ...]

_QUERY = re.compile(r"(\{.*?\})\s*\|\s*(\w+)\((.*)\)\s*", re.DOTALL)
_COMPARE = re.compile(r"\s*(\{.*\})\s*(?:,\s*(\d+)\s*)?", re.DOTALL)
MOST = 10  # values of an attribute, where the query does not say
ABSENT = "nil"


def filters(query: str) -> list[Test]:
    """Return the conditions of the spans that a metrics query counts; raises `QueryError`."""
    return conditions(_parts(query)[0])


def metrics_answer(query: str, spans: Iterable[Span]) -> dict[str, object]:
    """Count spans as a query says; raises `QueryError` for what is not understood here."""
    _, metric, inner = _parts(query)
    counted: dict[Labels, int]
    if metric == "count_over_time" and not inner.strip():
        counted = {(("__name__", metric),): sum(1 for _ in spans)}
    elif metric == "histogram_over_time" and inner.strip() == "duration":
        counted = Counter((("__bucket", _bucket(span)),) for span in spans)
    elif metric == "compare" and (match := _COMPARE.fullmatch(inner)):
        counted = _compared(conditions(match[1]), int(match[2] or MOST), spans)
    else:
        raise QueryError(f"parse error: not known here: {metric}({inner})")
    series = [
        {"labels": [{"key": name, "value": _value(its)} for name, its in labels]} | ({"value": count} if count else {})
        for labels, count in counted.items()
        if count or metric == "count_over_time"
    ]
    return {"series": series, "metrics": {}} if series else {"metrics": {}}


def _parts(query: str) -> tuple[str, str, str]:
    match = _QUERY.fullmatch(query.strip())
    if match is None:
        raise QueryError("parse error at line 1, col 1: syntax error: no metric")
    return match[1], match[2], match[3]


def _bucket(span: Span) -> float:
    """Return the upper bound (s) of a span's bucket."""
    return float(1 << max(0, span.end_ns - span.start_ns - 1).bit_length()) / 10**9


def _value(its: str | float) -> dict[str, str | float]:
    return {"stringValue": its} if isinstance(its, str) else {"doubleValue": its}


def _compared(tests: list[Test], most: int, spans: Iterable[Span]) -> dict[Labels, int]:
    sides: dict[str, list[dict[str, str]]] = {"baseline": [], "selection": []}
    for span in spans:
        sides["selection" if meets(span, tests) else "baseline"].append(_attributes(span))
    names = {name for side in sides.values() for its in side for name in its}
    counted: dict[Labels, int] = {}
    for kind, side in sides.items():
        values: dict[str, Counter[str]] = defaultdict(Counter)
        for its in side:
            for name in names:
                values[name][its.get(name, ABSENT)] += 1
        for name in sorted(values):
            for value, count in values[name].most_common(most):
                counted[("__meta_type", kind), (name, value)] = count
            counted[("__meta_type", f"{kind}_total"), (name, ABSENT)] = len(side)
    return counted


def _attributes(span: Span) -> dict[str, str]:
    """Return what is compared of a span, each with its scope."""
    scoped = {"name": span.name, "status": "error" if span.error else "unset"}
    for scope, attributes in (("resource", span.resource.attributes), ("span", span.attributes)):
        for name, value in attributes.items():
            if isinstance(value, (str, bool, int, float)):
                scoped[f"{scope}.{name}"] = value if isinstance(value, str) else str(value).lower()
    return scoped
