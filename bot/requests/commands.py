"""What people type after `/compare-traces` or after the bot's name. Pure: text in, a request or a `UserError` out."""

from __future__ import annotations

import difflib
import re
import time
from typing import TYPE_CHECKING

import msgspec

from bot.errors import UserError
from bot.requests.references import PADDING_S, find_references, split_words, unix_seconds
from bot.requests.request import CompareRequest, Help, History, ListSources, Nothing
from bot.requests.windows import asks_for_windows, read_windows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.requests.request import Asked

COMMAND = "/compare-traces"
OPTIONS = ("source=", "tenant=", "at=", "window=", "private")
WORDS: dict[str, Asked] = {
    **dict.fromkeys(("help", "-h", "--help", "?"), Help()), "sources": ListSources(),
}  # fmt: skip
# Written between traces, or around them: their order says all that these do.
PASSED_OVER = frozenset((
    "and", "vs", "versus", "with", "to", "against", "between", "compare", "trace", "traces", "please", "thanks",
))  # fmt: skip
_MENTION = re.compile(r"<[@#!][^<>]*>")
_PERSON = re.compile(r"<@([UW][A-Z0-9]+)(?:\|[^<>]*)?>")
_AGO = re.compile(r"(\d{1,4})([mhdw])")
AGO_S = {"m": 60, "h": 3600, "d": 24 * 3600, "w": 7 * 24 * 3600}
MOST_WORDS, LONGEST_WORD = 10, 80  # of a search


def parse_mention(text: str, hosts: Mapping[str, str], now: float | None = None) -> Asked:
    """Read a message that calls the bot by name; everyday words in it are passed over.

    A word is taken for what was meant when it holds a digit, as ids do; all else as in `parse_command`.
    """
    words = split_words(_MENTION.sub(" ", text))
    if words and words[0].lower() == "history":
        return _history(words[1:])
    if asks_for_windows(text):
        return read_windows(text, int(time.time() if now is None else now), prose=True)
    if len(words) == 1 and words[0].lower() in WORDS:
        return WORDS[words[0].lower()]
    meant = [word for word in words if any(map(str.isdigit, word)) or "=" in word or word.lower() == "private"]
    return _comparison(meant, hosts) if meant else Nothing()


def parse_command(text: str, hosts: Mapping[str, str], now: float | None = None) -> Asked:
    """Read the text of a slash command.

    `hosts`: see `bot.requests.references.find_references`. `now`: unix seconds, by default those of the clock. Raises
    `UserError` with what to type instead.
    """
    words = split_words(text)
    if words and words[0].lower() == "history":
        return _history(split_words(_PERSON.sub(r" \1 ", text))[1:])
    if asks_for_windows(text):
        return read_windows(text, int(time.time() if now is None else now))
    if not words:
        return Help() if text.strip() else Nothing()
    if len(words) == 1 and words[0].lower() in WORDS:
        return WORDS[words[0].lower()]
    return _comparison(words, hosts)


def _history(words: list[str]) -> History:
    """Read what of the history is wanted: words that must occur, and since when."""
    since = ago_s = None
    wanted = []
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            wanted.append(word[:LONGEST_WORD])
        elif name.lower() != "since":
            raise UserError("unknown-option", option=name[:40], known="`since=`")
        elif ago := _AGO.fullmatch(value.lower()):
            ago_s = int(ago[1]) * AGO_S[ago[2]]
        else:
            since = unix_seconds(value)
            if since is None:
                raise UserError("bad-since", text=value[:40])
    return History(words=tuple(wanted[:MOST_WORDS]), since=since, ago_s=ago_s)


def _comparison(words: list[str], hosts: Mapping[str, str]) -> CompareRequest:
    options: dict[str, str] = {}
    private = False
    references = []
    for word in words:
        name, equals, value = word.partition("=")
        if word.lower() == "private":
            private = True
        elif equals and not word.lower().startswith("http") and name.isalpha():
            if f"{name.lower()}=" not in OPTIONS:
                raise _unknown_option(name)
            options[name.lower()] = value
        elif word.startswith("--"):
            raise _unknown_option(word)
        elif word.lower() not in PASSED_OVER:
            references += find_references(word, hosts)
    if len(references) not in (1, 2):
        raise UserError("too-many", count=len(references)) if references else UserError("usage")
    window = _window(options)
    if window is not None:
        references = [msgspec.structs.replace(reference, window=window) for reference in references]
    return CompareRequest(
        baseline=references[0] if len(references) == 2 else None,
        suspect=references[-1],
        source=options.get("source"),
        tenant=options.get("tenant"),
        private=private,
    )


def _unknown_option(name: str) -> UserError:
    close = difflib.get_close_matches(name.strip("-").lower(), [option.rstrip("=") for option in OPTIONS], n=1)
    known = ", ".join(f"`{option}`" for option in OPTIONS)
    return UserError(
        "unknown-option", option=name[:40], known=f"did you mean `{close[0]}`? {known}" if close else known
    )


def _window(options: Mapping[str, str]) -> tuple[int, int] | None:
    """Read when the requests ran: about at one time (`at=`), or within a range (`window=`)."""
    if "at" in options:
        return around(_time(options["at"]))
    if "window" not in options:
        return None
    start, slash, end = options["window"].partition("/")
    low, high = _time(start), _time(end)
    if not slash or high < low:
        raise UserError("bad-time", text=options["window"][:40])
    return around(low, high)


def _time(text: str) -> int:
    seconds = unix_seconds(text)
    if seconds is None:
        raise UserError("bad-time", text=text[:40])
    return seconds


def around(at: int, until: int | None = None) -> tuple[int, int]:
    """Return the time range to look in when somebody says about when a request ran (unix seconds)."""
    return at - PADDING_S, (at if until is None else until) + PADDING_S
