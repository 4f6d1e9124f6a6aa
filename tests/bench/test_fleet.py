"""The measurement of window comparisons changes what it says it changes, and counts what it finds."""

from __future__ import annotations

import sys

import pytest

from analysis.fleet import Observer
from bench import fleet
from bench.simulate.pairs import healthy_traces
from bench.simulate.wire import jaeger_json


@pytest.mark.parametrize("seed", range(6))
def test_a_slower_group_lengthens_its_request_and_nothing_else(seed) -> None:
    """Twice its exposed time: the response grows by as much, and no other group is held up any longer."""
    drawn = fleet.fleet_of(healthy_traces(seed, 8))
    observer = Observer(fleet.OPTIONS)
    for path in drawn.paths:
        for trace, before in zip(drawn.traces, drawn.seen, strict=True):
            after = observer.observe(fleet.slowed(trace, path, 1.0))
            grown = {
                other: after.sample.groups[other][0] - before.sample.groups[other][0] for other in before.sample.groups
            }
            expected = before.sample.groups[path][0]
            assert after.sample.response_ns - before.sample.response_ns == expected
            assert {other for other, ns in grown.items() if ns} <= {path}
            assert grown[path] == expected


def test_the_table_is_printed_for_a_folder(tmp_path, monkeypatch, capsys) -> None:
    """A large change of everything is found in windows drawn from the files of a folder; no change, no alarm."""
    for number, trace in enumerate(healthy_traces(2, 20)):
        (tmp_path / f"{number}.json").write_bytes(jaeger_json(trace))
    monkeypatch.setattr(sys, "argv", ["fleet", str(tmp_path), "--sizes", "60", "--repeats", "2", "--quiet", "4"])
    assert fleet.main() == 0
    out = capsys.readouterr().out
    assert "| 60 | 100% | 100% | 100% | 100% | 100% | 100% |" in out
    assert "| 60 | 4 | 0 (0.0%) |" in out
    assert "fleet seconds_per_1000_traces=" in out


def test_a_folder_that_is_none_is_said(monkeypatch, capsys) -> None:
    """A slip of the hand is one sentence and status 2."""
    monkeypatch.setattr(sys, "argv", ["fleet", "no/such/folder"])
    with pytest.raises(SystemExit) as stopped:
        fleet.main()
    assert stopped.value.code == 2
    assert "no/such/folder is no folder" in capsys.readouterr().err
