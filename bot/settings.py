"""Settings: everything that can be configured, in one place, checked at start.

Secrets come from environment variables (or from files named by `<NAME>_FILE`); sources, channels and limits
from a TOML file named by COMPARE_TRACES_CONFIG. Without a file, JAEGER_URL and TEMPO_URL define one source each.
`compare-traces-bot settings` prints this reference as Markdown (docs/SETTINGS.md).
"""

from __future__ import annotations

import os
import tomllib
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from bot.evidence.queries import check_query
from bot.evidence.span_metrics import IMAGES, VERSIONS
from bot.links import FIELDS, check_template
from bot.reach import API, PROGRAM, ChannelSettings, Reach, TokenSettings
from bot.redaction import Redaction
from bot.renamed_settings import with_new_names, with_new_variables

CONFIG_VARIABLE = "COMPARE_TRACES_CONFIG"
SHORTEST_TOKEN = 20  # characters: what can be guessed protects nothing
SECRETS = (
    "SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET", "SLACK_APP_TOKEN", "SLACK_CLIENT_SECRET", "SLACK_TOKEN_KEY", "API_TOKEN",
)  # fmt: skip


class SettingsError(Exception):
    """The configuration cannot be used; each line of the text names one key and what to do."""


def _http_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be an http:// or https:// address")
    if parts.username or parts.password:
        raise ValueError("must not hold a password: use bearer_env or basic_env")
    return url.rstrip("/")


def _redis_url(url: SecretStr) -> SecretStr:
    if urlsplit(url.get_secret_value()).scheme not in ("redis", "rediss", "unix"):
        raise ValueError("must be a redis://, rediss:// or unix:// address")
    return url


RedisUrl = Annotated[SecretStr, AfterValidator(_redis_url)]
HttpUrl = Annotated[str, AfterValidator(_http_url)]
LABEL = r"^[A-Za-z_][A-Za-z0-9_]*$"
QueryTemplate = Annotated[str, AfterValidator(check_query)]


class Endpoint(BaseModel):
    """A server that is asked over HTTP: where it is, and how to prove who is asking."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,39}$", description="what people call it")
    url: HttpUrl = Field(description="base address of the query API, with its base path")
    bearer_env: str | None = Field(None, description="environment variable that holds a bearer token")
    basic_env: str | None = Field(None, description="environment variable that holds `user:password`")
    headers_env: dict[str, str] = Field(default_factory=dict, description="header name -> environment variable")
    tenant: str | None = Field(None, description="tenant to ask for when none is given")
    tenant_header: str = Field("", description="header for the tenant; default X-Scope-OrgID")
    ca_file: Path | None = Field(None, description="CA certificates to trust instead of the system's")
    client_cert: Path | None = Field(None, description="client certificate (PEM)")
    client_key: Path | None = Field(None, description="its key (PEM)")
    connect_timeout_s: float = Field(3.0, gt=0, le=60, description="seconds to connect")
    read_timeout_s: float = Field(15.0, gt=0, le=300, description="seconds without a byte")
    max_body_bytes: int = Field(8 * 1024 * 1024, gt=0, description="largest unpacked answer that is read")

    def secrets(self) -> set[str]:
        """Return what the environment holds for this server alone."""
        found = {os.environ.get(name or "", "") for name in (self.bearer_env, *self.headers_env.values())}
        basic = os.environ.get(self.basic_env or "", "")
        return found | {basic, basic.partition(":")[2]}


class SourceSettings(Endpoint):
    """One trace backend."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,39}$", description="what people call it: `source=<name>`")
    kind: Literal["jaeger", "tempo"] = Field(description="`jaeger` (also VictoriaTraces) or `tempo`")
    ui_url: HttpUrl | None = Field(None, description="where people open traces: the Jaeger UI or Grafana")
    grafana_datasource: str | None = Field(None, description="uid of the Tempo or Jaeger data source in Grafana")
    link_hosts: tuple[str, ...] = Field((), description="more hosts whose pasted links belong to this source")
    tenant_header: str = Field(
        "", description="header for the tenant; default X-Scope-OrgID (tempo), x-tenant (jaeger)"
    )
    max_body_bytes: int = Field(64 * 1024 * 1024, gt=0, description="largest unpacked answer that is read")

    @property
    def hosts(self) -> tuple[str, ...]:
        """Hosts whose links belong to this source."""
        urls = (self.url, self.ui_url)
        return tuple(
            dict.fromkeys([urlsplit(u).netloc.lower() for u in urls if u] + [h.lower() for h in self.link_hosts])
        )


class LogSettings(Endpoint):
    """One source of logs: Loki, or Elasticsearch or OpenSearch."""

    kind: Literal["loki", "elasticsearch"] = Field(description="`loki`, or `elasticsearch` (also OpenSearch)")
    max_lines: int = Field(1000, gt=0, le=5000, description="lines that one question reads")
    service_label: str = Field(
        "service_name", pattern=LABEL, description="Loki's label that holds the name of the service"
    )
    trace_label: str = Field("trace_id", pattern=LABEL, description="Loki's label or metadata that holds the trace id")
    matchers: str = Field("", description='more of Loki\'s matchers for every query: `cluster="prod"`')
    pipeline: str = Field("", description="LogQL after the selector that keeps errors and warnings; default: by level")
    deployments: QueryTemplate = Field(
        "", description="LogQL, or a query string of Elasticsearch, that finds when `{service}` was deployed"
    )
    index: str = Field(
        "logs-*,filebeat-*,logstash-*", pattern=r"^[A-Za-z0-9*][A-Za-z0-9*,._-]*$",
        description="Elasticsearch's indices or data streams",
    )  # fmt: skip
    time_field: str = Field("@timestamp", description="Elasticsearch's field of the time")
    service_fields: tuple[str, ...] = Field(
        ("service.name", "resource.attributes.service.name", "kubernetes.labels.app", "kubernetes.container_name"),
        description="Elasticsearch's fields that may hold the name of the service",
    )
    message_fields: tuple[str, ...] = Field(
        ("message", "body.text", "body", "log", "msg"), description="Elasticsearch's fields that may hold the message"
    )
    level_fields: tuple[str, ...] = Field(
        ("log.level", "level", "severity_text", "severity", "loglevel"),
        description="Elasticsearch's fields that may hold the level",
    )
    trace_fields: tuple[str, ...] = Field(
        ("trace.id", "trace_id", "traceId", "TraceId", "traceid"),
        description="Elasticsearch's fields that may hold the trace id",
    )


class ChangeSettings(BaseModel):
    """What shows in metrics that a service changed: a deployment, a feature flag."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1, max_length=40, description="what changes: `version`, `image`, `flag new-checkout`")
    query: QueryTemplate = Field(description="PromQL with the field `{service}` (or `{service_regex}`, after `=~`)")
    label: str = Field("", description="label whose value is what changes; without it, the query's number is")


class MetricSettings(Endpoint):
    """One source of metrics about services: Prometheus, or what answers as it does (Mimir, Thanos, VictoriaMetrics)."""

    latency_query: QueryTemplate = Field(
        "", description="PromQL for the buckets of an operation's durations, `increase` over `{step}`, by `le` in "
        "seconds, with fields `{service}` and `{operation}`; default: span metrics, old and new names",
    )  # fmt: skip
    latency_unit: Literal["s", "ms"] = Field("s", description="what `le` of `latency_query` counts")
    requests_query: QueryTemplate = Field("", description="PromQL for the number of an operation's requests")
    failures_query: QueryTemplate = Field("", description="PromQL for the number of those that failed")
    changes: tuple[ChangeSettings, ...] = Field(
        (
            ChangeSettings(name="version", query=VERSIONS, label="service_version"),
            ChangeSettings(name="image", query=IMAGES, label="image"),
        ),
        description="`[[metrics.changes]]`: what shows that a service changed; default: its version in `target_info` "
        "and span metrics, its image in `kube_pod_container_info`",
    )


class LinkSettings(BaseModel):
    """One page to go on to from a next step: logs, a dashboard, a runbook."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str = Field(min_length=1, max_length=40, description="what the link says: `logs`, `dashboard`, `runbook`")
    url: Annotated[str, AfterValidator(check_template)] = Field(
        description=f"address with fields: {', '.join(f'`{{{name}}}`' for name in FIELDS)}"
    )
    services: tuple[str, ...] = Field((), description="services it is about (`*` matches anything); empty: all")


class EvidenceSettings(BaseModel):
    """What logs and metrics are asked, beside the traces."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    deadline_s: float = Field(10.0, gt=0, le=60, description="seconds that logs and metrics have; no answer waits")
    around_s: float = Field(
        60.0, ge=1, le=3600, description="seconds before and after each request in which logs are compared"
    )
    tell_failures: bool = Field(default=False, description="say it in the thread also where no source answered at all")


class Limits(BaseModel):
    """Bounds on time and load."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    deadline_s: float = Field(
        60.0, gt=0, le=600, description="seconds to fetch what is compared, each time it is tried"
    )
    oldest_s: float = Field(
        300.0, gt=0, le=3600, description="seconds from a request's acceptance; without an answer by then it is told so"
    )
    missing_retry_s: float = Field(4.0, ge=0, le=60, description="seconds to look again for a trace not there yet")
    analysis_s: float = Field(30.0, gt=0, le=300, description="seconds one comparison may compute")
    concurrent: int = Field(4, gt=0, le=64, description="comparisons at once")
    waiting: int = Field(
        100,
        ge=0,
        le=10_000,
        description="requests that may wait, in all processes together; more are told to come back",
    )
    per_person: int = Field(10, gt=0, le=10_000, description="requests of one person without an answer; see `waiting`")
    per_channel: int = Field(
        50, gt=0, le=10_000, description="requests of one channel without an answer; see `waiting`"
    )
    repeat_window_s: float = Field(600.0, ge=0, description="seconds in which a repeated question points to its answer")
    alert_window_s: float = Field(
        6 * 3600.0, ge=0, description="seconds in which an alert that fires again is not answered again by itself"
    )


class CacheSettings(BaseModel):
    """How much of what backends sent is kept for the next question, encrypted: in memory, or in Redis for all."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    traces_s: float = Field(600.0, ge=0, le=86_400, description="seconds that whole traces are kept; 0: never")
    populations_s: float = Field(
        300.0, ge=0, le=86_400, description="seconds that it is kept which traces a window of the past has; 0: never"
    )
    bytes: int = Field(
        64 * 1024 * 1024,
        ge=0,
        description="most that is kept at once, compressed, in all processes together; 0: nothing",
    )


class Retention(BaseModel):
    """How long what was asked and answered is kept."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    history_days: int = Field(30, ge=1, le=3650, description="days that requests are kept, and listed by `history`")
    results_days: int = Field(14, ge=1, le=3650, description="days that the buttons under an answer work")
    votes_days: int = Field(366, ge=1, le=3650, description="days that votes on answers are kept")
    memory_days: int = Field(366, ge=0, le=3650, description="days that causes are known again; 0: never")


class Settings(BaseSettings):
    """All settings of the bot."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", env_prefix="", case_sensitive=False)

    slack_bot_token: SecretStr = Field(SecretStr(""), description="bot token (xoxb-...)")
    slack_signing_secret: SecretStr = Field(SecretStr(""), description="signing secret; HTTP mode")
    slack_app_token: SecretStr = Field(SecretStr(""), description="app-level token (xapp-...); Socket Mode")
    slack_client_id: str = Field("", description="client id; with it several workspaces can install the app, over HTTP")
    slack_client_secret: SecretStr = Field(SecretStr(""), description="client secret; several workspaces")
    slack_token_key: SecretStr = Field(SecretStr(""), description="Fernet key for the tokens of several workspaces")
    installations_file: Path = Field(
        Path("compare-traces-installations.sqlite3"), description="the tokens of several workspaces, encrypted"
    )
    allowed_teams: tuple[str, ...] = Field((), description="workspaces that may install the app; needed for several")
    public_url: HttpUrl | None = Field(None, description="address under which Slack and people reach HTTP mode")
    slack_api_url: HttpUrl = Field("https://slack.com/api", description="Slack's Web API")
    host: str = Field("0.0.0.0", description="address to listen on; HTTP mode")  # noqa: S104 - a web process serves Slack
    port: int = Field(3000, ge=0, le=65535, description="port to listen on; HTTP mode")
    ops_host: str = Field("127.0.0.1", description="address that health and metrics listen on; loopback unless set")
    ops_port: int = Field(9464, ge=0, le=65535, description="port of `/healthz`, `/readyz` and `/metrics`; 0: any")
    api_token: SecretStr = Field(SecretStr(""), description="bearer token for programs: turns the HTTP API on")
    tokens: tuple[TokenSettings, ...] = Field((), description="bearer tokens of several programs: `[[tokens]]`")
    api_host: str = Field("127.0.0.1", description="address that the HTTP API listens on; loopback unless set")
    api_port: int = Field(3001, ge=0, le=65535, description="port of the HTTP API; 0: any")
    state_file: Path = Field(Path("compare-traces.sqlite3"), description="the request ledger")
    redis_url: RedisUrl | None = Field(None, description="Redis or Valkey shared by all processes; unset: one process")
    jaeger_url: HttpUrl | None = Field(None, description="one Jaeger source, without a TOML file")
    tempo_url: HttpUrl | None = Field(None, description="one Tempo source, without a TOML file")
    sources: tuple[SourceSettings, ...] = Field((), description="trace backends: `[[sources]]`")
    logs: tuple[LogSettings, ...] = Field((), description="logs of services: `[[logs]]`")
    metrics: tuple[MetricSettings, ...] = Field((), description="metrics about services: `[[metrics]]`")
    evidence: EvidenceSettings = Field(default_factory=EvidenceSettings, description="`[evidence]`: logs and metrics")
    channels: dict[str, ChannelSettings] = Field(default_factory=dict, description="`[channels.C0123]`: per channel")
    allowed_channels: tuple[str, ...] = Field((), description="channels I answer in; empty: all I am in")
    allowed_users: tuple[str, ...] = Field((), description="users who may ask; empty, without groups: everyone")
    allowed_user_groups: tuple[str, ...] = Field((), description="user groups whose members may ask (S0123...)")
    external_channels: bool = Field(
        default=False, description="answer in channels that other organisations read as well"
    )
    links: tuple[LinkSettings, ...] = Field((), description="pages to go on to: `[[links]]`")
    reactions: tuple[str, ...] = Field(("mag",), description="emoji that ask about the message they stand under")
    watched_channels: tuple[str, ...] = Field((), description="channels whose alerts I answer without being asked")
    limits: Limits = Field(default_factory=Limits, description="`[limits]`: bounds")
    cache: CacheSettings = Field(default_factory=CacheSettings, description="`[cache]`: what need not be fetched again")
    redaction: Redaction = Field(default_factory=Redaction, description="`[redaction]`: what else is secret")
    retention: Retention = Field(default_factory=Retention, description="`[retention]`: how long what is kept")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the signature is pydantic's
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the signature is pydantic's
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the signature is pydantic's
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let the environment win over the file: secrets and addresses of one deployment are set there."""
        if isinstance(env_settings, EnvSettingsSource):
            env_settings.env_vars = with_new_variables(env_settings.env_vars)
        return env_settings, init_settings

    @model_validator(mode="after")
    def _check_names(self) -> Self:
        names = [source.name for source in self.all_sources]
        evidence = {"logs": [its.name for its in self.logs], "metrics": [its.name for its in self.metrics]}
        everything = [*names, *(name for its in evidence.values() for name in its)]
        double = {name for name in everything if everything.count(name) > 1}
        if double:
            raise ValueError(f"sources: two are called {', '.join(sorted(double))}; names must differ")
        for channel, its in self.channels.items():
            for name in its.sources:
                if name not in names:
                    raise ValueError(f"channels.{channel}.sources: no source is called {name}")
            for kind, known in evidence.items():
                for name in getattr(its, kind):
                    if name not in known:
                        raise ValueError(f"channels.{channel}.{kind}: none of [[{kind}]] is called {name}")
        programs = [token.name for token in self.tokens] + ([API] if self.api_token.get_secret_value() else [])
        if double := {name for name in programs if programs.count(name) > 1}:
            raise ValueError(f"tokens: two are called {', '.join(sorted(double))}; names must differ")
        for token in self.tokens:
            for name in token.sources:
                if name not in names:
                    raise ValueError(f"tokens.{token.name}.sources: no source is called {name}")
        return self

    @property
    def all_sources(self) -> tuple[SourceSettings, ...]:
        """The configured sources, those of the environment included."""
        sources = list(self.sources)
        if self.jaeger_url and not any(s.url == self.jaeger_url for s in sources):
            sources.append(SourceSettings(name="jaeger", kind="jaeger", url=self.jaeger_url, ui_url=self.jaeger_url))
        if self.tempo_url and not any(s.url == self.tempo_url for s in sources):
            sources.append(SourceSettings(name="tempo", kind="tempo", url=self.tempo_url))
        return tuple(sources)

    def reach(self, channel: str) -> Reach | None:
        """Return what is set for a channel, or for the program that stands in for one; None: it may ask everything."""
        name = channel.removeprefix(PROGRAM)
        if name != channel:
            return next((token for token in self.tokens if token.name == name), None)
        return self.channels.get(channel)

    def program_tokens(self) -> dict[str, str]:
        """Return each program's name and token; raises `SettingsError` for a token that is missing or too short."""
        given = {token.name: (token.token_env, _secret(token.token_env)) for token in self.tokens}
        if self.api_token.get_secret_value():
            given[API] = ("API_TOKEN", self.api_token.get_secret_value())
        for variable, token in given.values():
            if len(token) < SHORTEST_TOKEN:
                what = f"shorter than {SHORTEST_TOKEN} characters" if token else "not set"
                raise SettingsError(f"{variable}: the token is {what}: make one with `openssl rand -hex 32`")
        if len({token for _, token in given.values()}) < len(given):
            raise SettingsError("tokens: two programs have the same token; each needs one of its own")
        return {name: token for name, (_, token) in given.items()}

    def secrets(self) -> set[str]:
        """Return every secret that is configured: what no log may ever show."""
        mine = {getattr(self, name.lower()).get_secret_value() for name in SECRETS}
        mine |= {key.strip() for key in self.slack_token_key.get_secret_value().split(",")}
        mine |= {_secret(token.token_env) for token in self.tokens}
        if self.redis_url is not None:
            url = self.redis_url.get_secret_value()
            mine |= {url, urlsplit(url).password or ""}
        for endpoint in (*self.all_sources, *self.logs, *self.metrics):
            mine |= endpoint.secrets()
        return mine - {""}

    @classmethod
    def load(cls, **overrides: Any) -> Settings:
        """Read the environment and the TOML file; raises `SettingsError` with one line per problem."""
        values: dict[str, Any] = {}
        config = os.environ.get(CONFIG_VARIABLE)
        if config:
            values = with_new_names(_read_toml(Path(config)), config)
        for name in SECRETS:
            if os.environ.get(f"{name}_FILE") and not os.environ.get(name):
                values[name.lower()] = _secret(name)
        values.update(overrides)
        try:
            return cls(**values)
        except ValidationError as error:
            raise SettingsError("\n".join(_lines(error))) from None


def _secret(name: str) -> str:
    """Read a secret from its variable, or from the file that `<name>_FILE` names; "" when neither is set."""
    file = os.environ.get(f"{name}_FILE")
    if os.environ.get(name) or not file:
        return os.environ.get(name, "").strip()
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        what = error.strerror if isinstance(error, OSError) else "it is no text"
        raise SettingsError(f"{name}_FILE: cannot read {file}: {what}") from None


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{CONFIG_VARIABLE}: cannot read {path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: not valid TOML: {error}") from None
    for secret in SECRETS:
        if secret.lower() in values:
            raise SettingsError(f"{path}: {secret.lower()} is a secret: set {secret} or {secret}_FILE instead")
    return values


TABLES: tuple[tuple[str, type[BaseModel]], ...] = (
    ("Top level", Settings),
    ("`[[sources]]`", SourceSettings),
    ("`[[logs]]`", LogSettings),
    ("`[[metrics]]`", MetricSettings),
    ("`[[metrics.changes]]`", ChangeSettings),
    ("`[evidence]`", EvidenceSettings),
    ("`[channels.<id>]`", ChannelSettings),
    ("`[[tokens]]`", TokenSettings),
    ("`[[links]]`", LinkSettings),
    ("`[limits]`", Limits),
    ("`[cache]`", CacheSettings),
    ("`[redaction]`", Redaction),
    ("`[retention]`", Retention),
)


def _lines(error: ValidationError) -> list[str]:
    """Say each problem in one line, without the value, which may be a secret."""
    lines = []
    for problem in error.errors(include_input=False, include_url=False):
        key = ".".join(map(str, problem["loc"]))
        what = problem["msg"].removeprefix("Value error, ")
        if problem["type"] == "extra_forbidden":
            near = get_close_matches(
                str(problem["loc"][-1]), [name for _, model in TABLES for name in model.model_fields], 1
            )
            what = f"there is no such setting{f': did you mean {near[0]}?' if near else ''}"
        lines.append(f"{key}: {what}" if key else what)
    return lines


def reference() -> str:
    """Return the settings reference as Markdown."""
    lines = [
        "# Settings",
        "",
        "Generated by `compare-traces-bot settings`. Environment variables are the upper-case names.",
        f"Everything but secrets can also stand in the TOML file that `{CONFIG_VARIABLE}` names.",
    ]
    for title, model in TABLES:
        lines += ["", f"## {title}", "", "| setting | default | meaning |", "|---|---|---|"]
        for name, field in model.model_fields.items():
            shown = "required" if field.is_required() else _default(field.get_default(call_default_factory=True))
            lines.append(f"| `{name}` | {shown} | {field.description} |")
    return "\n".join(lines) + "\n"


def _default(value: object) -> str:
    if isinstance(value, BaseModel):
        return "see below"
    if isinstance(value, tuple) and any(isinstance(each, BaseModel) for each in value):
        return "its own"
    if value is None or value in ("", (), {}) or isinstance(value, SecretStr):
        return "none"
    return f"`{value}`"


if __name__ == "__main__":
    print(reference(), end="")  # noqa: T201 - this is what the command is for
