"""process-pause: several spans of one process stretch over the same instant, and nothing below them is to blame.

    A   x |---|                             B   x |---.........---|
           y |----|                                y |-.........----|
              z |---|                                 z .........|---|   even its request waits to be accepted
                                                       ^ nobody runs: collection, snapshot, throttling

A process that stands still leaves a hole in all it was doing at that moment: in the own time of its spans, and between
a caller's span and its own. Two calls to the same place that are slow together accuse that place instead, and a span
of the same process that starts or ends meanwhile shows that it ran then.
"""

from __future__ import annotations

from heapq import nlargest
from itertools import pairwise
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from analysis import semconv
from analysis.align import Pair
from analysis.edges import Edge
from analysis.findings.slow_process import Suspicion, accusation, suspicions
from analysis.format import count, duration

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analysis.attribute import Share
    from analysis.findings.base import Candidate, Context

MOST = 200  # holes of one service looked at, the largest: each is held against each

CODE = "process-pause"
TITLE = "Process stood still"


class Hole(Struct, frozen=True):
    """A stretch of the suspect (ns of its clock) in which something of a process did not move."""

    start_ns: int
    end_ns: int
    growth_ns: int
    span: int
    place: str  # what it called, "" for its own work
    own: tuple[int, Pair] | None = None
    edge: Edge | None = None


def find(context: Context) -> Iterable[Candidate]:
    """Yield processes that stood still once."""
    if context.mirrored:
        return
    suspected = suspicions(context)
    shares: dict[str, list[Share]] = {service: [] for service, s in suspected.items() if s.own or s.edges}
    for share in context.attribution.shares:
        if share.pair.key.service in shares and share.pair.baseline and share.pair.suspect:
            shares[share.pair.key.service].append(share)
    for service, its in shares.items():
        suspicion = suspected[service]
        holes = _together(_holes(service, suspicion, its, context), context)
        if not _independent(holes, context):
            continue
        start, end = _quiet(holes, context)
        if any(end - start < context.options.pause_overlap * hole.growth_ns for hole in holes):
            continue
        stood = replace(
            suspicion,
            own=[hole.own for hole in holes if hole.own],
            edges=[hole.edge for hole in holes if hole.edge],
        )
        made = accusation(service, stood, context)
        at = start - context.suspect.tree.starts[context.suspect.tree.root]
        yield replace(
            made,
            finding=CODE,
            title=TITLE,
            summary=f"{service} stood still for about {duration(end - start)}, {duration(max(0, at))} into the "
            f"request: {count(len(holes), 'span')} stretch over that instant",
        )


def _holes(service: str, suspicion: Suspicion, shares: list[Share], context: Context) -> list[Hole]:
    """List where nothing of a service moved, on the critical path or beside it."""
    tree = context.suspect.tree
    grown = {id(pair): (growth, pair) for growth, pair in suspicion.own}
    found = []
    for share in shares:
        own = grown.get(id(share.pair))
        growth = own[0] if own else share.suspect.self_ns - share.baseline.self_ns
        if own is None and growth <= context.noise(share):
            continue
        longest = max(
            (i for g in share.pair.suspect for i in g.spans), key=lambda i: (tree.ends[i] - tree.starts[i], -i)
        )
        start, end = _idle(longest, context)
        span = tree.spans[longest]
        place = semconv.peer(span) or span.name if span.kind in semconv.CALLING else ""
        if span.kind not in semconv.CALLING or not tree.children[longest]:
            found.append(Hole(start, end, growth, longest, place, own=own))
    for edge in suspicion.edges:
        if edge.callee != service:
            continue
        server = max((i for g in edge.server.suspect for i in g.spans), key=lambda i: (_accepted(i, context), -i))
        client = tree.parents[server]
        found.append(Hole(tree.starts[client], tree.starts[server], edge.growth_ns, server, "", edge=edge))
    lasting = [hole for hole in found if hole.end_ns - hole.start_ns >= context.options.pause_overlap * hole.growth_ns]
    return nlargest(MOST, lasting, key=lambda hole: (hole.growth_ns, -hole.start_ns, hole.span))


def _accepted(server: int, context: Context) -> int:
    tree = context.suspect.tree
    return tree.starts[server] - tree.starts[tree.parents[server]]


def _idle(span: int, context: Context) -> tuple[int, int]:
    """Return the longest stretch of a span in which nothing that it holds runs."""
    tree = context.suspect.tree
    best = (tree.starts[span], tree.starts[span])
    reached = tree.starts[span]
    for child in tree.held[span]:
        if tree.starts[child] - reached > best[1] - best[0]:
            best = (reached, tree.starts[child])
        reached = max(reached, tree.ends[child])
    return (reached, tree.ends[span]) if tree.ends[span] - reached > best[1] - best[0] else best


def _together(holes: list[Hole], context: Context) -> list[Hole]:
    """Return the largest set of holes over one instant of which each lasts for most of its own growth."""
    best: list[Hole] = []
    for pivot in holes:
        at = pivot.start_ns  # a largest set of overlapping stretches has one that starts last
        here = [hole for hole in holes if hole.start_ns <= at < hole.end_ns]
        common = min(hole.end_ns for hole in here) - at if here else 0
        here = [hole for hole in here if common >= context.options.pause_overlap * hole.growth_ns]
        if len(here) > len(best):
            best = here
    return best


def _quiet(holes: list[Hole], context: Context) -> tuple[int, int]:
    """Return the longest stretch that holes of one process share in which no span of it starts or ends."""
    tree = context.suspect.tree
    start, end = max(hole.start_ns for hole in holes), min(hole.end_ns for hole in holes)
    process = tree.spans[holes[0].span].resource
    its = (i for i, span in enumerate(tree.spans) if span.resource is process)
    signs = sorted(at for i in its for at in (tree.starts[i], tree.ends[i]) if start < at < end)
    return max(pairwise((start, *signs, end)), key=lambda stretch: stretch[1] - stretch[0])


def _independent(holes: list[Hole], context: Context) -> bool:
    """Tell whether holes are of one process and cannot be blamed on one place that was called."""
    tree = context.suspect.tree
    if not any(hole.own or hole.edge for hole in holes):
        return False  # nothing that the response waited for
    if len({hole.span for hole in holes}) < 2 or len({id(tree.spans[hole.span].resource) for hole in holes}) > 1:
        return False
    if all(hole.edge for hole in holes):
        return False  # requests that wait to be accepted together may wait in a queue as well
    # One call and one gap may be a call that waits for the other's connection.
    return sum(not hole.place for hole in holes) > 1 or len({hole.place for hole in holes} - {""}) > 1
