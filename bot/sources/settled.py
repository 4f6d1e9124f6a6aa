"""Whether a trace is whole: the backend says nothing of missing spans, and the last one ended a while ago.

What is kept must not be what a trace looked like while its spans were still on their way. Its end is read from the
bytes, without decoding them: that is done in a child process, later, and would hold up everybody here. What cannot be
read so is taken for not whole, which costs another fetch and no more.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from analysis import WireFormat
from bot.sources.wholeness import is_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.sources.base import FetchedTrace

SETTLED_S = 120  # after its last span ended: batches, queues and a backend's own lag take less
AROUND_S = 1800  # a window that reaches less far around a trace's end may have cut some of it off
SKEW_S = 86_400  # what ends later than this from now is no time of a span

_STATUS, _STATUS_PARTIAL = b'"status"', re.compile(rb'\s*:\s*(?:"PARTIAL"|"?1\b)')
_TRUNCATED = b"showing first"  # in Jaeger's warnings
_PARTIAL_PROTOBUF = re.compile(rb"\x18\x01(?:\x22|\Z)")  # field 3, status: 1; after it only field 4, why
_TAIL = 4_096  # bytes in which a TraceByIDResponse says that
_NUMBER = re.compile(rb'\s*:\s*"?(\d{1,20})')
_ENDS_PROTOBUF = re.compile(rb"\x39(?=.{8}\x41(.{8}))", re.DOTALL)  # fields 7 and 8 of a span: start and end, fixed64


def settled(trace: FetchedTrace, window: tuple[int, int] | None, now: float) -> bool:
    """Tell whether fetching a trace again would bring the same; times are unix seconds."""
    if _partial(trace):
        return False
    ended = max((end / 1e9 for end in _ends(trace) if end / 1e9 < now + SKEW_S), default=None)
    if ended is None or ended > now - SETTLED_S:
        return False
    return window is None or window[0] + AROUND_S <= ended <= window[1] - AROUND_S


def _partial(trace: FetchedTrace) -> bool:
    if is_json(trace.body):
        statuses = any(True for _ in _values(trace.body, _STATUS, _STATUS_PARTIAL))
        return statuses or _TRUNCATED in trace.body
    return trace.wire is WireFormat.TEMPO_PROTOBUF and _PARTIAL_PROTOBUF.search(trace.body[-_TAIL:]) is not None


def _ends(trace: FetchedTrace) -> Iterator[int]:
    """Yield when its spans ended, or no earlier than that; unix nanoseconds."""
    if not is_json(trace.body):
        for found in _ENDS_PROTOBUF.finditer(trace.body):
            yield int.from_bytes(found[1], "little")
    elif trace.wire is WireFormat.JAEGER_JSON:
        started = max((int(found[1]) for found in _values(trace.body, b'"startTime"', _NUMBER)), default=0)
        longest = max((int(found[1]) for found in _values(trace.body, b'"duration"', _NUMBER)), default=0)
        if started:
            yield 1_000 * (started + longest)  # microseconds, of different spans perhaps: never too early
    else:
        for found in _values(trace.body, b'"endTimeUnixNano"', _NUMBER):
            yield int(found[1])


def _values(body: bytes, name: bytes, pattern: re.Pattern[bytes]) -> Iterator[re.Match[bytes]]:
    """Yield what follows each place of a name where it matches; finding the name alone is far faster than a pattern."""
    at = body.find(name)
    while at >= 0:
        at += len(name)
        if found := pattern.match(body, at):
            yield found
        at = body.find(name, at)
