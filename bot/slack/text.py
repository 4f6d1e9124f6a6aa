"""Making any text safe to show in Slack.

Trace data is hostile: span names can hold mentions, links, control characters and right-to-left overrides.
Untrusted text goes only into literal places (rich_text, raw_text, plain_text), cleaned; where Slack insists on
mrkdwn or notification text, it is escaped as well, so that no mention or link can be formed.
"""

from __future__ import annotations

import unicodedata

from analysis.format import shorten

ELLIPSIS = "…"
_INVISIBLE = frozenset(
    [*range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070), 0x00AD, 0x061C, 0x180E, 0xFEFF]
)
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def clean(text: str, width: int = 300) -> str:
    """Make untrusted text one visible line of at most `width` characters, for literal places."""
    return shorten(_visible(text[: width * 8]), width)


def _visible(text: str) -> str:
    return "".join(
        " " if unicodedata.category(char) in ("Cc", "Zl", "Zp") else char
        for char in text
        if ord(char) not in _INVISIBLE and unicodedata.category(char) != "Cs"
    )


def escaped(text: str, width: int = 300) -> str:
    """Make untrusted text safe for mrkdwn and for notification text: cleaned, then escaped, never cut after."""
    return clean(text, width).translate(_ESCAPES)
