"""cold-start: the first call pays for what later ones find ready: a new process, a connection, an empty code cache.

    A   price |--| |--| |--| |--|           B   price |--------------------| |--| |--| |--|
                                                       set up on first use

Known by the attribute that serverless platforms set, or by a first call many times as slow as the later calls of the
same group where the baseline's first call is like the rest. Where a platform has a span for the set-up, it is no new
call: it stands beside the server's span that states the cold start, in the same service.
"""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from analysis import semconv
from analysis.findings import slow_edge, slow_operation
from analysis.findings.base import because
from analysis.findings.dependencies import changed, changed_calls
from analysis.format import duration

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analysis.align import Pair
    from analysis.findings.base import Candidate, Context
    from analysis.profile import CallGroup, Profile

CODE = "cold-start"
TITLE = "Cold start"


def find(context: Context) -> Iterable[Candidate]:
    """Yield slower operations whose spans show that something was set up."""
    if context.mirrored:
        return
    for caller, came, went in changed_calls(context):
        setting_up, reason = set_up(caller, came, context)
        if setting_up:
            made = changed(caller, setting_up, went, context, came=True)
            yield because(made, CODE, TITLE, f"a cold start, {reason}", [reason])
    for edge, growth in slow_edge.slow_edges(context):
        # What starts cold has no span yet: the time lies before the first one.
        reason = _stated(edge.server.baseline, edge.server.suspect, context)
        if reason:
            yield because(slow_edge.slower(edge, growth, context), CODE, TITLE, f"a cold start, {reason}", [reason])
    for share in context.attribution.shares:
        growth = slow_operation.grew(share, context)
        if not growth:
            continue
        pair = share.pair
        reason = _stated(pair.baseline, pair.suspect, context) or _first_call(pair.baseline, pair.suspect, context)
        if reason:
            yield slow_operation.because(share, growth, context, CODE, TITLE, f"a cold start, {reason}", [reason])


def set_up(caller: Pair, came: list[Pair], context: Context) -> tuple[list[Pair], str]:
    """Return which new spans below a caller set up a service whose handler there starts cold, and how it says so."""
    for end in () if context.mirrored else caller.children:
        handles = end.key.kind in semconv.SERVING and end.baseline and end.suspect
        reason = _stated(end.baseline, end.suspect, context) if handles else ""
        if reason:
            return [pair for pair in came if pair.key.service == end.key.service], reason
    return [], ""


def _stated(baseline: list[CallGroup], suspect: list[CallGroup], context: Context) -> str:
    cold = _cold(suspect, context.suspect)
    if cold and not _cold(baseline, context.baseline):
        return f"{cold} is true in B, not in A"
    return ""


def _cold(groups: list[CallGroup], side: Profile) -> str:
    """Return the name of the attribute that says that the process had just started, or ""."""
    if side.names.isdisjoint(semconv.COLD_START):
        return ""
    for group in groups:
        for i in group.spans:
            attributes = side.tree.spans[i].attributes
            for name in semconv.COLD_START:
                if str(attributes.get(name)).lower() == "true":
                    return name
    return ""


def _first_call(baseline: list[CallGroup], suspect: list[CallGroup], context: Context) -> str:
    first, rest = _first_and_rest(suspect, context.suspect)
    options = context.options
    if len(rest) < options.first_call_others:
        return ""
    usual = int(median(rest))
    if first < options.first_call_ratio * max(rest) or first - usual < options.hint_floor_ns:
        return ""
    before, others = _first_and_rest(baseline, context.baseline)
    if not others or before >= options.first_call_ratio * max(1, int(median(others))):
        return ""
    return f"the first of {len(rest) + 1} calls takes {duration(first)}, the later ones {duration(usual)}"


def _first_and_rest(groups: list[CallGroup], side: Profile) -> tuple[int, list[int]]:
    """Return the duration (ns) of the earliest span and those of all others."""
    tree = side.tree
    ordered = sorted((i for group in groups for i in group.spans), key=lambda i: (tree.starts[i], tree.ends[i]))
    durations = [tree.ends[i] - tree.starts[i] for i in ordered]
    return durations[0], durations[1:]
