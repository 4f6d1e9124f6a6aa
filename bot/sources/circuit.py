"""A source that fails again and again is left alone for a moment.

    asked --5 failures in a row, or 2 timeouts--> left alone --15 s--> one question goes through --answered--> asked
                                                      ^                              '--failed--.
                                                      '-----------------------------------------'

Whoever asks meanwhile is told at once, instead of waiting for one more timeout in a place that others need; and a
backend that struggles is not asked three times for each of them.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

FAILURES = 5  # questions in a row, repeated tries included
TIMEOUTS = 2  # questions in a row: as many as one comparison asks, and each took all the time that it has
REST_S = 15.0


class Circuit:
    """What is known of how a source fares."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures = 0
        self._timeouts = 0
        self._until = 0.0
        self.reason = ""  # of the last failure

    @property
    def failures(self) -> int:
        """How many questions in a row failed."""
        return self._failures

    @property
    def _open(self) -> bool:
        return self._failures >= FAILURES or self._timeouts >= TIMEOUTS

    def rest_s(self) -> float:
        """Return for how long (s) the source is still to be left alone; 0: ask it.

        When the time is over, whoever asks first goes through, and the others wait for what comes of that.
        """
        now = self._clock()
        if not self._open:
            return 0.0
        if now < self._until:
            return self._until - now
        self._until = now + REST_S
        return 0.0

    def answered(self) -> bool:
        """Note an answer, whatever it says; returns whether the source was left alone before."""
        recovered = self._open
        self._failures = self._timeouts = 0
        return recovered

    def failed(self, reason: str, *, timed_out: bool = False) -> bool:
        """Note a question without an answer; returns whether the source is left alone from now on."""
        was_open = self._open
        self._failures += 1
        self._timeouts += timed_out
        self.reason = reason
        if self._open:
            self._until = self._clock() + REST_S
        return self._open and not was_open
