"""The manual of those who run the bot: its commands run, its alerts and names are real; so are those of the image."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import sys
from pathlib import Path

import pytest
from measured import scrape
from prometheus_client.parser import text_string_to_metric_families
from world import CHANNEL

from bot.errors import FAMILIES
from bot.settings import Settings
from bot.slack.client import KNOWN
from bot.state.ledger import SqliteLedger

ROOT = Path(__file__).parents[2]
MANUAL = (ROOT / "docs" / "OPERATIONS.md").read_text()
RULES = (ROOT / "docs" / "alerts.yaml").read_text()
IMAGE = (ROOT / "Dockerfile").read_text()
COMPOSE = (ROOT / "compose.yaml").read_text()
EXPRESSIONS = [
    *re.findall(r"expr: (.+)", RULES), *"\n".join(re.findall(r"```promql\n(.*?)```", MANUAL, re.DOTALL)).splitlines(),
]  # fmt: skip
COMMANDS = [line for block in re.findall(r"```sh\n(.*?)```", MANUAL, re.DOTALL) for line in block.splitlines()]


def test_every_alert_has_its_page_and_every_page_its_alert() -> None:
    """Whoever is woken finds what to do, under the alert's own name."""
    rules = re.findall(r"- alert: (\w+)", RULES)
    part = MANUAL[MANUAL.index("## Alerts") : MANUAL.index("## Logs")]
    assert rules == re.findall(r"^### (\w+)", part, re.MULTILINE)
    assert len(set(rules)) == len(rules)


async def test_alerts_ask_for_series_that_exist(world, samples) -> None:
    """Every metric, and every value that a selector names, is one that a running bot serves."""
    pair = samples.pairs[0]
    await world.command(f"{pair.baseline} {pair.suspect}")
    await world.settled()
    series: dict[str, list[dict]] = {}
    for family in text_string_to_metric_families((await scrape(world))[1]):
        for sample in family.samples:
            series.setdefault(sample.name, []).append(sample.labels)
    asked = 0
    for expression in EXPRESSIONS:
        for name, matchers in re.findall(r"\b(compare_traces_\w+)(?:\{([^}]*)\})?", expression):
            assert name in series, name
            for label, values in re.findall(r'(\w+)(?:!?=~?)"([^"]*)"', matchers):
                for value in values.split("|"):
                    served = {labels.get(label) for labels in series[name]}
                    assert value in served or (label, value) == ("kind", "refused"), (name, label, value)
                    asked += 1
    assert asked > 30


@pytest.fixture
async def lived(world, samples, lines, tmp_path):
    """Return a folder with the log of a bot that answered and failed, and variables that point at it and at the bot."""
    pair = samples.pairs[0]
    await world.command(f"{pair.baseline} {pair.suspect}")
    await world.command("aa bb")
    await world.settled()
    written = lines()
    (tmp_path / "bot.log").write_text("".join(json.dumps(line) + "\n" for line in written))
    request = next(line["request"] for line in written if line.get("outcome") == "answered")
    await world.bot.ledger.accept("waiting", "q", CHANNEL, b"{}", 0)
    variables = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "REQUEST": request, "PYTHONPATH": str(ROOT),
        "STATE_FILE": str(world.bot.settings.state_file), "SLACK_BOT_TOKEN": "xoxb-1", "SLACK_SIGNING_SECRET": "s" * 32,
        "SLACK_API_URL": f"{world.url}/api", "JAEGER_URL": f"{world.url}/jaeger",
    }  # fmt: skip
    return world, tmp_path, variables


async def run(command: str, lived) -> tuple[int, str]:
    """Run one command of the manual in the folder; returns its status and what it printed."""
    world, folder, variables = lived
    tool = command.split(maxsplit=1)[0]
    if shutil.which(tool, path=variables["PATH"]) is None:
        pytest.skip(f"{tool} is not installed here")
    process = await asyncio.create_subprocess_shell(
        command.replace("9464", str(world.bot.ops.port)), cwd=folder, env=variables, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    return process.returncode, output.decode()


@pytest.mark.parametrize(
    ("begin", "said"),
    [
        ("curl -fsS http://127.0.0.1:9464/healthz", "ok"),
        ("curl -fsS http://127.0.0.1:9464/readyz", "ready"),
        ("curl -fsS http://127.0.0.1:9464/metrics", "compare_traces_ready 1.0"),
        ("compare-traces-bot check", "source jaeger: "),
        ("compare-traces-bot forget --channel C0123456789  ", "would forget nothing"),
        ("compare-traces-bot forget --user U0123456789 --yes", "forgotten: nothing"),
        ("compare-traces-bot forget --channel C0123456789 --before", "would forget nothing"),
        ("compare-traces-bot forget --team", "would forget nothing"),
        ("compare-traces-bot forget --all", "1 result"),
        ('jq -c \'select(.event == "request") |', '"outcome":"answered"'),
        ("jq -c --arg id", '"event":"analysed"'),
        ('jq -r \'select(.event == "request" and', "1 trace-not-found"),
    ],
)
async def test_the_commands_of_the_manual_say_what_they_are_for(lived, begin, said) -> None:
    """Each is run as it stands there, against a bot that is running."""
    (command,) = [command for command in COMMANDS if command.startswith(begin)]
    status, output = await run(command, lived)
    assert status == 0
    assert said in output


async def test_a_backup_made_while_the_bot_runs_can_be_restored(lived) -> None:
    """The copy is whole: it has the history, and what was ended by hand is not taken up again."""
    back_up, look, end = [command for command in COMMANDS if command.startswith("sqlite3")]
    assert await run(back_up, lived) == (0, "")
    status, output = await run(look, lived)
    assert (status, output.split()) == (0, ["ok", "accepted|1", "answered|1", "failed|1"])
    assert (await run(end, lived))[0] == 0
    restored = SqliteLedger(lived[1] / "backup.sqlite3")
    assert await restored.unfinished() == []
    assert [entry.state for entry in await restored.recent(CHANNEL, 5)] == ["answered"]
    await restored.aclose()


def test_no_command_of_the_manual_is_left_out() -> None:
    """A new one needs a test here."""
    assert len(COMMANDS) == 15


def test_what_the_manual_names_exists() -> None:
    """Settings, paths, codes of errors and log events are spelled as they are in the bot."""
    settings = {name.upper() for name in Settings.model_fields}
    named = set(re.findall(r"`([A-Z][A-Z_]{3,})(?:=[^`]*)?`", MANUAL)) | {"OPS_HOST", "OPS_PORT"}
    assert named <= settings
    source = "".join(file.read_text() for file in (ROOT / "bot").rglob("*.py"))
    events = re.findall(r"^\| (`[a-z ]+`(?:, `[a-z ]+`)*) \| (?:info|warning) \|", MANUAL, re.MULTILINE)
    assert len(events) >= 6
    for event in re.findall(r"`([a-z ]+)`", " ".join(events)):
        assert f'("{event}"' in source or f'"{event}",' in source, event
    codes = {code for family in FAMILIES for code in family.sentences} | KNOWN | {"internal"}
    part = MANUAL[MANUAL.index("### TokenRefused") : MANUAL.index("## Logs")]
    named = set(re.findall(r"`([a-z-_]+)`", " ".join(re.findall(r"(?:`[a-z-_]+`(?:, )?)+:", part))))
    assert len(named) > 12
    assert named <= codes | {"compare", "place"}  # steps
    for path in re.findall(r"\]\(([^)#]+)", MANUAL):
        assert (ROOT / "docs" / path).exists(), path


def test_the_image_is_made_of_what_is_there() -> None:
    """Every file that is copied into it exists and is let through."""
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    sources = [path for line in re.findall(r"^COPY (?!--from)(.+) \S+$", IMAGE, re.MULTILINE) for path in line.split()]
    assert sources == ["requirements.lock", "requirements-otel.lock", "analysis", "bot"]
    for path in sources:
        assert (ROOT / path).exists()
        assert f"!{path}" in ignored
    assert re.search(r"^USER [1-9]\d*$", IMAGE, re.MULTILINE)
    lockfile = (ROOT / "requirements.lock").read_text()
    assert lockfile.count("==") <= lockfile.count("--hash=sha256:")


async def test_the_image_needs_no_other_file_of_the_project(tmp_path) -> None:
    """The two packages alone, somewhere else, are the whole bot."""
    for package in ("analysis", "bot"):
        shutil.copytree(ROOT / package, tmp_path / "src" / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.rmtree(tmp_path / "src" / "bot" / "playground" / "page" / "src")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "playground", "--cli", cwd=tmp_path, stdout=asyncio.subprocess.PIPE,
        env={"PYTHONPATH": str(tmp_path / "src")},
    )  # fmt: skip
    output, _ = await process.communicate()
    assert process.returncode == 0
    assert b"gateway GET /api/cart" in output


async def test_the_images_own_health_check_tells_a_bot_from_nothing(world) -> None:
    """It succeeds beside a running bot and fails where nobody answers."""
    arguments = json.loads(re.search(r"^HEALTHCHECK.*\n\s+CMD (\[.*\])$", IMAGE, re.MULTILINE)[1])
    for port, healthy in ((world.bot.ops.port, True), (9, False)):
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *[its.replace("9464", str(port)) for its in arguments[1:]],
            stderr=asyncio.subprocess.DEVNULL,
        )
        assert (await process.wait() == 0) is healthy


def test_composes_variables_are_settings_or_opentelemetrys() -> None:
    """What is not spelled as the bot reads it would be ignored in silence."""
    variables = set(re.findall(r"^      ([A-Z_]+): ", COMPOSE, re.MULTILINE))
    assert variables - {"OTEL_EXPORTER_OTLP_ENDPOINT"} <= {name.upper() for name in Settings.model_fields}
    environment = re.search(r"^ENV ((?:.*\\\n)*.*)", IMAGE, re.MULTILINE)[1]
    ours = set(re.findall(r"\b([A-Z_]+)=", environment)) - {
        "PATH", "PYTHONPATH", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE", "MPLCONFIGDIR",
    }  # fmt: skip
    assert ours <= {name.upper() for name in Settings.model_fields}
