"""What a population says about two requests, in words: one line on both, two on a cause.

B is slower than all 60 recent requests; A is typical (43rd percentile)
usually 12.0 ms, 95th percentile 20.1 ms; A 11.2 ms (40th percentile), B 412 ms (beyond all)
intermittent since 14:31:05 UTC: 9 of the 30 requests from then on show it
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from analysis.comparison import RecurrenceKind
from analysis.format import count, duration

if TYPE_CHECKING:
    from analysis.comparison import Cause, Comparison, PopulationView, Recurrence, Standing


def population_line(comparison: Comparison) -> str:
    """Say where both requests lie among recent ones; "" without a population."""
    view = comparison.population
    if view is None:
        return ""
    a, b = view.baseline_percentile, view.suspect_percentile
    if not view.usual_traces:
        return f"all {view.traces} recent requests are from after A and slower than it; B is {_among(b)} of them"
    them = _requests(view, comparison)
    if view.baseline_typical and view.suspect_typical:
        return f"both are typical of {them} (A {_ordinal(a)}, B {_ordinal(b)} percentile)"
    first, second = ("B", view.suspect_typical, b), ("A", view.baseline_typical, a)
    if view.suspect_typical:
        first, second = second, first
    letter, _, rank = first
    return f"{letter} is {_beyond(rank, them, view.usual_traces)}; {_briefly(*second)}"


def _requests(view: PopulationView, comparison: Comparison) -> str:
    if not view.change:
        return f"{view.traces} recent requests"
    when = _moment(view.changed_at, comparison)
    return f"{view.usual_traces} requests {'from before' if view.change == 'slower' else 'since'} {when}"


def _briefly(letter: str, typical: bool, rank: float) -> str:  # noqa: FBT001 - the fields of one side, in order
    return f"{letter} is {_among(rank)}" if typical else f"{letter} is {_beyond(rank, 'them', 0)}"


def _among(rank: float) -> str:
    return f"typical ({_ordinal(rank)} percentile)"


def _beyond(rank: float, them: str, number: int) -> str:
    word, part = ("slower", rank) if rank >= 50 else ("faster", 100 - rank)
    if part == 100:
        return f"{word} than all{' of' if not number else ''} {them}"
    return f"{word} than {int(part)} % of {them}"


def _ordinal(rank: float) -> str:
    number = round(rank)
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def standing_lines(cause: Cause, comparison: Comparison) -> list[str]:
    """Say what is usual for a cause, and whether recent requests show it too; [] when the population does not tell."""
    known = cause.population
    if known is None:
        return []
    say = duration if known.measure.endswith("_ns") else partial(_counted, noun=known.measure.removesuffix("s"))
    usual = f"usually {say(known.usual.p50)}"
    if known.usual.p95 != known.usual.p50:
        usual += f", 95th percentile {say(known.usual.p95)}"
    a = f"A {say(known.baseline)} ({_place(known.baseline_percentile)})"
    b = f"B {say(known.suspect)} ({_place(known.suspect_percentile)})"
    lines = [f"{usual}; {a}, {b}"]
    return [*lines, recurrence_line(known, comparison)] if known.recurrence is not None else lines


def _counted(number: int, noun: str) -> str:
    return count(number, noun) if number else f"no {noun}"


def _place(rank: float) -> str:
    return "beyond all" if rank == 100 else "below all" if rank == 0 else f"{_ordinal(rank)} percentile"


def recurrence_line(standing: Standing | None, comparison: Comparison) -> str:
    """Say whether other requests show a cause too, since when, or what would settle it; "" when that is not known."""
    found = standing.recurrence if standing is not None else None
    if found is None:
        return ""
    match found.kind:
        case RecurrenceKind.ONCE:
            return f"none of {count(found.of, 'recent request')} shows it: so far only B does"
        case RecurrenceKind.UNSETTLED:
            return _unsettled(found)
        case _ if found.since:
            since = _moment(found.since, comparison)
            return f"{found.kind.value} since {since}: {found.above} of the {found.of} requests from then on show it"
        case RecurrenceKind.CONSISTENT:
            return f"consistent: {_of(found)}"
        case _:
            return f"intermittent: {_of(found)}, at any time"


def _unsettled(found: Recurrence) -> str:
    more = count(found.needed, "more trace")
    if found.after_suspect:
        return f"none of {count(found.of, 'other request')} shows it; {more} from after B would tell whether it goes on"
    return f"{_of(found)}; {more} would tell since when"


def _of(found: Recurrence) -> str:
    return f"{found.above} of {count(found.of, 'recent request')} {'shows' if found.above == 1 else 'show'} it"


def _moment(timestamp: str, comparison: Comparison) -> str:
    """Say a moment without its date when that is the suspect's own."""
    day, _, time = timestamp[:19].partition("T")
    return f"{time} UTC" if comparison.suspect.started_at.startswith(day) else f"{day} {time} UTC"
