"""Read an answer while it arrives: bounded in size whatever it was packed into, and never for long at a time.

64 KiB of gzip may unpack to 64 MiB, and gzip within gzip to as much as one likes: what comes out is counted piece by
piece, and only what was asked for (gzip, once) is unpacked at all.
"""

from __future__ import annotations

import asyncio
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

PIECE_BYTES = 256 * 1024  # unpacked at once: the event loop turns to others in between
PLAIN = ("", "identity")
GZIP = ("gzip", "x-gzip")
_GZIP_HEADER = 16 + zlib.MAX_WBITS  # what zlib calls "expect gzip's header and checksum"


class TooMuchError(Exception):
    """The answer is larger than what may be read."""


class PackedError(Exception):
    """The answer is packed in a way that was not asked for."""


async def unpacked(chunks: AsyncIterator[bytes], coding: str, limit: int) -> bytes:
    """Return the whole unpacked body; `coding` is its Content-Encoding.

    Raises `TooMuchError` as soon as it has more than `limit` bytes, `PackedError` for a coding other than gzip, and
    `zlib.error` for one that is broken or ends in the middle.
    """
    coding = coding.strip().lower()
    if coding not in (*PLAIN, *GZIP):
        raise PackedError(coding[:40])
    body = _Body(limit)
    if coding in PLAIN:
        async for chunk in chunks:
            body.add(chunk)
    else:
        gzip = _Gzip()
        async for chunk in chunks:
            for piece in gzip.pieces(chunk):
                body.add(piece)
                await asyncio.sleep(0)
        for piece in gzip.rest():
            body.add(piece)
    return b"".join(body.parts)


class _Body:
    """What has come of a body."""

    def __init__(self, limit: int) -> None:
        self.parts: list[bytes] = []
        self._left = limit

    def add(self, piece: bytes) -> None:
        """Take a piece; raises `TooMuchError`."""
        self._left -= len(piece)
        if self._left < 0:
            raise TooMuchError
        self.parts.append(piece)


class _Gzip:
    """A gzip stream, which may consist of several, one after the other."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(_GZIP_HEADER)
        self._begun = False

    def pieces(self, chunk: bytes) -> Iterator[bytes]:
        """Unpack what a chunk holds, at most `PIECE_BYTES` at once."""
        while chunk:
            if self._stream.eof:
                self._stream = zlib.decompressobj(_GZIP_HEADER)
            self._begun = True
            yield self._stream.decompress(chunk, PIECE_BYTES)
            chunk = self._stream.unused_data if self._stream.eof else self._stream.unconsumed_tail

    def rest(self) -> Iterator[bytes]:
        """Return what is still held back; raises `zlib.error` when something is missing."""
        while self._begun and not self._stream.eof:
            piece = self._stream.decompress(b"", PIECE_BYTES)
            if not piece and not self._stream.eof:
                raise zlib.error("the gzip stream ends in the middle")
            yield piece
