"""Big synthetic traces for the benchmarks: eight services, depth eight, parallel and sequential callers.

About 770 bytes of Jaeger JSON per span, 5 % noise per span. The suspect adds 60 repeated queries, slower spans of
one service and 1 % errors.
"""

from __future__ import annotations

import json
import random

SERVICES = ("frontend", "cart", "catalog", "pricing", "payment", "shipping", "email", "search")
TEMPLATES = 6  # different shapes of work below the root
START_US = 1_795_000_000_000_000


def big_trace(spans: int, seed: int, *, suspect: bool = False) -> bytes:
    """Return a trace of about `spans` spans as Jaeger v1 JSON."""
    rng = random.Random(seed)
    noise = random.Random(seed * 1000 + suspect)
    trace_id = f"{rng.getrandbits(128):032x}"
    out: list[dict] = []

    def add(name: str, service: int, parent: str, start: int, duration: int, kind: str, tags: list[tuple]) -> str:
        span_id = f"{noise.getrandbits(64):016x}"
        error = suspect and noise.random() < 0.01
        out.append({
            "traceID": trace_id, "spanID": span_id, "operationName": name,
            "references": [{"refType": "CHILD_OF", "traceID": trace_id, "spanID": parent}] if parent else [],
            "startTime": START_US + start, "duration": duration,
            "tags": [{"key": k, "type": t, "value": v} for k, t, v in (
                ("span.kind", "string", kind), ("thread.id", "int64", noise.randrange(500)), *tags,
                *((("error", "bool", True), ("otel.status_code", "string", "ERROR")) if error else ()),
            )],
            "logs": [], "processID": f"p{service}", "warnings": None,
        })  # fmt: skip
        return span_id

    def grow(parent: str, depth: int, start: int, budget: int) -> tuple[int, int]:
        """Add a call of about `budget` spans; returns (spans added, its duration)."""
        service = rng.randrange(len(SERVICES))
        operation = f"{rng.choice(('GET', 'POST'))} /{SERVICES[service]}/{rng.choice('abcdefgh')}/{{id}}"
        at = len(out)
        url = f"http://{SERVICES[service]}.svc:8080{operation.split(' ')[1]}/{noise.randrange(10**6)}"
        tags = [
            ("http.method", "string", operation.split(" ", 1)[0]),
            ("http.url", "string", url),
            ("http.status_code", "int64", 200),
        ]
        span_id = add(operation, service, parent, start, 0, "server" if depth % 2 == 0 else "client", tags)
        left, clock, parallel, longest = budget - 1, start + 50, rng.random() < 0.4, 0
        while left > 0:
            if depth >= 7 or left < 3 or rng.random() < 0.3:
                took = round(
                    (200 + rng.randrange(2000)) * (0.95 + 0.1 * noise.random()) * (3 if suspect and service == 4 else 1)
                )
                table = rng.choice(("orders", "users", "stock"))
                text = (
                    f"SELECT * FROM {table} WHERE id = {noise.randrange(10**6)} /* trace {noise.getrandbits(32):x} */"
                )
                add("SELECT", service, span_id, clock, took, "client",
                    [("db.system", "string", "postgresql"), ("db.statement", "string", text), ("net.peer.name", "string", "db")])  # fmt: skip
                added = 1
            else:
                share = max(1, min(left, rng.randrange(1, max(2, left // 2 + 1))))
                added, took = grow(span_id, depth + 1, clock, share)
            left -= added
            longest = max(longest, clock + took)
            if not parallel:
                clock += took + 20
        end = max(clock, longest) + 50
        out[at]["duration"] = end - start
        return len(out) - at, end - start

    root = add("GET /", 0, "", 0, 0, "server", [("http.method", "string", "GET"), ("http.route", "string", "/")])
    clock = 100
    while len(out) < spans - (60 if suspect else 0):
        rng.seed(seed * 100 + noise.randrange(TEMPLATES))  # requests repeat a few shapes of work
        _, took = grow(root, 1, clock, min(400, spans - len(out)))
        clock += took + 30
    if suspect:
        for _ in range(60):
            add(
                "SELECT",
                1,
                root,
                clock,
                1500,
                "client",
                [
                    ("db.system", "string", "postgresql"),
                    ("db.statement", "string", f"SELECT v FROM cfg WHERE k = {noise.randrange(10**6)}"),
                ],
            )
            clock += 1600
    out[0]["duration"] = clock + 100
    host = [
        {"key": "host.name", "type": "string", "value": "node-1"},
        {"key": "service.version", "type": "string", "value": "1.4.2"},
    ]
    processes = {f"p{i}": {"serviceName": name, "tags": host} for i, name in enumerate(SERVICES)}
    body = {"data": [{"traceID": trace_id, "spans": out, "processes": processes, "warnings": None}], "errors": None}
    return json.dumps(body, separators=(",", ":")).encode()
