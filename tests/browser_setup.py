"""Finds a Chromium for the browser tests, or installs one: `python -m tests.browser_setup`.

In this order: one that is installed; npm's @sparticuz/chromium, where npm is there; Debian's package, where we
are root. The path that was found is written to .browser/path.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / ".browser"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PACKAGE = "@sparticuz/chromium@^141"
UNPACK = (
    "import('@sparticuz/chromium').then(async m => process.stdout.write(await (m.default.default ?? m.default)"
    ".executablePath()))"
)


def find() -> str | None:
    """Return the path of a Chromium that starts, or None."""
    known = FOLDER / "path"
    candidates = [known.read_text().strip()] if known.is_file() else []
    candidates += [path for name in NAMES if (path := shutil.which(name))]
    return next((path for path in candidates if _starts(path)), None)


def _starts(path: str) -> bool:
    try:
        return subprocess.run([path, "--version"], capture_output=True, timeout=60, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def _from_npm() -> str | None:
    npm, node = shutil.which("npm"), shutil.which("node")
    if not npm or not node:
        return None
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / "package.json").write_text('{"private": true}')
    _run(npm, "install", "--no-audit", "--no-fund", "--silent", PACKAGE)
    done = subprocess.run(
        [node, "--input-type=module", "-e", UNPACK],
        cwd=FOLDER,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    path = done.stdout.strip()
    return path if path and _starts(path) else None


def _from_debian() -> str | None:
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return None
    _run("apt-get", "update", "-qq")
    _run("apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium", "fonts-dejavu-core")
    return shutil.which("chromium")


def _run(*command: str) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(
        command, cwd=FOLDER if FOLDER.is_dir() else ROOT, env=environment, capture_output=True, timeout=600, check=False
    )


def main() -> int:
    """Make sure that there is a browser, or say that there is none."""
    path = find()
    for install in (_from_npm, _from_debian):
        if path is None:
            path = install()
    if path is None:
        print("no Chromium found and none could be installed: the browser tests will be left out", file=sys.stderr)
        return 0
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / "path").write_text(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
