"""HTTP for trace backends, logs and metrics: the only file that knows httpx.

One `HttpSource` per server: bounded in time and bytes, retrying only what is safe to repeat, leaving alone who fails
again and again, sending its credentials to its own host alone.
"""

from __future__ import annotations

import asyncio
import json
import math
import os
import ssl
import zlib
from functools import cache
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

import httpx
import stamina
import structlog
from msgspec import Struct

from bot.errors import SourceError
from bot.sources.circuit import Circuit
from bot.sources.unpacking import PackedError, TooMuchError, unpacked
from bot.telemetry.log import masked

if TYPE_CHECKING:
    from bot.settings import Endpoint

ATTEMPTS = 3
OK = 200
NOT_FOUND = 404
BUSY = 429
NOT_IMPLEMENTED = 501  # final: a feature that this server has not got
DETAIL = 200  # characters of a server's answer that are shown
SHORT_BYTES = 64 * 1024  # an error's text that is longer is none
UNITS = ((1024**2, "MiB"), (1024, "KiB"))
WRONG_PATH = ("404 page not found", "unsupported path requested")

log = structlog.get_logger()


class Answer(Struct, frozen=True):
    """A complete answer of a backend: status, content type, and the unpacked body."""

    status: int
    content_type: str
    body: bytes
    path: str

    @property
    def detail(self) -> str:
        """What the server said, in a few words: the message of a JSON error, else the beginning of its text.

        Some say what they were sent, a token included: that is masked.
        """
        text = self.body[:4_000].decode(errors="replace").strip()
        try:
            data = json.loads(self.body if len(self.body) <= SHORT_BYTES else b"")
        except (ValueError, RecursionError):
            return masked(" ".join(text.split()))[:DETAIL] or "no text"
        return masked(_message(data) or " ".join(text.split()))[:DETAIL]

    @property
    def wrong_path(self) -> bool:
        """Tell whether the server does not know the path, as against not having the trace.

        A page for browsers is never the answer to a question: Jaeger sends that of its own interface for such a path.
        """
        if self.content_type.startswith("text/html") and self.status in (OK, NOT_FOUND):
            return True
        return self.status in (400, 404, 405) and any(
            mark in self.body[:500].decode(errors="replace") for mark in WRONG_PATH
        )

    @property
    def absent(self) -> bool:
        """Tell whether the server may not know the path: many proxies and servers say no more than 404."""
        return self.wrong_path or self.status == NOT_FOUND


def _message(data: object) -> str:
    if isinstance(data, dict):
        for key in ("errors", "error", "message", "msg"):
            if data.get(key):
                return _message(data[key])
        return ""
    if isinstance(data, list) and data:
        return _message(data[0])
    return data if isinstance(data, str) else ""


class TransientError(Exception):
    """Worth another try: the connection failed, or the server says that it is its own trouble."""

    def __init__(self, error: SourceError, wait_s: float | None = None) -> None:
        self.error = error
        self.wait_s = wait_s
        super().__init__(str(error))


def _backoff(error: Exception) -> bool | float:
    if isinstance(error, TransientError):
        return min(error.wait_s, 5.0) if error.wait_s is not None else True
    return False


class _Question(NamedTuple):
    path: str
    headers: dict[str, str]
    params: dict[str, str]
    content: bytes | None  # None: a GET


class HttpSource:
    """Questions to one server: requests that change nothing, and may be repeated."""

    def __init__(self, settings: Endpoint) -> None:
        self.settings = settings
        self._host = urlsplit(settings.url).netloc
        self._circuit = Circuit()
        self._client = httpx.AsyncClient(
            headers={"Accept-Encoding": "gzip", "User-Agent": "compare-traces", **_credentials(settings)},
            timeout=httpx.Timeout(settings.read_timeout_s, connect=settings.connect_timeout_s),
            verify=_tls(settings),
            follow_redirects=False,
            trust_env=False,
        )

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def get(
        self,
        path: str,
        *,
        accept: str,
        headers: dict[str, str] | None = None,
        params: dict[str, str] | None = None,
        question: bytes | None = None,
        max_bytes: int | None = None,
        deadline_s: float,
    ) -> Answer:
        """GET a path below the source's url, or POST a `question` to it.

        Returns any complete answer that is not a server's own trouble.

        Raises `SourceError` when there is none within `deadline_s`, whatever the number of tries, and when it has
        more than `max_bytes` (unpacked; never more than the source's own limit).
        """
        sent = {"Accept": accept, **({"Content-Type": "application/json"} if question else {}), **(headers or {})}
        limit = min(max_bytes or self.settings.max_body_bytes, self.settings.max_body_bytes)
        if rest_s := self._circuit.rest_s():
            raise self._error(
                "resting", count=self._circuit.failures, detail=self._circuit.reason, seconds=math.ceil(rest_s)
            )
        try:
            async with asyncio.timeout(deadline_s):
                answer = await self._persistently(_Question(path, sent, params or {}, question), limit, deadline_s)
        except TimeoutError:
            error = self._error("timeout", seconds=round(deadline_s))
            if deadline_s >= self.settings.read_timeout_s:  # less is our own haste
                self._failed(error)
            raise error from None
        except TransientError as transient:
            self._failed(transient.error)
            raise transient.error from None
        except SourceError:
            self._circuit.answered()  # with what is of no use, but it is there
            raise
        if self._circuit.answered():
            log.info("source answers again", source=self.settings.name)
        return answer

    async def _persistently(self, asked: _Question, limit: int, deadline_s: float) -> Answer:
        """Ask, and again while that may help; raises `TransientError` when it did not."""
        async for attempt in stamina.retry_context(
            on=_backoff, attempts=ATTEMPTS, wait_initial=0.1, wait_max=2.0, timeout=deadline_s
        ):
            with attempt:
                return await self._once(asked, limit)
        raise AssertionError("the retry loop returns or raises")

    def _failed(self, error: SourceError) -> None:
        reason = str(error.fields.get("detail") or error.code)
        if self._circuit.failed(reason, timed_out=error.code == "timeout"):
            log.warning("source left alone", source=self.settings.name, code=error.code)

    async def _once(self, asked: _Question, limit: int) -> Answer:
        method = "GET" if asked.content is None else "POST"
        try:
            async with self._client.stream(
                method,
                self.settings.url + asked.path,
                headers=asked.headers,
                params=asked.params,
                content=asked.content,
            ) as response:
                if response.is_redirect:
                    host = urlsplit(response.headers.get("location", "")).netloc or self._host
                    raise self._error("redirected", host=host)
                coding = response.headers.get("content-encoding", "")
                body = await unpacked(response.aiter_raw(), coding, limit)
                answer = Answer(response.status_code, response.headers.get("content-type", ""), body, asked.path)
        except httpx.TimeoutException:
            raise TransientError(self._error("timeout", seconds=round(self.settings.read_timeout_s))) from None
        except TooMuchError:
            raise self._error("too-large", detail=f"more than {_size(limit)}") from None
        except PackedError as error:
            raise self._error("unreadable", detail=f"it is packed as “{error}”; I asked for gzip") from None
        except (httpx.RemoteProtocolError, zlib.error) as error:
            raise TransientError(self._error("cut-off", detail=_short(error))) from None
        except httpx.HTTPError as error:
            raise TransientError(self._error("unreachable", detail=_short(error))) from None
        if answer.status == BUSY:
            raise TransientError(self._error("rate-limited"), _seconds(response.headers.get("retry-after")))
        if answer.status >= 500 and answer.status != NOT_IMPLEMENTED:
            raise TransientError(self._error("broken", status=answer.status, path=asked.path, detail=answer.detail))
        return answer

    def _error(self, code: str, **fields: object) -> SourceError:
        return SourceError(code, source=self.settings.name, **fields)


def _short(error: Exception) -> str:
    return masked(" ".join(str(error).split()))[:DETAIL] or type(error).__name__


def _size(bytes_: int) -> str:
    return next((f"{round(bytes_ / unit, 1):g} {name}" for unit, name in UNITS if bytes_ >= unit), f"{bytes_} bytes")


def _seconds(text: str | None) -> float | None:
    try:
        return max(0.0, float(text)) if text else None
    except ValueError:
        return None


def _credentials(settings: Endpoint) -> dict[str, str]:
    """Read the source's secrets from the environment variables that its settings name."""
    headers = {name: os.environ.get(variable, "") for name, variable in settings.headers_env.items()}
    if settings.bearer_env:
        headers["Authorization"] = f"Bearer {os.environ.get(settings.bearer_env, '')}"
    elif settings.basic_env:
        user, _, password = os.environ.get(settings.basic_env, "").partition(":")
        headers["Authorization"] = httpx.BasicAuth(user, password)._auth_header  # noqa: SLF001 - its only public use is per request
    return headers


def _tls(settings: Endpoint) -> ssl.SSLContext:
    if not settings.ca_file and not settings.client_cert:
        return _usual_tls()
    context = ssl.create_default_context(cafile=str(settings.ca_file) if settings.ca_file else None)
    if settings.client_cert:
        context.load_cert_chain(settings.client_cert, settings.client_key)
    return context


@cache
def _usual_tls() -> ssl.SSLContext:
    """Read the authorities that this machine trusts: takes long, and is the same for every source."""
    return ssl.create_default_context()
