"""What the bot says beside its answers: errors, how to use it, its sources, pointers to answers. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from analysis.format import short_id
from bot.slack import elements as el
from bot.slack.elements import Message
from bot.slack.limits import BUTTON_VALUE
from bot.slack.text import clean, escaped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.requests.request import History
    from bot.slack.elements import Element


OLDER = "history_older"
ABOUT = 160  # characters of what a comparison was about


class Past(Struct, frozen=True, kw_only=True):
    """One comparison of the past."""

    baseline_id: str
    suspect_id: str
    windows: str = ""  # what was compared, where it was no traces
    service: str = ""  # that an alert was about, where it named no trace
    at: float  # unix seconds
    user_name: str
    permalink: str | None
    verdict: str = ""  # the answer in a word, where it is still kept
    useful: int = 0  # people who found it useful
    not_useful: int = 0
    about: str = ""  # its first cause, in a sentence


def failure(sentence: str) -> Message:
    """Return an error as a message: what happened and what to do. `sentence` is ours, its fields are not."""
    return Message(text=escaped(sentence, 1_500), blocks=[el.rich(_marked_up(sentence))])


def _marked_up(sentence: str) -> Element:
    """Show the parts of a sentence between backticks as code, everything literally."""
    parts = clean(sentence, 1_500).split("`")
    shown = [el.text(part, code=bool(i % 2)) if i % 2 else el.space(part) for i, part in enumerate(parts) if part]
    return el.section(el.emoji("warning"), el.space(" "), *shown)


def usage(command: str, sources: list[str], reactions: Sequence[str] = ()) -> Message:
    """Return how to use the bot; `reactions` are the emoji that ask about a message."""
    lines = [
        (f"{command} <trace>", "compare a trace with a typical one of the same operation, which I find"),
        (f"{command} <trace A> <trace B>", "compare two traces: A the healthy one, B the one to explain"),
        (f"{command} service=<name> last 30m vs before", "compare all requests of two windows of time, not two traces"),
        (command, "a form with a field for each trace"),
        (f"{command} history", "what was compared in this channel"),
        (f"{command} history checkout since=7d", "the same, as far as it says these words: service, operation, person"),
        (f"{command} sources", "where I look for traces, and whether they answer"),
        (f"{command} help", "this text"),
    ]
    examples = [
        (f"{command} 4bf92f3577b34da6a3ce929d0e0e4736 00f067aa0ba902b7", "two ids"),
        (f"{command} https://jaeger.example/trace/4bf92f35... 00f067aa0ba902b7", "a link from Jaeger or Grafana"),
        (f"{command} 4bf92f35... 00f067aa... private", "an answer for your eyes only"),
        (
            f'{command} service=checkout operation="POST /orders" from=14:00 to=14:30 vs from=13:00 to=13:30',
            "two windows, UTC",
        ),
        (f"{command} service=checkout since 14:02 vs yesterday", "the same time of the day before"),
    ]
    options = [
        ("source=<name>", f"ask one source alone; here: {', '.join(sources) or 'none configured'}"),
        ("tenant=<name>", "ask for one tenant's traces"),
        ("at=2026-01-31T14:05Z", "about when the requests ran, which makes searching quicker"),
        ("window=2026-01-31T14:00Z/2026-01-31T14:30Z", "between which times they ran"),
        ("private", "show the answer to you alone"),
    ]
    elsewhere = [
        ("@ me with one trace or two", "the same as the command; works inside threads"),
        (
            "@ me in an alert's thread",
            "what the alert is about: its trace, or a slow or failing request of its service",
        ),
        *[(f":{name}:", "as a reaction to any message: the same for that message") for name in reactions[:3]],
        ("Compare traces", "a shortcut: in the menu of a message, or the form from anywhere"),
    ]
    parts = []
    told = [f"{what}: {why}" for what, why in (*lines, *options, *elsewhere)]
    for heading, rows in (
        ("Compare two traces", lines), ("Examples", examples), ("Options", options), ("Without a command", elsewhere),
    ):  # fmt: skip
        parts.append(el.section(el.text(heading, bold=True)))
        parts.append(el.bullets([[el.text(what, code=True), el.space("  "), el.text(why)] for what, why in rows]))
    return Message(text=escaped(f"Usage: {'; '.join(told)}", 2_000), blocks=[el.rich(*parts)])


def source_list(answers: dict[str, str]) -> Message:
    """Return the sources of a channel and how they answered."""
    if not answers:
        return failure("No trace source is configured for this channel.")
    items = [
        [
            el.emoji("white_check_mark" if said == "ok" else "warning"),
            el.space(" "),
            el.text(name, bold=True),
            el.space("  "),
            el.text(said),
        ]
        for name, said in answers.items()
    ]
    said = ", ".join(f"{name}: {said}" for name, said in answers.items())
    return Message(
        text=escaped(f"Sources: {said}", 1_000),
        blocks=[el.rich(el.section(el.text("Sources", bold=True)), el.bullets(items))],
    )


def history(comparisons: list[Past], wanted: History, *, more: bool = False) -> Message:
    """Return what was compared in a channel, newest first; with `more`, the way to older ones."""
    narrowed = bool(wanted.words or wanted.since or wanted.ago_s)
    if not comparisons:
        said = "Nothing was compared in this channel yet."
        if wanted.page:
            said = "There is nothing older."
        elif narrowed:
            said = "Nothing like that was compared in this channel. Try fewer words, or a longer time."
        return Message(text=said, blocks=[el.rich(el.section(el.space(said)))])
    heading = f"Compared in this channel: {' '.join(wanted.words)}" if wanted.words else "Compared in this channel"
    told = "; ".join("{} {}{}".format(*_said(past)) for past in comparisons)
    older = msgspec.json.encode(msgspec.structs.replace(wanted, page=wanted.page + 1)).decode()
    return Message(
        text=escaped(f"{heading}: {told}", 1_500),
        blocks=[
            el.rich(el.section(el.text(heading, bold=True)), past_list(comparisons)),
            *(el.actions(el.button("Older", OLDER, older)) if more and len(older) <= BUTTON_VALUE else []),
        ],
    )


def past_list(comparisons: list[Past]) -> Element:
    """Return comparisons as a list, each with the way to its answer."""
    items = []
    for past in comparisons:
        when, pair, more = _said(past)
        item = [el.text(when), el.space("  "), el.link(pair, past.permalink)]
        items.append([*item, el.space(more)] if more else item)
    return el.bullets(items)


def _said(past: Past) -> tuple[str, str, str]:
    """Say when something was compared, what, and what else there is to say about it."""
    when = datetime.fromtimestamp(past.at, UTC).strftime("%Y-%m-%d %H:%M UTC")
    first = f"{short_id(past.baseline_id)} (A)" if past.baseline_id else "a typical request (A)"
    second = short_id(past.suspect_id) if past.suspect_id else f"a request of {clean(past.service, 80)}"
    more = f": {past.verdict.lower()}" if past.verdict else ""
    more += f", asked by {clean(past.user_name, 80)}" if past.user_name else ""
    if past.useful or past.not_useful:
        more += f", useful to {past.useful} of {past.useful + past.not_useful}"
    more += f". {clean(past.about, ABOUT)}" if past.about else ""
    return when, clean(past.windows, 300) or f"{first} with {second} (B)", more


def report_is_there(permalink: str | None) -> Message:
    """Return the pointer to a report that is already in the thread."""
    said = "The report is in this thread already"
    line = [el.space(f"{said}: "), el.link("see the report", permalink)] if permalink else [el.space(f"{said}.")]
    return Message(text=f"{said}.", blocks=[el.rich(el.section(*line))])


def repeated(permalink: str | None) -> Message:
    """Return the pointer to an answer that is already there."""
    line = [el.space("This was asked a moment ago: "), el.link("see the answer", permalink)] if permalink else [
        el.space("This was asked a moment ago; the answer is in this channel.")
    ]  # fmt: skip
    return Message(
        text="This was asked a moment ago; the answer is in this channel.", blocks=[el.rich(el.section(*line))]
    )
