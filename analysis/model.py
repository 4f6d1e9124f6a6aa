"""The data model: what every wire format is decoded into, and nothing more.

Times are int nanoseconds since the epoch; durations are int nanoseconds. Ids are lower-case hex,
trace ids 32 characters, span ids 16. Attribute values are JSON-like Python values; an attribute
name appears as it was sent (old and new semantic conventions are reconciled in `semconv.py`).

`Span` objects are not garbage-collector tracked (`gc=False`): a trace of 100,000 spans would
otherwise make every collection walk all of them, which costs more than the comparison itself. They
hold no reference back to themselves, so nothing can leak.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Protocol, TypeAlias

from msgspec import Struct

from analysis.notes import Note

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

NO_SERVICE = "(no service name)"  # stands for the service of a sender that does not name itself

AttributeValue: TypeAlias = "str | bool | int | float | list[AttributeValue] | dict[str, AttributeValue] | None"
Attributes: TypeAlias = dict[str, AttributeValue]


class Unread(Protocol):
    """Attributes as they were sent, read when somebody asks.

    A comparison asks for those of the few spans that it talks about; attributes are most of a trace, and keeping all
    of them as dicts doubles the memory and costs a third of the whole comparison.
    """

    @property
    def names(self) -> frozenset[str]:
        """The names of the attributes."""

    def read(self) -> Attributes:
        """Return the attributes; valid, since whoever made this has read them once."""


class SpanKind(StrEnum):
    """OpenTelemetry's span kinds; `UNSPECIFIED` when the sender did not say."""

    UNSPECIFIED = "unspecified"
    INTERNAL = "internal"
    SERVER = "server"
    CLIENT = "client"
    PRODUCER = "producer"
    CONSUMER = "consumer"


class WireFormat(StrEnum):
    """The dialects a trace can arrive in (see `analysis.decode`)."""

    JAEGER_JSON = "jaeger-json"  # Jaeger v1 JSON, also VictoriaTraces
    OTLP_JSON = "otlp-json"  # resourceSpans; also Jaeger api_v3's {"result": ...} envelopes
    TEMPO_JSON = "tempo-json"  # Tempo v1 {"batches"} and v2 {"trace", "status"}
    OTLP_PROTOBUF = "otlp-protobuf"  # TracesData; also Tempo v1 with Accept: application/protobuf
    TEMPO_PROTOBUF = "tempo-protobuf"  # Tempo v2's TraceByIDResponse envelope


class Resource(Struct, frozen=True, gc=False):
    """The process that emitted spans: its service name (else `NO_SERVICE`) and the attributes of its instance."""

    service: str
    attributes: Attributes


class Event(Struct, frozen=True, gc=False):
    """A timestamped record on a span (Jaeger: log); exceptions are events named `exception`."""

    name: str
    time_ns: int
    attributes: Attributes


class Link(Struct, frozen=True, gc=False):
    """A reference to a span that is not the parent (Jaeger: FOLLOWS_FROM)."""

    trace_id: str
    span_id: str


class Span(Struct, frozen=True, gc=False):
    """One timed operation, exactly as it was sent (unrepaired: `end_ns` may precede `start_ns`).

    `parent_id` is "" for a root. `error` is the span's own status, whatever form the sender gave it. `shape` is what
    tells it from others of its name (see `analysis.shape`), `http_status` the code it was answered with ("" for none);
    both are None where the decoder has not looked.
    """

    span_id: str
    parent_id: str
    name: str
    kind: SpanKind
    resource: Resource
    start_ns: int
    end_ns: int
    error: bool
    status_message: str
    sent: Attributes | Unread  # the attributes, or what they are read from
    events: tuple[Event, ...] = ()
    links: tuple[Link, ...] = ()
    # A consumer may carry one FOLLOWS_FROM and no CHILD_OF: it is a child all the same, an asynchronous one.
    follows_from: bool = False
    shape: str | None = None
    http_status: str | None = None

    @property
    def attributes(self) -> Attributes:
        """The attributes; possibly read anew each time, so ask once and keep the answer."""
        sent = self.sent
        return sent if isinstance(sent, dict) else sent.read()

    @property
    def names(self) -> AbstractSet[str]:
        """The names of the attributes, without reading them."""
        sent = self.sent
        return sent.keys() if isinstance(sent, dict) else sent.names

    @property
    def service(self) -> str:
        """Name of the service that emitted the span; `NO_SERVICE` when it did not say."""
        return self.resource.service


class Trace(Struct, frozen=True, gc=False):
    """A decoded trace: its spans in the order they were sent, and what decoding has to say about them."""

    trace_id: str
    spans: tuple[Span, ...]
    notes: tuple[Note, ...] = ()
    names: frozenset[str] | None = None  # what `attribute_names` returns, where the decoder has seen them all

    def attribute_names(self) -> frozenset[str]:
        """Return the names of all attributes of its spans and their events: what none has, nobody needs to look for."""
        if self.names is not None:
            return self.names
        of_events = (event.attributes for span in self.spans for event in span.events)
        return frozenset().union(*(span.names for span in self.spans), *of_events)
