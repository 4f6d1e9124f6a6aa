"""What the slow requests of a window share: values that tell them from the others."""

from __future__ import annotations

import random

import pytest
from fleet_windows import wave, window

from analysis import DEFAULTS, compare_fleets, render_fleets
from analysis.fleet.separators import Requests, separators
from analysis.fleet.words import Labels
from analysis.sensitive import Redactor

MS = 1_000_000


def test_the_value_that_slow_requests_share_is_named() -> None:
    """A host behind nearly all slow requests and few others is told; one that all have, or a random one, is not."""
    rng = random.Random(4)  # noqa: S311 - test data
    slow = set(range(0, 200, 8))

    def place(i: int) -> dict:
        return {"host.name": "n7" if i in slow or i % 50 == 1 else f"n{i % 5}", "service.version": "1.2"}

    def customer(_: int) -> dict:
        return {"tenant.id": f"t{rng.randrange(4)}", "request.id": str(rng.random())}

    times = [60.0 if i in slow else ms for i, ms in enumerate(wave(200))]
    found = compare_fleets(
        window(wave(200), resource=lambda i: {"host.name": f"n{i % 5}", "service.version": "1.2"}, attributes=customer),
        window(times, resource=place, attributes=customer),
    )
    (told,) = found.causes[0].separators
    assert (told.service, told.attribute, told.value) == ("pricing", "host.name", "n7")
    assert told.slow_share == 1.0
    assert told.other_share < 0.02
    assert "host.name = n7 of pricing in 100 % of the requests that show it" in render_fleets(found)


def test_values_of_the_same_requests_are_told_together() -> None:
    """A pod and its only node cannot be told apart: the node is named, the pod beside it."""
    pod = {"k8s.pod.name": "p-9", "host.name": "n9"}
    found = compare_fleets(
        window(wave(100), resource=lambda _: {"k8s.pod.name": "p-1", "host.name": "n1"}),
        window([70.0 if i % 5 == 0 else ms for i, ms in enumerate(wave(100))],
               resource=lambda i: pod if i % 5 == 0 else {"k8s.pod.name": "p-1", "host.name": "n1"}),
    )  # fmt: skip
    told = found.causes[0].separators[0]
    assert (told.attribute, told.also) == ("host.name", ("k8s.pod.name = p-9 of pricing",))


def test_a_place_that_was_as_slow_before_explains_no_change() -> None:
    """One host in ten is slow in both windows; what is new is a slow customer, and only that is told."""

    def host(i: int) -> dict:
        return {"host.name": "old" if i % 10 == 0 else "fresh"}

    def customer(i: int) -> dict:
        return {"tenant.id": "big" if i % 10 == 1 else "small"}

    def times(slow: tuple[int, ...]) -> list[float]:
        return [60.0 + i % 3 if i % 10 in slow else ms for i, ms in enumerate(wave(600))]

    found = compare_fleets(
        window(times((0,)), resource=host, attributes=customer),
        window(times((0, 1)), resource=host, attributes=customer),
    )
    (told,) = found.causes[0].separators
    assert (told.attribute, told.value) == ("tenant.id", "big")


def test_nothing_is_said_of_values_when_none_separates() -> None:
    """Then it says that it looked."""
    found = compare_fleets(
        window(wave(60), attributes=lambda i: {"tenant.id": f"t{i % 3}"}),
        window(wave(60, 40), attributes=lambda i: {"tenant.id": f"t{i % 3}"}),
    )
    assert found.causes[0].separators == ()
    assert found.causes[0].values_asked == 3
    assert "none of 3 values of attributes tells" in render_fleets(found)


def test_values_that_are_empty_or_endless_separate_nothing() -> None:
    """Only what can be read and repeated is named as what slow requests share."""
    slow = set(range(0, 200, 10))
    for said in ("", "x" * 5_000):
        times = [90.0 if i in slow else ms for i, ms in enumerate(wave(200))]
        suspect = window(times, attributes=lambda i, said=said: {"plan": said} if i in slow else {})
        assert compare_fleets(window(wave(200)), suspect).causes[0].separators == ()


@pytest.mark.parametrize("slow", [True, False])
def test_where_all_requests_are_slow_or_none_no_value_tells_them_apart(slow) -> None:
    """A value that half of them have says nothing of a difference that is not there."""
    values = [{"path": frozenset({("plan", "gold")} if i % 2 else ())} for i in range(40)]
    requests = Requests.of(([slow] * 20, [slow] * 20))
    assert separators(requests, values, ["path"], Labels({}, Redactor.of(DEFAULTS)), DEFAULTS) == ((), 0)
