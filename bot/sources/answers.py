"""What an answer's status and body mean, for every backend."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

import msgspec

from analysis import DecodeError, EmptyTraceError, decode
from bot.errors import SourceError
from bot.sources.base import FetchedTrace
from bot.sources.wholeness import broken_off

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from analysis import WireFormat
    from bot.sources.base import TraceSource
    from bot.sources.http import Answer

Read = TypeVar("Read")

_CHEAP_TO_DECODE = 4_096  # bytes: an empty result is far smaller, and decoding this much takes no time


def refuse(answer: Answer, source: str, trace_id: str) -> None:
    """Raise the `SourceError` that an answer's status means; return for a good one."""
    if answer.wrong_path and answer.status in (200, 404):
        raise SourceError("wrong-path", source=source, path=answer.path)
    if answer.status == 200:
        return
    if answer.status == 404:
        raise SourceError("trace-not-found", source=source, trace=trace_id)
    if answer.status in (401, 403):
        code = "no-tenant" if "org id" in answer.detail or "tenant" in answer.detail.lower() else "unauthorised"
        raise SourceError(code, source=source, status=answer.status, detail=answer.detail)
    if answer.status in (413, 422):
        raise SourceError("too-large", source=source, trace=trace_id, detail=answer.detail)
    raise SourceError("rejected", source=source, status=answer.status, detail=answer.detail)


async def explained(error: SourceError, source: TraceSource, trace_id: str, *, served: bool) -> SourceError:
    """Return what it means that a trace could not be had: an unknown path is a missing trace where the API is there.

    Many servers say to an unknown trace what they say to an unknown path. `served`: traces came from there before.
    """
    if error.code != "wrong-path":
        return error
    if not served:
        try:
            await source.ping()
        except SourceError:
            return error
    return SourceError("trace-not-found", source=source.settings.name, trace=trace_id)


def checked(answer: Answer, source: str, trace_id: str, wire: WireFormat) -> FetchedTrace:
    """Make sure that a body is whole, and a small one the trace: "not found" also comes as 200 with an empty one."""
    if broken_off(answer.body):
        raise SourceError("cut-off", source=source, detail=f"after {len(answer.body):,} bytes")
    if len(answer.body) < _CHEAP_TO_DECODE:
        try:
            decode(answer.body, wire)
        except EmptyTraceError:
            raise SourceError("trace-not-found", source=source, trace=trace_id) from None
        except DecodeError as error:
            raise SourceError("unreadable", source=source, detail=str(error)) from None
    return FetchedTrace(trace_id=trace_id, body=answer.body, wire=wire, source=source)


def read(answer: Answer, source: str, reader: Callable[[bytes], Read]) -> Read:
    """Read a search's answer; raises `SourceError` for one that is refused or cannot be read."""
    if answer.status == 404 or answer.wrong_path:
        raise SourceError("search-unsupported", source=source, detail=f"{answer.path}: {answer.detail}")
    refuse(answer, source, "")
    with readable(source):
        return reader(answer.body)


@contextmanager
def readable(source: str) -> Iterator[None]:
    """Turn what reading an answer may raise into a `SourceError`."""
    try:
        yield
    except (msgspec.MsgspecError, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise SourceError("unreadable-search", source=source, detail=str(error)) from None


def read_metrics(answer: Answer, source: str, reader: Callable[[bytes], Read]) -> Read:
    """Read an answer about metrics; raises `SourceError`, code `no-metrics` where the server has none."""
    if answer.status in (400, 404, 501):
        raise SourceError("no-metrics", source=source, detail=answer.detail)
    return read(answer, source, reader)
