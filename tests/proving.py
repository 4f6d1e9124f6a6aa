"""How many generated examples a property is tried on: some dozens in the suite, thousands with `make prove`.

Every run of the suite draws others, so that runs add up; a property that fails keeps its example.
"""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, is_hypothesis_test, settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

PROFILE = "prove"
MANY = 10_000
SKETCH = "sketch"
A_FEW = 12

settings.register_profile(
    PROFILE, max_examples=MANY, deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)


# Where the same tests run hundreds of times, as against mutants (`make mutants`): the first of the same examples.
settings.register_profile(SKETCH, max_examples=A_FEW, deadline=None, derandomize=True, database=None)


def proving() -> bool:
    """Tell whether the properties are to be proved on thousands of examples (`--hypothesis-profile prove`)."""
    return settings.get_current_profile_name() == PROFILE


def examples(few: int, *, many: int = MANY) -> settings:
    """Return the settings of a property: `few` examples in the suite, `many` when proving (fewer of what is slow)."""
    if settings.get_current_profile_name() == SKETCH:
        return settings(max_examples=min(few, A_FEW), deadline=None, derandomize=True, database=None)
    return settings(max_examples=many if proving() else few, deadline=None)


def properties(items: list[pytest.Item]) -> list[pytest.Item]:
    """Return those of the collected tests that are tried on generated examples."""
    return [item for item in items if is_hypothesis_test(getattr(item, "obj", None))]


def counted(item: pytest.Item) -> Iterator[None]:
    """Count the examples of a property while it runs; the count travels on the test's reports."""
    test: Any = getattr(item, "obj", None)
    if not is_hypothesis_test(test):
        yield
        return
    inner = test.hypothesis.inner_test
    ran = 0

    @wraps(inner)
    def counting(*arguments: object, **named: object) -> object:
        nonlocal ran
        ran += 1
        return inner(*arguments, **named)

    test.hypothesis.inner_test = counting
    try:
        yield
    finally:
        test.hypothesis.inner_test = inner
        item.user_properties.append(("examples", ran))


def summary(terminal: pytest.TerminalReporter) -> Iterator[str]:
    """Say how many examples each property ran, and all of them together."""
    ran = {
        report.nodeid: count
        for reports in terminal.stats.values()
        for report in reports
        for name, count in getattr(report, "user_properties", ())
        if name == "examples"
    }
    for name, count in sorted(ran.items()):
        yield f"{count:>9,} examples  {name}"
    yield f"{sum(ran.values()):>9,} examples of {len(ran)} properties"
