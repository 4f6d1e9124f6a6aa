"""Conversions that every wire format needs: ids and enums."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated

from msgspec import Meta

from analysis.errors import DecodeError
from analysis.model import NO_SERVICE, SpanKind

KINDS: dict[object, SpanKind] = {kind.value: kind for kind in SpanKind}
KINDS.update({f"SPAN_KIND_{kind.name}": kind for kind in SpanKind})
KINDS.update(
    enumerate(
        (
            SpanKind.UNSPECIFIED,
            SpanKind.INTERNAL,
            SpanKind.SERVER,
            SpanKind.CLIENT,
            SpanKind.PRODUCER,
            SpanKind.CONSUMER,
        )
    )
)
Whole = Annotated[int, Meta(ge=-(1 << 63), le=(1 << 63) - 1)]  # a number as every wire format means it: 64 bits
MAX_SAID = 2_000  # characters of a message worth looking at
MAX_DEPTH = 32  # of attribute values: lists in maps in lists
_NUMBERED = {str(number): kind for number, kind in KINDS.items() if isinstance(number, int)}
TRACE_ID_LENGTH = 32
SPAN_ID_LENGTH = 16
_NO_SPAN = "0" * SPAN_ID_LENGTH
_HEX = frozenset("0123456789abcdefABCDEF")
_UNNAMED = ("", "missing-service-name")  # the latter is what Jaeger writes for a resource without service.name


def span_kind(value: object) -> SpanKind:
    """Read a kind in any form: 3, "3", "client", "CLIENT", "SPAN_KIND_CLIENT"."""
    if isinstance(value, str):
        return KINDS.get(value) or KINDS.get(value.lower()) or _NUMBERED.get(value, SpanKind.UNSPECIFIED)
    return KINDS.get(value, SpanKind.UNSPECIFIED) if isinstance(value, int) else SpanKind.UNSPECIFIED


def service_name(value: object) -> str:
    """Read the name of a service; what has none is called so: people read it, and its spans belong together."""
    name = str(value).strip() if value is not None else ""
    return NO_SERVICE if name in _UNNAMED else name


def hex_id(text: str, length: int) -> str:
    """Normalise an id in hex or base64 to `length` lower-case hex digits; "" stays "", all zeros mean none."""
    if len(text) == length and text.isalnum() and text == text.lower() and _HEX.issuperset(text):
        return text if text.strip("0") else ""
    if not text:
        return ""
    if len(text) <= length and _HEX.issuperset(text):
        padded = text.lower().rjust(length, "0")
        return padded if padded.strip("0") else ""
    try:
        raw = base64.b64decode(text, validate=True).hex()
    except (binascii.Error, ValueError):
        raise DecodeError(f"{text[:40]!r} is not a trace or span id") from None
    return hex_id(raw, length) if len(raw) <= length else raw[-length:]


def span_ids(texts: list[str]) -> list[str]:
    """Normalise many span ids; all at once when nothing is wrong with any, which costs a fifth of one by one."""
    joined = "".join(texts)
    whole = set(map(len, texts)) == {SPAN_ID_LENGTH} and joined.isascii() and joined.isalnum()
    if whole and joined == joined.lower() and _NO_SPAN not in texts:
        try:
            bytes.fromhex(joined)
        except ValueError:
            pass
        else:
            return texts
    return [hex_id(text, SPAN_ID_LENGTH) for text in texts]


def one_line(said: Exception | str) -> str:
    """Return an error's text, or what a server said, without line breaks and control characters, bounded."""
    return "".join(filter(str.isprintable, " ".join(str(said)[:MAX_SAID].split())))[:200]
