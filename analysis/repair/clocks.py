"""Clocks: a server span outside its client span proves that its process's clock is off.

The whole process is shifted (durations kept) so that all its calls fit, as Jaeger's adjuster does:

    client     |-----------|                client     |-----------|
    server            |-------|     --->    server       |-------|

Each call from a process whose clock is settled bounds the callee's offset d:
client.start <= server.start + d, and server.end + d <= client.end if the client saw it finish.
The calls of one process must agree on one d; when 0 is not among the possible ones, the middle is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from analysis import semconv
from analysis.format import duration
from analysis.model import SpanKind
from analysis.notes import Severity
from analysis.tree import by_level

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.model import Resource
    from analysis.options import CompareOptions
    from analysis.repair.draft import Draft


class _Window(Struct, gc=False):
    """The offsets (ns) of one process that all its calls from another allow."""

    low: int
    high: int | None = None  # None: no call says


class _Processes:
    """Numbers processes: resources that name the same service and instance are one."""

    def __init__(self) -> None:
        self.names: list[tuple[str, str]] = []
        self._by_name: dict[tuple[str, str], int] = {}
        self._by_resource: dict[int, int] = {}

    def number(self, resource: Resource) -> int:
        known = self._by_resource.get(id(resource))
        if known is None:
            name = (resource.service, semconv.instance(resource))
            known = self._by_name.setdefault(name, len(self.names))
            if known == len(self.names):
                self.names.append(name)
            self._by_resource[id(resource)] = known
        return known


def align_clocks(draft: Draft, order: list[int], children: list[Sequence[int]], options: CompareOptions) -> None:
    """Shift processes whose clock disagrees with their callers'. `order`: all spans, in whichever order is quickest."""
    processes = _Processes()
    offsets: dict[int, int] = {}
    windows = _windows(draft, order, processes)
    if not any(_offset(callers, offsets, options.overhang_ns) for callers in windows.values()):
        return
    # Some clock is off: now the callers must be settled before their callees.
    nearest_first = by_level(order[:1], children)
    for callee, callers in _windows(draft, nearest_first, processes).items():
        shift = _offset(callers, offsets, options.overhang_ns)
        if shift:
            offsets[callee] = shift
    for i, span in enumerate(draft.spans):
        shift = offsets.get(processes.number(span.resource), 0)
        if shift:
            draft.starts[i] += shift
            draft.ends[i] += shift
    for number, offset in offsets.items():
        service, where = processes.names[number]
        name = f"{service} ({where})" if where != service else service
        draft.note(
            "clock-skew",
            Severity.INFO,
            1,
            f"the clock of {name} was off by about {duration(abs(offset))}; its spans were moved",
        )


def _windows(draft: Draft, order: list[int], processes: _Processes) -> dict[int, dict[int, _Window]]:
    """Collect what the calls say, by callee and caller; callees in the order in which they appear."""
    spans, parents, starts, ends = draft.spans, draft.parents, draft.starts, draft.ends
    server, consumer = SpanKind.SERVER, SpanKind.CONSUMER
    number = processes.number
    windows: dict[int, dict[int, _Window]] = {}
    for i in order:
        served = spans[i]
        kind = served.kind
        if kind is not server and kind is not consumer:
            continue
        parent = parents[i]
        if parent < 0:
            continue
        client = spans[parent]
        if served.resource is client.resource:
            continue
        callee, caller = number(served.resource), number(client.resource)
        if callee == caller:
            continue
        start, end, sent, received = starts[i], ends[i], starts[parent], ends[parent]
        callers = windows.setdefault(callee, {})
        window = callers.get(caller)
        if window is None:
            window = callers[caller] = _Window(sent - start)
        elif sent - start > window.low:
            window.low = sent - start
        # The client saw it finish: an answer that it waited for, and that fits into its own time.
        if kind is server and not client.error and end - start <= received - sent:
            high = received - end
            if window.high is None or high < window.high:
                window.high = high
    return windows


def _offset(callers: dict[int, _Window], offsets: dict[int, int], slack_ns: int) -> int:
    """Return the shift (ns) that makes a process's calls fit their callers; 0 when they already do."""
    settled = [(window, offsets.get(caller, 0)) for caller, window in callers.items()]
    low = max(window.low + offset for window, offset in settled)
    high = min((window.high + offset for window, offset in settled if window.high is not None), default=None)
    if low <= slack_ns and (high is None or high >= -slack_ns):
        return 0
    if high is None:
        return low
    if low > high:  # the calls contradict each other: satisfy the stronger proof, no server precedes its client
        return low if low > slack_ns else 0
    return (low + high) // 2
