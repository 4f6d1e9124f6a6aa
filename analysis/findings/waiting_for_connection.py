"""waiting-for-connection: an operation waits, without a span, for something that another call of its process holds.

    x    |=========SELECT========|                      holds the only free connection
    y    |.......................|===SELECT===|         its call starts the moment the other ends
         own time, nothing to see ^ handed over

A pool that is too small (or held too long) shows as time before a call that begins within a moment of the end of
another call of the same process to the same place. Where a library states how long it waited (`wait_time_ms`), that
counts as well; where it has a span for it (`pool.acquire`, `getConnection`), that is all it does, and wherever it is
called from, it waits for one thing.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from typing import TYPE_CHECKING

from msgspec.structs import replace

from analysis import semconv
from analysis.comparison import CauseKind
from analysis.findings import slow_operation
from analysis.findings.connection_phases import phase_of
from analysis.findings.differences import waits
from analysis.format import duration

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analysis.attribute import Share
    from analysis.findings.base import Candidate, Context
    from analysis.model import Span
    from analysis.operation_key import OperationKey
    from analysis.profile import Profile

CODE = "waiting-for-connection"
TITLE = "Waiting for a connection"

ACQUIRES = "by its name it waits until it is given a connection or a lock"


def find(context: Context) -> Iterable[Candidate]:
    """Yield slower operations whose growth is mostly waiting for what others held."""
    if context.mirrored:
        return
    calls: Calls | None = None
    acquiring: dict[tuple[str, str, str], list[Candidate]] = defaultdict(list)
    for share in context.attribution.shares:
        growth = slow_operation.grew(share, context)
        if not growth:
            continue
        if _acquires(share.pair.key):
            made = _because(share, growth, ACQUIRES, context)
            acquiring[made.service, made.operation, made.affects].append(made)
            continue
        calls = calls or Calls(context.suspect)
        reason = _stated(share, growth, context) or _handed_over(share, growth, calls, context)
        if reason:
            yield _because(share, growth, reason, context)
    for places in acquiring.values():
        yield _together(places, context)


def _because(share: Share, growth: int, reason: str, context: Context) -> Candidate:
    made = slow_operation.because(share, growth, context, CODE, TITLE, reason, [reason])
    return replace(made, kind=CauseKind.WAIT_GAP)


def _acquires(key: OperationKey) -> bool:
    """Tell whether all that a span does, by its name, is to wait until its process may have something."""
    own = key.category in ("", "db") and key.kind not in semconv.SERVING
    return own and phase_of(key.name) == "acquire"


def _together(places: list[Candidate], context: Context) -> Candidate:
    """Return one candidate for what waits in one or several places, named by the longest wait."""
    if len(places) == 1:
        return places[0]
    places = sorted(places, key=lambda made: (-_weight(made), _caller(made), made.suspect_spans))
    first = places[0]
    most = context.options.max_span_ids
    return replace(
        first,
        claims={pair: ns for made in places for pair, ns in made.claims.items()},
        off_path_ns=sum(made.off_path_ns for made in places),
        summary=f"{first.summary}; so it does in {len(places)} places",
        evidence=[ACQUIRES, *(f"under {_caller(made)}: {duration(_weight(made))} more" for made in places)],
        baseline_spans=[span for made in places for span in made.baseline_spans][:most],
        suspect_spans=[span for made in places for span in made.suspect_spans][:most],
    )


def _weight(made: Candidate) -> int:
    return made.claimed_ns or made.off_path_ns


def _caller(made: Candidate) -> str:
    above = made.pair.parent
    return above.key.name if above is not None else "nothing"


def _stated(share: Share, growth: int, context: Context) -> str:
    before, after = waits(share.pair, context)
    name = max(after, key=lambda key: (after[key] - before.get(key, 0), key), default="")
    if not name or after[name] - before.get(name, 0) < context.options.waiting_share * growth:
        return ""
    return f"{name} is {duration(after[name])} instead of {duration(before.get(name, 0))}"


class Calls:
    """When the calls of each process ended."""

    def __init__(self, side: Profile) -> None:
        self._tree = tree = side.tree
        self._of: dict[int, list[int]] = defaultdict(list)
        for i, span in enumerate(tree.spans):
            if span.kind in semconv.CALLING:
                self._of[id(span.resource)].append(i)
        for calls in self._of.values():
            calls.sort(key=tree.ends.__getitem__)

    def freed(self, call: int, within_ns: int) -> bool:
        """Tell whether another call of the process to the same place ended just before this one started."""
        tree = self._tree
        this, start = tree.spans[call], tree.starts[call]
        calls = self._of[id(this.resource)]
        place = _place(this)
        low = bisect_left(calls, start - within_ns, key=tree.ends.__getitem__)
        high = bisect_right(calls, start, lo=low, key=tree.ends.__getitem__)
        return any(_place(tree.spans[other]) == place for other in calls[low:high])


def _place(span: Span) -> str:
    attributes = span.attributes
    return semconv.peer_in(attributes) or semconv.first(attributes, semconv.DB_SYSTEM)


def _handed_over(share: Share, growth: int, calls: Calls, context: Context) -> str:
    """Say how long spans waited before calls that started as another span's call ended; "" when they did not."""
    tree = context.suspect.tree
    waited = 0
    to = ""
    for group in share.pair.suspect:
        for i in group.spans:
            free = tree.starts[i]
            for child in tree.held[i]:
                gap = tree.starts[child] - free
                # Its own previous call ended when the gap began; only what ends after that is somebody else's.
                within = min(context.options.handover_ns, gap - 1)
                called = gap > context.options.handover_ns and tree.spans[child].kind in semconv.CALLING
                if called and calls.freed(child, within):
                    waited += gap
                    to = semconv.peer(tree.spans[child]) or to
                free = max(free, tree.ends[child])
    if waited < context.options.waiting_share * growth:
        return ""
    return f"{duration(waited)} of waiting ends when another call{f' to {to}' if to else ''} does"
