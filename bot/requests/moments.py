"""Moments: times as people write them in a hurry, or paste them from elsewhere. Pure.

    14:02  2:02 pm  14:02+01:00          a time of day: the last one that has passed
    -30m  now-1h30m  2h ago  now         counted back from now
    2026-01-31  today  yesterday         a whole day
    2026-01-31T14:02Z  yesterday 14:02   a moment
    1769868120  <!date^1769868120^...>   Unix time (s, ms, ...), also as Slack writes it

What names no time zone is UTC, as all times in answers are.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

from msgspec import Struct

from bot.errors import UserError
from bot.requests.references import unix_seconds

DAY_S = 24 * 3600
UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": DAY_S, "w": 7 * DAY_S}
LONGEST_S = 10 * 366 * DAY_S  # nobody means more; sums of time stay numbers that calendars know

_PART = r"(\d{1,9})\s*(s|m|h|d|w)(?:ec(?:ond)?s?|in(?:ute)?s?|(?:ou)?rs?|ays?|eeks?)?"
_PARTS = re.compile(_PART)
_DURATION = re.compile(rf"(?:{_PART}[\s,]*)+", re.IGNORECASE)
_UNIT_ALONE = re.compile(r"(?:an?\s+|the\s+)?(minute|hour|day|week)", re.IGNORECASE)
_CLOCK = re.compile(r"(\d{1,2})(?::(\d{2})(?::(\d{2})(?:\.\d+)?)?)?\s*([ap]\.?m\.?)?", re.IGNORECASE)
_ZONE = re.compile(r"(.*[\d.mM])\s*(?:(Z|UTC|GMT)|([+-]\d{2}:?\d{2})|(?<=\s)((?-i:[A-Z]{2,5})))", re.IGNORECASE)
_DATE = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[T\s_]+(?:at\s+)?(.+))?", re.IGNORECASE)
_DAY_WORD = re.compile(r"(today|yesterday)(?:,?\s+(?:at\s+)?(.+))?", re.IGNORECASE)
_SLACK_DATE = re.compile(r"<!date\^(\d{1,12})\^[^<>]*>")


class Moment(Struct, frozen=True):
    """A time that was read: unix seconds, and where it ends if a whole day was meant."""

    at: int
    end: int  # the same as `at`, but for days
    daily: bool = False  # a time of day: it may as well be that of another day


def duration_s(text: str) -> int | None:
    """Read a length of time ("30m", "1h 30m", "2 hours", "a week"); None when it is none."""
    text = text.strip()
    alone = _UNIT_ALONE.fullmatch(text)
    if alone:
        return UNITS_S[alone[1][0].lower()]
    if not _DURATION.fullmatch(text):
        return None
    total = sum(int(number) * UNITS_S[unit] for number, unit in _PARTS.findall(text.lower()))
    return total if 0 < total <= LONGEST_S else None


def read_moment(text: str, now: int) -> Moment:
    """Read a time; `now` is in unix seconds. Raises `UserError` with what can be written."""
    found = _moment(text.strip(), now)
    if found is None or not 0 <= found.at <= now + LONGEST_S:
        raise UserError("bad-moment", text=text[:60])
    return found


def _moment(text: str, now: int) -> Moment | None:
    if (back := _counted_back(text, now)) is not None:
        return Moment(back, back)
    if (slack := _SLACK_DATE.fullmatch(text)) is not None:
        return Moment(int(slack[1]), int(slack[1]))
    if text.isascii() and text.isdigit() and len(text) >= 9 and (seconds := unix_seconds(text)) is not None:
        return Moment(seconds, seconds)
    if (word := _DAY_WORD.fullmatch(text)) is not None:
        day = datetime.fromtimestamp(now - DAY_S * (word[1].lower() == "yesterday"), UTC)
        return _of_day(day, word[2])
    if (date := _DATE.fullmatch(text)) is not None:
        try:
            return _of_day(datetime.fromisoformat(date[1]).replace(tzinfo=UTC), date[2])
        except ValueError:
            return None
    clock = _clock(text)
    if clock is None:
        return None
    at = _on(datetime.fromtimestamp(now, UTC), clock)
    at -= DAY_S * (at > now)
    return Moment(at, at, daily=True)


def _counted_back(text: str, now: int) -> int | None:
    plain = text.lower().replace("−", "-").replace("–", "-")
    if plain == "now":
        return now
    for start, end in (("now", ""), ("-", ""), ("", "ago")):
        if plain.startswith(start) and plain.endswith(end) and (start or end):
            inner = plain[len(start) : len(plain) - len(end)].strip().removeprefix("-")
            if (back := duration_s(inner)) is not None and (start != "now" or "-" in plain):
                return now - back
    return None


def _of_day(day: datetime, clock_text: str | None) -> Moment | None:
    if clock_text is None:
        start = int(day.replace(hour=0, minute=0, second=0, microsecond=0).timestamp())
        return Moment(start, start + DAY_S)
    clock = _clock(clock_text)
    if clock is None:
        return None
    at = _on(day, clock)
    return Moment(at, at)


def _on(day: datetime, clock: tuple[int, timezone]) -> int:
    """Return the unix seconds at which it is a time of day on some day of its own time zone."""
    seconds, zone = clock
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
    return int(midnight.timestamp()) + seconds


def _clock(text: str) -> tuple[int, timezone] | None:
    """Read a time of day: seconds since midnight, and the time zone that they are of."""
    text, zone = _without_zone(text.strip())
    match = _CLOCK.fullmatch(text.strip())
    if match is None or not (match[2] or match[4]):
        return None
    hour, minute, second = int(match[1]), int(match[2] or 0), int(match[3] or 0)
    if half := (match[4] or "").lower()[:1]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + 12 * (half == "p")
    if hour > 23 or minute > 59 or second > 59:
        return None
    return hour * 3600 + minute * 60 + second, zone


def _without_zone(text: str) -> tuple[str, timezone]:
    match = _ZONE.fullmatch(text)
    if match is None or (match[4] or "").lower() in ("am", "pm"):
        return text, UTC
    if match[4]:
        raise UserError("unknown-zone", zone=match[4])
    if not match[3]:
        return match[1], UTC
    hours, minutes = int(match[3][1:3]), int(match[3][-2:])
    if hours > 14 or minutes > 59:
        raise UserError("unknown-zone", zone=match[3])
    offset = timedelta(hours=hours, minutes=minutes)
    return match[1], timezone(-offset if match[3][0] == "-" else offset)
