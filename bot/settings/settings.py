"""All settings together, and what they mean to each other."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from bot.settings.bounds import CacheSettings, EvidenceSettings, Limits, Retention
from bot.settings.endpoints import HttpUrl, LogSettings, MetricSettings, SourceSettings
from bot.settings.error import SettingsError
from bot.settings.pages import LinkSettings
from bot.settings.reach import API, PROGRAM, ChannelSettings, Reach, TokenSettings
from bot.settings.redaction import Redaction
from bot.settings.renamed import with_new_variables
from bot.settings.secret import SECRETS, SHORTEST_TOKEN, read_secret


def _redis_url(url: SecretStr) -> SecretStr:
    if urlsplit(url.get_secret_value()).scheme not in ("redis", "rediss", "unix"):
        raise ValueError("must be a redis://, rediss:// or unix:// address")
    return url


RedisUrl = Annotated[SecretStr, AfterValidator(_redis_url)]


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
            for kind, known in evidence.items():
                for name in getattr(token, kind):
                    if name not in known:
                        raise ValueError(f"tokens.{token.name}.{kind}: none of [[{kind}]] is called {name}")
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
        given = {token.name: (token.token_env, read_secret(token.token_env)) for token in self.tokens}
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
        mine |= {read_secret(token.token_env) for token in self.tokens}
        if self.redis_url is not None:
            url = self.redis_url.get_secret_value()
            mine |= {url, urlsplit(url).password or ""}
        for endpoint in (*self.all_sources, *self.logs, *self.metrics):
            mine |= endpoint.secrets()
        return mine - {""}
