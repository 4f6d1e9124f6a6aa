"""Differences of attributes: what the two sides of a slow operation say about themselves that is not the same.

Most attributes differ between any two requests (ids, ports, thread names) and mean nothing. Told are:

- where it ran: instance, host, zone;
- how much it handled: body sizes, rows, batch sizes, when they grew at least twofold;
- how it was set: flags, variants, cache hits, configuration, by the names the conventions give them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from analysis import semconv
from analysis.operation_key import template

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analysis.align import Pair
    from analysis.findings.base import Context
    from analysis.model import Span
    from analysis.profile import CallGroup, Profile

GROWTH = 2.0  # sizes below this factor vary with every request
SPANS = 50  # spans of one side looked at
MOST = 4  # differences told for one operation

PLACES = (("instance", semconv.POD), ("host", semconv.HOST), ("zone", semconv.ZONE))
_SIZE = re.compile(
    r"(?:body\.size|content_length|content[-_]length|payload|bytes|row(?:s|_count)|returned_rows|affected_rows|"
    r"batch(?:\.|_)?(?:size|message_count)|message\.size|items?(?:\.|_)count|result(?:s|_count)|args_length|size)$",
    re.IGNORECASE,
)
_SETTING = re.compile(
    r"feature[_.]?flag|(?:^|[._])(?:flag|flags|variant|experiment|config|configuration|mode|strategy|canary|isolation|"
    r"cache[._](?:hit|status|result)|hit|plan|tier|timeout|pool[._](?:size|max)|consistency)(?:$|[._])",
    re.IGNORECASE,
)
_VOLATILE = re.compile(r"(?:^|[._-])(?:id|uuid|key|port|address|time|timestamp|date)$", re.IGNORECASE)


def differences(pair: Pair, context: Context) -> list[str]:
    """Say what differs between the two sides of a pair, most telling first; bounded."""
    a, b = _spans(pair.baseline, context.baseline), _spans(pair.suspect, context.suspect)
    if not a or not b:
        return []
    return [*_settings(a, b), *_sizes(a, b), *_places(a, b)][:MOST]


def _spans(groups: list[CallGroup], side: Profile) -> list[Span]:
    chosen = [i for group in groups for i in group.spans[:SPANS]][:SPANS]
    return [side.tree.spans[i] for i in chosen]


def _places(a: list[Span], b: list[Span]) -> Iterator[str]:
    for name, attributes in PLACES:
        one, two = ({semconv.first(s.resource.attributes, attributes) for s in spans} - {""} for spans in (a, b))
        if one and two and not one & two:
            yield f"{name}: {_list(one)} in A, {_list(two)} in B"


def _settings(a: list[Span], b: list[Span]) -> Iterator[str]:
    for key in _shared_keys(a, b):
        if not _SETTING.search(key) or _VOLATILE.search(key):
            continue
        one, two = ({str(s.attributes[key]) for s in spans if key in s.attributes} for spans in (a, b))
        if not one & two and {template(v) for v in one} != {template(v) for v in two}:
            yield f"{key}: {_list(one)} in A, {_list(two)} in B"


def _sizes(a: list[Span], b: list[Span]) -> Iterator[str]:
    for key in _shared_keys(a, b):
        if not _SIZE.search(key):
            continue
        one, two = (max((_number(s.attributes.get(key)) for s in spans), default=0) for spans in (a, b))
        if one > 0 and two > 0 and max(one, two) >= GROWTH * min(one, two):
            yield f"{key}: {one:,} in A, {two:,} in B"


def _shared_keys(a: list[Span], b: list[Span]) -> list[str]:
    one = {key for span in a for key in span.attributes}
    return sorted(one & {key for span in b for key in span.attributes})


def _number(value: object) -> int:
    if isinstance(value, bool):
        return 0
    if isinstance(value, (int, float)) and abs(value) < 1e18:
        return int(value)
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 18 else 0


def _list(values: set[str]) -> str:
    shown = sorted(values)
    return ", ".join(value[:60] for value in shown[:2]) + (" ..." if len(shown) > 2 else "")
