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
    from analysis.profile import CallGroup, Profile

CODE = "retries"
TITLE = "Retries"


def find(context: Context) -> Iterable[Candidate]:
    """Yield calls that are repeated after a failure more often than before."""
    for caller, pair, runs in chains(context):
        if not semconv.throttled(runs[0][0]):
            yield again(caller, pair, runs, context)


@once
def chains(context: Context) -> list[tuple[Pair, Pair, list[list[Span]]]]:
    """List callers with calls that fail and are tried more often than before, and the runs of tries, longest first."""
    found = []
    for caller, pair in ((above, pair) for above in context.alignment.pairs for pair in above.children):
        share = context.share_of[id(pair)]
        if not pair.suspect or share.suspect.calls <= share.baseline.calls or not share.suspect.errors:
            continue
        if share.suspect.errors <= share.baseline.errors:
            continue
        runs = _runs(pair.suspect, context.suspect)
        if runs:
            found.append((caller, pair, runs))
    return found


def _runs(groups: list[CallGroup], side: Profile) -> list[list[Span]]:
    """List the runs of tries under one caller in which every try but the last failed, the longest first."""
    tree = side.tree
    by_caller: dict[int, list[int]] = {}
    for group in groups:
        for i in group.spans:
            by_caller.setdefault(tree.parents[i], []).append(i)
    runs: list[list[int]] = []
    for calls in by_caller.values():
        calls.sort(key=tree.starts.__getitem__)
        runs.append(calls[:1])
        for earlier, later in pairwise(calls):
            if tree.spans[earlier].error and tree.starts[later] >= tree.ends[earlier]:
                runs[-1].append(later)
            else:
                runs.append([later])
    runs.sort(key=lambda run: (-len(run), tree.starts[run[0]], tree.spans[run[0]].span_id))
    return [[tree.spans[i] for i in run] for run in runs if len(run) > 1]


def again(caller: Pair, pair: Pair, runs: list[list[Span]], context: Context) -> Candidate:
    """Return the candidate of a call that is tried again, once or for several of its calls."""
    service, operation = name_of(pair, context)
    chain = runs[0]
    waited = sum(max(0, after.start_ns - before.end_ns) for run in runs for before, after in pairwise(run))
    tried = sum(span.end_ns - span.start_ns for run in runs for span in run[:-1])
    tries = sum(map(len, runs))
    outcome = "the last try fails too" if chain[-1].error else "the last try succeeds"
    claims = {key: max(0, ns) for key, ns in context.claims_below(pair).items()}
    claims[id(caller)] = min(waited, max(0, context.growth(context.share_of[id(caller)])))
    before = max(map(len, _runs(pair.baseline, context.baseline)), default=1)
    several = f"{len(runs)} calls of " if len(runs) > 1 else ""
    times = f"{'up to ' if several else ''}{len(chain)} times instead of {before}"
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
        summary=f"{several}{operation} in {service} {'are' if several else 'is'} tried {times}: "
        f"{describe(chain[0])}; {outcome}",
        evidence=[
            f"{tries} tries: {duration(tried)} in failed tries, {duration(waited)} waiting between them",
            f"first failure: {describe(chain[0])}; {outcome}",
        ],
        baseline_spans=context.span_ids(pair)[0],
        suspect_spans=[span.span_id for span in chain[: context.options.max_span_ids]],
    )


def recovered(pair: Pair, context: Context) -> bool:
    """Tell whether every failure of a pair was followed by a try that succeeded."""
    tree = context.suspect.tree
    by_caller: dict[int, list[int]] = {}
    for group in pair.suspect:
        for i in group.spans:
            by_caller.setdefault(tree.parents[i], []).append(i)
    failed = [tries for tries in by_caller.values() if any(tree.spans[i].error for i in tries)]
    return bool(failed) and not any(tree.spans[max(tries, key=tree.starts.__getitem__)].error for tries in failed)
