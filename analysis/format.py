"""Numbers for people: three significant digits, one unit, and never a rounding that tells a lie.

    1_207_384_000 -> "1.21 s"      422_967_000 -> "423 ms"      845_200 -> "845 µs"      310 -> "310 ns"

A share that is not all is never shown as 100 %, one that is not nothing never as 0 %.
"""

from __future__ import annotations

from datetime import UTC, datetime

_UNITS = ((1, "ns"), (1_000, "µs"), (1_000_000, "ms"))
_SECOND = 1_000_000_000
_MINUTE = 60_000_000_000
_HOUR = 60 * _MINUTE
_YEAR_9999 = 253_370_764_800_000_000_000


def duration(ns: int) -> str:
    """Say a duration (ns) in three significant digits and one unit; minutes and hours beyond 100 s."""
    sign = "-" if ns < 0 else ""
    size = abs(ns)
    if size >= 100 * 1_000_000_000 - 50_000_000:
        return sign + _long(size)
    for scale, unit in _UNITS:
        number = _three_digits(size, scale)
        if number != "1000":
            return f"{sign}{number} {unit}" if size else "0 ms"
    return f"{sign}{_three_digits(size, _SECOND)} s"


def _three_digits(size: int, scale: int) -> str:
    """Round size/scale to three significant digits, exactly (in integers), without trailing noise."""
    if scale == 1:
        return str(size) if size < 1_000 else "1000"
    for decimals, below in ((2, 10), (1, 100), (0, 1_000)):
        step = scale // 10**decimals
        rounded = (2 * size + step) // (2 * step)
        if rounded < below * 10**decimals:
            if not decimals:
                return str(rounded)
            whole, part = divmod(rounded, 10**decimals)
            return f"{whole}.{part:0{decimals}d}"
    return "1000"


def _long(size: int) -> str:
    seconds = (size + 500_000_000) // 1_000_000_000
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {seconds:02d} s"


def change(ns: int) -> str:
    """Say a difference (ns) with its sign: "+1.14 s", "-80.0 ms", "0 ms"."""
    return f"+{duration(ns)}" if ns > 0 else duration(ns)


def ratio(before: int, after: int) -> str:
    """Say how many times as large `after` is: "10.8x"; "new" when there was nothing before."""
    if before <= 0:
        return "new" if after > 0 else "1.0x"
    times = after / before
    if times >= 100:
        return f"{times:.0f}x"
    return f"{times:.1f}x" if times >= 1.05 or (times <= 0.95 and times >= 0.1) else f"{times:.2f}x"


def share(part: int, whole: int) -> str:
    """Say a part of a whole in per cent, never rounding to 0 % or 100 % what is not."""
    if whole == 0:
        return "0 %" if part == 0 else "all"
    percent = 100 * part / whole
    shown = round(percent)
    if shown == 0 and part:
        return "< 1 %"
    if shown == 100 and part != whole:
        return "> 99 %" if percent < 100 else "100 %"
    return f"{shown} %"


def timestamp(ns: int) -> str:
    """Say a moment (ns since the epoch) as RFC 3339 in UTC with milliseconds; "" when it is no moment at all."""
    if not 0 <= ns < _YEAR_9999:
        return ""
    moment = datetime.fromtimestamp(ns // 1_000_000 / 1000, tz=UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def count(number: int, noun: str) -> str:
    """Say a number of things: "1 call", "61 calls"."""
    return f"{number} {noun}" if number == 1 else f"{number:,} {noun}s"


def short_id(trace_id: str) -> str:
    """Return the first eight characters of an id that carry information, as people quote them."""
    return (trace_id.lstrip("0") or trace_id)[:8] if trace_id.startswith("0" * 16) else trace_id[:8]


def shorten(text: str, width: int) -> str:
    """Cut a text to at most `width` characters, in the middle, marked with an ellipsis."""
    text = " ".join(text.split())
    if len(text) <= width:
        return text
    head = (width - 1) * 2 // 3
    return f"{text[:head]}…{text[len(text) - (width - 1 - head) :]}"
