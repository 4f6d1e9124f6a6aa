"""The answer about two windows of requests: the root message, and the replies under it. Pure.

Written as the answer about two traces is: one line with the verdict, one with the cause, one with how sure we are,
and under it of how many requests that was seen. The rest stands in the thread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import structs

from analysis.comparison import Confidence, VerdictKind
from analysis.fleet.report import OTHERS, cause_line, group_name, separator_line
from analysis.format import change, count, duration, short_id
from bot.inquiry.unseen import not_seen
from bot.links import trace_url
from bot.requests.windows import words
from bot.requests.wording import between
from bot.slack import elements as el
from bot.slack.elements import Message
from bot.slack.limits import problems
from bot.slack.messages.foot import foot
from bot.slack.messages.private import one_message
from bot.slack.messages.recollection import recollection
from bot.slack.messages.root import MARKS, NO_CAUSE, small_print
from bot.slack.text import clean, escaped

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analysis import FleetComparison
    from analysis.fleet.result import Exemplar, FleetCause, FleetWindow, PathShare
    from bot.inquiry.comparing_windows import ComparedWindows
    from bot.requests.request import Windows
    from bot.slack.elements import Block, Element
    from bot.slack.messages.asked import Asked

PAIR = "compare_two"  # the button that compares an exemplar of each window
EVIDENCE = 3
ROWS = 10
NOTIFICATION = 2_000  # characters of a message's text
HEADER = ("what", "change", "calls", "service", "mean time")


def comparing(windows: Windows, asked: Asked) -> Message:
    """Return the root message while the work is under way."""
    said = f"Comparing requests of {words(windows)} ..."
    line = el.section(el.emoji("hourglass_flowing_sand"), el.space(" "), el.text(said, width=600))
    return Message(text=escaped(said, NOTIFICATION), blocks=[el.rich(line), *small_print(asked)])


def verdict(compared: ComparedWindows, asked: Asked) -> Message:
    """Return the root message with the answer."""
    comparison = compared.answer.comparison
    mark, _ = MARKS[comparison.verdict.kind]
    head = el.section(el.emoji(mark), el.space(" "), el.text(headline(comparison), bold=True, width=600))
    a, b = chosen(comparison)
    buttons = el.actions(
        el.open_button("Open typical A", _page(asked, a), "open_a"),
        el.open_button("Open typical B", _page(asked, b), "open_b"),
        el.open_button("Open worst B", _page(asked, comparison.suspect.worst), "open_worst"),
        el.button("Compare these two", PAIR, asked.pair) if asked.pair else None,
    )
    blocks: list[Block] = [el.rich(head, *_cause(comparison, asked)), *buttons]
    text = notification(compared)
    if asked.before is not None:
        blocks.append(recollection(asked.before, comparison.verdict.kind))
        text = f"{text} {escaped(asked.before.words(comparison.verdict.kind), 500)}."
    return Message(text=text, blocks=[*blocks, *small_print(asked, *_sides(compared))])


def headline(comparison: FleetComparison) -> str:
    """Return the verdict's sentence without the cause, which has a line of its own."""
    said = comparison.verdict.headline
    if comparison.causes:
        said = said.removesuffix(f": {comparison.causes[0].summary}")
    return said[:1].upper() + said[1:]


def notification(compared: ComparedWindows) -> str:
    """Return the answer as one text, for notifications and screen readers."""
    comparison = compared.answer.comparison
    word, said = MARKS[comparison.verdict.kind][1], comparison.verdict.headline
    if said.casefold().startswith(word.casefold()):
        said = said[len(word) :].lstrip(" :")
    sure = comparison.verdict.confidence.value
    text = f"{word}: {said}. Confidence: {sure}. {words(compared.windows)}: {_sizes(compared)}."
    return escaped(text, NOTIFICATION)


def chosen(comparison: FleetComparison) -> tuple[Exemplar | None, Exemplar | None]:
    """Return the two requests that show the difference best: one that shows the cause, and a typical one beside it."""
    a, b = comparison.baseline.typical, comparison.suspect.typical
    shows = comparison.causes[0].typical if comparison.causes else None
    if shows is None:
        return a, b
    return (a, shows) if _in_suspect(comparison.causes[0]) else (shows, b)


def _in_suspect(cause: FleetCause) -> bool:
    """Tell whether the exemplars of a cause are B's: of the window that shows it more."""
    leading = next((its for its in (cause.time, cause.errors, cause.calls) if its is not None), None)
    return leading is None or leading.suspect_above >= leading.baseline_above


def _cause(comparison: FleetComparison, asked: Asked) -> list[Element]:
    parts: list[Element] = []
    for top in comparison.causes[:1]:
        label = "Cause:" if comparison.verdict.kind is not VerdictKind.CHANGED else "Largest change:"
        url = _page(asked, top.worst)
        parts.append(
            el.section(
                el.space("\n"), el.text(label, bold=True), el.space(" "), el.link(cause_line(top), url, width=400)
            )
        )
        shared = [separator_line(one) for one in top.separators[:EVIDENCE]]
        if not shared and top.values_asked:
            shared = [f"none of {count(top.values_asked, 'value')} of attributes tells these requests from the others"]
        if shared:
            parts.append(el.bullets([[el.text(line, width=240)] for line in shared]))
    its = comparison.verdict
    if its.kind in NO_CAUSE:
        if its.kind is VerdictKind.NOT_COMPARABLE:
            parts.append(el.section(el.space("\n"), el.text("Take longer windows, or leave the operation out.")))
        return parts
    reasons = "; ".join(its.reasons[:3])
    between_ = ", " if its.confidence is Confidence.HIGH else ": "
    parts.append(
        el.section(
            *([] if parts else [el.space("\n")]), el.text("Confidence:", bold=True), el.space(" "),
            el.text(its.confidence.value), el.space(between_), el.text(reasons, width=400),
        )
    )  # fmt: skip
    return parts


def _sizes(compared: ComparedWindows) -> str:
    a, b = (its.words() for its in compared.sampled)
    return f"{a} of A with {b} of B"


def _sides(compared: ComparedWindows) -> list[str]:
    """Say for each window when it was, how much of it was seen, and how all of its requests went."""
    comparison, windows = compared.answer.comparison, compared.windows
    lines = []
    for letter, window, its, seen in (
        ("A", windows.baseline, compared.sampled[0], comparison.baseline),
        ("B", windows.suspect, compared.sampled[1], comparison.suspect),
    ):
        parts = [f"{letter} {between(window, windows.asked_at)}", its.words(), *_times(seen)]
        if whole := its.all_words():
            parts.append(f"all of them, as {compared.source} counts: {whole}")
        lines.append(" · ".join(parts))
    return lines


def _times(seen: FleetWindow) -> list[str]:
    if not seen.traces:
        return []
    failing = [f"{seen.failing} failing"] if seen.failing else []
    return [f"median {duration(seen.median_ns)}, p95 {duration(seen.p95_ns)}", *failing]


def thread(compared: ComparedWindows, asked: Asked) -> list[Message]:
    """Return the replies: the groups of spans, and what else there is to say and to open."""
    comparison = compared.answer.comparison
    below = foot(asked)
    rest = _rest(compared, asked, below)
    return [_groups(comparison), rest] if comparison.paths else [rest]


def private(compared: ComparedWindows, asked: Asked) -> Message:
    """Return the answer for one person alone, in one message."""
    replies = thread(compared, structs.replace(asked, key=""))
    return one_message(verdict(compared, asked), replies, asked, "Posted to the channel, it comes with the rest.")


def _groups(comparison: FleetComparison) -> Message:
    rows = comparison.paths[:ROWS]
    name = "Where the time goes"
    coverage = "mean time of a request on its critical path, by group of spans"
    title = el.rich(el.section(el.text(name, bold=True), el.space("  "), el.text(coverage)))
    others = comparison.paths[ROWS:]
    left = f"{count(len(others), 'other group')}: {change(round(sum(its.delta_ns for its in others)))}"
    said = "; ".join(f"{clean(group_name(its), 70)} in {its.service or '-'} {_times_of(its)}" for its in rows)
    table: Block = {
        "type": "table",
        "column_settings": [{"is_wrapped": True}, {"align": "right"}, {"align": "right"}, {}, {"align": "right"}],
        "rows": [[el.cell(head, bold=True) for head in HEADER], *map(_row, rows)],
    }
    more = [el.context(left)] if others else []
    plain = "\n".join(
        f"{change(round(its.delta_ns)):>10}  {clean(its.service, 18):<18}  {clean(group_name(its), 60)}" for its in rows
    )
    return Message(
        text=escaped(f"{name}, {coverage}: {said}", 1_500),
        blocks=[title, table, *more],
        plain_blocks=[title, el.rich(el.preformatted(plain)), *more],
    )


def _row(its: PathShare) -> list[Block]:
    calls = f"{its.baseline_calls:.3g}"
    if f"{its.suspect_calls:.3g}" != calls:
        calls += f" → {its.suspect_calls:.3g}"
    return [
        el.cell(group_name(its), bold=its.changed), el.cell(change(round(its.delta_ns))), el.cell(calls),
        el.cell(its.service), el.cell(_times_of(its)),
    ]  # fmt: skip


def _times_of(its: PathShare) -> str:
    return f"{duration(round(its.baseline_exposed_ns))} → {duration(round(its.suspect_exposed_ns))}"


def _rest(compared: ComparedWindows, asked: Asked, below: list[Block]) -> Message:
    """Return what else changed, which requests to open, and what could not be seen, above `below`."""
    comparison = compared.answer.comparison
    others = [cause_line(cause) for cause in comparison.causes[1 : OTHERS + 1]]
    open_ = list(_worth_opening(comparison))
    unseen = not_seen(compared)
    told = []
    parts: list[Element] = []
    apart = [compared.apart.words(compared.source)] if compared.apart else []
    headed = (("Of all requests", apart), ("What else changed", others), ("What could not be seen", unseen))
    for heading, said in headed:
        if said:
            parts += [el.section(el.text(heading, bold=True)), el.bullets([[el.text(line)] for line in said])]
            told.append(f"{heading}: {'; '.join(said)}")
    pages = [_page(asked, its) for _, its in open_]
    while True:  # addresses are long: as many of them as a message has room for
        items = [
            [el.text(what), el.space(" "), el.link(short_id(its.trace_id), url, code=True),
             el.space(f" {duration(its.response_ns)}")]
            for (what, its), url in zip(open_, pages, strict=True)
        ]  # fmt: skip
        listed = [el.section(el.text("Requests to open", bold=True)), el.bullets(items)] if items else []
        blocks = [el.rich(*listed, *parts), *below] if listed or parts else [*below]
        linked = [i for i, url in enumerate(pages) if url]
        text = escaped(". ".join(told) or "Nothing else changed, and nothing is to be said about the data.", 1_500)
        if not linked or not problems({"text": text, "blocks": blocks}):
            return Message(text=text, blocks=blocks or [el.context(text)])
        pages[linked[-1]] = None


def _worth_opening(comparison: FleetComparison) -> Iterable[tuple[str, Exemplar]]:
    seen = set()
    first = comparison.causes[:1]
    for what, its in (
        *[("shows the cause, typically:", cause.typical) for cause in first],
        *[("shows the cause, the worst:", cause.worst) for cause in first],
        ("typical of A:", comparison.baseline.typical), ("typical of B:", comparison.suspect.typical),
        ("the slowest of A:", comparison.baseline.worst), ("the slowest of B:", comparison.suspect.worst),
    ):  # fmt: skip
        if its is not None and its.trace_id not in seen:
            seen.add(its.trace_id)
            yield what, its


def _page(asked: Asked, its: Exemplar | None) -> str | None:
    source = asked.suspect_source
    return trace_url(source, its.trace_id) if source is not None and its is not None else None
