"""References: find trace ids in whatever people paste. Pure; a pasted link is parsed, never requested.

Understood: ids of 1 to 32 hex digits in any dress (`0x`, dashes, upper case, quotes, backticks), traceparent
headers, `source:id`, links of Jaeger (also its `/trace/A...B` page and its API), of Grafana Explore (both
generations, split views), of Grafana's Traces Drilldown, of dashboards with a variable for a trace, and of Tempo's API;
Slack's `<url|label>` around any. A configured host needs no scheme before it.
"""

from __future__ import annotations

import base64
import binascii
import html
import json
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

from bot.errors import UserError
from bot.requests.request import TraceRef

if TYPE_CHECKING:
    from collections.abc import Mapping

PADDING_S = 6 * 3600  # a link's time range is where somebody looked, not where the trace is
MAX_TEXT = 20_000  # characters of a pasted text that are looked at
MAX_DEPTH = 12  # of JSON inside a link

_WRAPPED = re.compile(r"<((?:https?|mailto):[^<>|\s]+)(?:\|[^<>]*)?>")
_URL = re.compile(r"https?://[^\s<>]+", re.IGNORECASE)
_TRACEPARENT = re.compile(r"\b[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}\b", re.IGNORECASE)
_ID = re.compile(r"(?:0x)?([0-9a-f]{1,32})", re.IGNORECASE)
_DASHED = re.compile(r"[0-9a-f]+(?:-[0-9a-f]+)+", re.IGNORECASE)
_TRACEQL_ID = re.compile(r"""trace:id\s*=\s*["'`]([0-9a-f]{1,32})["'`]""", re.IGNORECASE)
_ID_NAMES = ("traceId", "traceID", "trace_id", "var-traceId", "var-traceID", "var-trace_id")
_OWN_PORTS = {"http": ":80", "https": ":443"}
_PATH_TRACE = re.compile(r"/traces?/([^/?#]+)")
_DRESS = " \t\r\n\u00a0\u200b`'\"“”‘’«»()[]{}<>,;.!?*_~|"


def find_references(text: str, hosts: Mapping[str, str]) -> list[TraceRef]:
    """Return the traces named in a command's words, in order, each once.

    `hosts` maps the host[:port] of every configured source's links to the source's name, or to "" where several
    share it. Raises `UserError` for a word that is no reference and for a link to an unknown host.
    """
    found: list[TraceRef] = []
    for word in split_words(text):
        for reference in parse_reference(word, hosts):
            if reference not in found or not _link(word, hosts):
                found.append(reference)
    return found


def split_words(text: str) -> list[str]:
    """Split a command's text into words, unwrapping Slack's links and keeping pasted JSON links whole."""
    text = html.unescape(text[:MAX_TEXT]).replace("\u00a0", " ")
    text = _WRAPPED.sub(r" \1 ", text)
    words = []
    at = 0
    for match in _URL.finditer(text):
        words += text[at : match.start()].split()
        end = _url_end(text, match.start(), match.end())
        words.append(text[match.start() : end])
        at = end
    words += text[at:].split()
    words = [word if _is_url(word) else word.strip(_DRESS) for word in words]
    return [word for word in words if any(map(str.isalnum, word))]  # an arrow says nothing that its place does not


def _url_end(text: str, start: int, end: int) -> int:
    """A link pasted un-encoded may hold JSON with spaces: extend it to the bracket that closes it."""
    opening = next((i for i in range(start, end) if text[i] in "{["), -1)
    if opening < 0:
        return end
    try:
        _, closed = json.JSONDecoder().raw_decode(text, opening)
    except (ValueError, RecursionError):
        return end
    rest = re.compile(r"[^\s<>]*").match(text, closed)
    return max(end, rest.end() if rest else closed)


def parse_reference(word: str, hosts: Mapping[str, str]) -> list[TraceRef]:
    """Read one word: an id, `source:id`, a traceparent or a link (which may hold two traces)."""
    link = _link(word, hosts)
    if link:
        return _from_link(link.rstrip(".,;!?)'\"”’"), hosts)
    traceparent = _TRACEPARENT.fullmatch(word)
    if traceparent:
        return [TraceRef(trace_id=normalise(traceparent[1]))]
    source, colon, rest = word.partition(":")
    if colon and rest and source and not _ID.fullmatch(word):
        return [TraceRef(trace_id=_bare(rest.strip(_DRESS), word), source=source)]
    return [TraceRef(trace_id=_bare(word, word))]


def normalise(hex_digits: str) -> str:
    """Return an id as 32 lower-case hex digits; `UserError` when it is all zeros."""
    padded = hex_digits.lower().rjust(32, "0")
    if not padded.strip("0"):
        raise UserError("zero-id")
    return padded


def _is_url(word: str) -> bool:
    return word[:8].lower().startswith(("http://", "https://"))


def host_of(url: str) -> str:
    """Return the host of a link, with its port unless every link of its kind has that; `ValueError` for none."""
    parts = urlsplit(url)
    return parts.netloc.rsplit("@", 1)[-1].lower().removesuffix(_OWN_PORTS.get(parts.scheme, ""))


def _link(word: str, hosts: Mapping[str, str]) -> str:
    """Return a word as a link; "" for what is none. Without a scheme a known host before a path makes it one."""
    if _is_url(word):
        return word
    url = f"https://{word}"
    try:
        return url if "/" in word and host_of(url) in hosts else ""
    except ValueError:
        return ""


def _bare(text: str, shown: str) -> str:
    """Read a bare id; raises `UserError` naming what was typed."""
    plain = text.replace("-", "") if _DASHED.fullmatch(text) else text
    match = _ID.fullmatch(plain)
    if match is None:
        raise UserError("not-a-reference", text=shown[:60])
    return normalise(match[1])


def _from_link(url: str, hosts: Mapping[str, str]) -> list[TraceRef]:
    try:
        parts, host = urlsplit(url), host_of(url)
    except ValueError:
        raise UserError("not-a-reference", text=url[:60]) from None
    source = hosts.get(host)
    if source is None:
        known = ", ".join(sorted(hosts)) or "none"
        raise UserError("unknown-host", host=host[:100], known=known)
    ids, window = _ids_in(parts.path, f"{parts.query}#{parts.fragment}" if parts.fragment else parts.query)
    if not ids:
        raise UserError("no-trace-in-link", host=host[:100])
    return [TraceRef(trace_id=normalise(i), source=source or None, window=window) for i in dict.fromkeys(ids)]


def _ids_in(path: str, query: str) -> tuple[list[str], tuple[int, int] | None]:
    """Return the ids and the padded time range in a link's path and query."""
    match = _PATH_TRACE.search(path)
    if match:
        in_path = list(filter(None, map(_path_id, unquote(match[1]).split("..."))))
        if in_path:
            return in_path, None
    try:
        parameters = parse_qs(query, max_num_fields=100)
    except ValueError:
        return [], None
    ids: list[str] = []
    for name in _ID_NAMES:
        ids = [value.lower() for value in parameters.get(name, ()) if _ID.fullmatch(value)]
        if ids:
            return ids, _window(_one(parameters, "from"), _one(parameters, "to"))
    panes: list[Any] = [pane for name in ("left", "right") for pane in map(_json, parameters.get(name, ()))]
    for sides in map(_json, parameters.get("panes", ())):
        panes += list(sides.values()) if isinstance(sides, dict) else []
    window = None
    for pane in panes:
        found, when = _pane(pane)
        ids += found
        window = window or when
    return ids, window


def _one(parameters: dict[str, list[str]], name: str) -> str:
    return parameters.get(name, [""])[0]


def _path_id(part: str) -> str:
    """Read an id of a link's path: hex, or base64 as new Jaeger servers print it."""
    part = part.strip()
    if re.fullmatch(r"[0-9a-fA-F]{1,32}", part):
        return part
    if len(part) in (11, 12, 22, 24):
        try:
            return base64.b64decode(part.rstrip("=") + "=" * (-len(part.rstrip("=")) % 4), altchars=b"-_").hex()
        except (binascii.Error, ValueError):
            return ""
    return ""


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _pane(pane: Any) -> tuple[list[str], tuple[int, int] | None]:
    """Read one Grafana Explore pane: the object form of both generations, or the old array form."""
    if isinstance(pane, list):
        queries = [item for item in pane[3:] if isinstance(item, dict)]
        window = _window(*map(str, pane[:2])) if len(pane) > 1 else None
    elif isinstance(pane, dict):
        queries = [item for item in pane.get("queries") or () if isinstance(item, dict)]
        span = pane.get("range")
        window = _window(str(span.get("from", "")), str(span.get("to", ""))) if isinstance(span, dict) else None
    else:
        return [], None
    ids: list[str] = []
    for query in queries:
        text = query.get("query")
        if isinstance(text, str):
            text = text.strip()
            ids += [text] if re.fullmatch(r"[0-9a-fA-F]{1,32}", text) else _TRACEQL_ID.findall(text)
    return ids, window


def _window(start: str, end: str) -> tuple[int, int] | None:
    """Read an absolute time range; relative ones ("now-1h") say nothing about when the trace ran."""
    low, high = unix_seconds(start), unix_seconds(end)
    if low is None or high is None or high < low:
        return None
    return low - PADDING_S, high + PADDING_S


def unix_seconds(text: str) -> int | None:
    """Read a time as Unix seconds, milliseconds or ISO 8601; None when it is none of them."""
    text = text.strip()
    if text.isascii() and text.isdigit() and 9 <= len(text) <= 19:
        number = int(text)
        while number > 100_000_000_000:
            number //= 1_000
        return number
    try:
        return int(datetime.fromisoformat(text).timestamp())
    except (ValueError, OverflowError, OSError):
        return None
