"""A trace API on localhost that serves the recorded samples as Jaeger and as Tempo do.

/jaeger/api/traces/{id}       Jaeger v1 JSON, as Jaeger 1.x answers (it has no api_v3)
/jaeger/trace/{id}            a page with the spans, standing in for Jaeger's own
/jaeger/trace/{A}...{B}       a page with the comparison, standing in for Jaeger's diff
/tempo/api/v2/traces/{id}     Tempo's protobuf envelope
"""

from __future__ import annotations

import gzip
import html
import tomllib
from importlib import resources
from typing import TYPE_CHECKING

from aiohttp import web
from msgspec import Struct

from analysis import compare, decode, render_text
from analysis.format import duration

if TYPE_CHECKING:
    from analysis import Trace

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

    def jaeger(self, trace_id: str) -> bytes | None:
        """Return a trace as Jaeger v1 JSON, or None."""
        return self._read(f"{trace_id}.jaeger.json.gz")

    def otlp(self, trace_id: str) -> bytes | None:
        """Return a trace as OTLP protobuf, or None."""
        return self._read(f"{trace_id}.otlp.pb.gz")

    def trace(self, trace_id: str) -> Trace | None:
        """Return a decoded trace, or None."""
        body = self.jaeger(trace_id)
        return decode(body) if body else None

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

    async def services(_: web.Request) -> web.Response:
        return web.json_response({"data": ["gateway"], "total": 1, "limit": 0, "offset": 0, "errors": None})

    async def echo(_: web.Request) -> web.Response:
        return web.Response(text="echo", content_type="text/plain")

    return [
        web.get("/jaeger/api/traces/{id}", jaeger_trace),
        web.get("/jaeger/api/services", services),
        web.get("/jaeger/trace/{id}", page),
        web.get("/tempo/api/v2/traces/{id}", tempo_trace),
        web.get("/tempo/api/echo", echo),
        web.get("/jaeger/{rest:.*}", wrong_path),
        web.get("/tempo/{rest:.*}", wrong_path),
    ]


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
