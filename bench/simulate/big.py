"""Traces of any size for the benchmarks of speed: eight services, depth eight, parallel and sequential callers.

About 770 bytes of Jaeger JSON per span, 5 % noise per span, ids in URLs and statements that never repeat. The
suspect has the same calls, and 60 repeated queries more, slow payment spans and 1 % errors.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field

SERVICES = ("frontend", "cart", "catalog", "pricing", "payment", "shipping", "email", "search")
PAYMENT = SERVICES.index("payment")
TABLES = ("orders", "users", "stock", "prices")
SHAPES = 6  # requests repeat a few shapes of work
DEEPEST = 8
REPEATED = 60  # queries that only the suspect makes
START_US = 1_795_000_000_000_000


@dataclass(slots=True)
class _Call:
    """One planned span: the same in both traces."""

    name: str
    service: int
    table: str = ""
    work_us: int = 0
    parallel: bool = False
    children: list[_Call] = field(default_factory=list)


def big_trace(spans: int, seed: int, *, suspect: bool = False) -> bytes:
    """Return a trace of `spans` spans (the suspect's 60 repeated queries included) as Jaeger v1 JSON."""
    rng = random.Random(seed)
    root = _Call("GET /", 0, work_us=500)
    left, wanted = spans - 1 - REPEATED, min(400, max(4, spans // 20))
    shapes = [_shape(random.Random(seed * 100 + i), 2, wanted) for i in range(SHAPES)]
    sizes = [_size(shape) for shape in shapes]
    while left > 0:
        index = rng.randrange(SHAPES)
        if sizes[index] > left:
            root.children.append(_query(rng, 0))
            left -= 1
            continue
        root.children.append(shapes[index])
        left -= sizes[index]
    return _Writer(random.Random(seed * 1_000 + suspect), suspect=suspect).write(root)


def _shape(rng: random.Random, depth: int, budget: int) -> _Call:
    """Plan a call with about `budget` spans below it."""
    service = rng.randrange(len(SERVICES))
    name = f"{rng.choice(('GET', 'POST'))} /{SERVICES[service]}/{rng.choice('abcdefgh')}/{{id}}"
    call = _Call(name, service, work_us=50 + rng.randrange(300), parallel=rng.random() < 0.4)
    while budget > 0:
        if depth >= DEEPEST or budget < 3 or rng.random() < 0.3:
            call.children.append(_query(rng, service))
            budget -= 1
        else:
            share = rng.randrange(1, max(2, budget // 2 + 1))
            call.children.append(_shape(rng, depth + 1, share))
            budget -= share + 1
    return call


def _query(rng: random.Random, service: int) -> _Call:
    return _Call("SELECT", service, table=rng.choice(TABLES), work_us=200 + rng.randrange(2_000))


def _size(call: _Call) -> int:
    return 1 + sum(map(_size, call.children))


class _Writer:
    def __init__(self, noise: random.Random, *, suspect: bool) -> None:
        self.noise = noise
        self.suspect = suspect
        self.trace_id = f"{noise.getrandbits(128):032x}"
        self.spans: list[dict[str, object]] = []

    def write(self, root: _Call) -> bytes:
        if self.suspect:
            extra = [_Call("SELECT", 1, table="settings", work_us=1_500) for _ in range(REPEATED)]
            root = _Call(root.name, root.service, work_us=root.work_us, children=[*root.children, *extra])
        self._emit(root, "", 0)
        host = _tags(("host.name", "node-1"), ("service.version", "1.4.2"), ("telemetry.sdk.language", "java"))
        processes = {f"p{i}": {"serviceName": name, "tags": host} for i, name in enumerate(SERVICES)}
        trace = {"traceID": self.trace_id, "spans": self.spans, "processes": processes, "warnings": None}
        return json.dumps({"data": [trace], "errors": None}, separators=(",", ":")).encode()

    def _emit(self, call: _Call, parent: str, start: int) -> int:
        """Write a call and all below; returns its end in microseconds."""
        noise = self.noise
        span_id = f"{noise.getrandbits(64):016x}"
        at = len(self.spans)
        self.spans.append({})
        slow = 3 if self.suspect and call.service == PAYMENT else 1
        end = start + round(call.work_us * slow * noise.uniform(0.95, 1.05))
        for child in call.children:
            done = self._emit(child, span_id, start + 20 if call.parallel else end)
            end = max(end, done + 20)
        self.spans[at] = self._span(call, span_id, parent, start, end - start)
        return end

    def _span(self, call: _Call, span_id: str, parent: str, start: int, took: int) -> dict[str, object]:
        noise, trace_id = self.noise, self.trace_id
        reference = {"refType": "CHILD_OF", "traceID": trace_id, "spanID": parent}
        tags = [*_tags(("otel.scope.name", "io.opentelemetry.instrumentation"), ("thread.name", "worker")),
                {"key": "thread.id", "type": "int64", "value": noise.randrange(500)}]  # fmt: skip
        if call.table:
            text = f"SELECT * FROM {call.table} WHERE id = {noise.randrange(10**6)} /* {noise.getrandbits(32):x} */"
            tags += _tags(
                ("span.kind", "client"), ("db.system", "postgresql"), ("db.statement", text), ("net.peer.name", "db")
            )
        else:
            method, path = call.name.split(" ")
            url = f"http://{SERVICES[call.service]}.svc:8080{path.replace('{id}', str(noise.randrange(10**6)))}"
            tags += _tags(("span.kind", "server"), ("http.method", method), ("http.url", url), ("http.route", path))
            tags.append({"key": "http.status_code", "type": "int64", "value": 200})
        if self.suspect and noise.random() < 0.01:
            tags.append({"key": "error", "type": "bool", "value": True})
            tags += _tags(("otel.status_code", "ERROR"))
        return {
            "traceID": trace_id, "spanID": span_id, "operationName": call.name, "references": [reference] if parent else [],
            "startTime": START_US + start, "duration": took, "tags": tags, "logs": [], "processID": f"p{call.service}",
            "warnings": None,
        }  # fmt: skip


def _tags(*pairs: tuple[str, str]) -> list[dict[str, object]]:
    return [{"key": key, "type": "string", "value": value} for key, value in pairs]
