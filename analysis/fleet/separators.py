"""Separators: values of attributes that go with the slow requests of both windows, and not with the others.

    request    1  2  3  4  5  6  7  8  9  10
    slow             x     x        x               above the limit that tells the windows apart
    zone = b         x     x     x  x               3 of 3 slow, 1 of 7 others: separates
    host = n1  x  x        x  x        x  x         says nothing

Every value is a table of two by two, asked by Fisher's exact test (one-sided: more frequent among the slow) and
adjusted for the number of values asked. They are ranked by mutual information (Shannon, "A Mathematical Theory of
Communication", Bell System Technical Journal 27, 1948): how much the value says about a request being slow, as a
share of all there is to say; times how much of the change between the windows is left when only the slow requests
with that value are looked at. A value that all requests have says nothing; a host that was as slow before explains
slow requests, but no change.

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
    from analysis.redact import Redactor

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


class Requests(Struct, frozen=True):
    """The requests of both windows as masks, a bit for each: which are slow, which are the suspect's."""

    total: int
    slow: int
    suspect: int

    @classmethod
    def of(cls, slow: tuple[list[bool], list[bool]]) -> Requests:
        """Number the requests of A, then those of B; `slow`: which of them are."""
        both = [*slow[0], *slow[1]]
        marked = _mask(i for i, is_slow in enumerate(both) if is_slow)
        return cls(len(both), marked, _mask(range(len(slow[0]), len(both))))

    def telling(self, traces: int) -> float:
        """Say how much having a value says of being slow, as a share (0 to 1) of what there is to say."""
        return _information(traces, self.slow, self.total) / _entropy(self.slow.bit_count(), self.total)

    def carried(self, traces: int) -> float:
        """Say how much of the change is left when only the slow requests with a value are looked at (0 to 1)."""
        whole = _information(self.slow, self.suspect, self.total)
        return min(1.0, _information(traces & self.slow, self.suspect, self.total) / whole) if whole else 0.0


def separators(
    requests: Requests, values: list[Values], paths: Iterable[str], labels: Labels, options: CompareOptions
) -> tuple[tuple[Separator, ...], int]:
    """Return the values that tell slow requests from others, most telling first, and how many were asked about.

    `values`: of the same requests, in the same order; `paths`: the call paths whose values count. Where all requests
    are slow, or none is, nothing can be asked.
    """
    total, number = requests.total, requests.slow.bit_count()
    if not 0 < number < total:
        return (), 0
    by_requests: dict[int, list[_Value]] = {}
    for value in _collected(values, paths, labels.names, total, options):
        by_requests.setdefault(value.traces, []).append(value)
    asked = sorted(by_requests, key=lambda traces: min(value.order for value in by_requests[traces]))
    tables = [((traces & requests.slow).bit_count(), traces.bit_count()) for traces in asked]
    chances = adjusted([at_least(k, r, number, total) for k, r in tables])
    found = []
    for traces, (k, r), p in zip(asked, tables, chances, strict=True):
        apart = k / number - (r - k) / (total - number) >= options.fleet_separates
        if apart and p <= options.fleet_chance and (carried := requests.carried(traces)) >= options.fleet_carried:
            one = _separator(by_requests[traces], (k, r), requests, p, labels.redactor)
            found.append((-carried * one.information, one))
    found.sort(key=lambda item: item[0])
    return tuple(one for _, one in found[: options.fleet_separators]), len(asked)


def _separator(
    equal: list[_Value], table: tuple[int, int], requests: Requests, p: float, redactor: Redactor
) -> Separator:
    """Describe the widest of the values that the same requests have; `table`: slow ones with it, all with it."""
    first, *rest = sorted(equal, key=lambda value: value.order)
    (k, r), number = table, requests.slow.bit_count()

    def said(value: _Value) -> tuple[str, str, str]:
        return redactor.text(value.service), redactor.text(value.name), redactor.value(value.name, value.text)

    service, name, text = said(first)
    return Separator(
        service=service,
        attribute=name,
        value=text,
        slow_share=round(k / number, 4),
        other_share=round((r - k) / (requests.total - number), 4),
        slow_traces=k,
        other_traces=r - k,
        information=round(requests.telling(first.traces), 4),
        p=p,
        by_window=False,
        also=tuple("{1} = {2} of {0}".format(*said(value)) for value in rest[:ALSO]),
    )


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


def _information(one: int, other: int, total: int) -> float:
    """Return the mutual information (bits) of two masks: what either says of the other."""
    r, number, k = one.bit_count(), other.bit_count(), (one & other).bit_count()
    known = (r * _entropy(k, r) + (total - r) * _entropy(number - k, total - r)) / total
    return max(0.0, _entropy(number, total) - known)


def _entropy(k: int, n: int) -> float:
    return -sum(share * log2(share) for share in (k / n, 1 - k / n) if share) if n else 0.0
