"""Operation keys: which spans are "the same operation", whatever ids they carry.

Two spans have the same key when service, kind, templated name and templated detail agree. The detail
tells spans of one name apart: every query is called `SELECT`, every outgoing request `GET`; their
statement, URL and peer say which. Templates replace what varies between two requests of one operation:

    /users/123/orders/9f8b3c2a  ->  /users/{}/orders/{}
    SELECT * FROM t WHERE id IN (1, 2, 3) -- trace=ab12   ->  SELECT * FROM t WHERE id IN (?)
    MGET ? ? ? ?                ->  MGET
    SET SET SET                 ->  SET

Real names are kept for display; keys exist only to align.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct

from analysis import semconv
from analysis.model import SpanKind
from analysis.shape import MAX_TEXT, Shapes

if TYPE_CHECKING:
    from collections.abc import Callable

    from analysis.model import Attributes, Span
    from analysis.sensitive import Redactor

SERVED = (SpanKind.SERVER, SpanKind.INTERNAL)  # of a method: who sends no kinds does not say who asks for it
MAX_WORDS = 40  # words of a command line that can tell two commands apart

_VARIABLE = re.compile(
    r"""
    [0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}  # uuid
    | \b0x[0-9a-fA-F]+\b
    | \b(?=[a-zA-Z]*\d)(?=\d*[a-fA-F])[0-9a-fA-F]{8,}\b      # hex id with a digit and a letter
    | (?<![A-Za-z0-9.])\d+(?:\.\d+)*(?![A-Za-z0-9])          # a number on its own
    | \d{4,}                                                 # a long number inside a word (u1795487467)
    """,
    re.VERBOSE,
)
_HAS_VARIABLE = re.compile(r"\d")
_SQL_LITERAL = re.compile(
    r"""
    '(?:[^']|'')*(?:'|$) | \$\d+ | (?<!:):[A-Za-z_]\w* | (?<!\w)@\w+ | %s | %\(\w+\)s
    | (?<![\w.])[-+]?\d+(?:\.\d+)?(?![\w.])
    """,
    re.VERBOSE | re.DOTALL,
)
_SQL_LIST = re.compile(r"\(\s*\?(?:\s*,\s*\?)*\s*\)(?:\s*,\s*\(\s*\?(?:\s*,\s*\?)*\s*\))*")
_SPACE = re.compile(r"\s+")
_REPEATED = re.compile(r"(?<!\S)(\S+)(?:\s+\1(?!\S))+")
_SQL = re.compile(r"\W*(?:select|insert|update|delete|with|begin|commit|call|merge|create|alter)\b", re.IGNORECASE)
_IP = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-fA-F:]+\]")
_TABLE = re.compile(r"\b(?:from|into|update|join|table)\s+[\"`\[]?([\w.$]+)", re.IGNORECASE)
_ROUTE_PARAMETER = re.compile(r"\{[^{}/]*\}|<[^<>/]*>|(?<=/):[A-Za-z_]\w*")
_HTTP_NAME = re.compile(r"^(?:HTTP\s+)?(?:GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS)$|^HTTP$", re.IGNORECASE)


class OperationKey(Struct, frozen=True, gc=False):
    """Identity of an operation. `loose` drops what differs between instrumentations and statements."""

    service: str
    name: str
    kind: SpanKind
    category: str
    detail: str  # templated statement, URL, destination or operation asked for
    target: str  # what is called: table, host, topic, rpc service; of an HTTP server the method

    @property
    def loose(self) -> tuple[str, str, str, str]:
        """Same service, name, sort of work and target: the same call written differently."""
        return (self.service, self.name, self.category, self.target)

    @property
    def method(self) -> str:
        """HTTP method of a request that is served; "" for everything else and when it is not said."""
        return self.target if self.category == "http" and self.kind is SpanKind.SERVER else ""

    @property
    def asked(self) -> str:
        """What a request that is served asks for by a name in its body: a GraphQL operation, a method; else ""."""
        named = self.category == "graphql" or (self.category == "rpc" and self.kind in SERVED)
        return self.detail if named else ""

    @property
    def further(self) -> str:
        """The detail where it says more than the name (the statement of a `SELECT`), else ""."""
        return "" if self.detail in self.name or self.detail in _unnamed(self.name) else self.detail

    @property
    def words(self) -> tuple[str, ...]:
        """All of it as texts, to order keys by what they are."""
        return (self.service, self.name, self.kind.value, self.detail, self.category, self.target)


class OperationKeys:
    """Computes keys and remembers them: requests repeat the same few operations many times."""

    def __init__(self, redactor: Redactor | None = None) -> None:
        self._redactor = redactor
        self._seen: dict[tuple[str, str, SpanKind, str], int] = {}
        self._numbers: dict[OperationKey, int] = {}
        self._shapes = Shapes()
        self.keys: list[OperationKey] = []

    def number(self, span: Span) -> int:
        """Return the small integer that stands for the span's key in this comparison.

        Only what is new in shape is worked out in full.
        """
        shape = span.shape
        if shape is None:
            shape = self._shapes.of(span.attributes)
        seen = (span.resource.service, span.name, span.kind, shape)
        number = self._seen.get(seen)
        if number is None:
            key = operation_key(span, self._redactor)
            number = self._numbers.setdefault(key, len(self.keys))
            if number == len(self.keys):
                self.keys.append(key)
            self._seen[seen] = number
        return number


def operation_key(span: Span, redactor: Redactor | None = None) -> OperationKey:
    """Compute the key of one span; what is secret in it goes first, as no template of a secret is recognised as one."""
    clean = redactor.text if redactor is not None else str
    attributes = span.attributes
    kind = span.kind
    category = _category(attributes, kind)
    name = template(clean(span.name))
    detail = target = ""
    if category == "db":
        statement = clean(semconv.first(attributes, semconv.DB_STATEMENT))[:MAX_TEXT]
        system = semconv.first(attributes, semconv.DB_SYSTEM)
        detail = statement_template(statement)
        table = semconv.first(attributes, semconv.DB_TABLE)
        if not table and statement:
            found = _TABLE.search(statement)
            table = found[1] if found else ""
        target = f"{system}:{table}".lower()
    elif category == "messaging":
        target = detail = template(clean(semconv.first(attributes, semconv.MESSAGING_DESTINATION)))
    elif category == "rpc":
        target = semconv.first(attributes, ("rpc.service",))
        method = semconv.first(attributes, ("rpc.method",))
        detail = f"{target}/{method}" if target else method
    elif category == "graphql":
        asked = (semconv.first(attributes, names) for names in (semconv.GRAPHQL_TYPE, semconv.GRAPHQL_NAME))
        detail = template(clean(" ".join(asked).strip()))
    elif category == "http":
        if kind in (SpanKind.CLIENT, SpanKind.UNSPECIFIED):
            target, path = _url(attributes, clean)
            detail = f"{target}{path}"
        else:
            detail = _unnamed(clean(semconv.first(attributes, semconv.HTTP_ROUTE)))
            target = semconv.first(attributes, semconv.HTTP_METHOD).upper()
            if not detail and _HTTP_NAME.match(span.name):
                detail = _url(attributes, clean)[1]
    elif kind in semconv.CALLING:
        target = _host(clean(semconv.peer_in(attributes)))
    return OperationKey(span.resource.service, name, kind, category, detail, target)


def _category(attributes: Attributes, kind: SpanKind) -> str:
    """Tell the kind of work; one address serves all of GraphQL, so what is asked for there says more than it."""
    category = semconv.category(attributes)
    named = category in ("", "http") and kind not in semconv.CALLING and semconv.first(attributes, semconv.GRAPHQL_NAME)
    return "graphql" if named else category


def _unnamed(route: str) -> str:
    """Replace the parameters of a route, however they are written: `/users/{id}`, `/users/:id`, `/users/<int:id>`."""
    return _ROUTE_PARAMETER.sub("{}", route)


def template(text: str) -> str:
    """Replace ids and numbers in a name by `{}` and collapse repeated words."""
    text = text[:MAX_TEXT]
    if _HAS_VARIABLE.search(text):
        text = _VARIABLE.sub("{}", text)
    if " " in text:
        text = _REPEATED.sub(r"\1", text)
    return text


def statement_template(statement: str) -> str:
    """Replace literals, parameters, lists and comments of a database statement."""
    text = statement[:MAX_TEXT]
    if not _SQL.match(semconv.STATEMENT_COMMENT.sub(" ", text) if "--" in text or "/*" in text else text):
        # A key-value store's command line, maybe a pipeline of thousands: its distinct words.
        words = [word for word in template(text).split() if word not in ("?", "{}")]
        return " ".join(dict.fromkeys(words[:MAX_WORDS]))
    return _SQL_LIST.sub("(?)", _SPACE.sub(" ", _without_literals(text)).strip())


def _without_literals(statement: str) -> str:
    """Replace the literals of a statement and drop its comments, which carry trace ids."""
    text = statement[:MAX_TEXT]
    if "--" in text or "/*" in text:
        text = semconv.STATEMENT_COMMENT.sub(" ", text)
    return _SQL_LITERAL.sub("?", text)


def _url(attributes: Attributes, clean: Callable[[str], str]) -> tuple[str, str]:
    """Return (host without port, path template) of an HTTP call."""
    url = clean(semconv.first(attributes, semconv.HTTP_URL))[:MAX_TEXT]
    host = ""
    if "://" in url:
        host, _, url = url.split("://", 1)[1].partition("/")
        url = "/" + url
        host = host.rsplit("@", 1)[-1]
    host = clean(semconv.first(attributes, ("peer.service",)) or host or semconv.peer_in(attributes))
    route = semconv.first(attributes, ("url.template", "http.route"))
    path = route or template(url.split("?", 1)[0].split("#", 1)[0])
    return _host(host), path


def _host(host: str) -> str:
    if _IP.match(host):
        return "{ip}"
    return template(host.rsplit(":", 1)[0] if host.count(":") == 1 else host)
