"""What follows from what: explanations that stand for themselves, and those that stand under another.

A failure changes what happens after it, and a failure that is gone lets happen what never came to pass:

    A   item |---|                        B   item |--------------------|
          cache |-|                             cache |X|                    why
                                                  store |------------|       instead of it: follows from it

- calls that are gone after a new failure, calls that its caller makes instead, and answers that pass it on;
- an error inside a retry is one of its tries;
- calls that only B makes because A had failed before it came to them;
- an operation that takes longer in two places is one slow operation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import structs

from analysis.comparison import CauseKind
from analysis.findings import error_gone, status_changed
from analysis.findings.base import Tier
from analysis.findings.errors import beginnings, endings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from analysis.align import Pair
    from analysis.explanation import Explanation
    from analysis.findings.base import Candidate, Context
    from analysis.options import CompareOptions

    Behind = Callable[[Explanation], Explanation | None]

MORE = (CauseKind.NEW_CALLS, CauseKind.MORE_CALLS)
TAKES_LONGER = (Tier.SHARED, Tier.REASON, Tier.TIME)


def fold(explanations: list[Explanation], context: Context) -> list[Explanation]:
    """Return the explanations that stand for themselves, each with what follows from it and with its time."""
    for find in (_retries, _failures, _failures_of_a):
        explanations = _under(find(explanations, context), explanations)
    return _joined(explanations, context.options)


def _under(behind: Behind, explanations: list[Explanation]) -> list[Explanation]:
    kept = []
    for e in explanations:
        main = behind(e)
        if main is None:
            kept.append(e)
        else:
            main.symptoms.append(e.candidate)
            main.explained_ns += e.explained_ns
    return kept


def _retries(explanations: list[Explanation], _context: Context) -> Behind:
    """Find the retry that an error is a try of."""
    retried = {id(e.candidate.pair): e for e in explanations if e.candidate.kind is CauseKind.RETRY}

    def behind(e: Explanation) -> Explanation | None:
        if e.candidate.kind is not CauseKind.ERROR or not retried:
            return None
        return next((retried[id(pair)] for pair in e.candidate.pair.upwards() if id(pair) in retried), None)

    return behind


def _failures(explanations: list[Explanation], context: Context) -> Behind:
    """Find the failure after which calls are gone, are made instead of the call that failed, or are answered for it."""
    failures = [e for e in explanations if e.candidate.tier is Tier.FAILURE] if not context.mirrored else []
    seen: dict[int, list[tuple[Pair, Explanation]]] = {}  # by caller: the calls that it saw fail
    began: dict[int, Explanation] = {}
    outside: dict[int, Explanation] = {}
    for e in failures:
        began.setdefault(id(e.candidate.pair), e)
        for pair in e.candidate.pair.upwards():
            if id(pair) in outside:
                break
            outside[id(pair)] = e
        for pair in _failed(e, beginnings(context).failing):
            seen.setdefault(id(pair.parent), []).append((pair, e))

    def behind(e: Explanation) -> Explanation | None:
        if failures and e.candidate.kind is CauseKind.REMOVED_CALLS:
            return failures[0]
        if failures and e.candidate.finding == status_changed.CODE:  # what answered so, or whoever passes it on
            around = outside.get(id(e.candidate.pair))
            return around or next((began[id(p)] for p in e.candidate.pair.upwards() if id(p) in began), None)
        if e.candidate.kind is not CauseKind.NEW_CALLS:
            return None
        made = e.candidate.pair
        return next((f for pair, f in seen.get(id(made.parent), ()) if _after_failure(pair, made, context)), None)

    return behind


def _after_failure(failed: Pair, made: Pair, context: Context) -> bool:
    """Tell whether the calls of one pair begin only after a call of the other one has failed."""
    tree = context.suspect.tree
    ended = (tree.ends[i] for group in failed.suspect for i in group.spans if tree.spans[i].error)
    return min(ended) <= min(tree.starts[i] for group in made.suspect for i in group.spans)


def _failures_of_a(explanations: list[Explanation], context: Context) -> Behind:
    """Find the failure of A that kept a caller from calls that it makes in B."""
    kept_from: dict[int, Explanation] = {}
    for e in explanations:
        if e.candidate.finding == error_gone.CODE and not context.mirrored:
            for pair in _failed(e, endings(context).failing):
                kept_from.setdefault(id(pair), e)

    def behind(e: Explanation) -> Explanation | None:
        gone = kept_from.get(id(e.candidate.pair.parent)) if e.candidate.kind in MORE else None
        if gone is not None:
            gone.candidate = structs.replace(gone.candidate, affects="response")
        return gone

    return behind


def _joined(explanations: list[Explanation], options: CompareOptions) -> list[Explanation]:
    """Join what changed alike in several places, under the one that explains most of it."""
    joined: dict[object, Explanation] = {}
    for e in sorted(explanations, key=lambda e: -e.weight_ns):
        first = joined.setdefault(_slow_operation(e.candidate) if e.candidate.tier in TAKES_LONGER else id(e), e)
        if first is not e:
            first.candidate = _with(first.candidate, e.candidate, options)
            first.explained_ns += e.explained_ns
            first.symptoms.extend(e.symptoms)
    return list(joined.values())


def _slow_operation(c: Candidate) -> object:
    """Name what takes longer, whoever asked for it: by whom it calls, else by all that it says of itself."""
    return (c.finding, c.service, c.operation, c.affects, c.peer_service or c.pair.key)


def _with(main: Candidate, other: Candidate, options: CompareOptions) -> Candidate:
    return structs.replace(
        main,
        evidence=[f"the same in another place: {other.summary}", *main.evidence][: options.max_evidence],
        off_path_ns=main.off_path_ns + other.off_path_ns,
        certain=main.certain or other.certain,
        baseline_spans=[*main.baseline_spans, *other.baseline_spans][: options.max_span_ids],
        suspect_spans=[*main.suspect_spans, *other.suspect_spans][: options.max_span_ids],
    )


def _failed(e: Explanation, failing: dict[int, Pair]) -> Iterator[Pair]:
    """Walk from where a failure began up to the last caller that failed with it."""
    for pair in e.candidate.pair.upwards():
        if id(pair) not in failing:
            return
        yield pair
