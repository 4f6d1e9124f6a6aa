"""A Slack message of any kind, flattened: passages of plain text, each with its links and the part it came from.

Other programs write these messages, so anything may stand anywhere. Whatever has the wrong type is passed over;
depth, parts and characters are bounded, and what lies beyond the bounds is not read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from bot.alerts.mrkdwn import MAX_URL, Link, plain, unescape, whole

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MAX_CHARACTERS = 100_000  # of all texts together; Slack itself cuts a text at 40,000
MAX_TEXT = 40_000  # of one text
MAX_PARTS = 3_000  # objects and lists that are looked into
MAX_CELL = 2_000  # of one piece of a table's cell
MAX_DEPTH = 16
MAX_LINKS = 300

Origin = Literal["text", "title", "field", "block", "button", "fallback", "footer", "metadata", "file"]

_INLINE = frozenset({"rich_text_section", "rich_text_preformatted", "rich_text_quote"})
_NESTED = (
    "title", "text", "subtitle", "body", "fields", "elements", "accessory", "rows", "actions", "blocks", "child_blocks",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of text that people read in one go."""

    text: str
    origin: Origin
    links: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """A flattened message.

    `sender` is every name the sender has, in lower case; `ts`, in Unix seconds, is when it was posted, or, for a
    message that forwards another, when that one was. The preview of a link has no say in the title.
    """

    passages: tuple[Passage, ...]
    title: str
    title_url: str
    footer: str
    colour: str
    sender: str
    from_bot: bool
    ts: int | None

    def links(self) -> Iterator[Link]:
        """Every link, in order."""
        for passage in self.passages:
            yield from passage.links


def read_content(event: Mapping[str, Any]) -> Content | None:
    """Flatten a message, or the message that an event is about; None where there is none (any more)."""
    message = event
    if _text(event, "subtype") in {"message_changed", "message_replied"}:
        message = event.get("message") or {}
    if not isinstance(message, dict) or _text(message, "subtype") in {"message_deleted", "tombstone"}:
        return None
    return _Reader().read(message)


class _Reader:
    """Collects passages within the bounds."""

    def __init__(self) -> None:
        self._passages: dict[tuple[str, tuple[Link, ...]], Passage] = {}
        self._characters = MAX_CHARACTERS
        self._parts = MAX_PARTS
        self._links = MAX_LINKS
        self._ts: int | None = None
        self._title = self._title_url = self._footer = self._colour = self._header = ""

    def read(self, message: dict[str, Any]) -> Content:
        self._say(message.get("text"), "text")
        self._attachments(message.get("attachments"), 0)
        self._block(message.get("blocks"), 0)
        for file in self._items(message.get("files")):
            self._say(file.get("title"), "file")
        metadata = message.get("metadata")
        self._payload(metadata.get("event_payload") if isinstance(metadata, dict) else None, "", 0)
        profile = message.get("bot_profile")
        profile = profile if isinstance(profile, dict) else {}
        passages = tuple(self._passages.values())
        title, title_url = self._headline(passages)
        return Content(
            passages=passages, title=title[:300], title_url=title_url, footer=self._footer, colour=self._colour,
            sender=" ".join((_text(message, "username"), _text(profile, "name"))).lower().strip(),
            from_bot=bool(_text(message, "bot_id") or profile or _text(message, "subtype") == "bot_message"),
            ts=self._ts or _seconds(message.get("ts")),
        )  # fmt: skip

    def _headline(self, passages: tuple[Passage, ...]) -> tuple[str, str]:
        """An attachment's title, else a header, else the first line that says something."""
        if self._title:
            return self._title, self._title_url
        for passage in passages:
            line = next(filter(None, (line.replace("*", "").strip(" _~`>") for line in passage.text.splitlines())), "")
            if line and passage.origin in {"text", "block", "field"}:
                url = passage.links[0].url if passage.links else ""
                return (self._header or line), url
        return self._header, ""

    def _say(self, text: Any, origin: Origin, prefix: str = "") -> str:
        """Take a text in, and return it as plain text."""
        if not isinstance(text, str) or not text.strip() or self._characters <= 0:
            return ""
        kept = whole(text[: min(MAX_TEXT, self._characters)])
        self._characters -= len(kept)
        words, links = plain(kept)
        if prefix:
            links = tuple(Link(link.url, link.label, link.at + len(prefix)) for link in links)
        links = links[: self._links]
        self._add(Passage(f"{prefix}{words}", origin, links))
        return words

    def _link(self, url: Any, label: Any, origin: Origin) -> None:
        """Take a link in that is a value of its own, with the words on it."""
        if isinstance(url, str) and url[:8].lower().startswith(("http://", "https://")) and self._links > 0:
            words = label[:300] if isinstance(label, str) else ""
            self._characters -= len(url)
            self._add(Passage(whole(words), origin, (Link(unescape(whole(url[:MAX_URL])), whole(words), 0),)))

    def _add(self, passage: Passage) -> None:
        if (passage.text, passage.links) not in self._passages:
            self._links -= len(passage.links)
            self._passages[passage.text, passage.links] = passage

    def _items(self, value: Any) -> Iterator[dict[str, Any]]:
        """The objects of a list, as many as the bounds allow."""
        for item in value if isinstance(value, list) else ():
            if self._parts <= 0 or self._characters <= 0:
                return
            self._parts -= 1
            if isinstance(item, dict):
                yield item

    def _attachments(self, attachments: Any, depth: int) -> None:
        if depth > MAX_DEPTH:
            return
        for attachment in self._items(attachments):
            self._say(attachment.get("pretext"), "text")
            title = self._say(attachment.get("title"), "title")
            link = attachment.get("title_link")
            self._link(link, title, "title")
            shared = attachment.get("is_share") is True or attachment.get("is_msg_unfurl") is True
            if shared and self._ts is None:
                self._ts = _seconds(attachment.get("ts"))
            if title and not self._title and (shared or not ("from_url" in attachment or "original_url" in attachment)):
                self._title = title.strip()
                url = whole(link[:MAX_URL]) if isinstance(link, str) else ""
                self._title_url = unescape(url) if url.lower().startswith(("http://", "https://")) else ""
            self._say(attachment.get("text"), "text")
            for field in self._items(attachment.get("fields")):
                name = plain(_text(field, "title")[:200])[0].strip(" *:")
                self._say(_scalar(field.get("value")), "field", f"{name}: " if name else "")
            self._block(attachment.get("blocks"), depth + 1)
            for forwarded in self._items(attachment.get("message_blocks")):
                inner = forwarded.get("message")
                self._block(inner.get("blocks") if isinstance(inner, dict) else None, depth + 1)
            self._attachments(attachment.get("attachments"), depth + 1)
            self._block(attachment.get("actions"), depth + 1)
            self._say(attachment.get("fallback"), "fallback")
            footer = self._say(attachment.get("footer"), "footer")
            self._footer = self._footer or footer
            for name in ("author_link", "from_url", "original_url"):
                self._link(attachment.get(name), _text(attachment, "author_name"), "footer")
            self._colour = self._colour or _text(attachment, "color").lower().lstrip("#")

    def _block(self, block: Any, depth: int) -> None:
        """Read a block, an element, a text object, or a list of such."""
        if depth > MAX_DEPTH or self._parts <= 0 or self._characters <= 0:
            return
        self._parts -= 1
        if isinstance(block, str):
            self._say(block, "block")
        elif isinstance(block, list):
            for item in block:
                if self._parts <= 0:
                    return
                self._block(item, depth + 1)
        elif isinstance(block, dict):
            kind = _text(block, "type")
            if kind.startswith("rich_text"):
                self._rich(block, depth)
            elif kind == "header":
                text = block.get("text")
                said = self._say(_text(text, "text") if isinstance(text, dict) else text, "title")
                self._header = self._header or said.strip()
            elif kind in {"table", "data_table"}:
                self._table(block.get("rows"))
            elif "url" in block:
                label = block.get("text")
                self._link(block["url"], label.get("text") if isinstance(label, dict) else label, "button")
            else:
                for name in _NESTED:
                    if name in block:
                        self._block(block[name], depth + 1)

    def _rich(self, block: dict[str, Any], depth: int) -> None:
        """Read a rich text as one passage, a line per section or list item."""
        lines: list[tuple[str, list[Link]]] = []
        self._sections(block, depth, lines)
        text = ""
        links: list[Link] = []
        for words, inside in lines:
            links += [Link(link.url, link.label, link.at + len(text)) for link in inside]
            text += f"{words}\n"
        if text.strip() or links:
            self._add(Passage(text.rstrip("\n"), "block", tuple(links[: self._links])))

    def _sections(self, block: dict[str, Any], depth: int, lines: list[tuple[str, list[Link]]]) -> None:
        if depth > MAX_DEPTH:
            return
        if _text(block, "type") in _INLINE:
            lines.append(self._inline(block.get("elements")))
            return
        for element in self._items(block.get("elements")):
            self._sections(element, depth + 1, lines)

    def _inline(self, elements: Any) -> tuple[str, list[Link]]:
        """Join the pieces of a rich text's line; its links carry no brackets, its texts no escapes."""
        pieces: list[str] = []
        links: list[Link] = []
        length = 0
        for element in self._items(elements):
            words = _text(element, "text")[: min(MAX_TEXT, self._characters)]
            url = _text(element, "url")
            kind = _text(element, "type")
            self._characters -= len(words) + len(url)
            if kind == "link" and url.lower().startswith(("http://", "https://")):
                words = "" if words.lower().startswith("http") else words
                links.append(Link(whole(url[:MAX_URL]), words, length))
            elif kind == "emoji":
                words = f":{_text(element, 'name')[:50]}:"
            elif kind == "date":
                words = str(_seconds(element.get("timestamp")) or "")
            else:
                words, bare = plain(words)
                links += [Link(link.url, link.label, link.at + length) for link in bare]
            pieces.append(whole(words))
            length += len(words)
        return "".join(pieces), links

    def _table(self, rows: Any) -> None:
        """Read a table's cells with the name of their column before them; the first row holds the names."""
        names: list[str] = []
        for number, row in enumerate(rows if isinstance(rows, list) else ()):
            cells = [_cell(cell) for cell in (row[:20] if isinstance(row, list) else ())]
            self._parts -= 1 + len(cells)
            if self._parts <= 0:
                return
            if number == 0:
                names = cells
                continue
            for column, cell in enumerate(cells):
                name = names[column].strip(" *:") if column < len(names) else ""
                self._say(cell, "field", f"{name}: " if name else "")

    def _payload(self, value: Any, name: str, depth: int) -> None:
        """Read the values of a message's metadata under their names."""
        if depth > MAX_DEPTH or self._parts <= 0:
            return
        self._parts -= 1
        if isinstance(value, dict):
            for key, inner in value.items():
                self._payload(inner, str(key)[:100], depth + 1)
        elif isinstance(value, list):
            for inner in value:
                self._payload(inner, name, depth + 1)
        else:
            self._say(_scalar(value), "metadata", f"{name}: " if name else "")


def _text(holder: Any, name: str) -> str:
    """Return a text of an object, "" where there is none."""
    value = holder.get(name) if isinstance(holder, dict) else None
    return value if isinstance(value, str) else ""


def _scalar(value: Any) -> Any:
    """A number may stand where a text is expected."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e30 else value


def _cell(cell: Any) -> str:
    """Return a table cell's text: raw, or the pieces of its rich text."""
    if not isinstance(cell, dict):
        return ""
    if isinstance(cell.get("text"), str):
        return str(cell["text"])
    pieces: list[str] = []
    for section in (cell.get("elements") or ())[:20] if isinstance(cell.get("elements"), list) else ():
        inner = section.get("elements") if isinstance(section, dict) else None
        for piece in inner[:50] if isinstance(inner, list) else ():
            words, url = _text(piece, "text")[:MAX_CELL], _text(piece, "url")[:MAX_URL]
            pieces.append(f"<{url}|{words}>" if url else words)
    return "".join(pieces)


def _seconds(value: Any) -> int | None:
    """Read Slack's "1795000000.000200" as Unix seconds."""
    text = _scalar(value)
    digits = text.partition(".")[0] if isinstance(text, str) else ""
    return int(digits) if digits.isascii() and digits.isdigit() and 9 <= len(digits) <= 11 else None
