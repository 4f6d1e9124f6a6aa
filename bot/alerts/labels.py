"""Labels in an alert's text: `service=checkout`, ` - service = checkout`, `*Service:* checkout`, `service:checkout`.

Names are lower case with underscores for blanks and dashes (`Service Name` is `service_name`); dots stay. The first
value of a name wins: alerts list what fires before what is resolved. What a service or an operation is called
differs by tool, so each has a list of names, the most telling first.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bot.alerts.content import Passage

MAX_LABELS = 100
MAX_VALUE = 200  # characters
MAX_NAME_WORDS = 5
MAX_LINES = 2_000
MAX_LINE = 2_000  # characters of a line that are read

SERVICE = (
    "service.name", "service_name", "dd.service", "service", "otel_service_name", "app.kubernetes.io/name",
    "application", "app_name", "app", "k8s.deployment.name", "deployment", "workload", "destination_service_name",
    "component", "job",
)  # fmt: skip
OPERATION = (
    "span.name", "span_name", "operation", "operation_name", "resource_name", "dd.resource", "transaction",
    "http.route", "http_route", "route", "endpoint", "rpc.method", "rpc_method", "grpc_method", "handler",
    "url.path", "path", "uri",
)  # fmt: skip
METHOD = ("http.request.method", "http.method", "http_method", "http_request_method", "method", "verb")
ENVIRONMENT = (
    "deployment.environment.name",
    "deployment.environment",
    "deployment_environment",
    "environment",
    "env",
    "stage",
)
NAMESPACE = (
    "k8s.namespace.name", "k8s_namespace_name", "kubernetes_namespace", "kube_namespace", "namespace",
    "service.namespace", "service_namespace",
)  # fmt: skip
SEVERITY = ("severity", "priority", "urgency", "level", "criticality")

_FAMILIAR = frozenset(SERVICE + OPERATION + METHOD + ENVIRONMENT + NAMESPACE + SEVERITY)
_NAME = r"[A-Za-z_][\w.\-/]{1,60}"
_LIST_ITEM = re.compile(rf"[\s>]*(?:[-•*]\s+)?({_NAME})\s+=\s+(\S.*)")
_EQUALS = re.compile(
    rf"(?<![\w.\-/])({_NAME})="
    r"(\"[^\"\n]{0,300}\"|'[^'\n]{0,300}'|`[^`\n]{0,300}`|[^\s,;|&\"'`{}()]+)"
)
_TAG = re.compile(r"(?<![\w.\-/:])([A-Za-z_][\w.\-/]{1,60}):([^\s,;:|`\"'*][^\s,;|`\"'*]{0,200})")
_COLON = re.compile(r"[\s>\-•*_~`\"{]*([A-Za-z_][\w.\-/]*(?: [\w.\-/]+){0,2})[*_~`\"]{0,3}\s?:[*_~`\"]{0,3}\s+(\S.*)")
_HEADING = re.compile(r"[\s>]*\*([A-Za-z_][\w.\-/ ]{1,40}):?\*:?\s*")
_JSON = re.compile(r"\"([\w.\-]{2,60})\"\s?:\s?\"([^\"\n]{1,300})\"")
_PARTS = re.compile(r"\s{2,}|\t|\s[|•·]\s|\s(?=\*[\w.\-/ ]{1,40}(?::\*|\*:))")
_TAG_RESOURCE = re.compile(r"(get|post|put|patch|delete|head|options)_(/.*)")
_DRESS = " \t\u00a0*_~`\"'“”,;"
_NOTHING = frozenset({"", "-", "--", "n/a", "none", "null", "<no value>", "[no value]", "unknown"})


def find_labels(passages: Iterable[Passage]) -> dict[str, str]:
    """Return the labels of an alert, at most `MAX_LABELS`; those that say what ran always find room."""
    labels: dict[str, str] = {}
    lines = 0
    for passage in passages:
        heading = ""
        for raw in passage.text.splitlines():
            lines += 1
            if lines > MAX_LINES:
                return labels
            line = raw[:MAX_LINE]
            if heading and line.strip(_DRESS):
                _keep(labels, heading, line)
                heading = ""
            alone = _HEADING.fullmatch(line)
            if alone:
                heading = alone[1]
            else:
                _read_line(labels, line)
    return labels


def _read_line(labels: dict[str, str], line: str) -> None:
    item = _LIST_ITEM.fullmatch(line)
    if item:
        _keep(labels, item[1], item[2])
        return
    for name, value in _EQUALS.findall(line):
        _keep(labels, name, value)
    for name, value in _JSON.findall(line):
        _keep(labels, name, value)
    for part in _PARTS.split(line):
        colon = _COLON.match(part)
        if colon:
            _keep(labels, colon[1], colon[2])
        if colon and colon[1].lower() in {"tags", "labels"}:
            for tag in colon[2].split(","):
                _keep(labels, *tag.strip(_DRESS).partition(":")[::2])
        else:
            for name, value in _TAG.findall(colon[2] if colon else part):
                _keep(labels, name, value)


def _keep(labels: dict[str, str], name: str, value: str) -> None:
    name = re.sub(r"[\s\-]+", "_", name.strip(_DRESS)).lower()
    value = value[: MAX_VALUE * 2].strip(_DRESS)[:MAX_VALUE].strip(_DRESS)
    new = len(name) > 1 and name not in labels and value.lower() not in _NOTHING
    if new and (len(labels) < MAX_LABELS or name in _FAMILIAR):
        labels[name] = value


def pick(labels: Mapping[str, str], names: tuple[str, ...]) -> str:
    """Return the value of the first of these names that is there, "" when none is."""
    return next((labels[name] for name in names if name in labels), "")


def service_of(labels: Mapping[str, str]) -> str:
    """Return which service the labels mean; a sentence is no name.

    A Prometheus `job` is `namespace/service` in OpenTelemetry's mapping.
    """
    found = pick(labels, SERVICE)
    if len(found.split()) > MAX_NAME_WORDS:
        return ""
    return found.rsplit("/", 1)[-1] if found == labels.get("job") else found


def operation_of(labels: Mapping[str, str]) -> str:
    """Return which operation the labels mean; a bare route takes its method before it, as server spans are named."""
    found = pick(labels, OPERATION)
    tag = _TAG_RESOURCE.fullmatch(found)
    if tag:  # Datadog's tags know neither capitals nor blanks
        return f"{tag[1].upper()} {tag[2]}"
    method = pick(labels, METHOD).upper()
    return f"{method} {found}" if found.startswith("/") and method.isalpha() else found
