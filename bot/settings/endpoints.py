"""Servers that are asked: trace backends, logs, metrics; where each is, and how to prove who is asking."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from bot.settings.queries import check_query

VERSIONS = " or ".join(
    f'count by (service_version) ({name}, service_version!=""}})'
    for name in (
        'target_info{job=~"(.+/)?{service_regex}"', 'traces_spanmetrics_calls_total{service="{service}"',
        'traces_span_metrics_calls_total{service_name="{service}"',
    )
)  # fmt: skip
IMAGES = 'count by (image) (kube_pod_container_info{container="{service}"})'
LABEL = r"^[A-Za-z_][A-Za-z0-9_]*$"


def _http_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be an http:// or https:// address")
    if parts.username or parts.password:
        raise ValueError("must not hold a password: use bearer_env or basic_env")
    return url.rstrip("/")


HttpUrl = Annotated[str, AfterValidator(_http_url)]
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
        return tuple(dict.fromkeys([_host(url) for url in urls if url] + [host.lower() for host in self.link_hosts]))


def _host(url: str) -> str:
    """Return the host of an address, with its port unless that is its scheme's own, which links leave out."""
    parts = urlsplit(url)
    return parts.netloc.lower().removesuffix({"http": ":80", "https": ":443"}.get(parts.scheme, ""))


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
