"""How a program learns that there is no answer: one shape, the same sentences that people read. Pure."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from msgspec import Struct

from bot.errors import AnalysisError, SourceError, UserError

if TYPE_CHECKING:
    from bot.errors import BotError

NOT_THERE = frozenset((
    "trace-not-found", "nothing-found", "no-typical", "search-lags", "unknown-service", "unknown-operation",
    "unknown-source", "no-sources",
))  # fmt: skip
COME_BACK_S = {"search-lags": 60, "rate-limited": 60}  # seconds after which it is worth asking again


class ErrorBody(Struct, frozen=True, kw_only=True):
    """What went wrong: a stable code for programs, and a sentence for people that says what to do."""

    code: str
    message: str


class Failure(Struct, frozen=True, kw_only=True):
    """The only shape in which errors come."""

    error: ErrorBody


def failure(code: str, message: str) -> Failure:
    """Return a failure."""
    return Failure(error=ErrorBody(code=code, message=message))


def unauthorised() -> Failure:
    """Return what a program without a token is told."""
    return failure("unauthorised", "Send a token that is set here: `Authorization: Bearer <token>`.")


def of(error: BotError) -> Failure:
    """Return a failure with the sentence that people read."""
    return failure(error.code, error.sentence)


def status_of(error: BotError) -> HTTPStatus:
    """Return the HTTP status that says what kind of failure it is."""
    if error.code.startswith("busy"):
        return HTTPStatus.SERVICE_UNAVAILABLE
    if error.code in NOT_THERE:
        return HTTPStatus.NOT_FOUND
    if error.code == "unknown-tenant":
        return HTTPStatus.FORBIDDEN
    if isinstance(error, SourceError):
        if error.code == "rate-limited":
            return HTTPStatus.SERVICE_UNAVAILABLE
        if error.code in ("no-tenant", "too-large", "search-unsupported"):
            return HTTPStatus.UNPROCESSABLE_ENTITY
        return HTTPStatus.GATEWAY_TIMEOUT if error.code == "timeout" else HTTPStatus.BAD_GATEWAY
    if isinstance(error, AnalysisError) and error.code != "unreadable":
        return HTTPStatus.GATEWAY_TIMEOUT if error.code == "took-too-long" else HTTPStatus.INTERNAL_SERVER_ERROR
    if isinstance(error, (UserError, AnalysisError)):
        return HTTPStatus.UNPROCESSABLE_ENTITY
    return HTTPStatus.INTERNAL_SERVER_ERROR


def retry_after_s(error: BotError) -> int | None:
    """Return after how many seconds asking again may help; None where nothing is known."""
    if error.code.startswith("busy"):
        return int(str(error.fields.get("seconds", 10)))
    return COME_BACK_S.get(error.code)
