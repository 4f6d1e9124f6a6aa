"""What is sensitive in a text: secrets and personal data, recognised by shape wherever they stand, or by name.

    Authorization: Bearer eyJhbGciOi...          ->  Authorization: [redacted]
    Cookie: theme=dark; sid=9f8b                 ->  Cookie: [redacted]
    postgres://app:hunter2@db/shop               ->  postgres://[redacted]@db/shop
    GET /login?token=9f8b3c2a&page=2             ->  GET /login?token=[redacted]&page=2
    {"password": ["hunter2"]}, --password x      ->  {"password": [redacted]}, --password [redacted]
    SELECT a FROM t WHERE name = 'Jane'          ->  SELECT a FROM t WHERE name = ?
    Key (name)=(Jane) already exists             ->  Key (name)=(?) already exists
    jane.doe@example.com, 4111 1111 1111 1111, AKIA..., ghp_..., xoxb-..., eyJ....eyJ...., private keys,
    and any of these in base64

Trace, span and request ids, UUIDs, order numbers, pod names, versions and image digests stay: they are what an
answer is for. Irreversible and idempotent; every expression is bounded, so no text can make it slow.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analysis.model import AttributeValue
    from analysis.options import CompareOptions

MASK = "[redacted]"
EMAIL = "[redacted-email]"
CARD = "[redacted-card]"
MAX_TEXT = 20_000  # characters of one text that are kept; beyond this nothing readable is lost
MARGIN = 1_000  # characters beyond them that are looked at, for what begins before the end and goes on after it

# Names that always mean a secret, and names that often mean something harmless (a service called "auth").
STRONG = (
    r"authorization|cookie|password|passwd|passphrase|passcode|pwd|secret|access[-_ ]?token|refresh[-_]?token|"
    r"id[-_]?token|auth[-_]?token|session[-_]?(?:id|token|key)|api[-_ ]?(?:key|token)|private[-_]?key|access[-_]?key|"
    r"account[-_]?key|credentials?|client[-_]?assertion|sessid"
)
WEAK = "token|session|sid|sig|signature|otp|auth|pass|ssn|pin"
_KEY = rf"(?:{STRONG})|(?:^|[._\-\s])(?:{WEAK}|key)$"

_QUOTE = r"(?:\\{0,3}[\"'])"
_OPEN = r"\s{0,3}+(?:(?!\[redacted)[\[({]){0,2}+\s?+"
_END = r"(?!\[redacted|\?|\$\d|%s)"  # what is masked already, or is a placeholder
_WORD = r"[^\s&;,\"'\\)\]}<]{1,4000}"
_VALUE = (
    r"(?:\\{1,3}\"[^\"]{1,4000}\"|\"[^\"]{1,4000}\"|'[^']{1,4000}'|"
    rf"(?:bearer|basic|digest|token|negotiate|ntlm|apikey)\s+{_WORD}|{_WORD})"
)
_LONG = r"[\"']?(?=[A-Za-z_-]*\d)[\w+/.=~-]{16,4000}[\"']?"
_SHORT = r"[\"']?(?=[A-Za-z_-]*\d)[\w+/.=~-]{8,4000}[\"']?"
_MIXED = r"[A-Za-z]*[\d+/=]|[a-z]+[A-Z]|[A-Z]+[a-z]+[A-Z]"  # no word of a language
_FREE = r"(?<![A-Za-z0-9])"  # not in the middle of a word; an underscore is not the middle

# Tokens that say by their first characters whose they are.
_PREFIXED = (
    r"(?:AKIA|ASIA|AROA|AIDA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Za-z0-9])",
    r"AIza[\w-]{30,60}",
    r"ya29\.[\w-]{8,400}",
    r"gh[pousr]_\w{20,255}",
    r"github_pat_\w{20,255}",
    r"gl[a-z]{2,5}-[\w-]{15,80}",
    r"xox[a-z]-[\w-]{8,200}",
    r"xapp-[\w-]{8,200}",
    r"[spr]k_(?:live|test)_\w{8,200}",
    r"whsec_\w{8,200}",
    r"sk-(?=[\w-]{0,60}\d)[\w-]{20,200}",
    r"SG\.[\w-]{16,64}\.[\w-]{16,64}",
    r"npm_\w{30,60}",
    r"pypi-[\w-]{16,400}",
    r"hf_\w{20,80}",
    r"dop_v1_[0-9a-f]{20,80}",
    r"shp[a-z]{2}_[0-9a-fA-F]{20,60}",
    r"hvs\.[\w-]{20,200}",
)

_CRUMB = r"[\w!#$%&*+.^|~-]{1,200}(?:=[^\s;,\"'\\]{0,4000})?"
_CRUMBS = rf"{_CRUMB}(?:;\s{{0,2}}{_CRUMB}){{0,99}}"  # what a cookie line says
_PRIVATE_KEY = r"[A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?"
_DIGEST = r"digest\s[^\r\n]{1,8000}"
_ABOUT = r"(?:auth\w*|tokens?|realm|error|scheme|format|header)"  # words about bearers that are none
_SCHEME = r"[a-z][\w-]{1,30}\s{1,3}[^\s\"'\\,;&]{4,8000}"  # what an authorization header says, of whatever scheme
_RULES: tuple[tuple[str, str], ...] = (
    (rf"-----BEGIN {_PRIVATE_KEY}-----.{{0,10000}}?(?:-----END {_PRIVATE_KEY}-----|$)", MASK),
    (rf"(?-i:{_FREE}eyJ[\w-]{{5,4000}}\.[\w-]{{4,8000}}(?:\.[\w-]{{0,4000}}){{0,4}})", MASK),
    (rf"(?-i:{_FREE}(?:{'|'.join(_PREFIXED)}))", MASK),
    (r"(\b[a-z][a-z0-9+.-]{1,20}:\\{0,2}/\\{0,2}/)(?!\[redacted)[^\s/@\"'<>\\]{1,400}@", rf"\1{MASK}@"),
    (r"\bdigest\s+username=[^\r\n]{1,8000}", f"Digest {MASK}"),
    # Headers: all of a cookie line, and what stands behind the name of a scheme.
    (rf"((?:set-)?cookie{_QUOTE}?\s{{0,3}}:{_OPEN}{_QUOTE}?+){_END}{_CRUMBS}", rf"\1{MASK}"),
    (rf"(authorization{_QUOTE}?\s{{0,3}}[:=]{_OPEN}{_QUOTE}?+){_END}(?:{_DIGEST}|{_SCHEME})", rf"\1{MASK}"),
    # Names of secrets with what they hold: in settings, JSON, markup, command lines and sentences.
    (rf"(<[\w:.-]{{0,60}}(?:{STRONG})[^<>]{{0,200}}>){_END}[^<]{{1,4000}}", rf"\1{MASK}"),
    (rf"((?:{STRONG}){_QUOTE}?\s{{0,3}}(?:=>|:=|[=:]){_OPEN}){_END}{_VALUE}", rf"\1{MASK}"),
    (rf"((?<![\w-])--?[\w-]{{0,40}}(?:{STRONG}|token)\s{{1,3}}+){_END}(?!-){_VALUE}", rf"\1{MASK}"),
    (rf"((?:{STRONG})\s{{1,3}}+(?:is\s|was\s)?+)(?:\"[^\"]{{1,400}}\"|'[^']{{1,400}}')", rf"\1{MASK}"),
    (rf"((?<![a-z])(?:{WEAK}){_QUOTE}?=|{_QUOTE}(?:{WEAK}|key){_QUOTE}:{_OPEN}){_END}{_VALUE}", rf"\1{MASK}"),
    (rf"((?<![a-z])key=){_END}{_LONG}", rf"\1{MASK}"),
    (rf"((?<![a-z])(?:token|otp|signature|pass):\s{{0,3}}+){_END}{_SHORT}", rf"\1{MASK}"),
    (rf"((?<![a-z])(?:{WEAK}|key):\s{{0,3}}+){_END}{_LONG}", rf"\1{MASK}"),
    (rf"\b(bearer)\s++{_END}(?!{_ABOUT}\b)[\w+/.=~:-]{{6,8000}}", rf"\1 {MASK}"),
    (rf"\b(basic)\s++{_END}(?-i:(?={_MIXED})[A-Za-z0-9+/]{{6,8000}}={{0,2}})", rf"\1 {MASK}"),
    (r"[\w.+-]{1,64}(?:@|%40|%2540)(?!\d+\.)[\w-]{1,63}(?:\.[\w-]{1,63}){0,4}\.[^\W\d_]{2,24}", EMAIL),
    # Databases say in their errors which value was wrong.
    (r"(\bKey \([^()]{1,200}\)=\()(?!\?\))[^()]{1,400}\)", r"\1?)"),
    (r"(\bDuplicate entry )'(?!\?')[^']{1,400}'", r"\1'?'"),
)  # fmt: skip
_COMPILED = tuple((re.compile(pattern, re.IGNORECASE | re.DOTALL), said) for pattern, said in _RULES)

# A cheap look first: most names hold none of these, most statements only what values stand after.
_SUSPICIOUS = re.compile(
    r"@|%40|eyJ|AKIA|ASIA|AROA|AIDA|ABIA|ACCA|AIza|ya29|gh[pousr]_|_pat_|gl[a-z]{2,5}-|xox|xapp|[spr]k[_-]|whsec|SG\.|npm_|"
    r"pypi-|hf_|dop_|shp[a-z]{2}_|hvs\.|-----BEGIN|bearer|basic\s|digest\s|\d{4}[\s.-]?\d{4}|\d{4}[\s.-]?\d{6}|"
    rf"(?:{STRONG}|{WEAK}|key)[\"'\\\s>:=]|Key \(|Duplicate entry|[\w+/-]{{24}}",
    re.IGNORECASE,
)
# Half the time, for texts whose case is plain; the pattern has no class that a capital letter names.
_SUSPICIOUS_LOWERED = re.compile(_SUSPICIOUS.pattern.lower())
_BEFORE_VALUES = re.compile(r"[('\"=<>]|\b(?:limit|offset|like|between)\b", re.IGNORECASE)

_SQL = re.compile(
    r"\bselect\b.{1,4000}\bfrom\b|\binsert\s+into\b|\bupdate\s.{1,200}\bset\b|\bdelete\s+from\b|\bmerge\s+into\b",
    re.IGNORECASE | re.DOTALL,
)
_QUOTED = r"N?'(?:[^']|''){0,4000}(?:'|$)|\"[^\"]{0,4000}\"(?!\.)"
_NUMBER = r"-?\d[\d.]{0,40}"
# A list of values; a quoted value, or a number, after what values follow. What stands before it is kept.
_LITERAL = re.compile(
    rf"(\()\s{{0,4}}(?:{_QUOTED}|{_NUMBER})(?:\s{{0,4}},\s{{0,4}}(?:{_QUOTED}|{_NUMBER}|\?)){{0,400}}(?=\s{{0,4}}\))"
    rf"|((?:[=<(,]|(?<!-)>|\b(?:like|ilike|between|and|in|values|then|else|limit|offset|set|regexp|select)\b)\s{{0,4}})(?:{_QUOTED})"
    rf"|((?:[=<]|(?<!-)>|\b(?:like|between|limit|offset)\b)\s{{0,4}}){_NUMBER}(?![\w.])",
    re.IGNORECASE,
)
_DIGITS = re.compile(
    r"(?:(?<![\w-])(?<!\d\.)|(?<=card[_-])|(?<=card))\d(?:[ \u00a0.-]?\d){12,200}(?![\w-]|\.\d)", re.IGNORECASE
)
# First digits and lengths that payment networks have given out; other long numbers are ids, times and orders.
_ISSUED = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})|(?:5[1-5]|2[2-7]|35)\d{14}|3[47]\d{13}|3(?:0[0-5]|[68]\d)\d{11}|6\d{15,18}",
    re.ASCII,
)
_GROUP = re.compile(r"\d+")
_BASE64 = re.compile(r"(?<![\w+/=-])[\w+/-]{24,8000}={0,2}(?![\w+/=-])", re.ASCII)


class Redactor:
    """Redacts texts and remembers them; the same names come again and again.

    `names` are further names of secrets (matched anywhere in a name, in any case), `patterns` regular expressions of
    further secrets.
    """

    def __init__(self, names: Iterable[str] = (), patterns: Iterable[str] = ()) -> None:
        self._known: dict[str, str] = {}
        further = "|".join(map(re.escape, names))
        self._secret_name = re.compile(f"{_KEY}|{further}" if further else _KEY, re.IGNORECASE)
        self._named = (
            re.compile(rf"((?:{further}){_QUOTE}?\s{{0,3}}[=:]\s{{0,3}}){_END}{_VALUE}", re.IGNORECASE)
            if further
            else None
        )
        self._further = [re.compile(pattern) for pattern in patterns]

    @classmethod
    def of(cls, options: CompareOptions) -> Redactor | None:
        """Return the redactor that the options ask for."""
        return cls(options.secret_names, options.secret_patterns) if options.redact else None

    def text(self, text: str) -> str:
        """Return `text` without what must not be shown; the same object when there is nothing."""
        known = self._known.get(text)
        if known is None:
            known = self._known[text] = self._redacted(text)
        return known

    def value(self, name: str, value: AttributeValue) -> str:
        """Write an attribute's value as it may be shown: not at all when its name says that it is a secret."""
        shown = self._value(name, value)
        return shown if isinstance(shown, str) else self.text(json.dumps(shown, ensure_ascii=False, default=str))

    def _value(self, name: str, value: AttributeValue) -> AttributeValue:
        if self._secret_name.search(name) and not isinstance(value, bool):
            return MASK
        if isinstance(value, dict):
            return {self.text(key): self._value(key, inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [self._value("", inner) for inner in value]
        return self.text(value) if isinstance(value, str) else value

    def _redacted(self, text: str) -> str:
        for pattern in self._further:
            text = pattern.sub(MASK, text)
        if self._named is not None:
            text = self._named.sub(rf"\1{MASK}", text)
        return redacted(text)


def redacted(text: str) -> str:
    """Return one text without secrets and personal data."""
    if len(text) > MAX_TEXT:
        # What the cut leaves of a secret would not be recognised, so the cut is made behind more than is kept.
        return _redacted(text[: MAX_TEXT + MARGIN])[:-MARGIN][:MAX_TEXT] + "…"
    return _redacted(text)


def _redacted(text: str) -> str:
    if _SUSPICIOUS_LOWERED.search(text.lower()) if text.isascii() else _SUSPICIOUS.search(text):
        for pattern, replacement in _COMPILED:
            text = pattern.sub(replacement, text)
    elif not _BEFORE_VALUES.search(text):
        return text
    statement = _SQL.search(text)
    if statement is not None:
        begin = statement.start()
        text = text[:begin] + _LITERAL.sub(r"\1\2\3?", text[begin:])
    return _BASE64.sub(_encoded, _DIGITS.sub(_cards, text))


def _cards(match: re.Match[str]) -> str:
    """Redact payment cards in a row of digits: in one piece, or in groups as they stand on a card."""
    row = match[0]
    groups = [group.span() for group in _GROUP.finditer(row)]
    said, kept = "", 0
    for first, (begin, head) in enumerate(groups):
        if begin < kept:
            continue
        digits = ""
        for start, end in groups[first:]:
            digits += row[start:end]
            if len(digits) > 19 or end - start < 3:
                break
            if (start == begin or head - begin == 4) and _is_card(digits):
                said, kept = f"{said}{row[kept:begin]}{CARD}", end
                break
    return said + row[kept:]


def _is_card(digits: str) -> bool:
    """Tell whether a payment network has given out such numbers and this one passes the check (Luhn)."""
    if not _ISSUED.fullmatch(digits):
        return False
    doubled = (2 * int(c) - (9 if c > "4" else 0) if i % 2 else int(c) for i, c in enumerate(reversed(digits)))
    return sum(doubled) % 10 == 0


def _encoded(match: re.Match[str]) -> str:
    """Redact what holds something sensitive when it is read as base64."""
    word = match[0].replace("-", "+").replace("_", "/")
    try:
        said = base64.b64decode(word + "==").decode()  # padding that is not needed is not minded
    except (binascii.Error, UnicodeDecodeError):
        return match[0]
    readable = all(char.isprintable() or char.isspace() for char in said)
    return MASK if readable and redacted(said) != said else match[0]
