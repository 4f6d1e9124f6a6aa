"""Whether a body is all of what was sent, told without decoding it.

Some servers and proxies end an answer in the middle without a sign of it: no length was promised. JSON is scanned where
that is soon done; of a long one the last character has to do, which others wait for less. Protobuf says the length of
each of its outermost fields.

    JSON       {"data":[{"traceID":"4bf9     the end comes before the last brace
    protobuf   0a 9c 83 02 | 0a b1 ...       33,180 bytes follow, or the body is cut off
"""

from __future__ import annotations

import msgspec

SCANNED_BYTES = 256 * 1024  # 0.5 ms
_TAIL = 64
_FIXED = {1: 8, 5: 4}  # bytes of protobuf's fields of one size, by how they are written
_VARINT, _SIZED = 0, 2  # its others


def is_json(body: bytes) -> bool:
    """Tell whether a body is JSON, and else protobuf, by how it begins."""
    return body[:64].lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"[")


def broken_off(body: bytes) -> bool:
    """Tell whether a body ends in the middle. What is neither JSON nor protobuf does not."""
    if not is_json(body):
        return bool(body[:_TAIL].strip()) and _end_of_fields(body) > len(body)
    if len(body) > SCANNED_BYTES:
        return body[-_TAIL:].rstrip()[-1:] not in (b"}", b"]")
    try:
        msgspec.json.decode(body, type=msgspec.Raw)
    except (msgspec.DecodeError, RecursionError) as error:
        return "truncated" in str(error)
    return False


def _end_of_fields(body: bytes) -> int:
    """Return where the outermost fields end, or would if the rest of the last one had come."""
    at = 0
    while at < len(body):
        tag, at = _varint(body, at)
        kind = tag & 7
        if kind not in (_VARINT, _SIZED, *_FIXED):
            return 0
        number, at = (0, at + _FIXED[kind]) if kind in _FIXED else _varint(body, at)
        at += number if kind == _SIZED else 0
    return at


def _varint(body: bytes, at: int) -> tuple[int, int]:
    """Read a number, seven bits a byte; returns it and where it ends, or would."""
    number = shift = 0
    while at < len(body):
        byte, at = body[at], at + 1
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return number, at
    return number, at + 1
