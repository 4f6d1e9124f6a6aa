"""Standing: where the two traces and each cause lie among recent requests, and whether those show the cause too.

What requests of the operation do all the time is no finding: a cache that is missed by one request in ten explains
nothing that began today. What is left is placed (median, tail, percentile of A and of B), and looked for in the
other requests: all since some moment, some of them, or B alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import structs

from analysis.comparison import (
    CauseKind,
    GroupUsual,
    PopulationView,
    Recurrence,
    RecurrenceKind,
    Standing,
    Usual,
    VerdictKind,
)
from analysis.format import timestamp
from analysis.population.norms import CALLS, ERRORS, EXPOSED, WAITED, series
from analysis.population.onset import onset, ordinary
from analysis.population.spread import Spread
from analysis.population.typical import medoid
from analysis.profile import queue_wait

if TYPE_CHECKING:
    from analysis.align import Pair
    from analysis.findings.base import Candidate, Context
    from analysis.options import CompareOptions
    from analysis.population import Norms, Recent
    from analysis.population.onset import Onset

MEASURES = ("exposed_ns", "calls", "errors", "waited_ns")
COUNTED = (CauseKind.NEW_CALLS, CauseKind.REMOVED_CALLS, CauseKind.MORE_CALLS)
STRUCTURE = (*COUNTED, CauseKind.SERIALISED)
FAILURE = (CauseKind.ERROR, CauseKind.RETRY)
HALF_A_CALL = 0.5  # less than the smallest change of a count
ONE_SIDED = (VerdictKind.SLOWER, VerdictKind.FAILING, VerdictKind.CHANGED)  # verdicts whose causes B shows, not A


def unusual(candidates: list[Candidate], context: Context) -> list[Candidate]:
    """Leave out changes that requests of this operation show all the time, with the time that they usually take."""
    if context.norms is None or context.recent is None:
        return candidates
    return [c for c in candidates if not _usual(c, context, context.norms, context.recent)]


def _usual(c: Candidate, context: Context, norms: Norms, recent: Recent) -> bool:
    if c.kind in STRUCTURE:
        number = CALLS
    elif c.kind in FAILURE and not context.suspect.root.errors:
        number = ERRORS
    elif c.kind is CauseKind.MESSAGING_DELAY:
        number = WAITED
    else:
        return False
    a, b = _sides([c.pair], context, number)
    sign = 1 if b > a else -1
    values = [sign * v for v in series(recent.samples, recent.paths([c.pair]), number)]
    if onset(values, _floor(number, context.options), context.options):
        return False  # usual by now, but it began at some moment
    if number == WAITED:
        return max(a, b) <= norms.limit([c.pair], WAITED)
    if not norms.usual_calls(c.pair, min(a, b), max(a, b), number):
        return False
    if norms.odd and c.claimed_ns >= context.options.cause_share * abs(context.attribution.delta_ns):
        return False  # requests that do it are slow as well: it may be why
    pairs = _claimed(c, context)
    limit = norms.limit(pairs) if pairs else 0
    return max(_sides(pairs, context, EXPOSED)) <= limit


def _claimed(c: Candidate, context: Context) -> list[Pair]:
    return [context.share_of[pair].pair for pair, claim in c.claims.items() if claim]


def _floor(number: int, options: CompareOptions) -> float:
    """Return by how much a number must rise to matter: times jitter, a count changes by one at least."""
    return {EXPOSED: options.group_noise_ns, WAITED: options.queue_delay_floor_ns}.get(number, HALF_A_CALL)


def _sides(pairs: list[Pair], context: Context, number: int) -> tuple[int, int]:
    """Return one number of some pairs, summed up, in the baseline and in the suspect."""
    if number == WAITED:
        waits = [(queue_wait(p.baseline, context.baseline), queue_wait(p.suspect, context.suspect)) for p in pairs]
        return sum(a for a, _ in waits), sum(b for _, b in waits)
    sides = [(context.share_of[id(pair)].baseline, context.share_of[id(pair)].suspect) for pair in pairs]
    name = MEASURES[number]
    return sum(getattr(a, name) for a, _ in sides), sum(getattr(b, name) for _, b in sides)


def standing(c: Candidate, recent: Recent, context: Context, kind: VerdictKind) -> Standing | None:
    """Place both traces in what a candidate is about; None where reduced traces do not tell."""
    number, pairs = EXPOSED, _claimed(c, context)
    if c.kind in FAILURE:
        number, pairs = ERRORS, [c.pair]
    elif c.kind in COUNTED:
        number, pairs = CALLS, [c.pair]
    elif c.kind is CauseKind.MESSAGING_DELAY:
        number, pairs = WAITED, [c.pair]
    a, b = _sides(pairs, context, number)
    if not pairs or a == b:
        return None
    paths = recent.paths(pairs)
    sign = 1 if b > a else -1  # calls that are gone are a rise of what is missing
    values = [sign * v for v in series(recent.samples, paths, number)]
    floor, one_sided = _floor(number, context.options), kind in ONE_SIDED
    rise = onset(values, floor, context.options, sign * b) if one_sided and recent.usual else None
    before = recent.samples[: rise.index] if rise else []
    calm = before if len(before) >= context.options.population_min else recent.usual
    spread = Spread.of(series(calm or recent.samples, paths, number))
    return Standing(
        measure=MEASURES[number],
        usual=usual(spread),
        baseline=a,
        suspect=b,
        baseline_percentile=round(spread.rank(a), 1),
        suspect_percentile=round(spread.rank(b), 1),
        recurrence=_recurrence(values, (sign * a, sign * b), floor, rise, recent, context) if one_sided else None,
    )


def _recurrence(
    values: list[int], sides: tuple[int, int], floor: float, rise: Onset | None, recent: Recent, context: Context
) -> Recurrence | None:
    """Count the requests that show what the suspect shows; None when that is nothing out of the ordinary."""
    options, samples, (a, b) = context.options, recent.samples, sides
    if not recent.usual:  # A is from before all of them
        return _counted(sum(v >= a + options.recurrence_part * (b - a) for v in values), len(values), options)
    if rise is not None:
        if b <= rise.limit:
            return None
        moment = samples[rise.index].started_at_ns
        counted = _counted(rise.above, rise.after, options)
        return structs.replace(counted, since=timestamp(moment), since_ns=moment)
    limit = ordinary(values, floor, options, b)
    if b <= limit:
        return None
    above, after = (
        sum(v > limit for v in values),
        sum(s.started_at_ns > context.suspect.tree.origin_ns for s in samples),
    )
    missing = options.onset_traces - len(values) if above else options.population_min - after
    if missing > 0:
        return Recurrence(
            kind=RecurrenceKind.UNSETTLED, above=above, of=len(values), needed=missing, after_suspect=not above
        )
    return _counted(above, len(values), options)


def _counted(above: int, of: int, options: CompareOptions) -> Recurrence:
    kind = RecurrenceKind.INTERMITTENT if above else RecurrenceKind.ONCE
    if above >= options.consistent_share * of:
        kind = RecurrenceKind.CONSISTENT
    return Recurrence(kind=kind, above=above, of=of)


def view(recent: Recent, first: Standing | None, context: Context) -> PopulationView:
    """Say what the population says of both; `first`: the standing of the first cause."""
    a, b = context.baseline.tree.response_ns, context.suspect.tree.response_ns
    spread = recent.response
    found = medoid(recent.usual or recent.samples, recent.root, context.options)
    recurrence = first.recurrence if first is not None else None
    settled = recurrence is not None and recurrence.kind is not RecurrenceKind.UNSETTLED
    return PopulationView(
        traces=len(recent.samples),
        usual_traces=len(recent.usual),
        response=usual(spread),
        baseline_percentile=round(spread.rank(a), 1),
        suspect_percentile=round(spread.rank(b), 1),
        baseline_typical=recent.typical(a),
        suspect_typical=recent.typical(b),
        typical_trace_id=found.trace_id if found is not None else "",
        first_started_at=timestamp(recent.samples[0].started_at_ns),
        last_started_at=timestamp(recent.samples[-1].started_at_ns),
        change=recent.change,
        changed_at=timestamp(recent.samples[recent.changed].started_at_ns) if recent.change else "",
        consistent=recurrence.kind is RecurrenceKind.CONSISTENT if recurrence is not None and settled else None,
        recurrence=recurrence,
    )


def usual(spread: Spread) -> Usual:
    """Return median, spread and tail as whole numbers."""
    return Usual(p50=spread.at(50), mad=round(spread.mad), p95=spread.at(95), p99=spread.at(99))


def group_usual(pair: Pair, norms: Norms) -> GroupUsual | None:
    """Return what is usual for one group; None when no request of the population has it."""
    if not norms.known([pair]):
        return None
    return GroupUsual(
        exposed_ns=usual(norms.spread([pair])),
        calls=usual(norms.spread([pair], CALLS)),
        presence=round(norms.presence(pair), 4),
    )
