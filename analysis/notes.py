"""Notes: everything that weakens an answer, carried beside the answer and shown with it.

A stage that has to mend, skip or guess says so with a note instead of a log line, so that the person
who reads the result sees it next to the number it weakens.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class Severity(StrEnum):
    """How much a note weakens the answer."""

    INFO = "info"  # mended without doubt; nothing to worry about
    WARNING = "warning"  # the answer may be off where the note says
    SERIOUS = "serious"  # the answer rests on incomplete data; confidence drops


class Note(Struct, frozen=True, kw_only=True):
    """One remark about the data: a stable kebab-case `code`, how often it applies, and a sentence."""

    code: str
    severity: Severity
    count: int
    text: str
