"""retries: a call is tried again after it was not served.

    A   charge |--------------|                 B   charge |--------------------------------------|
          POST   |----------|                         POST   |-X|   |-X|         |----------|
                                                               wait      wait longer

The failed tries and the waits between them are the cost; the try that succeeds is the baseline's call. A try is one
that asks for the same (statement, path, message) as the one that failed, or, where each says something of its own, a
call that came with a refused one: another item of a list is none. It failed when its span says so, or when its status
asks for another try (429, 502, 503, 504), whether or not that is called an error. A client that tries again within one
span says so by a count (`http.request.resend_count`): then it is the reason why the call takes longer.
"""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING

from analysis import semconv
from analysis.comparison import CauseKind
from analysis.findings import slow_operation
from analysis.findings.base import Candidate, Context, Tier, name_of, once
from analysis.findings.errors import describe, peer_of
from analysis.format import count, duration

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analysis.align import Pair
    from analysis.model import Span
    from analysis.profile import CallGroup, Profile

CODE = "retries"
TITLE = "Retries"

RESENT_DIGITS = 6  # a longer number counts no tries


def find(context: Context) -> Iterable[Candidate]:
    """Yield calls that are repeated after a failure more often than before."""
    for caller, pair, runs in chains(context):
        if not semconv.throttled(runs[0][0]):
            yield again(caller, pair, runs, context)
    yield from _within(context)


@once
def chains(context: Context) -> list[tuple[Pair, Pair, list[list[Span]]]]:
    """List callers with calls refused and tried more often than before, and their runs of tries, longest first."""
    found = []
    for caller, pair in ((above, pair) for above in context.alignment.pairs for pair in above.children):
        share = context.share_of[id(pair)]
        if share.suspect.calls <= share.baseline.calls:
            continue
        if _refused(pair.suspect, context.suspect) <= _refused(pair.baseline, context.baseline):
            continue
        runs = _runs(pair, pair.suspect, context.suspect, context)
        if runs:
            found.append((caller, pair, runs))
    return found


def _refused(groups: list[CallGroup], side: Profile) -> int:
    """Count the calls that were not served."""
    return sum(semconv.refused(side.tree.spans[i]) for group in groups for i in group.spans)


def _runs(pair: Pair, groups: list[CallGroup], side: Profile, context: Context) -> list[list[Span]]:
    """List the runs of tries of one side in which every try but the last was refused, the longest first."""
    tree = side.tree
    runs: list[list[int]] = []
    for calls in _alike(groups, side, told_apart=_told_apart(pair, context)):
        runs.append(calls[:1])
        for earlier, later in pairwise(calls):
            if semconv.refused(tree.spans[earlier]) and tree.starts[later] >= tree.ends[earlier]:
                runs[-1].append(later)
            else:
                runs.append([later])
    runs.sort(key=lambda run: (-len(run), tree.starts[run[0]], tree.spans[run[0]].span_id))
    return [[tree.spans[i] for i in run] for run in runs if len(run) > 1]


def _told_apart(pair: Pair, context: Context) -> bool:
    """Tell whether a try is known by what it asks for: that is asked for again, or more calls came than were refused.

    Else each try says something of its own (a number, a signature), and all calls that came are tries.
    """
    share, spans = context.share_of[id(pair)], context.suspect.tree.spans
    calls = [spans[i] for group in pair.suspect for i in group.spans]
    again = Counter((span.parent_id, semconv.asked(span)) for span in calls)
    if any(again[span.parent_id, semconv.asked(span)] > 1 for span in calls if semconv.refused(span)):
        return True
    refused = _refused(pair.suspect, context.suspect) - _refused(pair.baseline, context.baseline)
    return share.suspect.calls - share.baseline.calls > refused


def _alike(groups: list[CallGroup], side: Profile, *, told_apart: bool) -> Iterable[list[int]]:
    """Return the calls of one caller, those that ask for the same where they are `told_apart`, in time order."""
    tree = side.tree
    alike: dict[tuple[int, str], list[int]] = {}
    for group in groups:
        for i in group.spans:
            key = (tree.parents[i], semconv.asked(tree.spans[i]) if told_apart else "")
            alike.setdefault(key, []).append(i)
    return [sorted(calls, key=tree.starts.__getitem__) for calls in alike.values()]


def _within(context: Context) -> Iterable[Candidate]:
    """Yield calls that take longer and say that they sent their request again, more often than on the quicker side."""
    for share in context.attribution.shares:
        growth = slow_operation.grew(share, context)
        if not growth:
            continue
        a, b = _resent(share.pair.baseline, context.baseline), _resent(share.pair.suspect, context.suspect)
        if (a > b) if context.mirrored else (b > a):
            evidence = [f"sent again {count(a, 'time')} in A, {count(b, 'time')} in B"]
            resent = "its request is sent again"
            yield slow_operation.because(share, growth, context, CODE, TITLE, resent, evidence)


def _resent(groups: list[CallGroup], side: Profile) -> int:
    """Count how often calls say that they sent their request again."""
    if side.names.isdisjoint(semconv.HTTP_RESENT):
        return 0
    said = (semconv.first(side.tree.spans[i].attributes, semconv.HTTP_RESENT) for group in groups for i in group.spans)
    return sum(int(text) for text in said if text.isdecimal() and len(text) <= RESENT_DIGITS)


def again(caller: Pair, pair: Pair, runs: list[list[Span]], context: Context) -> Candidate:
    """Return the candidate of a call that is tried again, once or for several of its calls."""
    service, operation = name_of(pair, context)
    chain = runs[0]
    waited = sum(max(0, after.start_ns - before.end_ns) for run in runs for before, after in pairwise(run))
    tried = sum(span.end_ns - span.start_ns for run in runs for span in run[:-1])
    tries = sum(map(len, runs))
    outcome = "the last try fails too" if semconv.refused(chain[-1]) else "the last try succeeds"
    claims = {key: max(0, ns) for key, ns in context.claims_below(pair).items()}
    claims[id(caller)] = min(waited, max(0, context.growth(context.share_of[id(caller)])))
    before = max(map(len, _runs(pair, pair.baseline, context.baseline, context)), default=1)
    several = f"{len(runs)} calls of " if len(runs) > 1 else ""
    times = f"{'up to ' if several else ''}{len(chain)} times instead of {before}"
    return Candidate(
        finding=CODE,
        title=TITLE,
        kind=CauseKind.RETRY,
        tier=Tier.FAILURE,
        service=service,
        operation=operation,
        peer_service=peer_of(pair, context, chain[0]),
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
    spans = context.suspect.tree.spans
    told_apart = _told_apart(pair, context)
    groups = _alike(pair.suspect, context.suspect, told_apart=told_apart)
    alike = ([semconv.refused(spans[i]) for i in calls] for calls in groups)
    failed = [tries for tries in alike if any(tries)]
    return bool(failed) and not any(tries[-1] for tries in failed)
