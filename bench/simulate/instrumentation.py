"""Turns what happened (a tree of activities) into the spans that a system's instrumentation would have sent.

Much is lost on the way, as in reality: services without client spans, databases without spans, sidecars that
add some, clocks that disagree, spans that never arrive. `Recording` holds what a fault changes about that.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from analysis.model import Event, Link, Resource, Span, SpanKind, Trace
from bench.simulate import naming
from bench.simulate.program import Inner, Instance, Operation, Publish, Query, Remote, Style, Wait

if TYPE_CHECKING:
    from analysis.model import AttributeValue
    from bench.simulate.conditions import Failure
    from bench.simulate.execution import Activity
    from bench.simulate.program import World

EPOCH_NS = 1_795_000_000_000_000_000
MS = 1_000_000


@dataclass(slots=True)
class Recording:
    """What is unusual about how one request was recorded; names are of services."""

    hidden: frozenset[str] = frozenset()  # their spans never arrived
    skew_ms: dict[str, float] = field(default_factory=dict)  # their clocks are ahead
    versions: dict[str, str] = field(default_factory=dict)
    resources: dict[str, dict[str, str]] = field(default_factory=dict)  # extra resource attributes
    styles: dict[str, Style] = field(default_factory=dict)  # another instrumentation
    service_names: dict[str, str] = field(default_factory=dict)
    span_names: dict[tuple[str, str], str] = field(default_factory=dict)  # (service, name) -> new name
    lost: float = 0.0  # share of spans that never arrived
    lost_tail: float = 0.0  # share of the last spans that never arrived


@dataclass(slots=True)
class Recorded:
    """A trace, and which spans show which activity."""

    trace: Trace
    spans_of: dict[int, list[Span]]  # by id(activity)


def record(world: World, root: Activity, seed: int, recording: Recording | None = None) -> Recorded:
    """Return the trace of an executed request; `seed` decides ids, times of day and volatile attributes."""
    return _Recorder(world, seed, recording or Recording()).record(root)


class _Recorder:
    def __init__(self, world: World, seed: int, recording: Recording) -> None:
        self.world = world
        self.recording = recording
        self.rng = random.Random(hash((seed, 77)))
        self.trace_id = f"{self.rng.getrandbits(128):032x}"
        self.epoch = EPOCH_NS + self.rng.randrange(10**13)
        self.spans: list[Span] = []
        self.spans_of: dict[int, list[Span]] = {}
        self.resources: dict[str, Resource] = {}

    def record(self, root: Activity) -> Recorded:
        parent = ""
        if self.world.caller:
            parent = self._caller(root)
        self._server(root, parent)
        trace = Trace(trace_id=self.trace_id, spans=tuple(self._arrived()))
        here = {id(span) for span in trace.spans}
        spans_of = {key: [s for s in spans if id(s) in here] for key, spans in self.spans_of.items()}
        return Recorded(trace, {key: spans for key, spans in spans_of.items() if spans})

    def _arrived(self) -> list[Span]:
        """Return the spans that reached the backend, in no order."""
        recording = self.recording
        spans = [s for s in self.spans if s.service not in recording.hidden]
        if recording.lost:
            spans = [s for s in spans if not s.parent_id or self.rng.random() >= recording.lost]
        if recording.lost_tail:
            spans.sort(key=lambda s: (s.parent_id != "", s.start_ns))
            spans = spans[: max(2, round(len(spans) * (1 - recording.lost_tail)))]
        self.rng.shuffle(spans)
        return spans

    # Activities ------------------------------------------------------------------------------------

    def _children(self, activity: Activity, parent: str) -> None:
        for child in activity.children:
            match child.role:
                case "server":
                    self._server(child, parent)
                case "client":
                    self._client(child, parent)
                case "query":
                    self._query(child, parent)
                case "producer":
                    self._producer(child, parent)
                case _:
                    self._internal(child, parent)

    def _caller(self, root: Activity) -> str:
        """Emit the span of who called the system."""
        browser = self.world.caller == "browser"
        rng = random.Random(hash((root.seed, 21)))
        there, back = (
            (rng.uniform(8, 20), rng.uniform(8, 20)) if browser else (rng.uniform(0.2, 0.6), rng.uniform(0.2, 0.6))
        )
        operation = self.world.root
        style = Style("nodejs", "new", client_name="method")
        attributes = (
            naming.rpc(operation, style, root.failure)
            if operation.protocol == "grpc"
            else naming.http_client(
                operation.method, "www.shop.example", self._path(operation.route), style, _status(root)
            )
        )
        service = self.world.caller
        resource = Resource(
            service, {"service.name": service, "telemetry.sdk.language": "webjs" if browser else "python"}
        )
        return self._emit(
            None, resource, style, naming.call_name(operation, style), SpanKind.CLIENT, "", -there, root.end + back,
            attributes=attributes,
        )  # fmt: skip

    def _server(self, activity: Activity, parent: str) -> None:
        operation = activity.subject
        assert isinstance(operation, Operation)  # noqa: S101 - a role implies its subject
        style = self._style(activity.instance)
        if not style.server_spans and activity.parent is not None:
            self._children(activity, parent)
            return
        name = naming.operation_name(operation, style)
        kind = {"consumer": SpanKind.CONSUMER, "job": SpanKind.INTERNAL}.get(operation.protocol, SpanKind.SERVER)
        shared = style.shared_ids and kind is SpanKind.SERVER and bool(parent) and activity.parent is not None
        shared = shared and self._style(activity.parent.instance).client_spans  # type: ignore[union-attr]
        span_id = self._emit(
            activity, self._resource(activity.instance), style, name, kind, parent, activity.start, activity.end,
            attributes={**self._served(activity, operation, style), **activity.attributes},
            failure=activity.failure, raised=activity.raised, span_id=parent if shared else "",
            queued=activity.asynchronous and kind is SpanKind.CONSUMER,
        )  # fmt: skip
        start, end = activity.start, activity.end
        if style.asgi and operation.protocol == "http":
            slice_ms = (end - start) * 0.01
            self._plain(activity, f"{name} http receive", span_id, start + slice_ms / 4, start + slice_ms)
            self._plain(activity, f"{name} http send", span_id, end - slice_ms, end - slice_ms / 4)
        if style.controller:
            edge = min(0.05, (end - start) / 20)
            span_id = self._plain(activity, operation.handler, span_id, start + edge, end - edge)
        self._children(activity, span_id)

    def _served(self, activity: Activity, operation: Operation, style: Style) -> dict[str, AttributeValue]:
        if operation.protocol == "http":
            return naming.http_server(operation, self._path(operation.route), style, _status(activity))
        if operation.protocol == "grpc":
            return naming.rpc(operation, style, activity.failure)
        if operation.protocol == "consumer":
            return naming.messaging("kafka", operation.route, "process", style)
        return {"code.function.name": operation.handler}

    def _client(self, activity: Activity, parent: str) -> None:
        remote = activity.subject
        assert isinstance(remote, Remote)  # noqa: S101 - a role implies its subject
        operation, style = remote.operation, self._style(activity.instance)
        host = f"{operation.service.name}.svc"
        span_id = parent
        if style.client_spans:
            server = activity.children[0] if activity.children else None
            status = _status(server) if server is not None and not server.asynchronous else None
            attributes = (
                naming.rpc(operation, style, activity.failure)
                if operation.protocol == "grpc"
                else naming.http_client(operation.method, host, self._path(operation.route), style, status)
            )
            if operation.protocol == "grpc" and style.convention != "opentracing":
                attributes["server.address" if style.convention == "new" else "net.peer.name"] = host
            span_id = self._emit(
                activity, self._resource(activity.instance), style, naming.call_name(operation, style), SpanKind.CLIENT,
                parent, activity.start, activity.end, attributes={**attributes, **activity.attributes},
                failure=activity.failure, raised=activity.raised and activity.failure is not None and activity.failure.cut,
            )  # fmt: skip
        if style.mesh and activity.children:
            self._mesh(activity, activity.children[0], span_id, host)
            return
        self._children(activity, span_id)

    def _mesh(self, client: Activity, server: Activity, parent: str, host: str) -> None:
        """Emit the two sidecars' spans between client and server."""
        outer = (client.end - client.start) * 0.01
        start, end = client.start + min(0.05, outer), client.end - min(0.05, outer)
        name = f"{host}.cluster.local:8080/*"
        failure = server.failure if not server.asynchronous else client.failure
        status: dict[str, AttributeValue] = {
            "component": "proxy", "http.status_code": str(_status(server)), "upstream_cluster": f"outbound|8080||{host}",
            "request_size": 120, "node_id": f"sidecar~{client.instance.address}~{client.instance.pod}",
        }  # fmt: skip
        style = Style("cpp", "old", resolution_ns=1_000)
        out = self._emit(
            client, self._resource(client.instance), style, name, SpanKind.CLIENT, parent, start, end,
            attributes=status, failure=failure,
        )  # fmt: skip
        arrived, answered = server.arrived, min(server.end + 0.03, end) if not server.asynchronous else server.end
        inbound = self._emit(
            server, self._resource(server.instance), style, name, SpanKind.SERVER, out, arrived, max(answered, server.end),
            attributes={**status, "upstream_cluster": f"inbound|8080||{host}"}, failure=failure,
        )  # fmt: skip
        self._server(server, inbound)

    def _query(self, activity: Activity, parent: str) -> None:
        query = activity.subject
        assert isinstance(query, Query)  # noqa: S101 - a role implies its subject
        style = self._style(activity.instance)
        third = query.store.system == "http"
        if not (style.client_spans if third else style.query_spans):
            return
        start = activity.start
        if style.housekeeping and not third and query.text:
            start += min(0.01, activity.ms / 10)
            self._plain(activity, "pool.acquire", parent, activity.start, start, SpanKind.INTERNAL, alone=True)
        if third:
            status = activity.failure.http if activity.failure is not None else 200
            cut = activity.failure is not None and activity.failure.cut
            path = f"{query.target}/{self.rng.randrange(10**6)}"
            attributes = naming.http_client(query.verb, query.store.host, path, style, None if cut else status)
        else:
            attributes = naming.statement(query, style, tuple(self.rng.randrange(1, 10**6) for _ in range(3)))
        self._emit(
            activity, self._resource(activity.instance), style, naming.query_name(query, style), SpanKind.CLIENT, parent,
            start, activity.end, attributes={**attributes, **activity.attributes}, failure=activity.failure,
            raised=activity.raised,
        )  # fmt: skip

    def _producer(self, activity: Activity, parent: str) -> None:
        publish = activity.subject
        assert isinstance(publish, Publish)  # noqa: S101 - a role implies its subject
        style = self._style(activity.instance)
        attributes = naming.messaging(publish.broker.system, publish.topic, "send", style)
        span_id = self._emit(
            activity, self._resource(activity.instance), style, naming.publish_name(publish, style), SpanKind.PRODUCER,
            parent, activity.start, activity.end, attributes=attributes,
        )  # fmt: skip
        self._children(activity, span_id)

    def _internal(self, activity: Activity, parent: str) -> None:
        subject = activity.subject
        name = subject.name if isinstance(subject, Inner) else subject.span if isinstance(subject, Wait) else "work"
        span_id = self._emit(
            activity, self._resource(activity.instance), self._style(activity.instance), name, SpanKind.INTERNAL, parent,
            activity.start, activity.end, attributes=dict(activity.attributes), failure=activity.failure,
        )  # fmt: skip
        self._children(activity, span_id)

    # Spans -----------------------------------------------------------------------------------------

    def _plain(
        self, activity: Activity, name: str, parent: str, start: float, end: float, kind: SpanKind = SpanKind.INTERNAL,
        *, alone: bool = False,
    ) -> str:  # fmt: skip
        style = self._style(activity.instance)
        subject = None if alone else activity
        return self._emit(subject, self._resource(activity.instance), style, name, kind, parent, start, end)

    def _emit(
        self, activity: Activity | None, resource: Resource, style: Style, name: str, kind: SpanKind, parent: str,
        start: float, end: float, *, attributes: dict[str, AttributeValue] | None = None, failure: Failure | None = None,
        raised: bool = False, span_id: str = "", queued: bool = False,
    ) -> str:  # fmt: skip
        rng, step = self.rng, style.resolution_ns
        skew = round(self.recording.skew_ms.get(resource.service, 0.0) * MS)
        start_ns = (self.epoch + skew + round(start * MS)) // step * step
        took_ns = max(0, (round(end * MS) - round(start * MS)) // step * step)
        named = dict(attributes or {})
        if rng.random() < 0.7:
            named["thread.id"] = rng.randrange(200)
        if kind is SpanKind.CLIENT and "network.peer.port" not in named and rng.random() < 0.3:
            named["network.local.port"] = rng.randrange(30_000, 60_000)
        events: tuple[Event, ...] = ()
        if failure is not None:
            if style.convention == "opentracing":
                named["error"] = True
            elif style.convention == "new":
                named["error.type"] = failure.exception
            if raised and style.convention != "opentracing":
                detail: dict[str, AttributeValue] = {
                    "exception.type": failure.exception,
                    "exception.message": failure.message,
                    "exception.stacktrace": f"{failure.exception}: {failure.message}\n  at handler:{rng.randrange(400)}",
                }
                events = (Event("exception", start_ns + took_ns, detail),)
        name = self.recording.span_names.get((resource.service, name), name)
        span_id = span_id or f"{rng.getrandbits(64):016x}"
        link = (Link(self.trace_id, parent),) if queued and rng.random() < 0.5 else ()
        span = Span(
            span_id=span_id, parent_id=parent if parent != span_id else self._parent_of(span_id), name=name,
            kind=kind if style.kinds else SpanKind.UNSPECIFIED, resource=resource, start_ns=start_ns,
            end_ns=start_ns + took_ns, error=failure is not None,
            status_message=failure.message if failure is not None and raised else "", sent=named, events=events,
            links=link, follows_from=queued and style.convention == "opentracing",
        )  # fmt: skip
        self.spans.append(span)
        if activity is not None:
            self.spans_of.setdefault(id(activity), []).append(span)
        return span_id

    def _parent_of(self, span_id: str) -> str:
        return next(s.parent_id for s in reversed(self.spans) if s.span_id == span_id)

    def _style(self, instance: Instance) -> Style:
        return self.recording.styles.get(instance.service.name, instance.service.style)

    def _resource(self, instance: Instance) -> Resource:
        known = self.resources.get(instance.pod)
        if known is None:
            known = self.resources[instance.pod] = _resource(instance, self._style(instance), self.recording)
        return known

    def _path(self, route: str) -> str:
        return route.replace("{id}", str(self.rng.randrange(10**6)))


def _status(activity: Activity) -> int:
    """Return the HTTP status that a server answered."""
    if activity.failure is None:
        return 200
    return activity.failure.http if activity.raised and activity.failure.http >= 400 else 500


def _resource(instance: Instance, style: Style, recording: Recording) -> Resource:
    service = instance.service
    name = recording.service_names.get(service.name, service.name)
    version = recording.versions.get(service.name, service.version)
    named: dict[str, AttributeValue] = {"service.name": name}
    if style.resources == "k8s":
        named |= {
            "service.version": version, "k8s.pod.name": instance.pod, "k8s.node.name": instance.host,
            "k8s.namespace.name": "prod", "service.instance.id": instance.pod, "host.name": instance.pod,
            "cloud.availability_zone": instance.zone, "telemetry.sdk.language": style.language,
        }  # fmt: skip
    elif style.resources == "host":
        named |= {"service.version": version, "host.name": f"{instance.host}-{instance.pod[-5:]}", "process.pid": 4711}
    elif style.convention == "opentracing":
        named |= {"hostname": instance.pod, "ip": instance.address, "jaeger.version": "Java-1.8.1"}
    if version != service.version and style.resources == "bare":
        named["service.version"] = version
    named |= recording.resources.get(service.name, {})
    return Resource(name, named)
