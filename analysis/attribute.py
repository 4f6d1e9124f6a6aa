"""Attribution: where the difference of the response time went, exactly.

Every pair of groups contributes `exposed(suspect) - exposed(baseline)`. Exposed times partition the
response time on both sides, so the contributions sum to the difference, to the nanosecond.

Each contribution is split into named parts that sum to it:

    new_calls / removed_calls    the group exists on one side only
    more_calls                   calls that the other side did not make, at the cost of one call
    own_work                     the calls themselves take longer (no children to wait for)
    network                      a call whose server's spans are there: time outside the server
    gap_before_children          own time before the first child, between children, after the last
    gap_between_children
    gap_after_children
    lost_parallelism             the same work, but siblings no longer run beside each other:

        A   |--a--|                    B   |--a--|
            |--b--|                              |--b--|
            |--c--|                                    |--c--|

    path_switched                the same work, exposed because something else no longer hides it
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from analysis.align import Pair
from analysis.model import SpanKind

if TYPE_CHECKING:
    from analysis.align import Alignment
    from analysis.options import CompareOptions
    from analysis.profile import CallGroup


class Sums(Struct, frozen=True, gc=False):
    """The sums of one side of a pair (ns)."""

    calls: int
    errors: int
    total_ns: int
    self_ns: int
    exposed_ns: int
    before_ns: int
    after_ns: int

    @property
    def between_ns(self) -> int:
        """Exposed own time between children."""
        return self.exposed_ns - self.before_ns - self.after_ns


NOTHING = Sums(0, 0, 0, 0, 0, 0, 0)


class Share(Struct, frozen=True, kw_only=True):
    """One pair's exact contribution: the sums of both sides, the difference, and its named parts."""

    pair: Pair
    baseline: Sums
    suspect: Sums
    delta_ns: int
    parts: dict[str, int]


class Attribution(Struct, frozen=True, kw_only=True):
    """All contributions; `delta_ns` is their sum and the difference of the response times."""

    shares: list[Share]
    by_pair: dict[int, Share]  # the same, by id(pair)
    delta_ns: int
    overlap: dict[int, tuple[float, float]]  # id(pair) -> concurrency of its children in A and B


def attribute(alignment: Alignment, options: CompareOptions) -> Attribution:
    """Split the difference of the response times over the pairs of an alignment."""
    overlap = {
        id(pair): (concurrency(pair.baseline), concurrency(pair.suspect))
        for pair in alignment.pairs
        if pair.baseline and pair.suspect
    }
    shares = []
    for pair in alignment.pairs:
        a, b = sums(pair.baseline), sums(pair.suspect)
        delta = b.exposed_ns - a.exposed_ns
        parts = _parts(pair, a, b, delta, overlap, options)
        shares.append(Share(pair=pair, baseline=a, suspect=b, delta_ns=delta, parts=parts))
    by_pair = {id(share.pair): share for share in shares}
    return Attribution(
        shares=shares, by_pair=by_pair, delta_ns=sum(share.delta_ns for share in shares), overlap=overlap
    )


def sums(groups: list[CallGroup]) -> Sums:
    """Add up the groups of one side of a pair."""
    if not groups:
        return NOTHING
    if len(groups) == 1:
        g = groups[0]
        return Sums(g.calls, g.errors, g.total_ns, g.self_ns, g.exposed_ns, g.before_ns, g.after_ns)
    return Sums(
        sum(g.calls for g in groups),
        sum(g.errors for g in groups),
        sum(g.total_ns for g in groups),
        sum(g.self_ns for g in groups),
        sum(g.exposed_ns for g in groups),
        sum(g.before_ns for g in groups),
        sum(g.after_ns for g in groups),
    )


def concurrency(groups: list[CallGroup]) -> float:
    """Return how many held children ran at once, on average over the time when any ran (1.0: never two)."""
    covered = sum(group.total_ns - group.self_ns for group in groups)
    return sum(group.held_ns for group in groups) / covered if covered > 0 else 1.0


def _parts(
    pair: Pair, a: Sums, b: Sums, delta: int, overlap: dict[int, tuple[float, float]], options: CompareOptions
) -> dict[str, int]:
    if not delta:
        return {}
    if not pair.baseline:
        return {"new_calls": delta}
    if not pair.suspect:
        return {"removed_calls": delta}
    own = _within(b.self_ns - a.self_ns, delta)
    counted = _within(_further_calls(a, b), own)
    scheduling = delta - own
    serialised = scheduling > 0 and _serialised(pair, overlap, options)
    parts = {
        "lost_parallelism" if serialised else "path_switched": scheduling,
        "more_calls": counted,
        **_places(pair, a, b, own - counted),
    }
    return {name: part for name, part in parts.items() if part}


def _within(part: int, whole: int) -> int:
    """Return as much of `part` as explains `whole`: what goes the other way explains nothing, more than all is all."""
    return min(max(part, 0), whole) if whole > 0 else max(min(part, 0), whole)


def _serialised(pair: Pair, overlap: dict[int, tuple[float, float]], options: CompareOptions) -> bool:
    """Tell whether an ancestor's children lost their concurrency."""
    above = pair.parent
    while above is not None:
        if id(above) in overlap:
            before, now = overlap[id(above)]
            if now <= before * options.overlap_drop:
                return True
        above = above.parent
    return False


def _further_calls(a: Sums, b: Sums) -> int:
    """Return what the further calls of the suspect cost, each at the baseline's (or only known) cost."""
    known = a if a.self_ns else b
    return (b.calls - a.calls) * (known.self_ns // known.calls)


def _places(pair: Pair, a: Sums, b: Sums, slower: int) -> dict[str, int]:
    """Split `slower` over the places where own time lies, in proportion to how each place grew."""
    if is_edge(pair):
        return {"network": slower}
    if not pair.children or not (a.before_ns or a.after_ns or b.before_ns or b.after_ns):
        return {"own_work": slower}
    way = 1 if slower > 0 else -1
    grown = {
        "gap_before_children": way * (b.before_ns - a.before_ns),
        "gap_between_children": way * (b.between_ns - a.between_ns),
        "gap_after_children": way * (b.after_ns - a.after_ns),
    }
    same_way = {name: by for name, by in grown.items() if by > 0}
    rest, weight = abs(slower), sum(same_way.values())
    places = {}
    for name, by in same_way.items():  # the last one has the whole rest, so nothing is lost to rounding
        piece = rest * by // weight
        places[name] = way * piece
        rest -= piece
        weight -= by
    return places


def is_edge(pair: Pair) -> bool:
    """Tell whether the pair is a call whose server's spans are below it, on both sides."""
    if pair.key.kind is not SpanKind.CLIENT or not pair.baseline or not pair.suspect:
        return False
    return any(child.key.kind is SpanKind.SERVER and child.baseline and child.suspect for child in pair.children)
