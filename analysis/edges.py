"""Edges: calls between two processes whose both ends sent spans, and where the time between them lies.

    client   |---------------------------|
    server         |------------|
              before             after

`before` is the time until the server's span starts (connecting, queueing, the request's way), `after` the
time from its end (the response's way), both without what the client has spans of its own for: a name looked up
or a connection made in a span stands for itself. Their sum does not depend on the clocks of the two hosts; the split
does, so it is a hint. A network fault, a starved host or an exhausted listen queue shows here and in no
span's own time, which is why edges vote: whether the caller, the callee or the line between them is slow is
told by the *other* calls of both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from analysis import semconv
from analysis.align import Pair
from analysis.model import SpanKind

if TYPE_CHECKING:
    from analysis.align import Alignment
    from analysis.options import CompareOptions
    from analysis.profile import CallGroup, Profile
    from analysis.tree import SpanTree


class Gap(Struct, frozen=True, gc=False):
    """Time of one or more calls between client and server, per call on average (ns)."""

    calls: int
    before_ns: int
    after_ns: int
    server_ns: int

    @property
    def total_ns(self) -> int:
        """Time of a call that its server did not see."""
        return self.before_ns + self.after_ns


class Edge(Struct, frozen=True, kw_only=True):
    """A matched call between two services; `baseline`/`suspect` are averages over its calls."""

    pair: Pair
    server: Pair
    caller: str
    callee: str
    callers: tuple[str, ...]  # instances in the suspect
    callees: tuple[str, ...]
    baseline: Gap
    suspect: Gap

    @property
    def growth_ns(self) -> int:
        """How much longer the time outside the server became, per call."""
        return self.suspect.total_ns - self.baseline.total_ns


def edges(alignment: Alignment, baseline: Profile, suspect: Profile) -> list[Edge]:
    """List the calls that both traces show from both ends."""
    found = []
    outside_a, outside_b = _outside(baseline.tree), _outside(suspect.tree)
    for pair in alignment.pairs:
        if pair.key.kind is not SpanKind.CLIENT or not pair.baseline or not pair.suspect:
            continue
        for child in pair.children:
            if child.key.kind is not SpanKind.SERVER or not child.baseline or not child.suspect:
                continue
            a, b = _gap(child.baseline, outside_a), _gap(child.suspect, outside_b)
            if a is None or b is None:
                continue
            found.append(
                Edge(
                    pair=pair,
                    server=child,
                    caller=pair.key.service,
                    callee=child.key.service,
                    callers=_instances(pair.suspect, suspect),
                    callees=_instances(child.suspect, suspect),
                    baseline=a,
                    suspect=b,
                )
            )
    return found


def _outside(tree: SpanTree) -> dict[int, Gap]:
    """Return the gap of every call of a trace by its server's span."""
    found = {}
    starts, ends, spans = tree.starts, tree.ends, tree.spans
    for client, children in enumerate(tree.children):
        if not children or spans[client].kind is not SpanKind.CLIENT:
            continue
        reached, high = starts[client], ends[client]
        free = 0  # covered by no child so far
        calls = []
        for child in children:
            start = min(max(starts[child], starts[client]), high)
            end = max(min(ends[child], high), start)
            free += max(0, start - reached)
            reached = max(reached, end)
            calls.append((child, free, end - start))
        free += high - reached
        # While a server runs nothing is free: what is not before it is after it.
        found.update({child: Gap(1, before, free - before, served) for child, before, served in calls})
    return found


def _gap(servers: list[CallGroup], outside: dict[int, Gap]) -> Gap | None:
    gaps = [outside[i] for group in servers for i in group.spans if i in outside]
    if not gaps:
        return None
    calls = len(gaps)
    return Gap(
        calls,
        sum(gap.before_ns for gap in gaps) // calls,
        sum(gap.after_ns for gap in gaps) // calls,
        sum(gap.server_ns for gap in gaps) // calls,
    )


def _instances(groups: list[CallGroup], side: Profile) -> tuple[str, ...]:
    spans = side.tree.spans
    return tuple(sorted({semconv.instance(spans[i].resource) for group in groups for i in group.spans}))


def grown(edge: Edge, options: CompareOptions) -> bool:
    """Tell whether an edge became slower by more than jitter."""
    noise = options.group_noise_ns + int(options.group_noise_ratio * edge.baseline.total_ns)
    return edge.growth_ns > options.edge_noise * noise
