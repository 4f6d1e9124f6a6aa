"""The HTTP API: POST a question as JSON, get the answer as JSON, or one shape of error. On a port of its own.

Slack's port is open to the world in HTTP mode and does not exist in Socket Mode; programs get their own, on loopback
unless set otherwise, and only where a token is configured.
"""

from __future__ import annotations

import asyncio
import time
from http import HTTPStatus
from typing import TYPE_CHECKING

import msgspec
import structlog
from aiohttp import hdrs, web

from bot.errors import MY_FAULT, BotError
from bot.machines import failures, openapi
from bot.machines.asking import InputError
from bot.machines.calls import CALLS
from bot.telemetry import metrics
from bot.web import Server

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from typing import Any

    from aiohttp.typedefs import Handler

    from bot.machines.asking import Asking
    from bot.machines.callers import Caller, Tokens
    from bot.machines.calls import Call
    from bot.machines.failures import Failure

MAX_QUESTION_BYTES = 64 * 1024
MAX_ANSWER_BYTES = 1024 * 1024
BODY_S = 10.0  # to send a question
DOCUMENT = "/v1/openapi.json"

log = structlog.get_logger()


class ApiServer(Server):
    """Answers programs."""

    cancels = True

    def __init__(self, asking: Asking, tokens: Tokens, host: str, port: int) -> None:
        routes = [
            web.get(DOCUMENT, self._document, allow_head=False),
            *(web.post(call.path, self._handler(call)) for call in CALLS),
        ]
        super().__init__(host, port, routes)
        self._asking = asking
        self._tokens = tokens
        self._openapi = msgspec.json.encode(openapi.document())

    def application(self) -> web.Application:
        """Return an application in which every error has the one shape."""
        return web.Application(client_max_size=MAX_QUESTION_BYTES, middlewares=[_shaped])

    async def _document(self, _: web.Request) -> web.Response:
        return web.Response(body=self._openapi, content_type=openapi.JSON)

    def _handler(self, call: Call) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def handle(request: web.Request) -> web.Response:
            started = time.perf_counter()
            response = await self._answer(call, request)
            metrics.CALL_SECONDS.labels(call.name, str(response.status)).observe(time.perf_counter() - started)
            return response

        return handle

    async def _answer(self, call: Call, request: web.Request) -> web.Response:
        caller = self._tokens.caller(request.headers.get(hdrs.AUTHORIZATION, ""))
        if caller is None:
            log.info("program refused", remote=request.remote or "", call=call.name)
            return _failed(HTTPStatus.UNAUTHORIZED, failures.unauthorised(), {hdrs.WWW_AUTHENTICATE: "Bearer"})
        if request.content_type != openapi.JSON:
            what = failures.failure("not-json", "Send the question as JSON, with `Content-Type: application/json`.")
            return _failed(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, what)
        try:
            async with asyncio.timeout(BODY_S):
                question = await request.read()
        except TimeoutError:
            what = failures.failure("too-slow", f"The question did not arrive within {BODY_S:g} s. Send it again.")
            return _failed(HTTPStatus.REQUEST_TIMEOUT, what, {hdrs.CONNECTION: "close"})
        return await self._asked(call, question, caller)

    async def _asked(self, call: Call, question: bytes, caller: Caller) -> web.Response:
        try:
            answer = await self._asking.ask(call, question, caller, MAX_ANSWER_BYTES)
        except InputError as error:
            what = failures.failure("bad-question", f"That is not a question I understand: {error}. See {DOCUMENT}.")
            return _failed(HTTPStatus.BAD_REQUEST, what)
        except BotError as error:
            wait_s = failures.retry_after_s(error)
            headers = {} if wait_s is None else {str(hdrs.RETRY_AFTER): str(wait_s)}
            return _failed(failures.status_of(error), failures.of(error), headers)
        except Exception:
            log.exception("failed", call=call.name)
            return _failed(HTTPStatus.INTERNAL_SERVER_ERROR, failures.failure("internal", MY_FAULT))
        return _json(answer)


@web.middleware
async def _shaped(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Give what the server itself refuses (paths, methods, sizes) the shape of every error."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        status = HTTPStatus(error.status)
        code = status.phrase.lower().replace(" ", "-")
        sentences = {
            HTTPStatus.NOT_FOUND: f"There is no such path here. See {DOCUMENT}.",
            HTTPStatus.METHOD_NOT_ALLOWED: f"This path does not take {request.method[:20]}. See {DOCUMENT}.",
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE: f"A question has at most {MAX_QUESTION_BYTES:,} bytes.",
        }
        kept = {str(name): error.headers[name] for name in (hdrs.ALLOW,) if name in error.headers}
        return _failed(status, failures.failure(code, sentences.get(status, status.description or status.phrase)), kept)


def _failed(status: HTTPStatus, what: Failure, headers: Mapping[str, str] | None = None) -> web.Response:
    return _json(what, status, headers)


def _json(
    value: Failure | dict[str, Any], status: HTTPStatus = HTTPStatus.OK, headers: Mapping[str, str] | None = None
) -> web.Response:
    body = msgspec.json.encode(value)
    return web.Response(
        body=body, status=status, content_type=openapi.JSON,
        headers={"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", **(headers or {})},
    )  # fmt: skip
