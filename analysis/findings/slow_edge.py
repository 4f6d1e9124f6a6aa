"""slow-edge: a call takes longer although its server does not; the time is lost between the two.

    A   client |---------|                  B   client |------------------------|
        server   |-----|                        server            |-----|

Which end is at fault is decided by the other calls of both:

- other callers of the callee are slow too: the callee's host (or its listen queue) is;
- other callees of the caller are slow too: the caller's host is;
- only this one: the line, named by both ends. When the time is lost on one side of the server span only, the
  callee is named (a request that waits to be accepted, a response that waits to be sent); lost on both sides
  alike it is the line itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.comparison import CauseKind
from analysis.edges import Edge, grown
from analysis.findings.base import Candidate, Context, Tier, example, name_of, once
from analysis.findings.connection_phases import phases
from analysis.findings.differences import differences
from analysis.format import duration
from analysis.semconv import instance

if TYPE_CHECKING:
    from collections.abc import Iterable

CODE = "slow-edge"
TITLE = "Slow connection"


def find(context: Context) -> Iterable[Candidate]:
    """Yield calls whose time outside the server grew beyond jitter."""
    for edge, growth in slow_edges(context):
        yield slower(edge, growth, context)


@once
def slow_edges(context: Context) -> list[tuple[Edge, int]]:
    """List the edges that became slower beyond jitter, and by how much (ns)."""
    if context.mirrored:
        return []
    found = []
    for edge in context.edges:
        share = context.share_of[id(edge.pair)]
        growth = share.parts.get("network", 0)
        if growth > context.noise(share) and grown(edge, context.options):
            found.append((edge, growth))
    return found


def blame(edge: Edge, context: Context) -> str:
    """Return which end the other calls accuse: "callee", "caller" or "line"."""
    into = [e for e in context.edges if e.callee == edge.callee and e.caller != edge.caller]
    out_of = [e for e in context.edges if e.caller == edge.caller and e.callee != edge.callee]
    beyond = [e for e in context.edges if e.caller == edge.callee]
    slow_into = [e for e in into if grown(e, context.options)]
    slow_out = [e for e in out_of if grown(e, context.options)]
    slow_beyond = [e for e in beyond if grown(e, context.options)]
    if slow_into or slow_beyond:
        return "caller" if len(slow_out) > len(slow_into) + len(slow_beyond) else "callee"
    if slow_out and len(slow_out) * 2 >= len(out_of):
        return "caller"
    before = edge.suspect.before_ns - edge.baseline.before_ns
    after = edge.suspect.after_ns - edge.baseline.after_ns
    if max(before, after) >= context.options.edge_side_ratio * max(1, min(before, after)):
        return "callee"
    return "callee" if not into and not beyond and out_of and not _works(edge) else "line"


def _works(edge: Edge) -> bool:
    """Tell whether the callee's own calls (to a store, say) went as usual: then its host is well."""
    outward = [
        child for child in edge.server.children if child.baseline and child.suspect and child.key.category == "db"
    ]
    return bool(outward)


def slower(edge: Edge, growth: int, context: Context) -> Candidate:
    """Return the candidate of an edge that became slower, which names both of its ends."""
    client_service, client_operation = name_of(edge.pair, context)
    server_service, server_operation = name_of(edge.server, context)
    at_fault = blame(edge, context)
    service, operation, peer = (
        (server_service, server_operation, client_service)
        if at_fault == "callee"
        else (client_service, client_operation, server_service)
    )
    a, b = edge.baseline, edge.suspect
    server = example(edge.server, context)
    evidence = [_split(edge), *phases(edge.pair, context), _verdict(at_fault, edge)]
    where = instance(server.resource)
    if where != server_service:
        evidence.append(f"the call went to {where}")
    evidence += differences(edge.pair, context)
    baseline_ids, suspect_ids = context.span_ids(edge.pair)
    return Candidate(
        finding=CODE,
        title=TITLE,
        kind=CauseKind.NETWORK,
        tier=Tier.TIME,
        service=service,
        operation=operation,
        peer_service=peer,
        pair=edge.pair,
        claims={id(edge.pair): growth},
        summary=f"{duration(b.total_ns)} between {client_service} and {server_service} instead of "
        f"{duration(a.total_ns)}; {server_service} itself takes {duration(b.server_ns)} (A: {duration(a.server_ns)})",
        evidence=evidence,
        baseline_spans=baseline_ids,
        suspect_spans=suspect_ids,
    )


def _split(edge: Edge) -> str:
    a, b = edge.baseline, edge.suspect
    return (
        f"{duration(b.before_ns)} before the server's span starts (A: {duration(a.before_ns)}), "
        f"{duration(b.server_ns)} in the server (A: {duration(a.server_ns)}), "
        f"{duration(b.after_ns)} after it ends (A: {duration(a.after_ns)})"
    )


def _verdict(at_fault: str, edge: Edge) -> str:
    caller, callee = edge.caller, edge.callee
    if at_fault == "caller":
        return f"other calls of {caller} lose time as well: its host or its way out"
    if at_fault == "line":
        return f"only the line between {caller} and {callee} is slow: other calls of both are as before"
    a, b = edge.baseline, edge.suspect
    if b.after_ns - a.after_ns > b.before_ns - a.before_ns:
        return f"the time is lost after {callee} is done: sending a large answer, or its host"
    return f"the time is lost before {callee} starts: connecting, waiting to be accepted, or its host"
