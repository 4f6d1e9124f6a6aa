"""common-factor: many operations are slower, and one thing explains them with the fewest words.

    A   cart     |--|  node-1               B   cart     |--|         node-1
        catalog  |--|  node-2                   catalog  |--------|   node-2  *
        price    |--|  node-2                   price    |-------|    node-2  *
        ads      |--|  node-2                   ads      |------|     node-2  *

Asked in turn: a database or third party that the slow calls share, a version, a host, a zone. It is the factor when
nearly all of the growth lies there, most of what ran there is slower, and what ran elsewhere is as before. Two
operations are enough when they are of two services and nothing else ran there. One service by itself is
`slow-process`; a single operation needs no common factor.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from msgspec import Struct

from analysis import semconv
from analysis.align import Pair
from analysis.comparison import CauseKind
from analysis.findings.base import Candidate, Context, Tier, example, label, name_of
from analysis.findings.slow_operation import own_growth
from analysis.format import duration, share
from analysis.operation_key import template

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

CODE = "common-factor"
TITLE = "Common factor"


class Slowness(Struct, frozen=True):
    """One pair's own growth (ns) and whether it is beyond jitter."""

    pair: Pair
    growth_ns: int
    slow: bool


def find(context: Context) -> Iterable[Candidate]:
    """Yield the first factor that explains the growth of several operations."""
    if context.mirrored:
        return
    measured = []
    for its in context.attribution.shares:
        pair = its.pair
        if pair.baseline and pair.suspect and (its.baseline.exposed_ns or its.suspect.exposed_ns):
            growth = own_growth(its, context)
            measured.append(Slowness(pair, growth, growth > context.noise(its)))
    slow = [item for item in measured if item.slow]
    if len(slow) < 2:
        return
    growth = sum(item.growth_ns for item in slow)
    for word, value_of, spread in DIMENSIONS:
        where: dict[str, list[Slowness]] = defaultdict(list)
        for item in measured:
            value = value_of(item.pair, context)
            if value:
                where[value].append(item)
        for value, items in sorted(where.items()):
            if len(items) < len(measured) and _explains(items, growth, context, spread):
                yield _candidate(word, value, items, growth, context)
                return


def _explains(items: list[Slowness], growth: int, context: Context, spread: int) -> bool:
    """Tell whether nearly all `growth` (ns) lies in `items`, and most of `items` is slow."""
    options = context.options
    here = [item for item in items if item.slow]
    services = len({item.pair.key.service for item in here})
    everything = services > 1 and len(here) == len(items)
    if len(here) < options.common_groups and not everything:
        return False
    if services < spread or len(here) < options.common_spread * len(items):
        return False
    return sum(item.growth_ns for item in here) >= options.common_share * growth


def _candidate(word: str, value: str, items: list[Slowness], growth: int, context: Context) -> Candidate:
    here = sorted((item for item in items if item.slow), key=lambda item: (-item.growth_ns, item.pair.key.name))
    main = here[0].pair
    service, operation = name_of(main, context)
    services = sorted({item.pair.key.service for item in here})
    total = sum(item.growth_ns for item in here)
    baseline_ids, suspect_ids = context.span_ids(main)
    return Candidate(
        finding=CODE,
        title=TITLE,
        kind=CauseKind.SELF_TIME_INCREASE,
        tier=Tier.SHARED,
        service=service,
        operation=operation,
        peer_service=value if word == "calls to" else None,
        pair=main,
        claims={id(item.pair): item.growth_ns for item in here},
        summary=f"{len(here)} operations of {', '.join(services[:3])}{' ...' if len(services) > 3 else ''} are slower, "
        f"and what they share is {_said(word, value)}",
        evidence=[
            f"{share(total, growth)} of the growth is in {_said(word, value)}; {_spared(items)}",
            *(f"{item.pair.key.service} {label(item.pair)}: {duration(item.growth_ns)} more" for item in here),
        ],
        baseline_spans=baseline_ids,
        suspect_spans=suspect_ids,
    )


def _spared(items: list[Slowness]) -> str:
    """Say how many operations of a place are as before."""
    spared = sum(not item.slow for item in items)
    return f"{spared} of {len(items)} operations there are as before" if spared else "all that ran there is slower"


def _said(word: str, value: str) -> str:
    return f"{word} {value}"


def _peer(pair: Pair, context: Context) -> str:
    """Name what a call that shows nothing below it went to."""
    if pair.key.kind not in semconv.CALLING or pair.children:
        return ""
    span = example(pair, context)
    return template(context.clean(semconv.peer(span))) or semconv.first(span.attributes, semconv.DB_SYSTEM)


def _of_resource(names: tuple[str, ...]) -> Callable[[Pair, Context], str]:
    def value(pair: Pair, context: Context) -> str:
        return semconv.first(example(pair, context).resource.attributes, names)

    return value


# What may be shared, how to say it, and among how many services at least: a host of one service is that service.
DIMENSIONS: tuple[tuple[str, Callable[[Pair, Context], str], int], ...] = (
    ("calls to", _peer, 1),
    ("version", _of_resource(semconv.VERSION), 2),
    ("host", _of_resource(semconv.HOST), 2),
    ("zone", _of_resource(semconv.ZONE), 2),
)
