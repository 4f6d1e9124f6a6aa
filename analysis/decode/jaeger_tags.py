"""Tags of Jaeger JSON: read, looked at and forgotten; read again for the few spans that a comparison talks about.

Tags are most of a trace. What becomes garbage at once never leaves the processor's caches, so reading them twice where
needed costs half of what keeping all of them does. Spans of one operation send the same names in the same order: where
the few stand that every comparison needs is found once per list of names (`Layout`), not by a dict per span.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import Raw, Struct

from analysis.semconv import HTTP_STATUS
from analysis.shape import Reading

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.model import Attributes, AttributeValue
else:
    # Jaeger's own values are plain; what is nested deeper than this is refused, so that nothing has to dig for it.
    _Plain = str | bool | int | float | None
    _Listed = _Plain | list[_Plain] | dict[str, _Plain]
    AttributeValue = _Plain | list[_Listed] | dict[str, _Listed]

NO_TAGS = Raw(b"null")

_KIND, _ERROR, _STATUS, _MESSAGE = "span.kind", "error", "otel.status_code", "otel.status_description"
_FIELDS = (_KIND, _ERROR, _STATUS, _MESSAGE)  # tags that are fields of a span
_TRUE = (True, "true")


class Tag(Struct, gc=False):
    """One tag; its type is told by JSON itself."""

    key: str
    value: AttributeValue = None


read_tags = msgspec.json.Decoder(list[Tag] | None).decode


class UnreadTags(Struct, frozen=True, gc=False):
    """A span's tags as they stand in the body."""

    raw: Raw
    names: frozenset[str]

    def read(self) -> Attributes:
        """Return those that are no field of the model."""
        attributes = as_attributes(read_tags(self.raw))
        for name in _FIELDS:
            attributes.pop(name, None)
        return attributes


def as_attributes(tags: Sequence[Tag] | None) -> Attributes:
    """Return tags by name; of two with one name the later."""
    return {tag.key: tag.value for tag in tags} if tags else {}


class Layout:
    """What one list of tag names says of every span that has it."""

    __slots__ = ("_error", "_message", "_status", "has_outcome", "http_status", "kind", "names", "reading")

    def __init__(self, names: tuple[str, ...]) -> None:
        at = {name: number for number, name in enumerate(names)}
        self.names = frozenset(names).difference(_FIELDS)
        self.kind = at.get(_KIND)
        self.reading = Reading(names)
        self.http_status = [at[name] for name in HTTP_STATUS if name in at]
        self._error, self._status, self._message = at.get(_ERROR), at.get(_STATUS), at.get(_MESSAGE)
        self.has_outcome = any(name in at for name in (_ERROR, _STATUS, _MESSAGE))

    def outcome(self, values: Sequence[AttributeValue]) -> tuple[bool, str]:
        """Return whether the span failed, and what it says about that."""
        error, status, message = (
            values[at] if at is not None else None for at in (self._error, self._status, self._message)
        )
        failed = status == "ERROR" or (error in _TRUE and status != "OK")
        return failed, "" if message is None or message == "-" else str(message)

    def answered(self, values: Sequence[AttributeValue]) -> str:
        """Return the HTTP status code."""
        for at in self.http_status:
            value = values[at]
            if value is not None and value != "":
                return str(value)
        return ""
