"""OpenTelemetry semantic conventions, old and new names read alike.

Instrumentation libraries renamed most attributes between 2022 and 2024 (`http.method` became
`http.request.method`, `db.statement` became `db.query.text`, ...), and both generations stand side by
side in real traces. Each function here answers one question of a span, whatever its dialect.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from analysis.model import SpanKind

if TYPE_CHECKING:
    from analysis.model import Attributes, Resource, Span

HTTP_METHOD = ("http.request.method", "http.method")
HTTP_URL = ("url.full", "http.url", "url.path", "http.target")
HTTP_ROUTE = ("http.route", "url.template")
HTTP_STATUS = ("http.response.status_code", "http.status_code")
HTTP_RESENT = ("http.request.resend_count", "http.resend_count")
RPC_STATUS = ("rpc.response.status_code", "rpc.grpc.status_code", "grpc.status_code")
DB_SYSTEM = ("db.system.name", "db.system")
DB_STATEMENT = ("db.query.text", "db.statement")
DB_TABLE = ("db.collection.name", "db.sql.table", "db.mongodb.collection")
GRAPHQL_NAME = ("graphql.operation.name",)
GRAPHQL_TYPE = ("graphql.operation.type",)
DB_STATUS = ("db.response.status_code",)
_OTHER_STATUS = (*RPC_STATUS, *DB_STATUS)
MESSAGING_SYSTEM = ("messaging.system",)
MESSAGE_ID = ("messaging.message.id", "messaging.message_id")
MESSAGING_DESTINATION = ("messaging.destination.name", "messaging.destination", "messaging.kafka.topic")
PEER = (
    "peer.service", "server.address", "net.peer.name", "network.peer.address", "net.sock.peer.addr", "net.peer.ip",
    "peer.address",
)  # fmt: skip
INSTANCE = ("service.instance.id", "k8s.pod.name", "container.id", "host.name", "hostname", "ip")
POD = ("k8s.pod.name", "service.instance.id", "container.id")
HOST = ("host.name", "k8s.node.name", "hostname", "host.id")
ZONE = ("cloud.availability_zone", "cloud.region")
FLAG_KEY = ("feature_flag.key",)
FLAG_VARIANT = ("feature_flag.result.variant", "feature_flag.variant", "feature_flag.result.value")
CACHES = ("redis", "memcached", "valkey", "hazelcast", "couchbase", "geode", "infinispan")
COLD_START = ("faas.coldstart", "faas.cold_start")
VERSION = ("service.version", "container.image.tag", "container.image.tags")

GRPC_CODES = (
    "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
    "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED",
    "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
)  # fmt: skip

THROTTLED = ("429", "RESOURCE_EXHAUSTED")
HTTP_CODE = 3  # digits of a status code
TURNED_AWAY = (*THROTTLED, "502", "503", "504", "UNAVAILABLE")
LOG_MESSAGE = ("message", "log.message", "body", "event")
LOG_LEVEL = ("level", "severity", "log.severity", "severity_text")

TIMED_OUT = ("408", "504", "DEADLINE_EXCEEDED")
STATEMENT_COMMENT = re.compile(r"/\*.*?(?:\*/|$)|--[^\n]*", re.DOTALL)
_TIMED_OUT = re.compile(r"time[ds]?[ _-]?out|deadline[ _-]?exceeded", re.IGNORECASE)

CALLING = (SpanKind.CLIENT, SpanKind.PRODUCER)
SERVING = (SpanKind.SERVER, SpanKind.CONSUMER)


def first(attributes: Attributes, names: tuple[str, ...]) -> str:
    """Return the first non-empty value among `names` as text, or ""."""
    for name in names:
        value = attributes.get(name)
        if value is not None and value != "":
            return value if type(value) is str else str(value)
    return ""


def instance(resource: Resource) -> str:
    """Name the process that emitted spans as precisely as the resource allows."""
    return first(resource.attributes, INSTANCE) or resource.service


def version(resource: Resource) -> str:
    """Return the version of the service, or ""."""
    return first(resource.attributes, VERSION)


def peer(span: Span) -> str:
    """Name the other end of a call as the caller saw it: a service, a host name or an address."""
    return peer_in(span.attributes)


def peer_in(attributes: Attributes) -> str:
    """Name the other end of a call whose attributes these are; "" when they do not say."""
    name = first(attributes, PEER)
    if name:
        return name
    url = first(attributes, HTTP_URL)
    if "://" in url:
        return url.split("://", 1)[1].split("/", 1)[0].rsplit("@", 1)[-1].split(":", 1)[0]
    return ""


def asked(span: Span) -> str:
    """Return what a call asks for, as it was sent: statement, path with its query, or message; "" when not said.

    The host is no part of it: another try may go to another one. Comments of a statement carry ids of the try.
    """
    attributes = span.attributes
    statement = first(attributes, DB_STATEMENT)
    if statement:
        return STATEMENT_COMMENT.sub(" ", statement).strip()
    _, absolute, place = (url := first(attributes, HTTP_URL)).partition("://")
    return place.partition("/")[2] if absolute else url or first(attributes, MESSAGE_ID)


def category(attributes: Attributes) -> str:
    """Tell the kind of work: "db", "messaging", "rpc", "http" or ""."""
    get = attributes.get
    if get("db.system") or get("db.system.name") or get("db.statement") or get("db.query.text"):
        return "db"
    if get("messaging.system") or get("messaging.destination.name"):
        return "messaging"
    if get("rpc.system") or get("rpc.service") or get("rpc.system.name"):
        return "rpc"
    if get("http.request.method") or get("http.method") or get("http.url") or get("url.full"):
        return "http"
    return ""


def throttled(span: Span) -> bool:
    """Tell whether the other end refused because of a rate limit or an exhausted quota."""
    return status_code(span) in THROTTLED


def failing(code: str) -> bool:
    """Tell whether a status code of HTTP or gRPC says that the request was not served."""
    return code in GRPC_CODES[1:] or (len(code) == HTTP_CODE and code.isdigit() and code[0] in "45")


def failed(span: Span) -> bool:
    """Tell whether a span failed: it says so, or what it answered does (who serves leaves a 404 unmarked)."""
    return span.error or failing(status_code(span))


def refused(span: Span) -> bool:
    """Tell whether a call was not served: it failed, or its status asks for another try.

    Proxies and older tracers call only some of these codes an error, servers none of the 4xx.
    """
    return span.error or status_code(span) in TURNED_AWAY


def timed_out(span: Span) -> bool:
    """Tell whether a span says itself that its time ran out: by status code, message or exception."""
    if status_code(span) in TIMED_OUT:
        return True
    said = [span.status_message, first(span.attributes, ("error.type",))]
    for event in span.events:
        said += (first(event.attributes, (name,)) for name in ("exception.type", "exception.message"))
    return any(_TIMED_OUT.search(text) for text in said)


def http_status(span: Span) -> str:
    """Return the HTTP status code that a span states, or ""."""
    known = span.http_status
    return first(span.attributes, HTTP_STATUS) if known is None else known


def status_code(span: Span) -> str:
    """Return what the protocol answered ("503", "UNAVAILABLE", "40P01"), or "" when it did not say."""
    http = http_status(span)
    if http:
        return http
    if span.names.isdisjoint(_OTHER_STATUS):
        return ""
    attributes = span.attributes
    rpc = first(attributes, RPC_STATUS)
    if rpc.isdigit() and int(rpc) < len(GRPC_CODES):
        return GRPC_CODES[int(rpc)]
    return rpc or first(attributes, DB_STATUS)
