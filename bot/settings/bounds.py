"""Bounds on time, load and what is kept."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Limits(BaseModel):
    """Bounds on time and load."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    deadline_s: float = Field(
        60.0, gt=0, le=600, description="seconds to fetch what is compared, each time it is tried"
    )
    oldest_s: float = Field(
        300.0, gt=0, le=3600, description="seconds from a request's acceptance; without an answer by then it is told so"
    )
    missing_retry_s: float = Field(4.0, ge=0, le=60, description="seconds to look again for a trace not there yet")
    analysis_s: float = Field(30.0, gt=0, le=300, description="seconds one comparison may compute")
    concurrent: int = Field(4, gt=0, le=64, description="comparisons at once, and half as many pictures")
    waiting: int = Field(
        100,
        ge=0,
        le=10_000,
        description="requests that may wait, in all processes together; more are told to come back",
    )
    per_person: int = Field(10, gt=0, le=10_000, description="requests of one person without an answer; see `waiting`")
    per_channel: int = Field(
        50, gt=0, le=10_000, description="requests of one channel without an answer; see `waiting`"
    )
    repeat_window_s: float = Field(600.0, ge=0, description="seconds in which a repeated question points to its answer")
    alert_window_s: float = Field(
        6 * 3600.0, ge=0, description="seconds in which an alert that fires again is not answered again by itself"
    )


class CacheSettings(BaseModel):
    """How much of what backends sent is kept for the next question, encrypted: in memory, or in Redis for all."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    traces_s: float = Field(600.0, ge=0, le=86_400, description="seconds that whole traces are kept; 0: never")
    populations_s: float = Field(
        300.0, ge=0, le=86_400, description="seconds that it is kept which traces a window of the past has; 0: never"
    )
    bytes: int = Field(
        64 * 1024 * 1024,
        ge=0,
        description="most that is kept at once, compressed, in all processes together; 0: nothing",
    )


class Retention(BaseModel):
    """How long what was asked and answered is kept."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    history_days: int = Field(30, ge=1, le=3650, description="days that requests are kept, and listed by `history`")
    results_days: int = Field(14, ge=1, le=3650, description="days that the buttons under an answer work")
    votes_days: int = Field(366, ge=1, le=3650, description="days that votes on answers are kept")
    memory_days: int = Field(366, ge=0, le=3650, description="days that causes are known again; 0: never")


class EvidenceSettings(BaseModel):
    """What logs and metrics are asked, beside the traces."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    deadline_s: float = Field(10.0, gt=0, le=60, description="seconds that logs and metrics have; no answer waits")
    around_s: float = Field(
        60.0, ge=1, le=3600, description="seconds before and after each request in which logs are compared"
    )
    tell_failures: bool = Field(default=False, description="say it in the thread also where no source answered at all")
