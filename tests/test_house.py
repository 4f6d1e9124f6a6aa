"""The house: what the project promises about itself."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import analysis

ROOT = Path(__file__).parents[1]


def test_the_public_surface_of_the_engine_is_what_it_exports() -> None:
    """`analysis.__all__` names exist; the bot imports public names or modules, never private ones."""
    for name in analysis.__all__:
        assert hasattr(analysis, name)
    for file in (ROOT / "bot").rglob("*.py"):
        assert not re.search(r"from analysis[\w.]* import _", file.read_text(encoding="utf-8"))


def test_the_engine_needs_nothing_but_msgspec() -> None:
    """Importing the engine loads no network, Slack or Redis library."""
    code = (
        "import sys, analysis; bad = {'httpx', 'aiohttp', 'slack_bolt', 'slack_sdk', 'redis', 'pydantic'} & set(sys.modules);"
        "sys.exit(str(bad) if bad else 0)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_the_commands_of_the_readme_exist() -> None:
    """Every make target that the documentation names is in the Makefile."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for file in [ROOT / "README.md", *ROOT.glob("docs/*.md"), *ROOT.glob("bench/*.md")]:
        for target in re.findall(r"`make ([a-z-]+)`|^make ([a-z-]+)$", file.read_text(encoding="utf-8"), re.MULTILINE):
            assert (target[0] or target[1]) in targets, file


def test_the_page_is_built_from_its_source() -> None:
    """The committed bundle and its lock name no registry, and the licences are there."""
    page = ROOT / "bot" / "playground" / "page"
    assert "resolved" not in (page / "package-lock.json").read_text()
    assert (page / "dist" / "page.js").stat().st_size > 100_000
    assert (page / "dist" / "page.js.LEGAL.txt").stat().st_size > 100
