"""A program's question on its way to its answer: admitted like people's, found out by the same inquiry, recorded.

question -> request -> admission -> a place to work in -> inquiry -> (logs, metrics, memory) -> bounded answer
         '- refused     '- busy                         '- no answer: the sentence that people read too
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import msgspec
import structlog
from msgspec import structs

from bot.errors import BotError, UserError
from bot.evidence.hearing import heard
from bot.inquiry import audit
from bot.inquiry.result import Result
from bot.machines.questions import CompareTraces, FindTypicalTrace
from bot.telemetry.arrival import arriving, request_key

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.evidence.sources import EvidenceSources
    from bot.inquiry.inquiry import Inquiry
    from bot.inquiry.result import Kept, Recollection
    from bot.job.admission import Admission
    from bot.machines.callers import Caller
    from bot.machines.calls import Call, Question
    from bot.requests.request import CompareRequest
    from bot.settings import SourceSettings
    from bot.sources import Sources

log = structlog.get_logger()


class InputError(Exception):
    """A question that is not shaped as its type says; the text says where and why."""


class Asking:
    """Answers programs."""

    def __init__(
        self, sources: Sources, inquiry: Inquiry, admission: Admission, evidence: EvidenceSources,
        recollect: Callable[[str, Kept], Awaitable[Recollection | None]] | None = None,
    ) -> None:  # fmt: skip
        self._sources = sources
        self._inquiry = inquiry
        self._evidence = evidence
        self._admission = admission
        self._recollect = recollect  # None: nothing is remembered here

    async def ask(self, call: Call, question: bytes, caller: Caller, most_bytes: int) -> dict[str, Any]:
        """Answer a question, written as JSON, in at most about so many bytes.

        Raises `InputError` for one that is not shaped right, and `BotError` where there is no answer.
        """
        try:
            asked = msgspec.convert(_whole(msgspec.json.decode(question)), type=call.question)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
            raise InputError(str(error) or "nested too deeply") from None
        origin = caller.origin
        with arriving():
            try:
                hosts = self._sources.hosts_for(origin.channel)
                request: CompareRequest = asked.request(hosts, int(time.time()))
                self._admission.check()
            except UserError as error:
                audit.ended(origin, "refused", error.code)
                raise
            key = request_key()
            with self._admission.admitted(), audit.recorded(key, origin, request) as record:
                try:
                    async with self._admission.place(origin):
                        result = await self._inquiry.result(request, origin)
                    (result, said), before = await asyncio.gather(
                        self._weighed(asked, result), self._recollected(asked, key, result)
                    )
                    result = structs.replace(result, before=before)
                except BotError as error:
                    record.failed(error.code)
                    log.info("no answer", code=error.code, error=str(error), key=key)
                    raise
                except Exception:
                    record.failed(audit.INTERNAL)
                    raise
                record.answered(result)
                return call.answered(asked, key, result, self._settings_of, most_bytes, said)

    async def _weighed(self, asked: Question, result: Kept) -> tuple[Kept, list[str] | None]:
        """Ask logs and metrics about the causes, where that was wanted: see `bot.evidence.hearing`."""
        if not (isinstance(asked, CompareTraces) and asked.logs_and_metrics and isinstance(result, Result)):
            return result, None
        tenant = self._sources.tenant(result.origin.channel, result.request.tenant)
        return await heard(result, self._evidence, tenant)

    async def _recollected(self, asked: Question, key: str, result: Kept) -> Recollection | None:
        """Recall earlier answers, where that is known and the answer has a place for it."""
        if self._recollect is None or isinstance(asked, FindTypicalTrace):
            return None
        return await self._recollect(key, result)

    def _settings_of(self, name: str) -> SourceSettings | None:
        return self._sources.settings_of(name)


def _whole(question: Any) -> Any:
    """Take 20.0 for 20, as JSON does and as its schemas say."""
    if not isinstance(question, dict):
        return question
    return {
        name: int(value) if isinstance(value, float) and value.is_integer() else value
        for name, value in question.items()
    }
