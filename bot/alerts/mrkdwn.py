"""Slack's markup as plain text: links leave their label in the text and are returned with their place in it."""

from __future__ import annotations

import re
from dataclasses import dataclass

MAX_URL = 8_000  # characters; the longest links are Grafana Explore's, with a query as JSON inside

_TOKEN = re.compile(
    rf"<([^<>\n]{{1,{MAX_URL}}})>"
    r"|\[([^\[\]\n]{0,200})\]\((https?://[^\s()<>]{1,4000})\)"
    rf"|(https?://[^\s<>|\"'`]{{1,{MAX_URL}}})",
    re.IGNORECASE,
)
_URL = re.compile(r"https?://", re.IGNORECASE)
_SCHEME = re.compile(r"[a-z]{2,12}:")
_DATE = re.compile(r"!date\^(\d{9,11})\^([^{|^]{0,80})")


@dataclass(frozen=True, slots=True)
class Link:
    """A link: where it goes, what it is called, and where in the plain text it stood."""

    url: str
    label: str
    at: int


_HALF = re.compile("[\ud800-\udfff]")


def whole(text: str) -> str:
    """Replace halves of characters, which JSON can carry but nothing can store."""
    return _HALF.sub("\ufffd", text)


def unescape(text: str) -> str:
    """Undo Slack's three escapes; other entities are text (`&times` may begin a link's parameter)."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def plain(text: str) -> tuple[str, tuple[Link, ...]]:
    """Return a text without its markup, and its links.

    `<url|label>` and `[label](url)` leave the label, a bare link nothing; a date leaves its Unix seconds, a mention
    its name.
    """
    pieces: list[str] = []
    links: list[Link] = []
    length = at = 0
    for match in _TOKEN.finditer(text):
        inside, markdown_label, markdown_url, bare = match.groups()
        url, label = markdown_url or bare, markdown_label or ""
        if inside is not None:
            url, _, label = inside.partition("|")
        label = unescape(label).strip()
        if _URL.match(label):
            label = ""
        before = unescape(text[at : match.start()])
        pieces.append(before)
        length += len(before)
        at = match.end()
        if not _URL.match(url):
            label = _special(inside or "", label)
        else:
            links.append(Link(url=unescape(url if inside else url.rstrip(".,;!?)*_")), label=label, at=length))
        pieces.append(label)
        length += len(label)
    pieces.append(unescape(text[at:]))
    return "".join(pieces), tuple(links)


def _special(inside: str, label: str) -> str:
    """What to read instead of `<!date...>`, `<@U1>`, `<#C1|name>`; other angle brackets are text."""
    date = _DATE.match(inside)
    if date:
        return f"{date[2]}{date[1]}"
    if inside[:1] in {"@", "#", "!"}:
        return label or inside
    if label and _SCHEME.match(inside):
        return label  # Slack makes phone numbers of long decimals
    return f"<{unescape(inside)}>"
