"""Differences of attributes: what the two sides of an operation say about themselves that is not the same.

Most attributes differ between any two requests (ids, ports, thread names) and mean nothing. Told are:

- how it was set: flags, variants, modes, configuration, by the names the conventions give them;
- what came of it: hits of a cache, marks of a response, which nobody has set;
- how much it handled: body sizes, rows, batch sizes, when they grew at least twofold;
- how long it says it waited: for a connection, a lock, a place in a queue;
- where it ran: instance, host, zone.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from msgspec import Struct

from analysis import semconv
from analysis.findings.base import once
from analysis.operation_key import template

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analysis.align import Pair
    from analysis.findings.base import Context
    from analysis.model import Attributes, Resource, Span
    from analysis.profile import CallGroup, Profile

SPANS = 50  # spans of one side looked at
WIDTH = 60  # characters of one value told
MOST = 4  # differences told for one operation

PLACES = (("zone", semconv.ZONE), ("host", semconv.HOST), ("instance", semconv.POD))
_SIZE = re.compile(
    r"(?:body\.size|content_length|content[-_]length|payload|bytes|row(?:s|_count)|returned_rows|affected_rows|"
    r"batch(?:\.|_)?(?:size|message_count)|message\.size|items?(?:\.|_)count|result(?:s|_count)|args_length|size)$",
    re.IGNORECASE,
)
_REQUEST = re.compile(r"(?:^|[._])(?:request|req|input|args|batch|params?|query|send|sent)(?:[._]|$)", re.IGNORECASE)
_SETTING = re.compile(
    r"feature[_.]?flag|(?:^|[._])(?:flag|flags|variant|experiment|config|configuration|mode|strategy|canary|isolation|"
    r"plan|tier|timeout|pool[._](?:size|max)|consistency)(?:$|[._])",
    re.IGNORECASE,
)
_OUTCOME = re.compile(r"(?:^|[._])(?:hit|cache[._](?:status|result)|response[._]flags?)(?:$|[._])", re.IGNORECASE)
_WAIT = re.compile(
    r"(?:wait|wait[._]time|queue[._]time|queued|acquire|acquire[._]time|blocked|lock[._]time)"
    r"(?P<unit>[._]?(?:ns|us|micros|ms|millis|s|sec|seconds))?$",
    re.IGNORECASE,
)
_NS = {
    "ns": 1, "us": 1_000, "micros": 1_000, "ms": 1_000_000, "millis": 1_000_000, "s": 1_000_000_000,
    "sec": 1_000_000_000, "seconds": 1_000_000_000,
}  # fmt: skip
_VOLATILE = re.compile(r"(?:^|[._-])(?:id|uuid|key|port|address|time|timestamp|date)$", re.IGNORECASE)


class Difference(Struct, frozen=True):
    """One attribute that is not the same on both sides, in words."""

    name: str
    baseline: str
    suspect: str

    @property
    def outcome(self) -> bool:
        """Tell whether it is what came of an operation, as against how that was set."""
        return _OUTCOME.search(self.name) is not None

    @property
    def text(self) -> str:
        """Say it: "rows: 40 in A, 9,000 in B"."""
        return f"{self.name}: {self.baseline} in A, {self.suspect} in B"


class Size(Struct, frozen=True):
    """How much was handled on each side: bytes, rows or items, by the attribute's name."""

    name: str
    baseline: int
    suspect: int

    @property
    def of_request(self) -> bool:
        """Tell whether it was what the operation got, as against what it gave."""
        return _REQUEST.search(self.name) is not None

    @property
    def text(self) -> str:
        """Say it like a `Difference`."""
        return f"{self.name}: {self.baseline:,} in A, {self.suspect:,} in B"


def differences(pair: Pair, context: Context) -> list[str]:
    """Say what differs between the two sides of a pair, most telling first; bounded."""
    told = [difference.text for difference in settings(pair, context)]
    told += [size.text for size in sizes(pair, context)]
    told += [difference.text for difference in places(pair, context)]
    return told[:MOST]


def settings(pair: Pair, context: Context) -> list[Difference]:
    """List settings (flags, variants, modes) and outcomes of a pair's spans whose values have nothing in common."""
    if not _telling(context.baseline.names).has_settings or not _telling(context.suspect.names).has_settings:
        return []
    a, b = _told(pair, context)
    return _unlike(a.settings, b.settings, context)


def process_settings(a: list[Resource], b: list[Resource], context: Context) -> list[Difference]:
    """List settings that processes report of themselves, those whose values have nothing in common."""
    one, two = ([resource.attributes for resource in side] for side in (a, b))
    names = _telling(frozenset().union(*one, *two)).settings
    return _unlike(_gathered(one, names), _gathered(two, names), context)


def sizes(pair: Pair, context: Context) -> list[Size]:
    """List sizes that differ at least twofold, the largest of each side."""
    if not _telling(context.baseline.names).sizes or not _telling(context.suspect.names).sizes:
        return []
    one, two = (told.sizes for told in _told(pair, context))
    ratio = context.options.size_ratio
    return [
        Size(key, one[key], two[key])
        for key in sorted(one.keys() & two.keys())
        if one[key] > 0 and two[key] > 0 and max(one[key], two[key]) >= ratio * min(one[key], two[key])
    ]


def waits(pair: Pair, context: Context) -> tuple[dict[str, int], dict[str, int]]:
    """Return what waiting (ns) the spans of both sides state in attributes with a unit, summed up by attribute."""
    if not _telling(context.suspect.names).waits:
        return {}, {}
    a, b = _told(pair, context)
    return a.waits, b.waits


def places(pair: Pair, context: Context) -> list[Difference]:
    """List where the operation ran when no place is common to both sides: zone, host, instance."""
    a, b = _spans(pair.baseline, context.baseline), _spans(pair.suspect, context.suspect)
    return process_places([span.resource for span in a], [span.resource for span in b], context)


def process_places(a: list[Resource], b: list[Resource], context: Context) -> list[Difference]:
    """List where processes run when no place is common to both sides, the widest first."""
    one, two = ({id(resource): resource.attributes for resource in side}.values() for side in (a, b))
    found = []
    for name, attributes in PLACES:
        here, there = ({semconv.first(process, attributes) for process in side} - {""} for side in (one, two))
        if here and there and not here & there:
            found.append(Difference(name, listed(here, context), listed(there, context)))
    return found


def processes(side: Profile) -> dict[str, list[Resource]]:
    """List the distinct processes of one side by service."""
    found: dict[str, list[Resource]] = {}
    for resource in side.resources:
        found.setdefault(resource.service, []).append(resource)
    return found


def listed(values: set[str], context: Context, name: str = "") -> str:
    """Say some values, those of the attribute `name` if it has one, bounded."""
    shown = sorted(values)
    return ", ".join(context.brief(value, WIDTH, name) for value in shown[:2]) + (" ..." if len(shown) > 2 else "")


def _shape(value: str) -> str:
    """Return what of a setting matters: a number itself, of a text what does not vary."""
    return value if len(value) < 18 and value.replace(".", "", 1).isdigit() else template(value)


def _spans(groups: Iterable[CallGroup], side: Profile) -> list[Span]:
    chosen = [i for group in groups for i in group.spans[:SPANS]][:SPANS]
    return [side.tree.spans[i] for i in chosen]


class Telling(Struct, frozen=True):
    """Which attributes of a trace tell something, by their names; most of a trace's spans have none of them."""

    settings: frozenset[str]
    sizes: frozenset[str]
    waits: dict[str, int]  # length of the unit (ns) by name
    flags: bool  # evaluations of feature flags are recorded
    names: frozenset[str]  # of all these

    @property
    def has_settings(self) -> bool:
        """Tell whether there are settings of any sort."""
        return bool(self.settings) or self.flags


@lru_cache(maxsize=8)  # the traces and services of one comparison; asked for every pair of it
def _telling(names: frozenset[str]) -> Telling:
    waits = {
        name: found["unit"].lstrip("._").lower() for name in names if (found := _WAIT.search(name)) if found["unit"]
    }
    settings = frozenset(
        name for name in names if (_SETTING.search(name) or _OUTCOME.search(name)) and not _VOLATILE.search(name)
    )
    sizes = frozenset(name for name in names if _SIZE.search(name))
    return Telling(
        settings=settings,
        sizes=sizes,
        waits={name: _NS[unit] for name, unit in waits.items()},
        flags=not names.isdisjoint(semconv.FLAG_KEY),
        names=settings | sizes | waits.keys(),
    )


class Told(Struct, frozen=True):
    """What some spans of one side say of themselves, by name."""

    settings: dict[str, set[str]]
    sizes: dict[str, int]  # the largest
    waits: dict[str, int]  # summed up (ns)


@once
def _all_told(_: Context) -> dict[int, tuple[Told, Told]]:
    """Keep what was read, by id(pair): attributes are read anew at each access, and several findings look at them."""
    return {}


def _told(pair: Pair, context: Context) -> tuple[Told, Told]:
    known = _all_told(context)
    if id(pair) not in known:
        known[id(pair)] = (
            _read(_spans(pair.baseline, context.baseline), _telling(context.baseline.names)),
            _read(_spans(pair.suspect, context.suspect), _telling(context.suspect.names)),
        )
    return known[id(pair)]


def _read(spans: list[Span], telling: Telling) -> Told:
    told = Told({}, {}, {})
    for span in spans:
        attributes = span.attributes if not span.names.isdisjoint(telling.names) else {}
        for name in telling.names & attributes.keys():
            value = attributes[name]
            if name in telling.settings:
                told.settings.setdefault(name, set()).add(str(value))
            if name in telling.sizes:
                told.sizes[name] = max(int(_real(value)), told.sizes.get(name, 0))
            if name in telling.waits:
                told.waits[name] = told.waits.get(name, 0) + int(_real(value) * telling.waits[name])
        for event in span.events if telling.flags else ():
            # An evaluation names its flag in one attribute and its outcome in another.
            flag = semconv.first(event.attributes, semconv.FLAG_KEY)
            if flag:
                variant = semconv.first(event.attributes, semconv.FLAG_VARIANT)
                told.settings.setdefault(f"feature_flag {flag}", set()).add(variant)
    return told


def _gathered(bags: Iterable[Attributes], names: frozenset[str]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for bag in bags:
        for key in names & bag.keys():
            found.setdefault(key, set()).add(str(bag[key]))
    return found


def _unlike(a: dict[str, set[str]], b: dict[str, set[str]], context: Context) -> list[Difference]:
    return [
        Difference(key, listed(a[key], context, key), listed(b[key], context, key))
        for key in sorted(a.keys() & b.keys())
        if not a[key] & b[key] and set(map(_shape, a[key])) != set(map(_shape, b[key]))
    ]


def _real(value: object) -> float:
    """Read a number that may be sent as text; 0 when it is none."""
    if isinstance(value, bool):
        return 0
    if isinstance(value, str) and len(value) < 18 and value.isascii() and value.replace(".", "", 1).isdigit():
        value = float(value)
    return value if isinstance(value, (int, float)) and abs(value) < 1e18 else 0
