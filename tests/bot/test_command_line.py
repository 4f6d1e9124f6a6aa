"""The bot's command line: check says what is wrong, compare works without Slack."""

from __future__ import annotations

import asyncio
import io
import json
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from aiohttp import web
from metric_source import metric_source
from world import CHANNEL, FaultySlack, serve

from bot.__main__ import main
from bot.cli import terminal
from bot.cli.check import check, check_scopes
from bot.cli.completion import SHELLS
from bot.errors import FAMILIES, BotError, DeliveryError, SourceError
from bot.playground.trace_api import routes
from bot.playground.workspace import SlackError
from bot.settings import Limits, load_settings
from bot.slack.rights import OPTIONAL_SCOPES, SCOPES
from bot.telemetry import log


@pytest.fixture
async def backend(samples, monkeypatch):
    """Serve the samples and a Slack, and point the environment at them."""
    slack = FaultySlack()
    app = web.Application()
    app.add_routes([*slack.routes(), *routes(samples)])
    for name in ("COMPARE_TRACES_CONFIG", "SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET", "SLACK_APP_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    async with serve(app) as url:
        monkeypatch.setenv("SLACK_API_URL", f"{url}/api")
        monkeypatch.setenv("JAEGER_URL", f"{url}/jaeger")
        monkeypatch.setenv("TEMPO_URL", f"{url}/tempo")
        yield url


async def test_check_passes_when_all_is_well(backend, monkeypatch, capsys) -> None:
    """Token and sources are tried for real."""
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-1")
    monkeypatch.setenv("SLACK_SIGNING_SECRET", "s")
    monkeypatch.setenv("API_TOKEN", "t" * 30)
    assert await check(load_settings())
    out = capsys.readouterr().out
    assert "slack: ok, compare-traces in playground" in out
    assert "source jaeger: ok" in out
    assert "programs: ok, api may ask on http://127.0.0.1:3001" in out


async def test_check_names_every_problem_with_its_mend(backend, monkeypatch, capsys) -> None:
    """Missing token, missing mode, unreachable source, a token that protects nothing: all in one run."""
    monkeypatch.setenv("API_TOKEN", "secret")
    monkeypatch.setenv("TEMPO_URL", "http://127.0.0.1:9")
    assert not await check(load_settings())
    out = capsys.readouterr().out
    assert "SLACK_BOT_TOKEN is not set" in out
    assert "SLACK_SIGNING_SECRET" in out
    assert "source tempo: I cannot reach tempo" in out
    assert "programs: API_TOKEN: the token is shorter than 20 characters" in out


async def test_check_tells_a_bad_token_from_a_slack_that_is_away(backend, monkeypatch, capsys) -> None:
    """Where nobody answers it is not the token that has to be copied again."""
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-1")
    monkeypatch.setenv("SLACK_SIGNING_SECRET", "s")
    monkeypatch.setenv("SLACK_API_URL", "http://127.0.0.1:9/api")
    assert not await check(load_settings())
    out = capsys.readouterr().out
    assert "slack: I cannot reach http://127.0.0.1:9/api" in out
    assert "copy it again" not in out


async def test_check_names_the_channels_that_it_cannot_answer_in(backend, monkeypatch, capsys, tmp_path) -> None:
    """A watched channel without us in it, and an id that is none: each with its mend."""
    file = tmp_path / "c.toml"
    file.write_text(f'watched_channels = ["{CHANNEL}", "C0OTHER"]\nallowed_channels = ["C0NONE", "{CHANNEL}"]\n')
    monkeypatch.setenv("COMPARE_TRACES_CONFIG", str(file))
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-1")
    monkeypatch.setenv("SLACK_SIGNING_SECRET", "s")
    monkeypatch.setattr(FaultySlack, "do_conversations_info", _described)
    assert not await check(load_settings())
    told = [line for line in capsys.readouterr().out.splitlines() if "channel" in line]
    assert told == [
        "slack: I am no member of channel C0OTHER: /invite me to it",
        "slack: channel C0NONE (channel_not_found): check its id, and /invite me to it",
    ]


def _described(_, arguments: dict) -> dict:
    """Describe a channel as Slack does."""
    if arguments["channel"] not in {CHANNEL, "C0OTHER"}:
        raise SlackError("channel_not_found")
    return {"channel": {"id": arguments["channel"], "is_member": arguments["channel"] == CHANNEL}}


@pytest.mark.parametrize(
    ("granted", "wrong", "said"),
    [
        (",".join((*SCOPES, *OPTIONAL_SCOPES)), False, ""),
        (", ".join(SCOPES), False, "without files:write answers come without pictures"),
        ("commands,files:write", True, "the app lacks chat:write"),
    ],
)
def test_check_tells_missing_rights_from_those_it_can_do_without(capsys, granted, wrong, said) -> None:
    """What is needed is a problem; what is optional is said, with what it costs."""
    assert check_scopes({"X-OAuth-Scopes": granted}) is wrong
    out = capsys.readouterr().out
    assert said in out
    assert bool(out) is bool(said)


async def test_the_exit_status_says_what_became_of_it(backend, samples, monkeypatch, capsys) -> None:
    """0 done, 1 where `check` found a problem or there is no answer, 2 for bad input or settings, as the help says."""
    pair = samples.pairs[0]
    run = lambda *words: asyncio.to_thread(main, words)  # noqa: E731 - it starts a loop of its own
    assert await run("compare", pair.baseline, pair.suspect) == 0
    assert await run("check") == 1
    assert await run("compare", "ffffffffffffffff") == 1
    assert await run("compare", "help") == 2
    assert await run("compare", pair.baseline, "--source", "elsewhere") == 2
    monkeypatch.setenv("PORT", "abc")
    assert await run("check") == 2
    with pytest.raises(SystemExit) as stopped:
        main(["no-such-command"])
    assert stopped.value.code == 2
    with pytest.raises(SystemExit) as stopped:
        main(["--help"])
    assert stopped.value.code == 0
    out, err = capsys.readouterr()
    assert all(f"\n  {status} " in out for status in (0, 1, 2, 130))
    assert "Traceback" not in err
    assert "\x1b" not in out + err


class Terminal(io.StringIO):
    """A terminal that remembers what it was told."""

    def isatty(self) -> bool:
        """Be one."""
        return True


async def test_a_terminal_is_told_what_is_waited_for(backend, samples, monkeypatch, capsys) -> None:
    """What takes long says so on standard error, where that is a terminal; with NO_COLOR without colours."""
    for name in ("COLORTERM", "FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    screen = Terminal()
    monkeypatch.setattr("sys.stderr", screen)
    pair = next(s for s in samples.pairs if s.name == "slow-query")
    log.configure(json_lines=True)
    await terminal.compare(load_settings(), [pair.suspect], None, "text")
    assert "\x1b[" in screen.getvalue()
    assert "\x1b[3" not in screen.getvalue()
    assert "A is typical" in capsys.readouterr().out


@pytest.mark.parametrize("shell", SHELLS)
def test_shells_complete_both_commands(shell, capsys) -> None:
    """The script names the options and commands of today, and the shell, where it is installed, can read it."""
    assert main(["completion", shell]) == 0
    text = capsys.readouterr().out
    for word in ("population", "markdown", "playground", "worker", "compare-traces-bot"):
        assert word in text
    if shell != "tcsh" and (program := shutil.which(shell)):
        subprocess.run([program, "-n"], input=text, text=True, check=True)


def test_bash_completes_what_is_typed(capsys, tmp_path) -> None:
    """Commands, options and their choices are offered where they fit."""
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("no bash here")
    main(["completion", "bash"])
    (tmp_path / "completion").write_text(capsys.readouterr().out)
    ask = """
        source completion
        COMP_WORDS=($1); COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
        $2; echo "${COMPREPLY[*]}"
    """
    for typed, function, offered in (
        ("compare-traces-bot pl", "_shtab_compare_traces_bot", "playground"),
        ("compare-traces-bot run --mo", "_shtab_compare_traces_bot", "--mode"),
        ("compare-traces --mark", "_shtab_compare_traces", "--markdown"),
    ):
        run = subprocess.run(
            [bash, "-c", ask, "bash", typed, function], cwd=tmp_path, capture_output=True, text=True, check=True
        )
        assert run.stdout.split() == [offered], run.stderr


async def test_compare_answers_in_the_terminal(backend, samples, capsys) -> None:
    """Two ids from the configured sources become the text answer."""
    pair = next(s for s in samples.pairs if s.name == "slow-query")
    await terminal.compare(load_settings(), [pair.baseline, pair.suspect], None, "text")
    assert "SELECT in catalog" in capsys.readouterr().out


async def test_compare_writes_for_programs_and_for_reports(backend, samples, capsys) -> None:
    """JSON with every group of spans, or Markdown, and nothing else on standard output; the status says how it went."""
    pair = next(s for s in samples.pairs if s.name == "slow-query")

    async def command(*words: str) -> tuple[int, str, str]:
        status = await asyncio.to_thread(main, ["compare", *words])
        return (status, *capsys.readouterr())

    status, out, err = await command(pair.baseline, pair.suspect, "--source", "jaeger", "--json")
    comparison = json.loads(out)
    assert (status, comparison["verdict"]["kind"], err) == (0, "slower", "")
    assert sum(c["delta_ns"] for c in comparison["contributions"]) == comparison["response_time"]["delta_ns"]
    status, out, _ = await command(pair.suspect, "--markdown")
    assert status == 0
    assert out.startswith("#")
    status, out, err = await command("nonsense")
    assert (status, out) == (2, "")
    assert err.startswith("compare-traces-bot: “nonsense” is not a trace id")
    status, out, err = await command(pair.suspect, "ab" * 16, "--source", "jaeger")
    assert (status, out) == (1, "")
    assert str(SourceError("trace-not-found", source="jaeger", trace="ab" * 16)) in err


@pytest.mark.parametrize("form", ["text", "json", "markdown"])
async def test_compare_asks_logs_and_metrics_where_that_is_wanted(backend, samples, capsys, form) -> None:
    """They say beside the comparison what they say in Slack; otherwise, and with none configured, nothing is there."""
    pair = next(s for s in samples.pairs if s.name == "slow-query")
    words, said = [pair.baseline, pair.suspect], "Consistent since"
    log.configure()
    await terminal.compare(load_settings(), words, None, form, logs_and_metrics=True)
    plain = capsys.readouterr().out
    async with metric_source() as at:
        settings = load_settings().model_copy(update={"metrics": (at.settings(),)})
        await terminal.compare(settings, words, None, form)
        assert capsys.readouterr().out == plain
        assert at.source.asked == []
        await terminal.compare(settings, words, None, form, logs_and_metrics=True)
    told = capsys.readouterr().out
    assert said not in plain
    assert said in told
    if form == "json":
        answer = json.loads(told)
        assert any(line.startswith("SELECT in catalog: ") for line in answer["logs_and_metrics"])
        assert answer.keys() - json.loads(plain).keys() == {"logs_and_metrics"}


async def test_compare_finds_the_typical_trace_in_the_terminal(backend, samples, capsys) -> None:
    """One id is compared with the typical request, and the text says which that is."""
    pair = next(s for s in samples.pairs if s.name == "slow-query")
    log.configure()
    await terminal.compare(load_settings(), [pair.suspect], None, "text")
    said = capsys.readouterr().out
    assert said.startswith("A is typical of 2 traces of gateway POST /api/checkout, 02:22 UTC.\n\n")
    assert "SELECT in catalog" in said


async def test_compare_compares_windows_in_the_terminal(backend, samples, capsys) -> None:
    """A service and times instead of traces: both windows, of how many requests, and what could not be seen."""
    started = int(time.time())
    samples.replay(started)
    try:
        since, until = (time.strftime("%Y-%m-%dT%H:%MZ", time.gmtime(started - ago)) for ago in (1_800, 0))
        asked = ["service=gateway", "operation=POST /api/checkout", f"from={since}", f"to={until}", "vs", "before"]
        log.configure()
        patient = load_settings().model_copy(update={"limits": Limits(deadline_s=600)})
        await terminal.compare(patient, asked, "jaeger", "text")
    finally:
        samples.replays = None
    said = capsys.readouterr().out
    (first,) = [line for line in said.splitlines() if "(A) with" in line]
    assert first.startswith("gateway POST /api/checkout, ")
    assert first.endswith(" requests of B")
    assert "of requests to gateway POST /api/checkout are slower" in " ".join(said.split())
    assert "jaeger does not count all requests" in said


def test_a_command_loads_what_it_takes_and_no_more() -> None:
    """Help and settings are there at once: neither Slack, the queue nor matplotlib is read for them; nor the queue by one process."""
    heavy = ("slack_bolt", "docket", "httpx", "matplotlib", "mcp")
    for code, unwanted in (
        ("from bot.__main__ import main; main(['settings'])", heavy),
        ("import bot.app, bot.cli.serving", ("docket", "matplotlib", "mcp")),
    ):
        told = f"import sys; sys.exit(', '.join(sys.modules.keys() & {set(unwanted)}) or None)"
        ran = subprocess.run([sys.executable, "-c", f"{code}; {told}"], capture_output=True, check=False)
        assert (ran.returncode, ran.stderr) == (0, b"")


def test_bad_settings_are_one_line_and_status_2(monkeypatch, capsys) -> None:
    """A wrong variable is named."""
    monkeypatch.setenv("PORT", "abc")
    assert main(["run"]) == 2
    said = capsys.readouterr().err
    assert "port: " in said
    assert "compare-traces-bot settings" in said
    assert main(["settings"]) == 0
    assert "| `port` |" in capsys.readouterr().out


def test_every_error_has_a_sentence_for_people() -> None:
    """Each code says what happened, in words, also when a field is missing."""

    def subclasses(kind: type) -> set[type]:
        return {kind} | {s for child in kind.__subclasses__() for s in subclasses(child)}

    assert subclasses(BotError) - {BotError} == set(FAMILIES)
    for family in FAMILIES:
        assert family.sentences
        for code in family.sentences:
            error = family(code, source="tempo") if family.__name__ == "SourceError" else family(code)
            assert "{" not in error.sentence
            assert len(error.sentence) < 300


def test_what_a_backend_or_slack_refuses_comes_with_advice() -> None:
    """Every such sentence says what to do, and who can, where it is not the person who asked."""
    advice = re.compile(r"\b(ask|check|compare|correct|invite|name|say|try|whoever runs me)\b", re.IGNORECASE)
    for family in (SourceError, DeliveryError):
        for code, sentence in family.sentences.items():
            if code != "no-metrics":  # costs a line of an answer, and is never told
                assert advice.search(sentence.partition("({detail})")[2] or sentence), code


def test_no_source_of_the_bot_names_a_folder_of_this_machine() -> None:
    """The project speaks of the product alone."""
    root = Path(__file__).parents[2]
    for file in [
        *root.glob("bot/**/*.py"),
        *root.glob("analysis/**/*.py"),
        *root.glob("*.toml"),
        *root.glob("docs/*.md"),
    ]:
        assert "/home/" not in file.read_text(encoding="utf-8")
