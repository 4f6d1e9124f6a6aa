"""The full report: two files, and its beginning as a message where files cannot be shared. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from analysis import render_fleets, render_text
from analysis.format import short_id
from bot.requests.windows import words
from bot.slack import elements as el
from bot.slack.elements import File, Message
from bot.slack.messages import windows
from bot.slack.messages.root import notification
from bot.slack.text import clean, visible

if TYPE_CHECKING:
    from analysis import Comparison
    from analysis.comparison import VerdictKind
    from bot.inquiry.comparing_windows import ComparedWindows
    from bot.inquiry.result import Recollection

TEXT = 6_000  # characters of the report in a message
WIDTH = 110  # characters of a line
PIECE = 2_800  # characters of one box


def files(
    comparison: Comparison, key: str, markdown: bytes, json: bytes, before: Recollection | None = None
) -> list[File]:
    """Return the report for people and for programs; `key` names the answer, `before` is what it said of others."""
    markdown, json = _with(before, comparison.verdict.kind, markdown, json)
    a, b = short_id(comparison.baseline.trace_id), short_id(comparison.suspect.trace_id)
    return _files(f"compare-{a}-{b}-{key}", f"A {a}, B {b}", markdown, json)


def files_of_windows(
    compared: ComparedWindows, key: str, markdown: bytes, json: bytes, before: Recollection | None = None
) -> list[File]:
    """Return the report on two windows, as `files`."""
    markdown, json = _with(before, compared.answer.comparison.verdict.kind, markdown, json)
    return _files(f"compare-windows-{key}", clean(words(compared.windows), 200), markdown, json)


def _with(before: Recollection | None, kind: VerdictKind, markdown: bytes, json: bytes) -> tuple[bytes, bytes]:
    """Add to both what was said of earlier answers."""
    if before is None:
        return markdown, json
    markdown += f"\n## Seen before\n\n{before.words(kind)}: <{before.permalink}>\n".encode()
    told = msgspec.json.decode(json, type=dict[str, msgspec.Raw])
    return markdown, msgspec.json.encode(told | {"seen_before": before})


def _files(name: str, title: str, markdown: bytes, json: bytes) -> list[File]:
    return [
        File(name=f"{name}.md", title=f"{title}: report", body=markdown),
        File(name=f"{name}.json", title=f"{title}: report as JSON", body=json),
    ]


def caption(*, whole: bool) -> str:
    """Return what stands above the files."""
    said = "The full report, as Markdown and as JSON."
    return (
        said if whole else f"{said} The JSON goes without the smallest groups of spans, of which there are very many."
    )


def excerpt(comparison: Comparison, before: Recollection | None = None, *, forbidden: bool) -> Message:
    """Return the report as a message; `forbidden`: files need a right that was not given."""
    told = _told(notification(comparison), before, comparison.verdict.kind)
    return _excerpt(render_text(comparison), told, ", Details has the rest", forbidden=forbidden)


def excerpt_of_windows(compared: ComparedWindows, before: Recollection | None = None, *, forbidden: bool) -> Message:
    """Return the report on two windows as a message, as `excerpt`."""
    comparison = compared.answer.comparison
    told = _told(windows.notification(compared), before, comparison.verdict.kind)
    return _excerpt(render_fleets(comparison), told, "", forbidden=forbidden)


def _told(said: str, before: Recollection | None, kind: VerdictKind) -> str:
    return said if before is None else f"{said} {before.words(kind)}."


def _excerpt(text: str, said_before: str, rest_is: str, *, forbidden: bool) -> Message:
    lines = [visible(line)[:WIDTH].rstrip() for line in text.splitlines()]
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
    rest = "" if shown == len(lines) else f"; these are its first {shown} of {len(lines)} lines{rest_is}"
    said = f"{why}, so this is the report as text{rest}."
    shown_boxes = [el.rich(el.preformatted("\n".join(box))) for box in boxes if any(box)]
    return Message(text=f"{said} {said_before}", blocks=[el.rich(el.section(el.text(said))), *shown_boxes])
