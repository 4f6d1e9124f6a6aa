"""The package: built without a network, it works from any empty folder, and its source is complete."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import httpx
import pytest

from analysis import __version__

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    """Build wheel and sdist as a release does; return their folder."""
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-d", str(folder)], cwd=ROOT, check=True)
    return folder


@pytest.fixture(scope="module")
def installed(built, tmp_path_factory):
    """Install the wheel beside the dependencies; return how to start its commands, from an empty folder."""
    prefix, empty = tmp_path_factory.mktemp("installed"), tmp_path_factory.mktemp("empty")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--target", str(prefix)]
    subprocess.run([*pip, *map(str, built.glob("*.whl"))], check=True)
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(prefix), "HOME": str(empty), "NO_COLOR": "1"}

    def start(command: str, *arguments: str, **options) -> subprocess.Popen[str]:
        program = [sys.executable, str(prefix / "bin" / command), *arguments]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        return subprocess.Popen(program, cwd=empty, env=environment, **pipes, **options)

    start.prefix = prefix
    return start


def said(process: subprocess.Popen[str]) -> str:
    """Return what a command printed; it has to succeed."""
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return out


def test_the_installed_commands_compare_anywhere(installed, samples, tmp_path) -> None:
    """Two files are compared, and the samples are inside; the version is that of the package."""
    pair = next(sample for sample in samples.pairs if sample.name == "slow-query")
    for name, trace_id in (("a.json", pair.baseline), ("b.json", pair.suspect)):
        (tmp_path / name).write_bytes(samples.jaeger(trace_id))
    compared = installed("compare-traces", str(tmp_path / "a.json"), str(tmp_path / "b.json"))
    shown = installed("compare-traces-bot", "playground", "--cli")
    versions = [installed("compare-traces", "--version"), installed("compare-traces-bot", "--version")]
    assert "Cause: SELECT in catalog" in said(compared)
    assert "Next steps" in said(shown)
    assert [said(process) for process in versions] == [
        f"compare-traces {__version__}\n", f"compare-traces-bot {__version__}\n",
    ]  # fmt: skip


def test_the_installed_playground_serves_its_page(installed) -> None:
    """The page, its program and the trace API are inside the package."""
    process = installed("compare-traces-bot", "playground", "--port", "0")
    try:
        address = next(re.findall(r"http://\S+", line)[0] for line in process.stdout if "http://" in line)
        page = httpx.get(address, timeout=30)
        script = page.url.join(re.findall(r'src="([^"]+\.js)"', page.text)[0])
        assert len(httpx.get(script, timeout=30).content) > 100_000
    finally:
        process.terminate()
        process.communicate(timeout=60)
    assert process.returncode == 0


def test_only_what_runs_is_in_the_wheel(installed) -> None:
    """Neither tests nor what the page is built from are installed; the licences are."""
    files = {str(file.relative_to(installed.prefix)) for file in installed.prefix.rglob("*") if file.is_file()}
    assert {name.partition("/")[0] for name in files} == {
        "analysis", "bin", "bot", f"compare_traces-{__version__}.dist-info",
    }  # fmt: skip
    assert not [name for name in files if "/page/src/" in name or name.endswith("package-lock.json")]
    assert "bot/playground/page/dist/page.js.LEGAL.txt" in files


def test_the_source_is_complete(built) -> None:
    """All that the tests, the documentation and the build read is in the sdist."""
    (archive,) = built.glob("*.tar.gz")
    with tarfile.open(archive) as content:
        packed = {member.name.partition("/")[2] for member in content if member.isfile()}
    here = [
        *(file for file in ROOT.iterdir() if file.suffix in {".json", ".lock", ".md", ".toml", ".yaml"}),
        *(ROOT / name for name in ("Dockerfile", ".dockerignore", "LICENSE", "Makefile", "Procfile")),
        *(file for name in ("analysis", "bench", "bot", "docs", "tests") for file in (ROOT / name).rglob("*")),
    ]
    needed = {
        str(file.relative_to(ROOT))
        for file in here
        if file.is_file() and not {"__pycache__", "node_modules", ".hypothesis"} & set(file.parts)
    }
    assert not needed - packed


def test_the_version_stands_in_one_place() -> None:
    """`analysis.__version__` is what the package is built with; no other file repeats it."""
    assert re.fullmatch(r"\d+\.\d+\.\d+", __version__)
    found = [
        str(file.relative_to(ROOT))
        for file in [*ROOT.glob("*.toml"), *ROOT.rglob("analysis/**/*.py"), *ROOT.rglob("bot/**/*.py")]
        if f'"{__version__}"' in file.read_text(encoding="utf-8")
    ]
    assert found == ["analysis/__init__.py"]
