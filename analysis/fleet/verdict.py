"""The verdict on two windows: one word, one sentence, and how sure we are, with the reasons.

New errors outrank times. Time is judged by the response time, and by the groups of spans where that varies too much
to show what one of them does. Where nothing is told, the reasons say what would have been seen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from analysis.comparison import Confidence, Verdict, VerdictKind
from analysis.fleet import words
from analysis.fleet.causes import Answers
from analysis.fleet.change import effect_ns
from analysis.fleet.result import Affected, FleetWindow, Shift
from analysis.fleet.tables import at_least
from analysis.format import count, duration, ratio, share

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.fleet.causes import Group
    from analysis.fleet.words import Labels
    from analysis.options import CompareOptions

CANCELLED = 0.5  # of all time won and lost: what is left of it below this share is neither slower nor faster
LEVELS = (Confidence.LOW, Confidence.MEDIUM, Confidence.HIGH)
FULL = 1_000
TAILS = 4  # questions that the shares of the largest values come to, as they repeat each other


class Case(Struct, frozen=True, kw_only=True):
    """What a verdict is made of. `moved`: the shift of the response time, whether it is told or not."""

    root: str
    windows: tuple[FleetWindow, FleetWindow]
    found: Answers
    moved: Shift
    mean_delta: float


def kind_of(found: Answers) -> VerdictKind:
    """Say in one word what changed."""
    errors = [group for group in found.groups if group.errors is not None]
    slower = _direction(found)
    if slower <= 0 and any(_grew(group) for group in errors):
        return VerdictKind.FAILING
    if any(_grew(group) and group.time is None and group.calls is None for group in errors):
        return VerdictKind.FAILING
    if slower:
        return VerdictKind.SLOWER if slower > 0 else VerdictKind.FASTER
    return VerdictKind.CHANGED if found.groups or found.response is not None else VerdictKind.NO_MEANINGFUL_DIFFERENCE


def ranked(found: Answers, kind: VerdictKind) -> list[Group]:
    """Order the causes: those of the verdict's kind first, then by the time that they make."""
    sign = -1 if kind is VerdictKind.FASTER else 1

    def order(group: Group) -> tuple[object, ...]:
        growth = group.errors.suspect_above - group.errors.baseline_above if group.errors is not None else 0.0
        failing = kind is VerdictKind.FAILING and growth > 0
        timed = kind in (VerdictKind.SLOWER, VerdictKind.FASTER) and sign * group.time_delta > 0
        return (not failing, not timed, -abs(growth) if failing else 0.0, -abs(group.time_delta), group.path)

    return sorted(found.groups, key=order)


def judge(case: Case, kind: VerdictKind, causes: Sequence[Group], labels: Labels, options: CompareOptions) -> Verdict:
    """Say what two windows come to; `causes` in their order."""
    if kind is VerdictKind.NO_MEANINGFUL_DIFFERENCE:
        confidence, reasons = _quiet(case, options)
    else:
        confidence, reasons = _told(case, kind, causes, options)
    return Verdict(
        kind=kind, confidence=confidence, headline=_headline(case, kind, causes, labels), reasons=tuple(reasons)
    )


def _grew(group: Group) -> bool:
    return group.errors is not None and group.errors.suspect_above > group.errors.baseline_above


def _direction(found: Answers) -> int:
    """Tell whether requests became slower (1) or faster (-1); 0 when neither, or as much of both."""
    if found.response is not None:
        response = found.response
        moved = response.shift.value if response.affected is Affected.ALL else response.mean_delta
        return (moved > 0) - (moved < 0)
    deltas = [group.time_delta for group in found.groups]
    net, gross = sum(deltas), sum(map(abs, deltas))
    return 0 if abs(net) <= CANCELLED * gross else (net > 0) - (net < 0)


def _headline(case: Case, kind: VerdictKind, causes: Sequence[Group], labels: Labels) -> str:
    a, b = case.windows
    times = f"median {duration(a.median_ns)} -> {duration(b.median_ns)}"
    cause = f": {words.summary(causes[0], labels(causes[0].path))}" if causes else ""
    response = case.found.response
    match kind:
        case VerdictKind.FAILING:
            return f"requests to {case.root} fail more often{cause}"
        case VerdictKind.CHANGED:
            return f"requests to {case.root} take about the same time ({times}) but work differently{cause}"
        case VerdictKind.SLOWER | VerdictKind.FASTER:
            if response is None:
                return f"requests to {case.root} are a little {kind.value}, less than they vary ({times}){cause}"
            if response.affected is Affected.SOME:
                part = response.suspect_above if kind is VerdictKind.SLOWER else response.baseline_above
                are = "slower" if kind is VerdictKind.SLOWER else "no longer slow"
                said = words.response(response)
                return f"{words.percent(part)} of requests to {case.root} are {are}: {said}{cause}"
            factor = ratio(response.baseline_median, response.suspect_median)
            by = duration(abs(response.shift.value))
            return f"requests to {case.root} are {by} {kind.value} ({times}, {factor}){cause}"
        case _:
            return f"no meaningful difference: requests to {case.root} take as long in both ({times})"


def _told(
    case: Case, kind: VerdictKind, causes: Sequence[Group], options: CompareOptions
) -> tuple[Confidence, list[str]]:
    """Start from what chance makes of it and lower that for every weakness."""
    level, reasons = 2, [_sample(case)]
    if not causes:
        return Confidence.LOW, [*reasons, "no group of spans changed by itself: the causes lie outside of them"]
    top = causes[0]
    p = min(change.p for change in (top.time, top.calls, top.errors) if change is not None)
    reasons.append(f"chance makes such a change in {_odds(p)}")
    if p > options.fleet_chance / 10:
        level -= 1
        reasons.append("it is close to what chance makes")
    if kind in (VerdictKind.SLOWER, VerdictKind.FASTER):
        whole = case.mean_delta
        explained = sum(group.time_delta for group in causes if group.time_delta * whole > 0)
        if case.found.response is None:
            level -= 1
            reasons.append("the response time as a whole varies more than this")
        elif whole:
            part = min(round(FULL * explained / whole), FULL)
            reasons.append(f"the named causes make {share(max(part, 0), FULL)} of the change of the mean response time")
            if part < options.concentrated_share * FULL:
                level -= 1
    return _weakened(case, level, reasons, options)


def _quiet(case: Case, options: CompareOptions) -> tuple[Confidence, list[str]]:
    """Say what would have been seen."""
    a, b = case.windows
    middle = max(1, min(a.median_ns, b.median_ns))
    reach = max(abs(case.moved.low), abs(case.moved.high))
    reasons = [
        _sample(case),
        f"95 % sure that the typical request changed by less than {duration(reach)} ({share(reach, middle)})",
    ]
    level = 2
    if reach > max(effect_ns(middle, middle, options), options.fleet_quiet * middle):
        level -= 1
        reasons.append("requests vary so much that a larger change could hide")
    rarest = rarest_share(a.traces, b.traces, case.found.questions, options)
    seldom = f"fewer than {words.percent(rarest)} of requests"
    reasons.append(f"what strikes {seldom}, and none before, could not be told from chance")
    return _weakened(case, level, reasons, options)


def _weakened(case: Case, level: int, reasons: list[str], options: CompareOptions) -> tuple[Confidence, list[str]]:
    if min(w.traces for w in case.windows) < options.fleet_sound:
        level -= 1
        reasons.append("few traces: one host or one customer can dominate them")
    shares = [w.partial / w.traces for w in case.windows]
    if max(shares) > options.fleet_partial:
        level -= 1
        reasons.append(
            f"spans are missing in {words.percent(shares[0])} of the traces of A, {words.percent(shares[1])} of B"
        )
    return LEVELS[max(0, level)], reasons


def _sample(case: Case) -> str:
    a, b = case.windows
    return f"{count(a.traces, 'trace')} of A against {b.traces:,} of B"


def _odds(p: float) -> str:
    if p < 1e-6:
        return "fewer than 1 of 1,000,000 comparisons"
    return f"about 1 of {round(1 / p):,} comparisons"


def rarest_share(n: int, m: int, questions: int, options: CompareOptions) -> float:
    """Return the smallest share of the suspect's requests whose slowness could be told from chance."""
    allowed = options.fleet_chance / max(1, questions) / (4 * TAILS)
    for k in range(1, m + 1):
        if at_least(k, k, m, n + m) <= allowed:
            return k / m
    return 1.0
