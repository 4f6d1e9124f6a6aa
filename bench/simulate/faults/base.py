"""What a fault is given and what it returns.

    @fault
    def slow_operation(scene: Scene) -> Plan | None: ...

`None` means that this system has no place for the fault. A fault only says under which conditions the suspect
runs and which services are to blame; which spans show it is found out afterwards (`labels.py`).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, TypeVar

from bench.simulate.conditions import Conditions
from bench.simulate.execution import Activity, steps_below
from bench.simulate.instrumentation import Recording
from bench.simulate.program import Operation, Query, Remote, Step, Store

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Sequence

    from bench.simulate.program import World

SLOW = ("self_time_increase", "wait_gap")
GAP = ("network", "wait_gap")
CALLS = ("more_calls", "new_calls")
RATIOS = (1.2, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0, 60.0)  # aimed at: root with the fault / without
RATIO_WEIGHTS = (1, 2, 3, 3, 3, 2, 1, 1)
LONGEST_MS = 60_000.0


@dataclass(slots=True)
class Plan:
    """What goes wrong, and what is true about it."""

    services: tuple[str, ...]
    kinds: tuple[str, ...]
    conditions: Conditions = field(default_factory=Conditions)
    recording: Recording = field(default_factory=Recording)
    mode: str = "latency"  # | "error" | "path" | "completion" | "none" | "identical" | "different"
    operations: tuple[str, ...] = ()  # span names to accept beside those of the blamed spans
    either_end: bool = False  # of a slow edge: the trace cannot tell which
    baseline_conditions: Conditions = field(default_factory=Conditions)
    baseline_recording: Recording = field(default_factory=Recording)
    size: float = 1.0  # of the suspect's request, times its own
    other_root: Operation | None = None  # of the suspect's request
    swapped: bool = False  # the faulty trace is A
    knowable: bool = True
    also_right: tuple[str, ...] = ()  # verdicts that are true as well
    notes: str = ""


@dataclass(slots=True)
class Scene:
    """One request of a system without a fault, to find places for one."""

    world: World
    rng: random.Random
    baseline: Activity  # the healthy request A
    healthy: Activity  # the request B as it would have been
    ratio: float
    ids: count[int] = field(default_factory=lambda: count(1_000_000))

    @property
    def amount_ms(self) -> float:
        """How much longer the root shall take."""
        return min(LONGEST_MS, max(1.0, (self.ratio - 1.0) * self.healthy.ms))

    def waited(self) -> list[Activity]:
        """Return the activities that the root waits for."""
        found = [self.healthy]
        for activity in found:
            found.extend(child for child in activity.children if not child.asynchronous)
        return found

    def times(self) -> Counter[int]:
        """Return how often each subject (by id) ran while the root waited."""
        return Counter(activity.subject.id for activity in self.waited())

    def in_both(self) -> set[int]:
        """Return the ids of subjects that ran in A and would have run in B."""
        return {a.subject.id for a in self.baseline.walk()} & {a.subject.id for a in self.healthy.walk()}

    def servers(self) -> list[Activity]:
        """Return the handlers that ran in both requests, one per operation."""
        return self._distinct("server")

    def queries(self, *, caches: bool = False) -> list[Activity]:
        """Return the calls of databases that ran in both requests, one per step."""
        skip = ("http",) if caches else ("http", "redis", "memcached")
        return [a for a in self._distinct("query") if store_of(a).system not in skip]

    def third_parties(self) -> list[Activity]:
        """Return the calls of third parties that ran in both requests."""
        return [a for a in self._distinct("query") if store_of(a).system == "http"]

    def remotes(self) -> list[Activity]:
        """Return the calls between services that ran in both requests, one per step."""
        return self._distinct("client")

    def _distinct(self, role: str) -> list[Activity]:
        both = self.in_both()
        found = {a.subject.id: a for a in self.waited() if a.role == role and a.subject.id in both}
        return list(found.values())

    def pick(self, choices: Sequence[T]) -> T | None:
        """Choose one, or None of nothing."""
        return self.rng.choice(choices) if choices else None

    def place(self) -> float:
        """Choose where in a handler something happens (0 = first step, 1 = last)."""
        return self.rng.choice((0.1, 0.3, 0.5, 0.7, 0.95))

    def share(self, activity: Activity) -> float:
        """Return the milliseconds that each run of an activity's subject contributes to the amount."""
        return self.amount_ms / self.times()[activity.subject.id]

    def steps(self, kind: type[S]) -> list[tuple[Operation, S]]:
        """Return the steps of a kind, with their operations, of handlers that ran in both requests."""
        return [
            (operation, step)
            for server in self.servers()
            for operation in (operation_of(server),)
            for step in steps_below(operation.steps)
            if isinstance(step, kind)
        ]


T = TypeVar("T")
S = TypeVar("S", bound="Step")
FAULTS: dict[str, Callable[[Scene], Plan | None]] = {}


def fault(function: Callable[[Scene], Plan | None]) -> Callable[[Scene], Plan | None]:
    """Register a fault under its function's name."""
    FAULTS[function.__name__] = function
    return function


def operation_of(activity: Activity) -> Operation:
    """Return the operation that a server activity serves."""
    assert isinstance(activity.subject, Operation)  # noqa: S101 - a role implies its subject
    return activity.subject


def query_of(activity: Activity) -> Query:
    """Return the query of a query activity."""
    assert isinstance(activity.subject, Query)  # noqa: S101 - a role implies its subject
    return activity.subject


def store_of(activity: Activity) -> Store:
    """Return the store that a query activity calls."""
    return query_of(activity).store


def remote_of(activity: Activity) -> Remote:
    """Return the call of a client activity."""
    assert isinstance(activity.subject, Remote)  # noqa: S101 - a role implies its subject
    return activity.subject


def ends(activity: Activity) -> tuple[str, str]:
    """Return caller and callee of a client activity."""
    return activity.instance.service.name, remote_of(activity).operation.service.name


def name(activity: Activity) -> str:
    """Return the service of an activity."""
    return activity.instance.service.name
