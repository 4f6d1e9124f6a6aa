"""Finds a Prometheus for the tests of metrics, or gets one: `python -m tests.metrics_setup`.

In this order: one that was set up before; one that is installed; Debian's package, unpacked into a folder of the
project: that needs apt, and no rights. The folder of `prometheus` and `promtool` is written to .metrics/path. Unlike
the browser tests, the tests of metrics are never left out: without a Prometheus they fail, and say so.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / ".metrics"
PROGRAMS = ("prometheus", "promtool")


def find() -> Path | None:
    """Return the folder of a Prometheus and a promtool that start, or None."""
    known = FOLDER / "path"
    candidates = [Path(known.read_text().strip())] if known.is_file() else []
    if path := shutil.which("prometheus"):
        candidates.append(Path(path).parent)
    return next((folder for folder in candidates if _starts(folder)), None)


def _starts(folder: Path) -> bool:
    try:
        return all(
            subprocess.run([folder / name, "--version"], capture_output=True, timeout=60, check=False).returncode == 0
            for name in PROGRAMS
        )
    except (OSError, subprocess.TimeoutExpired):
        return False


def _from_debian() -> Path | None:
    if not shutil.which("apt-get") or not shutil.which("dpkg"):
        return None
    FOLDER.mkdir(exist_ok=True)
    if not _run("apt-get", "download", "prometheus"):
        _run("apt-get", "update", "-qq")  # a machine that never asked knows no package; this alone needs root
        _run("apt-get", "download", "prometheus")
    for package in sorted(FOLDER.glob("prometheus_*.deb")):
        if _run("dpkg", "-x", str(package), "unpacked"):
            package.unlink()
    folder = FOLDER / "unpacked" / "usr" / "bin"
    return folder if _starts(folder) else None


def _run(*command: str) -> bool:
    return subprocess.run(command, cwd=FOLDER, capture_output=True, timeout=300, check=False).returncode == 0


def main() -> int:
    """Make sure that there is a Prometheus, or say that there is none."""
    folder = find() or _from_debian()
    if folder is None:
        print(
            "no Prometheus found and none could be had: the tests of metrics will FAIL; install the package `prometheus`",
            file=sys.stderr,
        )
        return 0
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / "path").write_text(str(folder))
    return 0


if __name__ == "__main__":
    sys.exit(main())
