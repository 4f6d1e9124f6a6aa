"""Making any text literal Markdown."""

from __future__ import annotations

import re

_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+!|<>~@:-])")
_LINE_START = re.compile(r"^(\d+)([.)])")


def escape(text: str) -> str:
    """Make any text literal Markdown on one line."""
    text = _SPECIAL.sub(r"\\\1", " ".join(text.split()))
    return _LINE_START.sub(r"\1\\\2", text)
