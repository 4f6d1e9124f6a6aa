"""Two windows of requests instead of two traces, in one screen.

traces -> window --+
                   +-> every number asked -> changes -> causes -> verdict
traces -> window --+                                      +----> which values go with the slow requests
"""

from __future__ import annotations

from statistics import fmean
from typing import TYPE_CHECKING

from msgspec import structs

from analysis.comparison import Confidence, Verdict, VerdictKind
from analysis.fleet import words
from analysis.fleet.causes import Answers, Group, answers
from analysis.fleet.glance import exemplars, glance, paths, showing
from analysis.fleet.ranks import shift
from analysis.fleet.recurring import fingerprint
from analysis.fleet.result import SCHEMA_VERSION, Affected, FleetCause, FleetComparison, FleetWindow, Separator
from analysis.fleet.separators import Requests, scopes, separators
from analysis.fleet.verdict import Case, judge, kind_of, ranked
from analysis.fleet.window import Window, gather
from analysis.fleet.words import Labels
from analysis.format import count
from analysis.notes import Note, Severity
from analysis.options import DEFAULTS, CompareOptions
from analysis.population.spread import percentile
from analysis.redact import Redactor

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analysis.fleet.window import PathName
    from analysis.model import Trace
    from analysis.population import Population


TELLS_MORE = 2  # times as much as about slow requests a value must tell about the window to be named for that


def compare_fleets(
    baseline: Iterable[Trace] | Population,
    suspect: Iterable[Trace] | Population,
    options: CompareOptions = DEFAULTS,
) -> FleetComparison:
    """Compare the requests of two windows of time (or of two versions, zones, ...) and explain the difference.

    Of traces of several operations, those of the one that both windows have most of are compared. A stored
    population has no names and no attributes: what only it knows is named by its call path. Never raises for
    decoded traces; what cannot be judged becomes a verdict or a note.
    """
    sides = gather(baseline, options), gather(suspect, options)
    common = [root for root in sides[0] if root in sides[1]]
    if not common:
        return _not_comparable(sides, options)
    root = max(common, key=lambda r: (min(len(side[r].samples) for side in sides), r))
    left_out = tuple(sum(len(w.samples) + w.left_out for r, w in side.items() if r != root) for side in sides)
    return compare_windows((sides[0][root], sides[1][root]), (left_out[0], left_out[1]), options)


def compare_windows(
    windows: tuple[Window, Window], left_out: tuple[int, int] = (0, 0), options: CompareOptions = DEFAULTS
) -> FleetComparison:
    """Compare two windows of one root operation. `left_out`: traces of each that are of another one."""
    labels = Labels(_names(windows), Redactor(options.secret_names, options.secret_patterns))
    root = windows[0].root
    glances = (glance(windows[0], left_out[0], options), glance(windows[1], left_out[1], options))
    label = f"{labels.name(root).service} {labels.name(root).operation}".strip() or "an operation without a name"
    if verdict := _unjudged(windows, glances, label, options):
        return _result(verdict, root, labels, glances, windows)
    times = tuple(sorted(s.response_ns for s in window.samples) for window in windows)
    found = answers(windows, labels.names, min(percentile(side, 50) for side in times), options)
    case = Case(
        root=label,
        windows=glances,
        found=found,
        moved=shift(times[0], times[1]),
        mean_delta=fmean(times[1]) - fmean(times[0]),
    )
    kind = kind_of(found)
    groups = ranked(found, kind)[: options.max_causes]
    verdict = judge(case, kind, groups, labels, options)
    causes = tuple(_cause(rank, g, case, kind, windows, labels, options) for rank, g in enumerate(groups, 1))
    return _result(verdict, root, labels, glances, windows, found, causes, options)


def _names(windows: tuple[Window, Window]) -> dict[str, PathName]:
    names = dict(windows[0].names)
    for path, name in windows[1].names.items():
        if path not in names or name.operation < names[path].operation:
            names[path] = name
    return names


def _unjudged(
    windows: tuple[Window, Window], glances: tuple[FleetWindow, FleetWindow], label: str, options: CompareOptions
) -> Verdict | None:
    """Say why two windows need no judging, or cannot be judged; None when they can."""
    for letter, seen in zip("AB", glances, strict=True):
        if (missing := options.fleet_min - seen.traces) > 0:
            return _plain(
                VerdictKind.NOT_COMPARABLE,
                f"window {letter} has {count(seen.traces, 'trace')} of {label}: {missing} more are needed to tell "
                "a change from chance",
            )
    if windows[0].samples == windows[1].samples:
        return _plain(VerdictKind.IDENTICAL, f"both windows hold the same {count(glances[0].traces, 'trace')}")
    return None


def _plain(kind: VerdictKind, reason: str) -> Verdict:
    headline = f"not comparable: {reason}" if kind is VerdictKind.NOT_COMPARABLE else reason
    return Verdict(kind=kind, confidence=Confidence.HIGH, headline=headline, reasons=(reason,))


def _not_comparable(sides: tuple[dict[str, Window], dict[str, Window]], options: CompareOptions) -> FleetComparison:
    """Say that two windows have no operation in common."""
    empty = Window("", (), {}, {})
    most = tuple(max(side.values(), key=lambda w: (len(w.samples), w.root), default=empty) for side in sides)
    redactor = Redactor(options.secret_names, options.secret_patterns)
    labels = Labels(_names((most[0], most[1])), redactor)
    others = tuple(
        sum(len(w.samples) + w.left_out for w in side.values() if w is not one)
        for side, one in zip(sides, most, strict=True)
    )
    said = [
        f"window {letter} has "
        + (f"{count(len(one.samples), 'trace')} of {labels(one.root)}" if one.root else "no trace")
        for letter, one in zip("AB", most, strict=True)
    ]
    verdict = _plain(VerdictKind.NOT_COMPARABLE, "; ".join(said))
    glances = glance(most[0], others[0], options), glance(most[1], others[1], options)
    return _result(verdict, most[0].root or most[1].root, labels, glances, (most[0], most[1]))


def _result(
    verdict: Verdict,
    root: str,
    labels: Labels,
    glances: tuple[FleetWindow, FleetWindow],
    windows: tuple[Window, Window],
    found: Answers | None = None,
    causes: tuple[FleetCause, ...] = (),
    options: CompareOptions = DEFAULTS,
) -> FleetComparison:
    changed = {path for g in found.groups for path in (*g.claims, *g.symptoms)} if found is not None else set()
    name = labels.name(root) if root else None
    return FleetComparison(
        schema_version=SCHEMA_VERSION,
        verdict=verdict,
        service=name.service if name is not None else "",
        operation=name.operation if name is not None else "",
        baseline=glances[0],
        suspect=glances[1],
        response_time=found.response if found is not None else None,
        causes=causes,
        paths=paths(windows, changed, labels)[: options.fleet_paths] if found is not None else (),
        notes=_notes(windows, glances),
    )


def _cause(
    rank: int,
    group: Group,
    case: Case,
    kind: VerdictKind,
    windows: tuple[Window, Window],
    labels: Labels,
    options: CompareOptions,
) -> FleetCause:
    name = labels.name(group.path)
    change = group.leading
    slow = showing(group, change, windows)
    more = 1 if change.suspect_above >= change.baseline_above else 0
    told, asked = _separators(group, slow, more, windows, labels, options)
    typical, worst = exemplars(group, windows[more], slow[more])
    timed = group.time is not None and case.mean_delta and case.found.response is not None
    return FleetCause(
        rank=rank,
        path=labels.path(group.path),
        service=name.service,
        operation=name.operation,
        kind=name.kind.value,
        detail=name.detail,
        summary=words.summary(group, labels(group.path)),
        share=round(group.time_delta / case.mean_delta, 4) if timed else 0.0,
        time=group.time,
        calls=group.calls,
        errors=group.errors,
        separators=told,
        values_asked=asked,
        symptoms=tuple(labels(path) for path in group.symptoms),
        typical=typical,
        worst=worst,
        fingerprint=fingerprint(group, kind, windows, labels.names),
    )


def _separators(
    group: Group,
    slow: tuple[list[bool], list[bool]],
    more: int,
    windows: tuple[Window, Window],
    labels: Labels,
    options: CompareOptions,
) -> tuple[tuple[Separator, ...], int]:
    """Ask which values go with the requests that show a change; `more`: the window that has more of them."""
    values = [window.values.get(sample.trace_id, {}) for window in windows for sample in window.samples]
    paths = scopes(group.path, labels.names)
    told, asked = separators(Requests.of(slow), values, paths, labels, options)
    if group.leading.affected is Affected.SOME:
        return told, asked
    sizes = [len(window.samples) for window in windows]
    of_slower = [more == 0] * sizes[0], [more == 1] * sizes[1]
    by_window, asked = separators(Requests.of(of_slower), values, paths, labels, options)
    if not by_window or (told and told[0].information * TELLS_MORE >= by_window[0].information):
        return told, asked
    return tuple(structs.replace(one, by_window=True) for one in by_window), asked


def _notes(windows: tuple[Window, Window], glances: tuple[FleetWindow, FleetWindow]) -> tuple[Note, ...]:
    """Say what of the windows weakens the answer."""
    notes = []
    for letter, seen, window in zip("AB", glances, windows, strict=True):
        if seen.left_out:
            text = f"window {letter}: {count(seen.left_out, 'trace')} left out: another operation, repeated, or older"
            notes.append(Note(code="traces-left-out", severity=Severity.INFO, count=1, text=text))
        if seen.partial:
            text = f"window {letter}: spans are missing in {count(seen.partial, 'trace')}"
            notes.append(Note(code="partial-traces", severity=Severity.WARNING, count=1, text=text))
        if window.samples and not window.names:
            text = f"window {letter} is a stored population: it has no names and no attributes"
            notes.append(Note(code="no-attributes", severity=Severity.INFO, count=1, text=text))
    ids = [{sample.trace_id for sample in window.samples} for window in windows]
    if both := len(ids[0] & ids[1]):
        text = f"{count(both, 'trace')} in both windows: they hide a part of any difference"
        notes.append(Note(code="traces-in-both", severity=Severity.WARNING, count=1, text=text))
    return tuple(notes)
