"""What arrived from Slack, when, and the id under which everything that follows from it can be found.

    payload --> arriving() --> listener --> job --> answer
                 `- one id, in every log line of all of these and in the ledger

The context travels with the tasks that are started on the way; `structlog` adds the id to each line.
"""

from __future__ import annotations

import time
import uuid
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

from structlog.contextvars import bound_contextvars

if TYPE_CHECKING:
    from collections.abc import Iterator


class Arrival:
    """One payload of Slack's."""

    def __init__(self) -> None:
        self.request_id = uuid.uuid4().hex
        self.began = time.monotonic()
        self.arrived_ns = time.time_ns()
        self.acknowledged_ns: int | None = None  # None until Slack has its acknowledgement
        self._requests = 0

    def next_key(self) -> str:
        """Name a request that this payload asks for: the id itself, and another one should there be several."""
        self._requests += 1
        return self.request_id if self._requests == 1 else f"{self.request_id}.{self._requests}"


_CURRENT: ContextVar[Arrival | None] = ContextVar("arrival", default=None)


@contextmanager
def arriving() -> Iterator[Arrival]:
    """Begin what follows from a payload."""
    arrival = Arrival()
    before = _CURRENT.set(arrival)
    try:
        with bound_contextvars(request=arrival.request_id):
            yield arrival
    finally:
        _CURRENT.reset(before)


def current() -> Arrival | None:
    """Return what the work at hand follows from; None for work that was taken up after a restart."""
    return _CURRENT.get()


def request_key() -> str:
    """Name the next request of the payload at hand; where there is none, make up a name."""
    arrival = _CURRENT.get() or Arrival()
    return arrival.next_key()
