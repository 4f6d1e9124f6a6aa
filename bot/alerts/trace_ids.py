"""Which of the hex strings in an alert are trace ids: decided by what stands before them, never by looks alone.

An alert is full of strings that look like trace ids: md5 sums, commits, fingerprints, event ids, uuids. The rule:

1. A link to a configured host that names a trace, a `traceparent`, and a string whose own label says trace
   (`trace_id=`, `traceID:`, `"trace.id": "..."`, `*Trace:*`, `dd.trace_id=`, `tempo:` before an id) are ids: 12 to
   32 hex digits, a uuid, or 15 to 20 decimal digits (Datadog). A label that says anything else (`span_id=`,
   `fingerprint:`, `sha256:`, `order=`) rules a string out.
2. A link to any other host is one when its path or parameters say trace (`/trace/<id>`, `traceID=<id>`), or when the
   words on it or before it do and it holds exactly one string of 32 hex digits.
3. Without a label of its own, a string of 32 or 16 hex digits is one when, of the words before it on its line (or on
   the line before, where it stands alone), the nearest that names a kind of string says trace: "trace 4bf9..." yes,
   "trace of commit 4bf9..." no.
4. With no such word before it, a string of 32 hex digits is one only in a person's message: people paste bare ids,
   programs label them. What stands before a colon in a person's sentence ("the slow one: 4bf9...") is read as words.

What 1 finds stands before what 2 and 3 find; in a person's message the order is that of the text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from urllib.parse import unquote

from bot.errors import UserError
from bot.requests.references import host_of, normalise, parse_reference
from bot.requests.request import TraceRef

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bot.alerts.content import Content, Passage
    from bot.alerts.mrkdwn import Link

MAX_REFERENCES = 20
MAX_CANDIDATES = 1_000  # strings of a message that are judged
BEFORE = 600  # characters before a string in which words are looked for
NEAR = 100  # of those, once other ids are left out

_CANDIDATE = re.compile(
    r"(?<![0-9a-z_\-])(?:0x)?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{12,32})(?![0-9a-z_\-])",
    re.IGNORECASE,
)
_CLAUSE_END = re.compile(r"(?<![0-9a-z])[0-9a-f]{7,64}[`'\"]?\s?:", re.IGNORECASE)  # "deploy of 2fd4e1c: ..."
_TRACEPARENT = re.compile(r"\b[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}\b", re.IGNORECASE)
_IN_URL = re.compile(
    r"""(?:[/?&#;](?:trace|traces|trace[_-]?id|tid)[/=]|"query"\s*:\s*")([0-9a-f]{32}|[0-9a-f]{16}|[0-9]{15,20})(?![0-9a-z])""",
    re.IGNORECASE,
)
_LONE_HEX = re.compile(r"(?<![0-9a-z])[0-9a-f]{32}(?![0-9a-z])", re.IGNORECASE)
_LABEL = re.compile(r"([\w.\-]+(?: [\w.\-]+){0,2})$")
_WORD = re.compile(r"[A-Za-z][\w.\-]*")
_WORD_PARTS = re.compile(r"[\s_.\-]+")
_DRESS = " \t\u00a0\u200b*_~`\"'“”‘’()[]{}<>,;•|"
_TRACE_ENDS = ("traceid", "traceids", "traceparent", "exemplar", "exemplars")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_OTHER_KINDS = frozenset({
    "id", "ids", "uid", "uuid", "guid", "sha", "sha1", "sha256", "sha512", "md5", "hash", "digest", "checksum",
    "fingerprint", "commit", "commits", "revision", "rev", "git", "event", "span", "spans", "parent", "image", "build",
    "version", "release", "session", "token", "key", "etag", "container", "pod", "node", "replay",
    "incident", "issue", "user", "order", "tenant", "deploy", "deployment", "traceback", "stacktrace", "tracestate",
})  # fmt: skip

Said = Literal["trace", "other", "nothing"]


@dataclass(frozen=True, slots=True)
class _Found:
    reference: TraceRef
    certain: bool


def find_traces(content: Content, hosts: Mapping[str, str]) -> tuple[tuple[TraceRef, ...], int]:
    """Return the traces that a message names, as the module states, and how many different ones there are."""
    found: dict[str, _Found] = {}
    for passage in content.passages:
        for one in _in_passage(passage, hosts, from_person=not content.from_bot):
            known = found.get(one.reference.trace_id)
            found[one.reference.trace_id] = _merge(known, one) if known else one
    ordered = list(found.values())
    if content.from_bot:
        ordered.sort(key=lambda one: not one.certain)
    return tuple(one.reference for one in ordered[:MAX_REFERENCES]), len(ordered)


def _merge(known: _Found, again: _Found) -> _Found:
    """The same id twice, often as text and as link: what either says about where and when is kept."""
    source = known.reference.source or again.reference.source
    window = known.reference.window or again.reference.window
    reference = TraceRef(trace_id=known.reference.trace_id, source=source, window=window)
    return _Found(reference, certain=known.certain or again.certain)


def _in_passage(passage: Passage, hosts: Mapping[str, str], *, from_person: bool) -> Iterator[_Found]:
    """The traces of a passage, in the order in which they stand."""
    text = passage.text
    places: list[tuple[int, _Found]] = []
    for link in passage.links:
        places += [(link.at, one) for one in _in_link(link, text, hosts)]
    for match in _TRACEPARENT.finditer(text):
        places += [(match.start(), one) for one in _reference(match[1], None, certain=True)]
    for number, match in enumerate(_CANDIDATE.finditer(text)):
        if number >= MAX_CANDIDATES:
            break
        places += [(match.start(), one) for one in _judge(match, text, hosts, from_person=from_person)]
    for _, one in sorted(places, key=lambda place: place[0]):
        yield one


def _judge(match: re.Match[str], text: str, hosts: Mapping[str, str], *, from_person: bool) -> Iterator[_Found]:
    """Apply rules 1, 3 and 4 to a string."""
    digits = match[1]
    words = _words_before(text, match.start())
    label = _label(words)
    if label is not None and not (from_person and _is_prose(label, words)):
        source = label.lower() if label.lower() in hosts.values() else None
        if source or _names_trace(label):
            yield from _reference(digits, source, certain=True)
        return
    said = _nearest(words)
    if digits.isdigit() or len(digits) not in {16, 32, 36}:
        return
    if said == "trace" or (said == "nothing" and from_person and len(digits) == 32):
        yield from _reference(digits, None, certain=False)


def _words_before(text: str, at: int) -> str:
    """What is read as being said of a string: its line up to it, or the nearest line above where it stands alone."""
    before = text[max(0, at - BEFORE) : at]
    for end in _CLAUSE_END.finditer(before):
        before = " " * end.end() + before[end.end() :]
    before = _CANDIDATE.sub(" ", before)
    for line in reversed(before.split("\n")):
        if line.strip(_DRESS + "-"):
            return line[-NEAR:]
    return ""


def _label(words: str) -> str | None:
    """Return the label that ends right before a string (`key=`, `"key": "`, `Key (2): `), None without one."""
    bare = words.rstrip(_DRESS)
    if not bare.endswith((":", "=")):
        return None
    match = _LABEL.search(bare.rstrip(":=" + _DRESS + "0123456789"))
    return match[1] if match else ""


def _is_prose(label: str, words: str) -> bool:
    """Tell whether a person's words before a colon are a sentence, not the name of a value."""
    return words.rstrip(_DRESS).endswith(":") and _nearest(label) == "nothing"


def _names_trace(label: str) -> bool:
    """Tell whether a label (or a word) says that a trace id follows."""
    parts = [part for part in _WORD_PARTS.split(label.lower()) if part]
    if "".join(parts).endswith(_TRACE_ENDS):
        return True
    return bool(parts) and parts[-1] in {"trace", "traces"} and parts[-2:-1] not in (["stack"], ["back"])


def _nearest(words: str) -> Said:
    """What the nearest word that names a kind of string says."""
    said = [word.rstrip(".-") for word in _WORD.findall(words)]
    for number in range(len(said) - 1, -1, -1):
        if _names_trace(" ".join(said[max(0, number - 1) : number + 1])):
            return "trace"
        last = _WORD_PARTS.split(_CAMEL.sub("_", said[number]))[-1].lower()
        if last in _OTHER_KINDS or last in {"trace", "traces"}:  # here only a stack trace is left
            return "other"
    return "nothing"


def _in_link(link: Link, text: str, hosts: Mapping[str, str]) -> Iterator[_Found]:
    """Apply rules 1 and 2 to a link."""
    try:
        host = host_of(link.url)
    except ValueError:
        return
    if host in hosts:
        try:
            for reference in parse_reference(link.url, hosts):
                yield _Found(reference, certain=True)
        except UserError:
            return  # a link to a dashboard or a search
        return
    url = unquote(link.url)
    ids = _IN_URL.findall(url)
    said = _nearest(link.label)
    if not ids and (said if said != "nothing" else _said_before(text, link.at)) == "trace":
        ids = list(dict.fromkeys(_LONE_HEX.findall(url)))
        ids = ids if len(ids) == 1 else []
    for digits in ids:
        yield from _reference(digits, None, certain=False)


def _said_before(text: str, at: int) -> Said:
    words = _words_before(text, at)
    label = _label(words)
    if label is None:
        return _nearest(words)
    return "trace" if _names_trace(label) else "other"


def _reference(digits: str, source: str | None, *, certain: bool) -> Iterator[_Found]:
    """Read an id; 15 and 17 to 20 decimal digits are a 64-bit number, as Datadog writes it. All zeros is none."""
    plain = digits.replace("-", "")
    if plain.isdigit() and len(plain) in {15, 17, 18, 19, 20}:
        if int(plain) >= 1 << 64:
            return
        plain = f"{int(plain):x}"
    try:
        yield _Found(TraceRef(trace_id=normalise(plain), source=source), certain=certain)
    except UserError:
        return  # all zeros
