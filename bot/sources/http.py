"""HTTP for trace backends, logs and metrics: the only file that knows httpx.

One `HttpSource` per server: bounded in time and bytes, retrying only what is safe to repeat, sending its
credentials to its own host alone.
"""

from __future__ import annotations

import asyncio
import json
import os
import ssl
import zlib
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx
import stamina
from msgspec import Struct

from bot.errors import SourceError

if TYPE_CHECKING:
    from bot.settings import Endpoint

ATTEMPTS = 3
OK = 200
NOT_FOUND = 404
BUSY = 429
NOT_IMPLEMENTED = 501  # final: a feature that this server has not got
DETAIL = 200  # characters of a server's answer that are shown
WRONG_PATH = ("404 page not found", "unsupported path requested")


class Answer(Struct, frozen=True):
    """A complete answer of a backend: status, content type, and the unpacked body."""

    status: int
    content_type: str
    body: bytes
    path: str

    @property
    def detail(self) -> str:
        """What the server said, in a few words: the message of a JSON error, else the beginning of its text."""
        text = self.body[:4_000].decode(errors="replace").strip()
        try:
            data = json.loads(self.body)
        except (ValueError, RecursionError):
            return " ".join(text.split())[:DETAIL] or "no text"
        return (_message(data) or " ".join(text.split()))[:DETAIL]

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


class HttpSource:
    """Questions to one server: requests that change nothing, and may be repeated."""

    def __init__(self, settings: Endpoint) -> None:
        self.settings = settings
        self._host = urlsplit(settings.url).netloc
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
        headers = {"Accept": accept, **({"Content-Type": "application/json"} if question else {}), **(headers or {})}
        limit = min(max_bytes or self.settings.max_body_bytes, self.settings.max_body_bytes)
        try:
            async with asyncio.timeout(deadline_s):
                async for attempt in stamina.retry_context(
                    on=_backoff, attempts=ATTEMPTS, wait_initial=0.1, wait_max=2.0, timeout=deadline_s
                ):
                    with attempt:
                        return await self._once(path, headers, params or {}, question, limit)
        except TimeoutError:
            raise self._error("timeout", seconds=round(deadline_s)) from None
        except TransientError as transient:
            raise transient.error from None
        raise AssertionError("the retry loop returns or raises")

    async def _once(
        self, path: str, headers: dict[str, str], params: dict[str, str], question: bytes | None, limit: int
    ) -> Answer:
        method = "GET" if question is None else "POST"
        try:
            async with self._client.stream(
                method, self.settings.url + path, headers=headers, params=params, content=question
            ) as response:
                if response.is_redirect:
                    host = urlsplit(response.headers.get("location", "")).netloc or self._host
                    raise self._error("redirected", host=host)
                body = await self._read(response, limit)
                answer = Answer(response.status_code, response.headers.get("content-type", ""), body, path)
        except httpx.TimeoutException:
            raise TransientError(self._error("timeout", seconds=round(self.settings.read_timeout_s))) from None
        except (httpx.RemoteProtocolError, httpx.DecodingError, zlib.error) as error:
            raise TransientError(self._error("cut-off", detail=_short(error))) from None
        except httpx.HTTPError as error:
            raise TransientError(self._error("unreachable", detail=_short(error))) from None
        if answer.status == BUSY:
            raise TransientError(self._error("rate-limited"), _seconds(response.headers.get("retry-after")))
        if answer.status >= 500 and answer.status != NOT_IMPLEMENTED:
            raise TransientError(self._error("broken", status=answer.status, path=path, detail=answer.detail))
        return answer

    async def _read(self, response: httpx.Response, limit: int) -> bytes:
        """Read the unpacked body up to the limit; a small answer that unpacks to gigabytes is refused on the way."""
        chunks = []
        size = 0
        async for chunk in response.aiter_bytes():
            size += len(chunk)
            if size > limit:
                raise self._error("too-large", detail=f"more than {limit // 1024 // 1024} MiB")
            chunks.append(chunk)
        return b"".join(chunks)

    def _error(self, code: str, **fields: object) -> SourceError:
        return SourceError(code, source=self.settings.name, **fields)


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:DETAIL] or type(error).__name__


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
    context = ssl.create_default_context(cafile=str(settings.ca_file) if settings.ca_file else None)
    if settings.client_cert:
        context.load_cert_chain(settings.client_cert, settings.client_key)
    return context
