"""Under which conditions one request runs: what a fault changes, and nothing about why.

All times are milliseconds after the start of the request, as floats.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.simulate.program import Instance, Step


@dataclass(frozen=True, slots=True)
class EdgeDelay:
    """Extra time on the way between two ends ("" = any end); `only` limits it to some of the calls."""

    caller: str
    callee: str  # a service or a store
    there_ms: float = 0.0
    back_ms: float = 0.0
    chance: float = 1.0  # packet loss strikes some calls only
    steps: tuple[float, ...] = ()  # retransmission: one of these is added to `there_ms`


@dataclass(frozen=True, slots=True)
class Failure:
    """How a call or an operation fails."""

    exception: str
    message: str
    http: int = 500
    grpc: int = 13
    attempts: int = 1  # failing tries
    succeeds: bool = False  # one more try, which works
    backoff_ms: float = 0.0  # doubled after each try
    took_ms: float | None = None  # how long a failing try takes; None = as long as usual
    cut: bool = False  # the caller gives up after `took_ms` (a timeout); the callee may go on


class Stalls:
    """When a process stands still: windows sorted by start, not overlapping."""

    def __init__(self, windows: list[tuple[float, float]]) -> None:
        self._windows = sorted(windows)
        self._starts = [start for start, _ in self._windows]

    def wake(self, at: float) -> float:
        """Return when the process can react to something that happens at `at`."""
        index = bisect_right(self._starts, at) - 1
        if index >= 0:
            end = self._windows[index][1]
            if at < end:
                return end
        return at

    def finish(self, start: float, ms: float) -> float:
        """Return when work of `ms` that begins at `start` is done."""
        at = self.wake(start)
        index = bisect_right(self._starts, at)
        left = ms
        while index < len(self._windows):
            begin, end = self._windows[index]
            if at + left <= begin:
                break
            left -= begin - at
            at = end
            index += 1
        return at + left


@dataclass(slots=True)
class Conditions:
    """What is different from an ordinary request."""

    replace: dict[int, tuple[Step, ...]] = field(default_factory=dict)  # by step id
    insert: dict[int, list[tuple[float, Step]]] = field(default_factory=dict)  # by operation id: (place 0-1, step)
    edges: list[EdgeDelay] = field(default_factory=list)
    accept_ms: dict[str, float] = field(default_factory=dict)  # by service: wait before a request is served
    stalls: dict[str, Stalls] = field(default_factory=dict)  # by pod
    slow_pods: dict[str, float] = field(default_factory=dict)  # by pod: factor on all it does
    slow_stores: dict[str, float] = field(default_factory=dict)  # by store: factor
    pins: dict[str, Instance] = field(default_factory=dict)  # by service: the replica that serves
    step_failures: dict[int, Failure] = field(default_factory=dict)  # by id of a Query or Remote
    operation_failures: dict[int, Failure] = field(default_factory=dict)  # by operation id
    cold_caches: frozenset[int] = frozenset()  # ids of Cached steps that miss
    warm_caches: bool = False  # all others hit
    lag_ms: dict[int, float] = field(default_factory=dict)  # by id of a Publish: extra time in the queue
    payload: dict[int, float] = field(default_factory=dict)  # by operation id: factor on the response's bytes
    attributes: dict[int, dict[str, str | bool | int]] = field(default_factory=dict)  # by operation id
