"""The audit of the dependencies: what it finds fails the check, what it cannot ask is said."""

from __future__ import annotations

from pathlib import Path

import dependency_audit
import pytest

ROOT = Path(__file__).parents[1]
CLEAN = {"dependencies": [{"name": "httpx", "version": "0.28.1", "vulns": []}, {"name": "x", "skip_reason": "local"}]}


def test_everything_is_locked_with_hashes_and_installed_as_locked(capsys) -> None:
    """What holds of this tree, without asking anybody."""
    assert dependency_audit.main(lambda _: CLEAN) == 0
    assert capsys.readouterr().out == ""


def test_a_known_vulnerability_fails_the_check_and_names_the_way_out(capsys) -> None:
    """One line each, once although several locks hold it."""
    vulns = [{"id": "PYSEC-2026-1", "fix_versions": ["3.1"]}, {"id": "GHSA-x", "fix_versions": []}]
    report = {"dependencies": [{"name": "aiohttp", "version": "3.0", "vulns": vulns}]}
    assert dependency_audit.main(lambda _: report) == 1
    assert capsys.readouterr().out.splitlines() == [
        "dependencies: aiohttp 3.0: GHSA-x, mended in no version yet",
        "dependencies: aiohttp 3.0: PYSEC-2026-1, mended in 3.1",
    ]


@pytest.mark.parametrize("error", [OSError("no route to host"), ValueError("no JSON"), KeyError("dependencies")])
def test_without_a_network_it_is_skipped_loudly(capsys, error) -> None:
    """No failure, but nobody can overlook it."""

    def offline(_: Path) -> dict:
        raise error

    assert dependency_audit.main(offline) == 0
    assert "SKIPPED" in capsys.readouterr().out


def test_what_is_not_fixed_with_a_hash_is_found() -> None:
    """A range, a version without a hash, an address: each could bring anything."""
    good = "a==1 \\\n    --hash=sha256:00 \\\n    --hash=sha256:11\n    # via b\n"
    assert dependency_audit.loose(good) == []
    assert dependency_audit.loose(good + "b>=2 \\\n    --hash=sha256:00\nc==3\nd @ https://x/d.whl\n") == [
        "b>=2",
        "c==3",
        "d",
    ]


def test_another_version_than_the_locked_one_is_found() -> None:
    """An environment that somebody changed by hand is not what was audited."""
    assert dependency_audit.differing({"aiohttp": {"0.0.1"}, "no-such-package": {"1"}})[0].endswith("0.0.1 is locked")


def test_the_check_includes_it() -> None:
    """`make check` runs it."""
    check = (ROOT / "Makefile").read_text().split("\ncheck:")[1].split("\n\n")[0]
    assert "tests/dependency_audit.py" in check
