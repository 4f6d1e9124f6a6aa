"""Redaction: secrets and personal data never leave the engine.

Everything that a comparison says passes through here before anything is rendered, posted, stored or logged.
What is recognised, by shape wherever it stands:

    Authorization: Bearer eyJhbGciOi...     ->  Authorization: [redacted]
    postgres://app:hunter2@db/shop          ->  postgres://[redacted]@db/shop
    GET /login?token=9f8b3c2a&page=2        ->  GET /login?token=[redacted]&page=2
    password = 'hunter2'                    ->  password = [redacted]
    jane.doe@example.com, 4111 1111 1111 1111, AKIA..., ghp_..., xoxb-..., eyJ....eyJ...., private keys

Statements are already templates without literals when they get here. Trace, span and request ids, UUIDs, pod
names, versions and image digests stay: they are what an answer is for. Irreversible and idempotent; every
expression is bounded, so no text can make it slow.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from analysis.comparison import Comparison

MASK = "[redacted]"
EMAIL = "[redacted-email]"
CARD = "[redacted-card]"
MAX_TEXT = 20_000  # characters of one text that are kept; beyond this nothing readable is lost

# Names that always mean a secret, and names that often mean something harmless (a service called "auth").
STRONG = (
    "authorization|cookie|password|passwd|passphrase|pwd|secret|access[-_]?token|refresh[-_]?token|id[-_]?token|"
    "session[-_]?id|api[-_]?key|private[-_]?key|access[-_]?key|credentials?"
)
WEAK = "token|session|sid|signature|otp|auth|key|ssn|pin"
_KEY = re.compile(rf"(?:{STRONG})|(?:^|[._\-\s])(?:{WEAK})$", re.IGNORECASE)

_END = r"(?!\[redacted|\?|\$\d|%s)"  # what is masked already, or is a placeholder
_VALUE = (
    r"(?:\"[^\"]{1,4000}\"|'[^']{1,4000}'|(?:bearer|basic|digest)\s+[^\s&;,\"')\]}]{1,8000}|[^\s&;,\"')\]}]{1,4000})"
)
_LONG = r"[\"']?(?=[A-Za-z_-]*\d)[\w+/.=~-]{16,4000}[\"']?"

# A cheap look first: most names and statements hold none of these. Written in small letters: looking through text in
# small letters takes a quarter of the time of ignoring their case, which only text beyond ASCII needs.
_SUSPICIOUS = re.compile(
    rf"@|eyj|akia|asia|aiza|gh[pousr]_|github_pat_|glpat-|xox|xapp|[sp]k_|-----begin|bearer|basic\s|digest\s"
    rf"|\d{{4}}[ -]?\d{{4}}|(?:{STRONG}|{WEAK})[\"']?\s{{0,3}}[=:]"
)
_SUSPICIOUS_IN_ANY_CASE = re.compile(_SUSPICIOUS.pattern, re.IGNORECASE)
_RULES: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(
            r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----.{0,10000}?(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|$)", re.DOTALL
        ),
        MASK,
    ),
    (re.compile(r"\beyJ[\w-]{5,4000}\.[\w-]{4,8000}(?:\.[\w-]{0,4000})?"), MASK),
    (
        re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\bAIza[\w-]{30,60}|\bgh[pousr]_\w{20,255}|\bgithub_pat_\w{20,255}"),
        MASK,
    ),
    (
        re.compile(
            r"\bglpat-[\w-]{15,80}|\bxox[abeoprs]-[\w-]{8,200}|\bxapp-[\w-]{8,200}|\b[sp]k_(?:live|test)_\w{8,200}"
        ),
        MASK,
    ),
    (re.compile(r"(\b[a-z][a-z0-9+.-]{1,20}://)[^\s/@:]{0,200}:[^\s/@]{1,200}@", re.IGNORECASE), rf"\1{MASK}@"),
    (re.compile(rf"(\"?(?:{STRONG})\"?\s{{0,3}}[=:]\s{{0,3}}){_END}{_VALUE}", re.IGNORECASE), rf"\1{MASK}"),
    (re.compile(rf"((?<![a-z])\"?(?:{WEAK})\"?=|\"(?:{WEAK})\":\s{{0,3}}){_END}{_VALUE}", re.IGNORECASE), rf"\1{MASK}"),
    (re.compile(rf"((?<![a-z])(?:{WEAK}):\s{{0,3}}){_END}{_LONG}", re.IGNORECASE), rf"\1{MASK}"),
    (re.compile(rf"\b(bearer|basic|digest)\s+{_END}[\w+/.=~:-]{{6,8000}}", re.IGNORECASE), rf"\1 {MASK}"),
    (re.compile(r"\b[\w.+%-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,5}\b"), EMAIL),
)
_CARD = re.compile(r"(?<![\w.-])(?:\d[ -]?){12,18}\d(?![\w.-])")


class Redactor:
    """Redacts texts and remembers them; the same names come again and again."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def text(self, text: str) -> str:
        """Return `text` without what must not be shown; the same object when there is nothing."""
        known = self._known.get(text)
        if known is None:
            known = self._known[text] = redacted(text)
        return known

    def value(self, key: str, text: str) -> str:
        """Return an attribute's value as it may be shown: not at all when its name says that it is a secret."""
        return MASK if _KEY.search(key) else self.text(text)


def redacted(text: str) -> str:
    """Return one text without secrets and personal data."""
    if len(text) > MAX_TEXT:
        text = text[:MAX_TEXT] + "…"
    if not (_SUSPICIOUS.search(text.lower()) if text.isascii() else _SUSPICIOUS_IN_ANY_CASE.search(text)):
        return text
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return _CARD.sub(_card, text)


def _card(match: re.Match[str]) -> str:
    """Redact a number that passes the check of payment cards (Luhn); other long numbers are ids and times."""
    digits = [int(c) for c in match[0] if c.isdigit()]
    total = sum(d if i % 2 == 0 else (2 * d - 9 if d > 4 else 2 * d) for i, d in enumerate(reversed(digits)))
    return CARD if total % 10 == 0 and len(set(digits)) > 1 else match[0]


def redact(comparison: Comparison) -> Comparison:
    """Return the comparison with every text redacted; the same one when there is nothing to hide."""
    redactor = Redactor()
    if all(redactor.text(text) == text for text in _texts(comparison)):
        return comparison
    return msgspec.convert(_walk(msgspec.to_builtins(comparison), redactor), type=Comparison)


def _texts(comparison: Comparison) -> set[str]:
    """Collect every distinct text; a caller in a path is a contribution of its own, so the last step will do."""
    texts = {text for c in comparison.contributions for text in (c.operation, c.detail, *c.path[-1])}
    rest = msgspec.structs.replace(comparison, contributions=())
    stack: list[Any] = [msgspec.to_builtins(rest)]
    while stack:
        node = stack.pop()
        if isinstance(node, str):
            texts.add(node)
        elif isinstance(node, dict):
            stack.extend(node)
            stack.extend(value for key, value in node.items() if key not in _LITERAL)
        elif isinstance(node, (list, tuple)):
            stack.extend(node)
    return texts


_LITERAL = frozenset(  # ours: ids, codes and numbers
    (
        *("trace_id", "root_span_id", "baseline_span_id", "suspect_span_id", "span_id", "baseline_span_ids"),
        *(
            "suspect_span_ids",
            "started_at",
            "finding",
            "kind",
            "code",
            "severity",
            "confidence",
            "affects",
            "side",
            "parts",
        ),
    )
)


def _walk(node: Any, redactor: Redactor) -> Any:
    if isinstance(node, str):
        return redactor.text(node)
    if isinstance(node, dict):
        return {
            (key if key in _LITERAL else redactor.text(key)): (value if key in _LITERAL else _walk(value, redactor))
            for key, value in node.items()
        }
    if isinstance(node, (list, tuple)):
        return [_walk(item, redactor) for item in node]
    return node
