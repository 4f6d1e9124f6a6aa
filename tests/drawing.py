"""Draws Slack messages as text, the way a person reads them: for golden files and for failing tests."""

from __future__ import annotations

MARKS = {"bold": "*", "code": "`"}


def draw(message: object) -> str:
    """Return a message: its notification text, then its blocks."""
    return "\n".join([f"(notification) {message.text}", *map(block, message.blocks)])


def draw_view(view: dict) -> str:
    """Return a modal or a home tab: its title, then its blocks."""
    title = [f"({view['title']['text']})"] if "title" in view else []
    return "\n".join([*title, *map(block, view["blocks"])])


def block(value: dict) -> str:
    """Return one block."""
    match value["type"]:
        case "rich_text":
            return "\n".join(map(_part, value["elements"]))
        case "context":
            return "\n".join(f"  ~ {element['text']}" for element in value["elements"])
        case "actions":
            return " ".join(f"[{element['text']['text']}]" for element in value["elements"])
        case "divider":
            return "----"
        case "table":
            return _table([[_cell(cell) for cell in row] for row in value["rows"]])
    raise ValueError(value["type"])


def _part(part: dict) -> str:
    if part["type"] == "rich_text_list":
        ordered = part["style"] == "ordered"
        items = ["".join(map(_inline, item["elements"])) for item in part["elements"]]
        return "\n".join(f"  {f'{number}.' if ordered else '-'} {item}" for number, item in enumerate(items, 1))
    return "".join(map(_inline, part["elements"]))


def _inline(element: dict) -> str:
    if element["type"] == "emoji":
        return f":{element['name']}:"
    if element["type"] == "channel":
        return f"#{element['channel_id']}"
    text = f"{element['text']} <{element['url']}>" if element["type"] == "link" else element["text"]
    for name, mark in MARKS.items():
        if element.get("style", {}).get(name):
            text = f"{mark}{text}{mark}"
    return text


def _cell(cell: dict) -> str:
    return cell["text"] if cell["type"] == "raw_text" else block(cell)


def _table(rows: list[list[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [" | ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) for row in rows]
    return "\n".join(f"| {line} |" for line in lines)
