"""What a window of requests looks like, and which of its requests are worth opening."""

from __future__ import annotations

from statistics import fmean
from typing import TYPE_CHECKING

from analysis.fleet.causes import series
from analysis.fleet.result import Change, Exemplar, FleetWindow, Measure, PathShare
from analysis.format import timestamp
from analysis.population.spread import Spread
from analysis.population.typical import ABSENT, medoid

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analysis.fleet.causes import Group
    from analysis.fleet.window import Window
    from analysis.fleet.words import Labels
    from analysis.options import CompareOptions
    from analysis.population import Sample


def glance(window: Window, others: int, options: CompareOptions) -> FleetWindow:
    """Sum up a window; `others`: traces of other operations that came with it."""
    samples = window.samples
    spread = Spread.of(s.response_ns for s in samples) if samples else None
    typical = medoid(samples, window.root, options)
    worst = max(samples, key=lambda s: (s.response_ns, s.trace_id), default=None)
    return FleetWindow(
        traces=len(samples),
        left_out=window.left_out + others,
        partial=sum(s.partial for s in samples),
        failing=sum(s.groups.get(window.root, ABSENT)[2] > 0 for s in samples),
        first_started_at=timestamp(samples[0].started_at_ns) if samples else "",
        last_started_at=timestamp(samples[-1].started_at_ns) if samples else "",
        median_ns=spread.at(50) if spread is not None else 0,
        p95_ns=spread.at(95) if spread is not None else 0,
        p99_ns=spread.at(99) if spread is not None else 0,
        typical=_exemplar(typical, ()) if typical is not None else None,
        worst=_exemplar(worst, ()) if worst is not None else None,
    )


def showing(group: Group, change: Change, windows: tuple[Window, Window]) -> tuple[list[bool], list[bool]]:
    """Tell which requests of both windows show a change: those above its limit."""
    claimed = group.claims if change.measure is Measure.EXPOSED else group.claims[:1]
    numbers = series(windows, claimed, change.measure)
    return [n > change.limit for n in numbers.baseline], [n > change.limit for n in numbers.suspect]


def exemplars(group: Group, window: Window, shown: list[bool]) -> tuple[Exemplar, Exemplar]:
    """Return the typical and the worst of the requests that show a change, by the time that it takes them."""

    def order(sample: Sample) -> tuple[int, int, str]:
        return _exposed(sample, group.claims), sample.response_ns, sample.trace_id

    found = sorted((sample for sample, is_shown in zip(window.samples, shown, strict=True) if is_shown), key=order)
    return _exemplar(found[len(found) // 2], group.claims), _exemplar(found[-1], group.claims)


def paths(windows: tuple[Window, Window], changed: set[str], labels: Labels) -> tuple[PathShare, ...]:
    """List all groups of spans by the change of their exposed time; over all groups it sums to the whole."""
    every = sorted({path for window in windows for sample in window.samples for path in sample.groups})
    made = [(path, _share(path, windows, changed, labels)) for path in every]
    made.sort(key=lambda m: (-abs(m[1].delta_ns), -m[1].suspect_exposed_ns - m[1].baseline_exposed_ns, m[0]))
    return tuple(one for _, one in made)


def _share(path: str, windows: tuple[Window, Window], changed: set[str], labels: Labels) -> PathShare:
    name = labels.name(path)
    (time_a, calls_a, errors_a), (time_b, calls_b, errors_b) = (
        tuple(fmean(column) for column in zip(*(_numbers(s, path) for s in window.samples), strict=True))
        for window in windows
    )
    return PathShare(
        path=labels.path(path),
        service=name.service,
        operation=name.operation,
        kind=name.kind.value,
        detail=name.detail,
        baseline_exposed_ns=round(time_a, 1),
        suspect_exposed_ns=round(time_b, 1),
        delta_ns=round(time_b - time_a, 1),
        baseline_calls=round(calls_a, 4),
        suspect_calls=round(calls_b, 4),
        baseline_errors=round(errors_a, 4),
        suspect_errors=round(errors_b, 4),
        changed=path in changed,
    )


def _numbers(sample: Sample, path: str) -> tuple[int, int, int]:
    exposed, calls, errors = sample.groups.get(path, ABSENT)[:3]
    return exposed, calls, int(errors > 0)


def _exposed(sample: Sample, claims: Iterable[str]) -> int:
    return sum(sample.groups.get(path, ABSENT)[0] for path in claims)


def _exemplar(sample: Sample, claims: tuple[str, ...]) -> Exemplar:
    return Exemplar(trace_id=sample.trace_id, response_ns=sample.response_ns, exposed_ns=_exposed(sample, claims))
