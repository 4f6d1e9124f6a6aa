"""Looks for weaknesses among the dependencies: `python tests/dependency_audit.py`, a part of `make check`.

Without a network: every package of the locks is fixed to one version with hashes, and what is installed are those.
With one: none of them has a known vulnerability (pip-audit, in an environment of its own: .audit). Where the database
cannot be asked that is said loudly, and is no failure: whoever releases sees to it that it was not skipped.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import venv
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / ".audit"
TOOL = "pip-audit==2.10.1"
LOCKS = ("requirements.lock", "requirements-otel.lock", "requirements-mcp.lock", "requirements-dev.lock")
TIMEOUT_S = 120
_PINNED = re.compile(r"^([A-Za-z0-9_.-]+)(?:\[[^\]]*\])?==(\S+)", re.MULTILINE)


def locked(text: str) -> dict[str, set[str]]:
    """Return the packages of a lock and their versions, of which there may be one for each version of Python."""
    versions: dict[str, set[str]] = {}
    for name, version in _PINNED.findall(text):
        versions.setdefault(_normal(name), set()).add(version)
    return versions


def loose(text: str) -> list[str]:
    """Return the requirements of a lock that are not fixed to one version with its hashes."""
    requirements = re.split(r"\n(?=\S)", text.replace("\\\n", " "))
    return [
        its.split()[0]
        for its in requirements
        if its.strip() and not its.startswith("#") and not (_PINNED.match(its) and "--hash=sha256:" in its)
    ]


def differing(versions: dict[str, set[str]]) -> list[str]:
    """Return the packages that are installed in another version than the locked one."""
    found = []
    for name, wanted in versions.items():
        try:
            installed = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue  # not for this platform or version of Python
        if installed not in wanted:
            found.append(f"{name} {installed} is installed, {' or '.join(sorted(wanted))} is locked")
    return found


def vulnerable(report: dict[str, Any]) -> list[str]:
    """Return one line per known vulnerability of pip-audit's report."""
    return [
        f"{its['name']} {its['version']}: {vuln['id']}, mended in {', '.join(vuln['fix_versions']) or 'no version yet'}"
        for its in report["dependencies"]
        for vuln in its.get("vulns", ())
    ]


def ask(lock: Path) -> dict[str, Any]:
    """Have pip-audit look at a lock; raises `OSError` when it cannot."""
    program = FOLDER / "bin" / "pip-audit"
    if not program.is_file():
        venv.create(FOLDER, with_pip=True)
        _run([FOLDER / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", TOOL])
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        _run([
            program, "--requirement", lock, "--require-hashes", "--disable-pip", "--progress-spinner", "off",
            "--format", "json", "--output", report,
        ])  # fmt: skip
        return json.loads(report.read_text())


def _run(command: list[Any]) -> None:
    """Run a command; its status says nothing (1 is for vulnerabilities as well as for failures)."""
    try:
        ended = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired:
        raise OSError(f"no answer within {TIMEOUT_S} s") from None
    if ended.returncode and "--output" not in command:
        raise OSError(_last(ended.stderr))
    if "--output" in command and not Path(command[-1]).is_file():
        raise OSError(_last(ended.stderr))


def _last(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1].strip()[:200] if lines else "it said nothing"


def main(ask: Callable[[Path], dict[str, Any]] = ask) -> int:
    """Audit every lock; returns 1 when something is wrong."""
    problems = differing(locked((ROOT / LOCKS[-1]).read_text()))
    for name in LOCKS:
        problems += [f"{name}: {its} is not fixed with a hash" for its in loose((ROOT / name).read_text())]
    try:
        found = {line for name in LOCKS for line in vulnerable(ask(ROOT / name))}
    except (OSError, ValueError, KeyError) as error:
        print(f"{'=' * 8} SKIPPED: nobody could be asked for known vulnerabilities ({error}) {'=' * 8}")
    else:
        problems += sorted(found)
    for problem in problems:
        print(f"dependencies: {problem}")
    return min(1, len(problems))


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    sys.exit(main())
