"""A trace API on localhost that serves the recorded samples as Jaeger and as Tempo do.

/jaeger/api/traces/{id}       Jaeger v1 JSON, as Jaeger 1.x answers (it has no api_v3)
/jaeger/api/traces?...        its search; /jaeger/api/services and /jaeger/api/operations its lists of names
/jaeger/trace/{id}            a page with the spans, standing in for Jaeger's own
/jaeger/trace/{A}...{B}       a page with the comparison, standing in for Jaeger's diff
/tempo/api/v2/traces/{id}     Tempo's protobuf envelope
/tempo/api/search?q=...       its search, in the TraceQL of `trace_search`; /tempo/api/v2/search/tag/... its names
/tempo/api/metrics/query      its numbers of all spans of a range, with the metrics of `trace_metrics`
"""

from __future__ import annotations

import gzip
import html
import json
import time
import tomllib
from functools import cached_property
from importlib import resources
from itertools import islice
from typing import TYPE_CHECKING, Any

from aiohttp import web
from msgspec import Raw, Struct
from msgspec import json as quick_json

from analysis import compare, decode, render_text
from analysis.format import duration
from bot.playground.trace_metrics import filters, metrics_answer
from bot.playground.trace_search import (
    QueryError,
    Recorded,
    Test,
    conditions,
    duration_ns,
    matches,
    tempo_answer,
    within,
)
from bot.playground.traffic import Traffic

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analysis import Trace
    from analysis.model import Span

REPLAYED = "slow-query"  # the sample that traffic is made of
NOT_FOUND = (
    '{"data":null,"total":0,"limit":0,"offset":0,"errors":[{"code":404,"msg":"trace not found"}]}'  # as Jaeger says it
)
EMPTY_ENVELOPE = b"\x0a\x00\x12\x00"  # what Tempo v2 answers for an unknown id


class Sample(Struct, frozen=True, kw_only=True):
    """One pair worth trying."""

    name: str
    story: str
    baseline: str
    suspect: str


class Samples:
    """The recorded pairs that come with the package."""

    def __init__(self) -> None:
        folder = resources.files("bot.playground") / "samples"
        listed = tomllib.loads((folder / "samples.toml").read_text(encoding="utf-8"))["samples"]
        self.pairs = [Sample(**entry) for entry in listed]
        self._folder = folder
        self.replays: Traffic | None = None

    def replay(self, started_at: int) -> Traffic:
        """Begin to have traffic beside the recorded pairs: see `bot.playground.traffic`."""
        pair = next(pair for pair in self.pairs if pair.name == REPLAYED)
        healthy, slow = self.jaeger(pair.baseline), self.jaeger(pair.suspect)
        if healthy is None or slow is None:
            raise FileNotFoundError(f"the sample {REPLAYED} is incomplete: install the package again")
        self.replays = Traffic(healthy, slow, started_at)
        return self.replays

    def jaeger(self, trace_id: str) -> bytes | None:
        """Return a trace as Jaeger v1 JSON, or None."""
        replayed = self.replays.jaeger(trace_id) if self.replays else None
        return replayed or self._read(f"{trace_id}.jaeger.json.gz")

    def otlp(self, trace_id: str) -> bytes | None:
        """Return a trace as OTLP protobuf, or None."""
        return self._read(f"{trace_id}.otlp.pb.gz")

    def trace(self, trace_id: str) -> Trace | None:
        """Return a decoded trace, or None."""
        body = self.jaeger(trace_id)
        return decode(body) if body else None

    @cached_property
    def recorded(self) -> list[Recorded]:
        """All traces, newest first, as searches look at them."""
        ids = dict.fromkeys(trace_id for pair in self.pairs for trace_id in (pair.baseline, pair.suspect))
        traces = [Recorded.of(trace) for trace_id in ids if (trace := self.trace(trace_id))]
        return sorted(traces, key=lambda trace: -trace.start_ns)

    def search(self, tests: list[Test], window_ns: tuple[int, int], limit: int) -> list[tuple[Recorded, list[Span]]]:
        """Return the newest traces with spans that meet the conditions, and those spans."""
        recorded = (trace for trace in self.recorded if within(trace, *window_ns))
        found = ((trace, matches(trace, tests)) for trace in recorded)
        return [(trace, spans) for trace, spans in found if spans][:limit]

    def search_traffic(self, tests: list[Test], window_ns: tuple[int, int], limit: int) -> list[str]:
        """Return the newest replays with spans that meet the conditions, by their ids."""
        if self.replays is None:
            return []
        ids = self.replays.ids(*window_ns, int(time.time()))
        found = (its for its in ids if (trace := self.trace(its)) and matches(Recorded.of(trace), tests))
        return list(islice(found, limit))

    def _read(self, name: str) -> bytes | None:
        file = self._folder / name
        return gzip.decompress(file.read_bytes()) if file.is_file() else None


def routes(samples: Samples) -> list[web.RouteDef]:
    """Return the routes of both dialects."""

    async def jaeger_trace(request: web.Request) -> web.Response:
        body = samples.jaeger(_padded(request))
        if body is None:
            return web.Response(status=404, text=NOT_FOUND, content_type="text/plain")
        return web.Response(body=body, content_type="application/json")

    async def tempo_trace(request: web.Request) -> web.Response:
        body = samples.otlp(_padded(request))
        envelope = EMPTY_ENVELOPE if body is None else b"\x0a" + _varint(len(body)) + body
        response = web.Response(body=envelope, content_type="application/protobuf")
        response.enable_compression()
        return response

    async def page(request: web.Request) -> web.Response:
        names = request.match_info["id"].split("...")
        traces = [samples.trace(name.lower().rjust(32, "0")) for name in names]
        known = [trace for trace in traces if trace is not None]
        if len(known) != len(names) or len(known) > 2:
            return web.Response(status=404, text="no such sample")
        body = render_text(compare(known[0], known[1])) if len(known) == 2 else _spans(known[0])
        title = "Trace " + " and ".join(name[:8] for name in names)
        return web.Response(
            text=_PAGE.format(title=html.escape(title), body=html.escape(body)), content_type="text/html"
        )

    async def wrong_path(_: web.Request) -> web.Response:
        return web.Response(status=404, text="404 page not found\n", content_type="text/plain")

    async def jaeger_search(request: web.Request) -> web.Response:
        query = request.query
        if not query.get("service"):
            return _jaeger_error("parameter 'service' is required")
        tests: list[Test] = [("resource.service.name", "=", query["service"])]
        try:
            if query.get("operation"):
                tests.append(("name", "=", query["operation"]))
            if query.get("minDuration"):
                tests.append(("duration", ">=", duration_ns(query["minDuration"])))
            if query.get("maxDuration"):
                tests.append(("duration", "<=", duration_ns(query["maxDuration"])))
            tags = json.loads(query.get("tags") or "{}")
            if isinstance(tags, dict) and tags.get("error") == "true":
                tests.append(("status", "=", "error"))
            window = int(query.get("start") or 0) * 1_000, int(query.get("end") or 2**53) * 1_000
            limit = int(query.get("limit") or 100)
        except ValueError as error:
            return _jaeger_error(str(error))
        ids = samples.search_traffic(tests, window, limit)
        ids += [trace.trace_id for trace, _ in samples.search(tests, window, limit)]
        bodies = filter(None, map(samples.jaeger, ids[:limit]))
        traces = [trace for body in bodies for trace in quick_json.decode(body, type=_Answer).data]
        return web.Response(body=quick_json.encode(_Answer(traces, len(traces))), content_type="application/json")

    async def jaeger_services(_: web.Request) -> web.Response:
        return _jaeger_list(_services(samples.recorded))

    async def jaeger_operations(request: web.Request) -> web.Response:
        names = _operations(samples.recorded, request.query.get("service", ""))
        return _jaeger_list([{"name": name, "spanKind": ""} for name in names])

    async def tempo_search(request: web.Request) -> web.Response:
        query = request.query
        try:
            tests = conditions(query.get("q") or "{}")
            window = int(query.get("start") or 0) * 10**9, int(query.get("end") or 2**33) * 10**9
            found = samples.search(tests, window, int(query.get("limit") or 20))
        except ValueError as error:
            return web.Response(status=400, text=f"invalid TraceQL query: {error}")
        return web.json_response(tempo_answer(found))

    async def tempo_metrics(request: web.Request) -> web.Response:
        query = request.query
        try:
            window = int(query.get("start") or 0) * 10**9, int(query.get("end") or 2**33) * 10**9
            found = samples.search(filters(query.get("q") or ""), window, len(samples.recorded))
            answer = metrics_answer(query.get("q") or "", [span for _, spans in found for span in spans])
        except ValueError as error:
            return web.Response(status=400, text=f"invalid TraceQL query: {error}")
        return web.json_response(answer)

    async def tempo_services(_: web.Request) -> web.Response:
        return _tempo_values(_services(samples.recorded))

    async def tempo_names(request: web.Request) -> web.Response:
        try:
            tests = conditions(request.query.get("q") or "{}")
        except QueryError as error:
            return web.Response(status=400, text=f"invalid TraceQL query: {error}")
        names = {span.name for trace in samples.recorded for span in matches(trace, tests)}
        return _tempo_values(sorted(names))

    async def echo(_: web.Request) -> web.Response:
        return web.Response(text="echo", content_type="text/plain")

    return [
        web.get("/jaeger/api/traces/{id}", jaeger_trace),
        web.get("/jaeger/api/traces", jaeger_search),
        web.get("/jaeger/api/services", jaeger_services),
        web.get("/jaeger/api/operations", jaeger_operations),
        web.get("/jaeger/trace/{id}", page),
        web.get("/tempo/api/v2/traces/{id}", tempo_trace),
        web.get("/tempo/api/search", tempo_search),
        web.get("/tempo/api/metrics/query", tempo_metrics),
        web.get("/tempo/api/v2/search/tag/resource.service.name/values", tempo_services),
        web.get("/tempo/api/v2/search/tag/name/values", tempo_names),
        web.get("/tempo/api/echo", echo),
        web.get("/jaeger/{rest:.*}", wrong_path),
        web.get("/tempo/{rest:.*}", wrong_path),
    ]


class _Answer(Struct):
    """An answer of Jaeger whose traces are handed on as they are written: the whole playground runs on one thread."""

    data: list[Raw]
    total: int = 0
    limit: int = 0
    offset: int = 0
    errors: None = None


def _services(recorded: Iterable[Recorded]) -> list[str]:
    return sorted({span.service for trace in recorded for span in trace.spans})


def _operations(recorded: Iterable[Recorded], service: str) -> list[str]:
    return sorted({span.name for trace in recorded for span in trace.spans if span.service == service})


def _jaeger_list(data: list[Any]) -> web.Response:
    return web.json_response({"data": data, "total": len(data), "limit": 0, "offset": 0, "errors": None})


def _jaeger_error(message: str) -> web.Response:
    errors = [{"code": 400, "msg": message}]
    return web.json_response({"data": None, "total": 0, "limit": 0, "offset": 0, "errors": errors}, status=400)


def _tempo_values(values: list[str]) -> web.Response:
    return web.json_response({"tagValues": [{"type": "string", "value": value} for value in values], "metrics": {}})


def _padded(request: web.Request) -> str:
    return request.match_info["id"].lower().rjust(32, "0")


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def _spans(trace: Trace) -> str:
    """List the spans as an indented timeline."""
    start = min(span.start_ns for span in trace.spans)
    depth: dict[str, int] = {}
    lines = [f"{'starts':>10}  {'takes':>9}  span"]
    for span in sorted(trace.spans, key=lambda span: (span.start_ns, -span.end_ns)):
        depth[span.span_id] = depth.get(span.parent_id, -1) + 1
        mark = "  ERROR" if span.error else ""
        lines.append(
            f"{duration(span.start_ns - start):>10}  {duration(span.end_ns - span.start_ns):>9}  "
            f"{'  ' * depth[span.span_id]}{span.service}  {span.name}{mark}  [{span.span_id}]"
        )
    return "\n".join(lines)


_PAGE = """<!doctype html><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title><style>:root{{color-scheme:light dark}}body{{font:15px/1.5 system-ui,sans-serif;margin:2rem}}
pre{{font:13px/1.5 ui-monospace,monospace;overflow-x:auto}}</style><h1>{title}</h1><pre>{body}</pre>
"""
