"""Repair: turn a decoded trace, as broken as backends deliver them, into one `SpanTree`.

Nothing is dropped silently and nothing raises: every mend is counted in a note. In order:

1. spans sent twice are joined; a client and a server sharing one id (Zipkin) are told apart;
2. parents are resolved; self-parents and cycles are cut; orphans are put where time and addresses say
   they belong; further roots become detached work of the main root;
3. ends before starts become zero durations;
4. clocks: a server span outside its client span proves that its process's clock is off; the whole
   process is shifted (durations kept) so that all its calls fit, as Jaeger's adjuster does:

       client     |-----------|                client     |-----------|
       server            |-------|     --->    server       |-------|

5. spans that outlive their caller are given to the ancestor that was still running, or detached.
"""

from __future__ import annotations

from bisect import bisect_right
from operator import attrgetter
from typing import TYPE_CHECKING

from msgspec.structs import replace

from analysis import semconv
from analysis.model import Resource, Span, SpanKind, Trace
from analysis.notes import Note, Severity
from analysis.tree import DETACHED, ROOT, SpanTree, group_children, topological

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.options import CompareOptions

_ORDER = attrgetter("start_ns", "end_ns", "name", "span_id", "parent_id", "kind", "resource.service", "error")

ORPHAN = -3  # a parent id that no span carries

MISSING_SERVICE = "(missing)"
MISSING_OPERATION = "(root span not received)"
ADOPTION_SCAN = 64  # callers looked at for one orphan; bounds the work on hopeless traces


def repair(trace: Trace, options: CompareOptions) -> SpanTree:
    """Build the span tree of a trace; its notes say what had to be mended."""
    notes = list(trace.notes)
    # One order, whatever the backend's: nothing after this line can depend on how the spans were sent.
    spans, index, twins = _unique(sorted(trace.spans, key=_ORDER), notes)
    parents = _resolve_parents(spans, index, twins)
    starts = [span.start_ns for span in spans]
    ends = [span.end_ns for span in spans]
    _mend_durations(starts, ends, notes)
    _cut_cycles(parents, starts, notes)
    roots = [i for i, parent in enumerate(parents) if parent == ROOT]
    orphans = [i for i, parent in enumerate(parents) if parent == ORPHAN]
    if not roots:
        root = _root_of_orphans(spans, parents, starts, ends, orphans, notes)
        orphans = [i for i in orphans if parents[i] == ORPHAN and i != root]
    else:
        root = _main_root(roots, spans, starts, ends)
    detached = _join_roots(root, roots, parents, notes)
    _adopt_orphans(root, orphans, spans, parents, starts, ends, notes)
    children = group_children(parents)
    order = topological([root], children)
    _align_clocks(spans, parents, starts, ends, order, options, notes)
    origin = starts[root]
    starts = [start - origin for start in starts]
    ends = [end - origin for end in ends]
    holders = _holders(spans, parents, starts, ends, order, detached, options)
    return SpanTree(
        trace_id=trace.trace_id,
        spans=spans,
        origin_ns=origin,
        starts=starts,
        ends=ends,
        parents=parents,
        children=children,
        holders=holders,
        held=group_children(holders),
        order=order,
        root=root,
        notes=tuple(notes),
    )


def _unique(sent: Sequence[Span], notes: list[Note]) -> tuple[list[Span], dict[str, int], dict[str, int]]:
    """Join repeated spans. `twins` maps an id shared by a client and a server to the server's index."""
    index: dict[str, int] = {}
    twins: dict[str, int] = {}
    spans: list[Span] = []
    duplicates = 0
    for span in sent:
        at = index.setdefault(span.span_id, len(spans))
        if at == len(spans):
            spans.append(span)
            continue
        other = spans[at]
        if span.kind == other.kind and span.name == other.name and span.service == other.service:
            duplicates += 1
            if span.end_ns - span.start_ns > other.end_ns - other.start_ns:
                spans[at] = span
        elif span.span_id in twins:
            duplicates += 1
        elif other.kind in semconv.SERVING and span.kind in semconv.CALLING:
            spans[at], server = span, other
            twins[span.span_id] = len(spans)
            spans.append(replace(server, parent_id=span.span_id))
        else:
            twins[span.span_id] = len(spans)
            spans.append(replace(span, parent_id=span.span_id))
    if duplicates:
        notes.append(
            Note(
                code="duplicate-spans",
                severity=Severity.INFO,
                count=duplicates,
                text="spans were sent more than once; each was counted once",
            )
        )
    if twins:
        notes.append(
            Note(
                code="shared-span-ids",
                severity=Severity.INFO,
                count=len(twins),
                text="client and server spans share one id (Zipkin style); they were told apart",
            )
        )
    return spans, index, twins


def _resolve_parents(spans: list[Span], index: dict[str, int], twins: dict[str, int]) -> list[int]:
    get = index.get
    parents = [get(span.parent_id, ORPHAN) if span.parent_id else ROOT for span in spans]
    for span_id, server in twins.items():
        # Work below a shared id belongs to the side that emitted it.
        client = index[span_id]
        for i, parent in enumerate(parents):
            if parent == client and i != server and spans[i].service == spans[server].service:
                parents[i] = server
        parents[server] = client
    return parents


def _mend_durations(starts: list[int], ends: list[int], notes: list[Note]) -> None:
    negative = 0
    for i, start in enumerate(starts):
        if ends[i] < start:
            ends[i] = start
            negative += 1
    if negative:
        notes.append(
            Note(
                code="negative-durations",
                severity=Severity.WARNING,
                count=negative,
                text="spans ended before they started; their duration was taken as zero",
            )
        )


def _cut_cycles(parents: list[int], starts: list[int], notes: list[Note]) -> None:
    """Cut every parent cycle (a span that is its own parent included) at its earliest span."""
    state = bytearray(len(parents))  # 0 unseen, 1 on the walk, 2 done
    cycles = 0
    for begin in range(len(parents)):
        if state[begin]:
            continue
        walk = []
        span = begin
        while span >= 0 and not state[span]:
            state[span] = 1
            walk.append(span)
            span = parents[span]
        if span >= 0 and state[span] == 1:
            cycle = walk[walk.index(span) :]
            parents[min(cycle, key=lambda i: (starts[i], i))] = ORPHAN
            cycles += 1
        for seen in walk:
            state[seen] = 2
    if cycles:
        notes.append(
            Note(
                code="parent-cycles",
                severity=Severity.WARNING,
                count=cycles,
                text="spans named each other as parents; the circle was cut at its earliest span",
            )
        )


def _main_root(roots: list[int], spans: list[Span], starts: list[int], ends: list[int]) -> int:
    """Pick the root whose span lasts longest: the request, not a stray ping or a consumer without context."""
    return min(roots, key=lambda i: (starts[i] - ends[i], starts[i], spans[i].service, spans[i].name))


def _root_of_orphans(
    spans: list[Span],
    parents: list[int],
    starts: list[int],
    ends: list[int],
    orphans: list[int],
    notes: list[Note],
) -> int:
    """Find a root for a trace whose root span is missing: the orphan that encloses the others, else a placeholder."""
    notes.append(
        Note(
            code="root-missing",
            severity=Severity.SERIOUS,
            count=1,
            text="the root span was not received; the response time is taken from the spans that were",
        )
    )
    low = min(starts[i] for i in orphans)
    high = max(ends[i] for i in orphans)
    longest = _main_root(orphans, spans, starts, ends)
    if (ends[longest] - starts[longest]) * 10 >= (high - low) * 9:
        parents[longest] = ROOT
        return longest
    placeholder = Span(
        span_id="0" * 16,
        parent_id="",
        name=MISSING_OPERATION,
        kind=SpanKind.SERVER,
        resource=Resource(service=MISSING_SERVICE, attributes={}),
        start_ns=low,
        end_ns=high,
        error=False,
        status_message="",
        attributes={},
    )
    spans.append(placeholder)
    starts.append(low)
    ends.append(high)
    parents.append(ROOT)
    root = len(spans) - 1
    for i in orphans:
        parents[i] = root
    return root


def _join_roots(root: int, roots: list[int], parents: list[int], notes: list[Note]) -> set[int]:
    """Hang further roots under the main one, as work that it did not wait for."""
    others = {i for i in roots if i != root}
    for i in others:
        parents[i] = root
    if others:
        notes.append(
            Note(
                code="several-roots",
                severity=Severity.WARNING,
                count=len(others) + 1,
                text="root spans in one trace; the longest was taken as the request",
            )
        )
    return others


def _adopt_orphans(
    root: int,
    orphans: list[int],
    spans: list[Span],
    parents: list[int],
    starts: list[int],
    ends: list[int],
    notes: list[Note],
) -> None:
    """Attach each orphan under the call it most likely served.

        gateway  POST to checkout   |------------------------|      no child was received
        cart     GET /cart             |---|                        orphan: enclosed, so adopted
        pricing  POST /price                 |-------|              orphan: enclosed, so adopted

    The caller is the shortest enclosing client span that names the orphan's service, else the shortest
    enclosing client span without a child of its own, else the root.
    """
    if not orphans:
        return
    with_child = set(parents)
    callers = sorted(
        (i for i, span in enumerate(spans) if span.kind in semconv.CALLING and parents[i] != ORPHAN),
        key=starts.__getitem__,
    )
    caller_starts = [starts[i] for i in callers]
    silent = [i for i in callers if i not in with_child]
    silent_starts = [starts[i] for i in silent]
    for orphan in orphans:
        service = spans[orphan].service.lower()
        named = (
            i
            for i in _enclosing(orphan, callers, caller_starts, starts, ends)
            if service and service in semconv.peer(spans[i]).lower()
        )
        unnamed = _enclosing(orphan, silent, silent_starts, starts, ends)
        candidates = [i for i in named if i not in with_child] or list(unnamed)
        parents[orphan] = min(candidates, key=lambda i: ends[i] - starts[i]) if candidates else root
    notes.append(
        Note(
            code="missing-parents",
            severity=Severity.WARNING,
            count=len(orphans),
            text="spans have parents that were not received; they were placed by time and address",
        )
    )
    _cut_adopted_cycles(root, orphans, parents)


def _enclosing(
    orphan: int, callers: list[int], caller_starts: list[int], starts: list[int], ends: list[int]
) -> list[int]:
    at = bisect_right(caller_starts, starts[orphan])
    near = callers[max(0, at - ADOPTION_SCAN) : at]
    return [i for i in near if ends[i] >= min(ends[orphan], starts[orphan] + 1) and i != orphan]


def _cut_adopted_cycles(root: int, orphans: list[int], parents: list[int]) -> None:
    """Send an orphan to the root instead when its adoption closed a circle."""
    adopted = set(orphans)
    state = bytearray(len(parents))  # 1 on the walk, 2 leads to the root
    state[root] = 2
    for orphan in orphans:
        walk = []
        span = orphan
        while not state[span]:
            state[span] = 1
            walk.append(span)
            span = parents[span]
        if state[span] == 1:  # every such circle goes through an orphan: there was none before
            parents[next(i for i in walk[walk.index(span) :] if i in adopted)] = root
        for seen in walk:
            state[seen] = 2


def _align_clocks(
    spans: list[Span],
    parents: list[int],
    starts: list[int],
    ends: list[int],
    order: list[int],
    options: CompareOptions,
    notes: list[Note],
) -> None:
    """Shift processes whose clock disagrees with their callers'.

    Each call from a process whose clock is settled bounds the callee's offset d:
    client.start <= server.start + d, and server.end + d <= client.end if the client saw it finish.
    The calls of one process must agree on one d; when 0 is not among the possible ones, the middle is.
    """
    processes: dict[int, tuple[str, str]] = {}

    def process(span: Span) -> tuple[str, str]:
        known = processes.get(id(span.resource))
        if known is None:
            known = processes[id(span.resource)] = (span.service, semconv.instance(span.resource))
        return known

    bounds: dict[tuple[str, str], dict[tuple[str, str], list[tuple[int, int | None]]]] = {}
    for i in order:
        served, parent = spans[i], parents[i]
        if parent < 0 or served.kind not in semconv.SERVING or served.resource is spans[parent].resource:
            continue
        client = spans[parent]
        callee, caller = process(served), process(client)
        if callee == caller:
            continue
        waits = (
            served.kind is SpanKind.SERVER and not client.error and ends[i] - starts[i] <= ends[parent] - starts[parent]
        )
        bounds.setdefault(callee, {}).setdefault(caller, []).append(
            (starts[parent] - starts[i], ends[parent] - ends[i] if waits else None)
        )
    offsets: dict[tuple[str, str], int] = {}
    for callee, callers in bounds.items():
        shift = _offset(callers, offsets, options.overhang_ns)
        if shift:
            offsets[callee] = shift
    if not offsets:
        return
    for i, span in enumerate(spans):
        shift = offsets.get(process(span), 0)
        if shift:
            starts[i] += shift
            ends[i] += shift
    for (service, where), offset in offsets.items():
        name = f"{service} ({where})" if where != service else service
        notes.append(
            Note(
                code="clock-skew",
                severity=Severity.INFO,
                count=1,
                text=f"the clock of {name} was off by about {abs(offset) / 1e6:.3g} ms; its spans were moved",
            )
        )


def _offset(
    callers: dict[tuple[str, str], list[tuple[int, int | None]]],
    offsets: dict[tuple[str, str], int],
    slack_ns: int,
) -> int:
    """Return the shift (ns) that makes a process's calls fit their callers; 0 when they already do."""
    low: int | None = None
    high: int | None = None
    for caller, edges in callers.items():
        settled = offsets.get(caller, 0)
        for least, most in edges:
            low = least + settled if low is None else max(low, least + settled)
            if most is not None:
                high = most + settled if high is None else min(high, most + settled)
    if low is None:
        return 0
    if low <= slack_ns and (high is None or high >= -slack_ns):
        return 0
    if high is None:
        return low
    if low > high:  # the calls contradict each other: satisfy the stronger proof, no server precedes its client
        return low if low > slack_ns else 0
    return (low + high) // 2


def _holders(
    spans: list[Span],
    parents: list[int],
    starts: list[int],
    ends: list[int],
    order: list[int],
    detached: set[int],
    options: CompareOptions,
) -> list[int]:
    """Say for every span in whose time it runs (see `SpanTree`)."""
    holders = list(parents)
    slack = options.overhang_ns
    consumer, producer, client, server = (
        SpanKind.CONSUMER,
        SpanKind.PRODUCER,
        SpanKind.CLIENT,
        SpanKind.SERVER,
    )
    for i in order:
        parent = parents[i]
        if parent < 0:
            continue
        span = spans[i]
        if i in detached or span.follows_from:
            holders[i] = DETACHED
            continue
        kind = span.kind
        end = ends[i]
        if end <= ends[parent] + slack and kind is not consumer:
            continue
        caller = spans[parent].kind
        if kind is consumer and (caller is producer or caller is client or end > ends[parent] + slack):
            holders[i] = DETACHED
        elif kind is server and caller is client:
            # The client gave up first: it waited for the part that lies inside its own time.
            if starts[i] >= ends[parent]:
                holders[i] = DETACHED
        elif kind is not consumer:
            holder = parent
            while holder >= 0 and end > ends[holder] + slack:
                holder = holders[holder]
            holders[i] = holder if holder >= 0 else DETACHED
    return holders
