"""Separators: values of attributes that go with the slow requests of both windows, and not with the others.

    request    1  2  3  4  5  6  7  8  9  10
    slow             x     x        x               above the limit that tells the windows apart
    zone = b         x     x     x  x               3 of 3 slow, 1 of 7 others: separates
    host = n1  x  x        x  x        x  x         says nothing

Every value is a table of two by two, asked by Fisher's exact test (one-sided: more frequent among the slow) and
adjusted for the number of values asked. They are ranked by mutual information (Shannon, "A Mathematical Theory of
Communication", Bell System Technical Journal 27, 1948): how much the value says about a request being slow, as a
share of all there is to say. A value that is in all slow requests and in all others says nothing, nor does one that
is in a single slow request and in no other.

Values that the very same requests have (a pod and its only node) cannot be told apart: the widest is named, with
the others beside it.
"""

from __future__ import annotations

from collections import Counter
from math import log2
from typing import TYPE_CHECKING

from msgspec import Struct

from analysis import semconv
from analysis.fleet.many import adjusted
from analysis.fleet.result import Separator
from analysis.fleet.tables import at_least
from analysis.model import SpanKind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analysis.fleet.window import PathName, Values
    from analysis.fleet.words import Labels
    from analysis.options import CompareOptions

ALSO = 4  # values of the same requests that are named beside one

_WIDEST = (*semconv.VERSION, *semconv.ZONE, *semconv.HOST, *semconv.POD)


class _Value(Struct, frozen=True):
    service: str
    name: str
    text: str
    traces: int  # a bit for each request that has it

    @property
    def order(self) -> tuple[object, ...]:
        """Put first what says where to look: versions, then places from wide to narrow, then the rest by name."""
        flag = self.name.startswith("feature_flag")
        known = _WIDEST.index(self.name) if self.name in _WIDEST else len(_WIDEST)
        return (-1 if flag else known, self.name, self.service, self.text)


def separators(
    slow: list[bool],
    values: list[Values],
    paths: Iterable[str],
    labels: Labels,
    options: CompareOptions,
) -> tuple[tuple[Separator, ...], int]:
    """Return the values that tell slow requests from others, most telling first, and how many were asked about.

    `slow` and `values` are of the same requests, in the same order; `paths`: the call paths whose values count.
    """
    total, number = len(slow), sum(slow)
    redactor = labels.redactor
    if not 0 < number < total:
        return (), 0
    mask = _mask(i for i, is_slow in enumerate(slow) if is_slow)
    by_requests: dict[int, list[_Value]] = {}
    for value in _collected(values, paths, labels.names, total, options):
        by_requests.setdefault(value.traces, []).append(value)
    asked = sorted(by_requests.items(), key=lambda item: min(value.order for value in item[1]))
    tables = [((traces & mask).bit_count(), traces.bit_count()) for traces, _ in asked]
    chances = adjusted([at_least(k, r, number, total) for k, r in tables])
    found = []
    for (_, equal), (k, r), p in zip(asked, tables, chances, strict=True):
        shares = k / number, (r - k) / (total - number)
        if p > options.fleet_chance or shares[0] - shares[1] < options.fleet_separates:
            continue
        first, *rest = sorted(equal, key=lambda value: value.order)
        found.append(
            Separator(
                service=redactor.text(first.service),
                attribute=redactor.text(first.name),
                value=redactor.value(first.name, first.text),
                slow_share=round(shares[0], 4),
                other_share=round(shares[1], 4),
                slow_traces=k,
                other_traces=r - k,
                information=round(_information(k, r, number, total), 4),
                p=p,
                also=tuple(
                    f"{redactor.text(v.name)} = {redactor.value(v.name, v.text)} of {redactor.text(v.service)}"
                    for v in rest[:ALSO]
                ),
            )
        )
    found.sort(key=lambda s: -s.information)
    return tuple(found[: options.fleet_separators]), len(asked)


def scopes(path: str, names: dict[str, PathName]) -> list[str]:
    """List the call paths whose attributes may explain a group: its own, the root's, and the server's that it calls."""
    root = path
    while root in names and names[root].parent:
        root = names[root].parent
    calls = names[path].kind in semconv.CALLING if path in names else False
    servers = [p for p, name in names.items() if calls and name.parent == path and name.kind is SpanKind.SERVER]
    return list(dict.fromkeys((path, root, *sorted(servers))))


def _collected(
    values: list[Values], paths: Iterable[str], names: dict[str, PathName], total: int, options: CompareOptions
) -> list[_Value]:
    """Gather which requests have which value, without those that all or hardly any have."""
    having: dict[tuple[str, str, str], set[int]] = {}
    for path in paths:
        service = names[path].service if path in names else ""
        for i, of_request in enumerate(values):
            for name, text in of_request.get(path, ()):
                having.setdefault((service, name, text), set()).add(i)
    sizes = Counter({value: len(traces) for value, traces in having.items()})
    most = sorted(sizes.items(), key=lambda item: (-item[1], item[0]))
    told = [value for value, n in most if options.fleet_tail_traces <= n < total][: options.fleet_values]
    return [_Value(*value, _mask(having[value])) for value in told]


def _mask(indices: Iterable[int]) -> int:
    return sum(1 << i for i in indices)


def _information(k: int, r: int, number: int, total: int) -> float:
    """Return the mutual information of a value and being slow, as a share of the entropy of being slow."""
    whole = _entropy(number, total)
    known = whole - (r * _entropy(k, r) + (total - r) * _entropy(number - k, total - r)) / total
    return max(0.0, known / whole)


def _entropy(k: int, n: int) -> float:
    return -sum(share * log2(share) for share in (k / n, 1 - k / n) if share) if n else 0.0
