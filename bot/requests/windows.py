"""Two windows of time, as people ask for them: text in, a request or a `UserError` out. Pure.

    service=checkout operation="POST /orders" from=14:00 to=14:30 vs from=13:00 to=13:30
    service=checkout last 30m vs before          just before, as long
    service=checkout since 14:02 vs yesterday    the same time of the day before
    service=checkout                             the last 30 minutes, and those before

A word that names a field opens it, and what follows belongs to it: quotation marks are welcome, but not needed. What
was left out is assumed, and the answer says so. Whichever window was named first, the earlier one is A.
"""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

from msgspec import Struct, structs

from bot.errors import UserError
from bot.requests.moments import DAY_S, duration_s, read_moment
from bot.requests.request import CompareRequest, Windows
from bot.requests.wording import between, moment, named

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

USUAL_S = 1800  # of a window whose length nobody named
SHORTEST_S, LONGEST_S = 60, 7 * DAY_S
AROUND_S = 900  # before and after a time that is named alone
MAX_TEXT = 4_000
MAX_NAME = 300  # characters of a service or an operation

NAMES = ("service", "operation", "source", "tenant")
SAME = {"since": "from", "until": "to", "past": "last", "svc": "service", "op": "operation"}
TIMES = ("from", "to", "last", "at", "window")
OPENING = ("from", "to", "last")  # also without "="
FIELDS = (*NAMES, *TIMES, *SAME)
VERSUS = ("vs", "versus", "against", "with")
NOISE = ("compare", "requests", "of", "the", "and", "traces", "for")

_ASKS = re.compile(
    r"(?:^|\s)(?:(?:service|svc|operation|op|from|to|since|until|last|past)\s*=|(?:last|past)\s+\d|since\s)"
)
_QUOTES = str.maketrans({"“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "‘": "'", "’": "'", "`": '"', "\u00a0": " "})
_LINK = re.compile(r"<(?:https?://|mailto:)?([^<>|]*)(?:\|([^<>]*))?>")
_MENTION = re.compile(r"<[@#!](?!date\^)[^<>]*>")
_WORD = re.compile(
    r"""(?:([A-Za-z]+)\s*=\s*)?(?:"([^"]*)"|'([^']*)'(?=\s|$)|(<!date\^[^<>]*>)|(\S+))|([A-Za-z]+)\s*="""
)
_RANGE = re.compile(r"(.*\d.*?)\s*(?:/|\.\.|–|—|(?<=\d)-(?=\d{1,2}:)|\s-\s)\s*(.*)")
_ID = re.compile(r"[0-9a-fA-F]{16,32}")
_DRESS = ",;?!."


class _Word(Struct, frozen=True):
    """One word; `field` is what it is the value of, where it says so itself."""

    field: str
    text: str
    quoted: bool


class _Part(Struct):
    """What was said of one window; `spoken`: the fields that were opened without "=", as sentences may by chance."""

    fields: dict[str, str] = {}
    spoken: set[str] = set()
    loose: list[str] = []

    @property
    def silent(self) -> bool:
        """Nothing was."""
        return not self.fields and not self.loose


def asks_for_windows(text: str) -> bool:
    """Tell whether a text is about windows of time and not about traces."""
    return _ASKS.search(html.unescape(text[:MAX_TEXT]).lower().replace("\u00a0", " ")) is not None


def read_windows(text: str, now: int, *, prose: bool = False) -> CompareRequest:
    """Read what was asked; `now` is in unix seconds.

    `prose`: it is a message to somebody, of which words that mean nothing here are passed over. Raises `UserError`
    with what to type instead.
    """
    asked_at = now - now % 60
    names, private, parts = _sorted_out(_words(text), prose=prose)
    if not names.get("service"):
        raise UserError("no-service")
    if len(parts) > 2:
        raise UserError("many-windows", count=len(parts))
    for name, value in names.items():
        if len(value) > MAX_NAME:
            raise UserError("long-name", field=name, most=MAX_NAME)
    assumed: list[str] = []
    windows = _windows(parts, asked_at, assumed, prose=prose)
    return CompareRequest(
        baseline=None, suspect=None, source=names.get("source"), tenant=names.get("tenant"), private=private,
        note="; ".join(assumed),
        windows=Windows(
            service=names["service"], operation=names.get("operation") or None, baseline=windows[0],
            suspect=windows[1], asked_at=asked_at,
        ),
    )  # fmt: skip


def words(windows: Windows) -> str:
    """Say what is compared: "checkout POST /orders, 13:00-13:30 UTC (A) with 14:00-14:30 UTC (B)"."""
    a, b = (between(window, windows.asked_at) for window in (windows.baseline, windows.suspect))
    return f"{named(windows.service, windows.operation)}, {a} (A) with {b} (B)"


def _words(text: str) -> list[_Word]:
    text = _LINK.sub(_unlinked, _MENTION.sub(" ", html.unescape(text[:MAX_TEXT]).translate(_QUOTES)))
    found = []
    for match in _WORD.finditer(text):
        field, *values, alone = match.groups()
        quoted = values[0] is not None or values[1] is not None
        value = next((each for each in values if each is not None), "")
        if not quoted and value.startswith(('"', "'")):
            raise UserError("open-quote", text=value[1:40])
        if not quoted:
            value = value.rstrip(_DRESS)
        if field and not quoted and value.lower() in (*OPENING, *SAME, *VERSUS):  # "service= last 30m"
            found.append(_Word(field.lower(), "", quoted=False))
            field = ""
        if value or field or alone:
            found.append(_Word((field or alone or "").lower(), " ".join(value.split()), quoted))
    return found


def _unlinked(match: re.Match[str]) -> str:
    """Slack makes links of what looks like one: what was typed is the label."""
    return match[0] if match[0].startswith("<!") else match[2] or match[1]


def _sorted_out(words_: Iterable[_Word], *, prose: bool) -> tuple[dict[str, str], bool, list[_Part]]:
    """Give every word to the field that it belongs to; returns names, whether it is private, and the windows."""
    names: dict[str, str] = {}
    parts = [_Part()]
    private, open_field = False, ""
    for word in words_:
        text = word.text.lower()
        field = word.field or (text if not word.quoted and SAME.get(text, text) in OPENING else "")
        if field:
            open_field = _field(field)
            into = names if open_field in NAMES else parts[-1].fields
            if open_field in into:
                raise UserError("said-twice", field=field)
            into[open_field] = word.text if word.field else ""
            if not word.field:
                parts[-1].spoken.add(open_field)
        elif not word.quoted and text in VERSUS:
            parts.append(_Part())
            open_field = ""
        elif not word.quoted and text == "private":
            private, open_field = True, ""
        elif open_field and not _closes(open_field, names, word):
            into = names if open_field in NAMES else parts[-1].fields
            into[open_field] = f"{into[open_field]} {word.text}".strip()
        else:
            open_field = ""
            if _ID.fullmatch(word.text) or "/trace" in text:
                raise UserError("windows-and-traces", text=word.text[:40])
            if text not in NOISE:
                parts[-1].loose.append(word.text)
    return names, private, _without_prose(parts) if prose else parts


def _field(name: str) -> str:
    its = SAME.get(name, name)
    if its not in FIELDS:
        raise UserError("unknown-option", option=name[:40], known=", ".join(f"`{each}=`" for each in (*NAMES, *TIMES)))
    return its


def _closes(open_field: str, names: dict[str, str], word: _Word) -> bool:
    """Tell whether a bare word lies beyond the field before it: names of one word end, times end an operation."""
    if open_field in ("service", "source", "tenant"):
        return bool(names[open_field])
    if open_field == "operation":
        return bool(names["operation"]) and (duration_s(word.text) is not None or _is_range(word.text))
    return False


def _is_range(text: str) -> bool:
    match = _RANGE.fullmatch(text)
    return match is not None and ":" in match[1] and ":" in match[2]


def _without_prose(parts: list[_Part]) -> list[_Part]:
    """Drop what is neither a time nor a word for one from a sentence."""
    for part in parts:
        part.loose = [
            word for word in part.loose
            if word.lower() in ("before", "yesterday") or duration_s(word) is not None or _is_range(word)
        ]  # fmt: skip
    return [part for i, part in enumerate(parts) if i == 0 or not part.silent] if len(parts) > 2 else parts


def _windows(
    parts: Sequence[_Part], now: int, assumed: list[str], *, prose: bool
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return both windows, the earlier one first; what nobody said goes into `assumed`."""
    first = _explicit(parts[0], now, USUAL_S, prose=prose)
    if first is None:
        first = now - USUAL_S, now
        assumed.append("no time was named: B is the last 30 minutes")
    first = _capped(first, now, assumed)
    length = first[1] - first[0]
    second = None
    if len(parts) == 1 or parts[1].silent:
        assumed.append("no second window was named: A is the time just before, as long as B")
    else:
        back = _shift(parts[1])
        if back is not None:
            second = first[0] - back, first[1] - back
        elif not _is_before(parts[1]):
            second = _explicit(parts[1], now, length, prose=prose)
            second = second and _capped(second, now, assumed)
    second = second or (first[0] - length, first[0])
    earlier, later = in_order(first, second, now)
    if second == later:
        assumed.append("the earlier window is A, whichever was named first")
    return earlier, later


def _is_before(part: _Part) -> bool:
    return part.silent or (not part.fields and [word.lower() for word in part.loose] == ["before"])


def _shift(part: _Part) -> int | None:
    """Return how long before (s) the other window is to lie, where it is named by that alone."""
    if set(part.fields) == {"last"} and not part.loose and part.fields["last"].lower() in ("day", "week", "hour"):
        return duration_s(part.fields["last"])
    if part.fields:
        return None
    said = " ".join(part.loose).lower().replace("−", "-")
    if said == "yesterday":
        return DAY_S
    inner = said.removesuffix(" ago").removesuffix(" before").removesuffix(" earlier").removeprefix("-")
    return duration_s(inner) if inner else None


def _explicit(part: _Part, now: int, usual_s: int, *, prose: bool) -> tuple[int, int] | None:
    """Return the window that a part names; None when it names none."""
    fields = dict(part.fields)
    for word in _joined(part.loose):
        if _is_range(word):
            fields["window"] = word
        elif duration_s(word) is not None:
            fields["last"] = word
        else:
            raise UserError("unknown-word", text=word[:60])
    if prose:
        read = {name: _read_part_of(value) for name, value in fields.items()}
        fields = {name: read[name] or value for name, value in fields.items() if read[name] or name not in part.spoken}
    if not fields:
        return None
    if len({"last", "at", "window"} & set(fields)) + bool({"from", "to"} & set(fields)) > 1:
        raise UserError("two-ways", fields=", ".join(f"`{name}`" for name in fields))
    if "last" in fields:
        back = duration_s(fields["last"])
        if back is None:
            raise UserError("bad-duration", text=fields["last"][:60])
        return now - back, now
    if "at" in fields:
        at = read_moment(fields["at"], now)
        return (at.at, at.end) if at.end > at.at else (at.at - AROUND_S, at.at + AROUND_S)
    if "window" in fields:
        match = _RANGE.fullmatch(fields["window"])
        if match is None:
            raise UserError("bad-moment", text=fields["window"][:60])
        fields["from"], fields["to"] = match[1], match[2]
    return _from_to(fields.get("from"), fields.get("to"), now, usual_s)


def _joined(loose: Sequence[str]) -> list[str]:
    """Take what belongs together for one: "1 h", "14:00 - 14:30"."""
    whole = " ".join(loose)
    return [whole] if whole and (duration_s(whole) is not None or _is_range(whole)) else list(loose)


def _read_part_of(value: str) -> str:
    """Return the longest beginning of a value that can be read: what follows in a sentence is talk. "" for none."""
    pieces = value.split()
    for end in range(len(pieces), 0, -1):
        text = " ".join(pieces[:end])
        try:
            if duration_s(text) is None and not _is_range(text):
                read_moment(text, 2**31)
        except UserError as error:
            if error.code == "unknown-zone":
                raise
        else:
            return text
    return ""


def _from_to(start_text: str | None, end_text: str | None, now: int, usual_s: int) -> tuple[int, int]:
    """Read a window's ends; a time of day at its end is the first one after its beginning."""
    start = read_moment(start_text, now) if start_text is not None else None
    end = read_moment(end_text, now) if end_text is not None else None
    if start is None:
        if end is None:
            return now - usual_s, now
        return end.end - usual_s, end.end
    if end is None:
        if start.end > start.at:
            return start.at, start.end
        return start.at, now if usual_s == USUAL_S else start.at + usual_s
    low, high = start.at, end.end
    if end.daily:
        if not start.daily:
            high -= DAY_S * ((high - low - 1) // DAY_S) if high > low else 0
        while high <= low:
            high += DAY_S
        if high > now and high // DAY_S > low // DAY_S:  # not the rest of the day: the ends were exchanged
            high -= DAY_S
    return low, high


def _capped(window: tuple[int, int], now: int, assumed: list[str]) -> tuple[int, int]:
    if window[0] < now < window[1]:
        assumed.append(f"what lies ahead was left out: it is {moment(now, now)}")
        return window[0], now
    return window


def in_order(first: tuple[int, int], second: tuple[int, int], now: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return two windows, the earlier one first; raises `UserError` for what cannot be compared."""
    for window in (first, second):
        _check(window, now)
    earlier, later = sorted((first, second))
    if later[0] < earlier[1]:
        raise UserError("windows-overlap", a=between(earlier, now), b=between(later, now))
    return earlier, later


def _check(window: tuple[int, int], now: int) -> None:
    start, end = window
    if start >= now:
        raise UserError("window-ahead", start=moment(start, now), now=moment(now, now))
    if end <= start:
        raise UserError("window-backwards", start=moment(start, now), end=moment(end, now))
    if end - start < SHORTEST_S:
        raise UserError("window-short", seconds=SHORTEST_S)
    if end - start > LONGEST_S:
        raise UserError("window-long", days=LONGEST_S // DAY_S)
    if start <= 0:
        raise UserError("bad-moment", text=str(start))


def same_question(windows: Windows) -> Windows:
    """Return what makes two questions about windows the same one: all but the minute in which it was asked."""
    return structs.replace(windows, asked_at=0)
