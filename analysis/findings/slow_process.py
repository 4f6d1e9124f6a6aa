"""slow-process: several spans and calls of one process are slow together; the process is, not each of them.

    A   x -> catalog  |----|                B   x -> catalog  |---------------------|
        y -> catalog   |----|                   y -> catalog   |--------------------|
                                                catalog pod 7   ......stalled......

A starved, paused or overloaded process shows as gaps before its server spans, as own time inside them, or
both, in whatever it was doing at that moment; or in all that it does itself, in several operations, without one as
quick as before. One named process says more than a list of its spans. What says itself why it takes longer (a larger
answer, a cold start) is no sign of that.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from analysis import semconv
from analysis.align import Pair
from analysis.comparison import CauseKind
from analysis.edges import Edge, grown
from analysis.findings import cold_start, input_changed, payload_growth, waiting_for_connection
from analysis.findings.base import Candidate, Context, Tier, name_of, once
from analysis.findings.slow_operation import own_growth
from analysis.format import count, duration

if TYPE_CHECKING:
    from collections.abc import Iterable


CODE = "slow-process"
TITLE = "Slow process"

REASONS = (waiting_for_connection, cold_start, input_changed, payload_growth)


class Suspicion(Struct):
    """What speaks against one service."""

    own: list[tuple[int, Pair]]  # (growth ns, pair) of its spans
    edges: list[Edge]  # grown calls from or to it
    neighbours: set[tuple[str, str]]  # other ends of all its calls
    steady: int  # operations of its own that take time and are as quick as before


def find(context: Context) -> Iterable[Candidate]:
    """Yield services with at least two independent signs of being slow as a whole."""
    if context.mirrored:
        return
    for service, suspicion in suspicions(context).items():
        if not _whole(suspicion, service, context):
            continue
        left = _unexplained(suspicion, context)
        if _whole(left, service, context):
            yield accusation(service, left, context)


@once
def suspicions(context: Context) -> dict[str, Suspicion]:
    """Gather what speaks against each service."""
    gathered: dict[str, Suspicion] = defaultdict(lambda: Suspicion([], [], set(), 0))
    for share in context.attribution.shares:
        if share.pair.baseline and share.pair.suspect and _own_work(share.pair):
            growth = own_growth(share, context)
            suspicion = gathered[share.pair.key.service]
            if growth > context.noise(share):
                suspicion.own.append((growth, share.pair))
            elif _by_itself(share.pair) and share.suspect.exposed_ns > context.options.group_noise_ns:
                suspicion.steady += 1
    for edge in context.edges:
        slow = grown(edge, context.options)
        for service, end in ((edge.callee, ("in", edge.caller)), (edge.caller, ("out", edge.callee))):
            suspicion = gathered[service]
            suspicion.neighbours.add(end)
            if slow:
                suspicion.edges.append(edge)
    return gathered


def _own_work(pair: Pair) -> bool:
    """Tell whether a pair's own time is its process's: its work, and its calls to what sends no spans."""
    return _by_itself(pair) or not any(child.suspect for child in pair.children)


def _by_itself(pair: Pair) -> bool:
    """Tell whether a pair is work rather than a call."""
    return pair.key.kind not in semconv.CALLING


def _whole(suspicion: Suspicion, service: str, context: Context) -> bool:
    """Tell whether the signs concern the process rather than one operation or one line."""
    inward = {("in", edge.caller) for edge in suspicion.edges if edge.callee == service}
    slow = inward | {("out", edge.callee) for edge in suspicion.edges if edge.caller == service}
    if len(slow) >= 2 and len(slow) >= context.options.process_share * len(suspicion.neighbours):
        return True
    everything = 0 if suspicion.steady else sum(_by_itself(pair) for _, pair in suspicion.own)
    return everything >= context.options.common_groups or (bool(suspicion.own) and bool(inward))


def _unexplained(suspicion: Suspicion, context: Context) -> Suspicion:
    """Return what is left of a suspicion without the spans and calls that say why they take longer."""
    explained = _explained(context)
    own = [(growth, pair) for growth, pair in suspicion.own if id(pair) not in explained]
    return replace(suspicion, own=own, edges=[edge for edge in suspicion.edges if id(edge.pair) not in explained])


@once
def _explained(context: Context) -> set[int]:
    """Return the pairs that another finding has the reason of, by id."""
    return {pair for reason in REASONS for candidate in reason.find(context) for pair in candidate.claims}


def accusation(service: str, suspicion: Suspicion, context: Context) -> Candidate:
    """Return the candidate that accuses a service, named by its worst operation or edge."""
    claims: dict[int, int] = {}
    for growth, pair in suspicion.own:
        claims[id(pair)] = growth
    for edge in suspicion.edges:
        claims[id(edge.pair)] = max(0, context.share_of[id(edge.pair)].parts.get("network", 0))
    own = sum(growth for growth, _ in suspicion.own)
    lost = sum(edge.growth_ns for edge in suspicion.edges)
    inward = [edge for edge in suspicion.edges if edge.callee == service]
    if own >= lost and suspicion.own:
        main = max(suspicion.own, key=lambda item: (item[0], item[1].key.name))[1]
        kind = CauseKind.SELF_TIME_INCREASE
    else:
        edge = max(inward or suspicion.edges, key=lambda e: (e.growth_ns, e.server.key.name))
        main = edge.server if inward else edge.pair
        kind = CauseKind.WAIT_GAP if inward else CauseKind.NETWORK
    _, operation = name_of(main, context)
    callers = sorted({edge.caller for edge in inward})
    instances = sorted({where for edge in inward for where in edge.callees})
    evidence = [
        f"{edge.caller} -> {edge.callee}: {duration(edge.suspect.total_ns)} outside the server (A: "
        f"{duration(edge.baseline.total_ns)})"
        for edge in sorted(suspicion.edges, key=lambda e: -e.growth_ns)
    ]
    evidence += [
        f"{pair.key.name}: own time grew by {duration(growth)}"
        for growth, pair in sorted(suspicion.own, key=lambda item: -item[0])
    ]
    where = f" ({', '.join(instances[:2])})" if instances and instances != [service] else ""
    baseline_ids, suspect_ids = context.span_ids(main)
    return Candidate(
        finding=CODE,
        title=TITLE,
        kind=kind,
        tier=Tier.SHARED,
        service=service,
        operation=operation,
        peer_service=callers[0] if callers else None,
        pair=main,
        claims=claims,
        summary=f"{service}{where} is slow as a whole: {_signs(service, suspicion)} lost time",
        evidence=evidence[: context.options.max_evidence],
        baseline_spans=baseline_ids,
        suspect_spans=suspect_ids,
    )


def _signs(service: str, suspicion: Suspicion) -> str:
    """Count what speaks against a service, in words."""
    inward = sum(edge.callee == service for edge in suspicion.edges)
    outward = len(suspicion.edges) - inward
    signs = [f"{count(inward, 'call')} to it"] if inward else []
    signs += [f"{outward} of its calls"] if outward else []
    signs += [f"{len(suspicion.own)} of its operations"] if suspicion.own else []
    return " and ".join(signs)
