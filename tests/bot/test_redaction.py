"""What else is secret, by the settings: in traces, logs and metrics alike."""

from __future__ import annotations

import json
from datetime import datetime

import pytest
from log_stores import Entry, Loki, store
from world import CHANNEL

from bot.evidence import changes
from bot.evidence.prometheus import Series
from bot.settings import LogSettings, SettingsError, load_settings
from bot.settings.redaction import Redaction


@pytest.mark.parametrize("secret", [False, True])
async def test_what_the_settings_call_secret_is_not_shown(make_world, samples, secret) -> None:
    """Further patterns hold for what traces and logs say; without them the same is shown."""
    pair = next(s for s in samples.pairs if s.name == "n-plus-one")
    start = datetime.fromisoformat("2026-11-24T02:23:16+00:00").timestamp()
    line = Entry(
        at=start + 1, service="catalog", text="lost customer KD-471100",
        known={"detected_level": "error", "trace_id": pair.suspect},
    )  # fmt: skip
    redaction = Redaction(patterns=(r"product_details", r"\bKD-\d{6}\b") if secret else ())
    async with store(Loki([line])) as url:
        logs = (LogSettings(name="loki", kind="loki", url=url),)
        async with make_world(logs=logs, redaction=redaction) as world:
            await world.command(f"{pair.baseline} {pair.suspect}")
            await world.settled()
            said = json.dumps(world.slack.messages[CHANNEL])
            assert "lost customer" in said
            assert ("KD-471100" in said, "product_details" in said) == (not secret, not secret)


def test_a_change_in_metrics_is_redacted_before_it_is_cut() -> None:
    """A secret that the cut would split is found whole."""
    series = [
        Series({"version": "1"}, ((100, 1.0),)),
        Series({"version": "x" * (changes.VALUE - 3) + " KD-471100"}, ((200, 1.0),)),
    ]
    redact = Redaction(patterns=(r"KD-\d{6}",)).redacted
    ((_, before, after),) = changes.changes(series, "version", (0, 300), redact)
    assert before == "1"
    assert "KD" not in after


@pytest.mark.parametrize(
    ("said", "why"), [("[", "is no regular expression"), ("x*", "matches an empty text: it would hide everything")]
)
def test_a_pattern_that_cannot_be_used_is_said(tmp_path, monkeypatch, said, why) -> None:
    """The start ends with a sentence that names the setting."""
    file = tmp_path / "settings.toml"
    file.write_text(f'[redaction]\npatterns = ["{said}"]\n')
    monkeypatch.setenv("COMPARE_TRACES_CONFIG", str(file))
    with pytest.raises(SettingsError, match=rf"redaction\.patterns\.0: .*{why}"):
        load_settings()
