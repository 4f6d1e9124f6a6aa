"""Settings: checked at start, each problem with its key, no secret ever shown."""

from __future__ import annotations

import traceback
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bot.settings import SECRETS, Settings, SettingsError, SourceSettings, load_settings, reference
from bot.settings.renamed import RENAMED

ROOT = Path(__file__).parents[2]


@pytest.fixture
def environment(monkeypatch):
    """Return a setter of environment variables, with all of ours unset."""
    for name in (*SECRETS, "REDIS_URL", "JAEGER_URL", "TEMPO_URL", "PORT", "HOST"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("COMPARE_TRACES_CONFIG", raising=False)
    return monkeypatch.setenv


def configured(environment, tmp_path, text: str) -> Settings:
    """Load settings from a TOML text."""
    file = tmp_path / "config.toml"
    file.write_text(text)
    environment("COMPARE_TRACES_CONFIG", str(file))
    return load_settings()


def test_two_variables_are_enough_for_two_sources(environment) -> None:
    """Without a file, JAEGER_URL and TEMPO_URL define a source each."""
    environment("JAEGER_URL", "http://jaeger:16686/")
    environment("TEMPO_URL", "http://tempo:3200")
    assert [(s.name, s.kind, s.url) for s in load_settings().all_sources] == [
        ("jaeger", "jaeger", "http://jaeger:16686"), ("tempo", "tempo", "http://tempo:3200"),
    ]  # fmt: skip


def test_the_example_file_is_valid(environment) -> None:
    """What the documentation shows can be used as it is."""
    environment("COMPARE_TRACES_CONFIG", str(ROOT / "compare-traces.example.toml"))
    assert len(load_settings().all_sources) >= 2


def test_logs_and_metrics_are_configured_beside_the_sources(environment, tmp_path) -> None:
    """They share names, credentials and channels with the sources; the queries of both have fields."""
    environment("PROM_TOKEN", "t0psecret")
    settings = configured(
        environment,
        tmp_path,
        """
        [[sources]]
        name = "a"
        kind = "tempo"
        url = "http://a"
        [[metrics]]
        name = "prom"
        url = "http://prom/base/"
        bearer_env = "PROM_TOKEN"
        latency_query = 'sum by (le) (x{s="{service}", o="{operation}"}[{step}])'
        [[metrics.changes]]
        name = "flag"
        query = 'flag{s=~"{service_regex}"}'
        [[logs]]
        name = "loki"
        kind = "loki"
        url = "http://loki"
        [channels.C1]
        logs = ["loki"]
        """,
    )
    assert settings.metrics[0].url == "http://prom/base"
    assert [its.name for its in settings.metrics[0].changes] == ["flag"]
    assert "t0psecret" in settings.secrets()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[[metrics]]\nname="a"\nurl="http://a"\nlatency_query="x{s=\'{servise}\'}"', "there is no field {servise}"),
        ('[[metrics]]\nname="a"\nurl="http://a"\nrequests_query="sum(x)"', "must name the service"),
        ('[[metrics]]\nname="a"\nurl="http://a"\n[[logs]]\nname="a"\nkind="loki"\nurl="http://a"', "two are called a"),
        ('[[logs]]\nname="a"\nkind="loki"\nurl="http://a"\nservice_label="x=y"', "logs.0.service_label"),
        ('[channels.C1]\nlogs=["a"]', "channels.C1.logs: none of"),
        ('[[sources]]\nname="a"\nkind="zipkin"\nurl="http://a"', "sources.0.kind"),
        ('[[sources]]\nname="a"\nkind="tempo"\nurl="tempo:3200"', "sources.0.url: must be an http"),
        ('[[sources]]\nname="a"\nkind="tempo"\nurl="http://u:p@a"', "must not hold a password"),
        ('[[sources]]\nname="a"\nkind="tempo"\nurl="http://a"\ntoken="x"', "sources.0.token: there is no such setting"),
        ('[[sources]]\nname="a"\nkind="tempo"\nurl="http://a"\n' * 2, "two are called a"),
        ('[channels.C1]\nsources=["x"]', "no source is called x"),
        ("[limits]\ndeadline_s=0", "limits.deadline_s"),
        ("colour=1", "colour: there is no such setting"),
        ("[[sources", "not valid TOML"),
        ('slack_bot_token="xoxb-1"', "slack_bot_token is a secret"),
    ],
)
def test_problems_name_their_key(environment, tmp_path, text, said) -> None:
    """A wrong setting is said with where it stands and what it must be."""
    with pytest.raises(SettingsError, match=said.replace(".", r"\.")):
        configured(environment, tmp_path, text)


def test_a_slip_of_the_hand_is_told_the_name_it_meant(environment, tmp_path) -> None:
    """A name that is nearly one of ours says which."""
    with pytest.raises(SettingsError, match=r"deadlines: there is no such setting: did you mean deadline_s\?"):
        configured(environment, tmp_path, "[limits]\ndeadlines=5")


@pytest.fixture
def renamed(monkeypatch):
    """Pretend that three settings had another name once."""
    old = {"slack_reactions": "reactions", "limits.seconds": "limits.deadline_s", "sources.address": "sources.url"}
    monkeypatch.setattr("bot.settings.renamed.RENAMED", old)


def test_a_renamed_setting_is_understood_with_a_warning(environment, tmp_path, renamed) -> None:
    """At the top, in a table and in each of a list of tables; the warning says the new name and the file."""
    text = 'slack_reactions=["eyes"]\n[limits]\nseconds=7\n' + "".join(
        f'[[sources]]\nname="{name}"\nkind="tempo"\naddress="http://{name}"\n' for name in "ab"
    )
    with capture_logs() as logs:
        settings = configured(environment, tmp_path, text)
    assert (settings.reactions, settings.limits.deadline_s) == (("eyes",), 7)
    assert [source.url for source in settings.sources] == ["http://a", "http://b"]
    assert {(line["log_level"], line["old"], line["new"]) for line in logs} == {
        ("warning", "slack_reactions", "reactions"),
        ("warning", "limits.seconds", "limits.deadline_s"),
        ("warning", "sources.address", "sources.url"),
    }
    assert all(line["where"].endswith("config.toml") for line in logs)


def test_a_renamed_variable_is_understood_with_a_warning(environment, renamed) -> None:
    """Read as the new one would be; where both are set, the new name counts."""
    environment("SLACK_REACTIONS", '["eyes", "mag"]')
    with capture_logs() as logs:
        assert load_settings().reactions == ("eyes", "mag")
    assert [(line["old"], line["new"]) for line in logs] == [("SLACK_REACTIONS", "REACTIONS")]
    environment("REACTIONS", '["mag"]')
    with capture_logs() as logs:
        assert load_settings().reactions == ("mag",)
    assert len(logs) == 1


def test_every_renamed_setting_leads_to_one_that_exists() -> None:
    """The table of old names has only new names that are in the reference."""
    for new in RENAMED.values():
        assert f"| `{new.rpartition('.')[2]}` |" in reference()


def test_a_missing_file_is_said(environment) -> None:
    """The variable points nowhere: the path is named."""
    environment("COMPARE_TRACES_CONFIG", "/nowhere/config.toml")
    with pytest.raises(SettingsError, match="cannot read /nowhere"):
        load_settings()


def test_secrets_can_come_from_files_and_are_never_shown(environment, tmp_path) -> None:
    """Each of them is read from where <NAME>_FILE points; no way of writing the settings down holds the value."""
    for name in SECRETS:
        file = tmp_path / name
        file.write_text(f"very-secret-{name}\n")
        environment(f"{name}_FILE", str(file))
    environment("REDIS_URL", "redis://:very-secret-REDIS_URL@redis/0")
    settings = load_settings()
    assert settings.secrets() >= {f"very-secret-{name}" for name in (*SECRETS, "REDIS_URL")}
    for written in (repr(settings), str(settings), f"{settings.model_dump()}", settings.model_dump_json()):
        assert "very-secret" not in written


def test_no_problem_is_told_with_a_secret(environment, tmp_path) -> None:
    """Neither the sentence nor a traceback holds a value that is wrong: it may be a secret in the wrong place."""
    file = tmp_path / "config.toml"
    environment("COMPARE_TRACES_CONFIG", str(file))
    environment("REDIS_URL", "http://:very-secret@redis/0")
    environment("PORT", "very-secret-port")
    for text, said in (
        ('sources = [{name = "s", kind = "tempo", url = "http://me:very-secret@tempo"}]', "must not hold a password"),
        ('tokens = [{name = "very-secret token", token_env = "T"}]', "tokens.0.name"),
        ("slack_bot_token = 'very-secret'", "slack_bot_token is a secret: set SLACK_BOT_TOKEN"),
    ):
        file.write_text(text)
        with pytest.raises(SettingsError, match=said) as caught:
            load_settings()
        assert "very-secret" not in "".join(traceback.format_exception(caught.value))


def test_the_documented_settings_are_the_real_ones() -> None:
    """docs/SETTINGS.md is what `compare-traces-bot settings` prints."""
    assert (ROOT / "docs" / "SETTINGS.md").read_text() == reference()


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://Jaeger.example:443/base", "jaeger.example"), ("http://jaeger.example:80", "jaeger.example"),
        ("http://jaeger.example:443", "jaeger.example:443"), ("https://jaeger.example:16686", "jaeger.example:16686"),
    ],
)  # fmt: skip
def test_the_host_of_a_sources_links_is_what_browsers_show(url, host) -> None:
    """A port that its scheme implies is left out, as people's links leave it out."""
    assert SourceSettings(name="j", kind="jaeger", url=url).hosts == (host,)
