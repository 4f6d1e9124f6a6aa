"""Making any text safe to show in Slack.

Trace data is hostile: span names can hold mentions, links, control characters and right-to-left overrides.
Untrusted text goes only into literal places (rich_text, raw_text, plain_text), cleaned; where Slack insists on
mrkdwn or notification text, it is escaped as well, so that no mention or link can be formed.
"""

from __future__ import annotations

import unicodedata

from analysis.format import shorten

ELLIPSIS = "…"
CHARACTERS = 20_000  # remembered at once: more than any language has in use
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_BLANKS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")  # letters by category, nothing to the eye


class _Shown(dict[int, str | None]):
    """What is shown of each character, as `str.translate` asks for it; known once it was looked up."""

    def __missing__(self, code: int) -> str | None:
        if len(self) >= CHARACTERS:
            self.clear()
        char = chr(code)
        category = unicodedata.category(char)
        if category in ("Cc", "Zl", "Zp"):
            self[code] = " "
        else:
            self[code] = None if category in ("Cf", "Cs") or char in _BLANKS else char
        return self[code]


_SHOWN = _Shown()


def clean(text: str, width: int = 300) -> str:
    """Make untrusted text one visible line of at most `width` characters, for literal places."""
    return shorten(visible(text[: width * 8]), width)


def visible(text: str) -> str:
    """Drop what has no shape of its own: directions, joiners, tags, half characters; line breaks become spaces."""
    if text.isprintable() and _BLANKS.isdisjoint(text):
        return text
    return text.translate(_SHOWN)


def escaped(text: str, width: int = 300) -> str:
    """Make untrusted text safe for notification text: cleaned and escaped, at most `width` characters in the end."""
    pieces = [_ENTITIES.get(char, char) for char in clean(text, width)]
    if sum(map(len, pieces)) <= width:
        return "".join(pieces)
    kept, size = 0, len(ELLIPSIS)
    while size + len(pieces[kept]) <= width:
        size += len(pieces[kept])
        kept += 1
    return "".join(pieces[:kept]) + ELLIPSIS  # cut between characters, never inside an entity
