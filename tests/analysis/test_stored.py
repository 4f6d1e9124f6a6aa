"""Stored comparisons: read back as they were, or refused with what to do."""

from __future__ import annotations

import json

import pytest

from analysis import Comparison, FleetComparison, compare


@pytest.mark.parametrize("kind", [Comparison, FleetComparison])
def test_another_version_is_refused_by_its_number(kind) -> None:
    """Whatever else the stored value holds, the sentence says both versions and what to do."""
    with pytest.raises(ValueError, match="has schema version 0, this program reads 1: compare the traces again"):
        kind.from_json(b'{"schema_version": 0, "verdict": "as it was said then"}')


@pytest.mark.parametrize("kind", [Comparison, FleetComparison])
@pytest.mark.parametrize("body", [b"", b"{}", b"[1]", b'{"schema_version": "1"}', b"\xff\xfe", b"<html>"])
def test_what_is_no_comparison_is_refused(kind, body) -> None:
    """Garbage is one sentence, never another exception."""
    with pytest.raises(ValueError, match=r"this is not a stored (fleet )?comparison"):
        kind.from_json(body)


def test_fields_of_a_later_release_are_no_obstacle(samples) -> None:
    """Additions raise no version: what an older program does not know, it leaves out."""
    pair = samples.pairs[0]
    made = compare(samples.trace(pair.baseline), samples.trace(pair.suspect))
    later = made.to_dict() | {"something_new": {"a": 1}}
    later["verdict"]["mood"] = "good"
    assert Comparison.from_json(json.dumps(later).encode()) == made
