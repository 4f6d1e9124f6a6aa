"""Edges: calls between two processes whose both ends sent spans, and where the time between them lies.

    client   |---------------------------|
    server         |------------|
              before             after

`before` is the time until the server's span starts (connecting, queueing, the request's way), `after` the
time from its end (the response's way). Their sum does not depend on the clocks of the two hosts; the split
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
    for pair in alignment.pairs:
        if pair.key.kind is not SpanKind.CLIENT or not pair.baseline or not pair.suspect:
            continue
        for child in pair.children:
            if child.key.kind is not SpanKind.SERVER or not child.baseline or not child.suspect:
                continue
            a, b = _gap(child.baseline, baseline), _gap(child.suspect, suspect)
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


def _gap(servers: list[CallGroup], side: Profile) -> Gap | None:
    tree = side.tree
    calls = before = after = served = 0
    for group in servers:
        for i in group.spans:
            client = tree.parents[i]
            if client < 0 or tree.spans[client].kind is not SpanKind.CLIENT:
                continue
            calls += 1
            start = min(max(tree.starts[i], tree.starts[client]), tree.ends[client])
            end = max(min(tree.ends[i], tree.ends[client]), start)
            before += start - tree.starts[client]
            after += tree.ends[client] - end
            served += end - start
    return Gap(calls, before // calls, after // calls, served // calls) if calls else None


def _instances(groups: list[CallGroup], side: Profile) -> tuple[str, ...]:
    spans = side.tree.spans
    return tuple(sorted({semconv.instance(spans[i].resource) for group in groups for i in group.spans}))


def grown(edge: Edge, options: CompareOptions) -> bool:
    """Tell whether an edge became slower by more than jitter."""
    noise = options.group_noise_ns + int(options.group_noise_ratio * edge.baseline.total_ns)
    return edge.growth_ns > options.edge_noise * noise
