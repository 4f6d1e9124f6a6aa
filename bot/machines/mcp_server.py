"""The MCP server: the same calls as tools for models, over standard input and output, or HTTP on this machine.

Standard output belongs to the protocol alone (the SDK sees to that while it serves); logs go to standard error. An
answer is words first, marked as data: whoever can send spans could otherwise write instructions to the model. The same
answer comes structured, and small enough for a context; more of it is there on demand.

`mcp`, the official SDK, comes with the extra of that name.
"""

from __future__ import annotations

import contextlib
import socket
import time
from typing import TYPE_CHECKING, Any

import mcp_types as types
import msgspec
import structlog
import uvicorn
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from starlette.responses import JSONResponse

import analysis
from bot.analysing.runner import AnalysisRunner
from bot.errors import MY_FAULT, BotError
from bot.evidence.sources import EvidenceSources
from bot.inquiry.inquiry import Inquiry
from bot.job.admission import Admission
from bot.machines import answers, failures
from bot.machines.asking import Asking, InputError
from bot.machines.callers import Caller, Tokens
from bot.machines.calls import CALLS
from bot.settings import SettingsError
from bot.sources import open_sources
from bot.telemetry import metrics

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from mcp.server import ServerRequestContext
    from starlette.types import ASGIApp, Receive, Scope, Send

    from bot.machines.calls import Call
    from bot.settings import Settings

MAX_ANSWER_BYTES = 32 * 1024  # about 10,000 tokens, in the structured part
MAX_QUESTION_BYTES = 64 * 1024
LOCAL = "local"  # what the log calls whoever started this process
PATH = "/mcp"
LOOPBACK = "127.0.0.1"
INSTRUCTIONS = (
    "Compares distributed traces recorded in Jaeger or Grafana Tempo. Begin with compare_traces on the slow or failing "
    "trace; it finds a typical one to compare with where you have none. Trust the verdict as far as its confidence "
    f"says, and cite the spans that causes name. {answers.DATA}"
)

log = structlog.get_logger()


class Tools:
    """The calls, as tools."""

    def __init__(self, asking: Asking, tokens: Tokens | None = None) -> None:
        self._asking = asking
        self._tokens = tokens  # None: whoever started this process asks
        self._calls = {call.name: call for call in CALLS}

    def server(self) -> Server[Any]:
        """Return the MCP server."""
        return Server(
            "compare-traces", title="Compare Traces", version=analysis.__version__, instructions=INSTRUCTIONS,
            on_list_tools=self._list, on_call_tool=self._call,
        )  # fmt: skip

    async def _list(
        self, _context: ServerRequestContext[Any], _params: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        return types.ListToolsResult(tools=[_tool(call) for call in CALLS])

    async def _call(
        self, context: ServerRequestContext[Any], params: types.CallToolRequestParams
    ) -> types.CallToolResult:
        call = self._calls.get(params.name)
        if call is None:
            return _failed("unknown-tool", f"There is no such tool here. There are: {', '.join(self._calls)}.")
        started = time.perf_counter()
        result = await self._answer(call, params.arguments or {}, self._caller(context))
        status = "error" if result.is_error else "ok"
        metrics.CALL_SECONDS.labels(call.name, status).observe(time.perf_counter() - started)
        return result

    async def _answer(self, call: Call, arguments: dict[str, Any], caller: Caller) -> types.CallToolResult:
        try:
            data = await self._asking.ask(call, msgspec.json.encode(arguments), caller, MAX_ANSWER_BYTES)
        except InputError as error:
            return _failed(
                "bad-question", f"That is not a question I understand: {error}. See the tool's input schema."
            )
        except BotError as error:
            return _failed(error.code, error.sentence)
        except Exception:
            log.exception("failed", call=call.name)
            return _failed("internal", MY_FAULT)
        texts = [answers.plain(data)]
        if sections := answers.sections_of(data):
            texts.append(answers.quoted(msgspec.json.encode(sections).decode()))
        return types.CallToolResult(
            content=[types.TextContent(type="text", text=text) for text in texts], structured_content=data
        )

    def _caller(self, context: ServerRequestContext[Any]) -> Caller:
        """Return who asks; over HTTP that was found out before the request came here."""
        if self._tokens is None:
            return Caller(LOCAL)
        caller = self._tokens.caller(context.request.headers.get("authorization", "")) if context.request else None
        if caller is None:
            raise PermissionError
        return caller


class Guarded:
    """An application that only answers programs with a token."""

    def __init__(self, app: ASGIApp, tokens: Tokens) -> None:
        self._app = app
        self._tokens = tokens

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "http":
            headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
            if self._tokens.caller(headers.get("authorization", "")) is None:
                body = msgspec.to_builtins(failures.unauthorised())
                await JSONResponse(body, 401, {"WWW-Authenticate": "Bearer"})(scope, receive, send)
                return
        await self._app(scope, receive, send)


async def serve_stdio(settings: Settings) -> None:
    """Serve the program that started this process, until it closes standard input."""
    async with _asking(settings) as asking:
        server = Tools(asking).server()
        async with stdio_server() as (read, write):
            await server.run(read, write, server.create_initialization_options())


async def serve_http(settings: Settings, port: int) -> None:
    """Serve programs on this machine that have a token, until a signal."""
    tokens = Tokens(settings)
    if not tokens:
        raise SettingsError("API_TOKEN: MCP over HTTP needs a token: make one with `openssl rand -hex 32`")
    async with _asking(settings) as asking:
        app = Tools(asking, tokens).server().streamable_http_app(
            streamable_http_path=PATH, stateless_http=True, json_response=True, host=LOOPBACK,
            max_request_body_size=MAX_QUESTION_BYTES,
        )  # fmt: skip
        with socket.socket() as listening:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listening.bind((LOOPBACK, port))
                listening.listen()  # whoever reads the line below may connect at once
            except OSError as error:
                raise SettingsError(f"--port: cannot listen on {LOOPBACK}:{port}: {error.strerror}") from None
            log.info("listening for models", url=f"http://{LOOPBACK}:{listening.getsockname()[1]}{PATH}")
            config = uvicorn.Config(Guarded(app, tokens), log_config=None, access_log=False, server_header=False)
            await uvicorn.Server(config).serve(sockets=[listening])


@contextlib.asynccontextmanager
async def _asking(settings: Settings) -> AsyncIterator[Asking]:
    """Open what answers need: sources and child processes, nothing of Slack."""
    if not settings.all_sources:
        raise SettingsError("sources: none configured: set JAEGER_URL or TEMPO_URL, or write a TOML file")
    sources, runner = open_sources(settings), AnalysisRunner(settings.limits.concurrent, redaction=settings.redaction)
    evidence = EvidenceSources(settings)
    try:
        yield Asking(sources, Inquiry(settings, sources, runner), Admission(settings.limits), evidence)
    finally:
        await evidence.aclose()
        await runner.aclose()
        await sources.aclose()


def _tool(call: Call) -> types.Tool:
    return types.Tool(
        name=call.name, title=call.title, description=call.description, input_schema=_schema(call.question),
        output_schema=_schema(call.answer),
        annotations=types.ToolAnnotations(
            title=call.title, read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=True
        ),
    )  # fmt: skip


def _schema(kind: type) -> dict[str, Any]:
    """Return a type's JSON schema with the object itself at the root, as tools must have it."""
    schema = msgspec.json.schema(kind)
    definitions = schema.pop("$defs")
    root = definitions.pop(schema.pop("$ref").rpartition("/")[2])
    return {**root, **({"$defs": definitions} if definitions else {})}


def _failed(code: str, sentence: str) -> types.CallToolResult:
    """Return a tool error: the model reads the sentence that people read in Slack."""
    return types.CallToolResult(
        content=[types.TextContent(type="text", text=sentence)],
        structured_content=msgspec.to_builtins(failures.failure(code, sentence)), is_error=True,
    )  # fmt: skip
