"""How many generated examples a property is tried on: some hundreds in the suite, thousands with `make prove`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    import pytest

PROFILE = "prove"
MANY = 10_000

settings.register_profile(
    PROFILE, max_examples=MANY, deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)

_RAN = re.compile(r"(\d+) (?:passing|failing) examples")


def proving() -> bool:
    """Tell whether the properties are to be proved on thousands of examples (`--hypothesis-profile prove`)."""
    return settings.get_current_profile_name() == PROFILE


def examples(few: int) -> settings:
    """Return the settings of a property: `few` examples in the suite, `MANY` when proving."""
    return settings(max_examples=MANY if proving() else few, deadline=None)


def examples_ran(item: pytest.Item) -> int:
    """Count the examples that a test has just run, those thrown away as invalid not among them."""
    return sum(map(int, _RAN.findall(getattr(item, "hypothesis_statistics", ""))))
