"""Causes: which changed groups of spans explain the others.

Exposed time belongs to one group alone, so a slow query lengthens no caller. Calls and errors do spread:

    GET /cart            fails in 4 %     symptom: the error comes from below
      GET catalog/item   fails in 4 %     symptom
        SELECT           fails in 4 %     cause: the deepest group whose errors explain those above

    GET /cart
      GET catalog/item   3 calls, not 1   cause: the highest group whose calls changed by themselves
        SELECT           3 calls, not 1   symptom: still one per call of its caller; its time is the cause's
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from analysis.fleet.change import Series, ask, changes
from analysis.fleet.result import Change, Measure
from analysis.population.typical import ABSENT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analysis.fleet.window import PathName, Window
    from analysis.options import CompareOptions

NUMBERS = {Measure.EXPOSED: 0, Measure.CALLS: 1, Measure.ERRORS: 2}  # of a sample's group
MOST_OF = 0.5  # of a caller's errors that a callee must have to explain them


Told = dict[tuple[str, Measure], Change]


class Group(Struct, frozen=True):
    """What changed about one group of spans, and the groups (itself first) whose time is counted as its own."""

    path: str
    claims: tuple[str, ...]
    time: Change | None
    calls: Change | None
    errors: Change | None
    symptoms: tuple[str, ...] = ()  # call paths whose changes it explains

    @property
    def leading(self) -> Change:
        """The change by which requests that show it are told from others: of the time where there is one."""
        return next(change for change in (self.time, self.errors, self.calls) if change is not None)

    @property
    def time_delta(self) -> float:
        """The change (ns) of the mean response time that it makes."""
        return self.time.mean_delta if self.time is not None else 0.0


class Answers(Struct, frozen=True):
    """What changed at all: the response time, and groups of spans that nothing else explains."""

    response: Change | None
    groups: list[Group]
    questions: int


def series(windows: tuple[Window, Window], paths: Iterable[str], measure: Measure) -> Series:
    """Return one number of every request of both windows, summed over some call paths."""
    number, wanted = NUMBERS[measure], tuple(paths)
    a, b = (
        tuple(sum(sample.groups.get(path, ABSENT)[number] for path in wanted) for sample in window.samples)
        for window in windows
    )
    return Series(measure, a, b)


def answers(
    windows: tuple[Window, Window], names: dict[str, PathName], response_ns: float, options: CompareOptions
) -> Answers:
    """Ask about the response time and about every group, and fold into their causes the changes that follow."""
    paths = sorted({path for window in windows for sample in window.samples for path in sample.groups})
    response = Series(Measure.RESPONSE, *(tuple(s.response_ns for s in window.samples) for window in windows))
    asked = [(path, tested) for path in paths for measure in NUMBERS
             if (tested := ask(series(windows, (path,), measure), options)) is not None]  # fmt: skip
    whole = ask(response, options)
    if whole is not None:
        asked.append(("", whole))
    told = {
        (path, tested.series.measure): change
        for (path, tested), change in zip(
            asked, changes([tested for _, tested in asked], response_ns, options), strict=True
        )
        if change is not None
    }
    explaining = _explaining(told, names, options)
    return Answers(
        response=told.get(("", Measure.RESPONSE)),
        groups=[_group(path, explaining, told, windows, len(asked), response_ns, options)
                for path in sorted(explaining) if explaining[path] == path],
        questions=len(asked),
    )  # fmt: skip


def _explaining(told: Told, names: dict[str, PathName], options: CompareOptions) -> dict[str, str]:
    """Return for every changed call path the one whose change explains it; itself when none does."""
    found: dict[str, str] = {}
    for path, measure in told:
        if not path or path in found:
            continue
        if (path, Measure.CALLS) in told:
            found[path] = _caller(path, told, names, options)
        elif measure is Measure.ERRORS and (path, Measure.EXPOSED) not in told:
            found[path] = _callee(path, told, names)
        else:
            found[path] = path
    return {path: found.get(cause, cause) for path, cause in found.items()}


def _caller(path: str, told: Told, names: dict[str, PathName], options: CompareOptions) -> str:
    """Climb as long as the caller's calls changed as well, and each of them makes as many calls as before."""
    while True:
        parent = names[path].parent if path in names else ""
        mine, other = told.get((path, Measure.CALLS)), told.get((parent, Measure.CALLS))
        if mine is None or other is None or (mine.mean_delta > 0) != (other.mean_delta > 0):
            return path
        if other.baseline_mean and other.suspect_mean:
            before, after = mine.baseline_mean / other.baseline_mean, mine.suspect_mean / other.suspect_mean
            if abs(after - before) > options.fleet_same_calls * max(after, before):
                return path
        path = parent


def _callee(path: str, told: Told, names: dict[str, PathName]) -> str:
    """Return the deepest call below whose errors grew (or fell) by most of what this one's did."""
    delta = _growth(told[path, Measure.ERRORS])
    below = [
        (len(_callers(other, names)), other)
        for (other, measure), change in told.items()
        if measure is Measure.ERRORS
        and path in _callers(other, names)
        and _growth(change) * delta >= MOST_OF * delta * delta
    ]
    return max(below)[1] if below else path


def _growth(errors: Change) -> float:
    return errors.suspect_above - errors.baseline_above


def _callers(path: str, names: dict[str, PathName]) -> list[str]:
    found = []
    while path in names and names[path].parent:
        path = names[path].parent
        found.append(path)
    return found


def _group(
    path: str,
    explaining: dict[str, str],
    told: Told,
    windows: tuple[Window, Window],
    questions: int,
    response_ns: float,
    options: CompareOptions,
) -> Group:
    explained = [other for other, cause in sorted(explaining.items()) if cause == path and other != path]
    claims = (path, *(other for other in explained if (other, Measure.CALLS) in told))
    time = told.get((path, Measure.EXPOSED))
    if len(claims) > 1:
        asked = ask(series(windows, claims, Measure.EXPOSED), options)
        # As probable by chance as if it had been asked among all others.
        time = changes([asked.times(questions)], response_ns, options)[0] if asked is not None else None
    return Group(
        path=path,
        claims=claims,
        time=time,
        calls=told.get((path, Measure.CALLS)),
        errors=told.get((path, Measure.ERRORS)),
        symptoms=tuple(explained),
    )
