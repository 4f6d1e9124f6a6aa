"""Slack's limits, in one table, and a check of a message against them.

Slack answers a message that is too large with an error and shows nothing, so every message is measured before
it is sent. Sources: docs.slack.dev/reference/block-kit; the cumulative limit is undocumented (about 13,000
characters), hence the budget below it.
"""

from __future__ import annotations

import json
from typing import Any

BLOCKS = 50
TEXT = 4_000  # chat.update refuses longer notification text
CUMULATIVE_TEXT = 8_000  # budget for all text in the blocks of one message
CUMULATIVE_JSON = 12_000
SECTION_TEXT = 3_000
HEADER_TEXT = 150
CONTEXT_ELEMENTS = 10
ACTIONS_ELEMENTS = 25
BUTTON_TEXT = 75
BUTTON_VALUE = 2_000
URL = 3_000
ID = 255
ALT_TEXT = 1_000  # of an uploaded file
TABLE_ROWS = 100
TABLE_COLUMNS = 20
TABLE_TEXT = 10_000
VIEW_BLOCKS = 100
VIEW_JSON = 200_000  # Slack refuses views of more than 250,000 bytes
VIEW_TITLE = 24
VIEW_METADATA = 3_000
TEXT_KEYS = ("text", "alt_text", "title", "value")


def problems(message: dict[str, Any]) -> list[str]:
    """List what Slack would refuse in a message; empty when it would take it."""
    found = []
    text = message.get("text", "")
    blocks = message.get("blocks") or []
    if not text:
        found.append("no notification text")
    if len(text) > TEXT:
        found.append(f"notification text has {len(text)} characters")
    if len(blocks) > BLOCKS:
        found.append(f"{len(blocks)} blocks")
    for block in blocks:
        found += _block_problems(block)
    if sum(block["type"] == "table" for block in blocks) > 1:
        found.append("more than one table")
    total = sum(len(piece) for piece in texts(blocks))
    if total > CUMULATIVE_TEXT:
        found.append(f"{total} characters in blocks")
    size = len(json.dumps(blocks, ensure_ascii=False))
    if size > CUMULATIVE_JSON:
        found.append(f"blocks are {size} characters of JSON")
    return found


def view_problems(view: dict[str, Any]) -> list[str]:
    """List what Slack would refuse in a modal or a home tab; empty when it would take it."""
    found = []
    blocks = view.get("blocks") or []
    if not 1 <= len(blocks) <= VIEW_BLOCKS:
        found.append(f"{len(blocks)} blocks")
    for block in blocks:
        found += _block_problems(block)
        if block["type"] == "table":
            found.append("a table, which views do not show")
    if any(len(view[name]["text"]) > VIEW_TITLE for name in ("title", "close", "submit") if name in view):
        found.append("title or button length")
    if len(view.get("private_metadata") or "") > VIEW_METADATA:
        found.append("metadata length")
    size = len(json.dumps(view))  # as it is sent: what is not ASCII takes six bytes
    if size > VIEW_JSON:
        found.append(f"view is {size} characters of JSON")
    return found


def texts(node: Any) -> list[str]:
    """Collect every text that a block shows."""
    if isinstance(node, dict):
        found = [value for key, value in node.items() if key in TEXT_KEYS and isinstance(value, str)]
        return found + [text for value in node.values() for text in texts(value)]
    return [text for item in node for text in texts(item)] if isinstance(node, list) else []


def _block_problems(block: dict[str, Any]) -> list[str]:
    kind = block["type"]
    found = []
    if kind == "section" and not 1 <= len(block["text"]["text"]) <= SECTION_TEXT:
        found.append("section text length")
    if kind == "header" and not 1 <= len(block["text"]["text"]) <= HEADER_TEXT:
        found.append("header text length")
    if kind == "context" and not 1 <= len(block["elements"]) <= CONTEXT_ELEMENTS:
        found.append("context elements")
    if kind == "actions":
        found += _actions_problems(block["elements"])
    if kind == "table":
        found += _table_problems(block["rows"])
    if kind == "rich_text" and any(
        element.get("type") == "text" and not element["text"] for part in block["elements"] for element in _leaves(part)
    ):
        found.append("empty rich text")
    return found


def _leaves(part: dict[str, Any]) -> list[dict[str, Any]]:
    if "elements" not in part:
        return [part]
    return [leaf for element in part["elements"] for leaf in _leaves(element)]


def _actions_problems(elements: list[dict[str, Any]]) -> list[str]:
    found = []
    if not 1 <= len(elements) <= ACTIONS_ELEMENTS:
        found.append("number of actions")
    for element in elements:
        if element["type"] == "button":
            if len(element["text"]["text"]) > BUTTON_TEXT:
                found.append("button text length")
            if len(element.get("value", "")) > BUTTON_VALUE or len(element.get("url", "")) > URL:
                found.append("button value or url length")
        if len(element["action_id"]) > ID:
            found.append("action_id length")
    return found


def _table_problems(rows: list[list[dict[str, Any]]]) -> list[str]:
    found = []
    if not 1 <= len(rows) <= TABLE_ROWS or any(not 1 <= len(row) <= TABLE_COLUMNS for row in rows):
        found.append("table size")
    if any(cell["type"] == "raw_text" and not cell["text"] for row in rows for cell in row):
        found.append("empty table cell")
    if sum(len(text) for text in texts(rows)) > TABLE_TEXT:
        found.append("table text length")
    return found
