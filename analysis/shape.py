"""Shapes: what tells spans of one name apart, at the price of one substitution.

Every query is called `SELECT` and every outgoing request `GET`; statement and URL say which. Two spans of one
service, name and kind are the same operation when these differ in numbers and hex words alone:

    SELECT * FROM stock WHERE id = 4711 /* 9f8b3c2a */   ->   SELECT * FROM stock WHERE id = 0 /* 0 */

The full work (`operation_key`) is then done once per shape instead of once per span.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from analysis import semconv

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.model import Attributes, AttributeValue

_TELLING = ("db.query.text", "db.statement", "url.full", "http.url")
MAX_TEXT = 2_000  # characters of a statement that can tell two queries apart

# A word of six or more hex digits, or a number of two or more. \b[0-9a-f]{6,}\b|\d\d+ says the same in 1.25 us for a
# statement; written so that the search can skip to the next character that may begin either it takes 0.83 us, and
# 0.57 us without Unicode's idea of a word, which nearly every text can do without.
_VARYING = re.compile(r"[\da-f](?:(?<=\b[0-9a-f])[0-9a-f]{5,}\b|(?<=\d)\d+)")
_VARYING_ASCII = re.compile(_VARYING.pattern, re.ASCII)

# What else a key is made of (see `operation_key`), read where no text says which call it is. Behind a path stands a
# server, whose caller's address says nothing about the operation.
_PATH = frozenset(("url.path", "http.target", "http.route"))
_READ = _PATH | frozenset(
    (
        *(*semconv.DB_STATEMENT, *semconv.DB_SYSTEM, *semconv.DB_TABLE, *semconv.HTTP_URL, *semconv.HTTP_ROUTE),
        *("http.request.method", "http.method", "rpc.system", "rpc.system.name", "rpc.service", "rpc.method"),
        *("messaging.system", *semconv.MESSAGING_DESTINATION),
        *(*semconv.GRAPHQL_NAME, *semconv.GRAPHQL_TYPE),
    )
)
_NAMED = frozenset(("peer.service", *semconv.GRAPHQL_NAME))  # say more than any text
_READ_OF_CALLS = _READ | frozenset(semconv.PEER)


class Reading:
    """Which of some attributes make the shape of a span that has them; attributes are told by their positions."""

    __slots__ = ("relative", "telling", "whole")

    def __init__(self, names: Sequence[str]) -> None:
        at = {name: position for position, name in enumerate(names)}
        # Of the texts that tell a call from others the first that says anything, unless it is named.
        self.telling = [at[name] for name in _TELLING if name in at and _NAMED.isdisjoint(at)]
        self.relative = "http.url" in at  # may be relative: to which host?
        read = at.keys() & (_READ_OF_CALLS if at.keys().isdisjoint(_PATH) else _READ)
        self.whole = [(name, at[name]) for name in sorted(read)]


class Shapes:
    """Finds shapes and keeps one copy of each: a trace repeats the same few."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}
        self._readings: dict[tuple[str, ...], Reading] = {}

    def of(self, attributes: Attributes) -> str:
        """Return the shape of a span with these attributes."""
        names = tuple(attributes)
        reading = self._readings.get(names)
        if reading is None:
            reading = self._readings[names] = Reading(names)
        return self.read(reading, list(attributes.values()))

    def read(self, reading: Reading, values: Sequence[AttributeValue]) -> str:
        """Return the shape of a span whose attributes have these values, in the order that `reading` was made for."""
        text = ""
        for at in reading.telling:
            value = values[at]
            if value:
                text = value if isinstance(value, str) and not (reading.relative and value[0] == "/") else ""
                break
        if not text:
            # Written out: what sort of work it is and where it goes.
            text = "\n".join([f"{name} {values[at]}" for name, at in reading.whole])
        known = self._known
        shape = known.get(text)  # a text without ids is its own shape
        if shape is None:
            varying = _VARYING_ASCII if text.isascii() else _VARYING
            shape = varying.sub("0", text if len(text) <= MAX_TEXT else text[:MAX_TEXT])
            shape = known.setdefault(shape, shape)
        return shape
