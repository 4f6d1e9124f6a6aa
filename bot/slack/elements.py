"""Building blocks of messages: plain dicts in Slack's shapes, literal text only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct

from bot.slack.limits import BUTTON_TEXT, URL
from bot.slack.text import clean

if TYPE_CHECKING:
    from collections.abc import Sequence

Element = dict[str, Any]
Block = dict[str, Any]


class Message(Struct, frozen=True, kw_only=True):
    """One message: notification text, blocks, and blocks to fall back to when Slack refuses the first ones."""

    text: str
    blocks: list[Block]
    plain_blocks: list[Block] | None = None


class File(Struct, frozen=True, kw_only=True):
    """A file to share: its name is its own in all of Slack, `alt_text` says in words what a picture shows."""

    name: str
    title: str
    body: bytes
    alt_text: str = ""


def text(value: str, *, bold: bool = False, code: bool = False, width: int = 300) -> Element:
    """Return literal text inside rich text."""
    element: Element = {"type": "text", "text": clean(value, width) or "-"}
    return _styled(element, bold=bold, code=code)


def space(value: str) -> Element:
    """Return our own separator text, spaces kept."""
    return {"type": "text", "text": value}


def link(value: str, url: str | None, *, bold: bool = False, code: bool = False, width: int = 200) -> Element:
    """Return a link, or literal text when there is nowhere to link to."""
    if not url or len(url) > URL:
        return text(value, bold=bold, code=code, width=width)
    return _styled({"type": "link", "url": url, "text": clean(value, width) or "-"}, bold=bold, code=code)


def _styled(element: Element, *, bold: bool, code: bool) -> Element:
    style = {name: True for name, on in (("bold", bold), ("code", code)) if on}
    if style:
        element["style"] = style
    return element


def emoji(name: str) -> Element:
    """Return an emoji inside rich text."""
    return {"type": "emoji", "name": name}


def channel(channel_id: str) -> Element:
    """Return a channel, which Slack names to those who may see it."""
    return {"type": "channel", "channel_id": channel_id}


def section(*elements: Element) -> Element:
    """Return one paragraph of rich text."""
    return {"type": "rich_text_section", "elements": list(elements)}


def bullets(items: Sequence[Sequence[Element]], style: str = "bullet") -> Element:
    """Return a list; `style` is "bullet" or "ordered"."""
    return {"type": "rich_text_list", "style": style, "elements": [section(*item) for item in items]}


def preformatted(value: str) -> Element:
    """Return text in a fixed-width box, line breaks kept; `value` is already clean."""
    return {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": value}]}


def rich(*parts: Element) -> Block:
    """Return a rich text block; each paragraph begins a line."""
    joined: list[Element] = []
    for part in parts:
        # Paragraphs that follow each other become one: not every client starts a line for the second.
        if joined and part["type"] == joined[-1]["type"] == "rich_text_section":
            joined[-1] = section(*joined[-1]["elements"], space("\n"), *part["elements"])
        else:
            joined.append(part)
    return {"type": "rich_text", "elements": joined}


def context(*lines: str) -> Block:
    """Return a line of small print."""
    return {
        "type": "context",
        "elements": [{"type": "plain_text", "text": clean(line, 400), "emoji": False} for line in lines if line],
    }


def actions(*buttons: Element | None) -> list[Block]:
    """Return a row of buttons; no row when there is none."""
    present = [button for button in buttons if button is not None]
    return [{"type": "actions", "elements": present}] if present else []


def open_button(label: str, url: str | None, action_id: str) -> Element | None:
    """Return a button that opens a page, or None without a page."""
    if not url or len(url) > URL:
        return None
    return {"type": "button", "text": _label(label), "url": url, "action_id": action_id}


def button(label: str, action_id: str, value: str) -> Element:
    """Return a button that comes back to us."""
    return {"type": "button", "text": _label(label), "action_id": action_id, "value": value}


def _label(label: str) -> Element:
    return {"type": "plain_text", "text": clean(label, BUTTON_TEXT), "emoji": False}


def cell(value: str, *, bold: bool = False, url: str | None = None) -> Element:
    """Return a table cell."""
    if bold or url:
        return rich(section(link(value, url, bold=bold, width=80)))
    return {"type": "raw_text", "text": clean(value, 80) or "-"}
