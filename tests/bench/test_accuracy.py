"""The scoring of the engine is fair, and says what it counts."""

from __future__ import annotations

import sys

import pytest

from analysis import compare
from bench import accuracy
from bench.simulate.pairs import Pair, make_pair


def clear_pair(fault="slow_statement"):
    """Return the first pair whose fault is plain to see."""
    pairs = (make_pair(fault, seed) for seed in range(60))
    return next(p for p in pairs if p is not None and p.label["strength"] == "clear" and p.label["knowable"])


def test_the_same_trace_twice_must_be_called_identical():
    """Anything but `identical` is wrong for one trace given twice."""
    pair = make_pair("same_trace_twice", 3)
    outcome = accuracy.judge(pair, compare(pair.baseline, pair.suspect))
    assert outcome.right == (outcome.verdict == "identical")


def test_naming_another_service_is_a_miss():
    """With the same answer of the engine, a label that blames another service makes it wrong."""
    pair = clear_pair()
    result = compare(pair.baseline, pair.suspect)
    assert accuracy.judge(pair, result).right
    other = Pair(
        pair.fault, pair.seed, pair.baseline, pair.suspect, {**pair.label, "root_cause_service": ["elsewhere"]}
    )
    outcome = accuracy.judge(other, result)
    assert not outcome.right
    assert outcome.miss


def test_what_nobody_can_see_counts_only_against_the_confident():
    """A fault that the traces do not show is no miss unless the answer is wrong and sure of itself."""
    pair = clear_pair()
    label = {**pair.label, "knowable": False, "root_cause_service": ["elsewhere"]}
    result = compare(pair.baseline, pair.suspect)
    outcome = accuracy.judge(Pair(pair.fault, 0, pair.baseline, pair.suspect, label), result)
    assert outcome.judged == "hidden"
    assert outcome.miss == (outcome.confidence == "high")


def test_the_summary_is_for_machines_too(monkeypatch, capsys):
    """The last lines are `name key=value ...` with shares between 0 and 1, with and without a population."""
    for population in ("0", "12"):
        arguments = [
            "accuracy",
            "--seeds",
            "2",
            "--fault",
            "slow_operation",
            "--fault",
            "healthy",
            "--population",
            population,
        ]
        monkeypatch.setattr(sys, "argv", arguments)
        assert accuracy.main() == 0
        lines = capsys.readouterr().out.splitlines()
        summary = next(line for line in lines if line.startswith("all pairs="))
        values = dict(item.split("=") for item in summary.split()[1:])
        assert values["pairs"] == "4"
        assert all(0 <= float(values[key]) <= 1 for key in ("service", "operation", "kind", "verdict"))
        assert sum(line.startswith("confidence level=") for line in lines) == 3


def test_one_pair_can_be_read(monkeypatch, capsys):
    """`--show FAULT:SEED` prints label, both trees and the engine's words."""
    monkeypatch.setattr(sys, "argv", ["accuracy", "--show", "slow_operation:1"])
    assert accuracy.main() == 0
    shown = capsys.readouterr().out
    assert "root_cause_service" in shown
    assert "\nB\n" in shown
    assert "Confidence" in shown


@pytest.mark.parametrize("name", ["n_plus_one:9999999"])
def test_any_seed_makes_a_system(monkeypatch, capsys, name):
    """Large seeds are as good as small ones."""
    monkeypatch.setattr(sys, "argv", ["accuracy", "--show", name])
    assert accuracy.main() == 0
    assert capsys.readouterr().out
