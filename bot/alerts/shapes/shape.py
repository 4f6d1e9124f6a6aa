"""What a shape is: how one vendor's alerts are recognised, and what it knows beyond the words of the message."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from bot.alerts.labels import ENVIRONMENT, NAMESPACE, operation_of, pick, service_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bot.alerts.alert import State, Vendor
    from bot.alerts.content import Content

_FIRING = re.compile(
    r"\b(?:firing|(?:re-?)?triggered|alerting|alert|warn|warning|critical|error|opened|open|active|acknowledged"
    r"|no data)\b",
    re.IGNORECASE,
)
_RESOLVED = re.compile(r"\b(?:resolved|recovered|ok|closed|cleared|fixed|normal|up)\b", re.IGNORECASE)
_OPENING = re.compile(
    r"[\W_]*(?:(firing|(?:re-?)?triggered|alerting|acknowledged|new alert"
    r"|(?:critical|warning|warn|alert|error|problem|no data)(?=[\]:]|\s-))"
    r"|(resolved|recovered|recovery|cleared|closed(?: alert)?|ok(?=[\]:]|\s-)))\b(?::\d+)?(?:,\s*resolved:\d+)?[\W_]*",
    re.IGNORECASE,
)
_EMOJI = re.compile(r":[a-z0-9_+\-]{1,50}:", re.IGNORECASE)
_ALARM = re.compile(
    r":(?:fire|rotating_light|red_circle|large_red_circle|x|warning|bangbang|exclamation|boom|no_entry):"
)
_RELIEF = re.compile(
    r":(?:white_check_mark|heavy_check_mark|large_green_circle|green_circle|green_heart|ok|ok_hand|tada):"
)
_VOLATILE = re.compile(
    r"\[(?:firing|resolved)[^\[\]]{0,40}\]|"
    r"\d{4}-\d{2}-\d{2}(?:[T ][\d:.]+(?:Z|[+-]\d{2}:?\d{2})?)?|\b\d{1,2}:\d{2}(?::\d{2})?\b|\b[0-9a-f]{12,}\b"
    r"|\d+(?:\.\d+)?\s?(?:%|ms|s|sec|seconds|min|minutes|m|h|hours)(?![a-z])|\d+\.\d+",
    re.IGNORECASE,
)
_RED = frozenset({"danger", "a30200", "d63232", "e01e5a", "ff0000", "d00000", "eb4d5c"})
_GREEN = frozenset({"good", "2eb886", "36a64f", "2eb67d", "00ff00", "28a745"})
_MATCHER = re.compile(r"([A-Za-z_][\w.]{0,60})=\"?([^\"{}~=][^\"{}]{0,200})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a shape says: `identity` makes the fingerprint; times are Unix seconds; `labels` come after the text's."""

    state: State
    identity: tuple[str, ...]
    title: str = ""
    url: str = ""
    start: int | None = None
    end: int | None = None
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A vendor's shape: one file has one, the registry lists it."""

    vendor: Vendor
    recognises: Callable[[Content], bool]
    read: Callable[[Content, Mapping[str, str]], Said]


def opening(title: str) -> tuple[State, str]:
    """Split a title into its state and the rest: "[FIRING:2] High latency" or "Recovered: High latency"."""
    bare = _EMOJI.sub(" ", title).strip()
    match = _OPENING.match(bare)
    if match is None:
        return "unknown", bare
    return ("firing" if match[1] else "resolved"), bare[match.end() :].strip()


def state_of(content: Content, labels: Mapping[str, str]) -> State:
    """The state that a title's first words say, else its emoji, else a label, else the colour of the bar."""
    state, _ = opening(content.title)
    if state != "unknown":
        return state
    if _ALARM.search(content.title):
        return "firing"
    if _RELIEF.search(content.title):
        return "resolved"
    label = pick(labels, ("status", "state", "alert_state", "current_state", "transition"))
    if _FIRING.search(label):
        return "firing"
    if _RESOLVED.search(label):
        return "resolved"
    if content.colour in _RED:
        return "firing"
    return "resolved" if content.colour in _GREEN else "unknown"


def steady(title: str) -> str:
    """A title without what changes each time the alert fires: its state, times, measured values, ids."""
    return " ".join(_VOLATILE.sub("#", opening(title)[1]).lower().split())[:200]


def whose(labels: Mapping[str, str]) -> tuple[str, ...]:
    """What tells two alerts of one rule apart."""
    return service_of(labels), operation_of(labels), pick(labels, ENVIRONMENT), pick(labels, NAMESPACE)


def host_of(url: str) -> str:
    """Return the host of a link, "" for what is none."""
    try:
        return urlsplit(url).netloc.rsplit("@", 1)[-1].lower()
    except ValueError:
        return ""


def on_host(url: str, *domains: str) -> bool:
    """Tell whether a link goes to one of these domains or below."""
    host = host_of(url).partition(":")[0]
    return any(host == domain or host.endswith(f".{domain}") for domain in domains)


def parameters(url: str) -> dict[str, str]:
    """Return a link's parameters, the first value of each; those after a `#` count as well."""
    try:
        parts = urlsplit(url)
        query = f"{parts.query}&{parts.fragment.partition('?')[2]}"
        return dict(reversed(parse_qsl(query, max_num_fields=100)))
    except ValueError:
        return {}


def silenced_labels(content: Content) -> dict[str, str]:
    """The labels that a "silence" link carries: Grafana's `matcher=<name>=<value>`, Alertmanager's `filter={...}`."""
    for link in content.links():
        if "/silence" in link.url:
            query = link.url[link.url.index("/silence") :].partition("?")[2]
            matchers = [value for name, value in parse_qsl(query, max_num_fields=None) if name in {"matcher", "filter"}]
            pairs = [pair for matcher in matchers[:50] for pair in _MATCHER.findall(matcher)[:50]]
            return {name.lower(): value for name, value in pairs[:50]}
    return {}
