"""retries: a call is tried again after it failed.

    A   charge |--------------|                 B   charge |--------------------------------------|
          POST   |----------|                         POST   |-X|   |-X|         |----------|
                                                               wait      wait longer

The failed tries and the waits between them are the cost; the try that succeeds is the baseline's call.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from analysis import semconv
from analysis.comparison import CauseKind
from analysis.findings.base import Candidate, Context, Tier, name_of, once
from analysis.findings.errors import describe, peer_of
from analysis.format import duration

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analysis.align import Pair
    from analysis.model import Span

CODE = "retries"
TITLE = "Retries"


def find(context: Context) -> Iterable[Candidate]:
    """Yield calls that are repeated after a failure more often than before."""
    for pair, chain in chains(context):
        if not semconv.throttled(chain[0]):
            yield again(pair, chain, context)


@once
def chains(context: Context) -> list[tuple[Pair, list[Span]]]:
    """List calls that fail and are tried more often than before, with their longest chain of tries."""
    found = []
    for pair in context.alignment.pairs:
        share = context.share_of[id(pair)]
        if not pair.suspect or share.suspect.calls <= share.baseline.calls or not share.suspect.errors:
            continue
        if share.suspect.errors <= share.baseline.errors:
            continue
        chain = _longest_chain(pair, context)
        if len(chain) > 1:
            found.append((pair, chain))
    return found


def _longest_chain(pair: Pair, context: Context) -> list[Span]:
    """Return the longest run of tries under one caller in which every try but the last failed."""
    tree = context.suspect.tree
    by_caller: dict[int, list[int]] = {}
    for group in pair.suspect:
        for i in group.spans:
            by_caller.setdefault(tree.parents[i], []).append(i)
    best: list[int] = []
    for calls in by_caller.values():
        calls.sort(key=tree.starts.__getitem__)
        run: list[int] = []
        for i in calls:
            if run and not (tree.spans[run[-1]].error and tree.starts[i] >= tree.ends[run[-1]]):
                run = []
            run.append(i)
            if len(run) > len(best):
                best = list(run)
    return [tree.spans[i] for i in best]


def again(pair: Pair, chain: list[Span], context: Context) -> Candidate:
    """Return the candidate of one chain of tries."""
    service, operation = name_of(pair, context)
    share = context.share_of[id(pair)]
    waited = sum(max(0, after.start_ns - before.end_ns) for before, after in pairwise(chain))
    tried = sum(span.end_ns - span.start_ns for span in chain[:-1])
    outcome = "the last try fails too" if chain[-1].error else "the last try succeeds"
    claims = {key: max(0, ns) for key, ns in context.claims_below(pair).items()}
    if pair.parent is not None:
        claims[id(pair.parent)] = min(waited, max(0, context.growth(context.share_of[id(pair.parent)])))
    before = share.baseline.calls
    return Candidate(
        finding=CODE,
        title=TITLE,
        kind=CauseKind.RETRY,
        tier=Tier.FAILURE,
        service=service,
        operation=operation,
        peer_service=peer_of(pair, context),
        pair=pair,
        claims=claims if not context.mirrored else {},
        certain=True,
        summary=f"{operation} in {service} is tried {len(chain)} times instead of {max(1, before)}: "
        f"{describe(chain[0])}; {outcome}",
        evidence=[
            f"{len(chain)} tries: {duration(tried)} in failed tries, {duration(waited)} waiting between them",
            f"first failure: {describe(chain[0])}; {outcome}",
        ],
        baseline_spans=context.span_ids(pair)[0],
        suspect_spans=[span.span_id for span in chain[: context.options.max_span_ids]],
    )


def recovered(pair: Pair, context: Context) -> bool:
    """Tell whether every failure of a pair was followed by a try that succeeded."""
    tree = context.suspect.tree
    last: dict[int, int] = {}
    for group in pair.suspect:
        for i in group.spans:
            caller = tree.parents[i]
            if caller not in last or tree.starts[i] > tree.starts[last[caller]]:
                last[caller] = i
    failed = {tree.parents[i] for group in pair.suspect for i in group.spans if tree.spans[i].error}
    return bool(failed) and not any(tree.spans[last[caller]].error for caller in failed)
