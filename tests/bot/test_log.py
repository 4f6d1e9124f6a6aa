"""Logs: one id from Slack's payload to the answer, and nothing in them that opens a door."""

from __future__ import annotations

import base64
import json
import logging

import pytest
import structlog
from pydantic import SecretStr

from bot.settings import Settings, SourceSettings
from bot.telemetry import log
from bot.telemetry.arrival import arriving, current, request_key

RESPONSE_URL = "https://hooks.slack.com/commands/T024/139/veryLongSecretPart"


@pytest.fixture
def _nothing_hidden(monkeypatch):
    """Forget the secrets of a test."""
    monkeypatch.setattr(log, "_hidden", set())


@pytest.mark.parametrize(
    "secret",
    [
        "xoxb-123456789012-abcdefghijkl", "xapp-1-A0123-456-abcdef", RESPONSE_URL, "Bearer abc123def456ghi789",
        "Basic YWxpY2U6aHVudGVyMg==", "redis://:hunter2@queue:6379/0", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln",
        "https://hooks.slack-gov.com/actions/T1/2/secretPart",
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "wrapped",
    [str, lambda s: [s], lambda s: {"deep": [{"er": f"x {s} y"}]}, ValueError],
    ids=["text", "list", "deep", "error"],
)
def test_what_looks_like_a_credential_is_not_written(lines, secret, wrapped) -> None:
    """Tokens, response addresses and passwords in addresses are masked, however deep they stand."""
    structlog.get_logger().warning("it failed", reason=wrapped(secret))
    (line,) = lines()
    written = json.dumps(line)
    assert "[redacted]" in written
    for part in (
        "123456789012",
        "A0123",
        "veryLongSecretPart",
        "abc123def",
        "YWxpY2U6",
        "hunter2",
        "c2ln",
        "secretPart",
    ):
        assert part not in written


def test_a_secret_in_the_event_or_in_a_traceback_is_not_written(lines) -> None:
    """Neither the sentence itself nor an exception's own text lets a token through."""
    said = ConnectionError(f"POST {RESPONSE_URL} with xoxb-123456789012-abcdefghijkl failed")
    structlog.get_logger().error(f"cannot answer to {RESPONSE_URL}", exc_info=said)
    (line,) = lines()
    assert "ConnectionError" in line["exception"]
    assert "veryLongSecretPart" not in json.dumps(line)
    assert "xoxb" not in json.dumps(line)


def test_fields_that_always_hold_a_secret_are_masked_by_their_name(lines) -> None:
    """Whatever a response address or a token looks like in this workspace."""
    structlog.get_logger().info("x", response_url="http://relay.internal/r/1", token="odd", headers={"A": "b"})
    (line,) = lines()
    assert {line[name] for name in ("response_url", "token", "headers")} == {"[redacted]"}


@pytest.mark.usefixtures("_nothing_hidden")
def test_configured_secrets_are_masked_wherever_they_stand(lines, monkeypatch) -> None:
    """A signing secret or a backend's password looks like nothing: it is known by its value, in base64 as well."""
    monkeypatch.setenv("TEMPO_LOGIN", "reader:correct horse")
    monkeypatch.setenv("TEMPO_KEY", "0123456789")
    settings = Settings(
        slack_signing_secret=SecretStr("8f742231b10e8888"),
        sources=(SourceSettings(
            name="t", kind="tempo", url="http://t", basic_env="TEMPO_LOGIN", headers_env={"X-Key": "TEMPO_KEY"},
        ),),
    )  # fmt: skip
    log.hide(settings.secrets())
    encoded = base64.b64encode(b"reader:correct horse").decode()
    structlog.get_logger().info(f"8f742231b10e8888 in {encoded} and correct horse", key_sent="0123456789")
    (line,) = lines()
    assert line["event"] == "[redacted] in [redacted] and [redacted]"
    assert line["key_sent"] == "[redacted]"


def test_ids_and_sentences_stay_readable(lines) -> None:
    """What operators look for is not masked: trace ids, channels, codes, numbers, timestamps."""
    said = {
        "suspect": "4bf92f3577b34da6a3ce929d0e0e4736", "channel": "C0INCIDENT", "ts": "1795000000.000100", "seconds": 1.25,
        "error": "tempo did not answer within 15 s. Ask again; if it stays slow, check the backend.", "ok": True, "n": None,
    }  # fmt: skip
    structlog.get_logger().info("request", **said)
    (line,) = lines()
    assert {name: line[name] for name in said} == said


def test_what_libraries_say_is_a_line_like_ours(lines) -> None:
    """A warning of a library is JSON, masked, and has the request it belongs to."""
    with arriving() as arrival:
        logging.getLogger("aiohttp.server").error("cannot send %s", RESPONSE_URL)
        logging.getLogger("httpx").info("GET https://tempo/secret-tenant")
    (line,) = lines()
    assert line["request"] == arrival.request_id
    assert (line["logger"], line["level"]) == ("aiohttp.server", "error")
    assert line["event"] == "cannot send [redacted]"


@pytest.mark.parametrize("json_lines", [True, False])
def test_no_text_can_forge_a_line(capsys, json_lines) -> None:
    """What a trace or a backend says stays within its line, and moves no cursor."""
    log.configure(json_lines=json_lines)
    said = 'cut\n{"event": "request"}\r\x1b[2J\u2028\x9b1m end'
    structlog.get_logger().info("no answer", error=said)
    logging.getLogger("a.library").warning(said)
    written = capsys.readouterr().err
    assert len(written.splitlines()) == 2
    assert "\x1b[2J" not in written
    assert "\x9b" not in written
    assert "end" in written


def test_configuring_twice_writes_each_line_once(lines) -> None:
    """A second set-up replaces the first."""
    log.configure(json_lines=True)
    logging.getLogger("asyncio").error("once")
    assert [line["event"] for line in lines()] == ["once"]


def test_on_a_terminal_lines_are_readable_and_as_safe(capsys) -> None:
    """People get words instead of JSON; what is masked is the same."""
    log.configure(json_lines=False)
    structlog.get_logger().warning("it failed", reason=RESPONSE_URL)
    written = capsys.readouterr().err
    assert "it failed" in written
    assert "veryLongSecretPart" not in written


def test_each_payload_has_its_own_id_and_ends_with_its_context() -> None:
    """The first request of a payload is named as the payload; another one can be told from it."""
    with arriving() as first:
        assert current() is first
        assert request_key() == first.request_id
        assert request_key() == f"{first.request_id}.2"
    with arriving() as second:
        assert second.request_id != first.request_id
    assert current() is None
    assert request_key() != request_key()


async def test_every_line_of_a_request_carries_the_id_that_the_ledger_has(world, samples, lines) -> None:
    """From the payload to the answer, one id finds everything."""
    pair = samples.pairs[0]
    world.slack.faults = [("chat.postMessage", "invalid_blocks"), ("chat.update", "invalid_blocks")]
    await world.command(f"{pair.baseline} {pair.suspect}")
    await world.settled()
    (entry,) = await world.bot.ledger.recent("C0INCIDENT", 5)
    written = lines()
    assert len(written) >= 3  # two layouts refused, and what became of the request
    assert {line["request"] for line in written} == {entry.key}
