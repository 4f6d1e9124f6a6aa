"""The full report: two files, and its beginning as a message where files cannot be shared. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis import render_text
from analysis.format import short_id
from bot.slack import elements as el
from bot.slack.elements import File, Message
from bot.slack.messages.root import notification
from bot.slack.text import visible

if TYPE_CHECKING:
    from analysis import Comparison

TEXT = 6_000  # characters of the report in a message
WIDTH = 110  # characters of a line
PIECE = 2_800  # characters of one box


def files(comparison: Comparison, key: str, markdown: bytes, json: bytes) -> list[File]:
    """Return the report for people and for programs; `key` names the answer."""
    a, b = short_id(comparison.baseline.trace_id), short_id(comparison.suspect.trace_id)
    name = f"compare-{a}-{b}-{key}"
    return [
        File(name=f"{name}.md", title=f"A {a}, B {b}: report", body=markdown),
        File(name=f"{name}.json", title=f"A {a}, B {b}: report as JSON", body=json),
    ]


def caption(*, whole: bool) -> str:
    """Return what stands above the files."""
    said = "The full report, as Markdown and as JSON."
    return (
        said if whole else f"{said} The JSON goes without the smallest groups of spans, of which there are very many."
    )


def excerpt(comparison: Comparison, *, forbidden: bool) -> Message:
    """Return the report as a message; `forbidden`: files need a right that was not given."""
    lines = [visible(line)[:WIDTH].rstrip() for line in render_text(comparison).splitlines()]
    boxes: list[list[str]] = [[]]
    shown = size = 0
    for line in lines:
        if size + len(line) + 1 > TEXT:
            break
        if sum(len(it) + 1 for it in boxes[-1]) + len(line) + 1 > PIECE:
            boxes.append([])
        boxes[-1].append(line)
        size += len(line) + 1
        shown += 1
    why = "I may not share files here (files:write)" if forbidden else "Slack did not take the files"
    rest = "" if shown == len(lines) else f"; these are its first {shown} of {len(lines)} lines, Details has the rest"
    said = f"{why}, so this is the report as text{rest}."
    shown_boxes = [el.rich(el.preformatted("\n".join(box))) for box in boxes if any(box)]
    return Message(text=f"{said} {notification(comparison)}", blocks=[el.rich(el.section(el.text(said))), *shown_boxes])
